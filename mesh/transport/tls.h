/* TLS 1.3 with a certificate on both ends, between bytes and bytes: no socket, no clock, no thread.
 *
 *     cipher bytes of the net  -> tls_feed()    tls_read()   -> plain bytes
 *     plain bytes              -> tls_write()   tls_output() -> cipher bytes for the net
 *
 * Every call may make cipher bytes (a handshake, an alert): look at tls_output() after each. Before TLS_OPEN
 * no plain byte goes in or out, so nothing is handled of an end that has not shown who it is. The end that
 * dialled is open before the other one has looked at its certificate: it hears of a refusal as a failure of
 * its first read. Older versions, renegotiation, resumption and early data do not exist here.
 *
 * All calls for one trust are made under one lock, the caller's. */
#ifndef MESH_TLS_H
#define MESH_TLS_H

#include "trust.h"

struct tls;

enum tls_state {
    TLS_SHAKING,
    TLS_OPEN,
    TLS_ENDED, /* the other end said that it is done; plain bytes that came before may still be read */
    TLS_FAILED /* tls_why(); what tls_output() has is an alert that tells the other end */
};

/* room: bytes that may wait for the net, at least 128; 0: the default, 64 KiB. NULL: no memory. */
struct tls *tls_create(struct trust *, int accepted, size_t room);
void tls_destroy(struct tls *);

enum tls_state tls_state(const struct tls *);
const char *tls_why(
    const struct tls *); /* a sentence without its subject: "it showed no certificate" */
/* Whom the other end proved to be; all "" before TLS_OPEN. loopback is the net's to fill in. */
const struct mesh_identity *tls_peer(const struct tls *);

/* Of one that is open: would it be let in as things are now (trust_reload(), trust_allow())? 0: why, as of tls_why(). */
int tls_is_admitted(struct tls *, char *why, size_t room);

/* Returns how many bytes were taken. Fewer than n: read what there is, send what there is, call again. */
size_t tls_feed(struct tls *, const void *cipher, size_t n);
size_t tls_read(struct tls *, void *plain, size_t n); /* 0: nothing now; look at the state */
/* Returns how many were taken for good: what comes next need not be the rest of these. */
size_t tls_write(struct tls *, const void *plain, size_t n);
size_t tls_output(struct tls *,
                  const void **cipher); /* how many bytes in one piece; valid until any call */
void tls_sent(struct tls *, size_t n);  /* so many of them are gone */
void tls_end(struct tls *);             /* this end is done; makes the last cipher bytes */

#endif
