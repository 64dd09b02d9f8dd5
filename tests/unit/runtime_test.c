/* What a runtime takes while it does nothing, what it keeps of what is over, and how it ends when not
 * all do. The last are played in a process of their own: they leave a runtime behind. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double spent(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nap(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* ---- a tick a millisecond is cheap; to look without a rest is a core ---- */

static void ignore(const iris_driver *d)
{
    (void)d;
}

struct errand {
    iris_job job;
    atomic_int begun;
};

static void sleep_on(iris_job *job)
{
    atomic_store(&((struct errand *)job)->begun, 1);
    nap(1000);
}

static int has_begun(struct scene *s)
{
    return atomic_load(&((struct errand *)s->prop)->begun);
}

static void expect_rest(void)
{
    nap(100); /* until it is quiet */
    double before = spent();
    nap(500);
    assert_true(spent() - before < 0.25);
}

static void undrained(struct scene *s)
{
    iris_driver d = {.size = sizeof d, .abi = IRIS_ABI, .name = "undrained", .wake = ignore};
    struct errand *e = scene_memory(s, sizeof *e);
    iris_executor *x = NULL;
    e->job.run = sleep_on;
    assert_int_equal(s->api->open(s->self, &d, &x), IRIS_OK);
    s->api->post(x, &e->job);
    expect_rest();
    s->api->drain(x, 1);
    s->api->close(x);
}

static void long_job(struct scene *s)
{
    iris_driver d = {.size = sizeof d, .abi = IRIS_ABI, .name = "long"};
    struct errand *e = s->prop = scene_memory(s, sizeof *e);
    iris_executor *x = NULL;
    e->job.run = sleep_on;
    assert_int_equal(s->api->open(s->self, &d, &x), IRIS_OK);
    s->api->post(x, &e->job);
    scene_await(s, has_begun);
    expect_rest();
    s->api->close(x);
}

static void p8_rest(void **state)
{
    (void)state;
    scene_play_threads(undrained);
    scene_play_threads(long_job);
}

/* ---- slow turns, one after the other ---- */

static int slowly(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    (void)self, (void)state, (void)m;
    nap(130); /* after 100 ms another worker takes over */
    atomic_fetch_add((atomic_int *)b->data, n);
    return n;
}

static void slow_turns(struct scene *s)
{
    atomic_int *done = scene_memory(s, sizeof *done);
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "slow", .data = done};
    b.handle = slowly;
    uint64_t pid = scene_spawn(s, &b, 0);
    for (int i = 0; i < 8; i++) {
        scene_send(s, pid, 1);
        scene_settle(s);
        nap(10); /* the one that was replaced leaves */
    }
    assert_int_equal(atomic_load(done), 8);
    assert_true(atomic_load(&iris__world_of(s->self)->sched.nworkers) <= s->workers + 3);
}

static void p8_slow(void **state)
{
    (void)state;
    scene_play_threads(slow_turns);
}

/* ---- idle ---- */

static int again(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    const iris_timer_api *timer = iris_calls()->extension(IRIS_TIMER_EXT);
    (void)b, (void)state, (void)m;
    timer->after(self, iris_calls()->pid(self), 1000, "again", 5, NULL);
    return n;
}

/* There is always a timer, a message or a turn. */
static void never_idle(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "again", .handle = again};
    scene_send(s, scene_spawn(s, &b, 0), 1);
    double end = spent() + 0.5;
    while (spent() < end)
        for (int i = 0; i < 100; i++)
            assert_false(iris_is_idle(s->rt));
}

static void p4_idle(void **state)
{
    (void)state;
    scene_play_threads(never_idle);
}

/* ---- what is over is given back ---- */

static void use_memory(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    for (uint64_t i = 0; i < 100; i++)
        scene_send(s, pid, i);
}

static void p8_caches(void **state)
{
    struct scene s = {0};
    (void)state;
    for (int i = 0; i < 3; i++) {
        scene_open(&s, 1, 0);
        use_memory(&s);
        scene_close(&s);
        assert_null(iris__thread.cache);
    }
}

static int descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void p8_failed_open(void **state)
{
    struct rlimit before, few;
    iris_options o = {.size = sizeof o, .abi = IRIS_ABI, .workers = 200};
    iris_runtime *rt;
    (void)state;
    int open = descriptors();
    getrlimit(RLIMIT_NOFILE, &before);
    for (rlim_t n = 0; n < 30; n += 3) {
        few = (struct rlimit){(rlim_t)open + n, before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &few);
        int result = iris_open(&o, &rt);
        setrlimit(RLIMIT_NOFILE, &before);
        assert_int_equal(result, IRIS_FAIL);
        assert_int_equal(descriptors(), open);
    }
}

/* ---- a close that cannot end all ---- */

static void expect_exit(int (*play)(void), int status)
{
    int got;
    pid_t child = fork();
    if (!child) {
        alarm(60);
        _exit(play());
    }
    assert_int_equal(waitpid(child, &got, 0), child);
    assert_true(WIFEXITED(got));
    assert_int_equal(WEXITSTATUS(got), status);
}

static void never_ends(iris_job *job)
{
    atomic_store(&((struct errand *)job)->begun, 1);
    while (pause())
        ;
}

/* As if it were in a constructor of what it loads. */
static int close_while_loading(void)
{
    static struct errand e = {.job.run = never_ends};
    struct scene s = {.prop = &e};
    scene_open(&s, 2, 0);
    use_memory(&s);
    s.api->post(s.rt->loading, &e.job);
    scene_await(&s, has_begun);
    return iris_close(s.rt, 50 * IRIS_MILLISECOND);
}

static void p9_loading(void **state)
{
    (void)state;
    expect_exit(close_while_loading, 1);
}

static int close_undrained(void)
{
    struct scene s = {0};
    scene_open(&s, 0, 1);
    iris_driver d = {.size = sizeof d, .abi = IRIS_ABI, .name = "undrained", .wake = ignore};
    iris_behaviour b = cast_plain(cast_ledger(&s));
    if (s.api->open(s.self, &d, &b.executor))
        return 98;
    scene_send(&s, scene_spawn(&s, &b, 0), 1);
    return iris_close(s.rt, IRIS_SECOND);
}

static void p9_undrained(void **state)
{
    (void)state;
    expect_exit(close_undrained, 1);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_SOAK("p8.a_runtime_rests_while_a_turn_or_a_host_takes_its_time", p8_rest),
    IRIS_TEST("p8.slow_turns_use_up_no_workers", p8_slow),
    IRIS_TEST("p4.who_always_has_a_timer_is_never_idle", p4_idle),
    IRIS_TEST("p8.a_thread_keeps_no_memory_of_runtimes_that_are_over", p8_caches),
    IRIS_TEST("p8.an_open_that_fails_gives_its_descriptors_back", p8_failed_open),
    IRIS_TEST("p9.a_loader_that_hangs_is_told_and_not_waited_for", p9_loading),
    IRIS_TEST("p9.a_seeded_actor_that_nobody_drains_is_told", p9_undrained),
};
/* clang-format on */
IRIS_MAIN(tests)
