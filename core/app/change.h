/* A swap or rollback under way: of one actor (verb_swap.c), or of all instances behind a path (change_all.c),
 * which is one such change for each. */
#ifndef IRIS_APP_CHANGE_H
#define IRIS_APP_CHANGE_H

#include "api.h"
#include "swap.h"
#include "verbs.h"

enum stage { LOADING, QUEUED };

struct change_all;

struct change {
    struct order order;
    struct load_order load;
    struct origin from;     /* what is loaded; of a rollback: nothing */
    struct origin migrate;  /* and what brings the state to it, or nothing */
    struct swap_order how;  /* for the core */
    struct change_all *all; /* or NULL; it is told instead of a client */
    _Atomic int stage, cancelled;
};

/* Of call->info.pid; reply may be NULL. NULL: that was answered. */
struct change *iris__change_open(struct call *, struct control_reply *);
/* What is to be loaded. IRIS_FAIL: with a reason. */
int iris__change_find(struct call *, struct change *);
void iris__change_load(struct change *);
/* The caller's reference goes with it: it is told once. [any] */
void iris__change_queue(struct change *);
/* One version back, as nobody asked: what fails is replaced. The state is that of now, or, if the version before cannot
 * take it, the one that was saved as it was replaced. Events tell how it went. [any] */
void iris__change_back(struct app *, uint64_t pid, const char *path);
int iris__change_is_rollback(const struct change *);
const char *iris__change_why(const char *why); /* without the verb in front of it */
/* The reason, for which nothing was begun. */
void iris__change_refuse_unloaded(struct control_reply *, const char *target);

/* ---- change_all.c ---- */
/* How many instances stand behind this router, and where in app.actors; 0: it is none. */
uint32_t iris__instances(const struct app *, uint64_t pid, size_t *first);
/* All that stand behind call->info.pid, in order; if one refuses, none has changed in the end. */
void iris__change_all(struct call *, int is_rollback);
/* [loader] A part was loaded, or not: then why says so. */
void iris__change_all_loaded(struct change_all *, const char *why);
/* [any] A part was told. */
void iris__change_all_told(struct change_all *, const struct swap_report *);

#endif
