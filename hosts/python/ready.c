/* iris.ready(): code of an actor says that it has started. In its turn we know whose it is; a coroutine that goes on
 * after that has it in its context, as have the tasks and threads that asyncio makes for it. */
#include "async.h"
#include "runtime.h"

static PyObject *whose; /* a context variable: a pid */

int iris__ready_begin(void)
{
    iris_actor *self = iris__current.self;
    if (!iris__ext.ready || !self || !iris__ext.ready->awaited(self))
        return 0;
    PyObject *pid = PyLong_FromUnsignedLongLong(iris__api->pid(self));
    PyObject *token = pid ? PyContextVar_Set(whose, pid) : NULL;
    Py_XDECREF(pid);
    Py_XDECREF(token);
    return token ? 0 : -1;
}

/* 0: it is not known; (uint64_t)-1: an exception. */
static uint64_t in_context(void)
{
    PyObject *pid = NULL;
    if (PyContextVar_Get(whose, NULL, &pid))
        return (uint64_t)-1;
    uint64_t number = pid ? PyLong_AsUnsignedLongLong(pid) : 0;
    Py_XDECREF(pid);
    return number;
}

PyObject *iris__say_ready(PyObject *module, PyObject *unused)
{
    struct host *h = iris__door_running();
    iris_actor *self = iris__current.self;
    uint64_t pid = self ? iris__api->pid(self) : 0;
    (void)module, (void)unused;
    if (!h || !iris__ext.ready) /* nobody waits for it */
        Py_RETURN_NONE;
    if (!pid && (pid = in_context()) == (uint64_t)-1)
        return NULL;
    if (pid && iris__ext.ready->ready(self ? self : h->self, pid) == IRIS_FAIL)
        return iris__raise_reason(NULL);
    if (!pid && !iris__driver) /* on our threads it is one that nobody waits for */
        return PyErr_Format(iris__error,
                            "ready(): nobody says it here; call it in a handler, in its __init__, "
                            "or in a coroutine of it"),
               NULL;
    Py_RETURN_NONE;
}

int iris__ready_ready(PyObject *module)
{
    (void)module;
    whose = whose ? whose : PyContextVar_New("iris.actor", NULL);
    return whose ? 0 : -1;
}
