/* Renewal: a living actor is to begin again with other words than it was spawned with: args, timers, name.
 * It is taken when the next incarnation begins in place; if init refuses it, what was there before is put
 * back, and that is begun with, as if nobody had asked. */
#ifndef IRIS_ACTOR_RENEW_H
#define IRIS_ACTOR_RENEW_H

#include "actor.h"

struct alarms;

struct renewal {
    int waits; /* 1: all of it, with the next incarnation; 0: at once, but for args, env and alarms */
    char *name; /* heap, as the others; or NULL */
    char *args;
    size_t args_len;
    char *env; /* as cold.h keeps it */
    struct alarms *alarms;
    uint32_t budget, keep;
    int64_t slice;
    int stateless_restart;
    int64_t ready_within; /* from its next beginning on */
    /* Once: IRIS_OK; IRIS_FAIL: init refused it, and why; IRIS_DEAD: the actor ended first. [any] */
    void (*tell)(void *ctx, int result, const char *why);
    void *ctx;
};

/* NULL: no memory. */
struct renewal *iris__renewal_create(void);
void iris__renewal_free(struct renewal *); /* NULL is fine */

/* [any] Taken over. IRIS_OK: tell will come. Else it will not. */
int iris__renew(struct world *, uint64_t pid, struct renewal *);

/* [turn] It was heard. */
void iris__renew_hear(iris_actor *, struct renewal *);
/* [turn] Around init: take what waits, and then say how that went. NULL: nothing waits. */
struct renewal *iris__renew_begin(iris_actor *);
void iris__renew_end(iris_actor *, struct renewal *, int failed);
/* [turn] The same of one that init has taken, where the actor has still to say that it is ready (ready.h): it
 * has; or its incarnation has ended before. 0: there is none. */
void iris__renew_try(iris_actor *, struct renewal *);
void iris__renew_proven(iris_actor *);
int iris__renew_failed(iris_actor *);
/* It found nobody, or its actor is gone. NULL is fine. */
void iris__renew_refuse(struct renewal *);

#endif
