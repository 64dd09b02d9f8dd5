#include "inside.h"

#include <iris/ext/route.h>
#include <iris/ext/watch.h>

#include <stdio.h>
#include <stdlib.h>

struct watch { /* an actor of theirs monitors one of ours */
    struct entry entry;
    uint64_t watcher, pid, ref;
    int told; /* STUCK */
};

/* ---- monitors of theirs ---- */

static uint64_t key(uint64_t watcher, uint64_t ref)
{
    return watcher ^ ref * UINT64_C(0xd6e8feb86659fd93);
}

static struct watch *find_watch(const struct link *l, uint64_t watcher, uint64_t ref)
{
    struct entry *e = table_find(&l->watched, key(watcher, ref));
    while (e && (((struct watch *)e)->watcher != watcher || ((struct watch *)e)->ref != ref))
        e = table_same(e->next, key(watcher, ref));
    return (struct watch *)e;
}

static void unwatch(struct link *l, uint64_t watcher, uint64_t ref)
{
    struct watch *w = find_watch(l, watcher, ref);
    if (!w)
        return;
    table_remove(&l->watched, &w->entry);
    free(w);
}

static void watch(struct link *l, const iris_message *m)
{
    struct watch *w = find_watch(l, m->from, m->ref) ? NULL : calloc(1, sizeof *w);
    if (!w)
        return;
    w->watcher = m->from;
    w->pid = m->to;
    w->ref = m->ref;
    if (table_add(&l->watched, &w->entry, key(m->from, m->ref)))
        free(w);
}

/* ---- out ---- */

/* Returns 0 where there is no room, or no memory. */
static int put_signal(struct link *l, uint8_t type, const iris_message *m)
{
    struct lane *lane = &l->out.control;
    struct address a = {.to = m->to & PID_MASK, .from = mail_far(l, m->from)};
    uint32_t len = m->len < FRAME_DATA ? m->len : FRAME_DATA;
    uint8_t *p = lane_room(lane, FRAME_HEAD + ADDRESS_MAX + len);
    if (!p)
        return 0;
    size_t k = frame_put_signal(p + FRAME_HEAD, &a, m->ref);
    if (len)
        memcpy(p + FRAME_HEAD + k, m->data, len);
    link_control_put(l, type, k + len);
    return 1;
}

int signal_send(struct link *l, const iris_message *m)
{
    uint8_t type = frame_type(m->kind);
    if (!type || !(m->to & PID_MASK))
        return IRIS_DEAD;
    if (l->compat)
        return IRIS_OK; /* the seed knows no signals: who watches hears when the node goes */
    if (!link_control(l, 0) || !put_signal(l, type, m))
        return IRIS_DEAD;
    if (m->kind == IRIS_DOWN)
        unwatch(l, m->to, m->ref);
    return IRIS_OK;
}

static void send_down(struct link *l, uint64_t from, uint64_t to, uint64_t ref, const char *reason)
{
    iris_message down = {.kind = IRIS_DOWN,
                         .len = (uint32_t)strlen(reason),
                         .from = from,
                         .to = to,
                         .ref = ref,
                         .data = reason};
    if (put_signal(l, FRAME_DOWN, &down))
        l->dirty = l->mesh->dirty = 1;
}

/* ---- in ---- */

static int names(const char *const *list, const struct link *l)
{
    while (list && *list && strcmp(*list, l->node->info.node))
        list++;
    return list && *list;
}

/* What its node may not do here: the rule, or NULL. */
static const char *forbidden(const struct link *l, uint8_t type)
{
    const struct mesh_config *c = &l->mesh->c;
    if (type == FRAME_STOP && !names(c->may_stop, l))
        return "stop";
    return type == FRAME_ORDER && !names(c->may_supervise, l) ? "supervise" : NULL;
}

/* Supervisors and those that they have are of the two ends of this link, and of no third one. */
static int is_true(uint8_t type, const struct address *a)
{
    return (type != FRAME_ORDER && type != FRAME_REPORT) || a->from.whose == WHOSE_SENDER;
}

void signal_frame(struct link *l, const struct frame *f)
{
    struct address a;
    uint64_t ref;
    size_t k = frame_get_signal(f->body, f->len, &a, &ref);
    if (!k || !is_true(f->type, &a)) {
        link_broken(l, "malformed");
        return;
    }
    const char *rule = forbidden(l, f->type);
    if (rule) {
        l->node->info.frames_refused++;
        mesh__refuse(l->mesh, link_who(l), rule);
        return;
    }
    iris_message m = {.kind = frame_kind(f->type),
                      .len = f->len - (uint32_t)k,
                      .from = mail_near(l, &a.from),
                      .to = a.to,
                      .ref = ref,
                      .data = f->body + k};
    if (m.kind == IRIS_MONITOR && m.from)
        watch(l, &m);
    else if (m.kind == IRIS_DEMONITOR)
        unwatch(l, m.from, ref);
    else if (m.kind == IRIS_DOWN && !ref)
        signal_answered(l, a.to); /* an ask */
    *mail_slot(l, 0) = m;
}

/* ---- what the other end may do here ---- */

