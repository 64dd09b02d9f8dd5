#include "async.h"
#include "mailbox.h"
#include "runtime.h"

PyObject *iris__error, *iris__interrupted, *iris__no_such_actor, *iris__mailbox_full,
    *iris__swap_rejected, *iris__event_handler;

static PyObject *set_event_handler(PyObject *self, PyObject *handler)
{
    (void)self;
    Py_XSETREF(iris__event_handler, Py_NewRef(handler));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_close_all", iris__runtimes_close, METH_NOARGS, NULL},
    {"_set_release_gil_limits", iris__set_limits, METH_VARARGS, NULL},
    {"_new_bytes", iris__new_bytes, METH_O, NULL},
    {"_on_event", set_event_handler, METH_O, NULL},
    {"ready", iris__say_ready, METH_NOARGS,
     "ready()\n--\n\nThis actor has started: of one whose manifest says \"ready\": \"notify\". Where nobody waits "
     "for it,\nnothing happens."},
    {0},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "iris._iris", .m_doc = "The compiled half of iris.",
    .m_size = -1,          .m_methods = functions,
};

/* iris.NAME(Error, base). */
static PyObject *error(PyObject *module, const char *name, const char *doc, PyObject *base)
{
    PyObject *bases = !iris__error ? Py_NewRef(PyExc_RuntimeError)
                      : base       ? PyTuple_Pack(2, iris__error, base)
                                   : Py_NewRef(iris__error);
    PyObject *class = bases ? PyErr_NewExceptionWithDoc(name, doc, bases, NULL) : NULL;
    Py_XDECREF(bases);
    if (class && PyModule_AddObjectRef(module, name + 5, class))
        Py_CLEAR(class);
    return class;
}

static int add_errors(PyObject *module)
{
    iris__error = error(module, "iris.Error",
                        "What iris raises: its text says what was found, and what to do.", NULL);
    if (!iris__error)
        return -1;
    iris__no_such_actor = error(module, "iris.NoSuchActor",
                                "Nobody has this pid or name (any more).", PyExc_LookupError);
    iris__mailbox_full = error(module, "iris.MailboxFull", "The mailbox takes no more now.", NULL);
    iris__swap_rejected = error(module, "iris.SwapRejected",
                                "The new handler was refused; the old one goes on.", NULL);
    iris__interrupted = PyErr_NewExceptionWithDoc(
        "iris.Interrupted", "Raised inside a handler that has not returned for too long.",
        PyExc_BaseException, NULL);
    return iris__no_such_actor && iris__mailbox_full && iris__swap_rejected && iris__interrupted &&
                   PyModule_AddObjectRef(module, "Interrupted", iris__interrupted) == 0
               ? 0
               : -1;
}

PyObject *iris__module_create(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module &&
        (add_errors(module) || iris__messages_ready(module) || iris__signals_ready(module) ||
         iris__mailbox_ready(module) || iris__async_ready(module) || iris__box_ready(module) ||
         iris__ready_ready(module) || iris__runtimes_ready(module) ||
         PyModule_AddStringConstant(module, "_version", IRIS_VERSION)))
        Py_CLEAR(module);
    return module;
}
