/* The native host: a handler is a shared object with behaviours, "./libpay.so" or "./libpay.so:name".
 * All that is delicate about such files (private copies, checks before loading, what can be unloaded)
 * is the core's loader's, which this host reaches through iris.library/1. */
#include <iris/ext/library.h>

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static const iris_api *_Atomic api; /* runtimes of one process share this host */

static int start(iris_actor *self, const char *config, void *arg, void **host)
{
    (void)arg;
    if (config && strcmp(config, "{}") != 0)
        return atomic_load(&api)->fail("it takes no settings; leave \"native\" out of \"hosts\"");
    *host = self;
    return IRIS_OK;
}

static int load(void *host, const iris_source *source, iris_version **out)
{
    const iris_library *library = atomic_load(&api)->extension(IRIS_LIBRARY);
    return library->open(host, source, out);
}

static const iris_host host = {
    .size = sizeof host,
    .abi = IRIS_ABI,
    .runtime = "the machine's own code",
    .suffixes = ".so",
    .start = start,
    .load = load,
};

static const char *const needs[] = {IRIS_LIBRARY, NULL};

IRIS_NOTE("native", "0.1.0");

static const iris_plugin plugin = {
    .size = sizeof plugin,
    .abi = IRIS_ABI,
    .name = "native",
    .version = "0.1.0",
    .needs = needs,
    .host = &host,
};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    atomic_store(&api, given);
    return &plugin;
}
