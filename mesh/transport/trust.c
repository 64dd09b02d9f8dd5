#include "trust.h"

#include "secret_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CERT, KEY, CA, CRL, FILES, FILE_MAX = 256 * 1024, CHAIN_MAX = 16 * 1024, DEPTH = 4 };
enum { WARN_SECONDS = 30 * 24 * 3600 };

struct stamp { /* of a file: another one, if it was replaced or written */
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec when;
};

/* What the files said when they were read. */
struct reading {
    SSL_CTX *ctx;
    struct mesh_identity self;
    time_t end;
    char end_of[256]; /* whose end that is */
};

struct trust {
    struct trust_config config; /* texts are ours */
    char **allow;
    struct reading now;
    struct stamp stamps[FILES];
    int told; /* 0: nothing, 1: that the end is near, 2: that it has come */
};

/* NULL: there is none. */
static const char *file_of(const struct trust *t, int which)
{
    const char *const files[FILES] = {t->config.cert, t->config.key, t->config.ca, t->config.crl};
    return files[which];
}

static int say(char *why, size_t room, const char *file, const char *what)
{
    ERR_clear_error();
    snprintf(why, room, "%s: %s", file, what);
    return IRIS_FAIL;
}

/* ---- names of nodes ---- */

static int is_word(const char *text, size_t n)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return n > 0 && strspn(text, good) >= n;
}

/* "iris://CLUSTER/NODE": where NODE begins; or NULL. */
static const char *node_of(const char *uri)
{
    if (strncmp(uri, "iris://", 7) != 0)
        return NULL;
    const char *cluster = uri + 7, *slash = strchr(cluster, '/');
    if (!slash || !is_word(cluster, (size_t)(slash - cluster)))
        return NULL;
    return is_word(slash + 1, strlen(slash + 1)) ? slash + 1 : NULL;
}

static int same_cluster(const char *a, const char *b)
{
    size_t n = (size_t)(node_of(a) - a);
    return n == (size_t)(node_of(b) - b) && !strncmp(a, b, n);
}

/* The one URI of a certificate. Two would leave open who it is. */
static int read_uri(X509 *cert, char *uri, size_t room)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int found = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_IA5STRING *text = name->d.uniformResourceIdentifier;
        size_t n = (size_t)ASN1_STRING_length(text);
        const char *bytes = (const char *)ASN1_STRING_get0_data(text);
        found++;
        if (n >= room || memchr(bytes, 0, n))
            found++;
        else
            snprintf(uri, room, "%.*s", (int)n, bytes);
    }
    GENERAL_NAMES_free(names);
    return found == 1 && node_of(uri) ? IRIS_OK : IRIS_FAIL;
}

