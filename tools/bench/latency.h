/* How long one light message takes while others make the workers busy. */
#ifndef IRIS_BENCH_LATENCY_H
#define IRIS_BENCH_LATENCY_H

#include "bench.h"

/* us p50, p99 from a send each millisecond to its handling; size: actors that flood; order: for how many ns
 * a worker spins (as iris_options.spin) */
void light_floor(const struct workload *, double *);
void light_iris(const struct workload *, double *);
/* us p50, p99 of an ask from outside, until its answer is there; size: actors that flood */
void ask_iris(const struct workload *, double *);
/* us p50, p99 of an ask between two actors */
void inner_ask_iris(const struct workload *, double *);

#endif
