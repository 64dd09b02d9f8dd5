#include "overflow.h"

#include "awaits.h"
#include "gate.h"
#include "mailbox.h"
#include "send.h"

#include <stdio.h>
#include <string.h>

#define WARN_EVERY (10 * IRIS__SECOND)

enum { HOPS = 8 }; /* from fallback to fallback; more are a ring, or as good as one */

enum verdict { TO_MAILBOX, IN_QUEUE, WAITS, REFUSED, GONE, TOO_LARGE, ELSEWHERE, PREPARE };

struct attempt { /* at one door */
    struct overflow *o;
    iris_actor *a;
    uint64_t pid, fallback;
    int may_wait;         /* there is somebody who can */
    struct message *bell; /* prepared: what tells the turn .. */
    struct message *copy; /* .. and what is spilled; */
    int awaits;           /* self has said for whom it waits */
    int rings, owed;
    uint32_t level, capacity; /* worth a warning */
    struct parting *parting;
};

static int is_routed(const struct attempt *t)
{
    return t->o->m->flags & MESSAGE_ROUTED;
}

/* ---- under the lock ---- */

/* Upwards through the mark, and not so often that nobody reads it any more. */
static void look_at_level(struct attempt *t, struct door *d)
{
    uint32_t level = iris__gate_count(t->a);
    if (level != d->warning || !level)
        return;
    int64_t now = iris__sched_now(&t->o->w->sched);
    if (d->counts[IRIS_MAILBOX_WARNED] && now - d->warned < WARN_EVERY)
        return;
    d->warned = now;
    iris__door_count(t->o->w, d, IRIS_MAILBOX_WARNED);
    t->level = level;
    t->capacity = d->capacity;
}

/* It has its place. */
static enum verdict enter(struct attempt *t, struct door *d)
{
    look_at_level(t, d);
    if (!d->first && !iris__door_takes_all(d))
        return TO_MAILBOX;
    iris__door_append(d, t->o->m);
    return IN_QUEUE;
}

static enum verdict wait_in_queue(struct attempt *t, struct door *d)
{
    struct overflow *o = t->o;
    if (!t->bell || (d->policy == IRIS_SPILL && !t->copy && !is_routed(t)))
        return PREPARE;
    o->m->flags |= MESSAGE_WAITING;
    if (o->wait == OVERFLOW_ACTOR)
        o->m->flags |= MESSAGE_SUSPENDS;
    if (o->wait == OVERFLOW_CALLER) {
        o->m->flags |= MESSAGE_CALLER;
        o->caller->message = o->m;
        o->caller->next = d->callers;
        d->callers = o->caller;
    }
    iris__door_append(d, o->m);
    iris__door_count(o->w, d, IRIS_MAILBOX_WAITED);
    iris__door_set_limit(d, t->a);
    t->fallback = d->policy == IRIS_SPILL ? d->fallback : 0;
    t->rings = !d->told;
    d->told = 1;
    return WAITS;
}

static int waits_by(const struct attempt *t, uint32_t policy)
{
    if (t->o->wait == OVERFLOW_CALLER || t->o->wait == OVERFLOW_ALWAYS)
        return t->may_wait;
    return t->may_wait && (policy == IRIS_BLOCK || policy == IRIS_SPILL);
}

/* Those that wait come first: they were accepted while the policy was another. */
static int takes_oldest(struct attempt *t, struct door *d)
{
    if (d->waiting)
        iris__door_convert(t->o->w, d, t->a, t->parting);
    if (d->waiting)
        return 0;
    uint32_t n = iris__door_make_room(t->o->w, d, t->o->m->pub.len, t->parting);
    if (n) { /* one of their places is ours */
        atomic_fetch_sub(&t->a->gate, n - 1);
        return 1;
    }
    if (!iris__door_evict(d, t->a, t->parting))
        return 0;
    t->owed = d->owed != 0;
    iris__door_count(t->o->w, d, IRIS_MAILBOX_DROPPED);
    return 1;
}

static enum verdict overflow(struct attempt *t, struct door *d)
{
    int always = t->o->wait == OVERFLOW_ALWAYS;
    if (d->policy == IRIS_DROP_OLD && !always && takes_oldest(t, d))
        return enter(t, d);
    if (d->policy == IRIS_REDIRECT && !always && !is_routed(t) && !t->o->stays) {
        t->fallback = d->fallback;
        return ELSEWHERE;
    }
    if (waits_by(t, d->policy))
        return wait_in_queue(t, d);
    iris__door_count(t->o->w, d, IRIS_MAILBOX_REFUSED);
    return REFUSED;
}

