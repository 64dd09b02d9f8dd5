/* Mailboxes with a limit of bytes: what may wait, and what each policy does beyond it. */
#include "main.h"

#include "holder.h"

#include "runtime.h"

static const iris_mailbox *mailbox(void)
{
    return iris_calls()->extension(IRIS_MAILBOX);
}

/* A holder with its first message in hand: that has begun, and counts no more. */
static struct holder *begun(struct scene *s, iris_spawn how)
{
    struct holder *h = holder_spawn(s, how);
    assert_int_equal(send_large(s, h->pid, 1, 60), IRIS_OK);
    holder_await(s, h, 1);
    return h;
}

struct sight {
    uint64_t pid, held;
    uint32_t mailbox, waiting;
};

static int is_seen(struct scene *s)
{
    const struct sight *e = s->prop;
    iris_mailbox_look l = look_at(s, e->pid);
    return l.held == e->held && l.mailbox == e->mailbox && l.waiting == e->waiting;
}

static void expect(struct scene *s, uint64_t pid, uint64_t held, uint32_t in, uint32_t waiting)
{
    iris_mailbox_look l = look_at(s, pid);
    assert_int_equal(l.held, held);
    assert_int_equal(l.mailbox, in);
    assert_int_equal(l.waiting, waiting);
}

/* Soon: what changes it is a turn of the receiver, which has a message in hand. */
static void await_sight(struct scene *s, uint64_t pid, uint64_t held, uint32_t in, uint32_t waiting)
{
    s->prop = &(struct sight){pid, held, in, waiting};
    scene_await(s, is_seen);
}

static void hold_their_limit(struct scene *s)
{
    struct holder *h = begun(s, (iris_spawn){.bytes = 100});
    expect(s, h->pid, 0, 0, 0);
    assert_int_equal(send_large(s, h->pid, 2, 60), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 3, 41), IRIS_FULL);
    assert_int_equal(send_large(s, h->pid, 4, 40), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 5, 8), IRIS_FULL);
    assert_int_equal(send_large(s, h->pid, 6, 0), IRIS_OK); /* that is nothing */
    expect(s, h->pid, 100, 3, 0);
    iris_info i = cast_info(s, h->pid);
    assert_int_equal(i.bytes, 100);
    assert_int_equal(i.held, 100);
    assert_int_equal(i.capacity, 0);
    assert_int_equal(i.refused, 2);
    holder_let_go(s, h, IRIS_OK);
    holder_await(s, h, 2);
    expect(s, h->pid, 40, 2, 0);
    assert_int_equal(send_large(s, h->pid, 7, 60), IRIS_OK);
    holder_drain(s, h, 5);
    LOG(h, 1, 2, 4, 0, 7);
    scene_settle(s);
    expect(s, h->pid, 0, 0, 0);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static void beside_a_capacity(struct scene *s)
{
    struct holder *h = begun(s, (iris_spawn){.bytes = 100, .capacity = 3});
    assert_int_equal(send_large(s, h->pid, 2, 8), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 3, 93), IRIS_FULL);
    assert_int_equal(send_large(s, h->pid, 3, 8), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 4, 8), IRIS_FULL); /* two wait, one is in hand */
    expect(s, h->pid, 16, 2, 0);
    holder_drain(s, h, 3);
    LOG(h, 1, 2, 3);
}

/* Whatever the policy: there is nothing to wait for. */
static void what_never_fits_is_large(struct scene *s)
{
    struct holder *spare = holder_spawn(s, (iris_spawn){0});
    struct asker *k = asker_spawn(s);
    unsigned orders = 0;
    for (uint32_t policy = IRIS_DROP_NEW; policy <= IRIS_SPILL; policy++) {
        uint64_t fallback = policy >= IRIS_REDIRECT ? spare->pid : 0;
        iris_spawn how = {.bytes = 64, .policy = policy, .fallback = fallback};
        struct holder *h = holder_spawn(s, how);
        assert_int_equal(send_large(s, h->pid, 1, 65), IRIS_LARGE);
        asker_order_large(s, k, h->pid, 1, 65);
        assert_int_equal(asker_await(s, k, ++orders), IRIS_LARGE);
        assert_int_equal(iris_send_wait(s->rt, h->pid, (char[65]){0}, 65, -1), IRIS_LARGE);
        assert_int_equal(send_large(s, h->pid, 1, 64), IRIS_OK);
        holder_await(s, h, 1);
        holder_drain(s, h, 1);
        assert_int_equal(look_at(s, h->pid).counts[IRIS_MAILBOX_REFUSED], 0);
    }
    scene_settle(s);
    assert_int_equal(spare->begun, 0);
}

