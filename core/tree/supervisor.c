#include "supervisor.h"

#include "fail.h"
#include "gate.h"
#include "keep.h"

#include <stdlib.h>
#include <string.h>

/* ---- prefixes ---- */

struct supervisor *iris__supervisor_find(struct supervisors *s, const char *path)
{
    for (struct supervisor *v = s->list; v; v = v->next)
        if (strcmp(v->path, path) == 0)
            return v;
    return NULL;
}

static int covers(const char *prefix, const char *path)
{
    size_t len = strlen(prefix);
    if (len == 1)
        return 1;
    return strncmp(prefix, path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

struct supervisor *iris__supervisor_longest(struct supervisors *s, const char *path,
                                            const struct supervisor *but)
{
    struct supervisor *best = NULL;
    for (struct supervisor *v = s->list; v; v = v->next)
        if (v != but && covers(v->path, path) && (!best || strlen(v->path) > strlen(best->path)))
            best = v;
    return best;
}

int iris__supervisor_is_below(const struct supervisor *v, const struct supervisor *top)
{
    while (v && v != top)
        v = v->parent;
    return v != NULL;
}

/* ---- members ---- */

void iris__member_link(struct supervisor *v, struct member *m, struct member *next)
{
    m->of = v;
    m->next = next;
    m->prev = next ? next->prev : v->tail;
    *(m->prev ? &m->prev->next : &v->head) = m;
    *(next ? &next->prev : &v->tail) = m;
}

void iris__member_unlink(struct member *m)
{
    struct supervisor *v = m->of;
    *(m->prev ? &m->prev->next : &v->head) = m->next;
    *(m->next ? &m->next->prev : &v->tail) = m->prev;
}

static struct member *create_member(struct supervisors *s)
{
    struct member *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->place = ++s->places;
    return m;
}

/* A supervisor begins with its first member: that is its place among those of its parent. */
static int take_place(struct supervisors *s, struct supervisor *v)
{
    if (v->self || !v->parent)
        return IRIS_OK;
    if (take_place(s, v->parent) || !(v->self = create_member(s)))
        return IRIS_FAIL;
    v->self->sub = v;
    iris__member_link(v->parent, v->self, NULL);
    return IRIS_OK;
}

struct member *iris__member_of(struct supervisors *s, uint64_t pid)
{
    struct member *m;
    HASH_FIND(hh, s->by_pid, &pid, sizeof pid, m);
    return m;
}

int iris__member_set_pid(struct supervisors *s, struct member *m, uint64_t pid)
{
    if (pid && iris__member_of(s, pid))
        return -1;
    if (m->pid)
        HASH_DEL(s->by_pid, m);
    m->pid = pid;
    if (pid)
        HASH_ADD(hh, s->by_pid, pid, sizeof m->pid, m);
    return 0;
}

struct member *iris__member_add(struct supervisors *s, struct supervisor *v)
{
    struct member *m = take_place(s, v) ? NULL : create_member(s);
    if (!m)
        return NULL;
    m->restart = RESTART_ON_FAILURE;
    m->shutdown = SHUTDOWN_DEFAULT;
    iris__member_link(v, m, NULL);
    return m;
}

struct member *iris__member_join(struct supervisors *s, const char *path, uint64_t pid,
                                 const struct membership *how)
{
    struct supervisor *v = iris__supervisor_longest(s, path, NULL);
    struct member *m = iris__member_of(s, pid);
    if (m || !(m = iris__member_add(s, v)))
        return m;
    iris__member_set_pid(s, m, pid);
    m->restart = how->restart;
    m->shutdown = how->shutdown ? how->shutdown : SHUTDOWN_DEFAULT;
    return m;
}

void iris__member_remove(struct supervisors *s, struct member *m)
{
    iris__wakeup_clear(&m->alarm);
    iris__round_leave(s, m);
    iris__member_unlink(m);
    if (m->far)
        iris__far_let_go(s, m);
    iris__member_set_pid(s, m, 0);
    if (m->factory)
        iris__factory_let_go(s, m->factory);
    free(m);
}

int iris__supervisor_join(struct supervisors *s, const char *path, uint64_t pid,
                          const struct membership *how)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct member *m = iris__member_join(s, path, pid, how);
    iris__keep_unlock(s);
    if (!m)
        return iris__fail("supervisor of %s: no memory for another member", path);
    if (!iris__gate_accepts_now(iris__table_at(&s->world->table, pid), pid) &&
        !iris__actor_alive(s->world, pid))
        iris__supervisor_gone(s, pid); /* its end may have come before */
    return IRIS_OK;
}

/* ---- supervisors ---- */

struct supervisor *iris__supervisor_make(struct supervisors *s, const char *path)
{
    struct supervisor *v = calloc(1, sizeof *v);
    if (v && !(v->path = strdup(path))) {
        free(v);
        return NULL;
    }
    if (!v)
        return NULL;
    v->next = s->list;
    s->list = v;
    v->parent = iris__supervisor_longest(s, v->path, v);
    return v;
}

void iris__supervisor_free(struct supervisor *v)
{
    free(v->times);
    free(v->path);
    free(v);
}

int iris__supervisor_set(struct supervisor *v, const struct policy *policy)
{
    int64_t *times = calloc(policy->intensity ? policy->intensity : 1, sizeof *times);
    if (!times)
        return IRIS_FAIL;
    free(v->times);
    v->times = times;
    v->policy = *policy;
    v->used = v->at = 0;
    return IRIS_OK;
}

int iris__supervisor_add(struct supervisors *s, const char *path, const struct policy *policy)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct supervisor *v = iris__supervisor_find(s, path);
    int is_new = !v;
    if (is_new)
        v = iris__supervisor_make(s, path);
    int failed = !v || iris__supervisor_set(v, policy);
    for (struct supervisor *u = s->list; u && is_new; u = u->next)
        if (!u->self)
            u->parent = iris__supervisor_longest(s, u->path, u);
    iris__keep_unlock(s);
    return failed ? iris__fail("supervisor %s: no memory", path) : IRIS_OK;
}

