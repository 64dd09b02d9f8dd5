/* Pull actors beside recv: what they wait for, their budget, and swaps, which they are told of and obey by
 * returning. Each play is played by both kinds: a coroutine, and a thread (a coroutine under seeds). */
#include "main.h"

#include "cast.h"

#include "gate.h"

#include <stdlib.h>
#include <string.h>

static uint32_t kind; /* of the pull actors of this test */

struct numbers;

struct part { /* what one pull actor does, and what it saw */
    int (*run)(struct part *, iris_actor *, struct numbers *);
    const iris_reader *reader;
    const iris_api *api;
    uint64_t other;    /* pid */
    atomic_int result; /* of a call */
    atomic_int begun, ended, hot, n;
    atomic_int go;
    uint64_t got[256];
};

struct numbers { /* its state: how many numbers it took, in all versions */
    uint64_t count;
};

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *none, int n)
{
    struct part *p = b->data;
    (void)none;
    atomic_fetch_add(&p->begun, 1);
    int result = n ? IRIS_FAIL : p->run(p, self, state);
    atomic_fetch_add(&p->ended, 1);
    return result;
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, sizeof(struct numbers));
    return *state ? IRIS_OK : IRIS_FAIL;
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *out)
{
    (void)b, (void)self;
    return out->write(out, state, sizeof(struct numbers));
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    if (init(b, self, saved, state) || from != 1 || saved.len != sizeof(struct numbers))
        return (iris_calls()->fail)("not my format");
    memcpy(*state, saved.data, saved.len);
    return IRIS_OK;
}

static struct part *part(struct scene *s, int (*run)(struct part *, iris_actor *, struct numbers *))
{
    struct part *p = scene_memory(s, sizeof *p);
    p->run = run;
    p->api = s->api;
    p->reader = cast_extension(s, IRIS_READER);
    return p;
}

static iris_behaviour behaviour(struct part *p, const char *version)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "puller",
                            .version = version,
                            .flags = IRIS_PULL | kind,
                            .state_version = 1,
                            .data = p,
                            .handle = handle,
                            .init = init,
                            .fini = fini,
                            .save = save,
                            .upgrade = upgrade};
}

static struct part *start(struct scene *s,
                          int (*run)(struct part *, iris_actor *, struct numbers *), uint64_t *pid)
{
    struct part *p = s->prop = part(s, run);
    iris_behaviour b = behaviour(p, "1");
    *pid = scene_spawn(s, &b, 0);
    return p;
}

static void note(struct part *p, const iris_message *m)
{
    uint64_t number = 0;
    memcpy(&number, m->data, m->len < sizeof number ? m->len : sizeof number);
    p->got[atomic_load(&p->n) % 256] = number;
    atomic_fetch_add(&p->n, 1);
}

static int has_ended(struct scene *s)
{
    return atomic_load(&((struct part *)s->prop)->ended);
}

static int has_begun(struct scene *s)
{
    return atomic_load(&((struct part *)s->prop)->begun);
}

static int is_asked_to_go(struct scene *s)
{
    return atomic_load(&((struct part *)s->prop)->hot);
}

/* ---- ask ---- */

static int ask_three(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    for (int i = 0; i < 3; i++) {
        int result = p->reader->ask(self, p->other, "?", 1, IRIS_SECOND, &m);
        if (result)
            return (p->api->fail)("ask: %d", result);
        note(p, m);
        p->api->drop(m);
    }
    while (p->reader->recv(self, NULL, NULL, 0, &m) == IRIS_OK)
        note(p, m);
    return 0;
}

static int answer_third(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    const iris_api *api = iris_calls();
    uint64_t *asked = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        uint64_t mail = 100 + ++*asked;
        api->send(self, m[i]->from, &mail, sizeof mail, 0); /* before the answer */
        api->send(self, m[i]->ref, asked, sizeof *asked, 0);
    }
    return n;
}

