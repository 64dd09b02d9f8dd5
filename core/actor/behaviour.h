/* Behaviours that the core has taken in: a version is one behaviour, counted. */
#ifndef IRIS_ACTOR_BEHAVIOUR_H
#define IRIS_ACTOR_BEHAVIOUR_H

#include "world.h"

#include <iris/plugin.h>

struct iris_version {
    iris_behaviour b;              /* our copy; members that its maker did not know are NULL */
    _Alignas(64) atomic_uint refs; /* apart from what each turn reads */
    struct world *world;
    void *library;       /* what keeps its code loaded; given back through world_hooks.unload */
    const void *host;    /* who made it: versions of one host may adopt each other's state */
    char *host_name;     /* "native", "python" */
    char *handler;       /* as the user wrote it, or NULL */
    char *file, *symbol; /* where it was loaded from, or NULL */
    char **uses;         /* all files that it was made of; NULL: not known. Under facts_lock */
    uint32_t nuses;
    uint32_t place; /* of iris_source */
    int is_dated;   /* what its file holds now was refused; under facts_lock */
    uint64_t hash;  /* of its file as it was read; and when: ns since 1970 */
    int64_t loaded;
    iris_version
        *migration; /* bytes.h: brings states to it, or NULL. Given once, before an actor has it */
    iris_job free_job;
};

/* What messages call it: "counter" 1.0.0, in quotes; a version that has no words (Python's often has none)
 * is left out. */
struct label {
    char text[128];
};
struct label iris__behaviour_label(const iris_behaviour *);

/* Whether its code takes the mail itself, as its users see it, however the core has it run. */
static inline int iris__behaviour_pulls(const iris_behaviour *b)
{
    return (b->flags & (IRIS_PULL | IRIS_RUNS_ON)) != 0;
}

/* library is taken over on success. IRIS_OK or IRIS_FAIL. */
int iris__version_define(struct world *, const iris_behaviour *, void *library, const void *host,
                         const char *host_name, const char *handler, iris_version **out);
int iris__version_uses(iris_version *, const char *file); /* see ext/library.h */
int iris__version_retain(iris_version *);                 /* IRIS_DEAD: its free() is on its way */
void iris__version_release(iris_version *);               /* NULL is fine */
int iris__version_handles(const iris_version *);          /* 0: it only migrates */

#endif
