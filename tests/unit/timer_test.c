/* Timers on the virtual clock, and fairness counted in messages. */
#include "main.h"

#include "cast.h"
#include "runtime.h"
#include "timer.h"

#include <sched.h>
#include <string.h>

/* ---- one-shots come in the order of their deadlines; equal ones as they were set ---- */

static void in_order_of_deadlines(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = scene_spawn(s, &b, 0);
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t n = (i * 37) % 100, number = cast_number(0, n + 1); /* set in any order */
        timer->after(s->self, pid, (int64_t)(n + 1) * IRIS_MILLISECOND, &number, 8, NULL);
    }
    for (uint64_t i = 1; i <= 50; i++) {
        uint64_t number = cast_number(1, i);
        timer->after(s->self, pid, 5 * IRIS_MILLISECOND, &number, 8, NULL);
    }
    int64_t before = s->api->now(s->self);
    scene_settle(s);
    assert_int_equal(l->handled, 150);
    assert_int_equal(l->disorder, 0);
    assert_int_equal(s->api->now(s->self) - before, 100 * IRIS_MILLISECOND);
}

static void cancelled_ones_never_come(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = scene_spawn(s, &b, 0), id[60];
    for (int i = 0; i < 60; i++)
        timer->after(s->self, pid, (i % 7) * IRIS_SECOND, "x", 1, &id[i]);
    for (int i = 0; i < 60; i += 2)
        assert_int_equal(timer->cancel(s->self, id[i]), IRIS_OK);
    assert_int_equal(timer->cancel(s->self, id[0]), IRIS_DEAD);
    assert_int_equal(timer->cancel(s->self, 999999), IRIS_DEAD);
    scene_settle(s);
    assert_int_equal(l->handled, 30);
    assert_int_equal(timer->cancel(s->self, id[1]), IRIS_DEAD);
}

/* ---- a heap of many, with holes, does what a sorted list does ---- */

enum { MANY = 2000 };

struct sorted {
    uint64_t random, n, heard[MANY], nheard;
    struct {
        int64_t at;
        uint64_t id;
        int cancelled;
    } timer[MANY];
};

static uint64_t draw(struct sorted *t, uint64_t below)
{
    t->random = t->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (t->random >> 33) % below;
}

static int note_number(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    struct sorted *t = b->data;
    (void)self, (void)state;
    for (int i = 0; i < n; i++)
        memcpy(&t->heard[t->nheard++], m[i]->data, 8);
    return n;
}

/* One that is still due, or one that has come: then cancel() says so. */
static void cancel_one(struct scene *s, struct sorted *t)
{
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t i = draw(t, t->n);
    int gone = t->timer[i].cancelled || t->timer[i].at <= s->api->now(s->self);
    int result = timer->cancel(s->self, t->timer[i].id);
    if (!gone || t->timer[i].cancelled)
        assert_int_equal(result, gone ? IRIS_DEAD : IRIS_OK);
    t->timer[i].cancelled |= result == IRIS_OK;
}

static void set_one(struct scene *s, struct sorted *t, uint64_t pid)
{
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    int64_t delay = (int64_t)draw(t, 300) * IRIS_MILLISECOND;
    t->timer[t->n].at = s->api->now(s->self) + delay;
    assert_int_equal(timer->after(s->self, pid, delay, &t->n, 8, &t->timer[t->n].id), IRIS_OK);
    t->n++;
}

static void as_a_sorted_list(struct scene *s)
{
    struct sorted *t = scene_memory(s, sizeof *t);
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "list", .data = t, .handle = note_number};
    uint64_t pid = scene_spawn(s, &b, 0), expected = 0;
    t->random = s->seed;
    while (t->n < MANY) {
        set_one(s, t, pid);
        if (draw(t, 3) == 0)
            cancel_one(s, t);
        if (draw(t, 50) == 0)
            cast_run(s, 40);
    }
    scene_settle(s);
    for (uint64_t i = 0; i < t->n; i++)
        expected += !t->timer[i].cancelled;
    assert_int_equal(t->nheard, expected);
    for (uint64_t i = 1; i < t->nheard; i++) {
        uint64_t x = t->heard[i - 1], y = t->heard[i];
        assert_true(t->timer[x].at < t->timer[y].at || (t->timer[x].at == t->timer[y].at && x < y));
        assert_false(t->timer[y].cancelled);
    }
}

