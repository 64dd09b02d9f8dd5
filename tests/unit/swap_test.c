/* P3: a swap keeps the actor's state, mail, pid and path; it happens in order or now; one that fails
 * changes nothing and says why, once. */
#include "main.h"

#include "cast.h"
#include "holder.h"

#include "runtime.h"

#include <stdlib.h>
#include <string.h>

/* ---- when ---- */

static void in_order(struct scene *s)
{
    struct ledger *old = cast_ledger(s), *new = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_counter(old), v2 = cast_counter2(new);
    uint64_t pid = scene_spawn(s, &v1, 0), n = s->seed ? 500 : 5000;
    for (uint64_t i = 1; i <= n; i++)
        scene_send(s, pid, cast_number(0, i));
    new->last[0] = n;
    assert_int_equal(cast_swap(s, pid, &v2, 0, told), IRIS_OK);
    for (uint64_t i = n + 1; i <= 2 * n; i++)
        scene_send(s, pid, cast_number(0, i));
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 2 * n);
    scene_settle(s);
    assert_int_equal(old->handled, n);
    assert_int_equal(new->handled, n + 1);
    assert_int_equal(old->disorder + new->disorder, 0);
    assert_int_equal(old->finis, 1);
    assert_int_equal(cast_info(s, pid).rev, 2);
}

/* A handler that waits until the play lets it go on, so that the swap comes in the middle of it. */
struct held {
    atomic_int inside, go_on, old, new;
};

static int held_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    struct held *h = b->data;
    (void)state, (void)m;
    for (int i = 0; i < n; i++) {
        if (iris_calls()->due(self) == IRIS_AGAIN)
            return i;
        atomic_store(&h->inside, 1);
        while (!atomic_load(&h->go_on))
            ;
        atomic_fetch_add(&h->old, 1);
    }
    return n;
}

static int new_handle(const iris_behaviour *b, iris_actor *self, void *state,
                      const iris_message *const *m, int n)
{
    struct held *h = b->data;
    (void)self, (void)state, (void)m;
    atomic_fetch_add(&h->new, n);
    return n;
}

static int is_inside(struct scene *s)
{
    return atomic_load(&((struct held *)s->prop)->inside);
}

static void now_in_the_middle(struct scene *s)
{
    struct held *h = s->prop = scene_memory(s, sizeof *h);
    iris_behaviour v1 = {
        .size = sizeof v1, .abi = IRIS_ABI, .name = "held", .data = h, .handle = held_handle};
    iris_behaviour v2 = v1;
    v2.handle = new_handle;
    uint64_t pid = scene_spawn(s, &v1, 0);
    for (uint64_t i = 0; i < 50; i++)
        scene_send(s, pid, i);
    scene_await(s, is_inside);
    assert_int_equal(cast_swap(s, pid, &v2, 1, NULL), IRIS_OK);
    atomic_store(&h->go_on, 1);
    scene_settle(s);
    assert_int_equal(h->old, 1); /* the one that was being handled */
    assert_int_equal(h->new, 49);
}

static void now_at_a_backlog(struct scene *s)
{
    struct ledger *old = cast_ledger(s), *new = cast_ledger(s);
    iris_behaviour v1 = cast_counter(old), v2 = cast_counter2(new);
    uint64_t pid = scene_spawn(s, &v1, 0);
    new->gaps = 1;
    for (uint64_t i = 1; i <= 400; i++)
        scene_send(s, pid, cast_number(0, i));
    cast_run(s, 3);
    uint64_t before = old->handled;
    assert_int_equal(cast_swap(s, pid, &v2, 1, NULL), IRIS_OK);
    assert_int_equal(scene_ask(s, pid, "count"), 400);
    if (s->seed) /* nothing ran in between: the very next one was the new code's */
        assert_int_equal(old->handled, before);
    assert_int_equal(old->handled + new->handled, 401);
    assert_int_equal(old->disorder + new->disorder, 0);
}

/* ---- what stays ---- */

