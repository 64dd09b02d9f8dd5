#include "actor.h"

#include "alarm.h"
#include "behaviour.h"
#include "cold.h"
#include "coroutine.h"
#include "door.h"
#include "fail.h"
#include "family.h"
#include "freeze.h"
#include "gate.h"
#include "lazy.h"
#include "links.h"
#include "mailbox.h"
#include "offer.h"
#include "ready.h"
#include "reason.h"
#include "renew.h"
#include "send.h"
#include "swap.h"
#include "turn.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

/* ---- birth ---- */

static int check_idle(const iris_spawn *s)
{
    uint32_t kinds = IRIS_PULL | IRIS_OWN_THREAD | IRIS_OWN_STACK;
    if (s->idle_timeout < 0)
        return iris__fail("spawn: an idle timeout of %lld ns; more than 0, or 0 for never",
                          (long long)s->idle_timeout);
    if (s->idle_timeout && !(s->flags & IRIS_SPAWN_LAZY))
        return iris__fail("spawn: an idle timeout is for IRIS_SPAWN_LAZY, which begins again with "
                          "the next message; add it to flags");
    if (s->idle_timeout && s->version->b.flags & kinds)
        return iris__fail("spawn: an idle timeout is for actors that are handed their mail; \"%s\" "
                          "takes it itself, and ends when it wants to",
                          s->version->b.name);
    return IRIS_OK;
}

/* What every spawn must be. */
static int check(struct world *w, const iris_spawn *s)
{
    if (!iris__world_is_here(w))
        return IRIS_FAIL;
    if (atomic_load_explicit(&w->closing, memory_order_relaxed))
        return iris__fail("spawn: the runtime ends");
    if (w->actors_max &&
        atomic_load_explicit(&w->table.used, memory_order_relaxed) >= w->actors_max)
        return iris__fail(
            "spawn: %u actors live, which is the limit (limits.actors of the manifest)",
            w->actors_max);
    if (s->abi != IRIS_ABI)
        return iris__fail("spawn: built for ABI %u, this core speaks ABI %u", s->abi, IRIS_ABI);
    if (!IRIS_HAS(s, version))
        return iris__fail("spawn: no version; load() or define() one first");
    if (s->budget > UINT16_MAX)
        return iris__fail("spawn: budget %u is too large; up to 65,535", s->budget);
    return IRIS_OK;
}

/* Most ask for a version and perhaps a budget and a capacity: all else is looked at, one by one, only
 * where there is any. */
static int has_wishes(const iris_spawn *s)
{
    uint64_t numbers = s->args.len | s->parent | s->fallback | s->bytes |
                       (uint64_t)s->idle_timeout | (uint64_t)s->slice | (uint64_t)s->ready_within;
    uint32_t kinds = s->version->b.flags & (IRIS_PULL | IRIS_OWN_THREAD | IRIS_OWN_STACK);
    return s->executor || numbers | (s->policy | s->warn_at | s->flags | s->stack | kinds);
}

static int check_wishes(struct world *w, const iris_spawn *s)
{
    if (iris__door_is_wanted(s) && iris__door_check(s))
        return IRIS_FAIL;
    if (s->flags & ~(uint32_t)(IRIS_SPAWN_LAZY | IRIS_SPAWN_TRAP | IRIS_SPAWN_LINK))
        return iris__fail("spawn: flags 0x%x are not built yet", s->flags);
    if (check_idle(s) || (s->ready_within && iris__ready_check(s)))
        return IRIS_FAIL;
    if (s->stack && !(s->version->b.flags & IRIS_OWN_STACK))
        return iris__fail(
            "spawn: \"%s\" has no stack of its own, so it has no size; leave .stack 0",
            s->version->b.name);
    if (s->executor && s->version->b.flags & IRIS_OWN_STACK)
        return iris__fail("spawn: \"%s\" is a coroutine, which runs on the core's pool; leave "
                          ".executor NULL",
                          s->version->b.name);
    if (s->slice < 0)
        return iris__fail("spawn: a time slice of %lld ns; more than 0, or 0: as all have",
                          (long long)s->slice);
    if (s->parent >> PID_NODE_SHIFT)
        return iris__fail("spawn: a parent is an actor of this node");
    return s->parent && !iris__actor_alive(w, s->parent) ? IRIS_DEAD : IRIS_OK;
}

