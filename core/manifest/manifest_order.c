#include "manifest_reading.h"

#include <iris/plugin.h>

#include <stdlib.h>
#include <string.h>

#define CYCLE_SHOWN 8 /* paths of a cycle that are told */

/* What is not known of an element (its path was wrong) was told already: it is left out here. */

struct order {
    struct reading *r;
    struct manifest *m;
    size_t *by_path;      /* indices of actors with a path, sorted by it and then as written */
    size_t n;             /* of these */
    unsigned char *state; /* of each actor: NEW, OPEN on the way to its dependencies, or DONE */
    size_t *way;          /* the actors on that way */
    size_t *next;         /* of each actor: its dependency to look at next */
    size_t depth, done;
};
enum { NEW, OPEN, DONE };

/* ---- looking up ---- */

static const char *actor_path(const struct manifest *m, size_t i)
{
    return m->actors[i].path;
}

static const char *actor_name(const struct manifest *m, size_t i)
{
    return m->actors[i].name;
}

static const char *supervisor_path(const struct manifest *m, size_t i)
{
    return m->supervisors[i].path;
}

struct sorting {
    const struct manifest *m;
    const char *(*text)(const struct manifest *, size_t);
};

static int compare(const void *a, const void *b, void *arg)
{
    const struct sorting *by = arg;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int c = strcmp(by->text(by->m, i), by->text(by->m, j));
    return c ? c : i < j ? -1 : 1;
}

/* The indices of all elements that have the text, sorted by it. */
static size_t *sorted(struct reading *r, struct sorting by, size_t count, size_t *n)
{
    size_t *list = iris__manifest_alloc(r, count * sizeof *list);
    *n = 0;
    for (size_t i = 0; list && i < count; i++)
        if (by.text(by.m, i))
            list[(*n)++] = i;
    if (*n > 1)
        qsort_r(list, *n, sizeof *list, compare, &by);
    return list;
}