static void asks(struct scene *s)
{
    uint64_t pid, *asked = scene_memory(s, sizeof *asked);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "answers",
                        .data = asked,
                        .handle = answer_third};
    struct part *p = s->prop = part(s, ask_three);
    p->other = scene_spawn(s, &b, 0);
    iris_behaviour puller = behaviour(p, "1");
    pid = scene_spawn(s, &puller, 0);
    cast_await_end(s, pid);
    static const uint64_t expected[6] = {1, 2, 3, 101, 102, 103};
    assert_int_equal(p->n, 6);
    assert_memory_equal(p->got, expected, sizeof expected);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static int ask_in_vain(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m = NULL;
    int64_t before = p->api->now(self);
    (void)state;
    p->result = p->reader->ask(self, p->other, "?", 1, 3 * IRIS_MILLISECOND, &m);
    if (p->result == IRIS_EMPTY && p->api->now(self) - before < 3 * IRIS_MILLISECOND)
        p->result = 99;
    return 0;
}

static int take_all(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK)
        note(p, m);
    return 0;
}

static void ask_one(struct scene *s, uint64_t whom, int expected)
{
    struct part *p = s->prop = part(s, ask_in_vain);
    iris_behaviour b = behaviour(p, "1");
    p->other = whom;
    cast_await_end(s, scene_spawn(s, &b, 0));
    assert_int_equal(p->result, expected);
}

static int crash(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    (void)b, (void)self, (void)state, (void)m, (void)n;
    return (iris_calls()->fail)("of a question");
}

static void asks_in_vain(struct scene *s)
{
    struct part *mute = part(s, take_all);
    iris_behaviour crashes = {.size = sizeof crashes,
                              .abi = IRIS_ABI,
                              .name = "crashes",
                              .handle = crash},
                   takes = behaviour(mute, "1");
    ask_one(s, 12345678, IRIS_DEAD);
    ask_one(s, scene_spawn(s, &takes, 0), IRIS_EMPTY);
    ask_one(s, scene_spawn(s, &crashes, 0), IRIS_DEAD);
}

/* ---- the end of one that waits ---- */

static int ask_for_ever(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    p->result = p->reader->ask(self, p->api->pid(self), "?", 1, 3600 * IRIS_SECOND, &m);
    for (int i = 0; i < 1000; i++) /* who does not listen hears it each time */
        if (p->reader->recv(self, NULL, NULL, -1, &m) != IRIS_CLOSED ||
            p->reader->sleep(self, IRIS_SECOND) != IRIS_CLOSED)
            return (p->api->fail)("not closed");
    return 0;
}

static int sleep_for_ever(struct part *p, iris_actor *self, struct numbers *state)
{
    (void)state;
    p->result = p->reader->sleep(self, 3600 * IRIS_SECOND);
    return 0;
}

static void kill_one(struct scene *s, int (*run)(struct part *, iris_actor *, struct numbers *))
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid;
    struct part *p = start(s, run, &pid);
    scene_await(s, has_begun);
    assert_int_equal(watch->kill(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    assert_int_equal(p->result, IRIS_CLOSED);
    assert_int_equal(scene_count(s).crashed, 0);
    scene_settle(s);
    assert_true(iris_is_idle(s->rt));
}

static void kills(struct scene *s)
{
    kill_one(s, ask_for_ever);
    kill_one(s, sleep_for_ever);
}

/* ---- time ---- */

static int sleep_a_little(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    int64_t before = p->api->now(self);
    (void)state;
    p->result = p->reader->sleep(self, 5 * IRIS_MILLISECOND);
    p->got[0] = (uint64_t)(p->api->now(self) - before);
    while (p->reader->recv(self, NULL, NULL, 0, &m) == IRIS_OK)
        atomic_fetch_add(&p->n, 1);
    return 0;
}

static void sleeps(struct scene *s)
{
    uint64_t pid;
    struct part *p = start(s, sleep_a_little, &pid);
    scene_send(s, pid, 1); /* does not wake it */
    cast_await_end(s, pid);
    assert_int_equal(p->result, IRIS_OK);
    assert_int_equal(p->n, 1);
    assert_true(p->got[0] >= 5 * IRIS_MILLISECOND);
    if (s->seed)
        assert_int_equal(p->got[0], 5 * IRIS_MILLISECOND);
}

/* Each wait has its own end, also where a timer of an earlier one is still set. */
static int wait_again(struct part *p, iris_actor *self, struct numbers *state)
{
    static const int64_t waits[] = {9, 2, 7, 1, 1, 30, 4};
    const iris_message *m;
    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        int64_t before = p->api->now(self), wait = waits[i] * IRIS_MILLISECOND;
        int result = p->reader->recv(self, NULL, NULL, wait, &m);
        int64_t waited = p->api->now(self) - before;
        if (result == IRIS_OK)
            atomic_fetch_add(&p->n, 1);
        else if (result != IRIS_EMPTY || waited < wait || (p->go && waited != wait))
            return (p->api->fail)("wait %zu: result %d after %lld ns", i, result,
                                  (long long)waited);
    }
    return 0;
}

