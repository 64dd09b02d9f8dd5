/* Monitors (links.h: links; family.h: children): who is told when an actor ends. All records belong to
 * turns; what crosses between actors are signals. */
#ifndef IRIS_ACTOR_WATCH_H
#define IRIS_ACTOR_WATCH_H

#include "actor.h"

int iris__watch_monitor(iris_actor *self, uint64_t pid, uint64_t *ref); /* [exec] */
int iris__watch_demonitor(iris_actor *self, uint64_t ref);              /* [exec] */

/* [turn] The signals of this room. */
void iris__watch_add(iris_actor *, const iris_message *);    /* IRIS_MONITOR came */
void iris__watch_remove(iris_actor *, const iris_message *); /* IRIS_DEMONITOR came */
/* [turn] A DOWN came: 1: it is wanted; 0: it was demonitored meanwhile. */
int iris__watch_expects(iris_actor *, uint64_t ref);
/* [turn] What waits for the behaviour (cold.heard): add one; take one, the first; is it wanted still;
 * put it back to the front; it was handled, or is not wanted; the same, and the message is the caller's. */
void iris__watch_hear(iris_actor *, struct message *);
struct message *iris__watch_unhear(iris_actor *, struct message **at);
struct message *iris__watch_next(iris_actor *);
int iris__watch_wants(iris_actor *, const iris_message *);
void iris__watch_again(iris_actor *, struct message *);
void iris__watch_done(iris_actor *, struct message *);
void iris__watch_settle(iris_actor *, const iris_message *);
/* A monitor that found nobody. */
void iris__watch_noproc(struct world *, const iris_message *monitor);
/* [turn] It goes to sleep: it watches nobody any more. */
void iris__watch_rest(iris_actor *);
/* [turn] The incarnation is over: DOWN to all who watch, EXIT to all who are linked. */
void iris__watch_end(iris_actor *, const char *reason);
int iris__watch_lapse(iris_actor *, const char *reason); /* as in <iris/ext/watch.h> */

#endif
