/* iris/plugin.h - all that a plugin may know about Iris. It includes no other Iris header.
 *
 * A plugin is one shared object with one Iris symbol, iris_plugin_entry(). It brings behaviours
 * (native code), or a host (a language, which makes behaviours), or both. It links nothing of Iris:
 * every call goes through the iris_api that the entry function is handed.
 *
 *   plugin      entry(api) .. start ................................. stop   once per file / runtime
 *   version       load or define ... retain, release (actors, rollback list) ... free
 *   actor           spawn: init, handle, handle .. [save => upgrade of the next version] .. fini
 *   message           send -> [mailbox] -> handle -> done            (later() .. done() in between)
 *   swap              marker in the mailbox ("in order") or signal ("now"), once no later() is open:
 *                     adopt? else [old] save -> bytes [-> migrate] -> [new] upgrade -> switch -> [old] fini
 *
 * Who may call what. Every member says it in brackets:
 *   [main]    the thread that starts and stops the runtime, one call at a time;
 *   [loader]  a core thread that may block; never two calls at once;
 *   [exec]    the thread of the executor of the actor in question;
 *   [turn]    that thread, inside a call that the core makes for this very actor;
 *   [any]     every thread; does not block.
 * A host's own actor counts as [any] wherever [exec] is asked for. Debug builds check the brackets
 * and abort with the member's name.
 *
 * Memory: what is passed in is borrowed for the call, unless its comment says otherwise; neither side
 * frees what the other allocated. Text is UTF-8. Times are nanoseconds of api->now(). */
#ifndef IRIS_PLUGIN_H
#define IRIS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Growth: a struct that crosses begins with its own size and IRIS_ABI; members are only appended. The
 * reader copies the smaller of both sizes and zeroes the rest, so a member that the other side does
 * not know is NULL: ask with IRIS_HAS. IRIS_ABI changes only if an existing member changes its
 * meaning. (iris_message, iris_bytes, iris_job and iris_sink never grow.) */
#define IRIS_ABI 1
#define IRIS_HAS(s, m)                                                                             \
    ((s)->size >= offsetof(__typeof__(*(s)), m) + sizeof((s)->m) && (s)->m)

#ifndef IRIS_EXPORT /* define it empty where a program links its plugin in (see iris_attach) */
#define IRIS_EXPORT __attribute__((visibility("default")))
#endif
#if defined(__GNUC__)
#define IRIS_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define IRIS_PRINTF(f, a)
#endif

typedef struct iris_actor iris_actor;       /* one actor; a started host has one too, for its calls */
typedef struct iris_version iris_version;   /* a behaviour that the core has taken in; counted */
typedef struct iris_executor iris_executor; /* a queue of runnable actors and who drains it */

typedef struct iris_bytes {
    const void *data;
    size_t len;
} iris_bytes;

enum { /* results. A negative one was explained with api->fail() */
       IRIS_OK = 0,
       IRIS_FAIL = -1,
       IRIS_AGAIN = 1, /* done(): not begun, put it back; drain(): there is more; due(): yes */
       IRIS_DEAD = 2,  /* no such actor, or not any more */
       IRIS_FULL = 3,  /* the mailbox, or the link to its node, takes no more now */
       IRIS_LARGE = 4, /* above the message limit, or the receiver's limit of bytes */
       IRIS_EMPTY = 5, /* nothing came in time */
       IRIS_CLOSED = 6 /* nothing will come any more */
};

/* ---- messages ---- */

enum { /* iris_message.kind; 16 and up belong to extensions (iris/ext) */
       IRIS_USER = 0,
       IRIS_EXIT = 1,
       IRIS_DOWN = 2,
       IRIS_TIMER = 3,
       IRIS_HOT_SWAP = 4, /* a swap waits for this pull actor to return (ext/reader.h); an
                             observed one keeps it (ext/observe.h) */
       IRIS_STUCK = 5,    /* 5 to 7 are named (ext/watch.h), and nothing in the core sends them */
       IRIS_PING = 6,
       IRIS_PONG = 7
};

typedef struct iris_message { /* read-only for plugins; 40 bytes where pointers have 8 */
    uint32_t kind;            /* IRIS_USER, or a signal */
    uint32_t len;             /* bytes of data */
    uint64_t from;            /* pid of the sender, 0: from outside; of a signal: whom it is about */
    uint64_t to;              /* pid it was sent to (another than one's own only where one routes) */
    uint64_t ref;             /* USER: 0, or "asked": send the answer to this pid, once.
                                 DOWN and TIMER: which one; EXIT: the core's own */
    const void *data;         /* EXIT and DOWN: the reason (its grammar: ext/watch.h), not terminated */
} iris_message;

