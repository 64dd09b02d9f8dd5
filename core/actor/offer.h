/* Swaps of IRIS_RUNS_ON actors, whose code runs on between turns: it is told, goes on, and when it has returned
 * (handover) the swap is carried out. As with pull actors it has world.swap_wait for that, one swap after the
 * other. [turn] but for handover. */
#ifndef IRIS_ACTOR_OFFER_H
#define IRIS_ACTOR_OFFER_H

#include "cold.h"

enum { OFFER_TELLS_NOTHING, OFFER_TELLS_SWAP, OFFER_TELLS_OFF };

/* The boundary is reached. 1: it is offered, or was refused and freed; 0: carry it out now. */
int iris__offer(iris_actor *, struct swap *);
/* It was carried out, or refused; before: the version until then. */
void iris__offer_decided(iris_actor *, const iris_version *before);
/* Of one with ACTOR_OFFERED: sees whether it still stands, and tells what is to be told. Below 0: handle()
 * crashed, and the reason is set. */
int iris__offer_look(iris_actor *);
/* An incarnation has ended; the next one is told anew. */
void iris__offer_again(iris_actor *);
/* The actor is gone. */
void iris__offer_end(iris_actor *);

/* [exec] See ext/reader.h. */
int iris__offer_handover(iris_actor *);

#endif
