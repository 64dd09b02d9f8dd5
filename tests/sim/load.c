/* What the actors of a node do, at random times: mail of all sizes, also to pids of lives that are over; asks,
 * monitors, links, stops; questions; ends and beginnings. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WATCHES_MOST = 24, MEMORY = 8 };

static int random_peer(struct node *n, uint32_t *index)
{
    struct sim *s = n->sim;
    int node = (int)sim_below(s, (uint32_t)s->profile.nodes);
    return core_index_of(n, node, index) && n->indexes[*index].life ? node : -1;
}

static uint64_t random_pid(struct sim *s, int node, uint32_t index)
{
    const struct node *n = &s->nodes[node];
    int slot = (int)sim_below(s, SLOTS);
    uint32_t generation =
        n->actors[slot].generation; /* mostly whom there is, as a resolve would say */
    return AT(index, slot_pid(slot, sim_chance(s, 90) && generation ? generation : 1));
}

static uint32_t random_len(struct sim *s)
{
    uint32_t kind = sim_below(s, 100);
    if (kind < 80)
        return sim_below(s, 64);
    if (kind < 97 || !s->profile.big)
        return kind < 99 ? sim_below(s, 1000) : sim_below(s, 150000);
    return kind < 99 ? sim_below(s, 200000) : 1024 * 1024 + 100 - sim_below(s, 300000);
}

static void mail(struct node *n)
{
    struct sim *s = n->sim;
    uint32_t index, many = sim_chance(s, 4) ? 1 + sim_below(s, 100) : 1 + sim_below(s, 4);
    int node = random_peer(n, &index);
    if (node < 0)
        return;
    int slot = (int)sim_below(s, SLOTS);
    uint64_t to = random_pid(s, node, index);
    while (many--)
        core_mail(n, slot, to, random_len(s), 0);
}

/* A pid that somebody kept from a node that has gone. The core would refuse it; so must the protocol. */
static void stale_mail(struct node *n)
{
    struct sim *s = n->sim;
    uint32_t i = 1 + sim_below(s, n->next_index ? n->next_index : 1);
    int result = IRIS_DEAD;
    if (n->indexes[i].up || n->leaving)
        return;
    iris_message m = {.kind = IRIS_USER, .len = 3, .from = slot_pid(0, 1), .data = "old"};
    m.to = random_pid(s, n->number, i);
    node_send(n, &m, &result);
    if (result != IRIS_DEAD)
        sim_fail(s, "I1", "n%d: mail for index %u, which has gone, is taken: %d", n->number, i,
                 result);
}

static void ask(struct node *n)
{
    uint32_t index;
    int node = random_peer(n, &index);
    if (node >= 0)
        core_ask(n, (int)sim_below(n->sim, SLOTS), random_pid(n->sim, node, index),
                 sim_below(n->sim, 300));
}

static int count_watches(const struct node *n)
{
    int k = 0;
    for (const struct watch *w = n->watches; w; w = w->next)
        k++;
    return k;
}

static void watch(struct node *n)
{
    struct sim *s = n->sim;
    uint32_t index;
    int node, k = count_watches(n);
    if (k && (k > WATCHES_MOST || sim_chance(s, 20))) {
        struct watch *w = n->watches;
        for (uint32_t i = sim_below(s, (uint32_t)k); i; i--)
            w = w->next;
        core_unwatch(n, w);
    } else if ((node = random_peer(n, &index)) >= 0)
        core_watch(n, (int)sim_below(s, SLOTS), random_pid(s, node, index), sim_chance(s, 30));
}

static void end_or_begin(struct node *n)
{
    struct sim *s = n->sim;
    int node, slot = (int)sim_below(s, SLOTS);
    uint32_t index;
    for (int i = 0; i < SLOTS; i++)
        if (!n->actors[i].alive && sim_chance(s, 70))
            return core_spawn(n, i);
    if (slot == 0)
        return; /* one is there always */
    else if (sim_chance(s, 50))
        core_kill(n, slot);
    else if ((node = random_peer(n, &index)) >= 0)
        core_stop(n, random_pid(s, node, index));
}

/* ---- questions ---- */

static const char *const kinds[] = {"resolve", "probe", "ping", "search"};

static void check_resolved(struct question *q, uint64_t pid)
{
    struct node *n = &q->sim->nodes[q->node];
    struct index *x = core_up_index(n, IRIS_NODE(pid));
    if (!pid)
        return;
    if ((int)(RAW(pid) & 0xffffff) != q->slot + 1)
        sim_fail(q->sim, "I5", "n%d resolves svc-%d and gets pid %llx", q->node, q->slot,
                 (unsigned long long)pid);
    if (!x || (x->life && x->node != q->to))
        sim_fail(q->sim, "I5", "n%d resolves svc-%d at n%d and gets a pid of index %u", q->node,
                 q->slot, q->to, IRIS_NODE(pid));
}

/* One of those that have it, and that is up. Who of them: see conflict_in(). */
static void check_found(struct question *q, uint64_t pid)
{
    struct node *n = &q->sim->nodes[q->node];
    if (pid && ((int)(RAW(pid) & 0xffffff) != q->slot + 1 || !core_up_index(n, IRIS_NODE(pid))))
        sim_fail(q->sim, "I6", "n%d searches svc-%d and gets pid %llx of index %u", q->node,
                 q->slot, (unsigned long long)RAW(pid), IRIS_NODE(pid));
}

