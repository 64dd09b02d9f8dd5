/* How long turns take. A clock costs as much as a short turn, so not all are timed: the first one after a
 * rest, which what wakes a thread outweighs, and while it is busy one each tick, a thousand in a second at
 * most. All of a quiet actor, a sample of a busy one; which turn that is does not hang on how long it takes. */
#ifndef IRIS_ACTOR_TIMING_H
#define IRIS_ACTOR_TIMING_H

#include <stdint.h>

enum { TIMING_BOUNDS = 6 };
extern const int64_t
    iris__timing_bounds[TIMING_BOUNDS]; /* ns: 10 us, and each the tenfold, to 1 s */
extern const char *const iris__timing_words[TIMING_BOUNDS]; /* the same in seconds */

struct timing { /* zeroed; under facts_lock */
    uint64_t in[TIMING_BOUNDS +
                1]; /* turns of at most that bound, and not of the one before; the last: longer */
    uint64_t sum;   /* ns */
};

void iris__timing_add(struct timing *, int64_t ns);
/* What `all` has without `part`, which was taken of it a moment later. */
void iris__timing_subtract(struct timing *all, const struct timing *part);
uint64_t iris__timing_count(const struct timing *);

/* As iris__turn_run; the world and, where it has a path, the actor remember how long it took. */
uint32_t iris__timing_run(void *world, void *actor);

#endif
