/* Ever new code from disk, as one who deploys often has it. */
#ifndef IRIS_BENCH_DISK_H
#define IRIS_BENCH_DISK_H

#include "bench.h"

/* One stateful actor is swapped to files whose bytes were never seen before: swaps in effect in a second, upgrade
 * included; mappings and MB of memory that the last half of them has added. order: seconds, 0: 4,000 swaps. */
void disk_iris(const struct workload *, double *values);

#endif
