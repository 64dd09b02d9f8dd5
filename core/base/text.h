/* Growing bytes: for what save() writes, and for text put together piece by piece. */
#ifndef IRIS_BASE_TEXT_H
#define IRIS_BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

struct text {
    char *data; /* NULL while empty; else always a '\0' behind the last byte */
    size_t len, room;
};

int iris__text_add(struct text *, const void *data, size_t len); /* 0, or -1: no memory */
int iris__text_addf(struct text *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void iris__text_finish(struct text *); /* frees; empty again */

#endif
