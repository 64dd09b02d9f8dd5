#include "app.h"

#include "redact.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void iris__app_say(struct app *a, int kind, const char *fmt, ...)
{
    char *text;
    va_list args;
    if (!a->options.out)
        return;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    char *hidden = n >= 0 && a->manifest ? iris__redacted(a->manifest->secrets, text) : NULL;
    a->options.out(a->options.ctx, kind,
                   hidden   ? hidden
                   : n >= 0 ? text
                            : "no memory for the words");
    free(hidden);
    if (n >= 0)
        free(text);
}

static int kind_of(const struct event *e)
{
    if (e->kind == IRIS_EVENT_LOG)
        return e->pid ? IRIS_APP_LOG : e->level < IRIS_WARN ? IRIS_APP_EVENT : IRIS_APP_WARNING;
    int warns = e->kind == IRIS_EVENT_STUCK || e->kind == IRIS_EVENT_HIGH_WATER ||
                e->kind == IRIS_EVENT_ROLLBACK;
    return warns ? IRIS_APP_WARNING : IRIS_APP_EVENT;
}

/* Where there are logs, they tell what happens. */
static int is_for_console(const struct app *a, const struct event *e)
{
    int decided = e->kind == IRIS_EVENT_DECIDED; /* what follows is said: restart, exhausted */
    return e->how == EVENT_LOUD ||
           (e->how == EVENT_PLAIN && !decided && !iris__logs_writes(&a->logs));
}

static void say_event(struct app *a, const struct event *e)
{
    struct text line = {0};
    if (is_for_console(a, e) && !iris__event_line(e, &line))
        iris__app_say(a, kind_of(e), "%s", line.data);
    iris__text_finish(&line);
}

/* A ring of them at most: who floods it must not keep us from hearing that we are to stop. */
void iris__app_say_events(struct app *a)
{
    struct event e;
    uint64_t missed;
    int swapped = 0;
    for (int n = 0; n < EVENTS_ROOM && iris__events_next(&a->events, a->shown, &e, &missed); n++) {
        if (missed)
            iris__app_say(a, IRIS_APP_WARNING, "%llu events came faster than they could be printed",
                          (unsigned long long)missed);
        a->shown = e.number;
        say_event(a, &e);
        swapped |= e.kind == IRIS_EVENT_SWAPPED;
        iris__event_finish(&e);
    }
    if (swapped && a->watch)
        iris__watch_refresh(a->watch);
}

void iris__app_say_problems(struct app *a, const struct problems *problems)
{
    struct text text = {0};
    iris__problems_text(problems, 0, &text);
    if (text.len && text.data[text.len - 1] == '\n')
        text.data[text.len - 1] = '\0';
    iris__app_say(a, IRIS_APP_ERROR, "%s", text.data ? text.data : "no memory for the words");
    iris__text_finish(&text);
}

static const char *program(const struct app *a)
{
    return a->options.program ? a->options.program : "iris";
}

void iris__app_say_ready(struct app *a)
{
    const char *iris = program(a);
    if (a->manifest->process.user && !a->manifest->socket) /* not where who started it looks */
        iris__app_say(a, IRIS_APP_NOTE, "talk to it: %s ps -a %s      stop: Ctrl-C", iris,
                      a->socket);
    else
        iris__app_say(a, IRIS_APP_NOTE, "talk to it: %s ps      stop: Ctrl-C, or %s stop", iris,
                      iris);
}

static void add_count(struct text *out, uint64_t n, const char *what)
{
    if (n)
        iris__text_addf(out, "%s%s %llu", out->len ? ", " : " (", what, (unsigned long long)n);
}

void iris__app_say_totals(struct app *a, const iris_totals *t)
{
    struct text why = {0};
    add_count(&why, t->crashed, "crashed");
    add_count(&why, t->ended, "ended");
    add_count(&why, t->stray, "stray");
    add_count(&why, t->node, "node");
    add_count(&why, t->unwanted, "unwanted");
    add_count(&why, t->dropped, "dropped");
    if (why.len)
        iris__text_addf(&why, ")");
    iris__app_say(a, IRIS_APP_NOTE, "idle: %llu messages handled, %llu dead letters%s",
                  (unsigned long long)t->handled, (unsigned long long)t->dead_letters,
                  why.data ? why.data : "");
    iris__text_finish(&why);
}

void iris__app_say_next(struct app *a)
{
    const char *iris = program(a);
    iris__app_say(a, IRIS_APP_NOTE,
                  "next, in one terminal and another:\n"
                  "  %s run %s\n"
                  "  %s ps",
                  iris, a->manifest->file, iris);
}
