/* P2, P3: who is frozen begins nothing and loses nothing: it goes on where it was, or its state and its mail are in
 * a save, and nothing of them is a dead letter. */
#include "main.h"

#include "cast.h"

#include "freeze.h"
#include "message.h"
#include "runtime.h"
#include "send.h"
#include "swap.h"

#include <stdlib.h>
#include <string.h>

struct rest { /* what was told */
    struct gather gather;
    atomic_int told, result, gathered;
    char why[300];
    uint64_t state; /* of a counter */
    int has_state;
    uint32_t mail, questions;
    uint64_t first, last; /* numbers */
};

static void rested(void *ctx, const struct swap_report *r)
{
    struct rest *k = ctx;
    snprintf(k->why, sizeof k->why, "%s", r->why ? r->why : "");
    k->has_state = r->state != NULL;
    if (r->state && r->state->len == sizeof k->state)
        memcpy(&k->state, r->state->data, sizeof k->state);
    atomic_store(&k->result, r->result);
    atomic_fetch_add(&k->told, 1);
}

static void gathered(struct gather *g, const struct gathered *what)
{
    struct rest *k = (struct rest *)g;
    atomic_store(&k->result, what->result);
    k->mail = what->nmail;
    k->questions = what->questions;
    if (what->nmail) {
        memcpy(&k->first, what->mail[0]->pub.data, sizeof k->first);
        memcpy(&k->last, what->mail[what->nmail - 1]->pub.data, sizeof k->last);
    }
    atomic_fetch_add(&k->gathered, 1);
}

static int is_told(struct scene *s)
{
    return atomic_load(&((struct rest *)s->prop)->told);
}

static int is_gathered(struct scene *s)
{
    return atomic_load(&((struct rest *)s->prop)->gathered);
}

static struct world *world(struct scene *s)
{
    return &s->rt->world;
}

static struct rest *ask_to_rest(struct scene *s, uint64_t pid)
{
    struct rest *k = s->prop = scene_memory(s, sizeof *k);
    struct swap_order order = {.now = 1, .freeze = 1, .tell = rested, .ctx = k};
    k->gather.tell = gathered;
    assert_int_equal(iris__swap(world(s), pid, &order), IRIS_OK);
    return k;
}

static struct rest *have_rest(struct scene *s, uint64_t pid)
{
    struct rest *k = ask_to_rest(s, pid);
    scene_await(s, is_told);
    assert_int_equal(k->result, IRIS_OK);
    return k;
}

static void gather(struct scene *s, uint64_t pid, struct rest *k)
{
    s->prop = k;
    atomic_store(&k->gathered, 0);
    iris__gather(world(s), pid, &k->gather);
    scene_await(s, is_gathered);
}

static void send_some(struct scene *s, uint64_t pid, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i <= to; i++)
        scene_send(s, pid, cast_number(0, i));
}

/* ---- it goes on ---- */

static void goes_on(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    send_some(s, pid, 1, 200);
    cast_run(s, 20);
    struct rest *k = have_rest(s, pid);
    send_some(s, pid, 201, 300);
    gather(s, pid, k);
    assert_int_equal(k->result, IRIS_OK);
    assert_int_equal(k->state, l->handled);
    assert_int_equal(k->state + k->mail, 300);
    assert_int_equal(k->first, cast_number(0, k->state + 1));
    assert_int_equal(k->last, cast_number(0, 300));
    cast_run(s, 50);
    assert_int_equal(k->state, l->handled);
    iris__thaw(world(s), pid);
    scene_settle(s);
    assert_int_equal(l->handled, 300);
    assert_int_equal(l->disorder, 0);
    assert_int_equal(l->inits, 1);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static void p3_goes_on(void **state)
{
    (void)state;
    scene_play(goes_on);
}

/* ---- it is saved, and ends ---- */

static void ends(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    send_some(s, pid, 1, 100);
    cast_run(s, 20);
    struct rest *k = have_rest(s, pid);
    gather(s, pid, k);
    iris__freeze_is_safe(world(s), pid);
    send_some(s, pid, 101, 103); /* too late for the save */
    iris__actor_kill(world(s), pid, "killed (how=kill): it is saved");
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(k->state + k->mail, 100);
    assert_int_equal(scene_count(s).dead_letters, 3);
    assert_int_equal(l->finis, 1);
}

static void p2_what_is_saved_is_no_dead_letter(void **state)
{
    (void)state;
    scene_play(ends);
}

/* ---- those that wait at its door are there too ---- */

static void door(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.capacity = 4, .policy = IRIS_BLOCK});
    struct rest *k = have_rest(s, pid);
    cast_senders(s, l, pid, 3, 40);
    if (s->seed)
        cast_run(s, 500);
    gather(s, pid, k);
    uint64_t accepted = atomic_load(&l->accepted);
    assert_int_equal(k->result, IRIS_OK);
    if (s->seed)
        assert_int_equal(k->mail, accepted);
    assert_int_equal(l->handled, 0);
    iris__thaw(world(s), pid);
    scene_settle(s);
    assert_int_equal(l->handled, 120);
    cast_balance(s, l);
}

