#include "keep.h"

/* ---- the actors of a round, in start order, through all supervisors below ---- */

static struct member *last_below(const struct supervisor *v)
{
    struct member *found = NULL;
    for (struct member *m = v->tail; m && !found; m = m->prev)
        found = m->sub ? last_below(m->sub) : m;
    return found;
}

static struct member *first_below(const struct supervisor *v)
{
    struct member *found = NULL;
    for (struct member *m = v->head; m && !found; m = m->next)
        found = m->sub ? first_below(m->sub) : m;
    return found;
}

static struct member *before(const struct supervisor *v, struct member *m)
{
    while (m != v->round.first) {
        if (!m->prev && m->of == v)
            return NULL;
        if (!m->prev) {
            m = m->of->self;
            continue;
        }
        m = m->prev;
        struct member *found = m->sub ? last_below(m->sub) : m;
        if (found)
            return found;
    }
    return NULL;
}

static struct member *after(const struct supervisor *v, struct member *m)
{
    for (;;) {
        if (!m->next && m->of == v)
            return NULL;
        if (!m->next) {
            m = m->of->self;
            continue;
        }
        m = m->next;
        struct member *found = m->sub ? first_below(m->sub) : m;
        if (found)
            return found;
    }
}

static struct member *last_of(const struct supervisor *v)
{
    struct member *m = v->tail;
    if (!v->round.first)
        return NULL;
    struct member *found = m->sub ? last_below(m->sub) : m;
    return found ? found : before(v, m);
}

static struct member *first_of(const struct supervisor *v)
{
    struct member *m = v->round.first;
    if (!m)
        return NULL;
    struct member *found = m->sub ? first_below(m->sub) : m;
    return found ? found : after(v, m);
}

struct supervisor *iris__round_over(const struct member *m)
{
    struct supervisor *found = NULL;
    for (; m; m = m->of->self) {
        const struct round *r = &m->of->round;
        if (r->phase && r->first && m->place >= r->first->place)
            found = m->of;
    }
    return found;
}

/* ---- ending ---- */

void iris__member_halt(struct supervisors *s, struct member *m, int is_final)
{
    int at_once = m->shutdown == SHUTDOWN_KILL;
    m->state = MEMBER_HALTS;
    m->is_killed = at_once;
    int for_good = is_final || m->factory;
    if (!for_good)
        m->order = ++s->orders;
    if (at_once)
        iris__member_kill(s, m, for_good);
    else if (for_good)
        iris__keep_errand(s, ERRAND_STOP, m->pid, NULL, 0, 0);
    else
        iris__keep_signal(s, KIND_RESTART, m->pid, m->order << 1, RESTARTS_WORDS);
    m->alarm = iris__wakeup_set(s, m, NULL, at_once ? KILL_TIME : m->shutdown);
}

static void over(struct supervisor *v)
{
    v->round = (struct round){.phase = ROUND_NONE};
}

static void start(struct supervisors *s, struct supervisor *v)
{
    struct round *r = &v->round;
    struct member *m = r->at ? r->at : first_of(v);
    r->phase = ROUND_STARTS;
    for (; m; m = after(v, m)) {
        if (m->state == MEMBER_LIVES || m->is_late)
            continue;
        r->at = m;
        if (m->state == MEMBER_DOWN && !m->alarm)
            iris__member_begin(s, m);
        return;
    }
    over(v);
}

static void all_have_ended(struct supervisors *s, struct supervisor *v)
{
    struct round *r = &v->round;
    r->at = NULL;
    if (r->is_final) {
        over(v);
        return;
    }
    r->phase = ROUND_WAITS;
    if (!r->delay || !(r->alarm = iris__wakeup_set(s, NULL, v, r->delay)))
        start(s, v);
}

/* The next one of them that lives, last first: 1: it is waited for; 0: all have ended. `of`: whose members,
 * v's or those of one below. */
static int stop_next(struct supervisors *s, struct supervisor *v, struct supervisor *of)
{
    struct round *r = &v->round;
    struct member *m = r->at ? r->at : last_of(of);
    for (; m; m = before(of, m)) {
        if ((m->state == MEMBER_DOWN && !r->is_final) || m->is_late)
            continue;
        if (!m->pid && m->state == MEMBER_HALTS)
            continue; /* who failed, and is let go now */
        r->at = m;
        if (!m->pid && r->is_final) {
            iris__member_remove(s, m); /* which forgets `at` */
            return stop_next(s, v, of);
        }
        if (!m->pid)
            return 1; /* its factory is at work: when it is done */
        if (m->state != MEMBER_HALTS && m->state != MEMBER_ENDS)
            iris__member_halt(s, m, r->is_final);
        return 1;
    }
    r->at = NULL;
    return 0;
}

/* Who was exhausted ends its members itself, as in OTP; then those of its parent end. */
static void stop(struct supervisors *s, struct supervisor *v)
{
    for (struct supervisor *inner; (inner = v->round.inner); v->round.inner = inner->parent) {
        if (inner == v)
            break;
        inner->round.first = inner->head;
        if (stop_next(s, v, inner))
            return;
    }
    v->round.inner = NULL;
    if (!stop_next(s, v, v))
        all_have_ended(s, v);
}

void iris__round_advance(struct supervisors *s, struct supervisor *v)
{
    if (v->round.phase == ROUND_STOPS)
        stop(s, v);
    else if (v->round.phase == ROUND_STARTS)
        start(s, v);
}

void iris__round_time(struct supervisors *s, struct supervisor *v)
{
    if (v->round.phase == ROUND_WAITS)
        start(s, v);
}

/* ---- beginning ---- */

static void cancel(struct supervisor *v)
{
    iris__wakeup_clear(&v->round.alarm);
    v->round = (struct round){.phase = ROUND_NONE};
}

/* What runs below of its own comes to this round: rounds, and who waits for his backoff. Supervisors begin
 * anew as well: with nothing counted, as in OTP. */
static void take_over(struct supervisors *s, struct supervisor *v)
{
    for (struct supervisor *u = s->list; u; u = u->next) {
        if (u == v || !u->self || iris__round_over(u->self) != v)
            continue;
        u->used = u->at = 0;
        if (u->round.phase)
            cancel(u);
    }
    for (struct member *m = last_of(v); m; m = before(v, m))
        if (m->state == MEMBER_DOWN)
            iris__wakeup_clear(&m->alarm);
}

void iris__round_begin(struct supervisors *s, struct supervisor *v, struct member *first,
                       struct supervisor *by, struct supervisor *inner, int64_t delay)
{
    struct round *r = &v->round;
    iris__wakeup_clear(&r->alarm);
    *r = (struct round){.phase = ROUND_STOPS,
                        .first = first,
                        .by = by,
                        .inner = inner != v ? inner : NULL,
                        .delay = delay};
    take_over(s, v);
    stop(s, v);
}

void iris__round_final(struct supervisors *s, struct supervisor *v)
{
    struct round *r = &v->round;
    iris__wakeup_clear(&r->alarm);
    *r = (struct round){.phase = ROUND_STOPS, .first = v->head, .by = v, .is_final = 1};
    take_over(s, v);
    stop(s, v);
}

void iris__round_leave(struct supervisors *s, struct member *m)
{
    (void)s;
    for (struct supervisor *v = m->of; v; v = v->parent) {
        struct round *r = &v->round;
        if (r->at == m)
            r->at = r->phase == ROUND_STARTS ? before(v, m) : NULL;
        if (r->first == m)
            r->first = m->next;
    }
}
