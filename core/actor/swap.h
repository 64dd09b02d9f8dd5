/* Swap: another version of the behaviour, while the actor keeps its mail, pid, path, timers and
 * monitors. Decided at the boundary: a marker in the mailbox (in order), or a signal (now). */
#ifndef IRIS_ACTOR_SWAP_H
#define IRIS_ACTOR_SWAP_H

#include "actor.h"
#include "text.h"

struct swap_report {
    int result; /* IRIS_OK, IRIS_FAIL (refused), IRIS_DEAD (no such actor, or it ended first) */
    const char *why;          /* of a refusal */
    uint32_t from, to, of;    /* revs; of != to: repeats that one */
    const struct text *state; /* of a freeze: as bytes; NULL: it has none, or none that is kept */
    uint32_t state_version;
};

struct swap_order {
    iris_version *version; /* taken over; NULL: roll back */
    uint32_t steps;        /* of a rollback: how many back; 0 counts as 1 */
    int use_snapshot;      /* of a rollback: the bytes that were saved when it was replaced */
    int or_snapshot;       /* of a rollback: these, if the state of now cannot be taken */
    int now;
    int freeze; /* no swap: it comes to rest there, see freeze.h; with .now, and no version */
    void (*tell)(void *ctx, const struct swap_report *); /* once, on any thread; may be NULL */
    void *ctx;
};

/* [any] Queue it. IRIS_OK: tell will come. IRIS_DEAD: it will not. */
int iris__swap(struct world *, uint64_t pid, const struct swap_order *);
/* [any] Take back all that wait; each is told IRIS_FAIL. How many there were. */
int iris__swap_cancel(struct world *, uint64_t pid);

struct swap;
/* [turn] The boundary is reached. 0: go on. 1: the actor is on its way to another executor. */
int iris__swap_perform(iris_actor *, struct swap *);
/* [turn] First thing on the other executor. As above. */
int iris__swap_arrive(iris_actor *);
/* [turn] A pull actor may see it: from now on it has world.swap_wait to return. 0: it was cancelled, or is
 * refused at once, and is freed. */
int iris__swap_offer(iris_actor *, struct swap *);
/* The actor is gone. */
void iris__swap_refuse(struct world *, struct swap *, int result, const char *why);

int iris__swap_is_freeze(const struct swap *); /* NULL: not */
uint32_t iris__swap_rev(const iris_actor *, uint32_t *of);

#endif
