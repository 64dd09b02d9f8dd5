/* "iris.control/1": looking at actors, and at their versions. */
#ifndef IRIS_EXT_CONTROL_H
#define IRIS_EXT_CONTROL_H

#include <iris/plugin.h>

#define IRIS_CONTROL "iris.control/1"

enum { /* iris_info.state */
       IRIS_STATE_RUNNING = 0,
       IRIS_STATE_STUCK = 1, /* its turn has lasted for a second or more */
       IRIS_STATE_STOPPING = 2,
       IRIS_STATE_BACKOFF = 3, /* between two incarnations: its supervisor begins the next one */
       IRIS_STATE_ASLEEP = 4,  /* lazy: it begins with the next message */
       IRIS_STATE_STARTING = 5 /* it has not said that it is ready (ext/ready.h) */
};

typedef struct iris_info {
    uint32_t size, abi;
    uint64_t pid, mailbox, handled; /* mailbox: accepted and not yet begun */
    int64_t uptime;                 /* ns of this incarnation; -1: not known */
    uint32_t capacity;              /* 0: unbounded */
    uint32_t restarts, rev, of;     /* of != rev: this revision repeats that one */
    uint32_t state, state_version;
    char path[256], host[32], handler[256], behaviour[64], version[32]; /* "" where there is none */
    int64_t stuck; /* ns for which the turn that it has now has lasted, if a second or more; else 0 */
    int64_t backoff; /* BACKOFF: ns until it begins; 0: when the actors before it have */
    /* Its mailbox; see ext/mailbox.h. waiting: at its door now; the others count messages since it began */
    uint32_t policy, waiting;
    uint64_t refused, dropped, redirected, spilled;
    uint64_t bytes, held; /* the mailbox's limit of bytes (0: none), and how many are in it now */
    uint64_t waited;  /* messages that have waited at its door */
    uint64_t letters; /* its dead letters, in all its incarnations: what crashed it, what was dropped for newer
                         mail, and what it had put off when an incarnation ended */
} iris_info;

typedef void iris_executor_each(void *ctx, const char *name, int64_t age);

typedef struct iris_control {
    uint32_t size, abi;
    int (*info)(iris_actor *self, uint64_t pid, iris_info *); /* IRIS_DEAD: no such actor. [any] */
    /* Go back `steps` (0: 1) versions, in order or now; with use_snapshot to the state as it was when
     * that version was replaced. tell as in api->swap. [any] */
    int (*rollback)(iris_actor *self, uint64_t pid, uint32_t steps, int use_snapshot, int now,
                    void (*tell)(void *ctx, int result, const char *why), void *ctx);
    int (*cancel)(iris_actor *self, uint64_t pid); /* swaps not begun; how many there were. [any] */
    /* Each executor with its age: ns since it last drained, while work waits: a turn lasts, or its thread is in
     * other code. 0: it is idle or well. Of the pool, which gets another worker meanwhile, the age of its
     * oldest turn. Returns how many. each() must not call back; the name is borrowed. [any] */
    int (*executors)(iris_actor *self, iris_executor_each *each, void *ctx);
    /* The same of that of one actor (on the pool: of its own turn), once. IRIS_DEAD: no such actor. [any] */
    int (*drained)(iris_actor *self, uint64_t pid, iris_executor_each *each, void *ctx);
} iris_control;

#endif