int iris__supervisors_init(struct supervisors *s, struct world *w, atomic_int *closing)
{
    *s = (struct supervisors){.world = w, .closing = closing};
    s->random.state = iris__random(&w->sched.random);
    pthread_mutex_init(&s->lock, NULL);
    return iris__supervisor_add(s, "/", &POLICY_DEFAULT);
}

void iris__supervisors_leave(struct supervisors *s)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    for (struct supervisor *v = s->list; v; v = v->next)
        for (struct member *m = v->head; m; m = m->next) {
            if (m->factory)
                iris__factory_let_go(s, m->factory);
            m->factory = NULL;
        }
    iris__keep_unlock(s);
}

static void free_members(struct supervisors *s, struct supervisor *v)
{
    for (struct member *m = v->head, *next; m; m = next) {
        next = m->next;
        iris__member_set_pid(s, m, 0);
        if (m->factory)
            iris__factory_release(m->factory);
        free(m->far);
        free(m);
    }
}

static void free_supervisors(struct supervisor *v)
{
    for (struct supervisor *next; v; v = next) {
        next = v->next;
        iris__supervisor_free(v);
    }
}

void iris__supervisors_finish(struct supervisors *s)
{
    for (struct supervisor *v = s->list; v; v = v->next)
        free_members(s, v);
    iris__wards_finish(s);
    free_supervisors(s->list);
    free_supervisors(s->dead);
    for (struct wakeup *a = s->alarms, *next; a; a = next) {
        next = a->next;
        free(a);
    }
    pthread_mutex_destroy(&s->lock);
}

int64_t iris__supervisor_left(struct supervisors *s, uint64_t pid)
{
    pthread_mutex_lock(&s->lock);
    struct member *m = iris__member_of(s, pid);
    struct supervisor *v = m ? iris__round_over(m) : NULL;
    struct wakeup *a = v ? v->round.alarm : m ? m->alarm : NULL;
    int64_t left = a ? a->deadline - iris__sched_now(&s->world->sched) : 0;
    pthread_mutex_unlock(&s->lock);
    return left > 0 ? left : 0;
}
