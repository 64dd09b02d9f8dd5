#include "turn.h"

#include "behaviour.h"
#include "cold.h"
#include "fail.h"
#include "gate.h"
#include "mailbox.h"
#include "reader.h"
#include "send.h"
#include "swap.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step { GO_ON, STOP };

enum { FRUITLESS = 1 << 16 }; /* yields in a row without progress that are worth a word */

struct turn {
    struct world *w;
    struct lane *lane;
    uint32_t used, tick;
};

/* ---- endings ---- */

static enum step end(iris_actor *a, enum ending_kind kind, const char *reason, int stopped,
                     const struct excerpt *message)
{
    struct ending e = {.kind = kind, .reason = reason, .stopped = stopped, .message = message};
    return iris__actor_end(a, &e) ? GO_ON : STOP;
}

static enum step crash_in(iris_actor *a, const char *why, const struct excerpt *message)
{
    char *reason = NULL;
    if (asprintf(&reason, "crash: %s", why) < 0)
        reason = NULL;
    enum step step = end(a, ENDING_CRASH, reason ? reason : "crash", 0, message);
    free(reason);
    return step;
}

static enum step crash(iris_actor *a, const char *why)
{
    return crash_in(a, why, NULL);
}

/* The message that crashes its actor is told of when it is gone. Those that did so before count. */
static void take_excerpt(iris_actor *a, const iris_message *m, struct excerpt *e)
{
    struct cold *c = iris__cold_if(a);
    uint64_t before = c ? atomic_fetch_add_explicit(&c->crashed, 1, memory_order_relaxed) : 0;
    iris__excerpt(e, m, atomic_load_explicit(&a->handled, memory_order_relaxed) + before + 1, 1);
}

static enum step leave(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    char *reason = c ? c->exit_reason : NULL;
    enum exit_how how = c ? c->exit_how : EXIT_BY_ITSELF;
    if (c) {
        c->exit_reason = NULL;
        c->exit_how = EXIT_BY_ITSELF; /* of this incarnation */
    }
    enum ending_kind kind = how == EXIT_BY_ITSELF   ? ENDING_NORMAL
                            : how == EXIT_RESTARTED ? ENDING_RESTART
                                                    : ENDING_KILLED;
    enum step step = end(a, kind, reason ? reason : "normal", how == EXIT_STOPPED, NULL);
    free(reason);
    return step;
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
    if (routed && iris__route_fit(w, m, iris__actor_pid(a)) == ROUTE_DOWN)
        iris__gate_release(a, 1);
    iris__world_dead_letter(w, m, routed ? DEAD_NODE : DEAD_STRAY);
}

static void drop_strays(struct turn *t, iris_actor *a, uint64_t pid)
{
    for (struct message *m; (m = a->local) && m->pub.kind < KIND_SWAP && is_stray(t->w, m, pid);) {
        a->local = m->next;
        iris__mailbox_adjust(a, -1);
        iris__turn_drop_stray(a, m);
    }
}

static int gather(struct turn *t, iris_actor *a, const iris_message **batch, uint64_t pid)
{
    int n = 0, limit = a->batch;
    int left = a->budget > t->used ? (int)(a->budget - t->used) : 1;
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
    take_excerpt(a, &m->pub, &e);
    if (!atomic_load(&m->later)) { /* else it ends with what is open */
        iris__gate_release(a, 1);
        iris__world_crash_letter(t->w, m, iris__reason());
    }
    return crash_in(a, iris__reason(), &e);
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
    t->used += (uint32_t)n;
    adapt(t, a, n);
    if (__builtin_expect(is_wrong, 0))
        return crash_of_result(a, k, n);
    if (__builtin_expect(k < 0, 0))
        return fail_message(t, a, iris__message_of(batch[done]));
    if (__builtin_expect(a->flags & ACTOR_EXITING, 0))
        return GO_ON;                                /* to special() */
    if (__builtin_expect(done < n && !a->open, 0)) { /* a yield */
        watch_progress(a);
        iris__executor_push(a->executor, a);
        return STOP;
    }
    return GO_ON;
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
    drop_strays(t, a, pid);
    int n = gather(t, a, batch, pid);
    if (!n)
        return GO_ON;
    forget_reason();
    const iris_behaviour *b = &a->version->b;
    return settle(t, a, batch, n, b->handle(b, a, a->state, batch, n));
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
    return iris__swap_perform(a, s) ? STOP : GO_ON;
}

