/* Asking: the question carries the pid of a port, a place in the table that takes one message. */
#ifndef IRIS_ACTOR_ASK_H
#define IRIS_ACTOR_ASK_H

#include "world.h"

#include <iris/ext/ask.h>

struct message;

/* As in ext/ask.h. */
int iris__ask(iris_actor *self, uint64_t to, const void *data, size_t len, int64_t timeout,
              iris_answer *);
int iris__ask_id(iris_actor *self, uint64_t to, const void *data, size_t len, int64_t timeout,
                 iris_answer *, uint64_t *id);
int iris__ask_cancel(struct world *, uint64_t id);
/* A message for a port: IRIS_OK (taken over) or IRIS_DEAD: it has its answer already. */
int iris__port_answer(struct world *, iris_actor *port, struct message *);
/* The question will not be answered: it became a dead letter. why: as in <iris/ext/ask.h>, or NULL. */
void iris__port_dead(struct world *, uint64_t pid, const char *why);

/* The same, as another node says it. Of what waits for an end the DOWN is the answer, and not touched here. */
void iris__port_down(struct world *, const iris_message *down);

/* A port that waits for something else than an answer, and is no work: for the end of an actor (its DOWN is
 * the message), or for iris__port_tell(). timeout below 0: for ever. IRIS_OK or IRIS_FAIL. [any] */
int iris__port_ended(struct world *, uint64_t pid, int64_t timeout, iris_answer *, uint64_t *port);
int iris__port_wait(struct world *, int64_t timeout, iris_answer *, uint64_t *port);
void iris__port_tell(struct world *, uint64_t port, struct message *); /* taken over */
int iris__port_waits(struct world *, uint64_t port);

#endif
