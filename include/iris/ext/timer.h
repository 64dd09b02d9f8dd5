/* "iris.timer/1": messages that come later. A timer ends with the actor that it is for, and with each
 * incarnation of it that is restarted in place. What falls due at the same time comes as it was set;
 * timers that follow each other within 0.15 ms may come together. [any] */
#ifndef IRIS_EXT_TIMER_H
#define IRIS_EXT_TIMER_H

#include <iris/plugin.h>

#define IRIS_TIMER_EXT "iris.timer/1"

typedef struct iris_timer_api {
    uint32_t size, abi;
    /* Send data to a pid after `delay` ns, from self; *id (may be NULL; below 2^53, never 0) is what
     * cancel wants. At a full mailbox it waits at the door. Delays below 0 are errors. IRIS_DEAD: no
     * such actor; IRIS_LARGE: above the message limit; IRIS_FULL: no memory for the message. */
    int (*after)(iris_actor *self, uint64_t to, int64_t delay, const void *data, size_t len,
                 uint64_t *id);
    /* The same each `period` ns (> 0), first after one period; late ticks come together as one, and so
     * do those that find the mailbox full. */
    int (*every)(iris_actor *self, uint64_t to, int64_t period, const void *data, size_t len,
                 uint64_t *id);
    int (*cancel)(iris_actor *self, uint64_t id); /* IRIS_OK: will not fire (again); IRIS_DEAD: gone */
    /* every, but first after `first` ns (0: at once). */
    int (*every_from)(iris_actor *self, uint64_t to, int64_t first, int64_t period, const void *data,
                      size_t len, uint64_t *id);
} iris_timer_api;

#endif
