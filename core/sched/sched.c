#include "executor.h"
#include "fail.h"
#include "keeper.h"
#include "thread.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The ticker: counts milliseconds while something runs, sees turns that last, and fires timers where no
 * worker sleeps until they are due (keeper.h). It sleeps while nothing runs. */

enum { QUIET_TICKS = 20, BRISK_TURNS = 64 };
#define BRISK (4 * IRIS__MS) /* from tick to tick, while no turn is near to lasting */
#define STUCK_AFTER IRIS__SECOND
#define REPLACE_AFTER (100 * IRIS__MS)
#define SLOW_AFTER (10 * IRIS__MS)
#define WAKING (100 * IRIS__MS)

static struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / IRIS__SECOND, .tv_nsec = ns % IRIS__SECOND};
}

void iris__sched_stir(struct sched *s)
{
    if (!atomic_load(&s->ticker_idle))
        return;
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->ticker_idle, 0);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

enum { ACTIVE = 1, STUCK = 2, SLOW = 4 };

static int64_t age_of(struct lane *l, int64_t now)
{
    int64_t since = atomic_load_explicit(&l->since, memory_order_relaxed);
    return since ? now - since : 0;
}

/* Whether somebody must be told now of a turn of this age: after 1, 2, 4, .. s, and at each limit. */
static int is_worth_telling(int64_t limit, struct lane *l, int64_t age)
{
    int tell = age >= l->tell_at;
    int interrupt = limit && age >= l->interrupt_at;
    if (tell)
        l->tell_at *= 2;
    if (interrupt)
        l->interrupt_at += limit;
    return tell || interrupt;
}

/* One lane, once a tick: whether anything happens in it, and whether somebody must be told. */
static int inspect(struct sched *s, struct lane *l, int64_t limit)
{
    uint64_t turns = atomic_load_explicit(&l->turns, memory_order_relaxed);
    void *task = atomic_load_explicit(&l->task, memory_order_acquire);
    int same = task && turns == l->seen, found = task || turns != l->seen ? ACTIVE : 0;
    found |= task && turns - l->seen < BRISK_TURNS ? SLOW : 0;
    int64_t now = iris__sched_now(s), age = same ? age_of(l, now) : 0;
    l->seen = turns;
    if (!age) { /* a new turn, or none */
        atomic_store_explicit(&l->since, task ? now : 0, memory_order_relaxed);
        l->tell_at = STUCK_AFTER;
        l->interrupt_at = limit;
        return found;
    }
    if (age >= 2 * IRIS__MS)
        atomic_store_explicit(&l->due, 1, memory_order_relaxed);
    return found | (is_worth_telling(limit, l, age) ? STUCK : 0);
}

static void tell(struct sched *s, iris_executor *x, struct lane *l)
{
    s->hooks.stuck(s->owner, x, l, age_of(l, iris__sched_now(s)));
}

/* For how long the handler ran, or slept: not for how long its thread had no core. Another thread would
 * not help that one, and have none either. Asked first when the turn is SLOW_AFTER old. */
static int64_t work_of(struct worker *w, int64_t age)
{
    struct thread_use use, *before = &w->before;
    if (iris__thread_use(atomic_load(&w->number), &use))
        return age;
    if (w->slow_turn != w->lane.seen) {
        w->slow_turn = w->lane.seen;
        *before = use;
    }
    return use.is_ready ? use.ran - before->ran : age - (use.starved - before->starved);
}

/* A turn that lasts holds up what is queued behind it: let a sleeping worker steal that, or have
 * another one started. (Behind one that was replaced too: who gave it work may just not have seen that.) */
static void relieve(struct sched *s, uint32_t i)
{
    struct worker *w = s->workers[i];
    int64_t age = age_of(&w->lane, iris__sched_now(s));
    if (age >= 2 * IRIS__MS && iris__worker_count(w) && atomic_load(&s->parked))
        iris__worker_call(s);
    if (!age || atomic_load(&w->dead))
        return;
    if (age >= SLOW_AFTER && w->slow_turn != w->lane.seen)
        work_of(w, age);
    if (age >= REPLACE_AFTER && work_of(w, age) >= REPLACE_AFTER)
        iris__worker_replace(s, i);
}

