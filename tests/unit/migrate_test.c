/* P3: what turns the old version's state into the new one's, where neither knows of the other. */
#include "main.h"

#include "cast.h"

#include "behaviour.h"
#include "runtime.h"
#include "swap.h"

#include <string.h>

/* ---- who plays ---- */

/* The counter's functions see its ledger. Format 1 is 8 bytes, format 2 is 16; each version reads its own. */
struct crew {
    struct ledger ledger;
    iris_behaviour old, new;
    atomic_int migrations;
    atomic_uint from;
    const char *fails; /* with these words; "": it gives nothing */
    _Atomic(const char *) at;
    struct verdict told;
};

static __thread const char *here; /* whose driver's thread this is */

static int read_own(const iris_behaviour *b, iris_actor *a, uint32_t from, iris_bytes saved,
                    void **state)
{
    struct crew *c = b->data;
    if (from != b->state_version)
        return (iris_calls()->fail)("format %u is not mine", from);
    return c->old.upgrade(b, a, from, saved, state);
}

/* Ten times as much, so that one sees it. */
static int migrate(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   iris_sink *sink)
{
    struct crew *c = b->data;
    uint64_t state[2] = {0, 0};
    (void)self;
    atomic_fetch_add(&c->migrations, 1);
    c->from = from;
    c->at = here;
    if (c->fails)
        return *c->fails ? (iris_calls()->fail)("%s", c->fails) : IRIS_OK;
    assert_int_equal(saved.len, 8);
    memcpy(state + 1, saved.data, 8);
    state[1] *= 10;
    return sink->write(sink, state, sizeof state);
}

static struct crew *assemble(struct scene *s)
{
    struct crew *c = scene_memory(s, sizeof *c);
    c->old = cast_counter(&c->ledger);
    c->new = cast_counter2(&c->ledger);
    c->new.upgrade = read_own;
    c->new.migrate = migrate;
    return c;
}

/* The old version, which has counted to 3. */
static uint64_t begin(struct scene *s, struct crew *c)
{
    iris_behaviour b = c->old;
    b.upgrade = read_own;
    uint64_t pid = scene_spawn(s, &b, 0);
    for (uint64_t i = 1; i <= 3; i++)
        scene_send(s, pid, cast_number(0, i));
    return pid;
}

static void swap(struct scene *s, uint64_t pid, struct crew *c, int result, const char *words)
{
    assert_int_equal(cast_swap(s, pid, &c->new, 0, &c->told), IRIS_OK);
    cast_expect(s, &c->told, result, words);
}

/* A version of its own does it, as what a manifest names. */
static void swap_by(struct scene *s, uint64_t pid, struct crew *c, iris_executor *x, int result,
                    const char *words)
{
    const iris_behaviour b = {.size = sizeof b,
                              .abi = IRIS_ABI,
                              .name = "pay.py:migrate",
                              .data = c,
                              .executor = x,
                              .migrate = migrate};
    iris_behaviour new = c->new;
    new.migrate = NULL;
    iris_version *v = scene_define(s, &new);
    v->migration = scene_define(s, &b);
    memset(&c->told, 0, sizeof c->told);
    assert_int_equal(s->api->swap(s->self, pid, v, 0, cast_tell, &c->told), IRIS_OK);
    s->api->release(v);
    cast_expect(s, &c->told, result, words);
}

static void goes_on(struct scene *s, uint64_t pid, struct crew *c, uint64_t count)
{
    assert_int_equal(scene_ask(s, pid, "count"), count);
    scene_send(s, pid, cast_number(0, 4));
    assert_int_equal(scene_ask(s, pid, "count"), count + 1);
    assert_int_equal(c->ledger.disorder, 0);
}

/* ---- plays ---- */

static void keeps_the_state(struct scene *s)
{
    struct crew *c = assemble(s);
    uint64_t pid = begin(s, c);
    swap(s, pid, c, IRIS_OK, NULL);
    assert_int_equal(c->from, 1);
    goes_on(s, pid, c, 30);
    swap(s, pid, c, IRIS_OK, NULL); /* format 2 to format 2 */
    assert_int_equal(c->migrations, 1);
    assert_int_equal(scene_ask(s, pid, "count"), 31);
}

static void by_another_version(struct scene *s)
{
    struct crew *c = assemble(s);
    uint64_t pid = begin(s, c);
    swap_by(s, pid, c, NULL, IRIS_OK, NULL);
    goes_on(s, pid, c, 30);
    assert_int_equal(scene_count(s).versions, 3); /* it stays with the version that it came with */
}