static enum step stop(struct turn *t, iris_actor *a)
{
    iris__gate_shut(a); /* what came before the stop was handled; what was pushed meanwhile too */
    (void)t;
    return end(a, ENDING_KILLED, "killed: stop", 1, NULL);
}

static enum step mark(struct turn *t, iris_actor *a)
{
    struct message *m = a->local;
    uint32_t kind = m->pub.kind;
    int mine = m->pub.to == iris__actor_pid(a);
    t->used++; /* many swaps in a row are no reason to keep others waiting */
    a->local = m->next;
    iris__mailbox_adjust(a, -1);
    if (kind == KIND_SWAP && mine) {
        struct swap *s = iris__message_pointer(m);
        iris__message_drop(t->w->pool, m);
        return swap(a, s);
    }
    if (kind == KIND_SWAP)
        iris__swap_refuse(t->w, iris__message_pointer(m), IRIS_DEAD, "no such actor any more");
    iris__message_drop(t->w->pool, m);
    return kind == KIND_STOP && mine ? stop(t, a) : GO_ON;
}

/* ---- signals ---- */

struct heard { /* an ending among the signals waits until all of them were heard */
    enum ending_kind kind;
    char *reason;
    int ends, stopped;
    struct excerpt message; /* of a crash */
};

/* A kill outdoes a restart or a crash that was heard before it: it must not be lost in them. */
static void hear_end(struct heard *h, enum ending_kind kind, const iris_message *m)
{
    h->stopped |= kind == ENDING_KILLED && m->ref == KILL_FOR_GOOD;
    if (h->ends && (kind != ENDING_KILLED || h->kind == ENDING_KILLED))
        return;
    free(h->reason);
    h->ends = 1;
    h->kind = kind;
    h->reason = m->len ? strndup(m->data, m->len) : NULL;
}

/* Orders of a supervisor may overtake each other: what was told before the last one heard is void. */
static int is_order(iris_actor *a, const iris_message *m)
{
    struct cold *c = iris__cold(a);
    if (!c || m->ref >> 1 < c->order)
        return 0;
    c->order = m->ref >> 1;
    return 1;
}

/* What it has put off may be done first, as long as its supervisor is patient. */
static void hear_restart(iris_actor *a, const iris_message *m, struct heard *h)
{
    if (!is_order(a, m))
        return;
    if (!a->open || m->ref & RESTART_AT_ONCE || a->flags & ACTOR_DOWN) {
        hear_end(h, ENDING_RESTART, m);
        return;
    }
    char *reason = m->len ? strndup(m->data, m->len) : NULL;
    iris__turn_exit(a, reason, EXIT_RESTARTED);
    free(reason);
}

static void hear_begin(iris_actor *a, const iris_message *m)
{
    if (!is_order(a, m) || !(a->flags & ACTOR_DOWN))
        return;
    atomic_fetch_add(&iris__cold_if(a)->restarts, 1);
    iris__actor_rise(a);
}

static void hear_swap(struct turn *t, iris_actor *a, struct swap *s)
{
    struct cold *c = iris__cold(a);
    if (!c) {
        iris__swap_refuse(t->w, s, IRIS_FAIL, "no memory");
        return;
    }
    if (c->now) /* taken back meanwhile, or we would not get this one */
        iris__swap_refuse(t->w, c->now, IRIS_FAIL, "another one came");
    c->now = s;
    a->flags |= ACTOR_SWAPPING;
}

/* EXIT and DOWN wait, before the mail, until the behaviour may have them: an actor is serial. */
static void hear_for_behaviour(iris_actor *a, struct message *m)
{
    struct cold *c = a->version->b.flags & IRIS_SIGNALS ? iris__cold(a) : NULL;
    if (!c) {
        if (m->pub.kind == IRIS_DOWN)
            iris__watch_expects(a, m->pub.ref);
        iris__message_drop(iris__world_of(a)->pool, m);
        return;
    }
    struct message **end = &c->heard;
    while (*end)
        end = &(*end)->next;
    m->next = NULL;
    m->flags |= MESSAGE_HEARD;
    *end = m;
    a->flags |= ACTOR_HEARS;
}

