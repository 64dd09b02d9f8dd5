#include "host.h"

#include <stdlib.h>
#include <string.h>

/* A large message that JavaScript sends is copied once, into a block that the core is given. Who receives it in
 * JavaScript sees that very block, and has it for itself from then on: it lives as long as either looks at it,
 * also when its runtime is closed. Which pointers are such blocks stands in a table. */

struct block {
    atomic_uint refs;
    struct block *next;
    char data[];
};

enum { SLOTS = 1024 };

static struct {
    pthread_mutex_t lock;
    struct block *slots[SLOTS];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct block **slot_of(const void *data)
{
    uint64_t key = (uint64_t)(uintptr_t)data * UINT64_C(0x9E3779B97F4A7C15);
    return &table.slots[key >> 54];
}

static void enter(struct block *b)
{
    pthread_mutex_lock(&table.lock);
    struct block **slot = slot_of(b->data);
    b->next = *slot;
    *slot = b;
    pthread_mutex_unlock(&table.lock);
}

/* [any] */
static void release(void *ctx)
{
    struct block *b = ctx;
    pthread_mutex_lock(&table.lock);
    int is_last = atomic_fetch_sub(&b->refs, 1) == 1;
    struct block **at = slot_of(b->data);
    while (is_last && *at != b)
        at = &(*at)->next;
    if (is_last)
        *at = b->next;
    pthread_mutex_unlock(&table.lock);
    if (is_last)
        free(b);
}

static struct block *find(const void *data)
{
    pthread_mutex_lock(&table.lock);
    struct block *b = *slot_of(data);
    while (b && b->data != data)
        b = b->next;
    if (b)
        atomic_fetch_add(&b->refs, 1);
    pthread_mutex_unlock(&table.lock);
    return b;
}

int iris__block_send(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref)
{
    struct block *b = malloc(sizeof *b + len);
    if (!b)
        return IRIS_FULL;
    atomic_init(&b->refs, 1);
    memcpy(b->data, data, len);
    enter(b);
    return iris__api->give(self, to, b->data, len, ref, release, b);
}

static void let_go(napi_env env, void *data, void *block)
{
    (void)env, (void)data;
    release(block);
}

napi_value iris__block_buffer(napi_env env, const iris_message *m)
{
    napi_value value;
    struct block *b = find(m->data);
    if (!b)
        return NULL;
    if (napi_create_external_buffer(env, m->len, b->data, let_go, b, &value) == napi_ok)
        return value;
    release(b);
    return NULL;
}
