/* PyRuntime: spawning, and swapping what was spawned. */
#include "runtime.h"

#include "wait.h"

#include <string.h>

enum { DEFAULT_THREADS = 256, DEFAULT_POOL = 8 };

/* release_gil: of the whole process, as the original has it. Under the GIL. */
static struct {
    int max_threads, pool, strict;
} limits = {DEFAULT_THREADS, DEFAULT_POOL, 0};

/* A thread of its own while there are any left, then one of the pool's. */
static int choose_thread(struct host *h, unsigned *flags, iris_executor **x)
{
    if (h->threads >= limits.max_threads)
        iris__notes_sweep(h);
    if (h->threads < limits.max_threads) {
        *flags |= SCRIPT_THREAD;
        return 0;
    }
    if (limits.strict) {
        PyErr_Format(iris__error,
                     "release_gil thread limit exceeded: %d actors have a thread of their own; "
                     "raise set_release_gil_limits(), or allow the pool by "
                     "set_release_gil_strict(False)",
                     h->threads);
        return -1;
    }
    int at = h->next_pool++ % (limits.pool < POOL_MAX ? limits.pool : POOL_MAX);
    if (at >= h->npool) {
        at = h->npool;
        if (iris__driver_open(h, &h->pool[at], "python-pool", NULL))
            return iris__raise_reason(NULL), -1;
        h->npool++;
    }
    *x = h->pool[at].executor;
    return 0;
}

static int is_handler(PyObject *handler, enum kind kind)
{
    if (kind == KIND_CALL && PyType_Check(handler) && !PyObject_HasAttrString(handler, "on_msg") &&
        !((PyTypeObject *)handler)->tp_call) {
        PyErr_Format(PyExc_TypeError, "class %.100s has neither on_msg(self, msg) nor __call__",
                     ((PyTypeObject *)handler)->tp_name);
        return 0;
    }
    if (PyCallable_Check(handler))
        return 1;
    PyErr_Format(PyExc_TypeError, "a handler is something that can be called, not %.80s%s",
                 Py_TYPE(handler)->tp_name,
                 PyObject_HasAttrString(handler, "on_msg") ? "; spawn its method: object.on_msg"
                                                           : "");
    return 0;
}

/* A class with handlers for messages makes a state; any other callable is the handler itself. */
static unsigned flags_of(PyObject *handler, enum kind kind)
{
    return kind == KIND_CALL && PyType_Check(handler) ? SCRIPT_CLASS : 0;
}

static int spawn_with(struct host *h, PyObject *handler, enum kind kind, unsigned flags,
                      iris_spawn *s, uint64_t *pid)
{
    if (iris__script_find(h, handler, kind, flags, &s->version))
        return iris__raise_reason(NULL), -1;
    int result = iris__api->spawn(iris__caller(h), s, pid);
    iris__api->release(s->version);
    if (result == IRIS_DEAD)
        return PyErr_Format(iris__no_such_actor, "there is no actor %llu to be a parent",
                            s->parent),
               -1;
    if (result)
        return iris__raise_reason(NULL), -1;
    if (__builtin_expect(kind != KIND_CALL || flags & (SCRIPT_THREAD | SCRIPT_VIEW), 0))
        return iris__note(h, *pid, kind, flags);
    return 0;
}

static int bounds(long budget, long capacity, iris_spawn *s)
{
    if (budget < 1)
        return PyErr_Format(PyExc_ValueError, "budget must be 1 or more, not %ld", budget), -1;
    if (capacity < 0 || capacity > UINT32_MAX)
        return PyErr_Format(PyExc_ValueError, "capacity must be 1 or more, not %ld", capacity), -1;
    s->budget = budget > UINT16_MAX ? UINT16_MAX : (uint32_t)budget;
    s->capacity = (uint32_t)capacity;
    return 0;
}

/* _spawn(handler, kind, budget, release_gil, view, capacity, parent, path, lazy, idle_ms); capacity 0:
 * unbounded; lazy: it begins with its first message; idle_ms 0: it never rests. */
