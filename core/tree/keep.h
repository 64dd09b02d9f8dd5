/* What the supervisors' files share, and nobody else. The lock is held in all of these. */
#ifndef IRIS_TREE_KEEP_H
#define IRIS_TREE_KEEP_H

#include "supervisor.h"

/* ---- errands.c: what is done once the lock is let go ---- */

enum { ERRANDS = 24 }; /* room enough: a decision tells one or two actors, and each level up */

struct errand {
    enum {
        ERRAND_SIGNAL,
        ERRAND_STOP,
        ERRAND_MAKE,
        ERRAND_RELEASE,
        ERRAND_DECIDED,
        ERRAND_EXHAUSTED,
        ERRAND_LATE,
        ERRAND_FAR,  /* an order to another node, or a report */
        ERRAND_TELL, /* a line for the log */
        ERRAND_END
    } what;
    uint32_t kind; /* of the signal */
    uint64_t pid, ref;
    uint64_t from;              /* of FAR */
    const char *reason;         /* static */
    char *words;                /* of FAR and TELL; heap */
    struct factory *factory;    /* of MAKE and RELEASE */
    struct event_detail detail; /* its texts stay until all errands are run */
};

struct errands { /* on the stack of who holds the lock; where it is too small, more on the heap */
    struct errands *next;
    int n;
    struct errand list[ERRANDS];
};

void iris__keep_lock(struct supervisors *, struct errands *);
void iris__keep_unlock(struct supervisors *); /* and runs them */

void iris__keep_signal(struct supervisors *, uint32_t kind, uint64_t pid, uint64_t ref,
                       const char *reason);
