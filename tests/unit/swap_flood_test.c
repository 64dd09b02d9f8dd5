/* P3 and P2 together: ten thousand swaps of an actor that four others flood. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <sched.h>

enum { SWAPS = 10000 };

struct tally { /* what all the swaps were told */
    atomic_ullong ok, refused, dead;
};

static void tally(void *ctx, int result, const char *why)
{
    struct tally *t = ctx;
    (void)why;
    atomic_fetch_add(result == IRIS_OK ? &t->ok : result == IRIS_DEAD ? &t->dead : &t->refused, 1);
}

static void swap_often(struct scene *s, uint64_t pid, struct ledger *l, struct tally *t, int n)
{
    iris_behaviour b[2] = {cast_counter(l), cast_counter(l)};
    iris_version *v[2] = {scene_define(s, &b[0]), scene_define(s, &b[1])};
    for (int i = 0; i < n; i++) {
        assert_int_equal(s->api->swap(s->self, pid, v[i % 2], 0, tally, t), IRIS_OK);
        cast_run(s, 4);
        if (!s->seed && i % 16 == 0)
            sched_yield();
    }
    s->api->release(v[0]);
    s->api->release(v[1]);
}

/* With threads all 10,000; under a seed so many that each decision can matter. */
static void flooded(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct tally *t = scene_memory(s, sizeof *t);
    iris_behaviour b = cast_counter(l);
    int swaps = s->seed ? 100 : SWAPS;
    uint64_t each = s->seed ? 100 : 20000, pid = cast_spawn(s, &b, (iris_spawn){.capacity = 500});
    cast_senders(s, l, pid, 4, each);
    swap_often(s, pid, l, t, swaps);
    scene_settle(s);
    assert_int_equal(t->ok, swaps);
    assert_int_equal(scene_ask(s, pid, "count"), 4 * each);
    assert_int_equal(l->handled, 4 * each + 1);
    assert_int_equal(l->saves, swaps);
    assert_int_equal(l->disorder, 0);
    assert_int_equal(scene_count(s).dead_letters, 0);
    assert_int_equal(cast_info(s, pid).rev, swaps + 1);
}

static void flooded_and_crashing(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct tally *t = scene_memory(s, sizeof *t);
    iris_behaviour b = cast_counter(l);
    int swaps = s->seed ? 50 : SWAPS;
    uint64_t each = s->seed ? 100 : 20000;
    l->crash_every = s->seed ? 10 : 1000;
    iris__supervisor_add(&s->rt->supervisors, "/",
                         &(struct policy){.intensity = 100000, .period = IRIS_SECOND});
    uint64_t pid = cast_supervise(s, &b, "/flooded", RESTART_ON_FAILURE);
    cast_senders(s, l, pid, 4, each);
    swap_often(s, pid, l, t, swaps);
    scene_settle(s);
    assert_int_equal(t->ok, swaps);
    assert_int_equal(l->accepted, 4 * each);
    assert_int_equal(scene_count(s).crashed, 4 * each / l->crash_every);
    assert_int_equal(cast_info(s, pid).restarts, 4 * each / l->crash_every);
    cast_balance(s, l);
}

static void p3_flood(void **state)
{
    (void)state;
    scene_play(flooded);
}

static void p2_flood(void **state)
{
    (void)state;
    scene_play(flooded_and_crashing);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p3.ten_thousand_swaps_under_four_floods_lose_and_reorder_nothing", p3_flood),
    IRIS_TEST("p2.with_a_crash_every_thousand_and_swaps_sent_is_handled_or_dead", p2_flood),
};
/* clang-format on */
IRIS_MAIN(tests)
