#include "floor.h"

#include "bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORKERS_MAX = 8, SPINS = 300, STEAL_MAX = 64, BACKLOG = 64, DEPOT_MAX = 1 << 16 };

struct lock {
    atomic_int held;
};

struct floor_worker {
    _Alignas(128) struct lock lock;
    uint32_t room;
    atomic_uint head, tail;
    struct floor_actor **ring;
    _Alignas(128) atomic_int parked;
    pthread_t thread;
};

_Thread_local struct floor_thread floor_thread;

static struct floor_worker workers[WORKERS_MAX];
static int worker_count;
static atomic_int stopping, parked_count;

static void lock(struct lock *l)
{
    while (atomic_exchange_explicit(&l->held, 1, memory_order_acquire))
        for (int n = 0; atomic_load_explicit(&l->held, memory_order_relaxed); n++)
            if (n % 200 == 199)
                sched_yield();
            else
                __builtin_ia32_pause();
}

static void unlock(struct lock *l)
{
    atomic_store_explicit(&l->held, 0, memory_order_release);
}

/* ---- messages: batches move between the threads' lists and this depot ---- */

static struct lock depot_lock;
static struct floor_message *depot[DEPOT_MAX];
static int depot_count;

static struct floor_message *take_batch(void)
{
    lock(&depot_lock);
    struct floor_message *m = depot_count ? depot[--depot_count] : NULL;
    unlock(&depot_lock);
    return m;
}

static struct floor_message *make_batch(void)
{
    struct floor_message *m = aligned_alloc(64, FLOOR_BATCH * sizeof *m);
    if (!m)
        die("no memory");
    for (int i = 0; i < FLOOR_BATCH; i++)
        m[i].next = i + 1 < FLOOR_BATCH ? &m[i + 1] : NULL;
    return m;
}

__attribute__((noinline)) struct floor_message *floor_refill(void)
{
    struct floor_message *m = take_batch();
    if (!m)
        m = make_batch();
    floor_thread.free = m->next;
    floor_thread.free_count = FLOOR_BATCH - 1;
    return m;
}

__attribute__((noinline)) void floor_spill(void)
{
    struct floor_message *first = floor_thread.free, *last = first;
    for (int i = 1; i < FLOOR_BATCH; i++)
        last = last->next;
    floor_thread.free = last->next;
    floor_thread.free_count -= FLOOR_BATCH;
    last->next = NULL;
    lock(&depot_lock);
    if (depot_count < DEPOT_MAX)
        depot[depot_count++] = first;
    unlock(&depot_lock);
}

/* ---- queues ---- */

static uint32_t waiting(struct floor_worker *w)
{
    return atomic_load_explicit(&w->tail, memory_order_relaxed) -
           atomic_load_explicit(&w->head, memory_order_relaxed);
}

static void grow(struct floor_worker *w)
{
    struct floor_actor **ring = malloc(w->room * 2 * sizeof *ring);
    if (!ring)
        die("no memory");
    for (uint32_t i = 0, at = w->head; i < w->room; i++, at++)
        ring[at & (w->room * 2 - 1)] = w->ring[at & (w->room - 1)];
    free(w->ring);
    w->ring = ring;
    w->room *= 2;
}

static void push(struct floor_worker *w, struct floor_actor *a)
{
    lock(&w->lock);
    uint32_t tail = atomic_load_explicit(&w->tail, memory_order_relaxed);
    if (waiting(w) == w->room)
        grow(w);
    w->ring[tail & (w->room - 1)] = a;
    atomic_store_explicit(&w->tail, tail + 1, memory_order_relaxed);
    unlock(&w->lock);
}

static struct floor_actor *pop(struct floor_worker *w)
{
    if (!waiting(w))
        return NULL;
    struct floor_actor *a = NULL;
    lock(&w->lock);
    uint32_t head = atomic_load_explicit(&w->head, memory_order_relaxed);
    if (waiting(w)) {
        a = w->ring[head & (w->room - 1)];
        atomic_store_explicit(&w->head, head + 1, memory_order_relaxed);
    }
    unlock(&w->lock);
    return a;
}

static int take_half(struct floor_worker *victim, struct floor_actor **taken)
{
    if (!waiting(victim))
        return 0;
    lock(&victim->lock);
    uint32_t head = victim->head, n = (waiting(victim) + 1) / 2;
    n = n < STEAL_MAX ? n : STEAL_MAX;
    for (uint32_t i = 0; i < n; i++)
        taken[i] = victim->ring[(head + i) & (victim->room - 1)];
    atomic_store_explicit(&victim->head, head + n, memory_order_relaxed);
    unlock(&victim->lock);
    return (int)n;
}

