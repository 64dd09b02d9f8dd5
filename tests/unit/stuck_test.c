/* Handlers that do not return: what is told of them, and that they hold up nobody else. */
#include "main.h"

#include "cast.h"

#include "actor.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * IRIS_SECOND + t.tv_nsec;
}

static void nap(int64_t ns)
{
    nanosleep(&(struct timespec){ns / IRIS_SECOND, ns % IRIS_SECOND}, NULL);
}

/* ---- what is told ---- */

static struct { /* the last STUCK, copied */
    pthread_mutex_t lock;
    int n;
    iris_event e;
    char path[64], text[256], handler[64];
    unsigned char bytes[64];
} told = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep(struct scene *s, const iris_event *e)
{
    (void)s;
    if (e->kind != IRIS_EVENT_STUCK)
        return;
    pthread_mutex_lock(&told.lock);
    told.n++;
    told.e = *e;
    snprintf(told.path, sizeof told.path, "%s", e->path);
    snprintf(told.text, sizeof told.text, "%s", e->text);
    snprintf(told.handler, sizeof told.handler, "%s", e->handler);
    if (e->excerpt.len)
        memcpy(told.bytes, e->excerpt.data, e->excerpt.len);
    pthread_mutex_unlock(&told.lock);
}

static int is_told(struct scene *s)
{
    (void)s;
    pthread_mutex_lock(&told.lock);
    int n = told.n;
    pthread_mutex_unlock(&told.lock);
    return n > 0;
}

static void play_listening(void (*play)(struct scene *))
{
    scene_listen(keep);
    scene_play_threads(play);
    scene_listen(NULL);
}

struct gate {
    sem_t go; /* posted: "wait" returns */
    sem_t begun;
};

static int gated(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    struct gate *g = b->data;
    (void)self, (void)state;
    for (int i = 0; i < n; i++)
        if (m[i]->len >= 4 && !memcmp(m[i]->data, "wait", 4)) {
            sem_post(&g->begun);
            while (sem_wait(&g->go))
                ;
        }
    return n;
}

static struct gate *create_gate(struct scene *s)
{
    struct gate *g = scene_memory(s, sizeof *g);
    sem_init(&g->go, 0, 0);
    sem_init(&g->begun, 0, 0);
    return g;
}

static iris_behaviour gated_behaviour(struct gate *g)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "gated",
                            .version = "3.1",
                            .data = g,
                            .handle = gated};
}

static void send(struct scene *s, uint64_t pid, const char *text)
{
    assert_int_equal(s->api->send(s->self, pid, text, strlen(text), 0), IRIS_OK);
}

static void alone(struct scene *s)
{
    struct gate *g = create_gate(s);
    iris_behaviour b = gated_behaviour(g);
    told.n = 0;
    uint64_t pid = cast_supervise(s, &b, "/svc/gated", RESTART_NEVER);
    for (int i = 0; i < 3; i++) {
        send(s, pid, "pass");
        scene_settle(s);
    }
    send(s, pid, "wait for me");
    sem_wait(&g->begun);
    for (int i = 0; i < 10; i++)
        send(s, pid, "behind it");
    scene_await(s, is_told);
    assert_int_equal(told.e.pid, pid);
    assert_string_equal(told.path, "/svc/gated");
    assert_string_equal(told.handler, "gated");
    assert_int_equal(told.e.rev, 1);
    assert_true(told.e.lasted >= IRIS_SECOND);
    assert_int_equal(told.e.message, 4);
    assert_int_equal(told.e.messages, 1);
    assert_int_equal(told.e.from, 0);
    assert_int_equal(told.e.len, 11);
    assert_int_equal(told.e.excerpt.len, 11);
    assert_memory_equal(told.bytes, "wait for me", 11);
    assert_non_null(strstr(told.text, "gated v1 has not returned for "));
    assert_non_null(strstr(told.text, " s, on executor native"));
    iris_info i = cast_info(s, pid);
    assert_int_equal(i.state, IRIS_STATE_STUCK);
    assert_true(i.stuck >= IRIS_SECOND);
    sem_post(&g->go);
    scene_settle(s);
    assert_int_equal(cast_info(s, pid).state, IRIS_STATE_RUNNING);
    assert_int_equal(cast_info(s, pid).handled, 14);
}

