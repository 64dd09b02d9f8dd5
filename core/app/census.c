#include "census.h"

#include "app.h"
#include "behaviour.h"
#include "cold.h"
#include "door.h"
#include "gate.h"
#include "mailbox.h"
#include "own.h"

#include <stdlib.h>
#include <string.h>

#define STEP 64 /* places that are looked at under one hold of the lock */
#define SAMPLE_AGE \
    (900 * IRIS_MILLISECOND) /* a look that old is what the next one is compared with */

const char *const iris__census_words[] = {
    "written", "queue", "rate", "dead-letters", "overflows", "restarts", "age", "path", NULL};

struct look { /* of one actor */
    const iris_actor *actor;
    struct cold *cold;
    uint64_t pid;
    struct census_sample now;
    uint32_t mailbox, restarts;
    int64_t started; /* 0: not known */
};

struct survey {
    struct app *app;
    struct world *world;
    const struct census_want *want;
    struct census_result *out;
    size_t room, seen;
    struct own own; /* as written these have come before */
    uint64_t handled;
    int64_t at;
    int samples; /* what is counted now is kept */
    int failed;
};

/* ---- rates ---- */

static double per_second(uint64_t now, uint64_t before, double seconds)
{
    return seconds > 0 && now > before ? (double)(now - before) / seconds : 0;
}

static void compare(const struct census_sample *now, const struct census_sample *before,
                    double seconds, struct census_rates *r)
{
    *r = (struct census_rates){
        .messages = per_second(now->handled, before->handled, seconds),
        .letters = per_second(now->letters, before->letters, seconds),
        .overflows = per_second(now->overflows, before->overflows, seconds),
        .over = seconds,
    };
}

/* One that began again in place has counted for longer than this incarnation lives: then for as long as the app
 * does, at most. */
static void rate(const struct app *a, int64_t at, const struct census_sample *now, int64_t age,
                 struct census_rates *r)
{
    static const struct census_sample none;
    const struct census_samples *s = &a->census.before;
    size_t slot = now->pid & PID_SLOT_MASK;
    int knows = s->at && slot < s->n && s->of[slot].pid == now->pid;
    int64_t span = knows ? at - s->at : age >= 0 ? age : at - a->opened;
    compare(now, knows ? &s->of[slot] : &none, (double)span / IRIS_SECOND, r);
}

void iris__census_rates(struct app *a, const iris_info *i, struct census_rates *r)
{
    struct census_sample now = {.pid = i->pid,
                                .handled = i->handled,
                                .letters = i->letters,
                                .overflows = i->refused + i->dropped + i->redirected + i->spilled +
                                             i->waited};
    rate(a, iris__sched_now(&a->runtime->world.sched), &now, i->restarts ? -1 : i->uptime, r);
}

/* ---- samples ---- */

static void free_samples(struct census_samples *s)
{
    free(s->of);
    *s = (struct census_samples){0};
}

void iris__census_finish(struct census *c)
{
    free_samples(&c->before);
    free_samples(&c->last);
}

/* Without memory for it rates stay those since each began. */
static int reserve(struct census_samples *s, size_t n)
{
    if (n > s->room) {
        struct census_sample *of = realloc(s->of, (n + n / 4) * sizeof *of);
        if (!of)
            return -1;
        s->of = of;
        s->room = n + n / 4;
    }
    if (n) /* there may be none at all yet */
        memset(s->of, 0, n * sizeof *s->of);
    s->n = n;
    return 0;
}

/* The last look becomes the one to compare with, and this one the last. */
static void begin_samples(struct survey *v, size_t places)
{
    struct census *c = &v->app->census;
    if (c->last.at && v->at - c->last.at < SAMPLE_AGE)
        return;
    struct census_samples reused = c->before;
    c->before = c->last;
    c->last = reused;
    c->last.at = 0;
    c->last.all = (struct census_sample){0};
    if (reserve(&c->last, places))
        return;
    c->last.at = v->at;
    v->samples = 1;
}

