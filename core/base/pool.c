#include "pool.h"

#include "spin.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Memory comes in slabs that are aligned to their size, so that a block's address gives its slab and
 * the slab its pool. The first block of each slab is that head. Small ones come several at once: malloc writes
 * before what it aligns, which is a page of its own for each piece. */
struct slab {
    struct pool *pool;
    struct slab *next; /* piece */
};

enum { PIECE = 256 * 1024 };

/* Before a large block. */
struct large {
    _Alignas(64) struct pool *pool; /* NULL: disowned */
    size_t len;                     /* of all, this head included */
};

/* A batch in the depot: its blocks are linked by next, the batches by the second word of the first. */
struct batch {
    struct pool_block block;
    struct batch *next;
    uint32_t count;
};

struct pool {
    atomic_int users;    /* its owner, and every thread with a cache */
    atomic_int over;     /* its owner has let go */
    atomic_size_t bytes; /* taken from the system */
    atomic_size_t used;  /* of these: large blocks, and batches that are not in the depot */
    size_t max;          /* of used; 0: no limit */
    struct {
        _Alignas(64) struct spin lock;
        struct batch *batches;
        struct pool_block *fresh; /* of the newest slab, never used yet */
        uint32_t fresh_left;
        struct slab *pieces; /* the first slab of each */
        char *unused;        /* of the newest piece */
        size_t unused_left;
    } depot[POOL_TIERS];
};

struct pool *iris__pool_create(size_t max)
{
    struct pool *p = aligned_alloc(64, sizeof *p);
    if (!p)
        return NULL;
    memset(p, 0, sizeof *p);
    p->users = 1;
    p->max = max;
    return p;
}

static void free_slabs(struct pool *p)
{
    for (int tier = 0; tier < POOL_TIERS; tier++)
        for (struct slab *s = p->depot[tier].pieces, *next; s; s = next) {
            next = s->next;
            free(s);
        }
}

static void let_go(struct pool *p)
{
    if (atomic_fetch_sub_explicit(&p->users, 1, memory_order_acq_rel) > 1)
        return;
    free_slabs(p);
    free(p);
}

size_t iris__pool_bytes(const struct pool *p)
{
    return atomic_load_explicit(&p->bytes, memory_order_relaxed);
}

static size_t block_size(uint32_t tier)
{
    return (size_t)64 << tier;
}

/* Counted by whole batches and not under one lock, so a little more may get through at once. */
static int is_spent(const struct pool *p, size_t more)
{
    return p->max && atomic_load_explicit(&p->used, memory_order_relaxed) + more > p->max;
}

static void count(struct pool *p, size_t more)
{
    atomic_fetch_add_explicit(&p->used, more, memory_order_relaxed);
}

static void push_batch(struct pool *p, uint32_t tier, struct pool_block *list, uint32_t n)
{
    struct batch *b = (struct batch *)list;
    b->count = n;
    count(p, -(n * block_size(tier)));
    iris__spin_lock(&p->depot[tier].lock);
    b->next = p->depot[tier].batches;
    p->depot[tier].batches = b;
    iris__spin_unlock(&p->depot[tier].lock);
}

static void hand_back(struct pool_cache *c)
{
    for (uint32_t tier = 0; tier < POOL_TIERS; tier++) {
        if (c->free[tier].list)
            push_batch(c->pool, tier, c->free[tier].list, c->free[tier].count);
        if (c->free[tier].spare)
            push_batch(c->pool, tier, c->free[tier].spare, POOL_BATCH);
    }
    let_go(c->pool);
    free(c);
}

/* Caches of pools that are over, and of `one`, go back. */
static void tidy_caches(struct thread *t, const struct pool *one)
{
    for (struct pool_cache **at = &t->cache, *c; (c = *at);)
        if (c->pool == one || atomic_load(&c->pool->over)) {
            *at = c->next;
            hand_back(c);
        } else
            at = &c->next;
}

void iris__pool_destroy(struct pool *p)
{
    if (!p)
        return;
    atomic_store(&p->over, 1);
    tidy_caches(&iris__thread, p);
    let_go(p);
}

struct pool_cache *iris__pool_join(struct pool *p)
{
    struct thread *t = &iris__thread;
    for (struct pool_cache **at = &t->cache; *at; at = &(*at)->next)
        if ((*at)->pool == p) { /* to the front: it is the one in use now */
            struct pool_cache *c = *at;
            *at = c->next;
            c->next = t->cache;
            return t->cache = c;
        }
    tidy_caches(t, NULL);
    struct pool_cache *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    iris__thread_watch();
    c->pool = p;
    atomic_fetch_add_explicit(&p->users, 1, memory_order_relaxed);
    c->next = t->cache;
    return t->cache = c;
}

