/* An actor that waits at the doors of others, because it sent to full mailboxes whose policy is to wait:
 * it has ACTOR_WAITS, and its own door says for whom it waits, so that who is about to wait for it in
 * turn can see that this would never end. */
#ifndef IRIS_ACTOR_AWAITS_H
#define IRIS_ACTOR_AWAITS_H

#include "door.h"

struct edge {
    uint64_t pid;
    uint32_t n; /* messages */
    struct edge *next;
};

/* [exec] One message of self will wait for pid. IRIS_OK; IRIS_FULL: it would wait for itself, or there is
 * no memory. */
int iris__awaits_begin(iris_actor *self, uint64_t pid);
/* [exec] It does: nothing else is begun until it is in. */
void iris__awaits_suspend(iris_actor *self);
/* [exec] So many of them wait no more (KIND_ADMITTED). */
void iris__awaits_end(iris_actor *self, uint64_t pid, uint32_t n);
void iris__awaits_free(struct edge *);

#endif
