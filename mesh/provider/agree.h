/* What this node makes of what a cluster's engine tells (provider.h): who is a member, and is dialled; who has a name
 * that is unique over the cluster; which of them are claimed for actors of this node, and let go before the lease can
 * end (the *fence*).
 *
 * Pure, as the protocol is: no clock, no thread and no socket but through agree_seam, which the plugin (cluster.c) and
 * the simulator fill in. Single-threaded: whoever calls it holds one lock, that of the provider's hooks. The seam's
 * functions must not call back before they have returned. Times are ns of now(). */
#ifndef MESH_AGREE_H
#define MESH_AGREE_H

#include "provider.h"

#include <iris/ext/mesh.h>

#include <stddef.h>
#include <stdint.h>

struct agree_seam {
    void *ctx;
    int64_t (*now)(void *ctx);  /* ns, monotonic */
    int64_t (*date)(void *ctx); /* ms since 1970 */
    /* agree_look() is wanted at `at`, or earlier. One alarm, which others share: the earliest counts. */
    void (*wake)(void *ctx, int64_t at);
    void (*touch)(void *ctx); /* of provider_hooks */

    /* ---- actors of this node ---- */
    uint64_t (*find)(void *ctx, const char *name); /* who has it here; 0: nobody */
    void (*tell)(void *ctx, uint64_t pid, const char *words);
    void (*kill)(void *ctx, uint64_t pid);
    void (*note)(void *ctx, int bad, const char *text); /* for people */
    /* Of a name that is stood by for. token: it is this node's; 0: it is not, or not any more: nobody may act in it
     * when this returns. node: whose it is, or "". */
    void (*stood)(void *ctx, const char *name, uint64_t token, const char *node);

    /* ---- members ---- */
    int (*want)(void *ctx, const char *address);    /* is to be linked. 0; -1: no memory */
    void (*let_go)(void *ctx, const char *address); /* is not to be dialled any more */
    int (*wanted)(void *ctx, const char *address);  /* it is by others as well */
    int (*is_address)(const char *address);
};

struct agree_config {
    const struct provider *calls;
    const char *settings; /* of the engine, JSON */
    struct provider_node self;
    const char *const *names; /* that are unique; each lives as long as it does */
    size_t nnames;
    /* Likewise, and kept whether an actor has them or not: singletons. Claimed once an actor here has it. */
    const char *const *stands;
    size_t nstands;
    int demote; /* who loses a name lives on */
};

struct agree;

/* The engine is asked from now on, in this loop. NULL: why. */
struct agree *agree_begin(const struct agree_config *, const struct agree_seam *,
                          struct uv_loop_s *, char *why, size_t room);
void agree_end(
    struct agree *); /* what was this node's is free at once, where the engine hears of it */
void agree_announce(struct agree *, const char *address); /* others reach us there now */
/* The alarm rang; or who has one of the names here (find()) is another. */
void agree_look(struct agree *);
/* It is another one's turn to have a name that is stood by for. IRIS_DEAD: it is not this node's. */
int agree_resign(struct agree *, const char *name);
void agree_stood(const struct agree *, const char *name); /* the seam is told of it as it is now */

/* A name that is unique is answered for only by its owner. */
int agree_may_answer(const struct agree *, const char *name);
/* IRIS_OK: who has it. IRIS_DEAD: nobody, though it is unique. IRIS_EMPTY: it is not. */
int agree_owner(const struct agree *, const char *name, iris_mesh_owner *);
void agree_nobody(const struct agree *, char *why, size_t room); /* the sentence of IRIS_DEAD */
const char *agree_node_at(const struct agree *, const char *address); /* the name of a member; "" */
int agree_has(const struct agree *, const char *node);                /* it is a member */
void agree_health(const struct agree *, iris_mesh_engine *);

#endif
