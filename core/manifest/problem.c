#include "problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT 100 /* bytes of a long line that are shown on each side of the place */

static int is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t iris__utf8(const char *s, size_t len)
{
    const unsigned char *u = (const unsigned char *)s;
    if (len == 0 || u[0] < 0x80)
        return len > 0;
    size_t n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    if (u[0] < 0xc2 || u[0] > 0xf4 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (!is_tail(s[i]))
            return 0;
    int too_long = (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90);
    int no_character = (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf4 && u[1] > 0x8f);
    return too_long || no_character ? 0 : n;
}

/* What goes to a terminal: no control characters (also not the C1 ones, 0xc2 0x80..0x9f), so that a
 * file cannot speak to the terminal of whoever checks it. Tabs stay: they align the caret. */
int iris__text_clean(struct text *out, const char *s, size_t len)
{
    int failed = 0;
    for (size_t i = 0, n; i < len; i += n ? n : 1) {
        n = iris__utf8(s + i, len - i);
        unsigned char first = (unsigned char)s[i], second = n == 2 ? (unsigned char)s[i + 1] : 0xff;
        int control = (first < 0x20 && first != '\t') || first == 0x7f;
        if (n == 0 || control || (first == 0xc2 && second < 0xa0))
            failed |= iris__text_add(out, "?", 1);
        else
            failed |= iris__text_add(out, s + i, n);
    }
    return failed;
}

static char *clean(const char *s, size_t len)
{
    struct text out = {0};
    if (iris__text_add(&out, "", 0) || iris__text_clean(&out, s, len))
        iris__text_finish(&out);
    return out.data;
}

static __attribute__((format(printf, 1, 0))) char *format(const char *fmt, va_list args)
{
    char *raw = NULL;
    if (vasprintf(&raw, fmt, args) < 0)
        return NULL;
    char *s = clean(raw, strlen(raw));
    free(raw);
    return s;
}

static void finish(struct problem *p)
{
    free(p->file);
    free(p->pointer);
    free(p->message);
    free(p->hint);
    free(p->more);
    free(p->source);
}

int iris__problems_full(const struct problems *all)
{
    return all->n == PROBLEMS_MAX;
}

size_t iris__problems_count(const struct problems *all)
{
    return all->n + all->more;
}

struct problem *iris__problem_add(struct problems *all, const char *file, const char *pointer,
                                  const char *code, const char *fmt, ...)
{
    if (!all->items)
        all->items = calloc(PROBLEMS_MAX, sizeof *all->items);
    if (!all->items || iris__problems_full(all)) {
        all->more++;
        return NULL;
    }
    struct problem *p = &all->items[all->n];
    va_list args;
    va_start(args, fmt);
    *p = (struct problem){.code = code,
                          .file = clean(file, strlen(file)),
                          .pointer = strdup(pointer),
                          .message = format(fmt, args)};
    va_end(args);
    if (p->file && p->pointer && p->message)
        return all->n++, p;
    finish(p);
    all->more++;
    return NULL;
}

void iris__problem_hint(struct problem *p, const char *fmt, ...)
{
    if (!p)
        return;
    va_list args;
    va_start(args, fmt);
    free(p->hint);
    p->hint = format(fmt, args);
    va_end(args);
}

void iris__problem_more(struct problem *p, const char *lines)
{
    struct text out = {0};
    while (p && *lines) {
        size_t n = strcspn(lines, "\n");
        iris__text_clean(&out, lines, n);
        iris__text_add(&out, "\n", 1);
        lines += n + (lines[n] == '\n');
    }
    if (!p)
        return;
    free(p->more);
    p->more = out.data;
}

void iris__text_place(const char *text, size_t offset, unsigned *line, unsigned *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (!is_tail(text[i])) {
            ++*column;
        }
    }
}

/* The line around `offset`, cut where it is long: a manifest may be one line of a megabyte. */
static void excerpt(const char *text, size_t len, size_t offset, size_t *from, size_t *to)
{
    size_t begin = offset, end = offset;
    while (begin > 0 && text[begin - 1] != '\n' && offset - begin < CONTEXT)
        begin--;
    while (end < len && text[end] != '\n' && end - offset < CONTEXT)
        end++;
    while (begin < offset && is_tail(text[begin]))
        begin++;
    while (end > offset && end < len && is_tail(text[end]))
        end--;
    if (end > begin && text[end - 1] == '\r')
        end--;
    *from = begin;
    *to = end < offset ? offset : end;
}

void iris__problem_place(struct problem *p, const char *text, size_t len, size_t offset,
                         size_t width)
{
    if (!p)
        return;
    size_t from, to;
    struct text source = {0};
    excerpt(text, len, offset, &from, &to);
    size_t end = offset + width < to ? offset + width : to;
    int cut = from > 0 && text[from - 1] != '\n';
    int failed = iris__text_addf(&source, "%s", cut ? "..." : "");
    failed |= iris__text_clean(&source, text + from, offset - from);
    p->caret = source.len;
    failed |= iris__text_clean(&source, text + offset, end - offset);
    p->width = source.len - p->caret;
    failed |= iris__text_clean(&source, text + end, to - end);
    if (to < len && text[to] != '\n' && text[to] != '\r')
        failed |= iris__text_addf(&source, "...");
    if (failed)
        iris__text_finish(&source);
    free(p->source);
    p->source = source.data;
    iris__text_place(text, offset, &p->line, &p->column);
}

static int by_place(const void *a, const void *b)
{
    const struct problem *p = a, *q = b;
    if (p->line != q->line)
        return p->line < q->line ? -1 : 1;
    if (p->column != q->column)
        return p->column < q->column ? -1 : 1;
    return strcmp(p->message, q->message);
}

void iris__problems_sort(struct problems *all)
{
    if (all->n)
        qsort(all->items, all->n, sizeof *all->items, by_place);
}

void iris__problems_finish(struct problems *all)
{
    for (size_t i = 0; i < all->n; i++)
        finish(&all->items[i]);
    free(all->items);
    *all = (struct problems){0};
}
