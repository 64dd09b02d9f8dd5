/* A runtime to measure in. What goes wrong here ends the process: the figure is reported as failed. */
#ifndef IRIS_BENCH_STAGE_H
#define IRIS_BENCH_STAGE_H

#include <iris/iris.h>

#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>

struct stage {
    iris_runtime *rt;
    const iris_api *api;
    iris_actor *self;
};

void stage_open(struct stage *, int workers, uint64_t seed);
void stage_open_with(struct stage *, const iris_options *);
void stage_close(struct stage *);
iris_version *stage_define(const struct stage *, const iris_behaviour *);
uint64_t stage_spawn(const struct stage *, iris_version *);
void stage_spawn_many(const struct stage *, const iris_behaviour *, size_t n, uint64_t *pids);
void stage_settle(const struct stage *); /* until nothing is queued or running */
void stage_send(const struct stage *, uint64_t to, uint64_t value, uint64_t ref);
void stage_send_bytes(const struct stage *, uint64_t to, const void *data, size_t len,
                      uint64_t ref);

/* The last of some actors to finish ends the wait of the main thread. */
struct finish {
    sem_t all;
    atomic_int left;
};

static inline void finish_begin(struct finish *f, int left)
{
    sem_init(&f->all, 0, 0);
    atomic_store(&f->left, left);
}

static inline void finish_one(struct finish *f)
{
    if (atomic_fetch_sub(&f->left, 1) == 1)
        sem_post(&f->all);
}

static inline void finish_wait(struct finish *f)
{
    while (sem_wait(&f->all))
        ;
}

#endif
