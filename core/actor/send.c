#include "send.h"

#include "actor.h"
#include "ask.h"
#include "gate.h"
#include "mailbox.h"
#include "overflow.h"
#include "reader.h"

#include <string.h>

iris_actor *iris__table_at(const struct table *t, uint64_t pid)
{
    if (__builtin_expect(pid >> PID_NODE_SHIFT, 0))
        return NULL;
    uint32_t slot = (uint32_t)(pid & PID_SLOT_MASK);
    iris_actor *chunk =
        atomic_load_explicit(&t->chunks[slot >> TABLE_CHUNK_BITS], memory_order_acquire);
    return chunk ? &chunk[slot & ((1u << TABLE_CHUNK_BITS) - 1)] : NULL;
}

/* Whether the actor takes one more; a place is reserved where it is bounded. IRIS_FULL: perhaps not,
 * its door knows. */
static inline int admit(iris_actor *a, uint64_t pid)
{
    if (__builtin_expect(!a || !iris__gate_accepts(a, pid), 0))
        return IRIS_DEAD;
    if (atomic_load_explicit(&a->marks, memory_order_relaxed) & MARK_BOUNDED)
        return iris__gate_reserve(a, pid, atomic_load_explicit(&a->limit, memory_order_relaxed));
    return IRIS_OK;
}

/* If the actor ended since admit(), its place was closed and the reservation went with it. */
static inline int push(struct world *w, iris_actor *a, struct message *m)
{
    if (__builtin_expect(atomic_load_explicit(&a->marks, memory_order_relaxed) & MARK_PORT, 0))
        return iris__port_answer(w, a, m);
    return iris__mailbox_push(a, m);
}

static inline int push_counted(struct world *w, iris_actor *a, struct message *m)
{
    iris__thread.sent++; /* who floods pays from its budget */
    int result = push(w, a, m);
    if (__builtin_expect(result, 0))
        iris__message_drop(w->pool, m);
    return result;
}

static inline void address(struct message *m, const iris_actor *self, uint64_t to, uint64_t ref)
{
    m->pub.kind = IRIS_USER;
    m->pub.from = iris__actor_pid(self);
    m->pub.to = to;
    m->pub.ref = ref;
}

/* A host and a thread from outside have an actor without a pid. */
static enum overflow_wait who_waits(const iris_actor *self)
{
    return iris__actor_pid(self) ? OVERFLOW_ACTOR : OVERFLOW_NOBODY;
}

/* A pull actor with a thread of its own waits here; all others after this message. */
static int pause_if_waiting(iris_actor *self, int result)
{
    if (self->flags & ACTOR_WAITS && iris__thread.turn == self)
        iris__reader_pause(self);
    return result;
}

static int send_far(struct world *w, iris_actor *self, struct message *m)
{
    int result = iris__route_post(w, self, m, who_waits(self));
    if (result)
        iris__message_drop(w->pool, m);
    return pause_if_waiting(self, result);
}

/* No memory for a message counts as full: the sender may try again. Who waits at the door for the place
 * that was not used must have it. */
static int no_room(struct world *w, iris_actor *a, uint64_t pid)
{
    iris__gate_unreserve(a, pid);
    if (atomic_load(&a->marks) & MARK_BOUNDED && !atomic_load(&a->limit))
        iris__signal(w, KIND_DOOR, 0, pid, 0, NULL);
    return IRIS_FULL;
}

/* A word, the most frequent case, without a call. */
static inline void copy(unsigned char *to, const void *data, size_t len)
{
    if (len == sizeof(uint64_t))
        memcpy(to, data, sizeof(uint64_t));
    else if (len)
        memcpy(to, data, len);
}

/* Its gate does not let it in. */
static __attribute__((noinline)) int send_full(iris_actor *self, uint64_t to, const void *data,
                                               size_t len, uint64_t ref)
{
    struct world *w = iris__world_of(self);
    struct message *m = iris__overflow_refuses(w, to, len) ? NULL : iris__message_new(w->pool, len);
    if (!m)
        return IRIS_FULL;
    address(m, self, to, ref);
    copy(m->body, data, len);
    iris__thread.sent++;
    int result = iris__overflow(
        &(struct overflow){.w = w, .self = self, .m = m, .wait = who_waits(self)}, to);
    if (result)
        iris__message_drop(w->pool, m);
    return pause_if_waiting(self, result);
}

/* Too large, or from the child of a fork, in which there is room for nothing. */
static __attribute__((noinline)) int refuse(const struct world *w)
{
    return iris__world_is_here(w) ? IRIS_LARGE : IRIS_DEAD;
}

