#include "python.h"

#include <structmember.h>

#include <string.h>

/* ---- reasons: "Normal", which equals "normal" too, what the original's programs compare with ---- */

static PyObject *reason_compare(PyObject *a, PyObject *b, int op)
{
    PyObject *same = PyUnicode_Type.tp_richcompare(a, b, op);
    if ((op != Py_EQ && op != Py_NE) || same != (op == Py_EQ ? Py_False : Py_True) ||
        !PyUnicode_Check(b))
        return same;
    PyObject *low = PyObject_CallMethod(a, "lower", NULL);
    PyObject *other = PyObject_CallMethod(b, "lower", NULL);
    Py_XDECREF(same);
    PyObject *result = low && other ? PyUnicode_Type.tp_richcompare(low, other, op) : NULL;
    Py_XDECREF(low);
    Py_XDECREF(other);
    return result;
}

static PyTypeObject reason_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "iris.Reason",
    .tp_richcompare = reason_compare,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc =
        "Why an actor ended: 'Normal', 'Killed', 'Crash', ..; == and match take upper and lower case "
        "for equal. Sets\nand dicts go by the hash, which can only be that of one of them: the word as "
        "shown here.",
};

/* The word in capitals: "Killed". */
static PyObject *word_of(const iris_reason_parts *r)
{
    PyObject *word = PyUnicode_DecodeUTF8(r->word, (Py_ssize_t)r->word_len, "replace");
    PyObject *name = word ? PyObject_CallMethod(word, "capitalize", NULL) : NULL;
    PyObject *reason = name ? PyObject_CallOneArg((PyObject *)&reason_type, name) : NULL;
    Py_XDECREF(name);
    Py_XDECREF(word);
    return reason;
}

/* "how=stop, drained=12", the traceback of a crash, or both. */
static PyObject *metadata_of(const iris_reason_parts *r)
{
    PyObject *keys = PyUnicode_DecodeUTF8(r->metadata, (Py_ssize_t)r->metadata_len, "replace");
    PyObject *text = PyUnicode_DecodeUTF8(r->text, (Py_ssize_t)r->text_len, "replace"), *all = NULL;
    if (keys && text && r->metadata_len && r->text_len)
        all = PyUnicode_FromFormat("%U: %U", keys, text);
    else if (keys && text)
        all = Py_NewRef(r->text_len ? text : r->metadata_len ? keys : Py_None);
    Py_XDECREF(keys);
    Py_XDECREF(text);
    return all;
}

static int split(const iris_message *m, PyObject **reason, PyObject **metadata)
{
    iris_reason_parts r;
    iris_reason_split(m->data, m->len, &r);
    if (!r.metadata)
        r.metadata = "";
    if (!r.text)
        r.text = "";
    *reason = word_of(&r);
    *metadata = *reason ? metadata_of(&r) : NULL;
    return *reason && *metadata ? 0 : -1;
}

/* ---- PySystemMessage ---- */

struct system_message {
    PyObject_HEAD PyObject *type_name, *from_pid, *target_pid, *reason, *metadata;
};

static PyMemberDef members[] = {
    {"type_name", T_OBJECT, offsetof(struct system_message, type_name), READONLY,
     "EXIT, DOWN, HOT_SWAP, STUCK, PING or PONG"},
    {"from_pid", T_OBJECT, offsetof(struct system_message, from_pid), READONLY,
     "whom it is about, or None"},
    {"target_pid", T_OBJECT, offsetof(struct system_message, target_pid), READONLY,
     "of EXIT and DOWN: the actor that has ended; else None"},
    {"reason", T_OBJECT, offsetof(struct system_message, reason), READONLY,
     "of EXIT and DOWN: why; else ''"},
    {"metadata", T_OBJECT, offsetof(struct system_message, metadata), READONLY,
     "more about the reason, such as a traceback; or None"},
    {0},
};

static void dealloc(PyObject *self)
{
    struct system_message *s = (struct system_message *)self;
    Py_XDECREF(s->type_name);
    Py_XDECREF(s->from_pid);
    Py_XDECREF(s->target_pid);
    Py_XDECREF(s->reason);
    Py_XDECREF(s->metadata);
    PyObject_Free(self);
}

static PyObject *repr(PyObject *self)
{
    struct system_message *s = (struct system_message *)self;
    return PyUnicode_FromFormat("PySystemMessage(type_name=%R, target_pid=%R, reason=%R)",
                                s->type_name, s->target_pid, s->reason);
}

static PyTypeObject system_message_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "iris.PySystemMessage",
    .tp_basicsize = sizeof(struct system_message),
    .tp_dealloc = dealloc,
    .tp_repr = repr,
    .tp_members = members,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "What the runtime itself tells an actor.",
};

PyObject *iris__signal_object(const iris_message *m)
{
    struct system_message *s = PyObject_New(struct system_message, &system_message_type);
    if (!s)
        return NULL;
    int ends = m->kind == IRIS_EXIT || m->kind == IRIS_DOWN;
    const char *node = iris_node_signal(m), *name = node ? node : iris_signal_name(m->kind);
    s->type_name = PyUnicode_FromString(name ? name : "SIGNAL");
    s->from_pid = m->from ? PyLong_FromUnsignedLongLong(m->from) : Py_NewRef(Py_None);
    s->target_pid = Py_NewRef(ends && s->from_pid ? s->from_pid : Py_None);
    s->reason = s->metadata = NULL;
    int failed = 0;
    if (iris_signal_has_reason(m))
        failed = split(m, &s->reason, &s->metadata);
    else {
        s->reason = PyUnicode_FromString("");
        s->metadata = Py_NewRef(Py_None);
    }
    if (failed || !s->type_name || !s->from_pid || !s->reason) {
        Py_DECREF(s);
        return NULL;
    }
    return (PyObject *)s;
}

int iris__signals_ready(PyObject *module)
{
    reason_type.tp_base = &PyUnicode_Type;
    reason_type.tp_hash = PyUnicode_Type.tp_hash;
    return PyType_Ready(&reason_type) || PyType_Ready(&system_message_type) ||
                   PyModule_AddObjectRef(module, "Reason", (PyObject *)&reason_type) ||
                   PyModule_AddObjectRef(module, "PySystemMessage",
                                         (PyObject *)&system_message_type)
               ? -1
               : 0;
}
