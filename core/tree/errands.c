#include "keep.h"

#include "gate.h"
#include "send.h"

#include <stdarg.h>
#include <stdio.h>
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

/* One that is begun again on its own node; a factory's is an ordinary pid. NULL: it is none. */
static const struct member *far_member(struct supervisors *s, uint64_t pid)
{
    const struct member *m = pid >> PID_NODE_SHIFT ? iris__member_of(s, pid) : NULL;
    return m && m->far ? m : NULL;
}

void iris__keep_signal(struct supervisors *s, uint32_t kind, uint64_t pid, uint64_t ref,
                       const char *reason)
{
    const struct member *m = far_member(s, pid);
    if (m) {
        iris__far_signal(s, m, kind, ref);
        return;
    }
    struct errand *e = add(s, ERRAND_SIGNAL, pid);
    if (!e)
        return;
    e->kind = kind;
    e->ref = ref;
    e->reason = reason;
}

static char *write_words(const char *fmt, va_list args)
{
    char *words;
    return vasprintf(&words, fmt, args) < 0 ? NULL : words;
}

void iris__keep_far(struct supervisors *s, uint32_t kind, uint64_t from, uint64_t to, uint64_t ref,
                    const char *fmt, ...)
{
    struct errand *e = add(s, ERRAND_FAR, to);
    va_list args;
    if (!e)
        return;
    va_start(args, fmt);
    e->words = write_words(fmt, args);
    va_end(args);
    e->kind = kind;
    e->from = from;
    e->ref = ref;
}

void iris__keep_tell(struct supervisors *s, int level, const char *fmt, ...)
{
    struct errand *e = add(s, ERRAND_TELL, 0);
    va_list args;
    if (!e)
        return;
    va_start(args, fmt);
    e->words = write_words(fmt, args);
    va_end(args);
    e->kind = (uint32_t)level;
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
    const struct member *m = far_member(s, pid);
    if (m && what == ERRAND_STOP) {
        iris__far_stop(s, m);
        return;
    }
    struct errand *e = add(s, what, m ? 0 : pid);
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
    iris_actor *a =
        e->pid && !(e->pid >> PID_NODE_SHIFT) ? iris__table_at(&w->table, e->pid) : NULL;
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
    case ERRAND_FAR:
        if (e->words)
            iris__signal(w, e->kind, e->from, e->pid, e->ref, e->words);
        break;
    case ERRAND_TELL:
        if (e->words)
            iris__world_event(w, EVENT_LOG, NULL, (int)e->kind, "%s", e->words);
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
        for (int i = 0; i < at->n; i++)
            free(at->list[i].words);
        if (at != all)
            free(at);
    }
    if (runs)
        bury(s);
}
