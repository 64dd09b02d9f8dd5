#include "turn.h"

#include "alarm.h"
#include "behaviour.h"
#include "cold.h"
#include "coroutine.h"
#include "door.h"
#include "ending.h"
#include "fail.h"
#include "family.h"
#include "freeze.h"
#include "gate.h"
#include "hear.h"
#include "lazy.h"
#include "mailbox.h"
#include "offer.h"
#include "reader.h"
#include "ready.h"
#include "send.h"
#include "slice.h"
#include "swap.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

enum step { GO_ON, STOP };

enum { FRUITLESS = 1 << 16 }; /* yields in a row without progress that are worth a word */

struct turn {
    struct world *w;
    struct lane *lane;
    uint32_t used, tick;
};

static enum step after(int lives)
{
    return lives ? GO_ON : STOP;
}

static enum step crash(iris_actor *a, const char *why)
{
    return after(iris__ending_crash(a, why, NULL));
}

/* ---- messages ---- */

/* The address of a place that is used again, sent before its former owner ended; or of a node that has
 * gone. */
static int is_stray(const struct world *w, const struct message *m, uint64_t pid)
{
    if (__builtin_expect(m->pub.to == pid, 1))
        return 0;
    return !(m->flags & MESSAGE_ROUTED) || iris__route_fit(w, m, pid) != ROUTE_FITS;
}

int iris__turn_is_stray(iris_actor *a, const struct message *m)
{
    return is_stray(iris__world_of(a), m, iris__actor_pid(a));
}

void iris__turn_drop_stray(iris_actor *a, struct message *m)
{
    struct world *w = iris__world_of(a);
    int routed = m->flags & MESSAGE_ROUTED;
    if (m->flags & MESSAGE_HELD)
        iris__door_let_go(a, m);
    if (routed && iris__route_fit(w, m, iris__actor_pid(a)) == ROUTE_DOWN)
        iris__gate_release(a, 1);
    iris__world_dead_letter(w, m, routed ? DEAD_NODE : DEAD_STRAY);
}

static void drop_strays(const struct world *w, iris_actor *a, uint64_t pid)
{
    for (struct message *m; (m = a->local) && m->pub.kind < KIND_SWAP && is_stray(w, m, pid);) {
        a->local = m->next;
        iris__mailbox_adjust(a, -1);
        iris__turn_drop_stray(a, m);
    }
}

/* Mail is taken in when none is left here: what is always put back would keep it out. And a stray in
 * the middle would keep from each other what stands on both sides of it. */
void iris__turn_catch_up(iris_actor *a)
{
    drop_strays(iris__world_of(a), a, iris__actor_pid(a));
    if (!a->local)
        iris__mailbox_fetch(a);
}

/* Messages for one of the budget. */
static inline uint32_t rebate(const iris_actor *a)
{
    return __builtin_expect(iris__mailbox_size(a) > MAILBOX_OVERRUN, 0) ? MAILBOX_REBATE : 1;
}

static int gather(struct turn *t, iris_actor *a, const iris_message **batch, uint64_t pid)
{
    int n = 0, limit = a->batch;
    int left = a->budget > t->used ? (int)((a->budget - t->used) * rebate(a)) : 1;
    limit = limit < left ? limit : left;
    if (__builtin_expect(t->w->sched.seeded, 0))
        limit = 1 + (int)iris__random_below(&t->w->sched.random, (uint32_t)limit);
    struct message *m = a->local;
    while (m && n < limit && m->pub.kind < KIND_SWAP && !is_stray(t->w, m, pid)) {
        batch[n++] = &m->pub;
        m = m->next;
        __builtin_prefetch(m);
    }
    a->local = m;
    iris__mailbox_adjust(a, -n);
    return n;
}

static void put_back(iris_actor *a, const iris_message *const *batch, int from, int n)
{
    iris__turn_catch_up(a);
    for (int i = n; i-- > from;) {
        struct message *m = iris__message_of(batch[i]);
        m->next = a->local;
        a->local = m;
    }
    iris__mailbox_adjust(a, n - from);
}

