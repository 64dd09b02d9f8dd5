/* A node's side of the engine: mesh/provider/agree.c on mesh/etcd/, with actors that want names which are unique; and what must
 * hold of these (E1 ..). */
#include "engine.h"
#include "secret_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[UNIQUE] = {"one-0", "one-1", "one-2"};

static event_run begins, looks;
static void look_soon(struct node *);

/* ---- actors ---- */

static uint64_t pid_of(int name, uint32_t generation)
{
    return slot_pid(SLOTS + name, generation);
}

static void begins(struct sim *s, int node, void *what, uint64_t name)
{
    struct node *n = &s->nodes[node];
    struct claimant *c = &n->claimants[name];
    (void)what;
    if (c->pid || c->retired)
        return;
    c->pid = pid_of((int)name, ++c->generation);
    look_soon(n);
    sim_trace(s, node, "actor %llu wants name %llu", c->pid, name, 0);
}

void cluster_kill(struct node *n, int name)
{
    struct sim *s = n->sim;
    struct claimant *c = &n->claimants[name];
    if (!c->pid)
        return;
    sim_trace(s, n->number, "actor %llu of name %llu dies", c->pid, (uint64_t)name, 0);
    c->pid = c->token = 0;
    look_soon(n);
    sim_at(s, s->now + sim_between(s, 20 * MS, 800 * MS), n->number, begins, NULL, (uint64_t)name);
}

static struct claimant *claimant_at(struct node *n, uint64_t pid)
{
    for (int i = 0; i < UNIQUE; i++)
        if (n->claimants[i].pid == pid)
            return &n->claimants[i];
    return NULL;
}

/* ---- the seam ---- */

static int64_t on_now(void *ctx)
{
    const struct node *n = ctx;
    return node_local(n, n->sim->now);
}

static int64_t on_date(void *ctx)
{
    return INT64_C(1700000000000) + ((struct node *)ctx)->sim->now / MS;
}

static void looks(struct sim *s, int node, void *what, uint64_t a)
{
    struct node *n = &s->nodes[node];
    (void)what;
    if (!n->agree || a != n->agree_alarm)
        return;
    n->agree_at = 0;
    s->engine->dirty = 1;
    IN(n, agree_look(n->agree));
}

static void on_wake(void *ctx, int64_t at)
{
    struct node *n = ctx;
    struct sim *s = n->sim;
    if (n->agree_at && n->agree_at <= at)
        return;
    n->agree_at = at > 0 ? at : 1;
    sim_at(s, node_world(n, at) + sim_between(s, 0, 10 * MS), n->number, looks, NULL,
           ++n->agree_alarm);
}

static void look_soon(struct node *n) /* as the core tells that a name changed hands */
{
    on_wake(n, on_now(n));
}

static void on_touch(void *ctx)
{
    (void)ctx;
}

static uint64_t on_find(void *ctx, const char *name)
{
    const struct node *n = ctx;
    return n->claimants[name[4] - '0'].pid;
}

static void on_tell(void *ctx, uint64_t pid, const char *words)
{
    struct node *n = ctx;
    struct claimant *c = claimant_at(n, pid);
    const char *token = strstr(words, "token=");
    sim_trace(n->sim, n->number, token ? "actor %llu has its name" : "actor %llu has no name", pid,
              0, 0);
    if (n->sim->loud)
        printf("                  (%s)\n", words);
    if (c)
        c->token = token ? strtoull(token + 6, NULL, 10) : 0;
}

static void on_kill(void *ctx, uint64_t pid)
{
    struct node *n = ctx;
    const struct claimant *c = claimant_at(n, pid);
    if (c)
        cluster_kill(n, (int)(c - n->claimants));
}

static void on_note(void *ctx, int bad, const char *text)
{
    const struct node *n = ctx;
    (void)bad;
    if (n->sim->loud)
        printf("                  (n%d: %s)\n", n->number, text);
}

static struct wanted *wish(struct node *n, const char *address)
{
    int other = address[0] == 'h' ? address[1] - '0' : -1;
    if (other < 0 || other >= NODES || strcmp(address, n->sim->nodes[other].address) != 0)
        sim_fail(n->sim, "E4", "n%d is told of %s", n->number, address);
    return other < 0 || other >= NODES ? &n->wants[0] : &n->wants[other];
}

static int on_want(void *ctx, const char *address)
{
    struct node *n = ctx;
    wish(n, address)->is_wanted = 1;
    return mesh_want(n->mesh, address, MESH_OURS);
}

static void on_let_go(void *ctx, const char *address)
{
    struct node *n = ctx;
    wish(n, address)->is_wanted = 0;
    mesh_let_go(n->mesh, address);
}

