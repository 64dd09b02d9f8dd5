#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what it is made of ---- */

static void default32(uint32_t *limit, uint32_t value)
{
    if (!*limit)
        *limit = value;
}

static void default64(int64_t *limit, int64_t value)
{
    if (!*limit)
        *limit = value;
}

static void set_limits(struct mesh_limits *l)
{
    default32(&l->payload, 1 << 20);
    default32(&l->name, 1024);
    default32(&l->queue, 4 << 20);
    default32(&l->window, 4 << 20);
    default32(&l->links, 256);
    default32(&l->strangers, 64);
    default32(&l->strangers_each, 8);
    default32(&l->accepts, 50);
    default32(&l->hello_bytes, 4096);
    default32(&l->resolves, 1000);
    default64(&l->hello, 5 * SECOND);
    default64(&l->frame, 30 * SECOND);
    default64(&l->connect, 5 * SECOND);
    default64(&l->resolve, 5 * SECOND);
    default64(&l->probe, 5 * SECOND);
    default64(&l->send, 5 * SECOND);
    default64(&l->beat, SECOND);
    default64(&l->silence, 4 * SECOND);
    default64(&l->stuck, 3 * SECOND);
    default64(&l->redial, 100 * MS);
    default64(&l->redial_max, 10 * SECOND);
}

static char *copy_text(const char *text, int *ok)
{
    char *copy = text ? strdup(text) : NULL;
    *ok &= !text || copy;
    return copy;
}

static const char *const *copy_list(const char *const *list, int *ok)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    char **copy = list ? calloc(n + 1, sizeof *copy) : NULL;
    *ok &= !list || copy;
    for (size_t i = 0; copy && i < n; i++)
        copy[i] = copy_text(list[i], ok);
    return (const char *const *)copy;
}

static void free_list(const char *const *list)
{
    for (size_t i = 0; list && list[i]; i++)
        free((void *)list[i]);
    free((void *)list);
}

int mesh__copy_config(struct mesh_config *c, const struct mesh_config *given)
{
    int ok = 1;
    *c = *given;
    c->node = copy_text(given->node, &ok);
    c->advertise = copy_text(given->advertise, &ok);
    void *cookie = given->cookie ? malloc(given->cookie_len + 1) : NULL;
    ok &= !given->cookie || cookie;
    if (cookie)
        memcpy(cookie, given->cookie, given->cookie_len);
    c->cookie = cookie;
    c->allow_peers = copy_list(given->allow_peers, &ok);
    c->exported = copy_list(given->exported, &ok);
    c->may_stop = copy_list(given->may_stop, &ok);
    c->may_supervise = copy_list(given->may_supervise, &ok);
    set_limits(&c->limits);
    return ok;
}

void mesh__free_config(struct mesh_config *c)
{
    free((void *)c->node);
    free((void *)c->advertise);
    free((void *)c->cookie);
    free_list(c->allow_peers);
    free_list(c->exported);
    free_list(c->may_stop);
    free_list(c->may_supervise);
}

struct mesh *mesh_new(const struct mesh_config *given, const struct mesh_seam *seam)
{
    struct mesh *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->seam = *seam;
    if (!mesh__copy_config(&m->c, given)) {
        mesh_free(m);
        return NULL;
    }
    m->limits = m->c.limits;
    m->alarm = m->request_due = INT64_MAX;
    m->hello = (struct hello){.min = PROTOCOL_MIN,
                              .max = PROTOCOL_MAX,
                              .id = m->c.id,
                              .creation = m->c.creation,
                              .payload = m->limits.payload,
                              .name = m->limits.name,
                              .window = m->limits.window};
    snprintf(m->hello.node, sizeof m->hello.node, "%s", m->c.node);
    snprintf(m->hello.address, sizeof m->hello.address, "%s", m->c.advertise ? m->c.advertise : "");
    return m;
}

int mesh_advertise(struct mesh *m, const char *address)
{
    int ok = 1;
    const char *copy = copy_text(address, &ok);
    if (!ok)
        return IRIS_FAIL;
    free((void *)m->c.advertise);
    m->c.advertise = copy;
    snprintf(m->hello.address, sizeof m->hello.address, "%s", copy);
    return IRIS_OK;
}