static void read_fingerprint(X509 *cert, char hex[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509_digest(cert, EVP_sha256(), digest, &n);
    for (unsigned i = 0; i < n && i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static int read_identity(X509 *cert, struct mesh_identity *who)
{
    memset(who, 0, sizeof *who);
    read_fingerprint(cert, who->fingerprint);
    if (!read_uri(cert, who->uri, sizeof who->uri))
        return IRIS_OK;
    who->uri[0] = '\0';
    return IRIS_FAIL;
}

/* ---- who is let in ---- */

/* 64 hex digits as read_fingerprint() writes them; or IRIS_FAIL. */
static int plain_fingerprint(const char *text, char hex[65])
{
    size_t n = 0;
    for (; *text; text++) {
        if (*text == ':' && n && n % 2 == 0)
            continue;
        if (n == 64 || !strchr("0123456789abcdefABCDEF", *text))
            return IRIS_FAIL;
        hex[n++] = (char)(*text >= 'A' && *text <= 'F' ? *text + 'a' - 'A' : *text);
    }
    hex[n] = '\0';
    return n == 64 ? IRIS_OK : IRIS_FAIL;
}

static void free_allow(char **allow)
{
    for (char **each = allow; each && *each; each++)
        free(*each);
    free(allow);
}

static int read_allow(char **to, const char *const *allow, char *why, size_t room)
{
    for (size_t i = 0; allow[i]; i++) {
        char hex[65];
        int is_hex = !plain_fingerprint(allow[i], hex);
        if (!is_hex && !node_of(allow[i])) {
            snprintf(
                why, room,
                "allow: \"%.120s\": expected \"iris://CLUSTER/NODE\" or the SHA-256 of a certificate",
                allow[i]);
            return IRIS_FAIL;
        }
        if (!(to[i] = strdup(is_hex ? hex : allow[i])))
            return say(why, room, "allow", "no memory");
    }
    return IRIS_OK;
}

int trust_allow(struct trust *t, const char *const *allow, char *why, size_t room)
{
    size_t n = 0;
    while (allow && allow[n])
        n++;
    char **list = allow ? calloc(n + 1, sizeof *list) : NULL;
    if (allow && !list)
        return say(why, room, "allow", "no memory");
    if (allow && read_allow(list, allow, why, room)) {
        free_allow(list);
        return IRIS_FAIL;
    }
    free_allow(t->allow);
    t->allow = list;
    return IRIS_OK;
}

static int is_allowed(const struct trust *t, const struct mesh_identity *who)
{
    char **each = t->allow;
    while (each && *each && strcmp(*each, who->uri) != 0 && strcmp(*each, who->fingerprint) != 0)
        each++;
    return !each || *each;
}

static void name_day(const ASN1_TIME *time, char day[32])
{
    struct tm tm = {0};
    ASN1_TIME_to_tm(time, &tm);
    strftime(day, 32, "%Y-%m-%d", &tm);
}

/* OpenSSL has found something against the certificate: which words help who has to mend it? */
static void explain(X509_STORE_CTX *store, struct trust_verdict *v)
{
    int error = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    const char *whose = depth ? "a certificate above its own" : "its certificate";
    const char *ca = v->trust->config.ca;
    char day[32] = "";
    if (error == X509_V_ERR_CERT_HAS_EXPIRED && cert) {
        name_day(X509_get0_notAfter(cert), day);
        snprintf(v->why, sizeof v->why, "%s has ended, on %s", whose, day);
    } else if (error == X509_V_ERR_CERT_NOT_YET_VALID && cert) {
        name_day(X509_get0_notBefore(cert), day);
        snprintf(v->why, sizeof v->why, "%s begins on %s; is a clock wrong?", whose, day);
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_HAS_EXPIRED); /* tells the other end more */
    } else if (error == X509_V_ERR_CERT_REVOKED) {
        snprintf(v->why, sizeof v->why, "%s is revoked, says %s", whose, v->trust->config.crl);
    } else if (error == X509_V_ERR_INVALID_PURPOSE) {
        snprintf(v->why, sizeof v->why, "%s is not made for both ends of TLS", whose);
    } else {
        snprintf(v->why, sizeof v->why, "no CA in %s signed its certificate (%s)", ca,
                 X509_verify_cert_error_string(error));
    }
}

/* A certificate whose chain is good: is it a node's, of this cluster, and let in? */
static int judge(X509_STORE_CTX *store, struct trust_verdict *v)
{
    const struct trust *t = v->trust;
    int error = X509_V_ERR_CERT_REJECTED; /* the other end reads "bad certificate" */
    if (read_identity(X509_STORE_CTX_get_current_cert(store), &v->who)) {
        snprintf(v->why, sizeof v->why,
                 "its certificate names no node; expected one URI, iris://CLUSTER/NODE");
    } else if (!same_cluster(v->who.uri, t->now.self.uri)) {
        snprintf(v->why, sizeof v->why, "%.100s is of another cluster than this node, %.100s",
                 v->who.uri, t->now.self.uri);
    } else if (!is_allowed(t, &v->who)) {
        error = X509_V_ERR_APPLICATION_VERIFICATION; /* "handshake failure" */
        snprintf(v->why, sizeof v->why, "%.180s is not in \"allow\"", v->who.uri);
    } else {
        return 1;
    }
    X509_STORE_CTX_set_error(store, error);
    return 0;
}

/* Of which CA there is a list, and how old it is, does not matter: what it takes back does. */
static int overlooks(X509_STORE_CTX *store)
{
    switch (X509_STORE_CTX_get_error(store)) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    default:
        return 0;
    }
}

static int verify_self(int good, X509_STORE_CTX *store)
{
    return good || overlooks(store);
}

static int verify(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct trust_verdict *v = SSL_get_app_data(ssl);
    if (good)
        return X509_STORE_CTX_get_error_depth(store) > 0 || judge(store, v);
    if (overlooks(store))
        return 1;
    explain(store, v);
    return 0;
}

int trust_admits(const struct trust *t, SSL *ssl)
{
    X509_STORE_CTX *store = X509_STORE_CTX_new();
    struct trust_verdict *v = SSL_get_app_data(ssl);
    int good = 0;
    if (store &&
        X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(t->now.ctx),
                            SSL_get0_peer_certificate(ssl), SSL_get_peer_cert_chain(ssl)) == 1) {
        X509_STORE_CTX_set_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx(), ssl);
        X509_STORE_CTX_set_flags(store, X509_V_FLAG_NO_CHECK_TIME);
        X509_STORE_CTX_set_verify_cb(store, verify);
        good = X509_verify_cert(store) == 1;
    }
    if (!good && !*v->why)
        snprintf(v->why, sizeof v->why, "its certificate cannot be looked at: no memory");
    X509_STORE_CTX_free(store);
    ERR_clear_error();
    return good;
}

