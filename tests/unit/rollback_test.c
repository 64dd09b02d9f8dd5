/* P3: back to an older version, with the state, or with the state as it was. */
#include "main.h"

#include "cast.h"

#include <string.h>

/* v1 with a count of 3 was swapped to v2, which went on to 5. */
static uint64_t swapped(struct scene *s, struct ledger *l, const iris_behaviour *v1,
                        const iris_behaviour *v2, struct verdict *told)
{
    uint64_t pid = scene_spawn(s, v1, 0);
    for (uint64_t i = 1; i <= 3; i++)
        scene_send(s, pid, cast_number(0, i));
    assert_int_equal(cast_swap(s, pid, v2, 0, told), IRIS_OK);
    cast_expect(s, told, IRIS_OK, NULL);
    for (uint64_t i = 4; i <= 5; i++)
        scene_send(s, pid, cast_number(0, i));
    assert_int_equal(l->disorder, 0);
    return pid;
}

static void expect_rev(struct scene *s, uint64_t pid, uint32_t rev, uint32_t of)
{
    iris_info i = cast_info(s, pid);
    assert_int_equal(i.rev, rev);
    assert_int_equal(i.of, of);
}

static void back_and_forth(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_counter2(l), v2 = cast_counter2(l);
    v1.init = cast_counter(l).init;
    v2.version = "3";
    uint64_t pid = swapped(s, l, &v1, &v2, told);
    for (uint32_t rev = 3; rev < 9; rev++) {
        assert_int_equal(cast_rollback(s, pid, 0, 0, told), IRIS_OK);
        cast_expect(s, told, IRIS_OK, NULL);
        expect_rev(s, pid, rev, rev % 2 ? 1 : 2);
        assert_int_equal(scene_ask(s, pid, "count"), 5);
    }
    scene_settle(s);
    assert_int_equal(scene_count(s).versions, 2);
}

static void nowhere_to_go(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter(l);
    uint64_t never = scene_spawn(s, &v1, 0);
    assert_int_equal(cast_rollback(s, never, 1, 0, told), IRIS_OK);
    cast_expect(s, told, IRIS_FAIL, "no earlier version");
    uint64_t pid = swapped(s, l, &v1, &v2, told);
    cast_rollback(s, pid, 2, 0, told);
    cast_expect(s, told, IRIS_FAIL, "too far");
    cast_rollback(s, pid, UINT32_MAX, 0, told);
    cast_expect(s, told, IRIS_FAIL, "too far");
    assert_int_equal(scene_ask(s, pid, "count"), 5);
}

/* v1 cannot read what v2 writes. */
static void refused_and_by_snapshot(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter2(l);
    uint64_t pid = swapped(s, l, &v1, &v2, told);
    cast_rollback(s, pid, 1, 0, told);
    cast_expect(s, told, IRIS_FAIL, "--state=snapshot");
    expect_rev(s, pid, 2, 2);
    assert_int_equal(scene_ask(s, pid, "count"), 5);
    cast_rollback(s, pid, 1, 1, told);
    cast_expect(s, told, IRIS_OK, NULL);
    expect_rev(s, pid, 3, 1);
    assert_int_equal(scene_ask(s, pid, "count"), 3); /* as it was when v1 was replaced */
}

static void no_snapshot(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_plain(l), v2 = cast_plain(l);
    uint64_t pid = scene_spawn(s, &v1, 0);
    cast_swap(s, pid, &v2, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    cast_rollback(s, pid, 1, 1, told);
    cast_expect(s, told, IRIS_FAIL, "no snapshot");
    cast_rollback(s, pid, 1, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    expect_rev(s, pid, 3, 1);
}

static int downgrade(const iris_behaviour *b, iris_actor *self, const void *state, uint32_t to,
                     iris_sink *sink)
{
    (void)b, (void)self;
    if (to != 1)
        return (iris_calls()->fail)("only to 1");
    return sink->write(sink, (const char *)state + 8, 8);
}

static void by_downgrade(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter2(l);
    v2.downgrade = downgrade;
    uint64_t pid = swapped(s, l, &v1, &v2, told);
    cast_rollback(s, pid, 1, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    expect_rev(s, pid, 3, 1);
    assert_int_equal(scene_ask(s, pid, "count"), 5);
}

static void four_are_kept(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v = cast_counter(l);
    uint64_t pid = scene_spawn(s, &v, 0);
    for (int i = 0; i < 9; i++) {
        cast_swap(s, pid, &v, 0, told);
        cast_expect(s, told, IRIS_OK, NULL);
    }
    scene_settle(s);
    assert_int_equal(scene_count(s).versions, 4);
    assert_int_equal(l->frees, 6);
    cast_rollback(s, pid, 4, 0, told);
    cast_expect(s, told, IRIS_FAIL, "too far: 3");
    cast_rollback(s, pid, 3, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    expect_rev(s, pid, 11, 7);
}

/* After a crash the state is fresh, the version is the current one and the list is kept. */
static void after_a_crash(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter(l);
    uint64_t pid = cast_supervise(s, &v1, "/c", RESTART_ON_FAILURE);
    scene_send(s, pid, cast_number(0, 1));
    cast_swap(s, pid, &v2, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(s->api->send(s->self, pid, "odd", 3, 0), IRIS_OK); /* crashes it */
    scene_send(s, pid, cast_number(0, 2));
    scene_settle(s);
    expect_rev(s, pid, 2, 2);
    assert_int_equal(cast_info(s, pid).restarts, 1);
    assert_int_equal(scene_ask(s, pid, "count"), 1);
    cast_rollback(s, pid, 1, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    expect_rev(s, pid, 3, 1);
}

static void p3_back(void **state)
{
    (void)state;
    scene_play(back_and_forth);
}

static void p3_nowhere(void **state)
{
    (void)state;
    scene_play(nowhere_to_go);
}

static void p3_snapshot(void **state)
{
    (void)state;
    scene_play(refused_and_by_snapshot);
}

static void p3_no_snapshot(void **state)
{
    (void)state;
    scene_play(no_snapshot);
}

static void p3_downgrade(void **state)
{
    (void)state;
    scene_play(by_downgrade);
}

static void p3_keep(void **state)
{
    (void)state;
    scene_play(four_are_kept);
}

static void p3_crash(void **state)
{
    (void)state;
    scene_play(after_a_crash);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p3.rollback_and_rollback_again_keep_the_state", p3_back),
    IRIS_TEST("p3.a_rollback_without_a_version_to_go_to_is_refused", p3_nowhere),
    IRIS_TEST("p3.a_rollback_that_cannot_read_the_state_offers_the_snapshot", p3_snapshot),
    IRIS_TEST("p3.a_rollback_to_a_snapshot_that_was_never_made_is_refused", p3_no_snapshot),
    IRIS_TEST("p3.a_rollback_asks_the_newer_code_to_downgrade", p3_downgrade),
    IRIS_TEST("p3.the_last_four_versions_are_kept", p3_keep),
    IRIS_TEST("p3.a_crash_keeps_the_version_and_the_list", p3_crash),
};
/* clang-format on */
IRIS_MAIN(tests)
