#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

struct peer *peer_find(struct mesh *m, const char *address)
{
    struct peer *p = m->peers;
    while (p && strcmp(p->address, address))
        p = p->next;
    return p;
}

struct peer *peer_use(struct mesh *m, const char *address, enum mesh_compat compat)
{
    struct peer *p = peer_find(m, address);
    if (p || strlen(address) >= sizeof p->address || !(p = calloc(1, sizeof *p)))
        return p;
    snprintf(p->address, sizeof p->address, "%s", address);
    p->compat = compat;
    p->state = MESH_BACKOFF;
    p->since = p->due = m->now;
    p->next = m->peers;
    m->peers = p;
    return p;
}

static struct link *any_link(struct mesh *m, const struct node_id *id)
{
    for (struct link *l = m->links; l; l = l->next)
        if (link_is_up(l) && !l->compat && !memcmp(&l->node->info.id, id, sizeof *id))
            return l;
    return NULL;
}

/* By its own link, or, if that node dialled us or has two addresses, by another. */
struct link *peer_link(struct mesh *m, const struct peer *p)
{
    if (p->link && link_is_up(p->link))
        return p->link;
    return p->known ? any_link(m, &p->via) : NULL;
}

static void set_state(struct mesh *m, struct peer *p, enum mesh_state state)
{
    if (p->state != state)
        p->since = m->now;
    p->state = state;
}

/* ---- dialling ---- */

static uint32_t next_conn(struct mesh *m)
{
    do
        m->last_conn += 2;
    while (!m->last_conn || table_find(&m->conns, m->last_conn));
    return m->last_conn;
}

static void dial(struct mesh *m, struct peer *p)
{
    struct link *l = link_create(m, next_conn(m), p->compat, 1);
    if (!l) {
        p->due = m->now + m->limits.redial_max;
        return;
    }
    l->peer = p;
    p->link = l;
    p->known = p->self = 0;
    snprintf(l->from, sizeof l->from, "%.63s", p->address);
    set_state(m, p, MESH_DIALLING);
    mesh__due(m, m->now + m->limits.connect);
    m->seam.dial(m->seam.ctx, l->conn, p->address, (int)p->compat);
}

/* Half of it is chance: peers that lost a node all at once do not come back all at once. */
static int64_t pause_of(struct mesh *m, uint32_t failures)
{
    int64_t pause = m->limits.redial;
    for (uint32_t i = 1; i < failures && pause < m->limits.redial_max; i++)
        pause *= 2;
    if (pause > m->limits.redial_max)
        pause = m->limits.redial_max;
    return pause / 2 + (int64_t)(m->seam.random(m->seam.ctx) % (uint64_t)(pause / 2 + 1));
}

/* That there is a link already is none, unless it lasts: that one is about to be seen here, too. */
static void tell_failure(struct mesh *m, struct peer *p, const char *why)
{
    if (p->doubled ? p->failures == 2 : p->failures == 1 || strcmp(p->why, why) != 0)
        m->seam.event(m->seam.ctx, MESH_DIAL_FAILED, p->address, why);
}

void peer_up(struct peer *p)
{
    p->failures = 0;
    p->state = MESH_UP;
    p->why[0] = 0;
}

void peer_lost(struct link *l, const char *why)
{
    struct mesh *m = l->mesh;
    struct peer *p = l->peer;
    if (!p || p->link != l)
        return;
    int was_up = l->state >= LINK_UP;
    struct link *other;
    p->link = NULL;
    l->peer = NULL;
    if (p->self) /* looked at again, as the address may be another's one day */
        p->due = m->now + 6 * m->limits.redial_max;
    else if ((other = peer_link(m, p)) != NULL) {
        p->due = m->now;
        remote_up(other);
    } else {
        p->failures += !was_up;
        p->due = m->now + pause_of(m, p->failures);
        if (!was_up)
            tell_failure(m, p, why);
    }
    p->doubled = 0;
    snprintf(p->why, sizeof p->why, "%s", why);
    set_state(m, p, peer_link(m, p) ? MESH_UP : MESH_BACKOFF);
    mesh__due(m, p->due);
    if (!was_up && !peer_link(m, p))
        remote_failed(p, m);
}

/* Everything that is wanted is looked at each time: whatever happened before, it comes right. */
static void reconcile(struct mesh *m, struct peer *p)
{
    struct link *l = peer_link(m, p);
    if (l) {
        set_state(m, p, MESH_UP);
        return;
    }
    if (p->link) {
        if (p->link->state > LINK_DIALLING)
            set_state(m, p, MESH_GREETING);
        return;
    }
    set_state(m, p, MESH_BACKOFF);
    if (m->now >= p->due)
        dial(m, p);
    else
        mesh__due(m, p->due);
}

void peer_tick(struct mesh *m)
{
    for (struct peer *p = m->peers; p && !m->ended; p = p->next)
        if (p->wanted || p->uses)
            reconcile(m, p);
}

/* One that is up stays as long as its link does. */
void peer_drop(struct mesh *m)
{
    for (struct peer **at = &m->peers, *p; (p = *at);)
        if (p->wanted || p->uses || p->link)
            at = &p->next;
        else {
            *at = p->next;
            free(p);
        }
}

/* ---- wishes ---- */

int mesh_want(struct mesh *m, const char *address, enum mesh_compat compat)
{
    mesh__enter(m);
    struct peer *p = peer_use(m, address, compat);
    if (p) {
        p->wanted = 1;
        p->compat = compat;
        mesh__due(m, p->due > m->now ? p->due : m->now);
    }
    mesh__leave(m);
    return p ? IRIS_OK : IRIS_FAIL;
}

int mesh_unwant(struct mesh *m, const char *address)
{
    mesh__enter(m);
    struct peer *p = peer_find(m, address);
    int result = p && p->wanted ? IRIS_OK : IRIS_DEAD;
    if (p) {
        p->wanted = 0;
        if (p->link && !p->uses)
            link_part(p->link, PART_LEAVING, "it is not wanted any more");
    }
    mesh__leave(m);
    return result;
}

void mesh_let_go(struct mesh *m, const char *address)
{
    mesh__enter(m);
    struct peer *p = peer_find(m, address);
    if (p)
        p->wanted = 0;
    mesh__leave(m);
}
