#include "python.h"

#include <pthread.h>
#include <time.h>

/* ---- the GIL ---- */

/* Who waits for the GIL looks at it again each switch interval. There may be thousands of actors with threads
 * of their own: one of them does that, and the others sleep until it has had it. */
static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER;

PyGILState_STATE iris__gil_ensure(void)
{
    if (PyGILState_Check()) /* to queue with it in hand would be to wait for oneself */
        return PyGILState_Ensure();
    pthread_mutex_lock(&queue);
    PyGILState_STATE gil = PyGILState_Ensure();
    pthread_mutex_unlock(&queue);
    return gil;
}

void iris__gil_restore(PyThreadState *state)
{
    pthread_mutex_lock(&queue);
    PyEval_RestoreThread(state);
    pthread_mutex_unlock(&queue);
}

void iris__gil_forked(void)
{
    pthread_mutex_init(&queue, NULL);
}

/* ---- drains ---- */

/* A core thread drains our executor between enter and leave: the GIL is taken once per drain. */

_Thread_local struct driver *iris__driver;

static void enter(const iris_driver *pub)
{
    struct driver *d = pub->data;
    if (d->state) {
        PyEval_RestoreThread(d->state);
        return;
    }
    iris__driver = d;
    PyGILState_Ensure(); /* never released: the state is this thread's to the end */
    d->state = PyThreadState_Get();
    d->thread = PyThread_get_thread_ident();
}

/* A thread's state can only be ended by itself: the last drain does. */
static void leave(const iris_driver *pub)
{
    struct driver *d = pub->data;
    if (!atomic_load(&d->leaves)) {
        PyEval_SaveThread();
        return;
    }
    d->state = NULL;
    PyGILState_Release(PyGILState_UNLOCKED);
}

static void do_nothing(iris_job *job)
{
    (void)job;
}

/* ---- handlers that do not return ---- */

struct guard {             /* of the one thread that runs files: the loader */
    const struct host *of; /* NULL: none runs */
    int64_t at;            /* ns; 0: it may take as long as it likes */
    unsigned long thread;  /* Python's name of it */
    int raised;
};

/* Raising wants the GIL, and the core's ticker must not wait for that: the warden does. It is started
 * by the first handler that needs it. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct driver *first; /* whose turns are to be interrupted */
    struct driver *busy;  /* with this one it is busy now */
    int is_there;
    struct guard guard;
} warden = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Holding the GIL: the turn cannot end meanwhile. */
static void interrupt_now(struct driver *d)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    uint64_t turn = atomic_exchange(&d->turn, 0);
    if (iris__api->turn(d->executor) == turn) {
        d->raised = 1;
        PyThreadState_SetAsyncExc(d->thread, iris__interrupted);
    }
    PyGILState_Release(gil);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* [no gil] Under the warden's lock, which it leaves for the GIL: whoever has both takes the GIL first. */
static void look_at_guard(void)
{
    int64_t at = warden.guard.at;
    pthread_mutex_unlock(&warden.lock);
    PyGILState_STATE gil = PyGILState_Ensure();
    pthread_mutex_lock(&warden.lock);
    if (at && warden.guard.at == at) {
        warden.guard.at = 0;
        warden.guard.raised = 1;
        PyThreadState_SetAsyncExc(warden.guard.thread, iris__interrupted);
    }
    pthread_mutex_unlock(&warden.lock);
    PyGILState_Release(gil);
    pthread_mutex_lock(&warden.lock);
}

static void wait_for_work(void)
{
    int64_t at = warden.guard.at;
    struct timespec until = {at / 1000000000, at % 1000000000};
    if (!at)
        pthread_cond_wait(&warden.changed, &warden.lock);
    else if (now_ns() < at)
        pthread_cond_timedwait(&warden.changed, &warden.lock, &until);
    else
        look_at_guard();
}

static void *watch(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&warden.lock);
    for (;;) {
        struct driver *d = warden.first;
        if (!d) {
            wait_for_work();
            continue;
        }
        warden.first = d->next;
        warden.busy = d;
        pthread_mutex_unlock(&warden.lock);
        interrupt_now(d);
        pthread_mutex_lock(&warden.lock);
        warden.busy = NULL;
        pthread_cond_broadcast(&warden.changed);
    }
    return NULL;
}

