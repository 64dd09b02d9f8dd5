/* JSON written as text, piece by piece into one buffer: for answers of many rows, where a tree of values would
 * cost ten times the time. Who writes says where commas are. Memory that runs short is noted, and told once. */
#ifndef IRIS_APP_JSON_OUT_H
#define IRIS_APP_JSON_OUT_H

#include "text.h"

#include <stdint.h>
#include <string.h>

struct json_out { /* zeroed */
    struct text text;
    int failed; /* no memory: what is in it is not whole */
};

void iris__json_grow(struct json_out *, const char *piece, size_t len);

/* Most pieces are a few bytes, and there is room for them. */
static inline void iris__json_raw(struct json_out *out, const char *piece, size_t len)
{
    struct text *t = &out->text;
    if (t->room - t->len <= len) {
        iris__json_grow(out, piece, len);
        return;
    }
    memcpy(t->data + t->len, piece, len);
    t->len += len;
    t->data[t->len] = '\0';
}
/* A piece that is written in the source. */
#define iris__json_put(out, literal) iris__json_raw(out, "" literal, sizeof(literal) - 1)
void iris__json_string(struct json_out *, const char *); /* in quotes; what is no UTF-8 is shown */
void iris__json_int(struct json_out *, int64_t);
void iris__json_rate(struct json_out *, double); /* 0 or more: "12.3" */
/* Takes away the comma behind the last element of a list, if there is one. */
void iris__json_trim(struct json_out *);

/* "NAME":VALUE, with a comma behind it. */
#define iris__json_member_int(out, name, value) \
    (iris__json_put(out, "\"" name "\":"), iris__json_int(out, value), iris__json_put(out, ","))
#define iris__json_member_string(out, name, value) \
    (iris__json_put(out, "\"" name "\":"), iris__json_string(out, value), iris__json_put(out, ","))
#define iris__json_member_rate(out, name, value) \
    (iris__json_put(out, "\"" name "\":"), iris__json_rate(out, value), iris__json_put(out, ","))

#endif
