#include "sim.h"

#include "count.h"
#undef malloc
#undef calloc
#undef realloc
#undef free

struct head {
    struct node *owner;
    size_t len;
};

static struct node *here; /* whose protocol code runs */

void sim_enter(struct node *n)
{
    here = n;
}

void sim_leave(struct node *n)
{
    if (n->inside == 1)
        here = NULL;
}

static void count(struct node *n, int64_t bytes)
{
    if (!n)
        return;
    n->memory += bytes;
    if (n->memory > n->memory_most)
        n->memory_most = n->memory;
}

/* With --starve one of sixty is refused. */
static int refused(void)
{
    return here && here->mesh && here->sim->starved && sim_below(here->sim, 60) == 0;
}

void *sim_malloc(size_t len)
{
    return refused() ? NULL : sim_malloc_always(len);
}

void *sim_malloc_always(size_t len)
{
    struct head *h = malloc(sizeof *h + len);
    if (!h)
        return NULL;
    *h = (struct head){here, len};
    count(here, (int64_t)len);
    return h + 1;
}

void *sim_calloc(size_t n, size_t each)
{
    void *p = sim_malloc(n * each);
    return p ? memset(p, 0, n * each) : NULL;
}

void *sim_realloc(void *p, size_t len)
{
    struct head *h = p ? (struct head *)p - 1 : NULL;
    void *more = sim_malloc(len);
    if (h && more)
        memcpy(more, p, h->len < len ? h->len : len);
    if (more)
        sim_free(p);
    return more;
}

void *sim_memdup(const void *p, size_t len, size_t room)
{
    char *copy = sim_calloc(1, room);
    return copy ? memcpy(copy, p, len) : NULL;
}

void sim_free(void *p)
{
    struct head *h = p ? (struct head *)p - 1 : NULL;
    if (!h)
        return;
    count(h->owner, -(int64_t)h->len);
    free(h);
}
