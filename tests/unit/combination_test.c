/* What no one feature promises alone: who waits, rests, is down or about to end, and is told something
 * else meanwhile. */
#include "main.h"

#include "holder.h"
#include "puller.h"

#include "gate.h"
#include "mailbox.h"
#include "runtime.h"
#include "send.h"

#include <iris/ext/observe.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define IDLE IRIS_MILLISECOND

static const iris_watch *watch(void)
{
    return iris_calls()->extension(IRIS_WATCH);
}

static int has_begun_again(struct scene *s)
{
    return atomic_load(&((struct puller *)s->prop)->begun) == 2;
}

static void policy(struct scene *s, const char *path, struct policy p)
{
    p.period = 5 * IRIS_SECOND;
    assert_int_equal(iris__supervisor_add(&s->rt->supervisors, path, &p), IRIS_OK);
}

/* ---- a pull actor in a round ---- */

static int until_closed(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK)
        puller_note(p, m);
    return 0;
}

/* Says goodbye where the order that it has is another one. */
static int until_closed_with_exit(struct puller *p, iris_actor *self, struct numbers *state)
{
    until_closed(p, self, state);
    p->api->exit(self, "goodbye");
    return 0;
}

/* Two numbers to somebody who has room for one. */
static int waits_at_door(struct puller *p, iris_actor *self, struct numbers *state)
{
    (void)state;
    for (uint64_t i = 1; i <= 2; i++)
        p->result = p->api->send(self, p->other, &i, sizeof i, 0);
    until_closed(p, self, state);
    return 0;
}

/* A pull actor and a counter under one supervisor, one for all; returns the counter. */
static uint64_t pair(struct scene *s, struct puller *p, uint64_t *pid)
{
    iris_behaviour b = puller_behaviour(p, "1"), counter;
    struct ledger *l = cast_ledger(s);
    l->crash_every = 7;
    counter = cast_counter(l);
    s->prop = p;
    policy(s, "/g", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 3});
    *pid = cast_supervise(s, &b, "/g/p", RESTART_ON_FAILURE);
    return cast_supervise(s, &counter, "/g/c", RESTART_ON_FAILURE);
}

