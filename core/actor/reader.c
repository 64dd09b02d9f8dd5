#include "reader.h"

#include "cold.h"
#include "door.h"
#include "ending.h"
#include "fail.h"
#include "gate.h"
#include "mailbox.h"
#include "pull.h"
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
    uint64_t handled = atomic_load_explicit(&a->handled, memory_order_relaxed) + 1;
    atomic_store_explicit(&a->handled, handled, memory_order_relaxed); /* only turns write it */
    iris__message_drop(iris__world_of(a)->pool, m);
}

static struct message *unlink_at(iris_actor *a, struct message **at)
{
    struct message *m = *at;
    *at = m->next;
    iris__mailbox_adjust(a, -1);
    return m;
}

static struct message *unlink_marker(iris_actor *a, struct message **at)
{
    if ((*at)->pub.kind == KIND_SWAP)
        iris__door_marker_gone(a);
    iris__markers_remove(a);
    return unlink_at(a, at);
}

/* ---- swaps: HOT_SWAP, and when handle() returns the swap ---- */

/* The one that it was told of may have been taken back meanwhile. */
static int awaits_swap(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    if (!c->now || iris__swap_offer(a, c->now))
        return c->now != NULL;
    c->now = NULL;
    a->flags &= (uint16_t)~ACTOR_SWAPPING;
    return 0;
}

static void become_hot_swap(struct message *m)
{
    m->pub.kind = IRIS_HOT_SWAP;
    m->pub.len = 0;
    m->flags |= MESSAGE_HEARD; /* in no mailbox, and not counted there */
}

int iris__reader_tell_swap(iris_actor *a, struct message *m)
{
    struct cold *c = iris__cold_if(a);
    int told = !c || c->hot || (c->heard && c->heard->pub.kind == IRIS_HOT_SWAP);
    if (!c || !awaits_swap(a) || told)
        return 0;
    become_hot_swap(m);
    iris__watch_again(a, m); /* first of all */
    return 1;
}

/* ---- looking ---- */

static int hand_out(iris_actor *a, struct message *m, const iris_message **out)
{
    struct cold *c = iris__cold_if(a);
    if (m->pub.kind == IRIS_HOT_SWAP)
        c->hot = 1;
    else if (c->hot && !awaits_swap(a))
        c->hot = 0; /* refused, and it goes on */
    c->taken = m;
    *out = &m->pub;
    return IRIS_OK;
}

/* Signals come before the mail, as everywhere. */
static int look_heard(iris_actor *a, iris_match *match, void *ctx, const iris_message **out)
{
    struct cold *c = iris__cold_if(a);
    for (struct message **at = &c->heard; *at;) {
        struct message *m = *at;
        int wanted = m->pub.kind == IRIS_HOT_SWAP ? awaits_swap(a) : iris__watch_wants(a, &m->pub);
        if (wanted && match && !match(ctx, &m->pub)) {
            at = &m->next;
            continue;
        }
        iris__watch_unhear(a, at);
        if (wanted)
            return hand_out(a, m, out);
        iris__watch_done(a, m);
    }
    return IRIS_EMPTY;
}

/* Who does not match HOT_SWAP gets what lies behind it too; it stays where it is, and its time runs. */
static int meet_swap(iris_actor *a, struct message **at, iris_match *match, void *ctx,
                     const iris_message **out)
{
    static const iris_message hot = {.kind = IRIS_HOT_SWAP, .data = ""};
    struct cold *c = iris__cold_if(a);
    struct message *m = *at;
    struct swap *s = iris__message_pointer(m);
    if (m->pub.to != iris__actor_pid(a)) {
        iris__swap_refuse(iris__world_of(a), s, IRIS_DEAD, "no such actor any more");
        iris__message_drop(iris__world_of(a)->pool, unlink_marker(a, at));
        return IRIS_AGAIN;
    }
    if (awaits_swap(a)) /* one after the other */
        return IRIS_EMPTY;
    if (!iris__swap_offer(a, s)) {
        iris__message_drop(iris__world_of(a)->pool, unlink_marker(a, at));
        return IRIS_AGAIN;
    }
    if (match && !match(ctx, &hot))
        return IRIS_EMPTY;
    c->now = s;
    a->flags |= ACTOR_SWAPPING;
    become_hot_swap(unlink_marker(a, at));
    return hand_out(a, m, out);
}

