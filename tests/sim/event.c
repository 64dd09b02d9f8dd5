#include "sim.h"

#include <stdlib.h>

void *sim_grow(void *items, size_t *room, size_t n, size_t each)
{
    if (n < *room)
        return items;
    *room = *room ? *room * 2 : 16;
    void *more = realloc(items, *room * each);
    if (!more)
        abort();
    return more;
}

static int before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct events *h, struct event e)
{
    h->items = sim_grow(h->items, &h->room, h->n, sizeof *h->items);
    size_t i = h->n++;
    for (; i && before(&e, &h->items[(i - 1) / 2]); i = (i - 1) / 2)
        h->items[i] = h->items[(i - 1) / 2];
    h->items[i] = e;
}

static struct event pop(struct events *h)
{
    struct event top = h->items[0], e = h->items[--h->n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && before(&h->items[child + 1], &h->items[child]))
            child++;
        if (!before(&h->items[child], &e))
            break;
        h->items[i] = h->items[child];
    }
    if (h->n)
        h->items[i] = e;
    return top;
}

void sim_at(struct sim *s, int64_t at, int node, event_run *run, void *what, uint64_t a)
{
    push(&s->events, (struct event){.at = at < s->now ? s->now : at,
                                    .order = s->events.made++,
                                    .run = run,
                                    .what = what,
                                    .a = a,
                                    .node = node,
                                    .life = node < 0 ? 0 : s->nodes[node].life});
}

static void hold(struct node *n, const struct event *e)
{
    n->held = sim_grow(n->held, &n->held_room, n->nheld, sizeof *n->held);
    n->held[n->nheld++] = *e;
}

int sim_step(struct sim *s)
{
    if (!s->events.n)
        return 0;
    struct event e = pop(&s->events);
    s->now = e.at;
    s->tally.events++;
    struct node *n = e.node < 0 ? NULL : &s->nodes[e.node];
    if (n && (n->life != e.life || n->state != ALIVE))
        return 1;
    if (n && n->frozen)
        return hold(n, &e), 1;
    e.run(s, e.node, e.what, e.a);
    return 1;
}
