/* `iris apply`: another manifest for the app that runs. What can be refused is refused before anything
 * changes; what fails on the way is undone. Main thread only.
 *
 *   ask -> manifest read, checked -> facts (apply_facts.c) -> plan (plan.h) -> code loaded (apply_load.c)
 *       -> the plan's steps, one after the other (apply_step.c), or their opposites -> the new manifest holds */
#ifndef IRIS_APP_APPLY_H
#define IRIS_APP_APPLY_H

#include "app.h"
#include "plan.h"

struct apply_ask {
    const char *file;
    const char *const *sets; /* "key=value" */
    uint32_t nsets;
    int dry_run;
    int64_t timeout; /* ns */
};

struct apply { /* one of them, under way or over */
    struct app *app;
    const struct apply_ask *ask;
    struct manifest *to;
    struct app_actor *actors; /* as in `to` */
    struct plan plan;
    struct problems problems; /* of the manifest; then nothing was done */
    char *why;                /* it was refused, or has failed; NULL: it was not */
    struct text left;         /* what could not be undone */
    size_t done;              /* steps */
    int64_t began, deadline;
};

/* Zeroed before; finish it then. */
void iris__apply(struct app *, const struct apply_ask *, struct apply *);
void iris__apply_finish(struct apply *);

/* What SIGHUP asks for, if it has come (verb_apply.c). */
void iris__apply_reload(struct app *);

/* ---- apply_facts.c ---- */

struct apply_facts {
    struct plan_facts plan;
    char **code;
    unsigned char *is_gone;
};
int iris__apply_facts(struct apply *, struct apply_facts *); /* 0, or -1: no memory */
void iris__apply_facts_finish(const struct apply *, struct apply_facts *);

/* ---- apply_load.c ---- */

/* All that can be refused: places, names, files. Then, unless it is only a plan, the code is loaded. */
void iris__apply_load(struct apply *);
void iris__apply_release(struct apply *); /* versions that were not taken */

/* ---- apply_step.c ---- */

/* IRIS_OK, or IRIS_FAIL with a reason: then what part of it was done is undone. */
int iris__apply_step(struct apply *, const struct plan_step *);
/* The opposite. IRIS_OK, or IRIS_FAIL with a reason. */
int iris__apply_undo(struct apply *, const struct plan_step *);

#endif
