#include "inside.h"

#include <stdlib.h>

enum { RING_LEAST = 64, RING_KEPT = 1024 }; /* KEPT: items that an idle ring may have room for */

/* ---- pids ---- */

uint64_t mail_near(const struct link *l, const struct far *x)
{
    struct mesh *m = l->mesh;
    if (x->whose == WHOSE_SENDER)
        return (uint64_t)l->node->info.index << 43 | x->pid;
    if (x->whose != WHOSE_THIRD)
        return x->pid;
    if (!memcmp(&x->id, &m->c.id, sizeof x->id))
        return x->creation == m->c.creation ? x->pid : 0;
    struct link *third = node_link(m, &x->id, x->creation);
    return third ? (uint64_t)third->node->info.index << 43 | x->pid : 0;
}

/* One of a node that has gone is nobody. */
struct far mail_far(const struct link *l, uint64_t pid)
{
    struct far x = {.pid = pid & PID_MASK};
    if (!x.pid)
        return x;
    struct node *n = node_at(l->mesh, pid);
    if (pid <= PID_MASK)
        x.whose = WHOSE_SENDER;
    else if (n == l->node)
        x.whose = WHOSE_RECEIVER;
    else if (n && !n->info.compat) {
        x.whose = WHOSE_THIRD;
        x.id = n->info.id;
        x.creation = n->info.creation;
    }
    return x;
}

/* ---- heads: what is sent and not acknowledged ---- */

/* A ring of items of so many bytes, full with first..end, twice as large; NULL: no memory, and it stays. */
static void *grow_ring(void *ring, uint64_t *mask, uint64_t first, uint64_t end, size_t item)
{
    uint64_t room = ring ? (*mask + 1) * 2 : RING_LEAST;
    char *larger = malloc(room * item);
    if (!larger)
        return NULL;
    for (uint64_t n = first; ring && n < end; n++)
        memcpy(larger + (n & (room - 1)) * item, (char *)ring + (n & *mask) * item, item);
    free(ring);
    *mask = room - 1;
    return larger;
}

static int push_head(struct heads *h, const struct head *head)
{
    if (!h->ring || h->end - h->first > h->mask) {
        struct head *ring = grow_ring(h->ring, &h->mask, h->first, h->end, sizeof *ring);
        if (!ring)
            return 0;
        h->ring = ring;
    }
    h->ring[h->end++ & h->mask] = *head;
    return 1;
}

/* The window lets it go; one that is larger than the window goes alone. */
static void release(struct link *l)
{
    struct heads *h = &l->heads;
    for (; h->released < h->end; h->released++) {
        const struct head *head = &h->ring[h->released & h->mask];
        uint64_t cost = (uint64_t)head->len + COST;
        if (l->under_way && l->under_way + cost > l->window)
            return;
        l->under_way += cost;
        l->out.open += head->wire;
    }
}

void mail_acknowledge(struct link *l, uint64_t until)
{
    struct heads *h = &l->heads;
    for (; h->first < until; h->first++) {
        const struct head *head = &h->ring[h->first & h->mask];
        l->under_way -= (uint64_t)head->len + COST;
        l->node->info.acknowledged += head->to != 0;
    }
    l->moved = l->mesh->now;
    release(l);
}

/* ---- out ---- */

static uint8_t *put_pieces(uint8_t *p, const uint8_t *data, size_t len, size_t most)
{
    while (len) {
        size_t n = len < most ? len : most;
        put_head(p, FRAME_FRAG, (uint32_t)n);
        memcpy(p + FRAME_HEAD, data, n);
        p += FRAME_HEAD + n;
        data += n;
        len -= n;
    }
    return p;
}

/* Most mail is from an actor here, asks nothing and fits one frame. */
static uint8_t *put_plain(uint8_t *p, const iris_message *m)
{
    put_head(p, FRAME_MAIL, 17 + m->len);
    p[4] = WHOSE_SENDER;
    put64(p + 5, m->to & PID_MASK);
    put64(p + 13, m->from);
    if (m->len)
        memcpy(p + 21, m->data, m->len);
    return p + 21 + m->len;
}

static uint8_t *put_mail(uint8_t *p, const struct link *l, const iris_message *m)
{
    struct address a = {.to = m->to & PID_MASK,
                        .from = mail_far(l, m->from),
                        .ref = mail_far(l, m->ref),
                        .total = m->len,
                        .flags = m->len > l->piece ? MAIL_MORE : 0};
    size_t k = frame_put_address(p + FRAME_HEAD, &a);
    size_t n = m->len < l->piece ? m->len : l->piece;
    put_head(p, FRAME_MAIL, (uint32_t)(k + n));
    if (n)
        memcpy(p + FRAME_HEAD + k, m->data, n);
    return put_pieces(p + FRAME_HEAD + k + n, (const uint8_t *)m->data + n, m->len - n, l->piece);
}

