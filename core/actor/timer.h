/* Timers: a calendar under one lock, fired in batches by who keeps the time (keeper.h). A timer belongs to the
 * actor that its message is for and ends with it. Its message is made when it is set: firing allocates
 * nothing. */
#ifndef IRIS_ACTOR_TIMER_H
#define IRIS_ACTOR_TIMER_H

#include "calendar.h"

#include <iris/plugin.h>

#include <pthread.h>
#include <stdint.h>

struct world;
struct message;

struct timers {
    pthread_mutex_t lock;
    struct calendar calendar;
    struct hash by_pid; /* of each actor's timers one; the others hang on it */
    uint32_t oneshots;  /* pending: work, as far as --until-idle is concerned */
};

void iris__timers_init(struct timers *);
void iris__timers_finish(struct world *);

/* Send a message to `to` at `deadline`, then each `period` ns (0: once). Copies data. IRIS_FULL: no
 * memory for the message. */
int iris__timer_add(struct world *, uint64_t from, uint64_t to, int64_t deadline, int64_t period,
                    const void *data, size_t len, uint64_t *id);
/* A signal of this kind, each `period` ns. id may be NULL. */
int iris__timer_signal(struct world *, uint32_t kind, uint64_t to, int64_t period, uint64_t *id);
/* Send it now; if the mailbox is full, as soon as there is room. */
void iris__timer_send(struct world *, uint64_t from, uint64_t to, uint64_t ref, const void *data,
                      size_t len);
/* Call fn(ctx) at `deadline`, on the thread that keeps the time (keeper.h): it must be quick. */
int iris__timer_call(struct world *, int64_t deadline, void (*fn)(void *), void *ctx, uint64_t *id);
/* IRIS_OK, or IRIS_DEAD: it fired or never was. */
int iris__timer_cancel(struct world *, uint64_t id);
void iris__timer_cancel_all(struct world *, uint64_t pid);
void iris__timer_cancel_own(struct world *,
                            uint64_t pid); /* those that it set itself, and signals */
/* Fire what is due; returns the next deadline, INT64_MAX: none. */
int64_t iris__timers_fire(struct world *, int64_t now);
uint32_t iris__timers_oneshots(struct world *);
/* How many are for this actor, and when the next of them is due (INT64_MAX: none is). [any] */
uint32_t iris__timers_of(struct world *, uint64_t pid, int64_t *next);

#endif
