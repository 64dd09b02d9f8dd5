#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

struct node *node_find(struct mesh *m, const char *name)
{
    struct node *n = m->nodes;
    while (n && strcmp(n->info.node, name))
        n = n->next;
    return n;
}

struct node *node_at(const struct mesh *m, uint64_t pid)
{
    uint64_t index = pid >> 43;
    return index < NODES_MAX ? m->by_index[index] : NULL;
}

static int same_id(const struct node_id *a, const struct node_id *b)
{
    return !memcmp(a, b, sizeof *a);
}

int node_low(const struct mesh *m, const struct node_id *other)
{
    return memcmp(&m->c.id, other, sizeof *other) < 0;
}

struct link *node_link(struct mesh *m, const struct node_id *id, uint64_t creation)
{
    for (struct link *l = m->links; l; l = l->next)
        if (link_is_up(l) && !l->compat && l->node->info.creation == creation &&
            same_id(&l->node->info.id, id))
            return l;
    return NULL;
}

/* ---- who may be up ---- */

static int is_healthy(const struct link *l)
{
    return l->mesh->now - l->heard <= l->mesh->limits.beat + l->mesh->limits.beat / 2;
}

static void conflict(struct mesh *m, const char *name, uint64_t old, uint64_t new, const char *who)
{
    char text[160];
    snprintf(text, sizeof text, "two nodes of this name: creation %llu and %llu; %s",
             (unsigned long long)old, (unsigned long long)new, who);
    m->seam.event(m->seam.ctx, MESH_CONFLICT, name, text);
}

/* Another link to the very same node. The lower id decides; the higher one hears of it. Where the other end has
 * lost the old link, it says so by its name; if it names another, it has only not heard of this one yet. */
static const char *claim_again(struct link *l, struct link *old, const struct claim *c,
                               enum parting *code)
{
    int lost = !c->has_one && c->last_link == old->id;
    *code = PART_DUPLICATE;
    if (node_low(l->mesh, &l->greeting->hello.id) && !lost && is_healthy(old))
        return "there is a link already";
    link_end(old, "another link takes its place", 0);
    return NULL;
}

static const char *claim_name(struct link *l, struct node *n, enum parting *code)
{
    const struct hello *h = &l->greeting->hello;
    struct mesh *m = l->mesh;
    if (h->creation <= n->info.creation) {
        *code = PART_OLD;
        conflict(m, h->node, n->info.creation, h->creation, "the first one stays");
        return "a newer node has this name";
    }
    if (is_healthy(n->link))
        conflict(m, h->node, n->info.creation, h->creation, "the second one stays");
    link_end(n->link, "it began again: a newer creation is here", 0);
    return NULL;
}

/* Links to it that say goodbye: what they carried is settled over the new one. */
static void end_leaving(struct link *l)
{
    const struct hello *h = &l->greeting->hello;
    for (struct link *o = l->mesh->links; o; o = o->next)
        if (!o->dead && o->state == LINK_LEAVING && same_id(&o->node->info.id, &h->id))
            link_end(o, "left", 1);
}

const char *node_claim(struct link *l, const struct claim *c, enum parting *code)
{
    const struct hello *h = &l->greeting->hello;
    struct mesh *m = l->mesh;
    struct node *n = node_find(m, h->node);
    if (m->ended) {
        *code = PART_LEAVING;
        return "it ends";
    }
    if (!strcmp(h->node, m->c.node)) {
        *code = PART_NAME;
        conflict(m, h->node, m->c.creation, h->creation, "this one and another; they do not link");
        return "it has the same name";
    }
    const char *why = NULL;
    if (n && n->link && same_id(&n->info.id, &h->id) && n->info.creation == h->creation)
        why = claim_again(l, n->link, c, code);
    else if (n && n->link)
        why = claim_name(l, n, code);
    if (!why)
        end_leaving(l);
    return why;
}

/* ---- up and down ---- */

static struct node *make(struct mesh *m, const char *name)
{
    struct node *n = node_find(m, name);
    if (n || !(n = calloc(1, sizeof *n)))
        return n;
    snprintf(n->info.node, sizeof n->info.node, "%s", name);
    n->next = m->nodes;
    m->nodes = n;
    return n;
}

static int is_in_use(const struct mesh *m, const struct node *n)
{
    for (const struct link *l = m->links; l; l = l->next)
        if (l->node == n)
            return 1;
    for (const struct ghost *g = m->ghosts; g; g = g->next)
        if (g->node == n)
            return 1;
    return n->link != NULL;
}

/* Programs that take another name each time would fill the list with those that went. */
static void forget_oldest(struct mesh *m)
{
    struct node **oldest = NULL;
    int gone = 0;
    for (struct node **at = &m->nodes; *at; at = &(*at)->next)
        if (!is_in_use(m, *at)) {
            gone++;
            oldest = !oldest || (*at)->info.since < (*oldest)->info.since ? at : oldest;
        }
    if (gone <= GONE_MAX)
        return;
    struct node *n = *oldest;
    *oldest = n->next;
    free(n);
}

