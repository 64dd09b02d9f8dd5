/* The logs of an app, as "logs" of its manifest says. Where it says nothing, the console tells what
 * happens, and this only decides how much of what actors log is kept.
 *
 * Who logs puts a line into the ring of events, which never waits; a thread of its own writes. When it
 * cannot keep up, or the disk cannot, lines are left out, and how many is said where they would be. */
#ifndef IRIS_LOG_LOGS_H
#define IRIS_LOG_LOGS_H

#include "events.h"
#include "log_level.h"
#include "log_sink.h"
#include "tags.h"

#include <stdatomic.h>

struct logs {
    struct log_levels levels;
    struct tags tags;
    struct events *events;
    int console; /* descriptor: an event for it was added */
    int writes;  /* there is a thread; fixed once opened */
    int is_over; /* the thread has ended; [main] */
    unsigned long thread;
    int bell, end; /* eventfds: look again; write what there is, and end */
    atomic_int reopen;
    struct log_sink sink; /* the thread's */
    uint64_t written;     /* up to this event; the thread's */
};

/* The manifest and the events outlive it. console: an eventfd. IRIS_OK; or IRIS_FAIL with the reason:
 * no thread. A file that cannot be opened is no failure: that is said, and tried again. [main] */
int iris__logs_open(struct logs *, const struct manifest *, struct events *, int console);
/* Writes what there is, within a second or two. [main] */
void iris__logs_close(struct logs *);
void iris__logs_finish(struct logs *); /* nobody logs any more. [main] */

/* What another manifest says of levels, rates and tags. Nobody asks for them meanwhile. [main] */
void iris__logs_retune(struct logs *, const struct manifest *);

int iris__logs_writes(const struct logs *); /* else the console is to tell what happens. [any] */
/* Whether an event is to be kept: what actors log, by its level and rate; all else. [any] */
int iris__logs_keeps(struct logs *, const iris_event *);
void iris__logs_ring(struct logs *);   /* an event was added. [any] */
void iris__logs_reopen(struct logs *); /* its file may have been moved away. [any] */

#endif