static void round_with(struct scene *s, struct puller *p)
{
    uint64_t pid, counter = pair(s, p, &pid);
    scene_await(s, puller_has_begun);
    cast_run(s, 20);
    scene_send(s, counter, 7);
    scene_await(s, has_begun_again);
    scene_settle(s);
    assert_true(cast_is_alive(s, pid));
    assert_true(cast_is_alive(s, counter));
    assert_int_equal(cast_info(s, pid).restarts, 1);
    assert_int_equal(watch()->stop(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    assert_int_equal(p->begun, 2);
}

static void restart_and_exit(struct scene *s)
{
    round_with(s, puller_make(s, until_closed_with_exit));
}

static void full_holder(struct scene *s, struct puller *p)
{
    struct holder *h = holder_spawn(s, (iris_spawn){.capacity = 1, .policy = IRIS_BLOCK});
    scene_send(s, h->pid, 1);
    holder_await(s, h, 1);
    p->other = h->pid;
}

static void restart_at_door(struct scene *s)
{
    struct puller *p = puller_make(s, waits_at_door);
    full_holder(s, p);
    uint64_t pid, counter = pair(s, p, &pid);
    scene_await(s, puller_has_begun);
    cast_run(s, 20);
    scene_send(s, counter, 7);
    scene_await(s, has_begun_again);
    assert_true(cast_is_alive(s, pid));
    assert_int_equal(watch()->kill(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
}

static void kill_at_door(struct scene *s)
{
    uint64_t pid;
    struct puller *p = puller_make(s, waits_at_door);
    iris_behaviour b = puller_behaviour(p, "1");
    s->prop = p;
    full_holder(s, p);
    pid = scene_spawn(s, &b, 0);
    scene_await(s, puller_has_begun);
    cast_run(s, 10);
    assert_int_equal(watch()->kill(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
}

/* The runtime is closed while it waits. */
static void close_at_door(struct scene *s)
{
    struct puller *p = puller_make(s, waits_at_door);
    iris_behaviour b = puller_behaviour(p, "1");
    s->prop = p;
    full_holder(s, p);
    scene_spawn(s, &b, 0);
    scene_await(s, puller_has_begun);
    cast_run(s, 10);
}

/* ---- a place that comes to nothing ---- */

static int sender_waits(struct scene *s)
{
    return look_at(s, ((struct holder *)s->prop)->pid).waiting == 1;
}

/* A sender has its place and finds no memory for the message; meanwhile the receiver is told to stop. Who
 * waits at the door was accepted before, and must have that place. */
static void place_given_back_after_stop(struct scene *s)
{
    struct holder *h = holder_spawn(s, (iris_spawn){.capacity = 1, .policy = IRIS_BLOCK});
    struct asker *k = asker_spawn(s);
    iris_actor *a = iris__table_at(&s->rt->world.table, h->pid);
    s->prop = h;
    assert_int_equal(iris__gate_reserve(a, h->pid, 1), IRIS_OK);
    asker_order(s, k, h->pid, 7);
    scene_await(s, sender_waits);
    assert_int_equal(watch()->stop(s->self, h->pid), IRIS_OK);
    iris__gate_unreserve(a, h->pid);
    assert_int_equal(iris__signal(&s->rt->world, KIND_DOOR, 0, h->pid, 0, NULL), IRIS_OK);
    holder_await(s, h, 1);
    assert_int_equal(h->log[0], 7);
    holder_let_go(s, h, IRIS_OK);
    cast_await_end(s, h->pid);
}

/* ---- HOT_SWAP, and then the end of who is linked ---- */

static int slow_to_go(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK)
        if (m->kind == IRIS_HOT_SWAP) {
            atomic_store(&p->hot, 1);
            p->result = p->reader->sleep(self, IRIS_MILLISECOND);
            return 0;
        }
    return 0;
}

static void exit_in_hot_swap(struct scene *s)
{
    uint64_t pid;
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    l->crash_every = 7;
    struct puller *p = puller_start(s, slow_to_go, &pid), *new = puller_make(s, until_closed);
    iris_behaviour counter = cast_counter(l), b = puller_behaviour(new, "2");
    uint64_t other = scene_spawn(s, &counter, 0);
    assert_int_equal(watch()->link_pair(s->self, pid, other), IRIS_OK);
    scene_await(s, puller_has_begun);
    cast_swap(s, pid, &b, 0, told);
    scene_await(s, puller_is_asked_to_go);
    scene_send(s, other, 7);
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(told->told, 1);
    assert_int_equal(p->ended, p->begun);
    assert_int_equal(new->ended, new->begun);
}

/* ---- lazy ---- */

static void lazy_blocks(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = cast_spawn(
        s, &b,
        (iris_spawn){
            .flags = IRIS_SPAWN_LAZY, .idle_timeout = IDLE, .capacity = 2, .policy = IRIS_BLOCK});
    cast_senders(s, l, pid, 4, 100);
    scene_settle(s);
    cast_balance(s, l);
    assert_int_equal(l->handled, 400);
    watch()->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(l->inits, l->finis);
}

struct sleeper { /* sends one number in each turn, and counts its lives */
    uint64_t to;
    atomic_int inits;
};

static int sleeper_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct sleeper *k = b->data;
    (void)self, (void)args, (void)state;
    atomic_fetch_add(&k->inits, 1);
    return IRIS_OK;
}

static int sleeper_handle(const iris_behaviour *b, iris_actor *self, void *state,
                          const iris_message *const *m, int n)
{
    struct sleeper *k = b->data;
    (void)state, (void)n;
    assert_int_equal(iris_calls()->send(self, k->to, m[0]->data, m[0]->len, 0), IRIS_OK);
    return 1;
}

static int sleeps(struct scene *s, uint64_t pid)
{
    return cast_info(s, pid).state == IRIS_STATE_ASLEEP;
}

/* Who waits at a door is not at rest: its state stays until it is in. */
static void lazy_waits(struct scene *s)
{
    struct holder *h = holder_spawn(s, (iris_spawn){.capacity = 1, .policy = IRIS_BLOCK});
    struct sleeper *k = scene_memory(s, sizeof *k);
    k->to = h->pid;
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "sleeper",
                        .version = "1",
                        .data = k,
                        .init = sleeper_init,
                        .handle = sleeper_handle};
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.flags = IRIS_SPAWN_LAZY, .idle_timeout = IDLE});
    scene_send(s, h->pid, 1);
    holder_await(s, h, 1);
    scene_send(s, pid, 2);
    s->prop = h;
    scene_await(s, sender_waits);
    while (s->seed && s->api->now(s->self) < 10 * IDLE && iris_step(s->rt))
        ;
    assert_false(sleeps(s, pid));
    holder_let_go(s, h, IRIS_OK);
    holder_await(s, h, 2);
    scene_send(s, pid, 3);
    holder_let_go(s, h, IRIS_OK);
    holder_await(s, h, 3);
    holder_let_go(s, h, IRIS_OK);
}

/* ---- the end of what is waited for ---- */

/* A look that is over before it has begun leaves nothing at its target. */
struct look {
    iris_answer answer;
    atomic_int *over; /* of all looks, how many */
};

static void look_over(iris_job *job)
{
    atomic_fetch_add(((struct look *)job)->over, 1);
}

static int looks_are_over(struct scene *s)
{
    return atomic_load((atomic_int *)s->prop) == 200;
}

static uint32_t watchers(struct scene *s, uint64_t pid)
{
    struct cold *c = iris__cold_if(iris__table_at(&s->rt->world.table, pid));
    return c ? c->watchers.used : 0;
}

static void ended_leaves_nothing(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_counter(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    struct look *looks = scene_memory(s, 200 * sizeof *looks);
    s->prop = scene_memory(s, sizeof *looks->over);
    for (int i = 0; i < 200; i++) {
        looks[i] = (struct look){.answer.job.run = look_over, .over = s->prop};
        assert_int_equal(watch()->ended(s->self, pid, i % 3, &looks[i].answer), IRIS_OK);
        cast_run(s, i % 5);
    }
    scene_await(s, looks_are_over);
    scene_ask(s, pid, "count"); /* what was told before is heard */
    scene_settle(s);
    assert_int_equal(watchers(s, pid), 0);
}

/* ---- dropold, a swap in order, and a stop ---- */

static void evict_swap_stop(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour one = cast_counter(l), two = cast_counter2(l);
    l->gaps = 1;
    uint64_t pid = cast_spawn(s, &one, (iris_spawn){.capacity = 3, .policy = IRIS_DROP_OLD});
    cast_senders(s, l, pid, 4, 50);
    cast_run(s, 30);
    cast_swap(s, pid, &two, 0, told);
    cast_run(s, 30);
    watch()->stop(s->self, pid);
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(told->told, 1);
    cast_balance(s, l);
    assert_int_equal(l->inits + l->upgrades, l->finis);
}

/* ---- backoff ---- */

static int is_down(struct scene *s)
{
    uint64_t pid = *(uint64_t *)s->prop;
    return cast_is_alive(s, pid) && cast_info(s, pid).state == IRIS_STATE_BACKOFF;
}

static uint64_t *down(struct scene *s, struct ledger *l, int64_t time)
{
    iris_behaviour b = cast_counter(l);
    uint64_t *pid = s->prop = scene_memory(s, sizeof *pid);
    policy(s, "/g",
           (struct policy){.intensity = 3, .backoff = {.initial = time, .max = time, .factor = 1}});
    l->crash_every = 7;
    l->gaps = 1;
    *pid = cast_supervise(s, &b, "/g/a", RESTART_ON_FAILURE);
    scene_send(s, *pid, 7);
    scene_await(s, is_down);
    return pid;
}

/* Mail that is sent on to who is down waits there for its next incarnation. */
static void redirect_to_one_down(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    uint64_t *pid = down(s, l, 50 * IRIS_MILLISECOND);
    struct holder *h =
        holder_spawn(s, (iris_spawn){.capacity = 1, .policy = IRIS_REDIRECT, .fallback = *pid});
    scene_send(s, h->pid, 1);
    holder_await(s, h, 1);
    for (uint64_t i = 1; i <= 5; i++)
        scene_send(s, h->pid, i);
    scene_settle(s);
    assert_int_equal(l->handled, 5);
    assert_int_equal(l->inits, 2);
    holder_let_go(s, h, IRIS_OK);
}

static void stop_one_down(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour two = cast_counter2(l);
    uint64_t *pid = down(s, l, 3600 * IRIS_SECOND);
    scene_send(s, *pid, 1);
    cast_swap(s, *pid, &two, 0, told);
    watch()->stop(s->self, *pid);
    cast_await_end(s, *pid);
    scene_settle(s);
    assert_int_equal(told->told, 1);
    assert_int_equal(l->inits, 1);
}

/* ---- observed ---- */

static void observed_is_killed(struct scene *s)
{
    const iris_observe *observe = cast_extension(s, IRIS_OBSERVE);
    const iris_message *m;
    uint64_t pid;
    assert_int_equal(observe->spawn(s->self, 0, NULL, &pid), IRIS_OK);
    cast_run(s, 2);
    scene_send(s, pid, 1);
    watch()->kill(s->self, pid);
    int result = iris_receive(s->rt, pid, NULL, NULL, -1, &m);
    if (result == IRIS_OK)
        s->api->drop(m);
    else
        assert_int_equal(result, IRIS_DEAD);
    cast_await_end(s, pid);
    assert_int_equal(iris_receive(s->rt, pid, NULL, NULL, -1, &m), IRIS_DEAD);
}

/* ---- children, a round, a swap that waits ---- */

struct parent {          /* has one child, which holds what it is sent */
    iris_version *child; /* or NULL */
    atomic_int inits, finis, handles;
    _Atomic uint64_t child_pid;
    const iris_message *_Atomic later; /* put off */
};

static int parent_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct parent *p = b->data;
    uint64_t pid;
    iris_spawn how = {.size = sizeof how,
                      .abi = IRIS_ABI,
                      .version = p->child,
                      .parent = iris_calls()->pid(self)};
    (void)args, (void)state;
    if (p->child && iris_calls()->spawn(self, &how, &pid))
        return IRIS_FAIL;
    atomic_store(&p->child_pid, p->child ? pid : 0);
    atomic_fetch_add(&p->inits, 1);
    return IRIS_OK;
}

static int parent_handle(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    struct parent *p = b->data;
    (void)state, (void)n;
    const char *what = m[0]->data;
    if (*what == 'w')
        atomic_store(&p->handles, 1);
    while (*what == 'w' && !iris__signal_waits(self))
        sched_yield();
    if (*what == 'w' || *what == 'c')
        return (iris_calls()->fail)("told to"), ~0;
    if (iris_calls()->later(self, m[0]))
        return ~0;
    atomic_store(&p->later, m[0]);
    return 1;
}

static void parent_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct parent *p = b->data;
    (void)self, (void)state;
    atomic_fetch_add(&p->finis, 1);
}