/* Work for an executor's thread. The caller owns the memory until run() is called. */
typedef struct iris_job {
    struct iris_job *next;
    void (*run)(struct iris_job *);
} iris_job;

/* Where save() writes to; write() returns IRIS_OK, or IRIS_FAIL when memory is short. */
typedef struct iris_sink {
    int (*write)(struct iris_sink *, const void *data, size_t len);
} iris_sink;

/* ---- what a plugin implements ---- */

enum { /* iris_behaviour.flags */
       IRIS_SIGNALS = 1u << 0,    /* handle() also gets EXIT and DOWN (else the core answers them) */
       IRIS_PULL = 1u << 1,       /* takes its mail itself (ext/reader.h); handle() gets n = 0 */
       IRIS_OWN_THREAD = 1u << 2, /* an OS thread per actor, for code that blocks */
       IRIS_OWN_STACK = 1u << 3,  /* a coroutine per actor on the core's pool */
       IRIS_TRAPS = 1u << 4,      /* its actors trap always: IRIS_SPAWN_TRAP, at no cost for each */
       IRIS_RUNS_ON = 1u << 5,    /* handle() only takes in; its code runs on between turns, as that of an
                                     async pull handler: it is swapped as a pull actor (handover() in
                                     ext/reader.h), and cancel() also comes with nothing open when it
                                     is ended at once (kill; a parent, a link, a supervisor) */
       IRIS_ROAMS = 1u << 6       /* its host's states belong to no thread: adopt() is called also where
                                     the actor moves to another executor, on the old one */
};

typedef struct iris_behaviour iris_behaviour;
struct iris_behaviour {
    uint32_t size, abi;
    const char *name, *version; /* "counter", "2.1.0" */
    uint32_t flags;
    uint32_t state_version;  /* of the bytes that save writes and upgrade reads */
    iris_executor *executor; /* where its actors run; NULL: the core's pool */
    void *data;              /* the plugin's own; handed back untouched */

    /* [turn] Takes messages in order. Returns k in 0..n: messages 0..k-1 are handled, or put off with
     * later(); the others stay where they are (k < n is a yield) and come again, with those that came
     * meanwhile. Or, after api->fail(), ~k: message k crashed the actor, those before it are handled,
     * those after it stay. ~0 is IRIS_FAIL. */
    int (*handle)(const iris_behaviour *, iris_actor *, void *state,
                  const iris_message *const *messages, int n);

    /* [turn] All optional. Without init the state is NULL. args is JSON text (len 0: none).
     * fini is the last call for a state. After a swap to another executor it comes on the old one,
     * where the actor is not any more: then it may free, and not call the api with this actor. */
    int (*init)(const iris_behaviour *, iris_actor *, iris_bytes args, void **state);
    void (*fini)(const iris_behaviour *, iris_actor *, void *state);

    /* [turn] Swap by bytes: the old version saves and keeps its state, the new one builds its own
     * state from the bytes (from: the state_version that wrote them), then comes the old fini. If
     * either fails the new version is dropped and the old one goes on. */
    int (*save)(const iris_behaviour *, iris_actor *, const void *state, iris_sink *);
    int (*upgrade)(const iris_behaviour *, iris_actor *, uint32_t from, iris_bytes saved,
                   void **state);

    /* [turn] Swap inside one host without bytes; called on the new version and tried first when both
     * versions come from one host. IRIS_OK: *state (in: the old state) is now the new version's, no
     * fini for the old. IRIS_AGAIN: untouched, use bytes. IRIS_FAIL: untouched, refuse the swap. */
    int (*adopt)(const iris_behaviour *, iris_actor *, const iris_behaviour *old, void **state);

    void (*cancel)(const iris_behaviour *, iris_actor *, void *state); /* [turn] ended while a later()
                                                                          is open */
    void (*free)(const iris_behaviour *); /* [exec] no actor and no version list has it any more */

    /* [turn] Rollback to an older version whose upgrade refuses this one's bytes: write bytes of
     * state version `to` instead. Optional. */
    int (*downgrade)(const iris_behaviour *, iris_actor *, const void *state, uint32_t to,
                     iris_sink *);