static void hear_failure(struct turn *t, iris_actor *a, struct message *m, const iris_message *why,
                         struct heard *h)
{
    if (iris__later_settle(a, m) != IRIS_FAIL)
        return;
    char *text = why ? strndup(why->data, why->len) : NULL;
    if (!h->ends)
        take_excerpt(a, &m->pub, &h->message);
    iris__world_crash_letter(t->w, m, text ? text : "");
    if (!h->ends && asprintf(&h->reason, "crash: %s", text ? text : "") < 0)
        h->reason = NULL;
    if (!h->ends)
        h->kind = ENDING_CRASH;
    h->ends = 1;
    free(text);
}

static void hear(struct turn *t, iris_actor *a, struct message *m, struct heard *h)
{
    switch (m->pub.kind) {
    case KIND_KILL:
        hear_end(h, ENDING_KILLED, &m->pub);
        break;
    case KIND_RESTART:
        hear_restart(a, &m->pub, h);
        break;
    case KIND_BEGIN:
        hear_begin(a, &m->pub);
        break;
    case KIND_SWAP:
        hear_swap(t, a, iris__message_pointer(m));
        break;
    case KIND_CHILD:
        iris__watch_add_child(a, m->pub.from);
        break;
    case KIND_LATER_FAILED:
        hear_failure(t, a, (struct message *)(uintptr_t)m->pub.ref, &m->pub, h);
        break;
    case IRIS_MONITOR:
        iris__watch_add(a, &m->pub);
        break;
    case IRIS_DEMONITOR:
        iris__watch_remove(a, &m->pub);
        break;
    case KIND_WAKE:
        break;
    default:
        hear_for_behaviour(a, m);
        return;
    }
    iris__message_drop(t->w->pool, m);
}

static void hear_all(struct turn *t, iris_actor *a, struct heard *h)
{
    uint64_t pid = iris__actor_pid(a);
    for (struct message *m = iris__signal_take(a), *next; m; m = next) {
        next = m->next;
        if (atomic_load(&m->later))
            hear_failure(t, a, m, NULL, h);
        else if (m->pub.to != pid)
            iris__actor_refuse_signal(t->w, m);
        else
            hear(t, a, m, h);
    }
}

static enum step heed(struct turn *t, iris_actor *a)
{
    struct heard h = {0};
    hear_all(t, a, &h);
    if (!h.ends)
        return GO_ON;
    enum step step = end(a, h.kind, h.reason ? h.reason : "killed", h.stopped,
                         h.kind == ENDING_CRASH ? &h.message : NULL);
    free(h.reason);
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
        iris__message_drop(t->w->pool, m);
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
    c->now = NULL;
    a->flags &= (uint16_t)~ACTOR_SWAPPING;
    return swap(a, s);
}

/* A pull actor is inside its one long handle(): what ends it is kept until that returns. */
int iris__turn_hear_pull(iris_actor *a)
{
    struct turn t = {.w = iris__world_of(a), .lane = iris__thread.lane};
    struct cold *c = iris__cold(a);
    struct heard h = {0};
    if (iris__signal_waits(a))
        hear_all(&t, a, &h);
    if (c && c->now) {
        swap_now(a); /* which refuses: pull actors are not swapped yet */
    }
    if (h.ends)
        iris__turn_exit(a, h.reason,
                        h.kind == ENDING_RESTART ? EXIT_RESTARTED
                        : h.stopped              ? EXIT_STOPPED
                                                 : EXIT_KILLED);
    free(h.reason);
    return a->flags & ACTOR_EXITING;
}

int iris__turn_exit(iris_actor *a, const char *reason, enum exit_how how)
{
    struct cold *c = iris__cold(a);
    if (!c)
        return iris__fail("exit: no memory");
    free(c->exit_reason);
    c->exit_reason = reason ? strdup(reason) : NULL;
    if (c->exit_how != EXIT_STOPPED)
        c->exit_how = how;
    a->flags |= ACTOR_EXITING;
    if (iris__thread.turn != a) /* a host's thread, between its turns: have one */
        iris__signal(iris__world_of(a), KIND_WAKE, 0, iris__actor_pid(a), 0, NULL);
    return IRIS_OK;
}

