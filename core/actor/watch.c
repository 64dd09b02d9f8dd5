#include "watch.h"

#include "cold.h"
#include "fail.h"
#include "gate.h"
#include "links.h"
#include "send.h"

#include <stdlib.h>

struct watching {
    struct in_set in_set; /* key: ref */
    uint64_t pid;
};

static int add(struct set *set, uint64_t ref, uint64_t pid)
{
    struct watching *e = malloc(sizeof *e);
    if (!e)
        return -1;
    e->pid = pid;
    iris__set_add(set, &e->in_set, ref);
    return 0;
}

/* The entry out of the set; NULL: not there. */
static struct watching *take(struct set *set, uint64_t ref)
{
    struct in_set *m = iris__set_find(set, ref);
    if (m)
        iris__set_take(set, m);
    return (struct watching *)m;
}

void iris__watch_noproc(struct world *w, const iris_message *m)
{
    iris__signal(w, IRIS_DOWN, m->to, m->from, m->ref, "noproc");
}

static void ask_to_monitor(struct world *w, uint64_t self, uint64_t pid, uint64_t ref)
{
    iris_message m = {.kind = IRIS_MONITOR, .from = self, .to = pid, .ref = ref};
    int far = pid >> PID_NODE_SHIFT != 0;
    int result = far ? iris__route_watch(w, self, pid, ref, 0)
                     : iris__signal(w, IRIS_MONITOR, self, pid, ref, NULL);
    if (result)
        iris__watch_noproc(w, &m);
}

int iris__watch_monitor(iris_actor *self, uint64_t pid, uint64_t *ref)
{
    struct world *w = iris__world_of(self);
    struct cold *c = iris__cold(self);
    *ref = atomic_fetch_add(&w->refs, 1);
    if (!c || add(&c->watched, *ref, pid))
        return iris__fail("monitor: no memory");
    ask_to_monitor(w, iris__actor_pid(self), pid, *ref);
    return IRIS_OK;
}

int iris__watch_demonitor(iris_actor *self, uint64_t ref)
{
    struct world *w = iris__world_of(self);
    struct cold *c = iris__cold_if(self);
    struct watching *e = c ? take(&c->watched, ref) : NULL;
    if (!e)
        return IRIS_DEAD;
    if (e->pid >> PID_NODE_SHIFT)
        iris__route_unwatch(w, e->pid, ref);
    else
        iris__signal(w, IRIS_DEMONITOR, iris__actor_pid(self), e->pid, ref, NULL);
    free(e);
    return IRIS_OK;
}

int iris__watch_expects(iris_actor *a, uint64_t ref)
{
    struct cold *c = iris__cold_if(a);
    struct watching *e = c ? take(&c->watched, ref) : NULL;
    if (e && e->pid >> PID_NODE_SHIFT)
        iris__route_forget(iris__world_of(a), e->pid, ref);
    free(e);
    return e != NULL;
}

/* ---- what waits for the behaviour ---- */

void iris__watch_hear(iris_actor *a, struct message *m)
{
    struct cold *c = iris__cold_if(a);
    m->next = NULL;
    m->flags |= MESSAGE_HEARD;
    *(c->heard ? &c->heard_last->next : &c->heard) = m;
    c->heard_last = m;
    a->flags |= ACTOR_HEARS;
}

struct message *iris__watch_unhear(iris_actor *a, struct message **at)
{
    struct cold *c = iris__cold_if(a);
    struct message *m = *at;
    *at = m->next;
    if (m == c->heard_last) /* `next` is the first member of the one before */
        c->heard_last = at == &c->heard ? NULL : (struct message *)at;
    if (!c->heard)
        a->flags &= (uint16_t)~ACTOR_HEARS;
    return m;
}

struct message *iris__watch_next(iris_actor *a)
{
    return iris__watch_unhear(a, &iris__cold_if(a)->heard);
}

/* It may have been demonitored or unlinked since it came. */
int iris__watch_wants(iris_actor *a, const iris_message *m)
{
    if (m->kind == IRIS_EXIT)
        return iris__link_wants(a, m);
    return m->kind != IRIS_DOWN || iris__set_find(&iris__cold_if(a)->watched, m->ref);
}

void iris__watch_again(iris_actor *a, struct message *m)
{
    struct cold *c = iris__cold_if(a);
    m->next = c->heard;
    if (!c->heard)
        c->heard_last = m;
    c->heard = m;
    a->flags |= ACTOR_HEARS;
}

void iris__watch_settle(iris_actor *a, const iris_message *m)
{
    if (m->kind == IRIS_DOWN)
        iris__watch_expects(a, m->ref);
    else if (m->kind == IRIS_EXIT)
        iris__link_done(a, m);
}

void iris__watch_done(iris_actor *a, struct message *m)
{
    iris__watch_settle(a, &m->pub);
    iris__message_drop(iris__world_of(a)->pool, m);
}

/* ---- being watched ---- */

void iris__watch_add(iris_actor *a, const iris_message *m)
{
    struct cold *c = iris__cold(a);
    if (!c || add(&c->watchers, m->ref, m->from))
        iris__signal(iris__world_of(a), IRIS_DOWN, m->to, m->from, m->ref, "nomemory");
}

void iris__watch_remove(iris_actor *a, const iris_message *m)
{
    struct cold *c = iris__cold_if(a);
    if (c)
        free(take(&c->watchers, m->ref));
}

/* ---- the end ---- */

static void unwatch_all(struct world *w, struct cold *c, uint64_t self)
{
    for (struct watching *e; (e = (struct watching *)iris__set_pop(&c->watched)); free(e))
        if (e->pid >> PID_NODE_SHIFT)
            iris__route_unwatch(w, e->pid, e->in_set.key);
        else
            iris__signal(w, IRIS_DEMONITOR, self, e->pid, e->in_set.key, NULL);
}

static void tell_watchers(struct world *w, struct cold *c, uint64_t self, const char *reason)
{
    for (struct watching *e; (e = (struct watching *)iris__set_pop(&c->watchers)); free(e))
        iris__signal(w, IRIS_DOWN, self, e->pid, e->in_set.key, reason);
}

static void drop_heard(iris_actor *a)
{
    while (a->flags & ACTOR_HEARS)
        iris__message_drop(iris__world_of(a)->pool, iris__watch_next(a));
}

void iris__watch_rest(iris_actor *a)
{
    unwatch_all(iris__world_of(a), iris__cold_if(a), iris__actor_pid(a));
}

int iris__watch_lapse(iris_actor *a, const char *reason)
{
    struct cold *c = iris__cold_if(a);
    if (c)
        tell_watchers(iris__world_of(a), c, iris__actor_pid(a), reason);
    if (c)
        iris__link_end(a, reason);
    return IRIS_OK;
}

void iris__watch_end(iris_actor *a, const char *reason)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    if (!c)
        return;
    uint64_t self = iris__actor_pid(a);
    drop_heard(a);
    tell_watchers(w, c, self, reason);
    iris__link_end(a, reason);
    unwatch_all(w, c, self);
}
