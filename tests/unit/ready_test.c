/* P6: an actor that says itself when it has started: until then nobody is told, and what begins after it waits. */
#include "main.h"

#include "cast.h"

#include "renew.h"
#include "runtime.h"

#include <iris/ext/ready.h>

#include <stdlib.h>
#include <string.h>

#define LATER (100 * IRIS_SECOND)

struct
    told { /* what is told of the actors, in order: "s" started, "r" restarted, "c" crashed, and its path */
    char trace[256];
    atomic_int n;
    char why[256];
};

static struct told told;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void hear(struct scene *s, const iris_event *e)
{
    static const char *const words[] = {"s", "c", "r"};
    (void)s;
    if (e->kind > IRIS_EVENT_RESTARTED)
        return;
    pthread_mutex_lock(&lock);
    size_t n = strlen(told.trace);
    snprintf(told.trace + n, sizeof told.trace - n, "%s%s ", words[e->kind], e->path);
    if (e->kind == IRIS_EVENT_CRASHED)
        snprintf(told.why, sizeof told.why, "%s", e->text);
    pthread_mutex_unlock(&lock);
    atomic_fetch_add(&told.n, 1);
}

static void expect(const char *trace)
{
    pthread_mutex_lock(&lock);
    assert_string_equal(told.trace, trace);
    pthread_mutex_unlock(&lock);
}

static const iris_ready *calls(void)
{
    return iris_calls()->extension(IRIS_READY);
}

/* ---- an actor that says so when it is told to ---- */

struct player {
    int says_in_init;
    atomic_int handled;
};

static int begin(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct player *p = b->data;
    *state = p;
    if (args.len == 4 && !memcmp(args.data, "fail", 4))
        return (iris_calls()->fail)("as it was told");
    if (p->says_in_init || (args.len == 3 && !memcmp(args.data, "now", 3)))
        return calls()->ready(self, 0);
    return IRIS_OK;
}

static int play_one(struct player *p, iris_actor *self, const iris_message *m)
{
    atomic_fetch_add(&p->handled, 1);
    if (m->len == 5 && !memcmp(m->data, "crash", 5))
        return (iris_calls()->fail)("as it was told");
    if (m->len == 5 && !memcmp(m->data, "ready", 5))
        return calls()->ready(self, 0);
    return IRIS_OK;
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    (void)b;
    for (int i = 0; i < n; i++)
        if (play_one(state, self, m[i]) == IRIS_FAIL)
            return ~i;
    return n;
}

static iris_behaviour behaviour(struct scene *s, struct player **p)
{
    *p = scene_memory(s, sizeof **p);
    told = (struct told){0};
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "player",
                            .version = "1",
                            .data = *p,
                            .init = begin,
                            .handle = handle};
}

static uint64_t enter(struct scene *s, const iris_behaviour *b, const char *path, int64_t within)
{
    uint64_t pid = 0;
    iris_version *v = scene_define(s, b);
    struct app_spawn how = {.spawn = {.size = sizeof how.spawn,
                                      .abi = IRIS_ABI,
                                      .version = v,
                                      .path = path,
                                      .ready_within = within},
                            .restart = RESTART_ON_FAILURE};
    assert_int_equal(iris__runtime_spawn(s->rt, &how, &pid), IRIS_OK);
    s->api->release(v);
    return pid;
}

static void tell(struct scene *s, uint64_t pid, const char *word)
{
    assert_int_equal(s->api->send(s->self, pid, word, strlen(word), 0), IRIS_OK);
}

static int has_told(struct scene *s)
{
    (void)s;
    return atomic_load(&told.n) >= (int)(intptr_t)s->prop;
}

static void await_told(struct scene *s, int n)
{
    s->prop = (void *)(intptr_t)n;
    scene_await(s, has_told);
}

static int has_run(struct scene *s)
{
    struct player *p = s->prop;
    (void)s;
    return atomic_load(&p->handled) > 0;
}

/* ---- plays ---- */

static void waits(struct scene *s)
{
    struct player *p;
    iris_behaviour b = behaviour(s, &p);
    uint64_t pid = enter(s, &b, "/a", LATER);
    tell(s, pid, "hello");
    s->prop = p;
    scene_await(s, has_run);
    expect("");
    assert_int_equal(cast_info(s, pid).state, IRIS_STATE_STARTING);
    assert_false(iris_is_idle(s->rt));
    tell(s, pid, "ready");
    tell(s, pid, "ready");
    scene_settle(s);
    expect("s/a ");
    assert_int_equal(cast_info(s, pid).state, IRIS_STATE_RUNNING);
}

