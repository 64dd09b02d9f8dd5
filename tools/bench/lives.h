/* What actors take to be there, to begin, and to change. */
#ifndef IRIS_BENCH_LIVES_H
#define IRIS_BENCH_LIVES_H

#include "bench.h"

/* bytes each when idle, k actors begun in a second; size: how many */
void spawn_floor(const struct workload *, double *);
void spawn_iris(const struct workload *, double *);
/* k swaps in effect in a second, one after the other; of a stateful counter */
void swap_iris(const struct workload *, double *);

#endif
