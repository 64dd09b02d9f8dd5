/* What docs/scale.md says is simulated: many nodes of the product's own code, one thread, a clock of steps. */
#ifndef SCALE_H
#define SCALE_H

#include "random.h"

#include <stddef.h>
#include <stdint.h>

#define MS INT64_C(1000000)
#define SEC (1000 * MS)
#define STEP (5 * MS)

struct spread { /* how often something happened, by 100 ms */
    uint32_t *counts;
    size_t n;
    uint64_t all;
};

void spread_add(struct spread *, int64_t at);
uint32_t spread_most(const struct spread *, int64_t from); /* in 100 ms, from then on */

/* nodes that each want one other, which is away for so many seconds, and then greets `rate` of them a second. chance 0:
 * the pauses are the same for all. */
void storm(int nodes, int away, int rate, int chance);
/* nodes that hold a lease at an engine that does `rate` requests a second, and is away from second 60 on for so many. */
void leases(int nodes, int ttl, int rate, int away);

#endif
