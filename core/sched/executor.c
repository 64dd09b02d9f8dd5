#include "executor.h"

#include "fail.h"
#include "thread.h"
#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wake(iris_executor *x)
{
    if (atomic_exchange(&x->awake, 1) || x->sched->seeded)
        return;
    iris__sched_stir(x->sched);
    if (x->kind == EXECUTOR_HOSTED)
        x->driver.wake(&x->driver);
    else
        iris__bell_ring(x->bell);
}

void iris__executor_push(iris_executor *x, void *task)
{
    if (x->kind == EXECUTOR_POOL) {
        iris__worker_push(x->sched, task);
        return;
    }
    atomic_fetch_add(&x->users, 1); /* from here the task may run, and end its executor */
    iris__runq_push(&x->queue, task);
    wake(x);
    atomic_fetch_sub(&x->users, 1);
}

void iris__executor_again(iris_executor *x, void *task)
{
    if (x->kind == EXECUTOR_POOL)
        iris__worker_again(x->sched, task);
    else
        iris__executor_push(x, task);
}

void iris__executor_post(iris_executor *x, iris_job *job)
{
    atomic_fetch_add(&x->users, 1);
    iris_job *first = atomic_load_explicit(&x->jobs, memory_order_relaxed);
    do
        job->next = first;
    while (!atomic_compare_exchange_weak(&x->jobs, &first, job));
    if (x->kind != EXECUTOR_POOL)
        wake(x);
    else if (!x->sched->seeded)
        iris__worker_call(x->sched);
    atomic_fetch_sub(&x->users, 1);
}

int iris__jobs_run(iris_executor *x)
{
    iris_job *job = atomic_exchange(&x->jobs, NULL), *in_order = NULL;
    while (job) {
        iris_job *next = job->next;
        job->next = in_order;
        in_order = job;
        job = next;
    }
    int n = 0;
    for (; in_order; n++) {
        iris_job *next = in_order->next; /* the job may be freed by its run */
        atomic_fetch_add(&x->jobs_begun, 1);
        in_order->run(in_order);
        in_order = next;
    }
    return n;
}

static int has_work(iris_executor *x)
{
    return iris__runq_count(&x->queue) || atomic_load(&x->jobs);
}

/* Nothing is left. Say so, then look again: whoever queued something in between saw us awake. */
static int fall_asleep(iris_executor *x)
{
    atomic_exchange(&x->awake, 0);
    return !has_work(x) || atomic_exchange(&x->awake, 1) ? IRIS_OK : IRIS_AGAIN;
}

/* The clock costs as much as a short turn: it is looked at when the ticker's has moved, or after some turns. */
struct look {
    unsigned tick, turns;
    int times; /* the next turn is timed: the first of a drain, and one each tick */
};

static int is_time_to_look(const struct sched *s, struct look *l, int64_t slice)
{
    enum { TURNS = 16 };
    unsigned tick = atomic_load_explicit(&s->tick, memory_order_relaxed);
    if (tick == l->tick && ++l->turns < TURNS && slice >= IRIS__MS)
        return 0;
    *l = (struct look){tick, 0, l->times | (tick != l->tick)};
    return 1;
}

static void run(iris_executor *x, struct look *l, void *task)
{
    if (l->times)
        iris__lane_run_timed(x->sched, &x->lane, task);
    else
        iris__lane_run(x->sched, &x->lane, task);
    l->times = 0;
}

int iris__executor_drain(iris_executor *x, int64_t slice)
{
    struct sched *s = x->sched;
    void *outer = iris__thread.lane;
    struct look look = {atomic_load_explicit(&s->tick, memory_order_relaxed), 0, 1};
    int64_t end = iris__sched_now(s) + slice;
    int result = IRIS_AGAIN;
    iris__thread.lane = &x->lane;
    do {
        int jobs = atomic_load_explicit(&x->jobs, memory_order_relaxed) ? iris__jobs_run(x) : 0;
        void *task = iris__runq_pop(&x->queue);
        if (task)
            run(x, &look, task);
        else if (!jobs && (result = fall_asleep(x)) == IRIS_OK)
            break;
    } while (!is_time_to_look(s, &look, slice) || iris__sched_now(s) < end);
    iris__thread.lane = outer;
    return result;
}

static void doze(iris_executor *x, int64_t timeout)
{
    void *task = atomic_exchange(&x->lane.task, NULL); /* who sleeps is not stuck */
    iris__poller_wait(&x->sched->poller, x->bell, 0, timeout, NULL, 0);
    atomic_store(&x->lane.task, task);
}

