/* "HOST:PORT" and what it means. */
#ifndef MESH_HOSTPORT_H
#define MESH_HOSTPORT_H

#include <stddef.h>
#include <sys/socket.h>

struct hostport {
    char host[256], port[8];
};

/* 0; -1: not HOST:PORT. "[::1]:9000" becomes "::1" and "9000". */
int hostport_split(const char *text, struct hostport *);
/* Where no name is to be looked up. 0; -1: a name. */
int hostport_numeric(const struct hostport *, struct sockaddr_storage *);
void hostport_print(const struct sockaddr *, char *out, size_t room); /* with its port */
int hostport_is_loopback(const struct sockaddr *);
int hostport_is_same_host(const struct sockaddr *, const struct sockaddr *);
socklen_t hostport_len(const struct sockaddr *);

#endif
