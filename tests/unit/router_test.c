/* A router and the instances behind it: who gets what, and what happens where they are full, or gone. */
#include "main.h"

#include "holder.h"

#include "router.h"
#include "runtime.h"

enum { MANY = 4 };

static uint64_t route(struct scene *s, enum router_way way, const uint64_t *pids, uint32_t n,
                      iris_spawn how)
{
    uint64_t pid = 0;
    how.size = sizeof how;
    how.abi = IRIS_ABI;
    assert_int_equal(iris__router_define(&s->rt->world, way, pids, n, &how.version), IRIS_OK);
    assert_int_equal(s->api->spawn(s->self, &how, &pid), IRIS_OK);
    s->api->release(how.version);
    return pid;
}

struct crowd {
    struct ledger *l[MANY];
    uint64_t pids[MANY], router;
};

static struct crowd counters(struct scene *s, enum router_way way)
{
    struct crowd c;
    for (int i = 0; i < MANY; i++) {
        c.l[i] = cast_ledger(s);
        iris_behaviour b = cast_counter(c.l[i]);
        c.pids[i] = scene_spawn(s, &b, 0);
    }
    c.router = route(s, way, c.pids, MANY, (iris_spawn){0});
    return c;
}

static unsigned long long handled(const struct crowd *c, int i)
{
    return atomic_load(&c->l[i]->handled);
}

static void end(struct scene *s, uint64_t pid)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
}

/* ---- who gets it ---- */

static void one_after_the_other(struct scene *s)
{
    struct crowd c = counters(s, ROUTER_ROUND_ROBIN);
    for (uint64_t i = 0; i < 10; i++)
        scene_send(s, c.router, cast_number(0, i + 1));
    scene_settle(s);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(handled(&c, i), i < 2 ? 3 : 2);
    end(s, c.pids[1]); /* it is passed over */
    for (uint64_t i = 0; i < 6; i++)
        scene_send(s, c.router, cast_number(0, i + 11));
    scene_settle(s);
    assert_int_equal(handled(&c, 0) + handled(&c, 2) + handled(&c, 3), 3 + 2 + 2 + 6);
    assert_int_equal(handled(&c, 1), 3);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static void keeps_the_order_of_each_sender(struct scene *s)
{
    struct crowd c = counters(s, ROUTER_HASH);
    struct ledger *sent = cast_ledger(s);
    cast_senders(s, sent, c.router, 8, 200);
    scene_settle(s);
    unsigned long long sum = 0;
    int used = 0;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(atomic_load(&c.l[i]->disorder), 0);
        assert_int_equal(handled(&c, i) % 200, 0);
        sum += handled(&c, i);
        used += handled(&c, i) > 0;
    }
    assert_int_equal(sum, 8 * 200);
    assert_true(used > 1);
}

static void all_of_them(struct scene *s)
{
    struct crowd c = counters(s, ROUTER_BROADCAST);
    for (uint64_t i = 0; i < 10; i++)
        scene_send(s, c.router, cast_number(0, i + 1));
    scene_settle(s);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(handled(&c, i), 10);
}

/* The others get it as a message that asks for nothing. */
static void one_answers(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    uint64_t pids[3];
    for (int i = 0; i < 3; i++)
        pids[i] = scene_spawn(s, &b, 0);
    scene_ask(s, route(s, ROUTER_BROADCAST, pids, 3, (iris_spawn){0}), "which");
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 0);
    assert_int_equal(scene_count(s).handled, 4);
}

static void where_the_fewest_wait(struct scene *s)
{
    struct holder *h[2];
    for (int i = 0; i < 2; i++)
        h[i] = holder_spawn(s, (iris_spawn){.capacity = 9});
    for (uint64_t i = 1; i <= 5; i++)
        scene_send(s, h[0]->pid, i);
    holder_await(s, h[0], 1);
    uint64_t router =
        route(s, ROUTER_LEAST_MAILBOX, (uint64_t[]){h[0]->pid, h[1]->pid}, 2, (iris_spawn){0});
    for (uint64_t i = 11; i <= 14; i++)
        scene_send(s, router, i);
    holder_await(s, h[1], 1);
    holder_drain(s, h[1], 4);
    LOG(h[1], 11, 12, 13, 14);
    holder_drain(s, h[0], 5);
}

