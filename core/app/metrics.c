#include "metrics.h"

#include "api.h"
#include "app.h"
#include "mailbox.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OTHER "other"

enum { PATH_HANDLED, PATH_DEPTH, PATH_RESTARTS, PATH_REFUSED, PATH_DROPPED, PATH_FAMILIES };

struct line { /* of one path */
    char path[256], host[32];
    uint64_t values[PATH_FAMILIES];
};

struct sheet {
    struct app *app;
    struct line *lines;
    size_t n, most;
    uint64_t depth; /* of all actors, with a path or without */
    uint64_t *own;  /* pids of the manifest's actors, sorted */
    size_t nown;
};

void iris__metrics_note(struct metrics *m, const iris_event *e)
{
    if (e->kind < METRICS_KINDS)
        atomic_fetch_add_explicit(&m->events[e->kind], 1, memory_order_relaxed);
}

/* ---- words ---- */

static void add_family(struct text *out, const char *name, const char *type, const char *help)
{
    iris__text_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: a backslash, a quote and a newline are written with a backslash. */
static void add_label(struct text *out, const char *name, const char *value, const char *before)
{
    iris__text_addf(out, "%s%s=\"", before, name);
    for (const char *s = value; *s; s++)
        iris__text_addf(out, *s == '\n' ? "\\n" : *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
    iris__text_add(out, "\"", 1);
}

static void add_one(struct text *out, const char *name, const char *label, const char *value,
                    uint64_t n)
{
    iris__text_addf(out, "%s", name);
    if (label) {
        add_label(out, label, value, "{");
        iris__text_add(out, "}", 1);
    }
    iris__text_addf(out, " %" PRIu64 "\n", n);
}

/* ---- the process ---- */

static uint64_t count_files(const char *directory)
{
    DIR *d = opendir(directory);
    uint64_t n = 0;
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/* Of /proc/self/stat what stands behind the name: fields from the third on. */
static int read_stat(unsigned long long *ticks, unsigned long long *start)
{
    char text[1024] = "";
    FILE *f = fopen("/proc/self/stat", "re");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    const char *rest = strrchr(text, ')');
    unsigned long long user, system;
    if (!rest || sscanf(rest + 1,
                        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
                        "%*d %*d %llu",
                        &user, &system, start) != 3)
        return -1;
    *ticks = user + system;
    return 0;
}

static double seconds_since_boot(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add_times(struct text *out)
{
    unsigned long long ticks, start;
    double hz = (double)sysconf(_SC_CLK_TCK);
    if (read_stat(&ticks, &start))
        return;
    add_family(out, "process_cpu_seconds_total", "counter", "Processor time used.");
    iris__text_addf(out, "process_cpu_seconds_total %.2f\n", (double)ticks / hz);
    add_family(out, "process_start_time_seconds", "gauge", "When it began, since 1970.");
    iris__text_addf(out, "process_start_time_seconds %.2f\n",
                    (double)time(NULL) - seconds_since_boot() + (double)start / hz);
}

static void add_process(struct text *out)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%*u %llu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    add_times(out);
    add_family(out, "process_resident_memory_bytes", "gauge", "Memory in use.");
    add_one(out, "process_resident_memory_bytes", NULL, NULL,
            pages * (uint64_t)sysconf(_SC_PAGESIZE));
    add_family(out, "process_open_fds", "gauge", "Open descriptors.");
    add_one(out, "process_open_fds", NULL, NULL, count_files("/proc/self/fd"));
    add_family(out, "process_threads", "gauge", "Threads.");
    add_one(out, "process_threads", NULL, NULL, count_files("/proc/self/task"));
}

/* ---- the app ---- */

static void add_totals(const iris_totals *t, struct text *out)
{
    const struct {
        const char *name, *type, *help;
        uint64_t n;
    } all[] = {
        {"iris_actors", "gauge", "Actors that live.", t->actors},
        {"iris_versions", "gauge", "Versions of code that are loaded.", t->versions},
        {"iris_message_bytes", "gauge", "Memory of messages.", t->bytes},
        {"iris_messages_total", "counter", "Messages handled, by all actors.", t->handled},
        {"iris_redirected_total", "counter", "Messages sent on by full mailboxes.", t->redirected},
        {"iris_spilled_total", "counter", "Messages of which a copy went on.", t->spilled},
        {"iris_waited_total", "counter", "Messages that waited for room.", t->waited},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        add_family(out, all[i].name, all[i].type, all[i].help);
        add_one(out, all[i].name, NULL, NULL, all[i].n);
    }
}

static void add_dead_letters(const iris_totals *t, struct text *out)
{
    static const char name[] = "iris_dead_letters_total";
    add_family(out, name, "counter", "Messages accepted and not handled, by reason.");
    add_one(out, name, "reason", "crashed", t->crashed);
    add_one(out, name, "reason", "ended", t->ended);
    add_one(out, name, "reason", "stray", t->stray);
    add_one(out, name, "reason", "node", t->node);
    add_one(out, name, "reason", "unwanted", t->unwanted);
    add_one(out, name, "reason", "dropped", t->dropped);
}

static void add_events(struct app *a, struct text *out)
{
    static const char name[] = "iris_events_total";
    add_family(out, name, "counter", "What happened to actors: crashes, restarts, swaps.");
    for (uint32_t kind = 0; kind <= IRIS_EVENT_HIGH_WATER; kind++)
        add_one(out, name, "kind", iris__event_word(kind), atomic_load(&a->metrics.events[kind]));
}

static void add_build(const struct app *a, struct text *out)
{
    add_family(out, "iris_build_info", "gauge", "Which iris runs which app.");
    iris__text_addf(out, "iris_build_info");
    add_label(out, "version", IRIS__VERSION, "{");
    add_label(out, "app", a->manifest->name, ",");
    iris__text_addf(out, "} 1\n");
}

/* ---- paths ---- */

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
}

static int has_path(const struct sheet *s, const iris_actor *a)
{
    struct world *w = &s->app->runtime->world;
    if (!iris__cold_if(a))
        return 0;
    pthread_mutex_lock(&w->facts_lock);
    const struct cold *c = iris__cold_if(a);
    int has = c && c->path;
    pthread_mutex_unlock(&w->facts_lock);
    return has;
}

static int by_pid(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The manifest's come first, in its order: they are the same ones each time. */
static void add_own(struct sheet *s)
{
    const struct app *a = s->app;
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        uint64_t pid = atomic_load(&a->actors[i].pid);
        if (!pid)
            continue;
        s->own[s->nown++] = pid;
        add_line(s, pid);
    }
    qsort(s->own, s->nown, sizeof *s->own, by_pid);
}

/* Most actors of a crowd have no path: of these nothing is looked at but the mailbox. */
static void look(void *ctx, uint64_t pid)
{
    struct sheet *s = ctx;
    const iris_actor *a = iris__table_at(&s->app->runtime->world.table, pid);
    if (!a)
        return;
    s->depth += iris__mailbox_size(a);
    if (s->n < s->most && has_path(s, a) && !bsearch(&pid, s->own, s->nown, sizeof *s->own, by_pid))
        add_line(s, pid);
}

/* What all have, without those that are told by themselves; they were counted a moment earlier. */
static uint64_t rest(const struct sheet *s, int family, uint64_t all)
{
    uint64_t told = 0;
    for (size_t i = 0; i < s->n; i++)
        told += s->lines[i].values[family];
    return all > told ? all - told : 0;
}

static void add_path_line(struct text *out, const char *name, const struct line *l, int with_host,
                          uint64_t n)
{
    iris__text_addf(out, "%s", name);
    add_label(out, "path", l->path, "{");
    if (with_host)
        add_label(out, "host", l->host, ",");
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
        add_family(out, families[f].name, families[f].type, families[f].help);
        for (size_t i = 0; i < s->n; i++)
            add_path_line(out, families[f].name, &s->lines[i], f == PATH_HANDLED,
                          s->lines[i].values[f]);
        add_path_line(out, families[f].name, &other, f == PATH_HANDLED,
                      rest(s, f, families[f].all));
    }
}

/* ---- labels of all ---- */

/* `name="value",` .. of the manifest's; empty: none. */
static void own_labels(const struct app *a, struct text *out)
{
    const char *json = a->manifest->metrics_labels;
    json_t *all = json ? json_loads(json, 0, NULL) : NULL;
    for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i)) {
        add_label(out, json_object_iter_key(i), json_string_value(json_object_iter_value(i)), "");
        iris__text_add(out, ",", 1);
    }
    json_decref(all);
}

