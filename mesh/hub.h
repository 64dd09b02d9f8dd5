/* The mesh of one runtime: the protocol (mesh.h) under one lock, between the net and the core.
 *
 *   hub      an actor that the net's descriptor wakes; it runs the net and so the protocol
 *   outbox   an actor for each node that is up: the core routes mail for that node to it
 *   calls    "iris.mesh/1", on the threads of those who call
 *
 * Whoever comes takes the lock, and does what there is to do to its end on its own thread: an outbox writes to
 * the socket itself. What is told to others (answers, changes of nodes) waits until the lock is let go, for
 * whoever is told may call in again. */
#ifndef MESH_HUB_H
#define MESH_HUB_H

#include "net.h"
#include "options.h"
#include "provider.h"

#include <iris/ext/mesh.h>
#include <iris/ext/poll.h>
#include <iris/ext/route.h>
#include <iris/ext/watch.h>

#include <pthread.h>
#include <stdatomic.h>

enum { HUB_NODES = 1024 };

struct outbox {
    uint64_t pid;                /* 0: none */
    const iris_message *stalled; /* put off: the link takes no more now */
};

struct op { /* a question that is under way; or one that came while the lock was ours */
    struct op *next;
    struct hub *hub;
    void (*run)(struct op *);
    iris_mesh_answer *user;
    void (*done)(struct op *); /* instead of user: under no lock; frees it */
    int result;
    uint64_t pid;
    int64_t timeout;
    char why[160];
    void *ctx;
    char at[280], name[];
};

enum {                        /* notes of our own, beside the protocol's (enum mesh_event) */
       NOTE_CERTIFICATE = 64, /* text: it was read again */
       NOTE_CERTIFICATE_BAD,  /* it ends, or it is not taken */
       NOTE_ENGINE,           /* text: how it is, or whose a name is */
       NOTE_ENGINE_BAD
};

struct note { /* of something that happened, to be told under no lock */
    struct note *next;
    int what;
    uint64_t number; /* counts up */
    uint32_t index;  /* UP: of the node */
    char node[256], text[256];
};

struct stand { /* who is told of a singleton */
    struct stand *next;
    iris_mesh_stood *stood;
    void *ctx;
    char name[];
};

struct hub {
    const iris_api *api;
    const iris_route *route;
    const iris_poll *poll;
    const iris_watch *watch;
    iris_actor *self; /* the host's: [any] */
    iris_version *hub_version, *outbox_version, *proxy_version;
    pthread_mutex_t lock;
    _Atomic(pthread_t) owner; /* who has the lock; 0: nobody */
    struct options options;
    char node[256], bound[280];
    struct mesh *mesh; /* NULL: nothing has begun */
    struct net *net;
    struct provider_static *peers; /* there as long as the net is */
    struct cluster *cluster;       /* NULL: no engine */
    struct stand *stands;
    struct secure *secure; /* NULL: no TLS */
    int64_t secure_at;     /* when it is looked after next */
    int64_t began;         /* the net; 0: it has not */
    int closed;
    uint64_t actor;      /* the hub's pid */
    iris_actor *watcher; /* the same, while it can wait for descriptors; else NULL */
    struct outbox outboxes[HUB_NODES];
    struct op *deferred, **deferred_end; /* came while the lock was theirs */
    struct op *done, **done_end;         /* to be answered */
    struct note *notes, **notes_end;
    uint64_t noted; /* how many there were */
    int telling;    /* somebody tells notes: one thread at a time, so in order */
    struct watchers *watchers;
};

/* ---- hub.c ---- */
void hub_cut(char *to, size_t room, const char *text); /* as much of it as there is room for */
struct hub *hub_create(const iris_api *, iris_actor *self);
void hub_destroy(struct hub *); /* no actor of it is left */
/* The protocol begins, with the settings as they are; twice is once. IRIS_FAIL with a reason. Lock held. */
int hub_begin(struct hub *);
int hub_net(struct hub *); /* only the net; lock held */
void hub_enter(struct hub *);
void hub_leave(struct hub *);
/* hub_leave() in parts, for who has another lock: hub_answer(), and watchers_tell() if *tells, come when that is
 * let go, too: whoever they call may call in again. */
