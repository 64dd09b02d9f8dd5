/* Workloads that count messages handled in a second, or round trips: value 0 is in millions. */
#ifndef IRIS_BENCH_EXCHANGE_H
#define IRIS_BENCH_EXCHANGE_H

#include "bench.h"

void pingpong_floor(const struct workload *, double *); /* size: pairs */
void pingpong_iris(const struct workload *, double *);
enum { LARGE_BUDGET, DEFAULT_BUDGET };
void fanin_floor(const struct workload *,
                 double *); /* size: senders; order: the budget of the receiver */
void fanin_iris(const struct workload *, double *);

enum { ROUND_ROBIN, IN_A_ROW };
void outside_floor(const struct workload *, double *); /* size: actors; order: of the sender */
void outside_iris(const struct workload *, double *);

void tree_floor(const struct workload *, double *); /* ms; size: leaves, a power of 10 */
void tree_iris(const struct workload *, double *);

#endif
