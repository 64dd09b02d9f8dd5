/* Observed actors: they keep the last messages and signals that they were sent. See <iris/ext/observe.h>. */
#ifndef IRIS_ACTOR_OBSERVE_H
#define IRIS_ACTOR_OBSERVE_H

#include "set.h"

#include <iris/ext/observe.h>
#include <iris/plugin.h>

#include <pthread.h>

struct world;

struct observed_all { /* of one world */
    pthread_mutex_t lock;
    struct set by_pid;
};

void iris__observed_init(struct observed_all *);
void iris__observed_finish(struct observed_all *);
/* spawn: how actors with a path are made, which this room does not know. */
int iris__observed_spawn(struct world *, uint32_t budget, const char *path, iris_actor *self,
                         int (*spawn)(iris_actor *, const iris_spawn *, uint64_t *), uint64_t *pid);

/* [turn] A swap is asked of this actor. An observed one keeps an IRIS_HOT_SWAP and refuses: IRIS_FAIL. */
int iris__observed_swap(iris_actor *);

int iris__observed_each(iris_actor *self, uint64_t pid, int (*see)(void *, const iris_message *),
                        void *ctx, uint64_t *older);
int iris__observed_take(iris_actor *self, uint64_t pid, uint64_t *from,
                        int (*match)(void *, const iris_message *), void *ctx,
                        const iris_message **out);
int iris__observed_arrived(iris_actor *self, uint64_t pid, uint64_t from, int64_t timeout,
                           struct iris_answer *);

#endif