static void evicts_until_they_fit(struct scene *s)
{
    struct holder *h = begun(s, (iris_spawn){.bytes = 100, .policy = IRIS_DROP_OLD});
    assert_int_equal(send_large(s, h->pid, 2, 40), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 3, 40), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 4, 20), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 5, 70), IRIS_OK); /* two have to go for it */
    expect(s, h->pid, 90, 2, 0);
    assert_int_equal(look_at(s, h->pid).undone, 3);
    assert_int_equal(look_at(s, h->pid).counts[IRIS_MAILBOX_DROPPED], 2);
    assert_int_equal(send_large(s, h->pid, 6, 100), IRIS_OK);
    expect(s, h->pid, 100, 1, 0);
    assert_int_equal(look_at(s, h->pid).undone, 2);
    holder_drain(s, h, 2);
    LOG(h, 1, 6);
    scene_settle(s);
    assert_int_equal(scene_count(s).dropped, 4);
    expect(s, h->pid, 0, 0, 0);
}

/* One that is small does not overtake a large one that waits before it. */
static void wait_in_order(struct scene *s)
{
    struct holder *h = begun(s, (iris_spawn){.bytes = 100, .policy = IRIS_BLOCK});
    struct asker *first = asker_spawn(s), *second = asker_spawn(s);
    assert_int_equal(send_large(s, h->pid, 2, 30), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 3, 30), IRIS_OK);
    asker_order_large(s, first, h->pid, 4, 90);
    assert_int_equal(asker_await(s, first, 1), IRIS_OK);
    asker_order_large(s, second, h->pid, 5, 8);
    assert_int_equal(asker_await(s, second, 1), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 9, 8), IRIS_FULL);
    expect(s, h->pid, 60, 2, 2);
    holder_let_go(s, h, IRIS_OK);
    holder_await(s, h, 2);
    expect(s, h->pid, 30, 1, 2);
    holder_let_go(s, h, IRIS_OK);
    holder_await(s, h, 3);
    await_sight(s, h->pid, 98, 2, 0);
    holder_drain(s, h, 5);
    LOG(h, 1, 2, 3, 4, 5);
}

static void redirect_and_spill(struct scene *s)
{
    struct holder *spare = holder_spawn(s, (iris_spawn){.bytes = 50});
    iris_spawn how = {.bytes = 100, .policy = IRIS_REDIRECT, .fallback = spare->pid};
    struct holder *h = begun(s, how);
    assert_int_equal(send_large(s, h->pid, 2, 100), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 3, 50), IRIS_OK);
    holder_await(s, spare, 1);
    assert_int_equal(send_large(s, h->pid, 4, 51), IRIS_FULL); /* too large for the fallback */
    assert_int_equal(look_at(s, h->pid).counts[IRIS_MAILBOX_REDIRECTED], 1);
    assert_int_equal(look_at(s, h->pid).counts[IRIS_MAILBOX_REFUSED], 1);
    assert_int_equal(set_policy(s, h->pid, IRIS_SPILL, spare->pid, 0), IRIS_OK);
    struct asker *k = asker_spawn(s);
    asker_order_large(s, k, h->pid, 5, 20);
    assert_int_equal(asker_await(s, k, 1), IRIS_OK);
    expect(s, h->pid, 100, 1, 1);
    expect(s, spare->pid, 20, 1, 0); /* its copy */
    holder_drain(s, h, 3);
    LOG(h, 1, 2, 5);
    holder_drain(s, spare, 2);
    LOG(spare, 3, 5);
}

