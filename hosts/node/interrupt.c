/* A handler that does not return is terminated from another thread, and its environment goes on. Node-API
 * has no call for that; V8 has, and every node exports it. Where it is missing nobody is interrupted. */
#include "host.h"

#include <dlfcn.h>
#include <sched.h>

/* The turn that is in JavaScript: 0: none; else its number, or one of these. */
#define BUSY UINT64_MAX       /* somebody terminates it now */
#define DONE (UINT64_MAX - 1) /* and has */

static struct {
    void *(*current)(void);
    void (*terminate)(void *);
    void (*cancel)(void *);
} v8;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *find(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

static void find_all(void)
{
    *(void **)&v8.current = find("_ZN2v87Isolate10GetCurrentEv");
    *(void **)&v8.terminate = find("_ZN2v87Isolate18TerminateExecutionEv");
    *(void **)&v8.cancel = find("_ZN2v87Isolate24CancelTerminateExecutionEv");
}

void iris__interrupt_ready(struct host *h)
{
    pthread_once(&once, find_all);
    h->isolate = v8.current && v8.terminate && v8.cancel ? v8.current() : NULL;
}

/* What runs under this number is terminated. */
static void terminate(struct host *h, atomic_uint_fast64_t *running, uint64_t number)
{
    if (!atomic_compare_exchange_strong(running, &number, BUSY))
        return; /* it is over */
    v8.terminate(h->isolate);
    atomic_store(running, DONE);
}

int iris__interrupt(const iris_driver *pub, uint64_t turn)
{
    struct host *h = pub->data;
    if (!h->isolate)
        return iris__api->fail("node: this node does not let its code be terminated");
    terminate(h, &h->running, turn);
    return IRIS_OK;
}

void iris__turn_begins(struct host *h)
{
    atomic_store_explicit(&h->running, iris__api->turn(h->executor), memory_order_release);
}

/* 1: it was terminated. */
static inline int is_over(struct host *h, atomic_uint_fast64_t *running)
{
    uint64_t seen = atomic_load_explicit(running, memory_order_relaxed);
    if (__builtin_expect(seen < DONE && atomic_compare_exchange_strong(running, &seen, 0), 1))
        return 0;
    while (atomic_load(running) != DONE)
        sched_yield();
    atomic_store(running, 0);
    v8.cancel(h->isolate);
    return 1;
}

int iris__turn_ends(struct host *h)
{
    return is_over(h, &h->running);
}

/* ---- code that is loaded ---- */

enum { LOADS = 1 };

void iris__interrupt_load(struct host *h)
{
    if (h->isolate)
        terminate(h, &h->guarded, LOADS);
}

/* guard(work): work(), which iris__end_loads() ends: then it throws IRIS_ENDED. */
static napi_value guard_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1], result = NULL, error;
    struct host *h = iris__begin_closed(env, info, 1, argv);
    int is_outer = !atomic_load(&h->guarded);
    if (is_outer)
        atomic_store(&h->guarded, LOADS);
    if (!atomic_load(&h->ends_loads))
        napi_call_function(env, iris__undefined(env), argv[0], 0, NULL, &result);
    int was_ended = is_outer && is_over(h, &h->guarded);
    if (was_ended)
        napi_get_and_clear_last_exception(env, &error);
    else if (result || !atomic_load(&h->ends_loads))
        return result;
    bool is_thrown = false;
    napi_is_exception_pending(env, &is_thrown);
    if (!is_thrown)
        napi_throw_error(env, "IRIS_ENDED", "the app is stopping");
    return NULL;
}

const struct call iris__load_calls[] = {{"guard", guard_call}, {NULL, NULL}};
