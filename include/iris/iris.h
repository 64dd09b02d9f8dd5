/* iris/iris.h - the runtime as a library, for a C or C++ program that wants actors.
 *
 *   iris_runtime *rt;
 *   iris_open(NULL, &rt);
 *   const iris_api *api = iris_calls();               the same table that plugins are handed
 *   iris_actor *self = iris_self(rt);                 who calls when no actor does
 *   iris_version *v;
 *   iris_load(rt, "./libcounter.so", NULL, &v);       or api->define(self, &my_behaviour, &v)
 *   iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI, .version = v};
 *   uint64_t pid;
 *   api->spawn(self, &s, &pid);
 *   api->send(self, pid, "hello", 5, 0);
 *   iris_close(rt, 5 * IRIS_SECOND);
 *
 * Several runtimes may live in one process. Every call is [any], but iris_open, iris_close, iris_step
 * and iris_attach, which are for one thread at a time. In the child of a
 * fork (Linux 4.14 and later) an open runtime is dead: it has stayed with its threads in the parent. Each
 * call fails with a reason, IRIS_DEAD or IRIS_FAIL (iris_find 0, iris_is_idle 1), iris_close returns 0 at
 * once, and the child may open a runtime of its own. Times are nanoseconds. libiris installs no signal
 * handler. */
#ifndef IRIS_H
#define IRIS_H

#include <iris/ext/control.h>
#include <iris/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IRIS_MILLISECOND INT64_C(1000000)
#define IRIS_SECOND (1000 * IRIS_MILLISECOND)

typedef struct iris_runtime iris_runtime;

enum { /* kinds of events */
       IRIS_EVENT_STARTED = 0,
       IRIS_EVENT_CRASHED = 1,
       IRIS_EVENT_RESTARTED = 2,
       IRIS_EVENT_ENDED = 3,
       IRIS_EVENT_SWAPPED = 4,
       IRIS_EVENT_SWAP_REFUSED = 5,
       IRIS_EVENT_STUCK = 6,
       IRIS_EVENT_EXHAUSTED = 7,
       IRIS_EVENT_LOG = 8,
       IRIS_EVENT_DECIDED = 9, /* what its supervisor makes of an end: see decision */
       IRIS_EVENT_HIGH_WATER = 10, /* a mailbox is as full as iris_spawn.warn_at says; at most every 10 s */
       IRIS_EVENT_ROLLBACK = 11 /* an app goes back to the version before: the one swapped in crashed too often */
};

enum { /* iris_event.decision */
       IRIS_DECIDED_RESTART = 1,  /* it begins again, after `delay`; the count-th of `limit` in `period` */
       IRIS_DECIDED_ESCALATE = 2, /* that was one too many: the supervisor above it decides */
       IRIS_DECIDED_END = 3,      /* that was one too many, and its actors end */
       IRIS_DECIDED_EXIT = 4      /* that was one too many, and the app ends */
};

typedef struct iris_event {
    uint32_t size, abi;
    int64_t at;             /* api->now() */
    uint64_t number;        /* counts up from 1 */
    uint32_t kind, level;   /* level: IRIS_INFO .. */
    uint64_t pid;           /* 0: of no actor */
    const char *path, *text; /* path: "" where the actor has none */

    /* What it ran then; "" and 0 where that is not known. */
    const char *handler, *version; /* as in iris_info */
    uint32_t rev, state_version;

    /* CRASHED, STUCK: the message that it was in. `messages` 0: in none (init, a swap). */
    uint64_t message;     /* the how many-th of this actor, from 1 */
    uint64_t from;        /* who sent it; 0: from outside */
    iris_bytes excerpt;   /* its first bytes, 64 at most */
    uint32_t len;         /* how long it is */
    uint32_t messages;    /* more than 1: it got so many at once, and it is one of them */
    int64_t lasted;       /* STUCK: ns for which it has not returned */

    /* DECIDED: who did ("/svc"), how ("one_for_one"), and by which numbers. */
    const char *supervisor, *strategy;
    uint32_t decision, count, limit;
    int64_t period, delay; /* ns */
} iris_event;