uint8_t *mail_room_for(struct link *l, size_t n)
{
    struct lane *lane = &l->out.mail;
    size_t waits = lane_waits(lane);
    uint8_t *p = waits && waits + n > l->mesh->limits.queue ? NULL : lane_room(lane, n);
    l->full |= !p;
    return p;
}

int mail_keep(struct link *l, const struct head *head)
{
    if (!push_head(&l->heads, head)) {
        l->full = 1;
        return 0;
    }
    lane_put(&l->out.mail, head->wire);
    release(l);
    l->node->info.sent++;
    return 1;
}

int mail_send(struct link *l, const iris_message *m)
{
    size_t pieces = m->len / l->piece + 1;
    if (m->len > l->payload)
        return IRIS_LARGE;
    if (!(m->to & PID_MASK))
        return IRIS_DEAD;
    uint8_t *p = mail_room_for(l, m->len + ADDRESS_MAX + pieces * FRAME_HEAD);
    if (!p)
        return IRIS_FULL;
    int plain = !m->ref && m->from && m->from <= PID_MASK && m->len <= l->piece;
    uint8_t *end = plain ? put_plain(p, m) : put_mail(p, l, m);
    struct head head = {
        .to = m->to, .from = m->from, .ref = m->ref, .len = m->len, .wire = (uint32_t)(end - p)};
    if (!mail_keep(l, &head))
        return IRIS_FULL;
    if (m->ref && m->ref <= PID_MASK)
        signal_asked(l, m->ref);
    return IRIS_OK;
}

void mail_room(struct link *l)
{
    struct mesh *m = l->mesh;
    if (!link_is_up(l) || lane_waits(&l->out.mail) > m->limits.queue / 2)
        return;
    l->full = 0;
    m->seam.room(m->seam.ctx, l->node->info.index);
}

/* ---- in ---- */

iris_message *mail_slot(struct link *l, uint64_t cost)
{
    struct batch *b = &l->mesh->batch;
    if (b->n == BATCH || (b->n && b->link != l))
        mail_deliver(l->mesh);
    b->link = l;
    b->cost[b->n] = cost;
    b->p[b->n] = &b->m[b->n];
    return &b->m[b->n++];
}

static void take_in(struct link *l, const struct address *a, const uint8_t *data, uint32_t len)
{
    uint64_t ref = a->ref.whose ? mail_near(l, &a->ref) : 0;
    iris_message *m = mail_slot(l, (uint64_t)len + COST);
    *m = (iris_message){.kind = IRIS_USER,
                        .len = len,
                        .from = mail_near(l, &a->from),
                        .to = a->ref.whose && !ref ? 0 : a->to, /* nobody could answer: refused */
                        .ref = ref,
                        .data = data};
    if (l->asked.count)
        signal_answered(l, a->to);
}

static void begin_parts(struct link *l, const struct address *a, const uint8_t *data, uint32_t len)
{
    if (a->total > l->mesh->limits.payload)
        link_broken(l, "payload");
    else if (a->total <= len)
        link_broken(l, "malformed");
    else {
        l->parts.at = *a;
        l->parts.have = 0;
        l->parts.open = 1;
        mail_part(l, data, len);
    }
}

void mail_frame(struct link *l, const struct frame *f)
{
    struct address a;
    size_t k = l->parts.open ? 0 : frame_get_address(f->body, f->len, &a);
    if (!k)
        link_broken(l, "malformed");
    else if (a.flags & MAIL_MORE)
        begin_parts(l, &a, f->body + k, f->len - (uint32_t)k);
    else if (f->len - k > l->mesh->limits.payload)
        link_broken(l, "payload");
    else
        take_in(l, &a, f->body + k, f->len - (uint32_t)k);
}

static int grow_parts(struct parts *p, uint32_t want)
{
    uint32_t room = p->room ? p->room : FRAME_DATA;
    while (room < want)
        room *= 2;
    uint8_t *data = room == p->room ? p->data : realloc(p->data, room);
    if (!data)
        return 0;
    p->data = data;
    p->room = room;
    return 1;
}

void mail_part(struct link *l, const uint8_t *data, uint32_t len)
{
    struct parts *p = &l->parts;
    if (!grow_parts(p, p->have + len)) {
        link_end(l, "no memory", 0);
        return;
    }
    memcpy(p->data + p->have, data, len);
    p->have += len;
    l->begun = l->mesh->now; /* the time is for each piece: a large one on a slow line goes on */
    if (p->have < p->at.total)
        return;
    p->open = 0;
    take_in(l, &p->at, p->data, p->have);
    mail_deliver(l->mesh);
    if (p->room > 4 * FRAME_DATA) {
        free(p->data);
        *p = (struct parts){0};
    }
}

void mail_more(struct link *l, const struct frame *f)
{
    if (!l->parts.open || !f->len || f->len > l->parts.at.total - l->parts.have)
        link_broken(l, "malformed");
    else
        mail_part(l, f->body, f->len);
}

/* ---- NACK: u64 the first number, u32 how many, u8 the reason ---- */

