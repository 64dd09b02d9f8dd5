#include "follow.h"

#include "app.h"
#include "fail.h"
#include "pattern.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

struct follower {
    struct follower *next;
    struct control_reply *reply;
    char *pattern;
    unsigned level;
    uint64_t at; /* it knows all up to this event */
};

static int is_wanted(const struct follower *f, const struct event *e)
{
    return e->kind != IRIS_EVENT_DECIDED && e->level >= f->level &&
           (!f->pattern || (e->path && iris__path_matches(f->pattern, e->path)));
}

/* ---- what there is ---- */

/* At most a ring of them. */
static json_t *gather(struct app *a, struct follower *f, uint64_t *missed)
{
    json_t *list = json_array();
    struct event e;
    uint64_t some;
    for (int n = 0; n < EVENTS_ROOM && iris__events_next(&a->events, f->at, &e, &some); n++) {
        *missed += f->at ? some : 0; /* who begins has missed nothing */
        f->at = e.number;
        if (is_wanted(f, &e))
            json_array_append_new(list, iris__verb_event(&e));
        iris__event_finish(&e);
    }
    return list;
}

static void destroy(struct follower *f)
{
    free(f->pattern);
    free(f);
}

static void answer(struct follower *f, json_t *list, uint64_t missed)
{
    iris__control_reply(f->reply, 200,
                        json_pack("{s:o, s:I, s:I}", "events", list, "next", (json_int_t)f->at,
                                  "missed", (json_int_t)missed));
    destroy(f);
}

/* ---- those that wait ---- */

/* Those that wait stay in the list while it is looked for what they get: an event that comes meanwhile rings again.
 * Whoever has hung up is let go, too: its answer goes nowhere. */
static void serve(void *app)
{
    struct app *a = app;
    struct followers *all = &a->followers;
    for (struct follower **at = &all->first, *f; (f = *at);) {
        uint64_t missed = 0;
        json_t *list = gather(a, f, &missed);
        if (!json_array_size(list) && !missed && !iris__control_is_gone(f->reply)) {
            json_decref(list);
            at = &f->next;
            continue;
        }
        pthread_mutex_lock(&all->lock);
        *at = f->next;
        atomic_fetch_sub(&all->n, 1);
        pthread_mutex_unlock(&all->lock);
        answer(f, list, missed);
    }
}

void iris__followers_ring(struct app *a)
{
    struct followers *all = &a->followers;
    if (!atomic_load(&all->n))
        return;
    pthread_mutex_lock(&all->lock);
    if (all->first)
        iris__control_call(all->first->reply, serve, a);
    pthread_mutex_unlock(&all->lock);
}

/* An event that came after it had looked rang for nobody: so it is looked at once more. */
static void follow(struct app *a, struct follower *f)
{
    struct followers *all = &a->followers;
    pthread_mutex_lock(&all->lock);
    f->next = all->first;
    all->first = f;
    atomic_fetch_add(&all->n, 1);
    pthread_mutex_unlock(&all->lock);
    serve(a);
}

void iris__followers_init(struct followers *all)
{
    *all = (struct followers){0};
    pthread_mutex_init(&all->lock, NULL);
}

void iris__followers_finish(struct followers *all)
{
    for (struct follower *f = all->first, *next; f; f = next) {
        next = f->next;
        iris__control_error(f->reply, "stopping", NULL, "the app is stopping");
        destroy(f);
    }
    all->first = NULL;
    pthread_mutex_destroy(&all->lock);
}

/* ---- the request ---- */

static int level_of(const char *word)
{
    static const char *const words[] = {"trace", "debug", "info", "warn", "error"};
    for (int i = 0; i < 5; i++)
        if (!strcmp(words[i], word))
            return i;
    return -1;
}

static const char *refusal(const char *level, const char *pattern, json_int_t since)
{
    if (level_of(level) < 0)
        return "\"level\": expected trace, debug, info, warn or error";
    if (since < 0)
        return "\"since\": expected the number of an event";
    if (pattern && iris__pattern_check(pattern))
        return iris__reason();
    return NULL;
}

void iris__verb_logs(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct app *a = app;
    const char *level = "trace", *pattern = NULL;
    json_int_t since = 0;
    int waits = 0;
    json_error_t error;
    if (json_unpack_ex((json_t *)r->body, &error, 0, "{s?s, s?s, s?I, s?b}", "level", &level,
                       "pattern", &pattern, "since", &since, "follow", &waits)) {
        iris__control_error(reply, "bad-request", NULL, "%s", error.text);
        return;
    }
    const char *why = refusal(level, pattern, since);
    struct follower *f = why ? NULL : calloc(1, sizeof *f);
    if (!f) {
        iris__control_error(reply, why ? "bad-request" : "failed", NULL, "%s",
                            why ? why : "no memory");
        return;
    }
    *f = (struct follower){.reply = reply,
                           .pattern = pattern ? strdup(pattern) : NULL,
                           .level = (unsigned)level_of(level),
                           .at = (uint64_t)since};
    if (waits) {
        follow(a, f);
    } else {
        uint64_t missed = 0;
        json_t *list = gather(a, f, &missed);
        answer(f, list, missed);
    }
}