static void p4_alone(void **state)
{
    (void)state;
    play_listening(alone);
}

static void batch(struct scene *s)
{
    struct gate *g = create_gate(s);
    iris_behaviour b = gated_behaviour(g);
    char large[9000];
    memset(large, 'x', sizeof large);
    memcpy(large, "wait", 4);
    told.n = 0;
    uint64_t pid = cast_supervise(s, &b, "/svc/gated", RESTART_NEVER);
    send(s, pid, "wait");
    sem_wait(&g->begun);
    iris__table_at(&iris__world_of(s->self)->table, pid)->batch =
        8; /* how fast it is is no matter */
    send(s, pid, "first");
    send(s, pid, "second");
    assert_int_equal(s->api->send(s->self, pid, large, sizeof large, 0), IRIS_OK);
    sem_post(&g->go);
    sem_wait(&g->begun);
    scene_await(s, is_told);
    assert_int_equal(told.e.message, 2);
    assert_int_equal(told.e.messages, 3);
    assert_int_equal(told.e.len, 5);
    assert_memory_equal(told.bytes, "first", 5);
    sem_post(&g->go);
    scene_settle(s);
}

static void p4_batch(void **state)
{
    (void)state;
    play_listening(batch);
}

/* ---- a host that was woken, and is in other code ---- */

static void stay_away(const iris_driver *d)
{
    (void)d;
}

static void count_job(iris_job *job)
{
    (void)job;
}

static void take_age(void *ctx, const char *name, int64_t age)
{
    if (!strcmp(name, "away"))
        *(int64_t *)ctx = age;
}

static int64_t age_of_away(struct scene *s)
{
    const iris_control *control = s->api->extension(IRIS_CONTROL);
    int64_t age = -1;
    assert_true(control->executors(s->self, take_age, &age) >= 2);
    return age;
}

static int is_old(struct scene *s)
{
    return age_of_away(s) > 20 * IRIS_MILLISECOND;
}

static int is_well(struct scene *s)
{
    return age_of_away(s) == 0;
}

static void away(struct scene *s)
{
    iris_driver d = {.size = sizeof d, .abi = IRIS_ABI, .name = "away", .wake = stay_away};
    iris_job job = {.run = count_job};
    iris_executor *x;
    assert_int_equal(s->api->open(s->self, &d, &x), IRIS_OK);
    assert_int_equal(age_of_away(s), 0);
    s->api->post(x, &job);
    scene_await(s, is_old);
    assert_int_equal(s->api->drain(x, IRIS_SECOND), IRIS_OK);
    scene_await(s, is_well);
    s->api->close(x);
}

static void p4_away(void **state)
{
    (void)state;
    scene_play_threads(away);
}

/* ---- it returns just when it is looked at ---- */

enum { SLEEPERS = 24 };

static int about_a_second(const iris_behaviour *b, iris_actor *self, void *state,
                          const iris_message *const *m, int n)
{
    (void)b, (void)self, (void)state;
    for (int i = 0; i < n; i++) {
        uint64_t number;
        memcpy(&number, m[i]->data, sizeof number);
        nap(IRIS_SECOND + (int64_t)number % SLEEPERS * 200000); /* up to 5 ms later */
    }
    return n;
}

static void races(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "b", .handle = about_a_second};
    uint64_t large[700] = {0};
    b.flags = IRIS_OWN_THREAD;
    told.n = 0;
    for (uint64_t i = 0; i < SLEEPERS; i++) {
        uint64_t pid = scene_spawn(s, &b, 0);
        large[0] = i;
        assert_int_equal(s->api->send(s->self, pid, large, i % 2 ? 8 : sizeof large, 0), IRIS_OK);
    }
    scene_settle(s);
    assert_int_equal(scene_count(s).handled, SLEEPERS);
}

