/* P2: what was accepted before the end of a runtime is handled, where the program asks for that. */
#include "main.h"

#include "cast.h"
#include "runtime.h"

#include <iris/ext/timer.h>

static void all_mail_is_handled(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour counter = cast_counter(l);
    for (int i = 0; i < 20; i++) {
        uint64_t pid = scene_spawn(s, &counter, 0);
        for (uint64_t n = 1; n <= 50; n++) {
            uint64_t number = cast_number(0, (uint64_t)i * 50 + n);
            assert_int_equal(s->api->send(s->self, pid, &number, sizeof number, 0), IRIS_OK);
        }
    }
    assert_int_equal(iris_drain(s->rt, 20 * IRIS_SECOND), IRIS_OK);
    assert_int_equal(l->handled, 1000);
}

static int flood(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    (void)b, (void)state, (void)m;
    for (int i = 0; i < n; i++)
        iris_calls()->send(self, iris_calls()->pid(self), "x", 1, 0);
    return n;
}

static void who_never_stops_sending_is_stopped(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "flood", .handle = flood};
    for (int i = 0; i < 3; i++)
        s->api->send(s->self, scene_spawn(s, &b, 0), "x", 1, 0);
    assert_int_equal(iris_drain(s->rt, 2 * IRIS_SECOND), IRIS_OK);
    iris_totals t = {.size = sizeof t, .abi = IRIS_ABI};
    iris_count(s->rt, &t);
    assert_int_equal(t.actors, 0);
}

static void timers_are_not_waited_for(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    uint64_t pid = scene_spawn(s, &plain, 0), id;
    const iris_timer_api *timer = iris_calls()->extension(IRIS_TIMER_EXT);
    assert_int_equal(timer->after(s->self, pid, 3600 * IRIS_SECOND, "x", 1, &id), IRIS_OK);
    int64_t before = s->api->now(s->self);
    assert_int_equal(iris_drain(s->rt, 1000 * IRIS_SECOND), IRIS_OK);
    assert_true(s->api->now(s->self) - before < 500 * IRIS_SECOND);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(all_mail_is_handled)
PLAY(who_never_stops_sending_is_stopped)
PLAY(timers_are_not_waited_for)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p2.a_drain_handles_what_was_accepted", test_all_mail_is_handled),
    IRIS_TEST("p9.a_drain_stops_who_never_stops_sending", test_who_never_stops_sending_is_stopped),
    IRIS_TEST("p9.a_drain_does_not_wait_for_timers", test_timers_are_not_waited_for),
};
/* clang-format on */
IRIS_MAIN(tests)
