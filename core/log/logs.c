#include "logs.h"

#include "clock.h"
#include "fail.h"
#include "thread.h"

#include <iris/app.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 1000 /* at rates whose second is over */

static int64_t now_ns(void)
{
    static const struct clock real;
    return iris__clock_now(&real);
}

/* ---- what is kept; [any] ---- */

static void add_line(struct logs *l, const char *path, const char *text, int how)
{
    const iris_event e = {.kind = IRIS_EVENT_LOG, .level = IRIS_WARN, .path = path, .text = text};
    iris__events_add(l->events, &e, how);
    eventfd_write(l->console, 1);
    iris__logs_ring(l);
}

static void tell_left(struct logs *l, const char *path, uint64_t left)
{
    char text[128];
    snprintf(text, sizeof text, "%llu lines were left out: more than %lld in a second",
             (unsigned long long)left, (long long)l->levels.rate);
    add_line(l, path, text, EVENT_PLAIN);
}

int iris__logs_keeps(struct logs *l, const iris_event *e)
{
    uint64_t left;
    if (e->kind != IRIS_EVENT_LOG)
        return 1;
    if (!iris__log_is_wanted(&l->levels, e->path, e->level))
        return 0;
    int keeps = iris__log_is_within(&l->levels, e->path, now_ns(), &left);
    if (left)
        tell_left(l, e->path, left);
    if (keeps < 0)
        iris__logs_ring(l);
    return keeps > 0;
}

int iris__logs_writes(const struct logs *l)
{
    return l->writes;
}

void iris__logs_ring(struct logs *l)
{
    if (l->writes)
        eventfd_write(l->bell, 1);
}

void iris__logs_reopen(struct logs *l)
{
    atomic_store(&l->reopen, 1);
    iris__logs_ring(l);
}

/* ---- the thread ---- */

/* How many is said where they are missing. */
static void write_missed(struct logs *l, uint64_t missed, int64_t time)
{
    char text[128], none[1] = "";
    snprintf(text, sizeof text, "%llu lines were left out: they came faster than they are written",
             (unsigned long long)missed);
    const struct event e = {
        .time = time, .kind = IRIS_EVENT_LOG, .level = IRIS_WARN, .path = none, .text = text};
    iris__sink_write(&l->sink, &e);
}

static void write_one(struct logs *l, const struct event *e)
{
    int decided = e->kind == IRIS_EVENT_DECIDED; /* what follows is told */
    if (!decided && iris__log_is_wanted(&l->levels, e->path ? e->path : "", e->level))
        iris__sink_write(&l->sink, e);
}

/* At the end a ring of them at most: somebody who does not end may be flooding it. */
static void write_all(struct logs *l, int is_end)
{
    struct event e;
    uint64_t missed;
    if (atomic_exchange(&l->reopen, 0))
        iris__sink_reopen(&l->sink);
    for (int n = 0;
         (n < EVENTS_ROOM || !is_end) && iris__events_next(l->events, l->written, &e, &missed);
         n++) {
        if (missed)
            write_missed(l, missed, e.time);
        l->written = e.number;
        write_one(l, &e);
        iris__event_finish(&e);
    }
}

static void tell_owing(struct logs *l)
{
    uint64_t left;
    for (char *path; (path = iris__log_owing(&l->levels, now_ns(), &left)); free(path))
        tell_left(l, path, left);
}

static void *run(void *arg)
{
    struct logs *l = arg;
    struct pollfd p[2] = {{.fd = l->bell, .events = POLLIN}, {.fd = l->end, .events = POLLIN}};
    eventfd_t rung;
    iris__sink_open(&l->sink);
    while (!p[1].revents) {
        if (poll(p, 2, iris__log_owes(&l->levels) ? LOOK_MS : -1) > 0 && p[0].revents)
            eventfd_read(l->bell, &rung);
        tell_owing(l);
        write_all(l, p[1].revents);
    }
    iris__sink_close(&l->sink);
    return NULL;
}

/* ---- where to ---- */

/* systemd says which file its journal reads of us: it is stderr, unless that was redirected. */
static int leads_to_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(fd, &st) &&
           st.st_dev == (dev_t)device && st.st_ino == (ino_t)inode;
}

static int wants_colour(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static void choose_style(struct log_style *s, const struct manifest *m, int fd)
{
    int terminal = fd >= 0 && isatty(fd);
    s->app = m->name;
    s->json = m->logs.format == MANIFEST_JSON || (m->logs.format == MANIFEST_AUTO && !terminal);
    s->brief = terminal;
    s->colour = fd >= 0 && wants_colour(fd);
}

static void choose(struct log_sink *s, const struct manifest *m, int to)
{
    s->fd = to == MANIFEST_STDOUT ? STDOUT_FILENO : STDERR_FILENO;
    if (to == MANIFEST_FILE) {
        s->kind = SINK_FILE;
        s->file = m->logs.file;
        choose_style(&s->style, m, -1);
    } else {
        choose_style(&s->style, m, s->fd);
    }
    if (to == MANIFEST_JOURNALD) {
        s->kind = SINK_JOURNAL;
        s->file = IRIS__JOURNAL_SOCKET;
    }
}

static void say(void *ctx, const char *sentence)
{
    add_line(ctx, "", sentence, EVENT_LOUD);
}

/* ---- open and close ---- */

static int start(struct logs *l)
{
    l->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->sink.end = l->end;
    l->sink.say = say;
    l->sink.ctx = l;
    if (l->bell < 0 || l->end < 0)
        return iris__fail("logs: %s", strerror(errno));
    l->writes = 1;
    int error = iris__thread_start(&l->thread, "iris-log", run, l);
    if (!error)
        return IRIS_OK;
    l->writes = 0;
    return iris__fail("logs: no thread: %s", strerror(error));
}

int iris__logs_open(struct logs *l, const struct manifest *m, struct events *events, int console)
{
    int to = m->logs.to, journal = to == MANIFEST_TO_ANY && leads_to_journal(STDERR_FILENO);
    *l = (struct logs){.events = events, .console = console, .bell = -1, .end = -1};
    if (iris__log_levels_init(&l->levels, m) | iris__tags_init(&l->tags, m))
        return iris__fail("logs: no memory");
    if (!m->logs.is_there && !journal)
        return IRIS_OK;
    choose(&l->sink, m, journal ? MANIFEST_JOURNALD : to);
    l->sink.style.tags = &l->tags;
    return start(l);
}

void iris__logs_retune(struct logs *l, const struct manifest *m)
{
    (void)iris__log_levels_retune(&l->levels, m);
    (void)iris__tags_retune(&l->tags, m);
}

void iris__logs_close(struct logs *l)
{
    if (!l->writes || l->is_over)
        return;
    eventfd_write(l->end, 1);
    pthread_join(l->thread, NULL);
    l->is_over = 1;
}

void iris__logs_finish(struct logs *l)
{
    if (!l->events)
        return;
    if (l->bell >= 0)
        close(l->bell);
    if (l->end >= 0)
        close(l->end);
    iris__log_levels_finish(&l->levels);
    iris__tags_finish(&l->tags);
}
