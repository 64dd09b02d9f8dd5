/* What all actors of one runtime share. It is the first member of struct runtime. */
#ifndef IRIS_ACTOR_WORLD_H
#define IRIS_ACTOR_WORLD_H

#include "descriptor.h"
#include "executor.h"
#include "pool.h"
#include "route.h"
#include "table.h"
#include "timer.h"

#include <stdatomic.h>

enum dead_reason {                /* why an accepted message was not handled */
                   DEAD_CRASHED,  /* it crashed its actor */
                   DEAD_ENDED,    /* still queued, or put off, when its actor ended */
                   DEAD_STRAY,    /* its actor had ended and the place was taken again */
                   DEAD_NODE,     /* its node went away */
                   DEAD_UNWANTED, /* an answer for which nobody waits any more */
                   DEAD_REASONS
};

enum event_kind {
    EVENT_STARTED,
    EVENT_CRASHED,
    EVENT_RESTARTED,
    EVENT_ENDED,
    EVENT_SWAPPED,
    EVENT_SWAP_REFUSED,
    EVENT_STUCK,
    EVENT_EXHAUSTED,
    EVENT_LOG
};

struct world;
struct ending;
struct registry;

struct world_hooks { /* what the rooms above decide; each may be NULL */
    /* [turn] 1: begin another incarnation in place. */
    int (*restart)(struct world *, iris_actor *, const struct ending *);
    /* [turn] It is gone for good: free its names. Only of actors that have a cold part or a name. */
    void (*gone)(struct world *, iris_actor *);
    void (*event)(struct world *, enum event_kind, iris_actor *, int level, const char *text);
    void (*unload)(struct world *, void *library); /* [any] a version of it is freed */
};

struct world {
    struct sched sched;
    struct pool *pool;
    struct table table;
    struct timers timers;
    struct routes routes;
    struct descriptors descriptors;
    struct world_hooks hooks;
    struct registry *registry; /* tree/registry.h: the names of this world's actors */
    size_t message_max;
    atomic_llong dead[DEAD_REASONS];
    atomic_llong asks, busy, laters; /* what --until-idle waits for, beside mail and timers */
    atomic_llong versions;           /* alive */
    atomic_int closing;              /* no more actors */
    _Atomic uint64_t refs;           /* next monitor reference */
    _Atomic uint64_t quit;           /* handled by actors that are gone */
    iris_actor *outside;             /* who sends for threads that are no actor */
    pthread_mutex_t swaps_lock;
    struct swap *swaps;         /* asked for, not yet begun; swaps_lock */
    pthread_mutex_t facts_lock; /* held while what others may look at changes: an actor's version,
                                   history, path and cold part as a whole */
};

/* Count it, tell whoever asked, free it. */
void iris__world_dead_letter(struct world *, struct message *, enum dead_reason);
/* The same of the message that crashed its actor. */
void iris__world_crash_letter(struct world *, struct message *, const char *why);
long long iris__world_dead_total(const struct world *);
void iris__world_event(struct world *, enum event_kind, iris_actor *, int level, const char *fmt,
                       ...) __attribute__((format(printf, 5, 6)));

#endif
