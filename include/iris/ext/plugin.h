/* "iris.plugin/1": what one plugin offers to others, and to the program: an area of calls of its own, such as
 * "iris.mesh/1" of the plugin "mesh". The core knows neither; it starts the plugin and hands its table on. */
#ifndef IRIS_EXT_PLUGIN_H
#define IRIS_EXT_PLUGIN_H

#include <iris/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IRIS_PLUGIN "iris.plugin/1"

typedef struct iris_plugins {
    uint32_t size, abi;
    /* The area `id` of the plugin (the file PLUGIN.so among the hosts): *table, and *host, which is the first
     * argument of its calls. Both are valid until the runtime is closed.
     *
     * A plugin that does not run yet is started: the call waits for the loader thread, which may be loading
     * something. So the first one is not for a handler on the pool, and the caller holds no lock that a host's
     * start() or load() takes (such as a language's own). Later calls do not wait. Where the plugin is
     * started by the manifest, its settings come from there; else it has none.
     *
     * IRIS_FAIL with a reason: there is no such plugin, it does not start, or it offers no such area. [any] */
    int (*use)(iris_actor *self, const char *plugin, const char *id, const void **table,
               void **host);
} iris_plugins;

#ifdef __cplusplus
}
#endif
#endif
