/* Who keeps the time: wakes when a timer is due, and fires it. A worker that sleeps does it where one is:
 * then one wake-up fires and runs what was fired. Else the ticker does. One at a time fires. */
#ifndef IRIS_SCHED_KEEPER_H
#define IRIS_SCHED_KEEPER_H

#include "executor.h"

/* [worker] It is about to sleep: may it keep the time? Until when it may sleep, INT64_MAX: no matter. */
int64_t iris__keeper_begin(struct sched *, struct worker *);
/* [worker] It has other things to do. */
void iris__keeper_end(struct sched *, struct worker *);
/* [ticker] Keep the time again if a worker should, and has not woken up to what is due or does something
 * else meanwhile. */
void iris__keeper_recall(struct sched *);

/* Lock held. When who asks is to fire (NULL: the ticker); INT64_MAX: it is not for it to do. */
int64_t iris__keeper_next(const struct sched *, const struct worker *);
/* Fire what is due, if it is for who asks to do. 0: nothing was. */
int iris__keeper_fire(struct sched *, struct worker *);

#endif
