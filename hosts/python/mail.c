/* PyRuntime: messages, timers and questions. */
#include "runtime.h"

#include "wait.h"

#include <stdlib.h>
#include <string.h>

/* IRIS_OK: there may be room now. Ctrl-C is seen meanwhile: -2. */
static int wait_for_room(struct host *h, uint64_t pid)
{
    struct wait *w = iris__wait_create();
    if (!w)
        return -2;
    w->answer = (iris_answer){.job.run = iris__wait_answered};
    int refused = iris__ext.mailbox->room(h->self, pid, &w->answer.job, NULL);
    if (refused)
        iris__wait_release(w); /* the core's side: it will not come */
    int waited = refused ? 0 : iris__wait_for(w, -1);
    iris__wait_release(w);
    return waited ? -2 : refused;
}

enum { IN_LINE = 50000000 }; /* ns until Ctrl-C is looked for */

/* A thread that is no actor's waits where an actor would: at mailboxes that block. In line for a moment, where
 * the copy of a mailbox that spills is made, then for room. */
static int wait_at_the_door(struct host *h, uint64_t pid, PyObject *data)
{
    iris_mailbox_look look = {.size = sizeof look, .abi = IRIS_ABI};
    Py_buffer view;
    if (iris__ext.mailbox->look(h->self, pid, &look) ||
        (look.policy != IRIS_BLOCK && look.policy != IRIS_SPILL))
        return IRIS_FULL;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE))
        return -2;
    int result;
    Py_BEGIN_ALLOW_THREADS;
    result = iris__ext.mailbox->send_wait(h->self, pid, view.buf, (size_t)view.len, 0, IN_LINE);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&view);
    while (result == IRIS_EMPTY || result == IRIS_FULL) {
        if ((result = PyErr_CheckSignals() ? -2 : wait_for_room(h, pid)))
            break;
        result = iris__send_object(h, h->self, pid, data, 0);
    }
    return result;
}

/* Results of api->send; -2: an exception. */
static int deliver(struct host *h, uint64_t pid, PyObject *data)
{
    int result = iris__send_object(h, iris__caller(h), pid, data, 0);
    if (__builtin_expect(result == IRIS_FULL, 0) && !iris__current.self)
        result = wait_at_the_door(h, pid, data);
    return result;
}

static PyObject *send(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    static const char *const names[] = {"pid", "data", NULL};
    PyObject *own[2], *const *given = args;
    struct host *h = iris__runtime_host(self);
    uint64_t pid;
    if (!h)
        return NULL;
    if (__builtin_expect(n != 2 || keywords, 0)) {
        if (iris__take(args, n, keywords, "send", names, own))
            return NULL;
        given = own;
    }
    if (iris__pid(given[0], &pid))
        return NULL;
    int result = deliver(h, pid, given[1]);
    return result == -2 ? NULL : PyBool_FromLong(result == IRIS_OK);
}

static PyObject *set_policy(PyObject *self, PyObject *args)
{
    struct host *h = iris__runtime_host(self);
    PyObject *target, *other;
    unsigned policy;
    uint64_t pid, fallback;
    if (!h || !PyArg_ParseTuple(args, "OIO:_set_policy", &target, &policy, &other) ||
        iris__pid(target, &pid) || iris__pid(other, &fallback))
        return NULL;
    iris__ext.mailbox->policy(h->self, pid, policy, fallback, 0); /* unbounded ones stay so */
    Py_RETURN_NONE;
}

static PyObject *send_named(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"name", "data", NULL};
    const char *name;
    PyObject *data;
    struct host *h = iris__runtime_host(self);
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "sO:send_named", names, &name, &data))
        return NULL;
    uint64_t pid = iris__ext.name->find(h->self, name);
    int result = pid ? deliver(h, pid, data) : IRIS_DEAD;
    return result == -2 ? NULL : PyBool_FromLong(result == IRIS_OK);
}

