/* P5: links: two actors of which each ends with the other. */
#include "main.h"

#include "cast.h"

#include <stdlib.h>
#include <string.h>

struct one { /* an actor of a play */
    uint64_t pid, other;
    struct doer *d;
    uint64_t *many;
    int n, result;
};

static struct one *add(struct scene *s, uint32_t flags)
{
    struct one *o = scene_memory(s, sizeof *o);
    iris_behaviour b = cast_doer(s, &o->d);
    o->pid = cast_spawn(s, &b, (iris_spawn){.flags = flags});
    return o;
}

static void have_do(struct scene *s, const struct one *o, void (*run)(iris_actor *, void *),
                    void *ctx)
{
    cast_have_do(s, o->pid, run, ctx);
}

static const iris_watch *watch(void)
{
    return iris_calls()->extension(IRIS_WATCH);
}

static void link_other(iris_actor *self, void *ctx)
{
    struct one *o = ctx;
    watch()->link(self, o->other);
}

static void unlink_other(iris_actor *self, void *ctx)
{
    struct one *o = ctx;
    watch()->unlink(self, o->other);
    o->result = atomic_load(&o->d->exits);
}

static void trap_on(iris_actor *self, void *ctx)
{
    (void)ctx;
    watch()->trap(self, 1);
}

static void leave(iris_actor *self, void *ctx)
{
    iris_calls()->exit(self, ctx);
}

static void crash(struct scene *s, const struct one *o, const char *why)
{
    have_do(s, o, NULL, (void *)why);
}

static void link_both(struct scene *s, struct one *a, struct one *b)
{
    a->other = b->pid;
    b->other = a->pid;
    have_do(s, a, link_other, a);
    scene_settle(s);
}

/* ---- what a link does ---- */

static void crash_goes_along(struct scene *s)
{
    struct one *a = add(s, 0), *b = add(s, 0), *c = add(s, 0), *eye = add(s, IRIS_SPAWN_TRAP);
    char words[128];
    link_both(s, a, b);
    link_both(s, b, c);
    link_both(s, c, eye);
    crash(s, a, "boom");
    scene_settle(s);
    assert_false(cast_is_alive(s, b->pid));
    assert_false(cast_is_alive(s, c->pid));
    assert_true(cast_is_alive(s, eye->pid));
    assert_int_equal(eye->d->exits, 1);
    assert_int_equal(eye->d->from[0], c->pid);
    snprintf(words, sizeof words, "crash (from=%llu): boom", (unsigned long long)a->pid);
    assert_string_equal(eye->d->reason[0], words); /* who began it, not who passed it on */
    assert_int_equal(b->d->exits + c->d->exits, 0);
}

static void normal_ends_nobody(struct scene *s)
{
    struct one *a = add(s, 0), *b = add(s, 0), *eye = add(s, IRIS_SPAWN_TRAP);
    link_both(s, a, b);
    link_both(s, a, eye);
    have_do(s, a, leave, NULL);
    scene_settle(s);
    assert_false(cast_is_alive(s, a->pid));
    assert_true(cast_is_alive(s, b->pid));
    assert_int_equal(eye->d->exits, 1);
    assert_string_equal(eye->d->reason[0], "normal");
}

static void stops_go_along(struct scene *s)
{
    for (int how = 0; how < 3; how++) {
        struct one *a = add(s, 0), *b = add(s, 0), *eye = add(s, 0);
        link_both(s, a, b);
        have_do(s, eye, trap_on, NULL);
        link_both(s, b, eye);
        if (how == 0)
            watch()->stop(s->self, a->pid);
        else if (how == 1)
            watch()->kill(s->self, a->pid);
        else
            have_do(s, a, leave, "tired: went home");
        scene_settle(s);
        assert_false(cast_is_alive(s, b->pid));
        assert_int_equal(eye->d->exits, 1);
        char words[128];
        unsigned long long pid = a->pid;
        if (how == 0)
            snprintf(words, sizeof words, "killed (how=stop, drained=0, from=%llu)", pid);
        else if (how == 1)
            snprintf(words, sizeof words, "killed (how=kill, from=%llu)", pid);
        else
            snprintf(words, sizeof words, "tired (from=%llu): went home", pid);
        assert_string_equal(eye->d->reason[0], words);
    }
}

