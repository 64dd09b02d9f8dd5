/* What must hold at each moment, looked at four times a second, and at the end. */
#include "sim.h"

#include <string.h>

enum { EVERY = 250 };

/* ---- a link went: was that right? ---- */

void check_down(struct node *n, struct index *x, uint32_t number)
{
    struct sim *s = n->sim;
    const struct node *o = &s->nodes[x->node];
    if (n->leaving || o->state != ALIVE || o->leaving || o->life != x->life)
        return;
    if (s->now > s->excused[n->number][x->node])
        sim_fail(s, "I3", "n%d: index %u, n%d, goes down, and nothing is wrong between them",
                 n->number, number, x->node);
}

/* ---- a heartbeat does not wait for mail ---- */

/* For no more of it than the kernel has taken, and the frame whose beginning it has. */
static int64_t way_time(const struct sim *s, int from, int to)
{
    const struct path *p = &s->paths[from][to];
    int64_t bytes = s->profile.sndbuf + 65536 + 16384;
    uint32_t most = s->profile.window < s->profile.sndbuf ? s->profile.window : s->profile.sndbuf;
    int64_t windows = 1 + bytes / most; /* one is under way at a time */
    return windows * (p->delay + p->jitter) + (p->rate ? bytes * 8 * SEC / p->rate : 0);
}

void check_rtt(struct node *n, int to, int64_t rtt)
{
    struct sim *s = n->sim;
    int64_t calm = s->excused[n->number][to];
    calm = calm > s->changed[n->number][to] ? calm : s->changed[n->number][to];
    if (s->now < calm + 4 * SEC || s->now < 5 * SEC)
        return;
    int64_t most = way_time(s, n->number, to) + way_time(s, to, n->number);
    most += most / 2 + 100 * MS;
    if (rtt > most)
        sim_fail(s, "I9", "n%d: a heartbeat to n%d and back took %.3f s, at most %.3f", n->number,
                 to, (double)rtt / 1e9, (double)most / 1e9);
}

/* ---- each watch is told in time ---- */

/* Since when n cannot have heard of it, directly or through the other end that closes; 0: it can. */
static int64_t late_since(struct sim *s, const struct node *n, const struct watch *w,
                          int64_t *bound)
{
    int64_t silent = s->silent[n->number][w->node];
    int64_t other = s->silent[w->node][n->number];
    *bound = 5 * SEC + 300 * MS; /* 300 ms: the checks' own, ticks, and the way */
    if (w->gone || silent) {     /* what was on its way may still come, late */
        int64_t heard = s->heard[n->number][w->node];
        int64_t since = w->gone ? w->gone : silent;
        return since > heard ? since : heard;
    }
    if (w->actor_gone) {
        int64_t excused = s->excused[n->number][w->node];
        *bound += 700 * MS; /* what a slow path carries before it */
        return excused > w->actor_gone ? excused : w->actor_gone;
    }
    *bound *= 2;
    return other && !s->nodes[w->node].frozen ? (other > w->made ? other : w->made) : 0;
}

static void check_watches(struct sim *s, struct node *n)
{
    for (struct watch *w = n->watches; w; w = w->next) {
        int64_t bound, since = late_since(s, n, w, &bound);
        if (!since)
            continue;
        if (since < w->made)
            since = w->made;
        if (since < n->thawed + SEC && n->thawed != n->started)
            since = n->thawed + SEC;
        if (s->now - since > bound)
            sim_fail(s, "I3", "n%d: no DOWN of %llx at n%d, ref %llu, which went %.3f s ago",
                     n->number, (unsigned long long)RAW(w->target), w->node,
                     (unsigned long long)w->ref, (double)(s->now - since) / 1e9);
    }
}

/* ---- questions told at once when the link goes ---- */

static void check_asks(struct sim *s)
{
    for (size_t i = 0; i < s->ledger.nasks; i++) {
        struct ask *a = &s->ledger.asks[i];
        const struct node *n = &s->nodes[a->node];
        if (a->index_down_at && !a->answered && !a->refused && !a->forwarded &&
            n->life == a->life && n->state == ALIVE && !n->leaving &&
            s->now - a->index_down_at > 500 * MS)
            sim_fail(s, "I5", "n%d: ask %zu is open, and its link went at %.6f", a->node, i,
                     (double)a->index_down_at / 1e9);
    }
}

