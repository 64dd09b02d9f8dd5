/* What the machine itself takes for one hand-off, one wake-up, one touch of a cold line: floors that
 * have no counterpart in Iris, and that explain the other rows. */
#include "machine.h"

#include "floor.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* To and fro between cores is what is asked for, and left alone two threads that wait for each other
 * end up on one. A thread gets the n-th core that this process may use, or stays where it is. */
static void pin(pthread_t thread, const cpu_set_t *may, int n)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, may) && n-- == 0) {
            CPU_SET(core, &one);
            pthread_setaffinity_np(thread, sizeof one, &one);
            return;
        }
}

static pthread_t start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, arg))
        die("no thread");
    return thread;
}

static pthread_t start_on_other_core(void *(*run)(void *), void *arg)
{
    static cpu_set_t may; /* before this thread was pinned itself */
    if (!CPU_COUNT(&may) && sched_getaffinity(0, sizeof may, &may))
        CPU_ZERO(&may);
    pthread_t thread = start(run, arg);
    pin(thread, &may, 1);
    pin(pthread_self(), &may, 0);
    return thread;
}

/* ---- a queue: one thread pushes pooled messages, another one takes them ---- */

enum { HANDED = 4000000 };

static struct floor_actor mailbox;

static void *push_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < HANDED; i++)
        floor_send_new(&mailbox, NULL, 1);
    return NULL;
}

static int take_some(void)
{
    int n = 0;
    struct floor_message *m = atomic_exchange_explicit(&mailbox.in, NULL, memory_order_acquire);
    for (struct floor_message *next; m; m = next, n++) {
        next = m->next;
        floor_put(m);
    }
    return n;
}

static double hand_over(void)
{
    double begin = now_ns();
    pthread_t pusher = start_on_other_core(push_all, NULL);
    for (int taken = 0; taken < HANDED; taken += take_some())
        ;
    pthread_join(pusher, NULL);
    return HANDED * 1e3 / (now_ns() - begin);
}

void queue_floor(const struct workload *w, double *values)
{
    (void)w;
    hand_over();
    values[0] = hand_over();
}

/* ---- waking a thread that sleeps: to and fro, half of it is one way ---- */

enum { WAKES = 4000, WAKE_WARM_UP = 400 };

struct pair {
    int by_eventfd, rounds;
    int ends[2];         /* eventfds */
    atomic_int words[2]; /* futexes */
    double took[WAKES];
};

static void ring(struct pair *p, int who)
{
    uint64_t one = 1;
    if (p->by_eventfd) {
        if (write(p->ends[who], &one, sizeof one) != sizeof one)
            die("eventfd");
        return;
    }
    atomic_store(&p->words[who], 1);
    syscall(SYS_futex, &p->words[who], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void await(struct pair *p, int who)
{
    uint64_t n;
    if (p->by_eventfd) {
        if (read(p->ends[who], &n, sizeof n) != sizeof n)
            die("eventfd");
        return;
    }
    while (!atomic_exchange(&p->words[who], 0))
        syscall(SYS_futex, &p->words[who], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void *answer(void *arg)
{
    struct pair *p = arg;
    for (int i = 0; i < p->rounds; i++) {
        await(p, 0);
        ring(p, 1);
    }
    return NULL;
}

static void exchange_wakes(struct pair *p, int rounds)
{
    p->rounds = rounds;
    pthread_t other = start_on_other_core(answer, p);
    for (int i = 0; i < rounds; i++) {
        double begin = now_ns();
        ring(p, 0);
        await(p, 1);
        p->took[i] = (now_ns() - begin) / 2e3;
    }
    pthread_join(other, NULL);
}

void wake_floor(const struct workload *w, double *values)
{
    struct pair *p = calloc(1, sizeof *p);
    p->by_eventfd = w->size;
    p->ends[0] = eventfd(0, EFD_CLOEXEC);
    p->ends[1] = eventfd(0, EFD_CLOEXEC);
    exchange_wakes(p, WAKE_WARM_UP);
    exchange_wakes(p, WAKES);
    values[0] = percentile(p->took, WAKES, 0.5);
    values[1] = percentile(p->took, WAKES, 0.99);
}

/* ---- one cache line, given from core to core ---- */

enum { PASSES = 2000000 };

static _Alignas(128) atomic_int ball;

/* Who holds the ball passes it on; a thread that has lost its core must not keep the other one spinning. */
static void pass(int mine, int passes)
{
    for (int i = 0; i < passes; i++) {
        for (int n = 1; atomic_load_explicit(&ball, memory_order_acquire) != mine; n++)
            if (n % 10000 == 0)
                sched_yield();
        atomic_store_explicit(&ball, !mine, memory_order_release);
    }
}

static void *pass_back(void *arg)
{
    (void)arg;
    pass(1, PASSES);
    return NULL;
}

void line_floor(const struct workload *w, double *values)
{
    (void)w;
    double begin = now_ns();
    pthread_t other = start_on_other_core(pass_back, NULL);
    pass(0, PASSES);
    pthread_join(other, NULL);
    values[0] = (now_ns() - begin) / (2.0 * PASSES);
}

/* ---- lines that are in no near cache, one after the other in no order ---- */

struct line {
    _Alignas(64) struct line *next;
};

/* One cycle through all of them (Sattolo). */
static struct line *link_lines(size_t n)
{
    struct line *lines = aligned_alloc(64, n * sizeof *lines);
    size_t *order = malloc(n * sizeof *order);
    uint64_t random = 88172645463325252u;
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n - 1; i > 0; i--) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t k = random % i, kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    for (size_t i = 0; i < n; i++)
        lines[order[i]].next = &lines[order[(i + 1) % n]];
    free(order);
    return lines;
}

static struct line *walk(struct line *at, size_t n)
{
    while (n--)
        at = at->next;
    return at;
}

void touch_floor(const struct workload *w, double *values)
{
    size_t n = (size_t)w->size, steps = 2000000;
    struct line *at = walk(link_lines(n), n);
    double begin = now_ns();
    at = walk(at, steps);
    values[0] = (now_ns() - begin) / (double)steps;
    if (!at) /* never; but the walk has a use now */
        die("a line leads nowhere");
}

/* ---- a sleep that is as short as between two firings of many timers ---- */

enum { SLEEPS = 2000, SLEEP_NS = 240000 };

static double thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void sleep_floor(const struct workload *w, double *values)
{
    static double late[SLEEPS];
    (void)w;
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    double cpu = thread_cpu_ns();
    for (int i = 0; i < SLEEPS; i++) {
        double until = now_ns() + SLEEP_NS;
        sleep_until_ns(until);
        late[i] = (now_ns() - until) / 1e3;
    }
    values[0] = (thread_cpu_ns() - cpu) / 1e3 / SLEEPS;
    values[1] = percentile(late, SLEEPS, 0.5);
}
