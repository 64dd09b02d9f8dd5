#include "coroutine.h"

#include "behaviour.h"
#include "context.h"
#include "fail.h"
#include "send.h"
#include "slice.h"

#include <signal.h>
#include <stdlib.h>

struct
    alarm { /* of the timer that is set; freed by who takes it back, or by itself when it fires */
    struct world *world;
    uint64_t pid;
};

struct coroutine {
    struct context own, turn; /* where it stands, and where the turn does that runs it */
    struct stack *stack;
    iris_actor *actor;
    enum wish wish;
    int begun, result;
    uint32_t used, limit; /* in this turn: messages taken, and how many it may */
    struct alarm *alarm;
    uint64_t alarm_id;
    int64_t alarm_at; /* 0: none is set */
};

/* Where the tops of two stacks differ, so that not all lie in the same lines of the first cache. */
enum { COLOURS = 8, COLOUR = 128 };

int iris__coroutine_is_for(const struct world *w, const iris_behaviour *b)
{
    return b->flags & IRIS_PULL && (b->flags & IRIS_OWN_STACK || w->sched.seeded);
}

struct coroutine *iris__coroutine_create(struct world *w, size_t bytes)
{
    struct stack *s = iris__stack_take(&w->stacks, bytes);
    if (!s)
        return NULL;
    size_t colour = (uintptr_t)s->low / 4096 % COLOURS * COLOUR;
    uintptr_t at = (uintptr_t)s->top - colour - sizeof(struct coroutine);
    struct coroutine *k = (struct coroutine *)(at & ~(uintptr_t)63);
    *k = (struct coroutine){.stack = s};
    return k;
}

void iris__coroutine_destroy(struct world *w, struct coroutine *k)
{
    if (k)
        iris__stack_give(&w->stacks, k->stack);
}

size_t iris__coroutine_size(const struct coroutine *k)
{
    return (size_t)(k->stack->top - k->stack->low);
}

/* ---- alarm ---- */

static void ring(void *ctx)
{
    struct alarm *e = ctx;
    iris__signal(e->world, KIND_WAKE, 0, e->pid, 0, NULL);
    free(e);
}

static void disarm(struct world *w, struct coroutine *k)
{
    if (k->alarm_at && iris__timer_cancel(w, k->alarm_id) == IRIS_OK)
        free(k->alarm);
    k->alarm_at = 0;
}

/* One that is set and rings before stays: who waits for the same time after each message, as most do,
 * has one timer for all of them. An alarm for nothing costs one look. */
int iris__coroutine_alarm(struct coroutine *k, int64_t deadline)
{
    struct world *w = iris__world_of(k->actor);
    if (k->alarm_at && k->alarm_at <= iris__sched_now(&w->sched))
        disarm(w, k); /* it has rung, or does this moment */
    if (deadline == INT64_MAX || (k->alarm_at && k->alarm_at <= deadline))
        return IRIS_OK;
    disarm(w, k);
    if (!(k->alarm = malloc(sizeof *k->alarm)))
        return iris__fail("recv: no memory for a timer");
    *k->alarm = (struct alarm){w, iris__actor_pid(k->actor)};
    if (iris__timer_call(w, deadline, ring, k->alarm, &k->alarm_id)) {
        free(k->alarm);
        return IRIS_FAIL;
    }
    k->alarm_at = deadline;
    return IRIS_OK;
}

/* ---- running ---- */

static void body(void *arg)
{
    struct coroutine *k = arg;
    iris__context_begin(&k->own, &k->turn);
    const iris_behaviour *b = &k->actor->version->b;
    k->result = b->handle(b, k->actor, k->actor->state, NULL, 0);
    k->wish = WISH_END;
    iris__context_leave(&k->own, &k->turn);
}

static uint32_t limit_of(iris_actor *a)
{
    struct sched *s = a->executor->sched;
    if (a->flags & ACTOR_TIMED)
        return 1; /* so that is_over() looks each time */
    return s->seeded ? 1 + iris__random_below(&s->random, a->budget) : a->budget;
}

static void finish(struct coroutine *k)
{
    iris__context_drop(&k->own);
    disarm(iris__world_of(k->actor), k);
    k->begun = 0;
}

enum wish iris__coroutine_run(struct coroutine *k, iris_actor *a, uint32_t *used)
{
    if (!k->begun) {
        k->begun = 1;
        k->actor = a;
        iris__context_make(&k->own, k->stack->low, k, body, k);
    }
    k->used = *used;
    k->limit = limit_of(a);
    iris__thread.coroutine = k;
    iris__context_switch(&k->turn, &k->own);
    iris__thread.coroutine = NULL;
    *used = k->used;
    if (k->wish >= WISH_END)
        finish(k);
    return k->wish;
}

int iris__coroutine_result(const struct coroutine *k)
{
    return k->result;
}

void iris__coroutine_wish(struct coroutine *k, enum wish wish)
{
    k->wish = wish;
    iris__context_switch(&k->own, &k->turn);
}

/* As is_over() in turn.c; here is the only place where it reads what belongs to the thread. */
static __attribute__((noinline)) int is_over(const struct coroutine *k)
{
    const struct lane *lane = iris__thread.lane;
    int over = k->used && (k->used + iris__thread.sent >= k->limit ||
                           atomic_load_explicit(&lane->due, memory_order_relaxed));
    if (over && k->actor->flags & ACTOR_TIMED)
        return iris__slice_is_over(k->actor, k->used);
    return over;
}

void iris__coroutine_pace(struct coroutine *k)
{
    if (is_over(k))
        iris__coroutine_wish(k, WISH_YIELD);
    k->used++;
}

/* ---- overflow ---- */

int iris__coroutine_fault(int signal, const void *info, void *ucontext)
{
    struct coroutine *k = iris__thread.coroutine;
    const siginfo_t *i = info;
    if (!k || (signal != SIGSEGV && signal != SIGBUS) || !i || !ucontext ||
        !iris__stack_guards(k->stack, i->si_addr))
        return 0;
    k->wish = WISH_OVERFLOW;
    return iris__context_divert(ucontext, &k->own, &k->turn);
}
