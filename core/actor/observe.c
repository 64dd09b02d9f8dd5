#include "observe.h"

#include "actor.h"
#include "ask.h"
#include "behaviour.h"
#include "cold.h"
#include "fail.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

struct port {             /* of arrived() */
    struct in_set in_set; /* key: its pid */
    uint64_t from;
};

struct observed {
    struct in_set in_set; /* key: the actor's pid; lock of all */
    int refs, listed;     /* lock of all; listed: -1: not any more */
    pthread_mutex_t lock;
    const iris_message *
        *ring;             /* by number; room of them, a power of two; NULL where it was taken */
    uint64_t next, oldest; /* numbers: the next one to come, and the first that is kept */
    uint32_t room, sweep_at;
    int ended;
    struct set ports;
};

void iris__observed_init(struct observed_all *all)
{
    *all = (struct observed_all){0};
    pthread_mutex_init(&all->lock, NULL);
}

void iris__observed_finish(struct observed_all *all)
{
    pthread_mutex_destroy(&all->lock);
    iris__set_clear(&all->by_pid);
}

static struct observed *hold(struct world *w, uint64_t pid)
{
    if (!iris__world_is_here(w))
        return NULL;
    pthread_mutex_lock(&w->observed.lock);
    struct observed *o = (struct observed *)iris__set_find(&w->observed.by_pid, pid);
    if (o)
        o->refs++;
    pthread_mutex_unlock(&w->observed.lock);
    return o;
}

static void let_go(struct world *w, struct observed *o)
{
    pthread_mutex_lock(&w->observed.lock);
    int last = --o->refs == 0;
    pthread_mutex_unlock(&w->observed.lock);
    if (!last)
        return;
    for (; o->oldest < o->next; o->oldest++) {
        const iris_message *m = o->ring[o->oldest & (o->room - 1)];
        if (m)
            iris__message_drop(w->pool, iris__message_of(m));
    }
    iris__set_clear(&o->ports);
    pthread_mutex_destroy(&o->lock);
    free(o->ring);
    free(o);
}

/* ---- the actor ---- */

static struct observed *create(void)
{
    struct observed *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->refs = 1; /* the actor's */
    o->next = o->oldest = 1;
    pthread_mutex_init(&o->lock, NULL);
    return o;
}

static struct observed *begin_again(iris_actor *self)
{
    struct world *w = iris__world_of(self);
    struct observed *o = create();
    if (!o)
        return NULL;
    pthread_mutex_lock(&w->observed.lock);
    iris__set_add(&w->observed.by_pid, &o->in_set, iris__actor_pid(self));
    o->listed = 1;
    pthread_mutex_unlock(&w->observed.lock);
    return o;
}

/* args: the record, which was made with the actor: it can be looked at before its first turn. It ended with the
 * first life; whoever is begun again in place keeps nothing of that. */
static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    const struct cold *c = iris__cold_if(self);
    (void)b;
    if (c && atomic_load(&c->restarts)) {
        *state = begin_again(self);
        return *state ? IRIS_OK : iris__fail("observed: no memory");
    }
    memcpy(state, args.data, sizeof *state);
    return IRIS_OK;
}

/* Lock held. All that wait for a number below `next`, or (all) just all; in a list by `chain`. */
static struct in_set *due(struct observed *o, int all)
{
    struct in_set *list = NULL;
    for (struct in_set *p = o->ports.first, *next; p; p = next) {
        next = p->next;
        if (!all && ((struct port *)p)->from >= o->next)
            continue;
        iris__set_take(&o->ports, p);
        p->chain = list;
        list = p;
    }
    return list;
}

static void tell(struct world *w, struct in_set *list, const char *why)
{
    for (struct in_set *next; list; list = next) {
        struct message *m = why ? NULL : iris__message_signal(w->pool, IRIS_USER, 0, 0, 0, NULL);
        next = list->chain;
        if (m)
            iris__port_tell(w, list->key, m);
        else
            iris__port_dead(w, list->key, why ? why : "no memory");
        free(list);
    }
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct world *w = iris__world_of(self);
    struct observed *o = state;
    (void)b;
    pthread_mutex_lock(&w->observed.lock);
    if (o->listed)
        iris__set_take(&w->observed.by_pid, &o->in_set);
    o->listed = -1;
    pthread_mutex_unlock(&w->observed.lock);
    pthread_mutex_lock(&o->lock);
    o->ended = 1;
    struct in_set *list = due(o, 1);
    pthread_mutex_unlock(&o->lock);
    tell(w, list, "ended: the observed actor");
    let_go(w, o);
}

