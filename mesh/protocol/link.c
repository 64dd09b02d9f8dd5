#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

struct link *link_create(struct mesh *m, uint32_t conn, enum mesh_compat compat, int dialled)
{
    struct link *l = calloc(1, sizeof *l);
    struct greeting *g = calloc(1, sizeof *g);
    if (!l || !g || table_add(&m->conns, &l->by_conn, conn)) {
        free(l);
        free(g);
        return NULL;
    }
    l->mesh = m;
    l->piece = FRAME_DATA;
    l->greeting = g;
    l->conn = conn;
    l->compat = compat;
    l->dialled = dialled;
    l->out.compat = compat != MESH_OURS;
    l->since = l->heard = l->moved = m->now;
    l->heads.first = l->heads.released = l->heads.end = 1;
    l->replies_end = &l->replies;
    l->stranger = !dialled;
    m->nstrangers += (uint32_t)l->stranger;
    l->next = m->links;
    m->links = l;
    return l;
}

void link_destroy(struct link *l)
{
    struct mesh *m = l->mesh;
    table_remove(&m->conns, &l->by_conn);
    m->nstrangers -= (uint32_t)l->stranger;
    compat_finish(l);
    signal_finish(l);
    nacks_finish(&l->nacks);
    lanes_finish(&l->out);
    free(l->heads.ring);
    free(l->in.bytes);
    free(l->parts.data);
    free(l->greeting);
    free(l);
}

int link_is_up(const struct link *l)
{
    return l->state == LINK_UP && !l->dead;
}

const char *link_who(const struct link *l)
{
    return l->node ? l->node->info.node : l->from;
}

/* ---- out ---- */

static size_t write_out(void *ctx, const void *bytes, size_t n)
{
    struct link *l = ctx;
    struct mesh *m = l->mesh;
    size_t taken = m->seam.write(m->seam.ctx, l->conn, bytes, n);
    l->wrote += taken;
    return taken;
}

void link_flush(struct link *l)
{
    if (l->dead || l->blocked || l->state == LINK_DIALLING)
        return;
    l->dirty = 0;
    size_t mail = lane_waits(&l->out.mail), control = lane_waits(&l->out.control);
    l->blocked = !lanes_flush(&l->out, write_out, l);
    if (!l->blocked)
        l->measured = 0;
    size_t left = lane_waits(&l->out.mail);
    if (!l->waiting || left < mail || (!mail && lane_waits(&l->out.control) < control))
        l->moved = l->mesh->now;
    l->waiting = left || lane_waits(&l->out.control);
    if (l->compat && l->node)
        compat_wrote(l);
    if (l->full)
        mail_room(l);
}

/* On a line that takes more than PIECE_TIME for a piece of the usual size they are smaller, and so is what the
 * kernel has: a heartbeat waits for a few of them. */
enum { PIECE_LEAST = 4096 };
#define PIECE_TIME (8 * MS)
#define MEASURE (50 * MS)

static void pace(struct link *l, uint64_t most)
{
    struct mesh *m = l->mesh;
    uint32_t piece = FRAME_DATA;
    while (piece > PIECE_LEAST && piece > most)
        piece /= 2;
    if (piece != l->piece && m->seam.pace)
        m->seam.pace(m->seam.ctx, l->conn, piece);
    l->piece = piece;
}

void link_writable(struct link *l)
{
    int64_t now = l->mesh->now, took = now - l->measured;
    if (l->measured && took >= MEASURE)
        pace(l, l->wrote * PIECE_TIME / (uint64_t)took);
    if (!l->measured || took >= MEASURE) {
        l->measured = now;
        l->wrote = 0;
    }
    l->blocked = 0;
    link_flush(l);
}

/* What a peer that does not read makes us keep, beside its mail. */
static size_t control_most(const struct link *l)
{
    return 4 * (size_t)l->mesh->limits.queue + (1 << 20);
}

uint8_t *link_control(struct link *l, size_t n)
{
    struct lane *lane = &l->out.control;
    if (l->dead)
        return NULL;
    uint8_t *p = lane_waits(lane) > control_most(l) ? NULL : lane_room(lane, FRAME_HEAD + n);
    if (p)
        return p + FRAME_HEAD;
    link_end(l, "it takes no more control frames", 0);
    return NULL;
}

