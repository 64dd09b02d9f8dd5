/* A queue of runnable tasks that any thread may fill, without bound: what comes to an executor from
 * outside. First in, first out. Taking several costs one lock. */
#ifndef IRIS_SCHED_RUNQ_H
#define IRIS_SCHED_RUNQ_H

#include "spin.h"

#include <stdatomic.h>
#include <stdint.h>

struct random;

struct runq {
    struct spin lock;
    uint32_t room;          /* a power of two */
    atomic_uint head, tail; /* tail - head: how many; written under the lock */
    void **ring;
};

int iris__runq_init(struct runq *);
void iris__runq_finish(struct runq *);
void iris__runq_push(struct runq *, void *task);
void *iris__runq_pop(struct runq *);        /* the oldest, or NULL */
void *iris__runq_pop_surely(struct runq *); /* the same, under the lock also if empty */
int iris__runq_take(struct runq *, void **tasks, uint32_t max); /* the oldest ones; how many */
void *iris__runq_pick(struct runq *, struct random *);          /* any one: seeded runs */

/* Perhaps more than there are, never less than none: the head is read first, and only moves on. */
static inline uint32_t iris__runq_count(struct runq *q)
{
    uint32_t head = atomic_load_explicit(&q->head, memory_order_acquire);
    return atomic_load_explicit(&q->tail, memory_order_relaxed) - head;
}

#endif
