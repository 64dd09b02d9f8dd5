/* "iris.observe/1": actors that keep what they are sent, for a program or a test to look at. They have no
 * code: messages and signals (EXIT, DOWN) are numbered from 1, and the last IRIS_OBSERVED are kept until
 * the actor ends; older ones are counted. They are spawned trapping. A swap of one is refused, and the one
 * IRIS_HOT_SWAP that tells of it is kept like what came before. All [any]; none waits. */
#ifndef IRIS_EXT_OBSERVE_H
#define IRIS_EXT_OBSERVE_H

#include <iris/plugin.h>

#define IRIS_OBSERVE "iris.observe/1"

enum { IRIS_OBSERVED = 65536 };

struct iris_answer;

typedef struct iris_observe {
    uint32_t size, abi;
    /* budget: 0: 100; path: or NULL. */
    int (*spawn)(iris_actor *self, uint32_t budget, const char *path, uint64_t *pid);
    /* Calls see() on this thread with each that is kept, oldest first, until it says other than 0; no lock
     * is held. What comes meanwhile is seen too. Nothing is taken out. *older (may be NULL): how many came
     * and are not kept any more. IRIS_DEAD: no such actor, or none of this kind. */
    int (*each)(iris_actor *self, uint64_t pid, int (*see)(void *ctx, const iris_message *), void *ctx,
                uint64_t *older);
    /* The first from number *from on (0: from the oldest) that matches, on this thread, taken out: drop()
     * it. IRIS_EMPTY: none; *from is then the next number that will come: look again from there. */
    int (*take)(iris_actor *self, uint64_t pid, uint64_t *from,
                int (*match)(void *ctx, const iris_message *), void *ctx, const iris_message **out);
    /* The answer's job runs once a message of number `from` or later has come, perhaps at once: IRIS_OK;
     * IRIS_EMPTY: not within timeout ns (below 0: for ever); IRIS_DEAD: the actor ended. There is no
     * message in the answer, or one to drop(). With take() in the job: a receive that holds no thread. */
    int (*arrived)(iris_actor *self, uint64_t pid, uint64_t from, int64_t timeout,
                   struct iris_answer *); /* ext/ask.h */
} iris_observe;

#endif