    /* [turn] Between the old save and the new upgrade: writes the bytes of another format (from: the
     * state_version that saved them) as this version's upgrade reads them, which is then told its own
     * state_version. Not called where both numbers are the same and not 0, nor in a rollback. A failure
     * refuses the swap. Optional. What a manifest's swap.migrate names has this and needs no handle; it
     * does it for the version that comes. */
    int (*migrate)(const iris_behaviour *, iris_actor *, uint32_t from, iris_bytes saved,
                   iris_sink *);
};

typedef struct iris_driver iris_driver;
struct iris_driver { /* who drains an executor */
    uint32_t size, abi;
    const char *name; /* "python", "node-2" */
    void *data;
    /* Either the plugin's thread drains: wake is called once when work appears, and not again until
     * drain() has said that all is done. [any], under no lock; it must not call back. */
    void (*wake)(const iris_driver *);
    /* Or wake is NULL: the core makes one thread, which drains between enter and leave. [exec] */
    void (*enter)(const iris_driver *);
    void (*leave)(const iris_driver *);
    /* [any] Turn number `turn` has lasted too long: make its handler raise. Under the language's own
     * lock first see that api->turn() still says this number; handle() then returns ~k. Optional. */
    int (*interrupt)(const iris_driver *, uint64_t turn);
    int64_t turn_limit; /* ns after which a turn has lasted too long; 0: as the manifest says for its host
                           (turn_limit), or else the runtime (iris_options.turn_limit) */
};

enum { /* iris_source.wanted */
       IRIS_HANDLER = 0,
       IRIS_MIGRATION = 1 /* a version with migrate(), of a function that a swap's "migrate" names; else fail */
};

typedef struct iris_source { /* what load() gets */
    uint32_t size, abi;
    const char *file, *symbol; /* "pay.py", "on_msg": the handler as the user wrote it; symbol or NULL */
    iris_bytes code;           /* the file's bytes, as the core read them, once */
    const char *config;        /* the actor's host settings, JSON, or NULL */
    const char *copy;          /* a private copy of the file that holds just these bytes */
    int64_t limit;             /* ns that load() may take: then it says so and fails, and others load. 0: none */
    uint32_t place;            /* the actor's number among those of this host, the same at each swap: a host of
                                  several instances loads it in instance place % instances */
    uint32_t wanted;         /* IRIS_HANDLER, or IRIS_MIGRATION */
} iris_source;

typedef struct iris_usage { /* what a language takes */
    uint32_t size, abi;
    uint32_t instances; /* environments that run */
    uint32_t versions;  /* of handlers, and of what they spawn, that are held */
    uint64_t heap;      /* bytes of its objects; 0: not known */
} iris_usage;

typedef struct iris_host { /* a language */
    uint32_t size, abi;
    const char *runtime;  /* "CPython 3.11.2" */
    const char *suffixes; /* which handler files are its own, separated by blanks: ".py .pyc" */
    /* Once per runtime; the others get *host back. Several runtimes may live in one process: they share
     * one mapping of the plugin and its statics, and may come here at the same time, each on its loader
     * thread. config is the manifest's "hosts.NAME" as JSON: venv, cwd, search (all absolute), env, options,
     * instances (if more than one: it opens an executor for each at least);
     * what is not set is not there, and NULL: nothing is. A failure "KEY: why" (as "options.x: ..") is
     * shown at that key. arg comes from the program that attached this plugin itself, and is NULL when the core
     * loaded the file. [loader] */
    int (*start)(iris_actor *self, const char *config, void *arg, void **host);
    int (*load)(void *host, const iris_source *, iris_version **out); /* [loader] */
    void (*stop)(void *host); /* after all of these; no actor of this host is left. [main] */
    /* Endings of files that a handler may import, a blank behind each: "py ". When one changes beside a
     * handler of which it is not known what it is made of (its host does not say by uses() of ext/library.h, or
     * its last change was refused), `iris run --watch` loads it again. Or NULL. */
    const char *imports;
    /* Optional, between start and stop. An instance that is busy is told as it was when it was asked last; waits
     * for 100 ms at most. [any] */
    int (*usage)(void *host, iris_usage *);
    /* The table of an area that this plugin offers to others ("iris.mesh/1"), static; NULL: it has none of
     * that name. Optional; how others come to it: ext/plugin.h. [any] */
    const void *(*offers)(void *host, const char *id);
    /* The runtime is to end: a load() that is under way, or comes yet, fails soon, whatever its limit. Optional.
     * [any] */
    void (*end_loads)(void *host);
} iris_host;

