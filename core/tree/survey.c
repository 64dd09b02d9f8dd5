#include "keep.h"
#include "supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lock held, in all but the last three. */

static struct tree_node *add(struct tree *t, int depth)
{
    if (t->n == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        struct tree_node *nodes = realloc(t->nodes, room * sizeof *nodes);
        if (!nodes) {
            t->failed = 1;
            return NULL;
        }
        t->nodes = nodes;
        t->room = room;
    }
    struct tree_node *node = &t->nodes[t->n++];
    *node = (struct tree_node){.depth = depth};
    return node;
}

static uint32_t recent(const struct supervisors *s, const struct supervisor *v)
{
    int64_t from = iris__sched_now(&s->world->sched) - v->policy.period;
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->used; i++)
        n += v->times[i] >= from;
    return n;
}

static void describe(const struct supervisors *s, const struct supervisor *v, struct tree_node *out)
{
    out->path = strdup(v->path);
    out->policy = v->policy;
    out->recent = recent(s, v);
    out->exhausted = v->exhausted;
}

static void describe_member(const struct member *m, struct tree_node *out)
{
    out->pid = m->pid;
    out->restart = m->restart;
    out->has_factory = m->factory != NULL;
    out->is_watched = m->is_watched;
    if (!m->far)
        return;
    snprintf(out->node, sizeof out->node, "%.*s", (int)sizeof out->node - 1, m->far->node);
    out->is_lost = m->far->state == FAR_LOST;
    if (!out->pid)
        out->pid = m->far->raw;
}

static void survey(struct supervisors *s, const struct supervisor *v, int depth, uint32_t most,
                   struct tree *t);

static void survey_members(struct supervisors *s, const struct supervisor *v, size_t place,
                           uint32_t most, struct tree *t)
{
    int depth = t->nodes[place].depth + 1;
    uint32_t actors = 0;
    for (const struct member *m = v->head; m && !t->failed; m = m->next) {
        t->nodes[place].members++;
        if (m->sub) {
            survey(s, m->sub, depth, most, t);
            continue;
        }
        struct tree_node *node = actors++ < most ? add(t, depth) : NULL;
        if (node)
            describe_member(m, node);
        else
            t->nodes[place].left_out++;
    }
}

static void survey(struct supervisors *s, const struct supervisor *v, int depth, uint32_t most,
                   struct tree *t)
{
    size_t place = t->n;
    struct tree_node *node = add(t, depth);
    if (!node)
        return;
    describe(s, v, node);
    t->failed |= !node->path;
    survey_members(s, v, place, most, t);
    for (const struct supervisor *u = s->list; u; u = u->next) /* those that never had a member */
        if (u->parent == v && !u->self)
            survey(s, u, depth + 1, most, t);
}

void iris__tree_survey(struct supervisors *s, uint32_t most, struct tree *t)
{
    *t = (struct tree){0};
    pthread_mutex_lock(&s->lock);
    survey(s, iris__supervisor_find(s, "/"), 0, most, t);
    pthread_mutex_unlock(&s->lock);
}

int iris__tree_above(struct supervisors *s, uint64_t pid, struct tree_node *above,
                     struct tree_node *actor)
{
    *above = *actor = (struct tree_node){0};
    pthread_mutex_lock(&s->lock);
    const struct member *m = iris__member_of(s, pid);
    if (m) {
        describe(s, m->of, above);
        describe_member(m, actor);
    }
    pthread_mutex_unlock(&s->lock);
    if (!m)
        iris__ward_keeper(s, pid, actor, &above->path);
    return above->path != NULL;
}

void iris__tree_free(struct tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->nodes[i].path);
    free(t->nodes);
    *t = (struct tree){0};
}
