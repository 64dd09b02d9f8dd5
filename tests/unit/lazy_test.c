/* Lazy actors: there at once, begun by their first message, at rest after a time without one. */
#include "main.h"

#include "cast.h"
#include "gate.h"
#include "runtime.h"

#include <string.h>

#define IDLE (100 * IRIS_MILLISECOND)

static uint64_t spawn_lazy(struct scene *s, const iris_behaviour *b, int64_t idle, const char *path)
{
    iris_spawn how = {.flags = IRIS_SPAWN_LAZY, .idle_timeout = idle, .path = path};
    return cast_spawn(s, b, how);
}

static int sleeps(struct scene *s, uint64_t pid)
{
    return cast_info(s, pid).state == IRIS_STATE_ASLEEP;
}

/* ---- beginning ---- */

static void first_message(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = spawn_lazy(s, &b, 0, "/lazy/one");
    scene_settle(s);
    assert_int_equal(name->find(s->self, "/lazy/one"), pid);
    assert_int_equal(l->inits, 0);
    assert_true(sleeps(s, pid));
    scene_send(s, pid, cast_number(0, 1));
    scene_settle(s);
    assert_int_equal(l->inits, 1);
    assert_int_equal(l->handled, 1);
    assert_false(sleeps(s, pid));
}

/* ---- resting ---- */

static uint64_t lazy_pid(struct scene *s)
{
    return *(uint64_t *)s->prop;
}

static int lazy_sleeps(struct scene *s)
{
    iris_info i = cast_info(s, lazy_pid(s));
    return !i.mailbox && i.state == IRIS_STATE_ASLEEP;
}

/* It says that it sleeps a moment before it lets go of the rest. */
static int lazy_is_bare(struct scene *s)
{
    return !atomic_load(&iris__table_at(&s->rt->world.table, lazy_pid(s))->cold);
}

static void await_sleep(struct scene *s, uint64_t pid)
{
    uint64_t *p = scene_memory(s, sizeof *p);
    *p = pid;
    s->prop = p;
    scene_await(s, lazy_sleeps);
}

/* The virtual clock goes from one timer to the next: who sends the last message knows the time. */
static void rests_in_time(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = spawn_lazy(s, &b, IDLE, NULL);
    for (uint64_t i = 1; i <= 20; i++) { /* never so long without one */
        uint64_t number = cast_number(0, i);
        timer->after(s->self, pid, (int64_t)i * IDLE * 9 / 10, &number, 8, NULL);
    }
    int64_t last = s->api->now(s->self) + 20 * IDLE * 9 / 10;
    scene_settle(s);
    assert_int_equal(l->handled, 20);
    assert_int_equal(l->inits, 1);
    assert_int_equal(l->finis, 1);
    assert_true(sleeps(s, pid));
    assert_in_range(s->api->now(s->self) - last, IDLE, IDLE * 5 / 4 + 1);
}

static void begins_again(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = spawn_lazy(s, &b, IRIS_MILLISECOND, NULL);
    for (uint64_t i = 1; i <= 5; i++) {
        scene_send(s, pid, cast_number(0, i));
        await_sleep(s, pid);
        assert_int_equal(l->inits, i);
        assert_int_equal(l->finis, i);
        scene_await(s, lazy_is_bare);
    }
    assert_int_equal(scene_ask(s, pid, "?"), 0); /* the count began anew */
    assert_int_equal(l->handled, 6);
}