static PyObject *send_many(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"pid", "payloads", NULL};
    PyObject *to, *payloads, *item;
    uint64_t pid;
    long accepted = 0;
    struct host *h = iris__runtime_host(self);
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "OO:send_many", names, &to, &payloads) ||
        iris__pid(to, &pid))
        return NULL;
    PyObject *each = PyObject_GetIter(payloads);
    while (each && (item = PyIter_Next(each))) {
        accepted += deliver(h, pid, item) == IRIS_OK;
        Py_DECREF(item);
        if (PyErr_Occurred())
            break;
    }
    Py_XDECREF(each);
    return PyErr_Occurred() ? NULL : PyLong_FromLong(accepted);
}

/* ---- timers ---- */

static PyObject *start_timer(PyObject *self, PyObject *args, PyObject *keywords, int repeats)
{
    static char *once[] = {"pid", "delay_ms", "data", NULL};
    static char *again[] = {"pid", "interval_ms", "data", NULL};
    struct host *h = iris__runtime_host(self);
    PyObject *to;
    Py_buffer data;
    double ms;
    uint64_t pid, id = 0;
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "Ody*", repeats ? again : once, &to, &ms,
                                           &data))
        return NULL;
    if (iris__pid(to, &pid)) {
        PyBuffer_Release(&data);
        return NULL;
    }
    if (!(ms >= 0) || (repeats && ms == 0) || ms > 9e15 / 1e3) {
        PyBuffer_Release(&data);
        return PyErr_Format(PyExc_ValueError, "%s must be %s milliseconds, not %S",
                            repeats ? "interval_ms" : "delay_ms",
                            repeats ? "more than 0" : "0 or more", PyTuple_GET_ITEM(args, 1)),
               NULL;
    }
    int64_t ns = (int64_t)(ms * 1e6);
    iris_actor *caller = iris__caller(h);
    size_t len = (size_t)data.len;
    const iris_timer_api *timer = iris__ext.timer; /* the original's intervals fire first at once */
    int result = repeats ? timer->every_from(caller, pid, 0, ns ? ns : 1, data.buf, len, &id)
                         : timer->after(caller, pid, ns, data.buf, len, &id);
    PyBuffer_Release(&data);
    if (result == IRIS_FAIL || result == IRIS_LARGE)
        return result == IRIS_LARGE
                   ? PyErr_Format(PyExc_ValueError, "data is above the limit of a message")
                   : iris__raise_reason(NULL);
    return PyLong_FromUnsignedLongLong(result == IRIS_OK ? id : 0);
}

static PyObject *send_after(PyObject *self, PyObject *args, PyObject *keywords)
{
    return start_timer(self, args, keywords, 0);
}

static PyObject *send_interval(PyObject *self, PyObject *args, PyObject *keywords)
{
    return start_timer(self, args, keywords, 1);
}

static PyObject *cancel_timer(PyObject *self, PyObject *const *args, Py_ssize_t n,
                              PyObject *keywords)
{
    static const char *const names[] = {"timer_id", NULL};
    struct host *h = iris__runtime_host(self);
    PyObject *id;
    uint64_t number;
    if (!h || iris__take(args, n, keywords, "cancel_timer", names, &id) || iris__pid(id, &number))
        return NULL;
    return PyBool_FromLong(iris__ext.timer->cancel(iris__caller(h), number) == IRIS_OK);
}

/* ---- questions ---- */

static void raise_ended(uint64_t pid, const iris_message *m)
{
    PyObject *why = m ? PyUnicode_DecodeUTF8(m->data, (Py_ssize_t)m->len, "replace")
                      : PyUnicode_FromString("there is no such actor (any more)");
    if (why)
        PyErr_Format(iris__no_such_actor, "actor %llu did not answer: %U", pid, why);
    Py_XDECREF(why);
}

