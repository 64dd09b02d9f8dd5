#include "json_out.h"

#include "problem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void iris__json_grow(struct json_out *out, const char *piece, size_t len)
{
    if (iris__text_add(&out->text, piece, len))
        out->failed = 1;
}

/* Most texts are words that need no escape. */
static size_t plain(const char *s)
{
    size_t n = 0;
    while (s[n] >= ' ' && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
        n++;
    return n;
}

static void add_other(struct json_out *out, const char *s)
{
    json_t *good = json_string(s);
    struct text clean = {0};
    if (!good && !iris__text_clean(&clean, s, strlen(s)))
        good = json_string(clean.data ? clean.data : "");
    char *words = good ? json_dumps(good, JSON_ENCODE_ANY) : NULL;
    if (words)
        iris__json_raw(out, words, strlen(words));
    else
        out->failed = 1;
    free(words);
    json_decref(good);
    iris__text_finish(&clean);
}

void iris__json_string(struct json_out *out, const char *s)
{
    size_t n = plain(s);
    if (s[n]) {
        add_other(out, s);
        return;
    }
    iris__json_put(out, "\"");
    iris__json_raw(out, s, n);
    iris__json_put(out, "\"");
}

void iris__json_int(struct json_out *out, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t n = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    if (value < 0)
        digits[--at] = '-';
    iris__json_raw(out, digits + at, sizeof digits - at);
}

void iris__json_rate(struct json_out *out, double value)
{
    int64_t tenths = value > 0 && value < 1e17 ? (int64_t)(value * 10 + 0.5) : 0;
    iris__json_int(out, tenths / 10);
    iris__json_put(out, ".");
    iris__json_int(out, tenths % 10);
}

void iris__json_trim(struct json_out *out)
{
    struct text *t = &out->text;
    if (t->len && t->data[t->len - 1] == ',')
        t->data[--t->len] = '\0';
}
