/* The native pool: threads that run tasks from queues of their own and steal when those are empty. */
#ifndef IRIS_SCHED_WORKER_H
#define IRIS_SCHED_WORKER_H

#include "executor.h"

void iris__worker_push(struct sched *, void *task);
void iris__worker_again(struct sched *,
                        void *task);    /* the same, of one that has just had its turn */
void iris__worker_call(struct sched *); /* something else than a task waits (a job): wake one */
struct worker *iris__worker_create(struct sched *, uint32_t index);
int iris__worker_start(struct worker *); /* 0 or an errno */
/* Worker number i sits in a turn that does not end: have another one work in its place. */
void iris__worker_replace(struct sched *, uint32_t i);

static inline uint32_t iris__worker_count(struct worker *w)
{
    return iris__ring_count(&w->ring) + iris__runq_count(&w->queue) +
           iris__runq_count(&w->overflow);
}

/* Run one task in a lane; what it cost. Shared with executor.c. */
static inline uint32_t iris__lane_run_by(uint32_t (*run)(void *owner, void *task), struct sched *s,
                                         struct lane *l, void *task)
{
    atomic_store_explicit(&l->turns, atomic_load_explicit(&l->turns, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    int hurried = __builtin_expect(s->seeded, 0) && iris__random_below(&s->random, 8) == 0;
    atomic_store_explicit(&l->due, hurried, memory_order_relaxed);
    atomic_store_explicit(&l->task, task, memory_order_release);
    uint32_t cost = run(s->owner, task);
    atomic_store_explicit(&l->task, NULL, memory_order_release);
    return cost;
}

static inline uint32_t iris__lane_run(struct sched *s, struct lane *l, void *task)
{
    return iris__lane_run_by(s->hooks.run, s, l, task);
}

/* The first after a rest, and one each tick. */
static inline uint32_t iris__lane_run_timed(struct sched *s, struct lane *l, void *task)
{
    return iris__lane_run_by(s->hooks.run_timed, s, l, task);
}

int iris__jobs_run(iris_executor *); /* how many */

#endif
