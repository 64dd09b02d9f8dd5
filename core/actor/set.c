#include "set.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { FEW = 8 };

static uint32_t bucket(const struct set *s, uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (s->room - 1);
}

struct in_set *iris__set_find(const struct set *s, uint64_t key)
{
    struct in_set *m = s->buckets ? s->buckets[bucket(s, key)] : s->first;
    while (m && m->key != key)
        m = s->buckets ? m->chain : m->next;
    return m;
}

static void hash_in(struct set *s, struct in_set *m)
{
    struct in_set **b = &s->buckets[bucket(s, m->key)];
    m->chain = *b;
    *b = m;
}

static void grow(struct set *s)
{
    uint32_t room = s->room ? s->room * 2 : 4 * FEW;
    struct in_set **buckets = room ? calloc(room, sizeof(struct in_set *)) : NULL;
    if (!buckets)
        return;
    free(s->buckets);
    s->buckets = buckets;
    s->room = room;
    for (struct in_set *m = s->first; m; m = m->next)
        hash_in(s, m);
}

static uint32_t count(struct set *s, uint32_t by)
{
    uint32_t n = atomic_load_explicit(&s->used, memory_order_relaxed) + by;
    atomic_store_explicit(&s->used, n, memory_order_relaxed);
    return n;
}

void iris__set_add(struct set *s, struct in_set *m, uint64_t key)
{
    if (s->used >= (s->room ? s->room : FEW))
        grow(s);
    m->key = key;
    m->next = NULL;
    m->prev = s->last;
    *(s->last ? &s->last->next : &s->first) = m;
    s->last = m;
    count(s, 1);
    if (s->buckets)
        hash_in(s, m);
}

static void hash_out(struct set *s, struct in_set *m)
{
    struct in_set **at = &s->buckets[bucket(s, m->key)];
    while (*at != m)
        at = &(*at)->chain;
    *at = m->chain;
}

void iris__set_take(struct set *s, struct in_set *m)
{
    if (s->buckets)
        hash_out(s, m);
    *(m->prev ? &m->prev->next : &s->first) = m->next;
    *(m->next ? &m->next->prev : &s->last) = m->prev;
    if (count(s, UINT32_MAX) == 0) { /* an actor that once had many keeps nothing of it */
        free(s->buckets);
        s->buckets = NULL;
        s->room = 0;
    }
}

struct in_set *iris__set_pop(struct set *s)
{
    struct in_set *m = s->first;
    if (m)
        iris__set_take(s, m);
    return m;
}

void iris__set_clear(struct set *s)
{
    for (struct in_set *m; (m = iris__set_pop(s));)
        free(m);
}
