#include "async.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* [no gil] */
static void wake(const iris_driver *pub)
{
    struct driver *d = pub->data;
    struct loop *l = (struct loop *)((char *)d - offsetof(struct loop, driver));
    uint64_t one = 1;
    while (write(l->bell, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* One turn. None: nothing is left; True: there is more; else what has come to wait in it. */
static PyObject *drain(PyObject *capsule, PyObject *unused)
{
    struct loop *l = PyCapsule_GetPointer(capsule, NULL);
    (void)unused;
    if (!iris__driver) {
        iris__driver = &l->driver;
        l->driver.thread = PyThread_get_thread_ident();
    }
    int more = iris__api->drain(l->driver.executor, 0);
    PyObject *suspended = l->suspended;
    l->suspended = NULL;
    if (suspended)
        return suspended;
    return Py_NewRef(more == IRIS_AGAIN ? Py_True : Py_None);
}

static PyMethodDef drain_method = {"drain", drain, METH_NOARGS, NULL};

static PyObject *make_object(struct loop *l)
{
    PyObject *module = PyImport_ImportModule("iris._aio"), *object = NULL;
    PyObject *capsule = module ? PyCapsule_New(l, NULL, NULL) : NULL;
    PyObject *function = capsule ? PyCFunction_New(&drain_method, capsule) : NULL;
    if (function)
        object = PyObject_CallMethod(module, "Loop", "iO", l->bell, function);
    Py_XDECREF(function);
    Py_XDECREF(capsule);
    Py_XDECREF(module);
    return object;
}

struct loop *iris__loop_get(struct host *h)
{
    if (h->loop)
        return h->loop;
    struct loop *l = calloc(1, sizeof *l);
    if (!l || (l->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
        iris__api->fail("python: no memory or no descriptor for an event loop");
        free(l);
        return NULL;
    }
    if (iris__driver_open(h, &l->driver, "python-async", wake) == IRIS_OK) {
        l->open = PyDict_New();
        l->object = l->open ? make_object(l) : NULL;
        if (l->object)
            return h->loop = l;
        iris__fail_raised();
        Py_BEGIN_ALLOW_THREADS;
        iris__driver_close(&l->driver);
        Py_END_ALLOW_THREADS;
    }
    close(l->bell);
    Py_XDECREF(l->open);
    free(l);
    return NULL;
}

/* No actor of it is left. What still waits in it is cancelled. */
void iris__loop_close(struct host *h)
{
    struct loop *l = h->loop;
    if (!l)
        return;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *done = PyObject_CallMethod(l->object, "close", NULL); /* waits for its thread */
    if (!done)
        PyErr_Clear();
    Py_XDECREF(done);
    Py_DECREF(l->object);
    Py_DECREF(l->open);
    Py_XDECREF(l->suspended);
    PyGILState_Release(gil);
    iris__driver_close(&l->driver);
    close(l->bell);
    h->loop = NULL;
    free(l);
}

int iris__loop_begin(struct loop *l, PyObject *coroutine, PyObject *pending, PyObject **result)
{
    *result = NULL;
    if (!PyCoro_CheckExact(coroutine)) { /* it is what the handler returned, without async */
        *result = coroutine;
        return 0;
    }
    PyObject *context = PyContext_CopyCurrent(); /* what it sets there is its own */
    int entered = context && PyContext_Enter(context) == 0;
    PySendResult sent =
        entered && iris__ready_begin() == 0 ? PyIter_Send(coroutine, Py_None, result) : PYGEN_ERROR;
    if (entered)
        PyContext_Exit(context);
    if (sent == PYGEN_NEXT) {
        l->suspended = PyTuple_Pack(4, coroutine, *result, context, pending ? pending : Py_None);
        Py_CLEAR(*result);
    }
    Py_XDECREF(context);
    Py_DECREF(coroutine);
    return sent == PYGEN_NEXT ? (l->suspended ? 1 : -1) : sent == PYGEN_RETURN ? 0 : -1;
}
