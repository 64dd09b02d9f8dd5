/* What the core keeps for actors: timers, names. */
#ifndef IRIS_BENCH_KEEPING_H
#define IRIS_BENCH_KEEPING_H

#include "bench.h"

/* size one-shot timers that fall due in 0.5 to 1.5 s, to one actor: ns to set one, ns of CPU for one
 * from beginning to end, us by which they come late (p50, p99), bytes of one */
void timers_iris(const struct workload *, double *);
/* size paths, a thousand in each of their directories: ns to register one, to find one, us to list
 * the thousand of one directory, bytes of one */
void names_iris(const struct workload *, double *);

#endif