static inline void count(iris_actor *a, uint32_t handled)
{
    uint64_t sum = atomic_load_explicit(&a->handled, memory_order_relaxed) + handled;
    atomic_store_explicit(&a->handled, sum, memory_order_relaxed);
    iris__gate_release(a, handled);
}

/* Messages 0..done-1 were handled or put off. */
static void retire(struct turn *t, iris_actor *a, const iris_message *const *batch, int done)
{
    uint32_t handled = 0;
    for (int i = 0; i < done; i++) {
        struct message *m = iris__message_of(batch[i]);
        if (__builtin_expect(a->open && atomic_load_explicit(&m->later, memory_order_relaxed), 0))
            continue;
        iris__message_drop(t->w->pool, m);
        handled++;
    }
    count(a, handled);
}

/* A behaviour that is quick gets more at once, one that is slow gets less: a time slice for those that
 * never look at a clock. The ticker's milliseconds cost nothing to read. */
static void adapt(struct turn *t, iris_actor *a, int n)
{
    uint32_t tick = atomic_load_explicit(&t->w->sched.tick, memory_order_relaxed);
    if (__builtin_expect(tick - t->tick >= 2, 0))
        a->batch = a->batch > 1 ? a->batch / 2 : 1;
    else if (n == a->batch && a->batch < TURN_BATCH_MAX)
        a->batch *= 2;
    t->tick = tick;
}

static enum step fail_message(struct turn *t, iris_actor *a, struct message *m)
{
    struct excerpt e;
    iris__ending_excerpt(a, &m->pub, &e);
    if (!atomic_load(&m->later)) { /* else it ends with what is open */
        iris__gate_release(a, 1);
        iris__world_crash_letter(t->w, m, iris__reason());
    }
    return after(iris__ending_crash(a, iris__reason(), &e));
}

/* Its messages count as handled: nobody can say how far it came. */
static enum step crash_of_result(iris_actor *a, int k, int n)
{
    iris__fail(
        "handle() of \"%s\" returned %d for %d messages; expected 0 to %d, or ~i after fail()",
        a->version->b.name, k, n, n);
    return crash(a, iris__reason());
}

/* To take nothing is a yield; to take nothing for ever is a handler that burns a core. */
static void watch_progress(iris_actor *a)
{
    struct cold *c = iris__cold(a);
    uint64_t handled = atomic_load_explicit(&a->handled, memory_order_relaxed);
    if (!c)
        return;
    c->fruitless = handled == c->fruitless_at ? c->fruitless + 1 : 0;
    c->fruitless_at = handled;
    if (c->fruitless >= FRUITLESS && !(c->fruitless & (c->fruitless - 1)))
        iris__world_event(iris__world_of(a), EVENT_STUCK, a, IRIS_WARN,
                          "handle() of \"%s\" has taken none of its messages %u times in a row",
                          a->version->b.name, c->fruitless);
}

static enum step settle(struct turn *t, iris_actor *a, const iris_message *const *batch, int n,
                        int k)
{
    int done = k < 0 ? ~k : k, is_wrong = done > n - (k < 0);
    if (__builtin_expect(is_wrong, 0))
        done = n;
    if (__builtin_expect(done != n, 0))
        put_back(a, batch, done + (k < 0), n);
    retire(t, a, batch, done);
    uint32_t for_one = rebate(a);
    t->used += ((uint32_t)n + for_one - 1) / for_one;
    adapt(t, a, n);
    if (__builtin_expect(is_wrong, 0))
        return crash_of_result(a, k, n);
    if (__builtin_expect(k < 0, 0))
        return fail_message(t, a, iris__message_of(batch[done]));
    if (__builtin_expect(a->flags & ACTOR_EXITING, 0))
        return GO_ON;                                                             /* to special() */
    if (__builtin_expect(done < n && !a->open && !(a->flags & ACTOR_WAITS), 0)) { /* a yield */
        watch_progress(a);
        iris__executor_again(a->executor, a);
        return STOP;
    }
    return GO_ON;
}