static int keep(const iris_spawn *s, struct cold **cold)
{
    if (!s->args.len && !(s->flags & IRIS_SPAWN_TRAP) && !s->slice && !s->ready_within)
        return IRIS_OK;
    if (!*cold && !(*cold = calloc(1, sizeof **cold)))
        return iris__fail("spawn: no memory");
    (*cold)->slice = s->slice;
    (*cold)->traps = (*cold)->born_trapping = (s->flags & IRIS_SPAWN_TRAP) != 0;
    (*cold)->ready_within = s->ready_within;
    if (!s->args.len)
        return IRIS_OK;
    free((*cold)->args);
    if (!((*cold)->args = malloc(s->args.len)))
        return iris__fail("spawn: no memory for args");
    memcpy((*cold)->args, s->args.data, s->args.len);
    (*cold)->args_len = s->args.len;
    return IRIS_OK;
}

static int give_stack(struct world *w, const iris_spawn *s, struct cold **cold)
{
    if (!iris__coroutine_is_for(w, &s->version->b))
        return IRIS_OK;
    if (!*cold && !(*cold = calloc(1, sizeof **cold)))
        return iris__fail("spawn: no memory");
    (*cold)->coroutine = iris__coroutine_create(w, s->stack);
    return (*cold)->coroutine ? IRIS_OK : IRIS_FAIL;
}

static int grant(struct world *w, const iris_spawn *s, struct cold **cold)
{
    int result = check_wishes(w, s);
    if (!result && (keep(s, cold) || give_stack(w, s, cold)))
        result = IRIS_FAIL;
    return result;
}

static int choose_executor(struct world *w, const iris_spawn *s, iris_executor **x)
{
    const iris_behaviour *b = &s->version->b;
    *x = s->executor ? s->executor : b->executor ? b->executor : &w->sched.pool;
    if (!(b->flags & IRIS_OWN_THREAD))
        return IRIS_OK;
    iris_driver own = {.size = sizeof own, .abi = IRIS_ABI, .name = b->name};
    return iris__executor_open(&w->sched, &own, 1, x);
}

static void fill(iris_actor *a, const iris_spawn *s, struct cold *cold, iris_executor *x)
{
    const iris_behaviour *b = &s->version->b;
    a->local = NULL;
    a->version = s->version;
    a->state = NULL;
    a->executor = x;
    a->budget = (uint16_t)(s->budget ? s->budget : TURN_BUDGET);
    a->batch = 1;
    a->open = 0;
    a->flags = (uint16_t)((b->init || b->flags & IRIS_PULL || cold ? ACTOR_FRESH : 0) |
                          (b->flags & IRIS_OWN_THREAD ? ACTOR_OWN_THREAD : 0) |
                          (s->slice ? ACTOR_TIMED : 0) | (b->flags & IRIS_PULL ? ACTOR_PULLS : 0) |
                          (cold && cold->frozen ? ACTOR_SWAPPING : 0));
    atomic_store_explicit(&a->signals, NULL, memory_order_relaxed);
    atomic_store_explicit(&a->waiting, 0, memory_order_relaxed);
    atomic_store_explicit(&a->handled, 0, memory_order_relaxed);
    atomic_store_explicit(&a->cold, cold, memory_order_relaxed);
    atomic_store_explicit(&a->limit, s->capacity, memory_order_relaxed);
    unsigned kept = cold && cold->is_kept ? MARK_KEPT : 0;
    unsigned asleep = s->flags & IRIS_SPAWN_LAZY ? MARK_ASLEEP : 0;
    unsigned stays = s->executor ? MARK_STAYS : 0;
    atomic_store_explicit(&a->marks,
                          (s->capacity | s->bytes ? MARK_BOUNDED : 0) | kept | asleep | stays,
                          memory_order_relaxed);
    if (s->ready_within)
        iris__ready_expect(a);
    if (!asleep)
        return;
    a->flags |= ACTOR_FRESH | ACTOR_ASLEEP;
    a->state = (void *)(intptr_t)s->idle_timeout;
}

/* One by who was built when it had fewer members: those that it does not know are 0. */
static const iris_spawn *widen(const iris_spawn *given, iris_spawn *room)
{
    if (given->size >= sizeof *room)
        return given;
    *room = (iris_spawn){0};
    memcpy(room, given, given->size);
    room->size = sizeof *room;
    return room;
}

