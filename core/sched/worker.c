#include "worker.h"

#include "fail.h"
#include "keeper.h"
#include "stack.h"
#include "thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* How often a worker that has nothing looks around before it sleeps: about 10 us. A wake-up costs 20
 * to 50 us on a virtual machine, so looking a little longer than it hurts is cheaper. */
enum {
    SPINS = 300,
    TAKE_MAX = 128,
    TAKE_FEW = 8,
    OVERFLOW_LOOKS = 4,
    BACKLOG = 64,
    LOOK_EVERY = 256,
    PAUSE_MAX = 32,
    FIRED_TURNS = 32
};

static void wake(struct sched *s, struct worker *w)
{
    if (atomic_exchange(&w->parked, 0)) {
        atomic_fetch_sub(&s->parked, 1);
        iris__bell_ring(w->bell);
    }
}

/* The loads are in one order with a worker's "I sleep" and its last look for work. */
static void wake_another(struct sched *s)
{
    uint32_t n = atomic_load_explicit(&s->nworkers, memory_order_acquire);
    for (uint32_t i = 0; i < n; i++)
        if (atomic_load(&s->workers[i]->parked)) {
            wake(s, s->workers[i]);
            return;
        }
}

static int may_take(const struct worker *w)
{
    return !atomic_load_explicit(&w->dead, memory_order_relaxed);
}

/* A worker that is awake takes what comes from outside; the first one when all sleep. */
static struct worker *choose(struct sched *s)
{
    uint32_t n = atomic_load_explicit(&s->nworkers, memory_order_acquire);
    struct worker *first = NULL;
    for (uint32_t i = 0; i < n; i++) {
        struct worker *w = s->workers[i];
        if (!may_take(w))
            continue;
        if (!atomic_load_explicit(&w->parked, memory_order_relaxed))
            return w;
        if (!first)
            first = w;
    }
    return first ? first : s->workers[0];
}

static void push_from_outside(struct sched *s, void *task)
{
    struct worker *w = choose(s);
    iris__runq_push(&w->queue, task);
    /* It was replaced meanwhile: either it still empties its queue after this, or we do. */
    while (__builtin_expect(atomic_load(&w->dead), 0) && (task = iris__runq_pop(&w->queue)))
        push_from_outside(s, task);
    /* A read-modify-write, not a load: it and the worker's own exchange in park() come one after the
     * other, so either we see it asleep or it sees the task. */
    if (atomic_fetch_or(&w->parked, 0))
        wake(s, w);
    else if (iris__runq_count(&w->queue) > BACKLOG &&
             atomic_load_explicit(&s->parked, memory_order_relaxed))
        wake_another(s);
}

static void push_own(struct worker *w, void *task)
{
    if (__builtin_expect(!iris__ring_push(&w->ring, task), 0))
        iris__runq_push(&w->overflow, task);
}

/* Who sleeps may take a part of what has come. */
static inline void share(struct worker *w)
{
    struct sched *s = w->sched;
    if (__builtin_expect(atomic_load_explicit(&s->parked, memory_order_relaxed) > 0, 0) &&
        iris__worker_count(w) > 1)
        wake_another(s);
}

void iris__worker_push(struct sched *s, void *task)
{
    struct worker *w = iris__thread.worker;
    if (__builtin_expect(!w || w->sched != s || !may_take(w), 0)) {
        push_from_outside(s, task);
        return;
    }
    push_own(w, task);
    share(w);
}

/* Behind those that find no room in the ring, or they would wait for as long as who is in it has work. */
void iris__worker_again(struct sched *s, void *task)
{
    struct worker *w = iris__thread.worker;
    if (__builtin_expect(!w || w->sched != s || !may_take(w) || !iris__runq_count(&w->overflow),
                         1)) {
        iris__worker_push(s, task);
        return;
    }
    iris__runq_push(&w->overflow, task);
    share(w);
}

/* None sleeps: then each looks for jobs before it does. */
void iris__worker_call(struct sched *s)
{
    wake_another(s);
}

/* The first of n tasks; the others become the worker's own. */
static void *keep(struct worker *w, void **tasks, int n)
{
    for (int i = 1; i < n; i++)
        push_own(w, tasks[i]);
    return n ? tasks[0] : NULL;
}

static inline uint32_t limited(uint32_t ahead)
{
    return ahead < LOOK_EVERY ? ahead : LOOK_EVERY;
}