/* The ticker may be looking at the messages of a turn that lasts: they stay until it has. */
static __attribute__((noinline)) void come_back(struct turn *t)
{
    if (t->w->sched.seeded) /* there `due` is drawn by lot, and nobody looks */
        return;
    iris__facts_hold(t->w);
    t->lane->back = atomic_load_explicit(&t->lane->turns, memory_order_relaxed);
    iris__facts_release(t->w);
}

static inline void returned(struct turn *t)
{
    if (__builtin_expect(atomic_load_explicit(&t->lane->due, memory_order_acquire), 0))
        come_back(t);
}

static void forget_reason(void)
{
    if (__builtin_expect(iris__thread.reason != NULL, 0))
        iris__forget();
}

static enum step handle(struct turn *t, iris_actor *a)
{
    const iris_message *batch[TURN_BATCH_MAX];
    uint64_t pid = iris__actor_pid(a);
    drop_strays(t->w, a, pid);
    int n = gather(t, a, batch, pid);
    if (!n)
        return GO_ON;
    forget_reason();
    const iris_behaviour *b = &a->version->b;
    t->lane->count = n;
    atomic_store_explicit(&t->lane->batch, batch, memory_order_release);
    int k = b->handle(b, a, a->state, batch, n);
    returned(t);
    atomic_store_explicit(&t->lane->batch, NULL, memory_order_relaxed);
    return settle(t, a, batch, n, k);
}

/* A lone message, the most frequent case by far, stays in the mailbox while it is handled: then one
 * locked instruction takes it out and makes the actor idle, instead of one for each. */
static enum step handle_single(struct turn *t, iris_actor *a, uint64_t in)
{
    const iris_behaviour *b = &a->version->b;
    struct message *m = iris__mailbox_newest(in);
    const iris_message *one = &m->pub;
    if (m->pub.kind >= KIND_SWAP || is_stray(t->w, m, iris__actor_pid(a)))
        return iris__mailbox_fetch(a), GO_ON;
    forget_reason();
    iris__mailbox_adjust(a, -1);
    int k = b->handle(b, a, a->state, &one, 1);
    returned(t);
    iris__mailbox_adjust(a, 1);
    if (__builtin_expect(k != 1 || a->open || a->flags & ACTOR_EXITING, 0)) {
        iris__mailbox_fetch_after(a, m);
        return settle(t, a, &one, 1, k);
    }
    t->used++;
    count(a, 1);
    int rests = iris__mailbox_rest_after(a, in);
    iris__message_drop(t->w->pool, m); /* not before: the mailbox showed it until now */
    return rests ? STOP : GO_ON;
}

/* ---- markers ---- */

static enum step swap(iris_actor *a, struct swap *s)
{
    const iris_version *before = a->version;
    int runs_on = (before->b.flags & IRIS_RUNS_ON) != 0;
    if (runs_on && iris__offer(a, s))
        return GO_ON;
    if (iris__swap_perform(a, s))
        return STOP;
    if (runs_on)
        iris__offer_decided(a, before);
    return GO_ON;
}

static enum step wait_for_signal(iris_actor *);

static enum step mark(struct turn *t, iris_actor *a)
{
    struct message *m = a->local;
    uint32_t kind = m->pub.kind;
    if (kind == KIND_SWAP && a->flags & ACTOR_OFFERED)
        return wait_for_signal(a); /* one after the other */
    uint64_t handled = m->pub.ref; /* of a stop */
    int mine = m->pub.to == iris__actor_pid(a);
    t->used++; /* many swaps in a row are no reason to keep others waiting */
    a->local = m->next;
    iris__mailbox_adjust(a, -1);
    iris__markers_remove(a);
    if (kind == KIND_SWAP)
        iris__door_marker_gone(a);
    if (kind == KIND_SWAP && mine) {
        struct swap *s = iris__message_pointer(m);
        iris__message_drop(t->w->pool, m);
        return swap(a, s);
    }
    if (kind == KIND_SWAP)
        iris__swap_refuse(t->w, iris__message_pointer(m), IRIS_DEAD, "no such actor any more");
    iris__message_drop(t->w->pool, m);
    return kind == KIND_STOP && mine ? after(iris__ending_stop(a, handled)) : GO_ON;
}

