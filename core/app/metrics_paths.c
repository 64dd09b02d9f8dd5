#include "metrics_out.h"

#include "api.h"
#include "app.h"
#include "cold.h"
#include "gate.h"
#include "mailbox.h"
#include "own.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Series of paths: what has no path, and what is beyond metrics.max_series, is counted together. */

#define OTHER "other"
#define TIMING_SERIES (TIMING_BOUNDS + 3) /* of one path: also the rest, the sum and the count */

enum { PATH_HANDLED, PATH_DEPTH, PATH_RESTARTS, PATH_REFUSED, PATH_DROPPED, PATH_FAMILIES };

struct line { /* of one path */
    char path[256], host[32];
    uint64_t values[PATH_FAMILIES];
    struct timing timing;
};

struct sheet {
    struct app *app;
    struct line *lines;
    size_t n, most;
    uint64_t depth; /* of all actors, with a path or without */
    struct own own;
};

/* ---- looking ---- */

static void copy_timing(struct world *w, uint64_t pid, struct timing *out)
{
    const iris_actor *a = iris__table_at(&w->table, pid);
    iris__facts_hold(w);
    const struct cold *c = a && iris__gate_is(a, pid) ? iris__cold_if(a) : NULL;
    *out = c && c->timing ? *c->timing : (struct timing){0};
    iris__facts_release(w);
}

static void add_line(struct sheet *s, uint64_t pid)
{
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    if (s->n == s->most || iris__info(&s->app->runtime->world, pid, &i) != IRIS_OK || !*i.path)
        return;
    struct line *l = &s->lines[s->n++];
    memcpy(l->path, i.path, sizeof l->path);
    memcpy(l->host, i.host, sizeof l->host);
    l->values[PATH_HANDLED] = i.handled;
    l->values[PATH_DEPTH] = i.mailbox;
    l->values[PATH_RESTARTS] = i.restarts;
    l->values[PATH_REFUSED] = i.refused;
    l->values[PATH_DROPPED] = i.dropped;
    copy_timing(&s->app->runtime->world, pid, &l->timing);
}

static int has_path(const struct sheet *s, const iris_actor *a)
{
    struct world *w = &s->app->runtime->world;
    if (!iris__cold_if(a))
        return 0;
    iris__facts_hold(w);
    const struct cold *c = iris__cold_if(a);
    int has = c && c->path;
    iris__facts_release(w);
    return has;
}

/* The manifest's come first, in its order: they are the same ones each time. */
static void add_own(struct sheet *s)
{
    const struct app *a = s->app;
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        uint64_t pid = atomic_load(&a->actors[i].pid);
        if (!pid)
            continue;
        iris__own_add(&s->own, pid);
        add_line(s, pid);
    }
    iris__own_close(&s->own);
}

/* Most actors of a crowd have no path: of these nothing is looked at but the mailbox. */
static void look(void *ctx, uint64_t pid)
{
    struct sheet *s = ctx;
    const iris_actor *a = iris__table_at(&s->app->runtime->world.table, pid);
    if (!a)
        return;
    s->depth += iris__mailbox_size(a);
    if (s->n < s->most && has_path(s, a) && !iris__own_has(&s->own, pid))
        add_line(s, pid);
}

/* ---- telling ---- */

/* What all have, without those that are told by themselves; they were counted a moment earlier. */
static uint64_t rest(const struct sheet *s, int family, uint64_t all)
{
    uint64_t told = 0;
    for (size_t i = 0; i < s->n; i++)
        told += s->lines[i].values[family];
    return all > told ? all - told : 0;
}

static void add_tag(void *out, const char *name, const char *value)
{
    iris__metric_label(out, ",", name, value);
}

/* Its name and what labels it has, but for the brace at their end. host: NULL, or one more. */
static void put_path(const struct sheet *s, struct text *out, const char *name, const char *path,
                     const char *host)
{
    iris__text_addf(out, "%s", name);
    iris__metric_label(out, "{", "path", path);
    if (host)
        iris__metric_label(out, ",", "host", host);
    iris__tags_of(&s->app->logs.tags, path, add_tag, out);
}

