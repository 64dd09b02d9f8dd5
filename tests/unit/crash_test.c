/* P4: a crash ends one actor, or one incarnation of it; P6: what a supervisor holds. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <string.h>

static void send_odd(struct scene *s, uint64_t pid) /* the counter crashes at it */
{
    assert_int_equal(s->api->send(s->self, pid, "odd", 3, 0), IRIS_OK);
}

static void others_go_on(struct scene *s)
{
    struct ledger *l[2] = {cast_ledger(s), cast_ledger(s)};
    iris_behaviour b[2] = {cast_counter(l[0]), cast_counter(l[1])};
    uint64_t pid[2] = {scene_spawn(s, &b[0], 0), scene_spawn(s, &b[1], 0)};
    send_odd(s, pid[0]);
    for (uint64_t i = 1; i <= 50; i++)
        scene_send(s, pid[1], cast_number(0, i));
    scene_settle(s);
    assert_false(cast_is_alive(s, pid[0]));
    assert_int_equal(l[1]->handled, 50);
    assert_int_equal(scene_count(s).crashed, 1);
    assert_int_equal(l[0]->finis, 1);
}

/* 20 handled | the 21st crashes | 9 stay: for the next incarnation, or as dead letters. */
static void in_a_batch(struct scene *s, int supervised)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    l->crash_every = 21;
    uint64_t pid =
        supervised ? cast_supervise(s, &b, "/k", RESTART_ON_FAILURE) : scene_spawn(s, &b, 0);
    uint64_t accepted = 0; /* with threads the crash may come before the last is sent */
    for (uint64_t i = 1; i <= 30; i++) {
        uint64_t number = cast_number(0, i);
        accepted += s->api->send(s->self, pid, &number, sizeof number, 0) == IRIS_OK;
    }
    scene_settle(s);
    iris_totals t = scene_count(s);
    assert_true(accepted == 30 || !supervised);
    assert_int_equal(t.crashed, 1);
    assert_int_equal(t.ended, supervised ? 0 : accepted - 21);
    assert_int_equal(l->handled, supervised ? 29 : 20);
    assert_int_equal(l->disorder, 0);
    assert_int_equal(cast_is_alive(s, pid), supervised);
    if (supervised)
        assert_int_equal(scene_ask(s, pid, "count"), 9); /* a fresh state */
}

static void batch_alone(struct scene *s)
{
    in_a_batch(s, 0);
}

static void batch_supervised(struct scene *s)
{
    in_a_batch(s, 1);
}

static void in_place(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *w = cast_ledger(s);
    iris_behaviour b = cast_counter(l), watcher = cast_watcher(w);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    uint64_t pid = cast_supervise(s, &b, "/svc/one", RESTART_ON_FAILURE);
    uint64_t eye = scene_spawn(s, &watcher, 0);
    assert_int_equal(name->set(s->self, "set-by-api", pid), IRIS_OK);
    scene_send(s, eye, pid);
    scene_settle(s);
    send_odd(s, pid);
    scene_send(s, pid, cast_number(0, 1));
    scene_settle(s);
    assert_int_equal(iris_find(s->rt, "/svc/one"), pid);
    assert_int_equal(scene_ask(s, pid, "count"), 1);
    assert_int_equal(cast_info(s, pid).restarts, 1);
    assert_int_equal(l->inits, 2);
    assert_int_equal(l->finis, 1);
    assert_int_equal(w->downs, 1); /* to everyone else it was an end */
    assert_non_null(strstr(w->reason, "crash: a message of 3 bytes"));
    assert_int_equal(w->down_from, pid);
}

static void init_fails_twice(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    l->init_fails = 2;
    uint64_t pid = cast_supervise(s, &b, "/late", RESTART_ON_FAILURE);
    scene_send(s, pid, cast_number(0, 1));
    scene_settle(s);
    assert_int_equal(scene_ask(s, pid, "count"), 1);
    assert_int_equal(l->inits, 3);
    assert_int_equal(l->finis, 0); /* what did not begin has no end */
}

static void init_fails_always(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    l->init_fails = 1000;
    uint64_t pid = cast_supervise(s, &b, "/never", RESTART_ALWAYS);
    s->api->send(s->self, pid, "x", 1, 0);
    scene_settle(s);
    assert_false(cast_is_alive(s, pid));
    assert_int_equal(l->inits, 4); /* and 3 restarts */
    assert_int_equal(l->finis, 0);
    assert_true(s->rt->exhausted);
    assert_int_equal(iris_find(s->rt, "/never"), 0);
}

static void init_fails_alone(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    l->init_fails = 1;
    uint64_t pid = scene_spawn(s, &b, 0);
    scene_settle(s);
    assert_false(cast_is_alive(s, pid));
    assert_int_equal(l->finis, 0);
}

