#include "lookup.h"

#include <stdlib.h>

static size_t slot(const struct table *t, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - t->bits));
}

static int set_size(struct table *t, uint32_t bits)
{
    struct table larger = {.slots = calloc((size_t)1 << bits, sizeof *t->slots), .bits = bits};
    if (!larger.slots)
        return -1;
    for (struct entry *e; (e = table_pop(t));) {
        struct entry **at = &larger.slots[slot(&larger, e->key)];
        e->next = *at;
        *at = e;
        larger.count++;
    }
    free(t->slots);
    *t = larger;
    return 0;
}

int table_add(struct table *t, struct entry *e, uint64_t key)
{
    e->key = key;
    if (!t->slots && set_size(t, 4))
        return -1;
    if (t->count >> t->bits)
        set_size(t, t->bits + 1); /* without memory chains only get longer */
    struct entry **at = &t->slots[slot(t, key)];
    e->next = *at;
    *at = e;
    t->count++;
    return 0;
}

struct entry *table_same(struct entry *e, uint64_t key)
{
    while (e && e->key != key)
        e = e->next;
    return e;
}

struct entry *table_find(const struct table *t, uint64_t key)
{
    return t->slots ? table_same(t->slots[slot(t, key)], key) : NULL;
}

void table_remove(struct table *t, struct entry *e)
{
    struct entry **at = &t->slots[slot(t, e->key)];
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    t->count--;
}

struct entry *table_pop(struct table *t)
{
    if (!t->count || !t->slots)
        return NULL;
    while (!t->slots[t->popped])
        t->popped = (t->popped + 1) >> t->bits ? 0 : t->popped + 1;
    struct entry *e = t->slots[t->popped];
    t->slots[t->popped] = e->next;
    t->count--;
    return e;
}

void table_sweep(struct table *t, int (*drop)(void *ctx, struct entry *), void *ctx)
{
    for (size_t i = 0; t->slots && i >> t->bits == 0; i++)
        for (struct entry **at = &t->slots[i], *e; (e = *at);) {
            struct entry *next = e->next;
            if (drop(ctx, e)) {
                *at = next;
                t->count--;
            } else
                at = &e->next;
        }
}

void table_finish(struct table *t)
{
    free(t->slots);
    *t = (struct table){0};
}
