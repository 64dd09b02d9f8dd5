/* P3 for pull actors: they are told of a swap by HOT_SWAP, and obey by returning. Both kinds, as ever. */
#include "main.h"

#include "puller.h"

#include <stdlib.h>
#include <string.h>

/* Takes numbers until it is told to go. */
static int until_hot(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    int result;
    while ((result = p->reader->recv(self, NULL, NULL, -1, &m)) == IRIS_OK) {
        if (m->kind == IRIS_HOT_SWAP) {
            atomic_fetch_add(&p->hot, 1);
            return 0;
        }
        puller_note(p, m);
        state->count++;
    }
    p->result = result;
    return 0;
}

static int has_five(struct scene *s)
{
    return atomic_load(&((struct puller *)s->prop)->n) == 5;
}

static void swap_in_order(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    struct puller *old = puller_start(s, until_hot, &pid), *new = puller_make(s, until_hot);
    iris_behaviour b = puller_behaviour(new, "2");
    for (uint64_t i = 1; i <= 20; i++)
        scene_send(s, pid, i);
    cast_swap(s, pid, &b, 0, told);
    for (uint64_t i = 21; i <= 30; i++)
        scene_send(s, pid, i);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    puller_expect(old, 1, 20);
    puller_expect(new, 21, 30);
    assert_int_equal(old->hot, 1);
    assert_int_equal(new->result, IRIS_CLOSED);
    assert_int_equal(scene_count(s).handled, 30);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* Six numbers were taken by the first version; the second goes on counting. */
static int report(struct puller *p, iris_actor *self, struct numbers *state)
{
    (void)self;
    p->got[0] = state->count;
    return 0;
}

static void swap_keeps_state(struct scene *s)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    puller_start(s, until_hot, &pid);
    struct puller *new = puller_make(s, report);
    iris_behaviour b = puller_behaviour(new, "2");
    for (uint64_t i = 1; i <= 5; i++)
        scene_send(s, pid, i);
    scene_await(s, has_five);
    scene_send(s, pid, 6);
    cast_swap(s, pid, &b, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    cast_await_end(s, pid);
    assert_int_equal(new->got[0], 6);
}

static void swap_now(struct scene *s)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid;
    struct puller *old = puller_start(s, until_hot, &pid), *new = puller_make(s, until_hot);
    iris_behaviour b = puller_behaviour(new, "2");
    scene_await(s, puller_has_begun);
    cast_swap(s, pid, &b, 1, told);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(old->hot, 1);
    scene_send(s, pid, 1);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    puller_expect(new, 1, 1);
}

/* Does not care; ends by itself, later, on message 7. */
static int ignore_hot(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    uint64_t number;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK) {
        if (m->kind == IRIS_HOT_SWAP) {
            atomic_fetch_add(&p->hot, 1);
            p->got[0] = (uint64_t)p->api->now(self);
            continue;
        }
        memcpy(&number, m->data, sizeof number);
        if (number == 7)
            return 0;
    }
    return 0;
}

static void swap_too_slow(struct scene *s)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    struct puller *old = puller_start(s, ignore_hot, &pid), *new = puller_make(s, until_hot);
    iris_behaviour b = puller_behaviour(new, "2");
    cast_swap(s, pid, &b, 0, told);
    cast_expect(s, told, IRIS_FAIL, "has not returned from handle() within 5.0 s");
    assert_int_equal(s->api->now(s->self) - (int64_t)old->got[0], 5 * IRIS_SECOND);
    assert_int_equal(old->hot, 1);
    scene_send(s, pid, 1);
    assert_true(cast_is_alive(s, pid));
    scene_send(s, pid, 7); /* it went on: this is its own end */
    cast_await_end(s, pid);
    assert_int_equal(old->begun, 1);
    assert_int_equal(new->begun, 0);
}

/* Returns when it is ready, which is too late. */
static int return_late(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    if (p->reader->recv(self, NULL, NULL, -1, &m) || m->kind != IRIS_HOT_SWAP)
        return 0;
    atomic_fetch_add(&p->hot, 1);
    p->reader->sleep(self, 6 * IRIS_SECOND);
    return 0;
}

