/* Meshes that are wired to each other in memory, under one fake clock: for tests of mesh/.
 *
 *   struct meshes net;
 *   meshes_begin(&net);
 *   struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);   name, and first byte of the id
 *   mesh_want(a->mesh, "b:1", MESH_OURS);                                      its address is NAME:1
 *   meshes_run(&net, 100 * MS);                                                so much time goes by
 *   meshes_finish(&net);
 *
 * An end keeps what it was told: got[], letters[], events. It has 100 actors, pids 1 to 99 (taken[pid] says how
 * their mailboxes answer), and names[]. */
#ifndef IRIS_TESTS_MESHES_H
#define IRIS_TESTS_MESHES_H

#include "mesh.h"

#include <iris/ext/watch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

enum { ENDS = 6, WIRES = 64, KEPT = 4096 };

struct got {
    uint32_t kind, len;
    uint64_t from, to, ref;
    char text[64];
};

struct end {
    struct meshes *net;
    struct mesh *mesh;
    struct mesh_config config;
    char name[32];
    int taken[100], dead;
    uint64_t whereis[4];
    const char *names[4];
    struct got got[KEPT], letters[KEPT];
    char reasons[KEPT][16];
    int ngot, nletters, unanswered, ups, downs, rooms, refused, conflicts, dialled, failures;
    uint64_t delivered, lettered;
    uint32_t rights; /* of the last one that is up */
    uint64_t run;
    char last_up[64], last_down[160], last_refused[64], last_conflict[160], last_failed[160];
    uint32_t indexes, index; /* given out; the last */
    uint32_t pace;           /* as last asked for; 0: never */
    int64_t alarm, behind;   /* its clock is that much behind */
    uint64_t random;
    struct mesh_age ages[2];
    int nages;
    uint32_t stuck;
    size_t written, writes;
    uint8_t raw[65536]; /* written to connections that have no wire: those of a test itself */
    size_t nraw;
    int closed;
};

struct side {
    struct end *end;
    uint32_t conn;
    uint8_t *bytes; /* that it has written, on their way */
    size_t have, room;
    int open, blocked;
};

struct wire {
    struct side side[2];
    int used, cut[2]; /* cut[i]: what side i writes stays on the way */
    size_t pipe;      /* bytes that are under way at most, each way; 0: any number */
};

struct meshes {
    int64_t now;
    struct end *ends[ENDS];
    int n;
    struct wire wires[WIRES];
    uint32_t conns;
    enum mesh_compat compat; /* of listeners */
    int refuse_dials;
    size_t chop;  /* bytes are handed over in pieces of this size; 0: all there are */
    size_t pipe;  /* of new wires */
    int64_t step; /* time goes by in steps of */
    struct mesh_identity who;
};

static inline int64_t end_now(void *ctx)
{
    struct end *e = ctx;
    return e->net->now - e->behind;
}

static inline uint64_t end_random(void *ctx)
{
    struct end *e = ctx;
    e->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = e->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline void end_secret(void *ctx, void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)end_random(ctx);
}

static inline void end_wake(void *ctx, int64_t at)
{
    ((struct end *)ctx)->alarm = at;
}

static inline struct side *end_side(struct end *e, uint32_t conn, struct wire **wire)
{
    for (int i = 0; i < WIRES; i++)
        for (int s = 0; s < 2; s++) {
            struct side *x = &e->net->wires[i].side[s];
            if (e->net->wires[i].used && x->end == e && x->conn == conn) {
                if (wire)
                    *wire = &e->net->wires[i];
                return x;
            }
        }
    return NULL;
}

static inline struct end *meshes_named(struct meshes *net, const char *address)
{
    for (int i = 0; i < net->n; i++) {
        size_t n = strlen(net->ends[i]->name);
        if (!strncmp(address, net->ends[i]->name, n) && address[n] == ':' && !net->ends[i]->dead)
            return net->ends[i];
    }
    return NULL;
}

/* The wire is there at once; both ends hear of it when time goes by. */
static inline void end_dial(void *ctx, uint32_t conn, const char *address, int compat)
{
    struct end *e = ctx, *to = meshes_named(e->net, address);
    struct wire *w = e->net->wires;
    (void)compat;
    while (w->used)
        w++;
    e->dialled++;
    free(w->side[0].bytes);
    free(w->side[1].bytes);
    *w = (struct wire){.used = 1, .pipe = e->net->pipe};
    w->side[0] = (struct side){.end = e, .conn = conn, .open = 2};
    w->side[1] = (struct side){.end = e->net->refuse_dials ? NULL : to, .open = 2};
}

