/* What goes wrong, one thing after the other and some at once; each ends by itself, and all do at the end. */
#include "engine.h"

/* The link between a and b may go down until then, without a false death. */
void fault_excuse(struct sim *s, int a, int b, int64_t until)
{
    if (s->excused[a][b] < until)
        s->excused[a][b] = s->excused[b][a] = until;
}

static void excuse_all(struct sim *s, int a, int64_t until)
{
    for (int b = 0; b < s->profile.nodes; b++)
        fault_excuse(s, a, b, until);
}

static void goes_silent(struct sim *s, int hears, int of)
{
    if (!s->silent[hears][of])
        s->silent[hears][of] = s->now;
}

static void is_heard(struct sim *s, int hears, int of)
{
    if (!s->paths[of][hears].cut && !s->nodes[of].frozen)
        s->silent[hears][of] = 0;
}

static void watches_of(struct sim *s, int node)
{
    for (int i = 0; i < s->profile.nodes; i++)
        for (struct watch *w = s->nodes[i].watches; w; w = w->next)
            if (w->node == node && w->life == s->nodes[node].life && !w->gone)
                w->gone = s->now;
}

/* ---- cuts ---- */

static void heal(struct sim *s, int node, void *what, uint64_t a)
{
    int from = (int)(a & 0xff), to = (int)(a >> 8);
    (void)node, (void)what;
    sim_trace(s, -1, "n%llu to n%llu heals", (uint64_t)from, (uint64_t)to, 0);
    net_heal(s, from, to);
    is_heard(s, to, from);
    fault_excuse(s, from, to, s->now + 14 * SEC);
}

static void cut(struct sim *s, int from, int to, int64_t lasts)
{
    sim_trace(s, -1, "n%llu to n%llu is cut", (uint64_t)from, (uint64_t)to, 0);
    net_cut(s, from, to);
    goes_silent(s, to, from);
    fault_excuse(s, from, to, s->now + lasts + 14 * SEC);
    sim_at(s, s->now + lasts, -1, heal, NULL, (uint64_t)to << 8 | (uint64_t)from);
}

static int64_t some_time(struct sim *s)
{
    return sim_chance(s, 40) ? sim_between(s, 50 * MS, 3 * SEC) : sim_between(s, 3 * SEC, 12 * SEC);
}

static void cut_some(struct sim *s)
{
    int a = (int)sim_below(s, (uint32_t)s->profile.nodes);
    int b = (int)sim_below(s, (uint32_t)s->profile.nodes);
    int64_t lasts = some_time(s);
    if (a == b)
        return;
    cut(s, a, b, lasts);
    if (sim_chance(s, 60))
        cut(s, b, a, sim_chance(s, 80) ? lasts : some_time(s));
}

static void island(struct sim *s) /* one from all others */
{
    int a = (int)sim_below(s, (uint32_t)s->profile.nodes);
    int64_t lasts = some_time(s);
    for (int b = 0; b < s->profile.nodes; b++)
        if (b != a) {
            cut(s, a, b, lasts);
            cut(s, b, a, lasts);
        }
}

/* ---- nodes ---- */

static void begins_again(struct sim *s, int node, void *what, uint64_t a)
{
    struct node *n = &s->nodes[(int)a];
    (void)node, (void)what;
    if (n->state == ALIVE)
        return;
    s->tally.restarts++;
    excuse_all(s, n->number, s->now);
    for (int i = 0; i < s->profile.nodes; i++)
        is_heard(s, i, n->number);
    node_start(n);
}

static void dies(struct sim *s)
{
    struct node *n = &s->nodes[sim_below(s, (uint32_t)s->profile.nodes)];
    if (n->state != ALIVE || n->leaving)
        return;
    int64_t back = s->now + (sim_chance(s, 50) ? sim_between(s, 0, 500 * MS) : some_time(s));
    int how = (int)sim_below(s, 3);
    excuse_all(s, n->number, back + 14 * SEC);
    watches_of(s, n->number);
    if (how == 2 && !n->frozen) {
        node_leave(n);
        back += 300 * MS;
    } else
        node_crash(n, how == 1);
    sim_at(s, back, -1, begins_again, NULL, (uint64_t)n->number);
}