typedef struct iris_options {
    uint32_t size, abi;
    uint32_t workers;     /* threads of the native pool; 0: one for each core */
    uint64_t seed;        /* not 0: no threads, virtual clock, order drawn from this seed: iris_step() */
    size_t message_max;   /* bytes of one message; 0: 64 MiB */
    int64_t turn_limit;   /* a handler that runs longer is interrupted where its host can; 0: never */
    void (*event)(void *ctx, const iris_event *); /* [any], must not block, may be NULL; stderr gets
                                                     nothing by itself */
    void *ctx;
    size_t memory_max;    /* bytes of all messages that wait or are handled; 0: no limit. Beyond it send
                             says IRIS_FULL, whatever the mailbox; signals still pass. What is near at
                             hand for a thread that sends counts: up to 256 blocks of each size */
    int64_t swap_wait;    /* ns that a pull actor has to return after HOT_SWAP; 0: 5 s */
    uint32_t event_level; /* IRIS_WARN: no events but warnings, errors and IRIS_EVENT_LOG; 0: all */
    int64_t spin;         /* ns that a worker without work looks for more, descriptors too, before it sleeps; 0:
                             about 10 us; below 0: not at all. A wake-up costs tens of us on a virtual machine:
                             who answers sooner is met awake, for a core that is busy meanwhile */
    uint32_t actors_max;  /* how many may live at once; 0: no limit. One more is refused, with a reason */
} iris_options;

/* options may be NULL; they are copied. IRIS_OK, and *out is yours to close; or IRIS_FAIL, nothing is left
 * of it, and iris_reason() says why. [main] */
IRIS_EXPORT int iris_open(const iris_options *options, iris_runtime **out);

/* End all actors (newest first: what they were sent and have not handled becomes dead letters) and
 * threads, within `timeout` ns, and free everything. No other thread may be in a call of this runtime,
 * or come with one. Not from a handler. NULL is fine. [main]
 *
 * Returns how many threads did not come back, and 0 if all did. If it is not 0 the runtime's memory
 * stays, as they may still use it: it is not freed any more. Calls that come then are refused (send:
 * IRIS_DEAD; spawn, load, attach: IRIS_FAIL; ask: IRIS_DEAD), and closing it again says the same number. */
IRIS_EXPORT int iris_close(iris_runtime *, int64_t timeout);

/* Before iris_close(), where mail is to be handled and not to become dead letters: waits until no message
 * is queued or being handled any more. If that is not so after half of `timeout` ns (actors that keep
 * sending), or handlers are to finish later, all actors are told to stop, and nothing is restarted any
 * more: each handles what it has accepted. One that waits for something outside gets 0.3 s. Timers are not
 * waited for. IRIS_OK: all is handled. IRIS_EMPTY: not within `timeout`. As iris_close, else. [main] */
IRIS_EXPORT int iris_drain(iris_runtime *, int64_t timeout);

IRIS_EXPORT const iris_api *iris_calls(void); /* one table for all runtimes; valid for ever. [any] */
/* Who calls when no actor does: pid 0. Valid until the runtime is closed. [any] */
IRIS_EXPORT iris_actor *iris_self(iris_runtime *);
/* Why this thread's last call failed, valid until its next call; never NULL. [any] */
IRIS_EXPORT const char *iris_reason(void);

/* A handler file, as a manifest names it ("./libpay.so", "./libpay.so:name", "pay.mjs#name"); relative to `dir`, or
 * to the working directory (NULL). Waits for the loader thread, so not from a handler. IRIS_OK, and *out
 * is the caller's reference (api->release); or IRIS_FAIL with a sentence. [any] */
IRIS_EXPORT int iris_load(iris_runtime *, const char *handler, const char *dir, iris_version **out);
/* A plugin that is linked into this program; arg goes to its start(). Waits for the loader thread, on
 * which start() runs: hold no lock that it takes. IRIS_OK or IRIS_FAIL. [main] */
IRIS_EXPORT int iris_attach(iris_runtime *, const iris_plugin *(*entry)(const iris_api *),
                            const char *config, void *arg);

/* The actor of this path, name or decimal pid; 0: none. It may have ended when you look. [any] */
IRIS_EXPORT uint64_t iris_find(iris_runtime *, const char *target);

/* As api->send from outside (ref 0), to the actor of this path, name or decimal pid; IRIS_DEAD: none. */
IRIS_EXPORT int iris_send_to(iris_runtime *, const char *target, const void *data, size_t len);

