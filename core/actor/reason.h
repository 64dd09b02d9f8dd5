/* Reasons: the texts that say why an actor ended. Their grammar is in <iris/ext/watch.h>. */
#ifndef IRIS_ACTOR_REASON_H
#define IRIS_ACTOR_REASON_H

#include <stddef.h>
#include <stdint.h>

/* "word (metadata): text"; metadata and text may be NULL. Heap; NULL: no memory. */
char *iris__reason_write(const char *word, const char *metadata, const char *text);
/* The same reason as a link passes it on: with from=PID, unless it says already who began. */
char *iris__reason_pass(const char *reason, size_t len, uint64_t from);

int iris__reason_is(const char *reason, size_t len, const char *word);
/* Somebody wanted this end: a stop, or the end of a parent. Such a one is no failure. */
int iris__reason_is_ordered(const char *reason, size_t len);

#endif