static void add_path_line(const struct sheet *s, struct text *out, const char *name,
                          const struct line *l, int with_host, uint64_t n)
{
    put_path(s, out, name, l->path, with_host ? l->host : NULL);
    iris__text_addf(out, "} %" PRIu64 "\n", n);
}

static void add_paths(const struct sheet *s, const iris_totals *t, struct text *out)
{
    static const struct line other = {.path = OTHER, .host = ""};
    const struct {
        const char *name, *type, *help;
        uint64_t all;
    } families[PATH_FAMILIES] = {
        [PATH_HANDLED] = {"iris_actor_messages_total", "counter", "Messages handled.", t->handled},
        [PATH_DEPTH] = {"iris_mailbox_depth", "gauge", "Queued user messages.", s->depth},
        [PATH_RESTARTS] = {"iris_actor_restarts_total", "counter", "Restarts in place.",
                           atomic_load(&s->app->metrics.events[IRIS_EVENT_RESTARTED])},
        [PATH_REFUSED] = {"iris_mailbox_refused_total", "counter",
                          "Messages refused, as the mailbox was full.", t->refused},
        [PATH_DROPPED] = {"iris_mailbox_dropped_total", "counter",
                          "Messages dropped for newer ones.", t->dropped},
    };
    for (int f = 0; f < PATH_FAMILIES; f++) {
        iris__metric_family(out, families[f].name, families[f].type, families[f].help);
        for (size_t i = 0; i < s->n; i++)
            add_path_line(s, out, families[f].name, &s->lines[i], f == PATH_HANDLED,
                          s->lines[i].values[f]);
        add_path_line(s, out, families[f].name, &other, f == PATH_HANDLED,
                      rest(s, f, families[f].all));
    }
}

/* ---- the time of turns ---- */

static void add_timing(const struct sheet *s, struct text *out, const char *path,
                       const struct timing *t)
{
    uint64_t n = 0;
    for (int i = 0; i <= TIMING_BOUNDS; i++) {
        n += t->in[i];
        put_path(s, out, "iris_handler_seconds_bucket", path, NULL);
        iris__metric_label(out, ",", "le", i < TIMING_BOUNDS ? iris__timing_words[i] : "+Inf");
        iris__text_addf(out, "} %" PRIu64 "\n", n);
    }
    put_path(s, out, "iris_handler_seconds_sum", path, NULL);
    iris__text_addf(out, "} %.9g\n", (double)t->sum / 1e9);
    put_path(s, out, "iris_handler_seconds_count", path, NULL);
    iris__text_addf(out, "} %" PRIu64 "\n", n);
}

/* For as many paths as metrics.max_series has room for behind the others; the same ones each time. */
static void add_timings(const struct sheet *s, struct text *out)
{
    struct world *w = &s->app->runtime->world;
    size_t room = (size_t)s->app->manifest->max_series - s->n * PATH_FAMILIES;
    size_t n = room / TIMING_SERIES < s->n ? room / TIMING_SERIES : s->n;
    iris__facts_hold(w);
    struct timing others = w->timing;
    iris__facts_release(w);
    iris__metric_family(out, "iris_handler_seconds", "histogram",
                        "Time of turns: all of a quiet actor, a sample of a busy one.");
    for (size_t i = 0; i < n; i++) {
        add_timing(s, out, s->lines[i].path, &s->lines[i].timing);
        iris__timing_subtract(&others, &s->lines[i].timing);
    }
    add_timing(s, out, OTHER, &others);
}

/* The sums after the lines: they have at least as much. */
int iris__metrics_paths(struct app *a, iris_totals *t, struct text *out)
{
    struct sheet s = {.app = a, .most = (size_t)a->manifest->max_series / PATH_FAMILIES};
    s.lines = malloc((s.most + 1) * sizeof *s.lines);
    int failed = iris__own_open(a, &s.own) || !s.lines;
    if (!failed) {
        add_own(&s);
        iris__runtime_walk(a->runtime, look, &s);
        iris_count(a->runtime, t);
        add_paths(&s, t, out);
        add_timings(&s, out);
    }
    free(s.lines);
    iris__own_finish(&s.own);
    return failed ? -1 : 0;
}
