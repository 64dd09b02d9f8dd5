#include "async.h"

#include <structmember.h>

/* A message whose handler waits: the core keeps it until it is done. */
struct pending {
    PyObject_HEAD struct host *host;
    const struct script *script; /* its actor has it, as long as the message is open */
    iris_actor *actor;
    uint64_t pid;
    const iris_message *message; /* NULL: it is done */
    int cancelled;               /* the actor has ended meanwhile */
    PyObject *task;              /* who waits; _aio sets it */
};

static void settle(struct pending *p, int result)
{
    const iris_message *m = p->message;
    PyObject *key = PyLong_FromUnsignedLongLong(p->pid);
    p->message = NULL;
    if (p->host->loop && key && !p->cancelled && PyDict_DelItem(p->host->loop->open, key))
        PyErr_Clear();
    Py_XDECREF(key);
    iris__api->done(m, result);
}

/* The exception that is set ends the actor. */
static void crash(struct pending *p)
{
    if (!p->cancelled)
        iris__show_lines(p->script);
    iris__fail_raised();
    settle(p, p->cancelled ? IRIS_OK : IRIS_FAIL);
}

static PyObject *done(PyObject *self, PyObject *result)
{
    struct pending *p = (struct pending *)self;
    if (!p->message)
        Py_RETURN_NONE;
    struct current before = iris__current;
    iris__current = (struct current){p->host, p->host->self};
    int failed = p->cancelled ? 0 : iris__answer(p->host->self, p->message, result);
    iris__current = before;
    if (failed)
        crash(p);
    else
        settle(p, IRIS_OK);
    Py_RETURN_NONE;
}

static PyObject *failed(PyObject *self, PyObject *exception)
{
    struct pending *p = (struct pending *)self;
    if (!p->message)
        Py_RETURN_NONE;
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    crash(p);
    Py_RETURN_NONE;
}

static void dealloc(PyObject *self)
{
    struct pending *p = (struct pending *)self;
    if (p->message) /* its loop was closed under it */
        iris__api->done(p->message, IRIS_OK);
    Py_XDECREF(p->task);
    PyObject_Free(self);
}

static PyMethodDef methods[] = {
    {"done", done, METH_O, NULL}, {"failed", failed, METH_O, NULL}, {0}};

static PyMemberDef members[] = {{"task", T_OBJECT, offsetof(struct pending, task), 0, NULL}, {0}};

static PyTypeObject type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "iris._Pending",
    .tp_basicsize = sizeof(struct pending),
    .tp_dealloc = dealloc,
    .tp_methods = methods,
    .tp_members = members,
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

/* The coroutine waits: from here on its message is put off. */
static int put_off(const struct script *s, iris_actor *self, const iris_message *m)
{
    struct loop *l = s->host->loop;
    struct pending *p = PyObject_New(struct pending, &type);
    uint64_t pid = iris__api->pid(self);
    PyObject *key = p ? PyLong_FromUnsignedLongLong(pid) : NULL;
    if (!key || PyDict_SetItem(l->open, key, (PyObject *)p) || iris__api->later(self, m)) {
        Py_XDECREF(key);
        if (p)
            p->message = NULL, p->task = NULL;
        Py_XDECREF(p);
        return PyErr_Occurred() ? -1 : (PyErr_NoMemory(), -1);
    }
    Py_DECREF(key);
    p->host = s->host;
    p->script = s;
    p->actor = self;
    p->pid = pid;
    p->message = m;
    p->cancelled = 0;
    p->task = NULL;
    PyObject *full =
        PyTuple_Pack(4, PyTuple_GET_ITEM(l->suspended, 0), PyTuple_GET_ITEM(l->suspended, 1),
                     PyTuple_GET_ITEM(l->suspended, 2), (PyObject *)p);
    Py_DECREF(p);
    Py_SETREF(l->suspended, full);
    return full ? 0 : -1;
}

/* 1: it waits now. */
static int call(const struct script *s, iris_actor *self, PyObject *handler, const iris_message *m)
{
    PyObject *message = s->flags & SCRIPT_VIEW ? iris__message_view(m) : iris__message_bytes(m);
    PyObject *coroutine = message ? PyObject_CallOneArg(handler, message) : NULL, *result;
    Py_XDECREF(message);
    if (!coroutine)
        return -1;
    int waits = iris__loop_begin(s->host->loop, coroutine, NULL, &result);
    if (waits)
        return waits < 0 || put_off(s, self, m) ? -1 : 1;
    int failed = iris__answer(self, m, result);
    Py_DECREF(result);
    return failed ? -1 : 0;
}

static int handle_all(const struct script *s, iris_actor *self, PyObject *handler,
                      const iris_message *const *m, int n)
{
    for (int i = 0; i < n; i++) {
        if (i && iris__api->due(self) == IRIS_AGAIN)
            return i;
        if (i + AHEAD < n)
            iris__message_ahead(m[i + AHEAD]);
        int waits = call(s, self, handler, m[i]);
        if (waits < 0)
            return iris__failed(self, s) == IRIS_OK ? i + 1 : ~i;
        if (waits)
            return i + 1;
    }
    return n;
}

/* [turn] In drain(), so the GIL is ours. */
int iris__async_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    const struct script *s = b->data;
    PyObject *handler = Py_NewRef(state ? state : s->callable);
    iris__current = (struct current){s->host, self};
    int result = handle_all(s, self, handler, m, n);
    iris__current = (struct current){NULL, NULL};
    Py_DECREF(handler);
    iris__driver_calm();
    return result;
}

void iris__async_cancel(const iris_behaviour *b, iris_actor *self, void *state)
{
    const struct script *s = b->data;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *key = PyLong_FromUnsignedLongLong(iris__api->pid(self));
    PyObject *found = key ? PyDict_GetItem(s->host->loop->open, key) : NULL;
    (void)state;
    if (found) {
        struct pending *p = (struct pending *)Py_NewRef(found);
        p->cancelled = 1;
        PyDict_DelItem(s->host->loop->open, key);
        PyObject *done = p->task ? PyObject_CallMethod(p->task, "cancel", NULL) : NULL;
        Py_XDECREF(done);
        Py_DECREF(p);
    }
    Py_XDECREF(key);
    PyErr_Clear();
    PyGILState_Release(gil);
}

int iris__async_ready(PyObject *module)
{
    (void)module;
    return PyType_Ready(&type);
}