/* ---- signals ---- */

static enum step heed(iris_actor *a)
{
    struct heard h = {0};
    iris__hear_all(a, &h);
    if (h.rests && !h.ends)
        iris__lazy_rest(a);
    if (!h.ends)
        return GO_ON;
    struct ending e = iris__hear_ending(&h);
    enum step step = after(iris__actor_end(a, &e));
    iris__hear_finish(&h);
    return step;
}

/* The next one of those that wait. A signal is no message of the mailbox: it is counted nowhere, and
 * one that crashes its actor is only the reason. */
static enum step hear_one(struct turn *t, iris_actor *a)
{
    const iris_behaviour *b = &a->version->b;
    struct message *m = iris__watch_next(a);
    const iris_message *one = &m->pub;
    if (!(b->flags & IRIS_SIGNALS) || !iris__watch_wants(a, one)) {
        iris__watch_done(a, m);
        return GO_ON;
    }
    forget_reason();
    int k = b->handle(b, a, a->state, &one, 1);
    t->used++;
    int later = atomic_load(&m->later) != 0; /* it lives on in what is open */
    if (k == 0 && !later) {
        iris__watch_again(a, m);
        if (!(a->flags & ACTOR_EXITING)) {
            iris__executor_push(a->executor, a); /* a yield */
            return STOP;
        }
    } else if (!later)
        iris__watch_done(a, m);
    if (k < 0)
        return crash(a, iris__reason());
    return GO_ON;
}

static enum step swap_now(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    struct swap *s = c->now;
    if (!s) /* frozen */
        return wait_for_signal(a);
    c->now = NULL;
    a->flags &= (uint16_t)~ACTOR_SWAPPING;
    return swap(a, s);
}

static enum exit_how how_of(const struct heard *h)
{
    return h->kind == ENDING_RESTART  ? EXIT_RESTARTED
           : h->kind == ENDING_PARENT ? EXIT_PARENT
           : h->stopped               ? EXIT_STOPPED
           : h->kind == ENDING_LINK   ? EXIT_LINKED
           : h->kind == ENDING_CRASH  ? EXIT_CRASHED
                                      : EXIT_KILLED;
}

/* A pull actor is inside its one long handle(): what ends it is kept until that returns. */
int iris__turn_hear_pull(iris_actor *a)
{
    struct heard h = {0};
    if (iris__signal_waits(a))
        iris__hear_all(a, &h);
    if (h.ends)
        iris__turn_exit(a, h.reason, how_of(&h));
    iris__hear_finish(&h);
    return a->flags & ACTOR_EXITING;
}

/* What it was told counts for more than an exit() in answer to it: its supervisor has decided by that. What
 * ends it for good counts for more than all else. */
static void keep_exit(struct cold *c, const char *reason, enum exit_how how)
{
    int for_good = c->exit_how == EXIT_STOPPED || c->exit_how == EXIT_PARENT;
    if (c->exit_how && how == EXIT_BY_ITSELF)
        return;
    free(c->exit_reason);
    c->exit_reason = reason ? strdup(reason) : NULL;
    if (!for_good)
        c->exit_how = how;
}

int iris__turn_exit(iris_actor *a, const char *reason, enum exit_how how)
{
    int is_plain = !reason && how == EXIT_BY_ITSELF; /* which needs no words to be kept */
    struct cold *c = is_plain ? iris__cold_if(a) : iris__cold(a);
    if (!c && !is_plain)
        return iris__fail("exit: no memory");
    if (c)
        keep_exit(c, reason, how);
    a->flags |= ACTOR_EXITING;
    if (iris__thread.turn != a) /* a host's thread, between its turns: have one */
        iris__signal(iris__world_of(a), KIND_WAKE, 0, iris__actor_pid(a), 0, NULL);
    return IRIS_OK;
}