static const char *const reasons[] = {"noconnection", "noproc", "full", "large", "refused"};
enum { REASONS = sizeof reasons / sizeof *reasons };

const char *mail_reason(uint32_t code)
{
    return reasons[code < REASONS ? code : 4];
}

static uint32_t code_of(int taken)
{
    return taken == IRIS_DEAD ? 1 : taken == IRIS_FULL ? 2 : taken == IRIS_LARGE ? 3 : 4;
}

/* The sender has heard of those before: it would not have sent this far without the CREDIT after them. */
static void trim(struct link *l)
{
    struct nacks *k = &l->nacks;
    while (k->first < k->end &&
           k->ring[k->first & k->mask].bytes + l->mesh->limits.window < l->received_cost)
        k->first++;
}

static int push_nack(struct nacks *k, const struct nack *nack)
{
    if (!k->ring || k->end - k->first > k->mask) {
        struct nack *ring = grow_ring(k->ring, &k->mask, k->first, k->end, sizeof *ring);
        if (!ring)
            return 0;
        k->ring = ring;
    }
    k->ring[k->end++ & k->mask] = *nack;
    return 1;
}

/* What a flood needed, and nobody needs now. */
void mail_shrink(struct link *l)
{
    if (l->heads.first == l->heads.end && l->heads.mask >= RING_KEPT) {
        free(l->heads.ring);
        l->heads.ring = NULL;
    }
    if (l->nacks.first == l->nacks.end && l->nacks.mask >= RING_KEPT) {
        free(l->nacks.ring);
        l->nacks.ring = NULL;
    }
}

void nacks_finish(struct nacks *k)
{
    free(k->ring);
    *k = (struct nacks){0};
}

static void put_nack(struct link *l, struct nack *run)
{
    uint8_t *p = run->count && !l->dead ? link_control(l, 13) : NULL;
    run->bytes = l->received_cost;
    trim(l);
    if (run->count)
        push_nack(&l->nacks, run);
    if (p) {
        put64(p, run->first);
        put32(p + 8, run->count);
        p[12] = (uint8_t)run->reason;
        link_control_put(l, FRAME_NACK, 13);
    }
    run->count = 0;
}

/* Runs of one reason are one frame. */
static void refuse(struct link *l, struct nack *run, uint32_t reason)
{
    if (run->count && (run->reason != reason || run->first + run->count != l->received))
        put_nack(l, run);
    if (!run->count)
        *run = (struct nack){.first = l->received, .reason = reason};
    run->count++;
}

static void count_in(struct link *l, uint64_t cost)
{
    l->received++;
    l->received_cost += cost;
    if (l->node)
        l->node->info.received++;
}

void mail_deliver(struct mesh *m)
{
    struct batch *b = &m->batch;
    struct link *l = b->link;
    struct nack run = {0};
    int n = b->n;
    if (!n)
        return;
    b->n = 0;
    m->seam.deliver(m->seam.ctx, b->p, n, b->taken);
    for (int i = 0; i < n; i++) {
        if (b->cost[i])
            count_in(l, b->cost[i]);
        if (b->taken[i] == IRIS_OK)
            continue;
        if (!b->cost[i])
            signal_refused(l, &b->m[i]);
        else if (l->compat) /* who sent it cannot be told */
            mesh__refuse(m, link_who(l), mail_reason(code_of(b->taken[i])));
        else
            refuse(l, &run, code_of(b->taken[i]));
    }
    put_nack(l, &run);
}

static void letter(struct link *l, uint64_t number, uint32_t reason)
{
    struct head *head = &l->heads.ring[number & l->heads.mask];
    if (!head->to)
        return;
    l->node->info.refused++;
    settle_letter(l->mesh, head, mail_reason(reason));
    head->to = 0;
}

void mail_nacked(struct link *l, const struct frame *f)
{
    if (f->len < 13) {
        link_broken(l, "malformed");
        return;
    }
    uint64_t first = get64(f->body), count = get32(f->body + 8);
    if (first < l->heads.first || first > l->heads.released || count > l->heads.released - first) {
        link_broken(l, "number");
        return;
    }
    for (uint64_t n = first; n < first + count; n++)
        letter(l, n, f->body[12]);
}

/* ---- CREDIT: u64 how many messages were taken in ---- */

void mail_credit(struct link *l, const struct frame *f)
{
    uint64_t received = f->len < 8 ? 0 : get64(f->body);
    if (f->len < 8)
        link_broken(l, "malformed");
    else if (received >= l->heads.released)
        link_broken(l, "number");
    else
        mail_acknowledge(l, received + 1);
}

void mail_tell_credit(struct link *l, int always)
{
    uint64_t messages = l->received - l->told, cost = l->received_cost - l->told_cost;
    if (!messages || (!always && messages < 256 && cost < l->mesh->limits.window / 8))
        return;
    uint8_t *p = link_control(l, 8);
    if (!p)
        return;
    put64(p, l->received);
    link_control_put(l, FRAME_CREDIT, 8);
    l->told = l->received;
    l->told_cost = l->received_cost;
}