static PyObject *raise_answer(int result, const iris_message *m, uint64_t pid)
{
    switch (result) {
    case IRIS_EMPTY:
        PyErr_Format(PyExc_TimeoutError, "actor %llu has not answered in time", pid);
        break;
    case IRIS_FULL:
        PyErr_Format(iris__mailbox_full, "the mailbox of actor %llu is full", pid);
        break;
    case IRIS_LARGE:
        PyErr_SetString(PyExc_ValueError, "data is above the limit of a message");
        break;
    default:
        raise_ended(pid, m);
    }
    return NULL;
}

static int ask(struct host *h, uint64_t pid, Py_buffer *data, int64_t timeout, iris_answer *answer)
{
    int64_t for_ever = INT64_MAX / 4;
    int result = iris__ext.ask->ask(iris__caller(h), pid, data->buf, (size_t)data->len,
                                    timeout < 0 ? for_ever : timeout, answer);
    PyBuffer_Release(data);
    return result;
}

int iris__waits_for_itself(const struct host *h)
{
    if (!iris__driver || iris__driver->host != h || iris__driver == &h->maker)
        return 0;
    PyErr_SetString(iris__error, "a handler that waits for an answer holds up all other Python "
                                 "actors: make it async def and await rt.ask(..), or spawn it "
                                 "with release_gil=True");
    return 1;
}

static PyObject *ask_wait(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"pid", "data", "timeout", NULL};
    struct host *h = iris__runtime_host(self);
    PyObject *to, *timeout = NULL;
    Py_buffer data;
    uint64_t pid;
    int64_t ns = 5000000000;
    if (!h || iris__waits_for_itself(h) ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "Oy*|O:ask_wait", names, &to, &data, &timeout))
        return NULL;
    struct wait *w = NULL;
    if (iris__pid(to, &pid) || (timeout && iris__seconds(timeout, "timeout", &ns)) ||
        !(w = iris__wait_create())) {
        PyBuffer_Release(&data);
        return NULL;
    }
    w->answer = (iris_answer){.job.run = iris__wait_answered};
    int result = ask(h, pid, &data, ns, &w->answer), waited = 0;
    if (result)
        iris__wait_release(w); /* the core's side: it will not come */
    else
        waited = iris__wait_for(w, -1); /* the core keeps the time */
    PyObject *out = NULL;
    if (!waited && !result && w->answer.result == IRIS_OK)
        out = iris__message_bytes(w->answer.message);
    else if (!waited)
        raise_answer(result ? result : w->answer.result, result ? NULL : w->answer.message, pid);
    iris__wait_release(w);
    return out;
}

/* join(pid, timeout=None): on one of our executors it would wait for itself. */
static PyObject *join(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"pid", "timeout", NULL};
    struct host *h = iris__runtime_host(self);
    PyObject *target, *timeout = NULL;
    uint64_t pid;
    int64_t ns;
    if (!h || iris__waits_for_itself(h) ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "O|O:join", names, &target, &timeout) ||
        iris__pid(target, &pid) || iris__seconds(timeout, "timeout", &ns))
        return NULL;
    struct wait *w = iris__wait_create();
    if (!w)
        return NULL;
    w->answer = (iris_answer){.job.run = iris__wait_answered};
    int refused = iris__ext.watch->ended(h->self, pid, ns, &w->answer);
    if (refused)
        iris__wait_release(w);
    int waited = refused ? 0 : iris__wait_for(w, -1);
    int result = refused ? refused : waited ? IRIS_OK : w->answer.result;
    iris__wait_release(w);
    if (waited || refused < 0)
        return waited ? NULL : iris__raise_reason(NULL);
    if (result == IRIS_EMPTY)
        return PyErr_Format(PyExc_TimeoutError, "actor %llu has not ended in time", pid), NULL;
    Py_RETURN_NONE;
}

/* The same with a callback: told(answer, None) or told(None, exception), on a thread of ours. */
struct question {
    iris_answer answer;
    PyObject *told;
    uint64_t pid;
};

