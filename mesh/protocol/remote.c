#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the open requests ---- */

static struct request *request_new(struct mesh *m, enum request_kind kind, const char *name,
                                   int64_t timeout, mesh_answer *answer, void *ctx)
{
    struct request *r = calloc(1, sizeof *r + strlen(name) + 1);
    m->request_id = m->request_id == UINT32_MAX ? 1 : m->request_id + 1;
    if (!r || table_add(&m->requests, &r->by_id, m->request_id)) {
        free(r);
        answer(ctx, IRIS_DEAD, 0, "no memory");
        return NULL;
    }
    r->kind = kind;
    r->deadline = m->now + timeout;
    r->answer = answer;
    r->ctx = ctx;
    memcpy(r->name, name, strlen(name) + 1);
    r->next = m->asked;
    m->asked = r;
    m->request_due = r->deadline < m->request_due ? r->deadline : m->request_due;
    mesh__due(m, r->deadline);
    return r;
}

/* It stays in the list, without an answer to give, until remote_sweep(). */
void remote_answer(struct mesh *m, struct request *r, int result, uint64_t pid, const char *why)
{
    mesh_answer *answer = r->answer;
    if (!answer)
        return;
    r->answer = NULL;
    table_remove(&m->requests, &r->by_id);
    if (r->peer)
        r->peer->uses--;
    r->peer = NULL;
    r->link = NULL;
    m->swept = 0;
    answer(r->ctx, result, pid, why);
}

void remote_sweep(struct mesh *m)
{
    if (m->swept)
        return;
    m->swept = 1;
    for (struct request **at = &m->asked, *r; (r = *at);)
        if (r->answer)
            at = &r->next;
        else {
            *at = r->next;
            free(r);
        }
}

static struct request *find(struct mesh *m, const struct link *l, uint32_t id,
                            enum request_kind kind)
{
    struct request *r = (struct request *)table_find(&m->requests, id);
    return r && r->link == l && r->kind == kind ? r : NULL;
}

/* ---- over a link ---- */

static void put_id(struct link *l, struct request *r, enum frame_type type, const void *body,
                   size_t n)
{
    uint8_t *p = link_control(l, 4 + n);
    if (!p)
        return;
    put32(p, (uint32_t)r->by_id.key);
    memcpy(p + 4, body, n);
    link_control_put(l, type, 4 + n);
}

static void put_ping(struct link *l, const struct request *r)
{
    uint8_t *p = link_control(l, 8);
    if (!p)
        return;
    put64(p, r->by_id.key << 1 | 1);
    link_control_put(l, FRAME_PING, 8);
}

/* What the other end would take for a broken rule, and end the link for, nobody has there. */
static int can_be_a_name(const char *name)
{
    return *name && frame_is_text((const uint8_t *)name, strlen(name));
}

static void go(struct link *l, struct request *r)
{
    uint8_t pid[8];
    r->link = l;
    if (r->kind == REQUEST_RESOLVE && !can_be_a_name(r->name))
        remote_answer(l->mesh, r, IRIS_OK, 0, NULL);
    else if (l->compat)
        compat_request(l, r);
    else if (r->kind == REQUEST_RESOLVE && strlen(r->name) > l->name)
        remote_answer(l->mesh, r, IRIS_DEAD, 0, "the name is longer than the other end takes");
    else if (r->kind == REQUEST_RESOLVE)
        put_id(l, r, FRAME_RESOLVE, r->name, strlen(r->name));
    else if (r->kind == REQUEST_PROBE) {
        put64(pid, r->pid & PID_MASK);
        put_id(l, r, FRAME_PROBE, pid, sizeof pid);
    } else
        put_ping(l, r);
    if (!l->dead)
        link_flush(l);
}

void remote_up(struct link *l)
{
    struct mesh *m = l->mesh;
    for (struct request *r = m->asked; r; r = r->next)
        if (r->answer && !r->link && r->peer && peer_link(m, r->peer) == l)
            go(l, r);
}

void remote_lost(struct link *l, const char *why)
{
    for (struct request *r = l->mesh->asked; r; r = r->next)
        if (r->answer && r->link == l)
            remote_answer(l->mesh, r, IRIS_DEAD, 0, why);
}

void remote_failed(struct peer *p, struct mesh *m)
{
    for (struct request *r = m->asked; r; r = r->next)
        if (r->answer && r->peer == p && !r->link)
            remote_answer(m, r, IRIS_DEAD, 0, p->why);
}

void remote_tick(struct mesh *m)
{
    if (m->now >= m->request_due) {
        m->request_due = INT64_MAX;
        for (struct request *r = m->asked; r; r = r->next)
            if (r->answer && m->now >= r->deadline)
                remote_answer(m, r, IRIS_EMPTY, 0, "no answer in time");
            else if (r->answer && r->deadline < m->request_due)
                m->request_due = r->deadline;
    }
    mesh__due(m, m->request_due);
}