static void keep_sample(struct survey *v, const struct census_sample *now)
{
    struct census_samples *s = &v->app->census.last;
    size_t slot = now->pid & PID_SLOT_MASK;
    if (v->samples && slot < s->n)
        s->of[slot] = *now;
}

/* ---- what is wanted ---- */

/* Positive: a comes first. */
static double differ(enum census_sort sort, const struct census_row *a, const struct census_row *b)
{
    if (sort == CENSUS_BY_PATH)
        return strcmp(b->path, a->path);
    return a->key != b->key ? a->key - b->key : a->second - b->second;
}

static int comes_first(const struct survey *v, const struct census_row *a,
                       const struct census_row *b)
{
    double d = differ(v->want->sort, a, b);
    if (d == 0)
        return a->order < b->order;
    return v->want->reversed ? d < 0 : d > 0;
}

static void set_keys(const struct survey *v, const struct look *l, struct census_row *row)
{
    struct census_rates r;
    int64_t age = l->started ? v->at - l->started : -1;
    rate(v->app, v->at, &l->now, l->restarts ? -1 : age, &r);
    switch (v->want->sort) {
    case CENSUS_BY_QUEUE:
        row->key = l->mailbox;
        row->second = r.messages;
        break;
    case CENSUS_BY_RATE:
        row->key = r.messages;
        row->second = (double)l->now.handled;
        break;
    case CENSUS_BY_LETTERS:
        row->key = r.letters;
        row->second = (double)l->now.letters;
        break;
    case CENSUS_BY_OVERFLOWS:
        row->key = r.overflows;
        row->second = (double)l->now.overflows;
        break;
    case CENSUS_BY_RESTARTS:
        row->key = l->restarts;
        break;
    case CENSUS_BY_AGE:
        row->key = (double)age;
        break;
    case CENSUS_AS_WRITTEN:
    case CENSUS_BY_PATH:
        break;
    }
}

/* ---- the first rows: a heap whose top is the one that goes next ---- */

static void sift_down(const struct survey *v, size_t at, size_t n)
{
    struct census_row *h = v->out->rows, row = h[at];
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && comes_first(v, &h[child], &h[child + 1]);
        if (!comes_first(v, &row, &h[child]))
            break;
        h[at] = h[child];
    }
    h[at] = row;
}

static void sift_up(const struct survey *v, size_t at)
{
    struct census_row *h = v->out->rows, row = h[at];
    for (size_t up; at && (up = (at - 1) / 2, comes_first(v, &h[up], &row)); at = up)
        h[at] = h[up];
    h[at] = row;
}

static int grow(struct survey *v)
{
    size_t room = v->room ? 2 * v->room : 256;
    struct census_row *rows = realloc(v->out->rows, room * sizeof *rows);
    if (!rows) {
        v->failed = 1;
        return -1;
    }
    v->out->rows = rows;
    v->room = room;
    return 0;
}

static int copy_path(struct survey *v, struct census_row *row)
{
    row->path = strdup(row->path);
    v->failed |= !row->path;
    return row->path ? 0 : -1;
}

static size_t wanted(const struct census_want *w)
{
    size_t most = w->most > CENSUS_ALL - w->skip ? CENSUS_ALL : w->skip + w->most;
    return w->sort != CENSUS_AS_WRITTEN && most > CENSUS_SORTED ? CENSUS_SORTED : most;
}

/* row->path is borrowed, and copied if the row is taken. */
static void offer(struct survey *v, struct census_row *row)
{
    struct census_result *out = v->out;
    int sorts = v->want->sort != CENSUS_AS_WRITTEN;
    size_t most = wanted(v->want);
    int is_full = out->n == most;
    if (!most || (is_full && (!sorts || !comes_first(v, row, &out->rows[0]))))
        return;
    if ((!is_full && out->n == v->room && grow(v)) || (row->path && copy_path(v, row)))
        return;
    if (is_full) {
        free((char *)out->rows[0].path);
        out->rows[0] = *row;
        sift_down(v, 0, most);
    } else {
        out->rows[out->n++] = *row;
        if (sorts)
            sift_up(v, out->n - 1);
    }
}