void mesh_free(struct mesh *m)
{
    if (!m)
        return;
    m->depth++; /* who is told of it may say something, and no call ends here any more */
    settle_all(m);
    remote_all(m, "the mesh ends");
    for (struct link *l = m->links; l; l = l->next) /* a letter may be told over another link */
        if (l->state >= LINK_UP)
            settle_parted(l, 0);
    for (struct link *l = m->links, *next; l; l = next) {
        next = l->next;
        link_destroy(l);
    }
    for (struct node *n = m->nodes, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    for (struct peer *p = m->peers, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    table_finish(&m->conns);
    table_finish(&m->requests);
    mesh__free_config(&m->c);
    free(m);
}

/* ---- one call ---- */

void mesh__enter(struct mesh *m)
{
    if (!m->depth++)
        m->now = m->seam.now(m->seam.ctx);
}

void mesh__leave(struct mesh *m)
{
    if (--m->depth)
        return;
    for (struct link *l = m->links; m->dirty && l; l = l->next)
        if (l->dirty && !l->dead)
            link_flush(l);
    m->dirty = 0;
    for (struct link **at = &m->links, *l; (l = *at);)
        if (l->dead) {
            *at = l->next;
            link_destroy(l);
        } else
            at = &l->next;
    remote_sweep(m);
    peer_drop(m);
}

void mesh__due(struct mesh *m, int64_t at)
{
    if (at >= m->alarm)
        return;
    m->alarm = at;
    m->seam.wake(m->seam.ctx, at);
}

/* ---- rules that were broken ---- */

static void count(struct mesh *m, const char *rule)
{
    int i = 0;
    while (i < m->nrefusals && strcmp(m->refusals[i].rule, rule))
        i++;
    if (i == REFUSALS_MAX)
        return;
    if (i == m->nrefusals)
        snprintf(m->refusals[m->nrefusals++].rule, sizeof m->refusals->rule, "%s", rule);
    m->refusals[i].n++;
}

static uint64_t hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    while (*text)
        h = (h ^ (uint8_t)*text++) * UINT64_C(0x100000001b3);
    return h | 1;
}

/* Was this one told of less than 10 s ago? The table is small: a flood from many hosts is told in part. */
static int told_already(struct mesh *m, const char *who)
{
    uint64_t h = hash(who);
    struct told *oldest = m->told;
    for (struct told *t = m->told; t < m->told + TOLD_MAX; t++) {
        if (t->who == h && m->now < t->again)
            return 1;
        if (t->who == h || t->again < oldest->again)
            oldest = t;
        if (t->who == h)
            break;
    }
    if (oldest->who != h && m->now < oldest->again)
        return 1;
    *oldest = (struct told){.who = h, .again = m->now + 10 * SECOND};
    return 0;
}

static void refuse_words(struct mesh *m, const char *who, const char *rule, const char *words)
{
    count(m, rule);
    if (!told_already(m, who))
        m->seam.event(m->seam.ctx, MESH_REFUSED, who, words);
}

void mesh__refuse(struct mesh *m, const char *who, const char *rule)
{
    refuse_words(m, who, rule, rule);
}

int mesh_refusals(struct mesh *m, void (*each)(void *ctx, const char *rule, uint64_t n), void *ctx)
{
    for (int i = 0; i < m->nrefusals; i++)
        each(ctx, m->refusals[i].rule, m->refusals[i].n);
    return m->nrefusals;
}

/* ---- from the net ---- */

static struct link *link_of(struct mesh *m, uint32_t conn)
{
    return (struct link *)table_find(&m->conns, conn);
}

/* Its place, or that of who has not come for longest: of a flood from many addresses not all are known, but then
 * the number of strangers holds it up. */
static struct caller *caller(struct mesh *m, const char *host)
{
    uint64_t h = hash(host);
    struct caller *oldest = m->callers;
    for (struct caller *c = m->callers; c < m->callers + CALLERS_MAX; c++) {
        if (c->who == h)
            return c;
        if (c->since < oldest->since)
            oldest = c;
    }
    *oldest = (struct caller){.who = h, .since = m->now, .left = m->limits.accepts};
    return oldest;
}

static int too_fast(struct mesh *m, const char *host)
{
    struct caller *c = caller(m, host);
    if (m->now - c->since >= SECOND)
        *c = (struct caller){.who = c->who, .since = m->now, .left = m->limits.accepts};
    if (!c->left)
        return 1;
    c->left--;
    return 0;
}

void mesh__proved(struct mesh *m, const char *host)
{
    caller(m, host)->left++;
}

static int too_many(const struct mesh *m, const char *host)
{
    uint32_t same = 0;
    if (m->ended || m->nstrangers >= m->limits.strangers)
        return 1;
    for (const struct link *l = m->links; l; l = l->next)
        same += l->stranger && !l->dead && !strcmp(l->from, host);
    return same >= m->limits.strangers_each;
}

/* "127.0.0.1:9000" is of host 127.0.0.1, and "[::1]:9000" or "[::1]" of [::1]. */
static void host_of(const char *from, char *out, size_t room)
{
    const char *end = *from == '[' ? strchr(from, ']') : from,
               *colon = strrchr(end ? end : from, ':');
    size_t n = colon ? (size_t)(colon - from) : strlen(from);
    snprintf(out, room, "%.*s", (int)n, from);
}

static int accept_link(struct mesh *m, uint32_t conn, const char *host, enum mesh_compat compat,
                       const struct mesh_identity *who)
{
    if (too_fast(m, host)) {
        mesh__refuse(m, host, "accepts");
        return IRIS_FULL;
    }
    struct link *l = too_many(m, host) ? NULL : link_create(m, conn, compat, 0);
    if (!l) {
        mesh__refuse(m, host, "strangers");
        return IRIS_FULL;
    }
    snprintf(l->from, sizeof l->from, "%s", host);
    mesh__due(m, m->now + m->limits.hello);
    if (!who)
        return IRIS_OK; /* its state says that it is not open yet */
    l->who = *who;
    const char *why = compat ? NULL : greet_refuses(m, l);
    if (why) {
        mesh__refuse(m, host, why);
        l->dead = 1; /* who calls closes it */
        return IRIS_FULL;
    }
    l->state = LINK_HELLO;
    return IRIS_OK;
}

int mesh_accepted(struct mesh *m, uint32_t conn, const char *from, enum mesh_compat compat,
                  const struct mesh_identity *who)
{
    char host[64];
    host_of(from, host, sizeof host);
    mesh__enter(m);
    int result = accept_link(m, conn, host, compat, who);
    mesh__leave(m);
    return result;
}

/* Its time goes on from when it was accepted. */
static void identified(struct link *l)
{
    const char *why = greet_refuses(l->mesh, l);
    l->state = LINK_HELLO;
    if (why)
        link_broken(l, why);
}

void mesh_connected(struct mesh *m, uint32_t conn, const struct mesh_identity *who)
{
    struct link *l = link_of(m, conn);
    mesh__enter(m);
    if (l && !l->dead && l->state == LINK_DIALLING) {
        l->who = *who;
        if (!l->dialled)
            identified(l);
        else if (l->compat)
            compat_connected(l);
        else
            greet_connected(l);
        if (!l->dead)
            link_flush(l);
    }
    mesh__leave(m);
}

void mesh_bytes(struct mesh *m, uint32_t conn, const void *bytes, size_t n)
{
    struct link *l = link_of(m, conn);
    mesh__enter(m);
    if (l && !l->dead && n)
        link_bytes(l, bytes, n);
    mesh__leave(m);
}

void mesh_writable(struct mesh *m, uint32_t conn)
{
    struct link *l = link_of(m, conn);
    mesh__enter(m);
    if (l && !l->dead)
        link_writable(l);
    mesh__leave(m);
}

void mesh_closed(struct mesh *m, uint32_t conn, const char *why)
{
    struct link *l = link_of(m, conn);
    mesh__enter(m);
    if (l && !l->dead && !l->dialled && l->state == LINK_DIALLING && why && *why)
        refuse_words(m, l->from, "not-identified", why);
    if (l && !l->dead)
        link_gone(l, why && *why ? why : "closed");
    mesh__leave(m);
}

/* A tick that comes more than a beat late says that this node was away: what others sent meanwhile still
 * waits to be read. Nobody is accused of that time: each link lives for one more beat at least. */
static void forgive(struct mesh *m)
{
    if (m->alarm == INT64_MAX || m->now - m->alarm <= m->limits.beat)
        return;
    for (struct link *l = m->links; l; l = l->next) {
        int64_t least = m->now - m->limits.silence + m->limits.beat;
        l->heard = l->heard < least ? least : l->heard;
        l->moved = l->moved < least ? least : l->moved;
    }
}

void mesh_tick(struct mesh *m)
{
    mesh__enter(m);
    forgive(m);
    m->alarm = INT64_MAX; /* what is due is collected anew */
    int64_t due = INT64_MAX;
    for (struct link *l = m->links; l; l = l->next) {
        int64_t at = l->dead ? INT64_MAX : link_tick(l);
        due = at < due ? at : due;
    }
    remote_tick(m);
    settle_tick(m);
    peer_tick(m);
    mesh__due(m, due);
    mesh__leave(m);
}

/* ---- from this node ---- */

int mesh_send(struct mesh *m, const iris_message *message)
{
    struct node *n = node_at(m, message->to);
    struct link *l = n ? n->link : NULL;
    if (!l)
        return IRIS_DEAD;
    if (message->kind != IRIS_USER)
        return signal_send(l, message);
    return l->compat ? compat_send(l, message) : mail_send(l, message);
}

void mesh_flush(struct mesh *m, uint32_t index)
{
    struct node *n = index < NODES_MAX ? m->by_index[index] : NULL;
    mesh__enter(m);
    if (n && n->link)
        link_flush(n->link);
    mesh__leave(m);
}

void mesh_goodbye(struct mesh *m, const char *reason)
{
    mesh__enter(m);
    m->ended = 1;
    for (struct link *l = m->links; l; l = l->next)
        if (!l->dead)
            link_part(l, PART_LEAVING, reason);
    remote_all(m, reason);
    settle_all(m);
    mesh__leave(m);
}
