/* The main plays under many seeds: `make seeds` plays each under 1,000, of 200 decisions at least. And a
 * planted bug shows that a seed that fails is found, named and replayed. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t plays, decisions;

static void close_books(struct scene *s)
{
    plays++;
    decisions += scene_count(s).decisions;
}

static void play_many(void (*play)(struct scene *))
{
    plays = decisions = 0;
    scene_play_seeds(play);
    if (!getenv("SEED"))
        assert_true(decisions / plays >= 200);
}

/* Senders, a small mailbox, crashes, swaps in order and now, rollbacks, cancels. */
static void everything_at_once(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, 24 * sizeof *told);
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    iris_behaviour v1 = cast_counter(l), v2 = cast_counter(l);
    int asked[24], small = s->seed % 3 == 0;
    l->crash_every = 37;
    l->yield_every = s->seed % 5;
    iris__supervisor_add(&s->rt->supervisors, "/",
                         &(struct policy){.intensity = 1000, .period = IRIS_SECOND});
    iris_version *v = scene_define(s, &v1);
    struct app_spawn how = {.spawn = {.size = sizeof how.spawn,
                                      .abi = IRIS_ABI,
                                      .version = v,
                                      .path = "/all",
                                      .budget = (uint32_t)(s->seed % 11),
                                      .capacity = small ? 6 : 0},
                            .restart = RESTART_ON_FAILURE};
    uint64_t pid;
    assert_int_equal(iris__runtime_spawn(s->rt, &how, &pid), IRIS_OK);
    s->api->release(v);
    cast_senders(s, l, pid, 4, 110);
    for (int i = 0; i < 24; i++) {
        cast_run(s, 9);
        asked[i] = i % 6 == 5 ? cast_rollback(s, pid, 1, 0, &told[i])
                              : cast_swap(s, pid, &v2, i % 4 == 3, &told[i]);
        if (i % 8 == 4)
            control->cancel(s->self, pid);
    }
    scene_settle(s);
    for (int i = 0; i < 24; i++)
        assert_int_equal(told[i].told, asked[i] == IRIS_OK);
    assert_int_equal(l->accepted, 440);
    assert_int_equal(scene_count(s).crashed, 4 * (110 / 37));
    cast_balance(s, l);
    close_books(s);
}

/* Families, monitors, names and timers while actors end at any moment. */
static void births_and_deaths(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *w = cast_ledger(s);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    iris_behaviour plain = cast_plain(l), watcher = cast_watcher(w);
    uint64_t eye = scene_spawn(s, &watcher, 0), parent = 0;
    for (int i = 0; i < 80; i++) {
        uint64_t pid = cast_spawn(
            s, &plain, (iris_spawn){.parent = i % 4 && cast_is_alive(s, parent) ? parent : 0});
        if (i % 4 == 0)
            parent = pid;
        scene_send(s, eye, pid);
        cast_senders(s, l, pid, 1, 5);
        timer->after(s->self, pid, (int64_t)(s->seed % 7) * IRIS_MILLISECOND, "t", 1, NULL);
        timer->every(s->self, pid, IRIS_SECOND, "e", 1, NULL);
        name->set(s->self, "last", pid);
        cast_run(s, (int)(s->seed + (uint64_t)i) % 6);
        (i % 4 == 3 ? watch->kill : watch->stop)(s->self, i % 2 ? pid : parent);
    }
    for (uint32_t slot = 0; slot < 300; slot++) {
        iris_actor *a = iris__table_at(&iris__world_of(s->self)->table, slot);
        uint64_t pid = a ? iris__actor_pid(a) : 0;
        if (pid && pid != eye)
            watch->kill(s->self, pid);
    }
    scene_settle(s);
    assert_int_equal(w->downs, 80); /* one for each */
    assert_int_equal(scene_count(s).actors, 1);
    assert_int_equal(iris__world_of(s->self)->timers.calendar.timers, 0);
    assert_int_equal(name->find(s->self, "last"), 0);
    close_books(s);
}

