/* "iris.mesh/1": other nodes, offered by the plugin "mesh".
 *
 *   const iris_mesh *mesh;
 *   void *net;
 *   const iris_plugins *plugins = api->extension(IRIS_PLUGIN);                    ext/plugin.h
 *   plugins->use(self, "mesh", IRIS_MESH, (const void **)&mesh, &net);
 *   mesh->listen(net, "127.0.0.1:0", NULL, bound, sizeof bound);
 *   mesh->resolve(net, "127.0.0.1:9000", "payments", 0, &answer);                 answer.pid
 *
 * What a resolve answers is a pid like any other: send, ask, monitor, link, iris_is_alive and iris_join
 * take it. It stands for one actor of one *run* of its node, over one link: when the link ends, whoever
 * monitors or is linked with it gets one DOWN or EXIT ("noconnection"), and sends say IRIS_DEAD; resolve it
 * again once the node is up. Messages from one actor to another arrive in order and at most once; one that
 * send() took and that does not arrive is a counted dead letter ("node"), and who asked with it is told.
 *
 * An *address* is "HOST:PORT" ("127.0.0.1:9000", "[::1]:9000", "b.example:9000"; DNS is asked each time).
 * Where `at` is written it is an address, or the name of a node that is up ("b").
 *
 * Options are JSON texts of one object, or NULL. The same keys are in a manifest's "mesh" (iris explain
 * mesh); a plugin that the manifest has started has its settings. In configure(), before the first listen,
 * connect or resolve:
 *
 *   node        name of this node; by default HOST-PID-RANDOM
 *   advertise   the address by which others reach it; by default the first that it listens on
 *   cookie      {"file": ".."}: a secret of 32 bytes or more, mode 0600, the same at all nodes. Without it nodes
 *               of one user on one machine share a cookie that the runtime makes itself
 *   insecure    true: for addresses that are not loopback a cookie is enough, and http for an engine. What is sent
 *               can be read there
 *   tls         {"cert": "..", "key": "..", "ca": "..", "crl": "..", "allow": [".."],
 *               "warn": "720h"}: mutual TLS 1.3 on all links
 *   heartbeat   {"interval": "1s", "timeout": "4s"}
 *   stuck       "3s": an executor that has not drained for so long while work waits is told of: in nodes(), and
 *               by an IRIS_STUCK ("python: 4100 ms") to those that monitor an actor of it from another node
 *   max_payload, max_name, queue ("1MiB", 1024, "4MiB"), links (256)
 *   timeouts    {"connect", "resolve", "probe", "send", "hello", "frame"}, each "5s"; "redial", "redial_max"
 *   allow       {"stop": ["a"], "supervise": ["a"]}: nodes that may stop actors of this one; whose supervisors may
 *               have them (ext/supervise.h)
 *   export      names that compat peers may see
 *   engine      {"etcd": ["http://127.0.0.1:2379"], "ttl": "10s", "cluster": "default", "names": ["pay"],
 *               "singletons": ["/pay"] (see stand()), "on_loss":
 *               "exit" | "demote", "user", "password": {"file"}, "token": {"file"}, "tls": {"ca", "cert", "key"}}: nodes
 *               find each other there, and each of `names` has one owner in the cluster. An actor that has such a name
 *               gets an IRIS_PING "name_owned (name=pay, token=7)", or "name_lost (name=pay, node=b): .." and, with
 *               "exit", is killed; "name_refused (name=pay): .." while the engine is away; docs/cluster.md
 *
 * and in those of one listen or connect: {"compat": "iris-0.3" | "table"} (seed's wire, no authentication).
 * Durations: "250ms", "5s", or a number of milliseconds; sizes: "64KiB", or a number of bytes.
 *
 * Threads: each call is [any] and short; none waits for the network, but listen() and connect() may for DNS
 * of what they are given. Callbacks and jobs come on some thread of the runtime, under no lock: they may call
 * all of this, but listen, and must not block. */
#ifndef IRIS_EXT_MESH_H
#define IRIS_EXT_MESH_H

#include <iris/plugin.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IRIS_MESH "iris.mesh/1"

/* The caller's memory, until job.run() is called: exactly once, unless the call said no. */
typedef struct iris_mesh_answer {
    iris_job job;
    iris_executor *on; /* whose thread runs it; NULL: whichever thread has the answer */
    int result;        /* IRIS_OK: yes. IRIS_EMPTY: not in time. IRIS_DEAD: no, or no connection: see why */
    uint64_t pid;      /* resolve, IRIS_OK: the actor. ping: 1 or 0 */
    char why[160];     /* a sentence; "". Also of IRIS_OK and pid 0: why nobody has it */
} iris_mesh_answer;

enum { /* iris_mesh_node.state */
       IRIS_MESH_DIALLING = 0,
       IRIS_MESH_GREETING = 1, /* connected, and not yet known to be who it says */
       IRIS_MESH_UP = 2,
       IRIS_MESH_BACKOFF = 3, /* it could not be reached; it is dialled again */
       IRIS_MESH_GONE = 4
};

