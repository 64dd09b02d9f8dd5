#include "runtime.h"

#include "wait.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct extensions iris__ext;
static struct runtime *open_ones;

/* In one of its handlers, also after an await. */
static int is_within(const struct host *h)
{
    return iris__current.host == h || (iris__driver && iris__driver->host == h);
}

struct host *iris__runtime_host(PyObject *self)
{
    struct runtime *r = (struct runtime *)self;
    if (__builtin_expect(r->host != NULL, 1))
        return r->host;
    if (r->ending && is_within(r->ending)) /* its actors go on until they have ended */
        return r->ending;
    PyErr_SetString(iris__error, r->forked ? "this runtime belongs to the parent of this process: "
                                             "after fork() a child has none of its threads; make "
                                             "a Runtime() of its own"
                                           : "this runtime is closed");
    return NULL;
}

int iris__pid(PyObject *value, uint64_t *pid)
{
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "a pid is an int, not %.80s", Py_TYPE(value)->tp_name);
        return -1;
    }
    *pid = PyLong_AsUnsignedLongLong(value);
    if (*pid == (uint64_t)-1 && PyErr_Occurred()) {
        PyErr_Clear();
        *pid = 0;
    }
    return 0;
}

PyObject *iris__raise_reason(PyObject *class)
{
    PyErr_SetString(class ? class : iris__error, iris__door_reason());
    return NULL;
}

/* ---- birth and death ---- */

static void enlist(struct runtime *r)
{
    r->next = open_ones;
    r->before = &open_ones;
    if (r->next)
        r->next->before = &r->next;
    open_ones = r;
}

static void delist(struct runtime *r)
{
    if (!r->before)
        return;
    *r->before = r->next;
    if (r->next)
        r->next->before = r->before;
    r->before = NULL;
}

/* In the child of fork(), where nothing of them runs. */
static void after_fork(void)
{
    iris__gil_forked();
    for (struct runtime *r = open_ones; r; r = r->next) {
        r->host = NULL;
        r->forked = 1;
    }
    if (iris__current.host || iris__driver) { /* our threads take no signals; who they start does */
        sigset_t none;
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
    }
    iris__current = (struct current){NULL, NULL};
    iris__driver = NULL;
    iris__driver_forked();
    iris__door_forked();
}

static int init(PyObject *self, PyObject *args, PyObject *keywords)
{
    struct runtime *r = (struct runtime *)self;
    if (r->host || r->forked) {
        PyErr_SetString(iris__error, "this runtime is open already");
        return -1;
    }
    if (iris__door_open(r, args, keywords))
        return -1;
    enlist(r);
    return 0;
}

static int close_one(struct runtime *r, int64_t timeout)
{
    delist(r);
    return r->host ? iris__door_close(r, timeout) : 0;
}

static void dealloc(PyObject *self)
{
    struct runtime *r = (struct runtime *)self;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (r->weak)
        PyObject_ClearWeakRefs(self);
    if (close_one(r, 0))
        PyErr_Clear();
    PyErr_Restore(type, value, trace);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *close_runtime(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"timeout", NULL};
    PyObject *timeout = NULL;
    int64_t ns;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:close", names, &timeout) ||
        iris__seconds(timeout, "timeout", &ns))
        return NULL;
    if (iris__current.host && iris__current.host == ((struct runtime *)self)->host)
        return PyErr_Format(iris__error, "close() in a handler would wait for itself"), NULL;
    if (close_one((struct runtime *)self, ns < 0 ? 5000000000 : ns))
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *hear(PyObject *self, PyObject *all)
{
    uint64_t key;
    int is = PyObject_IsTrue(all);
    if (!iris__runtime_host(self) || is < 0 || iris__door_hear((struct runtime *)self, is, &key))
        return NULL;
    return PyLong_FromUnsignedLongLong(key);
}

static PyObject *is_closed(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(!((struct runtime *)self)->host);
}

static PyMethodDef own_methods[] = {
    {"_hear", hear, METH_O, NULL},
    {"close", (PyCFunction)(void (*)(void))close_runtime, METH_VARARGS | METH_KEYWORDS,
     "close($self, timeout=5.0)\n--\n\nEnds all actors and threads of this runtime. What has not come back "
     "within timeout\nseconds is left behind."},
    {0},
};

static PyGetSetDef properties[] = {{"closed", is_closed, NULL, "whether close() was called", NULL},
                                   {0}};

PyTypeObject iris__runtime_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "iris.PyRuntime",
    .tp_basicsize = sizeof(struct runtime),
    .tp_new = PyType_GenericNew,
    .tp_init = init,
    .tp_dealloc = dealloc,
    .tp_getset = properties,
    .tp_weaklistoffset = offsetof(struct runtime, weak),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "A runtime of actors: the compiled half of iris.Runtime.",
};

/* At the end of the interpreter, while it still can run what they run. */
PyObject *iris__runtimes_close(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    while (open_ones) {
        struct runtime *r = open_ones;
        Py_INCREF(r);
        if (close_one(r, 2000000000))
            PyErr_Clear();
        Py_DECREF(r);
    }
    Py_RETURN_NONE;
}

static PyMethodDef *all_methods(void)
{
    PyMethodDef *const tables[] = {
        own_methods,        iris__mail_methods,    iris__spawn_methods,     iris__control_methods,
        iris__name_methods, iris__observe_methods, iris__supervise_methods, iris__watch_methods,
        iris__mesh_methods};
    static PyMethodDef all[96];
    size_t n = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (PyMethodDef *m = tables[i]; m->ml_name; m++)
            all[n++] = *m;
    return all;
}

int iris__runtimes_ready(PyObject *module)
{
    iris__runtime_type.tp_methods = all_methods();
    pthread_atfork(NULL, NULL, after_fork);
    return PyType_Ready(&iris__runtime_type) ||
                   PyModule_AddObjectRef(module, "PyRuntime", (PyObject *)&iris__runtime_type)
               ? -1
               : 0;
}
