/* Where code stands on a stack, and going from one such place to another. A switch keeps what a called
 * function must keep (registers, rounding modes), and makes no system call: some 5 ns.
 *
 * What comes after a switch may run on another thread than what came before it. A compiler may keep the
 * address of a thread-local across the call: who switches reads thread-locals in functions of their own,
 * which are not inlined. The switch itself belongs to this file. */
#ifndef IRIS_BASE_CONTEXT_H
#define IRIS_BASE_CONTEXT_H

#include "fiber.h"

struct context {
    void *sp; /* while it does not run */
    struct fiber fiber;
    void (*run)(void *arg); /* of one that has not begun */
    void *arg;
};

/* The bytes below `top` (down to low, a multiple of 16) become a stack on which run(arg) begins with the
 * first switch. run must not return: it leaves for good. */
void iris__context_make(struct context *, void *low, void *top, void (*run)(void *arg), void *arg);
/* Go on at `to`; returns when somebody switches back to `from`. */
__attribute__((noinline)) void iris__context_switch(struct context *from, struct context *to);
/* The same, never to come back. */
_Noreturn void iris__context_leave(struct context *from, struct context *to);
/* First of all in run(): who switched here. */
void iris__context_begin(struct context *now, struct context *before);
/* Nobody goes on at it any more: what sanitizers know of it is forgotten. */
void iris__context_drop(struct context *);

/* In a signal handler, of code that runs at `from`: what the signal interrupted is given up, and the
 * thread goes on at `to` when the handler returns. 0: not on this machine. Safe for signal handlers. */
int iris__context_divert(void *ucontext, struct context *from, struct context *to);

#endif
