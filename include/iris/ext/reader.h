/* "iris.reader/1": pull actors, which take their mail themselves.
 *
 *   static int handle(const iris_behaviour *b, iris_actor *self, void *state,
 *                     const iris_message *const *none, int n)        called once, with n = 0
 *   {
 *       const iris_message *m;
 *       while (reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK)    m: until the next call
 *           if (m->kind == IRIS_HOT_SWAP)
 *               return 0;                                            the new version goes on
 *           else
 *               ...
 *       return 0;                                                    closed: the end
 *   }
 *
 * Two kinds. IRIS_PULL | IRIS_OWN_STACK: a coroutine on the core's pool, some 4 KiB each, 100,000 and
 * more of them. It must not block in system calls: its worker waits with it. IRIS_PULL | IRIS_OWN_THREAD:
 * an OS thread each, for code that blocks. (In a seeded run, which has no threads, both are coroutines.)
 * All calls here are for the actor itself inside its handle(), on its own stack.
 *
 * The end. handle() returns 0: the actor ends, "normal"; below 0 after fail(): it crashed. When the actor
 * is killed or stopped (a stop comes behind the mail that was accepted), or called exit(), each call says
 * IRIS_CLOSED, also one that waits: clean up and return. Who does not return is not ended by force.
 *
 * Swap. In its place among the mail (at once with `now`) comes a message of kind IRIS_HOT_SWAP. When
 * handle() then returns 0, the state is handed over as for every actor, and the new version's handle()
 * is called for the same mailbox, pid and path. If the swap was refused or taken back meanwhile, the same
 * version's is called again. What does not return in time (5 s, iris_options.swap_wait) goes on as it is:
 * the swap is refused. A match function is asked about HOT_SWAP too (its data is empty).
 *
 * IRIS_RUNS_ON: no pull actor to the core, but to its users: handle() takes its mail in, and code that runs
 * between turns (an async function) consumes it. Its handle() gets a message of kind IRIS_HOT_SWAP too, alone,
 * in place of the mail: ref 0: a swap waits, for as long as above, and mail comes meanwhile; when that code has
 * returned, handover(). ref 1: it was refused or taken back: what runs goes on, and what has returned begins
 * again. Else adopt(), or save() and so on, of the new version is the answer. The message may not be kept.
 *
 * Budget. A coroutine that took and sent as many messages as its budget allows gives its worker to others
 * at its next recv or take, and goes on later, perhaps on another thread. So across these calls: do not
 * keep the address of a thread-local (or of errno, which compilers keep by themselves: read it at once),
 * and hold no lock.
 *
 * Stack. 64 KiB, or iris_spawn.stack. Beyond it lies memory that cannot be touched: an overflow ends the
 * process, or, where the program has a handler for it (iris_fault() in iris.h; the `iris` program has),
 * only the actor, "panic: stack overflow ..". Locks that its code held stay locked then, and nothing on
 * its stack is ended in order. A single frame of more than 64 KiB could jump over the guard: compile such
 * code with -fstack-clash-protection. */
#ifndef IRIS_EXT_READER_H
#define IRIS_EXT_READER_H

#include <iris/plugin.h>

#define IRIS_READER "iris.reader/1"

typedef int iris_match(void *ctx, const iris_message *); /* not 0: this one */

typedef struct iris_reader {
    uint32_t size, abi;
    /* The first message that matches (match NULL: the first); the others stay, in order. What was
     * taken before is done with. IRIS_OK, IRIS_EMPTY or IRIS_CLOSED. [turn] */
    int (*take)(iris_actor *, iris_match *, void *ctx, const iris_message **out);
    /* The same, waiting up to timeout ns (below 0: for ever; 0: not at all). [turn] */
    int (*recv)(iris_actor *, iris_match *, void *ctx, int64_t timeout, const iris_message **out);
    /* Ask and wait for the answer, up to timeout ns; other mail stays. IRIS_OK: *answer is yours: drop()
     * it. Else IRIS_EMPTY (not in time), IRIS_DEAD (why: log's %s of fail, where it is known), IRIS_FULL,
     * IRIS_LARGE, IRIS_CLOSED. [turn] */
    int (*ask)(iris_actor *, uint64_t to, const void *data, size_t len, int64_t timeout,
               const iris_message **answer);
    int (*sleep)(iris_actor *, int64_t time); /* ns. IRIS_OK or IRIS_CLOSED (at once). [turn] */
    int (*yield)(iris_actor *);               /* others first. IRIS_OK or IRIS_CLOSED. [turn] */
    /* Of an IRIS_RUNS_ON behaviour: its code has returned, and a swap may take place once nothing is open:
     * give back by done(.., IRIS_AGAIN) what was not begun. IRIS_OK, or IRIS_EMPTY: none waits. [exec] */
    int (*handover)(iris_actor *);
} iris_reader;

#endif
