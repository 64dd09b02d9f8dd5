/* A small set of records by a 64-bit key, in the order in which they came. A member is the first part of
 * its owner's record, which is freed by the owner. A zeroed set is empty and takes no memory; from the
 * ninth member on it is hashed. Adding never fails: without memory for more buckets chains get longer. */
#ifndef IRIS_ACTOR_SET_H
#define IRIS_ACTOR_SET_H

#include <stdint.h>

struct in_set {
    uint64_t key;
    struct in_set *chain, *prev, *next;
};

struct set {
    struct in_set *first, *last;
    struct in_set **buckets; /* room of them, a power of two; NULL: few members, not hashed */
    uint32_t room;
    _Atomic uint32_t used; /* written by the owner; anybody may look how many there are */
};

struct in_set *iris__set_find(const struct set *, uint64_t key);
void iris__set_add(struct set *, struct in_set *, uint64_t key); /* not checked for being there */
void iris__set_take(struct set *, struct in_set *);
struct in_set *iris__set_pop(struct set *); /* the oldest one, out of it; NULL: empty */
void iris__set_clear(struct set *);         /* free() all records, and the buckets */

#endif