/* The seed's meaning, for hosts: one EXIT for each, nobody is killed; or nothing at all is seen. */
static void trapping_sees_one_exit(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    struct one *a = add(s, 0), *eye = add(s, IRIS_SPAWN_TRAP);
    uint64_t deaf = cast_spawn(s, &plain, (iris_spawn){.flags = IRIS_SPAWN_TRAP});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(watch()->link_pair(s->self, a->pid, eye->pid), IRIS_OK);
        assert_int_equal(watch()->link_pair(s->self, eye->pid, a->pid), IRIS_OK);
        watch()->link_pair(s->self, a->pid, deaf);
    }
    watch()->stop(s->self, a->pid);
    scene_settle(s);
    assert_int_equal(eye->d->exits, 1);
    assert_int_equal(eye->d->from[0], a->pid);
    assert_string_equal(eye->d->reason[0], "killed (how=stop, drained=0)");
    assert_true(cast_is_alive(s, eye->pid));
    assert_true(cast_is_alive(s, deaf));
}

static void twice_is_once(struct scene *s)
{
    struct one *a = add(s, 0), *eye = add(s, IRIS_SPAWN_TRAP);
    link_both(s, a, eye);
    have_do(s, a, link_other, a);
    have_do(s, eye, link_other, eye);
    cast_run(s, 2);
    have_do(s, eye, link_other, eye);
    scene_settle(s);
    have_do(s, eye, unlink_other, eye); /* once is enough, too */
    have_do(s, a, unlink_other, a);
    scene_settle(s);
    have_do(s, a, link_other, a);
    scene_settle(s);
    crash(s, a, "boom");
    scene_settle(s);
    assert_int_equal(eye->d->exits, 1);
    assert_string_equal(eye->d->reason[0], "crash: boom");
}

static void of_the_dead(struct scene *s)
{
    struct one *dead = add(s, 0), *a = add(s, 0), *eye = add(s, IRIS_SPAWN_TRAP);
    watch()->kill(s->self, dead->pid);
    cast_await_end(s, dead->pid);
    eye->other = dead->pid;
    have_do(s, eye, link_other, eye);
    scene_settle(s);
    assert_int_equal(eye->d->exits, 1);
    assert_int_equal(eye->d->from[0], dead->pid);
    assert_string_equal(eye->d->reason[0], "noproc");
    assert_int_equal(watch()->link_pair(s->self, dead->pid, eye->pid), IRIS_OK);
    scene_settle(s);
    assert_int_equal(eye->d->exits, 2);
    a->other = dead->pid;
    have_do(s, a, link_other, a);
    scene_settle(s);
    assert_false(cast_is_alive(s, a->pid));
    assert_int_equal(watch()->link_pair(s->self, dead->pid, a->pid), IRIS_DEAD);
}

/* ---- races ---- */

/* Whatever the moment: after unlink no EXIT comes, and both or none see it. */
static void unlink_flushes(struct scene *s)
{
    for (int i = 0; i < 30; i++) {
        struct one *a = add(s, 0), *eye = add(s, IRIS_SPAWN_TRAP);
        link_both(s, a, eye);
        crash(s, a, "boom");
        cast_run(s, i % 5);
        have_do(s, eye, unlink_other, eye);
        scene_settle(s);
        assert_int_equal(eye->d->exits, eye->result); /* those before it, and none after */
        assert_true(eye->result <= 1);
    }
}

static void unlinked_lives(struct scene *s)
{
    for (int i = 0; i < 30; i++) {
        struct one *a = add(s, 0), *b = add(s, 0);
        a->other = b->pid;
        b->other = a->pid;
        have_do(s, a, link_other, a);
        cast_run(s, i % 3);
        have_do(s, b, link_other, b); /* both at once */
        cast_run(s, i % 4);
        have_do(s, i & 1 ? a : b, unlink_other, i & 1 ? a : b);
        scene_settle(s);
        have_do(s, i & 2 ? a : b, link_other, i & 2 ? a : b);
        scene_settle(s);
        have_do(s, i & 1 ? b : a, unlink_other, i & 1 ? b : a);
        scene_settle(s);
        crash(s, i & 1 ? a : b, "boom");
        scene_settle(s);
        assert_true(cast_is_alive(s, i & 1 ? b->pid : a->pid));
        iris_actor *rest = iris__table_at(&iris__world_of(s->self)->table, i & 1 ? b->pid : a->pid);
        assert_int_equal(iris__cold_if(rest)->links.used, 0); /* nothing is left of it */
    }
}

