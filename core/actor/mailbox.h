/* The mailbox: a stack that any thread pushes to, and the list that its owner made of it, oldest first.
 *
 * in:  42 bits address of the newest message / 64 | 20 bits how many (stays at its maximum) | 2 flags
 *      0 while its actor runs or is queued;
 *      IDLE: empty, and nobody will look: who pushes must queue the actor;
 *      BLOCKED: the actor waits for done(): who pushes mail does nothing more, a signal queues it;
 *      CLOSED: no actor.
 * Signals have a stack of their own, so that they overtake. */
#ifndef IRIS_ACTOR_MAILBOX_H
#define IRIS_ACTOR_MAILBOX_H

#include "actor.h"

#define MAILBOX_IDLE UINT64_C(1)
#define MAILBOX_BLOCKED UINT64_C(2)
#define MAILBOX_CLOSED UINT64_C(3)
#define MAILBOX_FLAGS UINT64_C(3)
#define MAILBOX_COUNT_MAX ((UINT64_C(1) << 20) - 1)

/* Who sends to a mailbox with that many messages pays that much more of its budget for each, so that
 * the receiver gets its turn earlier; and the receiver gets that many for one of its budget, so that it
 * catches up: what waits long leaves the caches, and costs the more the later it is handled. */
enum { MAILBOX_OVERRUN = 1024, MAILBOX_TOLL = 8, MAILBOX_REBATE = 16 };

#define SIGNALS_CLOSED ((struct message *)1)

static inline struct message *iris__mailbox_newest(uint64_t in)
{
    return (struct message *)(uintptr_t)(in >> 22 << 6);
}

static inline uint64_t iris__mailbox_count(uint64_t in)
{
    return in >> 2 & MAILBOX_COUNT_MAX;
}

static inline uint64_t iris__mailbox_word(struct message *m, uint64_t count, uint64_t flags)
{
    uint64_t shown = count < MAILBOX_COUNT_MAX ? count : MAILBOX_COUNT_MAX;
    return (uint64_t)(uintptr_t)m >> 6 << 22 | shown << 2 | flags;
}

/* Push; queue the actor if it was idle. IRIS_OK or IRIS_DEAD. [any] */
static inline int iris__mailbox_push(iris_actor *a, struct message *m)
{
    uint64_t old = atomic_load_explicit(&a->in, memory_order_relaxed), new;
    do {
        if (__builtin_expect((old & MAILBOX_FLAGS) == MAILBOX_CLOSED, 0))
            return IRIS_DEAD;
        m->next = iris__mailbox_newest(old);
        new = iris__mailbox_word(m, iris__mailbox_count(old) + 1, old & MAILBOX_BLOCKED);
    } while (!atomic_compare_exchange_weak_explicit(&a->in, &old, new, memory_order_acq_rel,
                                                    memory_order_relaxed));
    if (old & MAILBOX_IDLE)
        iris__executor_push(a->executor, a);
    else if (__builtin_expect(iris__mailbox_count(new) > MAILBOX_OVERRUN, 0))
        iris__thread.sent += MAILBOX_TOLL;
    return IRIS_OK;
}

/* Messages accepted and not begun, and markers; for looking at from anywhere. (waiting is -1 while a message that
 * still stands in `in` is being handled.) */
static inline uint32_t iris__mailbox_size(const iris_actor *a)
{
    uint64_t in = atomic_load_explicit(&((iris_actor *)a)->in, memory_order_relaxed);
    uint32_t waiting = atomic_load_explicit(&((iris_actor *)a)->waiting, memory_order_relaxed);
    return (uint32_t)iris__mailbox_count(in) + waiting;
}

/* Markers stand among the messages and are none. Who pushes one counts it before, who takes it out (or could
 * not push it) after; one that was pushed to a former owner of the place was not counted here. [any] */
static inline void iris__markers_add(iris_actor *a)
{
    atomic_fetch_add_explicit(&a->marks, 1u << MARKERS_SHIFT, memory_order_relaxed);
}

static inline void iris__markers_remove(iris_actor *a)
{
    if (atomic_load_explicit(&a->marks, memory_order_relaxed) >> MARKERS_SHIFT)
        atomic_fetch_sub_explicit(&a->marks, 1u << MARKERS_SHIFT, memory_order_relaxed);
}

/* Of so many that wait, those that are messages. */
static inline uint32_t iris__markers_exclude(const iris_actor *a, uint32_t waiting)
{
    unsigned marks = atomic_load_explicit(&((iris_actor *)a)->marks, memory_order_relaxed);
    uint32_t markers = marks >> MARKERS_SHIFT;
    return waiting > markers ? waiting - markers : 0;
}

static inline void iris__mailbox_adjust(iris_actor *a, int n)
{
    atomic_store_explicit(&a->waiting,
                          atomic_load_explicit(&a->waiting, memory_order_relaxed) + (uint32_t)n,
                          memory_order_relaxed);
}

/* [turn] Make what was pushed the end of the local list. 0: nothing was. */
int iris__mailbox_fetch(iris_actor *);
/* [turn] Nothing is left: 1: the actor is idle now, or queued because a signal came: do not touch it;
 * 0: mail came. */
int iris__mailbox_rest(iris_actor *);
/* The same in two parts, for who holds a lock: 1: it is idle; then, under no lock, look back at signals.
 * seen: what stands in the mailbox, and is taken out. */
int iris__mailbox_let_go(iris_actor *, uint64_t seen);
void iris__mailbox_look_back(iris_actor *);
/* [turn] The mailbox was looked at and held one message, which is handled now but still stands there:
 * take it out and rest, as above; or take out it and add what came after it to the local list. */
int iris__mailbox_rest_after(iris_actor *, uint64_t seen);
void iris__mailbox_fetch_after(iris_actor *, const struct message *handled);
/* [turn] Wait for signals only; one that is there queues the actor. Do not touch it any more. */
void iris__mailbox_block(iris_actor *);
/* The same, but not once the gate is shut: then there is a stop to be heeded. */
void iris__mailbox_block_open(iris_actor *);
/* [turn] Of an actor that rests or is blocked, and whose thread is awake: take that back. 0: somebody
 * queues it this moment. */
int iris__mailbox_wake(iris_actor *);
/* [turn] No more mail ever; what was pushed is added to the local list. */
void iris__mailbox_close(iris_actor *);

/* [any] Something came that stands in neither (door.h): queue the actor if it is idle. */
void iris__mailbox_knock(iris_actor *);

/* [any] IRIS_OK or IRIS_DEAD. The signal's `to` says whom it is for. */
int iris__signal_push(iris_actor *, struct message *);
/* [turn] All signals, oldest first; NULL: none. */
struct message *iris__signal_take(iris_actor *);
struct message *iris__signal_close(iris_actor *);

static inline int iris__signal_waits(const iris_actor *a)
{
    return atomic_load_explicit(&((iris_actor *)a)->signals, memory_order_relaxed) != NULL;
}

#endif
