/* A ring of runnable tasks that one worker fills and empties, and others steal from. Filling costs no
 * locked instruction, emptying one. The shape is that of Go's per-processor run queues. */
#ifndef IRIS_SCHED_RING_H
#define IRIS_SCHED_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_ROOM = 1024 };

struct ring {
    _Alignas(64) atomic_uint head; /* moved on by whoever takes */
    _Alignas(64) atomic_uint tail; /* the owner's */
    void *_Atomic slots[RING_ROOM];
};

static inline uint32_t iris__ring_count(struct ring *r)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint32_t n = atomic_load_explicit(&r->tail, memory_order_relaxed) - head;
    return n <= RING_ROOM ? n : 0; /* head was read before somebody took a lot */
}

/* [owner] 0: it is full. */
static inline int iris__ring_push(struct ring *r, void *task)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail - atomic_load_explicit(&r->head, memory_order_acquire) >= RING_ROOM)
        return 0;
    atomic_store_explicit(&r->slots[tail % RING_ROOM], task, memory_order_relaxed);
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return 1;
}

/* [owner] The oldest, or NULL. */
static inline void *iris__ring_pop(struct ring *r)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    for (;;) {
        if (head == atomic_load_explicit(&r->tail, memory_order_relaxed))
            return NULL;
        void *task = atomic_load_explicit(&r->slots[head % RING_ROOM], memory_order_relaxed);
        if (atomic_compare_exchange_weak_explicit(&r->head, &head, head + 1, memory_order_acq_rel,
                                                  memory_order_acquire))
            return task;
    }
}

/* [any] The older half, if there are at least `least`. */
static inline int iris__ring_steal(struct ring *r, void **tasks, int max, uint32_t least)
{
    for (;;) {
        uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);
        uint32_t count = atomic_load_explicit(&r->tail, memory_order_acquire) - head;
        if (count > RING_ROOM)
            continue;
        int n = count < least ? 0 : (int)((count + 1) / 2);
        n = n < max ? n : max;
        for (int i = 0; i < n; i++)
            tasks[i] = atomic_load_explicit(&r->slots[(head + (uint32_t)i) % RING_ROOM],
                                            memory_order_relaxed);
        if (!n ||
            atomic_compare_exchange_strong_explicit(&r->head, &head, head + (uint32_t)n,
                                                    memory_order_acq_rel, memory_order_relaxed))
            return n;
    }
}

#endif