static iris_behaviour parent(struct parent *p, const char *version)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "parent",
                            .version = version,
                            .data = p,
                            .init = parent_init,
                            .handle = parent_handle,
                            .fini = parent_fini};
}

static int parent_lives_again(struct scene *s)
{
    return atomic_load(&((struct parent *)s->prop)->inits) == 2;
}

static int is_in_its_handler(struct scene *s)
{
    return atomic_load(&((struct parent *)s->prop)->handles);
}

static int has_put_off(struct scene *s)
{
    return atomic_load(&((struct parent *)s->prop)->later) != NULL;
}

/* A parent and its sister, one for all; a swap waits for the parent, and its sister crashes. */
static uint64_t crowd(struct scene *s, struct parent *p, struct verdict *told, const char *first)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l), b = parent(p, "1"), two = parent(p, "2"), sister;
    l->crash_every = 7;
    sister = cast_counter(l);
    s->prop = p;
    if (first[0] != 'w') /* who has one hears while it ends */
        p->child = scene_define(s, &plain);
    policy(s, "/g", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 3});
    uint64_t pid = cast_supervise(s, &b, "/g/p", RESTART_ON_FAILURE);
    uint64_t other = cast_supervise(s, &sister, "/g/s", RESTART_ON_FAILURE);
    assert_int_equal(s->api->send(s->self, pid, first, strlen(first), 0), IRIS_OK);
    if (first[0] == 'l')
        scene_await(s, has_put_off);
    if (first[0] == 'w')
        scene_await(s, is_in_its_handler);
    cast_swap(s, pid, &two, 0, told);
    scene_send(s, other, 7);
    cast_run(s, 6);
    return pid;
}

