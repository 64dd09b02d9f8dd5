/* PyRuntime: observed actors. The core has them, and keeps what they are sent: also while a handler holds up
 * all other Python ones. */
#include "runtime.h"

#include "wait.h"

#include <stdlib.h>

/* _spawn_observed(budget, path or None) */
static PyObject *spawn(PyObject *self, PyObject *args)
{
    struct host *h = iris__runtime_host(self);
    const char *path;
    long budget;
    uint64_t pid;
    if (!h || !PyArg_ParseTuple(args, "lz:spawn_observed_handler", &budget, &path))
        return NULL;
    if (budget < 1)
        return PyErr_Format(PyExc_ValueError, "budget must be 1 or more, not %ld", budget);
    budget = budget > UINT16_MAX ? UINT16_MAX : budget;
    if (iris__ext.observe->spawn(iris__caller(h), (uint32_t)budget, path, &pid))
        return iris__raise_reason(NULL);
    return PyLong_FromUnsignedLongLong(pid);
}

static int add(void *list, const iris_message *m)
{
    PyObject *message = iris__message_object(m);
    int failed = !message || PyList_Append(list, message);
    Py_XDECREF(message);
    return failed;
}

static PyObject *get_messages(PyObject *self, PyObject *const *args, Py_ssize_t n,
                              PyObject *keywords)
{
    struct host *h = iris__runtime_host(self);
    uint64_t pid;
    if (!h || iris__take_pid(args, n, keywords, "get_messages", &pid))
        return NULL;
    PyObject *list = PyList_New(0);
    if (list)
        iris__ext.observe->each(h->self, pid, add, list, NULL);
    if (PyErr_Occurred())
        Py_CLEAR(list);
    return list;
}

/* ---- taking ---- */

static int asks_matcher(void *matcher, const iris_message *m)
{
    return iris__message_matches(m, matcher);
}

/* _take(pid, matcher, start): (True, message), or (True, None) where no such actor keeps anything, or
 * (False, from where to look the next time). */
static PyObject *take(PyObject *self, PyObject *args)
{
    struct host *h = iris__runtime_host(self);
    PyObject *target, *matcher;
    const iris_message *m;
    unsigned long long start;
    uint64_t pid;
    if (!h || !PyArg_ParseTuple(args, "OOK:_take", &target, &matcher, &start) ||
        iris__pid(target, &pid))
        return NULL;
    uint64_t from = start;
    int result = iris__ext.observe->take(h->self, pid, &from, asks_matcher, matcher, &m);
    if (result == IRIS_EMPTY)
        return Py_BuildValue("OK", Py_False, (unsigned long long)from);
    if (result != IRIS_OK)
        return Py_BuildValue("OO", Py_True, Py_None);
    PyObject *message = iris__message_object(m);
    iris__api->drop(m);
    return message ? Py_BuildValue("ON", Py_True, message) : NULL;
}

/* ---- waiting: no thread is held ---- */

struct arrival {
    iris_answer answer;
    PyObject *told;
};

/* told(whether there is something to look at) */
static void tell(PyObject *told, int came)
{
    PyObject *done = PyObject_CallOneArg(told, came ? Py_True : Py_False);
    if (!done) /* its event loop has gone */
        PyErr_Clear();
    Py_XDECREF(done);
    Py_DECREF(told);
}

static void on_arrival(iris_job *job)
{
    struct arrival *a = (struct arrival *)job;
    PyGILState_STATE gil = PyGILState_Ensure();
    tell(a->told, a->answer.result != IRIS_EMPTY);
    if (a->answer.message)
        iris__api->drop(a->answer.message);
    free(a);
    PyGILState_Release(gil);
}

/* Whose thread tells: not the one of handlers, which may be busy for long. */
static iris_executor *teller(struct host *h)
{
    if (!h->teller.executor && iris__driver_open(h, &h->teller, "python-tell", NULL))
        return iris__raise_reason(NULL), NULL;
    return h->teller.executor;
}

/* _arrived(pid, start, timeout, told): told() is called once one of this number has come, or not in time. */
static PyObject *arrived(PyObject *self, PyObject *args)
{
    struct host *h = iris__runtime_host(self);
    PyObject *target, *timeout, *told;
    unsigned long long start;
    uint64_t pid;
    int64_t ns;
    if (!h || !PyArg_ParseTuple(args, "OKOO:_arrived", &target, &start, &timeout, &told) ||
        iris__pid(target, &pid) || iris__seconds(timeout, "timeout", &ns))
        return NULL;
    iris_executor *on = teller(h);
    struct arrival *a = on ? malloc(sizeof *a) : NULL;
    if (!a)
        return on ? PyErr_NoMemory() : NULL;
    *a = (struct arrival){.answer = {.job.run = on_arrival, .on = on}, .told = Py_NewRef(told)};
    int result = iris__ext.observe->arrived(h->self, pid, start, ns, &a->answer);
    if (result == IRIS_OK)
        Py_RETURN_NONE;
    free(a);
    tell(told, 1); /* it has ended: who looks will see */
    Py_RETURN_NONE;
}

/* _await_arrival(pid, start, timeout): the same, and this thread waits. */
static PyObject *await_arrival(PyObject *self, PyObject *args)
{
    struct host *h = iris__runtime_host(self);
    PyObject *target, *timeout;
    unsigned long long start;
    uint64_t pid;
    int64_t ns;
    struct wait *w = NULL;
    if (!h || iris__waits_for_itself(h) ||
        !PyArg_ParseTuple(args, "OKO:_await_arrival", &target, &start, &timeout) ||
        iris__pid(target, &pid) || iris__seconds(timeout, "timeout", &ns) ||
        !(w = iris__wait_create()))
        return NULL;
    w->answer = (iris_answer){.job.run = iris__wait_answered};
    int refused = iris__ext.observe->arrived(h->self, pid, start, ns, &w->answer);
    if (refused)
        iris__wait_release(w); /* the core's side: it will not come */
    int waited = refused ? 0 : iris__wait_for(w, -1);
    int came = refused || (!waited && w->answer.result != IRIS_EMPTY);
    iris__wait_release(w);
    return waited ? NULL : PyBool_FromLong(came);
}

PyMethodDef iris__observe_methods[] = {
    {"_spawn_observed", spawn, METH_VARARGS, NULL},
    {"get_messages", (PyCFunction)(void (*)(void))get_messages, METH_FASTCALL | METH_KEYWORDS,
     "get_messages($self, pid)\n--\n\nWhat an observed actor has kept, oldest first: bytes and PySystemMessage. "
     "It keeps it."},
    {"_take", take, METH_VARARGS, NULL},
    {"_arrived", arrived, METH_VARARGS, NULL},
    {"_await_arrival", await_arrival, METH_VARARGS, NULL},
    {0},
};
