/* "iris.supervise/1": supervisors as objects, with and without a factory. What the seed's runtime does
 * not do there has a test each. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <iris/ext/supervise.h>

#include <stdio.h>
#include <string.h>

static const iris_supervise *supervise(struct scene *s)
{
    return cast_extension(s, IRIS_SUPERVISE);
}

static void crash(struct scene *s, uint64_t pid) /* the counter crashes at it */
{
    s->api->send(s->self, pid, "odd", 3, 0);
}

static void make_supervisor(struct scene *s, const char *path, uint32_t strategy)
{
    iris_supervision how = {.size = sizeof how, .abi = IRIS_ABI, .strategy = strategy};
    assert_int_equal(supervise(s)->create(s->self, path, &how), IRIS_OK);
}

struct seen {
    uint64_t pid[16];
    int n;
};

static void see(void *ctx, uint64_t pid)
{
    struct seen *k = ctx;
    k->pid[k->n++ & 15] = pid;
}

/* ---- in place ---- */

static void watch_restarts(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    l->gaps = 1;
    uint64_t pid = scene_spawn(s, &b, 0);
    make_supervisor(s, "/svc/test", 0);
    assert_int_equal(supervise(s)->watch(s->self, "/svc/test", pid), IRIS_OK);
    assert_int_equal(supervise(s)->watch(s->self, "/svc/test", pid), IRIS_OK); /* once is enough */
    struct seen k = {0};
    assert_int_equal(supervise(s)->children(s->self, "/svc/test", see, &k), 1);
    assert_int_equal(k.pid[0], pid);
    crash(s, pid);
    scene_send(s, pid, cast_number(0, 1));
    scene_settle(s);
    assert_true(cast_is_alive(s, pid));
    assert_int_equal(scene_ask(s, pid, "count"), 1);
    assert_int_equal(l->inits, 2);
    assert_int_equal(cast_info(s, pid).restarts, 1);
}

static void watch_forgets(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = scene_spawn(s, &b, 0);
    assert_int_equal(supervise(s)->watch(s->self, NULL, pid), IRIS_OK);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    scene_settle(s); /* who looks after it is told a moment later */
    assert_int_equal(supervise(s)->children(s->self, "/", NULL, NULL), 0);
    assert_int_equal(supervise(s)->watch(s->self, NULL, pid), IRIS_DEAD);
    assert_int_equal(l->inits, 1);
}

static void watch_intensity(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    supervise(s)->watch(s->self, NULL, pid);
    for (int i = 0; i < 4; i++)
        crash(s, pid);
    cast_await_end(s, pid);
    assert_int_equal(l->inits, 4); /* 3 restarts in 5 s, and no hot loop */
}

static void no_supervisor(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    assert_int_equal(supervise(s)->watch(s->self, "/nowhere", pid), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "create it first"));
    assert_int_equal(supervise(s)->create(s->self, "svc", NULL), IRIS_FAIL);
    assert_int_equal(supervise(s)->create(s->self, "/a//b", NULL), IRIS_FAIL);
    assert_int_equal(supervise(s)->remove(s->self, "/nowhere"), IRIS_DEAD);
    assert_int_equal(supervise(s)->remove(s->self, "/"), IRIS_FAIL);
    assert_int_equal(supervise(s)->unwatch(s->self, pid), IRIS_DEAD);
    assert_int_equal(supervise(s)->children(s->self, "/nowhere", NULL, NULL), 0);
}

static void watch_path(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t one = cast_spawn(s, &b, (iris_spawn){.path = "/w/one"});
    cast_spawn(s, &b, (iris_spawn){.path = "/w/deep/two"});
    assert_int_equal(supervise(s)->watch_path(s->self, "/w"), 1);
    struct seen k = {0};
    assert_int_equal(supervise(s)->children(s->self, NULL, see, &k), 1);
    assert_int_equal(k.pid[0], one);
    crash(s, one);
    scene_settle(s);
    assert_int_equal(iris_find(s->rt, "/w/one"), one);
    assert_int_equal(cast_info(s, one).restarts, 1);
}

static void removed(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t watched = scene_spawn(s, &b, 0);
    uint64_t kept = cast_supervise(s, &b, "/r/kept", RESTART_ON_FAILURE);
    scene_settle(s);
    make_supervisor(s, "/r", 0);
    assert_int_equal(supervise(s)->children(s->self, "/", NULL, NULL), 0); /* it has moved */
    supervise(s)->watch(s->self, "/r", watched);
    assert_int_equal(supervise(s)->children(s->self, "/r", NULL, NULL), 2);
    assert_int_equal(supervise(s)->unwatch(s->self, kept), IRIS_FAIL);
    assert_int_equal(supervise(s)->remove(s->self, "/r"), IRIS_OK);
    assert_int_equal(supervise(s)->children(s->self, "/", NULL, NULL), 1); /* and back */
    crash(s, watched);
    crash(s, kept);
    scene_settle(s);
    assert_false(cast_is_alive(s, watched));
    assert_true(cast_is_alive(s, kept));
}

