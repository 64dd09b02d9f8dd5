#include "route.h"

#include "actor.h"
#include "ask.h"
#include "fail.h"
#include "gate.h"
#include "mailbox.h"
#include "overflow.h"
#include "send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An index that was given up stands for nothing for an hour: pids of that node may still be about. */
#define ROUTE_REST (3600 * IRIS__SECOND)

struct far {
    struct in_set in_set; /* key: ref */
    uint64_t watcher, pid;
    int is_link;
};

void iris__routes_init(struct routes *r)
{
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
}

void iris__routes_finish(struct routes *r)
{
    for (int i = 0; i < ROUTES_MAX; i++) {
        free(r->name[i]);
        iris__set_clear(&r->watched[i]);
    }
    pthread_mutex_destroy(&r->lock);
}

/* Lock held; 0: none. */
static uint32_t free_index(const struct routes *r, int64_t now)
{
    for (uint32_t i = 1; i < ROUTES_MAX; i++)
        if (!r->name[i] && (!r->freed[i] || now - r->freed[i] > ROUTE_REST))
            return i;
    return 0;
}

int iris__route_up(struct world *w, const char *node, uint64_t link, uint32_t *index)
{
    struct routes *r = &w->routes;
    iris_actor *a = link >> PID_NODE_SHIFT ? NULL : iris__table_at(&w->table, link);
    char *name = strdup(node);
    if (!a || !iris__gate_is(a, link)) {
        free(name);
        return IRIS_DEAD;
    }
    if (!name)
        return iris__fail("node \"%s\": no memory", node);
    pthread_mutex_lock(&r->lock);
    uint32_t i = free_index(r, iris__sched_now(&w->sched));
    if (i) {
        r->name[i] = name;
        r->run[i] = 0;
        r->rights[i] = 0;
        atomic_store(&r->limit[i], 0);
        atomic_store(&r->held[i], 0);
        atomic_store(&r->link[i], link);
    }
    pthread_mutex_unlock(&r->lock);
    if (!i) {
        free(name);
        return iris__fail(
            "node \"%s\": the table of nodes is full: 1023 are up or went less than an "
            "hour ago",
            node);
    }
    *index = i;
    atomic_fetch_or(&a->marks, MARK_LINK);
    if (!iris__gate_is(a, link)) /* it ended meanwhile, perhaps before it could see the mark */
        iris__route_lost(w, link);
    return IRIS_OK;
}

int iris__route_down(struct world *w, uint32_t index, const char *reason)
{
    struct routes *r = &w->routes;
    if (!index || index >= ROUTES_MAX)
        return IRIS_DEAD;
    pthread_mutex_lock(&r->lock);
    char *name = r->name[index];
    struct set watched = r->watched[index];
    r->name[index] = NULL;
    r->watched[index] = (struct set){0};
    if (name)
        r->freed[index] =
            iris__sched_now(&w->sched) + 1; /* 0: never used, also at the first moment */
    atomic_store(&r->link[index], 0);
    pthread_mutex_unlock(&r->lock);
    for (struct far *f; (f = (struct far *)iris__set_pop(&watched)); free(f))
        iris__signal(w, f->is_link ? IRIS_EXIT : IRIS_DOWN, f->pid, f->watcher,
                     f->is_link ? 0 : f->in_set.key, reason);
    if (name && w->hooks.node)
        w->hooks.node(w, index, 0);
    free(name);
    return name ? IRIS_OK : IRIS_DEAD;
}

void iris__route_lost(struct world *w, uint64_t link)
{
    for (uint32_t i = 1; i < ROUTES_MAX; i++)
        if (atomic_load(&w->routes.link[i]) == link)
            iris__route_down(w, i, "noconnection: its link ended");
}

