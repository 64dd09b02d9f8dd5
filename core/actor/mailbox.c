#include "mailbox.h"

#include "gate.h"

/* Oldest first, up to and without `end`. */
static struct message *reverse(struct message *m, const struct message *end, uint32_t *count)
{
    struct message *list = NULL;
    uint32_t n = 0;
    for (struct message *next; m != end; m = next, n++) {
        next = m->next;
        m->next = list;
        list = m;
    }
    *count = n;
    return list;
}

static void append(iris_actor *a, struct message *list)
{
    struct message **end = &a->local;
    while (*end)
        end = &(*end)->next;
    *end = list;
}

static void take_in(iris_actor *a, uint64_t word, const struct message *end)
{
    uint32_t n;
    append(a, reverse(iris__mailbox_newest(word), end, &n));
    iris__mailbox_adjust(a, (int)n);
}

int iris__mailbox_fetch(iris_actor *a)
{
    if (!atomic_load_explicit(&a->in, memory_order_relaxed))
        return 0;
    take_in(a, atomic_exchange_explicit(&a->in, 0, memory_order_acquire), NULL);
    return 1;
}

void iris__mailbox_fetch_after(iris_actor *a, const struct message *handled)
{
    take_in(a, atomic_exchange_explicit(&a->in, 0, memory_order_acquire), handled);
}

/* Out of idle, or blocked, and nothing else: a place that is closed has both bits. 1: it is ours. */
static int retake(iris_actor *a, uint64_t flag)
{
    uint64_t in = atomic_load(&a->in);
    while ((in & MAILBOX_FLAGS) == flag)
        if (atomic_compare_exchange_weak(&a->in, &in, in & ~MAILBOX_FLAGS))
            return 1;
    return 0;
}

/* A signal came while we let go. Whoever is idle here may by now be another actor in the same place, of
 * another executor: so it is queued there, and not gone on with. */
static void requeue(iris_actor *a, uint64_t flag)
{
    if (retake(a, flag))
        iris__executor_push(a->executor, a);
}

int iris__mailbox_let_go(iris_actor *a, uint64_t seen)
{
    return atomic_compare_exchange_strong(&a->in, &seen, MAILBOX_IDLE);
}

/* Between saying that we sleep and looking for signals, and between pushing a signal and looking
 * whether the actor sleeps, lies the same total order: at least one of both sees the other. */
void iris__mailbox_look_back(iris_actor *a)
{
    if (atomic_load(&a->signals))
        requeue(a, MAILBOX_IDLE);
}

static int rest(iris_actor *a, uint64_t seen)
{
    int rests = iris__mailbox_let_go(a, seen);
    if (rests)
        iris__mailbox_look_back(a);
    return rests;
}

int iris__mailbox_rest(iris_actor *a)
{
    return rest(a, 0);
}

int iris__mailbox_rest_after(iris_actor *a, uint64_t seen)
{
    int rests = rest(a, seen);
    if (!rests)
        iris__mailbox_fetch_after(a, iris__mailbox_newest(seen));
    return rests;
}

void iris__mailbox_block(iris_actor *a)
{
    atomic_fetch_or(&a->in, MAILBOX_BLOCKED);
    if (atomic_load(&a->signals))
        requeue(a, MAILBOX_BLOCKED);
}

/* Who stops an actor shuts the gate, pushes, and looks whether the actor is blocked: all three and ours
 * are in one order, so at least one of both sees the other. */
void iris__mailbox_block_open(iris_actor *a)
{
    atomic_fetch_or(&a->in, MAILBOX_BLOCKED);
    if (atomic_load(&a->signals) || !(atomic_load(&a->gate) >> 32 & GATE_OPEN))
        requeue(a, MAILBOX_BLOCKED);
}

int iris__mailbox_wake(iris_actor *a)
{
    return retake(a, MAILBOX_IDLE) || retake(a, MAILBOX_BLOCKED);
}

void iris__mailbox_close(iris_actor *a)
{
    take_in(a, atomic_exchange(&a->in, MAILBOX_CLOSED), NULL);
}

void iris__mailbox_knock(iris_actor *a)
{
    uint64_t idle = MAILBOX_IDLE;
    if (atomic_compare_exchange_strong(&a->in, &idle, 0))
        iris__executor_push(a->executor, a);
}

/* A signal is there: whoever waits for one must be queued, once. */
static void rouse(iris_actor *a)
{
    uint64_t in = atomic_load(&a->in);
    for (;;) {
        uint64_t flag = in & MAILBOX_FLAGS;
        if (flag != MAILBOX_IDLE && flag != MAILBOX_BLOCKED)
            return;
        if (atomic_compare_exchange_weak(&a->in, &in, in & ~MAILBOX_FLAGS))
            break;
    }
    iris__executor_push(a->executor, a);
}

int iris__signal_push(iris_actor *a, struct message *m)
{
    struct message *first = atomic_load(&a->signals);
    do {
        if (first == SIGNALS_CLOSED)
            return IRIS_DEAD;
        m->next = first;
    } while (!atomic_compare_exchange_weak(&a->signals, &first, m));
    rouse(a);
    return IRIS_OK;
}

struct message *iris__signal_take(iris_actor *a)
{
    uint32_t n;
    return reverse(atomic_exchange(&a->signals, NULL), NULL, &n);
}

struct message *iris__signal_close(iris_actor *a)
{
    uint32_t n;
    struct message *all = atomic_exchange(&a->signals, SIGNALS_CLOSED);
    return all == SIGNALS_CLOSED ? NULL : reverse(all, NULL, &n);
}
