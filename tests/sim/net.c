/* Connections as a kernel and a network make them: bytes in order, in pieces of any size, late, slowly, or never.
 *
 * A loss stalls its way: the sender's kernel sends again some time after the path is whole (up to seconds: its
 * timer has backed off). A host that is off answers nothing and sends nothing; one that is on and does not
 * know a connection resets it. A frozen process has a kernel that goes on: it acknowledges, up to its window. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 1u << 18, BACKLOG = 8 };

static event_run arrive, fin_arrives, rst_arrives, read_some, told_closed, told_writable, syn,
    told_connected, told_accepted, resume;

static struct path *path(struct sim *s, int from, int to)
{
    return &s->paths[from][to];
}

static int lives(const struct sim *s, const struct end *e)
{
    const struct node *n = &s->nodes[e->node];
    return n->state == ALIVE && n->life == e->life;
}

/* A frame of the network from end i now: whether it gets to the host of the other end. */
static int passes(struct sim *s, const struct conn *c, int i)
{
    return !path(s, c->end[i].node, c->end[!i].node)->cut &&
           s->nodes[c->end[!i].node].state != HOST_OFF;
}

static int64_t delay(struct sim *s, const struct conn *c, int i)
{
    const struct path *p = path(s, c->end[i].node, c->end[!i].node);
    return p->delay + sim_between(s, 0, p->jitter);
}

static uint64_t pack(int way, uint32_t epoch, uint32_t n)
{
    return (uint64_t)epoch << 33 | (uint64_t)n << 1 | (uint64_t)way;
}

/* ---- memory ---- */

static unsigned char *ring_take(struct sim *s)
{
    if (s->nrings)
        return s->rings[--s->nrings];
    unsigned char *r = malloc(RING);
    if (!r)
        abort();
    return r;
}

static void ring_give(struct sim *s, struct way *w)
{
    if (!w->ring)
        return;
    s->rings = sim_grow(s->rings, &s->rings_room, s->nrings, sizeof *s->rings);
    s->rings[s->nrings++] = w->ring;
    w->ring = NULL;
    w->came = w->flying = w->unsent = 0;
}

/* Nothing more is sent from here; what flies may arrive, if `arrives`. */
static void way_ends(struct sim *s, struct way *w, int arrives)
{
    w->dead = 1;
    w->unsent = 0;
    w->fin = 0;
    if (!arrives) {
        w->epoch++;
        w->flying = 0;
    }
    if (!w->came && !w->flying)
        ring_give(s, w);
}

static struct conn *find(struct node *n, uint32_t number, int *i)
{
    for (size_t k = 0; k < n->nconns; k++) {
        struct conn *c = n->conns[k];
        for (*i = 0; *i < 2; ++*i)
            if (c->end[*i].node == n->number && c->end[*i].life == n->life &&
                c->end[*i].number == number && c->end[*i].state != END_CLOSED)
                return c;
    }
    return NULL;
}

static void keep(struct node *n, struct conn *c)
{
    n->conns = sim_grow(n->conns, &n->conns_room, n->nconns, sizeof *n->conns);
    n->conns[n->nconns++] = c;
}

static void forget(struct node *n, const struct conn *c)
{
    for (size_t k = 0; k < n->nconns; k++)
        if (n->conns[k] == c) {
            n->conns[k] = n->conns[--n->nconns];
            return;
        }
}

/* ---- bytes ---- */

static uint32_t room_to_write(const struct sim *s, const struct way *w)
{
    uint32_t used = w->unsent + w->flying + w->unacked;
    return used < s->profile.sndbuf ? s->profile.sndbuf - used : 0;
}