/* Mail that comes while it goes to sleep: handled, by the old state or a new one. */
static void loses_nothing(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = spawn_lazy(s, &b, IRIS_MILLISECOND, NULL);
    for (uint64_t i = 1, ms = 0; i <= 100; i++) {
        uint64_t number = cast_number(15, i);
        ms += i * 7 % 4; /* at, before and behind a look, of which there is one each millisecond */
        timer->after(s->self, pid, (int64_t)ms * IRIS_MILLISECOND, &number, 8, NULL);
    }
    cast_senders(s, l, pid, 3, 200);
    scene_settle(s);
    await_sleep(s, pid);
    assert_int_equal(l->handled, 100 + l->accepted);
    assert_int_equal(l->accepted, 600);
    assert_int_equal(l->disorder, 0);
    assert_int_equal(l->inits, l->finis);
    assert_true(l->inits > 1);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* ---- what stays, and what goes ---- */

static void nobody_is_told(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *heard = cast_ledger(s);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    iris_behaviour b = cast_counter(l), w = cast_watcher(heard);
    uint64_t pid = spawn_lazy(s, &b, IRIS_MILLISECOND, "/lazy"), watcher = scene_spawn(s, &w, 0);
    name->set(s->self, "lazybones", pid);
    scene_send(s, watcher, pid);
    scene_settle(s);
    assert_int_equal(l->inits, 0); /* to be watched wakes nobody */
    scene_send(s, pid, cast_number(0, 1));
    await_sleep(s, pid);
    scene_settle(s);
    assert_int_equal(l->finis, 1);
    assert_int_equal(heard->downs, 0);
    assert_int_equal(name->find(s->self, "lazybones"), pid);
    watch->kill(s->self, pid);
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(heard->downs, 1);
    assert_int_equal(l->inits, 1);
    assert_int_equal(l->finis, 1);
}

/* Its init sets a timer for itself, and spawns a child. */
struct nest {
    iris_version *child;
    uint64_t child_pid;
    atomic_int begun, ended, child_ended, handled;
};

static int nest_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct nest *n = b->data;
    const iris_api *api = iris_calls();
    const iris_timer_api *timer = api->extension(IRIS_TIMER_EXT);
    iris_spawn how = {
        .size = sizeof how, .abi = IRIS_ABI, .version = n->child, .parent = api->pid(self)};
    (void)args, (void)state;
    atomic_fetch_add(&n->begun, 1);
    assert_int_equal(timer->every(self, api->pid(self), 100 * IDLE, "own", 3, NULL), IRIS_OK);
    return api->spawn(self, &how, &n->child_pid);
}

static int nest_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    (void)self, (void)state, (void)m;
    atomic_fetch_add(&((struct nest *)b->data)->handled, n);
    return n;
}

static void nest_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)self, (void)state;
    atomic_fetch_add(&((struct nest *)b->data)->ended, 1);
}

static void what_it_set_ends(struct scene *s)
{
    struct nest *n = scene_memory(s, sizeof *n);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    iris_behaviour child = cast_plain(cast_ledger(s));
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "nest",
                        .data = n,
                        .init = nest_init,
                        .handle = nest_handle,
                        .fini = nest_fini};
    n->child = scene_define(s, &child);
    uint64_t pid = spawn_lazy(s, &b, IDLE, NULL);
    timer->after(s->self, pid, 0, "x", 1, NULL);
    timer->after(s->self, pid, 50 * IDLE, "x", 1, NULL); /* ours: it stays, and wakes */
    scene_settle(s);
    assert_int_equal(n->begun, 2);
    assert_int_equal(n->ended, 2);
    assert_int_equal(n->handled, 2); /* none of its own timers */
    assert_false(cast_is_alive(s, n->child_pid));
    assert_true(sleeps(s, pid));
    s->api->release(n->child);
}

/* ---- asleep ---- */

static void swapped_asleep(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l), b2 = cast_counter2(l);
    b2.init = b.init; /* it will have to begin by itself */
    struct verdict *v = scene_memory(s, 4 * sizeof *v);
    uint64_t pid = spawn_lazy(s, &b, IRIS_MILLISECOND, NULL);
    cast_swap(s, pid, &b2, 0, &v[0]);
    cast_expect(s, &v[0], IRIS_OK, NULL);
    assert_int_equal(l->inits + l->upgrades + l->finis, 0);
    assert_int_equal(cast_info(s, pid).rev, 2);
    assert_true(sleeps(s, pid));
    scene_send(s, pid, cast_number(0, 1));
    await_sleep(s, pid);
    assert_int_equal(l->inits, 1);
    assert_int_equal(l->finis, 1);
    cast_swap(s, pid, &b, 1, &v[1]);
    cast_expect(s, &v[1], IRIS_OK, NULL);
    cast_rollback(s, pid, 1, 1, &v[2]);
    cast_expect(s, &v[2], IRIS_FAIL, "snapshot");
    cast_rollback(s, pid, 1, 0, &v[3]);
    cast_expect(s, &v[3], IRIS_OK, NULL);
    assert_int_equal(l->inits, 1);
    assert_int_equal(l->saves + l->upgrades, 0);
    scene_send(s, pid, cast_number(0, 2));
    await_sleep(s, pid); /* it has not forgotten its idle timeout */
    assert_int_equal(l->inits, 2);
}

