/* The Python host: one set of files with two doors. pyhost.so (plugin.c's door, `iris run`) brings an
 * interpreter along; the extension module iris._iris lives in one, brings libiris along, and attaches
 * this very host to each runtime that it opens. What differs is in door_host.c and door_module.c.
 *
 * Threads: every call here is made with the GIL held, unless it is marked [no gil]. The core's own
 * locks are never held when it calls us, so nothing waits in a circle. */
#ifndef IRIS_PYTHON_H
#define IRIS_PYTHON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <iris/ext/ask.h>
#include <iris/ext/control.h>
#include <iris/ext/library.h>
#include <iris/ext/mailbox.h>
#include <iris/ext/mesh.h>
#include <iris/ext/env.h>
#include <iris/ext/name.h>
#include <iris/ext/observe.h>
#include <iris/ext/plugin.h>
#include <iris/ext/reader.h>
#include <iris/ext/ready.h>
#include <iris/ext/supervise.h>
#include <iris/ext/timer.h>
#include <iris/ext/watch.h>
#include <iris/plugin.h>

#include <stdatomic.h>

struct runtime;

/* An executor of ours: whoever drains it holds the GIL meanwhile. */
struct driver {
    struct host *host;
    iris_executor *executor;
    PyThreadState *state; /* of its thread, kept from one drain to the next */
    unsigned long thread; /* as Python numbers it */
    int raised;           /* the GIL's: its handler was interrupted, and may not have seen it yet */
    int is_woken;         /* its thread is ours, and not the core's */
    atomic_int leaves;    /* the next drain is the last */
    iris_job job;
    _Atomic uint64_t turn; /* which turn is to be interrupted; 0: none */
    struct driver *next;   /* the warden's list; under its lock, as is: */
    int closing;
};

enum { POOL_MAX = 64 };

struct host { /* one for each runtime */
    iris_actor *self;
    struct runtime *runtime; /* the module's object; NULL: nobody has asked for one yet */
    struct driver main;
    struct driver pool[POOL_MAX]; /* for release_gil beyond the limit of threads */
    int npool, next_pool;
    struct driver teller; /* of what no handler may hold up; made when first needed */
    struct driver maker;  /* of factories, which may wait; likewise */
    struct loop *loop;    /* of async handlers; made when first needed */
    int views;            /* objects that show messages of its runtime, which must stay for them */
    struct host *next;
    PyObject *special;     /* note.c: pid -> kind and flags, of actors that are not plain */
    Py_ssize_t sweep_at;   /* so many */
    int threads;           /* of them, those with release_gil and a thread of their own */
    atomic_uint versions;  /* scripts that are held */
    atomic_int ends_loads; /* the runtime is to end: nothing is loaded any more */
    const iris_mesh *mesh; /* once it was needed */
    void *net;             /* its first argument */
    void *door;            /* the door's own */
};

enum kind {
    KIND_CALL,     /* called for each message */
    KIND_PULL,     /* called once, with a mailbox; a thread of its own */
    KIND_OBSERVED, /* as KIND_CALL, and gets signals */
    KIND_ASYNC,    /* what KIND_CALL is with async def */
    KIND_ASYNC_PULL
};

enum {                      /* script.flags */
       SCRIPT_CLASS = 1,    /* callable makes a state, which is what is called */
       SCRIPT_THREAD = 2,   /* release_gil: a thread for each actor */
       SCRIPT_VIEW = 4,     /* messages come as views, not as bytes */
       SCRIPT_LOADED = 8,   /* from a file */
       SCRIPT_MIGRATES = 16 /* callable is no handler: it is its own `migrate` */
};

/* What a behaviour runs: iris_behaviour.data. It belongs to its version, and goes with free(). */
struct script {
    struct host *host;
    PyObject *callable;
    PyObject *migrate;     /* brings the state of another version to this one; or NULL */
    PyObject *module;      /* name under which its module is in sys.modules, or NULL */
    iris_version *version; /* not a reference: see retain() */
    enum kind asked, kind; /* what was asked for, and what it is: async or not */
    unsigned flags;
    struct script *next; /* script.c's table */
};

/* The actor whose handler runs on this thread. */
struct current {
    struct host *host;
    iris_actor *self;
};

extern const iris_api *iris__api;
extern _Thread_local struct current iris__current;

/* plugin.c */
const iris_plugin *iris_plugin_entry(const iris_api *);
extern PyObject *iris__error;       /* iris.Error and its children */
extern PyObject *iris__interrupted; /* iris.Interrupted */

/* Who calls, for calls about `h`: the actor whose handler this is, or the host from outside. */
static inline iris_actor *iris__caller(const struct host *h)
{
    return iris__current.host == h ? iris__current.self : h->self;
}

/* driver.c */
/* wake NULL: the core makes its thread. */
int iris__driver_open(struct host *, struct driver *, const char *name,
                      void (*wake)(const iris_driver *));