static void swap_late(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, 2 * sizeof *told);
    uint64_t pid;
    struct puller *old = puller_start(s, return_late, &pid), *new = puller_make(s, until_hot);
    iris_behaviour b = puller_behaviour(new, "2");
    cast_swap(s, pid, &b, 0, &told[0]);
    cast_expect(s, &told[0], IRIS_FAIL, "within 5.0 s");
    scene_settle(s);
    assert_true(cast_is_alive(s, pid)); /* the old one, from its beginning */
    assert_int_equal(old->begun, 2);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(new->begun, 0);
}

static int is_number(void *ctx, const iris_message *m)
{
    (void)ctx;
    return m->kind == IRIS_USER;
}

/* Finishes what it waits for first: what it does not match is not lost. */
static int numbers_first(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    for (int i = 0; i < 8 && p->reader->recv(self, is_number, NULL, -1, &m) == IRIS_OK; i++)
        puller_note(p, m);
    return until_hot(p, self, state);
}

static void swap_after_all(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, 2 * sizeof *told);
    uint64_t pid;
    struct puller *old = puller_start(s, numbers_first, &pid), *new = puller_make(s, until_hot);
    iris_behaviour b = puller_behaviour(new, "2");
    for (uint64_t i = 1; i <= 10; i++) {
        scene_send(s, pid, i);
        if (i == 3)
            cast_swap(s, pid, &b, 0, &told[0]);
    }
    cast_expect(s, &told[0], IRIS_OK, NULL);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    puller_expect(old, 1, 8);
    puller_expect(new, 9, 10);
}

/* Two wait: each version takes what came before the next. */
static void swap_twice(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, 2 * sizeof *told);
    uint64_t pid;
    struct puller *first = puller_start(s, until_hot, &pid), *second = puller_make(s, until_hot),
                  *third = puller_make(s, until_hot);
    iris_behaviour b = puller_behaviour(second, "2"), c = puller_behaviour(third, "3");
    scene_send(s, pid, 1);
    cast_swap(s, pid, &b, 0, &told[0]);
    scene_send(s, pid, 2);
    cast_swap(s, pid, &c, 0, &told[1]);
    scene_send(s, pid, 3);
    cast_expect(s, &told[0], IRIS_OK, NULL);
    cast_expect(s, &told[1], IRIS_OK, NULL);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    puller_expect(first, 1, 1);
    puller_expect(second, 2, 2);
    puller_expect(third, 3, 3);
}

/* Told to go, it takes its time; what ends it, or takes the swap back, comes first. */
static int hot_then_wait(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK)
        if (m->kind == IRIS_HOT_SWAP) {
            atomic_fetch_add(&p->hot, 1);
            while (!p->go && p->reader->sleep(self, IRIS_MILLISECOND) == IRIS_OK)
                ;
            return p->go == 2 ? (p->api->fail)("not now") : 0;
        }
    return 0;
}

static void swap_or_kill(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    puller_start(s, hot_then_wait, &pid);
    struct puller *new = puller_make(s, until_hot);
    iris_behaviour b = puller_behaviour(new, "2");
    cast_swap(s, pid, &b, 0, told);
    scene_await(s, puller_is_asked_to_go);
    watch->kill(s->self, pid);
    cast_expect(s, told, IRIS_DEAD, "ended");
    cast_await_end(s, pid);
    assert_int_equal(new->begun, 0);
}

static void swap_or_cancel(struct scene *s)
{
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    struct puller *old = puller_start(s, hot_then_wait, &pid), *new = puller_make(s, until_hot);
    iris_behaviour b = puller_behaviour(new, "2");
    cast_swap(s, pid, &b, 0, told);
    scene_await(s, puller_is_asked_to_go);
    assert_int_equal(control->cancel(s->self, pid), 1);
    cast_expect(s, told, IRIS_FAIL, "cancelled");
    old->go = 1;
    s->prop = old;
    scene_await(s, puller_has_ended);
    cast_run(s, 50);
    scene_settle(s);
    assert_int_equal(old->begun, 2); /* the same version, from its beginning */
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(new->begun, 0);
}