/* Into each line of a sample: behind its name, in front of what labels it has. */
static int add_labels(const struct text *labels, const struct text *from, struct text *out)
{
    int failed = 0;
    for (const char *at = from->data, *end; *at && !failed; at = end) {
        end = strchr(at, '\n') + 1;
        size_t name = *at == '#' ? 0 : strcspn(at, "{ ");
        int has = name && at[name] == '{';
        failed = iris__text_add(out, at, name);
        if (name)
            failed |= iris__text_addf(out, "{%.*s%s", (int)labels->len - !has, labels->data,
                                      has ? "" : "}");
        failed |= iris__text_add(out, at + name + has, (size_t)(end - at) - name - (size_t)has);
    }
    return failed;
}

static int with_labels(const struct app *a, struct text *out)
{
    struct text labels = {0}, plain = *out;
    own_labels(a, &labels);
    if (!labels.len)
        return out->data ? 0 : -1;
    *out = (struct text){0};
    int failed = !plain.data || add_labels(&labels, &plain, out);
    iris__text_finish(&plain);
    iris__text_finish(&labels);
    return failed ? -1 : 0;
}

int iris__metrics_text(struct app *a, struct text *out)
{
    iris_totals t = {.size = sizeof t, .abi = IRIS_ABI};
    struct sheet s = {.app = a, .most = (size_t)a->manifest->max_series / PATH_FAMILIES};
    s.lines = malloc((s.most + 1) * sizeof *s.lines);
    s.own = malloc((a->manifest->nactors + 1) * sizeof *s.own);
    if (!s.lines || !s.own) {
        free(s.lines);
        free(s.own);
        return -1;
    }
    add_own(&s);
    iris__runtime_walk(a->runtime, look, &s);
    iris_count(a->runtime, &t);
    add_build(a, out);
    add_process(out);
    add_totals(&t, out);
    add_dead_letters(&t, out);
    add_events(a, out);
    add_paths(&s, &t, out);
    free(s.lines);
    free(s.own);
    return with_labels(a, out);
}
