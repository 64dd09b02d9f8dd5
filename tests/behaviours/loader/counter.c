/* A plugin in several versions (-DVERSION), each of which says which one it is. Like many, it
 * exports a function that is nobody else's business. */
#include <iris/plugin.h>

__attribute__((visibility("default"), noinline)) int loader_helper(void);

int loader_helper(void)
{
    return VERSION;
}

static int (*volatile helper)(void) = loader_helper; /* as the linker resolves it */
static const char cold[64][4096] = {{VERSION}};      /* pages that nobody has read yet */
static int calls;

/* n is misused to say what is wanted: 0 the version, 1 to read all pages, 2 to count the calls. */
static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    (void)self, (void)actor, (void)state, (void)messages;
    int sum = 0;
    for (int i = 0; i < 64; i++)
        sum += n == 1 ? ((const volatile char *)cold[i])[0] : 0;
    return n == 0 ? helper() : n == 1 ? sum : ++calls;
}

static const iris_behaviour counter = {
    .size = sizeof counter, .abi = IRIS_ABI, .name = "counter", .handle = handle};
static const iris_behaviour echo = {
    .size = sizeof echo, .abi = IRIS_ABI, .name = "echo", .handle = handle};
static const iris_behaviour *const all[] = {&counter, &echo, NULL};
static const iris_plugin plugin = {
    .size = sizeof plugin, .abi = IRIS_ABI, .name = "counter", .version = "1", .behaviours = all};

const iris_plugin *iris_plugin_entry(const iris_api *api)
{
    (void)api;
    return &plugin;
}
