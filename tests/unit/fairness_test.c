/* Who gets a turn, and how long: a newcomer does not wait for all that flood, who is behind catches up. */
#include "main.h"

#include "cast.h"
#include "fail.h"
#include "renew.h"
#include "runtime.h"
#include "thread.h"

#include <stdlib.h>
#include <time.h>

/* ---- beside many that flood ---- */

enum { FLOODERS = 400, OVERFLOW = 1500, TRIES = 51, SOON = 100 };

struct crowd {
    atomic_ulong turns; /* of those that flood */
    atomic_int begun_flooding;
    atomic_int stop;
    atomic_ulong begun; /* turns, when the light actor had its own; 0: not yet */
};

/* With a budget of one: a message to itself a turn. */
static int flood(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    struct crowd *c = b->data;
    (void)state;
    atomic_fetch_add(&c->turns, 1);
    atomic_fetch_add(&c->begun_flooding, m[0]->ref == 0);
    if (!atomic_load(&c->stop))
        iris_calls()->send(self, iris_calls()->pid(self), NULL, 0, 1);
    return n;
}

static int be_light(const iris_behaviour *b, iris_actor *self, void *state,
                    const iris_message *const *m, int n)
{
    struct crowd *c = b->data;
    (void)self, (void)state, (void)m;
    atomic_store(&c->begun, atomic_load(&c->turns));
    return n;
}

static int compare(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

static long wait_in_turns(struct scene *s, struct crowd *c, uint64_t light)
{
    struct timespec moment = {.tv_nsec = 100000};
    atomic_store(&c->begun, 0);
    unsigned long sent = atomic_load(&c->turns);
    scene_send(s, light, 1);
    while (!atomic_load(&c->begun))
        nanosleep(&moment, NULL);
    return (long)(atomic_load(&c->begun) - sent);
}

/* The median: this thread may lose its core between its look at the turns and its message. */
static void beside_a_crowd(struct scene *s, int flooders)
{
    struct crowd *c = scene_memory(s, sizeof *c);
    iris_behaviour flooder = {
        .size = sizeof flooder, .abi = IRIS_ABI, .name = "flooder", .data = c, .handle = flood};
    iris_behaviour light = flooder;
    light.name = "light";
    light.handle = be_light;
    long waits[TRIES];
    uint64_t pid = scene_spawn(s, &light, 0);
    for (int i = 0; i < flooders; i++)
        scene_send(s, cast_spawn(s, &flooder, (iris_spawn){.budget = 1}), 1);
    while (atomic_load(&c->begun_flooding) < flooders) /* all are under way */
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    for (int i = 0; i < TRIES; i++)
        waits[i] = wait_in_turns(s, c, pid);
    atomic_store(&c->stop, 1);
    scene_settle(s);
    qsort(waits, TRIES, sizeof *waits, compare);
    assert_true(waits[TRIES / 2] < SOON);
}

static void newcomer(void **state)
{
    (void)state;
    struct scene s = {.memory = NULL};
    scene_open(&s, 1, 0);
    beside_a_crowd(&s, FLOODERS);
    scene_close(&s);
}

/* More than a worker's own queue holds: the others have turns, too, and so has who is new. */
static void overflow(void **state)
{
    (void)state;
    struct scene s = {.memory = NULL};
    scene_open(&s, 1, 0);
    beside_a_crowd(&s, OVERFLOW);
    scene_close(&s);
}

/* ---- a long mailbox ---- */

enum { MAIL = 8192, BUDGET = 10 };

/* Of 8,192 messages the last 1,024 take a turn for each ten, those before not. */
static void has_fallen_behind(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_driver d = {.size = sizeof d, .abi = IRIS_ABI, .name = "slow"};
    iris_behaviour b = cast_counter(l);
    assert_int_equal(s->api->open(s->self, &d, &b.executor), IRIS_OK);
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.budget = BUDGET});
    for (uint64_t i = 1; i <= MAIL; i++)
        scene_send(s, pid, cast_number(0, i));
    scene_settle(s);
    assert_int_equal(l->handled, MAIL);
    assert_int_equal(l->disorder, 0);
    assert_in_range(s->api->turn(b.executor), 1024 / BUDGET, MAIL / BUDGET / 2);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    watch->kill(s->self, pid);
    cast_await_end(s, pid);
    scene_settle(s); /* its version goes on that thread */
    s->api->close(b.executor);
}

static void behind(void **state)
{
    (void)state;
    scene_play_seeds(has_fallen_behind);
}

/* ---- a time slice of its own ---- */

enum { SLICED = 40, EACH = 300, SLICE = 1000 }; /* us */

struct sliced {
    struct scene *scene;
    int n;
    uint64_t turns[SLICED]; /* in which each message was handled */
};