/* ---- what is rare ---- */

static int is_over(const struct turn *t, const iris_actor *a)
{
    return t->used && (t->used + iris__thread.sent >= a->budget ||
                       atomic_load_explicit(&t->lane->due, memory_order_relaxed));
}

static int must_yield(const struct turn *t, iris_actor *a)
{
    if (__builtin_expect(!(a->flags & ACTOR_TIMED), 1))
        return is_over(t, a);
    a->batch = 1;
    return iris__slice_is_over(a, t->used);
}

/* It crashed, or (overflow: why) was caught in a fault, with what it took last. */
static enum step fail_pull(iris_actor *a, int overflow)
{
    struct cold *c = iris__cold_if(a);
    struct message *m = c ? c->taken : NULL;
    struct excerpt e;
    if (m)
        iris__ending_excerpt(a, &m->pub, &e);
    iris__reader_finish(a, 1);
    return after(overflow ? iris__ending_panic(a, "stack", iris__reason(), m ? &e : NULL)
                          : iris__ending_crash(a, iris__reason(), m ? &e : NULL));
}

/* The handle() of a pull actor has returned: its end, a crash, or what a swap waits for. */
static enum step pull_returned(iris_actor *a, int result)
{
    struct cold *c = iris__cold_if(a);
    int hot = c && c->hot;
    a->flags &= (uint16_t)~ACTOR_RUNS;
    if (c)
        c->hot = 0;
    if (result < 0 && !(c && c->exit_how)) /* else its mailbox was closed */
        return fail_pull(a, 0);
    iris__reader_finish(a, 0);
    if (!hot || a->flags & ACTOR_EXITING)
        return after(iris__ending_asked(a));
    return c->now ? swap_now(a) : GO_ON; /* taken back, or too late: the old version begins again */
}

static enum step overflowed(iris_actor *a)
{
    const iris_behaviour *b = &a->version->b;
    struct cold *c = iris__cold_if(a);
    a->flags &= (uint16_t)~ACTOR_RUNS;
    c->hot = 0;
    iris__fail("stack overflow in handle() of \"%s\" %s: all %zu KiB are used up; it may have more "
               "(iris_spawn.stack)",
               b->name, b->version, iris__coroutine_size(c->coroutine) >> 10);
    return fail_pull(a, 1);
}

static enum step block(iris_actor *a)
{
    iris__mailbox_block(a);
    return STOP;
}

static enum step resume(struct turn *t, iris_actor *a, struct coroutine *k)
{
    switch (iris__coroutine_run(k, a, &t->used)) {
    case WISH_MAIL:
        return iris__door_rest(a) ? STOP : GO_ON;
    case WISH_SIGNAL:
        return block(a);
    case WISH_OVERFLOW:
        return overflowed(a);
    case WISH_END:
        return pull_returned(a, iris__coroutine_result(k));
    case WISH_YIELD:
        break;
    }
    iris__executor_push(a->executor, a);
    return STOP;
}

static enum step pull(struct turn *t, iris_actor *a)
{
    const iris_behaviour *b = &a->version->b;
    struct cold *c = iris__cold_if(a);
    if (must_yield(t, a)) {
        iris__executor_again(a->executor, a);
        return STOP;
    }
    forget_reason();
    a->flags |= ACTOR_RUNS;
    return c && c->coroutine ? resume(t, a, c->coroutine)
                             : pull_returned(a, b->handle(b, a, a->state, NULL, 0));
}

static enum step begin(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    int again = !(a->flags & ACTOR_ASLEEP); /* else it only wakes up */
    unsigned restarts = c && again ? atomic_load(&c->restarts) : 0;
    if (iris__actor_init(a))
        return crash(a, iris__reason());
    if (restarts || (c && c->ready_within))
        iris__ready_begun(a, restarts);
    else
        iris__world_event(iris__world_of(a), EVENT_STARTED, a, IRIS_INFO, "started");
    return GO_ON;
}

