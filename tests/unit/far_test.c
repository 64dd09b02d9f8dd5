/* Supervisors of other nodes (core/tree/far.c, ward.c). One runtime plays both ends: its own actors are those of
 * another node "b" too, by way of a link that hands everything back. So both ends run under the seeds. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <iris/ext/supervise.h>

#include <stdio.h>
#include <string.h>

#define RUN 77

struct b {
    struct scene *s;
    const iris_route *route;
    uint64_t link;
    uint32_t index;
};

static const iris_supervise *supervise(struct scene *s)
{
    return cast_extension(s, IRIS_SUPERVISE);
}

/* ---- the link ---- */

static int hand_back(const iris_behaviour *b, iris_actor *self, void *state,
                     const iris_message *const *m, int n)
{
    const struct b *node = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        uint64_t index = m[i]->to >> 43 << 43;
        iris_message in = *m[i];
        const iris_message *const one[] = {&in};
        int taken;
        in.to -= index;
        in.from |= index;
        node->route->deliver(self, one, 1, &taken);
    }
    return n;
}

static struct b *node(struct scene *s)
{
    struct b *b = scene_memory(s, sizeof *b);
    iris_behaviour link = {.size = sizeof link,
                           .abi = IRIS_ABI,
                           .name = "link",
                           .version = "1",
                           .data = b,
                           .handle = hand_back};
    *b = (struct b){.s = s, .route = cast_extension(s, IRIS_ROUTE)};
    b->link = scene_spawn(s, &link, 0);
    return b;
}

static void up(struct b *b, uint64_t run, uint32_t rights)
{
    assert_int_equal(b->route->up(b->s->self, "b", b->link, &b->index), IRIS_OK);
    assert_int_equal(b->route->rights(b->s->self, b->index, run, 0, "a"), IRIS_OK);
    assert_int_equal(b->route->rights(b->s->self, b->index, run, rights, "a"), IRIS_OK);
}

static void down(struct b *b)
{
    assert_int_equal(b->route->down(b->s->self, b->index, "noconnection"), IRIS_OK);
}

static uint64_t there(const struct b *b, uint64_t pid)
{
    return (uint64_t)b->index << 43 | pid;
}

static struct b *node_up(struct scene *s)
{
    struct b *b = node(s);
    up(b, RUN, IRIS_RIGHT_SUPERVISE);
    return b;
}

/* ---- what plays need ---- */

static void crash(struct scene *s, uint64_t pid)
{
    s->api->send(s->self, pid, "odd", 3, 0);
}

static void make_supervisor(struct scene *s, const char *path, uint32_t strategy)
{
    iris_supervision how = {.size = sizeof how, .abi = IRIS_ABI, .strategy = strategy};
    assert_int_equal(supervise(s)->create(s->self, path, &how), IRIS_OK);
}

static int members(struct scene *s, const char *path)
{
    return supervise(s)->children(s->self, path, NULL, NULL);
}

static uint64_t watched(struct b *b, const char *path, struct ledger *l)
{
    iris_behaviour counter = cast_counter(l);
    uint64_t pid = scene_spawn(b->s, &counter, 0);
    l->gaps = 1;
    assert_int_equal(supervise(b->s)->watch(b->s->self, path, there(b, pid)), IRIS_OK);
    scene_settle(b->s);
    assert_int_equal(members(b->s, path), 1);
    return pid;
}

/* ---- plays ---- */

static void in_place(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    make_supervisor(s, "/far", 0);
    struct b *b = node_up(s);
    uint64_t pid = watched(b, "/far", l);
    for (int i = 1; i <= 3; i++) {
        crash(s, pid);
        scene_send(s, pid, cast_number(0, (uint64_t)i)); /* stays in its mailbox */
        scene_settle(s);
        assert_int_equal(scene_ask(s, pid, "count"), 1);
        assert_int_equal(cast_info(s, pid).restarts, i);
    }
    assert_int_equal(l->inits, 4);
    crash(s,
          pid); /* the 4th within 5 s: the supervisor is exhausted, and the next one up decides */
    scene_settle(s);
    assert_true(cast_is_alive(s, pid));
    assert_int_equal(l->inits, 5);
    assert_false(s->rt->exhausted);
}

static void gives_up(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_supervision how = {.size = sizeof how,
                            .abi = IRIS_ABI,
                            .intensity = 1,
                            .period = 60 * IRIS_SECOND,
                            .on_exhausted = IRIS_EXHAUSTED_STOP};
    assert_int_equal(supervise(s)->create(s->self, "/far", &how), IRIS_OK);
    struct b *b = node_up(s);
    uint64_t pid = watched(b, "/far", l);
    crash(s, pid);
    scene_settle(s);
    assert_true(cast_is_alive(s, pid));
    crash(s, pid);
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(members(s, "/far"), 0);
    assert_int_equal(l->inits, 2);
}