static void stopped_asleep(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    iris_behaviour b = cast_counter(l);
    uint64_t one = spawn_lazy(s, &b, IDLE, NULL), two = spawn_lazy(s, &b, 0, NULL);
    watch->stop(s->self, one);
    watch->kill(s->self, two);
    cast_await_end(s, one);
    cast_await_end(s, two);
    assert_int_equal(l->inits + l->finis, 0);
}

static void a_stop_behind_mail(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = spawn_lazy(s, &b, IDLE, NULL);
    scene_send(s, pid, cast_number(0, 1));
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(l->handled, 1);
    assert_int_equal(l->inits, 1);
    assert_int_equal(l->finis, 1);
}

/* It has never begun, but it has a child, which it waits for when it is killed: its mail does not wake it. */
static void killed_asleep_with_a_child(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *of_child = cast_ledger(s);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    iris_behaviour b = cast_counter(l), child = cast_counter(of_child);
    uint64_t pid = spawn_lazy(s, &b, 0, NULL);
    uint64_t other = cast_spawn(s, &child, (iris_spawn){.parent = pid});
    scene_settle(s);
    for (uint64_t i = 1; i <= 3; i++) /* first the kill: a signal overtakes what waits for a turn */
        if (s->seed)
            scene_send(s, pid, cast_number(0, i));
    watch->kill(s->self, pid);
    watch->stop(s->self, pid);
    cast_await_end(s, other);
    cast_await_end(s, pid);
    assert_int_equal(l->inits, 0);
    assert_int_equal(of_child->finis, 1);
    assert_int_equal(scene_count(s).dead_letters, s->seed ? 3 : 0);
}

static void crashes(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    l->crash_every = 2;
    l->gaps = 1;
    iris_behaviour b = cast_counter(l);
    struct app_spawn how = {.spawn = {.size = sizeof how.spawn,
                                      .abi = IRIS_ABI,
                                      .version = scene_define(s, &b),
                                      .path = "/svc/lazy",
                                      .flags = IRIS_SPAWN_LAZY,
                                      .idle_timeout = IRIS_MILLISECOND},
                            .restart = RESTART_ON_FAILURE};
    uint64_t pid;
    assert_int_equal(iris__runtime_spawn(s->rt, &how, &pid), IRIS_OK);
    s->api->release(how.spawn.version);
    for (uint64_t i = 1; i <= 3; i++)
        scene_send(s, pid, cast_number(0, i));
    await_sleep(s, pid);
    assert_int_equal(l->handled, 2);
    assert_int_equal(cast_info(s, pid).restarts, 1);
    scene_send(s, pid, cast_number(0, 5));
    await_sleep(s, pid);
    assert_int_equal(l->handled, 3);
}

/* ---- a manifest's timers ---- */

static uint64_t spawn_timed(struct scene *s, const iris_behaviour *b, uint32_t flags, int64_t idle)
{
    static const struct alarm alarms[] = {{.first = IDLE, .data = "x", .len = 1},
                                          {.first = 3 * IDLE, .data = "x", .len = 1}};
    struct app_spawn how = {.spawn = {.size = sizeof how.spawn,
                                      .abi = IRIS_ABI,
                                      .version = scene_define(s, b),
                                      .path = "/svc/timed",
                                      .flags = flags,
                                      .idle_timeout = idle},
                            .restart = RESTART_ON_FAILURE,
                            .alarms = alarms,
                            .nalarms = 2};
    uint64_t pid;
    assert_int_equal(iris__runtime_spawn(s->rt, &how, &pid), IRIS_OK);
    s->api->release(how.spawn.version);
    return pid;
}

/* The first of its two timers crashes it: each incarnation begins with both anew. */
struct fuse {
    int crashes, begun, heard;
};

static int fuse_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)self, (void)args, (void)state;
    ((struct fuse *)b->data)->begun++;
    return IRIS_OK;
}

static int fuse_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    struct fuse *f = b->data;
    (void)self, (void)state, (void)m, (void)n;
    if (f->crashes && f->crashes--)
        return (iris_calls()->fail)("the fuse"), ~0;
    f->heard++;
    return 1;
}

static iris_behaviour fuse(struct fuse *f)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "fuse",
                            .data = f,
                            .init = fuse_init,
                            .handle = fuse_handle};
}