static inline size_t end_write(void *ctx, uint32_t conn, const void *bytes, size_t n)
{
    struct end *e = ctx;
    struct wire *w = NULL;
    struct side *s = end_side(e, conn, &w);
    if (!s) {
        size_t keep = e->nraw + n > sizeof e->raw ? sizeof e->raw - e->nraw : n;
        memcpy(e->raw + e->nraw, bytes, keep);
        e->nraw += keep;
        return n;
    }
    size_t take = w->pipe && s->have + n > w->pipe ? w->pipe - s->have : n;
    s->blocked = take < n;
    if (s->have + take > s->room) {
        s->room = s->have + take + 4096;
        s->bytes = realloc(s->bytes, s->room);
    }
    memcpy(s->bytes + s->have, bytes, take);
    s->have += take;
    e->written += take;
    e->writes++;
    return take;
}

static inline void end_pace(void *ctx, uint32_t conn, uint32_t bytes)
{
    (void)conn;
    ((struct end *)ctx)->pace = bytes;
}

static inline void end_close(void *ctx, uint32_t conn, int linger)
{
    struct side *s = end_side(ctx, conn, NULL);
    if (!s) {
        ((struct end *)ctx)->closed++;
        return;
    }
    s->open = 0;
    s->end = NULL;
    s->blocked = 0;
    if (!linger)
        s->have = 0;
}

static inline int end_up(void *ctx, const char *node, uint32_t *index, char *why, size_t room)
{
    struct end *e = ctx;
    (void)why, (void)room;
    e->ups++;
    *index = e->index = ++e->indexes;
    snprintf(e->last_up, sizeof e->last_up, "%s", node);
    return IRIS_OK;
}

static inline void end_rights(void *ctx, uint32_t index, uint64_t run, uint32_t rights)
{
    struct end *e = ctx;
    if (index == e->index)
        e->rights = rights;
    e->run = run;
}

static inline void end_down(void *ctx, uint32_t index, const char *reason)
{
    (void)index, (void)reason;
    ((struct end *)ctx)->downs++;
}

static inline void end_keep(struct got *g, const iris_message *m)
{
    *g = (struct got){.kind = m->kind, .len = m->len, .from = m->from, .to = m->to, .ref = m->ref};
    if (m->data)
        snprintf(g->text, sizeof g->text, "%.*s", (int)(m->len < 63 ? m->len : 63),
                 (const char *)m->data);
}

static inline void end_deliver(void *ctx, const iris_message *const *m, int n, int *taken)
{
    struct end *e = ctx;
    for (int i = 0; i < n; i++) {
        taken[i] = m[i]->to && m[i]->to < 100 ? e->taken[m[i]->to] : IRIS_DEAD;
        if (taken[i])
            continue;
        e->delivered += m[i]->kind == IRIS_USER;
        if (e->ngot < KEPT)
            end_keep(&e->got[e->ngot++], m[i]);
    }
}

static inline void end_letter(void *ctx, const iris_message *m, const char *reason)
{
    struct end *e = ctx;
    e->lettered++;
    if (e->nletters == KEPT)
        return;
    snprintf(e->reasons[e->nletters], sizeof e->reasons[0], "%s", reason);
    end_keep(&e->letters[e->nletters++], m);
}

static inline void end_unanswered(void *ctx, uint64_t ref, const char *reason)
{
    (void)ref, (void)reason;
    ((struct end *)ctx)->unanswered++;
}

static inline void end_room(void *ctx, uint32_t index)
{
    (void)index;
    ((struct end *)ctx)->rooms++;
}

static inline uint64_t end_whereis(void *ctx, const char *name)
{
    struct end *e = ctx;
    for (int i = 0; i < 4; i++)
        if (e->names[i] && !strcmp(e->names[i], name))
            return e->whereis[i];
    return 0;
}

static inline int end_alive(void *ctx, uint64_t pid)
{
    return pid < 100 && ((struct end *)ctx)->taken[pid] == IRIS_OK;
}

static inline int end_ages(void *ctx, struct mesh_age *ages, int n)
{
    struct end *e = ctx;
    for (int i = 0; i < e->nages && i < n; i++)
        ages[i] = e->ages[i];
    return e->nages;
}

static inline uint32_t end_stuck(void *ctx, uint64_t pid, char executor[32])
{
    (void)pid;
    snprintf(executor, 32, "python");
    return ((struct end *)ctx)->stuck;
}

