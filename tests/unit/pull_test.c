/* Pull actors beside recv: what they wait for, their budget, their end. Each play is played by both kinds: a
 * coroutine, and a thread (a coroutine under seeds). */
#include "main.h"

#include "puller.h"

#include <stdlib.h>
#include <string.h>

/* ---- ask ---- */

static int ask_three(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    for (int i = 0; i < 3; i++) {
        int result = p->reader->ask(self, p->other, "?", 1, 20 * IRIS_SECOND, &m);
        if (result)
            return (p->api->fail)("ask: %d", result);
        puller_note(p, m);
        p->api->drop(m);
    }
    while (p->reader->recv(self, NULL, NULL, 0, &m) == IRIS_OK)
        puller_note(p, m);
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
    struct puller *p = s->prop = puller_make(s, ask_three);
    p->other = scene_spawn(s, &b, 0);
    iris_behaviour puller = puller_behaviour(p, "1");
    pid = scene_spawn(s, &puller, 0);
    cast_await_end(s, pid);
    static const uint64_t expected[6] = {1, 2, 3, 101, 102, 103};
    assert_int_equal(p->n, 6);
    assert_memory_equal(p->got, expected, sizeof expected);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* got[0]: for so long. */
static int ask_in_vain(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m = NULL;
    int64_t before = p->api->now(self), patience = (int64_t)p->got[0];
    (void)state;
    p->result = p->reader->ask(self, p->other, "?", 1, patience, &m);
    if (p->result == IRIS_EMPTY && p->api->now(self) - before < patience)
        p->result = 99;
    return 0;
}

static int take_all(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK)
        puller_note(p, m);
    return 0;
}

static void ask_one(struct scene *s, uint64_t whom, int expected)
{
    struct puller *p = s->prop = puller_make(s, ask_in_vain);
    iris_behaviour b = puller_behaviour(p, "1");
    p->other = whom;
    p->got[0] = expected == IRIS_EMPTY ? 3 * IRIS_MILLISECOND : 20 * IRIS_SECOND;
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
    struct puller *mute = puller_make(s, take_all);
    iris_behaviour crashes = {.size = sizeof crashes,
                              .abi = IRIS_ABI,
                              .name = "crashes",
                              .handle = crash},
                   takes = puller_behaviour(mute, "1");
    ask_one(s, 12345678, IRIS_DEAD);
    ask_one(s, scene_spawn(s, &takes, 0), IRIS_EMPTY);
    ask_one(s, scene_spawn(s, &crashes, 0), IRIS_DEAD);
}

/* ---- the end of one that waits ---- */

static int ask_for_ever(struct puller *p, iris_actor *self, struct numbers *state)
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

static int sleep_for_ever(struct puller *p, iris_actor *self, struct numbers *state)
{
    (void)state;
    p->result = p->reader->sleep(self, 3600 * IRIS_SECOND);
    return 0;
}

static void kill_one(struct scene *s, puller_run *run)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid;
    struct puller *p = puller_start(s, run, &pid);
    scene_await(s, puller_has_begun);
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

/* Until something came meanwhile. */
static int sleep_a_little(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    do {
        int64_t before = p->api->now(self);
        p->result = p->reader->sleep(self, 5 * IRIS_MILLISECOND);
        p->got[0] = (uint64_t)(p->api->now(self) - before);
        while (p->reader->recv(self, NULL, NULL, 0, &m) == IRIS_OK)
            atomic_fetch_add(&p->n, 1);
    } while (p->result == IRIS_OK && !atomic_load(&p->n));
    return 0;
}

static void sleeps(struct scene *s)
{
    uint64_t pid;
    struct puller *p = puller_start(s, sleep_a_little, &pid);
    scene_send(s, pid, 1); /* does not wake it */
    cast_await_end(s, pid);
    assert_int_equal(p->result, IRIS_OK);
    assert_int_equal(p->n, 1);
    assert_true(p->got[0] >= 5 * IRIS_MILLISECOND);
    if (s->seed)
        assert_int_equal(p->got[0], 5 * IRIS_MILLISECOND);
}