typedef struct iris_mesh_node {
    const char *node, *address; /* "": not known yet */
    uint32_t state;
    uint32_t index;      /* IRIS_NODE() of its pids; 0: it is not up */
    uint64_t creation;   /* of its run: counts up */
    int64_t since;       /* ns since it is in this state */
    int64_t rtt;         /* ns of the last heartbeat; -1: none yet */
    int64_t silent;      /* ns since the last byte of it */
    uint64_t queued;     /* bytes that wait here for it */
    uint64_t sent, received, acknowledged; /* messages; acknowledged: those that are in its mailboxes */
    uint64_t refused, lost; /* of those sent: it did not take them; they were on their way when it went */
    uint64_t frames_refused; /* of those received: they broke a rule */
    int compat;          /* it speaks the seed's wire */
    int dialled;         /* this node did, not the other one */
    const char *why;     /* why it went or cannot be reached; "" */
    const char *stuck;   /* executors of it that have not drained for long ("stuck"): "python 4.1 s"; "" */
    int lease;           /* it is a member by the engine's word */
    uint32_t links;      /* so often has a link to a node of this name come up */
} iris_mesh_node;

enum { /* iris_mesh_engine.health */
       IRIS_ENGINE_OK = 0,
       IRIS_ENGINE_DEGRADED = 1,  /* it does not answer: what it has told holds, new claims are refused */
       IRIS_ENGINE_LEASE_LOST = 2 /* the names that are unique over the cluster are no longer this node's */
};

typedef struct iris_mesh_engine {
    char kind[16];       /* "static": the list of peers and DNS; "etcd" */
    uint32_t health;
    int64_t since;       /* ns since it is so */
    char why[160];       /* why it is not OK; "" */
    uint32_t members;    /* other nodes that have a lease */
} iris_mesh_engine;

/* Who has a name that is unique over the cluster ("engine"). */
typedef struct iris_mesh_owner {
    char node[256];
    int here;       /* it is this node */
    uint64_t pid;   /* of the actor, on its own node */
    uint64_t token; /* whoever has the name later has a higher one: hand it on with what you do in its name */
    int64_t since;  /* ms since 1970, by the owner's clock */
} iris_mesh_owner;

/* All that it points to is borrowed. It must not call the mesh. */
typedef void iris_mesh_each(void *ctx, const iris_mesh_node *);

/* A node that somebody watches came up (up 1) or went (up 0, and why). */
typedef void iris_mesh_changed(void *ctx, const char *node, const char *address, int up,
                               const char *why);

enum { IRIS_MESH_OK, IRIS_MESH_WARNING, IRIS_MESH_PROBLEM };
typedef void iris_mesh_found(void *ctx, int state, const char *key, const char *text);

/* token: the name is this node's, and whoever had it before had a lower one. 0: it is not, or not any more: nobody here
 * may act in it when this has returned. node: whose it is, or "". It must not call the mesh, nor block. */
typedef void iris_mesh_stood(void *ctx, uint64_t token, const char *node);

