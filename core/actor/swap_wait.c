#include "swap_wait.h"

#include "behaviour.h"
#include "fail.h"
#include "gate.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>

static struct swap *create(uint64_t pid, const struct swap_order *order)
{
    struct swap *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->order = *order;
    s->pid = pid;
    return s;
}

void iris__swap_destroy(struct swap *s)
{
    iris__version_release(s->order.version);
    iris__text_finish(&s->bytes);
    iris__text_finish(&s->migrated);
    free(s->failed);
    free(s);
}

static void enlist(struct world *w, struct swap *s)
{
    s->next = w->swaps;
    s->before = &w->swaps;
    if (s->next)
        s->next->before = &s->next;
    w->swaps = s;
}

static void unlist(struct swap *s)
{
    if (!s->before)
        return;
    *s->before = s->next;
    if (s->next)
        s->next->before = s->before;
    s->before = NULL;
}

void iris__swap_tell(struct swap *s, const struct swap_report *report)
{
    if (s->order.tell)
        s->order.tell(s->order.ctx, report);
    s->order.tell = NULL;
}

/* It found nobody; unless a cancel was faster, and has told. */
static int take_back(struct world *w, struct swap *s, int result)
{
    pthread_mutex_lock(&w->swaps_lock);
    int told = s->cancelled;
    unlist(s);
    pthread_mutex_unlock(&w->swaps_lock);
    iris__swap_destroy(s);
    return told ? IRIS_OK : result;
}

int iris__swap(struct world *w, uint64_t pid, const struct swap_order *order)
{
    if (order->now && !order->freeze)
        iris__swap_cancel(w, pid);
    struct swap *s = create(pid, order);
    if (!s) {
        iris__version_release(order->version);
        return iris__fail("swap: no memory");
    }
    pthread_mutex_lock(&w->swaps_lock);
    s->ref = atomic_fetch_add(&w->refs, 1);
    enlist(w, s);
    pthread_mutex_unlock(&w->swaps_lock);
    int result = order->now ? iris__signal_pointer(w, KIND_SWAP, pid, s)
                            : iris__marker(w, KIND_SWAP, pid, s);
    return result ? take_back(w, s, result) : IRIS_OK;
}

/* What was to be told by a swap that waits; from now on it is cancelled. swaps_lock held. */
static struct swap_order call_off(struct swap *s)
{
    struct swap_order order = s->order;
    unlist(s);
    s->cancelled = 1;
    s->order.tell = NULL;
    s->order.version = NULL;
    return order;
}

static void tell_off(const struct swap_order *order, const char *why)
{
    const struct swap_report report = {.result = IRIS_FAIL, .why = why};
    if (order->tell)
        order->tell(order->ctx, &report);
    iris__version_release(order->version);
}

/* Cancelled ones are told at once; their markers find them so and free them. */
int iris__swap_cancel(struct world *w, uint64_t pid)
{
    for (int n = 0;; n++) {
        pthread_mutex_lock(&w->swaps_lock);
        struct swap *s = w->swaps;
        while (s && s->pid != pid)
            s = s->next;
        struct swap_order order = {0};
        if (s)
            order = call_off(s);
        pthread_mutex_unlock(&w->swaps_lock);
        if (!s)
            return n;
        tell_off(&order, "cancelled");
        iris__signal(w, KIND_WAKE, 0, pid, 0, NULL);
    }
}

int iris__swap_check(const iris_version *old, const iris_version *new)
{
    if ((new->b.flags ^ old->b.flags) &
        (IRIS_PULL | IRIS_OWN_THREAD | IRIS_OWN_STACK | IRIS_RUNS_ON))
        return iris__fail(
            "swap: \"%s\" and \"%s\" are of two kinds (flags IRIS_PULL, IRIS_OWN_THREAD, "
            "IRIS_OWN_STACK and IRIS_RUNS_ON must be the same); stop the actor and start the new "
            "one",
            old->b.name, new->b.name);
    if (!iris__version_handles(new))
        return iris__fail("swap: \"%s\" migrates states, and handles no messages; name a handler",
                          new->b.name);
    if (new->library &&new->library == old->library && strcmp(new->b.name, old->b.name) == 0)
        return iris__fail(
            "swap: these are the same bytes as the version that runs; nothing to swap");
    return IRIS_OK;
}

