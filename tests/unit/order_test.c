/* P1: messages from A to B are handled in the order in which A sent them. */
#include "main.h"

#include "cast.h"

#include <string.h>

static void from_four_actors(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    cast_senders(s, l, pid, 4, 300);
    scene_settle(s);
    assert_int_equal(l->handled, 1200);
    cast_balance(s, l);
}

static void across_budget_yields(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    l->yield_every = 2;
    iris_behaviour b = cast_counter(l);
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.budget = 3});
    cast_senders(s, l, pid, 3, 200);
    scene_settle(s);
    assert_int_equal(l->handled, 600);
    cast_balance(s, l);
}

/* Takes none before there are five. */
struct miser {
    atomic_int looks, taken;
};

static int take_five(const iris_behaviour *b, iris_actor *self, void *state,
                     const iris_message *const *m, int n)
{
    struct miser *miser = b->data;
    (void)self, (void)state, (void)m;
    atomic_fetch_add(&miser->looks, 1);
    if (n < 5)
        return 0;
    atomic_fetch_add(&miser->taken, n);
    return n;
}

static int has_looked_twice(struct scene *s)
{
    return atomic_load(&((struct miser *)s->prop)->looks) >= 2;
}

static int has_taken_five(struct scene *s)
{
    return atomic_load(&((struct miser *)s->prop)->taken) == 5;
}

static void of_what_comes_since_a_yield(struct scene *s)
{
    struct miser *m = s->prop = scene_memory(s, sizeof *m);
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "miser", .data = m, .handle = take_five};
    uint64_t pid = scene_spawn(s, &b, 0);
    scene_send(s, pid, 1);
    scene_await(s, has_looked_twice);
    for (uint64_t i = 2; i <= 5; i++)
        scene_send(s, pid, i);
    scene_await(s, has_taken_five);
    scene_settle(s);
}

static void across_swaps(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b[2] = {cast_counter2(l), cast_counter2(l)};
    iris_behaviour first = cast_counter(l);
    struct verdict *told = scene_memory(s, 20 * sizeof *told);
    uint64_t pid = scene_spawn(s, &first, 0);
    cast_senders(s, l, pid, 4, 300);
    for (int i = 0; i < 20; i++) {
        cast_run(s, 20);
        assert_int_equal(cast_swap(s, pid, &b[i % 2], i % 3 == 2, &told[i]), IRIS_OK);
    }
    scene_settle(s);
    for (int i = 0; i < 20; i++)
        assert_int_equal(told[i].told, 1);
    assert_int_equal(scene_ask(s, pid, "count"), 1200);
    l->accepted++; /* the ask */
    cast_balance(s, l);
}

static void into_a_small_mailbox(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 5);
    cast_senders(s, l, pid, 4, 100);
    scene_settle(s);
    assert_int_equal(l->handled, 400);
    cast_balance(s, l);
}

static void from_outside_threads(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    cast_flood(s, l, pid, 4, 5000);
    scene_settle(s);
    assert_int_equal(l->handled, 20000);
    cast_balance(s, l);
}

static void from_outside_threads_into_a_small_mailbox(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 16);
    cast_flood(s, l, pid, 3, 2000);
    scene_settle(s);
    assert_int_equal(l->handled, 6000);
    cast_balance(s, l);
}

/* Each relay sends on what it gets: order holds over any number of hops. */
static int relay(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    (void)state;
    for (int i = 0; i < n; i++)
        if (iris_calls()->send(self, *(const uint64_t *)b->data, m[i]->data, m[i]->len, 0))
            return ~i;
    return n;
}

static void over_a_chain_of_relays(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t *next = scene_memory(s, 9 * sizeof *next);
    next[0] = scene_spawn(s, &b, 0);
    for (int i = 0; i < 8; i++) {
        iris_behaviour hop = {.size = sizeof hop,
                              .abi = IRIS_ABI,
                              .name = "relay",
                              .data = &next[i],
                              .handle = relay};
        next[i + 1] = scene_spawn(s, &hop, 0);
    }
    for (uint64_t i = 1; i <= 100; i++)
        scene_send(s, next[8], cast_number(0, i));
    scene_settle(s);
    assert_int_equal(l->handled, 100);
    assert_int_equal(l->disorder, 0);
}

static void p1_four_actors(void **state)
{
    (void)state;
    scene_play(from_four_actors);
}

static void p1_yields(void **state)
{
    (void)state;
    scene_play(across_budget_yields);
}

static void p1_yield_and_since(void **state)
{
    (void)state;
    scene_play(of_what_comes_since_a_yield);
}

static void p1_swaps(void **state)
{
    (void)state;
    scene_play(across_swaps);
}

static void p1_small_mailbox(void **state)
{
    (void)state;
    scene_play(into_a_small_mailbox);
}

static void p1_threads(void **state)
{
    (void)state;
    scene_play_threads(from_outside_threads);
}

static void p1_threads_small(void **state)
{
    (void)state;
    scene_play_threads(from_outside_threads_into_a_small_mailbox);
}

static void p1_relays(void **state)
{
    (void)state;
    scene_play(over_a_chain_of_relays);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p1.four_senders_each_keep_their_order", p1_four_actors),
    IRIS_TEST("p1.order_holds_across_budget_and_yields", p1_yields),
    IRIS_TEST("p1.who_takes_none_is_shown_what_has_come_since", p1_yield_and_since),
    IRIS_TEST("p1.order_holds_across_swaps", p1_swaps),
    IRIS_TEST("p1.order_holds_when_full_is_tried_again", p1_small_mailbox),
    IRIS_TEST("p1.outside_threads_each_keep_their_order", p1_threads),
    IRIS_TEST("p1.outside_threads_keep_order_when_full_is_tried_again", p1_threads_small),
    IRIS_TEST("p1.order_holds_over_a_chain_of_relays", p1_relays),
};
/* clang-format on */
IRIS_MAIN(tests)
