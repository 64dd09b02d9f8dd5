#include "supervisor.h"

#include "fail.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>

enum { INTENSITY = 3 };
#define PERIOD (5 * IRIS__SECOND)

static struct supervisor *find(struct supervisors *s, const char *path)
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

static struct supervisor *longest(struct supervisors *s, const char *path,
                                  const struct supervisor * not )
{
    struct supervisor *best = NULL;
    for (struct supervisor *v = s->list; v; v = v->next)
        if (v != not &&covers(v->path, path) && (!best || strlen(v->path) > strlen(best->path)))
            best = v;
    return best;
}

static void set_parents(struct supervisors *s)
{
    for (struct supervisor *v = s->list; v; v = v->next)
        v->parent = longest(s, v->path, v);
}

static struct supervisor *create(const char *path)
{
    struct supervisor *v = calloc(1, sizeof *v);
    if (v && !(v->path = strdup(path))) {
        free(v);
        return NULL;
    }
    return v;
}

int iris__supervisor_add(struct supervisors *s, const char *path, uint32_t intensity,
                         int64_t period)
{
    struct supervisor *v = find(s, path);
    int64_t *times = calloc(intensity ? intensity : 1, sizeof *times);
    if (!times || (!v && !(v = create(path)))) {
        free(times);
        return iris__fail("supervisor %s: no memory", path);
    }
    if (v->times)
        free(v->times);
    else {
        v->next = s->list;
        s->list = v;
    }
    v->times = times;
    v->intensity = intensity;
    v->period = period;
    v->used = v->at = 0;
    set_parents(s);
    return IRIS_OK;
}

int iris__supervisors_init(struct supervisors *s)
{
    *s = (struct supervisors){0};
    pthread_mutex_init(&s->lock, NULL);
    return iris__supervisor_add(s, "/", INTENSITY, PERIOD);
}

void iris__supervisors_finish(struct supervisors *s)
{
    for (struct supervisor *v = s->list, *next; v; v = next) {
        next = v->next;
        free(v->times);
        free(v->children);
        free(v->path);
        free(v);
    }
    pthread_mutex_destroy(&s->lock);
}

struct supervisor *iris__supervisor_of(struct supervisors *s, const char *path)
{
    return longest(s, path, NULL);
}

int iris__supervisor_watch(struct supervisors *s, struct supervisor *v, uint64_t pid)
{
    pthread_mutex_lock(&s->lock);
    int failed = 0;
    if (v->nchildren == v->room) {
        uint32_t room = v->room ? v->room * 2 : 8;
        uint64_t *children = realloc(v->children, room * sizeof *children);
        failed = !children;
        if (children) {
            v->children = children;
            v->room = room;
        }
    }
    if (!failed)
        v->children[v->nchildren++] = pid;
    pthread_mutex_unlock(&s->lock);
    return failed ? iris__fail("supervisor %s: no memory for another child", v->path) : IRIS_OK;
}

/* Order is kept: it is start order. */
void iris__supervisor_forget(struct supervisors *s, struct supervisor *v, uint64_t pid)
{
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < v->nchildren; i++)
        if (v->children[i] == pid) {
            memmove(v->children + i, v->children + i + 1,
                    (v->nchildren - i - 1) * sizeof *v->children);
            v->nchildren--;
            break;
        }
    pthread_mutex_unlock(&s->lock);
}

/* ---- deciding; lock held ---- */

/* One more restart now: 0: that is too many. */
static int count(struct supervisor *v, int64_t now)
{
    if (!v->intensity)
        return 0;
    if (v->used == v->intensity && now - v->times[v->at] <= v->period)
        return 0;
    v->times[v->at] = now;
    v->at = (v->at + 1) % v->intensity;
    if (v->used < v->intensity)
        v->used++;
    return 1;
}

/* The supervisor that can hold it; NULL: not even "/". Those passed on the way begin anew. */
static struct supervisor *escalate(struct supervisor *v, int64_t now, struct supervisor **exhausted)
{
    *exhausted = NULL;
    for (; v && !count(v, now); v = v->parent) {
        *exhausted = v;
        v->used = v->at = 0;
        v->exhausted = !v->parent;
    }
    return v;
}

static void note(struct event_detail *d, const struct supervisor *v, uint32_t decision)
{
    d->supervisor = v->path;
    d->strategy = "one_for_one";
    d->decision = decision;
    d->count = v->used;
    d->limit = v->intensity;
    d->period = v->period;
}

static int is_below(const struct supervisor *v, const struct supervisor *top)
{
    while (v && v != top)
        v = v->parent;
    return v != NULL;
}

/* Fills pids of the others below, if there is room; how many they are. */
static uint32_t list_others(struct supervisors *s, const struct supervisor *top, uint64_t except,
                            uint64_t *pids, uint32_t room)
{
    uint32_t n = 0;
    for (struct supervisor *v = s->list; v; v = v->next)
        for (uint32_t i = 0; is_below(v, top) && i < v->nchildren; i++)
            if (v->children[i] != except && n++ < room)
                pids[n - 1] = v->children[i];
    return n;
}

/* A copy: a signal may call a host's wake(), which shall find no lock held. */
static uint64_t *copy_others(struct supervisors *s, const struct supervisor *top, uint64_t except,
                             uint32_t *n)
{
    *n = list_others(s, top, except, NULL, 0);
    uint64_t *pids = *n ? calloc(*n, sizeof *pids) : NULL;
    if (pids)
        list_others(s, top, except, pids, *n);
    else
        *n = 0; /* memory is short: they live on as they are */
    return pids;
}

static int wants_restart(const struct cold *c, const struct ending *e)
{
    switch (c->restart) {
    case RESTART_ALWAYS:
        return 1;
    case RESTART_ON_FAILURE:
        return e->kind == ENDING_CRASH;
    default:
        return 0;
    }
}

int iris__supervisor_decide(struct supervisors *s, struct world *w, iris_actor *a,
                            const struct ending *e, struct supervisor **exhausted,
                            struct event_detail decided[2])
{
    struct cold *c = iris__cold_if(a);
    *exhausted = NULL;
    if (!wants_restart(c, e))
        return 0;
    uint64_t *others = NULL;
    uint32_t n = 0;
    pthread_mutex_lock(&s->lock);
    struct supervisor *holder = escalate(c->keeper, iris__sched_now(&w->sched), exhausted);
    if (*exhausted)
        note(&decided[0], c->keeper, holder ? DECIDED_ESCALATE : DECIDED_EXIT);
    if (holder)
        note(&decided[1], holder, DECIDED_RESTART);
    if (holder && *exhausted)
        others = copy_others(s, *exhausted, iris__actor_pid(a), &n);
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < n; i++)
        iris__signal(w, KIND_RESTART, 0, others[i], 0, "killed: its supervisor restarts");
    free(others);
    return holder != NULL;
}
