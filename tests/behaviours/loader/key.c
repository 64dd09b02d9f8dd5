/* Has a thread key with a destructor, which runs in its code when a thread ends. */
#include <iris/plugin.h>

#include <pthread.h>

static int destroyed;

static void destroy(void *value)
{
    (void)value;
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

/* Marks this thread; returns how many marked ones have ended. */
static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    static pthread_key_t key;
    static int made;
    (void)self, (void)actor, (void)state, (void)messages;
    if (!made)
        made = pthread_key_create(&key, destroy) == 0;
    if (n)
        pthread_setspecific(key, &made);
    return __atomic_load_n(&destroyed, __ATOMIC_SEQ_CST);
}

#include "one.h"