/* The first needs no place in the ring: where that stays full, who waits here still has its turn. */
static void *take_given(struct worker *w)
{
    void *tasks[TAKE_MAX];
    uint32_t ahead = iris__ring_count(&w->ring), room = RING_ROOM - ahead + 1;
    w->patience = limited(ahead);
    return keep(w, tasks, iris__runq_take(&w->queue, tasks, room < TAKE_MAX ? room : TAKE_MAX));
}

/* Few at once, when the ring is empty: what each of them begins has room in the ring then, and is over before the
 * next few begin. Who makes many, that make many, is not spread out over all of memory first. */
static void *take_overflow(struct worker *w, uint32_t most)
{
    void *tasks[TAKE_FEW];
    w->looks = 0;
    return keep(w, tasks, iris__runq_take(&w->overflow, tasks, most));
}

/* Each few looks, so that neither the ring nor what is given need be empty for it. */
static int is_overdue(struct worker *w)
{
    return ++w->looks >= OVERFLOW_LOOKS && iris__runq_count(&w->overflow);
}

/* What was given is looked for when all that was queued at the last look has had its turn, and at the
 * latest after LOOK_EVERY messages or a tick: among actors that flood after some turns, the first of what
 * was given comes then at once. Not each time: a look takes the queue's cache line from who fills it. */
static inline void *next_task(struct worker *w)
{
    void *task = NULL;
    if (!w->patience) {
        w->patience = limited(iris__ring_count(&w->ring));
        if (is_overdue(w))
            task = take_overflow(w, 1);
        else if (iris__runq_count(&w->queue))
            task = take_given(w);
    }
    if (!task)
        task = iris__ring_pop(&w->ring);
    if (!task && iris__runq_count(&w->overflow))
        task = take_overflow(w, TAKE_FEW);
    return task ? task : iris__runq_count(&w->queue) ? take_given(w) : NULL;
}

static inline void pay(struct worker *w, uint32_t cost)
{
    w->patience = w->patience > cost ? w->patience - cost : 0;
}

static inline void take_turn(struct worker *w, void *task)
{
    pay(w, 1 + iris__lane_run(w->sched, &w->lane, task));
}

/* The next turn, if there is one, by the clock: apart from step(), whose turns must not ask whether they are timed. */
static void time_turn(struct worker *w)
{
    int leaves = atomic_load(&w->sched->stopping) || atomic_load(&w->dead);
    void *task = leaves ? NULL : next_task(w);
    if (task)
        pay(w, 1 + iris__lane_run_timed(w->sched, &w->lane, task));
}

static int steal_half(struct runq *q, void **tasks, int last_too)
{
    uint32_t n = iris__runq_count(q), half = n / 2 + 1;
    return n > 1 || (n && last_too) ? iris__runq_take(q, tasks, half < TAKE_MAX ? half : TAKE_MAX)
                                    : 0;
}

/* A lone task is left to its owner, who will be back at once (a pair of actors that talk to each other
 * must not be torn apart), unless the owner's turn lasts. */
static int steal_from(struct worker *victim, void **tasks)
{
    int last_too = atomic_load_explicit(&victim->lane.due, memory_order_relaxed);
    int n = iris__ring_steal(&victim->ring, tasks, TAKE_MAX, last_too ? 1 : 2);
    if (!n)
        n = steal_half(&victim->queue, tasks, last_too);
    return n ? n : steal_half(&victim->overflow, tasks, last_too);
}

static void *steal(struct worker *w)
{
    struct sched *s = w->sched;
    void *tasks[TAKE_MAX];
    uint32_t n = atomic_load_explicit(&s->nworkers, memory_order_acquire);
    for (uint32_t i = 0; i < n; i++) {
        struct worker *victim = s->workers[i];
        int got = victim == w ? 0 : steal_from(victim, tasks);
        if (got)
            return keep(w, tasks, got);
    }
    return NULL;
}

static void serve(struct sched *s, const uint64_t *tags, int n)
{
    for (int i = 0; i < n; i++)
        s->hooks.ready(s->owner, tags[i]);
}

static void *look_at_given(struct worker *w)
{
    void *task = steal(w);
    return task ? task : take_given(w);
}

/* Somebody waits for a descriptor, and no worker sleeps that would be woken by it. */
static int may_peek(struct sched *s)
{
    return atomic_load_explicit(&s->armed, memory_order_relaxed) &&
           !atomic_load_explicit(&s->serving, memory_order_relaxed);
}