static void launch(struct sim *s, struct conn *c, int i, uint32_t n)
{
    struct way *w = &c->way[i];
    struct path *p = path(s, c->end[i].node, c->end[!i].node);
    int64_t at = s->now;
    if (p->rate) {
        at = p->wire_free > at ? p->wire_free : at;
        p->wire_free = at += (int64_t)n * 8 * SEC / p->rate;
    }
    at += delay(s, c, i);
    w->last_at = at = at > w->last_at ? at : w->last_at;
    w->unsent -= n;
    w->flying += n;
    s->tally.bytes += n;
    sim_at(s, at, -1, arrive, c, pack(i, w->epoch, n));
}

static void kick(struct sim *s, struct conn *c, int i)
{
    struct way *w = &c->way[i];
    if (w->stalled || w->dead)
        return;
    uint32_t most = path(s, c->end[i].node, c->end[!i].node)->rate ? 8192 : 65536;
    while (w->unsent && w->came + w->flying < s->profile.window) {
        uint32_t n = s->profile.window - w->came - w->flying;
        n = n < w->unsent ? n : w->unsent;
        launch(s, c, i, n < most ? n : most);
    }
    if (w->fin && !w->fin_flies && !w->unsent) {
        int64_t at = s->now + delay(s, c, i);
        w->fin_flies = 1;
        w->last_at = at > w->last_at ? at : w->last_at;
        sim_at(s, w->last_at, -1, fin_arrives, c, pack(i, w->epoch, 0));
    }
}

static void stall(struct way *w)
{
    w->stalled = 1;
    w->epoch++;
    w->unsent += w->flying;
    w->flying = 0;
    w->fin_flies = 0;
    if (w->dead)
        w->unsent = 0; /* who would send it again is gone */
}

static void resume(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    int i = (int)(a & 1);
    (void)node;
    c->way[!i].unacked = passes(s, c, i) ? 0 : c->way[!i].unacked;
    if (!c->way[i].stalled || !passes(s, c, i))
        return;
    c->way[i].stalled = 0;
    kick(s, c, i);
    if (c->way[!i].full && lives(s, &c->end[!i]))
        sim_at(s, s->now, c->end[!i].node, told_writable, c, (uint64_t)!i);
}

static void rst(struct sim *s, struct conn *c, int from)
{
    sim_at(s, s->now + delay(s, c, from), -1, rst_arrives, c, (uint64_t)from);
}

static void want_read(struct sim *s, struct conn *c, int i)
{
    struct end *e = &c->end[i];
    if (e->state != END_OPEN || e->reads || !lives(s, e))
        return;
    e->reads = 1;
    sim_at(s, s->now, e->node, read_some, c, (uint64_t)i);
}

static void want_told_closed(struct sim *s, struct conn *c, int i)
{
    struct end *e = &c->end[i];
    if (e->told || !lives(s, e))
        return;
    e->told = 1;
    sim_at(s, s->now, e->node, told_closed, c, (uint64_t)i);
}

static void want_write(struct sim *s, struct conn *c, int i)
{
    struct way *w = &c->way[i];
    if (w->full && room_to_write(s, w) >= s->profile.sndbuf / 4 && lives(s, &c->end[i]))
        sim_at(s, s->now, c->end[i].node, told_writable, c, (uint64_t)i);
}

static void arrive(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    int i = (int)(a & 1);
    uint32_t n = (uint32_t)(a >> 1);
    struct way *w = &c->way[i];
    (void)node;
    if ((uint32_t)(a >> 33) != (w->epoch & 0x7fffffffu))
        return;
    if (!passes(s, c, i))
        return stall(w);
    w->flying -= n;
    if (c->end[!i].state == END_CLOSED || !lives(s, &c->end[!i])) {
        way_ends(s, w, 0);
        return rst(s, c, !i);
    }
    w->came += n;
    if (!passes(s, c, !i))
        w->unacked += n;
    want_read(s, c, !i);
    kick(s, c, i);
    want_write(s, c, i);
}

