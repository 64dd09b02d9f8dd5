/* async def handlers. They run on the thread of one asyncio loop, which drains an executor of its own: the
 * loop's selector waits for a descriptor that wake() writes to.
 *
 * The turns of that executor are had inside asyncio tasks ("lanes"). A coroutine that runs through costs no
 * task of its own. One that waits takes over the task that it is in, so current_task(), timeouts and task
 * groups are what they are anywhere, and the other turns go on in a new one. */
#ifndef IRIS_PYTHON_ASYNC_H
#define IRIS_PYTHON_ASYNC_H

#include "python.h"

struct box; /* an async mailbox */

struct loop {
    struct driver driver;
    PyObject *object; /* iris._aio.Loop */
    PyObject *open;   /* pid -> what waits there, of push actors */
    int bell;
    PyObject
        *suspended; /* what has come to wait in this turn: (coroutine, future, context, pending) */
};

/* The loop of this host, made if need be; NULL: api->fail() has said why. */
struct loop *iris__loop_get(struct host *);
void iris__loop_close(struct host *); /* [no gil] */

/* A coroutine, or whatever else a handler gave: 1: it waits now, as loop->suspended; 0: *result is what it
 * returned; -1: an exception. Takes the reference. */
int iris__loop_begin(struct loop *, PyObject *coroutine, PyObject *pending, PyObject **result);

/* ready.c */
int iris__ready_begin(
    void); /* [turn] in the context that a coroutine is about to begin in; -1: an exception */
PyObject *iris__say_ready(PyObject *module, PyObject *unused);
int iris__ready_ready(PyObject *module);

/* behaviour.handle and cancel of async push handlers; init, handle, fini, cancel of async pull ones. */
int iris__async_handle(const iris_behaviour *, iris_actor *, void *, const iris_message *const *,
                       int);
void iris__async_cancel(const iris_behaviour *, iris_actor *, void *);
int iris__box_init(const iris_behaviour *, iris_actor *, iris_bytes, void **);
int iris__box_handle(const iris_behaviour *, iris_actor *, void *, const iris_message *const *,
                     int);
void iris__box_fini(const iris_behaviour *, iris_actor *, void *);
int iris__box_adopt(const iris_behaviour *, iris_actor *, const iris_behaviour *old, void **);
void iris__box_cancel(const iris_behaviour *, iris_actor *, void *);

int iris__async_ready(PyObject *module);
int iris__box_ready(PyObject *module);

#endif
