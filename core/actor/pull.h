/* What a pull actor waits for beside mail, on its stack or on its thread. [turn], inside its handle() */
#ifndef IRIS_ACTOR_PULL_H
#define IRIS_ACTOR_PULL_H

#include "coroutine.h"

/* 0, or a failure with a reason: the actor is none that may wait, or not inside its handle(). */
int iris__pull_may(const iris_actor *, const char *what);
/* Until mail (WISH_MAIL) or a signal comes, the deadline is over, or for no reason at all. IRIS_OK, or
 * IRIS_FAIL: no memory to know when the time is over. */
int iris__pull_wait(iris_actor *, enum wish, int64_t deadline);

/* As in ext/reader.h. */
int iris__pull_ask(iris_actor *, uint64_t to, const void *data, size_t len, int64_t timeout,
                   const iris_message **answer);
int iris__pull_sleep(iris_actor *, int64_t time);
int iris__pull_yield(iris_actor *);

#endif
