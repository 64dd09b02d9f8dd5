/* What became of mail whose link went. Who sent it keeps the heads of what was not acknowledged (a ghost);
 * who took it in keeps how many those were, and which it refused (a past). The next link between the two
 * tells: so each message was either handled, or is a letter, and none is sent twice. */
#include "inside.h"

#include <stdlib.h>

enum { KEPT = 4 }; /* pasts and ghosts of one node, of one run */
#define GHOST_TIME (60 * SECOND)
#define PAST_TIME (120 * SECOND)

void settle_letter(struct mesh *m, const struct head *head, const char *reason)
{
    iris_message letter = {
        .kind = IRIS_USER, .len = head->len, .from = head->from, .to = head->to, .ref = head->ref};
    m->seam.letter(m->seam.ctx, &letter, reason);
    if (head->ref)
        signal_tell_asker(m, head->ref);
}

/* ---- ghosts ---- */

/* Those of numbers up to `received` have arrived, but for those that were nacked. */
static void resolve(struct mesh *m, struct node *node, struct heads *h, uint64_t received)
{
    for (uint64_t n = h->first; n < h->end; n++) {
        const struct head *head = &h->ring[n & h->mask];
        if (!head->to)
            continue;
        if (n <= received)
            node->info.acknowledged++;
        else {
            node->info.lost++;
            settle_letter(m, head, "noconnection");
        }
    }
    free(h->ring);
    *h = (struct heads){.first = 1, .released = 1, .end = 1};
}

static void drop_ghost(struct mesh *m, struct ghost **at, uint64_t received)
{
    struct ghost *g = *at;
    *at = g->next;
    resolve(m, g->node, &g->heads, received);
    free(g);
}

static int is_of(const struct node_id *a, uint64_t ca, const struct node_id *b, uint64_t cb)
{
    return ca == cb && !memcmp(a, b, sizeof *a);
}

static void keep_ghost(struct link *l)
{
    struct mesh *m = l->mesh;
    struct ghost *g = l->heads.first == l->heads.end ? NULL : calloc(1, sizeof *g);
    if (!g || m->ended) {
        free(g);
        resolve(m, l->node, &l->heads, 0);
        return;
    }
    g->node = l->node;
    g->id = l->node->info.id;
    g->creation = l->node->info.creation;
    g->link = l->id;
    g->heads = l->heads;
    g->until = m->now + GHOST_TIME;
    l->heads = (struct heads){.first = 1, .released = 1, .end = 1};
    g->next = m->ghosts;
    m->ghosts = g;
    int same = 0;
    for (struct ghost **at = &m->ghosts; *at;) {
        same += is_of(&(*at)->id, (*at)->creation, &g->id, g->creation);
        if (same > KEPT)
            drop_ghost(m, at, 0);
        else
            at = &(*at)->next;
    }
    mesh__due(m, g->until);
}

/* ---- pasts ---- */

static void drop_past(struct past **at)
{
    struct past *p = *at;
    *at = p->next;
    nacks_finish(&p->nacks);
    free(p);
}

static void keep_past(struct link *l)
{
    struct mesh *m = l->mesh;
    /* of a link over which nothing came nothing need be known: "never heard of it" says the same */
    struct past *p = l->received ? calloc(1, sizeof *p) : NULL;
    int same = 0;
    if (!p)
        return;
    *p = (struct past){.next = m->past,
                       .id = l->node->info.id,
                       .creation = l->node->info.creation,
                       .link = l->id,
                       .received = l->received,
                       .nacks = l->nacks,
                       .until = m->now + PAST_TIME};
    l->nacks = (struct nacks){0};
    m->past = p;
    for (struct past **at = &m->past; *at;) {
        same += is_of(&(*at)->id, (*at)->creation, &p->id, p->creation);
        if (same > KEPT)
            drop_past(at);
        else
            at = &(*at)->next;
    }
    mesh__due(m, p->until);
}

void settle_keep(struct link *l)
{
    if (l->compat) {
        resolve(l->mesh, l->node, &l->heads, 0);
        return;
    }
    keep_ghost(l);
    keep_past(l);
}

