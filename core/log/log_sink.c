#include "log_sink.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY IRIS_SECOND      /* between two tries to open what could not be opened */
#define LAST_WORDS IRIS_SECOND /* at the end, for whoever does not read */
#define CHUNK PIPE_BUF         /* a pipe that poll() calls writable takes so much without waiting */

static int64_t now_ns(void)
{
    static const struct clock real;
    return iris__clock_now(&real);
}

/* ---- failing, and going on ---- */

static void fail(struct log_sink *s, const char *doing, int reason)
{
    char sentence[512];
    int is_journal = s->kind == SINK_JOURNAL;
    s->lost++;
    if (s->is_failing)
        return;
    s->is_failing = 1;
    snprintf(s->why, sizeof s->why, "%s", strerror(reason));
    snprintf(sentence, sizeof sentence, "logs: %s: %s; %s until it can be %s%s",
             s->file ? s->file : "stderr", s->why,
             is_journal ? "lines go to stderr" : "lines are left out, and counted,", doing,
             is_journal ? "" : " (the last ones: iris logs)");
    s->say(s->ctx, sentence);
}

static void open_file(struct log_sink *s)
{
    int64_t now = now_ns();
    if (s->is_failing && now - s->tried < RETRY)
        return errno = ENOENT, (void)0;
    s->tried = now;
    s->fd = open(s->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

void iris__sink_open(struct log_sink *s)
{
    if (s->kind == SINK_FILE) {
        s->fd = -1;
        open_file(s);
        if (s->fd < 0) {
            fail(s, "opened", errno);
            s->lost = 0; /* nothing was to be written yet */
        }
    } else if (s->kind == SINK_JOURNAL) {
        s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = 1},
                   sizeof(struct timeval));
    }
}

/* The old one stays where there is no new one. */
void iris__sink_reopen(struct log_sink *s)
{
    int before = s->fd;
    if (s->kind != SINK_FILE)
        return;
    s->is_torn = 0;
    s->tried = 0;
    open_file(s);
    if (s->fd >= 0) {
        if (before >= 0)
            close(before);
        return;
    }
    char sentence[512];
    snprintf(sentence, sizeof sentence, "logs: %s: %s; it goes on in the file that was open",
             s->file, strerror(errno));
    s->fd = before;
    if (before >= 0)
        s->say(s->ctx, sentence);
}

void iris__sink_close(struct log_sink *s)
{
    if (s->kind != SINK_FD && s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* ---- descriptors ---- */

static int ms_left(struct log_sink *s)
{
    if (!s->until)
        return -1;
    int64_t left = s->until - now_ns();
    return left > 0 ? (int)(left / IRIS_MILLISECOND) + 1 : 0;
}

/* 0: it takes more. -1 with errno. When the log is to end, whoever does not read has a second. */
static int await_room(struct log_sink *s, int fd)
{
    for (;;) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLOUT},
                              {.fd = s->until ? -1 : s->end, .events = POLLIN}};
        int n = poll(p, 2, ms_left(s));
        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0)
            return errno = EAGAIN, -1;
        if (p[0].revents)
            return 0;
        if (p[1].revents)
            s->until = now_ns() + LAST_WORDS;
    }
}

/* 0, or -1 with errno; *done bytes of it stand there then. */
static int put(struct log_sink *s, int fd, const char *data, size_t len, size_t *done)
{
    for (*done = 0; *done < len;) {
        size_t part = len - *done;
        if (await_room(s, fd))
            return -1;
        ssize_t n = write(fd, data + *done, part < CHUNK ? part : CHUNK);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        *done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int put_line(struct log_sink *s, int fd, const struct text *line)
{
    size_t done = 0;
    if (s->is_torn && put(s, fd, "\n", 1, &done))
        return -1;
    s->is_torn = 0;
    if (!put(s, fd, line->data, line->len, &done))
        return 0;
    s->is_torn = done > 0;
    return -1;
}

/* ---- journald ---- */

static int put_journal(const struct log_sink *s, const struct text *fields)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", s->file);
    ssize_t n =
        sendto(s->fd, fields->data, fields->len, MSG_NOSIGNAL, (struct sockaddr *)&at, sizeof at);
    return n < 0 ? -1 : 0;
}

/* ---- lines ---- */

static int write_event(struct log_sink *s, const struct event *e)
{
    struct text line = {0};
    int failed = s->kind == SINK_JOURNAL ? iris__log_journal(s->style.app, e, &line)
                                         : iris__log_line(&s->style, e, &line);
    if (failed)
        errno = ENOMEM;
    else
        failed = s->kind == SINK_JOURNAL ? put_journal(s, &line) : put_line(s, s->fd, &line);
    int reason = errno;
    iris__text_finish(&line);
    errno = reason;
    return failed;
}

/* It takes lines again: how many it did not take stands before the next one. */
static int recover(struct log_sink *s, int64_t time)
{
    char text[400], none[1] = "";
    snprintf(text, sizeof text, "%llu lines are missing here: %s", (unsigned long long)s->lost,
             s->why);
    const struct event e = {
        .time = time, .kind = IRIS_EVENT_LOG, .level = IRIS_WARN, .path = none, .text = text};
    if (s->lost && write_event(s, &e))
        return -1;
    s->lost = 0;
    return 0;
}

/* Without a journal the words are for whoever reads stderr. */
static void put_beside(struct log_sink *s, const struct event *e)
{
    struct log_sink beside = {
        .style = s->style, .fd = STDERR_FILENO, .end = s->end, .until = s->until};
    (void)write_event(&beside, e);
    s->until = beside.until;
    s->lost = 0;
}

void iris__sink_write(struct log_sink *s, const struct event *e)
{
    if (s->kind == SINK_FILE && s->fd < 0)
        open_file(s);
    int failed = s->fd < 0 ? -1 : s->is_failing ? recover(s, e->time) : 0;
    if (!failed)
        failed = write_event(s, e);
    if (failed)
        fail(s, s->fd < 0 ? "opened" : "written", errno);
    else
        s->is_failing = 0;
    if (failed && s->kind == SINK_JOURNAL)
        put_beside(s, e);
}
