/* P9: stop is bounded and leaves nothing behind. P8: memory does not grow. */
#include "main.h"

#include "cast.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Threads of ours have names; those of a sanitizer are called as the program is. */
static int is_ours(const char *task)
{
    char path[64], name[32] = "", self[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%.20s/comm", task);
    FILE *f = fopen(path, "r"), *mine = fopen("/proc/self/comm", "r");
    int ours = f && mine && fgets(name, sizeof name, f) && fgets(self, sizeof self, mine) &&
               strcmp(name, self) != 0;
    if (f)
        fclose(f);
    if (mine)
        fclose(mine);
    return ours;
}

static int threads(void)
{
    DIR *d = opendir("/proc/self/task");
    int n = 0;
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.' && is_ours(e->d_name);
    closedir(d);
    return n;
}

static int threads_are_gone(struct scene *s)
{
    (void)s;
    return threads() == 0;
}

/* Open a runtime, fill it, close it: every thread comes back. */
static void open_and_close(void (*fill)(struct scene *))
{
    struct scene s = {0};
    for (uint32_t workers = 1; workers <= 2; workers++)
        for (int i = 0; i < 5; i++) {
            scene_open(&s, workers, 0);
            fill(&s);
            scene_close(&s);
            scene_await(&s, threads_are_gone);
        }
}

static void nothing(struct scene *s)
{
    (void)s;
}

static void busy_actors(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    for (int i = 0; i < 10; i++)
        cast_senders(s, l, scene_spawn(s, &b, i % 2 ? 10 : 0), 2, UINT64_MAX); /* for ever */
}

static void queued_mail(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    for (uint64_t i = 0; i < 20000; i++)
        scene_send(s, pid, i);
}

static int put_off(const iris_behaviour *b, iris_actor *self, void *state,
                   const iris_message *const *m, int n)
{
    atomic_int *open = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        iris_calls()->later(self, m[i]); /* and it is never done */
        atomic_fetch_add(open, 1);
    }
    return n;
}

static int some_are_open(struct scene *s)
{
    return atomic_load((atomic_int *)s->prop);
}

/* The messages are the handler's, which never comes back for them. */
static void open_laters(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "never",
                        .data = s->prop = scene_memory(s, sizeof(atomic_int)),
                        .handle = put_off};
    for (int i = 0; i < 5; i++)
        scene_send(s, scene_spawn(s, &b, 0), 1);
    scene_await(s, some_are_open);
}

static int receive(const iris_behaviour *b, iris_actor *self, void *state,
                   const iris_message *const *none, int n)
{
    const iris_reader *reader = iris_calls()->extension(IRIS_READER);
    const iris_message *m;
    (void)b, (void)state, (void)none, (void)n;
    while (reader->recv(self, NULL, NULL, -1, &m) != IRIS_CLOSED)
        ;
    return 0;
}

static void receivers(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "receiver",
                        .flags = IRIS_PULL | IRIS_OWN_THREAD,
                        .handle = receive};
    for (int i = 0; i < 4; i++) {
        uint64_t pid = scene_spawn(s, &b, 0);
        for (uint64_t k = 0; k < 50; k++)
            scene_send(s, pid, k);
    }
}

static int spawn_more(const iris_behaviour *b, iris_actor *self, void *state,
                      const iris_message *const *m, int n)
{
    uint64_t pid;
    (void)state, (void)m;
    iris_version *v = NULL;
    if (iris_calls()->define(self, b, &v))
        return ~0;
    iris_spawn order = {.size = sizeof order, .abi = IRIS_ABI, .version = v};
    for (int i = 0; i < 2; i++)
        if (iris_calls()->spawn(self, &order, &pid) == IRIS_OK)
            iris_calls()->send(self, pid, "more", 4, 0);
    iris_calls()->release(v);
    iris_calls()->exit(self, NULL);
    return n;
}

static void breeders(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "breeder", .handle = spawn_more};
    s->api->send(s->self, scene_spawn(s, &b, 0), "go", 2, 0);
}

static void take_nothing(iris_job *job)
{
    (void)job;
}

static void unanswered(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    const iris_ask *ask = cast_extension(s, IRIS_ASK);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    iris_behaviour watcher = cast_watcher(l);
    uint64_t pid = scene_spawn(s, &watcher, 0);
    for (int i = 0; i < 20; i++) {
        iris_answer *a = scene_memory(s, sizeof *a);
        a->job.run = take_nothing;
        assert_int_equal(ask->ask(s->self, pid, &pid, 8, 3600 * IRIS_SECOND, a), IRIS_OK);
        timer->every(s->self, pid, IRIS_MILLISECOND, &pid, 8, NULL);
    }
}

static void restarters(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    cast_supervise(s, &b, "/always", RESTART_ALWAYS);
}

static void p9_plain(void **state)
{
    (void)state;
    open_and_close(nothing);
    open_and_close(queued_mail);
    open_and_close(restarters);
}

static void p9_busy(void **state)
{
    (void)state;
    open_and_close(busy_actors);
}

static void p9_later(void **state)
{
    (void)state;
    open_and_close(open_laters);
}

static void p9_receivers(void **state)
{
    (void)state;
    open_and_close(receivers);
}