static int inspect_pool(struct sched *s)
{
    int found = 0;
    uint32_t n = atomic_load(&s->nworkers);
    for (uint32_t i = 0; i < n; i++) {
        int now = inspect(s, &s->workers[i]->lane, s->limit);
        if (now & STUCK)
            tell(s, &s->pool, &s->workers[i]->lane);
        relieve(s, i);
        found |= now;
    }
    return found;
}

/* A host was woken and begins nothing: its thread is in code that is no handler. */
static void inspect_wait(struct sched *s, iris_executor *x)
{
    uint64_t begun = atomic_load_explicit(&x->lane.turns, memory_order_relaxed) +
                     atomic_load_explicit(&x->jobs_begun, memory_order_relaxed);
    int waits = begun == x->begun && !atomic_load(&x->lane.task) &&
                (iris__runq_count(&x->queue) || atomic_load(&x->jobs));
    x->begun = begun;
    if (!waits)
        atomic_store_explicit(&x->waits, 0, memory_order_relaxed);
    else if (!atomic_load_explicit(&x->waits, memory_order_relaxed))
        atomic_store_explicit(&x->waits, iris__sched_now(s), memory_order_relaxed);
}

/* A driver's interrupt() takes its language's lock, whose holder may just be waiting for ours: it is
 * called without. Executors that do not fit are told about at the next whole second. */
static int inspect_list(struct sched *s)
{
    iris_executor *stuck[16];
    int n = 0, found = 0;
    pthread_mutex_lock(&s->lock);
    for (iris_executor *x = s->list; x; x = x->next) {
        int now = inspect(s, &x->lane, x->limit);
        inspect_wait(s, x);
        found |= now;
        if (now & STUCK && n < 16) {
            atomic_fetch_add(&x->users, 1);
            stuck[n++] = x;
        }
    }
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < n; i++) {
        tell(s, stuck[i], &stuck[i]->lane);
        atomic_fetch_sub(&stuck[i]->users, 1);
    }
    return found;
}

static int inspect_all(struct sched *s)
{
    return inspect_pool(s) | inspect_list(s);
}

int64_t iris__lane_age(const struct sched *s, struct lane *l)
{
    return atomic_load(&l->task) ? age_of(l, iris__sched_now(s)) : 0;
}

int64_t iris__executor_age(iris_executor *x)
{
    int64_t age = iris__lane_age(x->sched, &x->lane), waits = atomic_load(&x->waits);
    return age || !waits ? age : iris__sched_now(x->sched) - waits;
}

static void look_at_pool(struct sched *s, struct executor_look *look)
{
    memcpy(look->name, s->pool.name, sizeof look->name);
    for (uint32_t i = 0; i < atomic_load(&s->nworkers); i++) {
        struct worker *w = s->workers[i];
        int64_t age = iris__lane_age(s, &w->lane);
        look->age = age > look->age ? age : look->age;
        look->turns += atomic_load_explicit(&w->lane.turns, memory_order_relaxed);
        look->queued += iris__worker_count(w);
    }
}

int iris__sched_executors(struct sched *s, void (*each)(void *, const struct executor_look *),
                          void *ctx)
{
    int n = 1;
    struct executor_look pool = {.name = ""};
    look_at_pool(s, &pool);
    each(ctx, &pool);
    pthread_mutex_lock(&s->lock);
    for (iris_executor *x = s->list; x; x = x->next, n++) {
        struct executor_look look = {.age = iris__executor_age(x),
                                     .turns =
                                         atomic_load_explicit(&x->lane.turns, memory_order_relaxed),
                                     .queued = iris__runq_count(&x->queue)};
        memcpy(look.name, x->name, sizeof look.name);
        each(ctx, &look);
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}

uint32_t iris__sched_workers(struct sched *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < atomic_load(&s->nworkers); i++)
        n += !atomic_load(&s->workers[i]->gone);
    return n;
}

