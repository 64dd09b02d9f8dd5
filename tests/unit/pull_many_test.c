/* Many pull actors at once, and what they take, beside a simple model of it. */
#include "main.h"

#include "puller.h"

#include "fiber.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- 100,000 ---- */

#if defined(IRIS__TSAN)
enum { CROWD = 1000 }; /* each is a thread to it */
#elif defined(IRIS__ASAN)
enum { CROWD = 10000 };
#else
enum { CROWD = 100000 };
#endif

struct crowd {
    struct puller each; /* first: all share it */
    atomic_int answers;
    uint64_t pids[CROWD];
};

static int answer_all(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK)
        if (p->api->send(self, p->other, m->data, m->len, 0))
            return (p->api->fail)("not sent");
    return 0;
}

static int count_answers(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    struct crowd *c = b->data;
    (void)self, (void)state, (void)m;
    atomic_fetch_add(&c->answers, n);
    return n;
}

static long resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static int all_have_begun(struct scene *s)
{
    return atomic_load(&((struct crowd *)s->prop)->each.begun) == CROWD;
}

static int all_have_ended(struct scene *s)
{
    return atomic_load(&((struct crowd *)s->prop)->each.ended) == CROWD;
}

static void send_all(struct scene *s, struct crowd *c, int rounds)
{
    for (int r = 1; r <= rounds; r++) {
        for (int i = 0; i < CROWD; i++)
            scene_send(s, c->pids[i], (uint64_t)i);
        scene_settle(s);
        assert_int_equal(c->answers, r * CROWD);
    }
}

static void crowd(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct crowd *c = scene_memory(s, sizeof *c);
    struct puller *p = puller_make(s, answer_all);
    iris_behaviour counts = {.size = sizeof counts,
                             .abi = IRIS_ABI,
                             .name = "counts",
                             .data = c,
                             .handle = count_answers};
    c->each = *p;
    c->each.other = scene_spawn(s, &counts, 0);
    s->prop = c;
    iris_behaviour b = puller_behaviour(&c->each, "1");
    b.init = NULL; /* no state: what is measured is the actor */
    b.fini = NULL;
    iris_version *v = scene_define(s, &b);
    iris_spawn order = {.size = sizeof order, .abi = IRIS_ABI, .version = v};
    long before = resident();
    for (int i = 0; i < CROWD; i++)
        if (s->api->spawn(s->self, &order, &c->pids[i]))
            fail_msg("number %d: %s", i, iris_reason());
    scene_await(s, all_have_begun);
    scene_settle(s);
    send_all(s, c, 2);
    long each = (resident() - before) / CROWD;
    printf("# %d coroutines live, %ld bytes each\n", CROWD, each);
#if !defined(IRIS__ASAN) && !defined(IRIS__TSAN)
    assert_true(each < 6000);
#endif
    for (int i = 0; i < CROWD; i++)
        watch->stop(s->self, c->pids[i]);
    scene_await(s, all_have_ended);
    scene_settle(s);
    s->api->release(v);
    assert_int_equal(scene_count(s).dead_letters, 0);
#if !defined(IRIS__ASAN) && !defined(IRIS__TSAN)
    assert_true(resident() - before < (long)CROWD * 1000 + (24 << 20)); /* the stacks went back */
#endif
}

/* ---- beside a model ---- */

enum { MESSAGES = 300, KINDS = 5 };

struct model { /* what was sent and not taken, in order */
    struct puller each;
    struct random random;
    uint64_t left[MESSAGES];
    int nleft, sent, taken, wrong;
};

static int is_of_kind(void *ctx, const iris_message *m)
{
    uint64_t number;
    memcpy(&number, m->data, sizeof number);
    return number % KINDS == *(uint64_t *)ctx;
}

static int first_of(const struct model *k, const uint64_t *kind)
{
    for (int i = 0; i < k->nleft; i++)
        if (!kind || k->left[i] % KINDS == *kind)
            return i;
    return -1;
}

static void compare(struct model *k, const uint64_t *kind, int result, const iris_message *m)
{
    int at = first_of(k, kind);
    uint64_t number = 0;
    if (result != IRIS_OK) {
        k->wrong += result != IRIS_EMPTY || at >= 0;
        return;
    }
    memcpy(&number, m->data, sizeof number);
    if (at < 0 || k->left[at] != number) {
        k->wrong++;
        return;
    }
    k->taken++;
    memmove(&k->left[at], &k->left[at + 1], (size_t)(--k->nleft - at) * sizeof k->left[0]);
}

/* Takes, or receives with some patience, one kind or whatever comes first. */
static int take_as_it_comes(struct puller *p, iris_actor *self, struct numbers *state)
{
    struct model *k = (struct model *)p;
    const iris_message *m;
    (void)state;
    while (k->taken < MESSAGES && !k->wrong) {
        uint64_t of = iris__random_below(&k->random, KINDS);
        const uint64_t *kind = iris__random_below(&k->random, 3) ? &of : NULL;
        int64_t wait = (int64_t)iris__random_below(&k->random, 3) * IRIS_MILLISECOND;
        int result = iris__random_below(&k->random, 4)
                         ? p->reader->recv(self, kind ? is_of_kind : NULL, &of, wait, &m)
                         : p->reader->take(self, kind ? is_of_kind : NULL, &of, &m);
        compare(k, kind, result, m);
    }
    return 0;
}