int iris__actor_spawn(struct world *w, const iris_spawn *given, struct cold *cold, uint64_t *pid)
{
    iris_spawn room;
    const iris_spawn *s = widen(given, &room);
    iris_executor *x = NULL;
    iris_actor *a = NULL;
    int result = check(w, s), wishes = !result && has_wishes(s);
    if (wishes)
        result = grant(w, s, &cold);
    if (result || !(a = iris__table_take(&w->table))) {
        iris__cold_free(w, cold);
        return result ? result : IRIS_FAIL;
    }
    int has_door = wishes && iris__door_is_wanted(s);
    if ((has_door && iris__door_prepare(w, a, s)) ||
        choose_executor(w, s, &x)) { /* last: it may have made a thread */
        iris__table_give(&w->table, a);
        iris__cold_free(w, cold);
        return IRIS_FAIL;
    }
    iris__version_retain(s->version);
    uint32_t generation = iris__gate_last_generation(a) + 1;
    fill(a, s, cold, x);
    int wakes = cold && (cold->alarms || cold->restored); /* alarms run from here on */
    int runs = a->flags & ACTOR_FRESH && (wakes || !(a->flags & ACTOR_ASLEEP));
    *pid = (uint64_t)generation << PID_SLOT_BITS | a->slot;
    if (has_door)
        iris__door_open(w, a, *pid, s);
    atomic_store_explicit(&a->in, 0, memory_order_release);
    iris__gate_open(a, generation);
    if (wishes && s->flags & IRIS_SPAWN_LINK)
        iris__link_announce(a);
    if (wishes && s->parent)
        iris__family_adopt(w, s->parent, *pid);
    if (runs || !iris__mailbox_rest(a)) /* what came for its forerunner must be refused at once */
        iris__executor_push(x, a);
    return IRIS_OK;
}

static int make_state(iris_actor *a)
{
    const iris_behaviour *b = &a->version->b;
    struct cold *c = iris__cold_if(a);
    iris_bytes args = {c ? c->args : NULL, c ? c->args_len : 0};
    if (c && c->restored)
        return iris__freeze_upgrade(a);
    iris__forget();
    if (!b->init || b->init(b, a, args, &a->state) == IRIS_OK)
        return IRIS_OK;
    return iris__fail("init() of %s failed: %s", iris__behaviour_label(b).text, iris__reason());
}

/* Most have no cold part, and nothing of this. */
static void set_out(iris_actor *a, struct cold *c)
{
    iris__alarms_set(a);
    atomic_store(&c->started, iris__sched_now(&iris__world_of(a)->sched));
    if (c->ready_within)
        iris__ready_begin(a);
}

static int init(iris_actor *a)
{
    if (a->flags & ACTOR_ASLEEP && iris__lazy_wake(a))
        return IRIS_FAIL;
    struct cold *c = iris__cold_if(a);
    a->flags &= (uint16_t)~ACTOR_FRESH;
    if (c)
        set_out(a, c);
    if (make_state(a)) {
        a->state = NULL;
        a->flags |= ACTOR_FRESH; /* there is nothing to end */
        return IRIS_FAIL;
    }
    if (c)
        iris__lazy_begin(a);
    return IRIS_OK;
}

int iris__actor_init(iris_actor *a)
{
    struct renewal *r = iris__cold_if(a) ? iris__renew_begin(a) : NULL;
    int result = init(a);
    if (r && result == IRIS_OK && iris__ready_is_awaited(a))
        iris__renew_try(a, r);
    else if (r)
        iris__renew_end(a, r, result != IRIS_OK);
    return result;
}

/* ---- death ---- */

/* What it has put off ends at once, also where it still waits for its children. */
static void end_work(iris_actor *a, const struct ending *e)
{
    const iris_behaviour *b = &a->version->b;
    struct cold *c = iris__cold_if(a);
    int runs_on = e->at_once && b->flags & IRIS_RUNS_ON && !(a->flags & ACTOR_FRESH);
    if (b->cancel && (runs_on || (c && c->open_used)))
        b->cancel(b, a, a->state);
    if (iris__cold_if(a))
        iris__later_end(a);
}

void iris__actor_end_state(iris_actor *a)
{
    const iris_behaviour *b = &a->version->b;
    if (b->fini && !(a->flags & ACTOR_FRESH))
        b->fini(b, a, a->state);
    a->state = NULL;
}

