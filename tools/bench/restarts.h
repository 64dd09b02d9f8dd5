/* Actors that crash, and begin again in place. */
#ifndef IRIS_BENCH_RESTARTS_H
#define IRIS_BENCH_RESTARTS_H

#include "bench.h"

/* k restarts in a second, of `size` actors with a supervisor each; their reasons and the supervisors'
 * decisions are told to a listener */
void restarts_iris(const struct workload *, double *);

#endif
