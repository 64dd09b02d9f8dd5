#include "timer.h"

#include "actor.h"
#include "fail.h"
#include "gate.h"
#include "send.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct timer {
    int64_t deadline, period;
    uint64_t id, from, to;
    uint32_t at; /* in the heap */
    void (*fn)(void *);
    void *ctx;
    struct timer *prev, *next; /* of the same actor */
    UT_hash_handle hh;
    size_t len;
    unsigned char data[];
};

struct owned {
    uint64_t pid;
    struct timer *first;
    UT_hash_handle hh;
};

void iris__timers_init(struct timers *t)
{
    *t = (struct timers){.next_id = 1};
    pthread_mutex_init(&t->lock, NULL);
}

/* ---- the heap; lock held ---- */

static void place(struct timers *t, struct timer *e, uint32_t at)
{
    t->heap[at] = e;
    e->at = at;
}

/* Of two that are due at once the one that was set first. */
static int is_before(const struct timer *e, const struct timer *other)
{
    return e->deadline < other->deadline || (e->deadline == other->deadline && e->id < other->id);
}

static void sift_up(struct timers *t, struct timer *e, uint32_t at)
{
    for (; at && is_before(e, t->heap[(at - 1) / 2]); at = (at - 1) / 2)
        place(t, t->heap[(at - 1) / 2], at);
    place(t, e, at);
}

static void sift_down(struct timers *t, struct timer *e, uint32_t at)
{
    for (uint32_t child; (child = 2 * at + 1) < t->count; at = child) {
        if (child + 1 < t->count && is_before(t->heap[child + 1], t->heap[child]))
            child++;
        if (!is_before(t->heap[child], e))
            break;
        place(t, t->heap[child], at);
    }
    place(t, e, at);
}

static int heap_add(struct timers *t, struct timer *e)
{
    if (t->count == t->room) {
        uint32_t room = t->room ? t->room * 2 : 64;
        struct timer **heap = realloc(t->heap, room * sizeof(struct timer *));
        if (!heap)
            return -1;
        t->heap = heap;
        t->room = room;
    }
    sift_up(t, e, t->count++);
    return 0;
}

static void heap_remove(struct timers *t, struct timer *e)
{
    uint32_t at = e->at;
    struct timer *last = t->heap[--t->count];
    if (last == e)
        return;
    if (at && is_before(last, t->heap[(at - 1) / 2]))
        sift_up(t, last, at);
    else
        sift_down(t, last, at);
}

/* ---- whose; lock held ---- */

static int own(struct timers *t, struct timer *e)
{
    struct owned *o;
    HASH_FIND(hh, t->by_pid, &e->to, sizeof e->to, o);
    if (!o) {
        if (!(o = calloc(1, sizeof *o)))
            return -1;
        o->pid = e->to;
        HASH_ADD(hh, t->by_pid, pid, sizeof o->pid, o);
    }
    e->prev = NULL;
    e->next = o->first;
    if (o->first)
        o->first->prev = e;
    o->first = e;
    return 0;
}

static void disown(struct timers *t, struct timer *e)
{
    struct owned *o;
    HASH_FIND(hh, t->by_pid, &e->to, sizeof e->to, o);
    assert(o && t->by_pid); /* own() put it there */
    if (e->next)
        e->next->prev = e->prev;
    if (e->prev)
        e->prev->next = e->next;
    else
        o->first = e->next;
    if (!o->first) {
        HASH_DEL(t->by_pid, o);
        free(o);
    }
}

/* One whose message is work that somebody waits for. */
static uint32_t is_oneshot(const struct timer *e)
{
    return !e->fn && !e->period;
}

static void take_out(struct timers *t, struct timer *e)
{
    heap_remove(t, e);
    assert(t->by_id); /* e is in it */
    HASH_DEL(t->by_id, e);
    if (!e->fn)
        disown(t, e);
}

static void forget(struct timers *t, struct timer *e)
{
    take_out(t, e);
    t->oneshots -= is_oneshot(e);
}

/* ---- */

static struct timer *create(int64_t deadline, size_t len)
{
    struct timer *e = calloc(1, sizeof *e + len);
    if (!e)
        return NULL;
    e->deadline = deadline;
    e->len = len;
    return e;
}

static int add(struct world *w, struct timer *e, uint64_t *id)
{
    struct timers *t = &w->timers;
    pthread_mutex_lock(&t->lock);
    e->id = t->next_id++;
    int failed = heap_add(t, e);
    if (!failed && !e->fn && (failed = own(t, e)))
        heap_remove(t, e);
    if (!failed) {
        HASH_ADD(hh, t->by_id, id, sizeof e->id, e);
        t->oneshots += is_oneshot(e);
        if (id)
            *id = e->id; /* before it can fire */
    }
    int64_t deadline = e->deadline;
    pthread_mutex_unlock(&t->lock);
    if (failed) {
        free(e);
        return iris__fail("timer: no memory");
    }
    iris__sched_expect(&w->sched, deadline);
    return IRIS_OK;
}

