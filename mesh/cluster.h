/* The engine of a cluster, and what this node makes of it: members, and names that are unique (mesh.engine). Of a hub
 * without an engine all of it is fine to call, and there is nothing. Lock held, unless said otherwise. */
#ifndef MESH_CLUSTER_H
#define MESH_CLUSTER_H

#include "hub.h"

/* If the settings want an engine its plugin is loaded. No lock held. IRIS_FAIL with a reason. */
int cluster_load(struct hub *);
/* With the protocol. IRIS_FAIL with a reason that begins with the key. */
int cluster_begin(struct hub *, const struct node_id *, uint64_t creation);
void cluster_announce(struct hub *); /* others reach us elsewhere now */
void cluster_end(struct hub *);      /* it may begin again */
void cluster_free(struct hub *);
void cluster_watch(
    struct hub *); /* the hub's actor is told whenever a name that is unique changes hands here */
void cluster_look(struct hub *); /* it was, or an alarm rang */

/* Of a singleton of the settings: as in iris_mesh. */
int cluster_stand(struct hub *, const char *name, iris_mesh_stood *, void *ctx);
int cluster_resign(struct hub *, const char *name);

/* A name that is unique is answered for only by its owner. */
int cluster_may_answer(const struct hub *, const char *name);
/* IRIS_OK: who has it. IRIS_DEAD: nobody, though it is unique. IRIS_EMPTY: it is not. */
int cluster_owner(const struct hub *, const char *name, iris_mesh_owner *);
void cluster_nobody(const struct hub *, char *why, size_t room); /* the sentence of IRIS_DEAD */
const char *cluster_node_at(const struct hub *, const char *address); /* the name of a member; "" */
int cluster_has(const struct hub *, const char *node);      /* it is a member: it has a lease */
int cluster_health(const struct hub *, iris_mesh_engine *); /* 0: there is no engine */

#endif
