#include "table.h"

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
    return t->chunks ? 0 : iris__fail("table of pids: no memory");
}

void iris__table_finish(struct table *t)
{
    for (int i = 0; t->chunks && i < TABLE_CHUNKS; i++)
        if (t->chunks[i])
            munmap(t->chunks[i], CHUNK * sizeof(iris_actor));
    free(t->chunks);
    t->chunks = NULL;
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

iris_actor *iris__table_take(struct table *t)
{
    iris__spin_lock(&t->lock);
    iris_actor *a = take_used(t);
    if (!a)
        a = take_fresh(t);
    iris__spin_unlock(&t->lock);
    if (!a) {
        iris__fail("spawn: no place for another actor: %u live; the table holds 16,777,216, or "
                   "memory is short",
                   atomic_load(&t->used));
        return NULL;
    }
    atomic_fetch_add_explicit(&t->used, 1, memory_order_relaxed);
    return a;
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
    iris__spin_unlock(&t->lock);
    atomic_fetch_sub(&t->used, 1); /* last: whoever waits for the last actor may free the table */
}

uint32_t iris__table_bound(struct table *t)
{
    iris__spin_lock(&t->lock);
    uint32_t n = t->fresh;
    iris__spin_unlock(&t->lock);
    return n;
}
