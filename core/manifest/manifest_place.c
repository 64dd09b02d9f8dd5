#include "manifest_reading.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- problems ---- */

enum {
    NOWHERE,
    ABOVE,
    DEFAULT,
    EXACT = INT_MAX
}; /* DEFAULT and the length of the path that it is for */

struct wanted {
    const struct manifest *m;
    struct problems *problems;
    struct text file;        /* its name as problems have it */
    int found[PROBLEMS_MAX]; /* how good the place is; EXACT: it has one */
};

/* What of the pointer is behind "/LIST/INDEX", or NULL. */
static const char *behind_index(const char *pointer, const char *list, size_t *index)
{
    size_t n = strlen(list);
    if (strncmp(pointer, list, n) || pointer[n] < '0' || pointer[n] > '9')
        return NULL;
    char *end;
    *index = strtoul(pointer + n, &end, 10);
    return end;
}

/* Also of the path itself: see iris__manifest_inherit(). */
static int hands_down(const char *supervisor, const char *path)
{
    size_t n = strlen(supervisor);
    return n == 1 || (!strncmp(path, supervisor, n) && (path[n] == '/' || !path[n]));
}

/* What an actor has from "defaults" is not where its pointer says. The nearest supervisor's holds. */
static int is_inherited(const struct manifest *m, const char *wanted, const char *pointer)
{
    size_t i, k;
    const char *key = behind_index(wanted, "/actors/", &i);
    const char *at = behind_index(pointer, "/supervisors/", &k);
    if (!key || !at || i >= m->nwritten || k >= m->nsupervisors)
        return NOWHERE;
    if (!strncmp(at, "/defaults/", strlen("/defaults/")))
        at += strlen("/defaults");
    const char *actor = m->written[i].path, *path = m->supervisors[k].path;
    if (strcmp(key, at) || !*key || !actor || !path || !hands_down(path, actor))
        return NOWHERE;
    return DEFAULT + (int)strlen(path);
}

static int place_of(const struct manifest *m, const char *wanted, const char *pointer)
{
    size_t n = strlen(pointer);
    if (!strcmp(wanted, pointer))
        return EXACT;
    if (n && !strncmp(wanted, pointer, n) && wanted[n] == '/')
        return ABOVE; /* what is meant is not in the file; the deepest comes last, and stays */
    return is_inherited(m, wanted, pointer);
}

static void place_problem(void *arg, const char *pointer, struct span key, struct span value)
{
    struct wanted *w = arg;
    for (size_t i = 0; i < w->problems->n; i++) {
        struct problem *p = &w->problems->items[i];
        int found = w->found[i] == EXACT ? NOWHERE : place_of(w->m, p->pointer, pointer);
        if (found < w->found[i] || (found == w->found[i] && found != ABOVE))
            continue;
        struct span at = p->at_key && key.width && found > ABOVE ? key : value;
        iris__problem_place(p, w->m->text, w->m->len, at.offset, at.width);
        w->found[i] = found;
    }
}

void iris__manifest_locate(const struct manifest *m, struct problems *problems)
{
    struct wanted w = {.m = m, .problems = problems};
    if (problems->n && !iris__text_clean(&w.file, m->file, strlen(m->file)) && w.file.data) {
        for (size_t i = 0; i < problems->n; i++)
            if (problems->items[i].line || strcmp(problems->items[i].file, w.file.data))
                w.found[i] = EXACT;
        iris__manifest_visit(m->text, m->len, place_problem, &w);
    }
    iris__text_finish(&w.file);
    iris__problems_sort(problems);
}

/* ---- actors and supervisors ---- */

/* "/actors/3" and "/actors/3/path" are it: the second comes later, and stays. */
static int is_element(const char *pointer, const char *list, size_t *index)
{
    size_t n = strlen(list);
    if (strncmp(pointer, list, n))
        return 0;
    char *end;
    *index = strtoul(pointer + n, &end, 10);
    return !*end || !strcmp(end, "/path");
}

struct cursor {
    struct manifest *m;
    size_t offset; /* what has been counted */
    unsigned line, column;
};

/* The visits go forward, so the lines are counted once for the whole file. */
static void count_to(struct cursor *c, size_t offset)
{
    unsigned lines, columns;
    if (offset < c->offset)
        return;
    iris__text_place(c->m->text + c->offset, offset - c->offset, &lines, &columns);
    c->column = lines > 1 ? columns : c->column + columns - 1;
    c->line += lines - 1;
    c->offset = offset;
}

static void place_element(void *arg, const char *pointer, struct span key, struct span value)
{
    struct cursor *c = arg;
    struct manifest *m = c->m;
    size_t i;
    (void)key;
    count_to(c, value.offset);
    if (is_element(pointer, "/actors/", &i) && i < m->nactors) {
        m->actors[i].line = c->line;
        m->actors[i].column = c->column;
    } else if (is_element(pointer, "/supervisors/", &i) && i < m->nsupervisors) {
        m->supervisors[i].line = c->line;
        m->supervisors[i].column = c->column;
    }
}

void iris__manifest_place_elements(struct reading *r)
{
    struct cursor c = {.m = r->m, .line = 1, .column = 1};
    iris__manifest_visit(r->m->text, r->m->len, place_element, &c);
}

/* ---- a key that is there twice ---- */

struct twin {
    size_t second_end; /* where the second one's key ends */
    char *pointer;     /* to both */
    size_t first;      /* offset of the first one's key */
    size_t second, width;
};

static void find_second(void *arg, const char *pointer, struct span key, struct span value)
{
    struct twin *t = arg;
    (void)value;
    if (key.width && key.offset + key.width == t->second_end && !t->pointer) {
        t->pointer = strdup(pointer);
        t->second = key.offset;
        t->width = key.width;
    }
}

static void find_first(void *arg, const char *pointer, struct span key, struct span value)
{
    struct twin *t = arg;
    (void)value;
    if (t->first == t->second && !strcmp(pointer, t->pointer))
        t->first = key.offset;
}

void iris__manifest_duplicate_key(struct reading *r, size_t offset)
{
    struct twin t = {.second_end = offset};
    const struct manifest *m = r->m;
    iris__manifest_visit(m->text, m->len, find_second, &t);
    t.first = t.second;
    if (t.pointer)
        iris__manifest_visit(m->text, m->len, find_first, &t);
    struct problem *p = iris__problem_add(r->problems, m->file, t.pointer ? t.pointer : "",
                                          "duplicate-key", "the key is there twice");
    unsigned line, column;
    iris__text_place(m->text, t.first, &line, &column);
    iris__problem_place(p, m->text, m->len, t.second, t.width);
    iris__problem_hint(p, "the first one is at %s:%u:%u", m->file, line, column);
    free(t.pointer);
}
