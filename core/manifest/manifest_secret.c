#include "manifest_reading.h"
#include "redact.h"

#include <stdlib.h>
#include <string.h>

#define LINE_SHORTEST 8 /* of a secret with several lines: each is one, if it is so long */

static void hide(struct reading *r, const char *value, size_t len)
{
    for (const struct manifest_secret *s = r->m->secrets; s; s = s->next)
        if (s->len == len && !memcmp(s->value, value, len)) /* many actors may inherit one */
            return;
    struct manifest_secret *s = iris__manifest_alloc(r, sizeof *s);
    if (!s)
        return;
    *s = (struct manifest_secret){r->m->secrets, iris__manifest_copy(r, value, len), len};
    if (s->value)
        r->m->secrets = s;
}

/* Of a key of many lines, who shows it may show each line by itself. */
static void hide_lines(struct reading *r, const char *value)
{
    for (size_t n; *value; value += n + (value[n] == '\n')) {
        n = strcspn(value, "\n");
        if (n >= LINE_SHORTEST)
            hide(r, value, n);
    }
}

void iris__manifest_hide(struct reading *r, const char *value)
{
    size_t len = strlen(value);
    if (len < IRIS__SECRET_SHORTEST)
        return;
    hide(r, value, len);
    if (strchr(value, '\n'))
        hide_lines(r, value);
}

/* The content without the newline at its end, as editors and `echo` leave one. */
static const char *read_file(struct reading *r, const char *file)
{
    struct text text = {0};
    struct problems found = {0};
    const char *path = iris__manifest_relative(r, file, strlen(file)), *value = NULL;
    if (!path)
        return NULL;
    if (iris__manifest_slurp(path, &text, &found))
        iris__manifest_problem(r, "secret", "%s: %s", file,
                               found.n ? found.items[0].message : "no memory is left");
    else if (text.len && memchr(text.data, '\0', text.len))
        iris__manifest_problem(r, "secret", "%s: found a NUL byte; expected text", file);
    else
        value = iris__manifest_copy(r, text.data ? text.data : "",
                                    text.len - (text.len && text.data[text.len - 1] == '\n'));
    iris__text_finish(&text);
    iris__problems_finish(&found);
    return value;
}

static int is_text(struct reading *r, size_t len)
{
    if (len >= IRIS__SECRET_SHORTEST)
        return 1;
    iris__manifest_problem(r, "secret", "found a secret of %zu bytes; expected %d at least", len,
                           IRIS__SECRET_SHORTEST);
    return 0;
}

const char *iris__manifest_secret(struct reading *r, json_t *object)
{
    const char *file = json_string_value(json_object_get(object, "file"));
    const char *secret = json_string_value(json_object_get(object, "secret"));
    const char *value;
    if (json_object_size(object) != 1 || (!file && !secret)) {
        iris__manifest_problem(r, "wrong-type",
                               "must be a string, {\"file\": FILE} or {\"secret\": TEXT}");
        return NULL;
    }
    value = iris__manifest_expand(r, file ? file : secret);
    if (value && file)
        value = read_file(r, value);
    if (!value || !is_text(r, strlen(value)))
        return NULL;
    iris__manifest_hide(r, value);
    return value;
}

/* Who an actor is, and what it runs, is told to everybody. */
int iris__manifest_shows_secret(struct reading *r, const struct manifest_key *key, const char *text)
{
    char *hidden = key->where && !strncmp(key->where, "actors[]", 8)
                       ? iris__redacted(r->m->secrets, text)
                       : NULL;
    if (!hidden)
        return 0;
    struct problem *p =
        iris__manifest_problem(r, "secret", "found \"%s\"; a secret would be shown here", hidden);
    iris__problem_hint(p, "secrets may stand in args, in a timer's message and in env");
    free(hidden);
    return 1;
}