/* /n is made above /n/m, which was there before, in the middle of what "/" has. */
static void nests(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *other = cast_ledger(s);
    iris_behaviour b = cast_counter(l), o = cast_counter(other);
    make_supervisor(s, "/n/m", IRIS_ONE_FOR_ALL);
    uint64_t pid[2] = {scene_spawn(s, &b, 0), scene_spawn(s, &b, 0)},
             sibling = scene_spawn(s, &o, 0);
    for (int i = 0; i < 2; i++)
        supervise(s)->watch(s->self, "/n/m", pid[i]);
    make_supervisor(s, "/n", IRIS_ONE_FOR_ALL);
    supervise(s)->watch(s->self, "/n", sibling);
    scene_settle(s);
    crash(s, pid[0]);
    scene_settle(s);
    assert_int_equal(l->inits, 4);
    assert_int_equal(other->inits, 1);
    for (int i = 0; i < 3;
         i++) { /* the 4th is one too many for /n/m: /n restarts all that it has */
        crash(s, pid[0]);
        scene_settle(s);
    }
    assert_int_equal(other->inits, 2);
    assert_false(s->rt->exhausted);
}

/* ---- with a factory ---- */

struct works {
    struct scene *s;
    iris_behaviour b;
    struct ledger *l;
    atomic_int made, fails, released;
    _Atomic uint64_t last;
    uint64_t before; /* must have ended when this one is made */
    atomic_int too_early;
};

static int make(void *ctx, uint64_t *pid)
{
    struct works *k = ctx;
    if (atomic_load(&k->fails) > 0 && atomic_fetch_sub(&k->fails, 1) > 0)
        return (iris_calls()->fail)("the service is not back");
    if (k->before && cast_is_alive(k->s, k->before))
        atomic_fetch_add(&k->too_early, 1);
    *pid = scene_spawn(k->s, &k->b, 0);
    atomic_store(&k->last, *pid);
    atomic_fetch_add(&k->made, 1);
    return IRIS_OK;
}

static void let_go(void *ctx)
{
    atomic_fetch_add(&((struct works *)ctx)->released, 1);
}

static struct works *factory(struct scene *s, const char *path, uint32_t strategy)
{
    struct works *k = scene_memory(s, sizeof *k);
    k->s = s;
    k->l = cast_ledger(s);
    k->b = cast_counter(k->l);
    k->before = atomic_load(&k->last);
    uint64_t pid = scene_spawn(s, &k->b, 0);
    atomic_store(&k->last, pid);
    iris_factory f = {.size = sizeof f,
                      .abi = IRIS_ABI,
                      .path = path,
                      .pid = pid,
                      .make = make,
                      .release = let_go,
                      .ctx = k,
                      .strategy = strategy};
    assert_int_equal(supervise(s)->supervise(s->self, &f), IRIS_OK);
    return k;
}

static int has_made(struct scene *s)
{
    return atomic_load(&((struct works *)s->prop)->made) > 0;
}

static void factory_restarts(struct scene *s)
{
    struct works *k = factory(s, NULL, 0);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t first = k->last;
    s->prop = k;
    scene_settle(s);
    assert_int_equal(k->made, 0); /* it runs only to restart: nobody is leaked */
    watch->stop(s->self, first);  /* any end, a stop as well */
    scene_await(s, has_made);
    scene_settle(s);
    assert_true(k->last != first);
    assert_false(cast_is_alive(s, first));
    struct seen seen = {0};
    assert_int_equal(supervise(s)->children(s->self, NULL, see, &seen), 1);
    assert_int_equal(seen.pid[0], k->last);
    crash(s, k->last);
    scene_settle(s);
    while (k->made < 2)
        scene_settle(s);
    assert_int_equal(supervise(s)->unwatch(s->self, k->last), IRIS_OK);
    assert_int_equal(k->released, 1);
    assert_true(cast_is_alive(s, k->last));
}

static void factory_fails(struct scene *s)
{
    struct works *k = factory(s, NULL, 0);
    atomic_store(&k->fails, 12); /* the seed gives up after 3, in 0.3 s */
    int64_t before = s->api->now(s->self);
    crash(s, k->last);
    scene_settle(s);
    assert_int_equal(k->made, 1);
    /* 0.1 + 0.2 + .. + 25.6, then 30 s each */
    assert_in_range(s->api->now(s->self) - before, 141 * IRIS_SECOND, 142 * IRIS_SECOND);
    assert_int_equal(supervise(s)->children(s->self, NULL, NULL, NULL), 1);
    assert_false(s->rt->exhausted); /* that was one restart */
}

