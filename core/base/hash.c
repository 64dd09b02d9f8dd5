#include "hash.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BITS = 4 };

static struct hash_link **slot_of(struct hash *h, uint64_t key)
{
    return &h->slots[iris__hash_slot(h, key)];
}

static void put(struct hash *h, struct hash_link *l)
{
    struct hash_link **slot = slot_of(h, l->key);
    l->next = *slot;
    *slot = l;
}

static int resize(struct hash *h, uint32_t bits)
{
    struct hash old = *h;
    struct hash_link **slots = calloc((size_t)1 << bits, sizeof(struct hash_link *));
    if (!slots)
        return old.slots ? 0 : -1;
    h->slots = slots;
    h->bits = bits;
    for (size_t i = 0; old.slots && i < (size_t)1 << old.bits; i++)
        for (struct hash_link *l = old.slots[i], *next; l; l = next) {
            next = l->next;
            put(h, l);
        }
    free(old.slots);
    return 0;
}

int iris__hash_add(struct hash *h, struct hash_link *l, uint64_t key)
{
    int is_full = !h->slots || h->count >= (size_t)1 << h->bits;
    if (is_full && resize(h, h->slots ? h->bits + 1 : FIRST_BITS))
        return -1;
    l->key = key;
    put(h, l);
    h->count++;
    return 0;
}

void iris__hash_remove(struct hash *h, struct hash_link *l)
{
    struct hash_link **at = slot_of(h, l->key);
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    h->count--;
}

void iris__hash_finish(struct hash *h)
{
    free(h->slots);
    *h = (struct hash){0};
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
    return h ^ h >> 32;
}

uint64_t iris__hash_bytes(const void *data, size_t len)
{
    const unsigned char *bytes = data;
    uint64_t h = len, word;
    for (; len >= sizeof word; bytes += sizeof word, len -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        h = mix(h, word);
    }
    word = 0;
    memcpy(&word, bytes, len);
    return mix(h, word);
}