int iris__timer_call(struct world *w, int64_t deadline, void (*fn)(void *), void *ctx, uint64_t *id)
{
    struct timer *e = create(deadline, 0);
    if (!e)
        return iris__fail("timer: no memory");
    e->fn = fn;
    e->ctx = ctx;
    return add(w, e, id);
}

int iris__timer_add(struct world *w, uint64_t from, uint64_t to, int64_t deadline, int64_t period,
                    const void *data, size_t len, uint64_t *id)
{
    iris_actor *a = iris__table_at(&w->table, to);
    if (!a || !iris__gate_accepts(a, to))
        return IRIS_DEAD;
    if (len > w->message_max)
        return IRIS_LARGE;
    struct timer *e = create(deadline, len);
    if (!e)
        return iris__fail("timer: no memory");
    e->period = period;
    e->from = from;
    e->to = to;
    if (len)
        memcpy(e->data, data, len);
    uint64_t mine = 0; /* add() sets it; lint does not see that */
    if (add(w, e, &mine))
        return IRIS_FAIL;
    if (id)
        *id = mine;
    atomic_fetch_or(&a->marks, MARK_TIMERS);
    if (iris__gate_accepts_now(a, to))
        return IRIS_OK;
    iris__timer_cancel(w,
                       mine); /* it ended while we added: its own cancel may have come too early */
    return IRIS_DEAD;
}

int iris__timer_cancel(struct world *w, uint64_t id)
{
    struct timers *t = &w->timers;
    struct timer *e;
    pthread_mutex_lock(&t->lock);
    HASH_FIND(hh, t->by_id, &id, sizeof id, e);
    if (e)
        forget(t, e);
    pthread_mutex_unlock(&t->lock);
    free(e);
    return e ? IRIS_OK : IRIS_DEAD;
}

void iris__timer_cancel_all(struct world *w, uint64_t pid)
{
    struct timers *t = &w->timers;
    struct owned *o;
    pthread_mutex_lock(&t->lock);
    for (;;) {
        HASH_FIND(hh, t->by_pid, &pid, sizeof pid, o);
        if (!o)
            break;
        struct timer *e = o->first;
        forget(t, e);
        free(e);
    }
    pthread_mutex_unlock(&t->lock);
}

/* Without the timers' lock: the receiver's queue has locks too. No memory is a full mailbox. */
static int send_once(struct world *w, uint64_t from, uint64_t to, const void *data, size_t len)
{
    struct message *m = iris__message_new(w->pool, len);
    if (!m)
        return IRIS_FULL;
    m->pub.kind = IRIS_USER;
    m->pub.from = from;
    m->pub.to = to;
    m->pub.ref = 0;
    if (len)
        memcpy(m->body, data, len);
    int result = iris__post(w, m);
    if (result)
        iris__message_drop(w->pool, m);
    return result;
}

/* At the door of a full mailbox it waits and tries again each millisecond: a capacity holds for timers
 * too, and nobody else could try again for them. */
void iris__timer_send(struct world *w, uint64_t from, uint64_t to, const void *data, size_t len)
{
    if (send_once(w, from, to, data, len) == IRIS_FULL)
        iris__timer_add(w, from, to, iris__sched_now(&w->sched) + IRIS__MS, 0, data, len, NULL);
}

/* A tick that finds the mailbox full comes together with the next. */
static void deliver(struct world *w, struct timer *e)
{
    if (e->period)
        send_once(w, e->from, e->to, e->data, e->len);
    else
        iris__timer_send(w, e->from, e->to, e->data, e->len);
}

/* Late ticks come together as one: the next is the first that lies in the future. */
static void repeat(struct timers *t, struct timer *e, int64_t now)
{
    e->deadline += e->period * ((now - e->deadline) / e->period + 1);
    sift_down(t, e, e->at);
}

/* The due timer, out of the heap; a copy where it repeats. What comes once counts until its message is
 * on its way. Lock held. */
static struct timer *take_due(struct timers *t, int64_t now)
{
    struct timer *e = t->count ? t->heap[0] : NULL;
    if (!e || e->deadline > now)
        return NULL;
    if (!e->period) {
        take_out(t, e);
        return e;
    }
    struct timer *copy = malloc(sizeof *copy + e->len);
    if (copy)
        memcpy(copy, e, sizeof *e + e->len);
    repeat(t, e, now);
    return copy ? copy : take_due(t, now);
}

int64_t iris__timers_fire(struct world *w, int64_t now)
{
    struct timers *t = &w->timers;
    for (uint32_t delivered = 0;;) {
        pthread_mutex_lock(&t->lock);
        t->oneshots -= delivered;
        struct timer *e = take_due(t, now);
        int64_t next = t->count ? t->heap[0]->deadline : INT64_MAX;
        pthread_mutex_unlock(&t->lock);
        if (!e)
            return next;
        if (e->fn)
            e->fn(e->ctx);
        else
            deliver(w, e);
        delivered = is_oneshot(e);
        free(e);
    }
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
    while (t->count) {
        struct timer *e = t->heap[0];
        forget(t, e);
        free(e);
    }
    free(t->heap);
    pthread_mutex_destroy(&t->lock);
}
