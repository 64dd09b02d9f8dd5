/* Two nodes of the mesh, a and b, and what lies between them: the fuzzer's part of mesh/protocol/seam.h. Bytes go through
 * pump(), which the target may change; time goes on by pass(). What the protocol must never do, it aborts at. */
#ifndef TESTS_MESH_PAIR_H
#define TESTS_MESH_PAIR_H

#include "mesh.h"
#include "random.h"

#include <iris/ext/route.h>
#include <iris/ext/watch.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIR_CONNS = 8, PAIR_INDEXES = 64, PAIR_ROOM = 65536 };

struct pipe { /* what one side wrote, and the other has not read */
    uint8_t *bytes;
    size_t n, room, most; /* most: write() takes no more than this; 0: anything */
    int closed;
};

struct side {
    struct pair *pair;
    struct mesh *m;
    char name[8];
    uint64_t creation;
    int64_t wake;
    uint32_t dialled; /* a dial that waits for pair_connect() */
    struct {
        uint32_t number;
        struct pipe out;
    } conns[PAIR_CONNS];
    uint32_t index; /* the newest */
    int up[PAIR_INDEXES], inside;
    uint64_t taken, letters, delivered, refused; /* mail */
    void (*deliver)(struct side *, const iris_message *);
    int refuse; /* every so many-th message is refused */
    uint64_t nth;
    uint8_t sum;
};

struct pair {
    struct side a, b;
    struct random random;
    int64_t now;
    uint64_t questions, answers;
};

static inline void pair_must(int truth)
{
    if (!truth)
        abort();
}

/* ---- the seam ---- */

static int64_t pair_now(void *ctx)
{
    return ((struct side *)ctx)->pair->now;
}

static uint64_t pair_random(void *ctx)
{
    return iris__random(&((struct side *)ctx)->pair->random);
}

static void pair_secret(void *ctx, void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)pair_random(ctx);
}

static void pair_wake(void *ctx, int64_t at)
{
    ((struct side *)ctx)->wake = at;
}

static struct pipe *pair_pipe(struct side *s, uint32_t conn)
{
    for (int i = 0; i < PAIR_CONNS; i++)
        if (s->conns[i].number == conn)
            return &s->conns[i].out;
    return NULL;
}

static struct pipe *pair_open(struct side *s, uint32_t conn)
{
    struct pipe *p = pair_pipe(s, 0);
    for (int i = 0; p && i < PAIR_CONNS; i++)
        if (p == &s->conns[i].out)
            s->conns[i].number = conn;
    return p;
}

static inline void pair_forget(struct side *s, uint32_t conn)
{
    for (int i = 0; i < PAIR_CONNS; i++)
        if (s->conns[i].number == conn) {
            free(s->conns[i].out.bytes);
            memset(&s->conns[i], 0, sizeof s->conns[i]);
        }
}

static void pair_dial(void *ctx, uint32_t conn, const char *address, int compat)
{
    struct side *s = ctx;
    (void)address, (void)compat;
    pair_must(conn && !(conn & 1) && !pair_pipe(s, conn));
    s->dialled = conn;
}

static size_t pair_write(void *ctx, uint32_t conn, const void *bytes, size_t n)
{
    struct pipe *p = pair_pipe(ctx, conn);
    pair_must(p && !p->closed);
    if (p->most && p->n + n > p->most)
        n = p->n < p->most ? p->most - p->n : 0;
    if (p->n + n > p->room) {
        p->room = p->n + n + PAIR_ROOM;
        p->bytes = realloc(p->bytes, p->room);
    }
    if (n)
        memcpy(p->bytes + p->n, bytes, n);
    p->n += n;
    return n;
}

static void pair_close(void *ctx, uint32_t conn, int linger)
{
    struct side *s = ctx;
    struct pipe *p = pair_pipe(s, conn);
    if (s->dialled == conn) {
        s->dialled = 0;
        return;
    }
    pair_must(p && !p->closed);
    if (!linger)
        p->n = 0;
    p->closed = 1;
}

static int pair_up(void *ctx, const char *node, uint32_t *index, char *why, size_t room)
{
    struct side *s = ctx;
    pair_must(node[0] && strcmp(node, s->name));
    for (uint32_t i = 1; i < PAIR_INDEXES; i++)
        if (!s->up[i]) {
            s->up[i] = 1;
            *index = s->index = i;
            return IRIS_OK;
        }
    snprintf(why, room, "the table is full");
    return IRIS_FAIL;
}

