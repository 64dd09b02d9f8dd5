/* "iris.timer/1": messages that come later. A timer ends with the actor that it is for. [any] */
#ifndef IRIS_EXT_TIMER_H
#define IRIS_EXT_TIMER_H

#include <iris/plugin.h>

#define IRIS_TIMER_EXT "iris.timer/1"

typedef struct iris_timer_api {
    uint32_t size, abi;
    /* Send data to a pid after `delay` ns, from self; *id (may be NULL) is what cancel wants. Delays
     * below 0 are errors. IRIS_DEAD: no such actor; IRIS_LARGE: above the message limit. */
    int (*after)(iris_actor *self, uint64_t to, int64_t delay, const void *data, size_t len,
                 uint64_t *id);
    /* The same each `period` ns (> 0), first after one period; late ticks come together as one. */
    int (*every)(iris_actor *self, uint64_t to, int64_t period, const void *data, size_t len,
                 uint64_t *id);
    int (*cancel)(iris_actor *self, uint64_t id); /* IRIS_OK: will not fire (again); IRIS_DEAD: gone */
} iris_timer_api;

#endif
