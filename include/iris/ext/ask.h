/* "iris.ask/1": a question and its one answer. */
#ifndef IRIS_EXT_ASK_H
#define IRIS_EXT_ASK_H

#include <iris/plugin.h>

#define IRIS_ASK "iris.ask/1"

typedef struct iris_answer { /* the caller's memory, until job.run() is called */
    iris_job job;            /* run exactly once, unless ask() said no */
    iris_executor *on;       /* whose thread runs it; NULL: whichever thread has the answer */
    int result;              /* IRIS_OK, IRIS_EMPTY (no answer in time), IRIS_DEAD (it ended first),
                                IRIS_CLOSED (it was cancelled) */
    /* Yours: drop() it. IRIS_OK: the answer. IRIS_DEAD: why, as text, if that is known: "crash: " and the
     * reason (it crashed on this message), "ended: " or "node: " and words. Else NULL. */
    const iris_message *message;
} iris_answer;

typedef struct iris_ask {
    uint32_t size, abi;
    /* [any] timeout in ns. Results as of send(); a result other than IRIS_OK means no answer comes. */
    int (*ask)(iris_actor *self, uint64_t to, const void *data, size_t len, int64_t timeout,
               iris_answer *);
    /* [any] The same, and *id is what cancel wants; it is set before the answer can come. By name: to
     * whoever has this name or path now; IRIS_DEAD: nobody. */
    int (*ask_id)(iris_actor *self, uint64_t to, const void *data, size_t len, int64_t timeout,
                  iris_answer *, uint64_t *id);
    int (*ask_name)(iris_actor *self, const char *name, const void *data, size_t len,
                    int64_t timeout, iris_answer *, uint64_t *id);
    /* [any] Who asks does not want to know any more. IRIS_OK: job.run comes with IRIS_CLOSED, perhaps
     * within this call. IRIS_DEAD: something else was faster, and job.run has come, or comes, with that:
     * it is run exactly once. The question itself stays where it is; an answer to it is a dead letter. */
    int (*cancel)(iris_actor *self, uint64_t id);
    /* [any] For a host whose handlers return their answers: send() of one to `ref` said IRIS_FULL or IRIS_DEAD, and
     * the handler cannot be told any more. It is counted as a dead letter ("dropped", or "unwanted" where
     * nobody waits for it any more); of one that is dropped a warning says so (every 10 s at most), and whoever
     * asked is told at once that no answer comes. */
    void (*dropped)(iris_actor *self, uint64_t ref);
} iris_ask;

#endif