static void everything_else_stays(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *w = cast_ledger(s);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter2(l), watcher = cast_watcher(w);
    struct verdict *told = scene_memory(s, sizeof *told);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid = cast_spawn(s, &v1, (iris_spawn){.path = "/stays", .capacity = 9});
    uint64_t eye = scene_spawn(s, &watcher, 0), number = cast_number(0, 2), id;
    assert_int_equal(name->set(s->self, "here", pid), IRIS_OK);
    scene_send(s, eye, pid);
    scene_send(s, pid, cast_number(0, 1));
    scene_settle(s);
    assert_int_equal(timer->after(s->self, pid, IRIS_MILLISECOND, &number, 8, &id), IRIS_OK);
    assert_int_equal(cast_swap(s, pid, &v2, 0, told), IRIS_OK);
    cast_expect(s, told, IRIS_OK, NULL);
    scene_settle(s);
    assert_int_equal(scene_ask(s, pid, "count"), 2);
    assert_int_equal(iris_find(s->rt, "/stays"), pid);
    assert_int_equal(iris_find(s->rt, "here"), pid);
    assert_int_equal(cast_info(s, pid).capacity, 9);
    assert_int_equal(w->downs, 0);
}

static void stateless(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour v1 = cast_plain(l), v2 = cast_plain(l), counter = cast_counter(l);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid = scene_spawn(s, &v1, 0);
    cast_swap(s, pid, &v2, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    cast_swap(s, pid, &counter, 0, told); /* from nothing: it begins with init() */
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 0);
    assert_int_equal(l->inits, 1);
}

/* ---- refusals: nothing changes ---- */

struct refusal {
    void (*spoil)(iris_behaviour *v1, iris_behaviour *v2, struct ledger *);
    const char *words;
};

static void upgrade_refuses(iris_behaviour *v1, iris_behaviour *v2, struct ledger *l)
{
    (void)v1, (void)v2;
    l->upgrade_fails = "cannot read that";
}

static void save_refuses(iris_behaviour *v1, iris_behaviour *v2, struct ledger *l)
{
    (void)v1, (void)v2;
    l->save_fails = "disk of clay";
}

static void no_upgrade(iris_behaviour *v1, iris_behaviour *v2, struct ledger *l)
{
    (void)v1, (void)l;
    v2->upgrade = NULL;
}

static void no_save(iris_behaviour *v1, iris_behaviour *v2, struct ledger *l)
{
    (void)v2, (void)l;
    v1->save = NULL;
}

static void another_kind(iris_behaviour *v1, iris_behaviour *v2, struct ledger *l)
{
    (void)v1, (void)l;
    v2->flags = IRIS_OWN_THREAD;
}

static void is_refused(struct scene *s, const struct refusal *r, int now)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter2(l);
    r->spoil(&v1, &v2, l);
    uint64_t pid = scene_spawn(s, &v1, 0);
    for (uint64_t i = 1; i <= 10; i++)
        scene_send(s, pid, cast_number(0, i));
    assert_int_equal(cast_swap(s, pid, &v2, now, told), IRIS_OK);
    for (uint64_t i = 11; i <= 20; i++)
        scene_send(s, pid, cast_number(0, i));
    cast_expect(s, told, IRIS_FAIL, r->words);
    assert_int_equal(scene_ask(s, pid, "count"), 20);
    assert_int_equal(cast_info(s, pid).rev, 1);
    assert_int_equal(cast_info(s, pid).state_version, 1);
    assert_int_equal(l->finis, 0);
    scene_settle(s);
    assert_int_equal(l->frees, 1); /* the new one is let go */
}