static int reserve(const struct attempt *t, const struct door *d)
{
    int always = t->o->wait == OVERFLOW_ALWAYS;
    if (d->waiting || (!always && !iris__door_fits(d, t->o->m->pub.len)))
        return IRIS_FULL;
    return iris__gate_reserve(t->a, t->pid, always ? UINT32_MAX : d->capacity);
}

static enum verdict decide(struct attempt *t, struct door *d)
{
    if (!iris__gate_accepts(t->a, t->pid))
        return GONE;
    if (d->bytes && t->o->m->pub.len > d->bytes && t->o->wait != OVERFLOW_ALWAYS)
        return TOO_LARGE;
    int result = reserve(t, d);
    if (result == IRIS_FULL)
        return overflow(t, d);
    return result == IRIS_OK ? enter(t, d) : GONE;
}

/* ---- before it and after it ---- */

static struct message *copy_of(struct world *w, const struct message *m)
{
    struct message *copy = iris__message_new(w->pool, m->pub.len);
    if (!copy)
        return NULL;
    copy->pub.kind = m->pub.kind;
    copy->pub.from = m->pub.from;
    copy->pub.ref = 0; /* an ask has one answer */
    if (m->pub.len)
        memcpy(copy->body, m->pub.data, m->pub.len);
    return copy;
}

/* What waiting takes and is not to be made under a lock. 0: it cannot wait. */
static int prepare(struct attempt *t)
{
    struct overflow *o = t->o;
    if (t->bell) /* then it is the copy that is missing */
        return (t->copy = copy_of(o->w, o->m)) != NULL;
    if (o->wait == OVERFLOW_ACTOR && iris__awaits_begin(o->self, t->pid))
        return 0;
    t->awaits = o->wait == OVERFLOW_ACTOR;
    t->bell = iris__message_signal(o->w->pool, KIND_DOOR, 0, t->pid, 0, NULL);
    return t->bell != NULL;
}

static void count_at(struct world *w, uint64_t pid, int what)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    struct door *d = a ? iris__door_lock(w, a, pid, DOOR_MAKE) : NULL;
    if (!d)
        return;
    iris__door_count(w, d, what);
    iris__door_unlock(d);
}

/* The copy is sent as from nobody who waits: the message itself is safe in any case. */
static void spill(struct attempt *t)
{
    struct world *w = t->o->w;
    t->copy->pub.to = t->fallback;
    if (iris__post(w, NULL, t->copy, OVERFLOW_NOBODY) != IRIS_OK)
        return;
    t->copy = NULL;
    count_at(w, t->pid, IRIS_MAILBOX_SPILLED);
}

static void clean_up(struct attempt *t, enum verdict v)
{
    struct overflow *o = t->o;
    if (t->rings)
        iris__signal_post(o->w, t->bell);
    else if (t->bell)
        iris__message_drop(o->w->pool, t->bell);
    if (t->awaits && v == WAITS)
        iris__awaits_suspend(o->self);
    else if (t->awaits)
        iris__awaits_end(o->self, t->pid, 1);
    if (t->copy && v == WAITS && t->fallback)
        spill(t);
    if (t->copy)
        iris__message_drop(o->w->pool, t->copy);
}

static const char *digits(char *room, size_t size, uint32_t n)
{
    if (n < 1000)
        snprintf(room, size, "%u", n);
    else if (n < 1000000)
        snprintf(room, size, "%u,%03u", n / 1000, n % 1000);
    else
        snprintf(room, size, "%u,%03u,%03u", n / 1000000, n / 1000 % 1000, n % 1000);
    return room;
}

static void warn(struct attempt *t)
{
    char level[16], capacity[16];
    iris__world_event(
        t->o->w, EVENT_HIGH_WATER, t->a, IRIS_WARN, "mailbox at %u %%: %s of %s messages",
        (uint32_t)((uint64_t)t->level * 100 / t->capacity), digits(level, sizeof level, t->level),
        digits(capacity, sizeof capacity, t->capacity));
}

static enum verdict try(struct attempt *t)
{
    enum verdict v;
    do {
        struct door *d = iris__door_lock(t->o->w, t->a, t->pid, DOOR_MAKE);
        if (!d)
            return iris__gate_accepts(t->a, t->pid) ? REFUSED : GONE;
        v = decide(t, d);
        iris__door_part(t->o->w, d, t->pid, t->parting);
    } while (v == PREPARE && prepare(t));
    if (v == PREPARE) {
        count_at(t->o->w, t->pid, IRIS_MAILBOX_REFUSED);
        v = REFUSED;
    }
    clean_up(t, v);
    if (t->owed) /* whoever asked should hear soon, not when the actor comes to its next message */
        iris__signal(t->o->w, KIND_DOOR, 0, t->pid, 0, NULL);
    else if (v == IN_QUEUE)
        iris__mailbox_knock(t->a);
    if (t->capacity)
        warn(t);
    return v;
}

