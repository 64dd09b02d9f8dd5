/* A plugin that is wrong in the way that $IRIS_TEST_SHAPE names. It tells when its code is run. */
#include <iris/plugin.h>

#include <stdlib.h>
#include <string.h>

static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    (void)self, (void)actor, (void)state, (void)messages, (void)n;
    return 0;
}

static int start(iris_actor *self, const char *config, void *arg, void **host)
{
    (void)self, (void)config, (void)arg, (void)host;
    return IRIS_OK;
}

static int load(void *host, const iris_source *source, iris_version **out)
{
    (void)host, (void)source, (void)out;
    return IRIS_FAIL;
}

static iris_behaviour first, second;
static iris_host host;
static iris_plugin plugin;
static const iris_behaviour *both[] = {&first, &second, NULL};
static const iris_behaviour *none[] = {NULL};
static const iris_behaviour *endless[5000];
static const char *const needs[] = {"iris.known/1", "iris.unheard/7", NULL};

static void good(void)
{
    first =
        (iris_behaviour){.size = sizeof first, .abi = IRIS_ABI, .name = "first", .handle = handle};
    second = first;
    second.name = "second";
    host = (iris_host){.size = sizeof host, .abi = IRIS_ABI, .start = start, .load = load};
    plugin = (iris_plugin){.size = sizeof plugin,
                           .abi = IRIS_ABI,
                           .name = "shapes",
                           .behaviours = both,
                           .host = &host};
    for (int i = 0; i < 5000; i++)
        endless[i] = &first;
}

static int is(const char *shape)
{
    const char *wanted = getenv("IRIS_TEST_SHAPE");
    return wanted && !strcmp(wanted, shape);
}

static void spoil(void)
{
    if (is("plugin abi"))
        plugin.abi = 99;
    if (is("plugin size"))
        plugin.size = 4;
    if (is("plugin name"))
        plugin.name = NULL;
    if (is("plugin needs"))
        plugin.needs = needs;
    if (is("plugin empty"))
        plugin.behaviours = none, plugin.host = NULL;
    if (is("behaviour abi"))
        second.abi = 2;
    if (is("behaviour name"))
        second.name = "";
    if (is("behaviour handle"))
        second.handle = NULL;
    if (is("behaviour twice"))
        second.name = "first";
    if (is("behaviours endless"))
        plugin.behaviours = endless;
    if (is("host abi"))
        host.abi = 0;
    if (is("host start"))
        host.start = NULL;
    if (is("host load"))
        host.size = offsetof(iris_host, load);
    if (is("no host"))
        plugin.host = NULL;
}

__attribute__((constructor)) static void construct(void)
{
    setenv("IRIS_TEST_CONSTRUCTED", "1", 1);
}

const iris_plugin *iris_plugin_entry(const iris_api *api)
{
    good();
    spoil();
    if (is("entry"))
        return api->fail("libnothing 3 is not installed; apt install it"), NULL;
    return is("entry silent") ? NULL : &plugin;
}
