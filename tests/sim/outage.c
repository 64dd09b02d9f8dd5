/* What goes wrong with the engine, and on the way to it. Each fault ends by itself, and all do at the end. */
#include "engine.h"

#include <stdio.h>

static int64_t some_time(struct sim *s)
{
    return sim_chance(s, 50) ? sim_between(s, 100 * MS, 2 * SEC) : sim_between(s, 2 * SEC, 9 * SEC);
}

static int some_node(struct sim *s)
{
    return (int)sim_below(s, (uint32_t)s->profile.nodes);
}

static int some_part(struct sim *s)
{
    return (int)sim_below(s, (uint32_t)s->engine->nparts);
}

/* ---- what lasts: a counter that goes up, and down again ---- */

static void is_over(struct sim *s, int node, void *what, uint64_t a)
{
    int *count = what;
    (void)s, (void)node, (void)a;
    if (*count > 0)
        --*count;
}

static void lasts(struct sim *s, int *count, int64_t time)
{
    ++*count;
    sim_at(s, s->now + time, -1, is_over, count, 0);
}

static void part_down(struct sim *s, int part, int64_t time)
{
    sim_trace(s, -1, "engine: member %llu is down", (uint64_t)part, 0, 0);
    lasts(s, &s->engine->parts[part].down, time);
}

static void all_down(struct sim *s)
{
    int64_t time = some_time(s);
    for (int i = 0; i < s->engine->nparts; i++)
        part_down(s, i, time);
}

static void no_leader(struct sim *s)
{
    struct engine *e = s->engine;
    sim_trace(s, -1, "engine: no leader", 0, 0, 0);
    e->headless_from = s->now;
    e->headless = s->now + sim_between(s, 300 * MS, 2500 * MS);
    e->watched = 1;
}

static void cut_way(struct sim *s, int node, int part, int64_t time)
{
    sim_trace(s, node, "is cut from member %llu", (uint64_t)part, 0, 0);
    lasts(s, &s->engine->ways[node][part].cut, time);
}

static void cut_off(struct sim *s)
{
    int node = some_node(s), all = sim_chance(s, 70), only = some_part(s);
    int64_t time = some_time(s);
    for (int i = 0; i < s->engine->nparts; i++)
        if (all || i == only)
            cut_way(s, node, i, time);
}

/* A member without a quorum, and some nodes that reach only that one. */
static void minority(struct sim *s)
{
    struct engine *e = s->engine;
    int part = some_part(s), was_leader = sim_chance(s, 40);
    int64_t time = some_time(s);
    if (e->nparts < 3)
        return;
    sim_trace(s, -1, "engine: member %llu is cut off", (uint64_t)part, 0, 0);
    if (!e->parts[part].apart)
        e->parts[part].since = s->now;
    lasts(s, &e->parts[part].apart, time);
    for (int n = 0; n < s->profile.nodes; n++)
        for (int i = 0; i < e->nparts && sim_chance(s, 70); i++)
            if (i != part)
                cut_way(s, n, i, time);
    if (was_leader)
        no_leader(s);
}

static void late(struct sim *s)
{
    struct engine *e = s->engine;
    int node = some_node(s);
    int64_t delay = sim_chance(s, 50) ? sim_between(s, MS, 200 * MS) : sim_between(s, MS, 3 * SEC);
    sim_trace(s, node, "hears of the engine %llu ns later", (uint64_t)delay, 0, 0);
    for (int i = 0; i < e->nparts; i++)
        e->ways[node][i].delay = delay;
}

static void lossy(struct sim *s)
{
    s->engine->lossy = sim_below(s, 40);
    s->engine->twice = sim_below(s, 30);
}

static void lags(struct sim *s)
{
    s->engine->parts[some_part(s)].lag = sim_chance(s, 60) ? sim_between(s, 0, 3 * SEC) : 0;
}

static void compact(struct sim *s)
{
    sim_trace(s, -1, "engine: compacted to %llu", s->engine->revision, 0, 0);
    s->engine->compacted = s->engine->revision;
}

/* Until its owner hears of it, which may be when a dead watch is noticed, two may think that they have it. */
static void operator_deletes(struct sim *s)
{
    int name = (int)sim_below(s, UNIQUE);
    char path[32];
    snprintf(path, sizeof path, "/iris/c/name/one-%d", name);
    if (!engine_key(s->engine, path))
        return;
    sim_trace(s, -1, "an operator deletes name %llu", (uint64_t)name, 0, 0);
    s->engine->excused[name] = s->now + 30 * SEC;
    engine_delete(s, path);
}

/* Its lease is ended under a node's feet. */
static void operator_revokes(struct sim *s)
{
    struct engine *e = s->engine;
    struct granted *l = e->nleases ? &e->leases[sim_below(s, (uint32_t)e->nleases)] : NULL;
    if (!l || l->gone)
        return;
    sim_trace(s, -1, "an operator ends lease %llx", l->id, 0, 0);
    for (int i = 0; i < UNIQUE; i++)
        e->excused[i] = s->now + 30 * SEC;
    engine_revoke(s, l);
}

/* The next one that asks something freezes before it hears the answer. */
static void freezes(struct sim *s)
{
    s->engine->freezes = s->engine->ttl + sim_between(s, 0, 4 * SEC);
}

static void actor_ends(struct sim *s)
{
    struct node *n = &s->nodes[some_node(s)];
    if (n->state == ALIVE && !n->frozen && n->agree)
        cluster_kill(n, (int)sim_below(s, UNIQUE));
}

void outage(struct sim *s)
{
    static const struct {
        uint32_t percent;
        void (*run)(struct sim *);
    } kinds[] = {
        {9, all_down}, {10, no_leader}, {12, cut_off}, {11, minority},        {9, late},
        {9, lossy},    {6, lags},       {9, compact},  {1, operator_deletes}, {1, operator_revokes},
        {6, freezes},  {9, actor_ends}};
    uint32_t kind = sim_below(s, 100);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kind < kinds[i].percent)
            return kinds[i].run(s);
        kind -= kinds[i].percent;
    }
    if (sim_chance(s, 50))
        part_down(s, some_part(s), some_time(s));
    else
        http_watches(s, some_part(s), sim_chance(s, 40), 60);
}

void outage_end(struct sim *s)
{
    struct engine *e = s->engine;
    e->lossy = e->twice = 0;
    for (int i = 0; i < e->nparts; i++) {
        e->parts[i].down = e->parts[i].apart = 0;
        e->parts[i].lag = 0;
        for (int n = 0; n < s->profile.nodes; n++) {
            e->ways[n][i].cut = 0;
            e->ways[n][i].delay = 4 * MS;
        }
    }
    http_noticed(s);
}
