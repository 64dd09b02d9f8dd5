/* A hash table of links that stand in what it holds; several may have one key. It owns nothing. */
#ifndef MESH_LOOKUP_H
#define MESH_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

struct entry {
    struct entry *next;
    uint64_t key;
};

struct table {
    struct entry **slots;
    uint32_t bits;        /* 2^bits slots */
    size_t count, popped; /* popped: the slot where table_pop() looks first */
};

int table_add(struct table *, struct entry *, uint64_t key); /* -1: no memory */
struct entry *table_find(const struct table *, uint64_t key);
struct entry *table_same(struct entry *next,
                         uint64_t key); /* the first of this key, from next on */
void table_remove(struct table *, struct entry *);
/* One after the other, any order; NULL: it is empty. */
struct entry *table_pop(struct table *);
/* Each entry once; drop() says whether it goes (and has freed it). */
void table_sweep(struct table *, int (*drop)(void *ctx, struct entry *), void *ctx);
void table_finish(struct table *); /* the slots */

#endif
