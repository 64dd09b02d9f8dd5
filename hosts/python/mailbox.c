#include "mailbox.h"

#include "wait.h"

/* The mailbox of a pull actor with a thread of its own. It is the handler's as long as that runs. */

struct mailbox {
    PyObject_HEAD iris_actor *self; /* NULL: its handler has returned */
    uint64_t pid;
    const iris_reader *reader;
    int is_busy; /* inside a matcher */
};

static int may_receive(const struct mailbox *box)
{
    if (!box->self || iris__current.self != box->self) {
        PyErr_SetString(iris__error,
                        box->self ? "a mailbox is its handler's own: recv() on another thread"
                                  : "recv(): the handler of this mailbox has returned");
        return 0;
    }
    if (box->is_busy)
        PyErr_SetString(iris__error, "recv() inside a matcher: it only looks at messages");
    return !box->is_busy;
}

/* ---- matchers ---- */

struct match {
    struct mailbox *box;
    PyObject *matcher;
};

static int asks_matcher(void *ctx, const iris_message *m)
{
    struct match *match = ctx;
    PyGILState_STATE gil = PyGILState_Ensure();
    match->box->is_busy = 1;
    int is = iris__message_matches(m, match->matcher);
    match->box->is_busy = 0;
    PyGILState_Release(gil);
    return is;
}

/* What is there is taken with the GIL held: to let go of it for each message would be to hand it to
 * whoever sends them. */
static PyObject *receive(struct mailbox *box, PyObject *matcher, int64_t timeout)
{
    const iris_message *m;
    struct match match = {box, matcher};
    iris_match *test = matcher ? asks_matcher : NULL;
    if (!may_receive(box))
        return NULL;
    int result = box->reader->take(box->self, test, &match, &m);
    if (result == IRIS_EMPTY && timeout != 0) {
        PyThreadState *state = PyEval_SaveThread();
        result = box->reader->recv(box->self, test, &match, timeout, &m);
        iris__gil_restore(state);
    }
    if (result == IRIS_OK)
        return iris__message_object(m);
    if (result == IRIS_FAIL)
        return PyErr_Format(iris__error, "recv() failed"), NULL;
    Py_RETURN_NONE;
}

static PyObject *recv(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"timeout", NULL};
    PyObject *timeout = NULL;
    int64_t ns;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:recv", names, &timeout) ||
        iris__seconds(timeout, "timeout", &ns))
        return NULL;
    return receive((struct mailbox *)self, NULL, ns);
}

static PyObject *selective_recv(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"matcher", "timeout", NULL};
    PyObject *timeout = NULL, *matcher;
    int64_t ns;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O:selective_recv", names, &matcher,
                                     &timeout) ||
        iris__seconds(timeout, "timeout", &ns))
        return NULL;
    return receive((struct mailbox *)self, matcher, ns);
}

static PyObject *next(PyObject *self)
{
    PyObject *message = receive((struct mailbox *)self, NULL, -1);
    if (message == Py_None)
        Py_CLEAR(message); /* closed: the loop over it ends */
    return message;
}

static PyObject *get_pid(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(((struct mailbox *)self)->pid);
}

static PyMethodDef methods[] = {
    {"recv", (PyCFunction)(void (*)(void))recv, METH_VARARGS | METH_KEYWORDS,
     "recv($self, timeout=None)\n--\n\nThe next message: bytes, or a PySystemMessage. None: nothing came within "
     "timeout seconds,\nor nothing will come any more."},
    {"selective_recv", (PyCFunction)(void (*)(void))selective_recv, METH_VARARGS | METH_KEYWORDS,
     "selective_recv($self, matcher, timeout=None)\n--\n\nThe first message for which matcher(message) is true; "
     "the others stay, in order."},
    {0},
};

static PyGetSetDef properties[] = {{"pid", get_pid, NULL, "whose mailbox this is", NULL}, {0}};

static PyTypeObject type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "iris.PyMailbox",
    .tp_basicsize = sizeof(struct mailbox),
    .tp_methods = methods,
    .tp_getset = properties,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = next,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "What a pull actor takes its messages from.",
};

/* ---- the handler's one long call ---- */

static int run(const struct script *s, iris_actor *self, struct mailbox *box)
{
    PyObject *result = PyObject_CallOneArg(s->callable, (PyObject *)box);
    box->self = NULL;
    Py_XDECREF(result);
    return result ? 0 : iris__failed(self, s);
}

int iris__mailbox_handle(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    const struct script *s = b->data;
    PyGILState_STATE gil = iris__gil_ensure();
    struct mailbox *box = PyObject_New(struct mailbox, &type);
    (void)state, (void)m, (void)n;
    int result = IRIS_FAIL;
    if (box) {
        box->self = self;
        box->pid = iris__api->pid(self);
        box->reader = iris__api->extension(IRIS_READER);
        box->is_busy = 0;
        iris__current = (struct current){s->host, self};
        result = run(s, self, box);
        iris__current = (struct current){NULL, NULL};
        Py_DECREF(box);
    } else
        iris__fail_raised();
    PyGILState_Release(gil);
    return result;
}

int iris__mailbox_ready(PyObject *module)
{
    return PyType_Ready(&type) || PyModule_AddObjectRef(module, "PyMailbox", (PyObject *)&type) ? -1
                                                                                                : 0;
}