/* ---- reading ---- */

/* Without it OpenSSL would ask whoever sits at the terminal. */
static int no_password(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf, (void)size, (void)rwflag, (void)ctx;
    return -1;
}

/* These return what is wrong with the file, or NULL. */
static const char *use_certificates(SSL_CTX *ctx, BIO *pem)
{
    X509 *cert = PEM_read_bio_X509(pem, NULL, no_password, NULL);
    int good = cert && SSL_CTX_use_certificate(ctx, cert) == 1;
    X509_free(cert);
    while (good && (cert = PEM_read_bio_X509(pem, NULL, no_password, NULL)))
        if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
            X509_free(cert);
            good = 0;
        }
    return good ? NULL : "expected a certificate in PEM";
}

static const char *use_key(SSL_CTX *ctx, BIO *pem)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_password, NULL);
    int fits = key && X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) == 1;
    int good = fits && SSL_CTX_use_PrivateKey(ctx, key) == 1;
    EVP_PKEY_free(key);
    if (!key)
        return "expected a private key in PEM, not encrypted";
    return good ? NULL : "this key does not fit the certificate; nothing was changed";
}

static const char *use_cas(SSL_CTX *ctx, BIO *pem)
{
    X509 *ca;
    int n = 0, good = 1;
    while (good && (ca = PEM_read_bio_X509(pem, NULL, no_password, NULL))) {
        good = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) == 1;
        X509_free(ca);
        n++;
    }
    return good && n ? NULL : "expected certificates of CAs in PEM";
}

static int is_signed(SSL_CTX *ctx, X509_CRL *crl)
{
    STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx));
    for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
        X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        if (ca && !X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(crl)) &&
            X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1)
            return 1;
    }
    return 0;
}

