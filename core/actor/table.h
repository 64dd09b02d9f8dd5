/* The table of pids: actors live in it, in chunks that stay until the runtime ends, so that a sender
 * with an old pid reads memory that is an actor, if perhaps another one. Places are used again first
 * in, first out; one whose generations are used up is never used again. */
#ifndef IRIS_ACTOR_TABLE_H
#define IRIS_ACTOR_TABLE_H

#include "spin.h"

#include <iris/plugin.h>

#include <stdatomic.h>
#include <stdint.h>

enum { TABLE_CHUNK_BITS = 12, TABLE_CHUNKS = 1 << (24 - TABLE_CHUNK_BITS) };

struct door;

struct table {
    iris_actor *_Atomic *chunks;          /* TABLE_CHUNKS */
    struct door *_Atomic *_Atomic *doors; /* the same, for the few places that ever had one */
    _Alignas(64) struct spin lock;        /* apart from what each send reads */
    uint32_t fresh;                       /* first slot never used; lock */
    iris_actor *first, *last;             /* free places; lock */
    atomic_uint used;                     /* actors alive, ports included; written under lock */
    uint32_t retired;
    _Atomic uint64_t handled; /* by actors that are gone; written under lock */
};

int iris__table_init(struct table *);
void iris__table_finish(struct table *);

/* A place: its slot is set, its gate says which generation was the last one. NULL with a reason. */
iris_actor *iris__table_take(struct table *);
/* Its gate says no generation any more. */
void iris__table_give(struct table *, iris_actor *);
/* Of an actor that ends: what it handled goes over to the sum of those that have ended. */
void iris__table_keep_count(struct table *, iris_actor *);

/* Whoever has or had this slot; NULL where nobody ever had, or the pid is of another node. */
iris_actor *iris__table_at(const struct table *, uint64_t pid);
/* The door of a slot (door.h), which stays until the runtime ends; NULL: it has none yet. With `make`:
 * NULL when memory is short. */
struct door *iris__table_door(struct table *, uint32_t slot, int make);
/* 0: neither this slot nor its neighbours have one. */
static inline int iris__table_has_doors(const struct table *t, uint32_t slot)
{
    return atomic_load_explicit(&t->doors[slot >> TABLE_CHUNK_BITS], memory_order_acquire) != NULL;
}
/* The highest slot ever used, plus one: for walking over all. */
uint32_t iris__table_bound(struct table *);

#endif