/* Lock held. Doubling moves each message once or twice in all. */
static int grow(struct observed *o)
{
    uint32_t room = o->room ? o->room * 2 : 16;
    const iris_message **ring = calloc(room, sizeof *ring);
    if (!ring)
        return -1;
    for (uint64_t i = o->oldest; i < o->next; i++)
        ring[i & (room - 1)] = o->ring[i & (o->room - 1)];
    free(o->ring);
    o->ring = ring;
    o->room = room;
    return 0;
}

/* Lock held. Returns the one that makes room, if any; without memory that is this one itself. */
static const iris_message *keep(struct observed *o, const iris_message *m)
{
    const iris_message *out = NULL;
    int full = o->next - o->oldest == o->room;
    if (full && o->room < IRIS_OBSERVED && grow(o) == 0)
        full = 0;
    if (!o->room)
        return m;
    if (full)
        out = o->ring[o->oldest++ & (o->room - 1)];
    o->ring[o->next++ & (o->room - 1)] = m;
    return out;
}

/* Its reference is taken over. */
static void take_in(struct world *w, struct observed *o, const iris_message *m)
{
    pthread_mutex_lock(&o->lock);
    const iris_message *out = keep(o, m);
    struct in_set *list = o->ports.used ? due(o, 0) : NULL;
    pthread_mutex_unlock(&o->lock);
    tell(w, list, NULL);
    if (out)
        iris__message_drop(w->pool, iris__message_of(out));
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    (void)b;
    for (int i = 0; i < n; i++) {
        atomic_fetch_add(&iris__message_of(m[i])->refs, 1);
        take_in(iris__world_of(self), state, m[i]);
    }
    return n;
}

int iris__observed_swap(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    uint64_t me = iris__actor_pid(a);
    if (a->version->b.handle != handle)
        return IRIS_OK;
    struct message *m = iris__message_signal(w->pool, IRIS_HOT_SWAP, me, me, 0, NULL);
    if (m && a->state)
        take_in(w, a->state, &m->pub);
    else if (m)
        iris__message_drop(w->pool, m);
    return iris__fail(
        "swap: an observed actor has no code, it keeps what it is sent and stays what "
        "it is; stop it and start the new one");
}

static const iris_behaviour observed = {.size = sizeof(iris_behaviour),
                                        .abi = IRIS_ABI,
                                        .name = "observed",
                                        .version = "1",
                                        .flags = IRIS_SIGNALS,
                                        .handle = handle,
                                        .init = init,
                                        .fini = fini};

int iris__observed_spawn(struct world *w, uint32_t budget, const char *path, iris_actor *self,
                         int (*spawn)(iris_actor *, const iris_spawn *, uint64_t *), uint64_t *pid)
{
    if (!iris__world_is_here(w))
        return IRIS_FAIL;
    struct observed *o = create();
    iris_version *v = NULL;
    if (o)
        o->refs++; /* ours, until the actor is listed */
    if (!o || iris__version_define(w, &observed, NULL, NULL, "core", NULL, &v)) {
        free(o);
        return iris__fail("observed: no memory");
    }
    iris_spawn s = {.size = sizeof s,
                    .abi = IRIS_ABI,
                    .version = v,
                    .args = {&o, sizeof(struct observed *)},
                    .path = path,
                    .budget = budget,
                    .flags = IRIS_SPAWN_TRAP};
    int result = spawn(self, &s, pid);
    iris__version_release(v);
    if (result) {
        let_go(w, o);
        let_go(w, o);
        return result;
    }
    pthread_mutex_lock(&w->observed.lock);
    if (!o->listed) { /* else it has ended already */
        iris__set_add(&w->observed.by_pid, &o->in_set, *pid);
        o->listed = 1;
    }
    pthread_mutex_unlock(&w->observed.lock);
    let_go(w, o);
    return IRIS_OK;
}