static void a_hundred_thousand(void **state)
{
    struct scene s = {0};
    scene_open(&s, 0, 1);
    struct ledger *l = cast_ledger(&s);
    iris_behaviour b = cast_counter(l);
    const iris_timer_api *timer = cast_extension(&s, IRIS_TIMER_EXT);
    uint64_t pid = scene_spawn(&s, &b, 0), n = 100000;
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t which = i * 7919 % n, number = cast_number(0, which + 1);
        assert_int_equal(timer->after(s.self, pid, (int64_t)which * 1000, &number, 8, NULL), 0);
    }
    scene_settle(&s);
    assert_int_equal(l->handled, n);
    assert_int_equal(l->disorder, 0);
    scene_close(&s);
}

/* ---- an id stands for one timer, for ever ---- */

static void old_ids(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = scene_spawn(s, &b, 0), old, id;
    assert_int_equal(timer->after(s->self, pid, 0, "x", 1, &old), IRIS_OK);
    scene_settle(s);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(timer->after(s->self, pid, IRIS_SECOND, "x", 1, &id), IRIS_OK);
        assert_true(id && id != old && id >> 53 == 0);
        assert_int_equal(timer->cancel(s->self, old), IRIS_DEAD);
        assert_int_equal(timer->cancel(s->self, id), IRIS_OK);
        old = id;
    }
    assert_int_equal(l->handled, 1);
}

/* ---- what an actor's end does to its timers, and to nobody else's ---- */

static void ends_with_the_actor(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *other = cast_ledger(s);
    iris_behaviour b = cast_plain(l), b2 = cast_plain(other);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = scene_spawn(s, &b, 0), pid2 = scene_spawn(s, &b2, 0), id[10];
    for (int i = 0; i < 10; i++) {
        timer->every(s->self, pid, 20 * IRIS_SECOND, "x", 1, &id[i]);
        timer->after(s->self, pid2, 0, "x", 1, NULL);
    }
    watch->kill(s->self, pid);
    cast_await_end(s, pid);
    for (int i = 0; i < 10; i++)
        assert_int_equal(timer->cancel(s->self, id[i]), IRIS_DEAD);
    assert_int_equal(timer->after(s->self, pid, 0, "x", 1, NULL), IRIS_DEAD);
    scene_settle(s);
    assert_int_equal(l->handled, 0);
    assert_int_equal(other->handled, 10);
}

/* ---- the first tick ---- */

static int one_tick(struct scene *s)
{
    return ((struct ledger *)s->prop)->handled >= 1;
}

static void first_at_once(struct scene *s)
{
    struct ledger *l = s->prop = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = scene_spawn(s, &b, 0), id;
    int64_t before = s->api->now(s->self);
    assert_int_equal(timer->every_from(s->self, pid, 0, 1000 * IRIS_SECOND, "x", 1, &id), IRIS_OK);
    scene_await(s, one_tick);
    if (s->seed)
        assert_int_equal(s->api->now(s->self), before);
    assert_int_equal(timer->cancel(s->self, id), IRIS_OK);
}

static void senseless(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = scene_spawn(s, &b, 0);
    assert_int_equal(timer->every(s->self, pid, 0, "x", 1, NULL), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "a period of 0 ns never ends"));
    assert_int_equal(timer->every(s->self, pid, -1, "x", 1, NULL), IRIS_FAIL);
    assert_int_equal(timer->every_from(s->self, pid, -1, 1, "x", 1, NULL), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "lies in the past"));
    assert_int_equal(timer->after(s->self, pid, -1, "x", 1, NULL), IRIS_FAIL);
    assert_int_equal(timer->cancel(s->self, 0), IRIS_DEAD);
    scene_settle(s);
    assert_int_equal(l->handled, 0);
}

