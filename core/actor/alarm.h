/* Alarms: the timers that a manifest gives an actor. Each incarnation begins with them anew. */
#ifndef IRIS_ACTOR_ALARM_H
#define IRIS_ACTOR_ALARM_H

#include "actor.h"

struct alarm {
    int64_t first, period; /* ns; period 0: once */
    const void *data;
    size_t len;
};

struct alarms;

/* A copy; NULL: no memory. */
struct alarms *iris__alarms_create(const struct alarm *, size_t n);
void iris__alarms_destroy(struct alarms *);
/* [turn] Set the timers of this actor, if it has any, once in an incarnation; that is over. */
void iris__alarms_set(iris_actor *);
void iris__alarms_reset(iris_actor *);

#endif