/* Link, unlink and link again from both sides at random: in the end both agree. */
static void both_agree(struct scene *s)
{
    unsigned random = (unsigned)s->seed * 2654435761u + 7;
    for (int i = 0; i < 12; i++) {
        struct one *pair[2] = {add(s, IRIS_SPAWN_TRAP), add(s, IRIS_SPAWN_TRAP)};
        pair[0]->other = pair[1]->pid;
        pair[1]->other = pair[0]->pid;
        for (int j = 0; j < 12; j++) {
            random = random * 1103515245u + 12345;
            struct one *o = pair[random >> 16 & 1];
            have_do(s, o, random >> 18 & 1 ? link_other : unlink_other, o);
            cast_run(s, (int)(random >> 20 & 3));
        }
        scene_settle(s);
        iris_actor *a = iris__table_at(&iris__world_of(s->self)->table, pair[0]->pid);
        iris_actor *b = iris__table_at(&iris__world_of(s->self)->table, pair[1]->pid);
        assert_int_equal(iris__cold_if(a)->links.used, iris__cold_if(b)->links.used);
        int linked = (int)iris__cold_if(a)->links.used;
        crash(s, pair[1], "boom");
        scene_settle(s);
        assert_int_equal(pair[0]->d->exits, linked);
    }
}

static void both_end_at_once(struct scene *s)
{
    for (int i = 0; i < 20; i++) {
        struct one *a = add(s, 0), *b = add(s, 0), *eye = add(s, IRIS_SPAWN_TRAP);
        link_both(s, a, b);
        link_both(s, a, eye);
        link_both(s, b, eye);
        struct task second = {NULL, "second"}; /* the first one may have ended it by then */
        crash(s, a, "first");
        cast_run(s, i % 3);
        s->api->send(s->self, b->pid, &second, sizeof second, 0);
        scene_settle(s);
        assert_int_equal(eye->d->exits, 2); /* one of each */
        assert_int_not_equal(eye->d->from[0], eye->d->from[1]);
    }
}

/* To everyone else a restart is an exit; the next incarnation has no links. */
static void restart_unlinks(struct scene *s)
{
    struct one *a = scene_memory(s, sizeof *a), *eye = add(s, IRIS_SPAWN_TRAP), *b = add(s, 0);
    iris_behaviour back = cast_doer(s, &a->d);
    a->pid = cast_supervise(s, &back, "/a", RESTART_ON_FAILURE);
    link_both(s, a, eye);
    link_both(s, a, b);
    crash(s, a, "boom");
    scene_settle(s);
    assert_int_equal(a->d->inits, 2);
    assert_true(cast_is_alive(s, a->pid));
    assert_false(cast_is_alive(s, b->pid));
    assert_int_equal(eye->d->exits, 1);
    assert_string_equal(eye->d->reason[0], "crash: boom");
    crash(s, eye, "and now"); /* is no business of the new one */
    scene_settle(s);
    assert_int_equal(a->d->inits, 2);
}

/* "on-failure" holds for a failure of somebody else, and not for what somebody wanted. */
static void restarts_by_reason(struct scene *s)
{
    struct one *a = scene_memory(s, sizeof *a), *b = add(s, 0), *c = add(s, 0);
    iris_behaviour back = cast_doer(s, &a->d);
    a->pid = cast_supervise(s, &back, "/a", RESTART_ON_FAILURE);
    link_both(s, b, a);
    crash(s, b, "boom");
    scene_settle(s);
    assert_int_equal(a->d->inits, 2);
    link_both(s, c, a);
    watch()->stop(s->self, c->pid);
    scene_settle(s);
    assert_false(cast_is_alive(s, a->pid));
    assert_int_equal(a->d->inits, 2);
}

/* ---- born linked ---- */

static void spawn_linked(iris_actor *self, void *ctx)
{
    struct one *o = ctx;
    iris_version *v = (iris_version *)o->many;
    iris_spawn how = {.size = sizeof how, .abi = IRIS_ABI, .version = v, .flags = IRIS_SPAWN_LINK};
    o->result = iris_calls()->spawn(self, &how, &o->other);
}

static void born_linked(struct scene *s)
{
    struct one *a = add(s, IRIS_SPAWN_TRAP), *b = add(s, 0), *born = scene_memory(s, sizeof *born);
    iris_behaviour kind = cast_doer(s, &born->d);
    iris_version *v = scene_define(s, &kind);
    a->many = b->many = (uint64_t *)v;
    have_do(s, a, spawn_linked, a);
    have_do(s, b, spawn_linked, b);
    scene_settle(s);
    assert_int_equal(a->result, IRIS_OK);
    watch()->kill(s->self, a->other);
    crash(s, b, "boom");
    scene_settle(s);
    assert_int_equal(a->d->exits, 1);
    assert_int_equal(a->d->from[0], a->other);
    assert_false(cast_is_alive(s, b->other)); /* it went with who spawned it */
    iris_spawn how = {.size = sizeof how, .abi = IRIS_ABI, .version = v, .flags = IRIS_SPAWN_LINK};
    uint64_t pid;
    assert_int_equal(s->api->spawn(s->self, &how, &pid), IRIS_FAIL);
    s->api->release(v);
}

