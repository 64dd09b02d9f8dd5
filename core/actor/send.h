/* Sending: how a message gets into a mailbox. All [any]. */
#ifndef IRIS_ACTOR_SEND_H
#define IRIS_ACTOR_SEND_H

#include "message.h"
#include "world.h"

/* As iris_api: IRIS_OK, DEAD, FULL, LARGE; no reason is kept for these, they are answers. */
int iris__send(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref);
int iris__give(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
               void (*release)(void *ctx), void *ctx);

/* A message that is ready: `to` is set. Taken over on IRIS_OK only. self: of OVERFLOW_ACTOR. */
int iris__post(struct world *, iris_actor *self, struct message *, enum overflow_wait);
/* The same where it is not full; IRIS_FULL means nothing but that its door is to be asked, of a far pid
 * that its link has refused it. */
int iris__post_if(struct world *, struct message *);
/* A signal that is ready, for a local actor; always taken over. IRIS_OK or IRIS_DEAD. */
int iris__signal_post(struct world *, struct message *);
/* A signal to a local actor; made here. IRIS_OK, IRIS_DEAD, IRIS_FAIL (no memory). */
int iris__signal(struct world *, uint32_t kind, uint64_t from, uint64_t to, uint64_t ref,
                 const char *text);
int iris__signal_pointer(struct world *, uint32_t kind, uint64_t to, void *p);
/* A marker among the user messages of a local actor: not counted in its capacity. */
int iris__marker(struct world *, uint32_t kind, uint64_t to, void *p);

#endif
