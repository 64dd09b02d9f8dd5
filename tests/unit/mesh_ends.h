/* Two ends of the mesh's TLS, a wire in memory between them, and certificates in a directory of their own: the
 * CA "lab" with a, b and some that are wrong, and the CA "foreign" with x. */
#ifndef IRIS_TESTS_MESH_ENDS_H
#define IRIS_TESTS_MESH_ENDS_H

#include "cert.h"
#include "tls.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 24 * 3600, MIB = 1024 * 1024 };

static char dir[64];

static inline const char *at(const char *name)
{
    static char paths[8][256];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%.100s", dir, name);
    return path;
}

static inline void make(const char *ca, const char *cluster, const char *node, int from, int until)
{
    char why[1536];
    struct cert_wish w = {.dir = at(ca),
                          .cluster = cluster,
                          .node = node,
                          .from = time(NULL) + (time_t)from * DAY - 60,
                          .until = time(NULL) + (time_t)until * DAY + 60};
    if (cert_make(&w, why, sizeof why))
        fail_msg("%s", why);
}

/* From now on the CA's list is used, too: for so many days more. */
static inline void revoke_node(const char *ca, const char *node, int until)
{
    char why[1536];
    struct cert_wish w = {.dir = at(ca),
                          .node = node,
                          .from = time(NULL) - 9 * DAY,
                          .until = time(NULL) + (time_t)until * DAY};
    if (cert_revoke(&w, why, sizeof why))
        fail_msg("%s", why);
}

static inline int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/iris-tls-XXXXXX");
    assert_non_null(mkdtemp(dir));
    make("lab", "lab", NULL, -100, 1000);
    make("foreign", "lab", NULL, 0, 1000);
    make("lab", NULL, "a", 0, 365);
    make("lab", NULL, "b", 0, 365);
    make("lab", NULL, "old", -90, -1);
    make("lab", NULL, "young", 1, 90);
    make("lab", "prod", "elsewhere", 0, 365);
    make("foreign", NULL, "x", 0, 365);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static inline struct trust *try_trust(const char *ca, const char *node, const char *const *allow,
                                      const char *as, char *why, size_t room)
{
    char crt[160], key[160], cas[160], crl[160];
    snprintf(crt, sizeof crt, "%s/%s/%s.crt", dir, ca, node);
    snprintf(key, sizeof key, "%s/%s/%s.key", dir, ca, node);
    snprintf(cas, sizeof cas, "%s/%s/ca.crt", dir, ca);
    snprintf(crl, sizeof crl, "%s/%s/ca.crl", dir, ca);
    const struct trust_config config = {.cert = crt,
                                        .key = key,
                                        .ca = cas,
                                        .crl = access(crl, R_OK) ? NULL : crl,
                                        .allow = allow,
                                        .node = as};
    return trust_create(&config, why, room);
}

static inline struct trust *trust_allowing(const char *ca, const char *node,
                                           const char *const *allow)
{
    char why[512];
    struct trust *t = try_trust(ca, node, allow, NULL, why, sizeof why);
    if (!t)
        fail_msg("%s", why);
    return t;
}

static inline struct trust *trust_of(const char *ca, const char *node)
{
    return trust_allowing(ca, node, NULL);
}

/* ---- a wire ---- */

struct sink {
    char *bytes;
    size_t n, room;
};

static inline void drain(struct tls *t, struct sink *s)
{
    char buf[4096];
    size_t got;
    while ((got = tls_read(t, buf, sizeof buf))) {
        if (!s)
            continue;
        assert_true(s->n + got <= s->room);
        memcpy(s->bytes + s->n, buf, got);
        s->n += got;
    }
}

/* Up to chunk bytes from one end to the other; 0: there were none, or none were taken. */
static inline size_t carry(struct tls *from, struct tls *to, size_t chunk, struct sink *sink)
{
    const void *bytes;
    size_t n = tls_output(from, &bytes);
    n = n < chunk ? n : chunk;
    n = n ? tls_feed(to, bytes, n) : 0;
    tls_sent(from, n);
    drain(to, sink);
    return n;
}

