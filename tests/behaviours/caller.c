/* Asks the actor whose path it is sent, and hears the answer in its own mailbox. It does not return before that actor
 * has answered; where its mailbox holds one message, there is no room for the answer. */
#include <iris/ext/control.h>
#include <iris/ext/name.h>
#include <iris/plugin.h>

#include <stdio.h>
#include <time.h>

static const iris_api *api;

static uint64_t handled(iris_actor *self, uint64_t pid)
{
    const iris_control *control = api->extension(IRIS_CONTROL);
    iris_info info = {.size = sizeof info, .abi = IRIS_ABI};
    return control->info(self, pid, &info) == IRIS_OK ? info.handled : 0;
}

static int call(iris_actor *self, const iris_message *m)
{
    const iris_name *name = api->extension(IRIS_NAME);
    char path[256];
    snprintf(path, sizeof path, "%.*s", (int)m->len, (const char *)m->data);
    uint64_t pid = name->find(self, path), before = handled(self, pid);
    if (!pid || api->send(self, pid, "?", 1, api->pid(self)))
        return api->fail("caller: there is no actor %s to be asked", path);
    while (handled(self, pid) == before)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return IRIS_OK;
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)state;
    for (int i = 0; i < n; i++)
        if (call(self, messages[i]))
            return ~i;
    return n;
}

static const iris_behaviour caller = {
    .size = sizeof caller, .abi = IRIS_ABI, .name = "caller", .version = "1.0.0", .handle = handle};
static const iris_behaviour *const behaviours[] = {&caller, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "caller",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
