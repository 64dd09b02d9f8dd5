/* Timers: a heap under one lock, fired by the ticker. A timer belongs to the actor that its message is
 * for and ends with it. */
#ifndef IRIS_ACTOR_TIMER_H
#define IRIS_ACTOR_TIMER_H

#include <iris/plugin.h>

#include <pthread.h>
#include <stdint.h>

struct world;
struct timer;

struct timers {
    pthread_mutex_t lock;
    struct timer **heap; /* by deadline */
    uint32_t count, room;
    struct timer *by_id;  /* uthash */
    struct owned *by_pid; /* uthash: timers of one actor */
    uint64_t next_id;
    uint32_t oneshots; /* pending: work, as far as --until-idle is concerned */
};

void iris__timers_init(struct timers *);
void iris__timers_finish(struct world *);

/* Send a message to `to` at `deadline`, then each `period` ns (0: once). Copies data. */
int iris__timer_add(struct world *, uint64_t from, uint64_t to, int64_t deadline, int64_t period,
                    const void *data, size_t len, uint64_t *id);
/* Send it now; if the mailbox is full, as soon as there is room. */
void iris__timer_send(struct world *, uint64_t from, uint64_t to, const void *data, size_t len);
/* Call fn(ctx) at `deadline`, on the ticker's thread. */
int iris__timer_call(struct world *, int64_t deadline, void (*fn)(void *), void *ctx, uint64_t *id);
int iris__timer_cancel(struct world *,
                       uint64_t id); /* IRIS_OK, or IRIS_DEAD: it fired or never was */
void iris__timer_cancel_all(struct world *, uint64_t pid);
/* Fire what is due; returns the next deadline, INT64_MAX: none. */
int64_t iris__timers_fire(struct world *, int64_t now);
uint32_t iris__timers_oneshots(struct world *);

#endif
