/* Starts a thread and never waits for it. */
#include <iris/plugin.h>

#include <pthread.h>
#include <unistd.h>

static int rounds;

static void *run(void *arg)
{
    for (int i = 0; i < 100; i++) {
        __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
        usleep(1000);
    }
    return arg;
}

/* n = 1 starts it; returns how many rounds it has made. */
static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    (void)self, (void)actor, (void)state, (void)messages;
    pthread_t thread;
    if (n && pthread_create(&thread, NULL, run, NULL) == 0)
        pthread_detach(thread);
    return __atomic_load_n(&rounds, __ATOMIC_SEQ_CST);
}

#include "one.h"
