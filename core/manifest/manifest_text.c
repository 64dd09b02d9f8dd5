#include "manifest_reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file ---- */

static void refuse_to_open(const char *file, int reason, struct problems *problems)
{
    struct problem *p = iris__problem_add(problems, file, "", "cannot-open", "cannot be opened: %s",
                                          strerror(reason));
    if (reason == ENOENT && !strcmp(file, "app.json")) /* nobody named it */
        iris__problem_hint(p, "name a manifest: iris run FILE; iris new NAME makes one");
}

static void refuse_directory(const char *file, struct problems *problems)
{
    struct problem *p =
        iris__problem_add(problems, file, "", "not-a-file", "is a directory; expected a file");
    char *inside = NULL;
    if (asprintf(&inside, "%s/app.json", file) < 0)
        return;
    if (access(inside, F_OK) == 0)
        iris__problem_hint(p, "%s", inside);
    free(inside);
}

/* Who begins may name the code. */
static void refuse_handler(const char *file, struct problems *problems)
{
    iris__problem_hint(iris__problem_add(problems, file, "", "not-a-manifest",
                                         "is a handler's file; expected a manifest, as app.json"),
                       "an actor of a manifest names it: {\"path\": \"/hello\", \"handler\": "
                       "\"%s\"}; iris new NAME makes such an app",
                       basename(file));
}

static int refuse_kind(const char *file, const struct stat *st, struct problems *problems)
{
    if (S_ISDIR(st->st_mode))
        refuse_directory(file, problems);
    else if (S_ISREG(st->st_mode) && iris__handler_host(file))
        refuse_handler(file, problems);
    else if (!S_ISREG(st->st_mode)) /* a FIFO or device may never end */
        iris__problem_add(problems, file, "", "not-a-file",
                          "is a device, a pipe or a socket; expected a regular file");
    else if (st->st_mode & S_IWOTH)
        iris__problem_hint(iris__problem_add(problems, file, "", "world-writable",
                                             "everybody may write it, so it is not trusted"),
                           "chmod o-w %s", file);
    else if (st->st_size > MANIFEST_SIZE_MAX)
        iris__problem_add(problems, file, "", "too-big", "found %lld bytes; expected at most %d",
                          (long long)st->st_size, MANIFEST_SIZE_MAX);
    else
        return 0;
    return -1;
}

/* One byte more than is allowed: the file may grow meanwhile. */
static int read_all(int fd, struct text *out)
{
    char buffer[16384];
    ssize_t n = 1;
    while (n > 0 && out->len <= MANIFEST_SIZE_MAX) {
        n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0 && iris__text_add(out, buffer, (size_t)n))
            return errno = ENOMEM, -1;
    }
    return n < 0 ? -1 : 0;
}

int iris__manifest_slurp(const char *file, struct text *out, struct problems *problems)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        refuse_to_open(file, errno, problems);
        return -1;
    }
    int failed = fstat(fd, &st) || refuse_kind(file, &st, problems);
    if (!failed && (failed = read_all(fd, out)))
        iris__problem_add(problems, file, "", "cannot-read", "cannot be read: %s", strerror(errno));
    close(fd);
    return failed ? -1 : 0;
}

/* ---- the text, before anybody parses it ---- */

static int refuse(struct reading *r, size_t offset, size_t width, const char *code, const char *why,
                  const char *hint)
{
    struct problem *p = iris__manifest_problem(r, code, "%s", why);
    iris__problem_place(p, r->m->text, r->m->len, offset, width);
    if (hint)
        iris__problem_hint(p, "%s", hint);
    return -1;
}

static int check_characters(struct reading *r)
{
    const char *s = r->m->text;
    if (r->m->len >= 3 && !memcmp(s, "\xef\xbb\xbf", 3))
        return refuse(r, 0, 3, "not-utf8", "found a byte order mark; expected \"{\"",
                      "save it as UTF-8 without that mark");
    for (size_t i = 0, n; i < r->m->len; i += n) {
        if (s[i] == '\0')
            return refuse(r, i, 1, "not-utf8", "found a NUL byte; expected UTF-8 text",
                          "is it UTF-16? save it as UTF-8");
        if (!(n = iris__utf8(s + i, r->m->len - i)))
            return refuse(r, i, 1, "not-utf8", "found a byte that is not UTF-8 text",
                          "save it as UTF-8");
    }
    return 0;
}

/* Everything behind this recurses; nobody's stack may depend on the file. */
static int check_depth(struct reading *r)
{
    const char *s = r->m->text, *end = s + r->m->len;
    int depth = 0;
    for (s = iris__json_skip_space(s, end); s < end;
         s = iris__json_skip_space(iris__json_token_end(s, end), end)) {
        depth += (*s == '[' || *s == '{') - (*s == ']' || *s == '}');
        if (depth > MANIFEST_DEPTH_MAX)
            return refuse(r, (size_t)(s - r->m->text), 1, "too-deep",
                          "found more than 60 levels of [ and {; expected fewer", NULL);
    }
    return 0;
}

static int check_text(struct reading *r)
{
    const char *s = r->m->text, *end = s + r->m->len;
    if (r->m->len > MANIFEST_SIZE_MAX) {
        iris__manifest_problem(r, "too-big", "found %zu bytes; expected at most %d", r->m->len,
                               MANIFEST_SIZE_MAX);
        return -1;
    }
    if (check_characters(r))
        return -1;
    if (iris__json_skip_space(s, end) == end) {
        iris__problem_hint(
            iris__manifest_problem(r, "syntax", "is empty; expected an object"),
            "{\"actors\": [{\"path\": \"/hello\", \"handler\": \"./libhello.so\"}]}");
        return -1;
    }
    return check_depth(r);
}

/* jansson gives up at a key that is there twice; the rest is still read, for its problems. */
static json_t *load_with_duplicates(struct reading *r, size_t end_of_key, json_error_t *error)
{
    json_t *root = json_loadb(r->m->text, r->m->len, JSON_DECODE_ANY, error);
    if (root)
        iris__manifest_duplicate_key(r, end_of_key);
    return root;
}

json_t *iris__manifest_json(struct reading *r)
{
    json_error_t error;
    if (check_text(r))
        return NULL;
    json_t *root =
        json_loadb(r->m->text, r->m->len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root && json_error_code(&error) == json_error_duplicate_key)
        root = load_with_duplicates(r, (size_t)error.position, &error);
    if (!root)
        iris__manifest_syntax(r, &error);
    return root;
}