static void answered(void *ctx, int result, uint64_t pid, const char *why)
{
    struct question *q = ctx;
    struct sim *s = q->sim;
    struct node *n = &s->nodes[q->node];
    (void)why;
    if (n->state != ALIVE || n->life != q->life)
        return;
    sim_trace(s, q->node, "question answered: %llu, pid %llu", (uint64_t)result, RAW(pid), 0);
    if (q->answers++)
        sim_fail(s, "I5", "n%d: a second answer to a %s", q->node, kinds[q->kind]);
    if (result != IRIS_OK)
        return;
    if (q->kind == RESOLVE)
        check_resolved(q, pid);
    else if (q->kind == SEARCH)
        check_found(q, pid);
    else if (pid && q->died)
        sim_fail(s, "I5", "n%d: a %s finds alive what was dead before", q->node, kinds[q->kind]);
}

static struct question *make_question(struct node *n, int kind, int to)
{
    struct sim *s = n->sim;
    struct question *q = calloc(1, sizeof *q);
    if (!q)
        abort();
    *q = (struct question){.next = s->questions,
                           .node = n->number,
                           .to = to,
                           .life = n->life,
                           .asked_at = s->now,
                           .asked = node_local(n, s->now),
                           .kind = kind,
                           .sim = s};
    q->deadline = q->asked + (sim_chance(s, 50) ? 5 * SEC : sim_between(s, 100 * MS, 3 * SEC));
    s->questions = q;
    s->tally.questions++;
    sim_trace(s, n->number, "question %llu to n%llu", (uint64_t)kind, (uint64_t)to, 0);
    return q;
}

static void resolve(struct node *n)
{
    struct sim *s = n->sim;
    int to = (int)sim_below(s, (uint32_t)s->profile.nodes);
    struct question *q = to == n->number ? NULL : make_question(n, RESOLVE, to);
    char name[NAMES];
    if (!q)
        return;
    q->slot = (int)sim_below(s, SLOTS + 1); /* nobody has the last one */
    snprintf(name, sizeof name, "svc-%d", q->slot);
    const char *at = sim_chance(s, 50) ? s->nodes[to].address : s->nodes[to].name;
    IN(n, mesh_resolve(n->mesh, at, name, q->deadline - q->asked, answered, q));
}

/* Each node has most of these names: there is nearly always somebody who loses it. */
static void search(struct node *n)
{
    struct sim *s = n->sim;
    struct question *q = make_question(n, SEARCH, n->number);
    char name[NAMES];
    q->slot = (int)sim_below(s, SLOTS + 1);
    snprintf(name, sizeof name, "svc-%d", q->slot);
    IN(n, mesh_search(n->mesh, name, q->deadline - q->asked, answered, q));
}

static void probe(struct node *n)
{
    struct sim *s = n->sim;
    uint32_t index;
    int to = random_peer(n, &index);
    if (to < 0)
        return;
    struct question *q = make_question(n, PROBE, to);
    uint64_t pid = random_pid(s, to, index);
    struct node *t = &s->nodes[to];
    q->died = t->state != ALIVE || t->life != n->indexes[index].life ||
              (!core_living(t, RAW(pid)) &&
               (RAW(pid) >> 24) <= t->actors[(RAW(pid) & 0xffffff) - 1].generation);
    IN(n, mesh_probe(n->mesh, pid, q->deadline - q->asked, answered, q));
}

static void ping(struct node *n)
{
    struct sim *s = n->sim;
    int to = (int)sim_below(s, (uint32_t)s->profile.nodes);
    if (to == n->number)
        return;
    struct question *q = make_question(n, PING, to);
    IN(n, mesh_ping(n->mesh, s->nodes[to].address, q->deadline - q->asked, answered, q));
}

/* Each has its answer in time: late only by what the node itself was late. */
void load_check(struct sim *s)
{
    for (struct question **at = &s->questions, *q; (q = *at);) {
        struct node *n = &s->nodes[q->node];
        int over = q->answers || n->life != q->life || n->state != ALIVE || n->leaving;
        if (!over && !n->frozen && s->now - n->thawed > 100 * MS &&
            node_local(n, s->now) > q->deadline + 200 * MS)
            sim_fail(s, "I5", "n%d: a %s to n%d, asked at %.6f, has no answer in time", n->number,
                     kinds[q->kind], q->to, (double)q->asked_at / 1e9);
        if (over && s->now - q->asked_at > 10 * SEC) { /* kept so long for a second one */
            *at = q->next;
            free(q);
        } else
            at = &q->next;
    }
}

void load_forget(struct sim *s)
{
    for (struct question *q; (q = s->questions); free(q))
        s->questions = q->next;
}

/* ---- one after the other ---- */

static void act(struct sim *s, int node, void *what, uint64_t a)
{
    struct node *n = &s->nodes[node];
    uint32_t kind = sim_below(s, 100);
    (void)what, (void)a;
    if (s->quiet || n->leaving)
        return;
    if (kind < 50)
        mail(n);
    else if (kind < 62)
        ask(n);
    else if (kind < 75)
        watch(n);
    else if (kind < 82)
        resolve(n);
    else if (kind < 88)
        probe(n);
    else if (kind < 91)
        ping(n);
    else if (kind < 94)
        end_or_begin(n);
    else if (kind < 97)
        stale_mail(n);
    else if (kind < 99)
        search(n);
    core_identify(n);
    sim_at(s, s->now + sim_between(s, 0, 2 * s->profile.pace), node, act, NULL, 0);
}

void load_begin(struct node *n)
{
    struct sim *s = n->sim;
    sim_at(s, s->now + sim_between(s, 0, 2 * s->profile.pace), n->number, act, NULL, 0);
}
