#include "manifest_reading.h"

#include <string.h>

static const struct ending {
    const char *ending, *host;
    char separator; /* between the file and what is meant in it */
    const char *example;
} endings[] = {{".so", "native", ':', "./lib.so:name"},  {".py", "python", ':', "hello.py:on_msg"},
               {".mjs", "node", '#', "hello.mjs#onMsg"}, {".cjs", "node", '#', "hello.cjs#onMsg"},
               {".js", "node", '#', "hello.js#onMsg"},   {NULL, NULL, ':', "FILE:name"}};

static int ends_in(const char *s, size_t n, const char *ending)
{
    size_t m = strlen(ending);
    return n > m && !memcmp(s + n - m, ending, m);
}

/* The first ending whose file fits: before its separator, or the whole text. *len is the file's. */
static const struct ending *ending_of(const char *s, size_t *len)
{
    const struct ending *e = endings;
    for (;; e++) {
        const char *separator = strrchr(s, e->separator);
        *len = separator ? (size_t)(separator - s) : strlen(s);
        if (!e->ending || ends_in(s, *len, e->ending))
            return e;
    }
}

const char *iris__handler_host(const char *file)
{
    for (const struct ending *e = endings; e->ending; e++)
        if (ends_in(file, strlen(file), e->ending))
            return e->host;
    return NULL;
}

const char *iris__manifest_relative(struct reading *r, const char *path, size_t len)
{
    struct text out = {0};
    const char *dir = r->m->dir;
    while (len > 2 && path[0] == '.' && path[1] == '/') {
        path += 2;
        len -= 2;
    }
    if (*path == '/')
        return iris__manifest_copy(r, path, len);
    if (iris__text_addf(&out, "%s%s%.*s", dir, dir[1] ? "/" : "", (int)len, path))
        r->no_memory = 1;
    const char *copy = iris__manifest_copy(r, out.data ? out.data : "", out.len);
    iris__text_finish(&out);
    return copy;
}

static void refuse(struct reading *r, const char *key, const char *hint, const char *handler,
                   const char *expected)
{
    size_t back = iris__pointer_key(&r->pointer, key, strlen(key));
    iris__problem_hint(
        iris__manifest_problem(r, "bad-value", "found \"%.60s\"; expected %s", handler, expected),
        "%s", hint);
    iris__pointer_back(&r->pointer, back);
}

int iris__handler_is_module(const char *s, size_t len)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    return len && n >= len && s[0] != '.' && s[len - 1] != '.' && !memmem(s, len, "..", 2);
}

/* A module is Python's, as other languages have files. */
static void check_migrate(struct reading *r, const char *s)
{
    size_t len;
    const struct ending *e = ending_of(s, &len);
    if (len && (!s[len] || s[len + 1]) && (e->ending || iris__handler_is_module(s, len)))
        return;
    size_t back = iris__pointer_key(&r->pointer, "swap", strlen("swap"));
    refuse(r, "migrate", "as shop/pay.py:migrate", s,
           "a file and, behind its separator, a function");
    iris__pointer_back(&r->pointer, back);
}

void iris__manifest_handler(struct reading *r, struct manifest_actor *a)
{
    size_t len;
    const char *s = a->handler;
    if (a->migrate)
        check_migrate(r, a->migrate);
    if (!s || a->remote_at)
        return; /* missing or wrong, and that was said */
    const struct ending *e = ending_of(s, &len);
    if (len == 0 || (s[len] && !s[len + 1])) {
        refuse(r, "handler", e->example, s, "a file and, behind its separator, a name");
        return;
    }
    if (!e->ending && !a->host) {
        refuse(r, "handler",
               "as hello.py:on_msg; for another ending, \"host\" says which language it is", s,
               "a file that ends in .so, .py, .js, .mjs or .cjs");
        return;
    }
    a->handler_text = iris__manifest_copy(r, s, len);
    a->symbol = s[len] ? s + len + 1 : NULL;
    a->names_host = a->host != NULL;
    a->host = a->host ? a->host : e->host;
    if (e->ending || memchr(s, '/', len))
        a->handler_file = iris__manifest_relative(r, s, len);
}