static void a_limit_changes(struct scene *s)
{
    struct holder *h = begun(s, (iris_spawn){.bytes = 60, .policy = IRIS_BLOCK});
    struct asker *k = asker_spawn(s);
    assert_int_equal(send_large(s, h->pid, 2, 50), IRIS_OK);
    asker_order_large(s, k, h->pid, 3, 40);
    assert_int_equal(asker_await(s, k, 1), IRIS_OK);
    expect(s, h->pid, 50, 1, 1);
    assert_int_equal(mailbox()->bytes(s->self, h->pid, 90), IRIS_OK);
    await_sight(s, h->pid, 90, 2, 0); /* also while the actor has a message in hand */
    asker_order_large(s, k, h->pid, 4, 40);
    assert_int_equal(asker_await(s, k, 2), IRIS_OK);
    assert_int_equal(mailbox()->bytes(s->self, h->pid, 10), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 9, 11), IRIS_LARGE);
    await_sight(s, h->pid, 90, 2, 1); /* what was accepted stays accepted, and comes in alone */
    holder_drain(s, h, 4);
    LOG(h, 1, 2, 3, 4);
    assert_int_equal(mailbox()->bytes(s->self, h->pid, 0), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "not be taken away"));
    struct holder *free_one = holder_spawn(s, (iris_spawn){.capacity = 3});
    assert_int_equal(mailbox()->bytes(s->self, free_one->pid, 10), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "does not count them"));
    assert_int_equal(mailbox()->bytes(s->self, 12345, 10), IRIS_DEAD);
}

static void wake_the_lazy(struct scene *s)
{
    struct holder *h = holder_spawn(s, (iris_spawn){.bytes = 100, .flags = IRIS_SPAWN_LAZY});
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour next = holder_behaviour(h);
    scene_settle(s);
    assert_int_equal(cast_swap(s, h->pid, &next, 0, told), IRIS_OK);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(send_large(s, h->pid, 1, 100), IRIS_OK);
    holder_await(s, h, 1);
    expect(s, h->pid, 0, 0, 0);
    holder_drain(s, h, 1);
}

/* ---- pull actors: all that is let in counts until it is taken ---- */

enum { KEY = 9 };

static int is_key(void *ctx, const iris_message *m)
{
    uint64_t number = 0;
    (void)ctx;
    memcpy(&number, m->data, m->len < 8 ? m->len : 8);
    return number == KEY;
}

static int pull(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *none, int n)
{
    const iris_reader *reader = iris_calls()->extension(IRIS_READER);
    struct holder *h = b->data;
    const iris_message *m;
    int result = reader->recv(self, is_key, NULL, -1, &m);
    (void)state, (void)none, (void)n;
    while (result == IRIS_OK) {
        uint64_t number;
        memcpy(&number, m->data, sizeof number);
        unsigned at = atomic_load(&h->begun);
        atomic_store(&h->log[at], number);
        atomic_store(&h->begun, at + 1);
        result = reader->recv(self, NULL, NULL, -1, &m);
    }
    return 0;
}

static void count_for_pull_actors(struct scene *s)
{
    struct holder *h = scene_memory(s, sizeof *h);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "puller",
                        .version = "1",
                        .flags = IRIS_PULL | IRIS_OWN_STACK,
                        .data = h,
                        .handle = pull};
    struct asker *k = asker_spawn(s);
    h->pid = cast_spawn(s, &b, (iris_spawn){.bytes = 100, .policy = IRIS_BLOCK});
    assert_int_equal(send_large(s, h->pid, 1, 46), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, 2, 46), IRIS_OK);
    scene_settle(s);
    expect(s, h->pid, 92, 2, 0); /* it has looked at them, and taken none */
    assert_int_equal(send_large(s, h->pid, 3, 9), IRIS_FULL);
    asker_order_large(s, k, h->pid, 3, 9);
    assert_int_equal(asker_await(s, k, 1), IRIS_OK);
    scene_settle(s);
    expect(s, h->pid, 92, 2, 1);
    assert_int_equal(mailbox()->bytes(s->self, h->pid, 101), IRIS_OK);
    scene_settle(s);
    expect(s, h->pid, 101, 3, 0);
    assert_int_equal(mailbox()->bytes(s->self, h->pid, 109), IRIS_OK);
    assert_int_equal(send_large(s, h->pid, KEY, 8), IRIS_OK);
    holder_await(s, h, 4);
    scene_settle(s);
    LOG(h, KEY, 1, 2, 3);
    expect(s, h->pid, 0, 0, 0);
    assert_int_equal(set_policy(s, h->pid, IRIS_DROP_OLD, 0, 0), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "do not go together for a pull actor"));
}