static void refused(struct scene *s)
{
    struct crew *c = assemble(s);
    uint64_t pid = begin(s, c);
    c->fails = "no such luck";
    swap(s, pid, c, IRIS_FAIL, "counter did not migrate the state of format 1: no such luck");
    swap_by(s, pid, c, NULL, IRIS_FAIL, "pay.py:migrate did not migrate the state of format 1: no");
    c->fails = "";
    swap(s, pid, c, IRIS_FAIL, "it gave no bytes");
    goes_on(s, pid, c, 3);
    assert_int_equal(cast_info(s, pid).rev, 1);
    scene_settle(s);
    assert_int_equal(scene_count(s).versions, 1);
    c->fails = NULL;
    c->ledger.upgrade_fails = "the new one says no";
    swap(s, pid, c, IRIS_FAIL, "refused the migrated state of format 2: the new one says no");
    assert_int_equal(scene_ask(s, pid, "count"), 4);
}

/* Who gives no numbers to its formats. */
static void without_numbers(struct scene *s)
{
    struct crew *c = assemble(s);
    c->new.upgrade = c->old.upgrade;
    iris_behaviour old = c->old, new = c->old;
    new.migrate = migrate;
    uint64_t pid = scene_spawn(s, &old, 0);
    c->fails = "was called";
    cast_swap(s, pid, &new, 0, &c->told);
    cast_expect(s, &c->told, IRIS_OK, NULL);
    old.state_version = new.state_version = 0;
    pid = scene_spawn(s, &old, 0);
    cast_swap(s, pid, &new, 0, &c->told);
    cast_expect(s, &c->told, IRIS_FAIL, "was called");
}

static void is_no_handler(struct scene *s)
{
    struct crew *c = assemble(s);
    uint64_t pid = begin(s, c);
    const iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "only", .data = c, .migrate = migrate};
    cast_swap(s, pid, &b, 0, &c->told);
    cast_expect(s, &c->told, IRIS_FAIL, "\"only\" migrates states, and handles no messages");
    goes_on(s, pid, c, 3);
}

/* ---- back ---- */

static int downgrade(const iris_behaviour *b, iris_actor *self, const void *state, uint32_t to,
                     iris_sink *sink)
{
    (void)b, (void)self;
    assert_int_equal(to, 1);
    return sink->write(sink, (const char *)state + 8, 8);
}

static void back_by_snapshot(struct scene *s)
{
    struct crew *c = assemble(s);
    uint64_t pid = begin(s, c);
    swap(s, pid, c, IRIS_OK, NULL);
    cast_rollback(s, pid, 1, 0, &c->told);
    cast_expect(s, &c->told, IRIS_FAIL, "its state was migrated since");
    assert_non_null(strstr(c->told.why, "--state=snapshot"));
    assert_int_equal(scene_ask(s, pid, "count"), 30);
    cast_rollback(s, pid, 1, 1, &c->told);
    cast_expect(s, &c->told, IRIS_OK, NULL);
    goes_on(s, pid, c, 3);
    assert_int_equal(c->migrations, 1);
    swap(s, pid, c, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 40);
}

/* The old version would take any bytes for its own, and must not be shown these. */
static void back_by_downgrade(struct scene *s)
{
    struct crew *c = assemble(s);
    uint64_t pid = begin(s, c);
    c->new.downgrade = downgrade;
    swap(s, pid, c, IRIS_OK, NULL);
    cast_rollback(s, pid, 1, 0, &c->told);
    cast_expect(s, &c->told, IRIS_OK, NULL);
    goes_on(s, pid, c, 30);
    assert_int_equal(cast_info(s, pid).of, 1);
}

static void told(void *ctx, const struct swap_report *r)
{
    cast_tell(ctx, r->result, r->why);
}

/* As what undoes a change of a manifest goes back. */
static void back_all_the_same(struct scene *s)
{
    struct crew *c = assemble(s);
    uint64_t pid = begin(s, c);
    for (int i = 0; i < 2; i++) {
        swap(s, pid, c, IRIS_OK, NULL);
        const struct swap_order how = {
            .steps = 1, .now = i, .or_snapshot = 1, .tell = told, .ctx = &c->told};
        memset(&c->told, 0, sizeof c->told);
        assert_int_equal(iris__swap(&s->rt->world, pid, &how), IRIS_OK);
        cast_expect(s, &c->told, IRIS_OK, NULL);
        assert_int_equal(scene_ask(s, pid, "count"), 3);
        assert_int_equal(cast_info(s, pid).rev, 3 + 2 * i);
    }
}

/* ---- where ---- */

static void enter(const iris_driver *d)
{
    here = d->data;
}

static void leave(const iris_driver *d)
{
    (void)d;
    here = NULL;
}

static iris_executor *open_executor(struct scene *s, const char *name)
{
    const iris_driver d = {.size = sizeof d,
                           .abi = IRIS_ABI,
                           .name = name,
                           .data = (void *)name,
                           .enter = enter,
                           .leave = leave};
    iris_executor *x = NULL;
    assert_int_equal(s->api->open(s->self, &d, &x), IRIS_OK);
    return x;
}

static void end(struct scene *s, uint64_t pid)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    scene_settle(s); /* what is to be freed on its thread */
}

