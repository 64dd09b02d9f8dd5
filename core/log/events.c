#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void iris__events_init(struct events *e)
{
    memset(e, 0, sizeof *e);
    pthread_mutex_init(&e->lock, NULL);
}

void iris__event_finish(struct event *e)
{
    free(e->path);
    free(e->text);
    *e = (struct event){0};
}

void iris__events_finish(struct events *e)
{
    for (size_t i = 0; i < EVENTS_ROOM; i++)
        iris__event_finish(&e->ring[i]);
    pthread_mutex_destroy(&e->lock);
}

static int64_t time_of_day(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * IRIS_SECOND + t.tv_nsec;
}

/* All that takes time is done outside of the lock. */
void iris__events_add(struct events *all, const iris_event *from, int how)
{
    struct event e = {.time = time_of_day(),
                      .pid = from->pid,
                      .kind = from->kind,
                      .level = from->level,
                      .how = how,
                      .path = strdup(from->path),
                      .text = strndup(from->text, EVENT_TEXT_MAX)};
    pthread_mutex_lock(&all->lock);
    struct event *place = &all->ring[all->last % EVENTS_ROOM];
    struct event old = *place;
    e.number = ++all->last;
    *place = e;
    pthread_mutex_unlock(&all->lock);
    iris__event_finish(&old);
}

static char *copy(const char *s)
{
    return strdup(s ? s : "");
}

int iris__events_next(struct events *all, uint64_t since, struct event *out, uint64_t *missed)
{
    pthread_mutex_lock(&all->lock);
    uint64_t oldest = all->last > EVENTS_ROOM ? all->last - EVENTS_ROOM + 1 : 1;
    uint64_t next = since + 1 < oldest ? oldest : since + 1;
    int found = since < all->last;
    if (found) {
        const struct event *e = &all->ring[(next - 1) % EVENTS_ROOM];
        *out = *e;
        out->path = copy(e->path);
        out->text = copy(e->text);
        *missed = next - since - 1;
    }
    pthread_mutex_unlock(&all->lock);
    return found;
}

const char *iris__event_word(uint32_t kind)
{
    static const char *const words[] = {"started", "crashed",      "restarted",  "ended",
                                        "swapped", "swap-refused", "stuck",      "exhausted",
                                        "log",     "decided",      "high-water", "rollback"};
    return kind < sizeof words / sizeof *words ? words[kind] : "other";
}

/* Between the path and the text. */
static const char *say(const struct event *e)
{
    switch (e->kind) {
    case IRIS_EVENT_ENDED:
        return "ended: ";
    case IRIS_EVENT_SWAP_REFUSED:
        return "swap refused, ";
    case IRIS_EVENT_LOG:
        return e->level == IRIS_ERROR ? "error: " : e->level == IRIS_WARN ? "warning: " : "";
    }
    return "";
}

static int was_stopped(const char *reason)
{
    static const char how[] = "killed (how=stop";
    return !strncmp(reason, how, sizeof how - 1);
}

int iris__event_line(const struct event *e, struct text *out)
{
    int about_all = e->kind == IRIS_EVENT_EXHAUSTED; /* the text names the supervisor */
    const char *path = e->path && !about_all ? e->path : "";
    if (e->kind == IRIS_EVENT_ENDED && e->text && was_stopped(e->text))
        return iris__text_addf(out, "%s  stopped", path);
    return iris__text_addf(out, "%s%s%s%s", path, *path ? "  " : "", say(e),
                           e->text ? e->text : "");
}