static void waits(struct scene *s)
{
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    uint64_t pid, number = 1;
    struct part *p = s->prop = part(s, wait_again);
    iris_behaviour b = behaviour(p, "1");
    p->go = s->seed != 0;
    pid = scene_spawn(s, &b, 0);
    timer->after(s->self, pid, 3 * IRIS_MILLISECOND, &number, sizeof number, NULL);
    cast_await_end(s, pid);
    assert_int_equal(scene_count(s).crashed, 0);
    if (s->seed)
        assert_int_equal(p->n, 1);
}

/* ---- budget ---- */

enum { BUDGET = 10, FLOOD = 500 };

static void budget(struct scene *s)
{
    struct part *p = s->prop = part(s, take_all);
    iris_behaviour b = behaviour(p, "1");
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.budget = BUDGET});
    for (uint64_t i = 0; i < FLOOD; i++)
        scene_send(s, pid, i);
    for (int before = 0, turns = 0; p->n < FLOOD; before = p->n, turns++) {
        assert_true(iris_step(s->rt));
        assert_true(p->n - before <= BUDGET);
    }
    scene_settle(s);
}

static int poll(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    int result;
    (void)state;
    while ((result = p->reader->take(self, NULL, NULL, &m)) == IRIS_EMPTY)
        ;
    p->result = result;
    return 0;
}

/* Who looks for mail without end keeps nobody from sending it. */
static void polls(struct scene *s)
{
    uint64_t pid;
    struct part *p = start(s, poll, &pid);
    cast_run(s, 100);
    scene_send(s, pid, 1);
    cast_await_end(s, pid);
    assert_int_equal(p->result, IRIS_OK);
}

/* ---- swap ---- */

/* Takes numbers until it is told to go. */
static int until_hot(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    int result;
    while ((result = p->reader->recv(self, NULL, NULL, -1, &m)) == IRIS_OK) {
        if (m->kind == IRIS_HOT_SWAP) {
            atomic_fetch_add(&p->hot, 1);
            return 0;
        }
        note(p, m);
        state->count++;
    }
    p->result = result;
    return 0;
}

static void expect_numbers(const struct part *p, uint64_t first, uint64_t last)
{
    assert_int_equal(p->n, last - first + 1);
    for (uint64_t i = first; i <= last; i++)
        assert_int_equal(p->got[i - first], i);
}

static int has_five(struct scene *s)
{
    return atomic_load(&((struct part *)s->prop)->n) == 5;
}

