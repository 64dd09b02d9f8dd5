/* Pull actors: they take their mail themselves, inside one long handle(). [turn] */
#ifndef IRIS_ACTOR_READER_H
#define IRIS_ACTOR_READER_H

#include "actor.h"

#include <iris/ext/reader.h>

int iris__reader_take(iris_actor *, iris_match *, void *ctx, const iris_message **out);
int iris__reader_recv(iris_actor *, iris_match *, void *ctx, int64_t timeout,
                      const iris_message **out);

/* [turn] Its own messages wait at the doors of others (ACTOR_WAITS): wait with them, where it has a stack or
 * a thread of its own; else take() finds nothing until they are in. */
void iris__reader_pause(iris_actor *);
/* [turn] What was taken last is done with, or crashed its handle(). */
void iris__reader_finish(iris_actor *, int crashed);
/* [turn] A swap that shall come now was heard, by this signal, inside handle(). 1: the signal is kept,
 * and becomes HOT_SWAP. */
int iris__reader_tell_swap(iris_actor *, struct message *);

#endif
