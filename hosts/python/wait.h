/* A Python thread waits for what the core will tell: the end of a swap, an answer. Two sides hold it, and
 * either may leave first. */
#ifndef IRIS_PYTHON_WAIT_H
#define IRIS_PYTHON_WAIT_H

#include "python.h"

#include <pthread.h>

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int refs, is_done, result;
    uint64_t pid; /* of an answer of the mesh */
    char *why;
    iris_answer answer; /* its message is dropped with the last reference */
};

struct wait *iris__wait_create(void);
void iris__wait_release(struct wait *);                        /* [no gil] */
void iris__wait_tell(void *wait, int result, const char *why); /* [no gil] of api->swap */
void iris__wait_answered(iris_job *answer);                    /* [no gil] of ask */
/* 0: it is done; 1: not within timeout ns (below 0: for ever); -1: an exception is set. */
int iris__wait_for(struct wait *, int64_t timeout);

/* None: -1, else ns of 0 or more seconds; -1: ValueError or TypeError, which names `what`. */
int iris__seconds(PyObject *value, const char *what, int64_t *ns);

#endif
