/* P4, P5: why an actor ended, in one grammar. */
#include "main.h"

#include "cast.h"
#include "reason.h"

#include <stdlib.h>
#include <string.h>

static void assert_parts(const char *reason, const char *word, const char *metadata,
                         const char *text)
{
    iris_reason_parts r;
    char got[3][128];
    iris_reason_split(reason, strlen(reason), &r);
    snprintf(got[0], 128, "%.*s", (int)r.word_len, r.word);
    snprintf(got[1], 128, "%.*s", (int)r.metadata_len, r.metadata ? r.metadata : "");
    snprintf(got[2], 128, "%.*s", (int)r.text_len, r.text ? r.text : "");
    assert_string_equal(got[0], word);
    assert_string_equal(got[1], metadata);
    assert_string_equal(got[2], text);
    assert_true(iris_reason_is(&r, word));
}

static void splits(void **state)
{
    (void)state;
    assert_parts("normal", "normal", "", "");
    assert_parts("crash: it said: (no=1)", "crash", "", "it said: (no=1)");
    assert_parts("killed (how=stop, drained=12)", "killed", "how=stop, drained=12", "");
    assert_parts("panic (how=stack): in \"f\"\nat g", "panic", "how=stack", "in \"f\"\nat g");
    assert_parts("crash:", "crash", "", "");
    assert_parts("crash:x", "crash", "", "x");
    assert_parts("tired: went home", "tired", "", "went home");
    assert_parts("killed ()", "killed", "", "");
    /* what does not fit is one long word */
    assert_parts("", "", "", "");
    assert_parts("went home", "went home", "", "");
    assert_parts("went (home", "went (home", "", "");
    assert_parts("went (home) early", "went (home) early", "", "");
    assert_parts(": nothing", ": nothing", "", "");
    assert_parts("a\nb: c", "a\nb: c", "", "");
    assert_parts("(a=b)", "(a=b)", "", "");
}

static void finds_values(void **state)
{
    iris_reason_parts r;
    size_t len;
    const char *reason = "killed (how=stop, drained=12, from=7): words, from=8";
    (void)state;
    iris_reason_split(reason, strlen(reason), &r);
    assert_memory_equal(iris_reason_value(&r, "how", &len), "stop", 4);
    assert_int_equal(len, 4);
    assert_memory_equal(iris_reason_value(&r, "drained", &len), "12", 2);
    assert_int_equal(len, 2);
    assert_memory_equal(iris_reason_value(&r, "from", &len), "7", 1);
    assert_int_equal(len, 1);
    assert_null(iris_reason_value(&r, "drain", &len));
    assert_null(iris_reason_value(&r, "words", &len));
    assert_int_equal(len, 0);
    iris_reason_split("normal", 6, &r);
    assert_null(iris_reason_value(&r, "how", &len));
}

/* Any bytes at all: the parts lie inside. */
static void splits_anything(void **state)
{
    static const char alphabet[] = "ab :(=),\n";
    char s[12];
    (void)state;
    srand(7);
    for (int i = 0; i < 200000; i++) {
        iris_reason_parts r;
        size_t len = (size_t)rand() % sizeof s, n;
        char *exact = malloc(len ? len : 1); /* so that a sanitizer sees one byte too far */
        for (size_t k = 0; k < len; k++)
            exact[k] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        iris_reason_split(exact, len, &r);
        assert_true(r.word_len <= len && r.metadata_len <= len && r.text_len <= len);
        iris_reason_value(&r, "a", &n);
        assert_true(n <= len);
        free(exact);
    }
}

static void assert_pass(const char *reason, const char *passed)
{
    char *got = iris__reason_pass(reason, strlen(reason), 9);
    assert_string_equal(got, passed);
    free(got);
}

static void passes_on(void **state)
{
    (void)state;
    assert_pass("noproc", "noproc (from=9)");
    assert_pass("crash: x", "crash (from=9): x");
    assert_pass("killed (how=kill): y", "killed (how=kill, from=9): y");
    assert_pass("crash (from=3): x", "crash (from=3): x");
    assert_pass("went home", "went home (from=9)");
}

