#include "async.h"
#include "runtime.h"

#include <pthread.h>
#include <stdlib.h>

const iris_api *iris__api;
_Thread_local struct current iris__current;

static int start(iris_actor *self, const char *config, void *arg, void **out)
{
    struct host *h = calloc(1, sizeof *h);
    if (!h)
        return iris__api->fail("python: no memory");
    h->self = self;
    if (iris__door_start(h, config, arg) || iris__driver_open(h, &h->main, "python", NULL)) {
        free(h);
        return IRIS_FAIL;
    }
    *out = h;
    return IRIS_OK;
}

static int load(void *host, const iris_source *source, iris_version **out)
{
    return iris__load(host, source, out);
}

/* No actor of this host is left. The interpreter stays: it cannot be left and entered again. */
static void stop(void *host)
{
    struct host *h = host;
    iris__door_leave(h);
    for (int i = 0; i < h->npool; i++)
        iris__driver_close(&h->pool[i]);
    iris__loop_close(h);
    iris__driver_close(&h->teller);
    iris__driver_close(&h->maker);
    iris__driver_close(&h->main);
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_CLEAR(h->special);
    PyGILState_Release(gil);
    iris__door_stop(h);
    if (!h->views)
        free(h);
}

static void end_loads(void *host)
{
    struct host *h = host;
    atomic_store(&h->ends_loads, 1);
    iris__guard_hurry(h);
}

static int usage(void *host, iris_usage *out)
{
    out->instances = 1;
    out->versions = atomic_load(&((struct host *)host)->versions);
    return IRIS_OK;
}

static const iris_host host = {.size = sizeof host,
                               .abi = IRIS_ABI,
                               .runtime = "CPython " PY_VERSION,
                               .suffixes = ".py",
                               .start = start,
                               .load = load,
                               .stop = stop,
                               .imports = "py ",
                               .usage = usage,
                               .end_loads = end_loads};

static const char *const needs[] = {IRIS_ASK,       IRIS_CONTROL, IRIS_MAILBOX,
                                    IRIS_NAME,      IRIS_OBSERVE, IRIS_READER,
                                    IRIS_TIMER_EXT, IRIS_WATCH,   NULL};

IRIS_NOTE("python", IRIS_VERSION);

static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "python",
                                   .version = IRIS_VERSION,
                                   .needs = needs,
                                   .host = &host};

/* Runtimes attach on threads of their own, while others run. */
static pthread_mutex_t beginning = PTHREAD_MUTEX_INITIALIZER;

static void use_api(const iris_api *given)
{
    iris__api = given;
    iris__ext = (struct extensions){.ask = given->extension(IRIS_ASK),
                                    .control = given->extension(IRIS_CONTROL),
                                    .env = given->extension(IRIS_ENV),
                                    .library = given->extension(IRIS_LIBRARY),
                                    .mailbox = given->extension(IRIS_MAILBOX),
                                    .name = given->extension(IRIS_NAME),
                                    .observe = given->extension(IRIS_OBSERVE),
                                    .plugins = given->extension(IRIS_PLUGIN),
                                    .reader = given->extension(IRIS_READER),
                                    .ready = given->extension(IRIS_READY),
                                    .supervise = given->extension(IRIS_SUPERVISE),
                                    .timer = given->extension(IRIS_TIMER_EXT),
                                    .watch = given->extension(IRIS_WATCH)};
}

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    pthread_mutex_lock(&beginning);
    if (!iris__ext.ask) /* the first one counts */
        use_api(given);
    pthread_mutex_unlock(&beginning);
    return &plugin;
}
