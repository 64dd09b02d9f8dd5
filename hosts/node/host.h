/* The Node host: one set of files with two doors. node.so (plugin.c's door, `iris run`) brings libnode
 * along; the addon iris.node lives in a node, brings libiris along, and attaches this very host to each
 * runtime that it opens. What differs is in door_host.cc and door_module.c.
 *
 * Threads: JavaScript has one, that of its environment, and it drains our executor when its loop is woken.
 * All here runs on that thread, unless it is marked [any] or [main].
 *
 * What C keeps and what JavaScript keeps: C knows scripts and states by their numbers, iris/engine.js has
 * the functions and objects. So a million actors cost no handle of the engine. */
#ifndef IRIS_NODE_H
#define IRIS_NODE_H

#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif
#include <node_api.h>
#include <uv.h>

#include <iris/ext/ask.h>
#include <iris/ext/control.h>
#include <iris/ext/library.h>
#include <iris/ext/mailbox.h>
#include <iris/ext/mesh.h>
#include <iris/ext/env.h>
#include <iris/ext/name.h>
#include <iris/ext/observe.h>
#include <iris/ext/payload.h>
#include <iris/ext/plugin.h>
#include <iris/ext/reader.h>
#include <iris/ext/ready.h>
#include <iris/ext/supervise.h>
#include <iris/ext/timer.h>
#include <iris/ext/watch.h>
#include <iris/plugin.h>

#include <pthread.h>
#include <stdatomic.h>

struct host;

enum {
    BATCH = 256,          /* messages that one call into JavaScript takes at most */
    SLAB = 64 << 10,      /* bytes; messages lie in such pieces, as Node's own small Buffers do */
    INLINE_MAX = 4 << 10, /* bytes of a message that lies there */
    LARGE = 16 << 10,     /* bytes from which a message is not copied for its receiver */
    PLACE = 256,          /* bytes that a borrowed message has */
    DESC = 3,             /* numbers of a message in host.desc: offset, length, flags */
    AT = BATCH * DESC,    /* and behind them: how far run() has come, .. */
    AT_DUE                /* .. and whether it is to begin no other message */
};

enum { /* the third of them */
       MESSAGE_ASKED = 1
};

enum { REFUSED = -10 }; /* a call that gives a number says REFUSED - result instead */

enum kind {
    KIND_CALL = 0,
    KIND_CLASS = 1,
    KIND_PULL = 2,
    KIND_MIGRATION = 3 /* no handler: it brings states to other scripts */
};

enum {                     /* script.flags */
       SCRIPT_BORROW = 1,  /* messages are views that hold during the handler's call */
       SCRIPT_NOTED = 2,   /* each actor has a number, by which it can be ended from outside */
       SCRIPT_SAVES = 4,   /* it has save() or upgrade() of its own */
       SCRIPT_MIGRATES = 8 /* it has migrate() */
};

enum hook { /* functions of iris/engine.js that are called from here */
            HOOK_RUN,
            HOOK_SLAB,
            HOOK_INIT,
            HOOK_FINI,
            HOOK_SAVE,
            HOOK_UPGRADE,
            HOOK_MIGRATE,
            HOOK_ADOPT,
            HOOK_CANCEL,
            HOOK_STAY,
            HOOK_FORGET,
            HOOK_SETTLE,
            HOOK_MAKE,
            HOOK_EVENT,
            HOOK_LOAD,
            HOOK_END_LOADS,
            HOOK_QUIT,
            HOOKS
};

/* Something for the environment's thread, from any other. */
struct errand {
    struct errand *next;
    void (*run)(struct host *, struct errand *); /* h is closed: free, and call no JavaScript */
};

struct script {
    struct host *host;
    iris_version *version; /* not a reference: see retain() */
    uint32_t number;       /* engine.js knows it by that */
    enum kind kind;
    unsigned flags;
    unsigned reach; /* how many messages it is called with, at most */
};

struct host { /* one for each runtime */
    iris_actor *self;
    unsigned number; /* among those of one runtime, from 0 */
    napi_env env;
    pthread_t thread; /* the environment's */
    iris_executor *executor;
    atomic_int refs; /* the environment's, the core's, and one for each errand, gift or view */

