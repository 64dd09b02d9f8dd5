/* What becomes of a message whose receiver's gate said FULL. Everything that is sent comes here then: by
 * send and give, asks, timers, descriptors, other nodes. */
#ifndef IRIS_ACTOR_OVERFLOW_H
#define IRIS_ACTOR_OVERFLOW_H

#include "callers.h"
#include "send.h"

struct overflow {
    struct world *w;
    iris_actor *self;      /* ACTOR */
    struct caller *caller; /* CALLER */
    struct message *m;
    enum overflow_wait wait;
    int stays; /* no fallback is asked any more */
};

/* [any] m is for `pid`, which is m->pub.to but where it is routed. Taken over on IRIS_OK only; else FULL,
 * DEAD, or LARGE (more than may ever wait there). */
int iris__overflow(struct overflow *, uint64_t pid);
/* [any] Whether that is plain: nobody waits, and the newest is refused. It is counted then. Saves making
 * a message that nobody takes. */
int iris__overflow_refuses(struct world *, uint64_t pid, size_t len);
/* [any] Whether one more message of that length would have to wait, or worse. Nothing is counted. */
int iris__overflow_is_full(struct world *, uint64_t pid, size_t len);

#endif
