/* P10 for the table of calls: what is wrong is refused with a sentence; P7: a bounded mailbox. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <string.h>

static void expect_refused(int result, const char *words)
{
    assert_int_equal(result, IRIS_FAIL);
    if (!strstr(iris_reason(), words))
        fail_msg("\"%s\" does not say \"%s\"", iris_reason(), words);
}

static void wrong_spawns(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    iris_version *v = scene_define(s, &b);
    const iris_spawn good = {.size = sizeof good, .abi = IRIS_ABI, .version = v};
    iris_spawn w = good;
    uint64_t pid = 99;
    w.abi = 2;
    expect_refused(s->api->spawn(s->self, &w, &pid), "ABI 2");
    w = good;
    w.size = offsetof(iris_spawn, version); /* a plugin that is older than `version` */
    expect_refused(s->api->spawn(s->self, &w, &pid), "no version");
    w = good;
    w.size = 0;
    expect_refused(s->api->spawn(s->self, &w, &pid), "ABI 0");
    w = good;
    w.version = NULL;
    expect_refused(s->api->spawn(s->self, &w, &pid), "no version");
    w = good;
    w.budget = UINT16_MAX + 1;
    expect_refused(s->api->spawn(s->self, &w, &pid), "budget 65536");
    w = good;
    w.policy = 77;
    expect_refused(s->api->spawn(s->self, &w, &pid), "policy 77");
    static const char *const paths[] = {"", "/", "//", "/a//b", "/a/", "no", "/a b", "/\xff"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        w = good;
        w.path = paths[i];
        if (i == 5) /* a name is no path */
            continue;
        expect_refused(s->api->spawn(s->self, &w, &pid), "is not a path");
    }
    scene_settle(s);
    assert_int_equal(scene_count(s).actors, 0);
    s->api->release(v);
    assert_int_equal(scene_count(s).versions, 0);
}

static void a_shorter_struct(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    iris_version *v = scene_define(s, &b);
    struct {
        iris_spawn spawn;
    } w = {{.size = offsetof(iris_spawn, capacity),
            .abi = IRIS_ABI,
            .version = v,
            .capacity = 1,
            .policy = 99}};
    uint64_t pid;
    assert_int_equal(s->api->spawn(s->self, &w.spawn, &pid), IRIS_OK);
    assert_int_equal(cast_info(s, pid).capacity, 0); /* what it does not know is not read */
    s->api->release(v);
}

static void a_path_that_is_taken(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *second = cast_ledger(s);
    iris_behaviour b = cast_counter(l), c = cast_counter(second);
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.path = "/taken"}), other = 0;
    iris_version *v = scene_define(s, &c);
    iris_spawn again = {.size = sizeof again, .abi = IRIS_ABI, .version = v, .path = "/taken"};
    expect_refused(s->api->spawn(s->self, &again, &other), "/taken");
    scene_settle(s);
    assert_int_equal(iris_find(s->rt, "/taken"), pid);
    assert_int_equal(scene_count(s).actors, 1);
    assert_int_equal(second->inits, 0); /* it never began */
    s->api->release(v);
}

static void wrong_behaviours(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_version *v = NULL;
    iris_behaviour b = cast_plain(l);
    b.abi = 7;
    expect_refused(s->api->define(s->self, &b, &v), "ABI 7");
    b = cast_plain(l);
    b.handle = NULL;
    expect_refused(s->api->define(s->self, &b, &v), "no handle()");
    b = cast_plain(l);
    b.name = NULL;
    expect_refused(s->api->define(s->self, &b, &v), "no name");
    b = cast_plain(l);
    b.size = offsetof(iris_behaviour, handle);
    expect_refused(s->api->define(s->self, &b, &v), "no handle()");
    b = cast_plain(l);
    b.flags = IRIS_PULL;
    expect_refused(s->api->define(s->self, &b, &v), "IRIS_OWN_THREAD");
    b = cast_plain(l);
    b.flags = IRIS_PULL | IRIS_OWN_THREAD | IRIS_OWN_STACK;
    expect_refused(s->api->define(s->self, &b, &v), "one of both");
    b.flags = IRIS_OWN_STACK;
    expect_refused(s->api->define(s->self, &b, &v), "for pull actors");
    b.flags = IRIS_PULL | IRIS_OWN_STACK;
    b.executor = (iris_executor *)&b; /* any */
    expect_refused(s->api->define(s->self, &b, &v), "core's pool");
    assert_null(v);
    expect_refused(s->api->swap(s->self, 1, NULL, 0, NULL, NULL), "no version");
    iris_driver d = {.size = sizeof d, .abi = 3, .name = "driver"};
    iris_executor *x;
    expect_refused(s->api->open(s->self, &d, &x), "ABI 3");
}