    uv_async_t *bell;
    uv_timer_t *timer; /* looks whether the runtime is idle */
    int is_busy;       /* it will look */
    uint64_t next_look;
    int64_t left_waiting; /* ns: when actors that could run were left for the loop; 0: none were */
    pthread_mutex_t draining; /* held in a drain, and by who ends the executor */
    pthread_mutex_t lock;     /* of what follows */
    pthread_cond_t changed;
    struct errand *first, **last;
    int is_closed;  /* the executor has gone */
    int is_closing; /* only its handlers may call any more */
    int is_rung;    /* for who waits without the loop */

    int may_run; /* JavaScript may be called */
    int is_draining;
    int settles; /* promises want their turn before the next drain */
    iris_actor *current;
    const iris_message *const *batch;
    iris_actor *batch_actor;
    int batch_count, batch_pushes;
    unsigned waits; /* promises that keep the loop alive */

    atomic_uint versions;  /* scripts that are held */
    struct errand measure; /* under the lock: */
    pthread_cond_t measured;
    int is_measuring;
    uint64_t heap; /* bytes, when it was looked at last */

    napi_ref hooks[HOOKS], resource, desc_ref, large_ref;
    napi_async_context context;
    int32_t *desc;
    char *slab, *places;
    size_t used;

    struct script **scripts;
    uint32_t nscripts, free_script;
    iris_actor **actors; /* of states that pull */
    uint32_t nactors;
    const iris_message **tokens; /* messages that are put off */
    uint32_t *token_next, ntokens, free_token;

    atomic_uint_fast64_t running; /* the turn that is in JavaScript; see interrupt() */
    atomic_uint_fast64_t guarded; /* likewise code that is loaded; see guard() */
    atomic_int ends_loads;        /* the runtime is to end: nothing is loaded any more */
    struct loading *loading;      /* under the lock: by the loader, which waits for it */
    const iris_mesh *mesh;        /* once it was needed */
    void *net;                    /* its first argument */
    struct watch *watches;        /* mesh.c */
    void *isolate;
    void *door;
    void (*depart)(struct host *); /* once this drain is over */
};

struct extensions {
    const iris_ask *ask;
    const iris_control *control;
    const iris_env *env;
    const iris_library *library;
    const iris_mailbox *mailbox;
    const iris_name *name;
    const iris_observe *observe;
    const iris_payload *payload;
    const iris_plugins *plugins;
    const iris_reader *reader;
    const iris_ready *ready;
    const iris_supervise *supervise;
    const iris_timer_api *timer;
    const iris_watch *watch;
};

extern const iris_api *iris__api;
extern struct extensions iris__ext;

const iris_plugin *iris_plugin_entry(const iris_api *);
void iris__use_api(const iris_api *); /* [any] the first one counts */

static inline iris_actor *iris__caller(const struct host *h)
{
    return h->current ? h->current : h->self;
}

/* driver.c */
struct host *iris__host_create(napi_env, napi_value hooks); /* or NULL, with an exception */
int iris__driver_open(struct host *);                       /* [any] */
void iris__driver_close(struct host *);                     /* [main] */
void iris__host_retain(struct host *);                      /* [any] */
void iris__host_release(struct host *);                     /* [any] */
void iris__host_leave(struct host *);            /* its environment has no use for it any more */
void iris__post(struct host *, struct errand *); /* [any] holds a reference until it has run */
void iris__wait_loop(struct host *, int (*is_over)(void *),
                     void *ctx); /* drains, without the loop */
void iris__ring(struct host *);  /* [any] */
void iris__begin_busy(struct host *);
void iris__keep_alive(struct host *, int on); /* the loop does not end while somebody waits */

/* handler.c */
int iris__handle(const iris_behaviour *, iris_actor *, void *, const iris_message *const *, int);
void iris__cancel(const iris_behaviour *, iris_actor *, void *);
/* Calls a hook in a turn or job; NULL: it threw, and api->fail() has been told. */
napi_value iris__hook(struct host *, enum hook, size_t argc, const napi_value *argv);
int iris__fail_pending(
    struct host *); /* the exception that is set becomes api->fail(). IRIS_FAIL */

/* interrupt.c: [any] */
int iris__interrupt(const iris_driver *, uint64_t turn);
void iris__interrupt_ready(struct host *);
void iris__turn_begins(struct host *);
int iris__turn_ends(struct host *); /* 1: it was interrupted */
void iris__interrupt_load(struct host *);

