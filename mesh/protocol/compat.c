/* The seed's wire, for peers and listeners that say "compat" (docs/protocol.md). It names no node, proves nothing
 * and acknowledges nothing:
 *
 *   [01]                            once, by who dials (MESH_COMPAT_BYTE)
 *   00  u64 pid  u32 len  bytes     mail; no answer
 *   01  u32 len  name               answered by u64 pid, 0: nobody
 *   02                              answered by 03
 *
 * Who dialled gets answers in the order of its questions, and nothing else. A node of this kind has its address
 * for a name; its pids may be wider than ours: those get an alias. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

enum { USER = 0, RESOLVE = 1, PING = 2, PONG = 3, VERSION = 1, ALIASES = 65536 };
#define ALIAS (UINT64_C(1) << 42) /* in a pid of this node's view: a number in the link's list */
#define IDLE (900 * SECOND)       /* of a connection that was accepted: nobody pings on those */

struct reply { /* one that is to come */
    struct reply *next;
    uint64_t request; /* 0: a heartbeat's */
    int is_pid;
};

/* ---- out ---- */

static void put_raw(struct link *l, const void *bytes, size_t n)
{
    uint8_t *p = link_control(l, 0) ? lane_room(&l->out.control, n) : NULL;
    if (!p)
        return;
    memcpy(p, bytes, n);
    lane_put(&l->out.control, n);
}

static int expect(struct link *l, uint64_t request, int is_pid)
{
    struct reply *r = calloc(1, sizeof *r);
    if (!r)
        return 0;
    r->request = request;
    r->is_pid = is_pid;
    *l->replies_end = r;
    l->replies_end = &r->next;
    return 1;
}

void compat_ping(struct link *l)
{
    static const uint8_t ping = PING;
    if (expect(l, 0, 0))
        put_raw(l, &ping, 1);
}

void compat_connected(struct link *l)
{
    static const uint8_t version = VERSION;
    struct hello *h = &l->greeting->hello;
    l->payload = l->mesh->limits.payload;
    l->name = l->mesh->limits.name;
    l->window = UINT32_MAX;
    snprintf(h->node, sizeof h->node, "%s", l->peer ? l->peer->address : l->from);
    if (l->compat == MESH_COMPAT_BYTE)
        put_raw(l, &version, 1);
    if (l->mesh->nlinks >= l->mesh->limits.links)
        link_end(l, "there are links enough", 0);
    else
        node_up(l);
}

static uint64_t raw_of(const struct link *l, uint64_t pid)
{
    pid &= PID_MASK;
    if (!(pid & ALIAS))
        return pid;
    pid &= ALIAS - 1;
    return pid < l->naliases ? l->aliases[pid] : 0;
}

uint64_t compat_near(struct link *l, uint64_t raw)
{
    uint64_t index = (uint64_t)l->node->info.index << 43;
    uint32_t i = 0;
    if (!raw || raw < ALIAS)
        return raw ? index | raw : 0;
    while (i < l->naliases && l->aliases[i] != raw)
        i++;
    if (i == l->naliases) {
        uint64_t *more = i < ALIASES ? realloc(l->aliases, (i + 1) * sizeof *more) : NULL;
        if (!more)
            return 0;
        l->aliases = more;
        l->aliases[l->naliases++] = raw;
    }
    return index | ALIAS | i;
}

/* One that asks is refused at once: no answer could come. */
int compat_send(struct link *l, const iris_message *m)
{
    uint64_t raw = raw_of(l, m->to);
    if (m->len > l->payload)
        return IRIS_LARGE;
    if (!raw || m->ref)
        return IRIS_DEAD;
    uint8_t *p = mail_room_for(l, 13 + (size_t)m->len);
    struct head head = {.to = m->to, .from = m->from, .len = m->len, .wire = 13 + m->len};
    if (!p || !mail_keep(l, &head))
        return IRIS_FULL;
    l->wire += head.wire;
    p[0] = USER;
    put64(p + 1, raw);
    put32(p + 9, m->len);
    if (m->len)
        memcpy(p + 13, m->data, m->len);
    return IRIS_OK;
}

/* What has been written is all that can be known of it. */
void compat_wrote(struct link *l)
{
    struct heads *h = &l->heads;
    for (; h->first < h->end; h->first++) {
        const struct head *head = &h->ring[h->first & h->mask];
        if (l->wire - head->wire < lane_waits(&l->out.mail))
            return;
        l->wire -= head->wire;
        l->under_way -= (uint64_t)head->len + COST;
        l->node->info.acknowledged++;
    }
}