static void thaw(struct sim *s, int node, void *what, uint64_t a)
{
    struct node *n = &s->nodes[(int)(a & 0xff)];
    (void)node, (void)what;
    if (n->state != ALIVE || !n->frozen || n->life != a >> 8)
        return;
    node_thaw(n);
    for (int i = 0; i < s->profile.nodes; i++)
        is_heard(s, i, n->number);
    excuse_all(s, n->number, s->now + 14 * SEC);
}

void fault_freeze(struct sim *s, int node, int64_t lasts)
{
    struct node *n = &s->nodes[node];
    if (n->state != ALIVE || n->leaving || n->frozen)
        return;
    node_freeze(n);
    for (int i = 0; i < s->profile.nodes; i++)
        if (i != n->number)
            goes_silent(s, i, n->number);
    excuse_all(s, n->number, s->now + lasts + 14 * SEC);
    sim_at(s, s->now + lasts, -1, thaw, NULL, (uint64_t)n->life << 8 | (uint64_t)n->number);
}

static void freeze(struct sim *s)
{
    int node = (int)sim_below(s, (uint32_t)s->profile.nodes);
    fault_freeze(s, node, some_time(s));
}

/* ---- paths and connections ---- */

static void speed(struct sim *s, int from, int to, int64_t rate)
{
    s->changed[from][to] = s->changed[to][from] = s->now;
    s->paths[from][to].rate = rate;
    s->paths[from][to].wire_free = s->now;
}

static void slow(struct sim *s)
{
    static const int64_t rates[] = {0, 100000000, 20000000, 5000000, 2000000};
    int a = (int)sim_below(s, (uint32_t)s->profile.nodes);
    int b = (int)sim_below(s, (uint32_t)s->profile.nodes);
    int64_t rate = rates[sim_below(s, 5)];
    if (!s->profile.slow)
        return;
    sim_trace(s, -1, "n%llu to n%llu: %llu bits a second", (uint64_t)a, (uint64_t)b,
              (uint64_t)rate);
    speed(s, a, b, rate);
    if (sim_chance(s, 50))
        speed(s, b, a, rate);
}

/* More than the path can take, of large messages: nothing is wrong, and nothing may go wrong. */
static void flood(struct sim *s)
{
    struct node *n = &s->nodes[sim_below(s, (uint32_t)s->profile.nodes)];
    uint32_t index, each = sim_between(s, 60000, n->limits.payload);
    int to = (int)sim_below(s, (uint32_t)s->profile.nodes);
    if (!s->profile.slow || n->state != ALIVE || n->leaving || n->frozen ||
        !core_index_of(n, to, &index) || !n->indexes[index].life)
        return;
    sim_trace(s, n->number, "floods n%llu with messages of %llu bytes", (uint64_t)to, each, 0);
    for (uint32_t sent = 0; sent < 3000000; sent += each)
        core_mail(n, 4, AT(index, slot_pid(0, 1)), each, 0);
}

static void late(struct sim *s)
{
    int a = (int)sim_below(s, (uint32_t)s->profile.nodes);
    int b = (int)sim_below(s, (uint32_t)s->profile.nodes);
    s->changed[a][b] = s->changed[b][a] = s->now;
    s->paths[a][b].delay = sim_between(s, 50 * US, sim_chance(s, 20) ? 600 * MS : 60 * MS);
    s->paths[a][b].jitter = sim_between(s, 0, 20 * MS);
    sim_trace(s, -1, "n%llu to n%llu: %llu ns late", (uint64_t)a, (uint64_t)b,
              (uint64_t)s->paths[a][b].delay);
}

/* Open at both ends; its nodes are excused. NULL: none was found. */
static struct conn *some_conn(struct sim *s)
{
    for (int tries = 0; tries < 8 && s->nconns; tries++) {
        struct conn *c = s->conns[sim_below(s, (uint32_t)s->nconns)];
        if (c->end[0].state != END_OPEN || c->end[1].state != END_OPEN)
            continue;
        fault_excuse(s, c->end[0].node, c->end[1].node, s->now + 14 * SEC);
        return c;
    }
    return NULL;
}