void settle_parted(struct link *l, uint64_t received)
{
    resolve(l->mesh, l->node, &l->heads, received);
}

/* ---- SETTLE: u8 flags, u64 the link, u64 taken in, then as often as there are: a NACK's 13 bytes ---- */

enum { SETTLE_LAST = 1, SETTLE_MORE = 2, EACH = 13, MOST = 4096 };

static uint64_t put_settle(struct link *l, const struct past *p, uint64_t from, int last)
{
    uint64_t end = p && p->nacks.end - from > MOST ? from + MOST : p ? p->nacks.end : from;
    uint8_t *at = link_control(l, 17 + EACH * (size_t)(end - from));
    if (!at)
        return p ? p->nacks.end : 0;
    int more = p && end < p->nacks.end;
    at[0] = (uint8_t)((last && !more ? SETTLE_LAST : 0) | (more ? SETTLE_MORE : 0));
    put64(at + 1, p ? p->link : 0);
    put64(at + 9, p ? p->received : 0);
    size_t len = 17;
    for (uint64_t n = from; n < end; n++, len += EACH) {
        const struct nack *k = &p->nacks.ring[n & p->nacks.mask];
        put64(at + len, k->first);
        put32(at + len + 8, k->count);
        at[len + 12] = (uint8_t)k->reason;
    }
    link_control_put(l, FRAME_SETTLE, len);
    return end;
}

void settle_tell(struct link *l)
{
    const struct mesh_node *i = &l->node->info;
    for (struct past *p = l->mesh->past; p; p = p->next)
        if (is_of(&p->id, p->creation, &i->id, i->creation))
            for (uint64_t n = p->nacks.first; (n = put_settle(l, p, n, 0)) < p->nacks.end;)
                ;
    put_settle(l, NULL, 0, 1);
}

static void apply_nacks(struct mesh *m, struct ghost *g, const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= EACH; p += EACH) {
        uint64_t n = get64(p), until = n + get32(p + 8);
        n = n < g->heads.first ? g->heads.first : n;
        for (; n < until && n < g->heads.end; n++) {
            struct head *head = &g->heads.ring[n & g->heads.mask];
            if (!head->to)
                continue;
            g->node->info.refused++;
            settle_letter(m, head, mail_reason(p[12]));
            head->to = 0;
        }
    }
}

void settle_frame(struct link *l, const struct frame *f)
{
    struct mesh *m = l->mesh;
    const struct mesh_node *i = &l->node->info;
    if (f->len < 17 || (f->len - 17) % EACH) {
        link_broken(l, "malformed");
        return;
    }
    int flags = f->body[0];
    uint64_t link = get64(f->body + 1);
    for (struct ghost **at = &m->ghosts, *g; (g = *at);) {
        int same = is_of(&g->id, g->creation, &i->id, i->creation);
        if (same && g->link == link)
            apply_nacks(m, g, f->body + 17, f->body + f->len);
        if (same && g->link == link && !(flags & SETTLE_MORE))
            drop_ghost(m, at, get64(f->body + 9));
        else if (same && g->link != link && flags & SETTLE_LAST)
            drop_ghost(m, at, 0); /* it never knew of that link */
        else
            at = &g->next;
    }
}

void settle_creation(struct mesh *m, const struct node_id *id, const struct node *n)
{
    for (struct ghost **at = &m->ghosts, *g; (g = *at);)
        if (g->node == n && memcmp(&g->id, id, sizeof *id))
            drop_ghost(m, at, 0);
        else
            at = &g->next;
}

/* ---- time ---- */

void settle_tick(struct mesh *m)
{
    for (struct ghost **at = &m->ghosts, *g; (g = *at);)
        if (m->now >= g->until)
            drop_ghost(m, at, 0);
        else {
            mesh__due(m, g->until);
            at = &g->next;
        }
    for (struct past **at = &m->past, *p; (p = *at);)
        if (m->now >= p->until)
            drop_past(at);
        else {
            mesh__due(m, p->until);
            at = &p->next;
        }
}

void settle_all(struct mesh *m)
{
    while (m->ghosts)
        drop_ghost(m, &m->ghosts, 0);
    while (m->past)
        drop_past(&m->past);
}