static int on_wanted(void *ctx, const char *address)
{
    return wish(ctx, address)->listed;
}

static int is_address(const char *address)
{
    return strchr(address, ':') != NULL;
}

static const struct agree_seam seam = {.now = on_now,
                                       .date = on_date,
                                       .wake = on_wake,
                                       .touch = on_touch,
                                       .find = on_find,
                                       .tell = on_tell,
                                       .kill = on_kill,
                                       .note = on_note,
                                       .want = on_want,
                                       .let_go = on_let_go,
                                       .wanted = on_wanted,
                                       .is_address = is_address};

/* ---- lives ---- */

char *secret_file_read(const char *path, enum secrecy kind, size_t most, size_t *n, char *why,
                       size_t room)
{
    (void)path, (void)kind, (void)most, (void)n;
    snprintf(why, room, "there are no files here");
    return NULL;
}

extern const struct provider etcd_calls;

static void settings(const struct engine *e, char *out, size_t room)
{
    snprintf(out, room, "{\"etcd\": [\"http://engine0\"%s], \"cluster\": \"c\", \"ttl_ms\": %lld}",
             e->nparts == 3 ? ", \"http://engine1\", \"http://engine2\"" : "",
             (long long)(e->ttl / MS));
}

void cluster_start(struct node *n)
{
    struct sim *s = n->sim;
    char why[400], json[200], id[33];
    settings(s->engine, json, sizeof json);
    for (int i = 0; i < 16; i++)
        snprintf(id + 2 * i, 3, "%02x", n->id.bytes[i]);
    const struct agree_config config = {
        .calls = &etcd_calls,
        .settings = json,
        .self = {.id = id, .node = n->name, .address = n->address, .creation = n->life},
        .names = names,
        .nnames = UNIQUE,
        .demote = s->engine->demote};
    struct agree_seam mine = seam;
    mine.ctx = n;
    memset(n->claimants, 0, sizeof n->claimants);
    memset(n->seen, 0, sizeof n->seen);
    n->agree_at = 0;
    IN(n, n->agree = agree_begin(&config, &mine, (struct uv_loop_s *)n, why, sizeof why));
    if (!n->agree)
        return sim_fail(s, "engine", "n%d: %s", n->number, why);
    for (uint64_t i = 0; i < UNIQUE; i++)
        if (sim_chance(s, 80))
            sim_at(s, s->now + sim_between(s, 0, SEC), n->number, begins, NULL, i);
        else
            n->claimants[i].retired = 1;
}

static void end(struct node *n)
{
    if (n->agree)
        IN(n, agree_end(n->agree));
    n->agree = NULL;
}

void cluster_leave(struct node *n)
{
    end(n);
}

void cluster_crash(struct node *n) /* it is not alive any more: nobody hears of it */
{
    end(n);
}

/* ---- what holds at each moment ---- */

static int runs(const struct node *n)
{
    return n->state == ALIVE && n->agree && !n->frozen;
}

/* Whoever had it, and could know, has been told before another has it. */
static void check_told(struct sim *s, int name, const struct mark *was, const struct mark *is)
{
    const struct node *n = &s->nodes[was->node];
    const struct claimant *c = &n->claimants[name];
    if (runs(n) && n->life == was->life && was->node != is->node && c->pid == was->pid &&
        c->token == was->token && s->now > n->thawed + 200 * MS &&
        s->now > s->engine->excused[name])
        sim_fail(s, "E3", "n%d has %s (token %llu), and n%d's actor was not told that it lost it",
                 is->node, names[name], (unsigned long long)is->token, was->node);
}

static void owned(struct sim *s, int name, const struct mark *is)
{
    struct mark *was = &s->engine->last[name];
    int same = was->node == is->node && was->life == is->life && was->pid == is->pid;
    if (same && was->token == is->token)
        return;
    if (is->token < was->token && s->now <= s->engine->excused[name])
        return; /* from whom it was taken away: he does not know yet */
    s->tally.owners++;
    sim_trace(s, is->node, "has name %llu, token %llu", (uint64_t)name, is->token, 0);
    if (is->token <= was->token)
        sim_fail(s, "E2", "n%d has %s with token %llu, and n%d had it with %llu before", is->node,
                 names[name], (unsigned long long)is->token, was->node,
                 (unsigned long long)was->token);
    if (was->node >= 0)
        check_told(s, name, was, is);
    *was = *is;
}