/* Lock held. Nothing runs and nothing can begin to run without a call to iris__sched_stir(). */
static int all_asleep(struct sched *s)
{
    for (uint32_t i = 0; i < atomic_load(&s->nworkers); i++)
        if (!atomic_load(&s->workers[i]->parked) && !atomic_load(&s->workers[i]->gone))
            return 0;
    for (iris_executor *x = s->list; x; x = x->next)
        if (atomic_load(&x->awake))
            return 0;
    return 1;
}

static void sleep_until(struct sched *s, int64_t at)
{
    if (at == INT64_MAX) {
        pthread_cond_wait(&s->changed, &s->lock);
        return;
    }
    struct timespec t = to_timespec(at);
    pthread_cond_timedwait(&s->changed, &s->lock, &t);
}

/* Quiet may also be a turn that lasts, or a host that was woken and does not drain: only when all are
 * asleep is there nothing to count. Said first, looked at then: who begins meanwhile stirs us. */
static void rest(struct sched *s, int quiet, int64_t interval)
{
    pthread_mutex_lock(&s->lock);
    if (quiet)
        atomic_exchange(&s->ticker_idle, 1);
    int idle = quiet && all_asleep(s);
    int64_t now = iris__sched_now(s), tick = idle ? INT64_MAX : now + interval;
    do {
        int64_t due = iris__keeper_next(s, NULL);
        s->looks_at = due < tick ? due : tick;
        if (!atomic_load(&s->stopping) && iris__sched_now(s) < s->looks_at)
            sleep_until(s, s->looks_at);
    } while (idle && !atomic_load(&s->stopping) && atomic_load(&s->ticker_idle) &&
             iris__sched_now(s) < iris__keeper_next(s, NULL));
    s->looks_at = INT64_MIN; /* awake: it will look without being called */
    atomic_store(&s->ticker_idle, 0);
    pthread_mutex_unlock(&s->lock);
}

/* A tick takes a core from a worker for some microseconds. Where each lane has begun many turns since the
 * last one, none is near to lasting: the next tick may come later. (Descriptors are looked at with each.) */
static int64_t pace(struct sched *s, int found)
{
    int is_brisk = (found & (ACTIVE | SLOW)) == ACTIVE;
    return is_brisk && !atomic_load_explicit(&s->armed, memory_order_relaxed) ? BRISK : IRIS__MS;
}

static void *tick(void *arg)
{
    struct sched *s = arg;
    int quiet = 0;
    int64_t ticked = 0, interval = IRIS__MS;
    iris__thread_be_punctual();
    while (!atomic_load(&s->stopping)) {
        iris__keeper_recall(s);
        iris__keeper_fire(s, NULL);
        int64_t now = iris__sched_now(s);
        if (now - ticked >= IRIS__MS / 2) { /* being called for a timer is not a tick */
            ticked = now;
            atomic_fetch_add_explicit(&s->tick, 1, memory_order_relaxed);
            int found = inspect_all(s);
            quiet = found & ACTIVE ? 0 : quiet + 1;
            interval = pace(s, found);
        }
        rest(s, quiet >= QUIET_TICKS, interval);
    }
    return NULL;
}

static uint32_t count_cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return n < 1 ? 1 : (uint32_t)n;
}

static int make_workers(struct sched *s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!(s->workers[i] = iris__worker_create(s, i)))
            return iris__fail("workers: no memory or no file descriptor for number %u of %u", i, n);
        atomic_store(&s->nworkers, i + 1);
    }
    return 0;
}

