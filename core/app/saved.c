#include "saved.h"

#include "api.h"
#include "fail.h"
#include "file.h"
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAIL_HEAD 12                /* bytes in front of each message */
#define SAVED_MAX ((off_t)64 << 30) /* of a file: more is none of ours */

/* ---- mail ---- */

static void put(unsigned char *to, uint64_t n, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(n >> 8 * i);
}

static uint64_t get(const unsigned char *from, int bytes)
{
    uint64_t n = 0;
    for (int i = bytes; i-- > 0;)
        n = n << 8 | from[i];
    return n;
}

int iris__saved_add_message(struct saved_actor *a, uint64_t from, const void *data, uint32_t len)
{
    unsigned char head[MAIL_HEAD];
    put(head, from, 8);
    put(head + 8, len, 4);
    a->messages++;
    return iris__text_add(&a->mail, head, sizeof head) || iris__text_add(&a->mail, data, len);
}

int iris__saved_next(const struct saved_actor *a, size_t *at, struct saved_message *m)
{
    if (a->mail.len < MAIL_HEAD || *at > a->mail.len - MAIL_HEAD)
        return 0;
    const unsigned char *head = (const unsigned char *)a->mail.data + *at;
    m->from = get(head, 8);
    m->len = (uint32_t)get(head + 8, 4);
    m->data = (const char *)head + MAIL_HEAD;
    if (m->len > a->mail.len - *at - MAIL_HEAD)
        return 0;
    *at += MAIL_HEAD + m->len;
    return 1;
}

static int is_whole(const struct saved_actor *a)
{
    struct saved_message m;
    size_t at = 0;
    uint32_t n = 0;
    while (iris__saved_next(a, &at, &m))
        n++;
    return n == a->messages && at == a->mail.len;
}

/* ---- writing ---- */

char *iris__saved_name(const char *dir, const char *app)
{
    char *file;
    return asprintf(&file, "%s/%s.save", dir, app) < 0 ? NULL : file;
}

static json_t *describe(const struct saved_actor *a)
{
    json_t *one = json_pack("{s:s, s:s, s:s, s:I}", "path", a->path, "handler", a->handler, "host",
                            a->host, "pid", (json_int_t)a->pid);
    if (one && a->has_state)
        json_object_set_new(one, "state",
                            json_pack("{s:I, s:I}", "version", (json_int_t)a->state_version, "len",
                                      (json_int_t)a->state.len));
    if (one && a->messages)
        json_object_set_new(one, "mail",
                            json_pack("{s:I, s:I}", "count", (json_int_t)a->messages, "len",
                                      (json_int_t)a->mail.len));
    return one;
}

static int add_bytes(const struct saved *s, struct text *out)
{
    int failed = iris__text_add(out, "", 0);
    for (size_t i = 0; i < s->n && !failed; i++)
        failed = iris__text_add(out, s->actors[i].state.data, s->actors[i].state.len) ||
                 iris__text_add(out, s->actors[i].mail.data, s->actors[i].mail.len);
    return failed;
}

static char *head_of(const struct saved *s, const struct text *bytes)
{
    char sum[24], now[40];
    time_t t = time(NULL);
    struct tm utc;
    snprintf(sum, sizeof sum, "%016" PRIx64, iris__hash_bytes(bytes->data, bytes->len));
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
    json_t *actors = json_array();
    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(actors, describe(&s->actors[i]));
    json_t *head = json_pack("{s:i, s:s, s:s, s:s, s:I, s:s, s:o}", "iris-save", SAVED_FORMAT,
                             "iris", IRIS__VERSION, "app", s->app, "time", now, "bytes",
                             (json_int_t)bytes->len, "sum", sum, "actors", actors);
    char *line = head ? json_dumps(head, JSON_COMPACT) : NULL;
    json_decref(head);
    return line;
}