/* message.c */
int iris__send_value(struct host *, iris_actor *, uint64_t to, napi_value data, uint64_t ref);
int iris__send_bytes(struct host *, iris_actor *, uint64_t to, napi_value data);
int iris__bytes_of(struct host *, napi_value, const void **data, size_t *len, char **own);
napi_value iris__message_buffer(struct host *, const iris_message *);
napi_value iris__message_take(struct host *, const iris_message *); /* its receiver's own */
napi_value iris__signal_object(struct host *, const iris_message *);
napi_value iris__message_object(struct host *, const iris_message *);

/* script.c */
int iris__script_define(struct host *, enum kind, unsigned flags, const char *name,
                        const char *version, uint32_t state_version, uint32_t *number);
int iris__script_retain(struct host *, uint32_t number, iris_version **);
void iris__script_release_own(struct host *, uint32_t number);
void iris__script_uses(struct host *, uint32_t number, const char *file);

/* state.c */
int iris__state_init(const iris_behaviour *, iris_actor *, iris_bytes, void **);
void iris__state_fini(const iris_behaviour *, iris_actor *, void *);
int iris__state_save(const iris_behaviour *, iris_actor *, const void *, iris_sink *);
int iris__state_upgrade(const iris_behaviour *, iris_actor *, uint32_t, iris_bytes, void **);
int iris__state_downgrade(const iris_behaviour *, iris_actor *, const void *, uint32_t,
                          iris_sink *);
int iris__state_migrate(const iris_behaviour *, iris_actor *, uint32_t, iris_bytes, iris_sink *);
int iris__state_adopt(const iris_behaviour *, iris_actor *, const iris_behaviour *, void **);

/* load.c */
int iris__load(struct host *, const iris_source *, iris_version **); /* [loader] */
void iris__end_loads(struct host *);                                 /* [any] */

/* value.c */
void iris__throw(napi_env, const char *code, const char *text); /* an IrisError */
void iris__add_throws(napi_env, napi_value exports);
/* The host of this call and its arguments; NULL: an exception is set. */
struct host *iris__begin(napi_env, napi_callback_info, size_t argc, napi_value *argv);
/* The same for a runtime that may be closed. */
struct host *iris__begin_closed(napi_env, napi_callback_info, size_t argc, napi_value *argv);
int iris__pid(napi_env, napi_value, uint64_t *); /* -1: an exception */
int iris__int(napi_env, napi_value, const char *what, int64_t min, int64_t max, int64_t *);
int iris__milliseconds(napi_env, napi_value, int64_t *ns); /* negative: for ever */
char *iris__text(napi_env, napi_value, const char *what);  /* free() it; NULL: an exception */
char *iris__word(napi_env, napi_value, const char *what);  /* the same of what has no NUL in it */
int iris__optional(napi_env, napi_value, const char *what,
                   char **out); /* a word, or NULL for what is no string. -1: an exception */
napi_value iris__number(napi_env, double);
napi_value iris__string(napi_env, const char *, size_t);
napi_value iris__boolean(napi_env, int);
napi_value iris__null(napi_env);
napi_value iris__undefined(napi_env);
void iris__set(napi_env, napi_value object, const char *key, napi_value);

/* The calls of a runtime, by topic; each ends with an empty one. */
struct call {
    const char *name;
    napi_callback function;
};
extern const struct call iris__mail_calls[], iris__turn_calls[], iris__spawn_calls[],
    iris__control_calls[], iris__name_calls[], iris__supervise_calls[], iris__observe_calls[],
    iris__host_calls[], iris__mesh_calls[], iris__load_calls[];
napi_value iris__calls_of(struct host *);
void iris__add_call(struct host *, napi_value object, const char *name, napi_callback);

/* door_*.c */
/* number: which instance this one is to be; *instances: how many there are to be. [loader] */
int iris__door_start(struct host **, iris_actor *self, const char *config, void *arg,
                     unsigned number, unsigned *instances);
void iris__door_stop(struct host *); /* [main] after its executor */
const char *iris__door_reason(void);
int iris__door_is_idle(struct host *);
uint64_t iris__door_heap(void); /* bytes of this environment's objects; 0: not known */

/* mesh.c */
int iris__is_node_up(struct host *, uint64_t pid); /* 1: of that actor, of another node */
void iris__forget_watches(struct host *);          /* [any] the mesh has gone */

/* usage.c */
uint64_t iris__heap(struct host *); /* [any] as it is now; if it is busy, as it was */
napi_value iris__module_init(napi_env, napi_value exports);

#endif