static const char *use_crls(SSL_CTX *ctx, BIO *pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509_CRL *crl;
    int n = 0, good = 1;
    while (good && (crl = PEM_read_bio_X509_CRL(pem, NULL, no_password, NULL))) {
        good = is_signed(ctx, crl) && X509_STORE_add_crl(store, crl) == 1;
        X509_CRL_free(crl);
        n++;
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return good && n ? NULL : "expected revocation lists in PEM, each signed by a CA of \"ca\"";
}

static int use_file(SSL_CTX *ctx, const char *file, int which, char *why, size_t room)
{
    static const char *(*const uses[FILES])(SSL_CTX *, BIO *) = {use_certificates, use_key, use_cas,
                                                                 use_crls};
    size_t n = 0;
    char *bytes =
        secret_file_read(file, which == KEY ? SECRET_KEY : SECRET_NONE, FILE_MAX, &n, why, room);
    if (!bytes)
        return IRIS_FAIL;
    BIO *pem = BIO_new_mem_buf(bytes, (int)n);
    const char *wrong = pem ? uses[which](ctx, pem) : "no memory";
    BIO_free(pem);
    OPENSSL_cleanse(bytes, n);
    free(bytes);
    ERR_clear_error(); /* the end of a file is one */
    return wrong ? say(why, room, file, wrong) : IRIS_OK;
}

static SSL_CTX *new_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(ctx, 0); /* who comes back shows its certificate again */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                  "TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_max_cert_list(ctx, CHAIN_MAX);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
    SSL_CTX_set_verify_depth(ctx, DEPTH);
    return ctx;
}

/* ---- what was read: does it hold together? ---- */

static time_t seconds(const ASN1_TIME *time)
{
    struct tm tm = {0};
    return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}

static void find_end(struct reading *r, STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *cert = sk_X509_value(chain, i);
        time_t end = seconds(X509_get0_notAfter(cert));
        if (i && end >= r->end)
            continue;
        r->end = end;
        if (i)
            X509_NAME_oneline(X509_get_subject_name(cert), r->end_of, sizeof r->end_of);
        else
            snprintf(r->end_of, sizeof r->end_of, "%s", r->self.uri);
    }
}

/* Others have the same CAs: whom they would refuse should hear of it here. Its time is no reason. */
static int check_chain(struct reading *r, const struct trust *t, char *why, size_t room)
{
    X509_STORE_CTX *store = X509_STORE_CTX_new();
    STACK_OF(X509) *between = NULL;
    SSL_CTX_get0_chain_certs(r->ctx, &between);
    int good = 0;
    if (store && X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(r->ctx),
                                     SSL_CTX_get0_certificate(r->ctx), between) == 1) {
        X509_STORE_CTX_set_flags(store, X509_V_FLAG_NO_CHECK_TIME);
        X509_STORE_CTX_set_verify_cb(store, verify_self);
        good = X509_verify_cert(store) == 1;
    }
    if (good)
        find_end(r, X509_STORE_CTX_get0_chain(store));
    else if (store && X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_REVOKED)
        snprintf(why, room, "%s: it is revoked, says %s", t->config.cert, t->config.crl);
    else
        snprintf(why, room, "%s: no CA in %s signed it (%s)", t->config.cert, t->config.ca,
                 store ? X509_verify_cert_error_string(X509_STORE_CTX_get_error(store))
                       : "no memory");
    X509_STORE_CTX_free(store);
    ERR_clear_error();
    return good ? IRIS_OK : IRIS_FAIL;
}

static int check_self(struct reading *r, const struct trust *t, char *why, size_t room)
{
    if (read_identity(SSL_CTX_get0_certificate(r->ctx), &r->self))
        return say(why, room, t->config.cert,
                   "it names no node; expected one URI in it, iris://CLUSTER/NODE");
    const char *node = node_of(r->self.uri), *expected = t->config.node;
    if (expected && strcmp(node, expected) != 0) {
        snprintf(why, room, "%s: it is of node \"%s\"; expected this node, \"%s\"", t->config.cert,
                 node, expected);
        return IRIS_FAIL;
    }
    if (t->now.ctx && strcmp(t->now.self.uri, r->self.uri) != 0) {
        snprintf(why, room, "%s: it is of %s, and this node is %s; start anew to change that",
                 t->config.cert, r->self.uri, t->now.self.uri);
        return IRIS_FAIL;
    }
    return IRIS_OK;
}

