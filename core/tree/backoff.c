#include "keep.h"

#include <stdlib.h>

/* ---- how long ---- */

static double grown(const struct backoff *b, uint32_t tries)
{
    double delay = (double)b->initial;
    for (uint32_t i = 0; i < tries && delay < (double)b->max; i++)
        delay *= b->factor;
    return delay < (double)b->max ? delay : (double)b->max;
}

/* From 1 - jitter to 1 + jitter. */
static double swing(struct supervisors *s, double jitter)
{
    double chance = (double)(iris__random(&s->random) >> 11) / (double)(UINT64_C(1) << 53);
    return 1 + jitter * (2 * chance - 1);
}

int64_t iris__backoff_next(struct supervisors *s, const struct supervisor *v, struct member *m)
{
    const struct backoff *b = &v->policy.backoff;
    int64_t now = iris__sched_now(&s->world->sched);
    if (!b->initial)
        return 0;
    if (m->tries && now - m->due >= b->reset_after)
        m->tries = 0;
    double delay = grown(b, m->tries) * swing(s, b->jitter);
    if (m->tries < UINT32_MAX)
        m->tries++;
    int64_t wait = delay < (double)b->max ? (int64_t)delay : b->max;
    m->due = now + wait;
    return wait;
}

/* ---- alarms ---- */

static void unlink_alarm(struct wakeup *a)
{
    if (a->prev)
        a->prev->next = a->next;
    else
        a->s->alarms = a->next;
    if (a->next)
        a->next->prev = a->prev;
    free(a);
}

/* On the thread that keeps the time (keeper.h). */
static void ring(void *ctx)
{
    struct wakeup *a = ctx;
    struct supervisors *s = a->s;
    struct member *m;
    struct supervisor *v;
    struct errands errands;
    iris__keep_lock(s, &errands);
    m = a->member;
    v = a->whose;
    unlink_alarm(a);
    if (m) {
        m->alarm = NULL;
        iris__member_time(s, m);
    } else if (v) {
        v->round.alarm = NULL;
        iris__round_time(s, v);
    }
    iris__keep_unlock(s);
}

struct wakeup *iris__wakeup_set(struct supervisors *s, struct member *m, struct supervisor *v,
                                int64_t delay)
{
    struct wakeup *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    *a = (struct wakeup){.s = s,
                         .next = s->alarms,
                         .member = m,
                         .whose = v,
                         .deadline = iris__sched_after(&s->world->sched, delay)};
    if (iris__timer_call(s->world, a->deadline, ring, a, &a->id)) {
        free(a);
        return NULL;
    }
    if (a->next)
        a->next->prev = a;
    return s->alarms = a;
}

/* One that rings this moment finds that it is nobody's, and frees itself. */
void iris__wakeup_clear(struct wakeup **alarm)
{
    struct wakeup *a = *alarm;
    *alarm = NULL;
    if (!a)
        return;
    a->member = NULL;
    a->whose = NULL;
    if (iris__timer_cancel(a->s->world, a->id) == IRIS_OK)
        unlink_alarm(a);
}
