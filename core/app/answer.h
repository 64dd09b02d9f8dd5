/* One answer that comes from another thread, or too late, or never: the main thread waits for it. */
#ifndef IRIS_APP_ANSWER_H
#define IRIS_APP_ANSWER_H

#include "app.h"

/* It has two owners: who waits, and who will answer. What else an answer brings stands behind it, in a struct that
 * begins with it. */
struct answer {
    struct app *app;
    atomic_int refs, is_given;
    int result;
    char *why;                       /* or NULL */
    void (*finish)(struct answer *); /* what it is part of, before that is freed; NULL: nothing */
};

/* size: of the struct that begins with it, zeroed. NULL: no memory, with the reason. */
void *iris__answer_open(struct app *, size_t size);
/* [any] Of who answers; his part of it goes with that. */
void iris__answer_give(struct answer *, int result, const char *why);
/* Of who waits: another's part, where nobody will answer. */
void iris__answer_drop(struct answer *);
/* [main] What was said, with why as the reason. IRIS_AGAIN: nothing until then, or the app is to stop. */
int iris__answer_await(struct answer *, int64_t deadline);

#endif