static void uncrowd(struct scene *s, struct parent *p, uint64_t pid, struct verdict *told)
{
    watch()->kill(s->self, pid);
    cast_await_end(s, pid);
    if (p->child)
        cast_await_end(s, atomic_load(&p->child_pid));
    scene_settle(s);
    assert_int_equal(told->told, 1);
    assert_int_equal(p->inits, p->finis);
    if (p->later)
        s->api->done(p->later, IRIS_OK);
    if (p->child)
        s->api->release(p->child);
}

static void round_of_one_that_put_off(struct scene *s)
{
    struct parent *p = scene_memory(s, sizeof *p);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid = crowd(s, p, told, "later");
    s->api->done(atomic_exchange(&p->later, NULL), IRIS_OK);
    scene_await(s, parent_lives_again);
    scene_settle(s);
    assert_true(cast_is_alive(s, pid));
    uncrowd(s, p, pid, told);
}

static void round_of_one_that_crashes(struct scene *s)
{
    struct parent *p = scene_memory(s, sizeof *p);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid = crowd(s, p, told, "crash");
    scene_settle(s);
    assert_true(p->inits > 1);
    assert_true(cast_is_alive(s, pid));
    uncrowd(s, p, pid, told);
}

/* It crashes when the word to end has come and is not heard yet; the word to begin is heard along with that. */
static void round_of_one_that_crashes_meanwhile(struct scene *s)
{
    struct parent *p = scene_memory(s, sizeof *p);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid = crowd(s, p, told, s->workers > 1 ? "wait" : "crash");
    scene_settle(s);
    assert_true(p->inits > 1);
    assert_true(cast_is_alive(s, pid));
    uncrowd(s, p, pid, told);
}