static void with_siblings(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *other = cast_ledger(s), *third = cast_ledger(s);
    iris_behaviour o = cast_counter(other), t = cast_counter(third);
    make_supervisor(s, "/all", IRIS_ONE_FOR_ALL);
    struct b *b = node_up(s);
    uint64_t pid = watched(b, "/all", l);
    uint64_t near = scene_spawn(s, &o, 0), far = scene_spawn(s, &t, 0);
    supervise(s)->watch(s->self, "/all", near);
    supervise(s)->watch(s->self, "/all", there(b, far));
    scene_settle(s);
    crash(s, near); /* one here takes those there with it */
    scene_settle(s);
    assert_int_equal(l->inits, 2);
    assert_int_equal(other->inits, 2);
    assert_int_equal(third->inits, 2);
    crash(s, pid); /* and the other way round */
    scene_settle(s);
    assert_int_equal(l->inits, 3);
    assert_int_equal(other->inits, 3);
    assert_int_equal(third->inits, 3);
    assert_true(cast_is_alive(s, pid) && cast_is_alive(s, near) && cast_is_alive(s, far));
}

static void without_leave(struct scene *s)
{
    struct b *b = node(s);
    iris_behaviour counter = cast_counter(cast_ledger(s));
    uint64_t pid = scene_spawn(s, &counter, 0);
    up(b, RUN, IRIS_RIGHT_STOP);
    assert_int_equal(supervise(s)->watch(s->self, NULL, there(b, pid)), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "node b does not let node a supervise"));
    assert_non_null(strstr(iris_reason(), "\"allow\": {\"supervise\": [\"a\"]}"));
    assert_int_equal(members(s, NULL), 0);
    down(b);
    assert_int_equal(supervise(s)->watch(s->self, NULL, there(b, pid)), IRIS_DEAD);
}