/* A crash on the way is no way out: the supervisor begins it again, and then it is swapped. */
static void swap_or_crash(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, sizeof *told);
    struct puller *old = s->prop = puller_make(s, hot_then_wait), *new = puller_make(s, until_hot);
    iris_behaviour a = puller_behaviour(old, "1"), b = puller_behaviour(new, "2");
    uint64_t pid = cast_supervise(s, &a, "/p", RESTART_ON_FAILURE);
    old->go = 2;
    cast_swap(s, pid, &b, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    s->prop = new;
    scene_await(s, puller_has_begun);
    assert_int_equal(old->begun, 1);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(scene_count(s).crashed, 0); /* HOT_SWAP is no letter */
}

static void swap_of_another_kind(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, 2 * sizeof *told);
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    uint64_t pid;
    struct puller *p = puller_start(s, until_hot, &pid);
    cast_swap(s, pid, &plain, 0, &told[0]);
    cast_expect(s, &told[0], IRIS_FAIL, "two kinds");
    cast_swap(s, pid, &plain, 1, &told[1]);
    cast_expect(s, &told[1], IRIS_FAIL, "two kinds");
    scene_send(s, pid, 1);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(p->n, 1);
    assert_int_equal(p->begun, 1); /* it was not even told */
}

/* clang-format off */
PULLERS(swap_in_order)
PULLERS(swap_keeps_state)
PULLERS(swap_now)
PULLER(swap_too_slow, stack, _seeds)
PULLER(swap_late, stack, _seeds)
PULLERS(swap_after_all)
PULLERS(swap_twice)
PULLERS(swap_or_kill)
PULLERS(swap_or_cancel)
PULLERS(swap_or_crash)
PULLERS(swap_of_another_kind)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p3.pull.what_came_before_the_swap_is_the_old_ones", swap_in_order_on_stack),
    IRIS_TEST("p3.pull.swap_keeps_state", swap_keeps_state_on_stack),
    IRIS_TEST("p3.pull.swap_now_comes_before_the_mail", swap_now_on_stack),
    IRIS_TEST("p3.pull.a_swap_is_refused_after_5_s", swap_too_slow_on_stack),
    IRIS_TEST("p3.pull.who_returns_too_late_begins_again", swap_late_on_stack),
    IRIS_TEST("p3.pull.a_swap_that_is_not_matched_waits", swap_after_all_on_stack),
    IRIS_TEST("p3.pull.two_swaps_come_in_order", swap_twice_on_stack),
    IRIS_TEST("p3.pull.a_kill_comes_before_the_swap", swap_or_kill_on_stack),
    IRIS_TEST("p3.pull.a_swap_is_cancelled_after_it_was_told", swap_or_cancel_on_stack),
    IRIS_TEST("p3.pull.a_crash_on_the_way_is_swapped_by_the_restart", swap_or_crash_on_stack),
    IRIS_TEST("p3.pull.another_kind_is_refused", swap_of_another_kind_on_stack),
    IRIS_TEST("p3.thread.what_came_before_the_swap_is_the_old_ones", swap_in_order_on_thread),
    IRIS_TEST("p3.thread.swap_keeps_state", swap_keeps_state_on_thread),
    IRIS_TEST("p3.thread.swap_now_comes_before_the_mail", swap_now_on_thread),
    IRIS_TEST("p3.thread.a_swap_that_is_not_matched_waits", swap_after_all_on_thread),
    IRIS_TEST("p3.thread.two_swaps_come_in_order", swap_twice_on_thread),
    IRIS_TEST("p3.thread.a_kill_comes_before_the_swap", swap_or_kill_on_thread),
    IRIS_TEST("p3.thread.a_swap_is_cancelled_after_it_was_told", swap_or_cancel_on_thread),
    IRIS_TEST("p3.thread.a_crash_on_the_way_is_swapped_by_the_restart", swap_or_crash_on_thread),
    IRIS_TEST("p3.thread.another_kind_is_refused", swap_of_another_kind_on_thread),
};
/* clang-format on */
IRIS_MAIN(tests)
