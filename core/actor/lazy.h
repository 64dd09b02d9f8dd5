/* Lazy actors: pid, path and mailbox are there at once, init runs with the first message; and where an
 * idle timeout was asked for, the state ends after so long without one, until the next. Asleep is at
 * rest, not ended: nobody is told, and names, links, who watches it and others' timers for it stay.
 *
 * Asleep (ACTOR_ASLEEP, and ACTOR_FRESH, so that no other turn is any slower) the idle timeout stands in
 * the place of the state; awake, in the cold part, and a timer has the actor look four times within it
 * whether it has handled anything: messages themselves cost nothing more. */
#ifndef IRIS_ACTOR_LAZY_H
#define IRIS_ACTOR_LAZY_H

#include "actor.h"

/* [turn] Asleep no more: before init, or before its end. -1 with a reason: no memory. */
int iris__lazy_wake(iris_actor *);
/* [turn] init has run: look now and then whether it may rest. */
void iris__lazy_begin(iris_actor *);
/* [turn] One of these looks: whether nothing has come for long enough. */
int iris__lazy_look(iris_actor *);
/* [turn] End its state, unless there is anything to do. */
void iris__lazy_rest(iris_actor *);

#endif
