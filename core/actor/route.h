/* Pids of other nodes: which local actor (the link) takes their mail. */
#ifndef IRIS_ACTOR_ROUTE_H
#define IRIS_ACTOR_ROUTE_H

#include "message.h"
#include "set.h"

#include <iris/ext/route.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum { ROUTES_MAX = 1024 };
#define IRIS__NODE_OF(pid) ((uint32_t)((pid) >> 43)) /* any number: a pid may be garbage */

struct world;

struct routes {
    pthread_mutex_t lock;
    _Atomic uint64_t link[ROUTES_MAX]; /* pid of the link actor; 0: no such node, or not any more */
    char *name[ROUTES_MAX];
    _Atomic uint64_t limit[ROUTES_MAX],
        held[ROUTES_MAX];    /* bytes in the link's mailbox; limit 0: none */
    iris_route_probe *probe; /* or NULL */
    void *probe_ctx;
    uint64_t run[ROUTES_MAX];       /* which run of the node it is; 0: not told */
    uint32_t rights[ROUTES_MAX];    /* what it lets this one do */
    char us[256];                   /* this node's name */
    int64_t freed[ROUTES_MAX];      /* when it went; an index is not given out again soon */
    struct set watched[ROUTES_MAX]; /* by ref: a local actor watches one of that node */
};

void iris__routes_init(struct routes *);
void iris__routes_finish(struct routes *);
int iris__route_up(struct world *, const char *node, uint64_t link, uint32_t *index);
int iris__route_down(struct world *, uint32_t index, const char *reason);
/* The link itself has ended: its nodes are down. */
void iris__route_lost(struct world *, uint64_t link);
/* What a routed message in the mailbox of actor `pid` is to it. */
enum route_fit {
    ROUTE_FITS,
    ROUTE_DOWN, /* for a node that has gone; it counts in this mailbox */
    ROUTE_ALIEN /* sent to a link that had this place before */
};
enum route_fit iris__route_fit(const struct world *, const struct message *, uint64_t pid);
/* Hand a message or a request (IRIS_MONITOR ..) to the link of its node. IRIS_OK, DEAD or FULL. */
int iris__route_post(struct world *, iris_actor *self, struct message *, enum overflow_wait);
/* Remember that `watcher` wants a DOWN (is_link: an EXIT) when the node of `pid` goes. IRIS_DEAD: it is
 * not up. */
int iris__route_watch(struct world *, uint64_t watcher, uint64_t pid, uint64_t ref, int is_link);
void iris__route_unwatch(struct world *, uint64_t pid, uint64_t ref);
/* Its DOWN or EXIT has come, or it is not wanted any more. */
void iris__route_forget(struct world *, uint64_t pid, uint64_t ref);

/* An accepted message that will not arrive; who asked is told, here or on another node. */
void iris__route_letter(struct world *, const iris_message *head, const char *reason);
int iris__route_limit(struct world *, uint32_t index, uint64_t bytes);
void iris__route_took(struct world *, uint32_t index, uint64_t bytes);
void iris__route_prober(struct world *, iris_route_probe *, void *ctx);
/* Ask whoever knows; IRIS_DEAD: nobody does, there will be no answer. */
int iris__route_probe(struct world *, uint64_t pid, int64_t timeout, struct iris_answer *);
int iris__route_is_up(struct world *, uint64_t pid);
struct route_about { /* a node that is up */
    uint64_t run;
    uint32_t rights;
    char node[256], us[256];
};
/* IRIS_DEAD: it is not up. */
int iris__route_about(struct world *, uint32_t index, struct route_about *);
int iris__route_rights(struct world *, uint32_t index, uint64_t run, uint32_t rights,
                       const char *us);
/* Tell the actor to stop. IRIS_DEAD: its node is not here. */
int iris__route_stop(struct world *, uint64_t from, uint64_t pid);

#endif