static PyObject *spawn(PyObject *self, PyObject *args)
{
    PyObject *handler;
    int kind, release_gil, view, lazy = 0;
    long budget, capacity;
    long long idle = 0;
    unsigned long long parent;
    const char *path;
    uint64_t pid;
    struct host *h = iris__runtime_host(self);
    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI};
    if (!h || !PyArg_ParseTuple(args, "OilpplKz|pL:spawn", &handler, &kind, &budget, &release_gil,
                                &view, &capacity, &parent, &path, &lazy, &idle))
        return NULL;
    if (idle < 0)
        return PyErr_Format(PyExc_ValueError, "idle_timeout_ms must be 0 or more, not %lld", idle);
    if (!is_handler(handler, (enum kind)kind) || bounds(budget, capacity, &s))
        return NULL;
    unsigned flags = flags_of(handler, (enum kind)kind) | (view ? SCRIPT_VIEW : 0);
    if (release_gil && !iris__is_async(handler) && choose_thread(h, &flags, &s.executor))
        return NULL;
    s.parent = parent;
    s.path = path;
    s.flags = lazy ? IRIS_SPAWN_LAZY : 0;
    s.idle_timeout = idle < INT64_MAX / 1000000 ? idle * 1000000 : INT64_MAX;
    if (spawn_with(h, handler, (enum kind)kind, flags, &s, &pid))
        return NULL;
    return PyLong_FromUnsignedLongLong(pid);
}

/* What all but release_gil=True, names and mailboxes come to: a million of them in a second. */
static PyObject *spawn_plain(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    struct host *h = iris__runtime_host(self);
    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI};
    uint64_t pid;
    long budget = n == 2 ? PyLong_AsLong(args[1]) : -1;
    if (!h || (budget == -1 && PyErr_Occurred()) || bounds(budget, 0, &s) ||
        !is_handler(args[0], KIND_CALL) ||
        spawn_with(h, args[0], KIND_CALL, flags_of(args[0], KIND_CALL), &s, &pid))
        return NULL;
    return PyLong_FromUnsignedLongLong(pid);
}

PyObject *iris__set_limits(PyObject *self, PyObject *args)
{
    int threads, pool;
    (void)self;
    if (!PyArg_ParseTuple(args, "ii:set_release_gil_limits", &threads, &pool))
        return NULL;
    if (threads < 0 || pool < 1)
        return PyErr_Format(PyExc_ValueError,
                            "max_threads must be 0 or more and the pool 1 or "
                            "more, not %d and %d",
                            threads, pool),
               NULL;
    limits.max_threads = threads;
    limits.pool = pool;
    Py_RETURN_NONE;
}

static PyObject *set_strict(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    static const char *const names[] = {"strict", NULL};
    PyObject *strict;
    (void)self;
    int is = iris__take(args, n, keywords, "set_release_gil_strict", names, &strict)
                 ? -1
                 : PyObject_IsTrue(strict);
    if (is < 0)
        return NULL;
    limits.strict = is;
    Py_RETURN_NONE;
}

/* ---- swaps ---- */

static PyObject *raise_swap(int result, const char *why)
{
    PyErr_SetString(result == IRIS_DEAD ? iris__no_such_actor : iris__swap_rejected,
                    result == IRIS_DEAD ? "there is no such actor (any more)"
                    : why && *why       ? why
                                        : "refused");
    return NULL;
}

/* order: what begins it, with its tell. */
static PyObject *wait_for_swap(struct wait *w, int ordered, int64_t timeout)
{
    PyObject *out = NULL;
    if (ordered)
        iris__wait_release(w);
    int waited = ordered ? 0 : iris__wait_for(w, timeout);
    if (ordered)
        raise_swap(ordered, iris__door_reason());
    else if (waited == 1)
        PyErr_SetString(PyExc_TimeoutError, "the swap still waits for messages before it");
    else if (!waited && w->result)
        raise_swap(w->result, w->why);
    else if (!waited)
        out = Py_NewRef(Py_None);
    iris__wait_release(w);
    return out;
}