/* ---- a capacity holds for timers too, and none is lost at it ---- */

static void a_full_mailbox(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = scene_spawn(s, &b, 2);
    for (int i = 0; i < 40; i++)
        assert_int_equal(timer->after(s->self, pid, IRIS_MILLISECOND, "x", 1, NULL), IRIS_OK);
    scene_settle(s);
    assert_int_equal(l->handled, 40);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static int ten_ticks(struct scene *s)
{
    return ((struct ledger *)s->prop)->handled >= 10;
}

static void ticks(struct scene *s)
{
    struct ledger *l = s->prop = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = scene_spawn(s, &b, 0), id;
    int64_t start = s->api->now(s->self);
    assert_int_equal(timer->every(s->self, pid, IRIS_MILLISECOND, "x", 1, &id), IRIS_OK);
    scene_await(s, ten_ticks);
    if (s->seed)
        assert_in_range(s->api->now(s->self) - start, 10 * IRIS_MILLISECOND, 11 * IRIS_MILLISECOND);
    assert_int_equal(timer->cancel(s->self, id), IRIS_OK);
    scene_settle(s);
}

static void far_deadlines(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = scene_spawn(s, &b, 0), id[3];
    assert_int_equal(timer->after(s->self, pid, INT64_MAX, "x", 1, &id[0]), IRIS_OK);
    assert_int_equal(timer->every(s->self, pid, INT64_MAX, "x", 1, &id[1]), IRIS_OK);
    assert_int_equal(timer->after(s->self, pid, INT64_MAX - 5, "x", 1, &id[2]), IRIS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(timer->cancel(s->self, id[i]), IRIS_OK);
    scene_settle(s);
    assert_int_equal(l->handled, 0);
}

/* ---- fairness: a pair that talks beside actors that flood themselves ---- */

struct street {
    uint64_t flood, rounds, left, most, sum, mark, other;
};

static int flood_handle(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    struct street *t = b->data;
    (void)state, (void)m;
    for (int i = 0; i < n && t->left; i++)
        iris_calls()->send(self, iris_calls()->pid(self), "x", 1, 0);
    t->flood += (uint64_t)n;
    return n;
}

static int light_handle(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    struct street *t = b->data;
    (void)state, (void)m;
    uint64_t waited = t->flood - t->mark;
    t->sum += waited;
    t->most = waited > t->most ? waited : t->most;
    t->mark = t->flood;
    t->rounds++;
    if (t->left && t->left--)
        iris_calls()->send(self, t->other, "x", 1, 0);
    return n;
}

static int echo_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    (void)b, (void)state;
    iris_calls()->send(self, m[0]->from, "x", 1, 0);
    return n;
}

static void beside_floods(struct scene *s, int floods)
{
    struct street *t = scene_memory(s, sizeof *t);
    iris_behaviour flood = {
        .size = sizeof flood, .abi = IRIS_ABI, .name = "street", .data = t, .handle = flood_handle};
    iris_behaviour light = flood, echo = flood;
    light.handle = light_handle;
    echo.handle = echo_handle;
    t->left = 100;
    t->other = scene_spawn(s, &echo, 0);
    for (int i = 0; i < floods; i++) {
        uint64_t pid = scene_spawn(s, &flood, 0);
        for (int k = 0; k < 300; k++)
            s->api->send(s->self, pid, "x", 1, 0);
    }
    uint64_t pid = scene_spawn(s, &light, 0);
    s->api->send(s->self, pid, "x", 1, 0);
    scene_settle(s);
    assert_int_equal(t->rounds, 101);
    /* A round trip is two turns, and each waits on average for one turn of every flood, which is a
     * hundred messages at most (fewer: what it sends is charged too). */
    assert_true(t->sum / t->rounds <= 2 * 100 * (uint64_t)floods + 200);
    assert_true(t->most <= 20 * 100 * (uint64_t)floods + 2000);
}

static void beside_one(struct scene *s)
{
    beside_floods(s, 1);
}

static void beside_twenty(struct scene *s)
{
    beside_floods(s, 20);
}

/* ---- who kept the time is held by what it fired: another one keeps it then ---- */

static void set(void *flag)
{
    atomic_store((atomic_int *)flag, 1);
}

struct held {
    const iris_api *api;
    atomic_int rung, seen;
};

static int wait_for_ring(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    struct held *h = b->data;
    int64_t end = h->api->now(self) + 20 * IRIS_SECOND;
    (void)state, (void)m;
    while (!atomic_load(&h->rung) && h->api->now(self) < end)
        sched_yield();
    atomic_store(&h->seen, atomic_load(&h->rung));
    return n;
}

static void held_keeper(struct scene *s)
{
    struct held *h = scene_memory(s, sizeof *h);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "held",
                        .version = "1",
                        .handle = wait_for_ring,
                        .data = h};
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    h->api = s->api;
    uint64_t pid = scene_spawn(s, &b, 0);
    scene_settle(s);
    struct world *w = &s->rt->world;
    int64_t later = iris__sched_after(&w->sched, 20 * IRIS_MILLISECOND);
    assert_int_equal(iris__timer_call(w, later, set, &h->rung, NULL), 0);
    assert_int_equal(timer->after(s->self, pid, IRIS_MILLISECOND, "x", 1, NULL), 0);
    scene_settle(s);
    assert_int_equal(atomic_load(&h->seen), 1);
}

