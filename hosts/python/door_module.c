/* The door of `import iris`: libiris comes along, and this host is attached to each runtime. */
#include "runtime.h"

#include "wait.h"

#include <iris/iris.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- events: from any thread, without the GIL, to Python's logging on a thread that no handler holds ----
 *
 * One for the process, from the first event on. Of a handler that does not return somebody must tell. */

struct event {
    struct event *next;
    uint32_t kind, level;
    uint64_t pid, door;
    char *path, *text;
};

struct door {
    iris_runtime *runtime;
    struct event *first, **last; /* under the teller's lock, as is: */
    struct door *next;           /* of those with news */
    int has_news;
    atomic_int hears; /* all events, not only what goes to the log */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct door *first; /* with news */
    struct door *busy;  /* with this one it is busy now */
    int is_there;
} teller = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void tell_one(struct event *e)
{
    PyObject *done =
        iris__event_handler
            ? PyObject_CallFunction(iris__event_handler, "KIIKss", (unsigned long long)e->door,
                                    e->kind, e->level, (unsigned long long)e->pid, e->path, e->text)
            : Py_NewRef(Py_None);
    if (!done)
        PyErr_WriteUnraisable(iris__event_handler);
    Py_XDECREF(done);
}

static void free_event(struct event *e)
{
    free(e->path);
    free(e->text);
    free(e);
}

static struct event *take_events(struct door *d)
{
    struct event *e = d->first;
    d->first = NULL;
    d->last = &d->first;
    return e;
}

/* With the GIL. */
static void tell(struct event *e)
{
    for (struct event *next; e; e = next) {
        next = e->next;
        tell_one(e);
        free_event(e);
    }
}

static void *tell_all(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&teller.lock);
    for (;;) {
        struct door *d = teller.first;
        if (!d) {
            pthread_cond_wait(&teller.changed, &teller.lock);
            continue;
        }
        teller.first = d->next;
        teller.busy = d;
        d->has_news = 0;
        struct event *e = take_events(d);
        pthread_mutex_unlock(&teller.lock);
        PyGILState_STATE gil = PyGILState_Ensure();
        tell(e);
        PyGILState_Release(gil);
        pthread_mutex_lock(&teller.lock);
        teller.busy = NULL;
        pthread_cond_broadcast(&teller.changed);
    }
    return NULL;
}

