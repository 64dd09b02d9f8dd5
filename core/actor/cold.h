/* What few actors have: a place in the tree, a history of versions, monitors, children, mail put off.
 * Belongs to the actor's turn; the tree (path, restart, ..) writes before the first one. */
#ifndef IRIS_ACTOR_COLD_H
#define IRIS_ACTOR_COLD_H

#include "actor.h"
#include "ready.h"
#include "set.h"
#include "text.h"
#include "timing.h"

struct revision {
    iris_version *version;
    uint32_t rev, of;     /* of: which earlier one it repeats, or rev itself */
    struct text snapshot; /* its state's bytes when it was replaced */
    uint32_t snapshot_version;
    int migrated; /* the one before does not know the format of its state, nor it that one's */
};

enum restart_when { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };

enum exit_how {
    EXIT_BY_ITSELF,
    EXIT_KILLED,
    EXIT_STOPPED,
    EXIT_RESTARTED,
    EXIT_LINKED,
    EXIT_PARENT,
    EXIT_CRASHED /* as it says itself; or a pull actor: the core found it wanting */
};

struct cold {
    /* tree */
    char *path, *name;
    int is_kept; /* its supervisor is found by its path */
    enum restart_when restart;
    int64_t shutdown; /* ns it may take to end; 0: the default; -1: none */
    uint64_t order;   /* of its supervisor: the last that it has heard */
    atomic_uint restarts;
    _Atomic int64_t started; /* of this incarnation */
    char *args;              /* for init */
    size_t args_len;
    char *env; /* NAME=VALUE, a NUL behind each, and one more; or NULL */

    /* swap */
    struct revision *history; /* the last one is the current; NULL: rev 1, never swapped */
    uint32_t revisions, keep, rev;
    int stateless_restart;
    struct swap *now;          /* waits until nothing is open */
    struct swap *moving;       /* with the actor, to another executor */
    struct swap *offered;      /* offer.h: its code has not returned yet */
    uint8_t offer_tells;       /* what is to be told of it */
    uint8_t offer_ready;       /* its code has returned: `now` is carried out */
    struct frozen *frozen;     /* freeze.h: it begins nothing; then ACTOR_SWAPPING is set */
    struct restored *restored; /* what its first state is made of, or NULL */

    /* later */
    struct message **open;
    uint32_t open_used, open_room;

    /* watch */
    struct set watchers;        /* who wants to know when this actor ends; by ref */
    struct set watched;         /* what this actor wants to know; by ref */
    struct set links;           /* links.c; by pid */
    struct set children;        /* by pid */
    struct last *last;          /* it ends, and waits for them; family.c */
    uint64_t mourner, mourning; /* its parent waits for its end; under this number */
    uint32_t sweep_at;          /* that many children: look which have ended */
    uint8_t traps, born_trapping;
    struct message *heard, *heard_last; /* DOWN and EXIT for the behaviour, in order */

    char *exit_reason; /* of exit(), or of what ends a pull actor */
    enum exit_how exit_how;
    struct message *taken;       /* a pull actor's current one */
    struct coroutine *coroutine; /* its stack; NULL: it has a thread */
    int hot;                     /* it was given HOT_SWAP: its return is for a swap */
    uint32_t busy;
    _Atomic uint64_t crashed;    /* messages that crashed it: part of its count of them */
    _Atomic uint64_t unfinished; /* put off, and never done: it ended */
    int64_t slice, slice_end;    /* slice.h: its own, and of this turn */
    int64_t idle_timeout;        /* lazy.h; while it is awake */
    uint64_t idle_handled;
    int64_t idle_looks;      /* in a row at which nothing had come */
    struct alarms *alarms;   /* alarm.h, or NULL */
    struct renewal *renewal; /* renew.h: for the next incarnation, or NULL */
    struct timing *timing;   /* timing.h, or NULL: none of its turns was timed yet; facts_lock */
    struct renewal *trial; /* renew.h: of this one, which has not said that it is ready; or NULL */
    int64_t ready_within;  /* ready.h: ns; 0: it is when its init has run */
    uint64_t ready_timer;
    enum readiness readiness;
    uint32_t fruitless;    /* turns in a row that took nothing */
    uint64_t fruitless_at; /* handled, then */
};

/* [turn] The actor's cold part, made if needed; NULL: no memory. */
struct cold *iris__cold(iris_actor *);
void iris__cold_free(struct world *, struct cold *);

static inline struct cold *iris__cold_if(const iris_actor *a)
{
    return atomic_load_explicit(&((iris_actor *)a)->cold, memory_order_acquire);
}

#endif