static inline void pump(struct tls *a, struct tls *b, size_t chunk)
{
    while (carry(a, b, chunk, NULL) + carry(b, a, chunk, NULL))
        continue;
}

struct pair {
    struct tls *dialled, *accepted;
};

static inline struct pair connect_with(struct trust *a, struct trust *b, size_t room, size_t chunk)
{
    struct pair p = {tls_create(a, 0, room), tls_create(b, 1, room)};
    assert_non_null(p.dialled);
    assert_non_null(p.accepted);
    pump(p.dialled, p.accepted, chunk);
    return p;
}

static inline void finish(struct pair p)
{
    tls_destroy(p.dialled);
    tls_destroy(p.accepted);
}

static inline void assert_open(struct pair p)
{
    assert_string_equal(tls_why(p.dialled), "");
    assert_string_equal(tls_why(p.accepted), "");
    assert_int_equal(tls_state(p.dialled), TLS_OPEN);
    assert_int_equal(tls_state(p.accepted), TLS_OPEN);
}

static inline void assert_says(const struct tls *t, const char *part)
{
    assert_int_equal(tls_state(t), TLS_FAILED);
    if (!strstr(tls_why(t), part))
        fail_msg("\"%s\" does not say \"%s\"", tls_why(t), part);
}

static inline void fill(char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(i * 7 + i / 251);
}

static inline void write_through(struct pair p, size_t n, size_t chunk)
{
    char *sent = malloc(n), *got = malloc(n);
    struct sink sink = {got, 0, n};
    fill(sent, n);
    for (size_t taken = 0; sink.n < n;) {
        size_t now = tls_write(p.dialled, sent + taken, n - taken);
        taken += now;
        assert_true(carry(p.dialled, p.accepted, chunk, &sink) + now > 0);
        carry(p.accepted, p.dialled, chunk, NULL);
    }
    assert_memory_equal(sent, got, n);
    free(sent);
    free(got);
}

static inline void refuse(struct trust *a, struct trust *b, const char *at_dialled,
                          const char *at_accepted)
{
    struct pair p = connect_with(a, b, 0, 4096);
    assert_says(p.dialled, at_dialled);
    assert_says(p.accepted, at_accepted);
    assert_string_equal(tls_peer(p.accepted)->uri, "");
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

/* ---- others' certificates ---- */

/* A good chain, and a SAN as a careless CA would write it. */
static inline void sign_with(const char *san, const char *name)
{
    FILE *f = fopen(at("lab/ca.key"), "r");
    EVP_PKEY *ca_key = PEM_read_PrivateKey(f, NULL, NULL, NULL), *key = EVP_EC_gen("P-256");
    fclose(f);
    f = fopen(at("lab/ca.crt"), "r");
    X509 *ca = PEM_read_X509(f, NULL, NULL, NULL), *cert = X509_new();
    fclose(f);
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, ca, cert, NULL, NULL, 0);
    X509_set_version(cert, X509_VERSION_3);
    X509_set_pubkey(cert, key);
    X509_set_issuer_name(cert, X509_get_subject_name(ca));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"iris://lab/b", -1, -1, 0);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), DAY);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, san);
    assert_int_equal(X509_add_ext(cert, e, -1), 1);
    assert_true(X509_sign(cert, ca_key, EVP_sha256()) > 0);
    char path[160];
    snprintf(path, sizeof path, "%s/lab/%s.crt", dir, name);
    f = fopen(path, "w");
    PEM_write_X509(f, cert);
    fclose(f);
    snprintf(path, sizeof path, "%s/lab/%s.key", dir, name);
    f = fopen(path, "w");
    fchmod(fileno(f), 0600);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_EXTENSION_free(e);
    X509_free(ca);
    X509_free(cert);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
}

#endif