static void swap_in_order(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    struct part *old = start(s, until_hot, &pid), *new = part(s, until_hot);
    iris_behaviour b = behaviour(new, "2");
    for (uint64_t i = 1; i <= 20; i++)
        scene_send(s, pid, i);
    cast_swap(s, pid, &b, 0, told);
    for (uint64_t i = 21; i <= 30; i++)
        scene_send(s, pid, i);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    expect_numbers(old, 1, 20);
    expect_numbers(new, 21, 30);
    assert_int_equal(old->hot, 1);
    assert_int_equal(new->result, IRIS_CLOSED);
    assert_int_equal(scene_count(s).handled, 30);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* Six numbers were taken by the first version; the second goes on counting. */
static int report(struct part *p, iris_actor *self, struct numbers *state)
{
    (void)self;
    p->got[0] = state->count;
    return 0;
}

static void swap_keeps_state(struct scene *s)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    start(s, until_hot, &pid);
    struct part *new = part(s, report);
    iris_behaviour b = behaviour(new, "2");
    for (uint64_t i = 1; i <= 5; i++)
        scene_send(s, pid, i);
    scene_await(s, has_five);
    scene_send(s, pid, 6);
    cast_swap(s, pid, &b, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    cast_await_end(s, pid);
    assert_int_equal(new->got[0], 6);
}

static void swap_now(struct scene *s)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid;
    struct part *old = start(s, until_hot, &pid), *new = part(s, until_hot);
    iris_behaviour b = behaviour(new, "2");
    scene_await(s, has_begun);
    cast_swap(s, pid, &b, 1, told);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(old->hot, 1);
    scene_send(s, pid, 1);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    expect_numbers(new, 1, 1);
}

/* Does not care; ends by itself, later, on message 7. */
static int ignore_hot(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    uint64_t number;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK) {
        if (m->kind == IRIS_HOT_SWAP) {
            atomic_fetch_add(&p->hot, 1);
            p->got[0] = (uint64_t)p->api->now(self);
            continue;
        }
        memcpy(&number, m->data, sizeof number);
        if (number == 7)
            return 0;
    }
    return 0;
}

static void swap_too_slow(struct scene *s)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    struct part *old = start(s, ignore_hot, &pid), *new = part(s, until_hot);
    iris_behaviour b = behaviour(new, "2");
    cast_swap(s, pid, &b, 0, told);
    cast_expect(s, told, IRIS_FAIL, "has not returned from handle() within 5.0 s");
    assert_int_equal(s->api->now(s->self) - (int64_t)old->got[0], 5 * IRIS_SECOND);
    assert_int_equal(old->hot, 1);
    scene_send(s, pid, 1);
    assert_true(cast_is_alive(s, pid));
    scene_send(s, pid, 7); /* it went on: this is its own end */
    cast_await_end(s, pid);
    assert_int_equal(old->begun, 1);
    assert_int_equal(new->begun, 0);
}

/* Returns when it is ready, which is too late. */
static int return_late(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    if (p->reader->recv(self, NULL, NULL, -1, &m) || m->kind != IRIS_HOT_SWAP)
        return 0;
    atomic_fetch_add(&p->hot, 1);
    p->reader->sleep(self, 6 * IRIS_SECOND);
    return 0;
}

static void swap_late(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, 2 * sizeof *told);
    uint64_t pid;
    struct part *old = start(s, return_late, &pid), *new = part(s, until_hot);
    iris_behaviour b = behaviour(new, "2");
    cast_swap(s, pid, &b, 0, &told[0]);
    cast_expect(s, &told[0], IRIS_FAIL, "within 5.0 s");
    scene_settle(s);
    assert_true(cast_is_alive(s, pid)); /* the old one, from its beginning */
    assert_int_equal(old->begun, 2);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(new->begun, 0);
}

static int is_number(void *ctx, const iris_message *m)
{
    (void)ctx;
    return m->kind == IRIS_USER;
}

/* Finishes what it waits for first: what it does not match is not lost. */
static int numbers_first(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    for (int i = 0; i < 8 && p->reader->recv(self, is_number, NULL, -1, &m) == IRIS_OK; i++)
        note(p, m);
    return until_hot(p, self, state);
}

