/* "iris.watch/1": being told when another actor ends. The kinds below are also what a route gets when
 * an actor of this node watches one of another. */
#ifndef IRIS_EXT_WATCH_H
#define IRIS_EXT_WATCH_H

#include <iris/plugin.h>

#define IRIS_WATCH "iris.watch/1"

enum { IRIS_MONITOR = 16, IRIS_DEMONITOR = 17, IRIS_LINK = 18, IRIS_UNLINK = 19, IRIS_STOP = 20 };

typedef struct iris_watch {
    uint32_t size, abi;
    /* Exactly one IRIS_DOWN (ref in message->ref) when pid ends, or at once if there is no such actor:
     * reason "noproc". Wants a behaviour with IRIS_SIGNALS. [exec] */
    int (*monitor)(iris_actor *self, uint64_t pid, uint64_t *ref);
    int (*demonitor)(iris_actor *self, uint64_t ref); /* and no DOWN of it comes any more. [exec] */
    int (*stop)(iris_actor *self, uint64_t pid); /* handles what was accepted, then ends. [any] */
    int (*kill)(iris_actor *self, uint64_t pid); /* ends at once; its mail becomes dead letters. [any] */
} iris_watch;

#endif
