/* What the core keeps for each thread that calls it: the reason of its last failure, its caches of
 * message memory, and what it is running. This is the only thread-local (and the only mutable) object
 * of libiris; its heap parts are freed when the thread ends. */
#ifndef IRIS_BASE_THREAD_H
#define IRIS_BASE_THREAD_H

#include <stdint.h>

struct pool_cache;

struct thread {
    struct pool_cache *cache; /* of the pool used last; pool.c */
    void *worker;             /* sched/worker.c: the worker that this thread is, or NULL */
    void *lane;               /* sched: where this thread runs tasks, or NULL */
    void *turn;               /* the actor whose turn runs here, or NULL */
    void *coroutine;          /* whose stack this thread runs on, or NULL */
    uint32_t sent;            /* messages sent in this turn: charged to its budget */
    uint32_t tidy;            /* 1: the end of this thread is being watched */
    char *reason;             /* of iris__fail(), heap */
};

extern __thread struct thread iris__thread __attribute__((tls_model("initial-exec")));

/* Has the heap parts of iris__thread freed when this thread ends. Call before storing one. */
void iris__thread_watch(void);

/* Start a named thread with all signals blocked but faults (they are the program's, not ours). 0 or an errno. */
int iris__thread_start(unsigned long *id, const char *name, void *(*run)(void *), void *arg);
/* What this thread sleeps for it sleeps no longer: without it Linux adds up to 50 us. */
void iris__thread_be_punctual(void);

int iris__thread_number(void); /* the kernel's, of the calling thread */
struct thread_use {
    int64_t ran;     /* ns on a core */
    int64_t starved; /* ns ready to run, and waiting for a core, until it got it */
    int is_ready;    /* it runs, or waits for a core, now: it does not sleep */
};
/* Of thread `number` of this process; 0, or -1: not known here. */
int iris__thread_use(int number, struct thread_use *);

#endif
