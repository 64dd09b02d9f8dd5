/* Calls what no library defines. */
#include <iris/plugin.h>

int MISSING(void);

static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    (void)self, (void)actor, (void)state, (void)messages, (void)n;
    return MISSING();
}

#include "one.h"
