#include "python.h"

/* One of traceback's functions, as one text; only_last: its last line. */
static PyObject *ask_traceback(const char *function, PyObject *args, int only_last)
{
    PyObject *module = PyImport_ImportModule("traceback");
    PyObject *call = module ? PyObject_GetAttrString(module, function) : NULL;
    PyObject *lines = call && args ? PyObject_Call(call, args, NULL) : NULL, *text = NULL;
    PyObject *empty = PyUnicode_FromString("");
    if (lines && empty && only_last && PyList_GET_SIZE(lines))
        text = Py_NewRef(PyList_GET_ITEM(lines, PyList_GET_SIZE(lines) - 1));
    else if (lines && empty)
        text = PyUnicode_Join(empty, lines);
    Py_XDECREF(empty);
    Py_XDECREF(lines);
    Py_XDECREF(call);
    Py_XDECREF(module);
    return text;
}

/* What goes first, then where: the first line is what a log of one line shows. */
static PyObject *format(PyObject *type, PyObject *value, PyObject *trace)
{
    PyObject *what = Py_BuildValue("(OO)", type, value);
    PyObject *where = Py_BuildValue("(OOO)", type, value, trace ? trace : Py_None), *text = NULL;
    PyObject *head = ask_traceback("format_exception_only", what, 1);
    PyObject *tail = head ? ask_traceback("format_exception", where, 0) : NULL;
    if (tail)
        text = PyUnicode_Compare(head, tail) ? PyUnicode_Concat(head, tail) : Py_NewRef(head);
    Py_XDECREF(tail);
    Py_XDECREF(head);
    Py_XDECREF(where);
    Py_XDECREF(what);
    return text;
}

PyObject *iris__describe_raised(void)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (!type)
        return PyUnicode_FromString("no reason was given");
    PyErr_NormalizeException(&type, &value, &trace);
    PyObject *text = format(type, value, trace);
    if (!text) { /* no memory, or an exception whose own text raises */
        PyErr_Clear();
        text = PyUnicode_FromString(((PyTypeObject *)type)->tp_name);
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    return text;
}

static size_t without_newlines(const char *text, size_t len)
{
    while (len && text[len - 1] == '\n')
        len--;
    return len;
}

int iris__fail_raised(void)
{
    PyObject *text = iris__describe_raised();
    Py_ssize_t len = 0;
    const char *words = text ? PyUnicode_AsUTF8AndSize(text, &len) : NULL;
    if (!words) {
        PyErr_Clear();
        words = "an exception that cannot be told";
        len = (Py_ssize_t)strlen(words);
    }
    iris__api->fail("%.*s", (int)without_newlines(words, (size_t)len), words);
    Py_XDECREF(text);
    return IRIS_FAIL;
}
