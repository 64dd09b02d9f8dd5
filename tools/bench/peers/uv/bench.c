/* One workload in a process of its own: bench WORKLOAD. Prints lines "NAME VALUE", as ../../suite knows them. What a
 * program by hand on libuv does: a thread fills a queue and wakes a loop (one); 100,000 timers (timers). */
#include <uv.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static void say(const char *name, double value)
{
    printf("%s %.6e\n", name, value);
    fflush(stdout);
}

static void die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* ---- a thread and a loop: pushed one by one, taken all at once, woken when it was empty ---- */

struct message {
    struct message *next;
    uint64_t data[];
};

static _Atomic(struct message *) pushed;
static uv_async_t bell;
static long expected, got;
static size_t bytes;

static struct message *reversed(struct message *m)
{
    struct message *first = NULL;
    for (struct message *next; m; m = next) {
        next = m->next;
        m->next = first;
        first = m;
    }
    return first;
}

static void take_all(uv_async_t *handle)
{
    for (struct message *m = reversed(atomic_exchange(&pushed, NULL)), *next; m; m = next) {
        next = m->next;
        if (m->data[0] != (uint64_t)got++)
            die("a message came out of order");
        free(m);
    }
    if (got == expected)
        uv_stop(handle->loop);
}

static void *push_all(void *arg)
{
    (void)arg;
    for (long i = 0; i < expected; i++) {
        struct message *m = malloc(sizeof *m + bytes), *old = atomic_load(&pushed);
        if (!m)
            die("no memory");
        memset(m->data, 0, bytes);
        m->data[0] = (uint64_t)i;
        do
            m->next = old;
        while (!atomic_compare_exchange_weak(&pushed, &old, m));
        if (!old)
            uv_async_send(&bell);
    }
    return NULL;
}

static double push_many(long n)
{
    pthread_t thread;
    expected = n;
    got = 0;
    double begin = now_ns();
    if (pthread_create(&thread, NULL, push_all, NULL))
        die("no thread");
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
    return (double)n * 1e3 / (now_ns() - begin);
}

static void one(void)
{
    uv_async_init(uv_default_loop(), &bell, take_all);
    for (bytes = 8; bytes <= 64; bytes += 56) {
        char name[16];
        push_many(100000);
        snprintf(name, sizeof name, "one%zu", bytes);
        say(name, push_many(1000000));
    }
}

/* ---- timers ---- */

enum { TIMERS = 100000 };

struct timer {
    uv_timer_t timer; /* first */
    double due;
};

static double late[TIMERS];
static int fired;

static void fire(uv_timer_t *t)
{
    double by = now_ns() - ((struct timer *)t)->due;
    late[fired++] = by > 0 ? by : 0; /* its clock is one of milliseconds */
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void timers(void)
{
    struct timer *all = calloc(TIMERS, sizeof *all);
    double cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), begin = now_ns();
    for (int i = 0; all && i < TIMERS; i++) {
        uint64_t ms = 500 + (uint64_t)i % 1000;
        if (i % 100 == 0)
            uv_update_time(uv_default_loop());
        uv_timer_init(uv_default_loop(), &all[i].timer);
        all[i].due = now_ns() + (double)ms * 1e6;
        uv_timer_start(&all[i].timer, fire, ms, 0);
    }
    say("set", (now_ns() - begin) / TIMERS);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    if (fired != TIMERS)
        die("not all timers fired");
    say("cpu", (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / TIMERS);
    qsort(late, TIMERS, sizeof *late, compare);
    say("late50", late[TIMERS / 2] / 1e3);
    say("late99", late[TIMERS / 100 * 99] / 1e3);
    free(all);
}

int main(int argc, char **argv)
{
    const char *workload = argc > 1 ? argv[1] : "";
    if (strcmp(workload, "one") == 0)
        one();
    else if (strcmp(workload, "timers") == 0)
        timers();
    else
        die("bench one, or bench timers");
    return 0;
}
