/* Its save() does what it was sent last: "refuse", "kill" (the process), "large". It takes no state over. */
#include <iris/plugin.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const iris_api *api;

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, 64);
    return *state ? IRIS_OK : api->fail("no memory");
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)self;
    const iris_message *last = messages[n - 1];
    memset(state, 0, 64);
    memcpy(state, last->data, last->len < 63 ? last->len : 63);
    return n;
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    (void)b, (void)self;
    static const char block[4096];
    if (!strcmp(state, "refuse"))
        return api->fail("not this time");
    if (!strcmp(state, "kill"))
        raise(SIGKILL);
    for (int i = 0; i < 4096 && !strcmp(state, "large"); i++)
        if (sink->write(sink, block, sizeof block))
            return IRIS_FAIL;
    return IRIS_OK;
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    (void)b, (void)self, (void)from, (void)saved, (void)state;
    return api->fail("not mine");
}

static const iris_behaviour deadly = {
    .size = sizeof deadly,
    .abi = IRIS_ABI,
    .name = "deadly",
    .version = "1.0.0",
    .handle = handle,
    .init = init,
    .fini = fini,
    .save = save,
    .upgrade = upgrade,
};
static const iris_behaviour *const behaviours[] = {&deadly, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "deadly",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
