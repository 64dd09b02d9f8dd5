#include "async.h"

#include "runtime.h"

#include <structmember.h>

#include <stdlib.h>
#include <string.h>

/* The mailbox of an async pull actor. To the core it is an actor that puts its messages off: they stay in
 * its books until recv() has moved on to the next. */

struct entry { /* one that waits to be received */
    struct entry *next;
    const iris_message *message; /* or NULL: */
    PyObject *object;            /* a signal, or what a selective recv() has passed over */
    int tells_swap;              /* the signal HOT_SWAP */
};

struct box {
    PyObject_HEAD iris_job job; /* to end its actor, on its executor */
    struct host *host;
    const struct script *script;
    iris_actor *actor; /* NULL: it has ended */
    uint64_t pid;
    struct entry *first, **last;
    const iris_message *taken; /* recv() has given it out, and it is the handler's until the next */
    PyObject *waiter;          /* a future, or NULL */
    PyObject *task;            /* _aio sets it */
    char *reason;              /* it has crashed with */
    uint64_t crash; /* the signal that brings it into the turn where that is told; 0: none */
    int ends;
    int told;     /* it was given HOT_SWAP: if it returns, that is for a swap */
    int is_off;   /* which was refused: with the next recv() it goes on as if not told */
    int returned; /* it has, and the swap is not decided yet */
};

static void settle_taken(struct box *b, int result)
{
    const iris_message *m = b->taken;
    b->taken = NULL;
    if (m)
        iris__api->done(m, result);
}

static void free_entry(struct entry *e)
{
    Py_XDECREF(e->object);
    free(e);
}

static void wake_waiter(struct box *b)
{
    PyObject *waiter = b->waiter, *done = NULL;
    b->waiter = NULL;
    if (!waiter)
        return;
    PyObject *is_done = PyObject_CallMethod(waiter, "done", NULL);
    if (is_done == Py_False)
        done = PyObject_CallMethod(waiter, "set_result", "O", Py_None);
    Py_XDECREF(done);
    Py_XDECREF(is_done);
    Py_DECREF(waiter);
    PyErr_Clear();
}

static int append(struct box *b, const iris_message *m, PyObject *object)
{
    struct entry *e = calloc(1, sizeof *e);
    if (!e)
        return -1;
    e->message = m;
    e->object = object;
    *b->last = e;
    b->last = &e->next;
    return 0;
}

/* ---- what the handler calls ---- */

static PyObject *look(struct entry *e)
{
    return e->object ? Py_NewRef(e->object) : iris__message_bytes(e->message);
}

static int matches(PyObject *matcher, PyObject *message)
{
    PyObject *answer = PyObject_CallOneArg(matcher, message);
    int is = answer ? PyObject_IsTrue(answer) : 0;
    Py_XDECREF(answer);
    PyErr_Clear();
    return is > 0;
}

/* What it passes over is not in the core's books any more, or nothing else could come. */
static int release_entry(struct entry *e, PyObject *object)
{
    if (!e->message)
        return 0;
    iris__api->done(e->message, IRIS_OK);
    e->message = NULL;
    e->object = Py_NewRef(object);
    return 0;
}

/* _take(matcher): the first (that matches), or None. */
static PyObject *take(PyObject *self, PyObject *matcher)
{
    struct box *b = (struct box *)self;
    settle_taken(b, IRIS_OK);
    if (b->is_off)
        b->told = b->is_off = 0;
    for (struct entry **at = &b->first; *at;) {
        struct entry *e = *at;
        PyObject *object = look(e);
        if (!object)
            return NULL;
        if (matcher != Py_None && !matches(matcher, object)) {
            release_entry(e, object);
            Py_DECREF(object);
            at = &e->next;
            continue;
        }
        *at = e->next;
        if (b->last == &e->next)
            b->last = at;
        b->taken = e->message;
        b->told |= e->tells_swap;
        free_entry(e);
        return object;
    }
    Py_RETURN_NONE;
}

static PyObject *await(PyObject *self, PyObject *future)
{
    struct box *b = (struct box *)self;
    Py_XSETREF(b->waiter, Py_NewRef(future));
    Py_RETURN_NONE;
}

/* ---- the end ---- */

static void give_back(struct box *b, int result)
{
    for (struct entry *e = b->first, *next; e; e = next) {
        next = e->next;
        if (e->message)
            iris__api->done(e->message, result);
        free_entry(e);
    }
    b->first = NULL;
    b->last = &b->first;
}

/* A crash is what a turn says. Signals come before all mail, and nobody is called 0: there comes one now. */
static int is_to_crash(struct box *b)
{
    return b->reason && iris__ext.watch->monitor(b->actor, 0, &b->crash) == IRIS_OK;
}

/* [exec] In a drain, where the actor may be told to leave. */
static void leave(iris_job *job)
{
    struct box *b = (struct box *)((char *)job - offsetof(struct box, job));
    PyGILState_STATE gil = PyGILState_Ensure();
    if (b->actor && !is_to_crash(b))
        iris__api->exit(b->actor, b->reason);
    Py_DECREF(b);
    PyGILState_Release(gil);
}