/* Between two incarnations: only signals are heard, and a stop is a stop. */
static enum step wait(iris_actor *a)
{
    if (iris__signal_waits(a))
        return heed(a);
    if (!(iris__gate_upper(a) & GATE_OPEN))
        return after(iris__ending_stop(a, atomic_load(&a->handled)));
    if (a->flags & ACTOR_SWAPPING && iris__swap_is_freeze(iris__cold_if(a)->now))
        return swap_now(a);
    iris__mailbox_block_open(a);
    return STOP;
}

/* Its children are told to end: only signals are heard until they have. */
static enum step wait_for_children(iris_actor *a)
{
    struct heard h = {0};
    if (iris__signal_waits(a))
        iris__hear_all(a, &h);
    if (h.stopped)
        iris__family_for_good(a);
    iris__hear_finish(&h);
    if (iris__family_waits(a))
        return block(a);
    return after(iris__actor_end_now(a));
}

/* Asleep: mail wakes it, and what is for its behaviour; signals, swaps and a stop need no state. */
static enum step doze(struct turn *t, iris_actor *a)
{
    iris__alarms_set(a);
    if (iris__signal_waits(a) && heed(a) == STOP)
        return STOP;
    if (!(a->flags & ACTOR_ASLEEP) ||
        a->flags & (ACTOR_DOWN | ACTOR_ENDING)) /* a signal ended it */
        return GO_ON;
    if (a->flags & ACTOR_EXITING)
        return after(iris__ending_asked(a));
    struct cold *c = iris__cold_if(a);
    if (c && c->restored)
        return begin(a);
    if (a->flags & ACTOR_SWAPPING)
        return swap_now(a);
    if (a->flags & ACTOR_HEARS)
        return begin(a);
    if (a->flags & ACTOR_DOOR && iris__door_fetch(a))
        return begin(a);
    if (!a->local && !iris__mailbox_fetch(a))
        return iris__door_rest(a) ? STOP : GO_ON;
    drop_strays(t->w, a, iris__actor_pid(a));
    if (!a->local)
        return GO_ON;
    return a->local->pub.kind < KIND_SWAP ? begin(a) : mark(t, a);
}

/* It called exit(): what it has put off is done first, as with stop. */
static enum step depart(iris_actor *a)
{
    if (iris__signal_waits(a))
        return heed(a); /* which may end it, so that it begins anew */
    if (a->open)
        return block(a);
    return after(iris__ending_asked(a));
}

static enum step special(struct turn *t, iris_actor *a)
{
    if (a->flags & ACTOR_RUNS) /* it hears what ends it itself */
        return pull(t, a);
    if (a->flags & ACTOR_MOVING)
        return iris__swap_arrive(a) ? STOP : GO_ON;
    if (a->flags & ACTOR_GONE) {
        iris__actor_bury(a);
        return STOP;
    }
    if (a->flags & ACTOR_ENDING)
        return wait_for_children(a);
    if (a->flags & ACTOR_DOWN)
        return wait(a);
    if (a->flags & ACTOR_ASLEEP)
        return doze(t, a);
    if (a->flags & ACTOR_FRESH)
        return iris__freeze_holds(a) ? wait_for_signal(a) : begin(a);
    return depart(a);
}

static enum step handle_one(struct turn *t, iris_actor *a, struct message *m)
{
    const iris_behaviour *b = &a->version->b;
    const iris_message *one = &m->pub;
    if (is_stray(t->w, m, iris__actor_pid(a))) {
        iris__turn_drop_stray(a, m);
        return GO_ON;
    }
    forget_reason();
    return settle(t, a, &one, 1, b->handle(b, a, a->state, &one, 1));
}