/* ---- a pull actor: it is told, and has so long to return ---- */

struct patience {
    struct world *world;
    uint64_t pid, ref; /* of the swap */
};

static struct swap *find(struct world *w, uint64_t ref)
{
    struct swap *s = w->swaps;
    while (s && s->ref != ref)
        s = s->next;
    return s;
}

static void say_late(struct world *w, uint64_t pid, const char *why)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    if (a && iris__gate_is(a, pid))
        iris__world_event(w, EVENT_SWAP_REFUSED, a, IRIS_WARN, "%s", why + 6);
}

/* On the thread that keeps the time: the actor may sit in a handler that never returns. */
static void run_out(void *ctx)
{
    struct patience *p = ctx;
    struct world *w = p->world;
    struct swap_order order = {0};
    pthread_mutex_lock(&w->swaps_lock);
    struct swap *s = find(w, p->ref);
    if (s)
        order = call_off(s);
    pthread_mutex_unlock(&w->swaps_lock);
    if (s) {
        iris__fail("swap: the pull actor got HOT_SWAP and has not returned from handle() within "
                   "%.1f s; the old version goes on",
                   (double)w->swap_wait / (double)IRIS__SECOND);
        say_late(w, p->pid, iris__reason());
        tell_off(&order, iris__reason());
        iris__signal(w, KIND_WAKE, 0, p->pid, 0, NULL); /* offer.h: it may wait for that */
    }
    free(p);
}

static void lend_patience(struct world *w, struct swap *s)
{
    struct patience *p = malloc(sizeof *p);
    if (!p)
        return; /* it has all the time it wants */
    *p = (struct patience){w, s->pid, s->ref};
    s->patience = p;
    if (iris__timer_call(w, iris__sched_after(&w->sched, w->swap_wait), run_out, p, &s->timer)) {
        s->patience = NULL;
        free(p);
    }
}

/* Either we take the timer back, or it fires and frees this. */
static void lose_patience(struct world *w, struct swap *s)
{
    if (s->patience && iris__timer_cancel(w, s->timer) == IRIS_OK)
        free(s->patience);
    s->patience = NULL;
}

/* A cancel may come at any moment, and lets the version go: it is looked at with a reference of our own. */
static int is_acceptable(iris_actor *a, struct swap *s)
{
    struct world *w = iris__world_of(a);
    pthread_mutex_lock(&w->swaps_lock);
    iris_version *v = s->order.version;
    int held = v && iris__version_retain(v) == IRIS_OK;
    pthread_mutex_unlock(&w->swaps_lock);
    int refused = held && iris__swap_check(a->version, v);
    if (held)
        iris__version_release(v);
    return !refused;
}

int iris__swap_offer(iris_actor *a, struct swap *s)
{
    struct world *w = iris__world_of(a);
    pthread_mutex_lock(&w->swaps_lock);
    int cancelled = s->cancelled;
    pthread_mutex_unlock(&w->swaps_lock);
    if (cancelled) {
        lose_patience(w, s);
        iris__swap_destroy(s);
        return 0;
    }
    if (s->offered)
        return 1;
    s->offered = 1;
    if (!is_acceptable(a, s))
        return iris__swap_perform(a, s); /* which refuses it, and says so */
    lend_patience(w, s);
    return 1;
}

int iris__swap_begin(struct world *w, struct swap *s)
{
    pthread_mutex_lock(&w->swaps_lock);
    int cancelled = s->cancelled;
    if (!cancelled)
        unlist(s);
    pthread_mutex_unlock(&w->swaps_lock);
    lose_patience(w, s);
    if (cancelled)
        iris__swap_destroy(s);
    return !cancelled;
}

void iris__swap_refuse(struct world *w, struct swap *s, int result, const char *why)
{
    if (!iris__swap_begin(w, s))
        return;
    iris__swap_tell(s, &(struct swap_report){.result = result, .why = why});
    iris__swap_destroy(s);
}
