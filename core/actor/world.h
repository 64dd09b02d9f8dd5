/* What all actors of one runtime share. It is the first member of struct runtime. */
#ifndef IRIS_ACTOR_WORLD_H
#define IRIS_ACTOR_WORLD_H

#include "birth.h"
#include "descriptor.h"
#include "executor.h"
#include "observe.h"
#include "pool.h"
#include "route.h"
#include "stack.h"
#include "table.h"
#include "timer.h"
#include "timing.h"

#include <iris/ext/control.h>
#include <iris/ext/mailbox.h>

#include <stdatomic.h>

enum dead_reason {                /* why an accepted message was not handled */
                   DEAD_CRASHED,  /* it crashed its actor */
                   DEAD_ENDED,    /* still queued, or put off, when its actor ended */
                   DEAD_STRAY,    /* its actor had ended and the place was taken again */
                   DEAD_NODE,     /* its node went away */
                   DEAD_UNWANTED, /* an answer for which nobody waits any more */
                   DEAD_DROPPED, /* a newer one took its place in a full mailbox; or it was an answer
                                     that a handler returned, and there was no room where it was to go */
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
    EVENT_LOG,
    EVENT_DECIDED,
    EVENT_HIGH_WATER
};

enum { EXCERPT_ROOM = 64 };

struct excerpt { /* of a message that may be gone when it is told of */
    uint64_t number, from;
    uint32_t len, used, messages;
    unsigned char bytes[EXCERPT_ROOM];
};

/* What an event says beside its words; 0 and NULL: it does not. The names are those of iris_event. */
struct event_detail {
    const iris_info *about; /* how the actor is; NULL: the hook looks itself */
    const struct excerpt *message;
    int64_t lasted;
    const char *supervisor, *strategy;
    uint32_t decision, count, limit; /* decision: DECIDED_RESTART .. */
    int64_t period, delay;
};

enum { DECIDED_RESTART = 1, DECIDED_ESCALATE, DECIDED_END, DECIDED_EXIT };

enum afterwards {              /* an incarnation has ended: */
                  AFTER_GONE,  /* the actor ends */
                  AFTER_AGAIN, /* another begins at once, in place */
                  AFTER_WAITS  /* another begins when KIND_BEGIN comes */
};

struct world;
struct ending;
struct registry;
struct supervisors;

struct world_hooks { /* what the rooms above decide; each may be NULL */
    /* [turn] What follows this ending. Only of actors with MARK_KEPT. */
    enum afterwards (*restart)(struct world *, iris_actor *, const struct ending *);
    void (*began)(struct world *, iris_actor *); /* [turn] .. after it has waited */
    /* [turn] An incarnation has ended, and nobody was told yet: its names go; where another one begins
     * in place, only those that were set by hand. Of actors that may have one. */
    void (*unname)(struct world *, iris_actor *, int again);
    /* [turn] It is gone for good, place and all. Only of actors with MARK_KEPT. */
    void (*gone)(struct world *, uint64_t pid);
    void (*event)(struct world *, enum event_kind, iris_actor *, int level,
                  const struct event_detail *, const char *text);
    /* [any] A node is up, and has told what it allows; or it has gone (up 0). */
    void (*node)(struct world *, uint32_t index, int up);
    /* [any] IRIS_ORDER for an actor of this node, or IRIS_REPORT for a supervisor. */
    void (*supervise)(struct world *, const iris_message *);
    void (*unload)(struct world *, void *library); /* [any] a version of it is freed */
    /* As in <iris/ext/plugin.h>. */
    int (*use)(struct world *, const char *plugin, const char *id, const void **table, void **host);
};

struct world {
    struct sched sched;
    struct pool *pool;
    struct table table;
    struct stacks stacks; /* of pull actors */
    struct timers timers;
    struct routes routes;
    struct descriptors descriptors;
    struct observed_all observed;
    struct world_hooks hooks;
    struct registry *registry;       /* tree/registry.h: the names of this world's actors */
    struct supervisors *supervisors; /* tree/supervisor.h */
    struct birth *birth;             /* room: one more than message_max */
    size_t message_max;
    atomic_int event_level; /* events below it, but EVENT_LOG, are not told */
    int64_t swap_wait;      /* ns: so long a pull actor may take to return for a swap */
    atomic_llong dead[DEAD_REASONS];
    _Atomic int64_t warned; /* when it was last said that an answer was dropped; 0: never */
    atomic_llong doors[IRIS_MAILBOX_COUNTS]; /* what happened at the doors of all actors */
    /* what --until-idle waits for, beside mail and timers */
    atomic_llong asks, busy, laters, down, starting;
    atomic_llong versions; /* alive */
    atomic_int closing;    /* no more actors */
    uint32_t actors_max;   /* at once; 0: no limit */
    _Atomic uint64_t refs; /* next monitor reference */
    iris_actor *outside;   /* who sends for threads that are no actor */
    pthread_mutex_t swaps_lock;
    struct swap *swaps;         /* asked for, not yet begun; swaps_lock */
    pthread_mutex_t facts_lock; /* held while what others may look at changes: an actor's version,
                                   history, path and cold part as a whole */
    atomic_int lookers;         /* hold it, or wait for it */
    struct timing timing;       /* of all actors; facts_lock */
};

/* [any] 1; or 0 with a reason: this is the child of a fork, and the runtime has stayed with its threads. */
int iris__world_stayed(void); /* 0, with a reason */
static inline int iris__world_is_here(const struct world *w)
{
    return __builtin_expect(w->birth->here, 1) || iris__world_stayed();
}

/* [any] Hold facts_lock. Who looks at an actor looks at its gate after this: of one that is gone there is nothing
 * to see. */
static inline void iris__facts_hold(struct world *w)
{
    atomic_fetch_add(&w->lookers, 1);
    pthread_mutex_lock(&w->facts_lock);
}

static inline void iris__facts_release(struct world *w)
{
    pthread_mutex_unlock(&w->facts_lock);
    atomic_fetch_sub(&w->lookers, 1);
}

/* Count it, tell whoever asked, free it. */
void iris__world_dead_letter(struct world *, struct message *, enum dead_reason);
/* [any] An answer of self's that found no room at `ref`: counted, whoever asked is told, and now and then
 * a warning says so. Of one that is gone it is only counted. */
void iris__world_drop_answer(struct world *, iris_actor *self, uint64_t ref);
/* The same of the message that crashed its actor. */
void iris__world_crash_letter(struct world *, struct message *, const char *why);
/* The same of one that another node did not take, or that was on its way when that went. */
void iris__world_node_letter(struct world *, struct message *, const char *why);
long long iris__world_dead_total(const struct world *);
void iris__world_event(struct world *, enum event_kind, iris_actor *, int level, const char *fmt,
                       ...) __attribute__((format(printf, 5, 6)));
/* The same with what there is to say beside the words (borrowed; NULL: nothing). What a supervisor
 * decides is told so, as EVENT_DECIDED, before it is done. */
void iris__world_tell(struct world *, enum event_kind, iris_actor *, int level,
                      const struct event_detail *, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
void iris__excerpt(struct excerpt *, const iris_message *, uint64_t number, uint32_t messages);

#endif
