#include "runtime.h"

#include <string.h>

/* Arguments of the calls that a program makes most, without a tuple. names: NULL at the end. */
int iris__take(PyObject *const *args, Py_ssize_t n, PyObject *keywords, const char *call,
               const char *const *names, PyObject **out)
{
    Py_ssize_t room = 0, given = keywords ? PyTuple_GET_SIZE(keywords) : 0;
    while (names[room])
        room++;
    for (Py_ssize_t i = 0; i < room; i++)
        out[i] = i < n ? args[i] : NULL;
    for (Py_ssize_t k = 0; k < given; k++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(keywords, k));
        Py_ssize_t at = 0;
        while (name && at < room && strcmp(names[at], name))
            at++;
        if (!name || at == room || out[at])
            return PyErr_Format(PyExc_TypeError, "%s() got an unexpected argument '%s'", call,
                                name ? name : "?"),
                   -1;
        out[at] = args[n + k];
    }
    for (Py_ssize_t i = 0; i < room && n <= room; i++)
        if (!out[i])
            return PyErr_Format(PyExc_TypeError, "%s() misses its argument '%s'", call, names[i]),
                   -1;
    return n <= room
               ? 0
               : (PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments, not %zd", call, room, n),
                  -1);
}

int iris__take_pid(PyObject *const *args, Py_ssize_t n, PyObject *keywords, const char *call,
                   uint64_t *pid)
{
    static const char *const names[] = {"pid", NULL};
    PyObject *target;
    return iris__take(args, n, keywords, call, names, &target) || iris__pid(target, pid) ? -1 : 0;
}
