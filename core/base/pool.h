/* Blocks of memory in a few sizes, handed between threads without malloc: each thread keeps a small
 * cache per size; whole batches move between the caches and a shared depot. Blocks are aligned to 64
 * bytes. Memory is given back to the system when the pool ends (its high-water mark stays until then).
 *
 * A thread that uses several pools changes its cache when it changes pools. A thread hands its caches
 * back when it ends, and those of pools that are over when it meets a new one. The pool lives until its
 * owner and the last such cache have let go. */
#ifndef IRIS_BASE_POOL_H
#define IRIS_BASE_POOL_H

#include "thread.h"

#include <stddef.h>
#include <stdint.h>

enum {
    POOL_TIERS = 7,   /* 64, 128, .. 4096 bytes */
    POOL_LARGE = 7,   /* tier of a block that malloc made */
    POOL_BATCH = 128, /* blocks that move at once */
    POOL_SLAB = 256   /* blocks of a slab */
};

struct pool;

struct pool_block {
    struct pool_block *next;
};

struct pool_cache {
    struct pool *pool;
    struct pool_cache *next; /* other pools' caches of the same thread */
    struct {
        struct pool_block *list;
        uint32_t count;
        struct pool_block *spare; /* one full batch put aside, so that a thread that swings around a
                                     batch's edge does not go to the depot each time */
    } free[POOL_TIERS];
};

/* max: bytes of the blocks that are in use at once, 0: no limit. Beyond it there is no block (NULL). What
 * threads have in their caches counts, by whole batches. */
struct pool *iris__pool_create(size_t max);
void iris__pool_destroy(struct pool *); /* its owner lets go; this thread's cache goes back too */
/* Bytes that the pool has taken from the system, large blocks included. */
size_t iris__pool_bytes(const struct pool *);

/* This thread's cache of a pool; NULL when memory is short. */
struct pool_cache *iris__pool_join(struct pool *);
void iris__pool_leave(struct thread *); /* the thread ends: hand all its caches back */

static inline struct pool_cache *iris__pool_cache(struct pool *p)
{
    struct pool_cache *c = iris__thread.cache;
    return c && c->pool == p ? c : iris__pool_join(p);
}

/* The smallest tier that holds len bytes. */
static inline uint32_t iris__pool_tier(size_t len)
{
    if (len <= 64)
        return 0;
    uint32_t c = (uint32_t)(58 - __builtin_clzl(len - 1));
    return c < POOL_TIERS ? c : POOL_LARGE;
}

struct pool_block *iris__pool_refill(struct pool_cache *, uint32_t tier);
void iris__pool_spill(struct pool_cache *, uint32_t tier);
void *iris__pool_large(struct pool *, size_t len, int anyhow); /* anyhow: beyond the limit too */
void iris__pool_large_free(void *block);
/* It is counted no more, and outlives its pool; iris__pool_of() it is NULL from then on. */
void iris__pool_large_disown(void *block);
struct pool *iris__pool_of(const void *block, uint32_t tier);

static inline void *iris__pool_get(struct pool_cache *c, uint32_t tier)
{
    struct pool_block *b = c->free[tier].list;
    if (__builtin_expect(!b, 0))
        return iris__pool_refill(c, tier);
    c->free[tier].list = b->next;
    c->free[tier].count--;
    return b;
}

static inline void iris__pool_put(struct pool_cache *c, uint32_t tier, void *block)
{
    struct pool_block *b = block;
    if (__builtin_expect(c->free[tier].count >= POOL_BATCH, 0))
        iris__pool_spill(c, tier);
    b->next = c->free[tier].list;
    c->free[tier].list = b;
    c->free[tier].count++;
}

#endif
