/* How long turns take: bounds, and which turns are timed. */
#include "main.h"

#include "cast.h"
#include "cold.h"
#include "runtime.h"
#include "timing.h"

static void sorts(void **state)
{
    (void)state;
    struct timing t = {0}, part = {0};
    iris__timing_add(&t, 0);
    iris__timing_add(&t, iris__timing_bounds[0]);
    iris__timing_add(&t, iris__timing_bounds[0] + 1);
    iris__timing_add(&t, 7 * IRIS_SECOND);
    assert_int_equal(t.in[0], 2);
    assert_int_equal(t.in[1], 1);
    assert_int_equal(t.in[TIMING_BOUNDS], 1);
    assert_int_equal(t.sum, 2 * iris__timing_bounds[0] + 1 + 7 * IRIS_SECOND);
    assert_int_equal(iris__timing_count(&t), 4);
    iris__timing_add(&part, 7 * IRIS_SECOND);
    iris__timing_add(&part, 8 * IRIS_SECOND); /* a moment later */
    iris__timing_subtract(&t, &part);
    assert_int_equal(t.in[TIMING_BOUNDS], 0);
    assert_int_equal(iris__timing_count(&t), 3);
    assert_int_equal(t.sum, 0);
}

static uint64_t timed(struct scene *s, uint64_t pid)
{
    struct world *w = &s->rt->world;
    iris__facts_hold(w);
    const struct cold *c = pid ? iris__cold_if(iris__table_at(&w->table, pid)) : NULL;
    static const struct timing none;
    uint64_t n = iris__timing_count(!pid ? &w->timing : c && c->timing ? c->timing : &none);
    iris__facts_release(w);
    return n;
}

static int one_is_timed(struct scene *s)
{
    scene_send(s, *(uint64_t *)s->prop, cast_number(0, 1));
    scene_settle(s);
    return timed(s, *(uint64_t *)s->prop) > 0;
}

/* Each message meets a worker at rest, or one that has just looked around: sooner or later the former. */
static void quiet_actor(struct scene *s)
{
    iris_behaviour b = cast_counter(cast_ledger(s));
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.path = "/quiet"});
    s->prop = &pid;
    scene_await(s, one_is_timed);
    assert_true(timed(s, pid) >= 1);
    assert_true(timed(s, 0) >= timed(s, pid));
}

static void is_timed(void **state)
{
    (void)state;
    scene_play_threads(quiet_actor);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("timing.a_turn_is_counted_at_its_bound", sorts),
    IRIS_TEST("timing.turns_of_a_quiet_actor_are_timed", is_timed),
};
IRIS_MAIN(tests)
