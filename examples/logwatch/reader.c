/* reader.c - streams a log to the parser: what is in it, and then what is added to it.
 *
 * A turn is short: at most one buffer is read and sent, then the reader sends itself a message to go
 * on, so that others get their turns. It stops where its credit ends (see logwatch.h) or the log does;
 * twice a second it looks whether there is more. That interval does not keep an app from being idle:
 * `iris run --until-idle` ends when all that was in the log is counted. */
#include <iris/ext/name.h>
#include <iris/ext/timer.h>
#include <iris/plugin.h>

#include "args.h"
#include "logwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_EVERY INT64_C(500000000) /* ns */

enum {
    BUFFER = 32768, /* bytes; no line of dpkg's is longer */
    PATIENCE = 10   /* looks without an answer to a question for credit: it is asked again */
};

static const iris_api *api;
static const iris_name *names;
static const iris_timer_api *timers;

struct reader {
    char *file, *to;
    int fd;
    int skipping; /* the rest of a line that was too long */
    unsigned long credit, serial;
    int asked, looks; /* for credit, and that long ago */
    size_t used;      /* of the buffer: what is read and not sent */
    char buffer[BUFFER];
};

/* ---- credit ---- */

static void ask(iris_actor *self, struct reader *r)
{
    char text[32];
    int n = snprintf(text, sizeof text, CREDIT "%lu", ++r->serial);
    r->asked = 1;
    r->looks = 0;
    api->send(self, names->find(self, r->to), text, (size_t)n, api->pid(self));
}

/* An answer to an older question than the last one comes too late to be true. */
static int take(struct reader *r, const char *text)
{
    unsigned long serial, count;
    if (sscanf(text, TAKE "%lu %lu", &serial, &count) != 2 || !r->asked || serial != r->serial)
        return 0;
    r->asked = 0;
    r->credit = count < CREDIT_LINES ? count : CREDIT_LINES;
    return 1;
}

/* ---- the log ---- */

static int open_log(const char *file, struct stat *st)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    if (fd < 0 || fstat(fd, st) || S_ISREG(st->st_mode))
        return fd;
    close(fd);
    errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
    return -1;
}

/* Drops the rest of a line that was cut: how much of what was just read is left. */
static size_t skip(struct reader *r, char *fresh, size_t len)
{
    char *newline = memchr(fresh, '\n', len);
    size_t gone = newline ? (size_t)(newline - fresh) + 1 : len;
    if (!r->skipping)
        return len;
    r->skipping = !newline;
    memmove(fresh, fresh + gone, len - gone);
    return len - gone;
}

/* 1: something was read. A line that is still without its newline waits for it, but one that fills
 * the buffer is cut: there it ends. */
static int fill(struct reader *r)
{
    char *room = r->buffer + r->used;
    ssize_t n = r->used < BUFFER ? read(r->fd, room, BUFFER - r->used) : 0;
    if (n > 0)
        r->used += skip(r, room, (size_t)n);
    if (r->used == BUFFER && !memchr(r->buffer, '\n', BUFFER)) {
        r->buffer[BUFFER - 1] = '\n';
        r->skipping = 1;
    }
    return n > 0;
}

/* The whole lines that the buffer has and the credit allows: how many, and their bytes. */
static unsigned long whole_lines(const struct reader *r, size_t *len)
{
    unsigned long n = 0;
    const char *end = r->buffer + r->used, *at = r->buffer, *newline;
    while (n < r->credit && at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
        at = newline + 1;
        n++;
    }
    *len = (size_t)(at - r->buffer);
    return n;
}

static void go_on(iris_actor *self)
{
    api->send(self, api->pid(self), "go", 2, 0);
}

static void read_on(iris_actor *self, struct reader *r)
{
    size_t len;
    int more = fill(r);
    if (!r->credit) {
        if (r->used && !r->asked)
            ask(self, r);
        return;
    }
    unsigned long n = whole_lines(r, &len);
    if (n && api->send(self, names->find(self, r->to), r->buffer, len, 0) != IRIS_OK)
        return; /* nobody is there just now: the next look tries again */
    r->credit -= n;
    r->used -= len;
    memmove(r->buffer, r->buffer + len, r->used);
    if (more || n)
        go_on(self);
}

/* ---- following it ---- */

static void start_over(struct reader *r)
{
    r->used = 0;
    r->skipping = 0;
}

