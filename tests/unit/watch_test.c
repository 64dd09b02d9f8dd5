/* P5: one DOWN for each monitor; what belongs to an actor ends with it. */
#include "main.h"

#include "cast.h"

#include <stdlib.h>
#include <string.h>

struct target {
    uint64_t pid, ref[8];
    int n, result;
};

static void monitor(iris_actor *self, void *ctx)
{
    struct target *t = ctx;
    const iris_watch *watch = iris_calls()->extension(IRIS_WATCH);
    watch->monitor(self, t->pid, &t->ref[t->n++]);
}

static void demonitor_first(iris_actor *self, void *ctx)
{
    struct target *t = ctx;
    const iris_watch *watch = iris_calls()->extension(IRIS_WATCH);
    t->result = watch->demonitor(self, t->ref[0]);
}

static void one_down_each(struct scene *s)
{
    struct doer *d;
    struct ledger *l = cast_ledger(s);
    struct target *t = scene_memory(s, sizeof *t);
    iris_behaviour b = cast_doer(s, &d), plain = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t eye = scene_spawn(s, &b, 0);
    t->pid = scene_spawn(s, &plain, 0);
    for (int i = 0; i < 3; i++)
        cast_have_do(s, eye, monitor, t);
    scene_settle(s);
    assert_int_equal(d->downs, 0);
    watch->kill(s->self, t->pid);
    scene_settle(s);
    assert_int_equal(d->downs, 3); /* one for each */
    for (int i = 0; i < 3; i++)
        assert_string_equal(d->reason[i], "killed (how=kill)");
    assert_int_equal(d->down_ref[0] + d->down_ref[1] + d->down_ref[2],
                     t->ref[0] + t->ref[1] + t->ref[2]);
    cast_have_do(s, eye, monitor, t); /* of the dead: at once */
    scene_settle(s);
    assert_int_equal(d->downs, 4);
    assert_string_equal(d->reason[3], "noproc");
}

static void demonitor_flushes(struct scene *s)
{
    struct doer *d;
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_doer(s, &d), plain = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t eye = scene_spawn(s, &b, 0);
    for (int i = 0; i < 20; i++) {
        struct target *t = scene_memory(s, sizeof *t);
        int downs = d->downs;
        t->pid = scene_spawn(s, &plain, 0);
        cast_have_do(s, eye, monitor, t);
        cast_run(s, i % 5);
        watch->kill(s->self, t->pid);
        cast_run(s, i % 4);
        cast_have_do(s, eye, demonitor_first, t);
        scene_settle(s);
        /* either it had come before, or it never comes */
        assert_int_equal(d->downs - downs, t->result == IRIS_OK ? 0 : 1);
    }
}

static void exit_text(iris_actor *self, void *ctx)
{
    iris_calls()->exit(self, ctx);
}

static void reasons(struct scene *s)
{
    struct doer *d, *other;
    struct target *t = scene_memory(s, 3 * sizeof *t);
    iris_behaviour b = cast_doer(s, &d), o = cast_doer(s, &other);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t eye = scene_spawn(s, &b, 0);
    for (int i = 0; i < 3; i++) {
        t[i].pid = scene_spawn(s, &o, 0);
        cast_have_do(s, eye, monitor, &t[i]);
        scene_settle(s);
        if (i == 0)
            cast_have_do(s, t[i].pid, exit_text, NULL);
        if (i == 1)
            cast_have_do(s, t[i].pid, exit_text, "tired: went home");
        if (i == 2)
            watch->stop(s->self, t[i].pid);
        scene_settle(s);
    }
    assert_string_equal(d->reason[0], "normal");
    assert_string_equal(d->reason[1], "tired: went home");
    assert_string_equal(d->reason[2], "killed (how=stop, drained=0)");
}

static void with_its_actor(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t id[2];
    uint64_t pid = cast_spawn(s, &plain, (iris_spawn){.path = "/mine"});
    assert_int_equal(name->set(s->self, "a-name", pid), IRIS_OK);
    assert_int_equal(name->set(s->self, "b-name", pid), IRIS_OK);
    assert_int_equal(timer->after(s->self, pid, 3600 * IRIS_SECOND, "x", 1, &id[0]), IRIS_OK);
    assert_int_equal(timer->every(s->self, pid, 3600 * IRIS_SECOND, "x", 1, &id[1]), IRIS_OK);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(name->find(s->self, "a-name"), 0);
    assert_int_equal(name->find(s->self, "b-name"), 0);
    assert_int_equal(name->find(s->self, "/mine"), 0);
    assert_int_equal(timer->cancel(s->self, id[0]), IRIS_DEAD);
    assert_int_equal(timer->cancel(s->self, id[1]), IRIS_DEAD);
    uint64_t next = cast_spawn(s, &plain, (iris_spawn){.path = "/mine"});
    assert_int_equal(name->find(s->self, "/mine"), next);
    scene_settle(s);
    assert_int_equal(l->handled, 0);
}

static void watchers_may_end_first(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = scene_spawn(s, &plain, 0);
    for (int i = 0; i < 10; i++) {
        struct doer *d;
        iris_behaviour b = cast_doer(s, &d);
        struct target *t = scene_memory(s, sizeof *t);
        uint64_t eye = scene_spawn(s, &b, 0);
        t->pid = pid;
        cast_have_do(s, eye, monitor, t);
        scene_settle(s);
        watch->kill(s->self, eye);
    }
    scene_settle(s);
    iris_actor *a = iris__table_at(&iris__world_of(s->self)->table, pid);
    assert_int_equal(iris__cold_if(a)->watchers.used, 0); /* nobody is left to tell */
    watch->kill(s->self, pid);
    scene_settle(s);
}

/* Names set in the moment of an end are free afterwards. */
static void names_in_the_moment_of_the_end(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    for (int i = 0; i < 300; i++) {
        uint64_t pid = scene_spawn(s, &plain, 0);
        watch->kill(s->self, pid);
        cast_run(s, i % 3);
        int set = name->set(s->self, "n", pid);
        int timed = timer->every(s->self, pid, 3600 * IRIS_SECOND, "x", 1, NULL);
        assert_true(set == IRIS_OK || set == IRIS_DEAD);
        assert_true(timed == IRIS_OK || timed == IRIS_DEAD);
        cast_await_end(s, pid);
        assert_int_equal(name->find(s->self, "n"), 0);
    }
    assert_int_equal(iris__world_of(s->self)->timers.calendar.timers, 0);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(one_down_each)
PLAY(demonitor_flushes)
PLAY(reasons)
PLAY(with_its_actor)
PLAY(watchers_may_end_first)
PLAY(names_in_the_moment_of_the_end)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p5.each_monitor_gets_one_down_and_of_the_dead_at_once", test_one_down_each),
    IRIS_TEST("p5.after_demonitor_no_down_comes", test_demonitor_flushes),
    IRIS_TEST("p5.a_down_says_why", test_reasons),
    IRIS_TEST("p5.timers_names_and_paths_end_with_their_actor", test_with_its_actor),
    IRIS_TEST("p5.a_watcher_that_ends_is_forgotten", test_watchers_may_end_first),
    IRIS_TEST("p5.names_and_timers_given_in_the_moment_of_the_end_are_freed", test_names_in_the_moment_of_the_end),
};
/* clang-format on */
IRIS_MAIN(tests)
