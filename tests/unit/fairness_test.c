/* Who gets a turn, and how long: a newcomer does not wait for all that flood, who is behind catches up. */
#include "main.h"

#include "cast.h"

#include <stdlib.h>
#include <time.h>

/* ---- beside many that flood ---- */

enum { FLOODERS = 400, TRIES = 51, SOON = 100 };

struct crowd {
    atomic_ulong turns; /* of those that flood */
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
    if (!atomic_load(&c->stop))
        iris_calls()->send(self, iris_calls()->pid(self), m[0]->data, m[0]->len, 0);
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
static void beside_a_crowd(struct scene *s)
{
    struct crowd *c = scene_memory(s, sizeof *c);
    iris_behaviour flooder = {
        .size = sizeof flooder, .abi = IRIS_ABI, .name = "flooder", .data = c, .handle = flood};
    iris_behaviour light = flooder;
    light.name = "light";
    light.handle = be_light;
    long waits[TRIES];
    uint64_t pid = scene_spawn(s, &light, 0);
    for (int i = 0; i < FLOODERS; i++)
        scene_send(s, cast_spawn(s, &flooder, (iris_spawn){.budget = 1}), 1);
    while (atomic_load(&c->turns) < 10 * FLOODERS) /* all are under way */
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
    beside_a_crowd(&s);
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

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p2.a_newcomer_does_not_wait_for_all_that_flood", newcomer),
    IRIS_TEST("p2.who_has_fallen_behind_gets_longer_turns", behind),
};
/* clang-format on */
IRIS_MAIN(tests)