static void says_in_init(struct scene *s)
{
    struct player *p;
    iris_behaviour b = behaviour(s, &p);
    p->says_in_init = 1;
    uint64_t pid = enter(s, &b, "/a", LATER);
    scene_settle(s);
    expect("s/a ");
    assert_int_equal(cast_info(s, pid).state, IRIS_STATE_RUNNING);
}

/* From outside, as a host does for code that runs on between turns. */
static void another_says_it(struct scene *s)
{
    struct player *p;
    iris_behaviour b = behaviour(s, &p);
    uint64_t pid = enter(s, &b, "/a", LATER);
    assert_int_equal(calls()->ready(s->self, pid), IRIS_OK);
    scene_settle(s);
    expect("s/a ");
    assert_int_equal(calls()->ready(s->self, pid), IRIS_OK); /* where nobody waits */
    scene_settle(s);
    expect("s/a ");
    assert_int_equal(calls()->ready(s->self, pid + 1000), IRIS_DEAD);
    assert_int_equal(calls()->ready(s->self, 0), IRIS_FAIL);
}

static void says_nothing(struct scene *s)
{
    struct player *p;
    iris_behaviour b = behaviour(s, &p);
    iris__supervisor_add(&s->rt->supervisors, "/",
                         &(struct policy){.intensity = 1, .period = LATER});
    uint64_t pid = enter(s, &b, "/a", IRIS_MILLISECOND);
    await_told(s, 2);
    cast_await_end(s, pid);
    scene_settle(s);
    expect("c/a c/a ");
    assert_string_equal(told.why,
                        "crash: it has not said that it is ready within 0.001 s (start_timeout)");
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static void says_it_again(struct scene *s)
{
    struct player *p;
    iris_behaviour b = behaviour(s, &p);
    uint64_t pid = enter(s, &b, "/a", LATER);
    tell(s, pid, "ready");
    tell(s, pid, "crash");
    await_told(s, 2);
    expect("s/a c/a ");
    tell(s, pid, "ready");
    scene_settle(s);
    expect("s/a c/a r/a ");
}

/* Those that begin after it in a round wait for its word. */
static void a_round_waits(struct scene *s)
{
    struct player *p, *q;
    iris_behaviour b = behaviour(s, &p), c = behaviour(s, &q);
    iris__supervisor_add(
        &s->rt->supervisors, "/g",
        &(struct policy){.strategy = ONE_FOR_ALL, .intensity = 3, .period = LATER});
    uint64_t a = enter(s, &b, "/g/a", LATER), after = enter(s, &c, "/g/b", 0);
    tell(s, a, "ready");
    scene_settle(s);
    told = (struct told){0};
    tell(s, a, "crash");
    await_told(s, 1);
    atomic_store(&p->handled, 0);
    tell(s, a, "hello");
    s->prop = p;
    scene_await(s, has_run);
    expect("c/g/a ");
    assert_int_equal(cast_info(s, after).state, IRIS_STATE_BACKOFF);
    tell(s, a, "ready");
    scene_settle(s);
    expect("c/g/a r/g/a r/g/b ");
}

struct renewed {
    atomic_int told, result;
    char why[256];
};

static void renewed(void *ctx, int result, const char *why)
{
    struct renewed *r = ctx;
    snprintf(r->why, sizeof r->why, "%s", why ? why : "");
    r->result = result;
    atomic_store(&r->told, 1);
}

static int is_renewed(struct scene *s)
{
    return atomic_load(&((struct renewed *)s->prop)->told);
}

static struct renewed *renew(struct scene *s, uint64_t pid, const char *args, int64_t within)
{
    struct renewed *told_of = scene_memory(s, sizeof *told_of);
    struct renewal *r = iris__renewal_create();
    r->waits = 1;
    r->args = strdup(args);
    r->args_len = strlen(args);
    r->budget = 100;
    r->ready_within = within;
    r->tell = renewed;
    r->ctx = told_of;
    assert_int_equal(iris__renew(&s->rt->world, pid, r), IRIS_OK);
    assert_int_equal(iris__supervisor_restart(&s->rt->supervisors, pid), IRIS_OK);
    return told_of;
}

/* What it begins again with is on trial until it has said so; then what it had before is back. */
static void a_renewal_is_on_trial(struct scene *s)
{
    struct player *p;
    iris_behaviour b = behaviour(s, &p);
    uint64_t pid = enter(s, &b, "/a", 0);
    scene_settle(s);
    struct renewed *first = renew(s, pid, "now", LATER);
    s->prop = first;
    scene_await(s, is_renewed);
    assert_int_equal(first->result, IRIS_OK);
    struct renewed *second = renew(s, pid, "never", IRIS_MILLISECOND);
    s->prop = second;
    scene_await(s, is_renewed);
    assert_int_equal(second->result, IRIS_FAIL);
    assert_string_equal(second->why,
                        "it has not said that it is ready within 0.001 s (start_timeout)");
    scene_settle(s);
    expect("s/a r/a r/a ");
    assert_int_equal(cast_info(s, pid).state, IRIS_STATE_RUNNING);
}

/* What did not have to say so has not to afterwards either, and nobody waits for it. */
static void a_failed_renewal_leaves_nothing(struct scene *s)
{
    static const char *const args[] = {"fail", "never"};
    struct player *p;
    iris_behaviour b = behaviour(s, &p);
    uint64_t pid = enter(s, &b, "/a", 0);
    scene_settle(s);
    for (int i = 0; i < 2; i++) {
        struct renewed *r = renew(s, pid, args[i], i ? IRIS_MILLISECOND : LATER);
        s->prop = r;
        scene_await(s, is_renewed);
        assert_int_equal(r->result, IRIS_FAIL);
        scene_settle(s);
        expect(i ? "s/a r/a r/a " : "s/a r/a ");
        assert_int_equal(cast_info(s, pid).state, IRIS_STATE_RUNNING);
    }
}

static void is_refused(struct scene *s)
{
    struct player *p;
    iris_behaviour b = behaviour(s, &p);
    iris_version *v = scene_define(s, &b);
    iris_spawn how = {.size = sizeof how, .abi = IRIS_ABI, .version = v, .ready_within = -1};
    uint64_t pid;
    assert_int_equal(s->api->spawn(s->self, &how, &pid), IRIS_FAIL);
    how.ready_within = LATER;
    how.flags = IRIS_SPAWN_LAZY;
    assert_int_equal(s->api->spawn(s->self, &how, &pid), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "leave ready_within 0"));
    s->api->release(v);
}

