#include "awaits.h"

#include "mailbox.h"

#include <stdlib.h>

enum { LOOKED_AT = 256 }; /* actors; a longer way is not searched for a ring */

static struct edge **find(struct door *d, uint64_t pid)
{
    struct edge **at = &d->edges;
    while (*at && (*at)->pid != pid)
        at = &(*at)->next;
    return at;
}

static int add(iris_actor *self, uint64_t pid)
{
    struct edge *e = calloc(1, sizeof *e);
    struct door *d =
        e ? iris__door_lock(iris__world_of(self), self, iris__actor_pid(self), DOOR_OWN) : NULL;
    if (!d) {
        free(e);
        return -1;
    }
    struct edge **at = find(d, pid);
    if (!*at) {
        e->pid = pid;
        *at = e;
        e = NULL;
    }
    (*at)->n++;
    iris__door_unlock(d);
    free(e);
    return 0;
}

struct search {
    uint64_t seen[LOOKED_AT];
    uint32_t n;
};

static void see(struct search *s, uint64_t pid)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->seen[i] == pid)
            return;
    if (s->n < LOOKED_AT)
        s->seen[s->n++] = pid;
}

/* For whom pid waits. One door is locked at a time: of two that close a ring at the same moment each
 * has said so before it looks, so that at least one sees the other. */
static void see_all(struct world *w, struct search *s, uint64_t pid)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    struct door *d = a ? iris__door_lock(w, a, pid, DOOR_FIND) : NULL;
    if (!d)
        return;
    for (struct edge *e = d->edges; e; e = e->next)
        see(s, e->pid);
    iris__door_unlock(d);
}

static int is_ring(struct world *w, uint64_t self, uint64_t pid)
{
    struct search s = {.seen = {pid}, .n = 1};
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.seen[i] == self)
            return 1;
        see_all(w, &s, s.seen[i]);
    }
    return 0;
}

int iris__awaits_begin(iris_actor *self, uint64_t pid)
{
    uint64_t me = iris__actor_pid(self);
    if (me == pid || add(self, pid))
        return IRIS_FULL;
    if (!is_ring(iris__world_of(self), me, pid))
        return IRIS_OK;
    iris__awaits_end(self, pid, 1);
    return IRIS_FULL;
}

/* Batches begin at one again: who waits in the middle of a large one would send on. */
void iris__awaits_suspend(iris_actor *self)
{
    self->flags |= ACTOR_WAITS;
    self->batch = 1;
}

void iris__awaits_end(iris_actor *self, uint64_t pid, uint32_t n)
{
    struct edge *gone = NULL;
    struct door *d = iris__door_lock(iris__world_of(self), self, iris__actor_pid(self), DOOR_FIND);
    if (!d)
        return;
    struct edge **at = find(d, pid);
    if (*at && ((*at)->n -= n < (*at)->n ? n : (*at)->n) == 0) {
        gone = *at;
        *at = gone->next;
    }
    if (!d->edges)
        self->flags &= (uint16_t)~ACTOR_WAITS;
    iris__door_unlock(d);
    free(gone);
}

void iris__awaits_free(struct edge *e)
{
    for (struct edge *next; e; e = next) {
        next = e->next;
        free(e);
    }
}
