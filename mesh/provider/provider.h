/* Where this node learns of others, and where nodes agree on who has a name: a provider. One is always there,
 * the list of a manifest's peers and DNS (provider_static.h: "static"). Another may stand beside it, a cluster's
 * engine ("etcd"), which is a plugin of its own and offers MESH_PROVIDER.
 *
 *   node()     others are to be dialled at the addresses that a provider has told, and at no others
 *   name()     who has a name, for those that are unique over the cluster
 *   claim()    wants a name for this node; a *token* says who had it later
 *
 * All of it runs in the net's one loop, under the hub's lock: hooks are called from within the loop or from a
 * call of the provider, and must not call the provider back. Nothing blocks. Times are ns of CLOCK_MONOTONIC. */
#ifndef MESH_PROVIDER_H
#define MESH_PROVIDER_H

#include <iris/plugin.h>

#define MESH_PROVIDER "iris.mesh.provider/1"

struct uv_loop_s; /* uv_loop_t; whoever answers for time and sockets says what it is */

enum provider_change {
    PROVIDER_PUT, /* it is new, or not as it was */
    PROVIDER_DELETE, /* of a node only its id is said; of a name that, and a token higher than the last owner's */
    PROVIDER_RESYNC, /* something may have been missed: all that there is follows, as PUTs (argument NULL) */
    PROVIDER_SYNCED /* that was all (argument NULL): what was not told since RESYNC is no more */
};

enum provider_health {
    PROVIDER_OK,
    PROVIDER_DEGRADED,  /* it does not answer: what was told holds, and claims are refused */
    PROVIDER_LEASE_LOST /* others may have our names: they are ours no more */
};

struct provider_node {
    const char *id;      /* of its run; of a static peer, its address */
    const char *node;    /* its name; "": not known */
    const char *address; /* HOST:PORT; "": it does not listen */
    uint64_t creation;   /* of its run; 0: not known */
    int compat;          /* enum mesh_compat */
};

struct provider_name {
    const char *name;
    const char *node, *id; /* whose it is: the node's name and the id of its run */
    uint64_t pid;          /* of the actor, on its own node */
    uint64_t token;        /* counts up: whoever has the name later has a higher one */
    int64_t since;         /* ms since 1970, by the owner's clock */
};

struct provider_hooks {
    void *ctx;
    /* 0; -1: no memory to keep it, and it is told again some time. */
    int (*node)(void *ctx, enum provider_change, const struct provider_node *);
    void (*name)(void *ctx, enum provider_change, const struct provider_name *);
    void (*health)(void *ctx, enum provider_health, const char *why);
    void (*touch)(
        void *
            ctx); /* the loop is to run once more: the kernel does not know yet for what it waits */
};

/* IRIS_OK: it is ours, with owner->token. IRIS_DEAD: owner has it. IRIS_EMPTY: nobody can say now (why). */
typedef void provider_claimed(void *ctx, int result, const struct provider_name *owner,
                              const char *why);

struct provider {
    uint32_t size, abi;
    const char *kind; /* "static", "etcd" */
    /* settings: the JSON text of mesh.engine. self: this node. NULL: why. */
    void *(*start)(struct uv_loop_s *, const char *settings, const struct provider_node *self,
                   const struct provider_hooks *, char *why, size_t room);
    /* This node leaves: what it had is free at once, where the engine can be told (a second at most). No hook
     * comes any more. The loop runs once afterwards, to its end. */
    void (*stop)(void *provider);
    /* One answer, unless stop() comes first; a second claim of the same name before it is IRIS_FAIL. since:
     * ms since 1970. */
    int (*claim)(void *provider, const char *name, uint64_t pid, int64_t since, provider_claimed *,
                 void *ctx);
    void (*release)(void *provider, const char *name, uint64_t token);
    void (*announce)(void *provider, const char *address); /* others are to reach us there now */
    /* Until when names that were claimed are ours for certain, whatever happens to the engine; 0: they are not.
     * Before then this node stops to act as their owner (the fence). */
    int64_t (*holds)(void *provider);
};

#endif