static void factory_let_go(struct scene *s)
{
    struct works *k = factory(s, NULL, 0);
    atomic_store(&k->fails, 1000000);
    crash(s, k->last);
    cast_run(s, 200);
    assert_int_equal(k->released, 0);
    /* the scene closes: it is released then, once */
}

static void all_stop_first(struct scene *s)
{
    struct works *k[3];
    make_supervisor(s, "/all", IRIS_ONE_FOR_ALL);
    for (int i = 0; i < 3; i++)
        k[i] = factory(s, "/all", 0);
    uint64_t first[3] = {k[0]->last, k[1]->last, k[2]->last};
    for (int i = 0; i < 3; i++)
        k[i]->before = first[(i + 1) % 3]; /* an old sibling must be gone when this one is made */
    scene_settle(s);
    crash(s, first[1]);
    for (int i = 0; i < 3; i++) {
        s->prop = k[i];
        scene_await(s, has_made);
    }
    scene_settle(s);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(k[i]->made, 1);
        assert_int_equal(k[i]->too_early, 0);
        assert_false(cast_is_alive(s, first[i]));
        assert_true(cast_is_alive(s, k[i]->last));
    }
    assert_int_equal(supervise(s)->children(s->self, "/all", NULL, NULL), 3);
    assert_int_equal(supervise(s)->remove(s->self, "/all"), IRIS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(k[i]->released, 1);
}

/* The seed's call gives each child a strategy of its own. */
static void own_strategy(struct scene *s)
{
    struct works *k[2] = {factory(s, NULL, 0), factory(s, NULL, IRIS_ONE_FOR_ALL)};
    scene_settle(s);
    crash(s, k[0]->last);
    s->prop = k[0];
    scene_await(s, has_made);
    scene_settle(s);
    assert_int_equal(k[1]->made, 0);
    crash(s, k[1]->last);
    s->prop = k[1];
    scene_await(s, has_made);
    scene_settle(s);
    assert_int_equal(k[0]->made, 2);
    assert_int_equal(k[1]->made, 1);
}

/* ---- memory ---- */

static void leaves_nothing(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    iris_supervision how = {.size = sizeof how, .abi = IRIS_ABI, .intensity = 1000000, .period = 1};
    supervise(s)->create(s->self, "/keep", &how);
    uint64_t pid = scene_spawn(s, &b, 0), bytes = 0;
    supervise(s)->watch(s->self, "/keep", pid);
    for (int i = 0; i < 200; i++) {
        char path[32];
        snprintf(path, sizeof path, "/x/%d", i);
        supervise(s)->create(s->self, path, NULL);
        for (int n = 0; n < 20; n++)
            crash(s, pid);
        scene_settle(s);
        supervise(s)->remove(s->self, path);
        if (i == 100)
            bytes = scene_count(s).bytes;
    }
    assert_int_equal(l->inits, 4001);
    assert_true(scene_count(s).bytes <= bytes);
    assert_null(s->rt->supervisors.alarms);
    assert_null(s->rt->supervisors.dead);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
#define PLAY_SEEDS(play) static void test_##play(void **state) { (void)state; scene_play_seeds(play); }
PLAY(watch_restarts)
PLAY(watch_forgets)
PLAY(watch_intensity)
PLAY(no_supervisor)
PLAY(watch_path)
PLAY(removed)
PLAY(nests)
PLAY(factory_restarts)
PLAY_SEEDS(factory_fails)
PLAY(factory_let_go)
PLAY(all_stop_first)
PLAY(own_strategy)
PLAY(leaves_nothing)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p4.watch_restarts_in_place_after_a_crash", test_watch_restarts),
    IRIS_TEST("p4.watch_forgets_who_is_stopped", test_watch_forgets),
    IRIS_TEST("p6.watch_restarts_three_times_in_five_seconds_and_no_more", test_watch_intensity),
    IRIS_TEST("p6.what_supervise_cannot_do_is_said", test_no_supervisor),
    IRIS_TEST("p6.watch_path_takes_the_direct_children", test_watch_path),
    IRIS_TEST("p6.who_loses_its_supervisor_goes_to_the_one_above_or_is_free", test_removed),
    IRIS_TEST("p6.supervisors_made_at_run_time_nest_by_their_paths", test_nests),
    IRIS_TEST("p6.a_factory_runs_only_to_restart_and_after_any_end", test_factory_restarts),
    IRIS_TEST("p6.a_factory_that_fails_is_asked_again_and_never_given_up", test_factory_fails),
    IRIS_TEST("p9.a_runtime_closes_while_a_factory_fails", test_factory_let_go),
    IRIS_TEST("p6.restart_all_ends_the_old_siblings_before_a_factory_runs", test_all_stop_first),
    IRIS_TEST("p6.a_member_of_a_factory_may_have_its_own_strategy", test_own_strategy),
    IRIS_TEST("p8.restarts_and_supervisors_leave_nothing", test_leaves_nothing),
};
/* clang-format on */
IRIS_MAIN(tests)
