#include "keep.h"

#include "send.h"

static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one"};

void iris__keep_lock(struct supervisors *s, struct errands *errands)
{
    pthread_mutex_lock(&s->lock);
    errands->n = 0;
    s->errands = errands;
}

static struct errand *add(struct supervisors *s, int what, uint64_t pid)
{
    static struct errand *const none;
    struct errands *all = s->errands;
    if (all->n == ERRANDS)
        return none;
    struct errand *e = &all->list[all->n++];
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
    iris_actor *a = iris__table_at(&w->table, e->pid);
    switch (e->what) {
    case ERRAND_SIGNAL:
        iris__signal(w, e->kind, 0, e->pid, e->ref, e->reason);
        break;
    case ERRAND_STOP:
        iris__actor_stop(w, e->pid);
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

void iris__keep_unlock(struct supervisors *s)
{
    struct errands *all = s->errands;
    s->errands = NULL;
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < all->n; i++)
        run(s, &all->list[i]);
}
