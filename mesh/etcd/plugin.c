#include "etcd.h"

#include <string.h>

static int plugin_start(iris_actor *self, const char *config, void *arg, void **host)
{
    (void)self, (void)config, (void)arg;
    *host = NULL; /* each mesh that wants one starts its own: offers() */
    return IRIS_OK;
}

static int plugin_load(void *host, const iris_source *source, iris_version **out)
{
    (void)host, (void)source, (void)out;
    return IRIS_FAIL;
}

static const void *offers(void *host, const char *id)
{
    (void)host;
    return strcmp(id, MESH_PROVIDER) == 0 ? &etcd_calls : NULL;
}

static const iris_host host = {.size = sizeof host,
                               .abi = IRIS_ABI,
                               .runtime = "etcd 1",
                               .suffixes = "",
                               .start = plugin_start,
                               .load = plugin_load,
                               .offers = offers};

static const iris_plugin plugin = {
    .size = sizeof plugin, .abi = IRIS_ABI, .name = "etcd", .version = "0.1.0", .host = &host};

const iris_plugin *iris_plugin_entry(const iris_api *api)
{
    (void)api;
    return &plugin;
}
