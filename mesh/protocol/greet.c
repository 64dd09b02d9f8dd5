/* Who the other end is. Nothing else is heard before this is over:
 *
 *   dials     HELLO >                  > AUTH            then, where ids are low and high:
 *   accepts           HELLO >  (checks)        AUTH >    high: WELCOME >   low: WELCOME or GOODBYE >
 *
 * The end with the lower id decides whether it becomes a link: so both ends agree which of two stays, and
 * one that works is never given up for another. */
#include "inside.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <stdio.h>
#include <string.h>

enum { BY_COOKIE = 1, BY_TLS = 2, NAME_MOST = FRAME_DATA };

/* ---- identities ---- */

static int is_listed(const char *const *list, const char *text)
{
    for (; *text && list && *list; list++)
        if (!strcmp(*list, text))
            return 1;
    return 0;
}

static int is_tls(const struct link *l)
{
    return l->who.fingerprint[0] != 0;
}

int greet_uses_cookie(const struct link *l)
{
    const struct mesh_config *c = &l->mesh->c;
    return !is_tls(l) || (c->cookie && !c->loopback_cookie);
}

const char *greet_refuses(const struct mesh *m, const struct link *l)
{
    const struct mesh_config *c = &m->c;
    int listed =
        is_listed(c->allow_peers, l->who.uri) || is_listed(c->allow_peers, l->who.fingerprint);
    if (is_tls(l) && c->allow_peers && !listed)
        return "not-allowed";
    if (is_tls(l) && !l->who.uri[0] && !listed)
        return "no-identity";
    if (!is_tls(l) && !c->cookie)
        return "no-cookie";
    if (!is_tls(l) && c->loopback_cookie && !l->who.loopback)
        return "not-loopback";
    return NULL;
}

/* The last part of "iris://cluster/node" is the node's name. */
static int is_named(const struct link *l, const char *node)
{
    const char *slash = strrchr(l->who.uri, '/');
    return !l->who.uri[0] || !strcmp(slash ? slash + 1 : l->who.uri, node);
}

/* ---- HELLO ---- */

static void put_hello(struct link *l)
{
    struct mesh *m = l->mesh;
    struct hello h = m->hello;
    h.role = !l->dialled;
    m->seam.secret(m->seam.ctx, h.nonce, sizeof h.nonce);
    l->greeting->mine_len = frame_put_hello(l->greeting->mine, &h);
    uint8_t *p = link_control(l, HELLO_MAX);
    if (!p)
        return;
    memcpy(p, l->greeting->mine + FRAME_HEAD, l->greeting->mine_len - FRAME_HEAD);
    link_control_put(l, FRAME_HELLO, l->greeting->mine_len - FRAME_HEAD);
}

void greet_connected(struct link *l)
{
    const char *why = greet_refuses(l->mesh, l);
    l->state = LINK_HELLO;
    l->since = l->mesh->now;
    mesh__due(l->mesh, l->since + l->mesh->limits.hello);
    if (why)
        link_broken(l, why);
    else
        put_hello(l);
}

/* ---- AUTH ---- */

static void prove(const struct link *l, int role, uint8_t proof[PROOF])
{
    static const char label[] = "iris mesh 1";
    const struct mesh_config *c = &l->mesh->c;
    const struct greeting *g = l->greeting;
    uint8_t text[sizeof label + 32 + 2 * HELLO_MAX], *p = text;
    memcpy(p, label, sizeof label - 1);
    p += sizeof label - 1;
    *p++ = (uint8_t)role;
    memcpy(p, l->who.channel, sizeof l->who.channel);
    p += sizeof l->who.channel;
    memcpy(p, l->dialled ? g->mine : g->theirs, l->dialled ? g->mine_len : g->theirs_len);
    p += l->dialled ? g->mine_len : g->theirs_len;
    memcpy(p, l->dialled ? g->theirs : g->mine, l->dialled ? g->theirs_len : g->mine_len);
    p += l->dialled ? g->theirs_len : g->mine_len;
    HMAC(EVP_sha256(), c->cookie, (int)c->cookie_len, text, (size_t)(p - text), proof, NULL);
}

static void put_auth(struct link *l)
{
    uint8_t *p = link_control(l, 1 + PROOF);
    if (!p)
        return;
    p[0] = greet_uses_cookie(l) ? BY_COOKIE : BY_TLS;
    if (p[0] == BY_COOKIE)
        prove(l, !l->dialled, p + 1);
    link_control_put(l, FRAME_AUTH, p[0] == BY_COOKIE ? 1 + PROOF : 1);
}

static int is_proven(const struct link *l, const struct frame *f)
{
    uint8_t proof[PROOF];
    if (!greet_uses_cookie(l))
        return f->len >= 1 && f->body[0] == BY_TLS;
    if (f->len < 1 + PROOF || f->body[0] != BY_COOKIE)
        return 0;
    prove(l, l->dialled, proof);
    return !CRYPTO_memcmp(proof, f->body + 1, PROOF);
}

