/* Timers by when they are due. Those of the next millisecond or so are in a heap, in order: as it is small, it
 * stays in the cache. All others wait in lists, each for a stretch of time that is the longer the further off it
 * is; when a stretch begins its list is spread over shorter ones, and the shortest over the heap. A timer is
 * moved some three times in its life, whatever its number, and never sorted among those of other milliseconds.
 *
 * It locks nothing. Whoever has one of its timers may call for it. */
#ifndef IRIS_ACTOR_CALENDAR_H
#define IRIS_ACTOR_CALENDAR_H

#include "hash.h"

#include <stdint.h>

enum {
    CALENDAR_CHUNK = 1024, /* timers that are allocated at once */
    CALENDAR_INDEX_BITS = 24,
    CALENDAR_TICK_BITS = 20, /* ns of the shortest stretch: 1.05 ms */
    CALENDAR_SLOT_BITS = 6,  /* of a level; each stretch of the next is all of these together */
    CALENDAR_SLOTS = 1 << CALENDAR_SLOT_BITS,
    CALENDAR_LEVELS = 8 /* which reaches further than a clock of 63 bits */
};

struct message;

struct timer { /* a cache line */
    union {
        struct hash_link
            mine; /* in by_pid, its key is whom the message is for: one of the actor's timers */
        struct {
            void (*fn)(void *); /* without a message: called */
            void *ctx;
        };
    };
    struct message *m;
    int64_t deadline, period; /* period 0: once */
    uint32_t before, after;   /* the others of that actor, 0: none; after: the next free one */
    union {
        struct {
            uint32_t next, previous; /* in its list, which is a ring */
        };
        uint32_t at; /* in the heap */
    };
    uint32_t generation; /* how often its place was used */
    uint32_t index;      /* its own; 0: it is free */
};

_Static_assert(sizeof(struct timer) == 64, "a timer is one cache line");

struct due {
    int64_t deadline;
    uint32_t seq, index; /* equal deadlines come as they came in here, which is as they were set */
};

struct calendar {
    struct timer **chunks; /* all timers, in places that stay */
    uint32_t nchunks, used, free;
    uint32_t timers, room; /* room in the heap for all of them, so that moving one cannot fail */
    struct due *heap;      /* four below each: one cache line */
    uint32_t near, seq;    /* in the heap; of the next that comes in */
    int64_t tick;          /* all whose tick is not behind this one are in the heap */
    int64_t far;           /* the first deadline in the lists; 0: it must be looked for */
    uint64_t slots[CALENDAR_LEVELS];                 /* a bit for each list that has any */
    uint32_t lists[CALENDAR_LEVELS][CALENDAR_SLOTS]; /* the first of each */
};

void iris__calendar_init(struct calendar *);
void iris__calendar_finish(struct calendar *); /* the memory; not what hangs on the timers */

static inline struct timer *iris__calendar_at(const struct calendar *c, uint32_t index)
{
    return &c->chunks[index / CALENDAR_CHUNK][index % CALENDAR_CHUNK];
}

/* A place for a timer: index and generation are set. NULL: no memory, or none left. */
struct timer *iris__calendar_take(struct calendar *);
void iris__calendar_give(struct calendar *, struct timer *);
/* In, by its deadline; and out. */
void iris__calendar_put(struct calendar *, struct timer *);
void iris__calendar_remove(struct calendar *, struct timer *);
/* It is `now`: what is put in from now on is not put further back than it need be. */
void iris__calendar_reach(struct calendar *, int64_t now);
/* The first that is due, of equal ones the one that was put in first; NULL: none is. */
struct timer *iris__calendar_due(struct calendar *, int64_t now);
/* The first deadline, exactly; INT64_MAX: there is none. */
int64_t iris__calendar_next(struct calendar *);

#endif
