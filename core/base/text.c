#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct text *t, size_t more)
{
    if (t->data && t->room - t->len > more)
        return 0;
    size_t room = (t->room ? t->room : 64) * 2;
    while (room - t->len <= more)
        room *= 2;
    char *data = realloc(t->data, room);
    if (!data)
        return -1;
    t->data = data;
    t->room = room;
    return 0;
}

int iris__text_add(struct text *t, const void *data, size_t len)
{
    if (reserve(t, len))
        return -1;
    if (len)
        memcpy(t->data + t->len, data, len);
    t->len += len;
    t->data[t->len] = '\0';
    return 0;
}

int iris__text_addf(struct text *t, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    int failed = n < 0 || reserve(t, (size_t)n);
    if (!failed) {
        vsnprintf(t->data + t->len, (size_t)n + 1, fmt, again);
        t->len += (size_t)n;
    }
    va_end(again);
    return failed ? -1 : 0;
}

void iris__text_finish(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}
