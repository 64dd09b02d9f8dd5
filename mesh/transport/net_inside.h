/* What the files of the net share: net.c has connections and the alarm, net_listen.c listeners. */
#ifndef MESH_NET_INSIDE_H
#define MESH_NET_INSIDE_H

#include "net.h"

#include <sys/socket.h>
#include <uthash.h>
#include <uv.h>

enum {
    READ_ROOM = 256 * 1024, /* taken in at once */
    READ_ROUNDS = 4,        /* from one socket, before others have their turn */
    UNSENT =
        64 * 1024, /* bytes in the kernel that are not on the wire: what control waits behind */
    BACKLOG = 128,
    ACCEPTS = 64 /* at once */
};

#define LINGER INT64_C(2000000000) /* ns that the other end has to take what was written last */

enum pipe_state { FRESH, LOCATING, CONNECTING, OPEN };

struct net_pipe {
    uv_poll_t *poll; /* a block of its own, which outlives us; NULL: none */
    struct net *net;
    uint32_t conn;
    UT_hash_handle hh;
    int fd; /* -1: none yet */
    enum pipe_state state;
    int events;     /* for which poll waits */
    int watched;    /* somebody else waits for it to be readable */
    int ends;       /* watched: it is to be read to its end */
    int is_blocked; /* a write was cut short */
    uint32_t step;  /* bytes of one segment in the kernel; 0: as it likes */
    int told;       /* the protocol knows of it */
    int compat, dials;
    void *session; /* of the filter, or NULL */
    const struct net_filter *filter;
    struct mesh_identity identity;
    char address[280];
    struct provider_search *search; /* under way */
    struct addrinfo *found, *next;
    char why[160]; /* the last address that failed */
};

/* A connection that is closed, but to be read to its end: closed with bytes unread, it would be reset, and the other
 * end might not see what was written last. */
struct lingering {
    uv_poll_t poll; /* first */
    struct net *net;
    struct lingering *next;
    int fd;
    int64_t until;
};

struct listener {
    uv_poll_t poll; /* first */
    struct net *net;
    struct listener *next;
    int fd, compat, paused;
    char given[280], bound[280];
};

struct net {
    uv_loop_t loop;
    uv_poll_t timer;
    int timer_fd;
    int64_t alarm; /* 0: none */
    struct net_hooks hooks;
    const struct net_filter *filter;
    struct net_pipe *pipes;
    struct listener *listeners;
    struct lingering *lingering;
    uint32_t accepted;
    int fresh; /* pipes that are to be dialled */
    int dirty, closing;
    unsigned char *room;
};

void net__free_handle(uv_handle_t *);
/* A socket that listener l has taken in. */
void net__accept(struct net *, int fd, const struct sockaddr *from, int compat);
void net__resume_listeners(struct net *); /* descriptors may be free again */
void net__close_listeners(struct net *);

#endif
