#include "app.h"

#include "redact.h"
#include "singleton.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void iris__app_ring(struct app *a)
{
    eventfd_write(a->bell, 1);
}

/* ---- events; [any] ---- */

static void note_failure(struct awaited *w, const char *text)
{
    static const char prefix[] = "crash: ";
    if (w->failed)
        return;
    w->failed = 1;
    w->mute = w->path;
    w->why = strdup(strncmp(text, prefix, sizeof prefix - 1) ? text : text + sizeof prefix - 1);
}

/* Returns whether this is part of a start, which the main thread tells in its own words. An actor that
 * does not begin is an error of the manifest: it is not tried again, and the app ends. */
static int watch_start(struct app *a, const iris_event *e)
{
    struct awaited *w = &a->awaited;
    if (w->started || e->kind == IRIS_EVENT_LOG)
        return 0;
    if (e->kind == IRIS_EVENT_STARTED) {
        w->started = !w->failed;
    } else if (e->kind == IRIS_EVENT_CRASHED || e->kind == IRIS_EVENT_ENDED) {
        note_failure(w, e->text);
        if (atomic_load(&a->phase) == APP_STARTING) /* later the app goes on without it */
            atomic_store(&a->runtime->closing, 1);
    }
    return 1;
}

/* Returns whether the console is to leave it out. */
static int watch(struct app *a, const iris_event *e)
{
    struct awaited *w = &a->awaited;
    int quiet = 0;
    if (e->kind == IRIS_EVENT_ENDED && iris__singleton_stood(a, e->pid))
        return 1;
    pthread_mutex_lock(&w->lock);
    if (w->path && strcmp(w->path, e->path) == 0) {
        quiet = watch_start(a, e);
        w->ended |= e->kind == IRIS_EVENT_ENDED;
    }
    if (w->mute && strcmp(w->mute, e->path) == 0)
        quiet = e->kind != IRIS_EVENT_LOG;
    pthread_mutex_unlock(&w->lock);
    return quiet;
}

/* An actor without a path is one of many: its beginning and its end are no news. */
static int is_news(const iris_event *e)
{
    return *e->path || (e->kind != IRIS_EVENT_STARTED && e->kind != IRIS_EVENT_ENDED);
}

static void tell(struct app *a, const iris_event *e)
{
    iris__stories_add(&a->stories, e);
    iris__events_add(&a->events, e, watch(a, e) ? EVENT_QUIET : EVENT_PLAIN);
    iris__app_ring(a);
    iris__logs_ring(&a->logs);
    iris__followers_ring(a);
}

/* Without the secrets that it may hold: an actor that was handed one may log it or crash with it. */
static void note(struct app *a, const iris_event *e)
{
    iris_event bare = *e;
    unsigned char excerpt[EXCERPT_ROOM];
    char *text = iris__redacted(a->manifest->secrets, e->text);
    if (text)
        bare.text = text;
    if (e->excerpt.len && e->excerpt.len <= sizeof excerpt) {
        memcpy(excerpt, e->excerpt.data, e->excerpt.len);
        if (iris__redact_bytes(a->manifest->secrets, excerpt, e->excerpt.len))
            bare.excerpt.data = excerpt;
    }
    tell(a, &bare);
    free(text);
}

void iris__app_event(void *app, const iris_event *e)
{
    struct app *a = app;
    if (!is_news(e))
        return;
    if (e->kind == IRIS_EVENT_EXHAUSTED)
        atomic_store(&a->exhausted, 1);
    iris__metrics_note(&a->metrics, e);
    iris__app_hear(a);
    if (iris__logs_keeps(&a->logs, e))
        note(a, e);
    iris__app_heard(a);
    iris__trials_note(a, e);
}

/* ---- the main thread ---- */

void iris__app_await(struct app *a, const char *path)
{
    struct awaited *w = &a->awaited;
    int phase = atomic_load(&a->phase), stopping = phase == APP_STOPPING;
    pthread_mutex_lock(&w->lock);
    free(w->why);
    w->why = NULL;
    w->path = path;
    w->started = stopping; /* it is the end that we wait for */
    if (!path && phase == APP_RUNNING)
        w->mute = NULL; /* its path may go with its manifest */
    w->failed = w->ended = 0;
    pthread_mutex_unlock(&w->lock);
}

int iris__app_awaited(struct app *a, int *started, int *failed)
{
    struct awaited *w = &a->awaited;
    pthread_mutex_lock(&w->lock);
    *started = w->started;
    *failed = w->failed;
    int ended = w->ended;
    pthread_mutex_unlock(&w->lock);
    return ended;
}

static int to_ms(int64_t ns)
{
    int64_t ms = ns < 0 ? -1 : (ns + IRIS_MILLISECOND - 1) / IRIS_MILLISECOND;
    return ms > 1000000 ? 1000000 : (int)ms;
}

/* -1 is no limit. */
static int shorter(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

void iris__app_tell(struct app *a, int what)
{
    if (a->options.tell)
        a->options.tell(a->options.ctx, what);
}

/* In how many ms the next one is due; -1: none is. */
static int beat(struct app *a)
{
    int64_t now = iris__sched_now(&a->runtime->world.sched);
    if (!a->options.tell || a->options.beat <= 0)
        return -1;
    if (now >= a->next_beat) {
        iris__app_tell(a, IRIS_APP_BEAT);
        a->next_beat = now + a->options.beat;
    }
    return to_ms(a->next_beat - now);
}

void iris__app_reload(struct app *a)
{
    if (atomic_load(&a->phase) == APP_RUNNING) /* else it is not ready, or not any more */
        iris__app_tell(a, IRIS_APP_RELOADING);
    iris__logs_reopen(&a->logs);
    a->reload = 1;
}

/* Once a stop was asked for, stop_fd stays readable: it is not looked at again. */
void iris__app_wait(struct app *a, int64_t ns)
{
    int fd = atomic_load(&a->stop) ? -1 : a->options.stop_fd;
    int reload = a->options.reload_fd > 0 ? a->options.reload_fd : -1;
    struct pollfd p[4] = {{.fd = a->bell, .events = POLLIN},
                          {.fd = fd, .events = POLLIN},
                          {.fd = a->watch ? iris__watch_fd(a->watch) : -1, .events = POLLIN},
                          {.fd = reload, .events = POLLIN}};
    eventfd_t rung;
    char asked[64];
    int most = shorter(to_ms(ns), a->watch ? iris__watch_timeout(a->watch) : -1);
    if (poll(p, 4, shorter(most, beat(a))) > 0) {
        a->heard = 1;
        if (p[0].revents)
            eventfd_read(a->bell, &rung);
    }
    if (p[1].revents)
        atomic_store(&a->stop, 1);
    if (p[3].revents && read(reload, &asked, sizeof asked) > 0)
        iris__app_reload(a);
    if (a->watch)
        iris__watch_run(a->watch);
    iris__app_say_events(a);
}
