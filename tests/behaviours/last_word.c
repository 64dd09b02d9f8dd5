/* Says in its log when it begins and ends, so that a test sees the order; "exit" ends it. */
#include <iris/plugin.h>

#include <string.h>

static const iris_api *api;

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)args, (void)state;
    api->log(self, IRIS_INFO, "begins");
    return IRIS_OK;
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)state;
    api->log(self, IRIS_INFO, "ends");
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)state;
    for (int i = 0; i < n; i++)
        if (messages[i]->len == 4 && !memcmp(messages[i]->data, "exit", 4))
            api->exit(self, NULL);
    return n;
}

static const iris_behaviour last_word = {.size = sizeof last_word,
                                         .abi = IRIS_ABI,
                                         .name = "last_word",
                                         .version = "1.0.0",
                                         .handle = handle,
                                         .init = init,
                                         .fini = fini};
static const iris_behaviour *const behaviours[] = {&last_word, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "last_word",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