static void tell_rights(struct link *l, uint32_t rights)
{
    struct mesh *m = l->mesh;
    struct mesh_node *n = &l->node->info;
    if (m->seam.rights)
        m->seam.rights(m->seam.ctx, n->index, get64(n->id.bytes), rights);
}

void signal_grant(struct link *l)
{
    const struct mesh_config *c = &l->mesh->c;
    uint8_t rights = (uint8_t)((names(c->may_stop, l) ? IRIS_RIGHT_STOP : 0) |
                               (names(c->may_supervise, l) ? IRIS_RIGHT_SUPERVISE : 0));
    uint8_t *p = rights != l->granted ? link_control(l, 1) : NULL;
    if (!p)
        return;
    *p = l->granted = rights;
    link_control_put(l, FRAME_GRANTS, 1);
}

void signal_up(struct link *l)
{
    signal_grant(l);
    tell_rights(l, 0);
}

void signal_grants(struct link *l, const struct frame *f)
{
    if (f->len)
        tell_rights(l, *f->body);
    else
        link_broken(l, "malformed");
}

void signal_refused(struct link *l, const iris_message *m)
{
    if (m->kind != IRIS_MONITOR || !m->from || l->dead)
        return;
    unwatch(l, m->from, m->ref);
    send_down(l, m->to, m->from, m->ref, "noproc");
}

/* ---- open asks of ours ---- */

enum { ASKED_LOOK = 1024 };

static int is_over(void *ctx, struct entry *e)
{
    struct mesh *m = ctx;
    if (m->seam.alive(m->seam.ctx, e->key))
        return 0;
    free(e);
    return 1;
}

void signal_asked(struct link *l, uint64_t ref)
{
    struct entry *e = l->spare;
    if (e)
        l->spare = e->next;
    else if (!(e = malloc(sizeof *e)))
        return;
    if (l->asked.count >= (l->asked_most ? l->asked_most : ASKED_LOOK)) {
        table_sweep(&l->asked, is_over, l->mesh);
        l->asked_most = l->asked.count * 2 > ASKED_LOOK ? l->asked.count * 2 : ASKED_LOOK;
    }
    if (table_add(&l->asked, e, ref))
        free(e);
}

void signal_answered(struct link *l, uint64_t to)
{
    struct entry *e = table_find(&l->asked, to);
    if (!e)
        return;
    table_remove(&l->asked, e);
    e->next = l->spare;
    l->spare = e;
}

void signal_tell_asker(struct mesh *m, uint64_t ref)
{
    struct node *n = ref > PID_MASK ? node_at(m, ref) : NULL;
    if (n && n->link && !n->link->compat)
        send_down(n->link, 0, ref, 0, "noconnection");
}

/* ---- a link goes ---- */

static void take_back(struct link *l, struct watch *w)
{
    struct mesh *m = l->mesh;
    iris_message back = {.kind = IRIS_DEMONITOR, .from = w->watcher, .to = w->pid, .ref = w->ref};
    const iris_message *const one[] = {&back};
    int taken = IRIS_OK;
    m->seam.deliver(m->seam.ctx, one, 1, &taken);
    free(w);
}

void signal_down(struct link *l)
{
    struct mesh *m = l->mesh;
    for (struct entry *e; (e = table_pop(&l->watched));)
        take_back(l, (struct watch *)e);
    for (struct entry *e; (e = table_pop(&l->asked)); free(e))
        m->seam.unanswered(m->seam.ctx, e->key, "noconnection");
}

void signal_finish(struct link *l)
{
    for (struct entry *e; (e = table_pop(&l->watched));)
        free(e);
    for (struct entry *e; (e = table_pop(&l->asked));)
        free(e);
    for (struct entry *e; (e = l->spare); free(e))
        l->spare = e->next;
    table_finish(&l->watched);
    table_finish(&l->asked);
}

/* ---- STUCK: who watches an actor whose executor does not drain is told, once each time ---- */

static int tell_stuck(void *ctx, struct entry *e)
{
    struct link *l = ctx;
    struct mesh *m = l->mesh;
    struct watch *w = (struct watch *)e;
    char executor[32] = "", text[64];
    uint32_t ms = m->seam.stuck(m->seam.ctx, w->pid, executor);
    int is_stuck = ms * MS >= m->limits.stuck;
    if (is_stuck && !w->told) {
        int n = snprintf(text, sizeof text, "%s: %u ms", executor, ms);
        iris_message stuck = {.kind = IRIS_STUCK,
                              .len = (uint32_t)n,
                              .from = w->pid,
                              .to = w->watcher,
                              .ref = w->ref,
                              .data = text};
        put_signal(l, FRAME_STUCK, &stuck);
    }
    w->told = is_stuck;
    return 0;
}

void signal_stuck(struct link *l)
{
    struct mesh *m = l->mesh;
    struct mesh_age ages[8];
    int old = 0, n = l->watched.count && !l->compat ? m->seam.ages(m->seam.ctx, ages, 8) : 0;
    for (int i = 0; i < n; i++)
        old |= ages[i].ms * MS >= m->limits.stuck;
    if (old || l->stuck)
        table_sweep(&l->watched, tell_stuck, l);
    l->stuck = old;
}