static void alarms_begin_anew(struct scene *s)
{
    struct fuse *f = scene_memory(s, sizeof *f);
    iris_behaviour b = fuse(f);
    f->crashes = 2;
    spawn_timed(s, &b, 0, 0);
    int64_t before = s->api->now(s->self);
    scene_settle(s);
    assert_int_equal(f->begun, 3);
    assert_int_equal(f->heard, 2);
    assert_true(s->api->now(s->self) - before >= 5 * IDLE);
}

static void alarms_wake(struct scene *s)
{
    struct fuse *f = scene_memory(s, sizeof *f);
    iris_behaviour b = fuse(f);
    uint64_t pid = spawn_timed(s, &b, IRIS_SPAWN_LAZY, IDLE / 2);
    assert_int_equal(f->begun, 0);
    scene_settle(s);
    assert_int_equal(f->begun, 2); /* it slept between the two, which did not begin anew */
    assert_int_equal(f->heard, 2);
    assert_true(sleeps(s, pid));
}

/* ---- refusals ---- */

static void refused(struct scene *s, const iris_behaviour *b, uint32_t flags, int64_t idle,
                    const char *words)
{
    iris_version *v = scene_define(s, b);
    iris_spawn how = {
        .size = sizeof how, .abi = IRIS_ABI, .version = v, .flags = flags, .idle_timeout = idle};
    uint64_t pid;
    assert_int_equal(s->api->spawn(s->self, &how, &pid), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), words));
    s->api->release(v);
}

static void senseless(struct scene *s)
{
    iris_behaviour b = cast_plain(cast_ledger(s)), pull = b;
    pull.flags |= IRIS_PULL | IRIS_OWN_THREAD;
    refused(s, &b, 0, IDLE, "an idle timeout is for IRIS_SPAWN_LAZY");
    refused(s, &b, IRIS_SPAWN_LAZY, -1, "more than 0");
    refused(s, &pull, IRIS_SPAWN_LAZY, IDLE, "takes it itself");
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
#define SEEDS(play) static void test_##play(void **state) { (void)state; scene_play_seeds(play); }
PLAY(first_message)
SEEDS(rests_in_time)
PLAY(begins_again)
PLAY(loses_nothing)
PLAY(nobody_is_told)
SEEDS(what_it_set_ends)
PLAY(swapped_asleep)
PLAY(stopped_asleep)
PLAY(a_stop_behind_mail)
PLAY(crashes)
SEEDS(alarms_begin_anew)
SEEDS(alarms_wake)
PLAY(senseless)

static void p5_killed_asleep(void **state)
{
    (void)state;
    scene_play(killed_asleep_with_a_child);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p5.killed_asleep_it_waits_for_its_child_and_does_not_wake", p5_killed_asleep),
    IRIS_TEST("lazy.pid_and_path_are_there_and_init_comes_with_the_first_message", test_first_message),
    IRIS_TEST("lazy.rests_when_nothing_came_for_its_idle_timeout", test_rests_in_time),
    IRIS_TEST("lazy.begins_again_with_the_next_message_and_is_bare_between", test_begins_again),
    IRIS_TEST("lazy.no_message_is_lost_while_it_goes_to_sleep", test_loses_nothing),
    IRIS_TEST("lazy.nobody_is_told_that_it_sleeps_and_its_names_stay", test_nobody_is_told),
    IRIS_TEST("lazy.its_own_timers_and_children_end_with_its_state_and_others_timers_wake_it", test_what_it_set_ends),
    IRIS_TEST("lazy.a_swap_of_one_that_sleeps_wakes_nobody", test_swapped_asleep),
    IRIS_TEST("lazy.stop_and_kill_end_one_that_sleeps", test_stopped_asleep),
    IRIS_TEST("lazy.mail_before_a_stop_is_handled", test_a_stop_behind_mail),
    IRIS_TEST("lazy.is_restarted_as_others_are_and_rests_again", test_crashes),
    IRIS_TEST("p4.a_manifests_timers_begin_anew_with_each_incarnation", test_alarms_begin_anew),
    IRIS_TEST("lazy.a_manifests_timers_run_while_it_sleeps_and_wake_it", test_alarms_wake),
    IRIS_TEST("lazy.senseless_idle_timeouts_are_refused_with_a_sentence", test_senseless),
};
/* clang-format on */
IRIS_MAIN(tests)