static void p9_breeders(void **state)
{
    (void)state;
    open_and_close(breeders);
}

static void p9_unanswered(void **state)
{
    (void)state;
    open_and_close(unanswered);
}

static void p9_several(void **state)
{
    struct scene s[3] = {{0}, {0}, {0}};
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            scene_open(&s[i], 1 + (uint32_t)i % 2, 0);
            busy_actors(&s[i]);
        }
        for (int i = 0; i < 3; i++)
            scene_close(&s[(i + round) % 3]);
        scene_await(&s[0], threads_are_gone);
    }
}

/* ---- a handler that never returns: said, and not waited for ---- */

static int never_returns(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    (void)self, (void)state, (void)m;
    atomic_store((atomic_int *)b->data, 1);
    while (pause())
        ;
    return n;
}

static int close_stuck(void)
{
    struct scene s = {0};
    scene_open(&s, 1, 0);
    struct ledger *l = cast_ledger(&s);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "stuck",
                        .data = s.prop = scene_memory(&s, sizeof(atomic_int)),
                        .handle = never_returns};
    iris_behaviour counter = cast_counter(l);
    scene_send(&s, scene_spawn(&s, &b, 0), 1);
    scene_await(&s, some_are_open);
    uint64_t pid = scene_spawn(&s, &counter, 0);
    if (scene_ask(&s, pid, "count") != 0) /* another thread works in its place */
        return 99;
    return iris_close(s.rt, 300 * IRIS_MILLISECOND);
}

static void p9_stuck(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (!child) {
        alarm(60);
        _exit(close_stuck());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1); /* one thread did not come back */
}

/* ---- memory ---- */

static long resident(void)
{
    long all = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (fscanf(f, "%ld %ld", &all, &pages) != 2)
        pages = 0;
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void live_a_little(struct scene *s, struct ledger *l)
{
    iris_behaviour b = cast_counter(l), v2 = cast_counter2(l), plain = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.path = "/short"}), odd = 1, id;
    struct ledger *w = l;
    iris_behaviour watcher = cast_watcher(w);
    uint64_t eye = scene_spawn(s, &watcher, 0);
    scene_send(s, eye, pid);
    for (int i = 0; i < 5; i++) {
        cast_swap(s, pid, &v2, 0, NULL);
        scene_send(s, pid, 1);
    }
    assert_int_equal(scene_ask(s, pid, "count"), 5);
    for (int i = 0; i < 10; i++) {
        uint64_t child = cast_spawn(s, &plain, (iris_spawn){.parent = eye});
        timer->after(s->self, child, IRIS_SECOND, "x", 1, &id);
        timer->cancel(s->self, id);
        s->api->send(s->self, child, &odd, 3, 0);
        watch->kill(s->self, child);
    }
    watch->kill(s->self, pid);
    watch->stop(s->self, eye);
    scene_settle(s);
}

static void memory_is_flat(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    int rounds = s->seed ? 20 : 300;
    for (int i = 0; i < rounds / 4; i++)
        live_a_little(s, l);
    iris_totals before = scene_count(s);
    long rss = resident();
    for (int i = 0; i < rounds; i++)
        live_a_little(s, l);
    iris_totals after = scene_count(s);
    assert_int_equal(after.actors, before.actors);
    assert_int_equal(after.versions, before.versions);
    assert_int_equal(after.versions, 0);
    assert_true(after.bytes <= before.bytes + (1 << 20)); /* which thread keeps what differs */
    assert_true(resident() <= rss + (24 << 20));
    assert_int_equal(iris__world_of(s->self)->timers.calendar.timers, 0);
}

static void large_messages_go(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    char *bytes = scene_memory(s, 1 << 20);
    uint64_t before = 0;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(s->api->send(s->self, pid, bytes, 1 << 20, 0), IRIS_OK);
        scene_settle(s);
        before = i ? before : scene_count(s).bytes;
    }
    assert_int_equal(scene_count(s).bytes, before);
}

static void p8_flat(void **state)
{
    (void)state;
    scene_play(memory_is_flat);
}

static void p8_large(void **state)
{
    (void)state;
    scene_play(large_messages_go);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p9.a_close_with_mail_queued_leaves_no_thread", p9_plain),
    IRIS_TEST("p9.a_close_with_busy_actors_leaves_no_thread", p9_busy),
    IRIS_TEST("p9.a_close_with_messages_put_off_leaves_no_thread", p9_later),
    IRIS_TEST("p9.a_close_with_actors_that_wait_in_recv_leaves_no_thread", p9_receivers),
    IRIS_TEST("p9.a_close_ends_actors_that_spawn_others", p9_breeders),
    IRIS_TEST("p9.a_close_with_asks_and_timers_leaves_no_thread", p9_unanswered),
    IRIS_TEST("p9.several_runtimes_close_in_any_order", p9_several),
    IRIS_TEST("p9.a_handler_that_never_returns_is_told_and_not_waited_for", p9_stuck),
    IRIS_TEST("p8.lives_swaps_asks_timers_and_monitors_leave_no_memory", p8_flat),
    IRIS_TEST("p8.large_messages_give_their_memory_back", p8_large),
};
/* clang-format on */
IRIS_MAIN(tests)