void iris__pool_leave(struct thread *t)
{
    for (struct pool_cache *c = t->cache, *next; c; c = next) {
        next = c->next;
        hand_back(c);
    }
    t->cache = NULL;
}

static int add_piece(struct pool *p, uint32_t tier, size_t slab)
{
    size_t len = slab < PIECE ? PIECE : slab;
    struct slab *s = aligned_alloc(slab, len);
    if (!s)
        return -1;
    s->next = p->depot[tier].pieces;
    p->depot[tier].pieces = s;
    p->depot[tier].unused = (char *)s;
    p->depot[tier].unused_left = len;
    return 0;
}

static int add_slab(struct pool *p, uint32_t tier)
{
    size_t len = block_size(tier) * POOL_SLAB;
    if (!p->depot[tier].unused_left && add_piece(p, tier, len))
        return -1;
    struct slab *s = (struct slab *)p->depot[tier].unused;
    s->pool = p;
    p->depot[tier].unused += len;
    p->depot[tier].unused_left -= len;
    atomic_fetch_add_explicit(&p->bytes, len, memory_order_relaxed);
    p->depot[tier].fresh = (struct pool_block *)((char *)s + block_size(tier));
    p->depot[tier].fresh_left = POOL_SLAB - 1;
    return 0;
}

/* A batch of blocks that were never used; lock held (a new slab is rare enough to wait for malloc). */
static struct pool_block *cut_fresh(struct pool *p, uint32_t tier)
{
    if (!p->depot[tier].fresh_left && add_slab(p, tier))
        return NULL;
    char *at = (char *)p->depot[tier].fresh;
    size_t size = block_size(tier);
    uint32_t n = p->depot[tier].fresh_left < POOL_BATCH ? p->depot[tier].fresh_left : POOL_BATCH;
    for (uint32_t i = 0; i < n; i++)
        ((struct pool_block *)(at + i * size))->next =
            i + 1 < n ? (struct pool_block *)(at + (i + 1) * size) : NULL;
    p->depot[tier].fresh = (struct pool_block *)(at + n * size);
    p->depot[tier].fresh_left -= n;
    ((struct batch *)at)->count = n;
    return (struct pool_block *)at;
}

struct pool *iris__pool_of(const void *block, uint32_t tier)
{
    if (tier == POOL_LARGE)
        return ((const struct large *)block)[-1].pool;
    uintptr_t mask = block_size(tier) * POOL_SLAB - 1;
    return ((const struct slab *)((uintptr_t)block & ~mask))->pool;
}

static struct pool_block *take_batch(struct pool *p, uint32_t tier)
{
    if (is_spent(p, POOL_BATCH * block_size(tier)))
        return NULL;
    iris__spin_lock(&p->depot[tier].lock);
    struct batch *b = p->depot[tier].batches;
    struct pool_block *list = b ? &b->block : cut_fresh(p, tier);
    if (b)
        p->depot[tier].batches = b->next;
    iris__spin_unlock(&p->depot[tier].lock);
    if (list)
        count(p, ((struct batch *)list)->count * block_size(tier));
    return list;
}

struct pool_block *iris__pool_refill(struct pool_cache *c, uint32_t tier)
{
    struct pool_block *list = c->free[tier].spare;
    uint32_t n = POOL_BATCH;
    c->free[tier].spare = NULL;
    if (!list) {
        list = take_batch(c->pool, tier);
        if (!list)
            return NULL;
        n = ((struct batch *)list)->count;
    }
    c->free[tier].list = list->next;
    c->free[tier].count = n - 1;
    return list;
}

void iris__pool_spill(struct pool_cache *c, uint32_t tier)
{
    if (c->free[tier].spare)
        push_batch(c->pool, tier, c->free[tier].spare, POOL_BATCH);
    c->free[tier].spare = c->free[tier].list;
    c->free[tier].list = NULL;
    c->free[tier].count = 0;
}

void *iris__pool_large(struct pool *p, size_t len, int anyhow)
{
    size_t all = (sizeof(struct large) + len + 63) & ~(size_t)63;
    struct large *head = !anyhow && is_spent(p, all) ? NULL : aligned_alloc(64, all);
    if (!head)
        return NULL;
    *head = (struct large){p, all};
    count(p, all);
    atomic_fetch_add_explicit(&p->bytes, all, memory_order_relaxed);
    return head + 1;
}

void iris__pool_large_disown(void *block)
{
    struct large *head = (struct large *)block - 1;
    if (!head->pool)
        return;
    count(head->pool, -head->len);
    atomic_fetch_sub_explicit(&head->pool->bytes, head->len, memory_order_relaxed);
    head->pool = NULL;
}

void iris__pool_large_free(void *block)
{
    iris__pool_large_disown(block);
    free((struct large *)block - 1);
}