int iris__sched_init(struct sched *s, void *owner, struct sched_hooks hooks, uint32_t workers,
                     uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->owner = owner;
    s->hooks = hooks;
    s->seeded = seed != 0;
    s->clock.is_virtual = s->seeded;
    s->random.state = seed ? seed : (uint64_t)iris__sched_now(s);
    s->wake_at = INT64_MAX;
    s->fired_at = INT64_MIN / 2;
    s->pool = (iris_executor){.sched = s, .kind = EXECUTOR_POOL, .name = "native", .bell = -1};
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attr);
    pthread_condattr_destroy(&attr);
    int error = iris__poller_init(&s->poller);
    if (error)
        return iris__fail("poller: %s; see ulimit -n", strerror(error));
    uint32_t n = s->seeded ? 1 : workers ? workers : count_cores();
    return make_workers(s, n < SCHED_WORKERS_MAX ? n : SCHED_WORKERS_MAX);
}

void iris__sched_start(struct sched *s)
{
    if (s->seeded)
        return;
    for (uint32_t i = 0; i < atomic_load(&s->nworkers); i++)
        if (iris__worker_start(s->workers[i]))
            abort(); /* no thread at all at start: there is no runtime to speak of */
    if (iris__thread_start(&s->ticker, "iris-ticker", tick, s))
        abort();
}

/* Own-thread actors end their executors themselves; wait for them within the time that is left. */
static void wait_for_list(struct sched *s, int64_t deadline)
{
    struct timespec t = to_timespec(deadline);
    pthread_mutex_lock(&s->lock);
    while (s->list && iris__sched_now(s) < deadline)
        pthread_cond_timedwait(&s->changed, &s->lock, &t);
    pthread_mutex_unlock(&s->lock);
}

/* By the clock that pthreads have for it. */
static struct timespec real_time(int64_t from_now)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return to_timespec((int64_t)t.tv_sec * IRIS__SECOND + t.tv_nsec + from_now);
}

int iris__sched_join(unsigned long thread, int64_t timeout)
{
    if (!thread || timeout == INT64_MAX)
        return thread ? pthread_join(thread, NULL) : 0;
    struct timespec t = real_time(timeout);
    return pthread_timedjoin_np(thread, NULL, &t);
}

/* What was posted to the pool when nobody looked any more: old states' ends, libraries to let go. */
static void run_last_jobs(struct sched *s)
{
    void *worker = iris__thread.worker, *lane = iris__thread.lane;
    iris__thread.worker = s->workers[0]; /* for this long we are the pool */
    iris__thread.lane = &s->workers[0]->lane;
    while (iris__jobs_run(&s->pool))
        ;
    iris__thread.worker = worker;
    iris__thread.lane = lane;
}

static int join_workers(struct sched *s, int64_t end)
{
    int left = 0;
    for (uint32_t i = 0; i < atomic_load(&s->nworkers); i++)
        iris__bell_ring(s->workers[i]->bell);
    for (uint32_t i = 0; i < atomic_load(&s->nworkers); i++) {
        int64_t time = end - iris__sched_now(s);
        left += iris__sched_join(s->workers[i]->thread, time > 0 ? time : 0) != 0;
    }
    return left;
}

/* However short the time: a thread that only has to wake up is not one that is stuck. */
static int stop_threads(struct sched *s, int64_t timeout)
{
    int64_t end = iris__sched_now(s) + timeout;
    wait_for_list(s, end);
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->stopping, 1);
    pthread_cond_broadcast(&s->changed);
    int left = s->list != NULL;
    pthread_mutex_unlock(&s->lock);
    iris__sched_join(s->ticker, INT64_MAX); /* first: it may be starting a worker */
    int64_t least = iris__sched_now(s) + WAKING;
    return left + join_workers(s, end > least ? end : least);
}

int iris__sched_stop(struct sched *s, int64_t timeout)
{
    int left = s->seeded ? 0 : stop_threads(s, timeout);
    if (!left && atomic_load(&s->nworkers))
        run_last_jobs(s);
    return left;
}

void iris__sched_finish(struct sched *s)
{
    for (uint32_t i = 0; i < atomic_load(&s->nworkers); i++) {
        iris__bell_close(s->workers[i]->bell);
        iris__runq_finish(&s->workers[i]->queue);
        iris__runq_finish(&s->workers[i]->overflow);
        free(s->workers[i]);
    }
    iris__poller_finish(&s->poller);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}

