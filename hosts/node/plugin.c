#include "host.h"

#include <stdlib.h>

const iris_api *iris__api;
struct extensions iris__ext;

struct group { /* the environments of one runtime */
    unsigned n;
    struct host *hosts[];
};

static void stop(void *host)
{
    struct group *g = host;
    for (unsigned i = g->n; i-- > 0;) {
        iris__driver_close(g->hosts[i]);
        iris__door_stop(g->hosts[i]);
    }
    free(g);
}

static int add(struct group **g, iris_actor *self, const char *config, void *arg, unsigned *all)
{
    struct host *h;
    if (iris__door_start(&h, self, config, arg, (*g)->n, all))
        return IRIS_FAIL;
    struct group *more = realloc(*g, sizeof *more + *all * sizeof *more->hosts);
    if (!more) {
        iris__driver_close(h);
        iris__door_stop(h);
        return iris__api->fail("node: no memory");
    }
    *g = more;
    more->hosts[more->n++] = h;
    return IRIS_OK;
}

static int start(iris_actor *self, const char *config, void *arg, void **out)
{
    struct group *g = calloc(1, sizeof *g);
    unsigned all = 1;
    while (g && g->n < all)
        if (add(&g, self, config, arg, &all)) {
            stop(g);
            return IRIS_FAIL;
        }
    *out = g;
    return g ? IRIS_OK : iris__api->fail("node: no memory");
}

/* An actor stays in its environment whatever it is swapped to. */
static int load(void *host, const iris_source *source, iris_version **out)
{
    const struct group *g = host;
    unsigned place = IRIS_HAS(source, place) ? source->place : 0;
    return iris__load(g->hosts[place % g->n], source, out);
}

static void end_loads(void *host)
{
    const struct group *g = host;
    for (unsigned i = 0; i < g->n; i++)
        iris__end_loads(g->hosts[i]);
}

static int usage(void *host, iris_usage *out)
{
    const struct group *g = host;
    out->instances = g->n;
    for (unsigned i = 0; i < g->n; i++) {
        out->versions += atomic_load(&g->hosts[i]->versions);
        out->heap += iris__heap(g->hosts[i]);
    }
    return IRIS_OK;
}

static const iris_host host = {.size = sizeof host,
                               .abi = IRIS_ABI,
                               .runtime = "Node.js",
                               .suffixes = ".mjs .cjs .js",
                               .start = start,
                               .load = load,
                               .stop = stop,
                               .imports = "mjs cjs js json ",
                               .usage = usage,
                               .end_loads = end_loads};

static const char *const needs[] = {IRIS_ASK,       IRIS_CONTROL, IRIS_MAILBOX, IRIS_NAME,
                                    IRIS_OBSERVE,   IRIS_PAYLOAD, IRIS_READER,  IRIS_SUPERVISE,
                                    IRIS_TIMER_EXT, IRIS_WATCH,   NULL};

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
                                        .env = given->extension(IRIS_ENV),
                                        .library = given->extension(IRIS_LIBRARY),
                                        .mailbox = given->extension(IRIS_MAILBOX),
                                        .name = given->extension(IRIS_NAME),
                                        .observe = given->extension(IRIS_OBSERVE),
                                        .payload = given->extension(IRIS_PAYLOAD),
                                        .plugins = given->extension(IRIS_PLUGIN),
                                        .reader = given->extension(IRIS_READER),
                                        .ready = given->extension(IRIS_READY),
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
