/* A request of the control server that is answered later. Who has it: the app's list, whoever will
 * carry it out, and a timer; the last one frees it. The reply can be taken out once. */
#ifndef IRIS_APP_ORDER_H
#define IRIS_APP_ORDER_H

#include "control.h"
#include "world.h"

#include <pthread.h>
#include <stdint.h>

struct app;

struct order {
    struct order *next, **self; /* the list; all of these under its lock */
    int refs;
    struct control_reply *reply;
    uint64_t timer;
    int changes; /* actors or their code: not while a manifest is applied */
    /* constant */
    struct app *app;
    uint64_t pid;
    char *target; /* as the client called it */
    int64_t began, timeout;
    void (*late)(struct order *);
    void (*free)(struct order *); /* of what the larger struct has; may be NULL */
};

struct orders {
    pthread_mutex_t lock;
    struct order *first;
    int are_held; /* a manifest is applied */
};

void iris__orders_init(struct orders *);
/* The runtime is closed: nobody has an order any more, but for timers that will not fire. */
void iris__orders_finish(struct orders *);

/* A larger struct that begins with an order; reply NULL: nobody waits. The caller has one reference. NULL: no memory, and that
 * was answered. */
void *iris__order_open(struct app *, size_t size, struct control_reply *, const char *target,
                       uint64_t pid);
/* late() is called once, on the thread that keeps the time, unless the reply is taken before. IRIS_FAIL: no memory,
 * and that was answered. */
int iris__order_limit(struct order *, int64_t timeout, void (*late)(struct order *));
/* A call of late() at this time, and so again and again from there. IRIS_FAIL: no memory. */
int iris__order_again(struct order *, int64_t at);

/* It is to change actors. IRIS_FAIL: not now, as a manifest is applied; that was answered. */
int iris__order_changes(struct order *);
/* Nobody else changes actors until they are let again. IRIS_FAIL with a reason: somebody does. [main] */
int iris__orders_hold(struct app *);
void iris__orders_let(struct app *);
int iris__orders_are_held(struct app *);

struct control_reply *iris__order_take(struct order *); /* NULL: it was answered */
/* The same, and what it was to change it has: whoever is told so may have a manifest applied. */
struct control_reply *iris__order_over(struct order *);
void iris__order_keep(struct order *);
void iris__order_drop(struct order *);
int64_t iris__order_now(const struct order *);

#endif