struct op *hub_let_go(struct hub *, int *tells);
void hub_answer(struct op *);
void hub_unlock(struct hub *); /* only that: nothing was done under it */
int hub_is_mine(
    const struct hub *); /* this thread has the lock: it comes from a call of the protocol */
/* Runs it now, or as soon as the call that this thread comes from is over. */
void hub_do(struct hub *, struct op *);
void hub_done(struct op *); /* lock held: answer it when the lock is let go */
struct op *hub_op(struct hub *, void (*run)(struct op *), const char *at, const char *name,
                  int64_t timeout, iris_mesh_answer *);

/* ---- hub_tls.c; lock held ---- */
int hub_tls(struct hub *); /* if the settings say so; IRIS_FAIL with a reason */
struct trust_config;
void hub_tls_config(const struct options *, struct trust_config *); /* borrows; no lock is needed */
const char *hub_tls_name(const struct hub *);
void hub_tls_look(struct hub *);
void hub_tls_shut_out(struct hub *); /* who is linked, and would not be let in any more */

/* ---- renew.c; lock held ---- */
/* Whom the settings let in from now on, and what the files say now. IRIS_FAIL: nothing has changed; why, which begins with
 * the key. */
int hub_renew(struct hub *, const char *options, char *why, size_t room);

/* ---- providers.c: whom to dial; lock held ---- */
int providers_open(struct hub *); /* with the net. IRIS_FAIL with a reason */
void providers_close(struct hub *);
int providers_connect(struct hub *, const char *address,
                      enum mesh_compat);                     /* IRIS_FAIL: no memory */
int providers_disconnect(struct hub *, const char *address); /* IRIS_DEAD: it was not wanted */
/* Of net_hooks. */
struct provider_search *providers_locate(void *hub, const struct hostport *,
                                         void (*located)(void *, int, struct addrinfo *), void *arg,
                                         char *why, size_t room);
void providers_health(const struct hub *, iris_mesh_engine *);

/* ---- outbox.c ---- */
uint64_t outbox_queue(const struct hub *); /* bytes that may wait in one; as many may in the link */
extern const iris_behaviour outbox_behaviour;
/* Lock held. IRIS_OK, or why. */
int outbox_open(struct hub *, const char *node, uint32_t *index, char *why, size_t room);
void outbox_close(struct hub *, uint32_t index, const char *reason);
void outbox_room(struct hub *, uint32_t index);

/* ---- watchers.c ---- */
struct watchers *watchers_create(void);
void watchers_destroy(struct watchers *);
/* Lock held: to be told by hub_leave(). */
void watchers_note(struct hub *, int what, const char *node, uint32_t index, const char *text);
void watchers_tell(struct hub *); /* no lock held; all notes that there are */
int watchers_add(struct hub *, const char *at, iris_mesh_changed *, void *ctx, uint64_t actor,
                 uint64_t *id);
int watchers_remove(struct hub *, uint64_t id);

/* ---- calls.c ---- */
extern const iris_mesh mesh_calls;
/* What the settings say: listens, dials. IRIS_FAIL with a reason that begins with the key: then no actor was
 * begun, and the hub may be destroyed. */
int calls_open(struct hub *);
int mesh_check(void *mesh, const char *options, iris_mesh_found *, void *ctx);    /* look.c */
void calls_probe(void *hub, uint64_t pid, int64_t timeout, struct iris_answer *); /* of the core */

/* ---- proxy.c ---- */
extern const iris_behaviour proxy_behaviour;
int proxy_spawn(struct hub *, const char *path, const char *at, const char *name, int stay,
                uint64_t *pid);

#endif