void iris__keep_factory(struct supervisors *, int what, struct factory *);
/* An order or a report (kind) of these words for another node. */
void iris__keep_far(struct supervisors *, uint32_t kind, uint64_t from, uint64_t to, uint64_t ref,
                    const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void iris__keep_tell(struct supervisors *, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The actor's decision or exhaustion by v, its being late, the end of the app, a stop. */
void iris__keep_errand(struct supervisors *, int what, uint64_t pid, const struct supervisor *v,
                       uint32_t decision, int64_t delay);

/* ---- backoff.c ---- */

struct wakeup {
    struct supervisors *s;
    struct wakeup *prev, *next;
    struct member *member;    /* whose time comes; or */
    struct supervisor *whose; /* whose round goes on; both NULL: nobody's any more */
    int64_t deadline;
    uint64_t id;
};

/* How long this member of v waits now: 0: not at all. Counts the failure. */
int64_t iris__backoff_next(struct supervisors *, const struct supervisor *v, struct member *);
/* Sooner or later iris__member_time() or iris__round_time() is called. NULL: no memory. */
struct wakeup *iris__wakeup_set(struct supervisors *, struct member *, struct supervisor *,
                                int64_t delay);
void iris__wakeup_clear(struct wakeup **);

/* ---- factory.c ---- */

struct factory {
    iris_job job; /* first */
    struct supervisors *s;
    struct member *member; /* NULL: it was let go while make() ran */
    iris_executor *executor;
    int (*make)(void *ctx, uint64_t *pid);
    void (*release)(void *ctx);
    void *ctx;
    int strategy;  /* enum strategy; -1: the supervisor's */
    int is_posted; /* the job is on its way */
    uint32_t failures;
};

void iris__factory_ask(struct supervisors *, struct factory *);
void iris__factory_let_go(struct supervisors *, struct factory *);
void iris__factory_post(struct supervisors *, struct factory *); /* an errand: no lock */
void iris__factory_release(struct factory *);                    /* likewise */

/* ---- far.c: of members whose `far` is set ---- */

struct far_member {
    struct far_member *next;
    struct member *member;
    uint64_t raw, run, number; /* raw: its pid there; number: of it, here: the address of reports */
    uint64_t beside;           /* an actor that stands for it, or 0 */
    uint32_t index;
    enum { FAR_ASKED, FAR_TAKEN, FAR_LATER, FAR_LOST } state;
    char node[256];
};

void iris__far_signal(struct supervisors *, const struct member *, uint32_t kind, uint64_t ref);
void iris__far_stop(struct supervisors *, const struct member *);
void iris__far_let_go(struct supervisors *, struct member *);
void iris__far_time(struct supervisors *, struct member *);
/* The actor that stands for others has gone: they are supervised no more. */
void iris__far_forsaken(struct supervisors *, uint64_t pid);

/* ---- ward.c ---- */

struct ward *iris__ward_of(struct supervisors *, uint64_t pid);
enum afterwards iris__ward_ended(struct supervisors *, struct ward *, const struct ending *);
void iris__ward_began(struct supervisors *, struct ward *);
void iris__ward_gone(struct supervisors *, struct ward *);
/* By hand, at this node: it ends for good; it begins again; it has other settings. */
void iris__ward_stop(struct supervisors *, struct ward *);
void iris__ward_restart(struct supervisors *, struct ward *);
void iris__ward_retune(struct ward *, const struct membership *);
void iris__wards_finish(struct supervisors *);
/* No lock held. Who supervises it: the node, and the path there, a copy; NULL: nobody of another node does. */
void iris__ward_keeper(struct supervisors *, uint64_t pid, struct tree_node *actor, char **path);

/* ---- supervisor.c ---- */

struct supervisor *iris__supervisor_find(struct supervisors *, const char *path);
struct supervisor *iris__supervisor_longest(struct supervisors *, const char *path,
                                            const struct supervisor *but);
void iris__member_link(struct supervisor *, struct member *, struct member *next);
void iris__member_unlink(struct member *);
int iris__member_set_pid(struct supervisors *, struct member *, uint64_t pid); /* -1: taken */
/* As the last of v. NULL: no memory. */
struct member *iris__member_add(struct supervisors *, struct supervisor *v);
int iris__supervisor_set(struct supervisor *, const struct policy *);
struct supervisor *iris__supervisor_make(struct supervisors *, const char *path);
void iris__supervisor_free(struct supervisor *);

struct member *iris__member_of(struct supervisors *, uint64_t pid);
struct member *iris__member_join(struct supervisors *, const char *path, uint64_t pid,
                                 const struct membership *); /* NULL: no memory */
int iris__supervisor_is_below(const struct supervisor *, const struct supervisor *top); /* or it */

/* ---- strategy.c ---- */

#define KILL_TIME (100 * IRIS__MS) /* for one that is killed, until the others go on without it */
#define RESTARTS_WORDS "killed (how=restart): its supervisor restarts"

void iris__member_kill(struct supervisors *, struct member *, int for_good);
void iris__member_time(struct supervisors *, struct member *); /* its alarm rang */
void iris__member_begin(struct supervisors *, struct member *);
void iris__member_remove(struct supervisors *, struct member *); /* and frees it */
/* The same, and the round that it was a part of (or NULL) goes on. */
void iris__member_leaves(struct supervisors *, struct member *, struct supervisor *round);
void iris__member_began(struct supervisors *, struct member *); /* if it was told to */
/* It has ended and its factory makes another, in its turn. */
void iris__member_failed(struct supervisors *, struct member *);
void iris__member_lives(struct member *);
/* Of an actor in its turn: it may not have been made known yet. NULL: nobody supervises it. */
struct member *iris__member_kept(struct supervisors *, iris_actor *);
enum afterwards iris__member_follow(struct supervisors *, struct member *, const struct ending *);
/* It is down, as it has failed, and nobody has decided yet. */
void iris__member_fell(struct supervisors *, struct member *);
int iris__restarts(enum restart_when, int is_planned, const struct ending *);

/* ---- round.c ---- */

void iris__member_halt(struct supervisors *, struct member *, int is_final); /* it is told to end */
/* The round that this actor is part of now: its supervisor, or NULL. */
struct supervisor *iris__round_over(const struct member *);
/* End and begin v's members from `first` on. A round that is on already begins anew, and with it those
 * of supervisors below. */
void iris__round_begin(struct supervisors *, struct supervisor *v, struct member *first,
                       struct supervisor *by, struct supervisor *inner, int64_t delay);
void iris__round_final(struct supervisors *, struct supervisor *v); /* all end for good */
void iris__round_advance(struct supervisors *, struct supervisor *v);
void iris__round_time(struct supervisors *, struct supervisor *v); /* its alarm rang */
/* The member is about to leave its list; whose rounds go on then. */
void iris__round_leave(struct supervisors *, struct member *);

#endif
