/* What every host must hold, asked of a mock one whose handlers finish later, on other threads
 * (tests/behaviours/async_host.c): the same checks are for Python and Node to pass. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const hows[] = {"now", "later", "elsewhere"};

static void add_host(struct scene *s)
{
    if (iris__host_add(&s->rt->hosts, IRIS_BUILD_DIR "/tests/behaviours/async_host.so", NULL,
                       (struct host_limits){0}))
        fail_msg("%s", iris_reason());
}

/* A handler file of that text, loaded; NULL: refused. */
static iris_version *load(struct scene *s, const char *text)
{
    char dir[] = IRIS_BUILD_DIR "/tests/mock.XXXXXX", file[sizeof dir + 20];
    iris_version *v = NULL;
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/counter.mock", dir);
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    if (iris_load(s->rt, file, NULL, &v))
        v = NULL;
    unlink(file);
    rmdir(dir);
    return v;
}

static iris_version *counter(struct scene *s, unsigned version, const char *how, int loop)
{
    char text[64];
    snprintf(text, sizeof text, "counter %u %s %d", version, how, loop);
    iris_version *v = load(s, text);
    if (!v)
        fail_msg("%s", iris_reason());
    return v;
}

static uint64_t spawn(struct scene *s, iris_version *v, const char *path)
{
    uint64_t pid = 0;
    struct app_spawn how = {
        .spawn = {.size = sizeof how.spawn, .abi = IRIS_ABI, .version = v, .path = path},
        .restart = RESTART_ON_FAILURE};
    if (iris__runtime_spawn(s->rt, &how, &pid))
        fail_msg("%s", iris_reason());
    s->api->release(v);
    return pid;
}

static void say(struct scene *s, uint64_t pid, const char *word)
{
    assert_int_equal(s->api->send(s->self, pid, word, strlen(word), 0), IRIS_OK);
}

static void numbers(struct scene *s, uint64_t pid, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i <= to; i++)
        scene_send(s, pid, i);
}

static void swap_to(struct scene *s, uint64_t pid, iris_version *v, int now, struct verdict *told)
{
    assert_int_equal(s->api->swap(s->self, pid, v, now, cast_tell, told), IRIS_OK);
    s->api->release(v);
}

/* ---- the checks; `how` is in s->prop ---- */

static void batches(struct scene *s, const char *how)
{
    uint64_t pid = spawn(s, counter(s, 1, how, 0), "/counter");
    numbers(s, pid, 1, 3000);
    assert_int_equal(scene_ask(s, pid, "count"), 3000);
    assert_int_equal(scene_ask(s, pid, "disorder"), 0);
    scene_settle(s);
    assert_int_equal(cast_info(s, pid).handled, 3002);
    assert_string_equal(cast_info(s, pid).host, "mock");
}

static void a_crash(struct scene *s, const char *how)
{
    uint64_t pid = spawn(s, counter(s, 1, how, 0), "/counter");
    struct ledger *w = cast_ledger(s);
    iris_behaviour watcher = cast_watcher(w);
    uint64_t eye = scene_spawn(s, &watcher, 0);
    scene_send(s, eye, pid);
    scene_settle(s);
    numbers(s, pid, 1, 20);
    say(s, pid, "crash");
    numbers(s, pid, 1, 9);
    assert_int_equal(scene_ask(s, pid, "count"), 9);
    assert_int_equal(scene_ask(s, pid, "disorder"), 0);
    scene_settle(s);
    assert_int_equal(scene_count(s).crashed, 1);
    assert_int_equal(scene_count(s).dead_letters, 1);
    assert_int_equal(cast_info(s, pid).restarts, 1);
    assert_int_equal(w->downs, 1);
    assert_non_null(strstr(w->reason, "at counter.mock:1")); /* the traceback */
}

