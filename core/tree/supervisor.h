/* Supervisors: each owns a path prefix and decides what follows when one of its members ends. A member
 * is an actor, or a supervisor further down; members stand in start order. As in OTP:
 *
 *   one_for_one   it alone begins again
 *   one_for_all   all members end, last first, and begin again, first first
 *   rest_for_one  it and those that began after it do
 *
 * An actor begins again in place: pid, path and mailbox stay. More than `intensity` restarts within
 * `period`: the supervisor is exhausted, which is a failure of it with its parent, the next supervisor
 * up the path. When "/" is exhausted the app ends.
 *
 *   supervisor.c  the tree: prefixes, members     strategy.c  what follows an ending
 *   round.c       several end and begin, in turn  backoff.c   delays, and what comes by time
 *   factory.c     members that are made anew      supervise.c <iris/ext/supervise.h>
 *   far.c         members of other nodes          ward.c      actors here that another node supervises
 *
 * All of it stands under one lock. No thread waits here: what is to be done (a signal, an event) is
 * noted as an errand and run by whoever lets go of the lock. */
#ifndef IRIS_TREE_SUPERVISOR_H
#define IRIS_TREE_SUPERVISOR_H

#include "actor.h"
#include "cold.h"
#include "random.h"

#include <iris/ext/supervise.h>

#include <pthread.h>
#include <uthash.h>

enum strategy { ONE_FOR_ONE, ONE_FOR_ALL, REST_FOR_ONE };
enum on_exhausted { EXHAUSTED_ESCALATE, EXHAUSTED_STOP, EXHAUSTED_EXIT };

struct
    backoff { /* before the n-th restart in a row: initial * factor^(n-1), at most max, +- jitter */
    int64_t initial; /* 0: none */
    int64_t max;
    double factor, jitter;
    int64_t reset_after; /* so long without a failure: the next one is the first again */
};

struct policy {
    enum strategy strategy;
    uint32_t intensity;
    int64_t period;
    struct backoff backoff;
    enum on_exhausted on_exhausted;
};

#define POLICY_DEFAULT ((struct policy){.intensity = 3, .period = 5 * IRIS__SECOND})
#define SHUTDOWN_DEFAULT (5 * IRIS__SECOND)
#define SHUTDOWN_KILL INT64_C(-1) /* no time at all: it is killed */

enum member_state {
    MEMBER_LIVES,
    MEMBER_HALTS,  /* told to end, in a round */
    MEMBER_DOWN,   /* between two incarnations */
    MEMBER_BEGINS, /* told to begin */
    MEMBER_ENDS    /* told to stop, for good */
};

struct member {
    struct supervisor *of;
    struct member *prev, *next; /* start order */
    uint64_t place;             /* grows along the list */
    struct supervisor *sub;     /* it is this supervisor; NULL: an actor */
    uint64_t pid;
    enum restart_when restart;
    enum member_state state;
    int is_late;      /* it did not end in time: the round went on without it */
    int is_killed;    /* its time is over */
    int is_planned;   /* HALTS by hand: it begins again, whatever `restart` says */
    int64_t shutdown; /* ns that it has to end; or SHUTDOWN_KILL */
    uint64_t order;   /* number of the last HALT or BEGIN: an older one that comes late is void */
    uint32_t tries;   /* failures in a row, for the backoff */
    int64_t due;      /* when it was to begin again after the last of them */
    struct wakeup *alarm;
    int is_watched;          /* by hand, not by its path */
    struct factory *factory; /* makes another actor; NULL: it begins again in place */
    struct far_member *far;  /* it is of another node; NULL: of this one */
    UT_hash_handle hh;       /* while pid is not 0 */
};

enum round_phase { ROUND_NONE, ROUND_STOPS, ROUND_WAITS, ROUND_STARTS };

struct round { /* the members from `first` on end, last first, and begin, first first */
    enum round_phase phase;
    int is_final;         /* they end for good */
    struct member *first; /* a member of the supervisor itself */
    struct member *at;    /* the actor that is waited for; NULL: from the end, or the beginning */
    struct supervisor
        *by; /* who counts what fails meanwhile: the supervisor itself, or its parent */
    struct supervisor *inner; /* one below that was exhausted: its members end before all others */
    int64_t delay;
    struct wakeup *alarm;
};

struct supervisor {
    char *path;
    struct policy policy;
    struct supervisor *parent; /* NULL: it is "/" */
    struct supervisor *next;
    struct member *self; /* with its parent; NULL: it never had a member */
    struct member *head, *tail;
    struct round round;
    int64_t *times; /* of the last restarts: a ring of `intensity` */
    uint32_t used, at;
    uint32_t exhausted; /* how often */
};

struct supervisors {
    pthread_mutex_t lock;
    struct world *world;
    struct supervisor *list;        /* "/" is always there */
    struct member *by_pid;          /* uthash: actors */
    struct wakeup *alarms;          /* all */
    struct supervisor *dead;        /* removed; errands may still name them */
    struct far_member *far;         /* members of other nodes */
    struct ward *wards;             /* uthash, by pid: actors here that another node supervises */
    uint32_t running;               /* who runs errands now */
    struct errands *errands, *last; /* of who holds the lock */
    struct random random;           /* jitter */
    uint64_t places, orders;        /* the last one given */
    atomic_int *closing;            /* not 0: nothing begins any more */
    /* [any] The app is to end, as the supervisor of this path is exhausted; may be NULL. */
    void (*ended)(void *ctx, const char *path);
    void *ctx;
};

