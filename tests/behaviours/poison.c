/* Sends itself two messages when it begins: one that it handles, one that crashes it. */
#include <iris/plugin.h>

static const iris_api *api;

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)args, (void)state;
    api->send(self, api->pid(self), "fine", 4, 0);
    api->send(self, api->pid(self), "poison", 6, 0);
    return IRIS_OK;
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)self, (void)state;
    for (int i = 0; i < n; i++)
        if (messages[i]->len == 6) {
            api->fail("poisoned");
            return ~i;
        }
    return n;
}

static const iris_behaviour poison = {.size = sizeof poison,
                                      .abi = IRIS_ABI,
                                      .name = "poison",
                                      .version = "1.0.0",
                                      .handle = handle,
                                      .init = init};
static const iris_behaviour *const behaviours[] = {&poison, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "poison",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
