/* Memory for stacks: slabs of address space of which only what was touched is resident. Below each stack
 * lies a guard of 64 KiB that cannot be touched: who overflows meets it, unless one frame alone is larger
 * than that and jumps over it (compile such code with -fstack-clash-protection).
 *
 * Kernels from 6.13 on guard without a mapping of its own for each (MADV_GUARD_INSTALL); older ones need
 * two mappings for each, of which a process has vm.max_map_count: beyond that a stack is refused. Freed
 * stacks are used again; beyond some megabytes their memory goes back to the system at once. */
#ifndef IRIS_BASE_STACK_H
#define IRIS_BASE_STACK_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STACK_DEFAULT = 64 << 10,
    STACK_MIN = 16 << 10,
    STACK_MAX = 1 << 30,
    STACK_GUARD = 64 << 10
};

struct stack {
    char *low, *top;
    struct stack_class *class;
    struct stack *next;
    int guarded;
};

enum stack_guards { STACK_GUARDS_UNKNOWN, STACK_GUARDS_MARKED, STACK_GUARDS_MAPPED };

struct stacks { /* one for each runtime */
    pthread_mutex_t lock;
    struct stack_class *classes; /* by size */
    enum stack_guards how;
    long guards_left; /* STACK_GUARDS_MAPPED: how many more this process may have */
};

void iris__stacks_init(struct stacks *);
void iris__stacks_finish(struct stacks *); /* nobody runs on any of them */

/* One of at least size bytes (0: STACK_DEFAULT); NULL: there is a reason. [any] */
struct stack *iris__stack_take(struct stacks *, size_t size);
void iris__stack_give(struct stacks *, struct stack *); /* NULL is fine. [any] */

/* Safe for signal handlers. */
static inline int iris__stack_guards(const struct stack *s, const void *address)
{
    uintptr_t at = (uintptr_t)address, low = (uintptr_t)s->low;
    return at < low && at >= low - STACK_GUARD;
}

/* A stack for signal handlers, for this thread, until its end; a thread that has one keeps it. Without one
 * an overflow leaves the handler no room to run. */
struct signal_stack {
    void *memory;
};
void iris__signal_stack_set(struct signal_stack *);
void iris__signal_stack_unset(struct signal_stack *);

#endif
