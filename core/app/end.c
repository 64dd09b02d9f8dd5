#include "end.h"

#include "app.h"
#include "fail.h"

/* Until its last event was told, and not only until it lives no more: what it ended by is looked up in its story, and
 * no late word of it may pass for one of who comes in its place. */

#define LOOK (2 * IRIS_MILLISECOND) /* an end is seen by looking */
#define BEYOND IRIS_SECOND          /* of its time to stop: its supervisor kills it then */

int iris__end_await(struct app *a, uint64_t pid, int64_t deadline)
{
    struct world *w = &a->runtime->world;
    if (!pid || iris__supervisor_stop(&a->runtime->supervisors, pid))
        return IRIS_OK;
    while (!iris__actor_is_told(w, pid)) {
        if (iris__sched_now(&w->sched) >= deadline || atomic_load(&a->hurry))
            return IRIS_AGAIN;
        iris__app_wait(a, LOOK);
    }
    return IRIS_OK;
}

int iris__end(struct app *a, uint64_t pid, int64_t shutdown)
{
    struct world *w = &a->runtime->world;
    if (iris__end_await(a, pid, iris__sched_after(&w->sched, shutdown + BEYOND)) == IRIS_OK)
        return IRIS_OK;
    iris__actor_kill(w, pid, "killed (how=kill): it did not stop in time");
    return iris__fail("it does not come back from its handler");
}
