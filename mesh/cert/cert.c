#include "cert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 1024, SAN_ROOM = 2048, WORD_MAX = 100, CLUSTER_ROOM = WORD_MAX + 1 };

struct pair {
    X509 *cert;
    EVP_PKEY *key;
};

__attribute__((format(printf, 3, 4))) static int say(char *why, size_t room, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, room, fmt, args);
    va_end(args);
    ERR_clear_error();
    return -1;
}

static int say_openssl(char *why, size_t room, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return say(why, room, "%s: OpenSSL failed: %s", what, reason ? reason : "no reason given");
}

static void finish(struct pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
}

/* ---- what is wished ---- */

static int is_word(const char *text)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(text);
    return n > 0 && n <= WORD_MAX && strspn(text, good) == n;
}

static int add_host(char *san, const char *host)
{
    unsigned char address[16];
    size_t used = strlen(san);
    int is_address =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    if (!is_address && !is_word(host))
        return -1;
    int n = snprintf(san + used, SAN_ROOM - used, ",%s:%s", is_address ? "IP" : "DNS", host);
    return n < 0 || (size_t)n >= SAN_ROOM - used ? -1 : 0;
}

static int write_san(const struct cert_wish *w, char *san, char *why, size_t room)
{
    if (!is_word(w->node) || !strcmp(w->node, "ca"))
        return say(
            why, room,
            "node \"%s\": expected up to %d letters, digits, '.', '_' or '-', and not \"ca\"",
            w->node, WORD_MAX);
    snprintf(san, SAN_ROOM, "URI:iris://%s/%s", w->cluster, w->node);
    for (const char *const *host = w->hosts; host && *host; host++)
        if (add_host(san, *host))
            return say(why, room, "--host %s: expected a name or an address, without a port",
                       *host);
    return 0;
}

/* ---- certificates ---- */

static int add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    int good = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static int add_all(X509 *cert, X509 *issuer, const char *san)
{
    if (!san)
        return add(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
               add(cert, cert, NID_subject_key_identifier, "hash");
    return add(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
           add(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
           add(cert, issuer, NID_subject_key_identifier, "hash") &&
           add(cert, issuer, NID_authority_key_identifier, "keyid:always") &&
           add(cert, issuer, NID_subject_alt_name, san);
}

static int set_serial(X509 *cert)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return 0;
    bytes[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    int good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return good;
}

static int set_name(X509 *cert, const char *organization, const char *name)
{
    X509_NAME *to = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(to, "O", MBSTRING_UTF8, (const unsigned char *)organization,
                                      -1, -1, 0) &&
           X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                                      0);
}

/* ca: NULL for the CA's own. */
static int sign(struct pair *p, const struct pair *ca, const struct cert_wish *w, const char *san)
{
    char name[64];
    snprintf(name, sizeof name, "%.60s", san ? w->node : "Iris trial CA");
    p->key = EVP_EC_gen("P-256");
    p->cert = X509_new();
    if (!p->key || !p->cert)
        return 0;
    X509 *issuer = ca ? ca->cert : p->cert;
    return X509_set_version(p->cert, X509_VERSION_3) && set_serial(p->cert) &&
           set_name(p->cert, w->cluster, name) && X509_set_pubkey(p->cert, p->key) &&
           X509_set_issuer_name(p->cert, X509_get_subject_name(issuer)) &&
           ASN1_TIME_set(X509_getm_notBefore(p->cert), w->from) &&
           ASN1_TIME_set(X509_getm_notAfter(p->cert), w->until) && add_all(p->cert, issuer, san) &&
           X509_sign(p->cert, ca ? ca->key : p->key, EVP_sha256());
}

/* ---- files ---- */

static FILE *create(const char *path, mode_t mode, char *why, size_t room)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file)
        return file;
    if (errno == EEXIST)
        say(why, room, "%s: it is there already, and is not overwritten; move it away first", path);
    else
        say(why, room, "%s: %s", path, strerror(errno));
    return NULL;
}

