/* Children: who ends with whom. An incarnation ends in two steps: it tells its children to end, and waits
 * until the last one has; then comes its own fini, and all else. So a tree ends from its leaves. The wait
 * holds no thread, and it is bounded: a child whose handler does not return holds its parent for
 * FAMILY_PATIENCE at most. */
#ifndef IRIS_ACTOR_FAMILY_H
#define IRIS_ACTOR_FAMILY_H

#include "actor.h"

#define FAMILY_PATIENCE (5 * INT64_C(1000000000))

/* [any] A child was made; if its parent has ended meanwhile it ends at once. */
void iris__family_adopt(struct world *, uint64_t parent, uint64_t child);
void iris__family_refuse(struct world *, uint64_t parent, uint64_t child);
/* [any] A KIND_KILL found nobody: whoever waits for that end is told. */
void iris__family_missed(struct world *, const iris_message *kill);

/* [turn] The signals of this room: KIND_CHILD, KIND_CHILD_GONE, and KIND_KILL of a parent that waits. */
void iris__family_add(iris_actor *, uint64_t child);
void iris__family_gone(iris_actor *, const iris_message *);
void iris__family_awaited(iris_actor *, const iris_message *kill);

/* [turn] It is to end: 1: once its children have, flag ACTOR_ENDING is set; 0: now. */
int iris__family_end(iris_actor *, const struct ending *);
/* [turn] While it waits: whether it still has to; an order to end for good changes what follows. */
int iris__family_waits(iris_actor *);
void iris__family_for_good(iris_actor *);
/* [turn] The wait is over: how it ends; the caller's. NULL: it did not wait. */
struct last;
struct last *iris__family_over(iris_actor *, struct ending *);
void iris__family_free(struct last *);
/* [turn] Those that came after that, from a fini, are not waited for. */
void iris__family_drop(iris_actor *);
/* [turn] All of it is over: its parent may go on. */
void iris__family_mourn(iris_actor *);

#endif
