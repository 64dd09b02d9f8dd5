/* The door of `import iris`: libiris comes along, and this host is attached to each runtime. */
#include "runtime.h"

#include "wait.h"

#include <iris/iris.h>

#include <stdlib.h>
#include <string.h>

/* ---- events: from any thread, without the GIL, to Python's logging on ours ---- */

struct event {
    struct event *next;
    uint32_t kind, level;
    uint64_t pid;
    char *path, *text;
};

struct door {
    iris_runtime *runtime;
    iris_job job;
    struct host *host;
    pthread_mutex_t lock;
    struct event *first, **last;
    int is_posted;
};

static void tell_one(struct event *e)
{
    PyObject *done = iris__event_handler
                         ? PyObject_CallFunction(iris__event_handler, "IIKss", e->kind, e->level,
                                                 (unsigned long long)e->pid, e->path, e->text)
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

static void tell_events(iris_job *job)
{
    struct door *d = (struct door *)((char *)job - offsetof(struct door, job));
    PyGILState_STATE gil = PyGILState_Ensure();
    pthread_mutex_lock(&d->lock);
    struct event *e = d->first;
    d->first = NULL;
    d->last = &d->first;
    d->is_posted = 0;
    pthread_mutex_unlock(&d->lock);
    for (struct event *next; e; e = next) {
        next = e->next;
        tell_one(e);
        free_event(e);
    }
    PyGILState_Release(gil);
}

static int is_worth_telling(const iris_event *e)
{
    return e->level >= IRIS_WARN || e->kind == IRIS_EVENT_LOG;
}

static void on_event(void *ctx, const iris_event *e)
{
    struct door *d = ctx;
    struct event *copy = is_worth_telling(e) ? calloc(1, sizeof *copy) : NULL;
    if (!copy)
        return;
    *copy = (struct event){.kind = e->kind,
                           .level = e->level,
                           .pid = e->pid,
                           .path = strdup(e->path ? e->path : ""),
                           .text = strdup(e->text ? e->text : "")};
    pthread_mutex_lock(&d->lock);
    *d->last = copy;
    d->last = &copy->next;
    int post = d->host && !d->is_posted;
    d->is_posted |= post;
    if (post) /* under the lock: see iris__door_leave() */
        iris__api->post(d->host->main.executor, &d->job);
    pthread_mutex_unlock(&d->lock);
}

/* ---- opening and closing ---- */

static void destroy(struct door *d)
{
    for (struct event *e = d->first, *next; e; e = next) {
        next = e->next;
        free_event(e);
    }
    pthread_mutex_destroy(&d->lock);
    free(d);
}

int iris__door_start(struct host *h, void *arg)
{
    struct runtime *r = arg;
    struct door *d = r->door;
    h->door = d;
    r->host = h;
    return IRIS_OK;
}

/* Its executors end: from here on events stay in the queue. */
void iris__door_leave(struct host *h)
{
    struct door *d = h->door;
    pthread_mutex_lock(&d->lock);
    d->host = NULL;
    pthread_mutex_unlock(&d->lock);
}

void iris__door_stop(struct host *h)
{
    (void)h;
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
        iris_close(d->runtime, 0);
        destroy(d);
        return -1;
    }
    pthread_mutex_lock(&d->lock);
    d->host = r->host;
    pthread_mutex_unlock(&d->lock);
    return 0;
}

int iris__door_open(struct runtime *r, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"workers", "turn_limit", NULL};
    unsigned workers = 0;
    PyObject *turn_limit = NULL;
    int64_t limit;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|$IO:Runtime", names, &workers,
                                     &turn_limit) ||
        iris__seconds(turn_limit, "turn_limit", &limit))
        return -1;
    struct door *d = calloc(1, sizeof *d);
    if (!d)
        return PyErr_NoMemory(), -1;
    pthread_mutex_init(&d->lock, NULL);
    d->last = &d->first;
    d->job.run = tell_events;
    r->door = d;
    iris_options o = {.size = sizeof o,
                      .abi = IRIS_ABI,
                      .workers = workers,
                      .turn_limit = limit < 0 ? 0 : limit,
                      .event = on_event,
                      .event_level = IRIS_WARN,
                      .ctx = d};
    return open_runtime(r, &o);
}

/* [no gil] What has not come back may still use the door. */
static void end(struct door *d, int64_t timeout)
{
    if (iris_close(d->runtime, timeout) == 0)
        destroy(d);
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
