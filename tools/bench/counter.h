/* A stateful behaviour in two versions that can take each other's place: it counts its messages. */
#ifndef IRIS_BENCH_COUNTER_H
#define IRIS_BENCH_COUNTER_H

#include "stage.h"

void counter_define(const struct stage *, iris_version *versions[2]);

#endif