/* One that is killed before it has said so leaves nothing that is waited for. */
static void is_killed(struct scene *s)
{
    struct player *p;
    iris_behaviour b = behaviour(s, &p);
    uint64_t pid = enter(s, &b, "/a", LATER);
    iris__actor_kill(&s->rt->world, pid, "killed (how=kill)");
    cast_await_end(s, pid);
    scene_settle(s);
    expect("");
}

#define PLAY(play)                        \
    static void test_##play(void **state) \
    {                                     \
        (void)state;                      \
        scene_listen(hear);               \
        scene_play(play);                 \
        scene_listen(NULL);               \
    }
PLAY(waits)
PLAY(says_in_init)
PLAY(another_says_it)
PLAY(says_nothing)
PLAY(says_it_again)
PLAY(a_round_waits)
PLAY(a_renewal_is_on_trial)
PLAY(a_failed_renewal_leaves_nothing)
PLAY(is_refused)
PLAY(is_killed)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("ready.starts_when_it_says_so", test_waits),
    IRIS_TEST("ready.may_say_so_in_init", test_says_in_init),
    IRIS_TEST("ready.may_be_said_from_outside", test_another_says_it),
    IRIS_TEST("p6.ready_in_time_or_it_has_crashed", test_says_nothing),
    IRIS_TEST("p6.ready_is_said_by_each_incarnation", test_says_it_again),
    IRIS_TEST("p6.a_round_waits_until_each_is_ready", test_a_round_waits),
    IRIS_TEST("ready.a_renewal_is_on_trial_until_then", test_a_renewal_is_on_trial),
    IRIS_TEST("ready.a_failed_renewal_leaves_nothing", test_a_failed_renewal_leaves_nothing),
    IRIS_TEST("ready.not_of_the_lazy", test_is_refused),
    IRIS_TEST("ready.who_is_killed_is_not_waited_for", test_is_killed),
};
IRIS_MAIN(tests)