static void not_from_outside(struct scene *s)
{
    struct one *a = add(s, 0);
    assert_int_equal(watch()->link(s->self, a->pid), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "link_pair()"));
    assert_int_equal(watch()->trap(s->self, 1), IRIS_FAIL);
    assert_int_equal(watch()->link_pair(s->self, UINT64_C(5) << 43, UINT64_C(6) << 43), IRIS_FAIL);
}

/* ---- many ---- */

enum { MANY = 10000 };

static void link_many(iris_actor *self, void *ctx)
{
    struct one *o = ctx;
    for (int i = 0; i < o->n; i++)
        watch()->link(self, o->many[i]);
}

static void monitor_many(iris_actor *self, void *ctx)
{
    struct one *o = ctx;
    uint64_t ref;
    for (int i = 0; i < o->n; i++)
        watch()->monitor(self, o->other, &ref);
}

static void unlink_many(iris_actor *self, void *ctx)
{
    struct one *o = ctx;
    for (int i = 0; i < o->n; i++)
        watch()->unlink(self, o->many[i]);
}

/* Lists that are walked would make these plays last for minutes. */
static void many_links(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    struct one *hub = add(s, IRIS_SPAWN_TRAP);
    hub->many = scene_memory(s, MANY * sizeof *hub->many);
    hub->n = MANY;
    for (int i = 0; i < MANY; i++)
        hub->many[i] = scene_spawn(s, &plain, 0);
    have_do(s, hub, link_many, hub);
    scene_settle(s);
    for (int i = 0; i < MANY / 2; i++)
        watch()->kill(s->self, hub->many[i]);
    scene_settle(s);
    assert_int_equal(hub->d->exits, MANY / 2);
    have_do(s, hub, unlink_many, hub);
    scene_settle(s);
    have_do(s, hub, link_many, hub);
    scene_settle(s);
    watch()->kill(s->self, hub->pid);
    for (int i = 0; i < MANY; i++)
        cast_await_end(s, hub->many[i]);
}

static void many_monitors(struct scene *s)
{
    struct one *a = add(s, 0), *eye = add(s, 0);
    eye->other = a->pid;
    eye->n = 10 * MANY;
    have_do(s, eye, monitor_many, eye);
    scene_settle(s);
    watch()->kill(s->self, a->pid);
    scene_settle(s);
    assert_int_equal(eye->d->downs, 10 * MANY);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
#define BIG(play)  static void test_##play(void **state) { (void)state; scene_play_threads(play); }
PLAY(crash_goes_along)
PLAY(normal_ends_nobody)
PLAY(stops_go_along)
PLAY(trapping_sees_one_exit)
PLAY(twice_is_once)
PLAY(of_the_dead)
PLAY(unlink_flushes)
PLAY(unlinked_lives)
PLAY(both_agree)
PLAY(both_end_at_once)
PLAY(restart_unlinks)
PLAY(restarts_by_reason)
PLAY(born_linked)
PLAY(not_from_outside)
BIG(many_links)
BIG(many_monitors)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p5.a_crash_ends_all_who_are_linked_and_says_who_began_it", test_crash_goes_along),
    IRIS_TEST("p5.a_normal_end_ends_nobody_and_is_told_to_who_traps", test_normal_ends_nobody),
    IRIS_TEST("p5.stop_kill_and_other_reasons_go_along_links", test_stops_go_along),
    IRIS_TEST("p5.who_traps_gets_one_exit_and_lives_on", test_trapping_sees_one_exit),
    IRIS_TEST("p5.link_is_idempotent", test_twice_is_once),
    IRIS_TEST("p5.a_link_to_the_dead_says_noproc_at_once", test_of_the_dead),
    IRIS_TEST("p5.after_unlink_no_exit_comes", test_unlink_flushes),
    IRIS_TEST("p5.who_is_unlinked_lives_on", test_unlinked_lives),
    IRIS_TEST("p5.both_ends_agree_whether_they_are_linked", test_both_agree),
    IRIS_TEST("p5.two_that_end_at_once_are_told_of_once_each", test_both_end_at_once),
    IRIS_TEST("p5.a_restart_in_place_fires_links_and_forgets_them", test_restart_unlinks),
    IRIS_TEST("p6.on_failure_restarts_who_a_linked_crash_ended_but_not_who_a_linked_stop_ended", test_restarts_by_reason),
    IRIS_TEST("p5.an_actor_may_be_born_linked", test_born_linked),
    IRIS_TEST("p10.links_from_outside_and_between_others_are_refused_with_a_sentence", test_not_from_outside),
    IRIS_TEST("p5.ten_thousand_links_of_one_actor", test_many_links),
    IRIS_TEST("p5.a_hundred_thousand_monitors_of_one_actor", test_many_monitors),
};
/* clang-format on */
IRIS_MAIN(tests)
