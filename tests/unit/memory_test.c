/* P2, P7 and P10: a runtime whose messages may take so much memory and no more says so to who sends. */
#include "main.h"

#include "cast.h"

enum { LIMIT = 4 << 20 };

static void open_limited(struct scene *s)
{
    iris_options o = {
        .size = sizeof o, .abi = IRIS_ABI, .seed = 7, .workers = 1, .memory_max = LIMIT};
    *s = (struct scene){.seed = 7};
    assert_int_equal(iris_open(&o, &s->rt), IRIS_OK);
    s->api = iris_calls();
    s->self = iris_self(s->rt);
}

static uint64_t fill(struct scene *s, uint64_t pid, const void *data, size_t len)
{
    uint64_t n = 0;
    while (s->api->send(s->self, pid, data, len, 0) == IRIS_OK)
        n++;
    return n;
}

/* Of every size: blocks of the pool, and what is larger than those. */
static void says_full(void **state)
{
    static const size_t sizes[] = {8, 100, 1000, 4000, 100000};
    static const unsigned char bytes[100000];
    (void)state;
    struct scene s;
    open_limited(&s);
    struct ledger *l = cast_ledger(&s);
    iris_behaviour plain = cast_plain(l);
    uint64_t sent = 0, pid = scene_spawn(&s, &plain, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t n = fill(&s, pid, bytes, sizes[i]);
        assert_in_range(n * sizes[i], LIMIT / 16, LIMIT);
        assert_int_equal(s.api->send(s.self, pid, bytes, sizes[i], 0), IRIS_FULL);
        sent += n;
        scene_settle(&s); /* what is handled makes room, also for another size */
        assert_int_equal(scene_count(&s).handled, sent);
    }
    assert_int_equal(scene_count(&s).dead_letters, 0);
    scene_close(&s);
}

static void signals_pass(void **state)
{
    (void)state;
    struct scene s;
    open_limited(&s);
    struct ledger *l = cast_ledger(&s);
    iris_behaviour plain = cast_plain(l);
    const iris_watch *watch = cast_extension(&s, IRIS_WATCH);
    uint64_t crowd[500], deaf = scene_spawn(&s, &plain, 0);
    for (int i = 0; i < 500; i++)
        crowd[i] = scene_spawn(&s, &plain, 0);
    uint64_t sent = fill(&s, deaf, "x", 1);
    for (int i = 0; i < 500; i++)
        assert_int_equal((i % 2 ? watch->stop : watch->kill)(s.self, crowd[i]), IRIS_OK);
    assert_int_equal(watch->stop(s.self, deaf), IRIS_OK);
    scene_settle(&s);
    assert_int_equal(scene_count(&s).handled, sent);
    assert_int_equal(scene_count(&s).actors, 0);
    scene_close(&s);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p10.memory_beyond_its_limit_makes_send_say_full", says_full),
    IRIS_TEST("p5.stop_and_kill_pass_beyond_the_limit_of_memory", signals_pass),
};
IRIS_MAIN(tests)