static int lengths_handle(const iris_behaviour *b, iris_actor *self, void *state,
                          const iris_message *const *m, int n)
{
    atomic_ullong *sum = b->data;
    (void)self, (void)state;
    for (int i = 0; i < n; i++)
        for (uint32_t k = 0; k < m[i]->len; k++)
            if (((const unsigned char *)m[i]->data)[k] != (unsigned char)(k * 7))
                return (iris_calls()->fail)("byte %u", k), ~i;
            else
                atomic_fetch_add(sum, 1);
    return n;
}

static void lengths(struct scene *s)
{
    static const size_t lens[] = {0,    1,    7,    8,    9,     63,    64,     65,     71,
                                  72,   73,   127,  128,  1000,  4039,  4040,   4041,   4096,
                                  4097, 5000, 8192, 9999, 70000, 65535, 100000, 1 << 20};
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "lengths",
                        .data = scene_memory(s, sizeof(atomic_ullong)),
                        .handle = lengths_handle};
    unsigned char *bytes = scene_memory(s, 1 << 20);
    uint64_t pid = scene_spawn(s, &b, 0), sum = 0;
    for (size_t i = 0; i < 1 << 20; i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        assert_int_equal(s->api->send(s->self, pid, lens[i] ? bytes : NULL, lens[i], 0), IRIS_OK);
        sum += lens[i];
    }
    assert_int_equal(s->api->send(s->self, pid, bytes, SIZE_MAX, 0), IRIS_LARGE);
    assert_int_equal(s->api->send(s->self, pid, bytes, ((size_t)64 << 20) + 1, 0), IRIS_LARGE);
    assert_int_equal(s->api->send(s->self, pid, bytes, UINT32_MAX, 0), IRIS_LARGE);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    assert_int_equal(timer->after(s->self, pid, 0, bytes, SIZE_MAX, NULL), IRIS_LARGE);
    assert_int_equal(timer->every(s->self, pid, 1, bytes, SIZE_MAX - 100, NULL), IRIS_LARGE);
    expect_refused(timer->after(s->self, pid, -1, bytes, 1, NULL), "past");
    expect_refused(timer->every(s->self, pid, 0, bytes, 1, NULL), "period");
    scene_settle(s);
    assert_int_equal(*(atomic_ullong *)b.data, sum);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static void let_go(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static int keep_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    const iris_message **kept = b->data;
    (void)self, (void)state;
    iris_calls()->keep(m[0]);
    iris_calls()->keep(m[0]);
    *kept = m[0];
    return n;
}

/* give: released once, whatever becomes of the message; keep: readable until the last drop. */
static void giving(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    atomic_int *gone = scene_memory(s, sizeof *gone);
    iris_behaviour plain = cast_plain(l), b = {.size = sizeof b,
                                               .abi = IRIS_ABI,
                                               .name = "keeper",
                                               .data = scene_memory(s, 8),
                                               .handle = keep_handle};
    uint64_t pid = scene_spawn(s, &plain, 1), keeper = scene_spawn(s, &b, 0);
    scene_settle(s);
    assert_int_equal(s->api->give(s->self, pid, "bytes", 5, 0, let_go, gone), IRIS_OK);
    scene_settle(s);
    assert_int_equal(*gone, 1);
    assert_int_equal(s->api->give(s->self, 7777, "bytes", 5, 0, let_go, gone), IRIS_DEAD);
    assert_int_equal(*gone, 2);
    assert_int_equal(s->api->give(s->self, pid, "bytes", SIZE_MAX, 0, let_go, gone), IRIS_LARGE);
    assert_int_equal(*gone, 3);
    assert_int_equal(s->api->give(s->self, keeper, "kept", 4, 0, let_go, gone), IRIS_OK);
    scene_settle(s);
    const iris_message *m = *(const iris_message **)b.data;
    assert_int_equal(*gone, 3);
    assert_memory_equal(m->data, "kept", 4);
    s->api->drop(m);
    assert_int_equal(*gone, 3);
    s->api->drop(m);
    assert_int_equal(*gone, 4);
}

