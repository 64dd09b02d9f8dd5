/* The floor: what this machine can do at best with this design. Workers with queues, mailboxes and
 * pooled messages, and nothing else: no pids, no budgets of time, no counters, no safety of any kind.
 *
 * Mailbox: a stack that senders push to and the owner turns around (Treiber). Run queue: a ring for
 * each worker under a spin lock, stolen from by halves. Messages: 64 bytes, from a list of each thread.
 * An idle worker looks around 300 times before it sleeps; who sends from outside gives work to a worker
 * that is awake and wakes another only when more than 64 wait. */
#ifndef IRIS_BENCH_FLOOR_H
#define IRIS_BENCH_FLOOR_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOOR_BUDGET = 256, FLOOR_BATCH = 128 };

struct floor_actor;

struct floor_message {
    _Alignas(64) struct floor_message *next;
    struct floor_actor *from;
    uint64_t value;
    unsigned char unused[40];
};

typedef void floor_handler(struct floor_actor *,
                           struct floor_message *); /* the message is its own */

struct floor_actor {
    _Atomic(struct floor_message *) in; /* newest first; FLOOR_IDLE: not queued and not running */
    struct floor_message *local;        /* taken out, oldest first */
    floor_handler *handle;
    struct floor_actor *peer;
    uint64_t count;
    void *unused;
};

#define FLOOR_IDLE ((struct floor_message *)1)

struct floor_thread {
    struct floor_message *free;
    int free_count;
    int cost; /* what the handler that runs is charged for: 1 unless it says otherwise */
    struct floor_worker *worker;
};

extern _Thread_local struct floor_thread floor_thread;

void floor_start(int workers);
void floor_stop(void);
struct floor_actor *floor_actors(size_t count, floor_handler *);
void floor_schedule(struct floor_actor *);
struct floor_message *floor_refill(void);
void floor_spill(void);

static inline struct floor_message *floor_get(void)
{
    struct floor_message *m = floor_thread.free;
    if (__builtin_expect(!m, 0))
        return floor_refill();
    floor_thread.free = m->next;
    floor_thread.free_count--;
    return m;
}

static inline void floor_put(struct floor_message *m)
{
    m->next = floor_thread.free;
    floor_thread.free = m;
    if (__builtin_expect(++floor_thread.free_count > 2 * FLOOR_BATCH, 0))
        floor_spill();
}

static inline void floor_send(struct floor_actor *to, struct floor_message *m)
{
    struct floor_message *old = atomic_load_explicit(&to->in, memory_order_relaxed);
    do
        m->next = old == FLOOR_IDLE ? NULL : old;
    while (!atomic_compare_exchange_weak_explicit(&to->in, &old, m, memory_order_acq_rel,
                                                  memory_order_relaxed));
    if (old == FLOOR_IDLE)
        floor_schedule(to);
}

static inline void floor_send_new(struct floor_actor *to, struct floor_actor *from, uint64_t value)
{
    struct floor_message *m = floor_get();
    m->from = from;
    m->value = value;
    floor_send(to, m);
}

#endif
