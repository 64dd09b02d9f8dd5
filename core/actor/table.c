#include "table.h"

#include "door.h"
#include "fail.h"
#include "gate.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { CHUNK = 1 << TABLE_CHUNK_BITS };

/* Zeroed, and no page is touched before an actor is put there: a gate of zero lets nobody in. */
static iris_actor *map_chunk(void)
{
    void *p = mmap(NULL, CHUNK * sizeof(iris_actor), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

int iris__table_init(struct table *t)
{
    *t = (struct table){0};
    t->chunks = calloc(TABLE_CHUNKS, sizeof *t->chunks);
    t->doors = calloc(TABLE_CHUNKS, sizeof *t->doors);
    return t->chunks && t->doors ? 0 : iris__fail("table of pids: no memory");
}

static void free_doors(struct door *_Atomic *doors)
{
    for (int i = 0; doors && i < CHUNK; i++)
        free(doors[i]);
    free((void *)doors);
}

void iris__table_finish(struct table *t)
{
    iris__spin_lock(&t->lock); /* who gave the last actor's place back has let go of it */
    for (int i = 0; t->chunks && i < TABLE_CHUNKS; i++)
        if (t->chunks[i])
            munmap(t->chunks[i], CHUNK * sizeof(iris_actor));
    for (int i = 0; t->doors && i < TABLE_CHUNKS; i++)
        free_doors(t->doors[i]);
    free(t->chunks);
    free((void *)t->doors);
    t->chunks = NULL;
    t->doors = NULL;
}

/* Of those that make one at the same time the first has made it. */
static struct door *_Atomic *doors_of(struct table *t, uint32_t chunk, int make)
{
    struct door *_Atomic *doors = atomic_load_explicit(&t->doors[chunk], memory_order_acquire);
    if (doors || !make)
        return doors;
    struct door *_Atomic *mine = calloc(CHUNK, sizeof *mine);
    if (!mine || atomic_compare_exchange_strong(&t->doors[chunk], &doors, mine))
        return mine;
    free((void *)mine);
    return doors;
}

struct door *iris__table_door(struct table *t, uint32_t slot, int make)
{
    struct door *_Atomic *doors = doors_of(t, slot >> TABLE_CHUNK_BITS, make);
    if (!doors)
        return NULL;
    struct door *_Atomic *at = &doors[slot & (CHUNK - 1)];
    struct door *door = atomic_load_explicit(at, memory_order_acquire);
    if (door || !make)
        return door;
    struct door *mine = calloc(1, sizeof *mine);
    if (!mine || atomic_compare_exchange_strong(at, &door, mine))
        return mine;
    free(mine);
    return door;
}

/* Lock held. */
static iris_actor *take_fresh(struct table *t)
{
    if (t->fresh > PID_SLOT_MASK)
        return NULL;
    uint32_t i = t->fresh >> TABLE_CHUNK_BITS;
    iris_actor *chunk = atomic_load_explicit(&t->chunks[i], memory_order_relaxed);
    if (!chunk) {
        if (!(chunk = map_chunk()))
            return NULL;
        atomic_store_explicit(&t->chunks[i], chunk, memory_order_release);
    }
    iris_actor *a = &chunk[t->fresh & (CHUNK - 1)];
    a->slot = t->fresh++;
    return a;
}

static iris_actor *take_used(struct table *t)
{
    iris_actor *a = t->first;
    if (!a)
        return NULL;
    t->first = (iris_actor *)a->local;
    if (!t->first)
        t->last = NULL;
    return a;
}

/* Lock held: one that changes both needs no locked instructions of its own for it. */
static void count(struct table *t, int more, uint64_t handled)
{
    uint32_t used = atomic_load_explicit(&t->used, memory_order_relaxed) + (uint32_t)more;
    handled += atomic_load_explicit(&t->handled, memory_order_relaxed);
    atomic_store_explicit(&t->handled, handled, memory_order_relaxed);
    atomic_store_explicit(&t->used, used, memory_order_release);
}

iris_actor *iris__table_take(struct table *t)
{
    iris__spin_lock(&t->lock);
    iris_actor *a = take_used(t);
    if (!a)
        a = take_fresh(t);
    if (a)
        count(t, 1, 0);
    iris__spin_unlock(&t->lock);
    if (!a)
        iris__fail("spawn: no place for another actor: %u live; the table holds 16,777,216, or "
                   "memory is short",
                   atomic_load(&t->used));
    return a;
}

void iris__table_keep_count(struct table *t, iris_actor *a)
{
    uint64_t handled = atomic_load_explicit(&a->handled, memory_order_relaxed);
    if (!handled)
        return;
    iris__spin_lock(&t->lock);
    count(t, 0, handled);
    iris__spin_unlock(&t->lock);
    atomic_store_explicit(&a->handled, 0, memory_order_relaxed);
}

void iris__table_give(struct table *t, iris_actor *a)
{
    a->local = NULL;
    iris__spin_lock(&t->lock);
    if (iris__gate_last_generation(a) == PID_GENERATION_MAX)
        t->retired++;
    else if (t->last)
        t->last->local = (struct message *)a, t->last = a;
    else
        t->first = t->last = a;
    count(t, -1, 0);
    iris__spin_unlock(&t->lock);
}

uint32_t iris__table_bound(struct table *t)
{
    iris__spin_lock(&t->lock);
    uint32_t n = t->fresh;
    iris__spin_unlock(&t->lock);
    return n;
}
