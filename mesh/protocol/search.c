/* One name at all nodes. Of several that have it who began last keeps it, and is found; the others are told, at
 * their own node, and here, so that somebody decides. Nobody is ended for it. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

struct member {
    struct search *search;
    uint64_t creation, pid; /* pid 0: it does not have it */
    char node[256];
};

struct search {
    struct mesh *mesh;
    mesh_answer *answer;
    void *ctx;
    char *name;
    const struct member *keeper;
    size_t open, n;
    struct member all[];
};

static void tell_loser(const struct search *s, const struct member *m)
{
    char text[1800];
    snprintf(text, sizeof text, "name %s is claimed by node %s and by node %s; %s keeps it",
             s->name, s->keeper->node, m->node, s->keeper->node);
    s->mesh->seam.event(s->mesh->seam.ctx, MESH_CONFLICT, m->node, text);
    mesh_conflict(s->mesh, m->node, s->name, s->keeper->node);
}

/* Whoever has gone since it answered neither has the name nor loses it: its next run is another. */
static int has_it(const struct search *s, const struct member *m)
{
    return m->pid && node_at(s->mesh, m->pid);
}

/* The later run is the owner; of two that began at once, the greater name. */
static int is_before(const struct member *a, const struct member *b)
{
    return a->creation < b->creation ||
           (a->creation == b->creation && strcmp(a->node, b->node) < 0);
}

static void find_keeper(struct search *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (has_it(s, &s->all[i]) && (!s->keeper || is_before(s->keeper, &s->all[i])))
            s->keeper = &s->all[i];
}

static void end_search(struct search *s)
{
    find_keeper(s);
    for (size_t i = 0; i < s->n; i++)
        if (&s->all[i] != s->keeper && has_it(s, &s->all[i]))
            tell_loser(s, &s->all[i]);
    s->answer(s->ctx, IRIS_OK, s->keeper ? s->keeper->pid : 0, NULL);
    free(s->name);
    free(s);
}

static void found_at(void *ctx, int result, uint64_t pid, const char *why)
{
    struct member *m = ctx;
    (void)why;
    m->pid = result == IRIS_OK ? pid : 0;
    if (!--m->search->open)
        end_search(m->search);
}

static int is_asked(const struct node *n)
{
    return n->link && !n->link->compat;
}

void mesh_search(struct mesh *m, const char *name, int64_t timeout, mesh_answer *answer, void *ctx)
{
    size_t most = 0;
    for (const struct node *n = m->nodes; n; n = n->next)
        most += (size_t)is_asked(n);
    struct search *s = calloc(1, sizeof *s + most * sizeof *s->all);
    char *copy = strdup(name);
    if (!s || !copy) {
        free(s);
        free(copy);
        answer(ctx, IRIS_DEAD, 0, "no memory");
        return;
    }
    mesh__enter(m);
    s->mesh = m;
    s->answer = answer;
    s->ctx = ctx;
    s->name = copy;
    for (const struct node *n = m->nodes; n; n = n->next)
        if (is_asked(n)) {
            struct member *each = &s->all[s->n++];
            each->search = s;
            each->creation = n->info.creation;
            snprintf(each->node, sizeof each->node, "%s", n->info.node);
        }
    s->open = s->n + 1; /* what comes at once ends nothing yet */
    for (size_t i = 0; i < s->n; i++)
        mesh_resolve(m, s->all[i].node, name, timeout, found_at, &s->all[i]);
    if (!--s->open)
        end_search(s);
    mesh__leave(m);
}
