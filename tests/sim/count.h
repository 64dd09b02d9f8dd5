/* Goes before the protocol code of the simulator (-include): its memory is counted, node by node, so a leak or
 * a queue without a bound is seen in any build. */
#ifndef SIM_COUNT_H
#define SIM_COUNT_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *sim_malloc(size_t);
void *sim_malloc_always(size_t); /* of a library that takes no refusal */
void *sim_calloc(size_t, size_t);
void *sim_realloc(void *, size_t);
void *sim_memdup(const void *, size_t, size_t room);
void sim_free(void *);

#define malloc(n) sim_malloc(n)
#define calloc(n, each) sim_calloc(n, each)
#define realloc(p, n) sim_realloc(p, n)
#define reallocarray(p, n, each) sim_realloc(p, (n) * (each))
#define free(p) sim_free(p)
#undef strdup
#define strdup(s) ((char *)sim_memdup(s, strlen(s) + 1, strlen(s) + 1))
#undef strndup
#define strndup(s, n) ((char *)sim_memdup(s, strnlen(s, n), strnlen(s, n) + 1))

#endif