/* Out of the heap, the last one first: what is left in front is sorted. */
static void sort(struct survey *v)
{
    struct census_row *h = v->out->rows;
    for (size_t n = v->out->n; n > 1; n--) {
        struct census_row last = h[0];
        h[0] = h[n - 1];
        h[n - 1] = last;
        sift_down(v, 0, n - 1);
    }
}

/* ---- the walk ---- */

static int has(const char *text, const char *part)
{
    return text && strcasestr(text, part);
}

const char *iris__census_tag(const char *filter)
{
    static const char mark[] = "tag:";
    return filter && !strncmp(filter, mark, sizeof mark - 1) ? filter + sizeof mark - 1 : NULL;
}

static int matches(const struct survey *v, const struct look *l)
{
    const iris_version *version = l->actor->version;
    const char *path = l->cold ? l->cold->path : NULL, *part = v->want->filter;
    if (!path && !v->want->nameless)
        return 0;
    if (iris__census_tag(part))
        return path && iris__tags_match(&v->app->logs.tags, path, iris__census_tag(part));
    return !part || has(path, part) || has(version->handler, part) ||
           has(version->host_name, part) || has(version->b.name, part);
}

/* A door is made for those that were nearly full once, or have a policy: others have counted nothing. */
static void look_at_mailbox(const struct survey *v, struct look *l)
{
    iris_mailbox_look m = {.size = sizeof m, .abi = IRIS_ABI};
    l->mailbox = iris__markers_exclude(l->actor, iris__mailbox_size(l->actor));
    if (!iris__table_door(&v->world->table, l->actor->slot, 0) ||
        iris__door_look(v->world, l->pid, &m) != IRIS_OK)
        return;
    l->mailbox = m.mailbox;
    l->now.letters += m.counts[IRIS_MAILBOX_DROPPED];
    l->now.overflows = m.counts[IRIS_MAILBOX_REFUSED] + m.counts[IRIS_MAILBOX_DROPPED] +
                       m.counts[IRIS_MAILBOX_REDIRECTED] + m.counts[IRIS_MAILBOX_SPILLED] +
                       m.counts[IRIS_MAILBOX_WAITED];
}

static void look_at_cold(struct look *l)
{
    struct cold *c = l->cold = iris__cold_if(l->actor);
    if (!c)
        return;
    l->now.letters = atomic_load_explicit(&c->crashed, memory_order_relaxed) +
                     atomic_load_explicit(&c->unfinished, memory_order_relaxed);
    l->restarts = atomic_load_explicit(&c->restarts, memory_order_relaxed);
    l->started = atomic_load_explicit(&c->started, memory_order_relaxed);
}

static void count(struct survey *v, const struct look *l)
{
    struct census_result *out = v->out;
    out->actors++;
    out->without_path += !l->cold || !l->cold->path;
    out->queued += l->mailbox;
    v->handled += l->now.handled;
    keep_sample(v, &l->now);
}

static void take_row(struct survey *v, const struct look *l)
{
    if (!matches(v, l))
        return;
    v->out->matched++;
    struct census_row row = {.pid = l->pid, .order = v->seen++};
    if (v->want->sort == CENSUS_BY_PATH)
        row.path = l->cold && l->cold->path ? l->cold->path : "";
    set_keys(v, l, &row);
    offer(v, &row);
}

