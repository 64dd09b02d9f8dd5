#include "family.h"

#include "cold.h"
#include "gate.h"
#include "send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SHIFT = 8 }; /* in the ref of a KIND_KILL: which wait it belongs to */

struct last { /* of an incarnation that waits for its children */
    struct ending ending;
    struct excerpt message;
    char *reason;
    uint64_t number, timer;
    struct alarm_call *alarm;
    uint32_t waits; /* for so many */
    int over;       /* it has waited long enough */
};

struct alarm_call {
    struct world *world;
    uint64_t pid, number;
};

static int end_child(struct world *w, uint64_t parent, uint64_t child, uint64_t number)
{
    char reason[64];
    snprintf(reason, sizeof reason, "parent (parent=%llu)", (unsigned long long)parent);
    return iris__signal(w, KIND_KILL, number ? parent : 0, child,
                        number << NUMBER_SHIFT | KILL_FOR_GOOD | KILL_PARENT, reason);
}

/* ---- having children ---- */

void iris__family_refuse(struct world *w, uint64_t parent, uint64_t child)
{
    end_child(w, parent, child, 0);
}

/* Children that ended say nothing: those are taken off when the set has doubled. */
static void sweep(struct world *w, struct cold *c)
{
    for (struct in_set *m = c->children.first, *next; m; m = next) {
        next = m->next;
        if (iris__actor_alive(w, m->key))
            continue;
        iris__set_take(&c->children, m);
        free(m);
    }
    c->sweep_at = c->children.used < 16 ? 32 : 2 * c->children.used;
}

void iris__family_add(iris_actor *a, uint64_t child)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold(a);
    if (c && c->last) { /* too late to be one */
        c->last->waits += end_child(w, iris__actor_pid(a), child, c->last->number) == IRIS_OK;
        return;
    }
    struct in_set *m = c ? malloc(sizeof *m) : NULL;
    if (c && c->children.used >= c->sweep_at)
        sweep(w, c);
    if (m)
        iris__set_add(&c->children, m, child);
    else
        iris__family_refuse(w, iris__actor_pid(a), child);
}

/* In the parent's own turn it is known at once: a signal would be heard after the crash that may end
 * this very turn, by the next incarnation. */
void iris__family_adopt(struct world *w, uint64_t parent, uint64_t child)
{
    iris_actor *self = iris__thread.turn;
    if (self && iris__actor_pid(self) == parent && iris__world_of(self) == w)
        iris__family_add(self, child);
    else if (iris__signal(w, KIND_CHILD, child, parent, 0, NULL))
        iris__family_refuse(w, parent, child);
}

/* ---- waiting for them ---- */

static void run_out(void *ctx)
{
    struct alarm_call *alarm = ctx;
    iris__signal(alarm->world, KIND_CHILD_GONE, 0, alarm->pid, alarm->number, NULL);
    free(alarm);
}

/* Without memory for an alarm it does not wait. */
static void set_alarm(iris_actor *a, struct last *last)
{
    struct world *w = iris__world_of(a);
    struct alarm_call *alarm = malloc(sizeof *alarm);
    int64_t deadline = iris__sched_after(&w->sched, FAMILY_PATIENCE);
    last->alarm = alarm;
    last->over = 1;
    if (!alarm)
        return;
    *alarm = (struct alarm_call){w, iris__actor_pid(a), last->number};
    last->over = iris__timer_call(w, deadline, run_out, alarm, &last->timer) != IRIS_OK;
    if (last->over)
        free(alarm);
}

static struct last *create(struct world *w, const struct ending *e)
{
    struct last *last = calloc(1, sizeof *last);
    char *reason = last ? strdup(e->reason) : NULL;
    if (!reason) {
        free(last);
        return NULL;
    }
    last->ending = *e;
    last->reason = reason;
    last->ending.reason = reason;
    if (e->message) {
        last->message = *e->message;
        last->ending.message = &last->message;
    }
    last->number = atomic_fetch_add(&w->refs, 1);
    return last;
}

int iris__family_end(iris_actor *a, const struct ending *e)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    struct last *last = c && c->children.used ? create(w, e) : NULL;
    if (!last)
        return 0; /* without memory they end all the same, as after a fini */
    for (struct in_set *m; (m = iris__set_pop(&c->children)); free(m))
        last->waits += end_child(w, iris__actor_pid(a), m->key, last->number) == IRIS_OK;
    c->sweep_at = 0;
    if (!last->waits) {
        iris__family_free(last);
        return 0;
    }
    set_alarm(a, last);
    c->last = last;
    a->flags |= ACTOR_ENDING;
    return 1;
}

void iris__family_gone(iris_actor *a, const iris_message *m)
{
    struct cold *c = iris__cold_if(a);
    if (!c || !c->last || c->last->number != m->ref)
        return;
    if (m->from)
        c->last->waits--;
    else
        c->last->over = 1;
}

int iris__family_waits(iris_actor *a)
{
    const struct last *last = iris__cold_if(a)->last;
    return last->waits && !last->over;
}

void iris__family_for_good(iris_actor *a)
{
    iris__cold_if(a)->last->ending.stopped = 1;
}

struct last *iris__family_over(iris_actor *a, struct ending *e)
{
    struct cold *c = iris__cold_if(a);
    struct last *last = c ? c->last : NULL;
    if (!last)
        return NULL;
    c->last = NULL;
    a->flags &= (uint16_t)~ACTOR_ENDING;
    if (iris__timer_cancel(iris__world_of(a), last->timer) == IRIS_OK)
        free(last->alarm);
    *e = last->ending;
    return last;
}

void iris__family_free(struct last *last)
{
    if (last)
        free(last->reason);
    free(last);
}

void iris__family_drop(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    for (struct in_set *m; c && (m = iris__set_pop(&c->children)); free(m))
        iris__family_refuse(iris__world_of(a), iris__actor_pid(a), m->key);
    if (c)
        c->sweep_at = 0;
}

/* ---- being waited for ---- */

static void tell(struct world *w, uint64_t child, uint64_t parent, uint64_t number)
{
    iris__signal(w, KIND_CHILD_GONE, child, parent, number, NULL);
}

void iris__family_missed(struct world *w, const iris_message *kill)
{
    if (kill->from)
        tell(w, kill->to, kill->from, kill->ref >> NUMBER_SHIFT);
}

void iris__family_awaited(iris_actor *a, const iris_message *kill)
{
    struct cold *c = kill->from ? iris__cold(a) : NULL;
    if (!c) {
        iris__family_missed(iris__world_of(a), kill); /* without memory it is not waited for */
        return;
    }
    c->mourner = kill->from;
    c->mourning = kill->ref >> NUMBER_SHIFT;
}

void iris__family_mourn(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    if (c && c->mourner)
        tell(iris__world_of(a), iris__actor_pid(a), c->mourner, c->mourning);
}