/* Its bytes are counted, if they may come in. */
static int hold(struct routes *r, uint32_t node, const struct message *m)
{
    uint64_t limit = atomic_load(&r->limit[node]), bytes = m->pub.len + IRIS_ROUTE_HEAD;
    if (!limit)
        return IRIS_OK;
    if (m->pub.kind == IRIS_USER && bytes > limit)
        return IRIS_LARGE;
    if (atomic_fetch_add(&r->held[node], bytes) + bytes <= limit || m->pub.kind != IRIS_USER)
        return IRIS_OK;
    atomic_fetch_sub(&r->held[node], bytes);
    return IRIS_FULL;
}

static int enter(struct world *w, iris_actor *self, struct message *m, enum overflow_wait wait,
                 iris_actor *a, uint64_t link)
{
    int bounded = atomic_load(&a->marks) & MARK_BOUNDED;
    int result = bounded ? iris__gate_reserve(a, link, atomic_load(&a->limit)) : IRIS_OK;
    if (result == IRIS_OK)
        return iris__mailbox_push(a, m);
    if (result != IRIS_FULL)
        return result;
    if (m->pub.kind != IRIS_USER)
        wait = OVERFLOW_ALWAYS;
    return iris__overflow(&(struct overflow){.w = w, .self = self, .m = m, .wait = wait}, link);
}

/* Into the link's mailbox as it is; the link's capacity is the node's. A request finds room always: who
 * asked for a monitor could not be told that the link was full, and would wait for its DOWN for ever. */
int iris__route_post(struct world *w, iris_actor *self, struct message *m, enum overflow_wait wait)
{
    uint32_t node = IRIS__NODE_OF(m->pub.to);
    uint64_t link = node < ROUTES_MAX ? atomic_load(&w->routes.link[node]) : 0;
    iris_actor *a = link ? iris__table_at(&w->table, link) : NULL;
    if (!a || !iris__gate_accepts(a, link))
        return IRIS_DEAD;
    m->flags |= MESSAGE_ROUTED;
    m->result = (uint8_t)iris__pid_generation(link);
    uint64_t bytes = m->pub.len + IRIS_ROUTE_HEAD;
    int result = hold(&w->routes, node, m);
    if (result)
        return result;
    result = enter(w, self, m, wait, a, link);
    if (result)
        iris__route_took(w, node, bytes);
    return result;
}

/* The link may end between our look at its gate and the push, and its place be taken: the low bits of its
 * generation travel along, as `to` does with other mail. */
enum route_fit iris__route_fit(const struct world *w, const struct message *m, uint64_t pid)
{
    uint64_t link = atomic_load(&((struct world *)w)->routes.link[IRIS__NODE_OF(m->pub.to)]);
    if (link == pid)
        return ROUTE_FITS;
    return m->result == (uint8_t)iris__pid_generation(pid) ? ROUTE_DOWN : ROUTE_ALIEN;
}

static int request(struct world *w, uint32_t kind, uint64_t from, uint64_t to, uint64_t ref)
{
    struct message *m = iris__message_signal(w->pool, kind, from, to, ref, NULL);
    int result = m ? iris__route_post(w, NULL, m, OVERFLOW_ALWAYS) : IRIS_FAIL;
    if (m && result)
        iris__message_drop(w->pool, m);
    return result;
}

int iris__route_watch(struct world *w, uint64_t watcher, uint64_t pid, uint64_t ref, int is_link)
{
    struct routes *r = &w->routes;
    uint32_t i = IRIS__NODE_OF(pid);
    struct far *f = malloc(sizeof *f);
    if (!f)
        return IRIS_FAIL;
    *f = (struct far){.watcher = watcher, .pid = pid, .is_link = is_link};
    pthread_mutex_lock(&r->lock);
    int here = i < ROUTES_MAX && r->name[i];
    if (here)
        iris__set_add(&r->watched[i], &f->in_set, ref);
    pthread_mutex_unlock(&r->lock);
    if (!here) {
        free(f);
        return IRIS_DEAD;
    }
    if (!is_link) /* no link to the node: its DOWN is on its way */
        request(w, IRIS_MONITOR, watcher, pid, ref);
    return IRIS_OK;
}

