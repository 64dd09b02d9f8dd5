/* P2: what send() accepted is handled, or is a counted dead letter. And send() knows who is dead. */
#include "main.h"

#include "cast.h"

#include <string.h>

static void expect_dead(struct scene *s, uint64_t pid)
{
    const iris_message *answer;
    assert_int_equal(s->api->send(s->self, pid, "x", 1, 0), IRIS_DEAD);
    assert_int_equal(iris_ask_wait(s->rt, pid, "x", 1, 20 * IRIS_SECOND, &answer), IRIS_DEAD);
    assert_false(cast_is_alive(s, pid));
}

static void garbage_pids(struct scene *s)
{
    static const uint64_t pids[] = {0,
                                    5,
                                    1u << 24,
                                    UINT64_C(1) << 43,
                                    UINT64_C(3) << 43 | 1u << 24,
                                    UINT64_C(1) << 53,
                                    UINT64_C(1) << 63,
                                    UINT64_MAX,
                                    UINT64_MAX >> 11};
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    uint64_t real = scene_spawn(s, &b, 0), id;
    scene_settle(s);
    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
        if (pids[i] == real)
            continue;
        expect_dead(s, pids[i]);
        assert_int_equal(watch->stop(s->self, pids[i]), IRIS_DEAD);
        assert_int_equal(watch->kill(s->self, pids[i]), IRIS_DEAD);
        assert_int_equal(timer->after(s->self, pids[i], 0, "x", 1, &id), IRIS_DEAD);
        assert_int_equal(name->set(s->self, "ghost", pids[i]), IRIS_DEAD);
        assert_int_equal(cast_swap(s, pids[i], &b, 0, NULL), IRIS_DEAD);
        assert_int_equal(cast_swap(s, pids[i], &b, 1, NULL), IRIS_DEAD);
    }
    assert_int_equal(name->find(s->self, "ghost"), 0);
    assert_true(cast_is_alive(s, real));
}

/* The same slot and generation on another node is somebody else. */
static void pids_of_another_node(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = scene_spawn(s, &b, 0);
    scene_settle(s);
    for (int bit = 43; bit < 64; bit++) {
        uint64_t far = pid | UINT64_C(1) << bit;
        expect_dead(s, far);
        assert_int_equal(watch->stop(s->self, far), IRIS_DEAD);
        assert_int_equal(watch->kill(s->self, far), IRIS_DEAD);
        assert_int_equal(cast_swap(s, far, &b, 1, NULL), IRIS_DEAD);
    }
    scene_send(s, pid, cast_number(0, 1));
    scene_settle(s);
    assert_int_equal(l->handled, 1);
}

static void old_generations(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t old = 0;
    for (int i = 0; i < 20; i++) {
        uint64_t pid = scene_spawn(s, &b, i % 2);
        if (old)
            assert_int_equal(s->api->send(s->self, old, "x", 1, 0), IRIS_DEAD);
        assert_int_not_equal(pid, old);
        assert_int_equal(watch->kill(s->self, pid), IRIS_OK);
        cast_await_end(s, pid);
        expect_dead(s, pid);
        old = pid;
    }
}

static void crashes(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    l->crash_every = 50;
    iris_behaviour b = cast_counter(l);
    uint64_t pid = cast_supervise(s, &b, "/c", RESTART_ON_FAILURE);
    cast_senders(s, l, pid, 3, 140);
    scene_settle(s); /* 3 x 2 crashes: more than 3 in 5 s, so it ends in the middle */
    cast_balance(s, l);
    assert_true(scene_count(s).crashed >= 4);
}

static void kills(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = scene_spawn(s, &b, 0);
    cast_senders(s, l, pid, 4, 300);
    cast_run(s, 60);
    assert_int_equal(watch->kill(s->self, pid), IRIS_OK);
    scene_settle(s);
    cast_balance(s, l);
    assert_false(cast_is_alive(s, pid));
}

static void stops(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = scene_spawn(s, &b, 8);
    cast_senders(s, l, pid, 4, 300);
    cast_run(s, 60);
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    scene_settle(s);
    cast_balance(s, l);
    assert_false(cast_is_alive(s, pid));
    assert_int_equal(l->inits, l->finis);
}

static void a_stop_handles_what_was_accepted(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = scene_spawn(s, &b, 0);
    for (uint64_t i = 1; i <= 200; i++)
        scene_send(s, pid, cast_number(0, i));
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    assert_int_equal(s->api->send(s->self, pid, "x", 1, 0), IRIS_DEAD);
    scene_settle(s);
    assert_int_equal(l->handled, 200);
    assert_int_equal(scene_count(s).dead_letters, 0);
    assert_int_equal(watch->stop(s->self, pid), IRIS_DEAD);
}

/* A thousand short lives in the same few places, while others send to them. */
static void lives_that_follow_each_other(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    l->gaps = 1;
    iris_behaviour b = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    for (int i = 0; i < 60; i++) {
        uint64_t pid = scene_spawn(s, &b, i % 3);
        cast_senders(s, l, pid, 1, 4);
        cast_run(s, i % 7);
        if (i % 2)
            watch->kill(s->self, pid);
        else
            watch->stop(s->self, pid);
    }
    scene_settle(s);
    cast_balance(s, l);
}

static void p10_garbage(void **state)
{
    (void)state;
    scene_play(garbage_pids);
}

static void p10_other_node(void **state)
{
    (void)state;
    scene_play(pids_of_another_node);
}

static void p2_generations(void **state)
{
    (void)state;
    scene_play(old_generations);
}

static void p2_crashes(void **state)
{
    (void)state;
    scene_play(crashes);
}

static void p2_kills(void **state)
{
    (void)state;
    scene_play(kills);
}

static void p2_stops(void **state)
{
    (void)state;
    scene_play(stops);
}

static void p2_stop_drains(void **state)
{
    (void)state;
    scene_play(a_stop_handles_what_was_accepted);
}

static void p2_lives(void **state)
{
    (void)state;
    scene_play(lives_that_follow_each_other);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p10.pids_that_never_were_are_dead", p10_garbage),
    IRIS_TEST("p10.the_same_pid_of_another_node_is_somebody_else", p10_other_node),
    IRIS_TEST("p2.a_pid_is_dead_when_its_place_is_used_again", p2_generations),
    IRIS_TEST("p2.accepted_is_handled_or_dead_over_crashes", p2_crashes),
    IRIS_TEST("p2.accepted_is_handled_or_dead_over_a_kill", p2_kills),
    IRIS_TEST("p2.accepted_is_handled_or_dead_over_a_stop", p2_stops),
    IRIS_TEST("p2.a_stop_handles_what_was_accepted_before", p2_stop_drains),
    IRIS_TEST("p2.accepted_is_handled_or_dead_over_many_short_lives", p2_lives),
};
/* clang-format on */
IRIS_MAIN(tests)
