/* What happened, most recent first to be forgotten last: a ring that the console and GET /v1/events
 * read. Whoever tells it something waits for a moment at most, and it never grows: who tells faster
 * than others read makes them miss events, and they can see how many. */
#ifndef IRIS_LOG_EVENTS_H
#define IRIS_LOG_EVENTS_H

#include "text.h"

#include <iris/iris.h>

#include <pthread.h>

#define EVENTS_ROOM 1024
#define EVENT_TEXT_MAX 8192 /* bytes that are kept of a text */

enum event_how {
    EVENT_PLAIN,
    EVENT_QUIET, /* not for the console: it tells this in its own words */
    EVENT_LOUD   /* for the console, though what happens is logged elsewhere */
};

struct event {
    uint64_t number; /* counts up from 1 */
    int64_t time;    /* ns since 1970 */
    uint64_t pid;
    uint32_t kind, level; /* IRIS_EVENT_STARTED .., IRIS_INFO .. */
    int how;              /* enum event_how */
    char *path, *text;
};

struct events {
    pthread_mutex_t lock;
    uint64_t last; /* number of the newest one */
    struct event ring[EVENTS_ROOM];
};

void iris__events_init(struct events *);
void iris__events_finish(struct events *);

void iris__events_add(struct events *, const iris_event *, int how); /* [any] */

/* A copy of the first one behind `since`, and in *missed how many between them are forgotten. 0: there
 * is none. [any] */
int iris__events_next(struct events *, uint64_t since, struct event *copy, uint64_t *missed);
void iris__event_finish(struct event *); /* of a copy */

const char *iris__event_word(uint32_t kind); /* "crashed" */

/* As the console says it: "/a/b  restart 1". */
int iris__event_line(const struct event *, struct text *out);

#endif
