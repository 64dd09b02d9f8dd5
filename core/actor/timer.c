#include "timer.h"

#include "actor.h"
#include "fail.h"
#include "gate.h"
#include "send.h"

#include <string.h>

enum { BATCH = 64 /* that are fired between two looks at the lock */ };

void iris__timers_init(struct timers *t)
{
    *t = (struct timers){.oneshots = 0};
    iris__calendar_init(&t->calendar);
    pthread_mutex_init(&t->lock, NULL);
}

static struct timer *at(const struct timers *t, uint32_t index)
{
    return iris__calendar_at(&t->calendar, index);
}

static uint64_t id_of(const struct timer *e)
{
    return (uint64_t)e->generation << CALENDAR_INDEX_BITS | e->index;
}

/* NULL: there is no such timer any more. Lock held. */
static struct timer *find(const struct timers *t, uint64_t id)
{
    uint32_t index = (uint32_t)id & ((1u << CALENDAR_INDEX_BITS) - 1);
    struct timer *e = index && index < t->calendar.used ? at(t, index) : NULL;
    return e && e->index && id_of(e) == id ? e : NULL;
}

/* ---- whose; lock held ---- */

static struct timer *of_link(struct hash_link *l)
{
    return (struct timer *)((char *)l - offsetof(struct timer, mine));
}

static struct timer *first_of(const struct timers *t, uint64_t pid)
{
    struct hash_link *l = iris__hash_find(&t->by_pid, pid);
    return l ? of_link(l) : NULL;
}

/* The first stays the first: it is the one that the table knows. */
static int own(struct timers *t, struct timer *e, uint64_t pid)
{
    struct timer *first = first_of(t, pid);
    e->mine.key = pid;
    e->before = first ? first->index : 0;
    e->after = first ? first->after : 0;
    if (!first)
        return iris__hash_add(&t->by_pid, &e->mine, pid);
    if (first->after)
        at(t, first->after)->before = e->index;
    first->after = e->index;
    return 0;
}

static void disown(struct timers *t, struct timer *e)
{
    if (e->after)
        at(t, e->after)->before = e->before;
    if (e->before) {
        at(t, e->before)->after = e->after;
        return;
    }
    iris__hash_remove(&t->by_pid, &e->mine);
    if (e->after) /* instead of the one that was just taken out: cannot fail */
        (void)iris__hash_add(&t->by_pid, &at(t, e->after)->mine, e->mine.key);
}

/* One whose message is work that somebody waits for. */
static uint32_t is_oneshot(const struct timer *e)
{
    return e->m && !e->period;
}

/* Out of everything; its message is the caller's. */
static struct message *take_out(struct timers *t, struct timer *e)
{
    struct message *m = e->m;
    iris__calendar_remove(&t->calendar, e);
    if (m)
        disown(t, e);
    iris__calendar_give(&t->calendar, e);
    return m;
}

static struct message *forget(struct timers *t, struct timer *e)
{
    t->oneshots -= is_oneshot(e);
    return take_out(t, e);
}

/* ---- setting ---- */

/* What it sends or calls, and its period. */
struct content {
    struct message *m;
    void (*fn)(void *);
    void *ctx;
    int64_t period;
};

static void fill_in(struct timer *e, const struct content *g, int64_t deadline)
{
    e->m = g->m;
    e->deadline = deadline;
    e->period = g->period;
    if (g->m)
        return;
    e->fn = g->fn;
    e->ctx = g->ctx;
}

/* One that was empty has not looked at the clock for long. */
static struct timer *take(struct world *w)
{
    struct calendar *c = &w->timers.calendar;
    if (!c->timers)
        iris__calendar_reach(c, iris__sched_now(&w->sched));
    return iris__calendar_take(c);
}

static int insert(struct world *w, const struct content *g, int64_t deadline, uint64_t *id)
{
    struct timers *t = &w->timers;
    struct timer *e = take(w);
    if (!e)
        return -1;
    fill_in(e, g, deadline);
    if (g->m && own(t, e, g->m->pub.to)) {
        iris__calendar_give(&t->calendar, e);
        return -1;
    }
    iris__calendar_put(&t->calendar, e);
    t->oneshots += is_oneshot(e);
    if (id)
        *id = id_of(e); /* before it can fire */
    return 0;
}

static int add(struct world *w, const struct content *g, int64_t deadline, uint64_t *id)
{
    pthread_mutex_lock(&w->timers.lock);
    int failed = insert(w, g, deadline, id);
    pthread_mutex_unlock(&w->timers.lock);
    if (failed)
        return iris__fail("timer: no memory for another one");
    iris__sched_expect(&w->sched, deadline);
    return IRIS_OK;
}

