/* P5: waiting for the end of an actor, from outside. */
#include "main.h"

#include "cast.h"
#include "runtime.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const iris_watch *watch(void)
{
    return iris_calls()->extension(IRIS_WATCH);
}

static void tells_why(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour counter = cast_counter(l);
    char why[128];
    uint64_t pid = scene_spawn(s, &counter, 0);
    assert_true(iris_is_alive(s->rt, pid));
    watch()->stop(s->self, pid);
    assert_int_equal(iris_join(s->rt, pid, 20 * IRIS_SECOND, why, sizeof why), IRIS_OK);
    assert_true(!strcmp(why, "noproc") || !memcmp(why, "killed (how=stop", 16));
    assert_false(iris_is_alive(s->rt, pid)); /* at once, not soon */
    pid = scene_spawn(s, &counter, 0);
    s->api->send(s->self, pid, "x", 1, 0);
    assert_int_equal(iris_join(s->rt, pid, -1, why, sizeof why), IRIS_OK);
    if (strcmp(why, "noproc")) /* it may have been faster */
        assert_string_equal(why, "crash: a message of 1 bytes");
    assert_int_equal(iris_join(s->rt, pid, -1, why, 5), IRIS_OK);
    assert_string_equal(why, "nopr"); /* of the dead; and cut */
    assert_int_equal(iris_join(s->rt, 0, 20 * IRIS_SECOND, NULL, 0), IRIS_OK);
}

static void in_time(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    uint64_t pid = scene_spawn(s, &plain, 0);
    scene_settle(s);
    int64_t before = s->api->now(s->self);
    assert_int_equal(iris_join(s->rt, pid, IRIS_SECOND / 100, NULL, 0), IRIS_EMPTY);
    assert_true(s->api->now(s->self) - before >= IRIS_SECOND / 100);
    if (s->seed) {
        assert_int_equal(s->api->now(s->self) - before, IRIS_SECOND / 100);
        /* nobody is left who could end it */
        assert_int_equal(iris_join(s->rt, pid, -1, NULL, 0), IRIS_FAIL);
    }
    scene_settle(s);
    assert_true(iris_is_idle(s->rt));
    iris_actor *a = iris__table_at(&iris__world_of(s->self)->table, pid);
    if (s->seed)
        assert_true(iris__cold_if(a)->watchers.used <= 1); /* who gave up is forgotten */
}

/* A job for each, whatever happens first. */
struct wait {
    iris_answer answer;
    atomic_int runs;
};

static void told(iris_job *job)
{
    atomic_fetch_add(&((struct wait *)job)->runs, 1);
}

static void by_a_job(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    struct wait *k[40];
    for (int i = 0; i < 40; i++) {
        uint64_t pid = scene_spawn(s, &plain, 0);
        k[i] = scene_memory(s, sizeof *k[i]);
        k[i]->answer.job.run = told;
        if (i % 3 == 0)
            watch()->kill(s->self, pid);
        cast_run(s, i % 3);
        int64_t timeout = i % 5 == 4 ? IRIS_MILLISECOND : i % 2 ? -1 : 20 * IRIS_SECOND;
        assert_int_equal(watch()->ended(s->self, pid, timeout, &k[i]->answer), IRIS_OK);
        if (i % 3 == 1)
            watch()->kill(s->self, pid);
        if (i % 3 == 2)
            watch()->stop(s->self, pid);
        cast_run(s, i % 2);
    }
    scene_settle(s);
    for (int i = 0; i < 40; i++) {
        if (!s->seed)
            while (!atomic_load(&k[i]->runs))
                sched_yield();
        assert_int_equal(k[i]->runs, 1);
        assert_true(k[i]->answer.result == IRIS_OK || (!s->seed && i % 5 == 4));
        if (k[i]->answer.message) {
            assert_int_equal(k[i]->answer.message->kind, IRIS_DOWN);
            s->api->drop(k[i]->answer.message);
        }
    }
    assert_int_equal(scene_count(s).actors, 0);
}

static void told_and_dropped(iris_job *job)
{
    struct wait *k = (struct wait *)job;
    if (k->answer.message)
        iris_calls()->drop(k->answer.message);
    told(job);
}

/* Who still waits when the runtime ends is told. */
static void at_the_end(void **state)
{
    struct scene s = {0};
    struct wait k = {.answer.job.run = told_and_dropped};
    (void)state;
    scene_open(&s, 2, 0);
    struct ledger *l = cast_ledger(&s);
    iris_behaviour plain = cast_plain(l);
    uint64_t pid = scene_spawn(&s, &plain, 0);
    assert_int_equal(watch()->ended(s.self, pid, -1, &k.answer), IRIS_OK);
    scene_settle(&s);
    scene_close(&s);
    assert_int_equal(k.runs, 1);
    assert_true(k.answer.result == IRIS_DEAD || k.answer.result == IRIS_OK);
}

/* ---- not from a handler ---- */

struct joiner {
    iris_runtime *rt;
    uint64_t pid;
    int result;
    char why[200];
};

static int join_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    struct joiner *j = b->data;
    (void)self, (void)state, (void)m;
    j->result = iris_join(j->rt, j->pid, -1, NULL, 0);
    snprintf(j->why, sizeof j->why, "%s", iris_reason());
    return n;
}

static void not_in_a_turn(struct scene *s)
{
    struct joiner *j = scene_memory(s, sizeof *j);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "joiner",
                        .version = "1",
                        .data = j,
                        .handle = join_handle};
    j->rt = s->rt;
    j->pid = scene_spawn(s, &b, 0);
    s->api->send(s->self, j->pid, "x", 1, 0);
    scene_settle(s);
    assert_int_equal(j->result, IRIS_FAIL);
    assert_non_null(strstr(j->why, "ended()"));
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(tells_why)
PLAY(in_time)
PLAY(by_a_job)
PLAY(not_in_a_turn)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p5.join_waits_for_the_end_and_says_why", test_tells_why),
    IRIS_TEST("p5.join_gives_up_in_time_and_leaves_nothing", test_in_time),
    IRIS_TEST("p5.each_end_that_is_waited_for_is_told_once", test_by_a_job),
    IRIS_TEST("p9.who_waits_for_an_end_is_told_when_the_runtime_ends", at_the_end),
    IRIS_TEST("p10.join_from_a_handler_is_refused_with_a_sentence", test_not_in_a_turn),
};
/* clang-format on */
IRIS_MAIN(tests)
