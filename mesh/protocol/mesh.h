/* This node's side of the mesh: its peers, its links to them, what it asked of them. A pure state machine:
 * bytes, time and wishes in; bytes and news out, through seam.h. No thread, no clock, no socket.
 *
 *   frame.h    bytes to frames and back           lanes.h   what waits to be written
 *   inside.h   what the other files share: link.c and greet.c (one connection), mail.c and settle.c (mail and
 *              what became of it), signals.c, nodes.c, peers.c (who is known, dialling), remote.c (questions)
 *
 * A node is named ("a"), and has an id (128 bits, of this run) and a creation (counts up, of this name). An
 * *index* (pids) stands for one node of one creation over one link: when the link ends, the index ends.
 * All calls are made under one lock, the caller's. Times are ns. */
#ifndef MESH_H
#define MESH_H

#include "seam.h"

struct mesh;

enum mesh_compat { /* of a listener or a peer (decision 31) */
                   MESH_OURS = 0,
                   MESH_COMPAT_BYTE, /* "iris-0.3": a version byte leads */
                   MESH_COMPAT_TABLE /* "table": none */
};

struct mesh_limits {         /* 0: the default, in brackets */
    uint32_t payload;        /* bytes of one message [1 MiB] */
    uint32_t name;           /* bytes of a name [1,024] */
    uint32_t queue;          /* bytes that wait for one link [4 MiB] */
    uint32_t window;         /* bytes that a peer may have under way to us [4 MiB] */
    uint32_t links;          /* [256] */
    uint32_t strangers;      /* connections that have not authenticated [64] */
    uint32_t strangers_each; /* of them, from one address [8] */
    uint32_t accepts;        /* a second, from one address; who authenticates does not count [50] */
    uint32_t hello_bytes;    /* before it is authenticated [4 KiB] */
    uint32_t resolves;       /* a second, from one link [1,000] */
    int64_t hello;           /* to finish HELLO and AUTH, in all [5 s] */
    int64_t frame;           /* for one frame or message to finish [30 s] */
    int64_t connect, resolve, probe,
        send;                   /* timeouts [5 s each]; send: of what waits in a full link */
    int64_t beat;               /* between heartbeats [1 s] */
    int64_t silence;            /* without a byte: the link is dead [4 s] */
    int64_t stuck;              /* age of an executor that is worth telling [3 s] */
    int64_t redial, redial_max; /* the first pause and the longest, before jitter [100 ms, 10 s] */
};

struct mesh_config {
    const char *node; /* "a"; NULL: "HOST-PID-RANDOM" is the caller's to make, so never NULL */
    struct node_id id;
    uint64_t creation;     /* of this run; higher than that of every earlier run of this name */
    const char *advertise; /* how others reach us, or NULL */
    const void *cookie;    /* or NULL: only identities of TLS are let in */
    size_t cookie_len;
    int loopback_cookie; /* this cookie is good for loopback only */
    const char *const
        *allow_peers; /* URI SANs or fingerprints that are let in, NULL-ended; NULL: all that
                                       the CA signed */
    const char *const *exported; /* names that compat peers may see; NULL: none */
    const char *const *may_stop; /* node names whose IRIS_STOP is heard (mesh.allow); NULL: none */
    const char *const *may_supervise; /* and those whose IRIS_ORDER is */
    struct mesh_limits limits;
};

/* Copies all of config. NULL: no memory. */
struct mesh *mesh_new(const struct mesh_config *, const struct mesh_seam *);
/* How others reach us, from the next greeting on. IRIS_OK, or IRIS_FAIL: no memory. */
int mesh_advertise(struct mesh *, const char *address);
/* Whom it lets in from now on, and what they may do: cookie, allow_peers, may_stop and may_supervise of this config, which
 * are copied (cookie NULL: the one it has stays); the rest of it is not looked at. Links that would not come up any more end, also those that are greeting,
 * and both ends are told. IRIS_FAIL: no memory, and nothing has changed. */
int mesh_admit(struct mesh *, const struct mesh_config *);
/* Who is at the other end of this connection is let in no more: "its certificate is revoked". The link ends, and both ends are
 * told; the reason is for this one. */
void mesh_shut_out(struct mesh *, uint32_t conn, const char *why);
/* Says GOODBYE on all links, ends all indexes; what is open is told. mesh_free() afterwards; between the
 * two only mesh_writable() and mesh_closed() may come. */
void mesh_goodbye(struct mesh *, const char *reason);
void mesh_free(struct mesh *);

/* ---- from the net ---- */

/* IRIS_OK, or IRIS_FULL: close it, one of the limits is reached (it is counted). Identity NULL: it is still
 * being proved (TLS), which counts as a stranger and has that one's time; mesh_connected() comes, before any
 * bytes, or mesh_closed() with the reason, which is told. */
