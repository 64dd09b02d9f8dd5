/* Has a thread-local variable. */
#include <iris/plugin.h>

static __thread volatile int count;

static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    (void)self, (void)actor, (void)state, (void)messages, (void)n;
    return ++count;
}

#include "one.h"
