/* The door of require('iris'): libiris comes along, and this host is attached to each runtime. */
#include "host.h"

#include <iris/iris.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

struct door {
    iris_runtime *runtime;
    struct host *host;
    pthread_t closer;
    int64_t timeout;
    int begun;          /* its end */
    atomic_int is_over; /* what has not come back may still use the door if left is not 0 */
    int left;
    struct errand over; /* tells of the end */
    double token;
};

/* ---- events: from any thread ---- */

struct told {
    struct errand errand;
    uint32_t kind, level;
    uint64_t pid;
    char *path, *text;
};

static void tell(struct host *h, struct errand *e)
{
    struct told *t = (struct told *)e;
    if (h->may_run) {
        napi_value argv[] = {iris__number(h->env, t->kind), iris__number(h->env, t->level),
                             iris__number(h->env, (double)t->pid),
                             iris__string(h->env, t->path, strlen(t->path)),
                             iris__string(h->env, t->text, strlen(t->text))};
        iris__hook(h, HOOK_EVENT, 5, argv);
    }
    free(t->path);
    free(t->text);
    free(t);
}

static void on_event(void *ctx, const iris_event *e)
{
    struct door *d = ctx;
    if (e->level < IRIS_WARN && e->kind != IRIS_EVENT_LOG)
        return;
    struct told *t = calloc(1, sizeof *t);
    if (!t)
        return;
    *t = (struct told){.errand.run = tell,
                       .kind = e->kind,
                       .level = e->level,
                       .pid = e->pid,
                       .path = strdup(e->path ? e->path : ""),
                       .text = strdup(e->text ? e->text : "")};
    if (t->path && t->text)
        iris__post(d->host, &t->errand);
}

/* ---- opening ---- */

int iris__door_start(struct host **out, iris_actor *self, const char *config, void *arg,
                     unsigned number, unsigned *instances)
{
    struct host *h = arg;
    (void)config, (void)number;
    *instances = 1;
    h->self = self;
    *out = h;
    return iris__driver_open(h);
}

void iris__door_stop(struct host *h)
{
    (void)h;
}

uint64_t iris__door_heap(void)
{
    return 0; /* the program asks process.memoryUsage() */
}

int iris__door_is_idle(struct host *h)
{
    struct door *d = h->door;
    return iris_is_idle(d->runtime);
}

const char *iris__door_reason(void)
{
    return iris_reason();
}

static int is_over(void *ctx)
{
    struct door *d = ctx;
    return atomic_load(&d->is_over);
}

static void *close_runtime(void *arg)
{
    struct door *d = arg;
    struct host *h = d->host;
    if (h->may_run) /* what was sent is handled */
        iris_drain(d->runtime, d->timeout / 4 * 3);
    d->left = iris_close(d->runtime, h->may_run ? d->timeout / 4 : d->timeout);
    malloc_trim(0); /* what large messages took in many pieces goes back to the system */
    atomic_store(&d->is_over, 1);
    iris__post(h, &d->over);
    return NULL;
}

static void on_exit_of_env(void *arg);

/* On the environment's thread, once the runtime has gone. */
static void depart(struct host *h)
{
    struct door *d = h->door;
    h->depart = NULL;
    napi_remove_env_cleanup_hook(h->env, on_exit_of_env, h);
    pthread_join(d->closer, NULL);
    int left = d->left;
    if (!left)
        iris__forget_watches(h);
    iris__host_leave(h);
    if (!left)
        free(d);
}

static void end_over(struct host *h, struct errand *e)
{
    struct door *d = (struct door *)((char *)e - offsetof(struct door, over));
    if (!h->may_run) /* who waits in on_exit_of_env() does the rest */
        return;
    napi_value argv[] = {iris__number(h->env, d->token), iris__number(h->env, d->left)};
    iris__hook(h, HOOK_SETTLE, 2, argv);
    iris__keep_alive(h, 0);
    h->depart = depart;
}

static int begin_end(struct door *d, int64_t timeout)
{
    if (d->begun)
        return 0;
    d->begun = 1;
    d->timeout = timeout;
    d->over.run = end_over;
    d->host->is_closing = 1;
    return pthread_create(&d->closer, NULL, close_runtime, d);
}

/* The environment ends, or is told not to wait: no JavaScript runs any more. */
static void end_now(struct host *h, int64_t timeout)
{
    struct door *d = h->door;
    h->may_run = 0;
    if (begin_end(d, timeout))
        return;
    iris__wait_loop(h, is_over, d);
    depart(h);
}

static void on_exit_of_env(void *arg)
{
    end_now(arg, INT64_C(2000000000));
}

/* close(token, ms): settle(token, how many threads stay behind). */
static napi_value close_call(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    struct host *h = iris__begin_closed(env, info, 2, argv);
    struct door *d = h->door;
    int64_t ns;
    if (h->is_closing || iris__milliseconds(env, argv[1], &ns))
        return NULL;
    napi_get_value_double(env, argv[0], &d->token);
    if (begin_end(d, ns < 0 ? INT64_MAX / 4 : ns)) {
        napi_throw_error(env, NULL, "no thread to close the runtime from");
        return NULL;
    }
    iris__keep_alive(h, 1);
    return NULL;
}

static int attach(struct door *d, struct host *h, iris_options *o)
{
    d->host = h;
    h->door = d;
    return iris_open(o, &d->runtime) || iris_attach(d->runtime, iris_plugin_entry, NULL, h);
}

static int options_of(napi_env env, napi_value given, iris_options *o)
{
    int64_t workers, limit, wait;
    napi_value value[3];
    if (napi_get_named_property(env, given, "workers", &value[0]) != napi_ok ||
        napi_get_named_property(env, given, "turnLimit", &value[1]) != napi_ok ||
        napi_get_named_property(env, given, "swapWait", &value[2]) != napi_ok ||
        iris__int(env, value[0], "workers", 0, 256, &workers) ||
        iris__milliseconds(env, value[1], &limit) || iris__milliseconds(env, value[2], &wait))
        return -1;
    o->workers = (uint32_t)workers;
    o->turn_limit = limit < 0 ? 0 : limit;
    o->swap_wait = wait < 0 ? 0 : wait ? wait : 1;
    return 0;
}

/* open(options, hooks): the calls of a new runtime. */
static napi_value open_runtime(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    size_t argc = 2;
    iris_options o = {
        .size = sizeof o, .abi = IRIS_ABI, .event = on_event, .event_level = IRIS_WARN};
    struct door *d = NULL;
    if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok ||
        options_of(env, argv[0], &o) || !(d = calloc(1, sizeof *d)))
        return NULL;
    struct host *h = iris__host_create(env, argv[1]);
    o.ctx = d;
    if (!h || attach(d, h, &o)) {
        if (h)
            iris__throw(env, "IRIS_ERROR", iris_reason());
        iris_close(d->runtime, 0);
        if (h)
            iris__host_leave(h);
        free(d);
        return NULL;
    }
    napi_add_env_cleanup_hook(env, on_exit_of_env, h);
    napi_value calls = iris__calls_of(h);
    if (calls)
        iris__add_call(h, calls, "close", close_call);
    return calls;
}

napi_value iris__module_init(napi_env env, napi_value exports)
{
    napi_value open;
    iris__use_api(iris_calls());
    if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, open_runtime, NULL, &open) == napi_ok)
        iris__set(env, exports, "open", open);
    iris__add_throws(env, exports);
    iris__set(env, exports, "version", iris__string(env, IRIS_VERSION, strlen(IRIS_VERSION)));
    return exports;
}

NAPI_MODULE_INIT()
{
    return iris__module_init(env, exports);
}
