/* Does not begin before the file is there that its args name; then answers what it is asked. */
#include <iris/plugin.h>

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const iris_api *api;

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    char file[256];
    (void)b, (void)self, (void)state;
    snprintf(file, sizeof file, "%.*s", (int)args.len - 2, (const char *)args.data + 1); /* "..." */
    while (access(file, F_OK))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return IRIS_OK;
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)state;
    for (int i = 0; i < n; i++)
        api->send(self, messages[i]->ref, messages[i]->data, messages[i]->len, 0);
    return n;
}

static const iris_behaviour slow_start = {.size = sizeof slow_start,
                                          .abi = IRIS_ABI,
                                          .name = "slow_start",
                                          .version = "1.0.0",
                                          .handle = handle,
                                          .init = init};
static const iris_behaviour *const behaviours[] = {&slow_start, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "slow_start",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
