#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OUT_ROOM = 64 * 1024,
    IN_ROOM = 17 * 1024, /* a record */
    RECORD = 16 * 1024,  /* the most that one holds */
    OVERHEAD = 64,       /* a record's head and tag, and an answer to a change of keys before it */
    HANDSHAKE_MAX = 32 * 1024 /* bytes of a stranger: two chains of four certificates */
};

struct tls {
    SSL *ssl;
    BIO *inner, *net; /* ours is net; inner belongs to ssl */
    enum tls_state state;
    size_t fed; /* while it shakes hands */
    struct trust_verdict verdict;
};

/* ---- what went wrong, in words ---- */

/* An alert says little, and it is all that this end gets to know of the other's reason. */
static const char *alert_text(int alert)
{
    static const struct {
        int alert;
        const char *text;
    } known[] = {
        {SSL_AD_UNKNOWN_CA, "it does not know the CA that signed this node's certificate"},
        {SSL_AD_CERTIFICATE_EXPIRED,
         "it says that this node's certificate has ended, or not begun"},
        {SSL_AD_CERTIFICATE_REVOKED, "it says that this node's certificate is revoked"},
        {SSL_AD_CERTIFICATE_REQUIRED, "it wants a certificate, and this node showed none"},
        {SSL_AD_BAD_CERTIFICATE,
         "it does not take this node's certificate: of another cluster, or naming no node"},
        {SSL_AD_HANDSHAKE_FAILURE, "it does not let this node in: see \"allow\" there"},
        {SSL_AD_PROTOCOL_VERSION, "it does not offer TLS 1.3, or has no certificate"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].alert == alert)
            return known[i].text;
    return NULL;
}

static const char *reason_text(int reason)
{
    switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return "it showed no certificate";
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
        return "it speaks HTTP, not TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_UNKNOWN_PROTOCOL:
        return "it does not offer TLS 1.3";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_UNEXPECTED_MESSAGE:
        return "it does not speak TLS, or not as agreed";
    }
    return reason > SSL_AD_REASON_OFFSET ? alert_text(reason - SSL_AD_REASON_OFFSET) : NULL;
}

static void fail(struct tls *t)
{
    unsigned long error = ERR_peek_error();
    const char *text =
        ERR_GET_LIB(error) == ERR_LIB_SSL ? reason_text(ERR_GET_REASON(error)) : NULL;
    char *why = t->verdict.why;
    if (!*why && text)
        snprintf(why, sizeof t->verdict.why, "%s", text);
    else if (!*why)
        snprintf(why, sizeof t->verdict.why, "TLS failed: %s",
                 error ? ERR_reason_error_string(error) : "no reason given");
    t->state = TLS_FAILED;
    ERR_clear_error();
}

/* ---- the state ---- */

static void opened(struct tls *t)
{
    static const char label[] = "EXPORTER-iris-mesh-1";
    struct mesh_identity *who = &t->verdict.who;
    if (SSL_export_keying_material(t->ssl, who->channel, sizeof who->channel, label,
                                   sizeof label - 1, NULL, 0, 0) != 1)
        return fail(t);
    t->state = TLS_OPEN;
}

/* After a call of SSL that did not do what was asked of it. */
static void look(struct tls *t, int result)
{
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return;
    case SSL_ERROR_ZERO_RETURN:
        t->state = TLS_ENDED;
        return;
    default:
        fail(t);
    }
}

static void shake(struct tls *t)
{
    if (t->state != TLS_SHAKING)
        return;
    ERR_clear_error();
    int result = SSL_do_handshake(t->ssl);
    if (result == 1)
        opened(t);
    else
        look(t, result);
}

/* ---- made and unmade ---- */

static int join(struct tls *t, size_t room)
{
    if (BIO_new_bio_pair(&t->inner, room ? room : OUT_ROOM, &t->net,
                         room && room < IN_ROOM ? room : IN_ROOM) != 1)
        return IRIS_FAIL;
    SSL_set_bio(t->ssl, t->inner, t->inner);
    return IRIS_OK;
}