/* clang-format off */
#define THREADS(play) static void test_##play(void **state) { (void)state; scene_play_threads(play); }
THREADS(held_keeper)
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
#define SEEDS(play) static void test_##play(void **state) { (void)state; scene_play_seeds(play); }
SEEDS(in_order_of_deadlines)
SEEDS(cancelled_ones_never_come)
PLAY(ticks)
PLAY(far_deadlines)
SEEDS(a_full_mailbox)
SEEDS(as_a_sorted_list)
PLAY(old_ids)
PLAY(ends_with_the_actor)
PLAY(first_at_once)
PLAY(senseless)
SEEDS(beside_one)
SEEDS(beside_twenty)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("timer.deadlines_come_in_order_and_equal_ones_as_they_were_set", test_in_order_of_deadlines),
    IRIS_TEST("timer.what_is_cancelled_never_comes", test_cancelled_ones_never_come),
    IRIS_TEST("timer.does_what_a_sorted_list_does", test_as_a_sorted_list),
    IRIS_TEST("timer.a_hundred_thousand_at_once_come_in_order", a_hundred_thousand),
    IRIS_TEST("timer.an_id_stands_for_one_timer_for_ever", test_old_ids),
    IRIS_TEST("p5.timers_end_with_their_actor", test_ends_with_the_actor),
    IRIS_TEST("timer.every_from_0_ticks_at_once", test_first_at_once),
    IRIS_TEST("timer.senseless_times_are_refused_with_a_sentence", test_senseless),
    IRIS_TEST("p7.timers_wait_at_the_door_of_a_full_mailbox", test_a_full_mailbox),
    IRIS_TEST("timer.ticks_come_each_period_until_cancelled", test_ticks),
    IRIS_TEST("timer.a_deadline_beyond_all_time_is_no_trap", test_far_deadlines),
    IRIS_TEST("timer.comes_also_while_who_kept_the_time_is_held", test_held_keeper),
    IRIS_TEST("fairness.a_pair_beside_a_flood_gets_its_turns", test_beside_one),
    IRIS_TEST("fairness.a_pair_beside_twenty_floods_gets_its_turns", test_beside_twenty),
};
/* clang-format on */
IRIS_MAIN(tests)
