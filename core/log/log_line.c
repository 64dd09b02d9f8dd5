#include "log_line.h"

#include "problem.h"
#include "tags.h"

#include <jansson.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STAMP 48

static const char *const levels[] = {"trace", "debug", "info", "warn", "error"};

static unsigned level_of(const struct event *e)
{
    return e->level < sizeof levels / sizeof *levels ? e->level : IRIS_INFO;
}

/* Without the path, which is told by itself. */
static int add_words(const struct event *e, struct text *out)
{
    struct event bare = *e;
    char none[1] = "";
    bare.path = none;
    if (e->kind == IRIS_EVENT_LOG)
        return iris__text_addf(out, "%s", e->text ? e->text : "");
    return iris__event_line(&bare, out);
}

/* Logs end in a newline or not, as their authors are used to. */
static void trim(struct text *t)
{
    while (t->len && t->data[t->len - 1] == '\n')
        t->data[--t->len] = '\0';
}

/* ---- text ---- */

static void stamp(const struct log_style *style, int64_t time, char *out)
{
    struct tm tm;
    time_t s = (time_t)(time / IRIS_SECOND);
    int ms = (int)(time % IRIS_SECOND / IRIS_MILLISECOND);
    char at[STAMP - 8];
    if (style->brief)
        localtime_r(&s, &tm);
    else
        gmtime_r(&s, &tm);
    strftime(at, sizeof at, style->brief ? "%H:%M:%S" : "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, STAMP, "%s.%03d%s", at, ms, style->brief ? "" : "Z");
}

static const char *colour_of(unsigned level)
{
    static const char *const colours[] = {"\x1b[2m", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
    return colours[level];
}

/* Control characters would drive the terminal; a line of its own would pass for one of ours. */
static int add_shown(struct text *out, const char *words)
{
    int failed = 0;
    for (size_t n;; words += n + 1) {
        n = strcspn(words, "\n");
        failed |= iris__text_clean(out, words, n) || iris__text_add(out, "\n", 1);
        if (!words[n])
            return failed;
        failed |= iris__text_add(out, "  | ", 4);
    }
}

static int add_text(const struct log_style *style, const struct event *e, const char *words,
                    struct text *out)
{
    char at[STAMP], name[8] = "";
    unsigned level = level_of(e);
    const char *path = e->path ? e->path : "", *on = style->colour ? colour_of(level) : "";
    const char *dim = style->colour ? "\x1b[2m" : "", *off = style->colour ? "\x1b[0m" : "";
    stamp(style, e->time, at);
    for (size_t i = 0; levels[level][i]; i++)
        name[i] = (char)(levels[level][i] - 'a' + 'A');
    return iris__text_addf(out, "%s%s%s %s%-5s%s ", dim, at, off, on, name, off) ||
           iris__text_addf(out, *path ? "%s  " : "%s", path) || add_shown(out, words);
}

/* ---- JSON ---- */

static json_t *json_text(const char *s)
{
    struct text clean = {0};
    json_t *v = json_string(s);
    if (v)
        return v;
    if (!iris__text_clean(&clean, s, strlen(s))) /* it need not be UTF-8 */
        v = json_string(clean.data ? clean.data : "");
    iris__text_finish(&clean);
    return v;
}

static void put_tag(void *ctx, const char *name, const char *value)
{
    json_object_set_new(ctx, name, json_string(value));
}

/* NULL: it has none. */
static json_t *tags_of(const struct log_style *style, const struct event *e)
{
    json_t *tags = style->tags && e->path && *e->path ? json_object() : NULL;
    if (tags && iris__tags_of(style->tags, e->path, put_tag, tags))
        return tags;
    json_decref(tags);
    return NULL;
}

static int add_json(const struct log_style *style, const struct event *e, const char *words,
                    struct text *out)
{
    const struct log_style utc = {0};
    char at[STAMP];
    stamp(&utc, e->time, at);
    json_t *line =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:o*}", "time", at, "level",
                  levels[level_of(e)], "app", style->app, "kind", iris__event_word(e->kind), "path",
                  json_text(e->path ? e->path : ""), "pid", (json_int_t)e->pid, "text",
                  json_text(words), "tags", tags_of(style, e));
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    int failed = !text || iris__text_addf(out, "%s\n", text);
    free(text);
    json_decref(line);
    return failed ? -1 : 0;
}

int iris__log_line(const struct log_style *style, const struct event *e, struct text *out)
{
    struct text words = {0};
    int failed = add_words(e, &words);
    trim(&words);
    const char *said = words.data ? words.data : "";
    if (!failed)
        failed = style->json ? add_json(style, e, said, out) : add_text(style, e, said, out);
    iris__text_finish(&words);
    return failed ? -1 : 0;
}

/* ---- journald ---- */

/* NAME=value, or where that has a newline: NAME, a newline, its length in 8 bytes, the value. */
static int add_field(struct text *out, const char *name, const char *value)
{
    size_t len = strlen(value);
    unsigned char size[8];
    if (!strchr(value, '\n'))
        return iris__text_addf(out, "%s=%s\n", name, value);
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)len >> (8 * i));
    return iris__text_addf(out, "%s\n", name) || iris__text_add(out, size, 8) ||
           iris__text_add(out, value, len) || iris__text_add(out, "\n", 1);
}

int iris__log_journal(const char *app, const struct event *e, struct text *out)
{
    static const char *const priorities[] = {"7", "7", "6", "4", "3"};
    struct text words = {0}, pid = {0};
    int failed = add_words(e, &words) || iris__text_addf(&pid, "%" PRIu64, e->pid);
    trim(&words);
    failed = failed || add_field(out, "MESSAGE", words.data ? words.data : "") ||
             add_field(out, "PRIORITY", priorities[level_of(e)]) ||
             add_field(out, "SYSLOG_IDENTIFIER", app) || add_field(out, "IRIS_APP", app) ||
             add_field(out, "IRIS_KIND", iris__event_word(e->kind));
    if (!failed && e->path && *e->path)
        failed = add_field(out, "IRIS_PATH", e->path) || add_field(out, "IRIS_PID", pid.data);
    iris__text_finish(&words);
    iris__text_finish(&pid);
    return failed ? -1 : 0;
}
