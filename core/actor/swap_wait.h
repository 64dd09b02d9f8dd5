/* swap_wait.h - a swap from its order to the turn that carries it out (swap.c). */
#ifndef IRIS_ACTOR_SWAP_WAIT_H
#define IRIS_ACTOR_SWAP_WAIT_H

#include "swap.h"

struct swap {
    struct swap_order order;
    uint64_t pid;
    struct swap *next,
        **before;  /* world.swaps, under its lock, while it waits: there may be many */
    int cancelled; /* under that lock */
    uint64_t ref;  /* no other has it */
    int offered;   /* to a pull actor; [turn], as all below */
    struct patience *patience;
    uint64_t timer;
    /* while it is carried out */
    iris_version *target;
    uint32_t of;                 /* rev that the target had, if it is an old one */
    struct text bytes, migrated; /* as the old version saved it; and as the new one reads it */
    uint32_t bytes_version;
    int fresh, downgraded; /* no bytes: init; downgrade() was tried */
    int crosses, migrates; /* its format is foreign to the other version; .migrated is to be made */
    iris_executor *home;   /* where the old state lives */
    int sent_back;         /* by the other executor */
    char *failed;          /* why; NULL: no memory to say it */
};

/* [turn] The turn has it now. 0: it was cancelled, and is freed. */
int iris__swap_begin(struct world *, struct swap *);
/* [turn] Whether an actor may go from one to the other; before anybody is told that it comes. IRIS_FAIL: the reason. */
int iris__swap_check(const iris_version *old, const iris_version *new);
/* Once: whoever ordered it. */
void iris__swap_tell(struct swap *, const struct swap_report *);
void iris__swap_destroy(struct swap *);

#endif