static void refusals(struct scene *s)
{
    static const struct refusal all[] = {
        {upgrade_refuses, "cannot read that"}, {save_refuses, "disk of clay"},
        {no_upgrade, "has no upgrade()"},      {no_save, "has no save()"},
        {another_kind, "IRIS_OWN_THREAD"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        is_refused(s, &all[i], (int)i % 2);
}

static void stateless_restart(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter(l);
    v1.save = NULL;
    v2.upgrade = NULL;
    iris_version *v = scene_define(s, &v1);
    struct app_spawn how = {
        .spawn = {.size = sizeof how.spawn, .abi = IRIS_ABI, .version = v, .path = "/r"},
        .stateless_restart = 1};
    uint64_t pid;
    assert_int_equal(iris__runtime_spawn(s->rt, &how, &pid), IRIS_OK);
    s->api->release(v);
    scene_send(s, pid, cast_number(0, 1));
    cast_swap(s, pid, &v2, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 0);
    assert_int_equal(l->finis, 1);
}

/* ---- told once, whatever happens ---- */

static void swaps_of_the_dead(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter2(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = scene_spawn(s, &v1, 0);
    watch->kill(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(cast_swap(s, pid, &v2, 0, told), IRIS_DEAD);
    assert_int_equal(cast_swap(s, pid, &v2, 1, told), IRIS_DEAD);
    assert_int_equal(told->told, 0);
    scene_settle(s); /* whoever is dead is taken apart a moment later */
    assert_int_equal(scene_count(s).versions, 0);
}

static void an_end_with_swaps_queued(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, 8 * sizeof *told);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter2(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = scene_spawn(s, &v1, 0);
    int asked[8];
    for (int i = 0; i < 8; i++) {
        for (uint64_t k = 1; k <= 5; k++)
            s->api->send(s->self, pid, &(uint64_t){cast_number(0, 5 * (uint64_t)i + k)}, 8, 0);
        asked[i] = cast_swap(s, pid, &v2, i == 7, &told[i]);
        cast_run(s, 2);
        if (i == 5)
            watch->kill(s->self, pid);
    }
    scene_settle(s);
    for (int i = 0; i < 8; i++)
        assert_int_equal(told[i].told, asked[i] == IRIS_OK);
    assert_int_equal(scene_count(s).versions, 0);
}

/* What waits behind the message that it holds: markers are none, wherever they stand. */
static void markers_among(struct scene *s, iris_spawn how)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    struct holder *h = holder_spawn(s, how);
    iris_behaviour again = holder_behaviour(h);
    scene_send(s, h->pid, 1);
    holder_await(s, h, 1);
    for (uint64_t i = 2; i <= 4; i++) {
        cast_swap(s, h->pid, &again, 0, NULL);
        scene_send(s, h->pid, i);
    }
    holder_await_mailbox(s, h, 3);
    assert_int_equal(control->cancel(s->self, h->pid), 3); /* their markers stay for a while */
    assert_int_equal(cast_info(s, h->pid).mailbox, 3);
    for (int i = 0; i < 3; i++)
        watch->stop(s->self, h->pid);
    assert_int_equal(cast_info(s, h->pid).mailbox, 3);
    holder_let_go(s, h, IRIS_OK);
    holder_await(s, h, 2);
    holder_await_mailbox(s, h, 2);
    holder_drain(s, h, 4);
    cast_await_end(s, h->pid);
}

static void markers(struct scene *s)
{
    markers_among(s, (iris_spawn){0});
    markers_among(s, (iris_spawn){.capacity = 4});
    markers_among(s, (iris_spawn){.capacity = 4, .policy = IRIS_DROP_OLD});
}

/* A new actor at the old one's place begins with none. */
static void markers_of_the_dead(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    for (int i = 0; i < 200; i++) {
        struct holder *h = holder_spawn(s, (iris_spawn){0});
        iris_behaviour again = holder_behaviour(h);
        scene_send(s, h->pid, 1);
        holder_await(s, h, 1);
        scene_send(s, h->pid, 2);
        holder_await_mailbox(s, h, 1);
        cast_swap(s, h->pid, &again, 0, NULL);
        watch->kill(s->self, h->pid);
        s->api->done(h->in_hand, IRIS_OK);
        cast_await_end(s, h->pid);
    }
}

static void cancelled(struct scene *s)
{
    struct held *h = s->prop = scene_memory(s, sizeof *h);
    struct verdict *told = scene_memory(s, 3 * sizeof *told);
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    iris_behaviour v1 = {
        .size = sizeof v1, .abi = IRIS_ABI, .name = "held", .data = h, .handle = held_handle};
    iris_behaviour v2 = v1;
    v2.handle = new_handle;
    uint64_t pid = scene_spawn(s, &v1, 0);
    scene_send(s, pid, 1);
    scene_await(s, is_inside);
    cast_swap(s, pid, &v2, 0, &told[0]);
    cast_swap(s, pid, &v2, 0, &told[1]);
    assert_int_equal(control->cancel(s->self, pid), 2);
    cast_expect(s, &told[0], IRIS_FAIL, "cancelled");
    cast_expect(s, &told[1], IRIS_FAIL, "cancelled");
    cast_swap(s, pid, &v2, 0, &told[0]);
    cast_swap(s, pid, &v2, 1, &told[2]); /* now: the one that waits is taken back */
    cast_expect(s, &told[0], IRIS_FAIL, "cancelled");
    atomic_store(&h->go_on, 1);
    cast_expect(s, &told[2], IRIS_OK, NULL);
    scene_settle(s);
    assert_int_equal(cast_info(s, pid).rev, 2);
    assert_int_equal(control->cancel(s->self, pid), 0);
}

/* Cancels race with swaps of an actor that lives and dies: each is told once. */
static void cancels_that_race(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, 300 * sizeof *told);
    iris_behaviour v1 = cast_plain(l), v2 = cast_plain(l);
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    int asked[300];
    for (int i = 0; i < 300;) {
        uint64_t pid = scene_spawn(s, &v1, 0);
        for (int end = i + 6; i < end; i++) {
            asked[i] = cast_swap(s, pid, &v2, i % 3 == 1, &told[i]);
            if (i % 6 == 3)
                control->cancel(s->self, pid);
            if (i % 6 == 4)
                watch->kill(s->self, pid);
        }
    }
    scene_settle(s);
    for (int i = 0; i < 300; i++)
        assert_int_equal(told[i].told, asked[i] == IRIS_OK);
    assert_int_equal(scene_count(s).versions, 0);
}

static void p3_in_order(void **state)
{
    (void)state;
    scene_play(in_order);
}

static void p3_now(void **state)
{
    (void)state;
    scene_play(now_at_a_backlog);
}

static void p3_now_middle(void **state)
{
    (void)state;
    scene_play_threads(now_in_the_middle);
}

static void p3_stays(void **state)
{
    (void)state;
    scene_play(everything_else_stays);
}

static void p3_stateless(void **state)
{
    (void)state;
    scene_play(stateless);
}

static void p3_refusals(void **state)
{
    (void)state;
    scene_play(refusals);
}

static void p3_stateless_restart(void **state)
{
    (void)state;
    scene_play(stateless_restart);
}

static void p3_dead(void **state)
{
    (void)state;
    scene_play(swaps_of_the_dead);
}

static void p3_queued(void **state)
{
    (void)state;
    scene_play(an_end_with_swaps_queued);
}

static void p3_markers(void **state)
{
    (void)state;
    scene_play(markers);
}

static void p3_markers_dead(void **state)
{
    (void)state;
    scene_play(markers_of_the_dead);
}

static void p3_cancel(void **state)
{
    (void)state;
    scene_play_threads(cancelled);
}

static void p3_races(void **state)
{
    (void)state;
    scene_play(cancels_that_race);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p3.in_order_old_code_handles_what_came_before_and_new_code_the_rest", p3_in_order),
    IRIS_TEST("p3.now_means_the_very_next_message", p3_now),
    IRIS_TEST("p3.now_lets_the_message_being_handled_finish", p3_now_middle),
    IRIS_TEST("p3.swap_keeps_state_pid_path_name_timer_and_monitors", p3_stays),
    IRIS_TEST("p3.swap_without_state_begins_with_init", p3_stateless),
    IRIS_TEST("p3.a_swap_that_is_refused_changes_nothing_and_says_why", p3_refusals),
    IRIS_TEST("p3.stateless_restart_lets_go_of_the_state", p3_stateless_restart),
    IRIS_TEST("p3.a_swap_of_a_dead_actor_says_so_and_tells_nobody", p3_dead),
    IRIS_TEST("p3.an_actor_that_ends_with_swaps_queued_tells_each_once", p3_queued),
    IRIS_TEST("p3.swaps_and_stops_that_wait_are_no_messages", p3_markers),
    IRIS_TEST("p3.what_waited_for_the_dead_is_not_its_successors", p3_markers_dead),
    IRIS_TEST("p3.cancel_and_now_take_back_what_waits", p3_cancel),
    IRIS_TEST("p3.cancel_and_death_race_and_each_swap_is_told_once", p3_races),
};
/* clang-format on */
IRIS_MAIN(tests)