/* The next message comes by way of the door. */
static enum step at_door(struct turn *t, iris_actor *a)
{
    struct message *m;
    switch (iris__door_next(a, &m)) {
    case DOOR_ONE:
        return handle_one(t, a, m);
    case DOOR_LOCAL:
        return a->local->pub.kind >= KIND_SWAP ? mark(t, a) : handle(t, a);
    case DOOR_LEFT:
        return GO_ON;
    default:
        return STOP;
    }
}

/* The next message of one that a swap is offered to. */
static enum step take(struct turn *t, iris_actor *a)
{
    if (!a->local && !iris__mailbox_fetch(a))
        return iris__mailbox_rest(a) ? STOP : GO_ON;
    if (!a->local)
        return GO_ON;
    return a->local->pub.kind >= KIND_SWAP ? mark(t, a) : handle(t, a);
}

/* While something is open others may be done: their places are for those at the door. */
static enum step wait_for_signal(iris_actor *a)
{
    if (a->flags & ACTOR_DOOR)
        iris__door_fetch(a);
    return block(a);
}

/* Before the next message: what is open must be done, then a swap that shall come now, then what it sent
 * must have found room, then signals. */
static enum step hold(struct turn *t, iris_actor *a)
{
    if (a->flags & ACTOR_OFFERED && iris__offer_look(a))
        return crash(a, iris__reason());
    if (a->open || (a->flags & ACTOR_SWAPPING && a->flags & ACTOR_OFFERED))
        return wait_for_signal(a);
    if (a->flags & ACTOR_SWAPPING)
        return swap_now(a);
    if (a->flags & ACTOR_PULLS)
        return pull(t, a);
    if (a->flags & ACTOR_WAITS)
        return wait_for_signal(a);
    if (must_yield(t, a)) {
        iris__executor_again(a->executor, a);
        return STOP;
    }
    if (a->flags & ACTOR_HEARS)
        return hear_one(t, a);
    return a->flags & ACTOR_DOOR ? at_door(t, a) : take(t, a);
}

#define ACTOR_SPECIAL                                                                    \
    (ACTOR_MOVING | ACTOR_GONE | ACTOR_DOWN | ACTOR_FRESH | ACTOR_EXITING | ACTOR_RUNS | \
     ACTOR_ENDING)
#define ACTOR_HOLDS                                                                          \
    (ACTOR_SWAPPING | ACTOR_PULLS | ACTOR_HEARS | ACTOR_WAITS | ACTOR_DOOR | ACTOR_OFFERED | \
     ACTOR_TIMED)

static enum step look(struct turn *t, iris_actor *a)
{
    uint64_t in = atomic_load_explicit(&a->in, memory_order_acquire);
    if (iris__mailbox_count(in) == 1)
        return handle_single(t, a, in);
    if (in)
        return iris__mailbox_fetch(a), GO_ON;
    return iris__mailbox_rest(a) ? STOP : GO_ON;
}

static enum step step(struct turn *t, iris_actor *a)
{
    if (__builtin_expect(a->flags & ACTOR_SPECIAL, 0))
        return special(t, a);
    if (__builtin_expect(iris__signal_waits(a), 0))
        return heed(a); /* and look again: it may be between two incarnations now, or end */
    if (__builtin_expect(a->open || a->flags & ACTOR_HOLDS, 0))
        return hold(t, a);
    if (is_over(t, a)) {
        iris__executor_again(a->executor, a);
        return STOP;
    }
    if (!a->local)
        return look(t, a);
    if (__builtin_expect(a->local->pub.kind >= KIND_SWAP, 0))
        return mark(t, a);
    return handle(t, a);
}

uint32_t iris__turn_run(void *world, void *actor)
{
    struct world *w = world;
    iris_actor *a = actor;
    struct turn t = {.w = w,
                     .lane = iris__thread.lane,
                     .tick = atomic_load_explicit(&w->sched.tick, memory_order_relaxed)};
    iris__thread.turn = a;
    iris__thread.sent = 0;
    while (step(&t, a) == GO_ON)
        ;
    iris__thread.turn = NULL;
    return t.used + iris__thread.sent;
}