static void check_memory(struct sim *s, struct node *n)
{
    int64_t each =
        2 * ((int64_t)n->limits.queue + n->limits.window) + 4 * (int64_t)n->limits.payload;
    int64_t most = 2 * 1024 * 1024 + (each + 512 * 1024) * s->profile.nodes;
    if (n->memory > most)
        sim_fail(s, "I7", "n%d: %lld bytes, at most %lld", n->number, (long long)n->memory,
                 (long long)most);
    if (n->memory_most > s->tally.memory_most)
        s->tally.memory_most = n->memory_most;
}

/* ---- links that should be there ---- */

static int linked(struct sim *s, int a, int b)
{
    uint32_t i;
    const struct index *x = core_index_of(&s->nodes[a], b, &i);
    return x && x->life == s->nodes[b].life;
}

static int should_link(const struct sim *s, int a, int b)
{
    const struct node *x = &s->nodes[a], *y = &s->nodes[b];
    return a != b && x->state == ALIVE && y->state == ALIVE && !x->leaving && !y->leaving &&
           x->stranger == y->stranger && (x->wants[b].is_wanted || y->wants[a].is_wanted);
}

/* It wants the other, which is there, and nothing is in their way: at once. */
static void check_joins(struct sim *s, struct node *n)
{
    for (int b = 0; b < s->profile.nodes && !s->profile.full; b++) {
        const struct node *o = &s->nodes[b];
        int64_t since = n->started > o->started ? n->started : 0;
        if (!since || !n->wants[b].listed || !should_link(s, n->number, b) ||
            s->silent[b][n->number] || s->silent[n->number][b] || s->now < since + 3 * SEC ||
            s->now > since + 4 * SEC)
            continue;
        if (s->paths[n->number][b].cut_at > since - 10 * SEC ||
            s->paths[b][n->number].cut_at > since - 10 * SEC || o->thawed > since - 2 * SEC ||
            s->paths[n->number][b].rate || s->paths[b][n->number].rate)
            continue;
        if (s->excused[n->number][b] <= since + 14 * SEC && !linked(s, n->number, b))
            sim_fail(s, "I4", "n%d began at %.3f and is not linked with n%d", n->number,
                     (double)since / 1e9, b);
    }
}

static void check_converged(struct sim *s)
{
    for (int a = 0; a < s->profile.nodes; a++)
        for (int b = 0; b < s->profile.nodes; b++)
            if (should_link(s, a, b) && !linked(s, a, b))
                sim_fail(s, "I4", "n%d is not linked with n%d, %.1f s after the last fault", a, b,
                         (double)(s->now - s->profile.faults_end) / 1e9);
}

/* ---- when ---- */

static void look(struct sim *s, int node, void *what, uint64_t a)
{
    (void)node, (void)what;
    load_check(s);
    for (int i = 0; i < s->profile.nodes; i++) {
        struct node *n = &s->nodes[i];
        if (n->state != ALIVE || n->frozen || n->leaving)
            continue;
        check_watches(s, n);
        check_memory(s, n);
        check_joins(s, n);
        if (a % 4 == 0)
            core_nodes(n);
    }
    if (a % 4 == 0)
        check_asks(s);
    sim_at(s, s->now + EVERY * MS, -1, look, NULL, a + 1);
}

void check_begin(struct sim *s)
{
    sim_at(s, EVERY * MS, -1, look, NULL, 1);
}

void check_end(struct sim *s)
{
    check_converged(s);
    for (int i = 0; i < s->profile.nodes; i++) {
        const struct node *n = &s->nodes[i];
        for (const struct watch *w = n->watches; w; w = w->next)
            if (w->gone || w->actor_gone)
                sim_fail(s, "I3", "n%d: no DOWN of %llx at n%d, ref %llu, at the end", i,
                         (unsigned long long)RAW(w->target), w->node, (unsigned long long)w->ref);
        if (n->memory > 4 * 1024 * 1024)
            sim_fail(s, "I7", "n%d: %lld bytes when all is quiet", i, (long long)n->memory);
    }
    ledger_balance(s);
}