static void reset(struct sim *s)
{
    struct conn *c = some_conn(s);
    if (!c)
        return;
    int both = sim_chance(s, 50); /* else half-open */
    sim_trace(s, -1, "a connection of n%llu and n%llu is reset, both ends: %llu",
              (uint64_t)c->end[0].node, (uint64_t)c->end[1].node, (uint64_t)both);
    net_reset(s, c, both);
}

/* As if a certificate had been taken back; the next one is as good as any. */
static void shut_out(struct sim *s)
{
    struct conn *c = some_conn(s);
    const struct end *e = c ? &c->end[sim_below(s, 2)] : NULL;
    struct node *n = e ? &s->nodes[e->node] : NULL;
    if (!n || n->state != ALIVE || n->life != e->life || n->leaving || n->frozen)
        return;
    sim_trace(s, n->number, "lets conn %llu in no more", e->number, 0, 0);
    IN(n, mesh_shut_out(n->mesh, e->number, "its certificate is revoked"));
}

static void stuck(struct sim *s)
{
    struct node *n = &s->nodes[sim_below(s, (uint32_t)s->profile.nodes)];
    n->stuck_ms = n->stuck_ms ? 0 : 1000 + sim_below(s, 9000);
}

static void change_wish(struct sim *s)
{
    struct node *n = &s->nodes[sim_below(s, (uint32_t)s->profile.nodes)];
    int to = (int)sim_below(s, (uint32_t)s->profile.nodes);
    if (n->state != ALIVE || n->leaving || n->frozen || to == n->number)
        return;
    fault_excuse(s, n->number, to, s->now + 14 * SEC);
    if (n->wants[to].is_wanted && sim_chance(s, 50))
        IN(n, mesh_unwant(n->mesh, s->nodes[to].address));
    IN(n, mesh_want(n->mesh, s->nodes[to].address, MESH_OURS));
    n->wants[to].is_wanted = n->wants[to].listed = 1;
}

static void one(struct sim *s)
{
    uint32_t kind = sim_below(s, 100);
    s->tally.faults++;
    if (s->engine && sim_chance(s, s->profile.engine))
        outage(s);
    else if (kind < 22)
        cut_some(s);
    else if (kind < 28)
        island(s);
    else if (kind < 48)
        dies(s);
    else if (kind < 62)
        freeze(s);
    else if (kind < 78)
        reset(s);
    else if (kind < 85)
        slow(s);
    else if (kind < 89)
        flood(s);
    else if (kind < 93)
        late(s);
    else if (kind < 96)
        stuck(s);
    else if (kind < 98)
        shut_out(s);
    else
        change_wish(s);
}

static void next(struct sim *s, int node, void *what, uint64_t a)
{
    (void)node, (void)what, (void)a;
    if (s->now > s->profile.faults_end)
        return;
    one(s);
    sim_at(s, s->now + sim_between(s, 0, 2 * s->profile.faults_every), -1, next, NULL, 0);
}

void fault_begin(struct sim *s)
{
    /* the first seconds are without: whatever goes down in them is wrong */
    sim_at(s, sim_between(s, SEC, 6 * SEC), -1, next, NULL, 0);
}

void fault_end(struct sim *s)
{
    int n = s->profile.nodes;
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++) {
            speed(s, a, b, 0);
            if (s->paths[a][b].cut)
                fault_excuse(s, a, b, s->now + 14 * SEC);
            while (s->paths[a][b].cut)
                net_heal(s, a, b);
            s->paths[a][b].delay = s->profile.delay;
            s->paths[a][b].jitter = s->profile.jitter;
        }
    for (int a = 0; a < n; a++) {
        if (s->nodes[a].frozen)
            thaw(s, -1, NULL, (uint64_t)s->nodes[a].life << 8 | (uint64_t)a);
        for (int b = 0; b < n; b++)
            is_heard(s, b, a);
    }
    if (s->engine)
        outage_end(s);
    s->calm = 1;
}