typedef struct iris_mesh {
    uint32_t size, abi;

    /* Settings, before anything else is done with it; else, and for what is no good, IRIS_FAIL. */
    int (*configure)(void *mesh, const char *options);

    /* Be reachable here; port 0: any that is free. What it became is in `bound` (cut to room bytes; NULL: not
     * wanted). IRIS_FAIL with a reason, at once: the port is taken, the address is not of this machine, or
     * not loopback without tls or a cookie file and "insecure". The first one, or "advertise", is told to others as
     * this node's address, when they greet: a link that is up by then keeps what it was told. */
    int (*listen)(void *mesh, const char *address, const char *options, char *bound, size_t room);
    int (*unlisten)(void *mesh, const char *address); /* links stay. IRIS_DEAD: it did not listen there */

    /* Keep a link to this address from now on, and dial again whenever it is lost. Twice is once; a "compat" that was
     * said for it stays said. IRIS_FAIL: it is no address. Whether it is reached shows in nodes(), watch_node() and the log. */
    int (*connect)(void *mesh, const char *address, const char *options);
    int (*disconnect)(void *mesh, const char *address); /* IRIS_DEAD: it was not wanted */

    /* Which actor has this name or path there? timeout in ns, 0: that of the settings. IRIS_OK: the answer
     * comes (IRIS_OK and pid 0: nobody has it). An address that is not linked yet is dialled. IRIS_FAIL: no
     * answer comes. */
    int (*resolve)(void *mesh, const char *at, const char *name, int64_t timeout,
                   iris_mesh_answer *);
    /* The same of a name with or without its node: "payments@b", "/svc/pay@b"; "payments": on this node, else at
     * each that is up. Of several that have it the later run (of equal ones the greater node name) is answered; the
     * actors of the others get an IRIS_PING "name_conflict (node=KEEPER): ..", and live on. */
    int (*whereis)(void *mesh, const char *name, int64_t timeout, iris_mesh_answer *);
    /* Is this actor alive? Of another node that is asked. IRIS_OK, IRIS_DEAD, or IRIS_EMPTY. */
    int (*probe)(void *mesh, uint64_t pid, int64_t timeout, iris_mesh_answer *);
    /* Does the node at this address answer? IRIS_OK: yes. It is dialled where it is not linked. */
    int (*ping)(void *mesh, const char *at, int64_t timeout, iris_mesh_answer *);
    int (*is_up)(void *mesh, const char *at); /* 1: there is a link, and it is not silent */

    /* As api->send from outside, to an actor of the node at this address: a pid that resolve() gave, or the
     * number that it has on its own node. IRIS_DEAD: no link to it, or it was of an earlier run. */
    int (*send)(void *mesh, const char *at, uint64_t pid, const void *data, size_t len);
    uint64_t (*pid_at)(void *mesh, const char *at, uint64_t pid); /* that pid here; 0: not up */

    /* changed() at each change, until unwatch_node(), which waits for one that runs (not from changed()
     * itself); at once, if the node is up now. A node that is up comes down before it is up again. at: an
     * address, to which there is a link from now on as by connect(), or a node's name, which need not be known yet.
     * "": all. */
    int (*watch_node)(void *mesh, const char *at, iris_mesh_changed *, void *ctx, uint64_t *id);
    int (*unwatch_node)(void *mesh, uint64_t id);
    /* The same as signals to an actor of this node (its behaviour has IRIS_SIGNALS): IRIS_PONG "up (node=b)"
     * when the node comes up, IRIS_PING "noconnection (node=b): why" when it went (a DOWN is of an actor that
     * this one monitors). iris_node_signal() tells them from pings. Ends with the actor. */
    int (*monitor_node)(void *mesh, uint64_t actor, const char *at);

    /* Every node that is known or wanted, by their names. Returns how many. */
    int (*nodes)(void *mesh, iris_mesh_each *, void *ctx);
    /* This node's name; and the address by which it is reached, "": it does not listen. */
    int (*self)(void *mesh, char *node, size_t room, char *address, size_t address_room);

    /* A proxy: an actor of this node at `path` that stands for `name` at `at`: what it gets goes there, an
     * answer straight to who asked. It is resolved again when its node returns. stay 0: who monitors it gets
     * one DOWN whenever its node goes, as if it had begun again in place; 1: its watchers stay, and what it
     * gets meanwhile is a dead letter. What it gets before it is first resolved, or that failed, waits for that in its
     * mailbox. path may be NULL. */
    int (*proxy)(void *mesh, const char *path, const char *at, const char *name, int stay,
                 uint64_t *pid);
    /* The behaviour of proxies, for who spawns them with a mailbox or a parent of his choice: args are
     * {"at": "b", "name": "payments", "on_loss": "down" | "stay"}. The reference is the caller's. */
    int (*proxies)(void *mesh, iris_version **out);

    /* Where this node learns of others, and how that is. */
    int (*engine)(void *mesh, iris_mesh_engine *out);
    /* IRIS_OK: so it was when the engine last told. IRIS_DEAD: it is unique, and nobody has it. IRIS_EMPTY: it is not
     * unique, so each node may have one. */
    int (*owner)(void *mesh, const char *name, iris_mesh_owner *out);

    /* Whether what these options name is there: each finding is told with its key ("tls", "cookie", "engine"). Nothing
     * is begun with them, and nothing changes. It asks DNS, and waits two seconds for each address of an engine.
     * IRIS_FAIL: the options themselves are wrong, with a reason. */
    int (*check)(void *mesh, const char *options, iris_mesh_found *, void *ctx);

    /* One of "singletons" of the engine: stood() says how it is now, and each change, before the lease can end
     * elsewhere. It is claimed as soon as an actor here has it, and kept whoever has it then. IRIS_FAIL: it is none. */
    int (*stand)(void *mesh, const char *name, iris_mesh_stood *stood, void *ctx);
    /* Another node may have it; this one claims it again after a while. IRIS_DEAD: it is not this node's. */
    int (*resign)(void *mesh, const char *name);

    /* Whom it lets in from now on: "allow" and tls.allow of these options take the place of those that it had (one that is
     * left out: none, and all that the CA signed); NULL: they stay. The other keys must be as they were, and are not looked
     * at. The cookie's file and those of tls are read again. A link to a node that would not come up now ends: "it is let in
     * no more: .." IRIS_FAIL with a reason that begins with the key: nothing has changed. */
    int (*renew)(void *mesh, const char *options);
} iris_mesh;

/* The type name of what monitor_node() tells, "PONG" or "DOWN": its data is a reason, as in ext/watch.h. NULL: it
 * is something else, as an IRIS_PING "name_conflict (node=b): .." to who lost its name. */
static inline const char *iris_node_signal(const iris_message *m)
{
    static const char went[] = "noconnection";
    if (m->from || !m->len)
        return (const char *)0;
    if (m->kind == IRIS_PING && m->len >= sizeof went - 1 && !memcmp(m->data, went, sizeof went - 1))
        return "DOWN";
    return m->kind == IRIS_PONG ? "PONG" : (const char *)0;
}

#ifdef __cplusplus
}
#endif
#endif