static void free_mail(iris_actor *a)
{
    if (!a->local)
        return;
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    for (struct message *m = a->local, *next; m; m = next) {
        next = m->next;
        if (m->pub.kind == KIND_SWAP)
            iris__swap_refuse(w, iris__message_pointer(m), IRIS_DEAD, "the actor ended first");
        if (iris__freeze_keeps(c, m))
            iris__message_drop(w->pool, m);
        else
            iris__world_dead_letter(w, m, DEAD_ENDED);
    }
    a->local = NULL;
    atomic_store_explicit(&a->waiting, 0, memory_order_relaxed);
}

void iris__actor_refuse_signal(struct world *w, struct message *m)
{
    if (m->pub.kind == IRIS_MONITOR)
        iris__watch_noproc(w, &m->pub);
    else if (m->pub.kind == KIND_SWAP)
        iris__swap_refuse(w, iris__message_pointer(m), IRIS_DEAD, "the actor ended first");
    else if (m->pub.kind == KIND_RENEW)
        iris__renew_refuse(iris__message_pointer(m));
    else if (m->pub.kind == KIND_CHILD)
        iris__family_refuse(w, m->pub.to, m->pub.from);
    else if (m->pub.kind == KIND_KILL)
        iris__family_missed(w, &m->pub);
    else if (m->pub.kind == KIND_GATHER)
        iris__gather_refuse(iris__message_pointer(m));
    else
        iris__link_refused(w, &m->pub);
    iris__message_drop(w->pool, m);
}

/* What came for a done() settles something that has ended; all else is refused. */
static void refuse_signals(iris_actor *a, struct message *list)
{
    struct world *w = iris__world_of(a);
    for (struct message *m = list, *next; m; m = next) {
        next = m->next;
        if (atomic_load(&m->later))
            iris__later_settle(a, m);
        else if (m->pub.kind == KIND_LATER_FAILED) {
            iris__later_settle(a, (struct message *)(uintptr_t)m->pub.ref);
            iris__message_drop(w->pool, m);
        } else
            iris__actor_refuse_signal(w, m);
    }
}

/* The last look at an actor from outside is over when the facts were held after its gate says that there is
 * none. Who looks says so before it looks at the gate, so nobody need be waited for where nobody says so. */
static void vacate(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    iris_version *v = (iris_version *)a->version;
    atomic_store(&a->gate, iris__gate_upper(a) & ~GATE_OPEN);
    if (c || atomic_load(&w->lookers)) {
        iris__facts_hold(w);
        atomic_store_explicit(&a->cold, NULL, memory_order_relaxed);
        iris__facts_release(w);
    }
    a->version = NULL;
    iris__cold_free(w, c);
    iris__version_release(v);
}

void iris__actor_bury(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    if (a->open)
        refuse_signals(a, iris__signal_take(a));
    if (a->open) { /* done() calls are on their way: each queues this actor once more */
        a->flags |= ACTOR_GONE;
        iris__mailbox_block(a);
        return;
    }
    iris__mailbox_close(a);
    free_mail(a);
    refuse_signals(a, iris__signal_close(a));
    if (a->flags & ACTOR_OWN_THREAD)
        iris__executor_retire(a->executor);
    uint64_t pid = iris__actor_pid(a);
    int is_kept = atomic_load(&a->marks) & MARK_KEPT && w->hooks.gone;
    iris__table_keep_count(&w->table, a); /* before it is seen no more: a sum never falls */
    vacate(a);
    iris__table_give(&w->table, a);
    if (is_kept)
        w->hooks.gone(w, pid); /* last: who makes another then finds this one nowhere */
}

static void cancel_timers(iris_actor *a)
{
    if (atomic_load(&a->marks) & MARK_TIMERS &&
        atomic_fetch_and(&a->marks, ~(unsigned)MARK_TIMERS) & MARK_TIMERS)
        iris__timer_cancel_all(iris__world_of(a), iris__actor_pid(a));
}

static void end_offers(iris_actor *a, struct cold *c)
{
    iris__offer_end(a);
    if (c->now)
        iris__swap_refuse(iris__world_of(a), c->now, IRIS_DEAD, "the actor ended first");
    c->now = NULL;
}

