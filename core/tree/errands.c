#include "keep.h"

#include "send.h"

#include <stdlib.h>

static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one"};

void iris__keep_lock(struct supervisors *s, struct errands *errands)
{
    pthread_mutex_lock(&s->lock);
    errands->next = NULL;
    errands->n = 0;
    s->errands = s->last = errands;
}

static int add_room(struct supervisors *s)
{
    struct errands *more = malloc(sizeof *more);
    if (!more)
        return -1;
    more->next = NULL;
    more->n = 0;
    s->last = s->last->next = more;
    return 0;
}

static struct errand *add(struct supervisors *s, int what, uint64_t pid)
{
    if (s->last->n == ERRANDS && add_room(s))
        return NULL;
    struct errand *e = &s->last->list[s->last->n++];
    *e = (struct errand){.what = what, .pid = pid};
    return e;
}

void iris__keep_signal(struct supervisors *s, uint32_t kind, uint64_t pid, uint64_t ref,
                       const char *reason)
{
    struct errand *e = add(s, ERRAND_SIGNAL, pid);
    if (!e)
        return;
    e->kind = kind;
    e->ref = ref;
    e->reason = reason;
}

void iris__keep_factory(struct supervisors *s, int what, struct factory *f)
{
    struct errand *e = add(s, what, 0);
    if (e)
        e->factory = f;
}

void iris__keep_errand(struct supervisors *s, int what, uint64_t pid, const struct supervisor *v,
                       uint32_t decision, int64_t delay)
{
    struct errand *e = add(s, what, pid);
    if (!e || !v)
        return;
    e->detail = (struct event_detail){.supervisor = v->path,
                                      .strategy = strategies[v->policy.strategy],
                                      .decision = decision,
                                      .count = v->used,
                                      .limit = v->policy.intensity,
                                      .period = v->policy.period,
                                      .delay = delay};
}

/* ---- without the lock ---- */

static const char *what_follows(uint32_t decision)
{
    return decision == DECIDED_EXIT  ? "the app ends"
           : decision == DECIDED_END ? "its actors end"
                                     : "the supervisor above decides";
}

static void tell_decision(struct world *w, iris_actor *a, const struct event_detail *d)
{
    double period = (double)d->period / 1e9, delay = (double)d->delay / 1e9;
    if (d->decision != DECIDED_RESTART)
        iris__world_tell(w, EVENT_DECIDED, a, IRIS_WARN, d,
                         "%s: more than %u restarts within %.1f s, so %s", d->supervisor, d->limit,
                         period, what_follows(d->decision));
    else if (d->delay)
        iris__world_tell(w, EVENT_DECIDED, a, IRIS_INFO, d,
                         "%s: restart %u of %u within %.1f s, in %.3f s", d->supervisor, d->count,
                         d->limit, period, delay);
    else
        iris__world_tell(w, EVENT_DECIDED, a, IRIS_INFO, d, "%s: restart %u of %u within %.1f s",
                         d->supervisor, d->count, d->limit, period);
}

static void tell_exhausted(struct world *w, iris_actor *a, const struct event_detail *d)
{
    iris__world_event(w, EVENT_EXHAUSTED, a, IRIS_ERROR,
                      "supervisor %s: more than %u restarts within %.1f s", d->supervisor, d->limit,
                      (double)d->period / 1e9);
}

static void run(struct supervisors *s, const struct errand *e)
{
    struct world *w = s->world;
    iris_actor *a = e->pid ? iris__table_at(&w->table, e->pid) : NULL;
    switch (e->what) {
    case ERRAND_SIGNAL:
        iris__signal(w, e->kind, 0, e->pid, e->ref, e->reason);
        break;
    case ERRAND_STOP:
        iris__actor_stop(w, e->pid);
        break;
    case ERRAND_MAKE:
        iris__factory_post(s, e->factory);
        break;
    case ERRAND_RELEASE:
        iris__factory_release(e->factory);
        break;
    case ERRAND_DECIDED:
        tell_decision(w, a, &e->detail);
        break;
    case ERRAND_EXHAUSTED:
        tell_exhausted(w, a, &e->detail);
        break;
    case ERRAND_LATE:
        iris__world_event(w, EVENT_STUCK, a, IRIS_WARN,
                          "told to end, it does not return; the others go on without it");
        break;
    case ERRAND_END:
        if (s->ended)
            s->ended(s->ctx, e->detail.supervisor);
    }
}

/* Errands name supervisors by their paths: those that were removed go when no errand runs. */
static void bury(struct supervisors *s)
{
    struct supervisor *dead = NULL;
    pthread_mutex_lock(&s->lock);
    if (!--s->running) {
        dead = s->dead;
        s->dead = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    for (struct supervisor *next; dead; dead = next) {
        next = dead->next;
        iris__supervisor_free(dead);
    }
}

void iris__keep_unlock(struct supervisors *s)
{
    struct errands *all = s->errands;
    uint32_t runs = all->n || s->dead;
    s->errands = s->last = NULL;
    s->running += runs;
    pthread_mutex_unlock(&s->lock);
    for (struct errands *at = all, *next; at; at = next) {
        next = at->next;
        for (int i = 0; i < at->n; i++)
            run(s, &at->list[i]);
        if (at != all)
            free(at);
    }
    if (runs)
        bury(s);
}
