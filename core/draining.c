/* iris_drain(): the polite half of an end. iris_close() is the other one. */
#include "runtime.h"

#include "table.h"

#include <unistd.h>

#define LOOK 200                  /* us between two looks */
#define PATIENCE (300 * IRIS__MS) /* for handlers that finish later, where nothing else goes on */

enum { STEPS = 10000 }; /* seeded runs, where time may stand still */

static void rest(struct world *w)
{
    if (!w->sched.seeded)
        usleep(LOOK);
    else
        iris__sched_step(&w->sched);
}

/* Nobody is told anything yet: what handles a message may still send others to anybody. */
static int becomes_quiet(struct world *w, int64_t deadline)
{
    for (int look = 0; !iris__sched_is_idle(&w->sched); look++) {
        if (iris__sched_now(&w->sched) > deadline || (w->sched.seeded && look > STEPS))
            return 0;
        rest(w);
    }
    return 1;
}

static void stop_one(void *ctx, uint64_t pid)
{
    iris__actor_stop(ctx, pid);
}

/* Who waits for something outside is waited for a little. */
static int becomes_empty(iris_runtime *rt, int64_t deadline)
{
    struct world *w = &rt->world;
    int64_t moved = iris__sched_now(&w->sched);
    uint64_t before = 0;
    uint32_t used, fewest = 0;
    for (int look = 0; (used = (uint32_t)atomic_load(&w->table.used)) != 0; look++) {
        if (used > fewest) /* at first, and when others were spawned meanwhile */
            iris__runtime_walk(rt, stop_one, w);
        fewest = used;
        rest(w);
        int64_t now = iris__sched_now(&w->sched);
        uint64_t begun = iris__sched_begun(&w->sched);
        if (begun != before || !iris__sched_is_idle(&w->sched))
            moved = now;
        before = begun;
        if (now > deadline || now - moved > PATIENCE || (w->sched.seeded && look > STEPS))
            return 0;
    }
    return 1;
}

int iris_drain(iris_runtime *rt, int64_t timeout)
{
    struct world *w = &rt->world;
    if (!w->birth->here || atomic_load(&rt->left))
        return IRIS_OK;
    int64_t half = iris__sched_after(&w->sched, timeout / 2);
    int64_t deadline = iris__sched_after(&w->sched, timeout);
    if (becomes_quiet(w, half) && !atomic_load(&w->laters))
        return IRIS_OK;
    atomic_store(&rt->closing, 1); /* nothing is restarted for having been stopped */
    return becomes_empty(rt, deadline) ? IRIS_OK : IRIS_EMPTY;
}
