/* Calls that wait, for threads that are no actor. */
#ifndef IRIS_WAITING_H
#define IRIS_WAITING_H

#include "runtime.h"

#include <iris/ext/ask.h>

#include <pthread.h>

struct waiter {
    iris_answer answer; /* first: its job is the waiter */
    uint64_t port;      /* where it waits, if that may be given up; else 0 */
    pthread_mutex_t lock;
    pthread_cond_t done;
    int is_done;
};

void iris__waiter_init(struct waiter *);
void iris__waiter_wait(iris_runtime *, struct waiter *);
void iris__waiter_finish(struct waiter *);

#endif