static void p4_races(void **state)
{
    (void)state;
    play_listening(races);
}

/* ---- nobody else waits ---- */

/* As many as there are workers sleep, and do not wake before the others have done their work. */
static void others(struct scene *s)
{
    struct gate *g = create_gate(s);
    iris_behaviour b = gated_behaviour(g), counter = cast_counter(cast_ledger(s));
    uint64_t pid = scene_spawn(s, &counter, 0);
    for (uint32_t i = 0; i < s->workers; i++)
        send(s, scene_spawn(s, &b, 0), "wait");
    for (uint32_t i = 0; i < s->workers; i++)
        sem_wait(&g->begun);
    int64_t began = now(CLOCK_MONOTONIC), first = 0;
    for (int i = 0; i < 1000; i++) {
        scene_ask(s, pid, "count");
        first = first ? first : now(CLOCK_MONOTONIC) - began;
    }
    printf("  %u of %u workers sleep: the first of 1,000 asks waited %.1f ms, all took %.1f ms\n",
           s->workers, s->workers, (double)first / 1e6,
           (double)(now(CLOCK_MONOTONIC) - began) / 1e6);
    for (uint32_t i = 0; i < s->workers; i++)
        sem_post(&g->go);
    scene_settle(s);
}

static void p4_others(void **state)
{
    (void)state;
    scene_play_threads(others);
}

/* ---- a worker without a core ---- */

static atomic_int spinning;

static void *spin(void *unused)
{
    while (atomic_load_explicit(&spinning, memory_order_relaxed))
        ;
    return unused;
}

/* Works for 50 ms, which take it half a second beside ten that spin. */
static int works(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    int64_t end = now(CLOCK_THREAD_CPUTIME_ID) + 50 * IRIS_MILLISECOND;
    (void)self, (void)state, (void)m;
    while (now(CLOCK_THREAD_CPUTIME_ID) < end)
        ;
    atomic_fetch_add((atomic_int *)b->data, n);
    return n;
}

static void starved(struct scene *s)
{
    pthread_t threads[10];
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "works", .handle = works};
    b.data = scene_memory(s, sizeof(atomic_int));
    struct sched *sched = &iris__world_of(s->self)->sched;
    uint64_t pid = scene_spawn(s, &b, 0);
    atomic_store(&spinning, 1);
    for (int i = 0; i < 10; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, spin, NULL), 0);
    int64_t began = now(CLOCK_MONOTONIC);
    scene_send(s, pid, 1);
    while (!atomic_load((atomic_int *)b.data))
        nap(IRIS_MILLISECOND);
    int64_t took = now(CLOCK_MONOTONIC) - began;
    uint32_t workers = atomic_load(&sched->nworkers);
    atomic_store(&spinning, 0);
    for (int i = 0; i < 10; i++)
        pthread_join(threads[i], NULL);
    printf("  50 ms of work took %.0f ms; %u of %u workers\n", (double)took / 1e6, workers,
           s->workers);
    assert_int_equal(workers, s->workers);
}

/* All on one core: the threads of the plays inherit that. */
static void p8_starved(void **state)
{
    cpu_set_t one;
    (void)state;
    if (access("/proc/self/schedstat", R_OK))
        skip();
    CPU_ZERO(&one);
    CPU_SET((unsigned)sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one))
        skip();
    scene_play_threads(starved);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p4.a_stuck_handler_is_told_with_its_message", p4_alone),
    IRIS_TEST("p4.a_stuck_handler_of_a_batch_is_told_with_how_many", p4_batch),
    IRIS_TEST("p4.a_host_that_does_not_drain_has_an_age", p4_away),
    IRIS_TEST("p4.a_handler_that_returns_while_it_is_looked_at_is_fine", p4_races),
    IRIS_TEST("p4.two_handlers_that_sleep_delay_nobody", p4_others),
    IRIS_TEST("p8.a_worker_without_a_core_is_not_replaced", p8_starved),
};
IRIS_MAIN(tests)
