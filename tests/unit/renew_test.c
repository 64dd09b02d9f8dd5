/* A planned restart, and what an actor begins again with: nothing is lost, nothing is counted, and what init
 * refuses is as if nobody had asked. */
#include "main.h"

#include "cast.h"

#include "renew.h"
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

/* ---- an actor that knows its args ---- */

struct learner {
    char args[32]; /* of the last init that went well */
    atomic_int inits, ticks;
};

static int learn(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct learner *l = b->data;
    (void)self, (void)state;
    atomic_fetch_add(&l->inits, 1);
    if (args.len == 3 && !memcmp(args.data, "bad", 3))
        return (iris_calls()->fail)("not with those");
    snprintf(l->args, sizeof l->args, "%.*s", (int)args.len,
             args.data ? (const char *)args.data : "");
    return IRIS_OK;
}

static int tick(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *m, int n)
{
    struct learner *l = b->data;
    (void)self, (void)state;
    for (int i = 0; i < n; i++)
        if (m[i]->len && *(const char *)m[i]->data == 'c')
            return (iris_calls()->fail)("told to"), ~i;
    atomic_fetch_add(&l->ticks, n);
    return n;
}

static uint64_t learner(struct scene *s, struct learner **out, enum restart_when when)
{
    *out = scene_memory(s, sizeof **out);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "learner",
                        .version = "1",
                        .data = *out,
                        .init = learn,
                        .handle = tick};
    return cast_supervise(s, &b, "/svc/learner", when);
}

static void told(void *ctx, int result, const char *why)
{
    cast_tell(ctx, result, why);
}

static int renew(struct scene *s, uint64_t pid, const char *args, int waits, struct verdict *v)
{
    struct renewal *r = iris__renewal_create();
    r->waits = waits;
    r->args = strdup(args);
    r->args_len = strlen(args);
    r->budget = 100;
    r->tell = told;
    r->ctx = v;
    return iris__renew(&s->rt->world, pid, r);
}

static int restart(struct scene *s, uint64_t pid)
{
    return iris__supervisor_restart(&s->rt->supervisors, pid);
}

/* ---- a planned restart ---- */

static void restarts(struct scene *s)
{
    struct learner *l;
    uint64_t pid = learner(s, &l, RESTART_NEVER);
    for (int i = 1; i <= 20; i++) { /* more than any intensity allows */
        assert_int_equal(restart(s, pid), IRIS_OK);
        scene_send(s, pid, 1);
        scene_settle(s);
        assert_int_equal(cast_info(s, pid).restarts, i);
    }
    assert_int_equal(l->inits, 21);
    assert_int_equal(l->ticks, 20);
    assert_int_equal(scene_count(s).dead_letters, 0);
    s->api->send(s->self, pid, "crash", 5, 0); /* which is no restart of anybody */
    cast_await_end(s, pid);
    assert_int_equal(restart(s, pid), IRIS_DEAD);
}

static void refused(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    assert_int_equal(restart(s, pid), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "nobody supervises it"));
    assert_int_equal(l->inits <= 1, 1);
}

static void flood(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = cast_supervise(s, &b, "/counter", RESTART_ON_FAILURE);
    cast_senders(s, l, pid, 4, 200);
    for (int i = 0; i < 5; i++) {
        cast_run(s, 100);
        assert_int_equal(restart(s, pid), IRIS_OK);
    }
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 0);
    assert_int_equal(l->handled, 800);
    cast_balance(s, l);
}

static void at_once(struct scene *s)
{
    struct learner *l;
    iris_supervision how = {.size = sizeof how,
                            .abi = IRIS_ABI,
                            .intensity = 3,
                            .period = INT64_C(1000000000),
                            .initial = INT64_C(20000000000)};
    const iris_supervise *supervise = cast_extension(s, IRIS_SUPERVISE);
    assert_int_equal(supervise->create(s->self, "/", &how), IRIS_OK);
    uint64_t pid = learner(s, &l, RESTART_ALWAYS);
    s->api->send(s->self, pid, "crash", 5, 0);
    for (int i = 0; i < 100 && iris__supervisor_left(&s->rt->supervisors, pid) <= 0; i++)
        cast_run(s, 1);
    assert_true(iris__supervisor_left(&s->rt->supervisors, pid) > 0);
    scene_send(s, pid, 1);
    assert_int_equal(restart(s, pid), IRIS_OK); /* it does not wait its 20 s */
    scene_settle(s);
    assert_int_equal(l->ticks, 1);
}

/* ---- what it begins with ---- */