static int peek(struct sched *s)
{
    uint64_t tags[16];
    int n = iris__poller_peek(&s->poller, tags, 16);
    serve(s, tags, n);
    return n;
}

static int looks_on(const struct sched *s, int spin, int64_t until)
{
    return s->spin > 0 ? iris__sched_now(s) < until : spin < SPINS && !s->spin;
}

/* With pauses that grow: who looks at a queue takes its cache line from who fills it. Once they are as long as
 * a look at descriptors, that takes their place. */
static void *look_around(struct worker *w)
{
    struct sched *s = w->sched;
    int64_t until = s->spin > 0 ? iris__sched_now(s) + s->spin : 0;
    void *task = look_at_given(w);
    for (int spin = 1, pause = 1; !task && looks_on(s, spin, until); spin += pause) {
        if (atomic_load_explicit(&s->pool.jobs, memory_order_relaxed))
            return NULL;
        if (pause == PAUSE_MAX && may_peek(s)) {
            if (peek(s))
                return next_task(w);
        } else
            for (int i = 0; i < pause; i++)
                iris__pause();
        pause = pause < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
        task = look_at_given(w);
    }
    return task;
}

static int has_reason_to_stay(struct worker *w)
{
    struct sched *s = w->sched;
    return iris__worker_count(w) || atomic_load(&s->pool.jobs) || atomic_load(&s->stopping) ||
           atomic_load(&w->dead);
}

/* 0: somebody woke us, and has counted. */
static int unpark(struct worker *w)
{
    int was_parked = atomic_exchange(&w->parked, 0);
    if (was_parked)
        atomic_fetch_sub(&w->sched->parked, 1);
    return was_parked;
}

static int64_t time_until(struct sched *s, int64_t at)
{
    int64_t now = at == INT64_MAX ? 0 : iris__sched_now(s);
    return at == INT64_MAX ? -1 : at > now ? at - now : 0;
}

/* Two are enough for the descriptors. Who only sleeps is not counted, or none would serve who sleeps after him. */
static int begin_serving(struct sched *s)
{
    if (atomic_fetch_add(&s->serving, 1) < 2)
        return 1;
    atomic_fetch_sub(&s->serving, 1);
    return 0;
}

/* Until it is woken, a descriptor is readable, or (for who keeps the time) a timer is due. 1: at most that
 * last, or the time has changed. */
static int sleep_once(struct worker *w)
{
    struct sched *s = w->sched;
    uint64_t tags[16];
    int n = 0, has_slept = 0;
    atomic_fetch_add(&s->parked, 1); /* first: who sees us asleep may take it back at once */
    atomic_exchange(&w->parked, 1);
    int64_t until = iris__keeper_begin(s, w);
    if (!has_reason_to_stay(w)) {
        int serving = begin_serving(s);
        n = iris__poller_wait(&s->poller, w->bell, serving, time_until(s, until), tags, 16);
        if (serving)
            atomic_fetch_sub(&s->serving, 1);
        has_slept = 1;
    }
    int woken = !unpark(w);
    if (has_slept && !woken && !n)
        return 1;
    iris__sched_stir(s);
    serve(s, tags, n);
    return 0;
}

/* What timers send comes as if from outside: to our own queue, as we are awake. */
static int fire(struct worker *w)
{
    struct lane *lane = iris__thread.lane;
    iris__thread.worker = NULL;
    iris__thread.lane = NULL;
    int fired = iris__keeper_fire(w->sched, w);
    iris__thread.worker = w;
    iris__thread.lane = lane;
    if (fired)
        iris__sched_stir(w->sched);
    return fired;
}

/* What was fired is done at once, without looking around for more before the next sleep. 0: there is more
 * to do than that. */
static int run_fired(struct worker *w)
{
    void *task = NULL;
    time_turn(w);
    for (int i = 1; i < FIRED_TURNS && (task = next_task(w)); i++)
        take_turn(w, task);
    return !task;
}

static void park(struct worker *w)
{
    while (sleep_once(w) && !atomic_load(&w->sched->stopping) && !atomic_load(&w->dead))
        if (fire(w) && !run_fired(w))
            break;
    iris__keeper_end(w->sched, w);
}

/* Once a millisecond while busy: descriptors that became readable must not wait for an idle worker. */
static void on_tick(struct worker *w, uint32_t tick)
{
    w->seen_tick = tick;
    w->patience = 0;
    if (atomic_load_explicit(&w->sched->armed, memory_order_relaxed))
        peek(w->sched);
    time_turn(w);
}