/* due() has the rest given back: now is exact in the middle of a batch. */
static void swap_now(struct scene *s, const char *how)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid = spawn(s, counter(s, 1, how, 0), "/counter");
    numbers(s, pid, 1, 2000);
    swap_to(s, pid, counter(s, 2, how, 0), 1, told);
    numbers(s, pid, 2001, 3000);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 3000);
    assert_int_equal(scene_ask(s, pid, "disorder"), 0);
    assert_int_equal(cast_info(s, pid).state_version, 2);
    assert_int_equal(cast_rollback(s, pid, 1, 0, told), IRIS_OK);
    cast_expect(s, told, IRIS_FAIL, "TypeError"); /* v1 does not read v2 */
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static void other_executors(struct scene *s, const char *how)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    struct ledger *l = cast_ledger(s);
    iris_behaviour native = cast_counter(l);
    uint64_t pid = spawn(s, counter(s, 1, how, 0), "/counter");
    numbers(s, pid, 1, 500);
    swap_to(s, pid, counter(s, 1, hows[0], 1), 0, told); /* to the other loop */
    numbers(s, pid, 501, 900);
    cast_expect(s, told, IRIS_OK, NULL);
    swap_to(s, pid, scene_define(s, &native), 0, told); /* to C */
    l->last[0] = 1000;
    numbers(s, pid, 1001, 1100);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 1000);
    swap_to(s, pid, counter(s, 1, how, 0), 1, told); /* and back */
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 1000);
    assert_int_equal(scene_ask(s, pid, "disorder"), 0);
    assert_int_equal(l->disorder, 0);
}

static void keep_and_drop(struct scene *s, const char *how)
{
    uint64_t pid = spawn(s, counter(s, 1, how, 0), "/counter");
    say(s, pid, "keepABCDEFGH");
    for (uint64_t i = 1; i <= 200; i++)
        scene_send(s, pid, i);
    uint64_t kept = scene_ask(s, pid, "kept");
    assert_memory_equal(&kept, "ABCDEFGH", 8);
}

static void stop_and_kill(struct scene *s, const char *how)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = spawn(s, counter(s, 1, how, 0), "/stopped");
    numbers(s, pid, 1, 500);
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    assert_int_equal(scene_count(s).handled, 500);
    for (int i = 0; i < 30; i++) { /* in the middle of whatever it does */
        pid = spawn(s, counter(s, 1, how, i % 2), "/killed");
        numbers(s, pid, 1, 100);
        assert_int_equal(watch->kill(s->self, pid), IRIS_OK);
        cast_await_end(s, pid);
    }
    scene_settle(s);
    assert_int_equal(scene_count(s).handled + scene_count(s).dead_letters, 3500);
    assert_int_equal(scene_count(s).versions, 0); /* freed on their loops */
}

static void exits(struct scene *s, const char *how)
{
    uint64_t pid = spawn(s, counter(s, 1, how, 0), "/exits");
    numbers(s, pid, 1, 10);
    say(s, pid, "exit");
    cast_await_end(s, pid);
    scene_settle(s);
    iris_totals t = scene_count(s);
    assert_int_equal(t.handled, 11);
    assert_int_equal(t.dead_letters, 0);
}

static void play_hows(struct scene *s, void (*check)(struct scene *, const char *))
{
    uint32_t workers = s->workers;
    for (int i = 0; i < 3; i++) {
        struct scene one = {0};
        scene_open(&one, workers, 0);
        add_host(&one);
        check(&one, hows[i]);
        scene_close(&one);
    }
}

/* ---- what has no three ways ---- */

static void a_syntax_error(struct scene *s)
{
    add_host(s);
    assert_null(load(s, "counter 1 tomorrow 0"));
    assert_non_null(strstr(iris_reason(), "counter.mock:1: SyntaxError"));
    assert_null(load(s, ""));
    assert_int_equal(scene_count(s).versions, 0);
}

static void open_limited(struct scene *s, struct scene *one)
{
    iris_options o = {
        .size = sizeof o, .abi = IRIS_ABI, .workers = s->workers, .turn_limit = 30500000};
    assert_int_equal(iris_open(&o, &one->rt), IRIS_OK);
    one->api = s->api;
    one->self = iris_self(one->rt);
    add_host(one);
}