static inline void end_event(void *ctx, enum mesh_event what, const char *node, const char *text)
{
    struct end *e = ctx;
    (void)node;
    switch (what) {
    case MESH_NODE_UP:
        break;
    case MESH_NODE_DOWN:
        snprintf(e->last_down, sizeof e->last_down, "%s", text);
        break;
    case MESH_REFUSED:
        e->refused++;
        snprintf(e->last_refused, sizeof e->last_refused, "%s", text);
        break;
    case MESH_DIAL_FAILED:
        e->failures++;
        snprintf(e->last_failed, sizeof e->last_failed, "%s", text);
        break;
    case MESH_CONFLICT:
        e->conflicts++;
        snprintf(e->last_conflict, sizeof e->last_conflict, "%s", text);
        break;
    }
}

static inline void end_begin(struct end *e)
{
    struct mesh_seam seam = {.ctx = e,
                             .now = end_now,
                             .random = end_random,
                             .secret = end_secret,
                             .wake = end_wake,
                             .dial = end_dial,
                             .write = end_write,
                             .pace = end_pace,
                             .close = end_close,
                             .up = end_up,
                             .rights = end_rights,
                             .down = end_down,
                             .deliver = end_deliver,
                             .letter = end_letter,
                             .unanswered = end_unanswered,
                             .room = end_room,
                             .whereis = end_whereis,
                             .alive = end_alive,
                             .ages = end_ages,
                             .stuck = end_stuck,
                             .event = end_event};
    e->alarm = INT64_MAX;
    e->dead = 0;
    e->mesh = mesh_new(&e->config, &seam);
}

static inline struct end *meshes_add_with(struct meshes *net, const char *name, uint8_t id,
                                          const struct mesh_config *config)
{
    struct end *e = calloc(1, sizeof *e);
    e->net = net;
    e->random = id;
    e->config = *config;
    e->config.node = e->name;
    e->config.id.bytes[0] = id;
    if (!e->config.creation)
        e->config.creation = 1;
    snprintf(e->name, sizeof e->name, "%s", name);
    net->ends[net->n++] = e;
    end_begin(e);
    return e;
}

static inline struct end *meshes_add(struct meshes *net, const char *name, uint8_t id)
{
    struct mesh_config config = {.cookie = "0123456789abcdef0123456789abcdef", .cookie_len = 32};
    return meshes_add_with(net, name, id, &config);
}

static inline void meshes_begin(struct meshes *net)
{
    *net = (struct meshes){.now = SECOND, .step = 10 * MS, .conns = 1};
    net->who.loopback = 1;
}

static inline void meshes_finish(struct meshes *net)
{
    for (int i = 0; i < net->n; i++) {
        mesh_free(net->ends[i]->mesh);
        free(net->ends[i]);
    }
    for (int i = 0; i < WIRES; i++) {
        free(net->wires[i].side[0].bytes);
        free(net->wires[i].side[1].bytes);
    }
}

/* ---- the wires ---- */

static inline void wire_connect(struct wire *w)
{
    struct side *a = &w->side[0], *b = &w->side[1];
    struct meshes *net = a->end ? a->end->net : NULL;
    if (!net) {
        w->used = 0;
        return;
    }
    if (w->cut[0])
        return;
    a->open = b->open = 1;
    if (b->end) {
        char from[64];
        snprintf(from, sizeof from, "%s:5", a->end->name);
        b->conn = net->conns;
        net->conns += 2;
        if (mesh_accepted(b->end->mesh, b->conn, from, net->compat, &net->who)) {
            b->end = NULL;
            b->open = 0;
        }
    } else
        b->open = 0;
    if (b->open)
        mesh_connected(a->end->mesh, a->conn, &net->who);
    else {
        uint32_t conn = a->conn;
        struct end *e = a->end;
        w->used = 0;
        mesh_closed(e->mesh, conn, "connection refused");
    }
}

/* Hands over what `from` has written; 1: something moved. */
static inline int wire_carry(struct wire *w, int from)
{
    struct side *s = &w->side[from], *to = &w->side[!from];
    size_t n = s->have, chop = to->end ? to->end->net->chop : 0;
    n = chop && n > chop ? chop : n;
    if (!n || w->cut[from])
        return 0;
    uint8_t *bytes = malloc(n);
    memcpy(bytes, s->bytes, n);
    memmove(s->bytes, s->bytes + n, s->have - n);
    s->have -= n;
    if (to->end && to->open == 1)
        mesh_bytes(to->end->mesh, to->conn, bytes, n);
    free(bytes);
    if (s->end && s->blocked) {
        s->blocked = 0;
        mesh_writable(s->end->mesh, s->conn);
    }
    return 1;
}