static void swap_after_all(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, 2 * sizeof *told);
    uint64_t pid;
    struct part *old = start(s, numbers_first, &pid), *new = part(s, until_hot);
    iris_behaviour b = behaviour(new, "2");
    for (uint64_t i = 1; i <= 10; i++) {
        scene_send(s, pid, i);
        if (i == 3)
            cast_swap(s, pid, &b, 0, &told[0]);
    }
    cast_expect(s, &told[0], IRIS_OK, NULL);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    expect_numbers(old, 1, 8);
    expect_numbers(new, 9, 10);
}

/* Two wait: each version takes what came before the next. */
static void swap_twice(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, 2 * sizeof *told);
    uint64_t pid;
    struct part *first = start(s, until_hot, &pid), *second = part(s, until_hot),
                *third = part(s, until_hot);
    iris_behaviour b = behaviour(second, "2"), c = behaviour(third, "3");
    scene_send(s, pid, 1);
    cast_swap(s, pid, &b, 0, &told[0]);
    scene_send(s, pid, 2);
    cast_swap(s, pid, &c, 0, &told[1]);
    scene_send(s, pid, 3);
    cast_expect(s, &told[0], IRIS_OK, NULL);
    cast_expect(s, &told[1], IRIS_OK, NULL);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    expect_numbers(first, 1, 1);
    expect_numbers(second, 2, 2);
    expect_numbers(third, 3, 3);
}

/* Told to go, it takes its time; what ends it, or takes the swap back, comes first. */
static int hot_then_wait(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK)
        if (m->kind == IRIS_HOT_SWAP) {
            atomic_fetch_add(&p->hot, 1);
            while (!p->go && p->reader->sleep(self, IRIS_MILLISECOND) == IRIS_OK)
                ;
            return p->go == 2 ? (p->api->fail)("not now") : 0;
        }
    return 0;
}

static void swap_or_kill(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    start(s, hot_then_wait, &pid);
    struct part *new = part(s, until_hot);
    iris_behaviour b = behaviour(new, "2");
    cast_swap(s, pid, &b, 0, told);
    scene_await(s, is_asked_to_go);
    watch->kill(s->self, pid);
    cast_expect(s, told, IRIS_DEAD, "ended");
    cast_await_end(s, pid);
    assert_int_equal(new->begun, 0);
}

static void swap_or_cancel(struct scene *s)
{
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid;
    struct part *old = start(s, hot_then_wait, &pid), *new = part(s, until_hot);
    iris_behaviour b = behaviour(new, "2");
    cast_swap(s, pid, &b, 0, told);
    scene_await(s, is_asked_to_go);
    assert_int_equal(control->cancel(s->self, pid), 1);
    cast_expect(s, told, IRIS_FAIL, "cancelled");
    old->go = 1;
    s->prop = old;
    scene_await(s, has_ended);
    cast_run(s, 50);
    scene_settle(s);
    assert_int_equal(old->begun, 2); /* the same version, from its beginning */
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(new->begun, 0);
}

/* A crash on the way is no way out: the supervisor begins it again, and then it is swapped. */
static void swap_or_crash(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, sizeof *told);
    struct part *old = s->prop = part(s, hot_then_wait), *new = part(s, until_hot);
    iris_behaviour a = behaviour(old, "1"), b = behaviour(new, "2");
    uint64_t pid = cast_supervise(s, &a, "/p", RESTART_ON_FAILURE);
    old->go = 2;
    cast_swap(s, pid, &b, 0, told);
    cast_expect(s, told, IRIS_OK, NULL);
    s->prop = new;
    scene_await(s, has_begun);
    assert_int_equal(old->begun, 1);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(scene_count(s).crashed, 0); /* HOT_SWAP is no letter */
}