static void on_answer(iris_job *job)
{
    struct question *q = (struct question *)job;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *bytes = NULL, *type = NULL, *value = NULL, *trace = NULL;
    if (q->answer.result == IRIS_OK)
        bytes = iris__message_bytes(q->answer.message);
    else
        raise_answer(q->answer.result, q->answer.message, q->pid);
    if (!bytes) {
        PyErr_Fetch(&type, &value, &trace);
        PyErr_NormalizeException(&type, &value, &trace);
    }
    PyObject *done = PyObject_CallFunctionObjArgs(q->told, bytes ? bytes : Py_None,
                                                  value ? value : Py_None, NULL);
    if (!done) /* its event loop has gone */
        PyErr_Clear();
    Py_XDECREF(done);
    Py_XDECREF(bytes);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    if (q->answer.message)
        iris__api->drop(q->answer.message);
    Py_DECREF(q->told);
    free(q);
    PyGILState_Release(gil);
}

static PyObject *ask_told(PyObject *self, PyObject *args)
{
    struct host *h = iris__runtime_host(self);
    PyObject *to, *timeout, *told;
    Py_buffer data;
    uint64_t pid;
    int64_t ns;
    if (!h || !PyArg_ParseTuple(args, "Oy*OO:_ask", &to, &data, &timeout, &told))
        return NULL;
    struct question *q = NULL;
    if (iris__pid(to, &pid) || iris__seconds(timeout, "timeout", &ns) || !(q = malloc(sizeof *q))) {
        PyBuffer_Release(&data);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    *q = (struct question){.answer = {.job.run = on_answer, .on = h->main.executor},
                           .told = Py_NewRef(told),
                           .pid = pid};
    int result = ask(h, pid, &data, ns, &q->answer);
    if (result == IRIS_OK)
        Py_RETURN_NONE;
    Py_DECREF(told);
    free(q);
    return raise_answer(result, NULL, pid);
}

PyMethodDef iris__mail_methods[] = {
    {"send", (PyCFunction)(void (*)(void))send, METH_FASTCALL | METH_KEYWORDS,
     "send($self, pid, data)\n--\n\nTrue: the message is in the actor's mailbox, and will be handled or counted "
     "as a dead letter.\nFalse: there is no such actor (any more), its mailbox is full, or data too large."},
    {"_set_policy", set_policy, METH_VARARGS, NULL},
    {"send_named", (PyCFunction)(void (*)(void))send_named, METH_VARARGS | METH_KEYWORDS,
     "send_named($self, name, data)\n--\n\nThe same to whoever has this name or path now."},
    {"send_many", (PyCFunction)(void (*)(void))send_many, METH_VARARGS | METH_KEYWORDS,
     "send_many($self, pid, payloads)\n--\n\nSends each of them in order; how many were accepted."},
    {"send_after", (PyCFunction)(void (*)(void))send_after, METH_VARARGS | METH_KEYWORDS,
     "send_after($self, pid, delay_ms, data)\n--\n\nSends later, once. The timer's id; 0: there is no such actor."},
    {"send_interval", (PyCFunction)(void (*)(void))send_interval, METH_VARARGS | METH_KEYWORDS,
     "send_interval($self, pid, interval_ms, data)\n--\n\nSends at once and then again and again, until "
     "cancelled or the actor ends. The timer's id."},
    {"cancel_timer", (PyCFunction)(void (*)(void))cancel_timer, METH_FASTCALL | METH_KEYWORDS,
     "cancel_timer($self, timer_id)\n--\n\nTrue: it will not fire any more. False: it was over already."},
    {"ask_wait", (PyCFunction)(void (*)(void))ask_wait, METH_VARARGS | METH_KEYWORDS,
     "ask_wait($self, pid, data, timeout=5.0)\n--\n\nSends, waits for the answer, and gives it. TimeoutError, "
     "iris.NoSuchActor (also: it crashed\non this message), iris.MailboxFull."},
    {"join", (PyCFunction)(void (*)(void))join, METH_VARARGS | METH_KEYWORDS,
     "join($self, pid, timeout=None)\n--\n\nWaits until the actor has ended. TimeoutError."},
    {"_ask", ask_told, METH_VARARGS, NULL},
    {0},
};
