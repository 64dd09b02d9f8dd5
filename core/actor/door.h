/* The door of a mailbox: what a bounded actor has beyond its gate, once it needs it. A sender goes to
 * the door when the gate says FULL, and only then: a->limit is the count from which on it does.
 *
 *   limit = capacity            nobody waits, and the policy lets none in past it
 *   limit = warning - 1         the same, but the door wants to see who fills the mailbox so far
 *   limit = 0                   all mail goes through the door's queue: somebody waits there already;
 *                               the policy is IRIS_DROP_OLD, whose oldest must be within reach; or
 *                               there is a limit of bytes, which are counted there
 *
 * So an actor that is not nearly full pays nothing for all of this, and an unbounded one has no door.
 *
 *   queue:  [ let in, let in, marker, let in ][ waits, waits, marker, waits ]
 *            counted by the gate                has no place yet (MESSAGE_WAITING)
 *
 * The turn takes from the queue, in order, behind what stands in the mailbox. It is told once, by
 * KIND_DOOR, that there is something to look after (then it has ACTOR_DOOR), and forgets that under the
 * lock: so nothing is overlooked, and neither gate nor mailbox knows of doors.
 *
 * IRIS_DROP_OLD evicts the oldest message that is not begun. Those of the queue are at hand. Where the
 * policy was changed on a living actor older ones may stand in its mailbox, which only its turn may
 * touch: they are owed, and the turn pays, under the lock, before it begins its next message.
 *
 * Bytes: where there is a limit each message is HELD from when it is let in until it is begun, and
 * `held` is their sum. It stays in the queue until then; a pull actor, which looks at all of its mail,
 * takes it into its mailbox with that flag. Who waits there needs bytes as well as a place.
 *
 * The memory of a door stays until the runtime ends (table.h), so that a sender with an old pid may
 * touch it; `owner` says whose it is. Its lock is held for a handful of instructions, and nobody is told
 * anything under it: what is to be told is collected in a struct parting. */
#ifndef IRIS_ACTOR_DOOR_H
#define IRIS_ACTOR_DOOR_H

#include "actor.h"
#include "spin.h"

#include <iris/ext/mailbox.h>

struct caller; /* callers.h: a thread, or a host, that waits */
struct edge;   /* awaits.h: for whom the owner waits itself */

struct door {
    struct spin lock; /* for all below */
    uint64_t owner;   /* pid; 0: nobody's */
    uint64_t fallback;
    uint32_t capacity, warning; /* warning: so many messages are worth a word; 0: none */
    uint8_t policy, warn_at;
    uint8_t told;   /* the turn knows, or a KIND_DOOR is on its way */
    int64_t warned; /* when, last */
    struct message *first, *last;
    struct message *waits;    /* the first without a place */
    uint32_t queued, waiting; /* of the queue: let in (and markers); without a place */
    uint64_t bytes, held;     /* the limit, or 0; of those that are let in and not begun */
    uint8_t pulls;            /* it is a pull actor's; known where there is a limit */
    uint32_t markers, owed;   /* in the mailbox: swaps; messages that are evicted already */
    struct caller *callers;   /* threads whose message waits here, and who waits for room */
    struct edge *edges;
    uint64_t counts[IRIS_MAILBOX_COUNTS];
};

enum { PARTING_TELLS = 32 };

struct parting { /* what is to be done when the lock is open again */
    struct message *dropped;
    struct caller *callers;
    uint32_t ntells;
    struct door_tell {
        uint64_t pid;
        uint32_t n;
    } tells[PARTING_TELLS]; /* suspended senders, and how many of their messages are in now */
};

static inline void iris__parting_init(struct parting *p) /* the rest is many bytes to clear */
{
    p->dropped = NULL;
    p->callers = NULL;
    p->ntells = 0;
}

enum door_whose {
    DOOR_FIND, /* if it has one */
    DOOR_MAKE, /* made if needed, while the actor still accepts mail */
    DOOR_OWN   /* [turn] the same, of the caller itself */
};

/* The door of this actor, locked. NULL: no such actor (any more), no memory, or it has none. */
struct door *iris__door_lock(struct world *, iris_actor *, uint64_t pid, enum door_whose);
void iris__door_unlock(struct door *);
/* ... and everybody told. */
void iris__door_part(struct world *, struct door *, uint64_t pid, struct parting *);

