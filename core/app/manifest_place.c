#include "manifest_reading.h"

#include <stdlib.h>
#include <string.h>

/* ---- problems ---- */

struct wanted {
    const struct manifest *m;
    struct problems *problems;
    struct text file; /* its name as problems have it */
};

static void place_problem(void *arg, const char *pointer, struct span key, struct span value)
{
    const struct wanted *w = arg;
    for (size_t i = 0; i < w->problems->n; i++) {
        struct problem *p = &w->problems->items[i];
        if (p->line || strcmp(p->pointer, pointer) || strcmp(p->file, w->file.data))
            continue;
        struct span at = p->at_key && key.width ? key : value;
        iris__problem_place(p, w->m->text, w->m->len, at.offset, at.width);
    }
}

void iris__manifest_locate(const struct manifest *m, struct problems *problems)
{
    struct wanted w = {.m = m, .problems = problems};
    if (problems->n && !iris__text_clean(&w.file, m->file, strlen(m->file)) && w.file.data)
        iris__manifest_visit(m->text, m->len, place_problem, &w);
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