typedef struct iris_plugin { /* what the one symbol returns; static, never freed */
    uint32_t size, abi;
    const char *name, *version;              /* "python", "0.3.0" */
    const char *const *needs;                /* extensions it cannot do without, NULL-ended; or NULL */
    const iris_behaviour *const *behaviours; /* native ones, NULL-ended; or NULL */
    const iris_host *host;                   /* or NULL */
} iris_plugin;

/* ---- what the core offers ---- */

enum { /* iris_spawn.policy: what a full mailbox does with one more message */
       IRIS_DROP_NEW = 0, /* send says IRIS_FULL */
       IRIS_DROP_OLD = 1, /* the oldest that is not begun becomes a dead letter ("dropped") */
       IRIS_BLOCK = 2,    /* the sender waits: an actor takes no next message until its own got in */
       IRIS_REDIRECT = 3, /* `fallback` gets it instead */
       IRIS_SPILL = 4     /* `fallback` gets a copy, and the sender waits as with IRIS_BLOCK */
};

enum { /* iris_spawn.flags */
       IRIS_SPAWN_LAZY = 1u << 0, /* init runs with the first message; pid and path are there at once.
                                     Signals and swaps do not begin it; a restart begins it at once */
       IRIS_SPAWN_TRAP = 1u << 1, /* EXIT of a linked actor is a message, and ends nobody */
       IRIS_SPAWN_LINK = 1u << 2  /* linked with who spawns it, before it begins */
};

typedef struct iris_spawn {
    uint32_t size, abi;
    iris_version *version;
    iris_bytes args;         /* for init; copied */
    uint64_t parent;         /* or 0. It ends when its parent does, before it: ext/watch.h */
    const char *path;        /* or NULL */
    uint32_t budget;         /* messages before it must yield; 0: 100 */
    uint32_t capacity;       /* messages not yet done; 0: unbounded */
    uint32_t policy;         /* IRIS_DROP_NEW .. */
    iris_executor *executor; /* or NULL: the behaviour's */
    uint64_t fallback;       /* pid, of IRIS_REDIRECT and IRIS_SPILL */
    uint32_t warn_at;        /* percent of the capacity that are worth a warning; 0: none */
    uint32_t flags;          /* IRIS_SPAWN_LAZY .. */
    uint32_t stack;          /* bytes, of IRIS_OWN_STACK; 0: 64 KiB */
    int64_t idle_timeout;    /* ns, of IRIS_SPAWN_LAZY: without a message for so long (or up to a quarter
                                longer) its state ends, and init runs again with the next one; 0: never.
                                It is at rest and has not ended: nobody is told; names, links and others'
                                timers for it stay, and these wake it. Its children end, and what it set
                                itself goes: timers to itself, monitors. Not while it is busy
                                (ext/name.h) or has put a message off; not for pull actors */
    uint64_t bytes;          /* that may wait (accepted, not begun); 0: no limit. Beside a capacity or
                                alone; beyond it the policy applies: ext/mailbox.h */
    int64_t slice;           /* ns after which it yields, at the end of a message; its messages then come one by
                                one. 0: after 2 ms, as exactly as the ticker sees */
    int64_t ready_within;    /* ns; 0: it has started when its init has run. Else when it says so (ext/ready.h);
                                if it has not after so long, it crashes. Not of IRIS_SPAWN_LAZY */
} iris_spawn;

enum { IRIS_DEBUG_LEVEL = 1, IRIS_INFO = 2, IRIS_WARN = 3, IRIS_ERROR = 4 }; /* of log */