int iris__send(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref)
{
    struct world *w = iris__world_of(self);
    iris_actor *a = NULL;
    int near = !(to >> PID_NODE_SHIFT);
    if (__builtin_expect(len >= w->birth->room, 0))
        return refuse(w);
    if (near) {
        a = iris__table_at(&w->table, to);
        int result = admit(a, to);
        if (__builtin_expect(result, 0))
            return result == IRIS_FULL ? send_full(self, to, data, len, ref) : result;
    }
    struct message *m = iris__message_new(w->pool, len);
    if (__builtin_expect(!m, 0))
        return near ? no_room(w, a, to) : IRIS_FULL;
    address(m, self, to, ref);
    copy(m->body, data, len);
    return near ? push_counted(w, a, m) : send_far(w, self, m);
}

static struct message *wrap(struct world *w, const void *data, size_t len,
                            void (*release)(void *ctx), void *ctx)
{
    struct message *m = iris__message_new(w->pool, sizeof(struct given));
    if (!m)
        return NULL;
    struct given given = {release, ctx};
    memcpy(m->body, &given, sizeof given);
    m->flags = MESSAGE_GIVEN;
    m->pub.data = data;
    m->pub.len = (uint32_t)len;
    return m;
}

int iris__give(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
               void (*release)(void *ctx), void *ctx)
{
    struct world *w = iris__world_of(self);
    struct message *m = len >= w->birth->room ? NULL : wrap(w, data, len, release, ctx);
    if (!m) {
        release(ctx);
        return len >= w->birth->room ? refuse(w) : IRIS_FULL;
    }
    address(m, self, to, ref);
    iris__thread.sent++;
    int result = iris__post(w, self, m, who_waits(self));
    if (result)
        iris__message_drop(w->pool, m);
    return pause_if_waiting(self, result);
}

static int post_near(struct world *w, struct message *m)
{
    iris_actor *a = iris__table_at(&w->table, m->pub.to);
    int result = admit(a, m->pub.to);
    return result ? result : push(w, a, m);
}

int iris__post_if(struct world *w, struct message *m)
{
    return m->pub.to >> PID_NODE_SHIFT ? iris__route_post(w, NULL, m, OVERFLOW_NOBODY)
                                       : post_near(w, m);
}

int iris__post(struct world *w, iris_actor *self, struct message *m, enum overflow_wait wait)
{
    if (m->pub.to >> PID_NODE_SHIFT)
        return iris__route_post(w, self, m, wait);
    int result = post_near(w, m);
    if (result != IRIS_FULL)
        return result;
    return iris__overflow(&(struct overflow){.w = w, .self = self, .m = m, .wait = wait},
                          m->pub.to);
}

/* A DOWN for a watcher of another node is mail for its link. */
static int signal_far(struct world *w, struct message *m)
{
    int result =
        m->pub.kind < KIND_SWAP ? iris__route_post(w, NULL, m, OVERFLOW_NOBODY) : IRIS_DEAD;
    if (result)
        iris__message_drop(w->pool, m);
    return result;
}

int iris__signal_post(struct world *w, struct message *m)
{
    if (m->pub.to >> PID_NODE_SHIFT)
        return signal_far(w, m);
    iris_actor *a = iris__table_at(&w->table, m->pub.to);
    int result = a && iris__gate_is(a, m->pub.to) ? iris__signal_push(a, m) : IRIS_DEAD;
    if (result && a && m->pub.kind == IRIS_DOWN && atomic_load(&a->marks) & MARK_WAITS)
        result = iris__port_answer(w, a, m);
    if (result)
        iris__message_drop(w->pool, m);
    return result;
}

int iris__signal(struct world *w, uint32_t kind, uint64_t from, uint64_t to, uint64_t ref,
                 const char *text)
{
    struct message *m = iris__message_signal(w->pool, kind, from, to, ref, text);
    return m ? iris__signal_post(w, m) : IRIS_FAIL;
}

int iris__signal_pointer(struct world *w, uint32_t kind, uint64_t to, void *p)
{
    struct message *m = iris__message_signal(w->pool, kind, 0, to, 0, NULL);
    if (!m)
        return IRIS_FAIL;
    iris__message_set_pointer(m, p);
    return iris__signal_post(w, m);
}

int iris__marker(struct world *w, uint32_t kind, uint64_t to, void *p)
{
    struct message *m = iris__message_signal(w->pool, kind, 0, to, 0, NULL);
    iris_actor *a = iris__table_at(&w->table, to);
    if (!m)
        return IRIS_FAIL;
    iris__message_set_pointer(m, p);
    int result = a && iris__gate_is(a, to) ? iris__door_marker(w, a, to, m) : IRIS_DEAD;
    if (result)
        iris__message_drop(w->pool, m);
    return result;
}
