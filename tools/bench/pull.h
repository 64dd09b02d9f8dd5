/* Native pull actors: coroutines, which call recv() themselves. */
#ifndef IRIS_BENCH_PULL_H
#define IRIS_BENCH_PULL_H

#include "bench.h"

/* M messages/s that one took: from an actor beside it, or (order 1) from a thread outside */
enum { PULL_FROM_ACTOR, PULL_FROM_OUTSIDE };
void pull_iris(const struct workload *, double *);
/* M round trips/s of two */
void pull_pingpong_iris(const struct workload *, double *);
/* bytes each when waiting, k begun in a second; size: how many */
void pull_spawn_iris(const struct workload *, double *);

#endif
