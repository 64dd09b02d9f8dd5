#include "lazy.h"

#include "cold.h"
#include "fail.h"
#include "family.h"
#include "mailbox.h"
#include "watch.h"

#include <stdlib.h>

enum { LOOKS = 4 }; /* within one idle timeout */

static int64_t period_of(int64_t timeout)
{
    return timeout / LOOKS > IRIS__MS ? timeout / LOOKS : IRIS__MS;
}

int iris__lazy_wake(iris_actor *a)
{
    int64_t timeout = (int64_t)(intptr_t)a->state;
    if (!(a->flags & ACTOR_ASLEEP))
        return 0;
    struct cold *c = timeout ? iris__cold(a) : NULL;
    a->state = NULL;
    a->flags &= (uint16_t)~ACTOR_ASLEEP;
    atomic_fetch_and(&a->marks, ~(unsigned)MARK_ASLEEP);
    if (timeout && !c)
        return iris__fail("lazy: no memory to wake up in");
    if (c)
        c->idle_timeout = timeout;
    return 0;
}

void iris__lazy_begin(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    if (!c || !c->idle_timeout)
        return;
    c->idle_looks = 0;
    c->idle_handled = atomic_load_explicit(&a->handled, memory_order_relaxed);
    if (iris__timer_signal(iris__world_of(a), KIND_REST, iris__actor_pid(a),
                           period_of(c->idle_timeout), NULL))
        iris__forget(); /* no memory: then it stays awake */
}

int iris__lazy_look(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    uint64_t handled = atomic_load_explicit(&a->handled, memory_order_relaxed);
    if (a->flags & ACTOR_FRESH || !c || !c->idle_timeout)
        return 0; /* of the time before it went to sleep */
    if (handled != c->idle_handled || iris__mailbox_size(a) || a->open)
        c->idle_looks = 0;
    else
        c->idle_looks++;
    c->idle_handled = handled;
    return c->idle_looks * period_of(c->idle_timeout) >= c->idle_timeout;
}

/* It was made of zeros, and all that it had is gone again: every byte is as it was. */
static int is_blank(const struct cold *c)
{
    const unsigned char *bytes = (const unsigned char *)c;
    for (size_t i = 0; i < sizeof *c; i++)
        if (bytes[i])
            return 0;
    return 1;
}

/* Nothing is kept for one that has nothing but its sleep. */
static void let_cold_go(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    c->idle_timeout = 0;
    c->idle_looks = 0;
    c->idle_handled = c->fruitless_at = 0;
    c->fruitless = 0;
    free(c->open);
    c->open = NULL;
    c->open_room = 0;
    if (!is_blank(c))
        return;
    iris__facts_hold(w); /* others may be looking at it */
    atomic_store(&a->cold, NULL);
    iris__facts_release(w);
    iris__cold_free(w, c);
}

static int has_work(const iris_actor *a, const struct cold *c)
{
    return a->open || a->local || atomic_load(&((iris_actor *)a)->in) || c->busy ||
           a->flags & (ACTOR_FRESH | ACTOR_EXITING | ACTOR_SWAPPING | ACTOR_HEARS | ACTOR_DOWN |
                       ACTOR_ENDING | ACTOR_WAITS);
}

void iris__lazy_rest(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    if (!c || has_work(a, c))
        return;
    iris__actor_end_state(a);
    iris__timer_cancel_own(w, iris__actor_pid(a));
    iris__family_drop(a);
    iris__watch_rest(a);
    iris__world_event(w, EVENT_LOG, a, IRIS_DEBUG_LEVEL, "asleep: no message for %.1f s",
                      (double)c->idle_timeout / 1e9);
    atomic_store(&c->started, 0);
    a->batch = 1;
    a->state = (void *)(intptr_t)c->idle_timeout;
    a->flags |= ACTOR_FRESH | ACTOR_ASLEEP;
    atomic_fetch_or(&a->marks, MARK_ASLEEP);
    let_cold_go(a);
}
