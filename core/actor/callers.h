/* Who waits at a door without being an actor of its own: a thread from outside, whose message stands in
 * the queue, or a host that wants to hear when there is room. */
#ifndef IRIS_ACTOR_CALLERS_H
#define IRIS_ACTOR_CALLERS_H

#include "door.h"

#include <iris/ext/ask.h>

struct caller {
    struct caller *next;
    struct message *message; /* NULL: wants room */
    int result;
    void (*tell)(struct caller *); /* once, under no lock; the last that is heard of it */
};

/* The door's lock is held: move those that are to be told to another list. */
void iris__callers_take(struct caller **from, const struct message *, int result,
                        struct caller **to);
void iris__callers_take_room(struct caller **from, int result, struct caller **to);
void iris__callers_tell(struct caller *list);

/* As the extension has them. */
int iris__send_wait(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
                    int64_t timeout);
int iris__send_told(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
                    int64_t timeout, iris_answer *);
int iris__send_cancel(iris_actor *self, uint64_t to, const iris_answer *);
int iris__room(iris_actor *self, uint64_t to, iris_job *, iris_executor *on);

#endif