void iris__driver_close(struct driver *); /* [no gil] */
/* After a handler: what was raised for it must not hit the next one. */
void iris__driver_calm(void);
/* [gil] While this thread runs a file: after so many ns (0: never) Interrupted is raised in it. */
void iris__guard_begin(const struct host *, int64_t limit);
void iris__guard_hurry(const struct host *);      /* it is, now. [any] */
int iris__guard_end(void);                        /* 1: it was. Twice is once */
void iris__driver_forked(void);                   /* in the child of fork() */
extern _Thread_local struct driver *iris__driver; /* whose thread this is, or NULL */
/* PyGILState_Ensure() and PyEval_RestoreThread() for an actor's own thread, of which there are many. [no gil] */
PyGILState_STATE iris__gil_ensure(void);
void iris__gil_restore(PyThreadState *);
void iris__gil_forked(void); /* in a child: whoever waited for it is not here */

/* load.c */
int iris__load(struct host *, const iris_source *, iris_version **);
PyObject *iris__callable_method(PyObject *object); /* its on_msg, or itself; a new reference */
void iris__show_lines(const struct script *);      /* before a traceback of its code is made */
int iris__is_async(PyObject *callable);

/* script.c */
/* A version of its own (files), or the one that this callable has already. */
int iris__script_define(struct host *, struct script *like, const char *name, const char *version,
                        uint32_t state_version, iris_version **out);
enum kind iris__script_kind(PyObject *callable, enum kind asked); /* async or not */
int iris__script_find(struct host *, PyObject *callable, enum kind, unsigned flags,
                      iris_version **out);
/* One that nobody else gets, for a swap. */
int iris__script_make(struct host *, PyObject *callable, PyObject *migrate, enum kind,
                      unsigned flags, iris_version **out);

/* note.c: what an actor was spawned as */
int iris__note(struct host *, uint64_t pid, enum kind asked, unsigned flags);
enum kind iris__noted(struct host *, uint64_t pid, unsigned *flags);
void iris__note_end(struct host *, uint64_t pid); /* in fini: its end, or only a swap or restart? */
void iris__notes_sweep(struct host *);

/* handler.c */
int iris__handle(const iris_behaviour *, iris_actor *, void *, const iris_message *const *, int);
int iris__handle_away(const iris_behaviour *, iris_actor *, void *, const iris_message *const *,
                      int);
int iris__answer(iris_actor *, const iris_message *, PyObject *result);
/* What a failed handler comes to: IRIS_FAIL as a crash, or IRIS_OK where it asked to leave. */
int iris__failed(iris_actor *, const struct script *);

/* state.c */
int iris__state_init(const iris_behaviour *, iris_actor *, iris_bytes, void **);
void iris__state_fini(const iris_behaviour *, iris_actor *, void *);
int iris__state_save(const iris_behaviour *, iris_actor *, const void *, iris_sink *);
int iris__state_upgrade(const iris_behaviour *, iris_actor *, uint32_t, iris_bytes, void **);
int iris__state_downgrade(const iris_behaviour *, iris_actor *, const void *, uint32_t,
                          iris_sink *);
int iris__state_migrate(const iris_behaviour *, iris_actor *, uint32_t, iris_bytes, iris_sink *);
int iris__state_adopt(const iris_behaviour *, iris_actor *, const iris_behaviour *, void **);
uint32_t iris__state_version(PyObject *callable);

/* trace.c */
/* The exception that is set becomes api->fail(): what, then where. It is cleared. IRIS_FAIL. */
int iris__fail_raised(void);
PyObject *iris__describe_raised(void); /* the same as text; a new reference, or NULL */

/* Of a message that comes soon: its bytes may have waited long enough to be out of the caches. The first eight lie in
 * the line of its head, which the core has touched; the others lie behind it. */
enum { AHEAD = 3 };
static inline void iris__message_ahead(const iris_message *m)
{
    __builtin_prefetch((const char *)m->data + sizeof(uint64_t));
}

/* message.c */
PyObject *iris__message_bytes(const iris_message *); /* bytes; large ones of our own uncopied */
/* The same where the bytes of the message before are, if nobody has kept them; they are taken over. NULL: none. */
PyObject *iris__message_bytes_after(PyObject *before, const iris_message *);
PyObject *iris__message_view(const iris_message *);   /* [turn] a view that keeps it */
PyObject *iris__message_object(const iris_message *); /* the same, or a PySystemMessage */
/* 1: matcher(message) is true. An exception is no, as in the original. */
int iris__message_matches(const iris_message *, PyObject *matcher);
PyObject *iris__message_take(const iris_message *m); /* bytes, and the message is dropped */
/* Sends any buffer; large bytes are given, not copied. Results of api->send. -2: an exception. */
int iris__send_object(struct host *, iris_actor *self, uint64_t to, PyObject *data, uint64_t ref);
PyObject *iris__signal_object(const iris_message *); /* a PySystemMessage */

PyObject *iris__new_bytes(PyObject *module, PyObject *size); /* (draft, memoryview) */
int iris__messages_ready(PyObject *module);                  /* types */
int iris__signals_ready(PyObject *module);

/* module.c */
PyObject *iris__module_create(void);

/* door_host.c or door_module.c */
int iris__door_start(struct host *, const char *config, void *arg); /* [no gil] */
void iris__door_leave(struct host *);  /* [no gil] before its executors are closed */
void iris__door_stop(struct host *);   /* [no gil] and after */
struct host *iris__door_running(void); /* of `iris run`; NULL: this is a program of its own */
PyObject *iris__door_live(void); /* _live.py, borrowed; NULL: not here, or with an exception */

#endif