int iris__timer_call(struct world *w, int64_t deadline, void (*fn)(void *), void *ctx, uint64_t *id)
{
    return add(w, &(struct content){.fn = fn, .ctx = ctx}, deadline, id);
}

/* The message is taken over, whatever comes of it. */
static int add_message(struct world *w, struct message *m, int64_t deadline, int64_t period,
                       uint64_t *id)
{
    uint64_t to = m->pub.to,
             mine = 1u << CALENDAR_INDEX_BITS; /* add() sets it; lint does not see that */
    iris_actor *a = iris__table_at(&w->table, to);
    int result = a && iris__gate_accepts(a, to) ? IRIS_OK : IRIS_DEAD;
    if (result == IRIS_OK)
        result = add(w, &(struct content){.m = m, .period = period}, deadline, &mine);
    if (result) {
        iris__message_drop(w->pool, m);
        return result;
    }
    if (id)
        *id = mine;
    atomic_fetch_or(&a->marks, MARK_TIMERS);
    if (iris__gate_accepts_now(a, to))
        return IRIS_OK;
    iris__timer_cancel(w,
                       mine); /* it ended while we added: its own cancel may have come too early */
    return IRIS_DEAD;
}

static struct message *fill(struct message *m, uint64_t from, uint64_t to, uint64_t ref,
                            const void *data, size_t len)
{
    m->pub.kind = IRIS_USER;
    m->pub.from = from;
    m->pub.to = to;
    m->pub.ref = ref;
    if (len)
        memcpy(m->body, data, len);
    return m;
}

static struct message *create(struct world *w, uint64_t from, uint64_t to, uint64_t ref,
                              const void *data, size_t len)
{
    struct message *m = iris__message_new(w->pool, len);
    return m ? fill(m, from, to, ref, data, len) : NULL;
}

int iris__timer_add(struct world *w, uint64_t from, uint64_t to, int64_t deadline, int64_t period,
                    const void *data, size_t len, uint64_t *id)
{
    iris_actor *a = iris__table_at(&w->table, to);
    if (!a || !iris__gate_accepts(a, to))
        return IRIS_DEAD;
    if (len > w->message_max)
        return IRIS_LARGE;
    struct message *m = create(w, from, to, 0, data, len);
    return m ? add_message(w, m, deadline, period, id) : IRIS_FULL;
}

int iris__timer_signal(struct world *w, uint32_t kind, uint64_t to, int64_t period, uint64_t *id)
{
    struct message *m = iris__message_signal(w->pool, kind, to, to, 0, NULL);
    if (!m)
        return iris__fail("timer: no memory for another one");
    return add_message(w, m, iris__sched_after(&w->sched, period), period, id);
}

int iris__timer_cancel(struct world *w, uint64_t id)
{
    struct timers *t = &w->timers;
    pthread_mutex_lock(&t->lock);
    struct timer *e = find(t, id);
    struct message *m = e ? forget(t, e) : NULL;
    pthread_mutex_unlock(&t->lock);
    if (m)
        iris__message_drop(w->pool, m);
    return e ? IRIS_OK : IRIS_DEAD;
}

/* own: of these only what it set itself. */
static void cancel_of(struct world *w, uint64_t pid, int own_only)
{
    struct timers *t = &w->timers;
    struct message *list = NULL;
    pthread_mutex_lock(&t->lock);
    struct timer *first = first_of(t, pid);
    for (uint32_t i = first ? first->index : 0, after; i; i = after) {
        struct timer *e = at(t, i);
        after = e->after;
        if (own_only && e->m->pub.from != pid)
            continue;
        struct message *m = forget(t, e);
        m->next = list;
        list = m;
    }
    pthread_mutex_unlock(&t->lock);
    for (struct message *next; list; list = next) {
        next = list->next;
        iris__message_drop(w->pool, list);
    }
}

void iris__timer_cancel_all(struct world *w, uint64_t pid)
{
    cancel_of(w, pid, 0);
}

void iris__timer_cancel_own(struct world *w, uint64_t pid)
{
    cancel_of(w, pid, 1);
}

/* ---- firing ---- */

/* At the door of a full mailbox it waits where that is the policy, and else tries again each millisecond: a
 * capacity holds for timers too, and nobody else could try again for them. */
static void send_once(struct world *w, struct message *m)
{
    int result = iris__post(w, NULL, m, OVERFLOW_ALONE);
    if (result == IRIS_FULL)
        add_message(w, m, iris__sched_now(&w->sched) + IRIS__MS, 0, NULL);
    else if (result)
        iris__message_drop(w->pool, m);
}