/* facts_lock held. 0: there is no actor. */
static int look_at(const struct survey *v, const iris_actor *a, struct look *l)
{
    uint32_t generation = iris__gate_upper(a) & ~GATE_OPEN;
    if (!generation || !a->version ||
        atomic_load(&((iris_actor *)a)->marks) & (MARK_PORT | MARK_OVER))
        return 0;
    *l = (struct look){.actor = a, .pid = (uint64_t)generation << PID_SLOT_BITS | a->slot};
    l->now.pid = l->pid;
    l->now.handled = atomic_load_explicit(&((iris_actor *)a)->handled, memory_order_relaxed);
    look_at_cold(l);
    look_at_mailbox(v, l);
    return 1;
}

static void visit(struct survey *v, const iris_actor *a)
{
    struct look l;
    if (!look_at(v, a, &l))
        return;
    count(v, &l);
    if (!iris__own_has(&v->own, l.pid))
        take_row(v, &l);
}

/* The manifest's actors come first, as it has them. */
static void visit_own(struct survey *v)
{
    const struct app *a = v->app;
    struct look l;
    v->failed = iris__own_open(a, &v->own) != 0;
    for (size_t i = 0; v->own.pids && i < a->manifest->nactors; i++) {
        uint64_t pid = atomic_load(&a->actors[i].pid);
        const iris_actor *at = pid ? iris__table_at(&v->world->table, pid) : NULL;
        iris__facts_hold(v->world);
        if (at && iris__gate_is(at, pid) && look_at(v, at, &l)) {
            iris__own_add(&v->own, pid);
            take_row(v, &l);
        }
        iris__facts_release(v->world);
    }
    iris__own_close(&v->own);
}

static void walk(struct survey *v, uint32_t places)
{
    struct world *w = v->world;
    for (uint32_t i = places; i > 0;) {
        iris__facts_hold(w);
        for (uint32_t n = 0; n < STEP && i > 0; n++) {
            iris_actor *a = iris__table_at(&w->table, --i);
            if (a)
                visit(v, a);
        }
        iris__facts_release(w);
    }
}

/* ---- all of it ---- */

/* Those of actors that are gone, too. */
static void sum_up(struct survey *v)
{
    struct world *w = v->world;
    struct census_samples *last = &v->app->census.last;
    const struct census_samples *before = &v->app->census.before;
    struct census_sample now = {.handled = v->handled + atomic_load(&w->table.handled),
                                .letters = (uint64_t)iris__world_dead_total(w)};
    for (int i = IRIS_MAILBOX_REFUSED; i <= IRIS_MAILBOX_WAITED; i++)
        now.overflows += (uint64_t)atomic_load(&w->doors[i]);
    if (v->samples)
        last->all = now;
    int64_t span = v->at - (before->at ? before->at : v->app->opened);
    compare(&now, &before->all, (double)span / IRIS_SECOND, &v->out->rates);
}

static void free_paths(struct census_result *out, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        free((char *)out->rows[i].path);
}

static void skip(struct survey *v)
{
    struct census_result *out = v->out;
    size_t n = v->want->skip < out->n ? v->want->skip : out->n;
    if (!n)
        return;
    if (out->owns_paths)
        free_paths(out, 0, n);
    memmove(out->rows, out->rows + n, (out->n - n) * sizeof *out->rows);
    out->n -= n;
}

void iris__census_free(struct census_result *out)
{
    if (out->owns_paths)
        free_paths(out, 0, out->n);
    free(out->rows);
    *out = (struct census_result){0};
}

int iris__census_take(struct app *a, const struct census_want *want, struct census_result *out)
{
    struct survey v = {.app = a, .world = &a->runtime->world, .want = want, .out = out};
    uint32_t places = iris__table_bound(&v.world->table);
    *out = (struct census_result){.owns_paths = want->sort == CENSUS_BY_PATH};
    v.at = iris__sched_now(&v.world->sched);
    begin_samples(&v, places);
    if (want->sort == CENSUS_AS_WRITTEN)
        visit_own(&v);
    walk(&v, places);
    if (want->sort != CENSUS_AS_WRITTEN)
        sort(&v);
    skip(&v);
    sum_up(&v);
    iris__own_finish(&v.own);
    return v.failed ? -1 : 0;
}
