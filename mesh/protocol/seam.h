/* What this node's side of the mesh (mesh.h) needs of the world around it. Three fill it in: the plugin
 * (libuv and the core), the simulator and the fuzzer; so all three run the very same protocol code.
 *
 * The protocol code calls no clock, no random source, no socket and no thread function: only these. It is
 * single-threaded: whoever calls it holds one lock. Each of these is called under that lock and must not
 * call back into mesh.h before it has returned. */
#ifndef MESH_SEAM_H
#define MESH_SEAM_H

#include <iris/plugin.h>

#include <stddef.h>
#include <stdint.h>

struct node_id {
    uint8_t bytes[16]; /* drawn once for each runtime that starts */
};

/* Who the other end proved to be before a byte of the protocol; all "" on a plain connection. */
struct mesh_identity {
    char uri[256];        /* the certificate's URI SAN, "iris://cluster/node" */
    char fingerprint[65]; /* SHA-256 of the certificate, hex */
    uint8_t channel
        [32];     /* of this connection alone (TLS exporter); AUTH's proof covers it, so that nobody
                            passes a proof on to another connection. All 0 on a plain one */
    int loopback; /* the address of the other end is one of this machine */
};

/* What happened, for events, logs and `iris mesh`. */
enum mesh_event {
    MESH_NODE_UP,
    MESH_NODE_DOWN, /* text: why */
    MESH_REFUSED, /* a frame or a connection; text: which rule; counted, told once per peer per 10 s */
    MESH_DIAL_FAILED,
    MESH_CONFLICT /* a name that is claimed twice; text: both owners, and who keeps it */
};

struct mesh_age {
    char executor[32];
    uint32_t ms; /* since its last drain, while work waits; 0: it is idle or well */
};

struct mesh_seam {
    void *ctx;

    /* ---- clock and chance ---- */
    int64_t (*now)(void *ctx); /* ns, monotonic */
    uint64_t (*random)(void *ctx);
    void (*secret)(void *ctx, void *bytes,
                   size_t n); /* unguessable: nonces; the simulator's are drawn */
    /* mesh_tick() is wanted at `at` (ns of now()), or earlier. One alarm: the last call counts. */
    void (*wake)(void *ctx, int64_t at);

    /* ---- net: connections have numbers, which the protocol chooses when it dials and the world when it
     * accepts (odd ones: accepted; even ones: dialled; never 0; not used again while the other is open) */
    /* Begin to connect; the answer is mesh_connected() or mesh_closed(). DNS is asked each time. compat (enum
     * mesh_compat): not 0 is the seed's wire, which is always plain. */
    void (*dial)(void *ctx, uint32_t conn, const char *address, int compat);
    /* Take up to n bytes now; returns how many. Fewer than n: mesh_writable() comes once there is room. */
    size_t (*write)(void *ctx, uint32_t conn, const void *bytes, size_t n);
    /* The line is slow: not many more than so many bytes shall lie between write() and the wire, for what is
     * more urgent waits behind them. At FRAME_DATA it is slow no more. Or NULL. */
    void (*pace)(void *ctx, uint32_t conn, uint32_t bytes);
    /* After what was written, if linger, else at once. No mesh_closed() comes for it. */
    void (*close)(void *ctx, uint32_t conn, int linger);

    /* ---- this node ---- */
    /* A node is here; mail for its pids is to come through mesh_send() with *index, its number in pids
     * (IRIS_NODE). IRIS_OK, or it cannot be (the table is full): the link is closed with `why`. */
    int (*up)(void *ctx, const char *node, uint32_t *index, char *why, size_t room);
    /* Which run of the node it is (a number), and what it lets us do there: IRIS_RIGHT_..; once with 0, when it is
     * up, and again as it says so. Or NULL. */
    void (*rights)(void *ctx, uint32_t index, uint64_t run, uint32_t rights);
    void (*down)(void *ctx, uint32_t index, const char *reason); /* fires its DOWNs and EXITs */
    /* Mail and signals for pids of this node; from and ref carry the index already. taken[i]: IRIS_OK,
     * IRIS_DEAD, IRIS_FULL, IRIS_LARGE. Bytes are copied. */
    void (*deliver)(void *ctx, const iris_message *const *, int n, int *taken);
    /* A message that mesh_send() took will not arrive, or nobody knows: reason "noproc", "full", "large",
     * "noconnection". Who asked with it (ref) is told. m->data may be NULL (only its head is kept). */
    void (*letter)(void *ctx, const iris_message *m, const char *reason);
    /* The question of ask address `ref` went over a link that has gone, and was not answered: who asked is
     * told (an IRIS_DOWN for ref). It is no letter: whether the question was handled is found out later. */
    void (*unanswered)(void *ctx, uint64_t ref, const char *reason);
    void (*room)(void *ctx,
                 uint32_t index); /* mesh_send() to this node said IRIS_FULL; now there is room */
    uint64_t (*whereis)(void *ctx, const char *name); /* a name or path of this node; 0: nobody */
    int (*alive)(void *ctx,
                 uint64_t pid); /* an actor of this node, or the address of an open ask */
    /* The age of each executor's last drain (decision 33): up to n, returns how many. */
    int (*ages)(void *ctx, struct mesh_age *ages, int n);
    /* For how long (ms) the executor of this actor has not drained while work waits; 0: it is well. */
    uint32_t (*stuck)(void *ctx, uint64_t pid, char executor[32]);
    void (*event)(void *ctx, enum mesh_event what, const char *node, const char *text);
};

#endif
