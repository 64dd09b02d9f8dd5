#include "fail.h"
#include "gate.h"
#include "keep.h"
#include "registry.h"

#include <stdlib.h>
#include <string.h>

static const char *or_root(const char *path)
{
    return path && *path ? path : "/";
}

struct pids {
    uint64_t *list;
    size_t n, room;
    int failed;
};

static void add_pid(void *ctx, uint64_t pid)
{
    struct pids *p = ctx;
    if (p->n == p->room) {
        size_t room = p->room ? 2 * p->room : 64;
        uint64_t *list = realloc(p->list, room * sizeof *list);
        if (!list) {
            p->failed = 1;
            return;
        }
        p->list = list;
        p->room = room;
    }
    p->list[p->n++] = pid;
}

static void add_named(void *ctx, const char *name, uint64_t pid)
{
    (void)name;
    add_pid(ctx, pid);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* ---- create ---- */

static void read_options(const iris_supervision *given, struct policy *p)
{
    iris_supervision how = {.size = sizeof how};
    if (given)
        memcpy(&how, given, given->size < sizeof how ? given->size : sizeof how);
    *p = POLICY_DEFAULT;
    if (how.strategy)
        p->strategy = (enum strategy)(how.strategy - 1);
    p->on_exhausted = (enum on_exhausted)how.on_exhausted;
    if (how.period) {
        p->intensity = how.intensity;
        p->period = how.period;
    }
    if (!how.initial)
        return;
    p->backoff =
        (struct backoff){.initial = how.initial,
                         .max = how.max ? how.max : 30 * IRIS__SECOND,
                         .factor = how.factor > 0 ? how.factor : 2,
                         .jitter = how.jitter,
                         .reset_after = how.reset_after ? how.reset_after : 60 * IRIS__SECOND};
}

static int check(const char *path, const struct policy *p)
{
    const struct backoff *b = &p->backoff;
    if (*path != '/' || (path[1] && !iris__name_is_valid(path)))
        return iris__fail("supervisor: \"%s\" is not a path; write it like \"/svc/payment\"", path);
    if (p->strategy > REST_FOR_ONE || p->on_exhausted > EXHAUSTED_EXIT)
        return iris__fail("supervisor %s: no such strategy or on_exhausted", path);
    if (p->period < 0 || p->intensity > 1000000)
        return iris__fail("supervisor %s: a period of 0 or more and an intensity of at most "
                          "1,000,000 were expected",
                          path);
    if (b->initial < 0 || b->max < b->initial || (b->initial && b->factor < 1) || b->jitter < 0 ||
        b->jitter > 1 || b->reset_after < 0)
        return iris__fail(
            "supervisor %s: its backoff is not one: 0 <= initial <= max, factor >= 1, "
            "0 <= jitter <= 1",
            path);
    return IRIS_OK;
}

/* From one list to another; a round that begins with it begins with the supervisor that it goes to. */
static void move(struct member *m, struct supervisor *v, struct member *next)
{
    struct round *r = &m->of->round;
    if (r->first == m)
        r->first = v->parent == m->of ? v->self : m->next;
    iris__member_unlink(m);
    iris__member_link(v, m, next);
}

/* What is below v's path comes to v, in its order; v itself stands where the first of it stood. */
static int gather(struct supervisors *s, struct supervisor *v, const struct pids *pids)
{
    for (struct member *m = v->parent->head, *next; m; m = next) {
        next = m->next;
        int is_below = m->sub ? m->sub->parent == v
                              : !m->is_watched && pids->n &&
                                    bsearch(&m->pid, pids->list, pids->n, sizeof m->pid, by_value);
        if (!is_below || m == v->self)
            continue;
        if (!v->self) {
            struct member *self = calloc(1, sizeof *self);
            if (!self)
                return IRIS_FAIL;
            *self = (struct member){.place = m->place, .sub = v};
            v->self = self;
            iris__member_link(v->parent, self, m);
        }
        move(m, v, NULL);
    }
    (void)s;
    return IRIS_OK;
}

static int add(struct supervisors *s, const char *path, const struct policy *p,
               const struct pids *pids)
{
    struct supervisor *v = iris__supervisor_find(s, path);
    if (v)
        return iris__supervisor_set(v, p);
    v = iris__supervisor_make(s, path);
    if (!v || iris__supervisor_set(v, p)) {
        if (v) {
            s->list = v->next;
            iris__supervisor_free(v);
        }
        return IRIS_FAIL;
    }
    for (struct supervisor *u = s->list; u; u = u->next)
        u->parent = iris__supervisor_longest(s, u->path, u);
    return gather(s, v, pids);
}

int iris__supervisor_put(struct supervisors *s, const char *path, const struct policy *policy)
{
    struct pids pids = {0};
    struct errands errands;
    iris__registry_children(s->world->registry, path, 0, add_named, &pids);
    uint64_t own = path[1] ? iris__registry_find(s->world->registry, path) : 0;
    if (own)
        add_pid(&pids, own);
    if (pids.n)
        qsort(pids.list, pids.n, sizeof *pids.list, by_value);
    iris__keep_lock(s, &errands);
    int failed = pids.failed || add(s, path, policy, &pids);
    iris__keep_unlock(s);
    free(pids.list);
    return failed ? iris__fail("supervisor %s: no memory", path) : IRIS_OK;
}

int iris__supervise_create(struct supervisors *s, const char *given, const iris_supervision *how)
{
    const char *path = or_root(given);
    struct policy policy;
    read_options(how, &policy);
    return check(path, &policy) ? IRIS_FAIL : iris__supervisor_put(s, path, &policy);
}

/* ---- remove ---- */

/* Nobody tells it to begin any more: once, now, if it lives on; it ends, if it was waiting. */
static void release(struct supervisors *s, struct member *m)
{
    if (m->pid && !m->far && (m->state == MEMBER_DOWN || m->state == MEMBER_BEGINS))
        iris__keep_signal(s, KIND_KILL, m->pid, KILL_FOR_GOOD,
                          "killed (how=shutdown): nobody supervises it any more");
    iris__member_remove(s, m);
}

static void hand_up(struct supervisors *s, struct supervisor *v)
{
    struct member *place = v->self;
    for (struct member *m = v->head, *next; m; m = next) {
        next = m->next;
        if (m->is_watched) {
            release(s, m);
            continue;
        }
        m->place = place->place;
        if (v->parent->round.first == place)
            v->parent->round.first = m;
        iris__member_unlink(m);
        iris__member_link(v->parent, m, place);
        if (m->state == MEMBER_DOWN && !m->alarm && !iris__round_over(m))
            iris__member_begin(s, m); /* it waited for v's round */
    }
}

static void take_out(struct supervisors *s, struct supervisor *v)
{
    struct supervisor **at = &s->list;
    while (*at && *at != v)
        at = &(*at)->next;
    *at = v->next;
    v->next = s->dead;
    s->dead = v;
}

static void dissolve(struct supervisors *s, struct supervisor *v)
{
    struct supervisor *parent = v->parent;
    iris__wakeup_clear(&v->round.alarm);
    v->round = (struct round){.phase = ROUND_NONE};
    if (v->self) {
        hand_up(s, v);
        iris__round_leave(s, v->self);
        iris__member_unlink(v->self);
        free(v->self);
    }
    for (struct supervisor *u = s->list; u; u = u->next) {
        if (u->round.by == v)
            u->round.by = u;
        if (u->round.inner == v)
            u->round.inner = parent;
        if (u->parent == v)
            u->parent = parent;
    }
    take_out(s, v);
    for (struct supervisor *u = parent; u; u = u->parent)
        iris__round_advance(s, u);
}

int iris__supervise_remove(struct supervisors *s, const char *given)
{
    const char *path = or_root(given);
    struct errands errands;
    if (!path[1])
        return iris__fail("supervisor /: it is always there; remove what was made below it");
    iris__keep_lock(s, &errands);
    struct supervisor *v = iris__supervisor_find(s, path);
    if (v)
        dissolve(s, v);
    iris__keep_unlock(s);
    return v ? IRIS_OK : IRIS_DEAD;
}

/* ---- watch ---- */

static int watch(struct supervisors *s, struct supervisor *v, uint64_t pid)
{
    struct member *m = iris__member_of(s, pid);
    if (m && m->of == v)
        return IRIS_OK;
    if (m && m->state != MEMBER_LIVES)
        return iris__fail("watch: %llu restarts just now; try again when it lives",
                          (unsigned long long)pid);
    struct member *new = iris__member_add(s, v);
    if (!new)
        return iris__fail("watch: no memory");
    if (m) {
        new->restart = m->restart;
        new->shutdown = m->shutdown;
        iris__member_remove(s, m);
    }
    new->is_watched = 1;
    iris__member_set_pid(s, new, pid);
    return IRIS_OK;
}

int iris__supervise_watch(struct supervisors *s, const char *given, uint64_t pid)
{
    const char *path = or_root(given);
    struct errands errands;
    if (pid >> PID_NODE_SHIFT)
        return iris__far_watch(s, path, pid, NULL, RESTART_ON_FAILURE);
    iris_actor *a = iris__table_at(&s->world->table, pid);
    if (!a || !iris__gate_accepts(a, pid) || atomic_load(&a->marks) & MARK_PORT)
        return IRIS_DEAD;
    iris__keep_lock(s, &errands);
    struct supervisor *v = iris__supervisor_find(s, path);
    int result = v ? watch(s, v, pid)
                   : iris__fail("watch: there is no supervisor %s; create it first", path);
    iris__keep_unlock(s);
    if (result)
        return result;
    atomic_fetch_or(&a->marks, MARK_KEPT);
    if (iris__gate_accepts_now(a, pid))
        return IRIS_OK;
    iris__supervisor_gone(s, pid); /* it ended meanwhile */
    return IRIS_DEAD;
}

static char *copy_of_longest(struct supervisors *s, const char *prefix)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    char *path = strdup(iris__supervisor_longest(s, prefix, NULL)->path);
    iris__keep_unlock(s);
    return path;
}

