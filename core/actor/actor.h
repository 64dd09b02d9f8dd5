/* The actor: 96 bytes, which are also its place in the table of pids. Everything that most actors do
 * not have (a path, a history, monitors, ...) hangs on `cold`.
 *
 * Who touches what: senders only `in`, `signals`, `gate`, `marks`, `limit`, and `executor` after they
 * found it idle; everything else belongs to whoever has its turn. */
#ifndef IRIS_ACTOR_ACTOR_H
#define IRIS_ACTOR_ACTOR_H

#include "executor.h"
#include "message.h"
#include "world.h"

#include <iris/plugin.h>

enum {                        /* actor.flags */
       ACTOR_FRESH = 1,       /* init has not run yet */
       ACTOR_MOVING = 2,      /* on its way to another executor, in the middle of a swap */
       ACTOR_EXITING = 4,     /* called exit(), or is to end after this turn */
       ACTOR_GONE = 8,        /* ended; waits for done() calls that are on their way */
       ACTOR_OWN_THREAD = 16, /* has an executor of its own */
       ACTOR_TIMED = 32,      /* has a time slice of its own: slice.h */
       ACTOR_SWAPPING = 64,   /* a swap shall come before the next message */
       ACTOR_PULLS = 128,     /* its handle() takes the mail itself */
       ACTOR_HEARS = 256,     /* a DOWN or EXIT waits for its behaviour, before the mail */
       ACTOR_DOWN = 512,      /* between two incarnations: it waits to be told to begin */
       ACTOR_RUNS = 1024,     /* a pull actor: its handle() has begun and not returned */
       ACTOR_ENDING = 2048,   /* it ends as soon as its children have */
       ACTOR_DOOR = 4096,     /* somebody waits at its door, or its mail comes by way of it */
       ACTOR_WAITS = 8192, /* waits at somebody's door itself, and begins nothing until it is in */
       ACTOR_OFFERED = 1 << 14, /* offer.h: its code is told of a swap, or that it is off */
       ACTOR_ASLEEP = 1 << 15   /* lazy.h: it begins with the next message; always with FRESH */
};

enum {                       /* actor.marks: what senders look at */
       MARK_BOUNDED = 1,     /* has a capacity, or a limit of bytes */
       MARK_PORT = 2,        /* no actor, but the place where an ask waits for its answer */
       MARK_TIMERS = 4,      /* timers may exist for it */
       MARK_NAMED = 8,       /* names may */
       MARK_LINK = 16,       /* it takes the mail of other nodes */
       MARK_KEPT = 32,       /* a supervisor may look after it */
       MARK_DOWN = 64,       /* between two incarnations */
       MARK_OVER = 128,      /* it has ended; all who want to know are being told */
       MARK_WAITS = 256,     /* a port, but of no question: a DOWN answers it */
       MARK_STAYS = 512,     /* spawned onto an executor by name: a swap does not move it */
       MARK_STARTING = 1024, /* ready.h: it has to say that it has started */
       MARK_TOLD = 2048,     /* it has ended, and the event of that was told (with a struct cold) */
       MARK_ASLEEP = 1 << 16,
       MARKERS_SHIFT = 17 /* above: how many markers (swaps, stops) stand in its mailbox */
};

struct iris_actor {
    _Atomic uint64_t in;   /* mailbox.h: what was sent and not yet taken; idle, closed */
    struct message *local; /* taken, in order */
    struct message *_Atomic signals;
    const iris_version *version;
    void *state;
    iris_executor *executor;
    _Atomic uint64_t gate; /* gate.h: generation, whether it accepts, messages not yet done */
    atomic_uint waiting;   /* how many local has */
    atomic_uint marks;
    _Atomic uint64_t handled;
    struct cold *_Atomic cold; /* NULL until needed; written by the turn, or before the first one */
    uint32_t slot;
    atomic_uint limit; /* bounded: from so many on a sender must ask at the door (door.h) */
    uint16_t budget;
    uint16_t batch; /* how many messages handle() gets at once; adapts */
    uint16_t open;  /* later() without done() */
    uint16_t flags;
};

_Static_assert(sizeof(struct iris_actor) == 96, "an idle actor is 96 bytes");

static inline struct world *iris__world_of(const iris_actor *a)
{
    return a->executor->sched->owner;
}

static inline uint64_t iris__actor_pid(const iris_actor *a)
{
    uint64_t gate = atomic_load_explicit(&((iris_actor *)a)->gate, memory_order_relaxed);
    return (gate >> 32 & 0x7ffff) << 24 | a->slot;
}

/* Make an actor. Its init runs in its first turn. path and name are the caller's business (tree).
 * cold may carry what restart needs; it becomes the actor's, also on failure. IRIS_DEAD: no parent. */
int iris__actor_spawn(struct world *, const iris_spawn *, struct cold *cold, uint64_t *pid);

/* How an incarnation ends. */
enum ending_kind {
    ENDING_NORMAL,  /* exit(), or a pull actor's return */
    ENDING_KILLED,  /* stop (then .stopped) or kill; or linked with one that was stopped */
    ENDING_CRASH,   /* its code failed */
    ENDING_PARENT,  /* its parent ended */
    ENDING_RESTART, /* its supervisor wants another incarnation */
    ENDING_PANIC,   /* a fault that the runtime caught */
    ENDING_LINK     /* somebody who was linked failed */
};

struct ending {
    enum ending_kind kind;
    const char *reason;            /* its grammar: <iris/ext/watch.h> */
    int stopped;                   /* by stop(), or for good: nobody restarts that in place */
    const struct excerpt *message; /* that crashed it, or NULL */
    int at_once;                   /* nobody has waited for its code to come to an end */
    int reverts; /* init refused a renewal: what it had before is begun with, and no failure */
};

/* What "on-failure" restarts. */
static inline int iris__ending_is_failure(const struct ending *e)
{
    return e->kind == ENDING_CRASH || e->kind == ENDING_PANIC || e->kind == ENDING_LINK;
}

/* [turn] End this incarnation, after its children have; begin another if the world's hook says so. 0: do
 * not touch the actor, it is gone; 1: it lives again, or waits for its children (ACTOR_ENDING). */
int iris__actor_end(iris_actor *, const struct ending *);
/* [turn] Of one that has waited for its children. */
int iris__actor_end_now(iris_actor *);
/* [turn] First init, or the next one; 0 or -1 with a reason. */
int iris__actor_init(iris_actor *);
/* [turn] fini, of one that has begun. */
void iris__actor_end_state(iris_actor *);
/* [turn] It was told to begin, or is gone: it is between two incarnations no more. */
void iris__actor_rise(iris_actor *);
/* [turn] Of an actor that is gone: give its place back once nothing can come any more. */
void iris__actor_bury(iris_actor *);
/* A signal that finds nobody: whoever sent it is told, where that is due. Frees it. */
void iris__actor_refuse_signal(struct world *, struct message *);

/* [any] Handle what was accepted, then end; no mail is accepted from now on. IRIS_OK or IRIS_DEAD. */
int iris__actor_stop(struct world *, uint64_t pid);
/* [any] End at once and for good; what is queued becomes dead letters. */
int iris__actor_kill(struct world *, uint64_t pid, const char *reason);
int iris__actor_alive(struct world *, uint64_t pid); /* 0 before the first one is told of its end */
/* It has ended, and no event of it comes any more. */
int iris__actor_is_told(struct world *, uint64_t pid);

#endif