static void fin_arrives(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    int i = (int)(a & 1);
    struct way *w = &c->way[i];
    (void)node;
    if ((uint32_t)(a >> 33) != (w->epoch & 0x7fffffffu) || w->dead)
        return;
    if (!passes(s, c, i))
        return stall(w);
    w->fin_came = 1;
    want_read(s, c, !i);
}

static void rst_arrives(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    int from = (int)(a & 1);
    struct end *e = &c->end[!from];
    (void)node;
    if (!passes(s, c, from) || e->state == END_CLOSED)
        return;
    way_ends(s, &c->way[!from], 0);
    if (e->state == END_WAITS)
        e->state = END_CLOSED; /* the kernel takes it out of the backlog */
    else
        want_told_closed(s, c, !from);
}

/* Hands n bytes at the head to the protocol. */
static void give_bytes(struct sim *s, struct conn *c, int i, uint32_t n)
{
    struct way *w = &c->way[!i];
    struct end *e = &c->end[i];
    uint32_t straight = RING - w->head;
    const unsigned char *from = w->ring + w->head;
    n = n < straight ? n : straight;
    w->head = (w->head + n) & (RING - 1);
    w->came -= n;
    struct node *to = &s->nodes[e->node];
    s->heard[e->node][c->end[!i].node] = s->now;
    sim_trace(s, e->node, "conn %llu: %llu bytes", e->number, n, from[0]);
    IN(to, mesh_bytes(to->mesh, e->number, from, n));
    core_identify(to);
}

static void read_some(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    int i = (int)(a & 1);
    struct way *w = &c->way[!i];
    struct end *e = &c->end[i];
    (void)node;
    e->reads = 0;
    while (e->state == END_OPEN && w->came) {
        uint32_t n = w->came;
        if (n > 1 && sim_chance(s, 20))
            n = 1 + sim_below(s, n < s->profile.chunk ? n : s->profile.chunk);
        give_bytes(s, c, i, n);
        if (w->came && sim_chance(s, 50))
            break; /* the rest in an event of its own, so other things come between */
    }
    if (e->state != END_OPEN)
        return;
    kick(s, c, !i);
    want_write(s, c, !i);
    if (w->came)
        want_read(s, c, i);
    else if (w->fin_came)
        want_told_closed(s, c, i);
    if (!w->came && w->dead && !w->flying)
        ring_give(s, w);
}

static void told_writable(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    int i = (int)(a & 1);
    struct node *n = &s->nodes[node];
    if (c->end[i].state != END_OPEN || !c->way[i].full || !room_to_write(s, &c->way[i]))
        return;
    c->way[i].full = 0;
    IN(n, mesh_writable(n->mesh, c->end[i].number));
}

/* ---- how a connection begins and ends ---- */

static void told_closed(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    int i = (int)(a & 1);
    struct end *e = &c->end[i];
    struct node *n = &s->nodes[node];
    if (e->state != END_OPEN && e->state != END_DIALS)
        return;
    int dialled = e->state == END_DIALS;
    e->state = END_CLOSED;
    c->way[!i].came = 0;
    way_ends(s, &c->way[i], 0);
    forget(n, c);
    sim_trace(s, node, "conn %llu: closed by the network", e->number, 0, 0);
    IN(n, mesh_closed(n->mesh, e->number,
                      dialled               ? "connection refused"
                      : c->way[!i].fin_came ? "end of stream"
                                            : "connection reset by peer"));
}

static void told_connected(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    struct node *n = &s->nodes[node];
    struct mesh_identity nobody = {0};
    (void)a;
    if (c->end[0].state != END_DIALS || c->end[0].told)
        return;
    c->end[0].state = END_OPEN;
    sim_trace(s, node, "conn %llu: connected to n%llu", c->end[0].number, (uint64_t)c->end[1].node,
              0);
    IN(n, mesh_connected(n->mesh, c->end[0].number, &nobody));
    if (c->way[1].came || c->way[1].fin_came)
        want_read(s, c, 0);
}

