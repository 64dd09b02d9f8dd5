/* The tags of the manifest's actors, by path: labels of their figures, of their lines in the log and of their rows. */
#ifndef IRIS_MANIFEST_TAGS_H
#define IRIS_MANIFEST_TAGS_H

#include "manifest.h"

#include <pthread.h>

struct tags {
    pthread_rwlock_t lock;
    struct tagged *all; /* uthash by path */
};

/* 0, or -1: no memory for some of them. */
int iris__tags_init(struct tags *, const struct manifest *);
/* Those of another manifest. [any] */
int iris__tags_retune(struct tags *, const struct manifest *);
void iris__tags_finish(struct tags *);

typedef void iris__tags_each(void *ctx, const char *name, const char *value);

/* In their order; each() runs under the lock. Returns how many. [any] */
int iris__tags_of(struct tags *, const char *path, iris__tags_each *, void *ctx);
/* wanted: "team=pay"; or "team": whatever its value. [any] */
int iris__tags_match(struct tags *, const char *path, const char *wanted);

#endif
