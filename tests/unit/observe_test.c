/* Observed actors: what they were sent can be looked at, and taken out. */
#include "main.h"

#include "cast.h"

#include <iris/ext/observe.h>
#include <iris/ext/supervise.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const iris_observe *observe(void)
{
    return iris_calls()->extension(IRIS_OBSERVE);
}

struct seen {
    uint64_t n, sum, last, stop_at, swaps, swap_at;
    int disorder;
    char reason[64];
};

static uint64_t number(const iris_message *m)
{
    uint64_t n = 0;
    if (m->len == sizeof n)
        memcpy(&n, m->data, sizeof n);
    return n;
}

static int see(void *ctx, const iris_message *m)
{
    struct seen *seen = ctx;
    if (m->kind == IRIS_EXIT)
        snprintf(seen->reason, sizeof seen->reason, "%.*s", (int)m->len, (const char *)m->data);
    if (m->kind == IRIS_HOT_SWAP) {
        seen->swaps++;
        seen->swap_at = seen->last;
    } else {
        seen->disorder += number(m) < seen->last;
        seen->last = number(m);
    }
    seen->n++;
    return seen->n == seen->stop_at;
}

static uint64_t spawn(struct scene *s, const char *path)
{
    uint64_t pid = 0;
    assert_int_equal(observe()->spawn(s->self, 0, path, &pid), IRIS_OK);
    return pid;
}

static struct seen look(struct scene *s, uint64_t pid, uint64_t *older)
{
    struct seen seen = {0};
    assert_int_equal(observe()->each(s->self, pid, see, &seen, older), IRIS_OK);
    assert_int_equal(seen.disorder, 0);
    return seen;
}

static void keeps(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = spawn(s, "/seen"), older = 9;
    assert_int_equal(look(s, pid, &older).n, 0); /* also before its first turn */
    assert_int_equal(older, 0);
    assert_int_equal(iris_find(s->rt, "/seen"), pid);
    uint64_t other = scene_spawn(s, &plain, 0);
    assert_int_equal(watch->link_pair(s->self, pid, other), IRIS_OK);
    for (uint64_t i = 1; i <= 1000; i++)
        scene_send(s, pid, i);
    scene_settle(s);
    for (int i = 0; i < 2; i++) /* nothing is taken out */
        assert_int_equal(look(s, pid, NULL).n, 1000);
    struct seen three = {.stop_at = 3};
    observe()->each(s->self, pid, see, &three, NULL);
    assert_int_equal(three.n, 3);
    watch->kill(s->self, other);
    scene_settle(s);
    struct seen all = {0};
    observe()->each(s->self, pid, see, &all, NULL);
    assert_int_equal(all.n, 1001); /* and the EXIT, which ends nobody */
    assert_string_equal(all.reason, "killed (how=kill)");
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(observe()->each(s->self, pid, see, &all, NULL), IRIS_DEAD);
    assert_int_equal(observe()->each(s->self, other, see, &all, NULL), IRIS_DEAD);
}

/* The last 65,536; memory does not grow beyond that. */
static void forgets_the_oldest(struct scene *s)
{
    uint64_t pid = spawn(s, NULL), older;
    for (uint64_t i = 1; i <= IRIS_OBSERVED + 1000; i++)
        scene_send(s, pid, i);
    scene_settle(s);
    struct seen seen = look(s, pid, &older);
    assert_int_equal(older, 1000);
    assert_int_equal(seen.n, IRIS_OBSERVED);
    assert_int_equal(seen.last, IRIS_OBSERVED + 1000);
}

static int is_sought(void *ctx, const iris_message *m)
{
    return number(m) == *(uint64_t *)ctx;
}

static void takes_out(struct scene *s)
{
    uint64_t pid = spawn(s, NULL), from = 0, sought = 7;
    const iris_message *m = NULL;
    for (uint64_t i = 1; i <= 10; i++)
        scene_send(s, pid, i);
    scene_settle(s);
    assert_int_equal(observe()->take(s->self, pid, &from, is_sought, &sought, &m), IRIS_OK);
    assert_int_equal(number(m), 7);
    s->api->drop(m);
    assert_int_equal(look(s, pid, NULL).n, 9);
    from = 0;
    assert_int_equal(observe()->take(s->self, pid, &from, is_sought, &sought, &m), IRIS_EMPTY);
    assert_int_equal(from, 11);
    scene_send(s, pid, 7);
    scene_settle(s);
    assert_int_equal(observe()->take(s->self, pid, &from, is_sought, &sought, &m), IRIS_OK);
    s->api->drop(m);
    for (int i = 0; i < 9; i++) {
        from = 0;
        assert_int_equal(observe()->take(s->self, pid, &from, NULL, NULL, &m), IRIS_OK);
        s->api->drop(m);
    }
    assert_int_equal(look(s, pid, NULL).n, 0);
}

static void waits(struct scene *s)
{
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = spawn(s, NULL), sought = 3, n;
    const iris_message *m = NULL;
    for (n = 1; n <= 4; n++)
        timer->after(s->self, pid, (int64_t)n * IRIS_MILLISECOND, &n, sizeof n, NULL);
    assert_int_equal(iris_receive(s->rt, pid, is_sought, &sought, 20 * IRIS_SECOND, &m), IRIS_OK);
    assert_int_equal(number(m), 3);
    s->api->drop(m);
    sought = 99;
    assert_int_equal(iris_receive(s->rt, pid, is_sought, &sought, 10 * IRIS_MILLISECOND, &m),
                     IRIS_EMPTY);
    assert_int_equal(iris_receive(s->rt, pid, is_sought, &sought, 0, &m), IRIS_EMPTY);
    assert_int_equal(iris_receive(s->rt, 77, NULL, NULL, 0, &m), IRIS_DEAD);
}