/* Sends some, now and then. */
static int send_some(const iris_behaviour *b, iris_actor *self, void *state,
                     const iris_message *const *m, int n)
{
    struct model *k = b->data;
    const iris_timer_api *timer = k->each.api->extension(IRIS_TIMER_EXT);
    (void)state, (void)m;
    for (uint32_t i = iris__random_below(&k->random, 12); i > 0 && k->sent < MESSAGES; i--) {
        uint64_t number = (uint64_t)k->sent * 7919;
        k->wrong += k->each.api->send(self, k->each.other, &number, sizeof number, 0) != IRIS_OK;
        k->left[k->nleft++] = number;
        k->sent++;
    }
    if (k->sent < MESSAGES)
        timer->after(self, k->each.api->pid(self),
                     (int64_t)iris__random_below(&k->random, 4) * IRIS_MILLISECOND / 2, NULL, 0,
                     NULL);
    return n;
}

static void as_the_model_says(struct scene *s)
{
    struct model *k = scene_memory(s, sizeof *k);
    struct puller *p = puller_make(s, take_as_it_comes);
    iris_behaviour sender = {
        .size = sizeof sender, .abi = IRIS_ABI, .name = "sender", .data = k, .handle = send_some};
    k->each = *p;
    k->random.state = s->seed * 977 + 1;
    iris_behaviour b = puller_behaviour(&k->each, "1");
    k->each.other = scene_spawn(s, &b, 0);
    scene_send(s, scene_spawn(s, &sender, 0), 0);
    cast_await_end(s, k->each.other);
    assert_int_equal(k->wrong, 0);
    assert_int_equal(k->taken, MESSAGES);
    assert_int_equal(k->nleft, 0);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* ---- comings and goings ---- */

/* Some wait, some ask each other, some sleep, some crash, some end; most are killed before they do. */
static int live_a_little(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    for (int i = 0; i < 8; i++) {
        if (p->reader->recv(self, NULL, NULL, i % 2 ? IRIS_MILLISECOND : -1, &m) == IRIS_CLOSED)
            return 0;
        uint64_t number = 0;
        if (m && m->kind == IRIS_USER && m->len == 8)
            memcpy(&number, m->data, 8);
        m = NULL;
        if (number % 7 == 1)
            return (p->api->fail)("one of seven");
        if (number % 7 == 2 && p->reader->sleep(self, IRIS_MILLISECOND) == IRIS_CLOSED)
            return 0;
        if (number % 7 == 3 &&
            p->reader->ask(self, p->api->pid(self), "", 0, IRIS_MILLISECOND, &m) == IRIS_CLOSED)
            return 0;
        if (number % 7 == 4 && p->reader->yield(self) == IRIS_CLOSED)
            return 0;
    }
    return 0;
}

static void churn(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct puller *p = s->prop = puller_make(s, live_a_little);
    iris_behaviour b = puller_behaviour(p, "1");
    struct random r = {.state = s->seed + 5};
    uint64_t pids[32] = {0};
    for (int i = 0; i < 1000; i++) {
        uint64_t *at = &pids[iris__random_below(&r, 32)], number = iris__random_below(&r, 1000);
        uint32_t what = iris__random_below(&r, 10);
        if (!*at || !cast_is_alive(s, *at))
            *at = scene_spawn(s, &b, 0);
        else if (what == 0)
            watch->kill(s->self, *at);
        else if (what == 1)
            watch->stop(s->self, *at);
        else
            s->api->send(s->self, *at, &number, sizeof number, 0);
        if (s->seed && what < 5)
            iris_step(s->rt);
    }
    for (int i = 0; i < 32; i++)
        watch->stop(s->self, pids[i]);
    for (int i = 0; i < 32; i++)
        if (pids[i])
            cast_await_end(s, pids[i]);
    scene_settle(s);
    assert_int_equal(scene_count(s).actors, 0);
}

static void test_crowd(void **state)
{
    (void)state;
    puller_kind = IRIS_OWN_STACK;
    scene_play_threads(crowd);
}

/* clang-format off */
PULLER(as_the_model_says, stack, _seeds)
PULLERS(churn)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p8.100000_coroutines_live_and_answer_and_their_memory_goes_back", test_crowd),
    IRIS_TEST("pull.selective_receive_is_as_the_model_says", as_the_model_says_on_stack),
    IRIS_TEST("p9.pull_actors_come_and_go_at_random", churn_on_stack),
    IRIS_TEST("p9.thread.pull_actors_come_and_go_at_random", churn_on_thread),
};
/* clang-format on */
IRIS_MAIN(tests)
