#include "host.h"

const iris_api *iris__api;
struct extensions iris__ext;

static int start(iris_actor *self, const char *config, void *arg, void **out)
{
    struct host *h;
    if (iris__door_start(&h, self, config, arg))
        return IRIS_FAIL;
    *out = h;
    return IRIS_OK;
}

static int load(void *host, const iris_source *source, iris_version **out)
{
    return iris__load(host, source, out);
}

static void stop(void *host)
{
    iris__driver_close(host);
    iris__door_stop(host);
}

static const iris_host host = {.size = sizeof host,
                               .abi = IRIS_ABI,
                               .runtime = "Node.js",
                               .suffixes = ".mjs .cjs .js",
                               .start = start,
                               .load = load,
                               .stop = stop,
                               .imports = "mjs cjs js json "};

static const char *const needs[] = {IRIS_ASK,     IRIS_CONTROL, IRIS_MAILBOX,   IRIS_NAME,
                                    IRIS_OBSERVE, IRIS_PAYLOAD, IRIS_SUPERVISE, IRIS_TIMER_EXT,
                                    IRIS_WATCH,   NULL};

IRIS_NOTE("node", IRIS_VERSION);

static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "node",
                                   .version = IRIS_VERSION,
                                   .needs = needs,
                                   .host = &host};

/* Environments begin on threads of their own, and each comes here. */
static pthread_mutex_t beginning = PTHREAD_MUTEX_INITIALIZER;

void iris__use_api(const iris_api *given)
{
    pthread_mutex_lock(&beginning);
    if (!iris__api) {
        iris__ext = (struct extensions){.ask = given->extension(IRIS_ASK),
                                        .control = given->extension(IRIS_CONTROL),
                                        .library = given->extension(IRIS_LIBRARY),
                                        .mailbox = given->extension(IRIS_MAILBOX),
                                        .name = given->extension(IRIS_NAME),
                                        .observe = given->extension(IRIS_OBSERVE),
                                        .payload = given->extension(IRIS_PAYLOAD),
                                        .supervise = given->extension(IRIS_SUPERVISE),
                                        .timer = given->extension(IRIS_TIMER_EXT),
                                        .watch = given->extension(IRIS_WATCH)};
        iris__api = given;
    }
    pthread_mutex_unlock(&beginning);
}

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    iris__use_api(given);
    return &plugin;
}