static void init_changed(void)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&warden.changed, &attr);
    pthread_condattr_destroy(&attr);
}

/* Nobody waits before there is one. */
static int start_warden(void)
{
    pthread_t thread;
    if (!warden.is_there)
        init_changed();
    if (!warden.is_there && pthread_create(&thread, NULL, watch, NULL) == 0) {
        pthread_detach(thread);
        warden.is_there = 1;
    }
    return warden.is_there ? IRIS_OK : iris__api->fail("python: no thread to interrupt from");
}

/* [no gil] */
static int interrupt(const iris_driver *pub, uint64_t turn)
{
    struct driver *d = pub->data;
    pthread_mutex_lock(&warden.lock);
    int result = d->closing ? IRIS_DEAD : start_warden();
    if (result == IRIS_OK && !atomic_exchange(&d->turn, turn)) {
        d->next = warden.first;
        warden.first = d;
        pthread_cond_broadcast(&warden.changed);
    }
    pthread_mutex_unlock(&warden.lock);
    return result;
}

void iris__guard_begin(const struct host *h, int64_t limit)
{
    int64_t now = now_ns();
    pthread_mutex_lock(&warden.lock);
    warden.guard = (struct guard){.of = h, .thread = PyThread_get_thread_ident()};
    if (limit && limit < INT64_MAX - now && start_warden() == IRIS_OK)
        warden.guard.at = now + limit;
    pthread_cond_broadcast(&warden.changed);
    pthread_mutex_unlock(&warden.lock);
}

void iris__guard_hurry(const struct host *h)
{
    pthread_mutex_lock(&warden.lock);
    if (warden.guard.of == h && start_warden() == IRIS_OK)
        warden.guard.at = 1; /* long ago */
    pthread_cond_broadcast(&warden.changed);
    pthread_mutex_unlock(&warden.lock);
}

int iris__guard_end(void)
{
    pthread_mutex_lock(&warden.lock);
    int raised = warden.guard.raised;
    warden.guard = (struct guard){0};
    pthread_mutex_unlock(&warden.lock);
    if (raised) /* where it was about to come anyhow */
        PyThreadState_SetAsyncExc(PyThread_get_thread_ident(), NULL);
    return raised;
}

/* [no gil] From here on nobody interrupts it. */
static void retire(struct driver *d)
{
    pthread_mutex_lock(&warden.lock);
    d->closing = 1;
    struct driver **at = &warden.first;
    while (*at && *at != d)
        at = &(*at)->next;
    if (*at)
        *at = d->next;
    while (warden.busy == d)
        pthread_cond_wait(&warden.changed, &warden.lock);
    pthread_mutex_unlock(&warden.lock);
}

/* The child of a fork has no warden. */
void iris__driver_forked(void)
{
    pthread_mutex_init(&warden.lock, NULL);
    pthread_cond_init(&warden.changed, NULL);
    warden.first = warden.busy = NULL;
    warden.is_there = 0;
    warden.guard = (struct guard){0};
}

void iris__driver_calm(void)
{
    struct driver *d = iris__driver;
    if (!d || !d->raised)
        return;
    d->raised = 0;
    PyThreadState_SetAsyncExc(d->thread, NULL);
}

/* ---- */

int iris__driver_open(struct host *h, struct driver *d, const char *name,
                      void (*wake)(const iris_driver *))
{
    iris_driver pub = {.size = sizeof pub,
                       .abi = IRIS_ABI,
                       .name = name,
                       .data = d,
                       .wake = wake,
                       .enter = wake ? NULL : enter,
                       .leave = wake ? NULL : leave,
                       .interrupt = interrupt};
    d->host = h;
    d->is_woken = wake != NULL;
    return iris__api->open(h->self, &pub, &d->executor);
}

void iris__driver_close(struct driver *d)
{
    if (!d->executor)
        return;
    retire(d);
    atomic_store(&d->leaves, 1);
    d->job.run = do_nothing; /* that there be a last drain */
    if (!d->is_woken)
        iris__api->post(d->executor, &d->job);
    iris__api->close(d->executor);
    *d = (struct driver){0};
}
