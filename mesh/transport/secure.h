/* TLS on all connections of a net: the filter of net.h, made of tls.h. Its calls are made under the hub's
 * lock. */
#ifndef MESH_SECURE_H
#define MESH_SECURE_H

#include "net.h"
#include "trust.h"

struct secure;

/* NULL: why. The config is copied. */
struct secure *secure_create(const struct trust_config *, char *why, size_t room);
void secure_destroy(struct secure *); /* after its net */
const struct net_filter *secure_filter(const struct secure *);
const struct mesh_identity *secure_self(const struct secure *);

/* Takes the files as they are now, or another list: see trust_reload(), trust_allow(). */
int secure_reload(struct secure *, char *why, size_t room);
int secure_allow(struct secure *, const char *const *allow, char *why, size_t room);
/* The number of a connection whose other end would not be let in as things are now, and why; 0: there is none that has
 * not been told of since the last reload or list. Those that shake hands are looked at when they have. */
uint32_t secure_next_out(struct secure *, char *why, size_t room);

enum { SECURE_EVERY = 10 }; /* seconds from one look to the next */

/* Looks whether the files have changed (then they are read) and whether a certificate ends; now: seconds since
 * 1970. 1: text says what happened, is_bad whether somebody has to do something; call again. */
int secure_look(struct secure *, time_t now, char *text, size_t room, int *is_bad);

#endif