static int write_files(const struct pair *p, const char *crt, const char *key, char *why,
                       size_t room)
{
    FILE *to_key = create(key, 0600, why, room);
    if (!to_key)
        return -1;
    FILE *to_crt = create(crt, 0644, why, room);
    if (!to_crt) {
        fclose(to_key);
        unlink(key);
        return -1;
    }
    int good = PEM_write_PrivateKey(to_key, p->key, NULL, NULL, 0, NULL, NULL) == 1 &&
               PEM_write_X509(to_crt, p->cert) == 1;
    good &= !fclose(to_key);
    good &= !fclose(to_crt);
    if (good)
        return 0;
    unlink(key);
    unlink(crt);
    return say(why, room, "%s: it could not be written", crt);
}

static int paths(const char *dir, const char *name, char *crt, char *key, char *why, size_t room)
{
    int a = snprintf(crt, PATH_ROOM, "%s/%s.crt", dir, name);
    int b = snprintf(key, PATH_ROOM, "%s/%s.key", dir, name);
    return a < PATH_ROOM && b < PATH_ROOM ? 0 : say(why, room, "%s: this path is too long", dir);
}

static FILE *open_ca(const char *path, char *why, size_t room)
{
    FILE *file = fopen(path, "re");
    if (!file)
        say(why, room, "%s: %s; a CA is made by: iris mesh cert --ca DIR", path, strerror(errno));
    return file;
}

static int read_ca(struct pair *ca, const char *crt, const char *key, char *why, size_t room)
{
    FILE *from_crt = open_ca(crt, why, room), *from_key = from_crt ? open_ca(key, why, room) : NULL;
    if (from_crt)
        ca->cert = PEM_read_X509(from_crt, NULL, NULL, NULL);
    if (from_key)
        ca->key = PEM_read_PrivateKey(from_key, NULL, NULL, NULL);
    if (from_crt)
        fclose(from_crt);
    if (!from_key)
        return -1;
    fclose(from_key);
    if (ca->cert && ca->key && X509_check_private_key(ca->cert, ca->key) == 1)
        return 0;
    return say(why, room, "%s: expected a certificate in PEM, and its key in %s", crt, key);
}

/* ---- the two things that are made ---- */

static int make_ca(const struct cert_wish *w, char *why, size_t room)
{
    char crt[PATH_ROOM], key[PATH_ROOM];
    struct pair ca = {0};
    int result = -1;
    if (paths(w->dir, "ca", crt, key, why, room))
        return -1;
    if (mkdir(w->dir, 0700) && errno != EEXIST)
        return say(why, room, "%s: %s", w->dir, strerror(errno));
    if (sign(&ca, NULL, w, NULL))
        result = write_files(&ca, crt, key, why, room);
    else
        say_openssl(why, room, crt);
    finish(&ca);
    return result;
}

/* As the CA has it: its cluster, and its own end. */
static int fit_to_ca(struct cert_wish *w, const struct pair *ca, char cluster[CLUSTER_ROOM],
                     char *why, size_t room)
{
    struct tm tm = {0};
    X509_NAME_get_text_by_NID(X509_get_subject_name(ca->cert), NID_organizationName, cluster,
                              CLUSTER_ROOM);
    if (!w->cluster)
        w->cluster = cluster;
    if (!is_word(w->cluster))
        return say(why, room, "%s/ca.crt: its CA names no cluster (as O); name one with --cluster",
                   w->dir);
    if (ASN1_TIME_to_tm(X509_get0_notAfter(ca->cert), &tm) == 1 && timegm(&tm) < w->until)
        w->until = timegm(&tm);
    return 0;
}

static int make_node(struct cert_wish *w, char *why, size_t room)
{
    char crt[PATH_ROOM], key[PATH_ROOM], san[SAN_ROOM], cluster[CLUSTER_ROOM] = "";
    struct pair ca = {0}, node = {0};
    int result = -1;
    if (!paths(w->dir, "ca", crt, key, why, room) && !read_ca(&ca, crt, key, why, room) &&
        !fit_to_ca(w, &ca, cluster, why, room) && !write_san(w, san, why, room) &&
        !paths(w->dir, w->node, crt, key, why, room)) {
        if (sign(&node, &ca, w, san))
            result = write_files(&node, crt, key, why, room);
        else
            say_openssl(why, room, crt);
    }
    if (w->cluster == cluster)
        w->cluster = NULL;
    finish(&ca);
    finish(&node);
    return result;
}

/* ---- what is taken back ---- */