/* ---- looking ---- */

/* A reference to the first that is kept from number *at on; *at is its number. NULL: none. */
static const iris_message *look(struct observed *o, uint64_t *at)
{
    const iris_message *m = NULL;
    pthread_mutex_lock(&o->lock);
    if (*at < o->oldest)
        *at = o->oldest;
    while (*at < o->next && !(m = o->ring[*at & (o->room - 1)]))
        ++*at;
    if (m)
        atomic_fetch_add(&iris__message_of(m)->refs, 1);
    pthread_mutex_unlock(&o->lock);
    return m;
}

int iris__observed_each(iris_actor *self, uint64_t pid, int (*see)(void *, const iris_message *),
                        void *ctx, uint64_t *older)
{
    struct world *w = iris__world_of(self);
    struct observed *o = hold(w, pid);
    if (!o)
        return IRIS_DEAD;
    pthread_mutex_lock(&o->lock);
    uint64_t at = o->oldest, end = o->next;
    pthread_mutex_unlock(&o->lock);
    if (older)
        *older = at - 1;
    int over = 0;
    for (const iris_message *m; !over && at < end && (m = look(o, &at)); at++) {
        over = at >= end || see(ctx, m);
        iris__message_drop(w->pool, iris__message_of(m));
    }
    let_go(w, o);
    return IRIS_OK;
}

/* 1: it was there still, and its reference is ours too. */
static int take_out(struct observed *o, uint64_t at, const iris_message *m)
{
    pthread_mutex_lock(&o->lock);
    int is_there = at >= o->oldest && o->ring[at & (o->room - 1)] == m;
    if (is_there)
        o->ring[at & (o->room - 1)] = NULL;
    pthread_mutex_unlock(&o->lock);
    return is_there;
}

int iris__observed_take(iris_actor *self, uint64_t pid, uint64_t *from,
                        int (*match)(void *, const iris_message *), void *ctx,
                        const iris_message **out)
{
    struct world *w = iris__world_of(self);
    struct observed *o = hold(w, pid);
    int result = o ? IRIS_EMPTY : IRIS_DEAD;
    for (const iris_message *m; o && result == IRIS_EMPTY && (m = look(o, from)); ++*from) {
        if ((!match || match(ctx, m)) && take_out(o, *from, m)) {
            *out = m;
            result = IRIS_OK;
        }
        iris__message_drop(w->pool,
                           iris__message_of(m)); /* of the two, or the one that look() took */
    }
    if (o)
        let_go(w, o);
    return result;
}

/* Lock held. Those that gave up waiting. */
static void sweep(struct world *w, struct observed *o)
{
    for (struct in_set *p = o->ports.first, *next; p; p = next) {
        next = p->next;
        if (iris__port_waits(w, p->key))
            continue;
        iris__set_take(&o->ports, p);
        free(p);
    }
    o->sweep_at = o->ports.used < 16 ? 32 : 2 * o->ports.used;
}

int iris__observed_arrived(iris_actor *self, uint64_t pid, uint64_t from, int64_t timeout,
                           iris_answer *answer)
{
    struct world *w = iris__world_of(self);
    struct observed *o = hold(w, pid);
    struct port *p = o ? malloc(sizeof *p) : NULL;
    uint64_t port;
    if (!p || iris__port_wait(w, timeout, answer, &port)) {
        free(p);
        if (o)
            let_go(w, o);
        return o ? iris__fail("observed: no memory to wait") : IRIS_DEAD;
    }
    p->in_set.key = port;
    p->in_set.chain = NULL;
    p->from = from;
    pthread_mutex_lock(&o->lock);
    int ended = o->ended, is_due = ended || from < o->next;
    if (o->ports.used >= o->sweep_at)
        sweep(w, o);
    if (!is_due)
        iris__set_add(&o->ports, &p->in_set, port);
    pthread_mutex_unlock(&o->lock);
    if (is_due)
        tell(w, &p->in_set, ended ? "ended: the observed actor" : NULL);
    let_go(w, o);
    return IRIS_OK;
}
