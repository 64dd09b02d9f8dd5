#include "runtime.h"

/* ---- what comes of a call ---- */

int iris__answer(iris_actor *self, const iris_message *m, PyObject *result)
{
    if (result == Py_None || !m->ref)
        return IRIS_OK;
    int sent;
    if (PyUnicode_Check(result)) { /* text is told as UTF-8 */
        Py_ssize_t len;
        const char *text = PyUnicode_AsUTF8AndSize(result, &len);
        if (!text)
            return IRIS_FAIL;
        sent = iris__api->send(self, m->ref, text, (size_t)len, 0);
    } else if (!PyObject_CheckBuffer(result)) {
        PyErr_Format(PyExc_TypeError,
                     "an answer is text, bytes or any object with a buffer, or None for no answer, "
                     "not %.80s; make text of it: return str(..), or json.dumps(..)",
                     Py_TYPE(result)->tp_name);
        return IRIS_FAIL;
    } else {
        sent = iris__send_object(iris__current.host, self, m->ref, result, 0);
    }
    if (sent == IRIS_FULL || sent == IRIS_DEAD)
        iris__ext.ask->dropped(self, m->ref);
    if (sent == IRIS_LARGE)
        PyErr_Format(PyExc_ValueError, "the answer is above the limit of a message");
    return sent == -2 || sent == IRIS_LARGE ? IRIS_FAIL : IRIS_OK; /* who asked may have gone */
}

/* sys.exit(), sys.exit(0): it is done. Any other code is an error, and becomes a crash. */
static int is_farewell(void)
{
    if (!PyErr_ExceptionMatches(PyExc_SystemExit))
        return 0;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    PyObject *code = value ? PyObject_GetAttrString(value, "code") : NULL;
    int over = code && (code == Py_None || (PyLong_Check(code) && PyLong_AsLong(code) == 0));
    Py_XDECREF(code);
    PyErr_Clear();
    PyErr_Restore(type, value, trace);
    return over;
}

int iris__failed(iris_actor *self, const struct script *s)
{
    if (is_farewell()) {
        PyErr_Clear();
        return iris__api->exit(self, NULL);
    }
    iris__show_lines(s);
    return iris__fail_raised();
}

/* ---- calling ---- */

/* What is written in Python is called without the detour that looks whether C code has both returned and raised. */
static vectorcallfunc way_to(PyObject *handler)
{
    int is_python = PyFunction_Check(handler) || PyMethod_Check(handler);
    vectorcallfunc direct = is_python ? PyVectorcall_Function(handler) : NULL;
    return direct ? direct : PyObject_Vectorcall;
}

struct calls { /* of one batch */
    const struct script *script;
    iris_actor *self;
    PyObject *handler, *bytes; /* bytes: of the message before, if it came as such; or NULL */
    vectorcallfunc way;
};

/* A new reference, or that of calls.bytes. */
static PyObject *message_for(struct calls *c, const iris_message *m)
{
    if (__builtin_expect(m->kind != IRIS_USER, 0))
        return iris__signal_object(m);
    if (c->script->flags & SCRIPT_VIEW)
        return iris__message_view(m);
    return c->bytes = iris__message_bytes_after(c->bytes, m);
}

static int call(struct calls *c, const iris_message *m)
{
    PyObject *message = message_for(c, m);
    if (!message)
        return IRIS_FAIL;
    PyObject *args[2] = {NULL, message};
    PyObject *result = c->way(c->handler, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (message != c->bytes)
        Py_DECREF(message);
    if (__builtin_expect(result == Py_None, 1)) {
        Py_DECREF(result);
        return IRIS_OK;
    }
    if (!result)
        return IRIS_FAIL;
    int answered = iris__answer(c->self, m, result);
    Py_DECREF(result);
    return answered;
}

/* Who left with sys.exit() takes no more of this batch. */
static int after_failure(iris_actor *self, const struct script *s, int i)
{
    return iris__failed(self, s) == IRIS_OK ? i + 1 : ~i;
}

static int handle_all(struct calls *c, const iris_message *const *m, int n)
{
    for (int i = 0; i < n; i++) {
        if (i && iris__api->due(c->self) == IRIS_AGAIN)
            return i;
        if (i + AHEAD < n)
            iris__message_ahead(m[i + AHEAD]);
        if (call(c, m[i]))
            return after_failure(c->self, c->script, i);
    }
    return n;
}

/* [turn] Between enter() and leave() of our driver: the GIL is ours. The state is what a class made. */
int iris__handle(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    const struct script *s = b->data;
    PyObject *handler = state ? state : s->callable;
    struct calls c = {.script = s, .self = self, .handler = handler, .way = way_to(handler)};
    iris__current = (struct current){s->host, self};
    Py_INCREF(handler); /* a swap must not take it away while it runs */
    int result = handle_all(&c, m, n);
    Py_XDECREF(c.bytes);
    Py_DECREF(handler);
    if (__builtin_expect(iris__driver && iris__driver->raised, 0))
        iris__driver_calm();
    iris__current = (struct current){NULL, NULL};
    return result;
}

int iris__handle_away(const iris_behaviour *b, iris_actor *self, void *state,
                      const iris_message *const *m, int n)
{
    PyGILState_STATE gil = iris__gil_ensure();
    int result = iris__handle(b, self, state, m, n);
    PyGILState_Release(gil);
    return result;
}