int iris__sched_arm(struct sched *s, int fd, uint64_t tag)
{
    return iris__poller_arm(&s->poller, fd, tag);
}

int iris__sched_watch(struct sched *s, int fd, uint64_t tag)
{
    return iris__poller_watch(&s->poller, fd, tag);
}

/* ---- looking ---- */

static int queues_are_empty(struct sched *s)
{
    uint32_t n = atomic_load(&s->nworkers), left = 0;
    for (uint32_t i = 0; i < n; i++)
        left += iris__worker_count(s->workers[i]);
    for (iris_executor *x = s->list; x; x = x->next)
        left += iris__runq_count(&x->queue) + (atomic_load(&x->jobs) != NULL);
    return !left && !atomic_load(&s->pool.jobs);
}

/* Turns and jobs. */
static uint64_t count_begun(struct sched *s)
{
    uint64_t sum = atomic_load(&s->pool.jobs_begun);
    for (uint32_t i = 0; i < atomic_load(&s->nworkers); i++)
        sum += atomic_load(&s->workers[i]->lane.turns);
    for (iris_executor *x = s->list; x; x = x->next)
        sum += atomic_load(&x->lane.turns) + atomic_load(&x->jobs_begun);
    return sum;
}

static int looks_idle(struct sched *s)
{
    return queues_are_empty(s) && (s->seeded || all_asleep(s));
}

/* Looked at twice: what was handed from one to the other in between has begun a turn, or whoever took
 * it is awake. */
int iris__sched_is_idle(struct sched *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t before = count_begun(s);
    int idle = looks_idle(s);
    if (idle)
        idle = looks_idle(s) && count_begun(s) == before;
    pthread_mutex_unlock(&s->lock);
    return idle;
}

uint64_t iris__sched_begun(struct sched *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t n = count_begun(s);
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* ---- seeded runs ---- */

static int runnable(iris_executor *x)
{
    return x->kind == EXECUTOR_DRIVEN && (iris__runq_count(&x->queue) || atomic_load(&x->jobs));
}

static void decide(struct sched *s, iris_executor *x, struct lane *l, struct runq *q)
{
    void *outer = iris__thread.lane;
    iris__thread.lane = l;
    if (x->driver.enter)
        x->driver.enter(&x->driver);
    void *task = iris__jobs_run(x) ? NULL : iris__runq_pick(q, &s->random);
    if (task)
        iris__lane_run(s, l, task);
    if (x->driver.leave)
        x->driver.leave(&x->driver);
    iris__thread.lane = outer;
}

/* What wake_at says may be the time of a timer that was cancelled: the clock goes to a real one. */
static int let_time_pass(struct sched *s)
{
    if (s->wake_at == INT64_MAX)
        return 0;
    int is_due = s->wake_at <= s->clock.at;
    s->wake_at = INT64_MAX;
    int64_t next = s->hooks.fire(s->owner, s->clock.at);
    if (!is_due && next != INT64_MAX) {
        iris__clock_advance(&s->clock, next);
        next = s->hooks.fire(s->owner, s->clock.at);
    }
    iris__sched_expect(s, next);
    return 1;
}

int iris__sched_step(struct sched *s)
{
    struct runq *native = &s->workers[0]->queue;
    uint32_t n = iris__runq_count(native) || atomic_load(&s->pool.jobs) ? 1 : 0;
    for (iris_executor *x = s->list; x; x = x->next)
        n += (uint32_t)runnable(x);
    if (!n)
        return let_time_pass(s);
    s->decisions++;
    uint32_t choice = iris__random_below(&s->random, n);
    for (iris_executor *x = s->list; x; x = x->next)
        if (runnable(x) && choice-- == 0) {
            decide(s, x, &x->lane, &x->queue);
            iris__executor_reap(x);
            return 1;
        }
    decide(s, &s->pool, &s->workers[0]->lane, native);
    return 1;
}