/* ---- a flood ---- */

enum { EACH = 300, LIMIT = 80 };

static int all_came(struct scene *s)
{
    struct ledger *l = s->prop;
    return atomic_load(&l->handled) + scene_count(s).dropped == 4 * EACH;
}

static void flood(struct scene *s, uint32_t policy)
{
    struct ledger *l = s->prop = cast_ledger(s);
    iris_behaviour counter = cast_counter(l);
    l->gaps = policy == IRIS_DROP_OLD;
    uint64_t pid = cast_spawn(s, &counter, (iris_spawn){.bytes = LIMIT, .policy = policy});
    cast_senders(s, l, pid, 4, EACH);
    for (int i = 0; i < 200; i++) {
        iris_mailbox_look look = look_at(s, pid);
        assert_true(look.held <= LIMIT);
        cast_run(s, 10);
    }
    scene_await(s, all_came);
    scene_settle(s);
    expect(s, pid, 0, 0, 0);
    assert_int_equal(look_at(s, pid).undone, 0);
    assert_int_equal(l->accepted, 4 * EACH);
    cast_balance(s, l);
}

static void dropnew_flood(struct scene *s)
{
    flood(s, IRIS_DROP_NEW);
}

static void dropold_flood(struct scene *s)
{
    flood(s, IRIS_DROP_OLD);
}

static void block_flood(struct scene *s)
{
    flood(s, IRIS_BLOCK);
}

static void nonsense_is_refused(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "puller",
                        .flags = IRIS_PULL | IRIS_OWN_STACK,
                        .handle = pull};
    iris_spawn how = {.size = sizeof how, .abi = IRIS_ABI, .bytes = 9, .policy = IRIS_DROP_OLD};
    uint64_t pid;
    how.version = scene_define(s, &b);
    assert_int_equal(s->api->spawn(s->self, &how, &pid), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "do not go together for a pull actor"));
    s->api->release(how.version);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(hold_their_limit)
PLAY(beside_a_capacity)
PLAY(what_never_fits_is_large)
PLAY(evicts_until_they_fit)
PLAY(wait_in_order)
PLAY(redirect_and_spill)
PLAY(a_limit_changes)
PLAY(wake_the_lazy)
PLAY(count_for_pull_actors)
PLAY(dropnew_flood)
PLAY(dropold_flood)
PLAY(block_flood)
PLAY(nonsense_is_refused)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p7.bytes_that_wait_hold_their_limit_exactly", test_hold_their_limit),
    IRIS_TEST("p7.bytes_count_beside_a_capacity", test_beside_a_capacity),
    IRIS_TEST("p7.what_is_more_than_the_bytes_is_large_at_once", test_what_never_fits_is_large),
    IRIS_TEST("p7.dropold_evicts_as_many_as_the_bytes_take", test_evicts_until_they_fit),
    IRIS_TEST("p7.who_waits_for_bytes_is_not_overtaken", test_wait_in_order),
    IRIS_TEST("p7.redirect_and_spill_beyond_the_bytes", test_redirect_and_spill),
    IRIS_TEST("p7.a_limit_of_bytes_changes_at_once", test_a_limit_changes),
    IRIS_TEST("p7.bytes_wake_a_lazy_actor", test_wake_the_lazy),
    IRIS_TEST("p7.bytes_of_a_pull_actor_count_until_it_takes_them", test_count_for_pull_actors),
    IRIS_TEST("p7.bytes_hold_under_a_flood_with_dropnew", test_dropnew_flood),
    IRIS_TEST("p7.bytes_hold_under_a_flood_with_dropold", test_dropold_flood),
    IRIS_TEST("p7.bytes_hold_under_a_flood_with_block", test_block_flood),
    IRIS_TEST("p7.bytes_and_dropold_are_refused_to_a_pull_actor", test_nonsense_is_refused),
};
/* clang-format on */
IRIS_MAIN(tests)