static struct far *take(struct routes *r, uint64_t pid, uint64_t ref)
{
    uint32_t node = IRIS__NODE_OF(pid);
    if (node >= ROUTES_MAX)
        return NULL;
    pthread_mutex_lock(&r->lock);
    struct in_set *m = iris__set_find(&r->watched[node], ref);
    if (m)
        iris__set_take(&r->watched[node], m);
    pthread_mutex_unlock(&r->lock);
    return (struct far *)m;
}

void iris__route_forget(struct world *w, uint64_t pid, uint64_t ref)
{
    free(take(&w->routes, pid, ref));
}

void iris__route_unwatch(struct world *w, uint64_t pid, uint64_t ref)
{
    struct far *f = take(&w->routes, pid, ref);
    if (f)
        request(w, IRIS_DEMONITOR, f->watcher, pid, ref);
    free(f);
}

/* ---- what the link says ---- */

int iris__route_limit(struct world *w, uint32_t index, uint64_t bytes)
{
    if (!index || index >= ROUTES_MAX)
        return IRIS_DEAD;
    atomic_store(&w->routes.limit[index], bytes);
    return IRIS_OK;
}

void iris__route_took(struct world *w, uint32_t index, uint64_t bytes)
{
    if (index < ROUTES_MAX && atomic_load(&w->routes.limit[index]))
        atomic_fetch_sub(&w->routes.held[index], bytes);
}

void iris__route_letter(struct world *w, const iris_message *head, const char *reason)
{
    struct message *m = iris__message_new(w->pool, 0);
    if (!m)
        return; /* not even that */
    m->pub.kind = head->kind;
    m->pub.from = head->from;
    m->pub.to = head->to;
    m->pub.ref = head->ref;
    iris__world_node_letter(w, m, reason);
}

int iris__route_about(struct world *w, uint32_t index, struct route_about *out)
{
    struct routes *r = &w->routes;
    *out = (struct route_about){0};
    pthread_mutex_lock(&r->lock);
    int here = index && index < ROUTES_MAX && r->name[index];
    if (here) {
        out->run = r->run[index];
        out->rights = r->rights[index];
        snprintf(out->node, sizeof out->node, "%s", r->name[index]);
        snprintf(out->us, sizeof out->us, "%s", r->us);
    }
    pthread_mutex_unlock(&r->lock);
    return here ? IRIS_OK : IRIS_DEAD;
}

int iris__route_rights(struct world *w, uint32_t index, uint64_t run, uint32_t rights,
                       const char *us)
{
    struct routes *r = &w->routes;
    pthread_mutex_lock(&r->lock);
    int here = index && index < ROUTES_MAX && r->name[index];
    if (here) {
        r->run[index] = run;
        r->rights[index] = rights;
        snprintf(r->us, sizeof r->us, "%s", us);
    }
    pthread_mutex_unlock(&r->lock);
    if (here && w->hooks.node)
        w->hooks.node(w, index, 1);
    return here ? IRIS_OK : IRIS_DEAD;
}

int iris__route_is_up(struct world *w, uint64_t pid)
{
    uint32_t node = IRIS__NODE_OF(pid);
    return node && node < ROUTES_MAX && atomic_load(&w->routes.link[node]) != 0;
}

int iris__route_stop(struct world *w, uint64_t from, uint64_t pid)
{
    return request(w, IRIS_STOP, from, pid, 0);
}

void iris__route_prober(struct world *w, iris_route_probe *probe, void *ctx)
{
    struct routes *r = &w->routes;
    pthread_mutex_lock(&r->lock);
    r->probe = probe;
    r->probe_ctx = ctx;
    pthread_mutex_unlock(&r->lock);
}

int iris__route_probe(struct world *w, uint64_t pid, int64_t timeout, struct iris_answer *answer)
{
    struct routes *r = &w->routes;
    pthread_mutex_lock(&r->lock);
    iris_route_probe *probe = r->probe;
    void *ctx = r->probe_ctx;
    pthread_mutex_unlock(&r->lock);
    if (!probe || !iris__route_is_up(w, pid))
        return IRIS_DEAD;
    probe(ctx, pid, timeout, answer);
    return IRIS_OK;
}
