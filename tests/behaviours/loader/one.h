/* The rest of a plugin with one behaviour, whose handle() stands before this. */
#include <iris/plugin.h>

static const iris_behaviour one = {
    .size = sizeof one, .abi = IRIS_ABI, .name = "one", .handle = handle};
static const iris_behaviour *const all[] = {&one, NULL};
static const iris_plugin plugin = {
    .size = sizeof plugin, .abi = IRIS_ABI, .name = "one", .version = "1", .behaviours = all};

const iris_plugin *iris_plugin_entry(const iris_api *api)
{
    (void)api;
    return &plugin;
}