static void pair_down(void *ctx, uint32_t index, const char *reason)
{
    struct side *s = ctx;
    pair_must(index < PAIR_INDEXES && s->up[index] == 1 && reason[0]);
    s->up[index] = 2; /* no other node gets it */
    if (s->index == index)
        s->index = 0;
}

static int pair_take(struct side *s, const iris_message *m)
{
    const uint8_t *data = m->data;
    if (m->len) /* its bytes are there */
        s->sum ^= data[0] ^ data[m->len - 1] ^ data[m->len / 2];
    pair_must(!IRIS_NODE(m->to));
    if (m->from && IRIS_NODE(m->from))
        pair_must(IRIS_NODE(m->from) < PAIR_INDEXES && s->up[IRIS_NODE(m->from)] == 1);
    if (m->kind == IRIS_USER && s->refuse && ++s->nth % (uint64_t)s->refuse == 0) {
        s->refused++;
        return s->nth % 3 == 0 ? IRIS_FULL : IRIS_DEAD;
    }
    s->delivered += m->kind == IRIS_USER;
    if (s->deliver)
        s->deliver(s, m);
    return m->to == 0x999 ? IRIS_DEAD : IRIS_OK;
}

static void pair_deliver(void *ctx, const iris_message *const *m, int n, int *taken)
{
    pair_must(n > 0);
    for (int i = 0; i < n; i++)
        taken[i] = pair_take(ctx, m[i]);
}

static void pair_letter(void *ctx, const iris_message *m, const char *reason)
{
    struct side *s = ctx;
    pair_must(reason[0] != 0 && m->to);
    s->letters += m->kind == IRIS_USER;
    pair_must(s->letters <= s->taken);
}

static void pair_unanswered(void *ctx, uint64_t ref, const char *reason)
{
    (void)ctx;
    pair_must(ref && !IRIS_NODE(ref) && reason[0]);
}

static uint32_t pair_stuck(void *ctx, uint64_t pid, char executor[32])
{
    (void)ctx;
    snprintf(executor, 32, "python");
    return pid & 1 ? 5000 : 0;
}

static void pair_room(void *ctx, uint32_t index)
{
    pair_must(index < PAIR_INDEXES && ((struct side *)ctx)->up[index] == 1);
}

static uint64_t pair_whereis(void *ctx, const char *name)
{
    (void)ctx;
    return strlen(name) % 2 ? 0x123 : 0;
}

static int pair_alive(void *ctx, uint64_t pid)
{
    (void)ctx;
    return pid & 1;
}

static int pair_ages(void *ctx, struct mesh_age *ages, int n)
{
    (void)ctx;
    if (n)
        ages[0] = (struct mesh_age){"python", 5000};
    return n > 0;
}

static void pair_event(void *ctx, enum mesh_event what, const char *node, const char *text)
{
    (void)ctx, (void)what;
    pair_must(node && text && strlen(node) < 256 && strlen(text) < 1024);
}

/* ---- making and ending ---- */

static void pair_side(struct pair *p, struct side *s, const char *name, uint64_t creation,
                      const struct mesh_limits *limits)
{
    static const char *const may_stop[] = {"b", NULL};
    struct mesh_seam seam = {.ctx = s,
                             .now = pair_now,
                             .random = pair_random,
                             .secret = pair_secret,
                             .wake = pair_wake,
                             .dial = pair_dial,
                             .write = pair_write,
                             .close = pair_close,
                             .up = pair_up,
                             .down = pair_down,
                             .deliver = pair_deliver,
                             .letter = pair_letter,
                             .unanswered = pair_unanswered,
                             .room = pair_room,
                             .whereis = pair_whereis,
                             .alive = pair_alive,
                             .ages = pair_ages,
                             .stuck = pair_stuck,
                             .event = pair_event};
    struct mesh_config c = {.node = name,
                            .creation = creation,
                            .cookie = "0123456789abcdef0123456789abcdef",
                            .cookie_len = 32,
                            .may_stop = may_stop,
                            .may_supervise = may_stop};
    if (limits)
        c.limits = *limits;
    memset(s, 0, sizeof *s);
    s->pair = p;
    s->creation = creation;
    s->wake = INT64_MAX;
    snprintf(s->name, sizeof s->name, "%s", name);
    pair_secret(s, c.id.bytes, sizeof c.id.bytes);
    pair_must((s->m = mesh_new(&c, &seam)) != NULL);
}