void link_control_put(struct link *l, enum frame_type type, size_t n)
{
    struct lane *lane = &l->out.control;
    put_head(lane->base + lane->tail, type, (uint32_t)n);
    lane_put(lane, FRAME_HEAD + n);
}

/* ---- the end ---- */

static void finish(struct link *l, const char *why)
{
    if (l->node && l->node->link == l)
        node_down(l, why);
    if (l->state >= LINK_UP)
        settle_keep(l);
    l->dead = 1;
    remote_lost(l, why);
    peer_lost(l, why);
}

void link_gone(struct link *l, const char *why)
{
    char text[160]; /* `why` may stand in what ends */
    if (l->dead)
        return;
    mail_deliver(l->mesh);
    const char *state = !l->dialled              ? ""
                        : l->state == LINK_AUTH  ? " while authenticating: is it the same "
                                                   "cookie at both ends?"
                        : l->state == LINK_HELLO ? " before it said who it is: is it a node, and "
                                                   "does it want \"tls\"?"
                                                 : "";
    snprintf(text, sizeof text, "%s%s", why, state);
    finish(l, text);
}

void link_end(struct link *l, const char *why, int linger)
{
    char text[160];
    if (l->dead)
        return;
    snprintf(text, sizeof text, "%s", why);
    mail_deliver(l->mesh);
    if (l->dead)
        return;
    finish(l, text);
    l->mesh->seam.close(l->mesh->seam.ctx, l->conn, linger);
}

void link_broken(struct link *l, const char *rule)
{
    char text[96];
    if (l->dead)
        return;
    if (l->node)
        l->node->info.frames_refused++;
    mesh__refuse(l->mesh, link_who(l), rule);
    snprintf(text, sizeof text, "protocol: %s", rule);
    if (l->state >= LINK_READY && !l->compat)
        link_part(l, PART_ERROR, text);
    else
        link_end(l, text, 0);
}

/* ---- GOODBYE: u8 why, u64 how many of its messages were taken in, words ---- */

static void put_goodbye(struct link *l, struct lane *lane, enum parting code, const char *why)
{
    size_t n = strnlen(why, 200);
    uint8_t *p = lane_room(lane, FRAME_HEAD + 9 + n);
    if (!p)
        return;
    put_head(p, FRAME_GOODBYE, (uint32_t)(9 + n));
    p[4] = (uint8_t)code;
    put64(p + 5, l->received);
    memcpy(p + 13, why, n);
    lane_put(lane, FRAME_HEAD + 9 + n);
    l->parted = 1;
}

/* What the window has let out still goes, then GOODBYE; the other end answers with its own, which says
 * what it has taken in. */
static void leave(struct link *l, const char *why)
{
    struct lane *mail = &l->out.mail;
    node_down(l, why);
    if (l->dead)
        return;
    l->state = LINK_LEAVING;
    l->since = l->mesh->now;
    mail->tail = mail->head + l->out.open;
    size_t before = lane_waits(mail);
    put_goodbye(l, mail, PART_LEAVING, why);
    l->out.open += lane_waits(mail) - before;
    link_flush(l);
    mesh__due(l->mesh, l->since + SECOND);
}

void link_part(struct link *l, enum parting code, const char *why)
{
    if (l->dead || l->parted)
        return;
    mail_deliver(l->mesh);
    if (l->dead)
        return;
    if (l->compat || l->state < LINK_READY) {
        link_end(l, why, 1);
        return;
    }
    if (code == PART_LEAVING && l->state == LINK_UP) {
        leave(l, why);
        return;
    }
    put_goodbye(l, &l->out.control, code, why);
    link_flush(l);
    link_end(l, why, 1);
}

/* Nothing that it sent is heard any more, and nothing that waits for it goes. Files and the like are not for it to know. */
void link_shut_out(struct link *l, const char *why)
{
    char ours[160], theirs[160];
    snprintf(ours, sizeof ours, "it is let in no more: %s", why);
    snprintf(theirs, sizeof theirs, "%.130s is let in no more", link_who(l));
    if (!l->dead && !l->parted && !l->compat && l->state >= LINK_READY) {
        put_goodbye(l, &l->out.control, PART_REFUSED, theirs);
        link_flush(l);
    }
    link_end(l, ours, 1);
}

