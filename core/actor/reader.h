/* Pull actors: they take their mail themselves, inside one long handle(). [turn] */
#ifndef IRIS_ACTOR_READER_H
#define IRIS_ACTOR_READER_H

#include "actor.h"

#include <iris/ext/reader.h>

int iris__reader_take(iris_actor *, iris_match *, void *ctx, const iris_message **out);
int iris__reader_recv(iris_actor *, iris_match *, void *ctx, int64_t timeout,
                      const iris_message **out);

/* [turn] handle() has returned: what it took last is done with, or crashed it. */
void iris__reader_finish(iris_actor *, int crashed);

#endif