void iris__timer_send(struct world *w, uint64_t from, uint64_t to, uint64_t ref, const void *data,
                      size_t len)
{
    struct message *m = create(w, from, to, ref, data, len);
    if (!m &&
        (m = iris__message_new_large(w->pool, len, 1))) /* the limit is for what may be refused */
        fill(m, from, to, ref, data, len);
    if (m)
        send_once(w, m);
}

/* A tick that finds the mailbox full comes together with the next. */
static void send_tick(struct world *w, struct message *m)
{
    if (m->pub.kind != IRIS_USER)
        iris__signal_post(w, m);
    else if (iris__post(w, NULL, m, OVERFLOW_NOBODY))
        iris__message_drop(w->pool, m);
}

struct fired {
    struct message *m; /* NULL: call */
    void (*fn)(void *);
    void *ctx;
    int is_tick;
};

static struct message *copy(struct world *w, const struct message *from)
{
    struct message *m =
        from->pub.kind == IRIS_USER
            ? create(w, from->pub.from, from->pub.to, 0, from->body, from->pub.len)
            : iris__message_signal(w->pool, from->pub.kind, from->pub.from, from->pub.to, 0, NULL);
    return m;
}

/* Late ticks come together as one: the next is the first that lies in the future. */
static void repeat(struct timers *t, struct timer *e, int64_t now)
{
    iris__calendar_remove(&t->calendar, e);
    e->deadline += e->period * ((now - e->deadline) / e->period + 1);
    iris__calendar_put(&t->calendar, e);
}

/* Lock held. 0: without memory there is no tick. */
static int take_due(struct world *w, struct timer *e, int64_t now, struct fired *f)
{
    struct timers *t = &w->timers;
    *f = (struct fired){.m = e->m, .is_tick = e->m && e->period};
    if (f->is_tick) {
        f->m = copy(w, e->m);
        repeat(t, e, now);
        return f->m != NULL;
    }
    if (!e->m) {
        f->fn = e->fn;
        f->ctx = e->ctx;
    }
    take_out(t, e);
    __builtin_prefetch(f->m, 1); /* it has not been looked at since it was made */
    return 1;
}

static int take_batch(struct world *w, int64_t now, struct fired *batch)
{
    int n = 0;
    for (struct timer *e; n < BATCH && (e = iris__calendar_due(&w->timers.calendar, now));)
        n += take_due(w, e, now, &batch[n]);
    return n;
}

/* Without the timers' lock: the receiver's queue has locks too. How many were one-shots. */
static uint32_t deliver(struct world *w, const struct fired *batch, int n)
{
    uint32_t oneshots = 0;
    for (int i = 0; i < n; i++)
        if (!batch[i].m)
            batch[i].fn(batch[i].ctx);
        else if (batch[i].is_tick)
            send_tick(w, batch[i].m);
        else {
            send_once(w, batch[i].m);
            oneshots++;
        }
    return oneshots;
}

/* What comes once counts until its message is on its way. */
int64_t iris__timers_fire(struct world *w, int64_t now)
{
    struct timers *t = &w->timers;
    struct fired batch[BATCH];
    for (uint32_t delivered = 0;;) {
        pthread_mutex_lock(&t->lock);
        t->oneshots -= delivered;
        int n = take_batch(w, now, batch);
        int64_t next = iris__calendar_next(&t->calendar);
        pthread_mutex_unlock(&t->lock);
        if (!n)
            return next;
        delivered = deliver(w, batch, n);
    }
}

uint32_t iris__timers_of(struct world *w, uint64_t pid, int64_t *next)
{
    struct timers *t = &w->timers;
    uint32_t n = 0;
    *next = INT64_MAX;
    pthread_mutex_lock(&t->lock);
    for (const struct timer *e = first_of(t, pid); e; e = e->after ? at(t, e->after) : NULL, n++) {
        *next = e->deadline < *next ? e->deadline : *next;
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}

uint32_t iris__timers_oneshots(struct world *w)
{
    pthread_mutex_lock(&w->timers.lock);
    uint32_t n = w->timers.oneshots;
    pthread_mutex_unlock(&w->timers.lock);
    return n;
}

void iris__timers_finish(struct world *w)
{
    struct timers *t = &w->timers;
    for (uint32_t i = 1; i < t->calendar.used; i++) {
        struct timer *e = at(t, i);
        struct message *m = e->index ? forget(t, e) : NULL;
        if (m)
            iris__message_drop(w->pool, m);
    }
    iris__calendar_finish(&t->calendar);
    iris__hash_finish(&t->by_pid);
    pthread_mutex_destroy(&t->lock);
}