/* What others say goes into events, logs and terminals. */
void link_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static void goodbye(struct link *l, const struct frame *f)
{
    char why[128];
    mail_deliver(l->mesh); /* what came before it counts */
    if (l->dead)
        return;
    if (f->len < 9) {
        link_broken(l, "malformed");
        return;
    }
    int n = f->len - 9 > 100 ? 100 : (int)f->len - 9;
    snprintf(why, sizeof why, "goodbye: %.*s", n, (const char *)f->body + 9);
    link_printable(why);
    if (l->state >= LINK_UP)
        settle_parted(l, get64(f->body + 1));
    if (l->peer && f->body[0] == PART_OLD)
        l->peer->failures = 16; /* it will not soon be otherwise */
    if (l->peer)
        l->peer->doubled = f->body[0] == PART_DUPLICATE;
    if (!l->parted)
        put_goodbye(l, &l->out.control, PART_LEAVING, "goodbye");
    link_flush(l);
    link_end(l, why, 1);
}

/* ---- heartbeats ---- */

static void ping(struct link *l)
{
    struct mesh *m = l->mesh;
    l->pinged = m->now;
    if (l->compat) {
        compat_ping(l);
        return;
    }
    uint8_t *p = link_control(l, 8);
    if (!p)
        return;
    put64(p, (uint64_t)m->now << 1); /* odd ones are those of mesh_ping() */
    link_control_put(l, FRAME_PING, 8);
}

/* PONG: the number, u8 n, n times: u32 ms, u8 length and name of an executor. */
static void answer_ping(struct link *l, const struct frame *f)
{
    struct mesh *m = l->mesh;
    struct mesh_age ages[8];
    int n = f->len < 8 ? -1 : m->seam.ages(m->seam.ctx, ages, 8);
    uint8_t *p = n < 0 ? NULL : link_control(l, 9 + (size_t)n * 37);
    if (n < 0)
        link_broken(l, "malformed");
    if (!p)
        return;
    memcpy(p, f->body, 8);
    p[8] = (uint8_t)n;
    size_t at = 9;
    for (int i = 0; i < n; i++) {
        size_t len = strnlen(ages[i].executor, sizeof ages[i].executor - 1);
        put32(p + at, ages[i].ms);
        p[at + 4] = (uint8_t)len;
        memcpy(p + at + 5, ages[i].executor, len);
        at += 5 + len;
    }
    link_control_put(l, FRAME_PONG, at);
}

static int read_ages(struct mesh_node *info, const uint8_t *p, const uint8_t *end, int n)
{
    struct mesh_age ages[8] = {0};
    int kept = n < 8 ? n : 8;
    for (int i = 0; i < n; i++) {
        if (end - p < 5 || end - p - 5 < p[4])
            return -1;
        if (i < kept) {
            ages[i].ms = get32(p);
            snprintf(ages[i].executor, sizeof ages[i].executor, "%.*s", p[4], (const char *)p + 5);
            link_printable(ages[i].executor);
        }
        p += 5 + p[4];
    }
    memcpy(info->ages, ages, sizeof ages);
    info->nages = kept;
    return 0;
}

static void pong(struct link *l, const struct frame *f)
{
    uint64_t number = f->len < 9 ? 0 : get64(f->body);
    if (f->len < 9 || read_ages(&l->node->info, f->body + 9, f->body + f->len, f->body[8])) {
        link_broken(l, "malformed");
        return;
    }
    int64_t sent = (int64_t)(number >> 1);
    if (number & 1)
        remote_pong(l, number);
    else if (sent <= l->mesh->now && sent >= l->since)
        l->node->info.rtt = l->mesh->now - sent;
}

/* ---- in ---- */

static void frame_up(struct link *l, const struct frame *f)
{
    switch (f->type) {
    case FRAME_MAIL:
        mail_frame(l, f);
        break;
    case FRAME_FRAG:
        mail_more(l, f);
        break;
    case FRAME_CREDIT:
        mail_credit(l, f);
        break;
    case FRAME_NACK:
        mail_nacked(l, f);
        break;
    case FRAME_PING:
        answer_ping(l, f);
        break;
    case FRAME_PONG:
        pong(l, f);
        break;
    case FRAME_GOODBYE:
        goodbye(l, f);
        break;
    case FRAME_SETTLE:
        settle_frame(l, f);
        break;
    default:
        if (f->type >= FRAME_RESOLVE && f->type <= FRAME_PROBED)
            remote_frame(l, f);
        else if (f->type >= FRAME_MONITOR && f->type < FRAME_SIGNALS_END)
            signal_frame(l, f);
        else if (f->type == FRAME_CONFLICT)
            remote_conflict(l, f);
        else if (f->type == FRAME_GRANTS)
            signal_grants(l, f);
        else if (f->type >= FRAME_OPTIONAL)
            mesh__refuse(l->mesh, link_who(l), "skipped");
        else
            link_broken(l, "unknown");
    }
}

