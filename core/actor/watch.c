#include "watch.h"

#include "cold.h"
#include "fail.h"
#include "gate.h"
#include "send.h"

#include <stdlib.h>

static int add(struct watching **list, uint64_t ref, uint64_t pid)
{
    struct watching *e = malloc(sizeof *e);
    if (!e)
        return -1;
    *e = (struct watching){ref, pid, *list};
    *list = e;
    return 0;
}

/* The entry out of the list; NULL: not there. */
static struct watching *take(struct watching **list, uint64_t ref)
{
    for (struct watching **at = list; *at; at = &(*at)->next)
        if ((*at)->ref == ref) {
            struct watching *e = *at;
            *at = e->next;
            return e;
        }
    return NULL;
}

void iris__watch_noproc(struct world *w, const iris_message *m)
{
    iris__signal(w, IRIS_DOWN, m->to, m->from, m->ref, "noproc");
}

static void ask_to_monitor(struct world *w, uint64_t self, uint64_t pid, uint64_t ref)
{
    iris_message m = {.kind = IRIS_MONITOR, .from = self, .to = pid, .ref = ref};
    int far = pid >> PID_NODE_SHIFT != 0;
    int result = far ? iris__route_watch(w, self, pid, ref)
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

struct message *iris__watch_next(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    struct message *m = c->heard;
    c->heard = m->next;
    if (!c->heard)
        a->flags &= (uint16_t)~ACTOR_HEARS;
    return m;
}

/* It may have been demonitored since it came. */
int iris__watch_wants(iris_actor *a, const iris_message *m)
{
    struct watching *e = iris__cold_if(a)->watched;
    while (e && e->ref != m->ref)
        e = e->next;
    return m->kind != IRIS_DOWN || e;
}

void iris__watch_again(iris_actor *a, struct message *m)
{
    struct cold *c = iris__cold_if(a);
    m->next = c->heard;
    c->heard = m;
    a->flags |= ACTOR_HEARS;
}

void iris__watch_done(iris_actor *a, struct message *m)
{
    if (m->pub.kind == IRIS_DOWN)
        iris__watch_expects(a, m->pub.ref);
    iris__message_drop(iris__world_of(a)->pool, m);
}

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

/* Children that ended say nothing: those are taken off when the list has doubled. */
static void sweep(struct world *w, struct cold *c)
{
    uint32_t left = 0;
    for (struct watching **at = &c->children; *at;) {
        struct watching *e = *at;
        if (iris__actor_alive(w, e->pid)) {
            left++;
            at = &e->next;
            continue;
        }
        *at = e->next;
        free(e);
    }
    c->nchildren = left;
    c->sweep_at = left < 16 ? 32 : 2 * left;
}

void iris__watch_add_child(iris_actor *a, uint64_t child)
{
    struct cold *c = iris__cold(a);
    if (c && c->nchildren >= c->sweep_at)
        sweep(iris__world_of(a), c);
    if (c && !add(&c->children, child, child))
        c->nchildren++;
    else
        iris__signal(iris__world_of(a), KIND_KILL, 0, child, KILL_FOR_GOOD,
                     "parent: no memory to keep it");
}

/* In the parent's own turn it is known at once: a signal would be heard after the crash that may end
 * this very turn, by the next incarnation. */
void iris__watch_adopt(struct world *w, uint64_t parent, uint64_t child)
{
    iris_actor *self = iris__thread.turn;
    if (self && iris__actor_pid(self) == parent && iris__world_of(self) == w)
        iris__watch_add_child(self, child);
    else if (iris__signal(w, KIND_CHILD, child, parent, 0, NULL))
        iris__signal(w, KIND_KILL, parent, child, KILL_FOR_GOOD, "parent");
}

static void unwatch_all(struct world *w, struct cold *c, uint64_t self)
{
    for (struct watching *e = c->watched, *next; e; e = next) {
        next = e->next;
        if (e->pid >> PID_NODE_SHIFT)
            iris__route_unwatch(w, e->pid, e->ref);
        else
            iris__signal(w, IRIS_DEMONITOR, self, e->pid, e->ref, NULL);
        free(e);
    }
    c->watched = NULL;
}

static void tell_watchers(struct world *w, struct cold *c, uint64_t self, const char *reason)
{
    struct watching *list = c->watchers;
    c->watchers = NULL;
    for (struct watching *next; list; list = next) {
        next = list->next;
        iris__signal(w, IRIS_DOWN, self, list->pid, list->ref, reason);
        free(list);
    }
}

static void end_children(struct world *w, struct cold *c, uint64_t self)
{
    for (struct watching *e = c->children, *next; e; e = next) {
        next = e->next;
        iris__signal(w, KIND_KILL, self, e->pid, KILL_FOR_GOOD, "parent");
        free(e);
    }
    c->children = NULL;
    c->nchildren = c->sweep_at = 0;
}

static void drop_heard(iris_actor *a)
{
    while (a->flags & ACTOR_HEARS)
        iris__message_drop(iris__world_of(a)->pool, iris__watch_next(a));
}

void iris__watch_end(iris_actor *a, const char *reason)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    if (!c)
        return;
    uint64_t self = iris__actor_pid(a);
    drop_heard(a);
    end_children(w, c, self);
    tell_watchers(w, c, self, reason);
    unwatch_all(w, c, self);
}
