/* actors[].swap.rollback: what was swapped is on trial for a while; a version that crashes too often then is replaced by
 * the one before. */
#ifndef IRIS_APP_TRIAL_H
#define IRIS_APP_TRIAL_H

#include <iris/iris.h>

#include <pthread.h>

struct app;
struct trial;

struct trials {
    pthread_mutex_t lock;
    struct trial *all; /* by pid */
};

void iris__trials_init(struct trials *);
void iris__trials_finish(struct trials *);

/* What happened is noted, and may be one crash too many: then it goes back at once. [any] */
void iris__trials_note(struct app *, const iris_event *);

#endif