/* ---- what is rare ---- */

static enum step pull(iris_actor *a)
{
    const iris_behaviour *b = &a->version->b;
    iris__forget();
    int result = b->handle(b, a, a->state, NULL, 0);
    int ended = iris__cold_if(a) && iris__cold_if(a)->exit_how; /* its mailbox was closed */
    int crashed = result < 0 && !ended;
    struct message *m = crashed && iris__cold_if(a) ? iris__cold_if(a)->taken : NULL;
    struct excerpt e;
    if (m)
        take_excerpt(a, &m->pub, &e);
    iris__reader_finish(a, crashed);
    return crashed ? crash_in(a, iris__reason(), m ? &e : NULL) : leave(a);
}

static enum step begin(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    unsigned restarts = c ? atomic_load(&c->restarts) : 0;
    if (iris__actor_init(a))
        return crash(a, iris__reason());
    if (restarts)
        iris__world_event(w, EVENT_RESTARTED, a, IRIS_WARN, "restart %u", restarts);
    else
        iris__world_event(w, EVENT_STARTED, a, IRIS_INFO, "started");
    if (restarts && w->hooks.began)
        w->hooks.began(w, a);
    return GO_ON;
}

/* Between two incarnations: only signals are heard, and a stop is a stop. */
static enum step wait(struct turn *t, iris_actor *a)
{
    if (iris__signal_waits(a) && heed(t, a) == STOP)
        return STOP;
    if (!(a->flags & ACTOR_DOWN))
        return GO_ON;
    if (!(iris__gate_upper(a) & GATE_OPEN))
        return stop(t, a);
    return iris__mailbox_block_open(a) ? STOP : GO_ON;
}

/* It called exit(): what it has put off is done first, as with stop. */
static enum step depart(struct turn *t, iris_actor *a)
{
    if (iris__signal_waits(a) && heed(t, a) == STOP)
        return STOP;
    if (!(a->flags & ACTOR_EXITING)) /* a signal ended it, and it began anew */
        return GO_ON;
    if (a->open)
        return iris__mailbox_block(a) ? STOP : GO_ON;
    return leave(a);
}

static enum step special(struct turn *t, iris_actor *a)
{
    if (a->flags & ACTOR_MOVING)
        return iris__swap_arrive(a) ? STOP : GO_ON;
    if (a->flags & ACTOR_GONE) {
        iris__actor_bury(a);
        return STOP;
    }
    if (a->flags & ACTOR_DOWN)
        return wait(t, a);
    if (a->flags & ACTOR_FRESH)
        return begin(a);
    return depart(t, a);
}

static int is_over(const struct turn *t, const iris_actor *a)
{
    return t->used && (t->used + iris__thread.sent >= a->budget ||
                       atomic_load_explicit(&t->lane->due, memory_order_relaxed));
}

/* Before the next message: what is open must be done, then a swap that shall come now, then signals. */
static enum step hold(struct turn *t, iris_actor *a)
{
    if (a->open)
        return iris__mailbox_block(a) ? STOP : GO_ON;
    if (a->flags & ACTOR_SWAPPING)
        return swap_now(a);
    if (a->flags & ACTOR_PULLS)
        return pull(a);
    if (!is_over(t, a))
        return hear_one(t, a);
    iris__executor_push(a->executor, a);
    return STOP;
}

#define ACTOR_SPECIAL (ACTOR_MOVING | ACTOR_GONE | ACTOR_DOWN | ACTOR_FRESH | ACTOR_EXITING)
#define ACTOR_HOLDS (ACTOR_SWAPPING | ACTOR_PULLS | ACTOR_HEARS)

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
    if (__builtin_expect(iris__signal_waits(a), 0) && heed(t, a) == STOP)
        return STOP;
    if (__builtin_expect(a->open || a->flags & ACTOR_HOLDS, 0))
        return hold(t, a);
    if (is_over(t, a)) {
        iris__executor_push(a->executor, a);
        return STOP;
    }
    if (!a->local)
        return look(t, a);
    if (__builtin_expect(a->local->pub.kind >= KIND_SWAP, 0))
        return mark(t, a);
    return handle(t, a);
}

void iris__turn_run(void *world, void *actor)
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
}