/* ---- from door to door ---- */

static enum verdict knock(struct overflow *o, uint64_t pid, int may_wait, uint64_t *fallback)
{
    struct parting parting;
    struct attempt t = {.o = o, .pid = pid, .may_wait = may_wait, .parting = &parting};
    iris__parting_init(&parting);
    if (!(t.a = iris__table_at(&o->w->table, pid)))
        return GONE;
    enum verdict v = try(&t);
    *fallback = t.fallback;
    if (v == TO_MAILBOX && iris__mailbox_push(t.a, o->m))
        v = GONE;
    return v;
}

/* Where the fallback is not nearly full its door is not needed. */
static enum verdict knock_elsewhere(struct overflow *o, uint64_t pid, uint64_t *fallback)
{
    o->m->pub.to = pid;
    int wait = o->wait == OVERFLOW_ACTOR || o->wait == OVERFLOW_ALONE;
    int result = iris__post_if(o->w, o->m);
    if (result == IRIS_FULL && !(pid >> PID_NODE_SHIFT))
        return knock(o, pid, wait, fallback);
    return result == IRIS_OK ? TO_MAILBOX : result == IRIS_FULL ? REFUSED : GONE;
}

static int is_taken(enum verdict v)
{
    return v == TO_MAILBOX || v == IN_QUEUE || v == WAITS;
}

/* Each that sent it on has redirected it, if in the end somebody took it; else each has refused it. */
static enum verdict redirect(struct overflow *o, uint64_t first, uint64_t fallback)
{
    uint64_t hops[HOPS] = {first}, to = o->m->pub.to;
    int n = 1;
    enum verdict v = ELSEWHERE;
    for (; v == ELSEWHERE && n <= HOPS; n++) {
        uint64_t next = fallback;
        v = knock_elsewhere(o, next, &fallback);
        if (v == ELSEWHERE && n < HOPS)
            hops[n] = next;
    }
    int taken = is_taken(v), counted = v == ELSEWHERE ? HOPS : n - 1;
    for (int i = 0; i < counted; i++)
        count_at(o->w, hops[i], taken ? IRIS_MAILBOX_REDIRECTED : IRIS_MAILBOX_REFUSED);
    if (!taken) {
        o->m->pub.to = to;
        o->m->flags &= (uint8_t)~MESSAGE_ROUTED;
    }
    return taken ? v : REFUSED;
}

int iris__overflow(struct overflow *o, uint64_t pid)
{
    uint64_t fallback = 0;
    enum verdict v = knock(o, pid, o->wait != OVERFLOW_NOBODY, &fallback);
    if (v == ELSEWHERE)
        v = redirect(o, pid, fallback);
    if (v == REFUSED && o->wait == OVERFLOW_CALLER && !o->stays) { /* the fallback would not */
        o->stays = 1;
        v = knock(o, pid, 1, &fallback);
    }
    return is_taken(v) ? IRIS_OK : v == GONE ? IRIS_DEAD : v == TOO_LARGE ? IRIS_LARGE : IRIS_FULL;
}

/* One that is too large is told so, in the other way. */
static int is_full(const struct door *d, const iris_actor *a, size_t len)
{
    if (d->bytes && len > d->bytes)
        return 0;
    return d->waiting || iris__gate_count(a) >= d->capacity || !iris__door_fits(d, len);
}

int iris__overflow_refuses(struct world *w, uint64_t pid, size_t len)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    struct door *d = a ? iris__door_lock(w, a, pid, DOOR_MAKE) : NULL;
    if (!d)
        return 0;
    int refuses = d->policy == IRIS_DROP_NEW && is_full(d, a, len);
    if (refuses)
        iris__door_count(w, d, IRIS_MAILBOX_REFUSED);
    iris__door_unlock(d);
    return refuses;
}

int iris__overflow_is_full(struct world *w, uint64_t pid, size_t len)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    struct door *d = a ? iris__door_lock(w, a, pid, DOOR_MAKE) : NULL;
    if (!d)
        return 0;
    int full = is_full(d, a, len);
    iris__door_unlock(d);
    return full;
}
