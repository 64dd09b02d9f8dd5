/* iris.PyRuntime: a runtime as Python sees it. Under `iris run` it is the one that runs. */
#ifndef IRIS_PYTHON_RUNTIME_H
#define IRIS_PYTHON_RUNTIME_H

#include "python.h"

struct runtime {
    PyObject_HEAD struct host *host; /* NULL: closed */
    struct host *ending;             /* the same, while it is being closed */
    void *door;                      /* the door's own */
    int forked;                      /* this is a child of fork(), and has none of its threads */
    struct runtime *next, **before;  /* of all that are open, for atexit and fork */
    PyObject *weak;
};

/* The core's extensions; those that this core does not have are NULL. */
struct extensions {
    const iris_ask *ask;
    const iris_control *control;
    const iris_env *env;
    const iris_library *library;
    const iris_mailbox *mailbox;
    const iris_name *name;
    const iris_observe *observe;
    const iris_plugins *plugins;
    const iris_reader *reader;
    const iris_ready *ready;
    const iris_supervise *supervise;
    const iris_timer_api *timer;
    const iris_watch *watch;
};
extern struct extensions iris__ext;

/* Its host, or NULL with an exception. */
struct host *iris__runtime_host(PyObject *self);
/* A pid from an argument. 0: no pid at all (negative, above 2^64), which nobody has. -1: TypeError. */
int iris__pid(PyObject *value, uint64_t *pid);
/* Arguments of METH_FASTCALL | METH_KEYWORDS, without a tuple: all of `names` (NULL at the end) must be there,
 * by place or by name. 0, or -1 with TypeError. */
int iris__take(PyObject *const *args, Py_ssize_t n, PyObject *keywords, const char *call,
               const char *const *names, PyObject **out);
/* The same for a call with one argument, "pid". */
int iris__take_pid(PyObject *const *args, Py_ssize_t n, PyObject *keywords, const char *call,
                   uint64_t *pid);
/* In a handler that holds up the others: 1, with an exception. */
int iris__waits_for_itself(const struct host *);
/* The reason of the core's last refusal, as iris.Error (or that class). NULL. */
PyObject *iris__raise_reason(PyObject *class);
extern PyObject *iris__no_such_actor, *iris__mailbox_full, *iris__swap_rejected;

/* Of an actor of another node: 1, 0, or -1 with an exception. */
int iris__is_alive_far(PyObject *runtime, uint64_t pid);

/* Methods by topic; each ends with an empty one. */
extern PyMethodDef iris__mail_methods[], iris__spawn_methods[], iris__control_methods[],
    iris__name_methods[], iris__observe_methods[], iris__supervise_methods[], iris__watch_methods[],
    iris__mesh_methods[];

/* door_*.c: a runtime for this object, and its end. 0, or -1 with an exception. */
int iris__door_open(struct runtime *, PyObject *args, PyObject *keywords);
int iris__door_close(struct runtime *, int64_t timeout);
/* All events from now on, or only what the log wants; key: what they come with. 0, or -1. */
int iris__door_hear(struct runtime *, int all, uint64_t *key);
void iris__door_forked(void);        /* in the child of fork() */
const char *iris__door_reason(void); /* of the core's last refusal on this thread */

int iris__runtimes_ready(PyObject *module);
PyObject *iris__set_limits(PyObject *module, PyObject *args); /* (max_threads, pool) */
PyObject *iris__runtimes_close(PyObject *module, PyObject *unused);
extern PyTypeObject iris__runtime_type;
extern PyObject *iris__event_handler; /* Python: what is called with each event, or NULL */

#endif
