/* What `iris apply` does: the difference of two manifests, as steps in the order in which they are made. Nothing
 * here looks at anything but what it is given, and nothing is changed.
 *
 *   whom the mesh lets in, what is logged and counted, supervisors, actors that are new, what is set at once, swaps, restarts,
 *   actors that go (last first), supervisors that go
 *
 * So each step can be undone by its opposite, but for the last two, which are made when nothing can fail any
 * more. What a key's difference asks for is in the table of keys (manifest_keys.h, .live). */
#ifndef IRIS_MANIFEST_PLAN_H
#define IRIS_MANIFEST_PLAN_H

#include "manifest.h"
#include "manifest_keys.h"

enum plan_what { PLAN_ADD, PLAN_REMOVE, PLAN_SWAP, PLAN_RESTART, PLAN_SET };
enum plan_of { PLAN_ACTOR, PLAN_SUPERVISOR, PLAN_LOGS, PLAN_METRICS, PLAN_MESH };

#define PLAN_NONE ((size_t)-1)

struct plan_step {
    enum plan_what what;
    enum plan_of of;
    size_t from, to; /* in the lists of the two manifests; PLAN_NONE: not there */
    char *path;      /* both are the step's: it outlives the manifests */
    char *why;       /* which keys, or which code; never NULL */
};

/* What the manifests do not tell. Each list may be NULL. */
struct plan_facts {
    const char *const
        *code; /* of the new actors: NULL: its code is as the manifests say; "": it runs
                              * what is wanted; else it runs another, and why */
    const unsigned char *is_gone; /* of the old actors: it runs no more, and is to begin again */
};

struct plan {
    struct plan_step *steps;
    size_t n, room;
    size_t kept;   /* actors that nothing is done about */
    int no_memory; /* it is not whole */
};

/* What cannot change while the app runs becomes problems of the new manifest. */
void iris__plan(const struct manifest *from, const struct manifest *to, const struct plan_facts *,
                struct plan *, struct problems *);
void iris__plan_finish(struct plan *);

/* For each of them: the place in `to` of the actor or supervisor of the same path; or PLAN_NONE. NULL: no
 * memory. The caller frees it. */
size_t *iris__plan_actors(const struct manifest *from, const struct manifest *to);

/* "swap      /svc/pay  pay1.so -> pay2.so" */
int iris__plan_line(const struct plan_step *, struct text *out);
/* The plan's members are added to it: steps, keep. 0, or -1: no memory. */
int iris__plan_json(const struct plan *, json_t *out);

/* ---- plan_keys.c ---- */

/* Whether the value of this key is the same in both structs. */
int iris__plan_same(const struct manifest_key *, const void *a, const void *b);
/* The names, below `section`, of the keys of this kind that differ: "args, mailbox.capacity". 1: there are
 * any. Without out only that. */
int iris__plan_differs(const char *section, int live, const void *a, const void *b,
                       struct text *out);

#endif
