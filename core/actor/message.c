#include "message.h"

#include <string.h>

struct message *iris__message_new_large(struct pool *pool, size_t len, int anyhow)
{
    struct message *m = iris__pool_large(pool, MESSAGE_HEAD + len, anyhow);
    if (!m)
        return NULL;
    m->next = NULL;
    atomic_init(&m->refs, 1);
    m->tier = POOL_LARGE;
    m->flags = 0;
    atomic_init(&m->later, 0);
    m->pub.len = (uint32_t)len;
    m->pub.data = m->body;
    return m;
}

int iris__message_take(struct message *m)
{
    if (m->tier != POOL_LARGE || m->flags & MESSAGE_GIVEN ||
        atomic_load_explicit(&m->refs, memory_order_acquire) != 1)
        return 0;
    iris__pool_large_disown(m);
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return 1;
}

void iris__message_destroy(struct pool *pool, struct message *m)
{
    if (m->flags & MESSAGE_GIVEN) {
        struct given given;
        memcpy(&given, m->body, sizeof given);
        given.release(given.ctx);
    }
    struct pool_cache *cache = m->tier == POOL_LARGE ? NULL : iris__pool_cache(pool);
    if (m->tier == POOL_LARGE)
        iris__pool_large_free(m);
    else if (cache) /* else no memory even for a cache: the block stays until the pool ends */
        iris__pool_put(cache, m->tier, m);
}

struct message *iris__message_signal(struct pool *pool, uint32_t kind, uint64_t from, uint64_t to,
                                     uint64_t ref, const char *text)
{
    size_t len = text ? strlen(text) : 0, room = len < sizeof(void *) ? sizeof(void *) : len;
    struct message *m = iris__message_new(pool, room);
    if (!m)
        m = iris__message_new_large(pool, room, 1);
    if (!m)
        return NULL;
    m->pub.kind = kind;
    m->pub.len = (uint32_t)len;
    m->pub.from = from;
    m->pub.to = to;
    m->pub.ref = ref;
    if (len)
        memcpy(m->body, text, len);
    return m;
}
