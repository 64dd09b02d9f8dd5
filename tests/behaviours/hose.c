/* Told "N LENGTH", it sends N messages of so many bytes to the actor whose path is its args, one a turn. Byte i of
 * number n is n + i / 4096. */
#include <iris/ext/name.h>
#include <iris/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const iris_api *api;

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self;
    if (args.len < 3)
        return api->fail("hose: args must be the path of an actor");
    char *path = calloc(1, args.len - 1);
    if (path)
        memcpy(path, (const char *)args.data + 1, args.len - 2); /* without the quotes */
    *state = path;
    return path ? IRIS_OK : api->fail("hose: no memory");
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int send(iris_actor *self, const char *path, unsigned number, size_t len)
{
    const iris_name *names = api->extension(IRIS_NAME);
    unsigned char *bytes = malloc(len);
    if (!bytes)
        return api->fail("hose: no memory");
    for (size_t i = 0; i < len; i += 4096)
        memset(bytes + i, (int)((number + i / 4096) & 255), len - i < 4096 ? len - i : 4096);
    int result = api->send(self, names->find(self, path), bytes, len, 0);
    free(bytes);
    return result == IRIS_OK ? IRIS_OK : api->fail("hose: %s does not take it", path);
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    char text[64] = "";
    unsigned left = 0;
    size_t len = 0;
    (void)b, (void)n;
    memcpy(text, m[0]->data, m[0]->len < sizeof text - 1 ? m[0]->len : sizeof text - 1);
    if (sscanf(text, "%u %zu", &left, &len) != 2 || send(self, state, left, len))
        return IRIS_FAIL;
    snprintf(text, sizeof text, "%u %zu", left - 1, len);
    if (left > 1)
        api->send(self, api->pid(self), text, strlen(text), 0);
    return 1;
}

static const iris_behaviour hose = {.size = sizeof hose,
                                    .abi = IRIS_ABI,
                                    .name = "hose",
                                    .version = "1.0.0",
                                    .handle = handle,
                                    .init = init,
                                    .fini = fini};
static const iris_behaviour *const behaviours[] = {&hose, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "hose",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
