/* A hash table whose links stand in what it holds: chains by a 64-bit key, which several may share.
 * It owns nothing and locks nothing. Doubles when there are as many links as slots. */
#ifndef IRIS_BASE_HASH_H
#define IRIS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_link {
    struct hash_link *next; /* in its slot: look at key */
    uint64_t key;
};

struct hash {
    struct hash_link **slots;
    uint32_t bits; /* 2^bits slots, once there are any */
    size_t count;
};

/* -1: no memory for a first slot. (Without memory to double, chains only get longer.) */
int iris__hash_add(struct hash *, struct hash_link *, uint64_t key);
void iris__hash_remove(struct hash *, struct hash_link *);
void iris__hash_finish(struct hash *); /* the slots; not what hangs on them */
/* A key for bytes. */
uint64_t iris__hash_bytes(const void *data, size_t len);

static inline size_t iris__hash_slot(const struct hash *h, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - h->bits));
}

/* The first link of this key, or the next one behind `l`; NULL: none. */
static inline struct hash_link *iris__hash_same(struct hash_link *l, uint64_t key)
{
    while (l && l->key != key)
        l = l->next;
    return l;
}

static inline struct hash_link *iris__hash_find(const struct hash *h, uint64_t key)
{
    return h->slots ? iris__hash_same(h->slots[iris__hash_slot(h, key)], key) : NULL;
}

#endif