/* Lock held. */
void iris__door_append(struct door *, struct message *); /* flags say whether it waits */
void iris__door_remove(struct door *, struct message *);
/* Whether there are bytes for one more. One that is alone fits: it was accepted under a larger limit. */
static inline int iris__door_fits(const struct door *d, size_t len)
{
    return !d->bytes || !d->held || d->held + len <= d->bytes;
}
/* All its mail goes through the queue. */
static inline int iris__door_takes_all(const struct door *d)
{
    return d->bytes || d->policy == IRIS_DROP_OLD;
}
/* Evict the oldest until so many bytes fit: they are counted, and their places the caller's. How many. */
uint32_t iris__door_make_room(struct world *, struct door *, size_t len, struct parting *);
/* The oldest message that is not begun becomes a dead letter, its place the caller's. 0: none is. */
int iris__door_evict(struct door *, iris_actor *, struct parting *);
/* The policy is that nobody waits: each that does takes the oldest's place. Not 0: there are more, whom to
 * tell there was no room. */
int iris__door_convert(struct world *, struct door *, iris_actor *, struct parting *);
void iris__door_set_limit(struct door *, iris_actor *);
static inline void iris__door_count(struct world *w, struct door *d, int what)
{
    d->counts[what]++;
    atomic_fetch_add_explicit(&w->doors[what], 1, memory_order_relaxed);
}

static inline int iris__door_is_wanted(const iris_spawn *s)
{
    return (s->policy | s->warn_at | s->fallback | s->bytes) != 0;
}

/* Before the actor can be found: what spawn says, of one that wants a door. The first two: IRIS_OK, or IRIS_FAIL with a reason. */
int iris__door_check(const iris_spawn *);
int iris__door_prepare(struct world *, iris_actor *, const iris_spawn *);
void iris__door_open(struct world *, iris_actor *, uint64_t pid, const iris_spawn *);
/* [turn] It ends: what is queued is added to the local list, and who waits is told. */
void iris__door_close_own(iris_actor *);
static inline void iris__door_close(iris_actor *a)
{
    struct table *t = &iris__world_of(a)->table;
    if (iris__table_has_doors(t, a->slot) && iris__table_door(t, a->slot, 0))
        iris__door_close_own(a);
}

/* [turn] KIND_DOOR was heard. */
void iris__door_hear(iris_actor *);
enum door_next {
    DOOR_LOCAL, /* the first of the local list is next, or more after it */
    DOOR_ONE,   /* *m alone is: it is begun, and out of every list */
    DOOR_LEFT,  /* there is nothing at the door any more: go on as usual */
    DOOR_RESTS  /* the actor is idle: do not touch it */
};
enum door_next iris__door_next(iris_actor *, struct message **m);
/* [turn] The same for pull actors, and where nothing can be begun now: take in what may come in (1: the
 * next is mail that stays at the door); begin this one of the local list (0: it has been evicted; look
 * again); rest as iris__mailbox_rest() does. */
int iris__door_fetch(iris_actor *);
int iris__door_begin(iris_actor *, struct message *);
int iris__door_rest(iris_actor *);
/* [turn] One that is HELD, and in the local list, was dropped. */
void iris__door_let_go(iris_actor *, struct message *);
/* [turn] A marker of a swap was taken out of the mailbox. */
void iris__door_count_marker(iris_actor *);
static inline void iris__door_marker_gone(iris_actor *a)
{
    if (atomic_load_explicit(&a->marks, memory_order_relaxed) & MARK_BOUNDED)
        iris__door_count_marker(a);
}

/* [any] Put a marker behind what was accepted so far. IRIS_OK or IRIS_DEAD. */
int iris__door_marker(struct world *, iris_actor *, uint64_t pid, struct message *);
/* [any] As the extension has them. */
int iris__door_policy(struct world *, uint64_t pid, uint32_t policy, uint64_t fallback,
                      uint32_t capacity);
int iris__door_bytes(struct world *, uint64_t pid, uint64_t bytes);
int iris__door_look(struct world *, uint64_t pid, iris_mailbox_look *);

#endif