/* IRIS_OK, IRIS_CLOSED, IRIS_EMPTY: look at the next one, IRIS_AGAIN: another stands there now. */
static int meet(iris_actor *a, struct message **at, iris_match *match, void *ctx,
                const iris_message **out)
{
    struct message *m = *at;
    if (m->pub.kind == KIND_SWAP)
        return meet_swap(a, at, match, ctx, out);
    int stops = m->pub.kind == KIND_STOP && m->pub.to == iris__actor_pid(a);
    if (stops || m->pub.kind > KIND_SWAP) {
        uint64_t handled = m->pub.ref;
        iris__message_drop(iris__world_of(a)->pool, unlink_marker(a, at));
        if (stops) /* what came before it was offered */
            iris__ending_stop_pull(a, handled);
        return stops ? IRIS_CLOSED : IRIS_AGAIN;
    }
    if (iris__turn_is_stray(a, m)) {
        iris__turn_drop_stray(a, unlink_at(a, at));
        return IRIS_AGAIN;
    }
    if (match && !match(ctx, &m->pub))
        return IRIS_EMPTY;
    if (a->flags & ACTOR_DOOR) /* else a newer one has taken its place */
        return iris__door_begin(a, m) ? hand_out(a, m, out) : IRIS_AGAIN;
    return hand_out(a, unlink_at(a, at), out);
}

static int look(iris_actor *a, struct message **from, iris_match *match, void *ctx,
                const iris_message **out)
{
    for (struct message **at = from; *at;) {
        int result = meet(a, at, match, ctx, out);
        if (result == IRIS_EMPTY)
            at = &(*at)->next;
        else if (result != IRIS_AGAIN)
            return result;
        else if (a->flags & ACTOR_DOOR)
            at = from;
    }
    return IRIS_EMPTY;
}

static __attribute__((noinline)) int look_at_all(iris_actor *a, iris_match *match, void *ctx,
                                                 const iris_message **out)
{
    if (iris__turn_hear_pull(a))
        return IRIS_CLOSED;
    if (a->flags & ACTOR_WAITS)
        return IRIS_EMPTY;
    if (iris__cold_if(a)->heard && look_heard(a, match, ctx, out) == IRIS_OK)
        return IRIS_OK;
    if (a->flags & ACTOR_DOOR) {
        iris__door_fetch(a);
        return look(a, &a->local, match, ctx, out);
    }
    int result = look(a, &a->local, match, ctx, out);
    if (result != IRIS_EMPTY)
        return result;
    struct message **end = &a->local; /* what was fetched before is not looked at twice */
    while (*end)
        end = &(*end)->next;
    return iris__mailbox_fetch(a) ? look(a, end, match, ctx, out) : IRIS_EMPTY;
}

/* What was taken before is done with before others may come first: its sender waits for the place. */
static int take(iris_actor *a, iris_match *match, void *ctx, const iris_message **out)
{
    struct coroutine *k = iris__coroutine_of(a);
    iris__reader_finish(a, 0);
    if (k)
        iris__coroutine_pace(k);
    return look_at_all(a, match, ctx, out);
}

int iris__reader_take(iris_actor *a, iris_match *match, void *ctx, const iris_message **out)
{
    if (iris__pull_may(a, "take"))
        return IRIS_FAIL;
    return iris__cold(a) ? take(a, match, ctx, out) : iris__fail("take: no memory");
}

void iris__reader_pause(iris_actor *a)
{
    if (!(a->flags & ACTOR_RUNS) || !(iris__coroutine_of(a) || a->flags & ACTOR_OWN_THREAD))
        return;
    while (!iris__turn_hear_pull(a) && a->flags & ACTOR_WAITS)
        if (iris__pull_wait(a, WISH_SIGNAL, INT64_MAX))
            return;
}

int iris__reader_recv(iris_actor *a, iris_match *match, void *ctx, int64_t timeout,
                      const iris_message **out)
{
    struct sched *s = a->executor->sched;
    int64_t deadline = timeout < 0 ? INT64_MAX : timeout ? iris__sched_after(s, timeout) : 0;
    if (iris__pull_may(a, "recv"))
        return IRIS_FAIL;
    if (!iris__cold(a))
        return iris__fail("recv: no memory");
    int result = take(a, match, ctx, out);
    while (result == IRIS_EMPTY && (deadline == INT64_MAX || iris__sched_now(s) < deadline)) {
        if (iris__pull_wait(a, WISH_MAIL, deadline))
            return IRIS_FAIL;
        result = look_at_all(a, match, ctx, out);
    }
    return result;
}