static void renews(struct scene *s)
{
    struct learner *l;
    struct verdict v = {0};
    uint64_t pid = learner(s, &l, RESTART_ON_FAILURE);
    scene_settle(s);
    assert_int_equal(renew(s, pid, "new", 1, &v), IRIS_OK);
    scene_settle(s);
    assert_string_equal(l->args, "");
    assert_int_equal(restart(s, pid), IRIS_OK);
    cast_expect(s, &v, IRIS_OK, NULL);
    scene_settle(s);
    assert_string_equal(l->args, "new");
    s->api->send(s->self, pid, "crash", 5, 0); /* also from now on */
    scene_settle(s);
    assert_string_equal(l->args, "new");
    assert_int_equal(l->inits, 3);
}

static void puts_back(struct scene *s)
{
    struct learner *l;
    uint64_t pid = learner(s, &l, RESTART_NEVER);
    for (int i = 0; i < 5; i++) {
        struct verdict v = {0};
        assert_int_equal(renew(s, pid, "bad", 1, &v), IRIS_OK);
        scene_send(s, pid, 1);
        assert_int_equal(restart(s, pid), IRIS_OK);
        cast_expect(s, &v, IRIS_FAIL, "not with those");
        scene_settle(s);
    }
    assert_true(cast_is_alive(s, pid));
    assert_string_equal(l->args, "");
    assert_int_equal(l->inits, 11);
    assert_int_equal(l->ticks, 5);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static void ends_first(struct scene *s)
{
    struct learner *l;
    struct verdict waits = {0}, first = {0}, late = {0};
    uint64_t pid = learner(s, &l, RESTART_NEVER);
    assert_int_equal(renew(s, pid, "one", 1, &first), IRIS_OK);
    assert_int_equal(renew(s, pid, "two", 1, &waits), IRIS_OK);
    cast_expect(s, &first, IRIS_FAIL, "another one came");
    iris__actor_stop(&s->rt->world, pid);
    cast_expect(s, &waits, IRIS_DEAD, "ended first");
    cast_await_end(s, pid);
    assert_int_equal(renew(s, pid, "late", 1, &late), IRIS_DEAD);
    assert_int_equal(late.told, 0);
}

static void sets(struct scene *s)
{
    struct learner *l;
    struct verdict v = {0};
    uint64_t pid = learner(s, &l, RESTART_NEVER);
    assert_int_equal(renew(s, pid, "not these", 0, &v), IRIS_OK);
    cast_expect(s, &v, IRIS_OK, NULL);
    restart(s, pid);
    scene_settle(s);
    assert_string_equal(l->args, "");
}

/* ---- supervisors that come to what runs ---- */

static void retunes(struct scene *s)
{
    struct learner *l;
    struct membership always = {RESTART_ALWAYS, 0};
    struct policy one = {.intensity = 1, .period = INT64_C(1000000000), .on_exhausted = 1};
    uint64_t pid = learner(s, &l, RESTART_NEVER);
    assert_int_equal(iris__supervisor_retune(&s->rt->supervisors, pid, &always), IRIS_OK);
    assert_int_equal(iris__supervisor_put(&s->rt->supervisors, "/svc/learner", &one), IRIS_OK);
    s->api->send(s->self, pid, "crash", 5, 0);
    scene_settle(s);
    assert_true(cast_is_alive(s, pid));
    s->api->send(s->self, pid, "crash", 5, 0);
    cast_await_end(s, pid); /* the one above it would have allowed three */
    assert_int_equal(iris__supervisor_retune(&s->rt->supervisors, pid, &always), IRIS_DEAD);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
#define PLAY_SEEDS(play) static void test_##play(void **state) { (void)state; scene_play_seeds(play); }
PLAY(restarts)
PLAY(refused)
PLAY(flood)
PLAY_SEEDS(at_once)
PLAY(renews)
PLAY(puts_back)
PLAY(ends_first)
PLAY(sets)
PLAY(retunes)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p6.a_planned_restart_is_no_failure_and_is_not_counted", test_restarts),
    IRIS_TEST("p6.who_has_no_supervisor_is_not_begun_again", test_refused),
    IRIS_TEST("p4.planned_restarts_lose_no_message", test_flood),
    IRIS_TEST("p6.a_planned_restart_ends_a_backoff", test_at_once),
    IRIS_TEST("p4.an_actor_begins_again_with_other_args", test_renews),
    IRIS_TEST("p4.what_init_refuses_is_put_back", test_puts_back),
    IRIS_TEST("p5.a_renewal_is_told_once", test_ends_first),
    IRIS_TEST("p4.what_needs_no_restart_is_set_at_once", test_sets),
    IRIS_TEST("p6.a_supervisor_may_come_to_what_runs", test_retunes),
};
/* clang-format on */
IRIS_MAIN(tests)