/* ---- questions of ours: one name at a time ---- */

static int is_resolving(const struct link *l)
{
    const struct reply *r = l->replies;
    while (r && !r->is_pid)
        r = r->next;
    return r != NULL;
}

static void put_resolve(struct link *l, struct request *r)
{
    uint8_t head[5] = {RESOLVE};
    size_t n = strlen(r->name);
    if (!expect(l, r->by_id.key, 1))
        return;
    r->queued = 0;
    put32(head + 1, (uint32_t)n);
    put_raw(l, head, sizeof head);
    put_raw(l, r->name, n);
}

void compat_request(struct link *l, struct request *r)
{
    static const uint8_t ping = PING;
    if (r->kind == REQUEST_RESOLVE && strlen(r->name) > l->name)
        remote_answer(l->mesh, r, IRIS_DEAD, 0, "the name is longer than the other end takes");
    else if (r->kind == REQUEST_RESOLVE && is_resolving(l))
        r->queued = 1;
    else if (r->kind == REQUEST_RESOLVE)
        put_resolve(l, r);
    else if (expect(l, r->by_id.key, 0))
        put_raw(l, &ping, 1);
}

static void next_resolve(struct link *l)
{
    struct request *oldest = NULL; /* the list has the youngest first */
    for (struct request *r = l->mesh->asked; r; r = r->next)
        if (r->answer && r->link == l && r->queued)
            oldest = r;
    if (oldest)
        put_resolve(l, oldest);
}

/* ---- answers ---- */

/* Of an actor nothing can be learnt, only of its node. */
static void answered(struct link *l, uint64_t request, const uint8_t *bytes)
{
    struct mesh *m = l->mesh;
    struct request *r = (struct request *)table_find(&m->requests, request);
    if (!request || !r || r->link != l)
        return;
    if (r->kind == REQUEST_RESOLVE)
        remote_answer(m, r, IRIS_OK, compat_near(l, get64(bytes)), NULL);
    else
        remote_answer(m, r, IRIS_OK, r->kind == REQUEST_PROBE ? r->pid : 1, NULL);
}

static void take_replies(struct link *l, const uint8_t *at, size_t n)
{
    while (n && !l->dead) {
        struct reply *r = l->replies;
        size_t want = r && r->is_pid ? 8 : 1;
        if (!r || !frame_hold(&l->in, &at, &n, want)) {
            link_broken(l, "unasked");
            return;
        }
        if (l->in.have < want)
            return;
        l->in.have = 0;
        if (want == 1 && l->in.bytes[0] != PONG) {
            link_broken(l, "malformed");
            return;
        }
        l->replies = r->next;
        if (!l->replies)
            l->replies_end = &l->replies;
        answered(l, r->request, l->in.bytes);
        if (r->is_pid)
            next_resolve(l);
        free(r);
    }
}

/* ---- an accepted one: it sees exported names, and their actors, and nothing else ---- */

static int is_exported(const struct mesh *m, const char *name, size_t n)
{
    const char *const *list = m->c.exported;
    for (; list && *list; list++)
        if (strlen(*list) == n && !memcmp(*list, name, n))
            return 1;
    return 0;
}

static void remember(struct mesh *m, uint64_t pid)
{
    enum { ROOM = sizeof m->exported / sizeof *m->exported };
    m->exported[m->nexported++ % ROOM] = pid;
}

static int may_hear(struct mesh *m, uint64_t pid)
{
    enum { ROOM = sizeof m->exported / sizeof *m->exported };
    for (int i = 0; i < ROOM && i < m->nexported; i++)
        if (m->exported[i] == pid)
            return 1;
    for (const char *const *list = m->c.exported; list && *list; list++)
        if (m->seam.whereis(m->seam.ctx, *list) == pid) {
            remember(m, pid);
            return 1;
        }
    return 0;
}

static void serve_user(struct link *l, const uint8_t *p)
{
    uint64_t to = get64(p + 1);
    uint32_t len = get32(p + 9);
    if (!to || to > PID_MASK || !may_hear(l->mesh, to)) {
        mesh__refuse(l->mesh, link_who(l), "not-exported");
        return;
    }
    *mail_slot(l, (uint64_t)len + COST) =
        (iris_message){.kind = IRIS_USER, .len = len, .to = to, .data = p + 13};
}