static void frame(struct link *l, const struct frame *f)
{
    if (l->state < LINK_UP && (f->type != FRAME_GOODBYE || l->state != LINK_READY))
        greet_frame(l, f);
    else if (l->state != LINK_LEAVING)
        f->type == FRAME_GOODBYE ? goodbye(l, f) : frame_up(l, f);
    else if (f->type == FRAME_GOODBYE)
        goodbye(l, f);
    else if (f->type == FRAME_NACK)
        mail_nacked(l, f);
}

static int too_early(struct link *l, size_t n)
{
    if (l->state >= LINK_READY)
        return 0;
    l->early += n > l->mesh->limits.hello_bytes ? l->mesh->limits.hello_bytes + 1 : (uint32_t)n;
    return l->early > l->mesh->limits.hello_bytes;
}

static void take_frames(struct link *l, const uint8_t *bytes, size_t n)
{
    enum frame_result got = FRAME_ONE;
    struct frame f;
    while (!l->dead && got == FRAME_ONE) {
        uint32_t most = l->state < LINK_READY ? l->mesh->limits.hello_bytes : FRAME_MAX;
        got = frame_next(&l->in, &bytes, &n, most, &f);
        if (got == FRAME_ONE) {
            frame(l, &f);
            if (f.held)
                mail_deliver(l->mesh);
        }
    }
    if (got == FRAME_OVERSIZE)
        link_broken(l, "oversize");
    else if (got == FRAME_MEMORY)
        link_end(l, "no memory", 0);
}

void link_bytes(struct link *l, const uint8_t *bytes, size_t n)
{
    struct mesh *m = l->mesh;
    l->heard = m->now;
    if (l->compat)
        compat_bytes(l, bytes, n);
    else if (too_early(l, n))
        link_broken(l, "hello-size");
    else
        take_frames(l, bytes, n);
    mail_deliver(m);
    if (l->dead)
        return;
    int open = l->in.have || l->parts.open;
    if (!open)
        l->begun = 0;
    else if (!l->begun)
        l->begun = m->now ? m->now : 1;
    if (l->state == LINK_UP && !l->compat)
        mail_tell_credit(l, 0);
    link_flush(l);
}

/* ---- time ---- */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t tick_up(struct link *l)
{
    const struct mesh_limits *k = &l->mesh->limits;
    int64_t now = l->mesh->now;
    char why[64];
    if (now - l->heard >= k->silence) {
        snprintf(why, sizeof why, "silent for %.1f s", (double)(now - l->heard) / 1e9);
        link_end(l, why, 0);
    } else if (l->begun && now - l->begun >= k->frame)
        link_broken(l, "slow-frame");
    else if (l->waiting && now - l->moved >= k->send)
        link_end(l, "it takes no bytes", 0);
    if (l->dead)
        return INT64_MAX;
    if (now - l->pinged >= k->beat) {
        ping(l);
        if (!l->compat)
            mail_tell_credit(l, 1);
        signal_stuck(l);
        lanes_shrink(&l->out);
        mail_shrink(l);
        link_flush(l);
    }
    return sooner(l->pinged + k->beat, l->heard + k->silence);
}

static int64_t timed_out(struct link *l, int64_t at, const char *why, int rule)
{
    if (l->mesh->now < at)
        return at;
    if (rule)
        link_broken(l, why);
    else
        link_end(l, why, 0);
    return INT64_MAX;
}

int64_t link_tick(struct link *l)
{
    const struct mesh_limits *k = &l->mesh->limits;
    switch (l->state) {
    case LINK_DIALLING:
        if (!l->dialled)
            return timed_out(l, l->since + k->hello, "hello-timeout", 1);
        return timed_out(l, l->since + k->connect, "connect: no answer in time", 0);
    case LINK_UP:
        return tick_up(l);
    case LINK_SERVED:
        return compat_tick(l);
    case LINK_LEAVING:
        return timed_out(l, l->since + SECOND, "left", 0);
    default:
        return timed_out(l, l->since + k->hello, "hello-timeout", 1);
    }
}
