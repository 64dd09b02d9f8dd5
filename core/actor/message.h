/* A message as the core sees it: one 64-byte block with up to 8 bytes of payload inside, a larger block
 * with the payload behind the head, or a head that refers to bytes given by their owner. */
#ifndef IRIS_ACTOR_MESSAGE_H
#define IRIS_ACTOR_MESSAGE_H

#include "pool.h"

#include <iris/ext/watch.h>
#include <iris/plugin.h>

#include <stdatomic.h>
#include <stddef.h>

enum {                     /* message.flags; written by the sender only */
       MESSAGE_GIVEN = 1,  /* the payload belongs to somebody: body holds a struct given */
       MESSAGE_ROUTED = 2, /* for another node: `to` is not the pid of the actor that gets it */
       MESSAGE_HEARD = 8,  /* a signal for the behaviour: in no mailbox, and not counted there */
       MESSAGE_TRACED = 4, /* reserved: a trace context stands at the end of the block */
       /* While it is in a door's queue, and under that door's lock: */
       MESSAGE_WAITING = 16,  /* it has no place in the mailbox yet */
       MESSAGE_SUSPENDS = 32, /* its sender begins nothing until it has */
       MESSAGE_CALLER = 64,   /* a thread from outside waits until it has */
       MESSAGE_HELD = 128     /* its bytes count against the mailbox's, until it is begun */
};

enum {                    /* message.later: a small life of its own, moved on by atomic or */
       LATER_OPEN = 1,    /* put off, not done yet */
       LATER_DONE = 2,    /* done() was called; on its way to the actor */
       LATER_SETTLED = 4, /* the actor knows: it waits to be put back */
       LATER_ENDED = 8    /* the actor ended while it was open */
};

enum { /* kinds of the core's own: signals, and markers among the user messages */
       KIND_SWAP = 0x1000, /* body: struct swap *; a marker, or as a signal: now */
       KIND_STOP,          /* a marker: end when it is reached */
       KIND_KILL,          /* data: the reason; ref: KILL_FOR_GOOD: no supervisor begins it again */
       KIND_RESTART, /* end this incarnation; ref: order << 1 | RESTART_AT_ONCE; data: the reason */
       KIND_BEGIN,   /* begin another; ref: order << 1 */
       KIND_WAKE,    /* nothing but a turn */
       KIND_REST,    /* lazy.h: look whether it may rest */
       KIND_CHILD,   /* from: a child that ends with this actor */
       KIND_CHILD_GONE, /* ref: of a wait; from: a child whose end was waited for; 0: for too long */
       KIND_JOIN,       /* from: whom to link with, as a third one wants it */
       KIND_PART,       /* from: whom to unlink from */
       KIND_LATER_FAILED, /* ref: struct message *, done() with IRIS_FAIL; data: the reason */
       KIND_DOOR,         /* there is something to look after at the actor's door */
       KIND_ADMITTED, /* ref: so many of its messages wait no more; from: at whose door they did */
       KIND_GATHER,   /* body: struct gather *; freeze.h */
       KIND_THAW,     /* of one that is frozen: it goes on, or (ref: 1) its mail is in safety */
       KIND_RENEW,    /* body: struct renewal * (renew.h) */
       KIND_READY,    /* ready.h: it says that it has started */
       KIND_LATE      /* ready.h: look whether it has said so */
};

enum { KILL_FOR_GOOD = 1, KILL_PARENT = 2, RESTART_AT_ONCE = 1 };

struct message {
    struct message *next; /* in a list; while LATER_OPEN: the iris_actor */
    atomic_uint refs;     /* the mailbox's or handler's one, and each keep() */
    uint8_t tier;         /* of the block */
    uint8_t flags;
    atomic_uchar later;
    uint8_t result; /* of done(): IRIS_OK, IRIS_AGAIN; all else: it failed */
    iris_message pub;
    unsigned char body[8];
};

_Static_assert(sizeof(struct message) == 64, "a small message is one cache line");

struct given {
    void (*release)(void *ctx);
    void *ctx;
};

enum overflow_wait { /* where a mailbox is full and its policy is to wait, who does */
                     OVERFLOW_ACTOR,  /* the sender, an actor in its turn: it is suspended */
                     OVERFLOW_NOBODY, /* nobody can: the sender hears IRIS_FULL */
                     OVERFLOW_ALONE,  /* nobody need: the message waits by itself */
                     OVERFLOW_CALLER, /* a thread does, whatever the policy */
                     OVERFLOW_ALWAYS  /* a node's request: it is never refused */
};

#define MESSAGE_HEAD offsetof(struct message, body)

static inline struct message *iris__message_of(const iris_message *m)
{
    return (struct message *)((char *)m - offsetof(struct message, pub));
}

/* One with room for len bytes at body; NULL when memory is short. refs is 1, all else is set but
 * kind, from, to, ref. */
struct message *iris__message_new_large(struct pool *, size_t len, int anyhow);

static inline struct message *iris__message_new(struct pool *pool, size_t len)
{
    uint32_t tier = iris__pool_tier(MESSAGE_HEAD + len);
    if (__builtin_expect(tier == POOL_LARGE, 0))
        return iris__message_new_large(pool, len, 0);
    struct pool_cache *cache = iris__pool_cache(pool);
    struct message *m = __builtin_expect(cache != NULL, 1) ? iris__pool_get(cache, tier) : NULL;
    if (__builtin_expect(!m, 0))
        return NULL;
    atomic_store_explicit(&m->refs, 1, memory_order_relaxed);
    m->tier = (uint8_t)tier;
    m->flags = 0;
    atomic_store_explicit(&m->later, 0, memory_order_relaxed);
    m->pub.len = (uint32_t)len;
    m->pub.data = m->body;
    return m;
}

/* One more reference, to bytes that are nobody else's any more. 0: it has none such; see ext/payload.h. */
int iris__message_take(struct message *);

/* Free it whatever refs says. */
void iris__message_destroy(struct pool *, struct message *);

/* Let one reference go. */
static inline void iris__message_drop(struct pool *pool, struct message *m)
{
    if (atomic_load_explicit(&m->refs, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct pool_cache *cache = iris__thread.cache;
    if (__builtin_expect(m->tier == POOL_LARGE || m->flags || !cache || cache->pool != pool, 0))
        iris__message_destroy(pool, m);
    else
        iris__pool_put(cache, m->tier, m);
}

/* A signal: a message of a kind, with a text (may be NULL) as its data. The limit of memory is for mail:
 * an actor can be told to end, or that another has ended, also beyond it. */
struct message *iris__message_signal(struct pool *, uint32_t kind, uint64_t from, uint64_t to,
                                     uint64_t ref, const char *text);

/* The core's own kinds carry one pointer. */
static inline void iris__message_set_pointer(struct message *m, void *p)
{
    *(void **)m->body = p;
}

static inline void *iris__message_pointer(const struct message *m)
{
    return *(void *const *)m->body;
}

#endif
