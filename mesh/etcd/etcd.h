/* The provider "etcd": membership, leases and unique names of a cluster, over etcd's JSON gateway (v3).
 *
 *   /iris/CLUSTER/node/ID      {"node", "creation", "address"}                 all under this node's one lease
 *   /iris/CLUSTER/name/NAME    {"node", "id", "pid", "since"}                  its mod_revision is the token
 *
 *   lease.c   the lease: asked for, renewed at a third of its time, counted by our own clock, revoked on exit
 *   names.c   claims, by a transaction that makes a key only where there is none
 *   watch.c   all keys of the cluster: a list, then what changes from its revision on
 *   words.c   base64, JSON, requests           http.c    libcurl in the mesh's loop, and the clock
 *   plugin.c  the plugin
 *
 * etcd_look() is the one place where it is decided what is to be done next; whatever has come only changes what
 * is known, and has it called. All under the hub's lock. */
#ifndef ETCD_H
#define ETCD_H

#include "provider.h"
#include "http.h"

#include <jansson.h>

#define ETCD_SECOND INT64_C(1000000000)

enum { ETCD_ENDPOINTS = 16, ETCD_KEY = 1400 };

struct etcd;

/* An answer about the lease; NULL: it failed, and words say how. */
typedef void etcd_leased(struct etcd *, const json_t *answer, const char *words);

struct claim {
    struct claim *next, **at;
    struct etcd *etcd;
    struct http_call *call;
    provider_claimed *claimed;
    void *ctx;
    uint64_t pid;
    char name[];
};

struct etcd {
    struct http *http;
    struct provider_hooks hooks;
    struct provider_node self; /* its strings are ours */
    char *endpoints[ETCD_ENDPOINTS];
    size_t nendpoints, at;                       /* at: the one that is asked now */
    char cluster[256], *user, *password, *token; /* token: of the settings, or of authenticate */
    int64_t ttl;                                 /* ns, wanted */
    uint64_t chance;

    /* lease.c */
    struct http_call *leasing; /* authenticate, revoke, grant, renew: one at a time */
    etcd_leased *leased;       /* who hears of it */
    char lease[24],
        old[24]; /* decimal; "": none. old: lost, and to be revoked before another is asked for */
    int64_t asked,
        holds; /* when the request under way went; until when the lease is ours for certain */
    int64_t slept_asked,
        slept; /* how long the machine had slept when that went; by the last that gave a lease */
    int64_t renew, again; /* when to renew it; when to try again after a failure */
    uint32_t
        failures; /* since all was well: a lease alone is not, and what goes wrong beside it is not
                                * to be tried ten times a second */
    int renewed;  /* the lease was given or renewed since the last of them */
    struct http_call *joining;
    int joined; /* our key is there, with this address */
    int moved;  /* it is another one than that which is on its way */
    enum provider_health health;
    char why[160];

    /* names.c */
    struct claim *claims;

    /* watch.c */
    struct http_call *listing, *watching;
    int64_t revision; /* until which all is told; 0: list */
    int64_t watch_again;
    int watch_ends;      /* it said something after which it is of no more use */
    char watch_why[160]; /* and this; "": it is begun anew at once */
    int watch_lives;
};

/* ---- etcd.c ---- */
extern const struct provider etcd_calls;
void etcd_look(struct etcd *);
/* A request failed: the next endpoint is asked, after a while. */
void etcd_failed(struct etcd *, const char *why);
void etcd_health(struct etcd *, enum provider_health, const char *why);
/* A moment from now, half of it chance; longer with each failure. */
int64_t etcd_pause(struct etcd *);
int64_t etcd_timeout_ms(const struct etcd *);

/* ---- words.c ---- */
/* "/v3/lease/grant"; body is ours afterwards. NULL: no memory. */
struct http_call *etcd_post(struct etcd *, const char *path, json_t *body, http_line *, http_done *,
                            void *ctx);
void etcd_url(const struct etcd *, const char *path, char out[600]);
json_t *etcd_key(const struct etcd *, const char *kind, const char *name); /* base64 */
json_t *etcd_base64(const void *bytes, size_t n);
/* The bytes of a text of base64, and a '\0'; the caller's. NULL: it is none. */
char *etcd_unbase64(const json_t *);
int64_t etcd_number(const json_t *object, const char *key); /* "12" or 12; else 0 */
const char *etcd_error(const json_t *answer);               /* what it says of a failure, or NULL */
/* An answer: its object; NULL: it failed, and why says how. The caller's. */
json_t *etcd_answer(int status, const char *text, size_t n, const char *why, char *out,
                    size_t room);

/* ---- lease.c ---- */
void lease_look(struct etcd *, int64_t now);
int64_t lease_due(const struct etcd *);
int64_t lease_fence(
    const struct etcd *);               /* until when names are this node's; 0: there is no lease */
int lease_is_ours(const struct etcd *); /* now */
void lease_lost(struct etcd *, const char *why);
void lease_failed(struct etcd *, const char *why); /* etcd_failed() of what is under it */
void lease_leave(struct etcd *);

/* ---- names.c ---- */
int names_claim(struct etcd *, const char *name, uint64_t pid, int64_t since, provider_claimed *,
                void *ctx);
void names_release(struct etcd *, const char *name, uint64_t token);
void names_refuse_all(struct etcd *, const char *why);
void names_finish(struct etcd *);
/* A value of a name's key: what it points to is in *text, which is to be freed. -1: it is none of ours. */
int names_read(const json_t *kv, const char *name, struct provider_name *, json_t **value);

/* ---- watch.c ---- */
void watch_look(struct etcd *, int64_t now);
int64_t watch_due(const struct etcd *);
void watch_restart(struct etcd *); /* at another endpoint */

/* ---- settings.c ---- */
int settings_read(struct etcd *, const char *json, struct http_files *, json_t **keep, char *why,
                  size_t room);

#endif
