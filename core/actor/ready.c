#include "ready.h"

#include "cold.h"
#include "fail.h"
#include "freeze.h"
#include "reason.h"
#include "renew.h"
#include "send.h"

#include <stdlib.h>

int iris__ready_check(const iris_spawn *s)
{
    if (s->ready_within < 0)
        return iris__fail("spawn: ready within %lld ns; more than 0, or 0 for: when its init has "
                          "run",
                          (long long)s->ready_within);
    if (s->ready_within && s->flags & IRIS_SPAWN_LAZY)
        return iris__fail("spawn: one with IRIS_SPAWN_LAZY has started before it begins, and "
                          "cannot say when; leave ready_within 0");
    return IRIS_OK;
}

void iris__ready_expect(iris_actor *a)
{
    if (!(atomic_fetch_or(&a->marks, MARK_STARTING) & MARK_STARTING))
        atomic_fetch_add(&iris__world_of(a)->starting, 1);
}

static void forget(iris_actor *a)
{
    if (atomic_fetch_and(&a->marks, ~(unsigned)MARK_STARTING) & MARK_STARTING)
        atomic_fetch_sub(&iris__world_of(a)->starting, 1);
}

static struct cold *with_word(const iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    return c && c->ready_within ? c : NULL;
}

/* What is frozen gets no message that it could be ready after: its state is what it starts with. */
void iris__ready_begin(iris_actor *a)
{
    struct cold *c = with_word(a);
    if (!c)
        return;
    c->readiness = c->frozen ? READY_SAID : READY_NOT;
    if (c->frozen)
        return;
    iris__ready_expect(a);
    if (iris__timer_signal(iris__world_of(a), KIND_LATE, iris__actor_pid(a), c->ready_within,
                           &c->ready_timer))
        iris__forget(); /* no memory: then it has all the time it takes */
}

int iris__ready_is_awaited(iris_actor *a)
{
    const struct cold *c = with_word(a);
    return c && (c->readiness == READY_NOT || c->readiness == READY_WAITS);
}

static void tell(iris_actor *a, unsigned restarts)
{
    struct world *w = iris__world_of(a);
    if (restarts)
        iris__world_event(w, EVENT_RESTARTED, a, IRIS_WARN, "restart %u", restarts);
    else
        iris__world_event(w, EVENT_STARTED, a, IRIS_INFO, "started");
    if (restarts && w->hooks.began)
        w->hooks.began(w, a);
}

/* No timer can be set twice, and one that fires this moment finds that it was said. */
static void have_told(iris_actor *a, struct cold *c, unsigned restarts)
{
    c->readiness = READY_TOLD;
    iris__timer_cancel(iris__world_of(a), c->ready_timer);
    forget(a);
    tell(a, restarts);
    iris__renew_proven(a);
}

void iris__ready_begun(iris_actor *a, unsigned restarts)
{
    struct cold *c = with_word(a);
    if (!c)
        tell(a, restarts);
    else if (c->readiness == READY_NOT)
        c->readiness = READY_WAITS;
    else
        have_told(a, c, restarts);
}

void iris__ready_heard(iris_actor *a)
{
    struct cold *c = with_word(a);
    if (c && c->readiness == READY_NOT)
        c->readiness = READY_SAID;
    else if (c && c->readiness == READY_WAITS)
        have_told(a, c, atomic_load(&c->restarts));
}

int iris__ready_say(iris_actor *self, uint64_t pid)
{
    uint64_t own = iris__actor_pid(self);
    pid = pid ? pid : own;
    if (!pid)
        return iris__fail("ready: nobody says it here; it is for an actor, or names one");
    if (pid != own || iris__thread.turn != self)
        return iris__signal(iris__world_of(self), KIND_READY, 0, pid, 0, NULL);
    iris__ready_heard(self);
    return IRIS_OK;
}

/* The word of an earlier incarnation's timer may come late: it is the time of this one that counts. */
char *iris__ready_late(iris_actor *a)
{
    const struct cold *c = with_word(a);
    if (!c || c->readiness != READY_WAITS ||
        iris__sched_now(&iris__world_of(a)->sched) - atomic_load(&c->started) < c->ready_within)
        return NULL;
    iris__fail("it has not said that it is ready within %.3g s (start_timeout)",
               (double)c->ready_within / 1e9);
    return iris__reason_write("crash", NULL, iris__reason());
}

void iris__ready_change(iris_actor *a, int64_t within)
{
    struct cold *c = iris__cold(a);
    if (!c) /* then it was 0 so far, and there is no memory for anything else */
        return;
    if (!within) {
        iris__ready_heard(a);
        forget(a); /* before its init, or when that has failed: nobody will hear of it */
    } else if (!c->ready_within) {
        c->readiness = READY_TOLD;
    }
    c->ready_within = within;
}

void iris__ready_give_up(iris_actor *a)
{
    struct cold *c = with_word(a);
    if (c)
        c->readiness = READY_TOLD;
}

void iris__ready_end(iris_actor *a, int is_gone)
{
    struct cold *c = with_word(a);
    if (!c)
        return;
    c->readiness = READY_NOT;
    if (is_gone)
        forget(a);
}