/* Ask and wait, for at most `timeout` ns. data is copied. On IRIS_OK *answer is the caller's:
 * api->drop(answer). Else there is none: IRIS_EMPTY (not in time), IRIS_DEAD
 * (iris_reason(), if it ended while it was asked), IRIS_FULL, IRIS_LARGE. From a handler IRIS_FAIL: it
 * would hold up its worker; but not where the actor has a thread of its own and asks another. [any] */
IRIS_EXPORT int iris_ask_wait(iris_runtime *, uint64_t pid, const void *data, size_t len,
                              int64_t timeout, const iris_message **answer);

/* Send, and wait for room where the mailbox is full: see send_wait() of <iris/ext/mailbox.h>. An actor of another
 * node whose link is full: IRIS_FULL, at once. Not from a handler. [any] */
IRIS_EXPORT int iris_send_wait(iris_runtime *, uint64_t pid, const void *data, size_t len,
                               int64_t timeout);
/* Wait for the end of an actor, for at most `timeout` ns (below 0: for ever), without looking again and
 * again. IRIS_OK: it has ended (a restart in place is an end, too), and why is in `reason`, cut to room
 * bytes with the final NUL (room may be 0): its grammar is in ext/watch.h, "noproc": there was no such
 * actor. IRIS_EMPTY: not in time. IRIS_FAIL: from a handler, or the runtime ends. A plugin that must not
 * wait uses ended() of ext/watch.h. [any] */
IRIS_EXPORT int iris_join(iris_runtime *, uint64_t pid, int64_t timeout, char *reason, size_t room);
/* Take the first message that matches (NULL: any) out of an observed actor (ext/observe.h), waiting for it
 * up to `timeout` ns (below 0: for ever). match() runs on this thread, once for each message. IRIS_OK: drop
 * *out. IRIS_EMPTY: not in time. IRIS_DEAD: no such actor, or it ended. IRIS_FAIL: from a handler. [any] */
IRIS_EXPORT int iris_receive(iris_runtime *, uint64_t pid,
                             int (*match)(void *ctx, const iris_message *), void *ctx,
                             int64_t timeout, const iris_message **out);
/* 1: it has not ended; also while it stops. Of another node that is asked, which takes a round trip, and 5 s at
 * most (no answer: 0); in a handler, which must not wait, it is alive as long as its node is up. [any] */
IRIS_EXPORT int iris_is_alive(iris_runtime *, uint64_t pid);

/* Not 0: nothing is queued or running, no ask or one-shot timer is pending, no actor said it is busy.
 * It holds for the moment of the call: if others still send, it may be over when you look. [any] */
IRIS_EXPORT int iris_is_idle(iris_runtime *);
/* iris_options.event_level from now on, for who listens only now and then. [any] */
IRIS_EXPORT void iris_set_event_level(iris_runtime *, uint32_t level);
/* Seeded runs: make one decision, on this thread. 0: nothing is left to decide. [main] */
IRIS_EXPORT int iris_step(iris_runtime *);

/* For a program's handler of SIGSEGV and SIGBUS (sigaction with SA_SIGINFO | SA_ONSTACK; the pool's threads
 * have a stack for it): not 0: it was the overflow of a coroutine's stack, that actor ends ("panic: stack
 * overflow .."), and the thread goes on when the handler returns. 0: it was something else, nothing has
 * changed. Takes the three arguments of the handler. Safe in signal handlers. [any] */
IRIS_EXPORT int iris_fault(int signal, const void *siginfo, void *ucontext);

/* For the same handler, when it was something else and the program is about to end: writes to fd which actor
 * this thread is in, what it runs, and its how many-th message it is. Safe in signal handlers. [any] */
IRIS_EXPORT void iris_fault_report(int signal, const void *siginfo, int fd);

typedef struct iris_totals {
    uint32_t size, abi;
    uint64_t actors, handled, versions, dead_letters;
    uint64_t crashed, ended, stray, node, unwanted; /* dead letters by reason */
    uint64_t bytes;                                 /* of message memory */
    uint64_t decisions;                             /* seeded runs: made by iris_step */
    uint64_t dropped;                               /* dead letters too: a newer one took the place */
    uint64_t refused, redirected, spilled, waited;  /* at full mailboxes: see <iris/ext/mailbox.h> */
} iris_totals;
/* Set size and abi of it before. Takes time for each actor that lives. [any] */
IRIS_EXPORT void iris_count(iris_runtime *, iris_totals *);

#ifdef __cplusplus
}
#endif
#endif
