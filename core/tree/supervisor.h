/* Supervisors: each owns a path prefix and decides what follows when one of its actors ends.
 * one_for_one: that actor alone begins again, in place. More than `intensity` restarts within `period`:
 * the supervisor is exhausted, which counts as one restart of it with its parent (the next supervisor
 * up the path): all its actors begin again. When "/" is exhausted the app ends. */
#ifndef IRIS_TREE_SUPERVISOR_H
#define IRIS_TREE_SUPERVISOR_H

#include "actor.h"
#include "cold.h"

#include <pthread.h>

struct supervisor {
    char *path;
    uint32_t intensity;
    int64_t period;
    struct supervisor *parent; /* NULL: it is "/" */
    struct supervisor *next;
    int64_t *times; /* of the last restarts: a ring of `intensity` */
    uint32_t used, at;
    int exhausted;
    uint64_t *children; /* pids */
    uint32_t nchildren, room;
};

struct supervisors {
    pthread_mutex_t lock;
    struct supervisor *list; /* "/" is always there */
};

int iris__supervisors_init(struct supervisors *);
void iris__supervisors_finish(struct supervisors *);

/* Before actors are spawned; "/" may be given to replace its defaults (3 in 5 s). */
int iris__supervisor_add(struct supervisors *, const char *path, uint32_t intensity,
                         int64_t period);
/* Whose prefix is the longest for this path; never NULL. */
struct supervisor *iris__supervisor_of(struct supervisors *, const char *path);
int iris__supervisor_watch(struct supervisors *, struct supervisor *, uint64_t pid);
void iris__supervisor_forget(struct supervisors *, struct supervisor *, uint64_t pid);

/* [turn] What follows this ending: 1: another incarnation in place. *exhausted: the highest supervisor
 * that could not hold it, or NULL; if it is "/" (no parent) the app is to end. decided: the first that
 * could not, and who restarts it; what is not so is left as it is. */
int iris__supervisor_decide(struct supervisors *, struct world *, iris_actor *,
                            const struct ending *, struct supervisor **exhausted,
                            struct event_detail decided[2]);

#endif
