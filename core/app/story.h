/* An actor's story: what happened to it, by path, for `iris explain`. Each path keeps its own last events, so
 * that a noisy neighbour, or its own log, does not push them out; and what has ended keeps its story. Bounded:
 * events and bytes for each path, and paths. Older ones are forgotten, and counted. */
#ifndef IRIS_APP_STORY_H
#define IRIS_APP_STORY_H

#include <iris/iris.h>

#include <pthread.h>
#include <stdatomic.h>

enum {
    STORY_EVENTS = 64,   /* of a path */
    STORY_BYTES = 65536, /* of a path: the texts of its events */
    STORY_TEXT = 4096,   /* of one text */
    STORY_PATHS = 1024   /* beside those that are pinned */
};

struct tale { /* one event, with copies of its texts; read-only */
    atomic_uint refs;
    size_t bytes;
    int64_t time; /* ns since 1970 */
    iris_event e; /* its pointers point into words */
    char words[];
};

struct story {
    const char *path; /* as asked for */
    struct tale *tales[STORY_EVENTS];
    uint32_t n;
    uint64_t forgotten; /* before these */
};

struct stories {
    pthread_mutex_t lock;
    struct kept *all; /* uthash by path, that of the last event last */
    uint32_t loose;   /* not pinned */
};

void iris__stories_init(struct stories *);
void iris__stories_finish(struct stories *);

void iris__stories_pin(struct stories *, const char *path);   /* never forgotten as a whole */
void iris__stories_unpin(struct stories *, const char *path); /* it may be, from now on */
/* What a plugin says (IRIS_EVENT_LOG) is no part of a story. [any] */
void iris__stories_add(struct stories *, const iris_event *);
/* 0: nothing is known of this path. Else oldest first; close it then. [any] */
int iris__story_open(struct stories *, const char *path, struct story *);
void iris__story_close(struct story *);
/* In a handler of a fatal signal: the last few of this path, a line each, to fd. Takes no memory, and waits for
 * nobody: who holds the lock may be the one who was hit. */
void iris__stories_tell(void *stories, const char *path, int fd);

#endif