static void names_signals(void **state)
{
    (void)state;
    assert_string_equal(iris_signal_name(IRIS_EXIT), "EXIT");
    assert_string_equal(iris_signal_name(IRIS_DOWN), "DOWN");
    assert_string_equal(iris_signal_name(IRIS_HOT_SWAP), "HOT_SWAP");
    assert_null(iris_signal_name(IRIS_USER));
    assert_null(iris_signal_name(IRIS_TIMER));
    assert_null(iris_signal_name(IRIS_MONITOR));
}

/* ---- in a runtime ---- */

static void monitor_it(struct scene *s, struct ledger *l, uint64_t pid)
{
    iris_behaviour watcher = cast_watcher(l);
    uint64_t eye = scene_spawn(s, &watcher, 0);
    scene_send(s, eye, pid);
    scene_settle(s);
}

/* What was accepted before the stop and is handled after it was asked for is counted. */
static void drained(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *eye = cast_ledger(s);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    iris_behaviour counter = cast_counter(l);
    uint64_t pid = scene_spawn(s, &counter, 0);
    monitor_it(s, eye, pid);
    for (uint64_t i = 1; i <= 500; i++)
        scene_send(s, pid, cast_number(1, i));
    cast_run(s, 3);
    uint64_t before = l->handled;
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    scene_settle(s);
    assert_int_equal(l->handled, 500);
    unsigned long long n = 0;
    assert_int_equal(sscanf(eye->reason, "killed (how=stop, drained=%llu)", &n), 1);
    assert_true(n <= 500);
    if (s->seed) /* with threads it goes on while it is told */
        assert_int_equal(n, 500 - before);
}

static void killed(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *eye = cast_ledger(s);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    iris_behaviour counter = cast_counter(l);
    uint64_t pid = scene_spawn(s, &counter, 0);
    monitor_it(s, eye, pid);
    uint64_t dead = scene_count(s).ended;
    for (uint64_t i = 1; i <= 500; i++)
        scene_send(s, pid, cast_number(1, i));
    assert_int_equal(watch->kill(s->self, pid), IRIS_OK);
    scene_settle(s);
    assert_string_equal(eye->reason, "killed (how=kill)");
    assert_int_equal(l->handled + scene_count(s).ended - dead, 500);
    if (s->seed)
        assert_int_equal(l->handled, 0); /* it overtakes */
}

/* "on-failure" restarts neither stop nor kill; "always" restarts a kill, and no stop. */
static void restarts(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    for (int how = 0; how < 6; how++) {
        struct ledger *l = cast_ledger(s);
        iris_behaviour counter = cast_counter(l);
        char path[16];
        snprintf(path, sizeof path, "/a%d", how);
        uint64_t pid =
            cast_supervise(s, &counter, path, how & 1 ? RESTART_ALWAYS : RESTART_ON_FAILURE);
        scene_settle(s);
        if (how / 2 == 0)
            watch->stop(s->self, pid);
        else if (how / 2 == 1)
            watch->kill(s->self, pid);
        else
            s->api->send(s->self, pid, "x", 1, 0); /* crashes it */
        scene_settle(s);
        int again = how / 2 == 2 || how == 3;
        assert_int_equal(l->inits, 1 + again);
        assert_int_equal(cast_is_alive(s, pid), again);
    }
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(drained)
PLAY(killed)
PLAY(restarts)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p4.a_reason_has_a_word_metadata_and_a_text", splits),
    IRIS_TEST("p4.metadata_has_keys_and_values", finds_values),
    IRIS_TEST("p10.any_bytes_can_be_split", splits_anything),
    IRIS_TEST("p5.a_reason_that_is_passed_on_says_who_began_it", passes_on),
    IRIS_TEST("signals.have_the_names_that_hosts_share", names_signals),
    IRIS_TEST("p4.stop_tells_how_many_messages_it_still_handled", test_drained),
    IRIS_TEST("p4.kill_ends_at_once_and_says_so", test_killed),
    IRIS_TEST("p6.on_failure_restarts_neither_stop_nor_kill", test_restarts),
};
/* clang-format on */
IRIS_MAIN(tests)