/* One side has closed, and what it wrote is over: the other hears of it. */
static inline int wire_close(struct wire *w, int closed)
{
    struct side *s = &w->side[closed], *to = &w->side[!closed];
    if (s->open || s->have || !to->open || w->cut[closed])
        return 0;
    struct end *e = to->end;
    to->open = 0;
    to->end = NULL;
    to->have = 0;
    w->used = 0;
    if (e)
        mesh_closed(e->mesh, to->conn, "closed by the other end");
    return 1;
}

static inline int meshes_move(struct meshes *net)
{
    int moved = 0;
    for (int i = 0; i < WIRES; i++) {
        struct wire *w = &net->wires[i];
        if (w->used && w->side[0].open == 2) {
            wire_connect(w);
            moved |= !w->cut[0];
            continue;
        }
        for (int s = 0; s < 2; s++) {
            moved |= w->used && wire_carry(w, s);
            moved |= w->used && wire_close(w, s);
        }
        if (w->used && !w->side[0].open && !w->side[1].open)
            w->used = 0;
    }
    return moved;
}

static inline void meshes_tick(struct meshes *net)
{
    for (int i = 0; i < net->n; i++) {
        struct end *e = net->ends[i];
        if (e->dead || end_now(e) < e->alarm)
            continue;
        e->alarm = INT64_MAX;
        mesh_tick(e->mesh);
    }
}

static inline void meshes_run(struct meshes *net, int64_t time)
{
    int64_t until = net->now + time;
    for (;;) {
        meshes_tick(net);
        for (int i = 0; i < 100000 && meshes_move(net); i++)
            ;
        if (net->now >= until)
            return;
        net->now += net->step;
    }
}

/* Its process is gone at once; rst: the others' sockets hear of it. */
static inline void end_crash(struct end *e, int rst)
{
    e->dead = 1;
    for (int i = 0; i < WIRES; i++)
        for (int s = 0; s < 2; s++) {
            struct wire *w = &e->net->wires[i];
            if (!w->used || w->side[s].end != e)
                continue;
            w->side[s].end = NULL;
            w->side[s].have = 0;
            w->side[s].open = rst ? 0 : 1;
        }
    mesh_free(e->mesh);
    e->mesh = NULL;
}

static inline void end_restart(struct end *e, uint8_t id)
{
    e->config.id.bytes[0] = id;
    e->config.creation++;
    end_begin(e);
}

/* ---- what tests do ---- */

static inline int end_signal(struct end *e, uint32_t kind, uint64_t from, uint64_t to, uint64_t ref,
                             const char *text)
{
    iris_message m = {.kind = kind,
                      .len = (uint32_t)strlen(text),
                      .from = from,
                      .to = to,
                      .ref = ref,
                      .data = text};
    int result = mesh_send(e->mesh, &m);
    mesh_flush(e->mesh, (uint32_t)(to >> 43));
    return result;
}

static inline int end_send(struct end *e, uint64_t from, uint64_t to, const char *text,
                           uint64_t ref)
{
    return end_signal(e, IRIS_USER, from, to, ref, text);
}

static inline uint64_t end_abroad(const struct end *e, uint64_t pid)
{
    return (uint64_t)e->index << 43 | pid;
}

static inline void end_cut(struct end *e, int out, int in)
{
    for (int i = 0; i < WIRES; i++)
        for (int s = 0; s < 2; s++)
            if (e->net->wires[i].used && e->net->wires[i].side[s].end == e) {
                e->net->wires[i].cut[s] = out;
                e->net->wires[i].cut[!s] = in;
            }
}

struct answered {
    int times, result;
    uint64_t pid;
    char why[128];
};

static inline void keep_answer(void *ctx, int result, uint64_t pid, const char *why)
{
    struct answered *a = ctx;
    a->times++;
    a->result = result;
    a->pid = pid;
    snprintf(a->why, sizeof a->why, "%s", why ? why : "");
}

static inline void keep_node(void *ctx, const struct mesh_node *n)
{
    struct mesh_node *out = ctx;
    if (!out->node[0] || !strcmp(out->node, n->node))
        *out = *n;
}

static inline struct mesh_node end_node(struct end *e, const char *name)
{
    struct mesh_node n = {0};
    snprintf(n.node, sizeof n.node, "%s", name);
    mesh_nodes(e->mesh, keep_node, &n);
    return n;
}

static inline void keep_refusal(void *ctx, const char *rule, uint64_t n)
{
    struct answered *a = ctx;
    if (!strcmp(a->why, rule))
        a->pid = n;
}

static inline uint64_t end_refusals(struct end *e, const char *rule)
{
    struct answered a = {0};
    snprintf(a.why, sizeof a.why, "%s", rule);
    mesh_refusals(e->mesh, keep_refusal, &a);
    return a.pid;
}

#endif