int iris__supervise_watch_path(struct supervisors *s, const char *given)
{
    const char *prefix = or_root(given);
    struct pids pids = {0};
    if (*prefix != '/' ||
        iris__registry_children(s->world->registry, prefix, 1, add_named, &pids) < 0)
        return iris__fail("watch_path: \"%s\" is not a path", prefix);
    char *path = copy_of_longest(s, prefix);
    int n = 0;
    for (size_t i = 0; path && i < pids.n; i++)
        n += iris__supervise_watch(s, path, pids.list[i]) == IRIS_OK;
    int failed = !path || pids.failed;
    free(path);
    free(pids.list);
    return failed ? iris__fail("watch_path: no memory") : n;
}

int iris__supervise_unwatch(struct supervisors *s, uint64_t pid)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct member *m = iris__member_of(s, pid);
    struct supervisor *round = m ? iris__round_over(m) : NULL;
    int result = !m              ? IRIS_DEAD
                 : m->is_watched ? IRIS_OK
                                 : iris__fail("unwatch: %llu belongs to its path's supervisor",
                                              (unsigned long long)pid);
    if (result == IRIS_OK)
        release(s, m);
    if (result == IRIS_OK && round)
        iris__round_advance(s, round);
    iris__keep_unlock(s);
    return result;
}

/* ---- looking ---- */

int iris__supervise_children(struct supervisors *s, const char *given, iris_supervise_each *each,
                             void *ctx)
{
    struct pids pids = {0};
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct supervisor *v = iris__supervisor_find(s, or_root(given));
    for (struct member *m = v ? v->head : NULL; m; m = m->next)
        if (m->pid)
            add_pid(&pids, m->pid);
    iris__keep_unlock(s);
    for (size_t i = 0; each && i < pids.n; i++)
        each(ctx, pids.list[i]);
    int n = (int)pids.n;
    free(pids.list);
    return pids.failed ? iris__fail("children: no memory") : n;
}