static void of_the_dead(struct scene *s)
{
    struct b *b = node_up(s);
    iris_behaviour counter = cast_counter(cast_ledger(s));
    uint64_t pid = scene_spawn(s, &counter, 0);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    watch->kill(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(supervise(s)->watch(s->self, NULL, there(b, pid)), IRIS_OK); /* it is asked */
    scene_settle(s);
    assert_int_equal(members(s, NULL), 0);
    pid = watched(b, "/", cast_ledger(s));
    watch->stop(s->self, pid); /* at its node: nobody begins it again, and it is forgotten */
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(members(s, NULL), 0);
}

static void taken_up_again(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    make_supervisor(s, "/far", 0);
    struct b *b = node_up(s);
    uint64_t pid = watched(b, "/far", l);
    down(b);
    scene_settle(s);
    assert_true(cast_is_alive(s, pid));
    assert_int_equal(members(s, "/far"), 0);
    up(b, RUN, IRIS_RIGHT_SUPERVISE);
    scene_settle(s);
    assert_int_equal(members(s, "/far"), 1);
    crash(s, pid);
    scene_settle(s);
    assert_true(cast_is_alive(s, pid));
    assert_int_equal(l->inits, 2);
    down(b);
    up(b, RUN + 1, IRIS_RIGHT_SUPERVISE); /* that was another one's pid */
    scene_settle(s);
    assert_int_equal(members(s, "/far"), 0);
    crash(s, pid); /* it is nobody's now */
    cast_await_end(s, pid);
    assert_int_equal(l->inits, 2);
}

/* Who has a supervisor at home is looked after by that as long as the other one is out of reach. */
static void at_home(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour counter = cast_counter(l);
    l->gaps = 1;
    make_supervisor(s, "/far", 0);
    make_supervisor(s, "/home", 0);
    uint64_t pid = cast_supervise(s, &counter, "/home/x", RESTART_ON_FAILURE);
    struct b *b = node_up(s);
    scene_settle(s);
    supervise(s)->watch(s->self, "/far", there(b, pid));
    scene_settle(s);
    assert_int_equal(members(s, "/home"), 0);
    assert_int_equal(members(s, "/far"), 1);
    down(b);
    assert_int_equal(members(s, "/home"), 1);
    crash(s, pid);
    scene_settle(s);
    assert_int_equal(l->inits, 2);
    up(b, RUN, IRIS_RIGHT_SUPERVISE);
    scene_settle(s);
    assert_int_equal(members(s, "/home"), 0);
    assert_int_equal(supervise(s)->unwatch(s->self, there(b, pid)), IRIS_OK);
    scene_settle(s);
    assert_int_equal(members(s, "/far"), 0);
    assert_int_equal(members(s, "/home"), 1);
}

/* What was on its way in when the link went asks for nothing any more. */
static void too_late(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour counter = cast_counter(l);
    l->gaps = 1;
    make_supervisor(s, "/home", 0);
    uint64_t pid = cast_supervise(s, &counter, "/home/x", RESTART_ON_FAILURE);
    struct b *b = node_up(s);
    scene_settle(s);
    iris_message take = {
        .kind = IRIS_ORDER, .to = pid, .from = there(b, 5), .ref = 1, .len = 6, .data = "T1/far"};
    const iris_message *const one[] = {&take};
    int taken;
    down(b);
    b->route->deliver(s->self, one, 1, &taken);
    assert_int_equal(members(s, "/home"), 1);
    crash(s, pid);
    scene_settle(s);
    assert_int_equal(l->inits, 2);
}

/* Whenever the link goes and comes: each crash is followed by one restart, and nobody is forgotten. */
static void never_twice(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour counter = cast_counter(l);
    iris_supervision often = {
        .size = sizeof often, .abi = IRIS_ABI, .intensity = 1000, .period = IRIS_SECOND};
    l->gaps = 1;
    supervise(s)->create(s->self, "/far", &often);
    supervise(s)->create(s->self, "/home", &often);
    uint64_t pid = cast_supervise(s, &counter, "/home/x", RESTART_ON_FAILURE);
    struct b *b = node_up(s);
    scene_settle(s);
    supervise(s)->watch(s->self, "/far", there(b, pid));
    for (int i = 0; i < 20; i++) {
        crash(s, pid);
        cast_run(s, (int)(s->seed * 7 + (uint64_t)i * 5) % 11);
        down(b);
        if (i % 3 == 0)
            crash(s, pid);
        cast_run(s, (int)(s->seed * 3 + (uint64_t)i) % 7);
        up(b, RUN, IRIS_RIGHT_SUPERVISE);
        if (i % 4 == 0)
            scene_settle(s);
    }
    scene_settle(s);
    assert_true(cast_is_alive(s, pid));
    assert_int_equal(l->inits, 1 + 20 + 7);
    assert_int_equal(cast_info(s, pid).restarts, 20 + 7);
}

/* The same with one that all begin again with: halted ones too begin once, whoever tells them. */
static void all_of_them_live(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *other = cast_ledger(s);
    iris_behaviour counter = cast_counter(l), o = cast_counter(other);
    iris_supervision often = {.size = sizeof often,
                              .abi = IRIS_ABI,
                              .strategy = IRIS_ONE_FOR_ALL,
                              .intensity = 1000,
                              .period = IRIS_SECOND};
    l->gaps = other->gaps = 1;
    supervise(s)->create(s->self, "/far", &often);
    uint64_t pid = cast_supervise(s, &counter, "/x", RESTART_ON_FAILURE),
             near = scene_spawn(s, &o, 0);
    struct b *b = node_up(s);
    scene_settle(s);
    supervise(s)->watch(s->self, "/far", there(b, pid));
    supervise(s)->watch(s->self, "/far", near);
    scene_settle(s);
    for (int i = 0; i < 10; i++) {
        crash(s, near);
        cast_run(s, (int)(s->seed * 7 + (uint64_t)i * 5) % 13);
        down(b);
        cast_run(s, (int)(s->seed * 3 + (uint64_t)i) % 7);
        up(b, RUN, IRIS_RIGHT_SUPERVISE);
        scene_settle(s);
        assert_true(cast_is_alive(s, pid));
        scene_ask(s, pid, "count");
        assert_int_equal(other->inits, 2 + i);
        assert_int_equal(members(s, "/far"), 2);
    }
    assert_true(l->inits <= 11);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(in_place)
PLAY(gives_up)
PLAY(with_siblings)
PLAY(without_leave)
PLAY(of_the_dead)
PLAY(taken_up_again)
PLAY(at_home)
PLAY(too_late)
PLAY(never_twice)
PLAY(all_of_them_live)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p4.an_actor_of_another_node_begins_again_in_place", test_in_place),
    IRIS_TEST("p6.a_supervisor_of_another_node_gives_up", test_gives_up),
    IRIS_TEST("p6.siblings_of_two_nodes_begin_again_together", test_with_siblings),
    IRIS_TEST("p10.a_node_is_supervised_only_where_it_allows_it", test_without_leave),
    IRIS_TEST("p6.a_dead_actor_of_another_node_is_no_member", test_of_the_dead),
    IRIS_TEST("p6.the_same_run_of_a_node_is_taken_up_again", test_taken_up_again),
    IRIS_TEST("p6.an_actor_out_of_reach_is_looked_after_at_home", test_at_home),
    IRIS_TEST("p6.an_order_that_comes_after_its_node_went_takes_nobody", test_too_late),
    IRIS_TEST("p6.no_actor_is_restarted_twice_when_the_link_goes", test_never_twice),
    IRIS_TEST("p6.no_actor_is_left_behind_when_the_link_goes", test_all_of_them_live),
};
/* clang-format on */
IRIS_MAIN(tests)
