/* A cluster's engine under the seeds: a model of etcd, the way between it and the nodes, and what each node makes of it
 * by the product's own files (mesh/provider/agree.c, mesh/provider/members.c, mesh/etcd/).
 *
 *   engine.c    what it keeps: keys, revisions, leases, and what may be seen of it at which of its members
 *   answer.c    requests of its JSON gateway: what each does, and what is said
 *   http.c      mesh/etcd/http.h over a way on which requests and answers are late, lost, or come twice; watches
 *   cluster.c   a node's side: its actors that want unique names, the seam of mesh/provider/agree.h; and what must hold
 *   outage.c    what goes wrong with the engine and the way to it */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "agree.h"
#include "sim.h"

#include <jansson.h>

enum { PARTS = 3, BATCH = 3 }; /* its members; revisions that a late watch gets at a time */

struct key {
    char *name;         /* "/iris/c/name/one-0" */
    char *text, *value; /* the same, and what stands there, as base64 */
    uint64_t created, changed, lease;
};

struct change { /* of its history */
    int64_t at;
    uint64_t revision;
    int deletes;
    struct key key;
};

struct granted {
    uint64_t id;
    int64_t ttl, ends;
    int gone;
};

struct part {        /* one of its members: those that are asked */
    int down, apart; /* so many faults hold it; apart: it has no quorum */
    int64_t since;   /* since when: what it knows is of then */
    int64_t lag;     /* so late it sees what the others have agreed on */
};

struct request {
    int node;
    uint32_t life;
    uint64_t call; /* its number at the node */
    int part;
    char *path, *text;
    json_t *body; /* once it is there */
    int64_t came; /* when it got there; -1: it has not */
    int done;     /* it was carried out, or refused */
    int status;
    char *answer;
    /* of a watch */
    uint64_t next; /* the first revision that it has not told; 0: it is not one, or ended */
    int64_t last;  /* when its last line arrives */
    int silent;    /* it is broken, and no end knows */
};

struct line { /* of a watch, under way */
    struct request *request;
    char *text;
};

struct engine {
    struct change *history;
    size_t n, room;
    struct key *keys;
    size_t nkeys, keys_room;
    struct granted *leases;
    size_t nleases, leases_room;
    uint64_t revision, compacted;
    struct part parts[PARTS];
    int nparts;
    int64_t headless;      /* no leader until then */
    int64_t headless_from; /* for a moment the old one goes on to renew leases */
    int watched;           /* an election is watched for */
    struct to_engine {     /* the way from a node to a member, and back */
        int cut;           /* so many faults hold it */
        int64_t delay;     /* at most */
    } ways[NODES][PARTS];
    uint32_t lossy, twice; /* percent of answers that are lost, of requests that come again */
    struct request **requests;
    size_t nrequests, requests_room;
    struct line **lines;
    size_t nlines, lines_room;
    uint64_t calls;
    int64_t freezes; /* so long, who asks next; 0: nobody */
    int64_t ttl;
    int demote;

    /* cluster.c */
    int dirty; /* something may have another owner */
    struct mark {
        int node;
        uint32_t life;
        uint64_t pid, token;
    } last[UNIQUE];          /* who had it last */
    int64_t excused[UNIQUE]; /* an operator took it away: until then two may not know */
};

/* ---- engine.c ---- */
int engine_agrees(const struct sim *, int part);    /* it can answer for all, now */
uint64_t engine_sees(const struct sim *, int part); /* the revision that it has got to */
const struct key *engine_key(const struct engine *, const char *name);
void engine_put(struct sim *, const char *text, const char *value, uint64_t lease);
void engine_delete(struct sim *, const char *name);
struct granted *engine_lease(struct engine *, uint64_t id); /* that lives; NULL */
void engine_revoke(struct sim *, struct granted *);
void engine_renew_all(struct sim *, int64_t more); /* a new leader does */
void engine_begin(struct sim *);
void engine_finish(struct sim *);
char *engine_decode(const char *text); /* of base64; the caller's */

/* ---- answer.c ---- */
void answer_request(struct sim *, struct request *);     /* fills in status and answer */
void answer_refusal(struct request *, const char *word); /* "etcdserver: .." */
char *answer_watch(struct sim *, struct request *); /* the next line; NULL: there is none now */

/* ---- http.c ---- */
void http_watches(struct sim *, int part, int silently, uint32_t percent); /* break off */
void http_noticed(struct sim *);                                           /* all that did */

/* ---- cluster.c ---- */
void cluster_start(struct node *);
void cluster_leave(struct node *);
void cluster_crash(struct node *);
void cluster_check(struct sim *); /* after each event */
void cluster_quiet(struct sim *); /* nothing has been wrong for long */
void cluster_end(struct sim *);   /* nor since */
void cluster_kill(struct node *, int name);

/* ---- outage.c ---- */
void outage(struct sim *);     /* one */
void outage_end(struct sim *); /* of all */

#endif