struct tls *tls_create(struct trust *trust, int accepted, size_t room)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->verdict.trust = trust;
    t->ssl = SSL_new(trust_context(trust));
    if (!t->ssl || join(t, room)) {
        tls_destroy(t);
        return NULL;
    }
    SSL_set_app_data(t->ssl, &t->verdict);
    if (accepted)
        SSL_set_accept_state(t->ssl);
    else
        SSL_set_connect_state(t->ssl);
    shake(t);
    return t;
}

void tls_destroy(struct tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    BIO_free(t->net);
    ERR_clear_error();
    free(t);
}

enum tls_state tls_state(const struct tls *t)
{
    return t->state;
}

const char *tls_why(const struct tls *t)
{
    return t->verdict.why;
}

const struct mesh_identity *tls_peer(const struct tls *t)
{
    static const struct mesh_identity nobody;
    return t->state == TLS_OPEN || t->state == TLS_ENDED ? &t->verdict.who : &nobody;
}

int tls_is_admitted(struct tls *t, char *why, size_t room)
{
    struct trust_verdict now = {.trust = t->verdict.trust};
    SSL_set_app_data(t->ssl, &now);
    int admitted = trust_admits(now.trust, t->ssl);
    SSL_set_app_data(t->ssl, &t->verdict);
    snprintf(why, room, "%s", now.why);
    return admitted;
}

/* ---- bytes ---- */

static int is_too_much(struct tls *t, size_t n)
{
    if (t->state != TLS_SHAKING)
        return 0;
    t->fed += n;
    if (t->fed <= HANDSHAKE_MAX)
        return 0;
    snprintf(t->verdict.why, sizeof t->verdict.why, "its handshake is longer than %d bytes",
             HANDSHAKE_MAX);
    t->state = TLS_FAILED;
    return 1;
}

size_t tls_feed(struct tls *t, const void *cipher, size_t n)
{
    if (t->state == TLS_FAILED || t->state == TLS_ENDED)
        return n; /* nobody will read it */
    int taken = n ? BIO_write(t->net, cipher, n < RECORD ? (int)n : RECORD) : 0;
    if (taken < 0)
        taken = 0;
    if (!is_too_much(t, (size_t)taken))
        shake(t);
    return (size_t)taken;
}

size_t tls_read(struct tls *t, void *plain, size_t n)
{
    size_t got = 0;
    shake(t); /* it may have waited for room */
    if (t->state != TLS_OPEN || !n)
        return 0;
    ERR_clear_error();
    int result = SSL_read_ex(t->ssl, plain, n, &got);
    if (result != 1)
        look(t, result);
    return result == 1 ? got : 0;
}

/* A record that SSL has begun must be written whole before another: so one is begun only if all of it has
 * room, and what was taken is taken. */
static size_t writable(const struct tls *t)
{
    size_t room = BIO_get_write_guarantee(t->inner);
    return room <= OVERHEAD ? 0 : room - OVERHEAD < RECORD ? room - OVERHEAD : RECORD;
}

size_t tls_write(struct tls *t, const void *plain, size_t n)
{
    size_t taken = 0, most, did;
    while (t->state == TLS_OPEN && taken < n && (most = writable(t))) {
        size_t left = n - taken;
        ERR_clear_error();
        if (SSL_write_ex(t->ssl, (const char *)plain + taken, left < most ? left : most, &did) !=
            1) {
            fail(t); /* also if it only wants to wait: it was not to */
            break;
        }
        taken += did;
    }
    return taken;
}

size_t tls_output(struct tls *t, const void **cipher)
{
    char *bytes = NULL;
    shake(t);
    int n = BIO_nread0(t->net, &bytes);
    *cipher = bytes;
    return n > 0 ? (size_t)n : 0;
}

void tls_sent(struct tls *t, size_t n)
{
    char *bytes;
    if (n)
        BIO_nread(t->net, &bytes, (int)n);
}

void tls_end(struct tls *t)
{
    if (t->state != TLS_OPEN && t->state != TLS_ENDED)
        return;
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    ERR_clear_error();
}
