#include "alarm.h"

#include "cold.h"
#include "fail.h"

#include <stdlib.h>
#include <string.h>

struct alarms {
    size_t n;
    int are_set;
    struct alarm each[];
};

struct alarms *iris__alarms_create(const struct alarm *given, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += given[i].len;
    struct alarms *all = malloc(sizeof *all + n * sizeof all->each[0] + len);
    if (!all)
        return NULL;
    char *data = (char *)(all->each + n);
    all->n = n;
    all->are_set = 0;
    for (size_t i = 0; i < n; i++) {
        all->each[i] = given[i];
        all->each[i].data = data;
        if (given[i].len)
            memcpy(data, given[i].data, given[i].len);
        data += given[i].len;
    }
    return all;
}

void iris__alarms_destroy(struct alarms *all)
{
    free(all);
}

void iris__alarms_set(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    struct alarms *all = c ? c->alarms : NULL;
    if (!all || all->are_set)
        return;
    all->are_set = 1;
    for (size_t i = 0; i < all->n; i++) {
        const struct alarm *e = &all->each[i];
        int result =
            iris__timer_add(w, 0, iris__actor_pid(a), iris__sched_after(&w->sched, e->first),
                            e->period, e->data, e->len, NULL);
        if (result && result != IRIS_DEAD)
            iris__world_event(w, EVENT_LOG, a, IRIS_ERROR, "timer %zu is not set: no memory", i);
    }
}

void iris__alarms_reset(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    if (c && c->alarms)
        c->alarms->are_set = 0;
}
