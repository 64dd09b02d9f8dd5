#include "secure.h"

#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN = 64 * 1024 }; /* four records are handed on at once */

struct secure {
    struct trust *trust;
    struct net_filter filter;
    struct session *sessions; /* that have not ended */
    uint32_t turn;            /* counts what changed whom we trust */
    unsigned char plain[PLAIN];
};

struct session {
    struct session *next, **at; /* of home's, while it has not ended */
    struct secure *home;
    uint32_t turn; /* as of when its other end was looked at */
    char out[256]; /* it is let in no more, why; "" */
    struct net_pipe *pipe;
    struct tls *tls;
    int told;        /* the protocol knows who it is */
    int uses, ended; /* what the protocol is told may end it: it is freed when nobody is in it */
};

static void leave(struct session *s)
{
    if (--s->uses || !s->ended)
        return;
    tls_destroy(s->tls);
    free(s);
}

static void enter(struct secure *home, struct session *s)
{
    s->home = home;
    s->turn = home->turn;
    s->at = &home->sessions;
    if ((s->next = home->sessions))
        s->next->at = &s->next;
    home->sessions = s;
}

static void take_out(struct session *s)
{
    if ((*s->at = s->next))
        s->next->at = s->at;
}

/* 0: it would not come in now. */
static int is_admitted(struct session *s)
{
    if (s->turn == s->home->turn)
        return 1;
    s->turn = s->home->turn;
    return tls_is_admitted(s->tls, s->out, sizeof s->out);
}

static void flush(struct session *s)
{
    const void *bytes;
    size_t n, taken;
    while (!s->ended && (n = tls_output(s->tls, &bytes))) {
        taken = net_pipe_write(s->pipe, bytes, n);
        tls_sent(s->tls, taken);
        if (taken < n)
            return;
    }
}

static void *begin(void *ctx, struct net_pipe *pipe, int dials, const char *address, char *why,
                   size_t room)
{
    struct secure *home = ctx;
    struct session *s = calloc(1, sizeof *s);
    (void)address;
    if (s && (s->tls = tls_create(home->trust, !dials, 0))) {
        enter(home, s);
        s->pipe = pipe;
        s->uses = 1;
        flush(s);
        return s;
    }
    free(s);
    snprintf(why, room, "no memory");
    return NULL;
}

/* Returns how much there was. */
static size_t hand_on(struct session *s)
{
    size_t n = 0, more;
    if (tls_state(s->tls) != TLS_SHAKING && !s->told && *tls_peer(s->tls)->uri) {
        if (*s->out || !is_admitted(s)) /* somebody has changed that meanwhile */
            return 0;
        s->told = 1;
        net_pipe_open(s->pipe, tls_peer(s->tls));
    }
    while (!s->ended && n < PLAIN && (more = tls_read(s->tls, s->home->plain + n, PLAIN - n)))
        n += more;
    if (n && !s->ended)
        net_pipe_bytes(s->pipe, s->home->plain, n);
    return n;
}

static int complain(const struct session *s, char *why, size_t room)
{
    if (*s->out && !s->told) {
        snprintf(why, room, "tls: %s", s->out);
        return IRIS_FAIL;
    }
    switch (tls_state(s->tls)) {
    case TLS_FAILED:
        snprintf(why, room, "tls: %s", tls_why(s->tls));
        return IRIS_FAIL;
    case TLS_ENDED:
        snprintf(why, room, "the other end closed the connection");
        return IRIS_FAIL;
    default:
        return IRIS_OK;
    }
}

static int feed(void *session, const void *bytes, size_t n, char *why, size_t room)
{
    struct session *s = session;
    const char *at = bytes;
    size_t taken, handed = 0;
    int result = IRIS_OK;
    s->uses++;
    do {
        taken = tls_feed(s->tls, at, n);
        at += taken;
        n -= taken;
        flush(s); /* the last of a handshake goes before what is said after it */
        handed = hand_on(s);
        flush(s);
    } while (!s->ended && (n || handed) && taken + handed > 0);
    if (!s->ended && n && tls_state(s->tls) != TLS_FAILED) {
        snprintf(why, room, "tls: the handshake does not go on");
        result = IRIS_FAIL;
    }
    if (!s->ended)
        result = complain(s, why, room);
    leave(s);
    return result;
}

static size_t put(void *session, const void *bytes, size_t n)
{
    struct session *s = session;
    const char *at = bytes;
    const void *waits;
    size_t taken = 0, step = net_pipe_step(s->pipe);
    while (taken < n && !tls_output(s->tls, &waits)) { /* a full line keeps what is next open */
        size_t left = n - taken, more = tls_write(s->tls, at + taken, left < step ? left : step);
        if (!more)
            break;
        taken += more;
        flush(s);
    }
    return taken;
}

static int writable(void *session, char *why, size_t room)
{
    struct session *s = session;
    const void *bytes;
    int result = IRIS_OK;
    s->uses++;
    flush(s);
    if (s->told && !tls_output(s->tls, &bytes))
        net_pipe_writable(s->pipe);
    if (!s->ended)
        result = complain(s, why, room);
    leave(s);
    return result;
}

static void end(void *session, int linger)
{
    struct session *s = session;
    if (linger)
        tls_end(s->tls);
    flush(s); /* also an alert, that tells the other end why */
    take_out(s);
    s->ended = 1;
    leave(s);
}

struct secure *secure_create(const struct trust_config *config, char *why, size_t room)
{
    struct secure *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(why, room, "no memory");
        return NULL;
    }
    if (!(s->trust = trust_create(config, why, room))) {
        free(s);
        return NULL;
    }
    s->filter = (struct net_filter){
        .ctx = s, .begin = begin, .feed = feed, .write = put, .writable = writable, .end = end};
    return s;
}

void secure_destroy(struct secure *s)
{
    if (!s)
        return;
    trust_destroy(s->trust);
    free(s);
}

const struct net_filter *secure_filter(const struct secure *s)
{
    return &s->filter;
}

const struct mesh_identity *secure_self(const struct secure *s)
{
    return trust_self(s->trust);
}

int secure_reload(struct secure *s, char *why, size_t room)
{
    s->turn++;
    return trust_reload(s->trust, why, room);
}

int secure_allow(struct secure *s, const char *const *allow, char *why, size_t room)
{
    s->turn++;
    return trust_allow(s->trust, allow, why, room);
}

uint32_t secure_next_out(struct secure *s, char *why, size_t room)
{
    for (struct session *each = s->sessions; each; each = each->next)
        if (each->told && !is_admitted(each)) {
            snprintf(why, room, "%s", each->out);
            return net_pipe_conn(each->pipe);
        }
    return 0;
}

int secure_look(struct secure *s, time_t now, char *text, size_t room, int *is_bad)
{
    char why[512];
    *is_bad = 1;
    if (!trust_changed(s->trust))
        return trust_due(s->trust, now, text, room);
    *is_bad = secure_reload(s, why, sizeof why) != IRIS_OK;
    if (*is_bad)
        snprintf(text, room, "certificates have changed and are not taken: %s", why);
    else
        snprintf(text, room, "certificates are read again: new links show %s, SHA-256 %.16s..",
                 trust_self(s->trust)->uri, trust_self(s->trust)->fingerprint);
    return 1;
}
