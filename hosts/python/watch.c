/* PyRuntime: links. */
#include "runtime.h"

static PyObject *pair(PyObject *self, PyObject *args, PyObject *keywords,
                      int (*call)(iris_actor *, uint64_t, uint64_t))
{
    static char *names[] = {"a", "b", NULL};
    struct host *h = iris__runtime_host(self);
    PyObject *one, *other;
    uint64_t a, b;
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "OO:link", names, &one, &other) ||
        iris__pid(one, &a) || iris__pid(other, &b))
        return NULL;
    call(h->self, a, b);
    Py_RETURN_NONE;
}

static PyObject *link_pair(PyObject *self, PyObject *args, PyObject *keywords)
{
    return pair(self, args, keywords, iris__ext.watch->link_pair);
}

static PyObject *unlink_pair(PyObject *self, PyObject *args, PyObject *keywords)
{
    return pair(self, args, keywords, iris__ext.watch->unlink_pair);
}

PyMethodDef iris__watch_methods[] = {
    {"link", (PyCFunction)(void (*)(void))link_pair, METH_VARARGS | METH_KEYWORDS,
     "link($self, a, b)\n--\n\nWhen one of both ends, the other gets an EXIT, if it is a pull or observed actor. A "
     "link never ends\na Python actor. Twice is once; one that is dead already is an EXIT too."},
    {"unlink", (PyCFunction)(void (*)(void))unlink_pair, METH_VARARGS | METH_KEYWORDS,
     "unlink($self, a, b)\n--\n\nNo EXIT comes of them any more."},
    {0},
};
