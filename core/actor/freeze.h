/* An actor that is saved with its app: it comes to rest between two messages, its state as bytes, and begins
 * nothing more until it is let go. All of an app come to rest before any of them ends, so that a save is of all
 * or of none. Its mailbox goes on to accept; what it holds is looked at when all have come to rest.
 *
 *   iris__swap(.freeze) .. told, with the state ── iris__gather .. told, with the mail ─┬─ iris__thaw: it goes on
 *                                                                                      └─ iris__freeze_is_safe, kill
 *
 * One that is restored is born so: its state is made of the bytes, and it waits for iris__thaw(). */
#ifndef IRIS_ACTOR_FREEZE_H
#define IRIS_ACTOR_FREEZE_H

#include "cold.h"

struct frozen {
    int is_born_so;        /* its init, or upgrade, runs nevertheless */
    int is_safe;           /* its mail is saved: no dead letters */
    struct message **mail; /* with a reference each, in their order */
    uint32_t nmail, next;  /* next: of those that were not met again at its end */
};

struct restored { /* what upgrade() gets at its birth */
    uint32_t from;
    size_t len;
    char data[];
};

struct gathered {
    int result; /* IRIS_OK, IRIS_DEAD, IRIS_FAIL with why */
    const char *why;
    struct message *const *mail; /* user messages that are no questions; valid during the call */
    uint32_t nmail;
    uint32_t questions; /* whose askers do not outlive this process */
};

struct gather {                                             /* the caller's, until it is told */
    void (*tell)(struct gather *, const struct gathered *); /* [any], once */
};

/* [any] What waits in the mailbox of one that is frozen. It is told, whatever happens. */
void iris__gather(struct world *, uint64_t pid, struct gather *);
/* [any] What was gathered is in safety. */
void iris__freeze_is_safe(struct world *, uint64_t pid);
/* [any] It goes on. */
void iris__thaw(struct world *, uint64_t pid);

struct frozen *iris__frozen_create(int is_born_so); /* NULL: no memory */
void iris__frozen_free(struct world *, struct frozen *);

/* ---- [turn] ---- */
int iris__freeze(iris_actor *);                                /* 0, or -1: no memory */
void iris__freeze_heard(iris_actor *, const struct message *); /* KIND_THAW, KIND_GATHER */
void iris__gather_refuse(struct gather *);                     /* it found nobody */
/* Its state out of c->restored, which goes. */
int iris__freeze_upgrade(iris_actor *);
/* It ends: this message is saved. */
int iris__freeze_keeps(struct cold *, const struct message *);

/* Nothing begins, not even another incarnation. */
static inline int iris__freeze_holds(const iris_actor *a)
{
    const struct cold *c = iris__cold_if(a);
    return c && c->frozen && !c->frozen->is_born_so;
}

#endif