static void end(struct box *b)
{
    if (b->ends++ || !b->actor)
        return;
    Py_INCREF(b);
    b->job.run = leave;
    iris__api->post(b->host->loop->driver.executor, &b->job);
}

static void unlink_entry(struct box *b, struct entry **at)
{
    struct entry *e = *at;
    *at = e->next;
    if (b->last == &e->next)
        b->last = at;
    free_entry(e);
}

/* Of what is decided: the newcomer is what it told of. */
static void forget_swaps(struct box *b)
{
    for (struct entry **at = &b->first; *at;)
        if ((*at)->tells_swap)
            unlink_entry(b, at);
        else
            at = &(*at)->next;
}

/* What it has not taken is in the core's hands again; what it has passed over is not, and stays. */
static void put_back(struct box *b)
{
    for (struct entry **at = &b->first; *at;)
        if ((*at)->message) {
            iris__api->done((*at)->message, IRIS_AGAIN);
            unlink_entry(b, at);
        } else
            at = &(*at)->next;
}

/* The handler begins (again), in the same mailbox. */
static PyObject *succeed(struct box *b)
{
    b->told = b->is_off = 0;
    settle_taken(b, IRIS_OK);
    struct current before = iris__current;
    iris__current = (struct current){b->host, b->actor};
    PyObject *coroutine = PyObject_CallOneArg(b->script->callable, (PyObject *)b);
    iris__current = before;
    return coroutine;
}

/* _next(): the coroutine that goes on after a swap, or its refusal; False: not decided yet; None: it has ended. */
static PyObject *next(PyObject *self, PyObject *unused)
{
    struct box *b = (struct box *)self;
    (void)unused;
    if (!b->actor || b->ends)
        Py_RETURN_NONE;
    return b->returned ? Py_NewRef(Py_False) : succeed(b);
}

static void leave_now(struct box *b)
{
    end(b);
    give_back(b, IRIS_AGAIN);
    settle_taken(b, IRIS_OK);
}

/* done(): the handler has returned. What is to be awaited next, or None. */
static PyObject *done(PyObject *self, PyObject *unused)
{
    struct box *b = (struct box *)self;
    (void)unused;
    if (b->told && b->actor && !b->ends) {
        settle_taken(b, IRIS_OK);
        put_back(b);
        forget_swaps(b);
        b->returned =
            iris__ext.reader->handover(b->actor) == IRIS_OK; /* else it was refused just now */
        return PyObject_CallMethod(self, "_go_on", NULL);
    }
    leave_now(b);
    Py_RETURN_NONE;
}

static PyObject *failed(PyObject *self, PyObject *exception)
{
    struct box *b = (struct box *)self;
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    if (b->actor && b->taken) { /* it crashed on this message */
        b->ends++;
        give_back(b, IRIS_AGAIN);
        iris__show_lines(b->script);
        iris__fail_raised();
        settle_taken(b, IRIS_FAIL);
        Py_RETURN_NONE;
    }
    PyObject *text = iris__describe_raised();
    const char *words = text ? PyUnicode_AsUTF8(text) : NULL;
    PyErr_Clear();
    if (b->actor && !b->ends)
        b->reason = strdup(words ? words : "?");
    Py_XDECREF(text);
    leave_now(b);
    Py_RETURN_NONE;
}

static PyObject *get_pid(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(((struct box *)self)->pid);
}

static PyObject *is_closed(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(!((struct box *)self)->actor);
}

static void dealloc(PyObject *self)
{
    struct box *b = (struct box *)self;
    PyObject_GC_UnTrack(self);
    give_back(b, IRIS_OK);
    settle_taken(b, IRIS_OK);
    Py_XDECREF(b->waiter);
    Py_XDECREF(b->task);
    free(b->reason);
    Py_TYPE(self)->tp_free(self);
}

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    struct box *b = (struct box *)self;
    Py_VISIT(b->waiter);
    Py_VISIT(b->task);
    return 0;
}

static int clear(PyObject *self)
{
    struct box *b = (struct box *)self;
    Py_CLEAR(b->waiter);
    Py_CLEAR(b->task);
    return 0;
}

static PyMethodDef methods[] = {{"_take", take, METH_O, NULL},      {"_await", await, METH_O, NULL},
                                {"_next", next, METH_NOARGS, NULL}, {"done", done, METH_O, NULL},
                                {"failed", failed, METH_O, NULL},   {0}};

static PyMemberDef members[] = {{"task", T_OBJECT, offsetof(struct box, task), 0, NULL}, {0}};

static PyGetSetDef properties[] = {{"pid", get_pid, NULL, "whose mailbox this is", NULL},
                                   {"closed", is_closed, NULL, "its actor has ended", NULL},
                                   {0}};

static PyTypeObject type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "iris._Box",
    .tp_basicsize = sizeof(struct box),
    .tp_dealloc = dealloc,
    .tp_traverse = traverse,
    .tp_clear = clear,
    .tp_methods = methods,
    .tp_members = members,
    .tp_getset = properties,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
};