static void stamp_files(const struct trust *t, struct stamp stamps[FILES])
{
    memset(stamps, 0, FILES * sizeof *stamps);
    for (int i = 0; i < FILES; i++) {
        struct stat st;
        if (file_of(t, i) && !stat(file_of(t, i), &st))
            stamps[i] = (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
    }
}

static int read_all(struct reading *r, const struct trust *t, char *why, size_t room)
{
    if (!(r->ctx = new_context()))
        return say(why, room, "TLS", "no memory, or OpenSSL here cannot do TLS 1.3");
    for (int i = 0; i < FILES; i++)
        if (file_of(t, i) && use_file(r->ctx, file_of(t, i), i, why, room))
            return IRIS_FAIL;
    return check_self(r, t, why, room) || check_chain(r, t, why, room) ? IRIS_FAIL : IRIS_OK;
}

/* ---- the whole ---- */

int trust_reload(struct trust *t, char *why, size_t room)
{
    struct reading r = {0};
    stamp_files(t, t->stamps); /* before: what is written meanwhile is a change */
    if (read_all(&r, t, why, room)) {
        SSL_CTX_free(r.ctx);
        return IRIS_FAIL;
    }
    SSL_CTX_free(t->now.ctx); /* connections that run have a share in it */
    t->now = r;
    t->told = 0;
    return IRIS_OK;
}

int trust_changed(const struct trust *t)
{
    struct stamp now[FILES];
    int same = 1;
    stamp_files(t, now);
    for (int i = 0; i < FILES; i++)
        same &= now[i].dev == t->stamps[i].dev && now[i].ino == t->stamps[i].ino &&
                now[i].size == t->stamps[i].size &&
                now[i].when.tv_sec == t->stamps[i].when.tv_sec &&
                now[i].when.tv_nsec == t->stamps[i].when.tv_nsec;
    return !same;
}

static int copy_config(struct trust *t, const struct trust_config *c, char *why, size_t room)
{
    t->config.warn = c->warn ? c->warn : WARN_SECONDS;
    t->config.cert = strdup(c->cert);
    t->config.key = strdup(c->key);
    t->config.ca = strdup(c->ca);
    t->config.crl = c->crl ? strdup(c->crl) : NULL;
    t->config.node = c->node ? strdup(c->node) : NULL;
    if (!t->config.cert || !t->config.key || !t->config.ca || (c->crl && !t->config.crl) ||
        (c->node && !t->config.node))
        return say(why, room, "TLS", "no memory");
    return trust_allow(t, c->allow, why, room);
}

struct trust *trust_create(const struct trust_config *config, char *why, size_t room)
{
    struct trust *t = calloc(1, sizeof *t);
    if (!t) {
        say(why, room, "TLS", "no memory");
        return NULL;
    }
    if (!copy_config(t, config, why, room) && !trust_reload(t, why, room))
        return t;
    trust_destroy(t);
    return NULL;
}

void trust_destroy(struct trust *t)
{
    if (!t)
        return;
    free_allow(t->allow);
    free((char *)t->config.cert);
    free((char *)t->config.key);
    free((char *)t->config.ca);
    free((char *)t->config.crl);
    free((char *)t->config.node);
    SSL_CTX_free(t->now.ctx);
    free(t);
}

int trust_due(struct trust *t, time_t now, char *text, size_t room)
{
    int stage = now >= t->now.end ? 2 : now >= t->now.end - t->config.warn ? 1 : 0;
    if (stage <= t->told)
        return 0;
    t->told = stage;
    struct tm tm;
    char day[32];
    gmtime_r(&t->now.end, &tm);
    strftime(day, sizeof day, "%Y-%m-%d %H:%M UTC", &tm);
    if (stage == 2)
        snprintf(text, room,
                 "the certificate of %s has ended, on %s: no node takes %s any more; replace it",
                 t->now.end_of, day, t->config.cert);
    else
        snprintf(text, room, "the certificate of %s ends in %ld days, on %s; replace %s before",
                 t->now.end_of, (long)((t->now.end - now) / 86400), day, t->config.cert);
    return 1;
}

const struct mesh_identity *trust_self(const struct trust *t)
{
    return &t->now.self;
}

time_t trust_end(const struct trust *t)
{
    return t->now.end;
}

struct ssl_ctx_st *trust_context(const struct trust *t)
{
    return t->now.ctx;
}