/* ---- as it came ---- */

static void an_answer_goes_straight_back(struct scene *s)
{
    struct crowd c = counters(s, ROUTER_ROUND_ROBIN);
    for (uint64_t i = 0; i < MANY; i++)
        scene_send(s, c.router, cast_number(0, i + 1));
    scene_settle(s);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(scene_ask(s, c.router, "count"), 1);
}

static int take(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *m, int n)
{
    const void *_Atomic *at = b->data;
    (void)self, (void)state, (void)n;
    atomic_store(at,
                 m[0]->len == 5000 && ((const char *)m[0]->data)[4999] == 'z' ? m[0]->data : NULL);
    return 1;
}

static void let_it_be(void *ctx)
{
    atomic_store((atomic_int *)ctx, 1);
}

/* What is large arrives where it lies, and is let go when the last has seen it. */
static void without_a_copy(struct scene *s)
{
    const void *_Atomic *at = scene_memory(s, sizeof *at);
    atomic_int *released = scene_memory(s, sizeof *released);
    char *bytes = scene_memory(s, 5000);
    bytes[4999] = 'z';
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "taker", .data = (void *)at, .handle = take};
    uint64_t pids[2] = {scene_spawn(s, &b, 0), scene_spawn(s, &b, 0)};
    uint64_t router = route(s, ROUTER_BROADCAST, pids, 2, (iris_spawn){0});
    assert_int_equal(s->api->give(s->self, router, bytes, 5000, 0, let_it_be, released), IRIS_OK);
    scene_settle(s);
    assert_ptr_equal(atomic_load(at), bytes);
    assert_int_equal(atomic_load(released), 1);
}

/* ---- full ---- */

struct full {
    struct holder *h[2];
    uint64_t router;
};

struct awaited_mail {
    uint64_t pid, n;
};

static int so_many_wait(struct scene *s)
{
    const struct awaited_mail *a = s->prop;
    return look_at(s, a->pid).mailbox == a->n;
}

static void await_waiting(struct scene *s, uint64_t pid, uint64_t n)
{
    struct awaited_mail a = {pid, n};
    void *prop = s->prop;
    s->prop = &a;
    scene_await(s, so_many_wait);
    s->prop = prop;
}

/* Two that hold one message each, and a mailbox of two; the router holds two as well. */
static struct full fill(struct scene *s, uint32_t policy, uint64_t bytes)
{
    struct full f;
    iris_spawn one = {.capacity = bytes ? 0 : 2, .bytes = bytes, .policy = IRIS_BLOCK};
    for (int i = 0; i < 2; i++)
        f.h[i] = holder_spawn(s, one);
    f.router = route(s, ROUTER_ROUND_ROBIN, (uint64_t[]){f.h[0]->pid, f.h[1]->pid}, 2,
                     (iris_spawn){.capacity = 2, .policy = policy});
    for (uint64_t i = 1; i <= 2; i++) {
        scene_send(s, f.router, i);
        holder_await(s, f.h[i - 1], 1);
    }
    for (uint64_t i = 3; i <= 4; i++) {
        scene_send(s, f.router, i);
        await_waiting(s, f.h[i - 3]->pid, 1);
    }
    for (uint64_t i = 5; i <= 6; i++)
        scene_send(s, f.router, i);
    return f;
}

static int try_send(struct scene *s, uint64_t to, uint64_t number)
{
    return s->api->send(s->self, to, &number, sizeof number, 0);
}