/* ---- bounded mailboxes ---- */

static void exactly_full(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    if (!s->seed)
        return; /* only a seeded run stands still while we send */
    for (uint32_t capacity = 1; capacity < 40; capacity += 7) {
        uint64_t pid = scene_spawn(s, &b, capacity);
        for (int round = 0; round < 3; round++) {
            for (uint32_t i = 0; i < capacity; i++)
                assert_int_equal(s->api->send(s->self, pid, "x", 1, 0), IRIS_OK);
            assert_int_equal(s->api->send(s->self, pid, "x", 1, 0), IRIS_FULL);
            assert_int_equal(cast_info(s, pid).mailbox, capacity);
            scene_settle(s);
            assert_int_equal(cast_info(s, pid).mailbox, 0);
        }
    }
}

/* What crashed, was killed with its actor or timed out holds no place. */
static void places_come_back(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    iris_version *v = scene_define(s, &b);
    struct app_spawn how = {.spawn = {.size = sizeof how.spawn,
                                      .abi = IRIS_ABI,
                                      .version = v,
                                      .path = "/bounded",
                                      .capacity = 4},
                            .restart = RESTART_ALWAYS};
    uint64_t pid;
    assert_int_equal(iris__runtime_spawn(s->rt, &how, &pid), IRIS_OK);
    s->api->release(v);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->api->send(s->self, pid, "odd", 3, 0), IRIS_OK);
        scene_send(s, pid, cast_number(0, (uint64_t)i + 1));
        scene_settle(s);
    }
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t number = cast_number(0, 4);
    assert_int_equal(timer->after(s->self, pid, 0, &number, 8, NULL), IRIS_OK);
    scene_settle(s);
    assert_int_equal(l->handled, 4);
    if (!s->seed)
        return;
    for (uint64_t i = 5; i <= 8; i++)
        scene_send(s, pid, cast_number(0, i));
    assert_int_equal(s->api->send(s->self, pid, "x", 1, 0), IRIS_FULL);
    number = cast_number(0, 9);
    assert_int_equal(timer->after(s->self, pid, 0, &number, 8, NULL), IRIS_OK);
    scene_settle(s);
    assert_int_equal(l->handled, 9); /* what comes once is not lost at a full mailbox */
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(wrong_spawns)
PLAY(a_shorter_struct)
PLAY(a_path_that_is_taken)
PLAY(wrong_behaviours)
PLAY(lengths)
PLAY(giving)
PLAY(exactly_full)
PLAY(places_come_back)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p10.a_wrong_spawn_is_refused_with_a_sentence", test_wrong_spawns),
    IRIS_TEST("p10.a_shorter_spawn_struct_means_defaults", test_a_shorter_struct),
    IRIS_TEST("p10.a_path_that_is_taken_is_refused_before_init", test_a_path_that_is_taken),
    IRIS_TEST("p10.a_wrong_behaviour_driver_or_swap_is_refused_with_a_sentence", test_wrong_behaviours),
    IRIS_TEST("p10.messages_of_every_length_arrive_and_huge_ones_are_large", test_lengths),
    IRIS_TEST("message.what_is_given_is_released_once_and_what_is_kept_stays", test_giving),
    IRIS_TEST("p7.a_bounded_mailbox_holds_its_capacity_exactly", test_exactly_full),
    IRIS_TEST("p7.places_come_back_after_crashes_and_timers", test_places_come_back),
};
/* clang-format on */
IRIS_MAIN(tests)
