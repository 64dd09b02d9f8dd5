/* Large messages become their receiver's own, and outlive what brought them. */
#include "main.h"

#include "cast.h"

#include <iris/ext/payload.h>

#include <stdlib.h>

enum { LARGE = 100000, SMALL = 100, KEPT = 8 };

struct taker {
    const iris_message *mine[KEPT];
    atomic_int taken, refused;
};

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    const iris_payload *ext = iris_calls()->extension(IRIS_PAYLOAD);
    struct taker *t = b->data;
    (void)self, (void)state;
    for (int i = 0; i < n; i++)
        if (ext->take(m[i]) == IRIS_OK) {
            assert_int_equal(ext->take(m[i]), IRIS_AGAIN); /* it is somebody's */
            t->mine[t->taken++] = m[i];
        } else
            t->refused++;
    return n;
}

static uint64_t taker_spawn(struct scene *s, struct taker *t)
{
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "taker",
                        .version = "1",
                        .data = t,
                        .handle = handle};
    return cast_spawn(s, &b, (iris_spawn){0});
}

static int keeper(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    const iris_payload *ext = iris_calls()->extension(IRIS_PAYLOAD);
    struct taker *t = b->data;
    (void)self, (void)state;
    iris_calls()->keep(m[0]);
    t->refused += ext->take(m[0]) == IRIS_AGAIN;
    iris_calls()->drop(m[0]);
    t->taken += ext->take(m[0]) == IRIS_OK;
    iris_calls()->drop(m[0]);
    return n ? 1 : 0;
}

static void send(struct scene *s, uint64_t to, size_t len)
{
    char *bytes = calloc(1, len);
    memset(bytes, (int)len & 127, len);
    assert_int_equal(s->api->send(s->self, to, bytes, len, 0), IRIS_OK);
    free(bytes);
}

static void check(const iris_message *m)
{
    char *bytes = (char *)m->data; /* his own: he may write */
    assert_int_equal(m->len, LARGE);
    for (uint32_t i = 0; i < m->len; i++)
        assert_int_equal(bytes[i], LARGE & 127);
    memset(bytes, 1, m->len);
}

static void release(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static void takes_what_is_large(struct scene *s)
{
    atomic_int *released = scene_memory(s, sizeof *released);
    char *gift = scene_memory(s, LARGE);
    struct taker *t = scene_memory(s, sizeof *t);
    uint64_t pid = taker_spawn(s, t);
    send(s, pid, SMALL);
    send(s, pid, LARGE);
    assert_int_equal(s->api->give(s->self, pid, gift, LARGE, 0, release, released), IRIS_OK);
    send(s, pid, LARGE);
    scene_settle(s);
    assert_int_equal(t->taken, 2);
    assert_int_equal(t->refused, 2);
    assert_int_equal(*released, 1);
    for (int i = 0; i < 2; i++) {
        check(t->mine[i]);
        s->api->drop(t->mine[i]);
    }
}

static void what_is_kept_is_not_alone(struct scene *s)
{
    struct taker *t = scene_memory(s, sizeof *t);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "keeper",
                        .version = "1",
                        .data = t,
                        .handle = keeper};
    send(s, cast_spawn(s, &b, (iris_spawn){0}), LARGE);
    scene_settle(s);
    assert_int_equal(t->taken, 1);
    assert_int_equal(t->refused, 1);
}

static void outlives(uint32_t workers, uint64_t seed)
{
    struct scene s = {0};
    struct taker t = {0};
    scene_open(&s, workers, seed);
    send(&s, taker_spawn(&s, &t), LARGE);
    scene_settle(&s);
    scene_close(&s);
    assert_int_equal(t.taken, 1);
    check(t.mine[0]);
    iris_calls()->drop(t.mine[0]);
}

static void test_outlives(void **state)
{
    (void)state;
    outlives(1, 0);
    outlives(0, 7);
}

/* Twice the limit, and all of it kept. */
static void test_limit(void **state)
{
    (void)state;
    iris_runtime *rt;
    struct taker t = {0};
    struct scene s = {.api = iris_calls()};
    iris_options o = {
        .size = sizeof o, .abi = IRIS_ABI, .workers = 1, .memory_max = KEPT / 2 * LARGE};
    assert_int_equal(iris_open(&o, &rt), IRIS_OK);
    s.rt = rt;
    s.self = iris_self(rt);
    uint64_t pid = taker_spawn(&s, &t);
    for (int i = 0; i < KEPT; i++) {
        send(&s, pid, LARGE);
        iris_drain(rt, 20 * IRIS_SECOND);
    }
    assert_int_equal(t.taken, KEPT);
    assert_int_equal(iris_close(rt, IRIS_SECOND), 0);
    for (int i = 0; i < KEPT; i++)
        iris_calls()->drop(t.mine[i]);
}

#define PLAY(test, play)           \
    static void test(void **state) \
    {                              \
        (void)state;               \
        scene_play(play);          \
    }
PLAY(test_takes, takes_what_is_large)
PLAY(test_kept, what_is_kept_is_not_alone)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("payload.large_bytes_become_the_receivers_own", test_takes),
    IRIS_TEST("payload.what_somebody_keeps_is_not_to_be_had", test_kept),
    IRIS_TEST("payload.what_was_taken_outlives_the_runtime", test_outlives),
    IRIS_TEST("payload.what_was_taken_counts_against_no_limit", test_limit),
};

IRIS_MAIN(tests)