/* Its gate is shut. */
static void leave(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    cancel_timers(a); /* again: who added one since then sees the gate shut, or we see its mark */
    iris__mailbox_fetch(a);
    iris__door_close(a);
    free_mail(a);
    if (c)
        end_offers(a, c);
    if (atomic_load(&a->marks) & MARK_LINK)
        iris__route_lost(w, iris__actor_pid(a));
    if (c && c->busy)
        atomic_fetch_sub(&w->busy, 1);
    if (c)
        iris__family_mourn(a);
    iris__actor_bury(a);
}

/* An exit() that something else forestalled is not one of the next incarnation. */
static void forget_exit(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    a->flags &= (uint16_t)~ACTOR_EXITING;
    if (!c)
        return;
    free(c->exit_reason);
    c->exit_reason = NULL;
    c->exit_how = EXIT_BY_ITSELF;
}

static enum afterwards afterwards(iris_actor *a, const struct ending *e)
{
    struct world *w = iris__world_of(a);
    int kept = atomic_load(&a->marks) & MARK_KEPT && iris__cold(a); /* without: no memory */
    return kept && w->hooks.restart ? w->hooks.restart(w, a, e) : AFTER_GONE;
}

/* There is no state, but the place, the pid and the mailbox are as they were. */
static void go_down(iris_actor *a)
{
    atomic_store(&iris__cold_if(a)->started, 0);
    a->flags |= ACTOR_DOWN | ACTOR_FRESH;
    if (!(atomic_fetch_or(&a->marks, MARK_DOWN) & MARK_DOWN))
        atomic_fetch_add(&iris__world_of(a)->down, 1);
}

void iris__actor_rise(iris_actor *a)
{
    a->flags &= (uint16_t)~ACTOR_DOWN;
    unsigned marks = atomic_load_explicit(&a->marks, memory_order_relaxed); /* this one: by turns */
    if (marks & MARK_DOWN && atomic_fetch_and(&a->marks, ~(unsigned)MARK_DOWN) & MARK_DOWN)
        atomic_fetch_sub(&iris__world_of(a)->down, 1);
}

/* What ends with an incarnation, also where another one begins; which is decided before anybody is
 * told: who hears of an end finds no name of it. */
static enum afterwards end_incarnation(iris_actor *a, const struct ending *e)
{
    struct world *w = iris__world_of(a);
    if (a->flags & ACTOR_ASLEEP && iris__lazy_wake(a))
        iris__forget(); /* it ends: what it would have slept for is of no use */
    iris__actor_end_state(a);
    if (iris__cold_if(a)) { /* fini may have made it */
        iris__offer_again(a);
        iris__family_drop(a);
        iris__alarms_reset(a);
    }
    cancel_timers(a);
    enum afterwards then = afterwards(a, e);
    struct cold *c = iris__cold_if(a);
    if (then == AFTER_GONE)
        iris__gate_shut(a); /* who gives it a name from now on sees that */
    if (atomic_load(&a->marks) & MARK_NAMED && w->hooks.unname)
        w->hooks.unname(w, a, then != AFTER_GONE);
    if (c && c->ready_within)
        iris__ready_end(a, then == AFTER_GONE);
    if (then == AFTER_GONE)
        atomic_fetch_or(&a->marks, MARK_OVER);
    if (iris__cold_if(a))
        iris__watch_end(a, e->reason);
    forget_exit(a);
    return then;
}

static void note(iris_actor *a, const struct ending *e)
{
    struct event_detail d = {.message = e->message};
    if (e->kind == ENDING_CRASH || e->kind == ENDING_PANIC)
        iris__world_tell(iris__world_of(a), EVENT_CRASHED, a, IRIS_ERROR, &d, "%s", e->reason);
}

/* What comes at once. 1: the rest follows when its children have ended. */
static int begin_end(iris_actor *a, const struct ending *e)
{
    note(a, e);
    end_work(a, e);
    if (!iris__cold_if(a) || !iris__family_end(a, e))
        return 0;
    if (e->stopped || !(atomic_load(&a->marks) & MARK_KEPT))
        iris__gate_shut(a); /* nobody will handle what comes from now on */
    return 1;
}

static void tell_end(iris_actor *a, const char *reason)
{
    iris__actor_rise(a);
    iris__world_event(iris__world_of(a), EVENT_ENDED, a, IRIS_INFO, "%s", reason);
    if (iris__cold_if(a))
        atomic_fetch_or(&a->marks, MARK_TOLD);
}