/* From x over m to y, and back to x when m says no. */
static void three_places(struct scene *s)
{
    struct crew *c = assemble(s);
    iris_executor *x = open_executor(s, "x"), *y = open_executor(s, "y"),
                  *m = open_executor(s, "m");
    c->old.executor = x;
    c->new.executor = y;
    uint64_t pid = begin(s, c);
    c->fails = "not here";
    swap_by(s, pid, c, m, IRIS_FAIL, "not here");
    assert_string_equal(c->at, "m");
    goes_on(s, pid, c, 3);
    c->fails = NULL;
    swap_by(s, pid, c, m, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 40);
    end(s, pid);
    assert_int_equal(c->ledger.finis, 2);
    s->api->close(x);
    s->api->close(y);
    s->api->close(m);
}

/* With a thread of its own it goes nowhere. */
static void nowhere_to_go(struct scene *s)
{
    struct crew *c = assemble(s);
    iris_executor *m = open_executor(s, "m");
    c->old.flags = c->new.flags = IRIS_OWN_THREAD;
    uint64_t pid = begin(s, c);
    swap_by(s, pid, c, m, IRIS_FAIL, "cannot go there");
    goes_on(s, pid, c, 3);
    swap_by(s, pid, c, NULL, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 40);
    end(s, pid);
    s->api->close(m);
}

/* Killed somewhere on the way: it is told once, and the state ends. */
static void an_end_on_the_way(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    iris_executor *x = open_executor(s, "x"), *m = open_executor(s, "m");
    for (int i = 0; i < 20; i++) {
        struct crew *c = assemble(s);
        c->old.executor = x;
        iris_behaviour old = c->old;
        uint64_t pid = scene_spawn(s, &old, 0);
        iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "m", .data = c};
        b.executor = m;
        b.migrate = migrate;
        iris_version *v = scene_define(s, &c->new);
        v->migration = scene_define(s, &b);
        s->api->swap(s->self, pid, v, 0, cast_tell, &c->told);
        s->api->release(v);
        cast_run(s, i);
        watch->kill(s->self, pid);
        cast_await_end(s, pid);
        scene_settle(s);
        assert_int_equal(c->told.told, 1);
        assert_int_equal(c->ledger.finis, c->ledger.inits + (c->told.result == IRIS_OK));
    }
    assert_int_equal(scene_count(s).versions, 0);
    s->api->close(x);
    s->api->close(m);
}

static void under_fire(struct scene *s)
{
    struct crew *c = assemble(s);
    uint64_t pid = scene_spawn(s, &c->old, 0);
    cast_senders(s, &c->ledger, pid, 4, 500);
    for (int i = 0; i < 10; i++) {
        c->fails = i < 9 ? "later" : NULL;
        cast_run(s, 30);
        swap(s, pid, c, c->fails ? IRIS_FAIL : IRIS_OK, c->fails);
    }
    scene_settle(s);
    cast_balance(s, &c->ledger);
    assert_int_equal(c->ledger.handled, 2000);
    assert_int_equal(c->migrations, 10);
}

#define PLAY(play)                    \
    static void play##_(void **state) \
    {                                 \
        (void)state;                  \
        scene_play(play);             \
    }
/* clang-format off */
PLAY(keeps_the_state) PLAY(by_another_version) PLAY(refused) PLAY(without_numbers) PLAY(is_no_handler)
PLAY(back_by_snapshot) PLAY(back_by_downgrade) PLAY(back_all_the_same) PLAY(three_places) PLAY(nowhere_to_go)
PLAY(an_end_on_the_way) PLAY(under_fire)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p3.a_migration_turns_the_old_state_into_the_new_ones", keeps_the_state_),
    IRIS_TEST("p3.a_migration_may_be_a_version_of_its_own", by_another_version_),
    IRIS_TEST("p3.a_migration_that_fails_changes_nothing_and_says_why", refused_),
    IRIS_TEST("p3.formats_of_one_number_are_not_migrated_unless_it_is_0", without_numbers_),
    IRIS_TEST("p3.what_only_migrates_is_no_version_to_swap_to", is_no_handler_),
    IRIS_TEST("p3.a_rollback_over_a_migration_offers_the_snapshot", back_by_snapshot_),
    IRIS_TEST("p3.a_rollback_over_a_migration_asks_for_a_downgrade", back_by_downgrade_),
    IRIS_TEST("p3.what_undoes_a_migration_goes_back_to_the_snapshot", back_all_the_same_),
    IRIS_TEST("p3.a_migration_runs_on_the_thread_of_its_language", three_places_),
    IRIS_TEST("p3.a_migration_that_an_actor_cannot_go_to_is_refused", nowhere_to_go_),
    IRIS_TEST("p3.an_actor_killed_on_its_way_to_a_migration_tells_once", an_end_on_the_way_),
    IRIS_TEST("p3.migrations_under_fire_lose_nothing", under_fire_),
};
/* clang-format on */
IRIS_MAIN(tests)
