/* One answer that comes from another thread, or too late, or never: the main thread waits for it. */
#ifndef IRIS_APP_ANSWER_H
#define IRIS_APP_ANSWER_H

#include "app.h"

struct answer; /* it has two owners: who waits, and who will answer */

struct answer *iris__answer_open(struct app *); /* NULL: no memory, with the reason */
/* [any] Of who answers; his part of it goes with that. */
void iris__answer_give(struct answer *, int result, const char *why);
/* Of who waits: another's part, where nobody will answer. */
void iris__answer_drop(struct answer *);
/* [main] What was said, with why as the reason. IRIS_AGAIN: nothing until then, or the app is to stop. */
int iris__answer_await(struct answer *, int64_t deadline);

#endif
