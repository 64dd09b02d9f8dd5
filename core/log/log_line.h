/* One event as a line of the log, in each of its forms. */
#ifndef IRIS_LOG_LOG_LINE_H
#define IRIS_LOG_LOG_LINE_H

#include "events.h"

struct log_style {
    const char *app;
    int json, colour;
    struct tags *tags; /* of who logs, for JSON; or NULL */
    int brief;         /* text for somebody who watches: the time of day is enough */
};

/* Each appends a whole line with its newline (a text of several lines is several, the others set off).
 * 0, or -1: no memory. */
int iris__log_line(const struct log_style *, const struct event *, struct text *out);

/* The same for journald's socket: fields, as systemd.journal-fields has them. */
int iris__log_journal(const char *app, const struct event *, struct text *out);

#endif
