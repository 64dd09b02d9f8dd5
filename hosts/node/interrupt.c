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

int iris__interrupt(const iris_driver *pub, uint64_t turn)
{
    struct host *h = pub->data;
    uint64_t seen = turn;
    if (!h->isolate)
        return iris__api->fail("node: this node does not let its code be terminated");
    if (!atomic_compare_exchange_strong(&h->running, &seen, BUSY))
        return IRIS_OK; /* it is over */
    v8.terminate(h->isolate);
    atomic_store(&h->running, DONE);
    return IRIS_OK;
}

void iris__turn_begins(struct host *h)
{
    atomic_store_explicit(&h->running, iris__api->turn(h->executor), memory_order_release);
}

int iris__turn_ends(struct host *h)
{
    uint64_t seen = atomic_load_explicit(&h->running, memory_order_relaxed);
    if (__builtin_expect(seen < DONE && atomic_compare_exchange_strong(&h->running, &seen, 0), 1))
        return 0;
    while (atomic_load(&h->running) != DONE)
        sched_yield();
    atomic_store(&h->running, 0);
    v8.cancel(h->isolate);
    return 1;
}
