#include "python.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A large bytes object is given, not copied: the message points into it. Whoever of this interpreter
 * receives it gets that very object again: bytes do not change, so nobody can tell. Which pointers are
 * such gifts stands in a table, under the GIL. */

enum { GIFT_SIZE = 2048 }; /* below, copying costs less than the bookkeeping */

struct gift {
    iris_job job; /* brings it home: release() may come on any thread */
    struct host *host;
    PyObject *bytes;
    struct gift *next, **before; /* the table's: one object may be given a thousand times */
};

static struct {
    struct gift **slots;
    size_t size, used;
} gifts;

static size_t slot_of(const void *data)
{
    uint64_t key = (uint64_t)(uintptr_t)data * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(key >> 32) & (gifts.size - 1);
}

static void enter(struct gift *g)
{
    struct gift **at = &gifts.slots[slot_of(PyBytes_AS_STRING(g->bytes))];
    g->next = *at;
    g->before = at;
    if (g->next)
        g->next->before = &g->next;
    *at = g;
}

static void leave(struct gift *g)
{
    *g->before = g->next;
    if (g->next)
        g->next->before = g->before;
}

static int grow(void)
{
    size_t size = gifts.size ? gifts.size * 2 : 256, before = gifts.size;
    struct gift **slots = calloc(size, sizeof *slots), **old = gifts.slots;
    if (!slots)
        return before ? 0 : -1;
    gifts.slots = slots;
    gifts.size = size;
    for (size_t i = 0; i < before; i++)
        for (struct gift *g = old[i], *next; g; g = next) {
            next = g->next;
            enter(g);
        }
    free(old);
    return 0;
}

static struct gift *gift_at(const void *data)
{
    struct gift *g = gifts.size ? gifts.slots[slot_of(data)] : NULL;
    while (g && PyBytes_AS_STRING(g->bytes) != data)
        g = g->next;
    return g;
}

static void come_home(iris_job *job)
{
    struct gift *g = (struct gift *)job;
    PyGILState_STATE gil = PyGILState_Ensure(); /* a job of the last drain comes without */
    leave(g);
    gifts.used--;
    Py_DECREF(g->bytes);
    free(g);
    PyGILState_Release(gil);
}

/* [no gil] The executor may be the one that calls: then it runs the job when this turn is over. */
static void release(void *ctx)
{
    struct gift *g = ctx;
    iris__api->post(g->host->main.executor, &g->job);
}

static int give(struct host *h, iris_actor *self, uint64_t to, PyObject *bytes, uint64_t ref)
{
    struct gift *g = malloc(sizeof *g);
    if (!g || (gifts.used >= gifts.size && grow())) {
        free(g);
        PyErr_NoMemory();
        return -2;
    }
    *g = (struct gift){.job.run = come_home, .host = h, .bytes = Py_NewRef(bytes)};
    enter(g);
    gifts.used++;
    return iris__api->give(self, to, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes), ref,
                           release, g);
}

static int send_buffer(iris_actor *self, uint64_t to, PyObject *data, uint64_t ref)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError,
                         "a message is bytes, or any object with a contiguous buffer (bytearray, "
                         "memoryview, array, ..), not %.80s; encode text with .encode()",
                         Py_TYPE(data)->tp_name);
        return -2;
    }
    int result = iris__api->send(self, to, view.buf, (size_t)view.len, ref);
    PyBuffer_Release(&view);
    return result;
}

int iris__send_object(struct host *h, iris_actor *self, uint64_t to, PyObject *data, uint64_t ref)
{
    if (!PyBytes_CheckExact(data))
        return send_buffer(self, to, data, ref);
    if (PyBytes_GET_SIZE(data) < GIFT_SIZE)
        return iris__api->send(self, to, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data),
                               ref);
    return give(h, self, to, data, ref);
}

PyObject *iris__message_bytes(const iris_message *m)
{
    struct gift *g = m->len >= GIFT_SIZE ? gift_at(m->data) : NULL;
    if (g)
        return Py_NewRef(g->bytes);
    return PyBytes_FromStringAndSize(m->data, (Py_ssize_t)m->len);
}

/* Bytes do not change, but nobody can tell these from others that came from the allocator to the same place. */
static void fill(PyObject *bytes, const iris_message *m)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    ((PyBytesObject *)bytes)->ob_shash = -1; /* it is computed when it is asked for */
#pragma GCC diagnostic pop
    memcpy(PyBytes_AS_STRING(bytes), m->data, m->len);
}

PyObject *iris__message_bytes_after(PyObject *before, const iris_message *m)
{
    if (before && Py_REFCNT(before) == 1 && m->len < GIFT_SIZE &&
        (size_t)PyBytes_GET_SIZE(before) == m->len) {
        fill(before, m);
        return before;
    }
    Py_XDECREF(before);
    return iris__message_bytes(m);
}

PyObject *iris__message_object(const iris_message *m)
{
    return m->kind == IRIS_USER ? iris__message_bytes(m) : iris__signal_object(m);
}

int iris__message_matches(const iris_message *m, PyObject *matcher)
{
    PyObject *message = iris__message_object(m);
    PyObject *answer = message ? PyObject_CallOneArg(matcher, message) : NULL;
    int is = answer ? PyObject_IsTrue(answer) : 0;
    if (!answer || is < 0) {
        PyErr_Clear();
        is = 0;
    }
    Py_XDECREF(answer);
    Py_XDECREF(message);
    return is;
}