static X509 *read_certificate(const char *path, char *why, size_t room)
{
    FILE *file = fopen(path, "re");
    X509 *cert = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (!file)
        say(why, room, "%s: %s", path, strerror(errno));
    else if (!cert)
        say(why, room, "%s: expected a certificate in PEM", path);
    if (file)
        fclose(file);
    return cert;
}

/* As it is, or empty. */
static X509_CRL *read_list(const char *path, const X509 *ca, char *why, size_t room)
{
    FILE *file = fopen(path, "re");
    X509_CRL *list = file ? PEM_read_X509_CRL(file, NULL, NULL, NULL) : X509_CRL_new();
    if (file)
        fclose(file);
    if (list && (file || (X509_CRL_set_version(list, X509_CRL_VERSION_2) &&
                          X509_CRL_set_issuer_name(list, X509_get_subject_name(ca)))))
        return list;
    X509_CRL_free(list);
    say(why, room, "%s: expected a revocation list in PEM", path);
    return NULL;
}

static int add_revoked(X509_CRL *list, X509 *cert, time_t now)
{
    X509_REVOKED *entry = NULL;
    if (X509_CRL_get0_by_cert(list, &entry, cert) == 1)
        return 1;
    ASN1_TIME *when = ASN1_TIME_set(NULL, now);
    entry = X509_REVOKED_new();
    int good = entry && when && X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(cert)) &&
               X509_REVOKED_set_revocationDate(entry, when) && X509_CRL_add0_revoked(list, entry);
    if (!good)
        X509_REVOKED_free(entry);
    ASN1_TIME_free(when);
    return good;
}

static int sign_list(X509_CRL *list, const struct pair *ca, const struct cert_wish *w)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, w->from), *until = ASN1_TIME_set(NULL, w->until);
    int good = from && until && X509_CRL_set1_lastUpdate(list, from) &&
               X509_CRL_set1_nextUpdate(list, until) && X509_CRL_sort(list) &&
               X509_CRL_sign(list, ca->key, EVP_sha256());
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return good;
}

/* Who reads it meanwhile reads the one or the other. */
static int write_list(X509_CRL *list, const char *path, char *why, size_t room)
{
    char other[PATH_ROOM + 8];
    snprintf(other, sizeof other, "%s.new", path);
    FILE *file = create(other, 0644, why, room);
    if (!file)
        return -1;
    int good = PEM_write_X509_CRL(file, list) == 1;
    good &= !fclose(file);
    if (good && !rename(other, path))
        return 0;
    unlink(other);
    return say(why, room, "%s: it could not be written", path);
}

static int take_back(const struct cert_wish *w, const struct pair *ca, X509 *cert, char *why,
                     size_t room)
{
    char path[PATH_ROOM];
    if (X509_verify(cert, ca->key) != 1)
        return say(why, room, "%s/%s.crt: the CA there did not sign it", w->dir, w->node);
    if (snprintf(path, sizeof path, "%s/ca.crl", w->dir) >= PATH_ROOM)
        return say(why, room, "%s: this path is too long", w->dir);
    X509_CRL *list = read_list(path, ca->cert, why, room);
    int result = -1;
    if (list && add_revoked(list, cert, w->from) && sign_list(list, ca, w))
        result = write_list(list, path, why, room);
    else if (list)
        say_openssl(why, room, path);
    X509_CRL_free(list);
    return result;
}

int cert_revoke(const struct cert_wish *w, char *why, size_t room)
{
    char crt[PATH_ROOM], key[PATH_ROOM];
    struct pair ca = {0};
    X509 *cert = NULL;
    int result = -1;
    if (!paths(w->dir, "ca", crt, key, why, room) && !read_ca(&ca, crt, key, why, room) &&
        !paths(w->dir, w->node, crt, key, why, room) && (cert = read_certificate(crt, why, room)))
        result = take_back(w, &ca, cert, why, room);
    X509_free(cert);
    finish(&ca);
    return result;
}

int cert_make(struct cert_wish *w, char *why, size_t room)
{
    if (w->cluster && !is_word(w->cluster))
        return say(why, room, "--cluster %s: expected up to %d letters, digits, '.', '_' or '-'",
                   w->cluster, WORD_MAX);
    if (w->node)
        return make_node(w, why, room);
    struct cert_wish ca = *w;
    ca.cluster = w->cluster ? w->cluster : "iris";
    return make_ca(&ca, why, room);
}