typedef struct iris_api {
    uint32_t size, abi;
    const char *version; /* of the core: "0.1.0" */

    /* Words. fail keeps the reason for whoever gets to see this failure: log, supervisor, caller.
     * It belongs to the calling thread until its next core call fails. [any] */
    int (*fail)(const char *fmt, ...) IRIS_PRINTF(1, 2); /* returns IRIS_FAIL */
    void (*log)(iris_actor *self, int level, const char *fmt, ...) IRIS_PRINTF(3, 4); /* [any] */
    const void *(*extension)(const char *id); /* [any] "iris.timer/1": its table, or NULL */
    int64_t (*now)(iris_actor *self);         /* [any] monotonic; virtual in seeded runs */
    uint64_t (*pid)(const iris_actor *self);  /* [any] 0: a host */

    /* Messages. An actor sends from [exec], so also from a promise of it; a host sends as from outside,
     * from [any]. send copies. give does not: release(ctx) is called once, on any thread, also when
     * give says no, and must not block (a host posts itself a job). Both answer OK, DEAD, FULL or
     * LARGE at once and do not wait; where the policy of a full mailbox is to wait (IRIS_BLOCK), the
     * sending actor does after this message: see ext/mailbox.h. To answer an ask, send to message->ref. */
    int (*send)(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref);
    int (*give)(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
                void (*release)(void *ctx), void *ctx);
    void (*keep)(const iris_message *); /* [turn] stays readable until drop; n keeps, n drops */
    void (*drop)(const iris_message *); /* [any] */

    /* A handler that is not finished. later: [turn] the message stays the actor's (it counts in the
     * mailbox) and readable. Until each one is done() the actor gets no other mail: an actor is serial.
     * done: [any] exactly once, with IRIS_OK, IRIS_FAIL (a crash, as in handle; say why with fail
     * first) or IRIS_AGAIN (not begun: back to its place). A crash ends what else is open: who put off
     * several gives back those that it has not begun before it says IRIS_FAIL. It drops the message. IRIS_DEAD: the actor
     * ended meanwhile, there is nothing else to do. */
    int (*later)(iris_actor *self, const iris_message *);
    int (*done)(const iris_message *, int result);
    int (*due)(iris_actor *self); /* [exec] 2 ns; IRIS_AGAIN: begin no other message, give the rest back */
    /* [exec] ends after this turn; NULL: normal; "crash: ..": its code has failed, outside of handle() */
    int (*exit)(iris_actor *self, const char *reason);

    /* Behaviours. define copies the struct and gives the caller one reference; actors and version
     * lists hold others. retain says IRIS_DEAD when free() is already on its way: a cache may ask this
     * of a pointer it does not own, under the lock under which its free() drops it. [any] */
    int (*define)(iris_actor *self, const iris_behaviour *, iris_version **out);
    int (*retain)(iris_version *);
    void (*release)(iris_version *);
    /* [any] init runs in its turn. IRIS_DEAD: the parent is not there any more, nothing was made. */
    int (*spawn)(iris_actor *self, const iris_spawn *, uint64_t *pid);
    /* [any] Queues a swap; tell (may be NULL) comes once, on any thread, when it is decided. */
    int (*swap)(iris_actor *self, uint64_t pid, iris_version *, int now,
                void (*tell)(void *ctx, int result, const char *why), void *ctx);

    /* Executors. open and close are [main] or [loader]; close waits for the last turn. drain takes the
     * queue's head again and again until slice nanoseconds are over; a host's loop calls it when woken,
     * and on IRIS_AGAIN wakes itself. */
    int (*open)(iris_actor *self, const iris_driver *, iris_executor **out);
    void (*close)(iris_executor *);
    int (*drain)(iris_executor *, int64_t slice); /* [exec] IRIS_OK: idle, wake will come; or AGAIN */
    void (*post)(iris_executor *, iris_job *);    /* [any] run(job) on its thread, in turn */
    uint64_t (*turn)(const iris_executor *);      /* [any] counts the turns that it began */

    const char *(*reason)(void); /* [any] why this thread's last call failed, until its next; never NULL */
} iris_api;

IRIS_EXPORT const iris_plugin *iris_plugin_entry(const iris_api *); /* NULL: cannot run, see fail() */

/* Optional, once, at file scope: IRIS_NOTE("counter", "2.1.0"); puts who the plugin is, and its ABI, into the
 * file as an ELF note (owner "Iris", type 1: the ABI, then name and version, each with its '\0'). Who only
 * looks at the file can read it, and where another ABI is spoken no code of the plugin runs at all. */
#define IRIS_NOTE(plugin_name, plugin_version)                                                     \
    static const struct {                                                                          \
        uint32_t owner_len, len, type;                                                             \
        char owner[8];                                                                             \
        uint32_t abi;                                                                              \
        char text[(sizeof(plugin_name "\0" plugin_version) + 3) / 4 * 4];                          \
    } iris_note __attribute__((used, aligned(4), section(".note.iris"))) = {                       \
        5,                                                                                         \
        (sizeof(plugin_name "\0" plugin_version) + 3) / 4 * 4 + 4,                                 \
        1,                                                                                         \
        "Iris",                                                                                    \
        IRIS_ABI,                                                                                  \
        plugin_name "\0" plugin_version}

#ifdef __cplusplus
}
#endif
#endif