/* A message takes 300 us, of the virtual clock. */
static void take_time(struct sliced *p)
{
    struct sched *sched = &p->scene->rt->world.sched;
    const struct lane *lane = iris__thread.lane;
    if (p->n < SLICED)
        p->turns[p->n++] = atomic_load(&lane->turns);
    iris__clock_advance(&sched->clock, sched->clock.at + EACH * IRIS__MS / 1000);
}

static int be_slow(const iris_behaviour *b, iris_actor *self, void *state,
                   const iris_message *const *m, int n)
{
    (void)self, (void)state, (void)m;
    for (int i = 0; i < n; i++)
        take_time(b->data);
    return n;
}

static int pull_slowly(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    const iris_reader *reader = iris_calls()->extension(IRIS_READER);
    const iris_message *got;
    (void)state, (void)m, (void)n;
    while (reader->recv(self, NULL, NULL, -1, &got) == IRIS_OK)
        take_time(b->data);
    return 0;
}

/* All but the last turn have so many messages. */
static void assert_turns_of(const struct sliced *p, int messages)
{
    assert_int_equal(p->n, SLICED);
    for (int i = 1; i < SLICED; i++)
        assert_int_equal(p->turns[i] != p->turns[i - 1], i % messages == 0);
}

static uint64_t spawn_slow(struct scene *s, struct sliced *p, uint32_t flags, iris_spawn how)
{
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "slow",
                        .data = p,
                        .flags = flags,
                        .handle = flags & IRIS_PULL ? pull_slowly : be_slow};
    p->scene = s;
    return cast_spawn(s, &b, how);
}

static void flood_slow(struct scene *s, uint64_t pid)
{
    for (uint64_t i = 0; i < SLICED; i++)
        scene_send(s, pid, i);
    scene_settle(s);
}

/* In four messages of 300 us a slice of 1 ms is over; five are a budget of five; one is longer than 1 us. */
static void has_its_time(struct scene *s)
{
    static const uint32_t kinds[] = {0, IRIS_PULL | IRIS_OWN_STACK};
    for (int i = 0; i < 2; i++) {
        struct sliced *p = scene_memory(s, 3 * sizeof *p);
        iris_spawn how[] = {
            {.slice = SLICE * 1000}, {.slice = IRIS_SECOND, .budget = 5}, {.slice = 1000}};
        static const int expected[] = {4, 5, 1};
        for (int k = 0; k < 3; k++) {
            flood_slow(s, spawn_slow(s, &p[k], kinds[i], how[k]));
            assert_turns_of(&p[k], expected[k]);
        }
    }
}

static void slices(void **state)
{
    (void)state;
    scene_play_seeds(has_its_time);
}

static void is_given_time(struct scene *s)
{
    struct sliced *p = scene_memory(s, sizeof *p);
    uint64_t pid = spawn_slow(s, p, 0, (iris_spawn){.budget = 1});
    struct renewal *r = iris__renewal_create();
    assert_non_null(r);
    r->budget = 100;
    r->slice = SLICE * 1000;
    assert_int_equal(iris__renew(&s->rt->world, pid, r), IRIS_OK);
    scene_settle(s);
    flood_slow(s, pid);
    assert_turns_of(p, 4);
}

static void renewed(void **state)
{
    (void)state;
    scene_play_seeds(is_given_time);
}

static void wrong(void **state)
{
    struct scene s = {.memory = NULL};
    uint64_t pid;
    (void)state;
    scene_open(&s, 1, 0);
    struct ledger *l = cast_ledger(&s);
    iris_behaviour b = cast_counter(l);
    iris_version *v = scene_define(&s, &b);
    iris_spawn how = {.size = sizeof how, .abi = IRIS_ABI, .version = v, .slice = -1};
    assert_int_equal(s.api->spawn(s.self, &how, &pid), IRIS_FAIL);
    assert_string_equal(iris__reason(),
                        "spawn: a time slice of -1 ns; more than 0, or 0: as all have");
    s.api->release(v);
    scene_close(&s);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p2.a_newcomer_does_not_wait_for_all_that_flood", newcomer),
    IRIS_TEST("p2.more_floods_than_a_queue_holds_keep_nobody_from_a_turn", overflow),
    IRIS_TEST("p2.who_has_fallen_behind_gets_longer_turns", behind),
    IRIS_TEST("p2.a_time_slice_of_its_own_ends_a_turn", slices),
    IRIS_TEST("p2.a_time_slice_is_given_while_it_runs", renewed),
    IRIS_TEST("p2.a_time_slice_below_nothing_is_refused", wrong),
};
/* clang-format on */
IRIS_MAIN(tests)
