/* The provider that is always there (provider.h): the peers of the settings and of connect(), and DNS, which is asked
 * at each attempt to connect. Names live on their node (NAME@NODE): none is unique, so claims are refused. */
#ifndef MESH_PROVIDER_STATIC_H
#define MESH_PROVIDER_STATIC_H

#include "provider.h"

#include <uv.h>

struct hostport;
struct provider_static;
struct provider_search; /* of DNS, under way */

extern const struct provider provider_static;

/* This address is told as a node; again: its compat may be another. 0, or -1: no memory, or too long. */
int provider_static_add(struct provider_static *, const char *address, int compat);
int provider_static_remove(struct provider_static *, const char *address); /* -1: there is none */
int provider_static_has(const struct provider_static *, const char *address);
int provider_static_compat(const struct provider_static *,
                           const char *address); /* 0: nothing was said */

/* found: the caller's, uv_freeaddrinfo(); NULL: error is libuv's. */
typedef void provider_located(void *arg, int error, struct addrinfo *found);
/* Where that is now: located() comes once, from the loop, unless forget() was called. NULL: why. */
struct provider_search *provider_static_locate(struct provider_static *, const struct hostport *,
                                               provider_located *, void *arg, char *why,
                                               size_t room);
void provider_static_forget(struct provider_search *);

#endif
