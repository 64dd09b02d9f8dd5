/* A trial CA and certificates of nodes, as mesh/trust.h wants them: EC P-256, one URI SAN. For a first mesh and
 * for tests; who has a CA of their own uses that. */
#ifndef MESH_CERT_H
#define MESH_CERT_H

#include <stddef.h>
#include <time.h>

struct cert_wish {
    const char
        *dir; /* of the CA: ca.crt and ca.key; the node's NODE.crt and NODE.key go there too */
    const char *cluster;      /* NULL: the CA's; of a CA: "iris" */
    const char *node;         /* NULL: the CA itself is made */
    const char *const *hosts; /* names or addresses for other programs' eyes, NULL-ended; or NULL */
    time_t from, until;       /* seconds since 1970 */
};

/* Makes what is wished and overwrites nothing: 0; or -1 and why, and then no file is new. A certificate does
 * not outlast its CA: until says in the end how long it lasts. Keys are 0600. */
int cert_make(struct cert_wish *, char *why, size_t room);

/* The CA takes back the certificate of the node: it is put into ca.crl, which lasts as long as the wish says. 0; or
 * -1 and why, and then nothing has changed. Twice is once. */
int cert_revoke(const struct cert_wish *, char *why, size_t room);

#endif