/* Each wait has its own end, also where a timer of an earlier one is still set. */
static int wait_again(struct puller *p, iris_actor *self, struct numbers *state)
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
    struct puller *p = s->prop = puller_make(s, wait_again);
    iris_behaviour b = puller_behaviour(p, "1");
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
    struct puller *p = s->prop = puller_make(s, take_all);
    iris_behaviour b = puller_behaviour(p, "1");
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.budget = BUDGET});
    for (uint64_t i = 0; i < FLOOD; i++)
        scene_send(s, pid, i);
    for (int before = 0, turns = 0; p->n < FLOOD; before = p->n, turns++) {
        assert_true(iris_step(s->rt));
        assert_true(p->n - before <= BUDGET);
    }
    scene_settle(s);
}

static int poll(struct puller *p, iris_actor *self, struct numbers *state)
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
    struct puller *p = puller_start(s, poll, &pid);
    cast_run(s, 100);
    scene_send(s, pid, 1);
    cast_await_end(s, pid);
    assert_int_equal(p->result, IRIS_OK);
}

/* ---- restarts ---- */

static int crash_on_three(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    uint64_t number;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK) {
        puller_note(p, m);
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
    struct puller *p = s->prop = puller_make(s, crash_on_three);
    iris_behaviour b = puller_behaviour(p, "1");
    uint64_t pid = cast_supervise(s, &b, "/p", RESTART_ON_FAILURE);
    for (uint64_t i = 1; i <= 5; i++)
        scene_send(s, pid, i);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    puller_expect(p, 1, 5);
    assert_int_equal(p->begun, 2);
    assert_int_equal(p->got[200], 2);
    assert_int_equal(scene_count(s).crashed, 1);
}

static int wait_for_mail(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    return p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_CLOSED ? 0 : IRIS_FAIL;
}

/* The runtime closes while they wait: scene_close() fails if one stays. */
static void closes(struct scene *s)
{
    struct puller *p = s->prop = puller_make(s, wait_for_mail);
    iris_behaviour b = puller_behaviour(p, "1");
    for (int i = 0; i < 20; i++)
        scene_spawn(s, &b, 0);
    scene_await(s, puller_has_begun);
}

/* ---- misuse ---- */

static int misuse(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    struct puller *p = b->data;
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
    struct puller *p = s->prop = puller_make(s, NULL);
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "push", .data = p, .handle = misuse};
    scene_send(s, scene_spawn(s, &b, 0), 1);
    scene_await(s, puller_has_ended);
    assert_true(p->result);
}

/* clang-format off */
PULLERS(asks)
PULLERS(asks_in_vain)
PULLERS(kills)
PULLERS(sleeps)
PULLERS(waits)
PULLER(budget, stack, _seeds)
PULLER(polls, stack, )
PULLERS(restarts)
PULLERS(closes)
PULLER(misuses, stack, )

static const struct CMUnitTest tests[] = {
    IRIS_TEST("pull.ask_waits_for_its_answer_and_leaves_other_mail", asks_on_stack),
    IRIS_TEST("pull.ask_tells_who_does_not_answer", asks_in_vain_on_stack),
    IRIS_TEST("p9.a_kill_closes_whatever_a_pull_actor_waits_for", kills_on_stack),
    IRIS_TEST("pull.sleep_is_not_woken_by_mail", sleeps_on_stack),
    IRIS_TEST("pull.each_wait_has_its_own_end", waits_on_stack),
    IRIS_TEST("p7.a_pull_actor_yields_at_the_recv_that_exhausts_its_budget", budget_on_stack),
    IRIS_TEST("p7.who_polls_keeps_nobody_from_sending", polls_on_stack),
    IRIS_TEST("p4.pull.a_restart_keeps_pid_and_mail", restarts_on_stack),
    IRIS_TEST("p9.a_runtime_closes_while_pull_actors_wait", closes_on_stack),
    IRIS_TEST("pull.calls_are_refused_elsewhere", misuses_on_stack),
    IRIS_TEST("pull.thread.ask_waits_for_its_answer_and_leaves_other_mail", asks_on_thread),
    IRIS_TEST("pull.thread.ask_tells_who_does_not_answer", asks_in_vain_on_thread),
    IRIS_TEST("p9.thread.a_kill_closes_whatever_a_pull_actor_waits_for", kills_on_thread),
    IRIS_TEST("pull.thread.sleep_is_not_woken_by_mail", sleeps_on_thread),
    IRIS_TEST("pull.thread.each_wait_has_its_own_end", waits_on_thread),
    IRIS_TEST("p4.thread.a_restart_keeps_pid_and_mail", restarts_on_thread),
    IRIS_TEST("p9.thread.a_runtime_closes_while_pull_actors_wait", closes_on_thread),
};
/* clang-format on */
IRIS_MAIN(tests)
