/* The time slice of an actor that has one of its own (ACTOR_TIMED): it gives way at the end of the message in which
 * that is over, or its budget is. The others' costs nothing to look at (sched.h, `due`); this one a look at the clock
 * for each message. */
#ifndef IRIS_ACTOR_SLICE_H
#define IRIS_ACTOR_SLICE_H

#include "cold.h"
#include "thread.h"

/* [turn] 0: none. Its cold part is there. */
static inline void iris__slice_set(iris_actor *a, int64_t ns)
{
    iris__cold_if(a)->slice = ns;
    a->flags = (uint16_t)(ns ? a->flags | ACTOR_TIMED : a->flags & ~ACTOR_TIMED);
}

/* [turn] Before each message; used: how many came before it in this turn. The first one begins the slice. */
static inline int iris__slice_is_over(const iris_actor *a, uint32_t used)
{
    struct cold *c = iris__cold_if(a);
    if (!used)
        c->slice_end = iris__sched_after(&iris__world_of(a)->sched, c->slice);
    return used && (used + iris__thread.sent >= a->budget ||
                    iris__sched_now(&iris__world_of(a)->sched) >= c->slice_end);
}

#endif