static void what_is_too_much_meets_its_own_mailbox(struct scene *s)
{
    struct full f = fill(s, IRIS_DROP_NEW, 0);
    assert_int_equal(try_send(s, f.router, 7), IRIS_FULL);
    await_waiting(s, f.router, 2);     /* one of them is in its hands while it tries */
    holder_let_go(s, f.h[1], IRIS_OK); /* the one that has room gets the next */
    holder_await(s, f.h[1], 2);
    holder_let_go(s, f.h[1], IRIS_OK);
    holder_await(s, f.h[1], 3);
    holder_drain(s, f.h[1], 4);
    LOG(f.h[1], 2, 4, 5, 6);
    holder_drain(s, f.h[0], 2);
    LOG(f.h[0], 1, 3);
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 0);
    assert_int_equal(look_at(s, f.h[0]->pid).counts[IRIS_MAILBOX_REFUSED], 0);
}

static void a_limit_of_bytes_counts_too(struct scene *s)
{
    struct full f = fill(s, IRIS_DROP_NEW, 8);
    assert_int_equal(try_send(s, f.router, 7), IRIS_FULL);
    holder_let_go(s, f.h[0], IRIS_OK);
    holder_await(s, f.h[0], 2);
    await_waiting(s, f.h[0]->pid, 1);
    holder_drain(s, f.h[1], 3);
    LOG(f.h[1], 2, 4, 6);
    holder_drain(s, f.h[0], 3);
    LOG(f.h[0], 1, 3, 5);
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static void it_goes_while_it_waits(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct full f = fill(s, IRIS_BLOCK, 0);
    assert_int_equal(watch->kill(s->self, f.router), IRIS_OK);
    cast_await_end(s, f.router);
    for (int i = 0; i < 2; i++)
        holder_drain(s, f.h[i], 2);
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 2);
}

static void they_go_while_it_waits(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct full f = fill(s, IRIS_BLOCK, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(watch->kill(s->self, f.h[i]->pid), IRIS_OK);
    for (int i = 0; i < 2; i++)
        cast_await_end(s, f.h[i]->pid);
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 6); /* each is accounted for */
}

/* clang-format off */
static void test_round(void **state)   { (void)state; scene_play(one_after_the_other); }
static void test_hash(void **state)    { (void)state; scene_play(keeps_the_order_of_each_sender); }
static void test_all(void **state)     { (void)state; scene_play(all_of_them); }
static void test_one(void **state)     { (void)state; scene_play(one_answers); }
static void test_least(void **state)   { (void)state; scene_play(where_the_fewest_wait); }
static void test_answer(void **state)  { (void)state; scene_play(an_answer_goes_straight_back); }
static void test_copy(void **state)    { (void)state; scene_play(without_a_copy); }
static void test_full(void **state)    { (void)state; scene_play(what_is_too_much_meets_its_own_mailbox); }
static void test_bytes(void **state)   { (void)state; scene_play(a_limit_of_bytes_counts_too); }
static void test_goes(void **state)    { (void)state; scene_play(it_goes_while_it_waits); }
static void test_they_go(void **state) { (void)state; scene_play(they_go_while_it_waits); }

static const struct CMUnitTest tests[] = {
    IRIS_TEST("router.one_after_the_other_and_the_gone_are_passed_over", test_round),
    IRIS_TEST("p1.a_router_by_hash_keeps_the_order_of_each_sender", test_hash),
    IRIS_TEST("router.a_broadcast_reaches_all", test_all),
    IRIS_TEST("router.of_a_broadcast_one_answers", test_one),
    IRIS_TEST("router.the_least_mailbox_gets_it", test_least),
    IRIS_TEST("router.an_answer_goes_straight_to_who_asked", test_answer),
    IRIS_TEST("router.large_messages_are_not_copied", test_copy),
    IRIS_TEST("p8.what_is_too_much_meets_the_routers_own_mailbox", test_full),
    IRIS_TEST("p8.a_limit_of_bytes_holds_behind_a_router", test_bytes),
    IRIS_TEST("router.it_ends_while_it_waits_for_room", test_goes),
    IRIS_TEST("p1.a_router_whose_instances_end_while_it_waits_loses_nothing_unseen", test_they_go),
};
/* clang-format on */
IRIS_MAIN(tests)
