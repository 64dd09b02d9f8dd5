/* A look at all actors at once: who is busiest, and how fast. Nobody is stopped for it: a lock that actors need
 * only to begin, end or be swapped is held for some dozens of them at a time.
 *
 * Rates are told between two looks: each leaves behind what had been counted, if the one before is old enough,
 * so that whoever looks once a second gets the rates of that second, however many do. Of an actor that was not
 * there at an earlier look, and at the first one, it is the mean since it began. All of it is [control]. */
#ifndef IRIS_APP_CENSUS_H
#define IRIS_APP_CENSUS_H

#include <iris/ext/control.h>

#include <stddef.h>
#include <stdint.h>

struct app;

enum census_sort {
    CENSUS_AS_WRITTEN, /* as in the manifest, then the newest place first */
    CENSUS_BY_QUEUE,   /* the longest mailbox first */
    CENSUS_BY_RATE,    /* messages a second */
    CENSUS_BY_LETTERS, /* dead letters a second, then how many */
    CENSUS_BY_OVERFLOWS,
    CENSUS_BY_RESTARTS,
    CENSUS_BY_AGE, /* the oldest first */
    CENSUS_BY_PATH
};
extern const char *const iris__census_words[]; /* "written", "queue", ..; ends with NULL */

#define CENSUS_ALL SIZE_MAX
#define CENSUS_SORTED 10000 /* rows that are sorted, at most */

struct census_want {
    enum census_sort sort;
    int reversed;
    const char *filter; /* what the path, handler or host has in it, or "tag:TAG"; NULL: all */
    size_t skip, most;  /* rows */
    int nameless;       /* also those without a path */
};

struct census_rates { /* in a second */
    double messages, letters, overflows;
    double over; /* seconds that they were measured for */
};

struct census_row {
    uint64_t pid;
    double key, second; /* what it is sorted by; greater comes first */
    const char *path;   /* by path: its own copy; else NULL */
    size_t order;       /* breaks ties */
};

struct census_sample { /* of a place */
    uint64_t pid, handled, letters, overflows;
};

struct census_samples {
    int64_t at; /* ns; 0: never */
    size_t n, room;
    struct census_sample *of; /* by slot */
    struct census_sample all; /* the sums */
};

struct census { /* zeroed; what stays between looks */
    struct census_samples before, last;
};

struct census_result {
    struct census_row *rows;
    size_t n;
    int owns_paths;
    uint64_t actors, matched, without_path, queued;
    struct census_rates rates; /* of all together */
};

/* 0, or -1: no memory. */
int iris__census_take(struct app *, const struct census_want *, struct census_result *);
void iris__census_free(struct census_result *);
/* Of one actor, whose info was just taken. */
void iris__census_rates(struct app *, const iris_info *, struct census_rates *);
/* Of the filter "tag:TAG" the TAG; of another one NULL. */
const char *iris__census_tag(const char *filter);
void iris__census_finish(struct census *);

#endif
