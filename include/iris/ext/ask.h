/* "iris.ask/1": a question and its one answer. */
#ifndef IRIS_EXT_ASK_H
#define IRIS_EXT_ASK_H

#include <iris/plugin.h>

#define IRIS_ASK "iris.ask/1"

typedef struct iris_answer { /* the caller's memory, until job.run() is called */
    iris_job job;            /* run exactly once, unless ask() said no */
    iris_executor *on;       /* whose thread runs it; NULL: whichever thread has the answer */
    int result;              /* IRIS_OK, IRIS_EMPTY (no answer in time), IRIS_DEAD (it ended first) */
    /* Yours: drop() it. IRIS_OK: the answer. IRIS_DEAD: why, as text, if that is known: "crash: " and the
     * reason (it crashed on this message), "ended: " or "node: " and words. Else NULL. */
    const iris_message *message;
} iris_answer;

typedef struct iris_ask {
    uint32_t size, abi;
    /* [any] timeout in ns. Results as of send(); a result other than IRIS_OK means no answer comes. */
    int (*ask)(iris_actor *self, uint64_t to, const void *data, size_t len, int64_t timeout,
               iris_answer *);
} iris_ask;

#endif
