/* What a client asks the main thread to do, because it changes many actors: one after the other, while the app
 * runs. */
#ifndef IRIS_APP_CHORE_H
#define IRIS_APP_CHORE_H

#include "order.h"

struct chore {
    struct order order; /* its target: what it is about */
    struct chore *next;
    json_t *body;
    void (*run)(struct chore *, struct control_reply *); /* [main] completes the reply */
};

struct chores {
    pthread_mutex_t lock;
    struct chore *first;
    int is_shut;
};

void iris__chores_init(struct chores *);
void iris__chores_finish(struct chores *);

/* A copy of the body is kept. timeout in ns: chore->order.timeout. [control] */
void iris__chore_ask(struct app *, const json_t *body, struct control_reply *, const char *target,
                     int64_t timeout, void (*run)(struct chore *, struct control_reply *));

void iris__chores_run(struct app *);    /* those that were asked for. [main] */
void iris__chores_refuse(struct app *); /* and all that come: the app stops. [main] */

#endif
