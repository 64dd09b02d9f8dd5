/* tally.h - a count for each name. */
#ifndef LOGWATCH_TALLY_H
#define LOGWATCH_TALLY_H

#include "logwatch.h"

#include <stdint.h>
#include <stdlib.h>

/* A log full of invented names must not eat the memory: what comes beyond this is only counted. */
enum { NAMES_MOST = 100000 };

struct entry {
    char *name, *last; /* last: what happened last, or NULL */
    uint64_t count;
};

struct tally {
    struct entry *entries; /* in the order of their names */
    size_t n, room;
    uint64_t others;
};

static inline int name_order(struct slice a, const char *b)
{
    size_t len = strlen(b), least = a.len < len ? a.len : len;
    int order = memcmp(a.at, b, least);
    return order ? order : (a.len > len) - (a.len < len);
}

/* Where the name is, or belongs. */
static inline size_t tally_place(const struct tally *t, struct slice name)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (name_order(name, t->entries[middle].name) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline struct entry *tally_find(const struct tally *t, struct slice name)
{
    size_t at = tally_place(t, name);
    return at < t->n && slice_is(name, t->entries[at].name) ? &t->entries[at] : NULL;
}

static inline int tally_grow(struct tally *t)
{
    size_t room = t->room ? t->room * 2 : 64;
    struct entry *entries = realloc(t->entries, room * sizeof *entries);
    if (!entries)
        return -1;
    t->entries = entries;
    t->room = room;
    return 0;
}

static inline struct entry *tally_insert(struct tally *t, struct slice name)
{
    size_t at = tally_place(t, name);
    char *copy = t->n < NAMES_MOST ? slice_copy(name) : NULL;
    if (!copy || (t->n == t->room && tally_grow(t))) {
        free(copy);
        return NULL;
    }
    memmove(t->entries + at + 1, t->entries + at, (t->n++ - at) * sizeof *t->entries);
    t->entries[at] = (struct entry){.name = copy};
    return &t->entries[at];
}

/* NULL: there are too many names, or there is no memory. It is among the others then. */
static inline struct entry *tally_add(struct tally *t, struct slice name, uint64_t count)
{
    struct entry *e = tally_find(t, name);
    if (!e)
        e = tally_insert(t, name);
    *(e ? &e->count : &t->others) += count;
    return e;
}

static inline void tally_finish(struct tally *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->entries[i].name);
        free(t->entries[i].last);
    }
    free(t->entries);
    *t = (struct tally){0};
}

#endif
