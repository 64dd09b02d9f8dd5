/* A message from who must not block waits at the door of a full mailbox, and its sender hears of it. */
#include "main.h"

#include "holder.h"

enum { LETTERS = 5 };

struct letter {
    iris_answer answer; /* first */
    atomic_uint times;
};

static void hear(iris_job *job)
{
    atomic_fetch_add(&((struct letter *)job)->times, 1);
}

static struct letter *letters(struct scene *s)
{
    struct letter *l = scene_memory(s, LETTERS * sizeof *l);
    for (int i = 0; i < LETTERS; i++)
        l[i].answer.job.run = hear;
    return l;
}

static int post(struct scene *s, struct letter *l, uint64_t to, uint64_t number, int64_t timeout)
{
    const iris_mailbox *ext = cast_extension(s, IRIS_MAILBOX);
    return ext->send_told(s->self, to, &number, sizeof number, 0, timeout, &l->answer);
}

static int is_told(struct scene *s)
{
    return atomic_load(&((struct letter *)s->prop)->times) > 0;
}

static int await_told(struct scene *s, struct letter *l)
{
    s->prop = l;
    scene_await(s, is_told);
    assert_null(l->answer.message);
    return l->answer.result;
}

/* One message in hand, and no room for another. */
static struct holder *filled(struct scene *s, iris_spawn how)
{
    struct holder *h;
    how.capacity = 1;
    h = holder_spawn(s, how);
    scene_send(s, h->pid, 1);
    holder_await(s, h, 1);
    return h;
}

static void waits_in_line(struct scene *s)
{
    for (uint32_t policy = IRIS_DROP_NEW; policy <= IRIS_BLOCK; policy += IRIS_BLOCK) {
        struct holder *h = filled(s, (iris_spawn){.policy = policy});
        struct letter *l = letters(s);
        for (uint64_t i = 0; i < 3; i++)
            assert_int_equal(post(s, &l[i], h->pid, i + 2, i == 1 ? IRIS_SECOND * 1000 : -1),
                             IRIS_OK);
        assert_int_equal(l[0].times, 0);
        uint64_t number = 9; /* who does not wait gets no place before who does */
        assert_int_equal(s->api->send(s->self, h->pid, &number, sizeof number, 0), IRIS_FULL);
        holder_drain(s, h, 4);
        LOG(h, 1, 2, 3, 4);
        for (int i = 0; i < 3; i++)
            assert_int_equal(await_told(s, &l[i]), IRIS_OK);
        scene_settle(s);
        for (int i = 0; i < 3; i++)
            assert_int_equal(l[i].times, 1);
    }
}

static void is_told_at_once(struct scene *s)
{
    struct holder *h = holder_spawn(s, (iris_spawn){.capacity = 1});
    struct letter *l = letters(s);
    assert_int_equal(post(s, &l[0], h->pid, 1, 1), IRIS_OK);
    assert_int_equal(await_told(s, &l[0]), IRIS_OK);
    holder_await(s, h, 1);
    holder_drain(s, h, 1);
    assert_int_equal(post(s, &l[1], 4711, 1, 1), IRIS_DEAD);
    assert_int_equal(l[1].times, 0);
}

static void goes_in_time(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.policy = IRIS_BLOCK});
    struct letter *l = letters(s);
    int64_t begun = s->api->now(s->self);
    assert_int_equal(post(s, &l[0], h->pid, 2, 20 * IRIS_MILLISECOND), IRIS_OK);
    assert_int_equal(post(s, &l[1], h->pid, 3, -1), IRIS_OK);
    assert_int_equal(await_told(s, &l[0]), IRIS_EMPTY);
    assert_true(s->api->now(s->self) - begun >= 20 * IRIS_MILLISECOND);
    assert_int_equal(look_at(s, h->pid).waiting, 1);
    holder_drain(s, h, 2);
    LOG(h, 1, 3);
    assert_int_equal(await_told(s, &l[1]), IRIS_OK);
}

static void hears_of_the_end(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct holder *h = filled(s, (iris_spawn){.policy = IRIS_BLOCK});
    struct letter *l = letters(s);
    for (uint64_t i = 0; i < 2; i++)
        assert_int_equal(post(s, &l[i], h->pid, 2, i ? -1 : IRIS_SECOND * 1000), IRIS_OK);
    assert_int_equal(watch->kill(s->self, h->pid), IRIS_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(await_told(s, &l[i]), IRIS_DEAD);
    assert_int_equal(s->api->done(h->in_hand, IRIS_OK), IRIS_DEAD);
}

/* What comes in and what is late come at the same time, again and again. */
static void is_told_once(struct scene *s)
{
    for (int round = 0; round < 30; round++) {
        struct holder *h = filled(s, (iris_spawn){.policy = IRIS_BLOCK});
        struct letter *l = letters(s);
        for (uint64_t i = 0; i < LETTERS; i++)
            assert_int_equal(post(s, &l[i], h->pid, i + 2, (int64_t)i * 50000), IRIS_OK);
        for (int i = 0; i < LETTERS; i++) {
            holder_let_go(s, h, IRIS_OK);
            if (await_told(s, &l[i]) != IRIS_OK)
                break;
            holder_await(s, h, (unsigned)i + 2);
        }
        const iris_watch *watch = cast_extension(s, IRIS_WATCH);
        assert_int_equal(watch->kill(s->self, h->pid), IRIS_OK);
        for (int i = 0; i < LETTERS; i++)
            await_told(s, &l[i]);
        scene_settle(s);
        for (int i = 0; i < LETTERS; i++)
            assert_int_equal(l[i].times, 1);
        if (h->in_hand)
            s->api->done(h->in_hand, IRIS_OK);
    }
}

#define PLAY(test, play)           \
    static void test(void **state) \
    {                              \
        (void)state;               \
        scene_play(play);          \
    }
PLAY(test_line, waits_in_line)
PLAY(test_at_once, is_told_at_once)
PLAY(test_late, goes_in_time)
PLAY(test_end, hears_of_the_end)
PLAY(test_once, is_told_once)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p7.a_host_waits_in_line_and_hears_that_it_is_in", test_line),
    IRIS_TEST("p7.a_host_hears_also_where_there_is_room", test_at_once),
    IRIS_TEST("p7.a_host_waits_no_longer_than_it_said", test_late),
    IRIS_TEST("p7.a_waiting_host_hears_of_the_end", test_end),
    IRIS_TEST("p7.a_waiting_host_hears_once", test_once),
};

IRIS_MAIN(tests)
