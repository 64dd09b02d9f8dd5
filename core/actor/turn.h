/* A turn: an actor runs until its mail or its budget is used up, or its time slice. */
#ifndef IRIS_ACTOR_TURN_H
#define IRIS_ACTOR_TURN_H

#include "actor.h"
#include "cold.h"

enum { TURN_BATCH_MAX = 128, TURN_BUDGET = 100 };

uint32_t iris__turn_run(void *world, void *actor); /* what it cost, in messages */

/* [exec] End after this turn. */
int iris__turn_exit(iris_actor *, const char *reason, enum exit_how);
/* [turn] Mail that is not for this actor, and what becomes of it. */
int iris__turn_is_stray(iris_actor *, const struct message *);
void iris__turn_drop_stray(iris_actor *, struct message *);
/* [turn] Before some of a batch is put back: what has come meanwhile shall follow it in the next one, or
 * a handler that takes none until there is more would be shown the same for ever. */
void iris__turn_catch_up(iris_actor *);
/* [turn] Signals of a pull actor, heard inside its handle(). Not 0: it is to end. */
int iris__turn_hear_pull(iris_actor *);

/* stuck.c: [any] The message that the actor's turn, in this lane, has been in for long: 1; 0: in none. */
int iris__turn_look(struct world *, struct lane *, const iris_actor *, struct excerpt *);

/* later.c: messages that are put off. */
int iris__later(iris_actor *self, const iris_message *); /* [turn] */
int iris__done(const iris_message *, int result);        /* [any] */
/* [turn] A done() has arrived. IRIS_OK; IRIS_DEAD: of an incarnation that is over; IRIS_FAIL: the
 * handler failed, the message is the caller's. */
int iris__later_settle(iris_actor *, struct message *);
/* [turn] The actor ends: what is open becomes dead letters. */
void iris__later_end(iris_actor *);

#endif
