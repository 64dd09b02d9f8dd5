/* Who this node is and whom it trusts: three PEM files, or four, made into what TLS needs, and read again while links
 * run. Nothing here knows a connection: that is tls.h.
 *
 * A node is named by its certificate's one URI SAN, "iris://CLUSTER/NODE", compared byte for byte: there are
 * no patterns, and a subject (CN) says nothing. Calls are made under one lock, the caller's; create and
 * reload read files. A sentence goes to why, and what failed has changed nothing. */
#ifndef MESH_TRUST_H
#define MESH_TRUST_H

#include "seam.h"

#include <time.h>

struct trust;

struct trust_config {
    const char *cert; /* PEM: this node's certificate, and behind it those between it and the CA */
    const char *key;  /* PEM, not encrypted, 0600 or stricter (root's may be 0640) */
    const char *ca;   /* PEM: one or more CAs; two while a CA is being replaced */
    const char *
        crl; /* PEM: lists of certificates that these CAs take back. One that is out of date goes on to count,
                         and a CA without one takes none back. NULL: none at all */
    const char *node; /* whom the certificate must name; NULL: whomever it names */
    /* NULL-ended: "iris://CLUSTER/NODE", or the SHA-256 of a certificate (64 hex digits; ':' between them is
     * fine). NULL: every node of this cluster that a CA of `ca` signed. */
    const char *const *allow;
    int64_t
        warn; /* seconds before a certificate ends that trust_due() begins to say so; 0: 30 days */
};

/* Copies the config. NULL: why. A certificate that has ended is no reason: see trust_due(). */
struct trust *trust_create(const struct trust_config *, char *why, size_t room);
void trust_destroy(struct trust *); /* after all of its connections */

/* Takes the files as they are now: for connections that begin from here on; those that run are looked at again by
 * tls_is_admitted(). IRIS_FAIL: nothing has changed; why. A node cannot become another one so. */
int trust_reload(struct trust *, char *why, size_t room);
/* Whom it lets in (trust_config.allow) from here on; the same of those that run. IRIS_FAIL: nothing has changed; why. */
int trust_allow(struct trust *, const char *const *allow, char *why, size_t room);
/* Are the files others than those read last (also: than those refused last)? A stat() call for each. */
int trust_changed(const struct trust *);

/* Is there something to say about when certificates end? 1: text says it; once when it is near, once when it
 * has come, and again for every certificate that is read. now: seconds since 1970. */
int trust_due(struct trust *, time_t now, char *text, size_t room);

/* Who this node is. channel is 0. */
const struct mesh_identity *trust_self(const struct trust *);
time_t trust_end(const struct trust *); /* when the first certificate of its chain ends */

/* ---- for tls.c ---- */

struct ssl_ctx_st;
struct ssl_st;
struct ssl_ctx_st *trust_context(const struct trust *);
/* Is the other end of a connection that is open one that would be let in now? That its time is over is no reason: links
 * outlive that. 0: the verdict that is its app data says why. */
int trust_admits(const struct trust *, struct ssl_st *);

/* What a connection learns while the other end is looked at. Its address is SSL_set_app_data()'s. */
struct trust_verdict {
    const struct trust *trust;
    struct mesh_identity who; /* as far as it was read */
    char why[256];            /* "" as long as there is nothing against it */
};

#endif