void *iris__executor_await(iris_executor *x, int64_t deadline)
{
    for (;;) {
        iris__jobs_run(x);
        void *task = iris__runq_pop(&x->queue);
        if (task)
            return task;
        if (fall_asleep(x) == IRIS_AGAIN)
            continue;
        int64_t now = iris__sched_now(x->sched);
        if (now < deadline)
            doze(x, deadline == INT64_MAX ? -1 : deadline - now);
        int woken = atomic_exchange(&x->awake, 1);
        if (!woken && !has_work(x) && now >= deadline)
            return NULL;
    }
}

static void unlist(iris_executor *x)
{
    struct sched *s = x->sched;
    pthread_mutex_lock(&s->lock);
    for (iris_executor **at = &s->list; *at; at = &(*at)->next)
        if (*at == x) {
            *at = x->next;
            break;
        }
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void destroy(iris_executor *x)
{
    while (atomic_load(&x->users))
        sched_yield();
    iris__bell_close(x->bell);
    iris__runq_finish(&x->queue);
    free(x);
}

static void *drive(void *arg)
{
    iris_executor *x = arg;
    for (int more = IRIS_AGAIN; more == IRIS_AGAIN || !atomic_load(&x->closing);) {
        if (more != IRIS_AGAIN)
            iris__poller_wait(&x->sched->poller, x->bell, 0, -1, NULL, 0);
        if (x->driver.enter)
            x->driver.enter(&x->driver);
        more = iris__executor_drain(x, 10 * IRIS__MS);
        if (x->driver.leave)
            x->driver.leave(&x->driver);
    }
    if (x->own) {
        pthread_detach(pthread_self());
        unlist(x);
        destroy(x);
    }
    return NULL;
}

static iris_executor *create(struct sched *s, const iris_driver *d, int own)
{
    iris_executor *x = aligned_alloc(64, (sizeof *x + 63) & ~(size_t)63);
    if (!x)
        return NULL;
    memset(x, 0, sizeof *x);
    memcpy(&x->driver, d, d->size < sizeof *d ? d->size : sizeof *d);
    x->driver.size = sizeof *d;
    snprintf(x->name, sizeof x->name, "%s", d->name ? d->name : "driver");
    x->driver.name = x->name;
    x->limit = x->driver.turn_limit ? x->driver.turn_limit : s->limit;
    x->sched = s;
    x->own = own;
    x->kind = x->driver.wake ? EXECUTOR_HOSTED : EXECUTOR_DRIVEN;
    x->bell = x->kind == EXECUTOR_DRIVEN ? iris__bell_open() : -1;
    if (iris__runq_init(&x->queue) || (x->kind == EXECUTOR_DRIVEN && x->bell < 0)) {
        destroy(x);
        return NULL;
    }
    return x;
}

int iris__executor_open(struct sched *s, const iris_driver *d, int own, iris_executor **out)
{
    if (d->abi != IRIS_ABI)
        return iris__fail("executor \"%s\": ABI %u, this core speaks %u; rebuild the plugin",
                          d->name ? d->name : "?", d->abi, IRIS_ABI);
    iris_executor *x = create(s, d, own);
    if (!x)
        return iris__fail("executor \"%s\": no memory or no file descriptor left for it", d->name);
    pthread_mutex_lock(&s->lock);
    x->next = s->list;
    s->list = x;
    pthread_mutex_unlock(&s->lock);
    int error = x->kind == EXECUTOR_DRIVEN && !s->seeded
                    ? iris__thread_start(&x->thread, x->name, drive, x)
                    : 0;
    if (error) {
        unlist(x);
        iris__fail("executor \"%s\": no thread: %s; see ulimit -u", x->name, strerror(error));
        destroy(x);
        return IRIS_FAIL;
    }
    *out = x;
    return IRIS_OK;
}

void iris__executor_retire(iris_executor *x)
{
    atomic_store(&x->closing, 1);
}

void iris__executor_reap(iris_executor *x)
{
    if (!x->own || !atomic_load(&x->closing) || has_work(x))
        return;
    unlist(x);
    destroy(x);
}

int iris__executor_close_within(iris_executor *x, int64_t timeout)
{
    atomic_store(&x->closing, 1);
    if (x->kind == EXECUTOR_DRIVEN && !x->sched->seeded) {
        iris__bell_ring(x->bell);
        if (iris__sched_join(x->thread, timeout))
            return -1;
    }
    unlist(x);
    destroy(x);
    return 0;
}

void iris__executor_close(iris_executor *x)
{
    iris__executor_close_within(x, INT64_MAX);
}
