/* What of all that actors log is kept: by level and path, and so many lines a second of each path. */
#ifndef IRIS_MANIFEST_LOG_LEVEL_H
#define IRIS_MANIFEST_LOG_LEVEL_H

#include "manifest.h"

#include <pthread.h>
#include <stdatomic.h>

#define LOG_RATES 4096 /* paths that are counted by themselves; those beyond share one count */

struct log_levels {
    pthread_rwlock_t levels; /* of the next two */
    struct log_level *all;   /* uthash by path */
    int otherwise;           /* the level where no path says one */
    _Atomic int64_t rate;    /* lines of one path in a second; 0: no limit */
    pthread_mutex_t lock;    /* of those below */
    struct log_rate *rates;
    unsigned nrates, owing; /* owing: with lines left out that were not told yet */
};

/* 0, or -1: no memory. */
int iris__log_levels_init(struct log_levels *, const struct manifest *);
/* The levels and the rate of another manifest; what was counted stays. 0; or -1: no memory for some of them. [any] */
int iris__log_levels_retune(struct log_levels *, const struct manifest *);
void iris__log_levels_finish(struct log_levels *);

/* level: IRIS_DEBUG_LEVEL .. [any] */
int iris__log_is_wanted(struct log_levels *, const char *path, unsigned level);

/* One more line at `now` (ns). 0: it is one too many, and was counted; -1: it is the first
 * such one, and who tells of it in a second is to know. *left: so many were left out of
 * this path before it, which is to be told now. [any] */
int iris__log_is_within(struct log_levels *, const char *path, int64_t now, uint64_t *left);

/* A path whose second is over with lines left out, and how many: the caller frees it. NULL: there is
 * none now. [any] */
char *iris__log_owing(struct log_levels *, int64_t now, uint64_t *left);
int iris__log_owes(struct log_levels *); /* whether to ask again in a second. [any] */

#endif