static struct floor_actor *steal(struct floor_worker *w)
{
    struct floor_actor *taken[STEAL_MAX];
    for (int i = 0; i < worker_count; i++) {
        int n = &workers[i] == w ? 0 : take_half(&workers[i], taken);
        for (int k = 1; k < n; k++)
            push(w, taken[k]);
        if (n)
            return taken[0];
    }
    return NULL;
}

/* ---- waking ---- */

static void futex(atomic_int *word, int operation, int value)
{
    syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void wake(struct floor_worker *w)
{
    if (atomic_load(&w->parked) && atomic_exchange(&w->parked, 0))
        futex(&w->parked, FUTEX_WAKE, 1);
}

static void wake_another(const struct floor_worker *than)
{
    for (int i = 0; i < worker_count; i++)
        if (&workers[i] != than && atomic_load_explicit(&workers[i].parked, memory_order_relaxed)) {
            wake(&workers[i]);
            return;
        }
}

static struct floor_worker *find_awake(void)
{
    for (int i = 0; i < worker_count; i++)
        if (!atomic_load_explicit(&workers[i].parked, memory_order_relaxed))
            return &workers[i];
    return &workers[0];
}

static void schedule_from_outside(struct floor_actor *a)
{
    struct floor_worker *w = find_awake();
    if (waiting(w) > BACKLOG)
        wake_another(w);
    push(w, a);
    atomic_thread_fence(memory_order_seq_cst); /* the worker says it sleeps, then looks again */
    wake(w);
}

void floor_schedule(struct floor_actor *a)
{
    struct floor_worker *w = floor_thread.worker;
    if (__builtin_expect(!w, 0)) {
        schedule_from_outside(a);
        return;
    }
    push(w, a);
    if (atomic_load_explicit(&parked_count, memory_order_relaxed) > 0 && waiting(w) > 1)
        wake_another(w);
}

/* ---- running ---- */

/* 1: nothing was there, and the actor is idle: do not touch it any more. */
static int fetch(struct floor_actor *a)
{
    struct floor_message *m = atomic_load_explicit(&a->in, memory_order_relaxed), *list = NULL;
    if (!m && atomic_compare_exchange_strong_explicit(&a->in, &m, FLOOR_IDLE, memory_order_acq_rel,
                                                      memory_order_acquire))
        return 1;
    m = atomic_exchange_explicit(&a->in, NULL, memory_order_acquire);
    for (struct floor_message *next; m; m = next) {
        next = m->next;
        m->next = list;
        list = m;
    }
    a->local = list;
    return 0;
}

static void run(struct floor_actor *a)
{
    for (int used = 0; used < FLOOR_BUDGET; used += floor_thread.cost) {
        if (!a->local && fetch(a))
            return;
        struct floor_message *m = a->local;
        a->local = m->next;
        floor_thread.cost = 1;
        a->handle(a, m);
    }
    floor_schedule(a);
}

static struct floor_actor *look_around(struct floor_worker *w)
{
    struct floor_actor *a = NULL;
    for (int i = 0; i < SPINS && !a; i++) {
        a = steal(w);
        if (!a)
            __builtin_ia32_pause();
    }
    return a;
}

static void park(struct floor_worker *w)
{
    atomic_store(&w->parked, 1);
    atomic_fetch_add(&parked_count, 1);
    atomic_thread_fence(memory_order_seq_cst);
    if (waiting(w) || atomic_load(&stopping))
        atomic_store(&w->parked, 0);
    while (atomic_load(&w->parked) && !atomic_load(&stopping))
        futex(&w->parked, FUTEX_WAIT, 1);
    atomic_fetch_sub(&parked_count, 1);
}

static void *work(void *arg)
{
    struct floor_worker *w = arg;
    floor_thread.worker = w;
    while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
        struct floor_actor *a = pop(w);
        if (__builtin_expect(!a, 0))
            a = look_around(w);
        if (a)
            run(a);
        else
            park(w);
    }
    return NULL;
}

void floor_start(int n)
{
    worker_count = n;
    for (int i = 0; i < n; i++) {
        workers[i].room = 1024;
        workers[i].ring = malloc(workers[i].room * sizeof *workers[i].ring);
    }
    for (int i = 0; i < n; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            die("no thread for a worker of the floor");
}

void floor_stop(void)
{
    atomic_store(&stopping, 1);
    for (int i = 0; i < worker_count; i++) {
        atomic_store(&workers[i].parked, 0);
        futex(&workers[i].parked, FUTEX_WAKE, 1);
        pthread_join(workers[i].thread, NULL);
    }
}

struct floor_actor *floor_actors(size_t count, floor_handler *handle)
{
    struct floor_actor *a = aligned_alloc(64, (count * sizeof *a + 63) & ~(size_t)63);
    if (!a)
        die("no memory");
    for (size_t i = 0; i < count; i++)
        a[i] = (struct floor_actor){.in = FLOOR_IDLE, .handle = handle};
    return a;
}