static void serve_resolve(struct link *l, const uint8_t *p)
{
    struct mesh *m = l->mesh;
    uint32_t len = get32(p + 1);
    uint8_t reply[8];
    if (!frame_is_text(p + 5, len)) {
        link_broken(l, "name");
        return;
    }
    char *name = is_exported(m, (const char *)p + 5, len) ? frame_copy_text(p + 5, len) : NULL;
    uint64_t pid = name ? m->seam.whereis(m->seam.ctx, name) : 0;
    free(name);
    if (pid)
        remember(m, pid);
    put64(reply, pid);
    put_raw(l, reply, sizeof reply);
}

/* With its first frame it is no stranger any more. */
static int admit(struct link *l)
{
    struct mesh *m = l->mesh;
    if (m->nserved >= m->limits.links) {
        link_broken(l, "links");
        return 0;
    }
    m->nserved++;
    m->nstrangers -= (uint32_t)l->stranger;
    l->stranger = 0;
    l->state = LINK_SERVED;
    mesh__due(m, m->now + SECOND);
    return 1;
}

static void serve(struct link *l, const uint8_t *p)
{
    static const uint8_t pong = PONG;
    if (l->state == LINK_HELLO && !admit(l))
        return;
    switch (p[0]) {
    case USER:
        serve_user(l, p);
        break;
    case RESOLVE:
        serve_resolve(l, p);
        break;
    case PING:
        put_raw(l, &pong, 1);
        break;
    }
}

/* The bytes of the frame that begins at p, of which n are there; 0: not known yet. */
static size_t size_of(const uint8_t *p, size_t n)
{
    switch (n ? p[0] : PING) {
    case USER:
        return n < 13 ? 0 : 13 + (size_t)get32(p + 9);
    case RESOLVE:
        return n < 5 ? 0 : 5 + (size_t)get32(p + 1);
    }
    return 1;
}

static const char *refuses(const struct link *l, const uint8_t *p, size_t size)
{
    const struct mesh_limits *k = &l->mesh->limits;
    if (p[0] > PING)
        return "unknown";
    if (p[0] == USER && size && size - 13 > k->payload)
        return "payload";
    return p[0] == RESOLVE && size && size - 5 > k->name ? "name" : NULL;
}

/* The next frame, whole; NULL: it has not come, or the link has ended. */
static const uint8_t *next_frame(struct link *l, const uint8_t **at, size_t *n)
{
    static const size_t heads[] = {13, 5, 1};
    struct frame_in *in = &l->in;
    const uint8_t *p = *at;
    size_t size = in->have ? 0 : size_of(p, *n);
    if (!in->have && !refuses(l, p, size) && size && size <= *n) {
        *at += size;
        *n -= size;
        return p;
    }
    int ok = frame_hold(in, at, n, 1);
    const char *why = refuses(l, in->bytes, 0);
    ok = ok && (why || frame_hold(in, at, n, heads[in->bytes[0]]));
    size = size_of(in->bytes, in->have);
    why = why ? why : refuses(l, in->bytes, size);
    if (ok && !why && size)
        ok = frame_hold(in, at, n, size);
    if (why || !ok)
        link_broken(l, why ? why : "no memory");
    if (l->dead || !size || in->have < size)
        return NULL;
    in->have = 0;
    return in->bytes;
}

void compat_bytes(struct link *l, const uint8_t *at, size_t n)
{
    if (l->dialled) {
        take_replies(l, at, n);
        return;
    }
    if (l->compat == MESH_COMPAT_BYTE && !l->versioned && n--) {
        l->versioned = 1;
        if (*at++ != VERSION)
            link_broken(l, "version");
    }
    for (const uint8_t *p; n && !l->dead && (p = next_frame(l, &at, &n));) {
        serve(l, p);
        if (p == l->in.bytes)
            mail_deliver(l->mesh);
    }
    if (!l->in.have && l->in.room > 2 * FRAME_DATA) {
        free(l->in.bytes);
        l->in = (struct frame_in){0};
    }
}

int64_t compat_tick(struct link *l)
{
    const struct mesh *m = l->mesh;
    if (l->begun && m->now - l->begun >= m->limits.frame)
        link_broken(l, "slow-frame");
    else if (m->now - l->heard >= IDLE)
        link_end(l, "idle", 0);
    else if (l->waiting && m->now - l->moved >= m->limits.send)
        link_end(l, "it takes no bytes", 0);
    return l->dead ? INT64_MAX : m->now + SECOND;
}

void compat_finish(struct link *l)
{
    for (struct reply *r = l->replies, *next; r; r = next) {
        next = r->next;
        free(r);
    }
    free(l->aliases);
    l->mesh->nserved -= l->state == LINK_SERVED;
}
