#include "problem.h"

#include <jansson.h>

#include <string.h>

#define CLIP 60 /* bytes of a key that are shown; it may be as long as the file */

struct ink {
    const char *place, *error, *caret, *hint, *off;
};

static const struct ink plain = {"", "", "", "", ""};
static const struct ink coloured = {"\033[1m", "\033[1;31m", "\033[1;32m", "\033[36m", "\033[0m"};

/* "~1" is "/" and "~0" is "~"; a long key is cut at a whole character. */
static int add_key(const char *s, size_t n, struct text *out)
{
    struct text key = {0};
    int failed = 0;
    for (size_t i = 0; i < n && key.len < CLIP; i++) {
        int escaped = s[i] == '~' && i + 1 < n;
        const char *c = !escaped ? s + i : s[i + 1] == '0' ? "~" : "/";
        size_t wide = escaped ? 1 : iris__utf8(c, n - i);
        failed |= iris__text_add(&key, c, wide ? wide : 1);
        i += escaped ? 1 : wide ? wide - 1 : 0;
    }
    if (key.len)
        failed |= iris__text_clean(out, key.data, key.len);
    failed |= iris__text_addf(out, "%s", n == 0 ? "\"\"" : key.len >= CLIP ? "..." : "");
    iris__text_finish(&key);
    return failed;
}

/* As people write it: [0] for a number, .key for a name. */
static int add_path(const char *pointer, struct text *out)
{
    int failed = 0;
    for (const char *s = pointer; *s == '/';) {
        size_t n = strcspn(s + 1, "/");
        if (n > 0 && n < 10 && strspn(s + 1, "0123456789") >= n)
            failed |= iris__text_addf(out, "[%.*s]", (int)n, s + 1);
        else
            failed |= iris__text_addf(out, "%s", s == pointer ? "" : ".") | add_key(s + 1, n, out);
        s += 1 + n;
    }
    return failed | iris__text_addf(out, "%s", *pointer ? ": " : "");
}

static size_t characters(const char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)s[i] & 0xc0) != 0x80;
    return n;
}

/* The line, and below it ^~~~; tabs stay tabs, so that both lines have the same stops. */
static int add_source(const struct problem *p, const struct ink *ink, struct text *out)
{
    int failed = iris__text_addf(out, "%s\n", p->source);
    for (size_t i = 0; i < p->caret; i++)
        if (((unsigned char)p->source[i] & 0xc0) != 0x80)
            failed |= iris__text_add(out, p->source[i] == '\t' ? "\t" : " ", 1);
    failed |= iris__text_addf(out, "%s^", ink->caret);
    for (size_t i = characters(p->source + p->caret, p->width); i > 1; i--)
        failed |= iris__text_add(out, "~", 1);
    return failed | iris__text_addf(out, "%s\n", ink->off);
}

static int add_problem(const struct problem *p, const struct ink *ink, struct text *out)
{
    int failed = iris__text_addf(out, "%s%s:", ink->place, p->file);
    if (p->line)
        failed |= iris__text_addf(out, "%u:%u:", p->line, p->column);
    failed |= iris__text_addf(out, "%s %serror:%s ", ink->off, ink->error, ink->off);
    failed |= add_path(p->pointer, out);
    failed |= iris__text_addf(out, "%s\n", p->message);
    if (p->source)
        failed |= add_source(p, ink, out);
    if (p->more)
        failed |= iris__text_addf(out, "%s", p->more);
    if (p->hint)
        failed |= iris__text_addf(out, "%shint:%s %s\n", ink->hint, ink->off, p->hint);
    return failed;
}

int iris__problems_text(const struct problems *all, int colour, struct text *out)
{
    const struct ink *ink = colour ? &coloured : &plain;
    int failed = 0;
    for (size_t i = 0; i < all->n; i++)
        failed |= add_problem(&all->items[i], ink, out);
    if (all->more)
        failed |= iris__text_addf(out, "and %zu more\n", all->more);
    return failed ? -1 : 0;
}

static json_t *number(unsigned n)
{
    return n ? json_integer(n) : json_null();
}

static json_t *describe(const struct problem *p)
{
    return json_pack("{ss so so ss ss ss ss? ss*}", "file", p->file, "line", number(p->line),
                     "column", number(p->column), "pointer", p->pointer, "code", p->code, "message",
                     p->message, "hint", p->hint, "more", p->more);
}

static int add_json(const char *data, size_t len, void *out)
{
    return iris__text_add(out, data, len);
}

int iris__problems_json(const struct problems *all, struct text *out)
{
    json_t *list = json_array();
    int failed = !list;
    for (size_t i = 0; i < all->n && !failed; i++)
        failed = json_array_append_new(list, describe(&all->items[i]));
    failed = failed || json_dump_callback(list, add_json, out, JSON_COMPACT);
    json_decref(list);
    return failed ? -1 : 0;
}
