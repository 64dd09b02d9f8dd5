#include "runq.h"

#include "random.h"

#include <stdlib.h>

#define RELAXED memory_order_relaxed

int iris__runq_init(struct runq *q)
{
    *q = (struct runq){.room = 256};
    q->ring = malloc(q->room * sizeof *q->ring);
    return q->ring ? 0 : -1;
}

void iris__runq_finish(struct runq *q)
{
    free(q->ring);
    q->ring = NULL;
}

/* Lock held. A task that finds no place would be an actor that never runs again: no memory for a
 * pointer each is the end. */
static void grow(struct runq *q)
{
    uint32_t room = q->room * 2;
    void **ring = malloc(room * sizeof *ring);
    if (!ring)
        abort();
    for (uint32_t i = q->head; i != q->tail; i++)
        ring[i & (room - 1)] = q->ring[i & (q->room - 1)];
    free(q->ring);
    q->ring = ring;
    q->room = room;
}

void iris__runq_push(struct runq *q, void *task)
{
    iris__spin_lock(&q->lock);
    uint32_t tail = atomic_load_explicit(&q->tail, RELAXED);
    if (__builtin_expect(tail - atomic_load_explicit(&q->head, RELAXED) == q->room, 0))
        grow(q);
    q->ring[tail & (q->room - 1)] = task;
    atomic_store_explicit(&q->tail, tail + 1, RELAXED);
    iris__spin_unlock(&q->lock);
}

void *iris__runq_pop(struct runq *q)
{
    return iris__runq_count(q) ? iris__runq_pop_surely(q) : NULL;
}

void *iris__runq_pop_surely(struct runq *q)
{
    void *task = NULL;
    iris__spin_lock(&q->lock);
    uint32_t head = atomic_load_explicit(&q->head, RELAXED);
    if (head != atomic_load_explicit(&q->tail, RELAXED)) {
        task = q->ring[head & (q->room - 1)];
        atomic_store_explicit(&q->head, head + 1, memory_order_release);
    }
    iris__spin_unlock(&q->lock);
    return task;
}

int iris__runq_take(struct runq *q, void **tasks, uint32_t max)
{
    if (!iris__runq_count(q))
        return 0;
    iris__spin_lock(&q->lock);
    uint32_t head = q->head, count = q->tail - head;
    uint32_t n = count < max ? count : max;
    for (uint32_t i = 0; i < n; i++)
        tasks[i] = q->ring[(head + i) & (q->room - 1)];
    atomic_store_explicit(&q->head, head + n, memory_order_release);
    iris__spin_unlock(&q->lock);
    return (int)n;
}

void *iris__runq_pick(struct runq *q, struct random *r)
{
    uint32_t count = iris__runq_count(q);
    if (!count)
        return NULL;
    uint32_t head = q->head, at = head + iris__random_below(r, count);
    void *task = q->ring[at & (q->room - 1)];
    q->ring[at & (q->room - 1)] = q->ring[head & (q->room - 1)];
    atomic_store_explicit(&q->head, head + 1, memory_order_release);
    return task;
}