int mesh_accepted(struct mesh *, uint32_t conn, const char *from, enum mesh_compat,
                  const struct mesh_identity *);
void mesh_connected(struct mesh *, uint32_t conn, const struct mesh_identity *);
void mesh_bytes(struct mesh *, uint32_t conn, const void *bytes, size_t n);
void mesh_writable(struct mesh *, uint32_t conn);
void mesh_closed(struct mesh *, uint32_t conn, const char *why); /* also: could not connect */
void mesh_tick(struct mesh *);

/* ---- from this node ---- */

/* Keep a link to this address ("host:port") from now on; twice is once. */
int mesh_want(struct mesh *, const char *address, enum mesh_compat);
int mesh_unwant(struct mesh *, const char *address);
/* As unwant, but a link that is up stays as long as it lives. */
void mesh_let_go(struct mesh *, const char *address);

/* Mail or a signal (kinds of plugin.h and ext/watch.h) for a pid of another node. IRIS_OK: it is taken, its
 * bytes are copied: it arrives, or letter() is told. IRIS_FULL: not taken; room() comes. IRIS_DEAD: no such
 * node, or its creation has gone. IRIS_LARGE: above what the other end takes. Signals are never IRIS_FULL.
 * Nothing is written before mesh_flush(): so a batch is one write. */
int mesh_send(struct mesh *, const iris_message *);
void mesh_flush(struct mesh *, uint32_t index);

/* One answer each; from within mesh_bytes(), mesh_tick() or mesh_closed(), or at once, from within the call.
 * result: IRIS_OK and a pid of this node's view (0: nobody has the name); IRIS_EMPTY: not in time;
 * IRIS_DEAD: no connection, or it was refused: why. It must not call back. */
typedef void mesh_answer(void *ctx, int result, uint64_t pid, const char *why);
/* at: the name of a node that is up, or an address, which is dialled where there is no link yet (and then
 * wanted only as long as something refers to it). timeout 0: the limit's. */
void mesh_resolve(struct mesh *, const char *at, const char *name, int64_t timeout, mesh_answer *,
                  void *ctx);
/* Is this pid of another node alive? pid 0: no. */
void mesh_probe(struct mesh *, uint64_t pid, int64_t timeout, mesh_answer *, void *ctx);
/* Is the node at this address up: does it answer a ping? pid: 1 or 0. */
void mesh_ping(struct mesh *, const char *at, int64_t timeout, mesh_answer *, void *ctx);
/* Who of all nodes that are up has the name? Of several the one whose run began last (of equal ones the greater name of
 * a node) is the answer; the others are told by mesh_conflict(). */
void mesh_search(struct mesh *, const char *name, int64_t timeout, mesh_answer *, void *ctx);
/* The name is also that of node `keeper`, which keeps it: the node that is told says so in a MESH_CONFLICT, and to
 * the actor that has it there by an IRIS_PING "name_conflict (node=KEEPER): ..". */
void mesh_conflict(struct mesh *, const char *node, const char *name, const char *keeper);
/* The pid of this node's view for a raw pid at an address or node that is up, or this one; 0: it is not. */
uint64_t mesh_pid_at(struct mesh *, const char *at, uint64_t pid);

/* ---- looking ---- */

enum mesh_state { MESH_DIALLING, MESH_GREETING, MESH_UP, MESH_BACKOFF, MESH_GONE };

struct mesh_node {
    char node[256], address[256];
    enum mesh_state state;
    uint32_t index; /* 0: not up */
    struct node_id id;
    uint64_t creation;
    int64_t since;           /* in this state; ns of now() */
    int64_t rtt;             /* of the last heartbeat, ns; -1: none yet */
    int64_t heard;           /* when the last byte came */
    uint32_t queued;         /* bytes that wait here for it */
    uint64_t sent, received; /* messages */
    uint64_t acknowledged;   /* of those sent: taken into its mailboxes */
    uint64_t refused;        /* of those sent: nacked; each was a letter() */
    uint64_t lost;           /* of those sent: under way when a link went; each was a letter() */
    uint64_t frames_refused; /* of those received */
    uint32_t links;          /* so many that came up, of all runs */
    int compat, dialled;
    char why[128];           /* why it went, or could not be reached; "" */
    struct mesh_age ages[8]; /* of its executors, as it last told */
    int nages;
};
/* In order of their names. Returns how many. The callback must not call back. */
int mesh_nodes(struct mesh *, void (*each)(void *ctx, const struct mesh_node *), void *ctx);

/* How often each rule was broken by what came in: "oversize", "unknown", .. */
int mesh_refusals(struct mesh *, void (*each)(void *ctx, const char *rule, uint64_t n), void *ctx);

#endif
