/* The ways in which an incarnation ends, each with its reason. All [turn]; they return what
 * iris__actor_end() does: 1: the actor goes on, 0: it is not to be touched any more. */
#ifndef IRIS_ACTOR_ENDING_H
#define IRIS_ACTOR_ENDING_H

#include "actor.h"

struct excerpt;

/* Its code failed and said why. It is a panic if this turn was interrupted. message: that crashed it. */
int iris__ending_crash(iris_actor *, const char *why, const struct excerpt *message);
/* A fault that the runtime caught: how it did ("stack", ..). */
int iris__ending_panic(iris_actor *, const char *how, const char *why,
                       const struct excerpt *message);
/* Its stop was reached: `before`: handled when that was asked for. */
int iris__ending_stop(iris_actor *, uint64_t before);
/* The same inside a pull actor's handle(): it ends when that returns. */
void iris__ending_stop_pull(iris_actor *, uint64_t before);
/* What exit(), or what a pull actor heard, has asked for. */
int iris__ending_asked(iris_actor *);

/* The message that crashes its actor is told of when it is gone. Those that did so before count. */
void iris__ending_excerpt(iris_actor *, const iris_message *, struct excerpt *);

#endif