/* Actors on three executors that swap between them. */
static void travels(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *sent = cast_ledger(s);
    iris_driver d = {.size = sizeof d, .abi = IRIS_ABI, .name = "x"};
    iris_executor *x[2];
    iris_behaviour b = cast_counter(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid[4];
    l->gaps = 1;
    assert_int_equal(s->api->open(s->self, &d, &x[0]), IRIS_OK);
    assert_int_equal(s->api->open(s->self, &d, &x[1]), IRIS_OK);
    for (int i = 0; i < 4; i++) {
        b.executor = i % 3 ? x[i % 3 - 1] : NULL;
        pid[i] = scene_spawn(s, &b, i % 2 ? 5 : 0);
        cast_senders(s, sent, pid[i], 2, 60);
    }
    for (int i = 0; i < 30; i++) {
        cast_run(s, 7);
        b.executor = i % 3 ? x[i % 3 - 1] : NULL;
        cast_swap(s, pid[i % 4], &b, i % 5 == 0, NULL);
    }
    scene_settle(s);
    assert_int_equal(l->handled, 480);
    for (int i = 0; i < 4; i++) {
        watch->stop(s->self, pid[i]);
        cast_await_end(s, pid[i]);
    }
    scene_settle(s);
    assert_int_equal(l->inits + l->upgrades, l->finis);
    assert_int_equal(scene_count(s).versions, 8); /* the senders' */
    close_books(s);
    s->api->close(x[0]);
    s->api->close(x[1]);
}

/* ---- a planted bug: two tellers read a balance, add one and write it back ---- */

struct bank {
    uint64_t store, balance, writes;
};

static int store_handle(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    struct bank *bank = b->data;
    (void)state;
    for (int i = 0; i < n; i++)
        if (m[i]->len == 0)
            iris_calls()->send(self, m[i]->from, &bank->balance, 8, 0);
        else {
            memcpy(&bank->balance, m[i]->data, 8); /* whatever it was meanwhile */
            bank->writes++;
        }
    return n;
}

static int teller_handle(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    struct bank *bank = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        uint64_t balance;
        if (m[i]->len == 0) {
            iris_calls()->send(self, bank->store, NULL, 0, 0);
            continue;
        }
        memcpy(&balance, m[i]->data, 8);
        balance++;
        iris_calls()->send(self, bank->store, &balance, 8, 0);
    }
    return n;
}

static struct bank *do_business(struct scene *s)
{
    struct bank *bank = scene_memory(s, sizeof *bank);
    iris_behaviour store = {.size = sizeof store,
                            .abi = IRIS_ABI,
                            .name = "store",
                            .data = bank,
                            .handle = store_handle};
    iris_behaviour teller = store;
    teller.handle = teller_handle;
    bank->store = scene_spawn(s, &store, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(s->api->send(s->self, scene_spawn(s, &teller, 0), NULL, 0, 0), IRIS_OK);
    scene_settle(s);
    return bank;
}

static void two_tellers(struct scene *s)
{
    assert_int_equal(do_business(s)->balance, 2);
}

static uint64_t balance_under(uint64_t seed, uint64_t *made)
{
    struct scene s = {0};
    scene_open(&s, 0, seed);
    uint64_t balance = do_business(&s)->balance;
    *made = scene_count(&s).decisions;
    scene_close(&s);
    return balance;
}

static void found_and_replayed(void)
{
    uint64_t right = 0, wrong = 0, first = 0, made, again;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t balance = balance_under(seed, &made);
        right += balance == 2;
        wrong += balance == 1;
        if (balance == 1 && !first)
            first = seed;
    }
    assert_int_equal(right + wrong, 100);
    assert_true(right > 5 && wrong > 5); /* it depends on the order alone */
    balance_under(first, &made);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(balance_under(first, &again), 1);
        assert_int_equal(again, made);
    }
}

/* The same as a user meets it: this test in a process of its own, whose output names the seed. */
static int run_planted(const char *how, char *out, size_t room)
{
    char self[500], command[700];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    snprintf(command, sizeof command,
             "PLANTED=1 %s %s seeds.a_planted_bug_is_found_named_and_replayed 2>&1", how, self);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    out[fread(out, 1, room - 1, f)] = '\0';
    return pclose(f);
}

static void named(void)
{
    char out[4096], how[40];
    assert_int_not_equal(run_planted("SEEDS=100", out, sizeof out), 0);
    const char *seed = strstr(out, "; SEED=");
    assert_non_null(seed);
    snprintf(how, sizeof how, "SEED=%lu", strtoul(seed + 7, NULL, 10));
    assert_int_not_equal(run_planted(how, out, sizeof out), 0);
    assert_non_null(strstr(out, how));
}

static void seeds_planted(void **state)
{
    (void)state;
    if (getenv("PLANTED")) {
        scene_play_seeds(two_tellers);
        return;
    }
    found_and_replayed();
    named();
}

static void seeds_everything(void **state)
{
    (void)state;
    play_many(everything_at_once);
}

static void seeds_lives(void **state)
{
    (void)state;
    play_many(births_and_deaths);
}

static void seeds_travels(void **state)
{
    (void)state;
    play_many(travels);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("seeds.senders_swaps_rollbacks_and_crashes_lose_and_reorder_nothing", seeds_everything),
    IRIS_TEST("seeds.births_and_deaths_tell_each_watcher_once_and_leave_nothing", seeds_lives),
    IRIS_TEST("seeds.actors_that_travel_between_executors_lose_nothing", seeds_travels),
    IRIS_TEST("seeds.a_planted_bug_is_found_named_and_replayed", seeds_planted),
};
/* clang-format on */
IRIS_MAIN(tests)