static void fill(struct link *l, struct mesh_node *i)
{
    const struct hello *h = &l->greeting->hello;
    if (!same_id(&i->id, &h->id))
        i->sent = i->received = i->acknowledged = i->refused = i->lost = i->frames_refused = 0;
    i->id = h->id;
    i->creation = h->creation;
    i->links++;
    i->since = l->mesh->now;
    i->rtt = -1;
    i->compat = l->compat;
    i->dialled = l->dialled;
    i->nages = 0;
    i->why[0] = 0;
    snprintf(i->address, sizeof i->address, "%s", l->peer ? l->peer->address : h->address);
}

int node_up(struct link *l)
{
    struct mesh *m = l->mesh;
    char why[128] = "no memory";
    uint32_t index = 0;
    forget_oldest(m);
    struct node *n = make(m, l->greeting->hello.node);
    if (!n || m->seam.up(m->seam.ctx, n->info.node, &index, why, sizeof why) ||
        index >= NODES_MAX) {
        link_part(l, PART_FULL, why);
        return -1;
    }
    settle_creation(m, &l->greeting->hello.id, n);
    fill(l, &n->info);
    n->info.state = MESH_UP;
    n->info.index = index;
    n->link = l;
    n->last_link = l->id;
    m->by_index[index] = n;
    m->nlinks++;
    l->node = n;
    l->state = LINK_UP;
    l->since = l->heard = l->pinged = m->now;
    free(l->greeting);
    l->greeting = NULL;
    m->seam.event(m->seam.ctx, MESH_NODE_UP, n->info.node, n->info.address);
    mesh__due(m, m->now + m->limits.beat);
    if (!l->compat) {
        settle_tell(l);
        signal_up(l);
    }
    if (l->peer)
        peer_up(l->peer);
    remote_up(l);
    return 0;
}

void node_down(struct link *l, const char *why)
{
    struct mesh *m = l->mesh;
    struct node *n = l->node;
    uint32_t index = n->info.index;
    n->link = NULL;
    m->by_index[index] = NULL;
    m->nlinks--;
    n->info.state = MESH_GONE;
    n->info.since = m->now;
    n->info.heard = l->heard;
    n->info.index = 0;
    snprintf(n->info.why, sizeof n->info.why, "%s", why);
    m->seam.event(m->seam.ctx, MESH_NODE_DOWN, n->info.node, why);
    signal_down(l);
    m->seam.down(m->seam.ctx, index, "noconnection");
}

/* ---- looking ---- */

static int order(const struct mesh_node *a, const struct mesh_node *b)
{
    int by_name = strcmp(a->node, b->node);
    return by_name ? by_name : strcmp(a->address, b->address);
}

static int compare(const void *a, const void *b)
{
    return order(*(const struct mesh_node *const *)a, *(const struct mesh_node *const *)b);
}

static void look(struct node *n, struct mesh_node *out)
{
    const struct link *l = n->link;
    *out = n->info;
    if (!l)
        return;
    out->heard = l->heard;
    out->queued = (uint32_t)(lane_waits(&l->out.control) + lane_waits(&l->out.mail));
}

static int is_of_one_that_went(const struct mesh *m, const char *address)
{
    const struct node *n = m->nodes;
    while (n && (n->link || strcmp(n->info.address, address) != 0))
        n = n->next;
    return n != NULL;
}

/* An address at which no node is up; one that was is told of by its name. */
static int look_peer(struct mesh *m, const struct peer *p, struct mesh_node *out)
{
    if (p->state == MESH_UP || peer_link(m, p) || p->self || is_of_one_that_went(m, p->address))
        return 0;
    memset(out, 0, sizeof *out);
    snprintf(out->address, sizeof out->address, "%s", p->address);
    snprintf(out->why, sizeof out->why, "%s", p->why);
    out->state = p->state;
    out->since = p->since;
    out->rtt = -1;
    out->compat = p->compat;
    out->dialled = 1;
    return 1;
}

int mesh_nodes(struct mesh *m, void (*each)(void *ctx, const struct mesh_node *), void *ctx)
{
    size_t most = 0;
    int count = 0;
    for (struct node *n = m->nodes; n; n = n->next)
        most++;
    for (struct peer *p = m->peers; p; p = p->next)
        most++;
    struct mesh_node *all = calloc(most + 1, sizeof *all);
    struct mesh_node **sorted = calloc(most + 1, sizeof *sorted);
    for (struct node *n = m->nodes; all && sorted && n; n = n->next)
        look(n, &all[count++]);
    for (struct peer *p = m->peers; all && sorted && p; p = p->next)
        count += look_peer(m, p, &all[count]);
    for (int i = 0; i < count; i++)
        sorted[i] = &all[i];
    if (count)
        qsort(sorted, (size_t)count, sizeof *sorted, compare);
    for (int i = 0; i < count; i++)
        each(ctx, sorted[i]);
    free(all);
    free(sorted);
    return count;
}