static void step(struct worker *w)
{
    struct sched *s = w->sched;
    if (__builtin_expect(atomic_load_explicit(&s->pool.jobs, memory_order_relaxed) != NULL, 0))
        iris__jobs_run(&s->pool);
    void *task = next_task(w);
    if (__builtin_expect(!task, 0))
        task = look_around(w);
    if (__builtin_expect(!task, 0)) {
        park(w);
        time_turn(w);
        return;
    }
    take_turn(w, task);
    uint32_t tick = atomic_load_explicit(&s->tick, memory_order_relaxed);
    if (__builtin_expect(tick != w->seen_tick, 0))
        on_tick(w, tick);
}

/* Who pushed without seeing that we are dead has its task in the queue when we have its lock: a look
 * without might come too early. */
static void *last_task(struct worker *w)
{
    void *task = iris__ring_pop(&w->ring);
    if (!task)
        task = iris__runq_pop(&w->overflow);
    return task ? task : iris__runq_pop_surely(&w->queue);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct sched *s = w->sched;
    struct signal_stack handlers;
    iris__signal_stack_set(&handlers);
    iris__thread_be_punctual();
    iris__thread.worker = w;
    iris__thread.lane = &w->lane;
    atomic_store(&w->number, iris__thread_number());
    while (!atomic_load_explicit(&s->stopping, memory_order_relaxed) &&
           !atomic_load_explicit(&w->dead, memory_order_relaxed))
        step(w);
    iris__thread.worker = NULL;
    for (void *task; !atomic_load(&s->stopping) && (task = last_task(w));)
        push_from_outside(s, task); /* replaced: others do what is left */
    iris__signal_stack_unset(&handlers);
    atomic_store(&w->gone, 1);
    return NULL;
}

struct worker *iris__worker_create(struct sched *s, uint32_t index)
{
    struct worker *w = aligned_alloc(64, sizeof *w);
    if (!w)
        return NULL;
    memset(w, 0, sizeof *w);
    w->sched = s;
    w->index = index;
    w->bell = iris__bell_open();
    if (w->bell >= 0 && !iris__runq_init(&w->queue) && !iris__runq_init(&w->overflow))
        return w;
    iris__runq_finish(&w->queue);
    iris__bell_close(w->bell);
    free(w);
    return NULL;
}

int iris__worker_start(struct worker *w)
{
    char name[16] = "iris-w";
    name[6] = (char)('0' + w->index / 100 % 10);
    name[7] = (char)('0' + w->index / 10 % 10);
    name[8] = (char)('0' + w->index % 10);
    return iris__thread_start(&w->thread, name, work, w);
}

/* The place of one whose thread has ended, which nobody gives work to and which holds none. */
static struct worker *reuse(struct sched *s)
{
    for (uint32_t i = 0; i < atomic_load(&s->nworkers); i++) {
        struct worker *w = s->workers[i];
        if (!atomic_load(&w->gone) || (w->thread && pthread_tryjoin_np(w->thread, NULL)))
            continue;
        w->thread = 0;
        atomic_store_explicit(&w->lane.due, 0, memory_order_relaxed);
        atomic_store(&w->gone, 0);
        atomic_store(&w->dead, 0);
        return w;
    }
    return NULL;
}

/* One more. More than there is room for are a problem that another thread does not mend. */
static struct worker *add(struct sched *s)
{
    uint32_t n = atomic_load(&s->nworkers);
    struct worker *w = n == SCHED_WORKERS_MAX ? NULL : iris__worker_create(s, n);
    if (!w)
        return NULL;
    s->workers[n] = w;
    atomic_store_explicit(&s->nworkers, n + 1, memory_order_release);
    return w;
}

/* The new one is counted before it runs (whoever looks for idleness must not miss it), and the old one
 * is given up only when there is a thread in its place. */
void iris__worker_replace(struct sched *s, uint32_t i)
{
    struct worker *old = s->workers[i], *w = reuse(s);
    if (!w && !(w = add(s)))
        return;
    if (!iris__worker_start(w)) {
        atomic_store(&old->dead, 1);
        wake(s, old); /* its turn may be over this moment */
        return;
    }
    atomic_store(&w->dead, 1);
    for (void *task; (task = iris__runq_pop_surely(&w->queue));)
        push_from_outside(s, task);
    atomic_store(&w->gone, 1);
}
