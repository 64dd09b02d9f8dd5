#include "timing.h"

#include "cold.h"
#include "gate.h"
#include "turn.h"

#include <stdlib.h>

const int64_t iris__timing_bounds[TIMING_BOUNDS] = {IRIS__MS / 100, IRIS__MS / 10,  IRIS__MS,
                                                    10 * IRIS__MS,  100 * IRIS__MS, IRIS__SECOND};
const char *const iris__timing_words[TIMING_BOUNDS] = {"0.00001", "0.0001", "0.001",
                                                       "0.01",    "0.1",    "1"};

void iris__timing_add(struct timing *t, int64_t ns)
{
    int i = 0;
    while (i < TIMING_BOUNDS && ns > iris__timing_bounds[i])
        i++;
    t->in[i]++;
    t->sum += ns > 0 ? (uint64_t)ns : 0;
}

static uint64_t without(uint64_t all, uint64_t part)
{
    return all > part ? all - part : 0;
}

void iris__timing_subtract(struct timing *all, const struct timing *part)
{
    for (int i = 0; i <= TIMING_BOUNDS; i++)
        all->in[i] = without(all->in[i], part->in[i]);
    all->sum = without(all->sum, part->sum);
}

uint64_t iris__timing_count(const struct timing *t)
{
    uint64_t n = 0;
    for (int i = 0; i <= TIMING_BOUNDS; i++)
        n += t->in[i];
    return n;
}

/* Without memory for its own it is counted with those that have none. */
static struct timing *timing_of(const iris_actor *a, uint64_t pid)
{
    struct cold *c = iris__gate_is(a, pid) ? iris__cold_if(a) : NULL;
    if (!c || !c->path)
        return NULL;
    if (!c->timing)
        c->timing = calloc(1, sizeof *c->timing);
    return c->timing;
}

/* The turn is over: the actor may be gone, or have another turn elsewhere. Its place stays. */
static void note(struct world *w, const iris_actor *a, uint64_t pid, int64_t ns)
{
    iris__facts_hold(w);
    struct timing *own = timing_of(a, pid);
    if (own)
        iris__timing_add(own, ns);
    iris__timing_add(&w->timing, ns);
    iris__facts_release(w);
}

uint32_t iris__timing_run(void *world, void *actor)
{
    struct world *w = world;
    uint64_t pid = iris__actor_pid(actor);
    int64_t began = iris__sched_now(&w->sched);
    uint32_t cost = iris__turn_run(world, actor);
    note(w, actor, pid, iris__sched_now(&w->sched) - began);
    return cost;
}