/* The version of this handler for an actor of that kind. */
static int version_for(struct host *h, uint64_t pid, PyObject *handler, PyObject *migrate,
                       iris_version **v)
{
    unsigned flags;
    enum kind kind = iris__noted(h, pid, &flags);
    if (!is_handler(handler, kind))
        return -1;
    flags |= flags_of(handler, kind);
    if (migrate != Py_None && (!PyCallable_Check(migrate) || iris__is_async(migrate))) {
        PyErr_Format(PyExc_TypeError,
                     "migrate must be a plain function(saved, from_version), not %.100s",
                     Py_TYPE(migrate)->tp_name);
        return -1;
    }
    if (migrate == Py_None ? iris__script_find(h, handler, kind, flags, v)
                           : iris__script_make(h, handler, migrate, kind, flags, v))
        return iris__raise_reason(NULL), -1;
    return 0;
}

/* hot_swap(pid, handler, migrate): at once; what comes of it is in the log. */
static PyObject *hot_swap(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"pid", "new_handler", "migrate", NULL};
    struct host *h = iris__runtime_host(self);
    PyObject *target, *handler, *migrate = Py_None;
    uint64_t pid;
    iris_version *v;
    if (!h ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "OO|O:hot_swap", names, &target, &handler,
                                     &migrate) ||
        iris__pid(target, &pid) || version_for(h, pid, handler, migrate, &v))
        return NULL;
    iris__api->swap(iris__caller(h), pid, v, 0, NULL, NULL);
    iris__api->release(v);
    Py_RETURN_NONE;
}

static PyObject *swap(PyObject *self, PyObject *args)
{
    struct host *h = iris__runtime_host(self);
    PyObject *target, *handler, *migrate, *timeout;
    uint64_t pid;
    iris_version *v;
    int now;
    int64_t ns;
    struct wait *w;
    if (!h || !PyArg_ParseTuple(args, "OOOpO:_swap", &target, &handler, &migrate, &now, &timeout) ||
        iris__pid(target, &pid) || iris__seconds(timeout, "timeout", &ns) ||
        version_for(h, pid, handler, migrate, &v))
        return NULL;
    if (!(w = iris__wait_create())) {
        iris__api->release(v);
        return NULL;
    }
    int ordered = iris__api->swap(iris__caller(h), pid, v, now, iris__wait_tell, w);
    iris__api->release(v);
    return wait_for_swap(w, ordered, ns);
}

static PyObject *rollback(PyObject *self, PyObject *args)
{
    struct host *h = iris__runtime_host(self);
    PyObject *target, *timeout;
    unsigned steps;
    uint64_t pid;
    int64_t ns;
    struct wait *w;
    if (!h || !PyArg_ParseTuple(args, "OIO:_rollback", &target, &steps, &timeout) ||
        iris__pid(target, &pid) || iris__seconds(timeout, "timeout", &ns) ||
        !(w = iris__wait_create()))
        return NULL;
    int ordered =
        iris__ext.control->rollback(iris__caller(h), pid, steps, 0, 0, iris__wait_tell, w);
    return wait_for_swap(w, ordered, ns);
}

PyMethodDef iris__spawn_methods[] = {
    {"_spawn", spawn, METH_VARARGS, NULL},
    {"_spawn_plain", (PyCFunction)(void (*)(void))spawn_plain, METH_FASTCALL, NULL},
    {"set_release_gil_strict", (PyCFunction)(void (*)(void))set_strict,
     METH_FASTCALL | METH_KEYWORDS,
     "set_release_gil_strict($self, strict)\n--\n\nTrue: spawn(.., release_gil=True) raises when all threads are "
     "taken. False: it uses the pool."},
    {"hot_swap", (PyCFunction)(void (*)(void))hot_swap, METH_VARARGS | METH_KEYWORDS,
     "hot_swap($self, pid, new_handler, migrate=None)\n--\n\nMessages sent before are handled by the old handler, "
     "messages sent after by the new one.\nReturns at once; swap() waits, and raises where it is refused. "
     "migrate(saved, from_version) turns what\nthe old one's __iris_save__ gave into what the new one's "
     "__iris_upgrade__ takes."},
    {"_swap", swap, METH_VARARGS, NULL},
    {"_rollback", rollback, METH_VARARGS, NULL},
    {0},
};