static void told_accepted(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    struct node *n = &s->nodes[node];
    struct mesh_identity nobody = {0};
    int result = IRIS_OK;
    (void)a;
    if (c->end[1].state != END_WAITS)
        return;
    n->next_conn += 2;
    c->end[1].number = n->next_conn - 2;
    c->end[1].state = END_OPEN;
    keep(n, c);
    sim_trace(s, node, "conn %llu: accepted from n%llu", c->end[1].number, (uint64_t)c->end[0].node,
              0);
    IN(n, result = mesh_accepted(n->mesh, c->end[1].number, s->nodes[c->end[0].node].address,
                                 MESH_OURS, &nobody));
    if (result) {
        c->end[1].state = END_CLOSED;
        forget(n, c);
        way_ends(s, &c->way[1], 0);
        return rst(s, c, 1);
    }
    want_read(s, c, 1);
}

static int backlog(const struct sim *s, int node)
{
    int n = 0;
    for (size_t i = 0; i < s->nconns; i++)
        n += s->conns[i]->end[1].node == node && s->conns[i]->end[1].state == END_WAITS;
    return n;
}

static void syn(struct sim *s, int node, void *what, uint64_t a)
{
    struct conn *c = what;
    struct end *to = &c->end[1];
    struct node *n = &s->nodes[to->node];
    (void)node, (void)a;
    if (c->end[0].state != END_DIALS || !lives(s, &c->end[0]))
        return;
    if (!passes(s, c, 0) || path(s, to->node, c->end[0].node)->cut ||
        (n->state == ALIVE && n->frozen && backlog(s, to->node) >= BACKLOG)) {
        if (c->syns < 6) /* the kernel tries again after 1, 2, 4, .. s */
            sim_at(s, s->now + (SEC << c->syns++), -1, syn, c, 0);
        return;
    }
    if (n->state != ALIVE || n->leaving)
        return rst(s, c, 1);
    to->life = n->life;
    to->state = END_WAITS;
    sim_at(s, s->now + delay(s, c, 1), c->end[0].node, told_connected, c, 0);
    sim_at(s, s->now, to->node, told_accepted, c, 0);
}

static int host_of(struct sim *s, const char *address)
{
    for (int i = 0; i < s->profile.nodes; i++)
        if (!strcmp(s->nodes[i].address, address))
            return i;
    return -1;
}

void net_dial(struct sim *s, struct node *n, uint32_t number, const char *address)
{
    int i, to = host_of(s, address);
    if (!number || number & 1 || find(n, number, &i))
        return sim_fail(s, "seam", "n%d dials with the number %u", n->number, number);
    struct conn *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    s->conns = sim_grow(s->conns, &s->conns_room, s->nconns, sizeof *s->conns);
    s->conns[s->nconns++] = c;
    s->tally.conns++;
    c->end[0] =
        (struct end){.node = n->number, .life = n->life, .number = number, .state = END_DIALS};
    c->end[1].node = to < 0 ? n->number : to;
    keep(n, c);
    sim_trace(s, n->number, "conn %llu: dials n%llu", number, (uint64_t)c->end[1].node, 0);
    if (to < 0)
        return want_told_closed(s, c, 0);
    sim_at(s, s->now + delay(s, c, 0), -1, syn, c, 0);
}

size_t net_write(struct sim *s, struct node *n, uint32_t number, const void *bytes, size_t len)
{
    int i;
    struct conn *c = find(n, number, &i);
    if (n->state != ALIVE)
        return len; /* mesh_free() after a crash: nobody hears it */
    if (!c || c->end[i].state != END_OPEN)
        return sim_fail(s, "seam", "n%d writes on connection %u, which is not open", n->number,
                        number),
               len;
    struct way *w = &c->way[i];
    uint32_t room = w->dead ? 0 : room_to_write(s, w), k = len < room ? (uint32_t)len : room;
    if (!w->ring)
        w->ring = ring_take(s);
    uint32_t at = (w->head + w->came + w->flying + w->unsent) & (RING - 1);
    uint32_t straight = RING - at < k ? RING - at : k;
    memcpy(w->ring + at, bytes, straight);
    memcpy(w->ring, (const char *)bytes + straight, k - straight);
    w->unsent += k;
    w->full |= k < len;
    sim_trace(s, n->number, "conn %llu: writes %llu of %llu", number, k, len);
    kick(s, c, i);
    return k;
}