static void p7_who_waits_at_the_door(void **state)
{
    (void)state;
    scene_play(door);
}

/* ---- it will not ---- */

static void refuses(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    l->save_fails = "not today";
    uint64_t pid = scene_spawn(s, &b, 0);
    send_some(s, pid, 1, 10);
    struct rest *k = ask_to_rest(s, pid);
    scene_await(s, is_told);
    assert_int_equal(k->result, IRIS_FAIL);
    assert_non_null(strstr(k->why, "not today"));
    scene_settle(s);
    assert_int_equal(l->handled, 10);
    gather(s, pid, k);
    assert_int_equal(k->result, IRIS_FAIL);
    iris__actor_kill(world(s), pid, "killed (how=kill)");
    cast_await_end(s, pid);
    scene_settle(s);
    gather(s, pid, k);
    assert_int_equal(k->result, IRIS_DEAD);
}

static void p3_a_save_that_is_refused(void **state)
{
    (void)state;
    scene_play(refuses);
}

/* No swap comes meanwhile, and a question is none of its mail. */
static void meanwhile(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour b = cast_counter(l), other = cast_counter2(l);
    uint64_t pid = scene_spawn(s, &b, 0), number = cast_number(0, 1);
    struct rest *k = have_rest(s, pid);
    assert_int_equal(cast_swap(s, pid, &other, 1, told), IRIS_OK);
    cast_expect(s, told, IRIS_FAIL, "is being saved");
    scene_send(s, pid, number);
    assert_int_equal(iris__send(s->self, pid, "count", 5, pid), IRIS_OK); /* somebody asks */
    gather(s, pid, k);
    assert_int_equal(k->mail, 1);
    assert_int_equal(k->questions, 1);
    iris__actor_kill(world(s), pid, "killed (how=kill)");
    cast_await_end(s, pid);
    scene_settle(s);
}

static void p3_no_swap_meanwhile(void **state)
{
    (void)state;
    scene_play(meanwhile);
}

/* ---- it is restored ---- */

static uint64_t restore(struct scene *s, const iris_behaviour *b, uint64_t number, uint32_t flags)
{
    uint64_t pid = 0;
    iris_version *v = scene_define(s, b);
    struct restored *r = malloc(sizeof *r + sizeof number);
    r->from = 1;
    r->len = sizeof number;
    memcpy(r->data, &number, sizeof number);
    struct app_spawn how = {.spawn = {.size = sizeof how.spawn,
                                      .abi = IRIS_ABI,
                                      .version = v,
                                      .path = "/a",
                                      .flags = flags},
                            .frozen = 1,
                            .restored = r};
    assert_int_equal(iris__runtime_spawn(s->rt, &how, &pid), IRIS_OK);
    s->api->release(v);
    return pid;
}

static int has_upgraded(struct scene *s)
{
    return (int)atomic_load(&((struct ledger *)s->prop)->upgrades);
}

static void restores(struct scene *s, uint32_t flags)
{
    struct ledger *l = s->prop = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = restore(s, &b, 41, flags);
    send_some(s, pid, 1, 5);
    scene_await(s, has_upgraded); /* before anything wakes it, if it is a lazy one */
    cast_run(s, 50);
    assert_int_equal(l->handled, 0);
    iris__thaw(world(s), pid);
    assert_int_equal(scene_ask(s, pid, "count"), 46);
    assert_int_equal(l->inits, 0);
}

static void restores_at_once(struct scene *s)
{
    restores(s, 0);
}

static void restores_lazy(struct scene *s)
{
    restores(s, IRIS_SPAWN_LAZY);
}

static void p3_restored(void **state)
{
    (void)state;
    scene_play(restores_at_once);
    scene_play(restores_lazy);
}

/* The state that is refused is no state to begin with. */
static void restore_refused(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    l->upgrade_fails = "what is this";
    uint64_t pid = restore(s, &b, 41, 0);
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(l->inits, 0);
    assert_int_equal(l->handled, 0);
}

static void p3_a_state_that_is_refused(void **state)
{
    (void)state;
    scene_play(restore_refused);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p3.frozen_goes_on_where_it_was", p3_goes_on),
    IRIS_TEST("p2.saved_mail_is_no_dead_letter", p2_what_is_saved_is_no_dead_letter),
    IRIS_TEST("p7.frozen_counts_who_waits_at_its_door", p7_who_waits_at_the_door),
    IRIS_TEST("p3.save_that_is_refused_changes_nothing", p3_a_save_that_is_refused),
    IRIS_TEST("p3.frozen_takes_no_swap_and_keeps_no_question", p3_no_swap_meanwhile),
    IRIS_TEST("p3.restored_state_comes_before_any_message", p3_restored),
    IRIS_TEST("p3.restored_state_may_be_refused", p3_a_state_that_is_refused),
};

IRIS_MAIN(tests)