static void pair_begin(struct pair *p, uint64_t seed, const struct mesh_limits *limits)
{
    memset(p, 0, sizeof *p);
    p->random.state = seed;
    p->now = 1000000000;
    pair_side(p, &p->a, "a", 7, limits);
    pair_side(p, &p->b, "b", 9, limits);
}

static void pair_side_end(struct side *s)
{
    if (!s->m)
        return;
    mesh_goodbye(s->m, "end");
    for (int i = 0; i < PAIR_INDEXES; i++)
        pair_must(s->up[i] != 1);
    mesh_free(s->m);
    pair_must(s->letters <= s->taken);
    for (int i = 0; i < PAIR_CONNS; i++)
        free(s->conns[i].out.bytes);
    s->m = NULL;
}

static void pair_end(struct pair *p)
{
    pair_side_end(&p->a);
    pair_side_end(&p->b);
    pair_must(p->questions == p->answers);
}

/* b dials a: conn 2 of b is conn 1 of a. */
static void pair_connect(struct pair *p)
{
    struct mesh_identity who = {.loopback = 1};
    pair_must(mesh_want(p->b.m, "a:1", MESH_OURS) == IRIS_OK);
    if (!p->b.dialled) {
        p->now += 1000000;
        mesh_tick(p->b.m);
    }
    uint32_t conn = p->b.dialled;
    pair_must(conn != 0);
    p->b.dialled = 0;
    pair_open(&p->b, conn);
    pair_open(&p->a, 1);
    pair_must(mesh_accepted(p->a.m, 1, "127.0.0.1:4000", MESH_OURS, &who) == IRIS_OK);
    mesh_connected(p->b.m, conn, &who);
}

/* Hands what `from` wrote on its connection to `to`, up to n bytes; returns how many. */
static size_t pair_pump(struct side *from, uint32_t out, struct side *to, uint32_t in, size_t n)
{
    struct pipe *p = pair_pipe(from, out);
    if (!p || !p->n)
        return 0;
    n = n < p->n ? n : p->n;
    uint8_t *exact = malloc(n); /* of the exact size: a sanitizer sees each byte read too far */
    pair_must(exact != NULL);
    memcpy(exact, p->bytes, n);
    memmove(p->bytes, p->bytes + n, p->n -= n);
    struct pipe *q = pair_pipe(to, in);
    if (q && !q->closed)
        mesh_bytes(to->m, in, exact, n);
    free(exact);
    if (from->m && !p->closed && p->most)
        mesh_writable(from->m, out);
    return n;
}

static uint32_t pair_conn_of_b(const struct pair *p)
{
    return p->b.conns[0].number;
}

static inline void pair_settle(struct pair *p)
{
    uint32_t conn = pair_conn_of_b(p);
    while (pair_pump(&p->b, conn, &p->a, 1, SIZE_MAX) + pair_pump(&p->a, 1, &p->b, conn, SIZE_MAX))
        ;
}

static inline void pair_answer(void *ctx, int result, uint64_t pid, const char *why)
{
    struct pair *p = ctx;
    (void)why, (void)pid;
    pair_must(result == IRIS_OK || result == IRIS_EMPTY || result == IRIS_DEAD);
    pair_must(++p->answers <= p->questions);
}

/* Time goes on, and what is due is done. */
static inline void pair_pass(struct pair *p, struct side *s, int64_t ns)
{
    int64_t until = p->now + ns;
    for (int i = 0; i < 20 && s->wake <= until; i++) {
        p->now = s->wake > p->now ? s->wake : p->now;
        s->wake = INT64_MAX;
        mesh_tick(s->m);
    }
    p->now = until;
    s->wake = INT64_MAX;
    mesh_tick(s->m);
}

static inline int64_t pair_message(struct side *s, uint32_t kind, uint64_t to, uint64_t ref,
                                   const void *data, uint32_t len)
{
    iris_message m = {.kind = kind, .len = len, .from = 0x77, .to = to, .ref = ref, .data = data};
    s->taken += kind == IRIS_USER; /* a letter may come within the call */
    int result = mesh_send(s->m, &m);
    s->taken -= kind == IRIS_USER && result != IRIS_OK;
    return result;
}

#endif