/* A loop, not a recursion: an init that always fails is tried as often as the supervisor allows. */
static int finish_end(iris_actor *a, const struct ending *first)
{
    struct ending e = *first;
    char *reason = NULL;
    for (;;) {
        enum afterwards then = end_incarnation(a, &e);
        if (then == AFTER_WAITS) {
            go_down(a);
            free(reason);
            return 1;
        }
        if (then == AFTER_GONE) {
            tell_end(a, e.reason);
            leave(a);
            free(reason);
            return 0;
        }
        struct cold *c = iris__cold_if(a);
        iris__actor_rise(a);
        atomic_fetch_add(&c->restarts, 1);
        int was_renewed = c->renewal != NULL;
        int failed = iris__actor_init(a);
        free(reason);
        reason = NULL;
        if (!failed) {
            iris__ready_begun(a, atomic_load(&c->restarts));
            return 1;
        }
        reason = iris__reason_write("crash", NULL, iris__reason());
        e = (struct ending){.kind = was_renewed ? ENDING_RESTART : ENDING_CRASH,
                            .reason = reason ? reason : "crash",
                            .reverts = was_renewed};
        if (begin_end(a, &e)) {
            free(reason);
            return 1;
        }
    }
}

/* What it was renewed with has failed on trial: that is put back, and no failure is counted. */
static struct ending judge(iris_actor *a, const struct ending *given)
{
    static const char crash[] = "crash: ";
    struct ending e = *given;
    iris__fail("%s",
               e.reason + (strncmp(e.reason, crash, sizeof crash - 1) ? 0 : sizeof crash - 1));
    if (!iris__renew_failed(a) || !iris__ending_is_failure(&e))
        return e;
    e.kind = ENDING_RESTART;
    e.reverts = 1;
    return e;
}

int iris__actor_end(iris_actor *a, const struct ending *given)
{
    struct cold *c = iris__cold_if(a);
    struct ending judged;
    if (c && c->trial) {
        judged = judge(a, given);
        given = &judged;
    }
    return begin_end(a, given) ? 1 : finish_end(a, given);
}

int iris__actor_end_now(iris_actor *a)
{
    struct ending e;
    struct last *last = iris__family_over(a, &e);
    int result = finish_end(a, &e);
    iris__family_free(last);
    return result;
}

/* ---- from outside ---- */

int iris__actor_stop(struct world *w, uint64_t pid)
{
    if (pid >> PID_NODE_SHIFT)
        return iris__route_stop(w, 0, pid);
    iris_actor *a = iris__table_at(&w->table, pid);
    /* The place of an ask is closed by its answer alone: shut here, it would wait for ever. */
    if (!a || atomic_load(&a->marks) & MARK_PORT)
        return IRIS_DEAD;
    struct message *m = iris__message_signal(w->pool, KIND_STOP, 0, pid, 0, NULL);
    if (!m) /* before anything is shut: one that accepts nothing and never ends is worse */
        return iris__fail("stop: no memory");
    int result = IRIS_DEAD;
    if (iris__gate_shut_for(a, pid)) {
        m->pub.ref = atomic_load_explicit(&a->handled, memory_order_relaxed);
        result = iris__door_marker(w, a, pid, m);
    }
    if (result)
        iris__message_drop(w->pool, m);
    else if ((atomic_load(&a->in) & MAILBOX_FLAGS) == MAILBOX_BLOCKED)
        iris__signal(w, KIND_WAKE, 0, pid, 0, NULL); /* between two incarnations it ends at once */
    return result;
}

int iris__actor_kill(struct world *w, uint64_t pid, const char *reason)
{
    return iris__signal(w, KIND_KILL, 0, pid, KILL_FOR_GOOD, reason);
}

int iris__actor_alive(struct world *w, uint64_t pid)
{
    iris_actor *a = pid >> PID_NODE_SHIFT ? NULL : iris__table_at(&w->table, pid);
    return a && iris__gate_is(a, pid) && !(atomic_load(&a->marks) & MARK_OVER);
}

int iris__actor_is_told(struct world *w, uint64_t pid)
{
    iris_actor *a = pid >> PID_NODE_SHIFT ? NULL : iris__table_at(&w->table, pid);
    return !a || !iris__gate_is(a, pid) || atomic_load(&a->marks) & MARK_TOLD;
}