static void swap_of_another_kind(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, 2 * sizeof *told);
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    uint64_t pid;
    struct part *p = start(s, until_hot, &pid);
    cast_swap(s, pid, &plain, 0, &told[0]);
    cast_expect(s, &told[0], IRIS_FAIL, "two kinds");
    cast_swap(s, pid, &plain, 1, &told[1]);
    cast_expect(s, &told[1], IRIS_FAIL, "two kinds");
    scene_send(s, pid, 1);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(p->n, 1);
    assert_int_equal(p->begun, 1); /* it was not even told */
}

/* ---- restarts ---- */

static int crash_on_three(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    uint64_t number;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK) {
        note(p, m);
        state->count++;
        memcpy(&number, m->data, sizeof number);
        if (number == 3)
            return (p->api->fail)("three");
    }
    p->got[200] = state->count;
    return 0;
}

static void restarts(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct part *p = s->prop = part(s, crash_on_three);
    iris_behaviour b = behaviour(p, "1");
    uint64_t pid = cast_supervise(s, &b, "/p", RESTART_ON_FAILURE);
    for (uint64_t i = 1; i <= 5; i++)
        scene_send(s, pid, i);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    expect_numbers(p, 1, 5);
    assert_int_equal(p->begun, 2);
    assert_int_equal(p->got[200], 2);
    assert_int_equal(scene_count(s).crashed, 1);
}

static int wait_for_mail(struct part *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    return p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_CLOSED ? 0 : IRIS_FAIL;
}

/* The runtime closes while they wait: scene_close() fails if one stays. */
static void closes(struct scene *s)
{
    struct part *p = s->prop = part(s, wait_for_mail);
    iris_behaviour b = behaviour(p, "1");
    for (int i = 0; i < 20; i++)
        scene_spawn(s, &b, 0);
    scene_await(s, has_begun);
}

/* ---- misuse ---- */

static int misuse(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    struct part *p = b->data;
    const iris_message *out;
    (void)state, (void)m;
    p->result = p->reader->recv(self, NULL, NULL, -1, &out) == IRIS_FAIL &&
                p->reader->take(self, NULL, NULL, &out) == IRIS_FAIL &&
                p->reader->ask(self, 1, "", 0, 0, &out) == IRIS_FAIL &&
                p->reader->sleep(self, 1) == IRIS_FAIL && p->reader->yield(self) == IRIS_FAIL &&
                strstr(iris_reason(), "for pull actors");
    atomic_fetch_add(&p->ended, 1);
    return n;
}

static void misuses(struct scene *s)
{
    struct part *p = s->prop = part(s, NULL);
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "push", .data = p, .handle = misuse};
    scene_send(s, scene_spawn(s, &b, 0), 1);
    scene_await(s, has_ended);
    assert_true(p->result);
}

/* clang-format off */
#define PLAY(play, how, scene)                                                                         \
    static void play##_on_##how(void **state) { (void)state; kind = KIND_##how; scene_play##scene(play); }
#define BOTH(play) PLAY(play, stack, ) PLAY(play, thread, )
#define KIND_stack IRIS_OWN_STACK
#define KIND_thread IRIS_OWN_THREAD
BOTH(asks)
BOTH(asks_in_vain)
BOTH(kills)
BOTH(sleeps)
BOTH(waits)
PLAY(budget, stack, _seeds)
PLAY(polls, stack, )
BOTH(swap_in_order)
BOTH(swap_keeps_state)
BOTH(swap_now)
PLAY(swap_too_slow, stack, _seeds)
PLAY(swap_late, stack, _seeds)
BOTH(swap_after_all)
BOTH(swap_twice)
BOTH(swap_or_kill)
BOTH(swap_or_cancel)
BOTH(swap_or_crash)
BOTH(swap_of_another_kind)
BOTH(restarts)
BOTH(closes)
PLAY(misuses, stack, )