static size_t find(const struct order *o, const char *path)
{
    size_t low = 0, high = o->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(actor_path(o->m, o->by_path[middle]), path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < o->n && !strcmp(actor_path(o->m, o->by_path[low]), path) ? o->by_path[low]
                                                                          : SIZE_MAX;
}

/* ---- pointers of problems ---- */

static size_t point(struct reading *r, const char *list, size_t i, const char *key)
{
    size_t back = iris__pointer_key(&r->pointer, list, strlen(list));
    iris__pointer_index(&r->pointer, i);
    iris__pointer_key(&r->pointer, key, strlen(key));
    return back;
}

/* ---- one path or name, one owner ---- */

static void check_twins(struct reading *r, const char *list, const char *key, struct sorting by,
                        size_t count)
{
    size_t n, *order = sorted(r, by, count, &n);
    for (size_t i = 1; i < n; i++) {
        size_t first = order[i - 1], second = order[i];
        const char *text = by.text(r->m, second);
        if (strcmp(text, by.text(r->m, first)))
            continue;
        int is_actor = !strcmp(list, "actors");
        unsigned line = is_actor ? r->m->actors[first].line : r->m->supervisors[first].line;
        unsigned column = is_actor ? r->m->actors[first].column : r->m->supervisors[first].column;
        size_t back = point(r, list, second, key);
        struct problem *p =
            iris__manifest_problem(r, !strcmp(key, "path") ? "duplicate-path" : "duplicate-name",
                                   "found \"%s\" again; expected a %s of its own", text, key);
        iris__problem_hint(p, "the first one is %s[%zu] at %s:%u:%u", list, first, r->m->file, line,
                           column);
        iris__pointer_back(&r->pointer, back);
    }
}

/* ---- who starts before whom ---- */

/* Whom it needs: those that it depends on, and then who gets what is too much for its mailbox. */
static const char *needed(const struct manifest_actor *a, size_t i)
{
    return i < a->ndepends_on ? a->depends_on[i] : a->fallback;
}

static size_t point_at_needed(struct order *o, size_t actor, size_t i)
{
    int is_fallback = i == o->m->actors[actor].ndepends_on;
    size_t back = point(o->r, "actors", actor, is_fallback ? "mailbox" : "depends_on");
    if (is_fallback)
        iris__pointer_key(&o->r->pointer, "fallback", strlen("fallback"));
    else
        iris__pointer_index(&o->r->pointer, i);
    return back;
}

static void unknown_path(struct order *o, size_t actor, size_t i)
{
    const char *path = needed(&o->m->actors[actor], i);
    size_t back = point_at_needed(o, actor, i);
    struct problem *p = iris__manifest_problem(o->r, "unknown-path",
                                               "found \"%s\"; expected the path of an actor", path);
    struct nearest near = {.word = path};
    for (size_t j = 0; p && j < o->n; j++)
        iris__nearest_try(&near, actor_path(o->m, o->by_path[j]),
                          strlen(actor_path(o->m, o->by_path[j])));
    if (near.best)
        iris__problem_hint(p, "did you mean \"%s\"?", near.best);
    iris__pointer_back(&o->r->pointer, back);
}

/* The list by which it goes on, or the fallback. */
static size_t point_at_cycle(struct order *o, size_t actor)
{
    size_t i = o->next[actor] - 1;
    if (i < o->m->actors[actor].ndepends_on)
        return point(o->r, "actors", actor, "depends_on");
    return point_at_needed(o, actor, i);
}

/* The way from `actor` back to it is a circle: it is the end of o->way. */
static void cycle(struct order *o, size_t actor)
{
    struct text circle = {0};
    size_t from = o->depth;
    while (o->way[from - 1] != actor)
        from--;
    for (size_t i = from - 1; i < o->depth; i++) {
        size_t shown = i - (from - 1), left = o->depth - i;
        if (shown < CYCLE_SHOWN || left == 1)
            iris__text_addf(&circle, "%s -> ", actor_path(o->m, o->way[i]));
        else if (shown == CYCLE_SHOWN)
            iris__text_addf(&circle, "(%zu more) -> ", left - 1);
    }
    iris__text_addf(&circle, "%s", actor_path(o->m, actor));
    size_t back = point_at_cycle(o, actor);
    iris__manifest_problem(o->r, "cycle", "found the circle %s; one of them must start first",
                           circle.data ? circle.data : "");
    iris__pointer_back(&o->r->pointer, back);
    iris__text_finish(&circle);
}

static void open_actor(struct order *o, size_t actor)
{
    o->state[actor] = OPEN;
    o->way[o->depth++] = actor;
}

/* Goes one dependency further, without recursion: a chain may be as long as the file. */
static void advance(struct order *o)
{
    size_t actor = o->way[o->depth - 1];
    const struct manifest_actor *a = &o->m->actors[actor];
    if (o->next[actor] == a->ndepends_on + (a->fallback != NULL)) {
        o->state[actor] = DONE;
        o->m->start_order[o->done++] = actor;
        o->depth--;
        return;
    }
    size_t i = o->next[actor]++, other = find(o, needed(a, i));
    if (other == SIZE_MAX)
        unknown_path(o, actor, i);
    else if (o->state[other] == OPEN)
        cycle(o, other);
    else if (o->state[other] == NEW)
        open_actor(o, other);
}

/* Depth first in the order of the file: nobody starts earlier than he must. */
static void sort(struct order *o)
{
    for (size_t i = 0; i < o->m->nactors; i++) {
        if (o->state[i] == NEW && actor_path(o->m, i))
            open_actor(o, i);
        while (o->depth)
            advance(o);
    }
}

static void check_fallbacks(struct reading *r)
{
    for (size_t i = 0; i < r->m->nactors; i++) {
        const struct manifest_actor *a = &r->m->actors[i];
        int wants = a->overflow == IRIS_REDIRECT || a->overflow == IRIS_SPILL;
        if (wants == (a->fallback != NULL))
            continue;
        size_t back = point(r, "actors", i, "mailbox");
        iris__pointer_key(&r->pointer, wants ? "overflow" : "fallback", 8);
        struct problem *p =
            wants ? iris__manifest_problem(r, "missing-key", "needs a \"fallback\" beside it")
                  : iris__manifest_problem(r, "bad-value",
                                           "is only for \"overflow\": \"redirect\" or \"spill\"");
        if (p && wants)
            iris__problem_hint(p, "the path of the actor that gets what is too much");
        iris__pointer_back(&r->pointer, back);
    }
}

void iris__manifest_order(struct reading *r)
{
    struct manifest *m = r->m;
    size_t n = m->nactors;
    struct order o = {.r = r, .m = m};
    check_twins(r, "actors", "path", (struct sorting){m, actor_path}, n);
    check_twins(r, "actors", "name", (struct sorting){m, actor_name}, n);
    check_twins(r, "supervisors", "path", (struct sorting){m, supervisor_path}, m->nsupervisors);
    o.by_path = sorted(r, (struct sorting){m, actor_path}, n, &o.n);
    m->start_order = iris__manifest_alloc(r, n * sizeof *m->start_order);
    o.way = iris__manifest_alloc(r, n * sizeof *o.way);
    o.next = iris__manifest_alloc(r, n * sizeof *o.next);
    o.state = iris__manifest_alloc(r, n);
    check_fallbacks(r);
    if (!r->no_memory)
        sort(&o);
}