static int answers(struct sim *s, struct node *n, int name, struct mark *out)
{
    iris_mesh_owner o;
    int result = agree_owner(n->agree, names[name], &o);
    if (result == IRIS_OK && o.token < n->seen[name])
        sim_fail(s, "E2", "n%d sees %s with token %llu, and saw it with %llu before", n->number,
                 names[name], (unsigned long long)o.token, (unsigned long long)n->seen[name]);
    if (result == IRIS_OK)
        n->seen[name] = o.token;
    if (o.here != agree_may_answer(n->agree, names[name]))
        sim_fail(s, "E1", "n%d: whether it answers for %s is not whether it has it", n->number,
                 names[name]);
    if (o.here)
        *out = (struct mark){n->number, n->life, o.pid, o.token};
    return o.here;
}

static int owner_of(struct sim *s, int name, struct mark *is)
{
    int n = 0;
    for (int i = 0; i < s->profile.nodes; i++) {
        int before = is->node;
        if (!runs(&s->nodes[i]) || !answers(s, &s->nodes[i], name, is))
            continue;
        if (n++ && s->now > s->engine->excused[name])
            sim_fail(s, "E1", "n%d and n%d both answer for %s", before, i, names[name]);
    }
    return n;
}

void cluster_check(struct sim *s)
{
    if (!s->engine || !s->engine->dirty)
        return;
    s->engine->dirty = 0;
    for (int i = 0; i < UNIQUE; i++) {
        struct mark is = {.node = -1};
        if (owner_of(s, i, &is))
            owned(s, i, &is);
    }
}

/* ---- what holds when nothing has been wrong for long ---- */

static int somebody_wants(const struct sim *s, int name)
{
    for (int i = 0; i < s->profile.nodes; i++)
        if (runs(&s->nodes[i]) && !s->nodes[i].claimants[name].retired)
            return 1;
    return 0;
}

static void check_agreed(struct sim *s, int name, const struct mark *is)
{
    char path[64];
    snprintf(path, sizeof path, "/iris/c/name/%s", names[name]);
    const struct key *k = engine_key(s->engine, path);
    if (!k || k->changed != is->token)
        sim_fail(s, "E4", "n%d has %s with token %llu, and the engine knows of %llu", is->node,
                 names[name], (unsigned long long)is->token,
                 k ? (unsigned long long)k->changed : 0);
    for (int i = 0; i < s->profile.nodes; i++) {
        iris_mesh_owner o;
        const struct node *n = &s->nodes[i];
        if (runs(n) && (agree_owner(n->agree, names[name], &o) != IRIS_OK || o.token != is->token ||
                        strcmp(o.node, s->nodes[is->node].name) != 0))
            sim_fail(s, "E4", "n%d has %s with token %llu, and n%d sees it at %s with %llu",
                     is->node, names[name], (unsigned long long)is->token, i,
                     *o.node ? o.node : "nobody", (unsigned long long)o.token);
    }
    const struct claimant *c = &s->nodes[is->node].claimants[name];
    if (c->pid != is->pid || c->token != is->token)
        sim_fail(s, "E3", "n%d has %s for actor %llu, and its actor %llu knows of token %llu",
                 is->node, names[name], (unsigned long long)is->pid, (unsigned long long)c->pid,
                 (unsigned long long)c->token);
}

static void check_settled(struct sim *s, const char *when)
{
    for (int i = 0; i < UNIQUE; i++) {
        struct mark is = {.node = -1};
        int n = owner_of(s, i, &is);
        if (n != somebody_wants(s, i))
            sim_fail(s, "E4", "%s: %d nodes have %s, %d expected", when, n, names[i],
                     somebody_wants(s, i));
        else if (n)
            check_agreed(s, i, &is);
    }
}

/* Everybody must have a name's owner; then all owners end, and the next ones must have it soon. */
void cluster_quiet(struct sim *s)
{
    check_settled(s, "after the last fault");
    for (int i = 0; i < UNIQUE; i++) {
        struct mark is = {.node = -1};
        if (!owner_of(s, i, &is))
            continue;
        s->nodes[is.node].claimants[i].retired = 1;
        cluster_kill(&s->nodes[is.node], i);
    }
}

void cluster_end(struct sim *s)
{
    check_settled(s, "after its owner has ended");
    for (int i = 0; i < s->profile.nodes; i++) {
        iris_mesh_engine e = {.kind = ""};
        if (!runs(&s->nodes[i]))
            continue;
        agree_health(s->nodes[i].agree, &e);
        if (e.health != IRIS_ENGINE_OK || (int)e.members != s->profile.nodes - 1)
            sim_fail(s, "E4", "n%d: the engine is %u, and has %u other members: %s", i, e.health,
                     e.members, e.why);
    }
}