/* To those who watch, a turn beyond its limit is a panic, and to its supervisor a failure. */
static void an_interrupt_is_a_panic(struct scene *s)
{
    struct scene one = {0};
    open_limited(s, &one);
    struct ledger *w = cast_ledger(&one);
    iris_behaviour watcher = cast_watcher(w);
    uint64_t eye = scene_spawn(&one, &watcher, 0);
    uint64_t pid = spawn(&one, counter(&one, 1, "now", 0), "/loops");
    scene_send(&one, eye, pid);
    scene_settle(&one);
    say(&one, pid, "loop");
    scene_send(&one, pid, 1);
    assert_int_equal(scene_ask(&one, pid, "count"), 1); /* a new one: on-failure began it again */
    scene_settle(&one);
    assert_int_equal(w->downs, 1);
    assert_string_equal(w->reason, "panic (how=interrupted): interrupted: it ran too long");
    assert_int_equal(cast_info(&one, pid).restarts, 1);
    say(&one, pid, "crash"); /* and what fails within its time is a crash */
    scene_send(&one, eye, pid);
    scene_settle(&one);
    say(&one, pid, "crash");
    scene_settle(&one);
    assert_int_equal(w->downs, 2);
    assert_int_equal(strncmp(w->reason, "crash: Error: asked to", 22), 0);
    scene_close(&one);
}

static void a_loop_is_interrupted(struct scene *s)
{
    struct scene one = {0};
    open_limited(s, &one);
    uint64_t pid = spawn(&one, counter(&one, 1, "now", 0), "/loops");
    numbers(&one, pid, 1, 3);
    say(&one, pid, "loop");
    numbers(&one, pid, 1, 2);
    assert_int_equal(scene_ask(&one, pid, "count"), 2); /* the next one is not hit */
    assert_int_equal(cast_info(&one, pid).restarts, 1);
    assert_int_equal(scene_count(&one).crashed, 1);
    scene_close(&one);
}

/* clang-format off */
#define CHECK(check) \
    static void play_##check(struct scene *s) { play_hows(s, check); } \
    static void test_##check(void **state) { (void)state; scene_play_threads(play_##check); }
CHECK(batches)
CHECK(a_crash)
CHECK(swap_now)
CHECK(other_executors)
CHECK(keep_and_drop)
CHECK(stop_and_kill)
CHECK(exits)

static void test_syntax(void **state) { (void)state; scene_play_threads(a_syntax_error); }
static void test_interrupt(void **state) { (void)state; scene_play_threads(a_loop_is_interrupted); }
static void test_panic(void **state) { (void)state; scene_play_threads(an_interrupt_is_a_panic); }

static const struct CMUnitTest tests[] = {
    IRIS_TEST("host.batches_arrive_in_order_whenever_they_finish", test_batches),
    IRIS_TEST("host.a_crash_kills_one_message_and_its_traceback_is_told", test_a_crash),
    IRIS_TEST("host.due_gives_the_rest_back_to_the_next_version", test_swap_now),
    IRIS_TEST("host.a_swap_between_loops_and_native_code_keeps_the_count", test_other_executors),
    IRIS_TEST("host.what_is_kept_stays_readable", test_keep_and_drop),
    IRIS_TEST("host.stop_waits_and_kill_cancels", test_stop_and_kill),
    IRIS_TEST("host.an_exit_in_a_coroutine_waits_for_it", test_exits),
    IRIS_TEST("host.a_syntax_error_is_told", test_syntax),
    IRIS_TEST("host.a_handler_that_runs_for_ever_is_interrupted", test_interrupt),
    IRIS_TEST("p4.a_turn_beyond_its_limit_ends_its_actor_with_a_panic", test_panic),
};
/* clang-format on */
IRIS_MAIN(tests)