/* Both nonces made it: nobody else's link has it. */
static uint64_t link_id(const struct link *l)
{
    uint64_t id =
        get64(l->greeting->mine + FRAME_HEAD + 32) ^ get64(l->greeting->theirs + FRAME_HEAD + 32);
    return id ? id : 1;
}

/* WELCOME: u8 flags, 1: there is a link between us that is up; u64 the last one that was, 0: none. */
static void put_welcome(struct link *l)
{
    struct hello *h = &l->greeting->hello;
    const struct node *n = node_find(l->mesh, h->node);
    int same = n && n->info.creation == h->creation && !memcmp(&n->info.id, &h->id, sizeof h->id);
    uint8_t *p = link_control(l, 9);
    if (!p)
        return;
    p[0] = same && n->link;
    put64(p + 1, same ? n->last_link : 0);
    link_control_put(l, FRAME_WELCOME, 9);
}

static void authenticated(struct link *l)
{
    struct mesh *m = l->mesh;
    const struct hello *h = &l->greeting->hello;
    m->nstrangers -= (uint32_t)l->stranger;
    l->stranger = 0;
    if (!l->dialled)
        mesh__proved(m, l->from);
    l->state = LINK_READY;
    l->id = link_id(l);
    l->payload = h->payload;
    l->window = h->window;
    l->name = h->name < NAME_MOST ? h->name : NAME_MOST;
    if (l->peer) {
        l->peer->via = h->id;
        l->peer->known = 1;
    }
    if (m->nlinks >= m->limits.links) {
        mesh__refuse(m, h->node, "links");
        link_part(l, PART_FULL, "it has links enough");
    } else if (!node_low(m, &h->id))
        put_welcome(l);
}

/* ---- frames ---- */

static int is_self(const struct link *l)
{
    return !memcmp(&l->greeting->hello.id, &l->mesh->c.id, sizeof(struct node_id));
}

/* The other end of it is here too: that is the one which knows the address. */
static void found_self(struct link *l)
{
    for (struct link *o = l->mesh->links; o; o = o->next)
        if (o->peer && o->greeting && o->greeting->mine_len &&
            !memcmp(o->greeting->mine + FRAME_HEAD + 32, l->greeting->hello.nonce, 32))
            o->peer->self = 1;
    if (l->peer)
        l->peer->self = 1;
    link_end(l, "it is this node", 0);
}

static const char *hello_refused(const struct link *l)
{
    const struct hello *h = &l->greeting->hello;
    if (h->role != l->dialled)
        return "role";
    if (h->min > PROTOCOL_MAX || h->max < PROTOCOL_MIN)
        return "version";
    if (!is_named(l, h->node))
        return "identity";
    return NULL;
}

static void heard_hello(struct link *l, const struct frame *f)
{
    struct greeting *g = l->greeting;
    const char *why = f->len + FRAME_HEAD > HELLO_MAX || frame_get_hello(f, &g->hello)
                          ? "malformed"
                          : hello_refused(l);
    if (!why && is_self(l)) {
        found_self(l);
        return;
    }
    if (why) {
        link_broken(l, why);
        return;
    }
    put_head(g->theirs, FRAME_HELLO, f->len);
    memcpy(g->theirs + FRAME_HEAD, f->body, f->len);
    g->theirs_len = FRAME_HEAD + f->len;
    l->state = LINK_AUTH;
    if (l->dialled)
        put_auth(l);
    else
        put_hello(l);
}

static void heard_auth(struct link *l, const struct frame *f)
{
    if (!is_proven(l, f)) {
        link_broken(l, "auth");
        return;
    }
    if (!l->dialled)
        put_auth(l);
    authenticated(l);
}

static void heard_welcome(struct link *l, const struct frame *f)
{
    enum parting code = PART_ERROR;
    int low = node_low(l->mesh, &l->greeting->hello.id);
    struct claim claim = {0};
    if (f->len >= 9)
        claim = (struct claim){.has_one = f->body[0] & 1, .last_link = get64(f->body + 1)};
    const char *why = f->len < 9 ? "malformed" : node_claim(l, &claim, &code);
    if (l->dead)
        return;
    if (why && code == PART_ERROR)
        link_broken(l, why);
    else if (why)
        link_part(l, code, why);
    else {
        if (low)
            put_welcome(l);
        if (!l->dead)
            node_up(l);
    }
}

void greet_frame(struct link *l, const struct frame *f)
{
    if (l->state == LINK_HELLO && f->type == FRAME_HELLO)
        heard_hello(l, f);
    else if (l->state == LINK_AUTH && f->type == FRAME_AUTH)
        heard_auth(l, f);
    else if (l->state == LINK_READY && f->type == FRAME_WELCOME)
        heard_welcome(l, f);
    else
        link_broken(l, "early");
}