/* Of the name itself, too: a power cut after this leaves the new one. */
static int sync_directory(const char *file)
{
    char *dir = strdup(file);
    if (dir)
        *strrchr(dir, '/') = '\0';
    int fd = dir ? open(*dir ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int failed = fd < 0 || fsync(fd);
    if (fd >= 0)
        close(fd);
    free(dir);
    return failed;
}

static int replace(const char *file, const char *temporary, const char *head,
                   const struct text *bytes)
{
    unlink(temporary); /* of a run that was killed, and had this process's number */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int failed = fd < 0 || iris__write_all(fd, head, strlen(head)) ||
                 iris__write_all(fd, "\n", 1) || iris__write_all(fd, bytes->data, bytes->len) ||
                 fsync(fd);
    int error = errno;
    if (fd >= 0 && close(fd) && !failed) {
        failed = 1;
        error = errno;
    }
    if (!failed && (rename(temporary, file) || sync_directory(file))) {
        failed = 1;
        error = errno;
    }
    if (!failed)
        return IRIS_OK;
    if (fd >= 0)
        unlink(temporary);
    return iris__fail("%s: cannot be written: %s", file, strerror(error));
}

static int make_directory(const char *file)
{
    char *dir = strdup(file);
    if (!dir)
        return iris__fail("%s: no memory", file);
    *strrchr(dir, '/') = '\0';
    int failed = *dir && mkdir(dir, 0700) && errno != EEXIST;
    if (failed)
        iris__fail("%s: cannot be made: %s", dir, strerror(errno));
    free(dir);
    return failed ? IRIS_FAIL : IRIS_OK;
}

int iris__saved_write(const struct saved *s, const char *file)
{
    struct text bytes = {0};
    char *temporary = NULL, *head = NULL;
    int result = make_directory(file);
    if (!result && (add_bytes(s, &bytes) || !(head = head_of(s, &bytes)) ||
                    asprintf(&temporary, "%s.%ld", file, (long)getpid()) < 0))
        result = iris__fail("%s: no memory", file);
    if (!result)
        result = replace(file, temporary, head, &bytes);
    free(head);
    free(temporary);
    iris__text_finish(&bytes);
    return result;
}

/* ---- reading ---- */

struct reading {
    const char *file;
    const char *data; /* bytes that nobody has taken yet */
    size_t left;
};

static int refuse(const struct reading *r, const char *why)
{
    return iris__fail("%s: %s; it is no save of iris, or was damaged", r->file, why);
}

static int take(struct reading *r, const json_t *of, struct text *out)
{
    json_int_t len = json_integer_value(json_object_get(of, "len"));
    if (!json_is_object(of) || len < 0 || (uint64_t)len > r->left)
        return refuse(r, "an actor has more bytes than there are");
    if (iris__text_add(out, r->data, (size_t)len))
        return iris__fail("%s: no memory", r->file);
    r->data += len;
    r->left -= (size_t)len;
    return IRIS_OK;
}

static int is_number(const json_t *of, const char *key, json_int_t most)
{
    const json_t *n = json_object_get(of, key);
    return json_is_integer(n) && json_integer_value(n) >= 0 && json_integer_value(n) <= most;
}

static int read_actor(struct reading *r, const json_t *from, struct saved_actor *a)
{
    const char *path = NULL, *handler = NULL, *host = NULL;
    const json_t *state = json_object_get(from, "state"), *mail = json_object_get(from, "mail");
    json_int_t pid = 0;
    if (json_unpack((json_t *)from, "{s:s, s:s, s:s, s:I}", "path", &path, "handler", &handler,
                    "host", &host, "pid", &pid) ||
        (state && !is_number(state, "version", UINT32_MAX)) ||
        (mail && !is_number(mail, "count", UINT32_MAX)))
        return refuse(r, "an actor lacks what each has");
    a->path = strdup(path);
    a->handler = strdup(handler);
    a->host = strdup(host);
    a->pid = (uint64_t)pid;
    a->has_state = state != NULL;
    a->state_version = (uint32_t)json_integer_value(json_object_get(state, "version"));
    a->messages = (uint32_t)json_integer_value(json_object_get(mail, "count"));
    if (!a->path || !a->handler || !a->host)
        return iris__fail("%s: no memory", r->file);
    if ((state && take(r, state, &a->state)) || (mail && take(r, mail, &a->mail)))
        return IRIS_FAIL;
    return is_whole(a) ? IRIS_OK : refuse(r, "the mail of an actor is not whole");
}

static int check_head(const struct reading *r, const json_t *head)
{
    const json_t *format = json_object_get(head, "iris-save");
    const char *by = json_string_value(json_object_get(head, "iris"));
    const char *sum = json_string_value(json_object_get(head, "sum"));
    char real[24];
    if (!json_is_integer(format))
        return refuse(r, "it does not begin with {\"iris-save\": ..}");
    if (json_integer_value(format) != SAVED_FORMAT)
        return iris__fail(
            "%s: found a save of format %lld, written by iris %s; expected format %d, "
            "which is what iris %s reads\nhint: restore it with that version of iris, "
            "or a later one",
            r->file, (long long)json_integer_value(format), by ? by : "(unknown)", SAVED_FORMAT,
            IRIS__VERSION);
    if (!json_is_array(json_object_get(head, "actors")) || !by || !sum)
        return refuse(r, "its first line lacks what each has");
    snprintf(real, sizeof real, "%016" PRIx64, iris__hash_bytes(r->data, r->left));
    return strcmp(real, sum) ? refuse(r, "its bytes are not those that were written") : IRIS_OK;
}

static int read_actors(struct reading *r, const json_t *list, struct saved *s)
{
    s->n = json_array_size(list);
    s->actors = calloc(s->n + 1, sizeof *s->actors);
    if (!s->actors)
        return iris__fail("%s: no memory", r->file);
    for (size_t i = 0; i < s->n; i++)
        if (read_actor(r, json_array_get(list, i), &s->actors[i]))
            return IRIS_FAIL;
    return r->left ? refuse(r, "there are bytes that belong to no actor") : IRIS_OK;
}

static char *copy(const json_t *head, const char *key)
{
    const char *text = json_string_value(json_object_get(head, key));
    return strdup(text ? text : "");
}

int iris__saved_parse(struct saved *s, const char *file, const char *data, size_t len)
{
    const char *end = memchr(data, '\n', len);
    struct reading r = {file, end ? end + 1 : data, end ? len - (size_t)(end + 1 - data) : 0};
    json_t *head = end ? json_loadb(data, (size_t)(end - data), 0, NULL) : NULL;
    *s = (struct saved){0};
    int result = check_head(&r, head);
    if (!result) {
        s->app = copy(head, "app");
        s->iris = copy(head, "iris");
        s->time = copy(head, "time");
        result = s->app && s->iris && s->time ? read_actors(&r, json_object_get(head, "actors"), s)
                                              : iris__fail("%s: no memory", file);
    }
    json_decref(head);
    if (result)
        iris__saved_finish(s);
    return result;
}

/* Its bytes become the state of handlers: who may write it may do much. */
static int check_file(const char *file, const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return iris__fail("%s: is no regular file", file);
    if (st->st_mode & S_IWOTH)
        return iris__fail("%s: everybody may write it, so it is not trusted\nhint: chmod o-w %s",
                          file, file);
    if (st->st_size > SAVED_MAX)
        return iris__fail("%s: found %lld bytes, which is no save of iris", file,
                          (long long)st->st_size);
    return IRIS_OK;
}

static int slurp(int fd, size_t len, char *to)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, to + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        at += (size_t)n;
    }
    return 0;
}

int iris__saved_read(struct saved *s, const char *file)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return iris__fail("%s: %s\nhint: iris stop --save writes it", file, strerror(errno));
    int result =
        fstat(fd, &st) ? iris__fail("%s: %s", file, strerror(errno)) : check_file(file, &st);
    char *data = result ? NULL : malloc((size_t)st.st_size + 1);
    if (!result && (!data || slurp(fd, (size_t)st.st_size, data)))
        result = iris__fail("%s: %s", file, data ? "cannot be read whole" : "no memory");
    close(fd);
    if (!result)
        result = iris__saved_parse(s, file, data, (size_t)st.st_size);
    free(data);
    return result;
}

void iris__saved_finish(struct saved *s)
{
    for (size_t i = 0; i < s->n && s->actors; i++) {
        free(s->actors[i].path);
        free(s->actors[i].handler);
        free(s->actors[i].host);
        iris__text_finish(&s->actors[i].state);
        iris__text_finish(&s->actors[i].mail);
    }
    free(s->actors);
    free(s->app);
    free(s->iris);
    free(s->time);
    *s = (struct saved){0};
}
