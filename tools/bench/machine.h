/* Floors of the machine alone. */
#ifndef IRIS_BENCH_MACHINE_H
#define IRIS_BENCH_MACHINE_H

#include "bench.h"

void queue_floor(const struct workload *, double *); /* M msgs/s between two threads */
void wake_floor(const struct workload *,
                double *); /* us one way, p50 p99; size: 0 futex, 1 eventfd */
void line_floor(const struct workload *, double *);  /* ns one way */
void sleep_floor(const struct workload *, double *); /* us of CPU, us late at the median */
void touch_floor(const struct workload *, double *); /* ns; size: lines */

#endif