static const struct CMUnitTest tests[] = {
    IRIS_TEST("pull.ask_waits_for_its_answer_and_leaves_other_mail", asks_on_stack),
    IRIS_TEST("pull.ask_tells_who_does_not_answer", asks_in_vain_on_stack),
    IRIS_TEST("p9.a_kill_closes_whatever_a_pull_actor_waits_for", kills_on_stack),
    IRIS_TEST("pull.sleep_is_not_woken_by_mail", sleeps_on_stack),
    IRIS_TEST("pull.each_wait_has_its_own_end", waits_on_stack),
    IRIS_TEST("p7.a_pull_actor_yields_at_the_recv_that_exhausts_its_budget", budget_on_stack),
    IRIS_TEST("p7.who_polls_keeps_nobody_from_sending", polls_on_stack),
    IRIS_TEST("p3.pull.what_came_before_the_swap_is_the_old_ones", swap_in_order_on_stack),
    IRIS_TEST("p3.pull.swap_keeps_state", swap_keeps_state_on_stack),
    IRIS_TEST("p3.pull.swap_now_comes_before_the_mail", swap_now_on_stack),
    IRIS_TEST("p3.pull.a_swap_is_refused_after_5_s", swap_too_slow_on_stack),
    IRIS_TEST("p3.pull.who_returns_too_late_begins_again", swap_late_on_stack),
    IRIS_TEST("p3.pull.a_swap_that_is_not_matched_waits", swap_after_all_on_stack),
    IRIS_TEST("p3.pull.two_swaps_come_in_order", swap_twice_on_stack),
    IRIS_TEST("p3.pull.a_kill_comes_before_the_swap", swap_or_kill_on_stack),
    IRIS_TEST("p3.pull.a_swap_is_cancelled_after_it_was_told", swap_or_cancel_on_stack),
    IRIS_TEST("p3.pull.a_crash_on_the_way_is_swapped_by_the_restart", swap_or_crash_on_stack),
    IRIS_TEST("p3.pull.another_kind_is_refused", swap_of_another_kind_on_stack),
    IRIS_TEST("p4.pull.a_restart_keeps_pid_and_mail", restarts_on_stack),
    IRIS_TEST("p9.a_runtime_closes_while_pull_actors_wait", closes_on_stack),
    IRIS_TEST("pull.calls_are_refused_elsewhere", misuses_on_stack),
    IRIS_TEST("pull.thread.ask_waits_for_its_answer_and_leaves_other_mail", asks_on_thread),
    IRIS_TEST("pull.thread.ask_tells_who_does_not_answer", asks_in_vain_on_thread),
    IRIS_TEST("p9.thread.a_kill_closes_whatever_a_pull_actor_waits_for", kills_on_thread),
    IRIS_TEST("pull.thread.sleep_is_not_woken_by_mail", sleeps_on_thread),
    IRIS_TEST("pull.thread.each_wait_has_its_own_end", waits_on_thread),
    IRIS_TEST("p3.thread.what_came_before_the_swap_is_the_old_ones", swap_in_order_on_thread),
    IRIS_TEST("p3.thread.swap_keeps_state", swap_keeps_state_on_thread),
    IRIS_TEST("p3.thread.swap_now_comes_before_the_mail", swap_now_on_thread),
    IRIS_TEST("p3.thread.a_swap_that_is_not_matched_waits", swap_after_all_on_thread),
    IRIS_TEST("p3.thread.two_swaps_come_in_order", swap_twice_on_thread),
    IRIS_TEST("p3.thread.a_kill_comes_before_the_swap", swap_or_kill_on_thread),
    IRIS_TEST("p3.thread.a_swap_is_cancelled_after_it_was_told", swap_or_cancel_on_thread),
    IRIS_TEST("p3.thread.a_crash_on_the_way_is_swapped_by_the_restart", swap_or_crash_on_thread),
    IRIS_TEST("p3.thread.another_kind_is_refused", swap_of_another_kind_on_thread),
    IRIS_TEST("p4.thread.a_restart_keeps_pid_and_mail", restarts_on_thread),
    IRIS_TEST("p9.thread.a_runtime_closes_while_pull_actors_wait", closes_on_thread),
};
/* clang-format on */
IRIS_MAIN(tests)
