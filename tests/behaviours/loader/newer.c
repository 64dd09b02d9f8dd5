/* Built with a newer header: each struct has members that this core has never heard of. */
#include <iris/plugin.h>

typedef struct {
    iris_behaviour known;
    void (*more)(void);
    uint64_t much_more[40];
} newer_behaviour;

typedef struct {
    iris_plugin known;
    uint64_t more[40];
} newer_plugin;

static int init(const iris_behaviour *self, iris_actor *actor, iris_bytes args, void **state)
{
    (void)self, (void)actor, (void)args;
    *state = NULL;
    return IRIS_OK;
}

/* Asks, as it should, whether the core knows a member before it uses it. */
static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    (void)actor, (void)state, (void)messages, (void)n;
    int knows_more = self->size >= offsetof(newer_behaviour, more) + sizeof(void *);
    return IRIS_HAS(self, init) && !knows_more ? 22 : -1;
}

static const newer_behaviour newer = {.known = {.size = sizeof newer,
                                                .abi = IRIS_ABI,
                                                .name = "newer",
                                                .handle = handle,
                                                .init = init},
                                      .much_more = {[39] = 1}};
static const iris_behaviour *const all[] = {&newer.known, NULL};
static const newer_plugin plugin = {
    .known = {.size = sizeof plugin, .abi = IRIS_ABI, .name = "newer", .behaviours = all},
    .more = {[39] = 1}};

const iris_plugin *iris_plugin_entry(const iris_api *api)
{
    (void)api;
    return &plugin.known;
}
