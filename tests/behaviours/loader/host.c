/* A language host that knows no language. */
#include <iris/plugin.h>

static int start(iris_actor *self, const char *config, void *arg, void **host)
{
    (void)self, (void)config, (void)arg;
    *host = NULL;
    return IRIS_OK;
}

static int load(void *host, const iris_source *source, iris_version **out)
{
    (void)host, (void)source, (void)out;
    return IRIS_FAIL;
}

static void stop(void *host)
{
    (void)host;
}

static const iris_host host = {.size = sizeof host,
                               .abi = IRIS_ABI,
                               .runtime = "Nothing 1.0",
                               .suffixes = ".nil",
                               .start = start,
                               .load = load,
                               .stop = stop};
static const iris_plugin plugin = {
    .size = sizeof plugin, .abi = IRIS_ABI, .name = "nothing", .host = &host};

const iris_plugin *iris_plugin_entry(const iris_api *api)
{
    (void)api;
    return &plugin;
}