void remote_all(struct mesh *m, const char *why)
{
    for (struct request *r = m->asked; r; r = r->next)
        remote_answer(m, r, IRIS_DEAD, 0, why);
    remote_sweep(m);
}

/* ---- answers ---- */

static void resolved(struct link *l, const struct frame *f)
{
    struct request *r = f->len < 13 ? NULL : find(l->mesh, l, get32(f->body), REQUEST_RESOLVE);
    if (!r)
        return; /* it was too late */
    uint64_t pid = get64(f->body + 5);
    if (f->body[4])
        remote_answer(l->mesh, r, IRIS_DEAD, 0, "too many at once: the other end refuses");
    else if (pid > PID_MASK)
        link_broken(l, "malformed");
    else
        remote_answer(l->mesh, r, IRIS_OK, pid ? (uint64_t)l->node->info.index << 43 | pid : 0,
                      NULL);
}

static void probed(struct link *l, const struct frame *f)
{
    struct request *r = f->len < 5 ? NULL : find(l->mesh, l, get32(f->body), REQUEST_PROBE);
    if (r)
        remote_answer(l->mesh, r, IRIS_OK, f->body[4] ? r->pid : 0, NULL);
}

void remote_pong(struct link *l, uint64_t number)
{
    struct request *r = find(l->mesh, l, (uint32_t)(number >> 1), REQUEST_PING);
    if (r)
        remote_answer(l->mesh, r, IRIS_OK, 1, NULL);
}

/* ---- questions of theirs ---- */

/* So many a second, in advance for one second. */
static int too_often(struct link *l)
{
    const struct mesh *m = l->mesh;
    if (m->now - l->rate_at >= SECOND || !l->rate_at) {
        l->rate_at = m->now ? m->now : 1;
        l->rate_left = m->limits.resolves;
    }
    if (!l->rate_left) {
        l->node->info.frames_refused++;
        mesh__refuse(l->mesh, link_who(l), "resolves");
        return 1;
    }
    l->rate_left--;
    return 0;
}

static int is_name(const struct link *l, const uint8_t *p, size_t n)
{
    return n && n <= l->mesh->limits.name && frame_is_text(p, n);
}

static void answer_resolve(struct link *l, const struct frame *f)
{
    struct mesh *m = l->mesh;
    if (f->len < 5 || !is_name(l, f->body + 4, f->len - 4)) {
        link_broken(l, "name");
        return;
    }
    int refused = too_often(l);
    char *name = refused ? NULL : frame_copy_text(f->body + 4, f->len - 4);
    uint64_t pid = name ? m->seam.whereis(m->seam.ctx, name) : 0;
    free(name);
    uint8_t *p = link_control(l, 13);
    if (!p)
        return;
    memcpy(p, f->body, 4);
    p[4] = (uint8_t)refused;
    put64(p + 5, pid <= PID_MASK ? pid : 0);
    link_control_put(l, FRAME_RESOLVED, 13);
}

static void answer_probe(struct link *l, const struct frame *f)
{
    struct mesh *m = l->mesh;
    uint64_t pid = f->len < 12 ? 0 : get64(f->body + 4);
    if (!pid || pid > PID_MASK) {
        link_broken(l, "malformed");
        return;
    }
    uint8_t *p = link_control(l, 5);
    if (!p)
        return;
    memcpy(p, f->body, 4);
    p[4] = m->seam.alive(m->seam.ctx, pid) != 0;
    link_control_put(l, FRAME_PROBED, 5);
}

/* ---- a name that several nodes have ---- */

/* Its owner here is told, and lives on. */
static void tell_owner(struct mesh *m, const char *name, const char *keeper)
{
    char text[900];
    iris_message told = {.kind = IRIS_PING, .to = m->seam.whereis(m->seam.ctx, name), .data = text};
    const iris_message *one = &told;
    int taken;
    if (!told.to)
        return; /* meanwhile it has no owner any more */
    snprintf(text, sizeof text,
             "name_conflict (node=%s): node %s has the name %.200s too, and keeps it", keeper,
             keeper, name);
    link_printable(text);
    told.len = (uint32_t)strlen(text);
    m->seam.deliver(m->seam.ctx, &one, 1, &taken);
    snprintf(text, sizeof text,
             "name %.200s is claimed by node %s, too, which keeps it; here it is %s's", name,
             keeper, m->c.node);
    link_printable(text);
    m->seam.event(m->seam.ctx, MESH_CONFLICT, keeper, text);
}

/* CONFLICT: u8 length and name of the node that keeps it, then the name. */
void remote_conflict(struct link *l, const struct frame *f)
{
    size_t k = f->len ? f->body[0] : 0;
    char keeper[256], *name;
    if (!k || f->len < 1 + k || !frame_is_text(f->body + 1, k) ||
        !is_name(l, f->body + 1 + k, f->len - 1 - k)) {
        link_broken(l, "name");
        return;
    }
    if (too_often(l) || !(name = frame_copy_text(f->body + 1 + k, f->len - 1 - k)))
        return;
    snprintf(keeper, sizeof keeper, "%.*s", (int)k, (const char *)f->body + 1);
    tell_owner(l->mesh, name, keeper);
    free(name);
}

