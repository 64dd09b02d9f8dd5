#include "reader.h"

#include "cold.h"
#include "ending.h"
#include "fail.h"
#include "gate.h"
#include "mailbox.h"
#include "swap.h"
#include "turn.h"
#include "watch.h"

/* The message that was taken before is done with when the next one is asked for. */
void iris__reader_finish(iris_actor *a, int crashed)
{
    struct cold *c = iris__cold_if(a);
    struct message *m = c ? c->taken : NULL;
    if (!m)
        return;
    c->taken = NULL;
    if (m->flags & MESSAGE_HEARD) {
        iris__watch_done(a, m);
        return;
    }
    iris__gate_release(a, 1);
    if (crashed) {
        iris__world_crash_letter(iris__world_of(a), m, iris__reason());
        return;
    }
    atomic_fetch_add_explicit(&a->handled, 1, memory_order_relaxed);
    iris__message_drop(iris__world_of(a)->pool, m);
}

static struct message *unlink_at(iris_actor *a, struct message **at)
{
    struct message *m = *at;
    *at = m->next;
    iris__mailbox_adjust(a, -1);
    return m;
}

/* A swap is refused, a stop is obeyed: what came before it was offered. */
static int meet_marker(iris_actor *a, struct message **at)
{
    struct message *m = unlink_at(a, at);
    uint32_t kind = m->pub.kind;
    struct swap *s = kind == KIND_SWAP ? iris__message_pointer(m) : NULL;
    uint64_t handled = m->pub.ref;
    iris__message_drop(iris__world_of(a)->pool, m);
    if (s)
        iris__swap_perform(a, s);
    if (kind == KIND_STOP)
        iris__ending_stop_pull(a, handled);
    return kind == KIND_STOP;
}

/* Signals come before the mail, as everywhere. */
static int look_heard(iris_actor *a, iris_match *match, void *ctx, const iris_message **out)
{
    struct cold *c = iris__cold_if(a);
    for (struct message **at = &c->heard; *at;) {
        struct message *m = *at;
        int wanted = iris__watch_wants(a, &m->pub);
        if (wanted && match && !match(ctx, &m->pub)) {
            at = &m->next;
            continue;
        }
        iris__watch_unhear(a, at);
        if (wanted) {
            c->taken = m;
            *out = &m->pub;
            return IRIS_OK;
        }
        iris__watch_done(a, m);
    }
    return IRIS_EMPTY;
}

static int look(iris_actor *a, struct message **from, iris_match *match, void *ctx,
                const iris_message **out)
{
    for (struct message **at = from; *at;) {
        struct message *m = *at;
        if (m->pub.kind >= KIND_SWAP) {
            if (meet_marker(a, at))
                return IRIS_CLOSED;
        } else if (iris__turn_is_stray(a, m))
            iris__turn_drop_stray(a, unlink_at(a, at));
        else if (!match || match(ctx, &m->pub)) {
            iris__cold_if(a)->taken = unlink_at(a, at);
            *out = &m->pub;
            return IRIS_OK;
        } else
            at = &m->next;
    }
    return IRIS_EMPTY;
}

int iris__reader_take(iris_actor *a, iris_match *match, void *ctx, const iris_message **out)
{
    if (!iris__cold(a))
        return iris__fail("take: no memory");
    iris__reader_finish(a, 0);
    if (iris__turn_hear_pull(a))
        return IRIS_CLOSED;
    if (look_heard(a, match, ctx, out) == IRIS_OK)
        return IRIS_OK;
    int result = look(a, &a->local, match, ctx, out);
    if (result != IRIS_EMPTY)
        return result;
    struct message **end = &a->local; /* what was fetched before is not looked at twice */
    while (*end)
        end = &(*end)->next;
    return iris__mailbox_fetch(a) ? look(a, end, match, ctx, out) : IRIS_EMPTY;
}

/* Be idle until somebody queues us. 0: the time is over first. */
static int wait(iris_actor *a, int64_t deadline)
{
    if (!iris__mailbox_rest(a))
        return 1;
    if (iris__executor_await(a->executor, deadline))
        return 1;
    uint64_t idle = MAILBOX_IDLE;
    if (atomic_compare_exchange_strong(&a->in, &idle, 0))
        return 0;
    iris__executor_await(a->executor, INT64_MAX); /* it is being queued this moment */
    return 1;
}

int iris__reader_recv(iris_actor *a, iris_match *match, void *ctx, int64_t timeout,
                      const iris_message **out)
{
    struct sched *s = a->executor->sched;
    if (!(a->flags & ACTOR_OWN_THREAD) || s->seeded)
        return iris__fail(
            "recv: it waits, so it wants a thread of its own (IRIS_OWN_THREAD, and no "
            "seeded run); use take()");
    int64_t deadline = timeout < 0 ? INT64_MAX : iris__sched_after(s, timeout);
    for (;;) {
        int result = iris__reader_take(a, match, ctx, out);
        if (result != IRIS_EMPTY)
            return result;
        if (!wait(a, deadline))
            return IRIS_EMPTY;
    }
}
