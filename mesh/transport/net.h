/* The net half of the seam, on libuv: listeners, connections by their numbers, one alarm. It knows bytes and
 * addresses, and nothing of what is said.
 *
 * All is in one loop that nobody waits in: whoever waits for net_fd() calls net_run(), which does what is
 * there and returns. Sockets that are open are read when who waits for them says so (watch), and the loop is
 * for all else. Not thread-safe: all calls are made under the hub's lock. Hooks are called from within
 * net_run() and net_readable() only (watch and unwatch: from any), and may call anything here but these two;
 * watch and unwatch call nothing. */
#ifndef MESH_NET_H
#define MESH_NET_H

#include "mesh.h"

struct addrinfo;
struct hostport;
struct net;
struct provider_search;
struct net_pipe; /* one connection, as a filter sees it */

struct net_hooks {
    void *ctx;
    /* IRIS_OK, or it is closed. conn is odd. Identity NULL: it is being proved, then connected() comes. */
    int (*accepted)(void *ctx, uint32_t conn, const char *from, int compat,
                    const struct mesh_identity *);
    void (*connected)(void *ctx, uint32_t conn, const struct mesh_identity *);
    void (*bytes)(void *ctx, uint32_t conn, const void *, size_t n);
    void (*writable)(void *ctx, uint32_t conn);
    /* By the other end, or it never opened. */
    void (*closed)(void *ctx, uint32_t conn, const char *why);
    void (*alarm)(void *ctx);
    /* Optional: wait for this socket beside net_fd(). 0: net_readable() will be called each time that something
     * has come; until unwatch. Else, and without these, the loop waits for it. */
    int (*watch)(void *ctx, int fd, uint32_t conn);
    void (*unwatch)(void *ctx, int fd);
    /* Where the name in an address is now, at each attempt (provider_static.h); without it only numbers are
     * dialled. located() comes from within net_run(). */
    struct provider_search *(*locate)(void *ctx, const struct hostport *,
                                      void (*located)(void *arg, int error, struct addrinfo *),
                                      void *arg, char *why, size_t room);
    void (*forget)(struct provider_search *);
};

/* What stands between a socket and the protocol: TLS (tls.h). A session is one connection's. Where there is
 * none, bytes pass as they are. */
struct net_filter {
    void *ctx;
    /* The socket is open. NULL: why. The protocol hears of the connection by net_pipe_open(), once it is
     * known who is there. */
    void *(*begin)(void *ctx, struct net_pipe *, int dials, const char *address, char *why,
                   size_t room);
    /* Bytes of the socket. 0, or it is to be closed: why. */
    int (*feed)(void *session, const void *, size_t n, char *why, size_t room);
    size_t (*write)(void *session, const void *, size_t n); /* of the protocol; how many it took */
    int (*writable)(void *session, char *why, size_t room); /* the socket has room again */
    void (*end)(void *session, int linger); /* the last call; linger: it may still write */
};
/* For filters. Of what is written the pipe may take less: then writable() comes. */
uint32_t net_pipe_conn(const struct net_pipe *); /* its number */
size_t net_pipe_write(struct net_pipe *, const void *, size_t n);
size_t net_pipe_step(
    const struct net_pipe *); /* on a slow line: no more than so many bytes are to wait for it */
/* It is proved; what is said of the loopback is filled in here. It may be closed in this call. */
void net_pipe_open(struct net_pipe *, const struct mesh_identity *);
void net_pipe_bytes(struct net_pipe *, const void *, size_t n);
void net_pipe_writable(struct net_pipe *); /* the protocol may write again */

/* NULL: no memory or no descriptors; why. */
struct net *net_create(const struct net_hooks *, char *why, size_t room);
void net_destroy(struct net *); /* no hook is called any more */
/* Of all that opens from now on; NULL: none. */
void net_set_filter(struct net *, const struct net_filter *);

int net_fd(const struct net *); /* readable: net_run() has something to do */
void net_run(struct net *);
void net_watch_all(struct net *); /* watch() did not take some sockets, and does now */
/* A socket that is watched has something; ends: its end perhaps, or an error. */
void net_readable(struct net *, uint32_t conn, int ends);
int net_is_dirty(const struct net *); /* the kernel does not know yet for what we wait: net_run() */
void net_touch(struct net *);         /* it is dirty: somebody changed what the loop waits for */
struct uv_loop_s *net_loop(struct net *);

/* "HOST:PORT". compat: enum mesh_compat of what connects there. *bound (room bytes): the address that it
 * became. 0, or -1: why. */
int net_listen(struct net *, const char *address, int compat, char *bound, size_t room, char *why,
               size_t why_room);
int net_unlisten(struct net *, const char *address); /* as given, or as it became. -1: none */
int net_is_loopback(const char *address); /* numeric and of this machine only, or "localhost" */
int net_is_address(const char *address);  /* it has the shape of HOST:PORT */

void net_dial(struct net *, uint32_t conn, const char *address, int compat);
size_t net_write(struct net *, uint32_t conn, const void *, size_t n);
void net_pace(struct net *, uint32_t conn, uint32_t bytes); /* as the seam's */
void net_close(struct net *, uint32_t conn, int linger);
int64_t net_now(void);
void net_alarm(struct net *, int64_t at); /* the earliest of those asked for counts */

#endif
