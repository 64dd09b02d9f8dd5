/* What is better done in a process of its own: foreign code runs there that may fall, wait for ever, or change what
 * it should not. It forks: not while other threads of this process hold locks. */
#ifndef IRIS_APP_CHILD_H
#define IRIS_APP_CHILD_H

#include <jansson.h>
#include <stdint.h>

/* run() is called in the child, and ends with iris__child_answer(). The answer; or NULL with the reason, which begins with
 * `what` and names `where` the code was: the child said {"reason"}, fell, or was late. */
json_t *iris__child_ask(const char *what, const char *where, int64_t timeout_ms,
                        void (*run)(int fd, void *ctx), void *ctx);

/* ---- in the child ---- */

/* No destructor runs: it is none of our business what they do. NULL: no memory. */
__attribute__((noreturn)) void iris__child_answer(int fd, json_t *answer);
/* What it prints is lost; and it goes when its parent goes. 0, or -1 with errno. */
int iris__child_hush(void);

#endif
