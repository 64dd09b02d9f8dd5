/* Needs a library that nothing else in the process does. */
#include <iris/plugin.h>

int loader_dependency(void);

static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    (void)self, (void)actor, (void)state, (void)messages, (void)n;
    return loader_dependency();
}

#include "one.h"