struct wait {
    iris_answer answer;
    atomic_int runs;
};

static void told(iris_job *job)
{
    struct wait *k = (struct wait *)job;
    if (k->answer.message)
        iris_calls()->drop(k->answer.message);
    atomic_fetch_add(&k->runs, 1);
}

static int is_told(struct scene *s)
{
    return atomic_load(&((struct wait *)s->prop)->runs);
}

static int wait_for(struct scene *s, struct wait *k)
{
    s->prop = k;
    scene_await(s, is_told);
    assert_int_equal(k->runs, 1);
    return k->answer.result;
}

static struct wait *arrived(struct scene *s, uint64_t pid, uint64_t from, int64_t timeout)
{
    struct wait *k = scene_memory(s, sizeof *k);
    k->answer.job.run = told;
    assert_int_equal(observe()->arrived(s->self, pid, from, timeout, &k->answer), IRIS_OK);
    return k;
}

static void by_a_job(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = spawn(s, NULL);
    struct wait *first = arrived(s, pid, 1, -1), *third = arrived(s, pid, 3, -1),
                *never = arrived(s, pid, 9, -1), *late = arrived(s, pid, 9, IRIS_MILLISECOND);
    scene_send(s, pid, 1);
    assert_int_equal(wait_for(s, first), IRIS_OK);
    assert_int_equal(third->runs, 0);
    scene_send(s, pid, 2);
    scene_send(s, pid, 3);
    assert_int_equal(wait_for(s, third), IRIS_OK);
    assert_int_equal(wait_for(s, arrived(s, pid, 3, -1)), IRIS_OK); /* at once */
    assert_int_equal(wait_for(s, late), IRIS_EMPTY);
    for (int i = 0; i < 100; i++) /* who gives up is forgotten */
        assert_int_equal(wait_for(s, arrived(s, pid, 9, 0)), IRIS_EMPTY);
    watch->kill(s->self, pid);
    assert_int_equal(wait_for(s, never), IRIS_DEAD);
}

/* Refused with a sentence, and kept in its place among the mail. */
static void is_told_of_a_swap(struct scene *s)
{
    iris_behaviour plain = cast_plain(cast_ledger(s));
    struct verdict *in_order = scene_memory(s, sizeof *in_order);
    struct verdict *now = scene_memory(s, sizeof *now);
    uint64_t pid = spawn(s, NULL);
    for (uint64_t i = 1; i <= 3; i++)
        scene_send(s, pid, i);
    assert_int_equal(cast_swap(s, pid, &plain, 0, in_order), IRIS_OK);
    scene_send(s, pid, 4);
    cast_expect(s, in_order, IRIS_FAIL, "an observed actor has no code");
    scene_settle(s);
    struct seen seen = look(s, pid, NULL);
    assert_int_equal(seen.n, 5);
    assert_int_equal(seen.swaps, 1);
    assert_int_equal(seen.swap_at, 3);
    assert_int_equal(cast_swap(s, pid, &plain, 1, now), IRIS_OK);
    cast_expect(s, now, IRIS_FAIL, "stays what it is");
    scene_settle(s);
    assert_int_equal(look(s, pid, NULL).swaps, 2);
    assert_int_equal(cast_info(s, pid).rev, 1);
    assert_string_equal(cast_info(s, pid).behaviour, "observed");
}

/* One that a supervisor begins again with its siblings. */
static void begins_again(struct scene *s)
{
    const iris_supervise *supervise = cast_extension(s, IRIS_SUPERVISE);
    iris_supervision how = {.size = sizeof how, .abi = IRIS_ABI, .strategy = IRIS_ONE_FOR_ALL};
    iris_behaviour b = cast_counter(cast_ledger(s));
    uint64_t pid = spawn(s, NULL), other = scene_spawn(s, &b, 0);
    assert_int_equal(supervise->create(s->self, "/all", &how), IRIS_OK);
    assert_int_equal(supervise->watch(s->self, "/all", pid), IRIS_OK);
    assert_int_equal(supervise->watch(s->self, "/all", other), IRIS_OK);
    scene_send(s, pid, 1);
    scene_settle(s);
    s->api->send(s->self, other, "odd", 3, 0); /* the counter crashes at it */
    scene_settle(s);
    assert_int_equal(cast_info(s, pid).restarts, 1);
    scene_send(s, pid, 2);
    scene_send(s, pid, 3);
    scene_settle(s);
    struct seen seen = look(s, pid, NULL);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.last, 3);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
#define BIG(play)  static void test_##play(void **state) { (void)state; scene_play_threads(play); }
PLAY(keeps)
BIG(forgets_the_oldest)
PLAY(takes_out)
PLAY(waits)
PLAY(by_a_job)
PLAY(is_told_of_a_swap)
PLAY(begins_again)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("observe.an_actor_keeps_what_it_was_sent_until_it_ends", test_keeps),
    IRIS_TEST("p8.the_last_65536_are_kept_and_older_ones_counted", test_forgets_the_oldest),
    IRIS_TEST("observe.one_that_matches_is_taken_out_and_the_others_stay", test_takes_out),
    IRIS_TEST("observe.receive_waits_for_one_that_matches", test_waits),
    IRIS_TEST("observe.a_job_is_told_once_when_something_has_come", test_by_a_job),
    IRIS_TEST("p3.a_swap_of_an_observed_actor_is_refused_and_kept_as_hot_swap", test_is_told_of_a_swap),
    IRIS_TEST("observe.one_that_is_begun_again_in_place_keeps_what_comes_then", test_begins_again),
};
/* clang-format on */
IRIS_MAIN(tests)
