/* cast.h - the actors that many plays share, and a ledger in which they write down what happened.
 *
 * A behaviour's `data` points to its ledger, which outlives every incarnation:
 *
 *   struct ledger *l = cast_ledger(s);
 *   iris_behaviour counter = cast_counter(l);
 *   uint64_t pid = scene_spawn(s, &counter, 0);
 *   cast_senders(s, l, pid, 4, 500);      four actors, 500 numbers each, FULL is tried again
 *   scene_settle(s);
 *   cast_balance(s, l);                   accepted = handled + dead letters, nothing out of order */
#ifndef IRIS_TESTS_CAST_H
#define IRIS_TESTS_CAST_H

#include "scene.h"

#include "cold.h"

#include <stdint.h>

enum { CAST_SENDERS = 16 };

struct ledger {
    atomic_ullong accepted, full, dead; /* what send() said to the senders */
    atomic_ullong handled, disorder;
    atomic_ullong inits, finis, saves, upgrades, cancels, frees, downs, swaps;
    _Atomic uint64_t last[CAST_SENDERS]; /* of each sender: the number that came last */
    /* what the play asks for */
    uint64_t crash_every;  /* numbers that this divides crash their handler */
    uint64_t yield_every;  /* handle() returns after that many */
    int gaps;              /* numbers may be missing (they crashed), but never come late */
    atomic_int init_fails; /* so many times */
    const char *save_fails, *upgrade_fails; /* with these words */
    uint64_t down_ref, down_from;
    char reason[256]; /* of the last DOWN */
};

struct ledger *cast_ledger(struct scene *);

/* Numbers: who sent it, and the how many-th it is. */
static inline uint64_t cast_number(uint64_t sender, uint64_t n)
{
    return sender << 56 | n;
}

/* Counts numbers and keeps the count as its state (8 bytes, version 1). Answers every ask with it. */
iris_behaviour cast_counter(struct ledger *);
/* The same with another layout (16 bytes, version 2), which reads both. */
iris_behaviour cast_counter2(struct ledger *);
/* A message of 8 bytes is a pid to monitor; takes DOWNs down. */
iris_behaviour cast_watcher(struct ledger *);
/* Handles everything, keeps nothing. */
iris_behaviour cast_plain(struct ledger *);

/* An actor that does in its own turn what the play asks it to, and writes down its signals. */
struct doer {
    atomic_int exits, downs, done, inits;
    _Atomic uint64_t from[8]; /* of the EXITs; this and the others: the 8 that came last */
    char reason[8][128];      /* of the EXITs, or of the DOWNs: a play has one of both */
    uint64_t down_ref[8];
};
iris_behaviour cast_doer(struct scene *, struct doer **);
struct task { /* what it is sent; run NULL: it crashes, with the words that ctx is */
    void (*run)(iris_actor *self, void *ctx);
    void *ctx;
};
void cast_have_do(struct scene *, uint64_t doer, void (*run)(iris_actor *, void *), void *ctx);

uint64_t cast_spawn(struct scene *, const iris_behaviour *, iris_spawn how); /* how: what differs */
uint64_t cast_supervise(struct scene *, const iris_behaviour *, const char *path,
                        enum restart_when);

/* n actors that send `each` numbers to pid, a few at a time; returns at once. */
void cast_senders(struct scene *, struct ledger *, uint64_t pid, int n, uint64_t each);
/* n threads that do the same; returns when they have. With threads only. */
void cast_flood(struct scene *, struct ledger *, uint64_t pid, int n, uint64_t each);

/* A swap, and what was told. */
struct verdict {
    atomic_int told, result;
    char why[600];
};
int cast_swap(struct scene *, uint64_t pid, const iris_behaviour *, int now, struct verdict *);
int cast_rollback(struct scene *, uint64_t pid, uint32_t steps, int use_snapshot, struct verdict *);
void cast_tell(void *verdict, int result, const char *why); /* for api->swap */
/* ... waits for it and expects this, with a reason that holds these words (NULL: any). */
void cast_expect(struct scene *, struct verdict *, int result, const char *words);

void cast_balance(struct scene *, struct ledger *);
iris_info cast_info(struct scene *, uint64_t pid);
int cast_is_alive(struct scene *, uint64_t pid);
/* Wait until there is no such actor any more. */
void cast_await_end(struct scene *, uint64_t pid);
/* Seeded: a number of steps; with threads: nothing. */
void cast_run(struct scene *, int steps);
const void *cast_extension(struct scene *, const char *id);

#endif