PyObject *iris__message_take(const iris_message *m)
{
    PyObject *bytes = iris__message_bytes(m);
    iris__api->drop(m);
    return bytes;
}

/* ---- views: the message itself, kept as long as somebody looks ---- */

struct view {
    PyObject_HEAD const iris_message *message;
    struct host *host; /* stays open as long as it has views */
};

static int view_buffer(PyObject *self, Py_buffer *buffer, int flags)
{
    const iris_message *m = ((struct view *)self)->message;
    return PyBuffer_FillInfo(buffer, self, (void *)(uintptr_t)m->data, (Py_ssize_t)m->len, 1,
                             flags);
}

static void view_dealloc(PyObject *self)
{
    struct view *v = (struct view *)self;
    iris__api->drop(v->message);
    v->host->views--;
    PyObject_Free(self);
}

static PyBufferProcs view_as_buffer = {.bf_getbuffer = view_buffer};

static PyTypeObject view_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "iris._View",
    .tp_basicsize = sizeof(struct view),
    .tp_dealloc = view_dealloc,
    .tp_as_buffer = &view_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "A message of the runtime's, read-only; what memoryviews of handlers stand on.",
};

/* A view of bytes of our own, or of a small copy, needs nothing of the runtime. */
static PyObject *view_bytes(const iris_message *m)
{
    PyObject *bytes = iris__message_bytes(m);
    PyObject *memory = bytes ? PyMemoryView_FromObject(bytes) : NULL;
    Py_XDECREF(bytes);
    return memory;
}

PyObject *iris__message_view(const iris_message *m)
{
    if (m->len < GIFT_SIZE || gift_at(m->data))
        return view_bytes(m);
    struct view *v = PyObject_New(struct view, &view_type);
    if (!v)
        return NULL;
    iris__api->keep(m);
    v->message = m;
    v->host = iris__current.host;
    v->host->views++;
    PyObject *memory = PyMemoryView_FromObject((PyObject *)v);
    Py_DECREF(v);
    return memory;
}

/* ---- bytes that are written before they are sent ---- */

struct draft {
    PyObject_HEAD PyObject *bytes;
    int writers; /* memoryviews and what stands on them */
};

static int draft_buffer(PyObject *self, Py_buffer *buffer, int flags)
{
    struct draft *d = (struct draft *)self;
    d->writers++;
    return PyBuffer_FillInfo(buffer, self, PyBytes_AS_STRING(d->bytes), PyBytes_GET_SIZE(d->bytes),
                             0, flags);
}

static void draft_release(PyObject *self, Py_buffer *buffer)
{
    (void)buffer;
    ((struct draft *)self)->writers--;
}

/* As they are, if nobody can write to them any more. */
static PyObject *draft_take(PyObject *self, PyObject *unused)
{
    struct draft *d = (struct draft *)self;
    (void)unused;
    return d->writers
               ? PyBytes_FromStringAndSize(PyBytes_AS_STRING(d->bytes), PyBytes_GET_SIZE(d->bytes))
               : Py_NewRef(d->bytes);
}

static void draft_dealloc(PyObject *self)
{
    Py_DECREF(((struct draft *)self)->bytes);
    PyObject_Free(self);
}

static PyBufferProcs draft_as_buffer = {.bf_getbuffer = draft_buffer,
                                        .bf_releasebuffer = draft_release};

static PyMethodDef draft_methods[] = {{"take", draft_take, METH_NOARGS, NULL}, {0}};

static PyTypeObject draft_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "iris._Draft",
    .tp_basicsize = sizeof(struct draft),
    .tp_dealloc = draft_dealloc,
    .tp_as_buffer = &draft_as_buffer,
    .tp_methods = draft_methods,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Bytes that nobody else has seen yet.",
};

PyObject *iris__new_bytes(PyObject *module, PyObject *size)
{
    Py_ssize_t len = PyNumber_AsSsize_t(size, PyExc_OverflowError);
    (void)module;
    if (len == -1 && PyErr_Occurred())
        return NULL;
    /* One byte or none would be bytes that all share; one more than asked for is cut off at the end. */
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, len < 2 ? 2 : len);
    struct draft *d = bytes ? PyObject_New(struct draft, &draft_type) : NULL;
    if (!d) {
        Py_XDECREF(bytes);
        return NULL;
    }
    memset(PyBytes_AS_STRING(bytes), 0, (size_t)PyBytes_GET_SIZE(bytes));
    Py_SET_SIZE((PyVarObject *)bytes, len < 2 ? len : PyBytes_GET_SIZE(bytes));
    d->bytes = bytes;
    d->writers = 0;
    PyObject *view = PyMemoryView_FromObject((PyObject *)d);
    PyObject *pair = view ? PyTuple_Pack(2, d, view) : NULL;
    Py_XDECREF(view);
    Py_DECREF(d);
    return pair;
}

int iris__messages_ready(PyObject *module)
{
    (void)module;
    return PyType_Ready(&view_type) || PyType_Ready(&draft_type) ? -1 : 0;
}