static void end_closes(struct sim *s, struct conn *c, int i, int linger)
{
    int dialled = c->end[i].state == END_DIALS;
    forget(&s->nodes[c->end[i].node], c);
    c->end[i].state = END_CLOSED;
    int unread = c->way[!i].came != 0;
    c->way[!i].came = 0;
    if (dialled && !c->end[1].life)
        return;
    if (linger && !unread) {
        c->way[i].fin = 1;
        kick(s, c, i);
    } else {
        way_ends(s, &c->way[i], sim_chance(s, 50));
        rst(s, c, i);
    }
}

void net_close(struct sim *s, struct node *n, uint32_t number, int linger)
{
    int i;
    struct conn *c = find(n, number, &i);
    if (n->state != ALIVE)
        return;
    if (!c)
        return sim_fail(s, "seam", "n%d closes connection %u, which it has not", n->number, number);
    sim_trace(s, n->number, "conn %llu: closes, linger %llu", number, (uint64_t)linger, 0);
    end_closes(s, c, i, linger);
}

/* ---- faults ---- */

void net_cut(struct sim *s, int from, int to)
{
    struct path *p = path(s, from, to);
    if (!p->cut++)
        p->cut_at = s->now;
}

static void whole_again(struct sim *s, int from, int to, int64_t lasted)
{
    for (size_t k = 0; k < s->nconns; k++)
        for (int i = 0; i < 2; i++) {
            struct conn *c = s->conns[k];
            if (c->end[i].node != from || c->end[!i].node != to ||
                (!c->way[i].stalled && !c->way[!i].unacked))
                continue;
            int64_t most = lasted < 6 * SEC ? lasted : 6 * SEC;
            sim_at(s, s->now + sim_between(s, 20 * MS, 20 * MS + most), -1, resume, c, (uint64_t)i);
        }
}

void net_heal(struct sim *s, int from, int to)
{
    struct path *p = path(s, from, to);
    if (p->cut && !--p->cut)
        whole_again(s, from, to, s->now - p->cut_at);
}

void net_host_up(struct sim *s, int node)
{
    for (int i = 0; i < s->profile.nodes; i++)
        whole_again(s, i, node, 6 * SEC);
}

void net_died(struct sim *s, struct node *n, int quietly)
{
    for (size_t k = 0; k < s->nconns; k++)
        for (int i = 0; i < 2; i++) {
            struct conn *c = s->conns[k];
            struct end *e = &c->end[i];
            if (e->node != n->number || e->state == END_CLOSED || e->state == END_NONE)
                continue;
            if (!quietly) {
                end_closes(s, c, i, sim_chance(s, 50));
                continue;
            }
            e->state = END_CLOSED;
            c->way[!i].came = 0;
            way_ends(s, &c->way[i], 1);
        }
    n->nconns = 0;
}

void net_reset(struct sim *s, struct conn *c, int both)
{
    int first = (int)sim_below(s, 2);
    for (int k = 0; k <= both; k++) {
        int i = first ^ k;
        way_ends(s, &c->way[i], 0);
        want_told_closed(s, c, i);
    }
}

void net_finish(struct sim *s)
{
    for (size_t k = 0; k < s->nconns; k++) {
        for (int i = 0; i < 2; i++)
            free(s->conns[k]->way[i].ring);
        free(s->conns[k]);
    }
    for (size_t k = 0; k < s->nrings; k++)
        free(s->rings[k]);
    free(s->conns);
    free(s->rings);
}
