#include "cluster.h"

#include <stdatomic.h>
#include <string.h>

/* The plugin "mesh". It loads no handlers: it offers "iris.mesh/1". */

static const iris_api *_Atomic api; /* runtimes of one process share this plugin */

static int read_settings(struct hub *h, const char *config)
{
    char why[400];
    return config && options_read(&h->options, config, why, sizeof why) ? h->api->fail("%s", why)
                                                                        : IRIS_OK;
}

static int start(iris_actor *self, const char *config, void *arg, void **host)
{
    struct hub *h = hub_create(atomic_load(&api), self);
    (void)arg;
    if (!h)
        return IRIS_FAIL;
    *host = h;
    if (read_settings(h, config) == IRIS_OK && cluster_load(h) == IRIS_OK &&
        calls_open(h) == IRIS_OK)
        return IRIS_OK;
    hub_destroy(h);
    return IRIS_FAIL;
}

static int load(void *host, const iris_source *source, iris_version **out)
{
    struct hub *h = host;
    (void)out;
    return h->api->fail("%s: the mesh loads no handlers; leave \"host\" out", source->file);
}

static void stop(void *host)
{
    hub_destroy(host);
}

static const void *offers(void *host, const char *id)
{
    (void)host;
    return strcmp(id, IRIS_MESH) == 0 ? &mesh_calls : NULL;
}

static const char *const needs[] = {IRIS_ROUTE, IRIS_POLL, IRIS_WATCH, NULL};
static const iris_host host = {.size = sizeof host,
                               .abi = IRIS_ABI,
                               .runtime = "mesh 1",
                               .suffixes = "",
                               .start = start,
                               .load = load,
                               .stop = stop,
                               .offers = offers};

static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "mesh",
                                   .version = "0.1.0",
                                   .needs = needs,
                                   .host = &host};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    atomic_store(&api, given);
    return &plugin;
}