/* Signals are the main thread's. */
static void start_teller(void)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, tell_all, NULL) == 0) {
        pthread_detach(thread);
        teller.is_there = 1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void announce(struct door *d)
{
    if (!teller.is_there)
        start_teller();
    if (d->has_news)
        return;
    d->has_news = 1;
    d->next = teller.first;
    teller.first = d;
    pthread_cond_broadcast(&teller.changed);
}

/* [no gil] What has not been told yet, of one from which nothing comes any more. */
static struct event *leave_teller(struct door *d)
{
    pthread_mutex_lock(&teller.lock);
    struct door **at = &teller.first;
    while (*at && *at != d)
        at = &(*at)->next;
    if (*at)
        *at = d->next;
    while (teller.busy == d)
        pthread_cond_wait(&teller.changed, &teller.lock);
    struct event *rest = take_events(d);
    pthread_mutex_unlock(&teller.lock);
    return rest;
}

struct host *iris__door_running(void)
{
    return NULL;
}

/* In the child of a fork, which has none of its threads. */
void iris__door_forked(void)
{
    pthread_mutex_init(&teller.lock, NULL);
    pthread_cond_init(&teller.changed, NULL);
    teller.first = teller.busy = NULL;
    teller.is_there = 0;
}

static int is_worth_telling(const iris_event *e)
{
    return e->level >= IRIS_WARN || e->kind == IRIS_EVENT_LOG;
}

static void on_event(void *ctx, const iris_event *e)
{
    struct door *d = ctx;
    int wanted = is_worth_telling(e) || atomic_load(&d->hears);
    struct event *copy = wanted ? calloc(1, sizeof *copy) : NULL;
    if (!copy)
        return;
    *copy = (struct event){.kind = e->kind,
                           .level = e->level,
                           .pid = e->pid,
                           .door = (uint64_t)(uintptr_t)d,
                           .path = strdup(e->path ? e->path : ""),
                           .text = strdup(e->text ? e->text : "")};
    pthread_mutex_lock(&teller.lock);
    *d->last = copy;
    d->last = &copy->next;
    announce(d);
    pthread_mutex_unlock(&teller.lock);
}

/* ---- opening and closing ---- */

int iris__door_start(struct host *h, const char *config, void *arg)
{
    (void)config; /* who imports us has an environment already */
    struct runtime *r = arg;
    struct door *d = r->door;
    h->door = d;
    r->host = h;
    return IRIS_OK;
}

void iris__door_leave(struct host *h)
{
    (void)h;
}

PyObject *iris__door_live(void)
{
    return NULL;
}

void iris__door_stop(struct host *h)
{
    (void)h;
}

/* [no gil] What has not come back may still use the door. */
static void end(struct door *d, int64_t timeout)
{
    if (iris_close(d->runtime, timeout))
        return;
    struct event *rest = leave_teller(d);
    if (rest) {
        PyGILState_STATE gil = PyGILState_Ensure();
        tell(rest);
        PyGILState_Release(gil);
    }
    free(d);
}

static int open_runtime(struct runtime *r, iris_options *o)
{
    struct door *d = r->door;
    int failed;
    Py_BEGIN_ALLOW_THREADS;
    failed = iris_open(o, &d->runtime) || iris_attach(d->runtime, iris_plugin_entry, NULL, r);
    Py_END_ALLOW_THREADS;
    if (failed) {
        iris__raise_reason(NULL);
        r->host = NULL;
        r->door = NULL;
        Py_BEGIN_ALLOW_THREADS;
        end(d, 0);
        Py_END_ALLOW_THREADS;
        return -1;
    }
    return 0;
}

int iris__door_open(struct runtime *r, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"workers", "turn_limit", "swap_wait", NULL};
    int workers = 0;
    PyObject *turn_limit = NULL, *swap_wait = NULL;
    int64_t limit, wait;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|$iOO:Runtime", names, &workers, &turn_limit,
                                     &swap_wait) ||
        iris__seconds(turn_limit, "turn_limit", &limit) ||
        iris__seconds(swap_wait, "swap_wait", &wait))
        return -1;
    if (workers < 0)
        return PyErr_Format(PyExc_ValueError, "workers must be 0 or more, not %d", workers), -1;
    struct door *d = calloc(1, sizeof *d);
    if (!d)
        return PyErr_NoMemory(), -1;
    d->last = &d->first;
    r->door = d;
    iris_options o = {.size = sizeof o,
                      .abi = IRIS_ABI,
                      .workers = (unsigned)workers,
                      .turn_limit = limit < 0 ? 0 : limit,
                      .swap_wait = wait < 0 ? 0
                                   : wait   ? wait
                                            : 1,
                      .event = on_event,
                      .event_level = IRIS_WARN,
                      .ctx = d};
    return open_runtime(r, &o);
}

static void *end_in_background(void *arg)
{
    end(arg, 5 * IRIS_SECOND);
    return NULL;
}

/* timeout 0: nobody waits; it may be one of its own threads that has dropped the last reference. A
 * message that is still looked at keeps its runtime for ever: that is the price of not copying it. */
int iris__door_close(struct runtime *r, int64_t timeout)
{
    struct door *d = r->door;
    struct host *h = r->host;
    pthread_t thread;
    r->host = NULL;
    r->door = NULL;
    if (h->views)
        return 0;
    if (!timeout) {
        if (pthread_create(&thread, NULL, end_in_background, d) == 0)
            pthread_detach(thread);
        return 0;
    }
    r->ending = h;
    Py_BEGIN_ALLOW_THREADS;
    iris_drain(d->runtime, timeout / 4 * 3); /* what was sent is handled */
    end(d, timeout / 4);
    Py_END_ALLOW_THREADS;
    r->ending = NULL;
    return 0;
}

int iris__door_hear(struct runtime *r, int all, uint64_t *key)
{
    struct door *d = r->door;
    atomic_store(&d->hears, all);
    iris_set_event_level(d->runtime, all ? 0 : IRIS_WARN);
    *key = (uint64_t)(uintptr_t)d;
    return 0;
}

const char *iris__door_reason(void)
{
    return iris_reason();
}

PyMODINIT_FUNC PyInit__iris(void);
PyMODINIT_FUNC PyInit__iris(void)
{
    iris__api = iris_calls();
    PyObject *module = iris__module_create();
    if (module && PyModule_AddIntConstant(module, "_closes_at_exit", 1))
        Py_CLEAR(module);
    return module;
}
