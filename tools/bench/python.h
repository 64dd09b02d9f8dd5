/* Handlers in other languages. Only when named: there may be no host of theirs. */
#ifndef IRIS_BENCH_PYTHON_H
#define IRIS_BENCH_PYTHON_H

#include "bench.h"
#include "stage.h"

/* A C thread sends. order: which handler; from 2 on JavaScript's. */
void python_iris(const struct workload *, double *values);

/* Messages go round from C to Python to JavaScript. order: how many. */
void ring_iris(const struct workload *, double *values);

/* A handler file of this text: on_msg of a ".py", or onMessage. */
iris_version *load_text(const struct stage *, const char *text, const char *ending);

#endif
