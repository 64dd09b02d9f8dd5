/* "iris.supervise/1": supervisors at run time, in OTP's words. Each owns a path; one for "/" is always
 * there. Those of a manifest are the same ones: all nest by their paths, and one that is exhausted is a
 * failed member of the next one up.
 *
 *   iris_supervision how = {.size = sizeof how, .abi = IRIS_ABI, .strategy = IRIS_REST_FOR_ONE};
 *   supervise->create(self, "/svc/pay", &how);
 *   supervise->watch(self, "/svc/pay", pid);      begins again in place when it crashes
 *
 * A member is restarted in one of two ways. In place (watch, and actors of a manifest): from what it was
 * spawned with (args) and what it runs now; pid, path and mailbox stay; on a crash or panic alone: one
 * that is stopped, killed or ends by itself is forgotten. By a factory (supervise): whatever its end,
 * stop included, the factory is asked for another actor, which has another pid.
 *
 * An actor of another node is watched like one of this node (a pid that resolve() gave), where the manifest of that
 * node allows it: "mesh": {"allow": {"supervise": ["a"]}}. It begins again there, in place; when and with whom, this
 * supervisor decides. One that the node refuses (it is dead, another node has it) is told of in the log. When the link
 * to its node ends, what that node would do by itself is done there, this supervisor passes it over, and takes it up
 * again when the same run of the node is back.
 *
 * A path of NULL or "" stands for "/". All is [any]; nothing here waits for an actor. */
#ifndef IRIS_EXT_SUPERVISE_H
#define IRIS_EXT_SUPERVISE_H

#include <iris/plugin.h>

#define IRIS_SUPERVISE "iris.supervise/1"

enum { /* strategy: who ends (last first) and begins (first first) when a member fails */
       IRIS_ONE_FOR_ONE = 1,
       IRIS_ONE_FOR_ALL = 2,
       IRIS_REST_FOR_ONE = 3 /* it, and those that were added after it */
};

enum { /* on_exhausted: beyond `intensity` restarts within `period` */
       IRIS_EXHAUSTED_ESCALATE = 0, /* its parent counts it as one failure; "/": as exit */
       IRIS_EXHAUSTED_STOP = 1,     /* its members end, last first, and stay so */
       IRIS_EXHAUSTED_EXIT = 2      /* the app ends; without one, the member that failed is let go */
};

typedef struct iris_supervision {
    uint32_t size, abi;
    uint32_t strategy;     /* 0: one_for_one */
    uint32_t on_exhausted; /* IRIS_EXHAUSTED_ESCALATE .. */
    uint32_t intensity;    /* with a period of 0, both are the default: 3 in 5 s */
    int64_t period;        /* ns */
    /* Before the n-th restart in a row: initial * factor^(n-1), at most max, longer or shorter by up to
     * `jitter` of it. After reset_after without a failure the next is the first again. */
    int64_t initial;     /* ns; 0: no backoff */
    int64_t max;         /* ns; 0: 30 s */
    int64_t reset_after; /* ns; 0: 1 minute */
    double factor;       /* 1 or more; 0: 2 */
    double jitter;       /* 0 to 1 */
} iris_supervision;

typedef struct iris_factory {
    uint32_t size, abi;
    const char *path; /* of the supervisor */
    uint64_t pid;     /* the first one, alive; the factory is not called for it */
    /* Make another actor; IRIS_OK and *pid, or IRIS_FAIL after api->fail(). One that fails is called
     * again after 0.1, 0.2, 0.4, .. s, 30 s at most, for ever: that is logged, and not counted as a
     * restart. IRIS_AGAIN: it is at work; it is called again in a moment. On `executor`, never two at once. */
    int (*make)(void *ctx, uint64_t *pid);
    void (*release)(void *ctx); /* nobody will call make any more; once, [any]; may be NULL */
    void *ctx;
    iris_executor *executor; /* a host's own, which outlives this; NULL: a worker of the core's pool,
                                which make() must not hold up */
    uint32_t strategy;       /* when this member fails; 0: the supervisor's */
    int64_t shutdown;        /* ns that it may take to stop when others fail; 0: 5 s */
} iris_factory;

enum { /* adopt: when it is restarted */
       IRIS_RESTART_NEVER = 0,
       IRIS_RESTART_ON_FAILURE = 1,
       IRIS_RESTART_ALWAYS = 2
};

typedef void iris_supervise_each(void *ctx, uint64_t pid);

typedef struct iris_supervise {
    uint32_t size, abi;
    /* how may be NULL. One that is there already gets these options from now on. Actors of a manifest
     * that lie below its path, and supervisors that do, become its members. IRIS_FAIL: not a path. */
    int (*create)(iris_actor *self, const char *path, const iris_supervision *how);
    /* Actors of a manifest and supervisors go to its parent; who was watched is supervised no more.
     * IRIS_DEAD: there is none; IRIS_FAIL: "/" stays. */
    int (*remove)(iris_actor *self, const char *path);
    /* In place. Who is a member already moves to this supervisor. IRIS_DEAD: no such actor;
     * IRIS_FAIL: no supervisor of this path. */
    int (*watch)(iris_actor *self, const char *path, uint64_t pid);
    /* watch() for each actor that lies one level below `prefix` now, by the supervisor with the longest
     * path there. Returns how many, or IRIS_FAIL. */
    int (*watch_path)(iris_actor *self, const char *prefix);
    /* With a factory. IRIS_DEAD and IRIS_FAIL as watch; then release() is not called. */
    int (*supervise)(iris_actor *self, const iris_factory *);
    /* Supervised no more; it lives on. IRIS_DEAD: it was no member; IRIS_FAIL: it is a manifest's. */
    int (*unwatch)(iris_actor *self, uint64_t pid);
    /* Its actors in the order in which they were added, not those of supervisors below; one that a
     * factory is about to make has none. each may be NULL; it is called under no lock. Returns how
     * many, or IRIS_FAIL; 0 where there is no such supervisor. */
    int (*children)(iris_actor *self, const char *path, iris_supervise_each *each, void *ctx);
    /* For an actor that stands for one of another node, from its turn: its own supervisor has that one too,
     * behind it, until it ends. Returns as watch(). [turn] */
    int (*adopt)(iris_actor *self, uint64_t pid, uint32_t restart);
} iris_supervise;

#endif
