/* PyRuntime: links. */
#include "runtime.h"

static PyObject *pair(PyObject *self, PyObject *args, int (*call)(iris_actor *, uint64_t, uint64_t))
{
    struct host *h = iris__runtime_host(self);
    PyObject *one, *other;
    uint64_t a, b;
    if (!h || !PyArg_ParseTuple(args, "OO:link", &one, &other) || iris__pid(one, &a) ||
        iris__pid(other, &b))
        return NULL;
    call(h->self, a, b);
    Py_RETURN_NONE;
}

static PyObject *link_pair(PyObject *self, PyObject *args)
{
    return pair(self, args, iris__ext.watch->link_pair);
}

static PyObject *unlink_pair(PyObject *self, PyObject *args)
{
    return pair(self, args, iris__ext.watch->unlink_pair);
}

PyMethodDef iris__watch_methods[] = {
    {"link", link_pair, METH_VARARGS,
     "link($self, a, b, /)\n--\n\nWhen one of both ends, the other gets an EXIT, if it is a pull or observed actor. A "
     "link never ends\na Python actor. Twice is once; one that is dead already is an EXIT too."},
    {"unlink", unlink_pair, METH_VARARGS,
     "unlink($self, a, b, /)\n--\n\nNo EXIT comes of them any more."},
    {0},
};
