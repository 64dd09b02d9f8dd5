/* "iris.ready/1": an actor says itself when it has started. It was spawned with iris_spawn.ready_within: until its
 * code says so, in init, in a handler or in what that has put off, it is there, takes mail and is called
 * "starting"; nobody is told that it has started, and who waits for that (in a manifest what stands in
 * "depends_on", a supervisor that begins several one after the other) waits on. */
#ifndef IRIS_EXT_READY_H
#define IRIS_EXT_READY_H

#include <iris/plugin.h>

#define IRIS_READY "iris.ready/1"

typedef struct iris_ready {
    uint32_t size, abi;
    /* This actor (0: self) has started. In its own turn that holds at once, else as soon as it hears of it. One that
     * begins again has to say it again; where nobody waits for it, nothing happens. IRIS_DEAD: no such actor;
     * IRIS_FAIL: self is none. [any] */
    int (*ready)(iris_actor *self, uint64_t pid);
    int (*awaited)(iris_actor *self); /* [turn] 1: it has still to say so */
} iris_ready;

#endif