/* /a holds 1 restart; the second one restarts all of /a, and counts as one with "/". */
static void exhausted_goes_up(struct scene *s)
{
    struct ledger *l[3] = {cast_ledger(s), cast_ledger(s), cast_ledger(s)};
    iris_behaviour b[3];
    static const char *const path[] = {"/a/1", "/a/2", "/b"};
    uint64_t pid[3];
    iris__supervisor_add(&s->rt->supervisors, "/a",
                         &(struct policy){.intensity = 1, .period = IRIS_SECOND});
    for (int i = 0; i < 3; i++) {
        b[i] = cast_counter(l[i]);
        l[i]->gaps = 1;
        pid[i] = cast_supervise(s, &b[i], path[i], RESTART_ON_FAILURE);
        scene_send(s, pid[i], cast_number(0, 1));
    }
    scene_settle(s);
    send_odd(s, pid[0]);
    scene_settle(s);
    assert_int_equal(l[1]->inits, 1);
    send_odd(s, pid[0]);
    scene_settle(s);
    assert_int_equal(l[0]->inits, 3);
    assert_int_equal(l[1]->inits, 2); /* its neighbour began anew */
    assert_int_equal(l[2]->inits, 1);
    assert_int_equal(cast_info(s, pid[1]).restarts, 1);
    assert_false(s->rt->exhausted);
    for (int i = 0; i < 3; i++)
        assert_true(cast_is_alive(s, pid[i]));
}

static void on_exhausted(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static void the_root_exhausted(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    s->rt->on_exhausted_ctx = scene_memory(s, sizeof(atomic_int));
    s->rt->on_exhausted = on_exhausted;
    uint64_t pid = cast_supervise(s, &b, "/x", RESTART_ON_FAILURE);
    for (int i = 0; i < 4; i++)
        send_odd(s, pid);
    scene_settle(s);
    assert_false(cast_is_alive(s, pid));
    assert_int_equal(*(atomic_int *)s->rt->on_exhausted_ctx, 1);
    assert_int_equal(scene_count(s).crashed, 4);
    assert_int_equal(l->inits, 4);
}

/* Restarts that lie further apart than the period are held for ever. */
static void slow_crashes(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = cast_supervise(s, &b, "/slow", RESTART_ON_FAILURE);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(timer->after(s->self, pid, 2 * IRIS_SECOND, "odd", 3, NULL), IRIS_OK);
        scene_settle(s); /* virtual time passes */
    }
    assert_true(cast_is_alive(s, pid));
    assert_int_equal(l->inits, 21);
}

static void whom_it_restarts(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t failing = cast_supervise(s, &b, "/f", RESTART_ON_FAILURE);
    uint64_t always = cast_supervise(s, &b, "/a", RESTART_ALWAYS);
    uint64_t never = cast_supervise(s, &b, "/n", RESTART_NEVER);
    scene_settle(s);
    watch->kill(s->self, failing);
    watch->kill(s->self, always);
    send_odd(s, never);
    scene_settle(s);
    assert_false(cast_is_alive(s, failing));
    assert_true(cast_is_alive(s, always));
    assert_false(cast_is_alive(s, never));
    watch->stop(s->self, always);
    scene_settle(s);
    assert_false(cast_is_alive(s, always)); /* a stop is meant */
    assert_int_equal(l->inits, l->finis);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(others_go_on)
PLAY(batch_alone)
PLAY(batch_supervised)
PLAY(in_place)
PLAY(init_fails_twice)
PLAY(init_fails_always)
PLAY(init_fails_alone)
PLAY(exhausted_goes_up)
PLAY(the_root_exhausted)
PLAY(whom_it_restarts)

static void test_slow_crashes(void **state) { (void)state; scene_play_seeds(slow_crashes); }

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p4.a_crash_ends_one_actor_and_others_go_on", test_others_go_on),
    IRIS_TEST("p4.a_crash_in_a_batch_kills_one_message_and_the_rest_are_dead_letters", test_batch_alone),
    IRIS_TEST("p4.a_crash_in_a_batch_keeps_the_rest_for_the_next_incarnation", test_batch_supervised),
    IRIS_TEST("p4.a_restart_in_place_keeps_pid_path_and_mail", test_in_place),
    IRIS_TEST("p4.an_init_that_fails_twice_is_tried_again", test_init_fails_twice),
    IRIS_TEST("p4.an_init_that_always_fails_ends_the_actor", test_init_fails_always),
    IRIS_TEST("p4.an_init_that_fails_without_a_supervisor_ends_the_actor", test_init_fails_alone),
    IRIS_TEST("p6.an_exhausted_supervisor_restarts_all_its_actors_and_counts_above", test_exhausted_goes_up),
    IRIS_TEST("p6.when_the_root_is_exhausted_the_app_is_told_once", test_the_root_exhausted),
    IRIS_TEST("p6.crashes_further_apart_than_the_period_are_held", test_slow_crashes),
    IRIS_TEST("p6.on_failure_always_and_never_mean_what_they_say", test_whom_it_restarts),
};
/* clang-format on */
IRIS_MAIN(tests)
