#include "runtime.h"

/* What an actor was spawned as, where it is not a plain one: a swap keeps to it. Notes are the actor's, and
 * not its version's or incarnation's: they stay over swaps and restarts. */

enum { NOTE_KIND = 8, SWEEP_AT = 64 };

static int is_there(struct host *h, uint64_t pid)
{
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    return iris__ext.control->info(h->self, pid, &i) == IRIS_OK;
}

static void forget(struct host *h, PyObject *key)
{
    PyObject *value = PyDict_GetItem(h->special, key);
    if (!value)
        return;
    h->threads -= (PyLong_AsLong(value) & SCRIPT_THREAD) != 0;
    PyDict_DelItem(h->special, key);
}

/* One whose supervisor lets it go after its end is not seen to go: such notes are looked for. */
void iris__notes_sweep(struct host *h)
{
    PyObject *keys = h->special ? PyDict_Keys(h->special) : NULL;
    for (Py_ssize_t i = 0; keys && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        if (!is_there(h, PyLong_AsUnsignedLongLong(key)))
            forget(h, key);
    }
    Py_XDECREF(keys);
    PyErr_Clear();
    h->sweep_at = h->special ? 2 * PyDict_Size(h->special) + SWEEP_AT : SWEEP_AT;
}

int iris__note(struct host *h, uint64_t pid, enum kind asked, unsigned flags)
{
    if (!h->special && !(h->special = PyDict_New()))
        return -1;
    if (PyDict_Size(h->special) >= h->sweep_at)
        iris__notes_sweep(h);
    PyObject *key = PyLong_FromUnsignedLongLong(pid);
    PyObject *value = PyLong_FromLong((long)(asked << NOTE_KIND | flags));
    int result = key && value ? PyDict_SetItem(h->special, key, value) : -1;
    h->threads += result == 0 && flags & SCRIPT_THREAD;
    Py_XDECREF(key);
    Py_XDECREF(value);
    return result;
}

enum kind iris__noted(struct host *h, uint64_t pid, unsigned *flags)
{
    PyObject *key = h->special ? PyLong_FromUnsignedLongLong(pid) : NULL;
    PyObject *value = key ? PyDict_GetItem(h->special, key) : NULL;
    long noted = value ? PyLong_AsLong(value) : 0;
    Py_XDECREF(key);
    *flags = (unsigned)noted & (SCRIPT_THREAD | SCRIPT_VIEW);
    return (enum kind)(noted >> NOTE_KIND);
}

void iris__note_end(struct host *h, uint64_t pid)
{
    PyObject *key = h->special && !is_there(h, pid) ? PyLong_FromUnsignedLongLong(pid) : NULL;
    if (key)
        forget(h, key);
    Py_XDECREF(key);
    PyErr_Clear();
}
