/* A C thread sends to a Python handler. Only when named: there may be no Python host. */
#ifndef IRIS_BENCH_PYTHON_H
#define IRIS_BENCH_PYTHON_H

#include "bench.h"

void python_iris(const struct workload *,
                 double *values); /* order: which handler; from 2 on JavaScript's */

#endif