int iris__supervisors_init(struct supervisors *, struct world *, atomic_int *closing);
/* All actors have ended. Factories go while the hosts that gave them are there. */
void iris__supervisors_leave(struct supervisors *);
void iris__supervisors_finish(struct supervisors *);

/* A path that is there already, such as "/", gets this policy from now on. IRIS_OK or IRIS_FAIL. [any] */
int iris__supervisor_add(struct supervisors *, const char *path, const struct policy *);

struct membership {
    enum restart_when restart;
    int64_t shutdown; /* 0: the default */
};
/* The actor becomes a member of the supervisor with the longest prefix of its path, behind all that
 * are there. It may have ended meanwhile: then it is none. [any] */
int iris__supervisor_join(struct supervisors *, const char *path, uint64_t pid,
                          const struct membership *);

/* [turn] The world's hooks: what follows this ending; it has begun, after it was told to; it is gone. */
enum afterwards iris__supervisor_ended(struct supervisors *, iris_actor *, const struct ending *);
void iris__supervisor_began(struct supervisors *, iris_actor *);
void iris__supervisor_gone(struct supervisors *, uint64_t pid);

/* [any] Stop this actor for good; when its shutdown time is over it is killed. One that nobody
 * supervises has all the time it takes. IRIS_OK or IRIS_DEAD. */
int iris__supervisor_stop(struct supervisors *, uint64_t pid);

/* [any] End this incarnation and begin another in place, as the supervisor of it does; it is no failure, and
 * nothing is counted. One that waits for its backoff begins at once. IRIS_OK: it was told. IRIS_DEAD; IRIS_FAIL with
 * a reason: nobody supervises it, or it ends for good. */
int iris__supervisor_restart(struct supervisors *, uint64_t pid);
/* [any] From now on: when it is started again, and how long it may take to end. IRIS_OK or IRIS_DEAD. */
int iris__supervisor_retune(struct supervisors *, uint64_t pid, const struct membership *);
/* [any] A supervisor of this path and policy; what is below it becomes its. One that is there has that policy
 * from now on. IRIS_OK or IRIS_FAIL. */
int iris__supervisor_put(struct supervisors *, const char *path, const struct policy *);

/* [any] As in <iris/ext/supervise.h>; path is valid or NULL. */
int iris__supervise_create(struct supervisors *, const char *path, const iris_supervision *);
int iris__supervise_remove(struct supervisors *, const char *path);
int iris__supervise_watch(struct supervisors *, const char *path, uint64_t pid);
int iris__supervise_watch_path(struct supervisors *, const char *prefix);
int iris__supervise_factory(struct supervisors *, const iris_factory *);
int iris__supervise_unwatch(struct supervisors *, uint64_t pid);
int iris__supervise_children(struct supervisors *, const char *path, iris_supervise_each *,
                             void *ctx);

/* ---- far.c: members of other nodes; all [any] ---- */

/* As watch(). beside: in the turn of this actor, which stands for it: by its supervisor, behind it, until it ends; or
 * NULL. IRIS_OK: it was asked. IRIS_DEAD: its node is not up. IRIS_FAIL: it does not allow it. */
int iris__far_watch(struct supervisors *, const char *path, uint64_t pid, iris_actor *beside,
                    enum restart_when);
void iris__far_report(struct supervisors *, const iris_message *);
void iris__far_up(struct supervisors *, uint32_t index);
void iris__far_down(struct supervisors *, uint32_t index);

/* ---- ward.c: actors here that a supervisor of another node has; all [any] ---- */

void iris__ward_order(struct supervisors *, const iris_message *);
void iris__wards_down(struct supervisors *, uint32_t index);
/* ---- survey.c: what there is, for who looks ---- */

struct tree_node {
    int depth;                  /* of its supervisor's members: one more than that */
    char *path;                 /* of a supervisor, a copy; NULL: an actor */
    struct policy policy;       /* of a supervisor */
    uint32_t recent;            /* its restarts within the period */
    uint32_t exhausted;         /* how often it was */
    uint32_t members, left_out; /* how many it has, and how many of these actors do not follow */
    uint64_t pid;               /* of an actor; 0: its factory is about to make one */
    enum restart_when restart;
    int has_factory, is_watched;
    char node[64]; /* of an actor of another node; "" */
    int is_lost;   /* which is not up now */
};

struct tree {
    struct tree_node *nodes; /* each supervisor, behind it its members in start order */
    size_t n, room;
    int failed; /* no memory */
};

/* At most so many actors of each supervisor. [any] */
void iris__tree_survey(struct supervisors *, uint32_t most, struct tree *);
/* The supervisor of this actor, with its own path, and how it restarts it. 0: it has none. */
int iris__tree_above(struct supervisors *, uint64_t pid, struct tree_node *above,
                     struct tree_node *actor);
void iris__tree_free(struct tree *);

/* [any] Of an actor between two incarnations: ns until it begins; 0: that depends on others. */
int64_t iris__supervisor_left(struct supervisors *, uint64_t pid);

#endif