/* Where it ends. */
static uint8_t *put(uint8_t *at, const void *bytes, size_t n)
{
    memcpy(at, bytes, n);
    return at + n;
}

void mesh_conflict(struct mesh *m, const char *node, const char *name, const char *keeper)
{
    mesh__enter(m);
    struct node *n = node_find(m, node);
    struct link *l = n ? n->link : NULL;
    size_t k = strlen(keeper), len = strlen(name);
    uint8_t *p = l && !l->compat && k < 256 && len <= l->name ? link_control(l, 1 + k + len) : NULL;
    if (p) {
        p[0] = (uint8_t)k;
        put(put(p + 1, keeper, k), name, len);
        link_control_put(l, FRAME_CONFLICT, 1 + k + len);
        l->dirty = m->dirty = 1;
    }
    mesh__leave(m);
}

void remote_frame(struct link *l, const struct frame *f)
{
    switch (f->type) {
    case FRAME_RESOLVE:
        answer_resolve(l, f);
        break;
    case FRAME_RESOLVED:
        resolved(l, f);
        break;
    case FRAME_PROBE:
        answer_probe(l, f);
        break;
    case FRAME_PROBED:
        probed(l, f);
        break;
    }
}

/* ---- questions of ours ---- */

static struct link *link_at(struct mesh *m, const char *at)
{
    struct node *n = node_find(m, at);
    struct peer *p = peer_find(m, at);
    return n && n->link ? n->link : p ? peer_link(m, p) : NULL;
}

static int is_here(struct mesh *m, const char *at)
{
    struct peer *p = peer_find(m, at);
    return !strcmp(at, m->c.node) || (p && p->self) ||
           (m->c.advertise && !strcmp(at, m->c.advertise));
}

/* Where there is no link, the address is dialled, at once. */
static void wait_for(struct mesh *m, struct request *r, const char *at)
{
    struct peer *p = strrchr(at, ':') || peer_find(m, at) ? peer_use(m, at, MESH_OURS) : NULL;
    if (!p || m->ended) {
        remote_answer(m, r, IRIS_DEAD, 0, "no node of this name is up, and it is no address");
        return;
    }
    r->peer = p;
    p->uses++;
    if (!p->link)
        p->due = m->now;
    mesh__due(m, m->now);
}

static void ask_at(struct mesh *m, struct request *r, const char *at)
{
    struct link *l = link_at(m, at);
    if (l)
        go(l, r);
    else
        wait_for(m, r, at);
}

void mesh_resolve(struct mesh *m, const char *at, const char *name, int64_t timeout,
                  mesh_answer *answer, void *ctx)
{
    mesh__enter(m);
    timeout = timeout ? timeout : m->limits.resolve;
    struct request *r = request_new(m, REQUEST_RESOLVE, name, timeout, answer, ctx);
    if (r && is_here(m, at))
        remote_answer(m, r, IRIS_OK, m->seam.whereis(m->seam.ctx, name), NULL);
    else if (r)
        ask_at(m, r, at);
    mesh__leave(m);
}

void mesh_ping(struct mesh *m, const char *at, int64_t timeout, mesh_answer *answer, void *ctx)
{
    mesh__enter(m);
    timeout = timeout ? timeout : m->limits.probe;
    struct request *r = request_new(m, REQUEST_PING, "", timeout, answer, ctx);
    if (r && is_here(m, at))
        remote_answer(m, r, IRIS_OK, 1, NULL);
    else if (r)
        ask_at(m, r, at);
    mesh__leave(m);
}

void mesh_probe(struct mesh *m, uint64_t pid, int64_t timeout, mesh_answer *answer, void *ctx)
{
    mesh__enter(m);
    struct node *n = node_at(m, pid);
    timeout = timeout ? timeout : m->limits.probe;
    struct request *r = request_new(m, REQUEST_PROBE, "", timeout, answer, ctx);
    if (r && n && n->link && !(pid & PID_MASK))
        remote_answer(m, r, IRIS_OK, 0, NULL); /* nobody has it there */
    else if (r && n && n->link) {
        r->pid = pid;
        go(n->link, r);
    } else if (r)
        remote_answer(m, r, IRIS_DEAD, 0, "its node is not up");
    mesh__leave(m);
}

uint64_t mesh_pid_at(struct mesh *m, const char *at, uint64_t pid)
{
    struct link *l = link_at(m, at);
    if (is_here(m, at))
        return pid <= PID_MASK ? pid : 0;
    if (l && l->compat)
        return compat_near(l, pid);
    return l && pid && pid <= PID_MASK ? (uint64_t)l->node->info.index << 43 | pid : 0;
}
