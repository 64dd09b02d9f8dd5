/* Pull actors: they take their mail themselves, in the order they choose; what they leave keeps its own.
 * Each play is played by both kinds: a coroutine, and a thread (which is a coroutine under seeds). */
#include "main.h"

#include "cast.h"

#include <stdlib.h>
#include <string.h>

struct puller {
    int (*run)(struct puller *, iris_actor *);
    uint64_t got[64];
    atomic_int n, result, returned;
    char down[32];
    const iris_reader *reader;
    const iris_api *api;
};

static uint32_t kind; /* of the pull actors of this test */

static int pull(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *none, int n)
{
    struct puller *p = b->data;
    (void)state, (void)none;
    int result = n ? IRIS_FAIL : p->run(p, self);
    atomic_store(&p->returned, 1);
    return result;
}

static struct puller *start(struct scene *s, int (*run)(struct puller *, iris_actor *),
                            uint64_t *pid, uint32_t capacity)
{
    struct puller *p = s->prop = scene_memory(s, sizeof *p);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "puller",
                        .version = "1",
                        .flags = IRIS_PULL | kind | IRIS_SIGNALS,
                        .data = p,
                        .handle = pull};
    p->run = run;
    p->api = s->api;
    p->reader = cast_extension(s, IRIS_READER);
    *pid = scene_spawn(s, &b, capacity);
    return p;
}

static void note(struct puller *p, const iris_message *m)
{
    memcpy(&p->got[p->n], m->data, 8);
    atomic_fetch_add(&p->n, 1);
}

static int has_returned(struct scene *s)
{
    return atomic_load(&((struct puller *)s->prop)->returned);
}

static int is_even(void *ctx, const iris_message *m)
{
    uint64_t number;
    (void)ctx;
    memcpy(&number, m->data, 8);
    return number % 2 == 0;
}

/* ---- selective ---- */

static int evens_first(struct puller *p, iris_actor *self)
{
    const iris_message *m;
    for (int i = 0; i < 5; i++) {
        if (p->reader->recv(self, is_even, NULL, -1, &m))
            return (p->api->fail)("closed");
        note(p, m);
    }
    while (p->reader->recv(self, NULL, NULL, 0, &m) == IRIS_OK)
        note(p, m);
    return 0;
}

static void selective(struct scene *s)
{
    uint64_t pid;
    struct puller *p = start(s, evens_first, &pid, 0);
    for (uint64_t i = 1; i <= 10; i++)
        scene_send(s, pid, i);
    scene_await(s, has_returned);
    static const uint64_t expected[10] = {2, 4, 6, 8, 10, 1, 3, 5, 7, 9};
    assert_int_equal(p->n, 10);
    assert_memory_equal(p->got, expected, sizeof expected);
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(scene_count(s).handled, 10);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* ---- time ---- */

static int wait_a_little(struct puller *p, iris_actor *self)
{
    const iris_message *m;
    int64_t before = p->api->now(self);
    p->result = p->reader->recv(self, NULL, NULL, 3 * IRIS_MILLISECOND, &m);
    if (p->api->now(self) - before < 3 * IRIS_MILLISECOND)
        return (p->api->fail)("too early");
    return 0;
}

static void timeouts(struct scene *s)
{
    uint64_t pid;
    for (int i = 0; i < 20; i++) {
        struct puller *p = start(s, wait_a_little, &pid, 0);
        scene_await(s, has_returned);
        assert_int_equal(p->result, IRIS_EMPTY);
        cast_await_end(s, pid);
    }
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* ---- the end ---- */

static int until_closed(struct puller *p, iris_actor *self)
{
    const iris_message *m;
    int result;
    while ((result = p->reader->recv(self, NULL, NULL, -1, &m)) == IRIS_OK)
        if (m->kind == IRIS_DOWN)
            memcpy(p->down, m->data, m->len < 31 ? m->len : 31);
        else
            note(p, m);
    p->result = result;
    return (p->api->fail)("its mailbox was closed"); /* and yet it is no crash */
}

static void stop_drains(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid;
    struct puller *p = start(s, until_closed, &pid, 0);
    for (uint64_t i = 1; i <= 40; i++)
        scene_send(s, pid, i);
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    assert_int_equal(p->n, 40);
    assert_int_equal(p->result, IRIS_CLOSED);
    assert_int_equal(scene_count(s).handled, 40);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static int has_one(struct scene *s)
{
    return atomic_load(&((struct puller *)s->prop)->n) == 1;
}

static void kill_closes(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid;
    struct puller *p = start(s, until_closed, &pid, 4);
    scene_send(s, pid, 1);
    scene_await(s, has_one);
    assert_int_equal(watch->kill(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    assert_int_equal(p->result, IRIS_CLOSED);
    assert_int_equal(scene_count(s).crashed, 0);
}

static int watch_nobody(struct puller *p, iris_actor *self)
{
    const iris_watch *watch = p->api->extension(IRIS_WATCH);
    uint64_t ref;
    watch->monitor(self, 12345678, &ref); /* told at once */
    return until_closed(p, self);
}

static void a_down_is_mail(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid;
    struct puller *p = start(s, watch_nobody, &pid, 0);
    scene_send(s, pid, 1);
    scene_await(s, has_one);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_string_equal(p->down, "noproc");
    assert_int_equal(scene_count(s).handled, 1);
}

/* clang-format off */
#define BOTH(play)                                                                                          \
    static void play##_on_stack(void **state)  { (void)state; kind = IRIS_OWN_STACK;  scene_play(play); }   \
    static void play##_on_thread(void **state) { (void)state; kind = IRIS_OWN_THREAD; scene_play(play); }
BOTH(selective)
BOTH(timeouts)
BOTH(stop_drains)
BOTH(kill_closes)
BOTH(a_down_is_mail)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("reader.what_is_not_taken_stays_in_order", selective_on_stack),
    IRIS_TEST("reader.recv_waits_as_long_as_it_is_told", timeouts_on_stack),
    IRIS_TEST("reader.a_stop_is_closed_behind_the_mail", stop_drains_on_stack),
    IRIS_TEST("reader.a_kill_closes_and_is_no_crash", kill_closes_on_stack),
    IRIS_TEST("reader.a_down_is_received", a_down_is_mail_on_stack),
    IRIS_TEST("reader.thread.what_is_not_taken_stays_in_order", selective_on_thread),
    IRIS_TEST("reader.thread.recv_waits_as_long_as_it_is_told", timeouts_on_thread),
    IRIS_TEST("reader.thread.a_stop_is_closed_behind_the_mail", stop_drains_on_thread),
    IRIS_TEST("reader.thread.a_kill_closes_and_is_no_crash", kill_closes_on_thread),
    IRIS_TEST("reader.thread.a_down_is_received", a_down_is_mail_on_thread),
};
/* clang-format on */
IRIS_MAIN(tests)
