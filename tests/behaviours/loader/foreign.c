/* Its note speaks of another ABI, and says so before its constructor could run. */
#include <iris/plugin.h>
#undef IRIS_ABI
#define IRIS_ABI 99

#include <stdlib.h>

IRIS_NOTE("foreign", "9.0.0");

__attribute__((constructor)) static void run(void)
{
    abort();
}

const iris_plugin *iris_plugin_entry(const iris_api *api)
{
    (void)api;
    return NULL;
}