/* logrotate moves the log away and makes a new one, or cuts it down where it is. */
static void look(iris_actor *self, struct reader *r)
{
    struct stat mine, there;
    off_t at = lseek(r->fd, 0, SEEK_CUR);
    if (fstat(r->fd, &mine))
        return;
    if (mine.st_size < at) {
        api->log(self, IRIS_INFO, "%s was cut down: reading it from its start", r->file);
        lseek(r->fd, 0, SEEK_SET);
        start_over(r);
    } else if (mine.st_size == at && !stat(r->file, &there) && S_ISREG(there.st_mode) &&
               (there.st_ino != mine.st_ino || there.st_dev != mine.st_dev)) {
        int fd = open_log(r->file, &there);
        if (fd < 0)
            return;
        api->log(self, IRIS_INFO, "%s is a new file: reading on there", r->file);
        close(r->fd);
        r->fd = fd;
        start_over(r);
    }
}

static void tick(iris_actor *self, struct reader *r)
{
    if (r->asked && ++r->looks >= PATIENCE)
        ask(self, r); /* the question was lost with an actor that crashed on the way */
    look(self, r);
    read_on(self, r);
}

/* ---- messages ---- */

static void receive(iris_actor *self, struct reader *r, const iris_message *m)
{
    char text[64];
    int mine = m->from == api->pid(self); /* nobody else can make us read faster */
    if (m->kind != IRIS_USER || m->len >= sizeof text)
        return;
    memcpy(text, m->data, m->len);
    text[m->len] = '\0';
    if (mine && strcmp(text, "tick") == 0)
        tick(self, r);
    else if ((mine && strcmp(text, "go") == 0) || take(r, text))
        read_on(self, r);
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b;
    for (int i = 0; i < n; i++) {
        if (i && api->due(self))
            return i;
        receive(self, state, messages[i]);
    }
    return n;
}

/* ---- which log ---- */

/* The one that the user named, or none: he did not mean another. */
static int open_named(iris_actor *self, struct reader *r)
{
    struct stat st;
    r->fd = open_log(r->file, &st);
    if (r->fd < 0)
        return api->fail(
            "%s: %s; expected a file to read (args \"file\", that is --set env.LOG=FILE)", r->file,
            strerror(errno));
    api->log(self, IRIS_INFO, "reading %s", r->file);
    return IRIS_OK;
}

/* The first one that has something in it; and why it is not one before that. */
static int open_first(iris_actor *self, struct reader *r, iris_bytes args)
{
    struct stat st;
    char why[512] = "", *file;
    for (unsigned i = 0; (file = args_text(args, "files", i)); i++) {
        free(r->file);
        r->file = file;
        int fd = open_log(file, &st);
        if (fd >= 0 && st.st_size > 0) {
            r->fd = fd;
            api->log(self, IRIS_INFO, "%sreading %s", why, file);
            return IRIS_OK;
        }
        size_t n = strlen(why);
        snprintf(why + n, sizeof why - n, "%s: %s; ", file, fd < 0 ? strerror(errno) : "empty");
        if (fd >= 0)
            close(fd);
    }
    return api->fail("%sexpected a log with something in it in args \"files\"", why);
}

static int start(iris_actor *self, struct reader *r, iris_bytes args)
{
    r->to = args_text(args, "to", 0);
    r->file = args_text(args, "file", 0);
    if (!r->to)
        return api->fail("args: expected \"to\": PATH, whom to send the lines to");
    if (r->file && *r->file ? open_named(self, r) : open_first(self, r, args))
        return IRIS_FAIL;
    go_on(self);
    return timers->every(self, api->pid(self), LOOK_EVERY, "tick", 4, NULL);
}

static void finish(struct reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    free(r->file);
    free(r->to);
    free(r);
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b;
    struct reader *r = calloc(1, sizeof *r);
    if (!r)
        return api->fail("no memory");
    r->fd = -1;
    *state = r;
    if (start(self, r, args) == IRIS_OK)
        return IRIS_OK;
    finish(r);
    return IRIS_FAIL;
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    finish(state);
}

/* There is no save(): a swap of the reader is refused, because a new one would read the log from its
 * start again and count everything twice. */
static const iris_behaviour reader = {
    .size = sizeof reader,
    .abi = IRIS_ABI,
    .name = "reader",
    .version = "1.0.0",
    .handle = handle,
    .init = init,
    .fini = fini,
};

static const char *const needs[] = {IRIS_NAME, IRIS_TIMER_EXT, NULL};
static const iris_behaviour *const behaviours[] = {&reader, NULL};

IRIS_NOTE("reader", "1.0.0");

static const iris_plugin plugin = {
    .size = sizeof plugin,
    .abi = IRIS_ABI,
    .name = "reader",
    .version = "1.0.0",
    .needs = needs,
    .behaviours = behaviours,
};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    names = api->extension(IRIS_NAME);
    timers = api->extension(IRIS_TIMER_EXT);
    return &plugin;
}
