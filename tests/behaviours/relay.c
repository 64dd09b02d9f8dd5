/* Sends each message on to the actor whose path is its args. One at a time: due() says when it must wait. */
#include <iris/ext/name.h>
#include <iris/plugin.h>

#include <stdlib.h>
#include <string.h>

static const iris_api *api;

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self;
    if (args.len < 3)
        return api->fail("relay: args must be the path of an actor");
    char *path = calloc(1, args.len - 1);
    if (path)
        memcpy(path, (const char *)args.data + 1, args.len - 2); /* without the quotes */
    *state = path;
    return path ? IRIS_OK : api->fail("relay: no memory");
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    const iris_name *names = api->extension(IRIS_NAME);
    (void)b;
    for (int i = 0; i < n; i++) {
        if (i && api->due(self))
            return i;
        api->send(self, names->find(self, state), messages[i]->data, messages[i]->len, 0);
    }
    return n;
}

static const iris_behaviour relay = {.size = sizeof relay,
                                     .abi = IRIS_ABI,
                                     .name = "relay",
                                     .version = "1.0.0",
                                     .handle = handle,
                                     .init = init,
                                     .fini = fini};
static const iris_behaviour *const behaviours[] = {&relay, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "relay",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
