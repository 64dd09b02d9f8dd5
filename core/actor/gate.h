/* pids, and the word by which an actor says who may still send to it.
 *
 * pid:  10 bits node | 19 bits generation | 24 bits slot      (53 bits: exact in a JavaScript number)
 * gate: open bit, generation | 32 bits messages not yet done (bounded mailboxes only)
 *       of a free place: 0    | the last generation
 *
 * Generation and count stand in one word so that a sender reserves a place and makes sure of the
 * generation in one step: a slot that is used again can never be charged for its former owner. */
#ifndef IRIS_ACTOR_GATE_H
#define IRIS_ACTOR_GATE_H

#include "actor.h"

#define PID_SLOT_BITS 24
#define PID_GENERATION_BITS 19
#define PID_NODE_SHIFT (PID_SLOT_BITS + PID_GENERATION_BITS)
#define PID_SLOT_MASK ((UINT64_C(1) << PID_SLOT_BITS) - 1)
#define PID_GENERATION_MAX ((UINT32_C(1) << PID_GENERATION_BITS) - 1)

#define GATE_OPEN (UINT32_C(1) << 30) /* in the upper half */

static inline uint32_t iris__pid_generation(uint64_t pid)
{
    return (uint32_t)(pid >> PID_SLOT_BITS) & PID_GENERATION_MAX;
}

/* In one order with who says that it looks, and with who is gone (actor.c: vacate). */
static inline uint32_t iris__gate_upper(const iris_actor *a)
{
    return (uint32_t)(atomic_load(&((iris_actor *)a)->gate) >> 32);
}

/* For signals: the actor of this pid is there, whether or not it still accepts mail. */
static inline int iris__gate_is(const iris_actor *a, uint64_t pid)
{
    uint32_t generation = iris__pid_generation(pid);
    return generation && (iris__gate_upper(a) & ~GATE_OPEN) == generation;
}

static inline int iris__gate_accepts(const iris_actor *a, uint64_t pid)
{
    return iris__gate_upper(a) == (iris__pid_generation(pid) | GATE_OPEN);
}

/* The same, in one total order with who shuts the gate and then looks for what we have just put up. */
static inline int iris__gate_accepts_now(iris_actor *a, uint64_t pid)
{
    return (uint32_t)(atomic_fetch_or(&a->gate, 0) >> 32) ==
           (iris__pid_generation(pid) | GATE_OPEN);
}

static inline uint32_t iris__gate_last_generation(const iris_actor *a)
{
    return (uint32_t)atomic_load_explicit(&((iris_actor *)a)->gate, memory_order_relaxed);
}

static inline void iris__gate_open(iris_actor *a, uint32_t generation)
{
    atomic_store_explicit(&a->gate, (uint64_t)(generation | GATE_OPEN) << 32, memory_order_release);
}

/* No more mail; signals still find it. */
static inline void iris__gate_shut(iris_actor *a)
{
    atomic_fetch_and(&a->gate, ~((uint64_t)GATE_OPEN << 32));
}

/* The same from outside: 0: there is no such actor any more. */
static inline int iris__gate_shut_for(iris_actor *a, uint64_t pid)
{
    uint32_t generation = iris__pid_generation(pid);
    uint64_t gate = atomic_load(&a->gate);
    do
        if (!generation || ((uint32_t)(gate >> 32) & ~GATE_OPEN) != generation)
            return 0;
    while (!atomic_compare_exchange_weak(&a->gate, &gate, gate & ~((uint64_t)GATE_OPEN << 32)));
    return 1;
}

/* A place in a bounded mailbox: IRIS_OK, IRIS_FULL, IRIS_DEAD. */
static inline int iris__gate_reserve(iris_actor *a, uint64_t pid, uint32_t limit)
{
    uint32_t upper = iris__pid_generation(pid) | GATE_OPEN;
    uint64_t gate = atomic_load_explicit(&a->gate, memory_order_relaxed);
    do {
        if ((uint32_t)(gate >> 32) != upper)
            return IRIS_DEAD;
        if ((uint32_t)gate >= limit)
            return IRIS_FULL;
    } while (!atomic_compare_exchange_weak_explicit(&a->gate, &gate, gate + 1, memory_order_acquire,
                                                    memory_order_relaxed));
    return IRIS_OK;
}

static inline uint32_t iris__gate_count(const iris_actor *a)
{
    return (uint32_t)atomic_load_explicit(&((iris_actor *)a)->gate, memory_order_relaxed);
}

/* A place for who was accepted before, also after the gate was shut; by who holds the door's lock, so
 * that the actor cannot end meanwhile. 0: there is none. */
static inline int iris__gate_admit(iris_actor *a, uint32_t capacity)
{
    uint64_t gate = atomic_load_explicit(&a->gate, memory_order_relaxed);
    do
        if ((uint32_t)gate >= capacity)
            return 0;
    while (!atomic_compare_exchange_weak(&a->gate, &gate, gate + 1));
    return 1;
}

/* [any] It came to nothing, perhaps after the gate was shut; of an actor that has ended the place is gone
 * already. */
static inline void iris__gate_unreserve(iris_actor *a, uint64_t pid)
{
    uint32_t generation = iris__pid_generation(pid);
    uint64_t gate = atomic_load_explicit(&a->gate, memory_order_relaxed);
    while (((uint32_t)(gate >> 32) & ~GATE_OPEN) == generation && (uint32_t)gate &&
           !atomic_compare_exchange_weak(&a->gate, &gate, gate - 1))
        ;
}

/* [turn] n messages are done. */
static inline void iris__gate_release(iris_actor *a, uint32_t n)
{
    if (n && atomic_load_explicit(&a->marks, memory_order_relaxed) & MARK_BOUNDED)
        atomic_fetch_sub_explicit(&a->gate, n, memory_order_release);
}

#endif
