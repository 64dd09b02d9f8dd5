/* Readiness: an incarnation has begun when its init has run; or, of an actor that was spawned with ready_within,
 * when its code has said so (<iris/ext/ready.h>). One that does not say so in that time crashes: its supervisor
 * decides what follows, as after any other crash. What a save had put away has started with its state. */
#ifndef IRIS_ACTOR_READY_H
#define IRIS_ACTOR_READY_H

#include "actor.h"

enum readiness {
    READY_NOT,   /* its init has not returned, and has not said so */
    READY_SAID,  /* .. but has said so */
    READY_WAITS, /* its init has returned: all wait for its word */
    READY_TOLD
};

/* 0: these may be wanted; or IRIS_FAIL with a reason. */
int iris__ready_check(const iris_spawn *);
/* Before it is seen by others, with ready_within in its cold part: it is called "starting". */
void iris__ready_expect(iris_actor *);

/* [turn] Before init: from here on its time runs. */
void iris__ready_begin(iris_actor *);
/* [turn] Whether it has still to say so. */
int iris__ready_is_awaited(iris_actor *);
/* [turn] After init. What is to be told of its beginning is told now, or when it says that it is ready. */
void iris__ready_begun(iris_actor *, unsigned restarts);
/* [any] As in <iris/ext/ready.h>. */
int iris__ready_say(iris_actor *self, uint64_t pid);
/* [turn] KIND_READY was heard. */
void iris__ready_heard(iris_actor *);
/* [turn] KIND_LATE was heard: why it crashes, heap; NULL: it has said so meanwhile. */
char *iris__ready_late(iris_actor *);
/* [turn] So long it may take from its next beginning on. 0: it need not say so, and not any more now. */
void iris__ready_change(iris_actor *, int64_t within);
/* [turn] This incarnation is about to end: that it has begun is told no more. */
void iris__ready_give_up(iris_actor *);
/* [turn] This incarnation is over; if is_gone, there is no other. */
void iris__ready_end(iris_actor *, int is_gone);

#endif
