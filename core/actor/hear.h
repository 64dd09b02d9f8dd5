/* Hearing: what signals do to an actor. All [turn]. */
#ifndef IRIS_ACTOR_HEAR_H
#define IRIS_ACTOR_HEAR_H

#include "actor.h"

struct heard { /* an ending among the signals waits until all of them were heard */
    enum ending_kind kind;
    char *reason; /* heap */
    int ends, stopped, rests;
    int is_late;            /* the core ends it, as it has not said that it is ready */
    struct excerpt message; /* of a crash by a message */
};

void iris__hear_all(iris_actor *, struct heard *);
void iris__hear_finish(struct heard *);
/* The ending that was heard; valid while h is. */
struct ending iris__hear_ending(const struct heard *);

#endif
