/* A pull actor's handle() on a stack of its own, which any worker goes on with. What it waits for it
 * leaves as a wish to the turn, which alone may act on it: the actor must not be seen idle while its
 * registers are not kept yet.
 *
 * All of it stands at the top of its stack: one page for an actor that waits. */
#ifndef IRIS_ACTOR_COROUTINE_H
#define IRIS_ACTOR_COROUTINE_H

#include "actor.h"
#include "cold.h"

struct coroutine;

enum wish {
    WISH_YIELD,
    WISH_MAIL,    /* to rest until something comes */
    WISH_SIGNAL,  /* to rest until a signal comes */
    WISH_END,     /* handle() has returned */
    WISH_OVERFLOW /* it was given up */
};

/* Whether actors of this behaviour are coroutines. In a seeded run those with a thread are too: there
 * are no threads. */
int iris__coroutine_is_for(const struct world *, const iris_behaviour *);
/* bytes: at least so much stack; 0: the default. NULL: there is a reason. [any] */
struct coroutine *iris__coroutine_create(struct world *, size_t bytes);
void iris__coroutine_destroy(struct world *, struct coroutine *); /* NULL is fine */
size_t iris__coroutine_size(const struct coroutine *);

/* [turn] Begin handle(), or go on with it, until it has a wish. *used: messages taken in this turn. */
enum wish iris__coroutine_run(struct coroutine *, iris_actor *, uint32_t *used);
int iris__coroutine_result(const struct coroutine *); /* of WISH_END */

/* On it: let the turn have this wish; returns in another turn, or in this one. Its thread may be another
 * then: see context.h. */
__attribute__((noinline)) void iris__coroutine_wish(struct coroutine *, enum wish);
/* On it: before it takes a message. Its budget may be used up, then others come first. */
__attribute__((noinline)) void iris__coroutine_pace(struct coroutine *);
/* On it: have a signal (KIND_WAKE) by `deadline`, perhaps earlier; INT64_MAX: none. */
int iris__coroutine_alarm(struct coroutine *, int64_t deadline);

/* See iris_fault() in iris.h. */
int iris__coroutine_fault(int signal, const void *info, void *ucontext);

static inline struct coroutine *iris__coroutine_of(const iris_actor *a)
{
    const struct cold *c = iris__cold_if(a);
    return c ? c->coroutine : NULL;
}

#endif