static void round_of_one_that_is_killed(struct scene *s)
{
    struct parent *p = scene_memory(s, sizeof *p);
    struct verdict *told = scene_memory(s, sizeof *told);
    uint64_t pid = crowd(s, p, told, "later");
    uncrowd(s, p, pid, told);
}

PULLERS(restart_and_exit)
PULLERS(restart_at_door)
PULLERS(kill_at_door)
PULLERS(close_at_door)
PULLERS(exit_in_hot_swap)

#define PLAY(play)                        \
    static void test_##play(void **state) \
    {                                     \
        (void)state;                      \
        scene_play(play);                 \
    }
PLAY(place_given_back_after_stop)
PLAY(lazy_blocks)
PLAY(lazy_waits)
PLAY(ended_leaves_nothing)
PLAY(evict_swap_stop)
/* Only there it is surely down still when the mail comes. */
static void test_redirect_to_one_down(void **state)
{
    (void)state;
    scene_play_seeds(redirect_to_one_down);
}
PLAY(stop_one_down)
PLAY(observed_is_killed)
PLAY(round_of_one_that_put_off)
PLAY(round_of_one_that_crashes)
static void test_round_of_one_that_crashes_meanwhile(void **state)
{
    (void)state;
    scene_play_threads(round_of_one_that_crashes_meanwhile);
}
PLAY(round_of_one_that_is_killed)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p6.round_brings_back_who_says_exit_on_a_stack", restart_and_exit_on_stack),
    IRIS_TEST("p6.round_brings_back_who_says_exit_on_a_thread", restart_and_exit_on_thread),
    IRIS_TEST("p6.round_brings_back_who_waits_at_a_door_on_a_stack", restart_at_door_on_stack),
    IRIS_TEST("p6.round_brings_back_who_waits_at_a_door_on_a_thread", restart_at_door_on_thread),
    IRIS_TEST("p5.kill_reaches_who_waits_at_a_door_on_a_stack", kill_at_door_on_stack),
    IRIS_TEST("p5.kill_reaches_who_waits_at_a_door_on_a_thread", kill_at_door_on_thread),
    IRIS_TEST("p9.close_reaches_who_waits_at_a_door_on_a_stack", close_at_door_on_stack),
    IRIS_TEST("p9.close_reaches_who_waits_at_a_door_on_a_thread", close_at_door_on_thread),
    IRIS_TEST("p3.linked_end_in_a_hot_swap_is_told_once_on_a_stack", exit_in_hot_swap_on_stack),
    IRIS_TEST("p3.linked_end_in_a_hot_swap_is_told_once_on_a_thread", exit_in_hot_swap_on_thread),
    IRIS_TEST("p2.place_given_back_after_a_stop_is_for_who_waits",
              test_place_given_back_after_stop),
    IRIS_TEST("p2.lazy_actor_lets_senders_wait", test_lazy_blocks),
    IRIS_TEST("p2.lazy_actor_that_waits_is_not_at_rest", test_lazy_waits),
    IRIS_TEST("p5.ended_that_is_over_leaves_nothing", test_ended_leaves_nothing),
    IRIS_TEST("p3.dropold_swap_and_stop_lose_nothing_untold", test_evict_swap_stop),
    IRIS_TEST("p2.redirect_to_one_in_backoff_waits_there", test_redirect_to_one_down),
    IRIS_TEST("p3.stop_in_backoff_refuses_the_swap", test_stop_one_down),
    IRIS_TEST("p6.round_waits_for_who_has_put_off_and_has_children",
              test_round_of_one_that_put_off),
    IRIS_TEST("p6.round_meets_a_parent_that_crashes", test_round_of_one_that_crashes),
    IRIS_TEST("p6.round_meets_a_parent_that_crashes_before_it_hears",
              test_round_of_one_that_crashes_meanwhile),
    IRIS_TEST("p6.round_meets_a_parent_that_is_killed", test_round_of_one_that_is_killed),
    IRIS_TEST("p5.observed_that_is_killed_tells_who_waits", test_observed_is_killed),
};
IRIS_MAIN(tests)
