/* Where the lines of the log go: a descriptor that others have too, a file of its own, or journald. What
 * cannot be written is counted, and the first that can be written again says how many that were. One
 * thread at a time. */
#ifndef IRIS_LOG_LOG_SINK_H
#define IRIS_LOG_LOG_SINK_H

#include "log_line.h"

enum sink_kind { SINK_FD, SINK_FILE, SINK_JOURNAL };

#define IRIS__JOURNAL_SOCKET "/run/systemd/journal/socket"

struct log_sink {
    enum sink_kind kind;
    struct log_style style;
    const char *file;        /* of a FILE, or the socket of a JOURNAL; borrowed */
    int fd;                  /* -1: not open */
    int end;                 /* a descriptor that is readable when the log is to end; -1: none */
    int64_t until;           /* what is left of the time for it; 0: it has not begun */
    int is_failing, is_torn; /* the last line stands there in part */
    int64_t tried;           /* to open it */
    uint64_t lost;           /* lines since it fails */
    char why[256];           /* it fails */
    /* It begins to fail, or was opened anew and that failed: once each. */
    void (*say)(void *ctx, const char *sentence);
    void *ctx;
};

void iris__sink_open(struct log_sink *); /* kind, style, file, fd (of an FD), end, say are set */
void iris__sink_write(struct log_sink *, const struct event *);
void iris__sink_reopen(struct log_sink *); /* a file that was moved away */
void iris__sink_close(struct log_sink *);

#endif
