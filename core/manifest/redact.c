#include "redact.h"

#include <stdlib.h>
#include <string.h>

/* The first secret that stands in the text, the longest of those that begin there. */
static const struct manifest_secret *first(const struct manifest_secret *all, const char *text,
                                           const char **at)
{
    const struct manifest_secret *found = NULL;
    *at = NULL;
    for (const struct manifest_secret *s = all; s; s = s->next) {
        const char *here = strstr(text, s->value);
        if (here && (!*at || here < *at || (here == *at && s->len > found->len))) {
            *at = here;
            found = s;
        }
    }
    return found;
}

char *iris__redacted(const struct manifest_secret *all, const char *text)
{
    const char *at;
    struct text out = {0};
    const struct manifest_secret *s = first(all, text, &at);
    if (!s)
        return NULL;
    for (; s; s = first(all, text, &at)) {
        iris__text_add(&out, text, (size_t)(at - text));
        iris__text_add(&out, "***", 3);
        text = at + s->len;
    }
    iris__text_add(&out, text, strlen(text));
    return out.data;
}

int iris__redact_bytes(const struct manifest_secret *all, void *data, size_t len)
{
    int found = 0;
    const char *end = (char *)data + len;
    for (const struct manifest_secret *s = all; s; s = s->next)
        for (char *from = data, *at; (at = memmem(from, (size_t)(end - from), s->value, s->len));
             from = at + s->len, found = 1)
            memset(at, '*', s->len);
    return found;
}

static void replace(char **text, const struct manifest_secret *all)
{
    char *hidden = *text ? iris__redacted(all, *text) : NULL;
    if (!hidden)
        return;
    free(*text);
    *text = hidden;
}

/* The source line keeps its length: a caret stands below it. */
void iris__problems_redact(struct problems *p, const struct manifest_secret *all)
{
    for (size_t i = 0; all && i < p->n; i++) {
        replace(&p->items[i].message, all);
        replace(&p->items[i].hint, all);
        replace(&p->items[i].more, all);
        if (p->items[i].source)
            iris__redact_bytes(all, p->items[i].source, strlen(p->items[i].source));
    }
}