/* ---- what the core calls ---- */

static PyObject *make(const struct script *s, iris_actor *self)
{
    PyObject *module = PyImport_ImportModule("iris._aio");
    struct box *b = module ? (struct box *)PyObject_CallMethod(module, "AsyncMailbox", NULL) : NULL;
    Py_XDECREF(module);
    if (!b)
        return NULL;
    b->host = s->host;
    b->script = s;
    b->actor = self;
    b->pid = iris__api->pid(self);
    b->last = &b->first;
    return (PyObject *)b;
}

/* The handler begins. One that does not wait at all is over with that. */
static int begin(const struct script *s, PyObject *box)
{
    PyObject *result, *coroutine = PyObject_CallOneArg(s->callable, box);
    int waits = coroutine ? iris__loop_begin(s->host->loop, coroutine, box, &result) : -1;
    if (waits < 0)
        return -1;
    if (!waits) {
        Py_DECREF(result);
        end((struct box *)box);
    }
    return 0;
}

int iris__box_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    const struct script *s = b->data;
    PyGILState_STATE gil = PyGILState_Ensure();
    (void)args;
    iris__current = (struct current){s->host, self};
    PyObject *box = make(s, self);
    int failed = !box || begin(s, box);
    iris__current = (struct current){NULL, NULL};
    if (failed && box)
        ((struct box *)box)->actor = NULL;
    if (failed) {
        iris__show_lines(s);
        iris__fail_raised();
        Py_CLEAR(box);
    }
    *state = box;
    PyGILState_Release(gil);
    return failed ? IRIS_FAIL : IRIS_OK;
}

/* ref: it is off, and what has returned for it begins again. */
static int hear_of_swap(struct box *b, const iris_message *m)
{
    if (m->ref) {
        b->is_off = b->told;
        b->returned = 0;
        forget_swaps(b);
        return 0;
    }
    PyObject *signal = iris__signal_object(m);
    if (!signal || append(b, NULL, signal)) {
        Py_XDECREF(signal);
        return -1;
    }
    ((struct entry *)((char *)b->last - offsetof(struct entry, next)))->tells_swap = 1;
    return 0;
}

static int take_in(struct box *b, iris_actor *self, const iris_message *m)
{
    if (m->kind == IRIS_USER)
        return append(b, m, NULL) || iris__api->later(self, m) ? -1 : 0;
    if (m->kind == IRIS_HOT_SWAP)
        return hear_of_swap(b, m);
    PyObject *signal = iris__signal_object(m);
    return !signal || append(b, NULL, signal) ? -1 : 0;
}

int iris__box_handle(const iris_behaviour *behaviour, iris_actor *self, void *state,
                     const iris_message *const *m, int n)
{
    struct box *b = state;
    (void)behaviour;
    if (b->ends) { /* what comes now is not for this handler any more */
        int crashes = b->crash && m[0]->kind == IRIS_DOWN && m[0]->ref == b->crash;
        return crashes ? (iris__api->fail("%s", b->reason), ~0) : 0;
    }
    for (int i = 0; i < n; i++)
        if (take_in(b, self, m[i])) {
            PyErr_Clear();
            return i ? i : iris__api->fail("python: no memory for a message");
        }
    wake_waiter(b);
    return n;
}

static void close_box(struct box *b)
{
    b->actor = NULL;
    give_back(b, IRIS_OK);
    settle_taken(b, IRIS_OK);
    wake_waiter(b);
}

/* The handler has returned, and the new version's begins. */
int iris__box_adopt(const iris_behaviour *new, iris_actor *self, const iris_behaviour *old,
                    void **state)
{
    const struct script *s = new->data, *before = old->data;
    struct box *b = *state;
    (void)self;
    if (before->kind != KIND_ASYNC_PULL)
        return iris__api->fail(
            "\"%s\" is an async pull handler and \"%s\" is none; stop the actor and "
            "start the new one",
            new->name, old->name);
    PyGILState_STATE gil = PyGILState_Ensure();
    b->script = s;
    b->returned = 0;
    wake_waiter(b);
    PyGILState_Release(gil);
    return IRIS_OK;
}

/* Killed: the handler is cancelled where it waits. */
void iris__box_cancel(const iris_behaviour *behaviour, iris_actor *self, void *state)
{
    struct box *b = state;
    (void)behaviour, (void)self;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *task = b->task ? Py_NewRef(b->task) : NULL;
    close_box(b);
    PyObject *done = task ? PyObject_CallMethod(task, "cancel", NULL) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(task);
    PyErr_Clear();
    PyGILState_Release(gil);
}

void iris__box_fini(const iris_behaviour *behaviour, iris_actor *self, void *state)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    if (state)
        close_box(state);
    PyGILState_Release(gil);
    iris__state_fini(behaviour, self, state);
}

int iris__box_ready(PyObject *module)
{
    return PyType_Ready(&type) || PyModule_AddObjectRef(module, "_Box", (PyObject *)&type) ? -1 : 0;
}
