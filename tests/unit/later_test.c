/* A handler that finishes later: on another thread, in any order, or never. */
#include "main.h"

#include "cast.h"
#include "thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- an actor that puts off all it gets, and a kitchen where the orders lie ---- */

enum { ROOM = 4096 };

struct kitchen {
    pthread_mutex_t lock;
    const iris_message *orders[ROOM]; /* put off and not done; oldest first */
    int n, taken;
    int most; /* orders of one batch that are begun; 0: all. The others are given back at once */
    atomic_int cancels, inits, finis;
    iris_actor *actor;
};

static int cook_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct kitchen *k = b->data;
    (void)args;
    k->actor = self;
    *state = k;
    atomic_fetch_add(&k->inits, 1);
    return IRIS_OK;
}

static void cook_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct kitchen *k = state;
    (void)b, (void)self;
    atomic_fetch_add(&k->finis, 1);
}

static void cook_cancel(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct kitchen *k = state;
    (void)b, (void)self;
    atomic_fetch_add(&k->cancels, 1);
}

static int cook_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    struct kitchen *k = state;
    (void)b;
    pthread_mutex_lock(&k->lock);
    if (k->taken == k->n) /* the list begins anew */
        k->taken = k->n = 0;
    int most = k->most && n > k->most ? k->most : n;
    for (int i = 0; i < most; i++) {
        if (iris_calls()->later(self, m[i])) {
            pthread_mutex_unlock(&k->lock);
            return ~i;
        }
        k->orders[k->n++] = m[i];
    }
    pthread_mutex_unlock(&k->lock);
    return most;
}

static iris_behaviour cook(struct scene *s, struct kitchen **out)
{
    struct kitchen *k = *out = scene_memory(s, sizeof *k);
    pthread_mutex_init(&k->lock, NULL);
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "cook",
                            .version = "1",
                            .flags = IRIS_SIGNALS,
                            .data = k,
                            .init = cook_init,
                            .handle = cook_handle,
                            .fini = cook_fini,
                            .cancel = cook_cancel};
}

/* ---- the play takes orders out, from its own thread ---- */

static int waiting(struct kitchen *k)
{
    pthread_mutex_lock(&k->lock);
    int n = k->n - k->taken;
    pthread_mutex_unlock(&k->lock);
    return n;
}

static int has_order(struct scene *s)
{
    return waiting(s->prop) > 0;
}

static const iris_message *take_order(struct scene *s, struct kitchen *k)
{
    s->prop = k;
    scene_await(s, has_order);
    pthread_mutex_lock(&k->lock);
    const iris_message *m = k->orders[k->taken++];
    pthread_mutex_unlock(&k->lock);
    return m;
}

static uint64_t number_of(const iris_message *m)
{
    uint64_t number;
    assert_int_equal(m->len, sizeof number);
    memcpy(&number, m->data, sizeof number);
    return number;
}

static void serve(struct scene *s, struct kitchen *k, uint64_t number, int result)
{
    const iris_message *m = take_order(s, k);
    assert_int_equal(number_of(m), number);
    if (result == IRIS_FAIL)
        (s->api->fail)("order %llu burnt", (unsigned long long)number);
    assert_int_equal(s->api->done(m, result), IRIS_OK);
}

static uint64_t open_kitchen(struct scene *s, struct kitchen **k, uint32_t capacity)
{
    iris_behaviour b = cook(s, k);
    uint64_t pid = scene_spawn(s, &b, capacity);
    (*k)->most = 1;
    return pid;
}

static void in_order(struct scene *s)
{
    struct kitchen *k;
    uint64_t pid = open_kitchen(s, &k, 0);
    for (uint64_t i = 1; i <= 20; i++)
        scene_send(s, pid, i);
    for (uint64_t i = 1; i <= 20; i++) {
        serve(s, k, i, IRIS_OK);
        assert_true(waiting(k) <= 1); /* one at a time */
    }
    scene_settle(s);
    assert_int_equal(cast_info(s, pid).handled, 20);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

struct asked { /* a question whose answer the play does not wait for */
    iris_answer answer;
    atomic_int come;
    uint64_t number;
};

static void take_answer(iris_job *job)
{
    struct asked *a = (struct asked *)job;
    if (a->answer.message) {
        memcpy(&a->number, a->answer.message->data, 8);
        iris_calls()->drop(a->answer.message);
    }
    atomic_fetch_add(&a->come, 1);
}

static struct asked *ask(struct scene *s, uint64_t pid, uint64_t number)
{
    const iris_ask *ext = cast_extension(s, IRIS_ASK);
    struct asked *a = scene_memory(s, sizeof *a);
    a->answer.job.run = take_answer;
    assert_int_equal(ext->ask(s->self, pid, &number, 8, 100 * IRIS_SECOND, &a->answer), IRIS_OK);
    return a;
}

static int is_answered(struct scene *s)
{
    return atomic_load(&((struct asked *)s->prop)->come);
}

static void expect_answer(struct scene *s, struct asked *a, int result)
{
    s->prop = a;
    scene_await(s, is_answered);
    assert_int_equal(a->answer.result, result);
}

static void reply_later(struct scene *s)
{
    struct kitchen *k;
    uint64_t pid = open_kitchen(s, &k, 0);
    struct asked *a = ask(s, pid, 7);
    const iris_message *m = take_order(s, k);
    uint64_t reply = 70;
    assert_int_equal(a->come, 0);
    assert_int_equal(s->api->send(s->self, m->ref, &reply, 8, 0), IRIS_OK);
    assert_int_equal(s->api->send(s->self, m->ref, &reply, 8, 0), IRIS_DEAD); /* once */
    expect_answer(s, a, IRIS_OK);
    assert_int_equal(a->number, 70);
    assert_int_equal(s->api->done(m, IRIS_OK), IRIS_OK);
    scene_settle(s);
    assert_int_equal(a->come, 1);
}

static void reject_later(struct scene *s)
{
    struct kitchen *k;
    iris_behaviour b = cook(s, &k);
    k->most = 1;
    uint64_t pid = cast_supervise(s, &b, "/cook", RESTART_ON_FAILURE);
    struct asked *a = ask(s, pid, 1);
    scene_send(s, pid, 2);
    scene_send(s, pid, 3);
    serve(s, k, 1, IRIS_FAIL);
    expect_answer(s, a, IRIS_DEAD); /* its message is the dead letter */
    serve(s, k, 2, IRIS_OK);
    serve(s, k, 3, IRIS_OK);
    scene_settle(s);
    assert_int_equal(scene_count(s).crashed, 1);
    assert_int_equal(scene_count(s).dead_letters, 1);
    assert_int_equal(cast_info(s, pid).restarts, 1);
    assert_int_equal(cast_info(s, pid).handled, 2);
    assert_int_equal(k->inits, 2);
}

/* A batch grows from one: give back until n are one. A thousand rounds are far more than that takes. */
static void gather(struct scene *s, struct kitchen *k, int n)
{
    s->prop = k;
    for (int round = 0, put_off; (put_off = waiting(k)) != n; round++) {
        assert_in_range(round, 0, 1000);
        while (put_off-- > 0)
            assert_int_equal(s->api->done(take_order(s, k), IRIS_AGAIN), IRIS_OK);
        scene_await(s, has_order);
    }
}

/* Five of one batch put off: two done, three given back in the wrong order, and they come in order. */
static void give_back(struct scene *s)
{
    struct kitchen *k;
    const iris_message *m[5];
    uint64_t pid = open_kitchen(s, &k, 5);
    pthread_mutex_lock(&k->lock);
    k->most = 0;
    for (uint64_t i = 1; i <= 5; i++)
        scene_send(s, pid, i);
    pthread_mutex_unlock(&k->lock);
    gather(s, k, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(number_of(m[i] = take_order(s, k)), i + 1);
    assert_int_equal(s->api->send(s->self, pid, "x", 1, 0), IRIS_FULL); /* they still count */
    assert_int_equal(s->api->done(m[3], IRIS_AGAIN), IRIS_OK);
    assert_int_equal(s->api->done(m[0], IRIS_OK), IRIS_OK);
    assert_int_equal(s->api->done(m[4], IRIS_AGAIN), IRIS_OK);
    assert_int_equal(s->api->done(m[1], IRIS_OK), IRIS_OK);
    k->most = 1;
    assert_int_equal(s->api->done(m[2], IRIS_AGAIN), IRIS_OK);
    for (uint64_t i = 3; i <= 5; i++)
        serve(s, k, i, IRIS_OK);
    scene_settle(s);
    assert_int_equal(cast_info(s, pid).handled, 5);
    scene_send(s, pid, 6); /* and all five places are free again */
    serve(s, k, 6, IRIS_OK);
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* Or who gives back until there is enough would do so for ever. */
static void comes_with_what_came_since(struct scene *s)
{
    struct kitchen *k;
    uint64_t pid = open_kitchen(s, &k, 0);
    k->most = 0;
    scene_send(s, pid, 1);
    const iris_message *first = take_order(s, k);
    for (uint64_t i = 2; i <= 5; i++)
        scene_send(s, pid, i);
    assert_int_equal(s->api->done(first, IRIS_AGAIN), IRIS_OK);
    gather(s, k, 5);
    for (uint64_t i = 1; i <= 5; i++)
        serve(s, k, i, IRIS_OK);
    scene_settle(s);
    assert_int_equal(cast_info(s, pid).handled, 5);
}

static void a_swap_waits(struct scene *s, int now)
{
    struct kitchen *k;
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour b = cook(s, &k), v2 = cast_plain(cast_ledger(s));
    k->most = 1;
    uint64_t pid = cast_supervise(s, &b, "/w", RESTART_NEVER);
    scene_send(s, pid, 1);
    const iris_message *m = take_order(s, k);
    iris_version *v = scene_define(s, &v2);
    assert_int_equal(s->api->swap(s->self, pid, v, now, cast_tell, told), IRIS_OK);
    s->api->release(v);
    scene_send(s, pid, 2);
    cast_run(s, 50);
    assert_int_equal(told->told, 0);
    assert_int_equal(s->api->done(m, IRIS_OK), IRIS_OK);
    cast_expect(s, told, IRIS_FAIL, "has no save()"); /* the boundary is reached only now */
    serve(s, k, 2, IRIS_OK);
    scene_settle(s);
}

static void swap_in_order_waits(struct scene *s)
{
    a_swap_waits(s, 0);
}

static void swap_now_waits(struct scene *s)
{
    a_swap_waits(s, 1);
}

static void a_stop_waits(struct scene *s)
{
    struct kitchen *k;
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = open_kitchen(s, &k, 0);
    scene_send(s, pid, 1);
    scene_send(s, pid, 2);
    const iris_message *m = take_order(s, k);
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    cast_run(s, 50);
    assert_true(cast_is_alive(s, pid));
    assert_int_equal(s->api->done(m, IRIS_OK), IRIS_OK);
    serve(s, k, 2, IRIS_OK);
    scene_settle(s);
    assert_false(cast_is_alive(s, pid));
    assert_int_equal(scene_count(s).dead_letters, 0);
    assert_int_equal(scene_count(s).handled, 2);
    assert_int_equal(k->cancels, 0);
    assert_int_equal(k->finis, 1);
}

static void a_kill_cancels(struct scene *s)
{
    struct kitchen *k;
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t pid = open_kitchen(s, &k, 0);
    struct asked *a = ask(s, pid, 1);
    scene_send(s, pid, 2);
    const iris_message *m = take_order(s, k);
    assert_int_equal(watch->kill(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    expect_answer(s, a, IRIS_DEAD);
    assert_int_equal(k->cancels, 1);
    assert_int_equal(k->finis, 1);
    assert_int_equal(number_of(m), 1); /* its memory is ours until done() */
    assert_int_equal(s->api->done(m, IRIS_OK), IRIS_DEAD);
    scene_settle(s);
    assert_int_equal(scene_count(s).ended, 2);
}

static void a_restart_with_something_open(struct scene *s)
{
    struct kitchen *k;
    iris_behaviour b = cook(s, &k);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    k->most = 1;
    uint64_t pid = cast_supervise(s, &b, "/r", RESTART_ALWAYS);
    scene_send(s, pid, 1);
    scene_send(s, pid, 2);
    const iris_message *m = take_order(s, k);
    assert_int_equal(watch->kill(s->self, pid), IRIS_OK);
    serve(s, k, 2, IRIS_OK); /* by the next incarnation, which is not held up */
    assert_int_equal(s->api->done(m, IRIS_FAIL), IRIS_DEAD);
    scene_settle(s);
    assert_int_equal(cast_info(s, pid).restarts, 1);
    assert_int_equal(scene_count(s).ended, 1);
    assert_int_equal(scene_count(s).handled, 1);
    assert_int_equal(k->inits, 2);
}

/* ---- done from elsewhere, also before handle() has returned ---- */

struct hasty {
    int results[8], next;
    atomic_int finished;
};

static int hasty_handle(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    struct hasty *h = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        int result = h->results[h->next++ & 7];
        if (iris_calls()->later(self, m[i]))
            return ~i;
        if (result == IRIS_FAIL)
            (iris_calls()->fail)("in haste");
        iris_calls()->done(m[i], result);
        atomic_fetch_add(&h->finished, result == IRIS_OK);
    }
    return n;
}

static void before_it_returns(struct scene *s)
{
    struct hasty *h = scene_memory(s, sizeof *h);
    static const int results[8] = {0, IRIS_AGAIN, 0, 0, IRIS_AGAIN, IRIS_AGAIN, 0, 0};
    memcpy(h->results, results, sizeof results);
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "hasty", .data = h, .handle = hasty_handle};
    uint64_t pid = scene_spawn(s, &b, 0);
    for (uint64_t i = 0; i < 100; i++)
        scene_send(s, pid, i);
    scene_settle(s);
    assert_int_equal(h->finished, 100);
    assert_int_equal(scene_count(s).handled, 100);
}

static void fails_before_it_returns(struct scene *s)
{
    struct hasty *h = scene_memory(s, sizeof *h);
    static const int results[8] = {0, 0, IRIS_FAIL, 0, 0, 0, 0, 0};
    memcpy(h->results, results, sizeof results);
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "hasty", .data = h, .handle = hasty_handle};
    uint64_t pid = cast_supervise(s, &b, "/h", RESTART_ON_FAILURE);
    for (uint64_t i = 0; i < 20; i++)
        scene_send(s, pid, i);
    scene_settle(s);
    iris_totals t = scene_count(s);
    assert_int_equal(t.handled + t.dead_letters, 20);
    assert_in_range(t.crashed, 1, 3);
}

/* Threads finish what an actor puts off, while it is killed and begun again. */
struct waiter {
    struct scene *s;
    struct kitchen *k;
    atomic_int over;
    pthread_t thread;
};

static void *wait_tables(void *arg)
{
    struct waiter *w = arg;
    for (int idle = 0; !atomic_load(&w->over) || !idle;) {
        pthread_mutex_lock(&w->k->lock);
        idle = w->k->taken == w->k->n;
        const iris_message *m = idle ? NULL : w->k->orders[w->k->taken++];
        int result = w->k->taken % 5 == 3 ? IRIS_AGAIN : IRIS_OK;
        pthread_mutex_unlock(&w->k->lock);
        if (m)
            w->s->api->done(m, result);
    }
    return NULL;
}

static void finished_by_threads(struct scene *s)
{
    struct kitchen *k;
    iris_behaviour b = cook(s, &k);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct waiter w[2];
    uint64_t pid = cast_supervise(s, &b, "/busy", RESTART_ALWAYS);
    for (int i = 0; i < 2; i++) {
        w[i] = (struct waiter){.s = s, .k = k};
        pthread_create(&w[i].thread, NULL, wait_tables, &w[i]);
    }
    for (uint64_t i = 1; i <= 600; i++) {
        scene_send(s, pid, i);
        if (i % 250 == 0)
            watch->kill(s->self, pid);
    }
    scene_settle(s);
    for (int i = 0; i < 2; i++) {
        atomic_store(&w[i].over, 1);
        pthread_join(w[i].thread, NULL);
    }
    iris_totals t = scene_count(s);
    assert_int_equal(t.handled + t.dead_letters, 600);
    assert_in_range(cast_info(s, pid).restarts, 1, 2); /* two kills may be heard as one */
}

/* ---- signals ---- */

static void a_down_waits_and_may_be_put_off(struct scene *s)
{
    struct kitchen *k;
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    iris_behaviour b = cook(s, &k);
    k->most = 1;
    uint64_t other = scene_spawn(s, &plain, 0), pid = scene_spawn(s, &b, 2), ref;
    scene_settle(s);
    if (!s->seed)
        return;            /* the play monitors in the actor's name, which is its thread's to do */
    iris__thread.lane = s; /* [exec] */
    assert_int_equal(watch->monitor(k->actor, other, &ref), IRIS_OK);
    iris__thread.lane = NULL;
    scene_send(s, pid, 1);
    const iris_message *m = take_order(s, k);
    watch->kill(s->self, other);
    cast_run(s, 100);
    assert_int_equal(waiting(k), 0); /* the actor is serial, for signals too */
    s->api->done(m, IRIS_OK);
    m = take_order(s, k);
    assert_int_equal(m->kind, IRIS_DOWN);
    assert_int_equal(m->ref, ref);
    s->api->done(m, IRIS_AGAIN); /* not begun: it comes again */
    m = take_order(s, k);
    assert_int_equal(m->kind, IRIS_DOWN);
    assert_int_equal(s->api->done(m, IRIS_OK), IRIS_OK);
    scene_settle(s);
    assert_int_equal(scene_count(s).handled, 1);
    for (uint64_t i = 2; i <= 3; i++) /* it took no place in the mailbox */
        scene_send(s, pid, i);
    assert_int_equal(s->api->send(s->self, pid, "x", 1, 0), IRIS_FULL);
    serve(s, k, 2, IRIS_OK);
    serve(s, k, 3, IRIS_OK);
}

static int exit_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    int result = cook_handle(b, self, state, m, n);
    iris_calls()->exit(self, "enough");
    return result;
}

static void exit_waits(struct scene *s)
{
    struct kitchen *k;
    iris_behaviour b = cook(s, &k);
    b.handle = exit_handle;
    k->most = 1;
    uint64_t pid = scene_spawn(s, &b, 0);
    struct asked *a = ask(s, pid, 1);
    const iris_message *m = take_order(s, k);
    uint64_t reply = 11;
    assert_int_equal(s->api->send(s->self, m->ref, &reply, 8, 0), IRIS_OK);
    assert_int_equal(s->api->done(m, IRIS_OK), IRIS_OK);
    expect_answer(s, a, IRIS_OK);
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 0);
    assert_int_equal(k->cancels, 0);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(in_order)
PLAY(reply_later)
PLAY(reject_later)
PLAY(give_back)
PLAY(comes_with_what_came_since)
PLAY(swap_in_order_waits)
PLAY(swap_now_waits)
PLAY(a_stop_waits)
PLAY(a_kill_cancels)
PLAY(a_restart_with_something_open)
PLAY(before_it_returns)
PLAY(fails_before_it_returns)
PLAY(a_down_waits_and_may_be_put_off)
PLAY(exit_waits)

static void test_threads(void **state) { (void)state; scene_play_threads(finished_by_threads); }

static const struct CMUnitTest tests[] = {
    IRIS_TEST("later.an_actor_gets_no_other_mail_until_done", test_in_order),
    IRIS_TEST("later.an_answer_may_come_later_and_once", test_reply_later),
    IRIS_TEST("later.a_later_failure_is_a_crash_with_that_message", test_reject_later),
    IRIS_TEST("later.what_is_given_back_in_any_order_comes_in_order", test_give_back),
    IRIS_TEST("later.what_is_given_back_comes_with_what_came_since", test_comes_with_what_came_since),
    IRIS_TEST("later.a_swap_in_order_waits", test_swap_in_order_waits),
    IRIS_TEST("later.a_swap_now_waits", test_swap_now_waits),
    IRIS_TEST("later.a_stop_waits", test_a_stop_waits),
    IRIS_TEST("later.a_kill_cancels_and_a_late_done_is_told_so", test_a_kill_cancels),
    IRIS_TEST("later.a_restart_does_not_wait_for_what_is_open", test_a_restart_with_something_open),
    IRIS_TEST("later.done_may_come_before_handle_returns", test_before_it_returns),
    IRIS_TEST("later.a_failure_may_come_before_handle_returns", test_fails_before_it_returns),
    IRIS_TEST("later.threads_finish_while_it_is_killed_and_begun_again", test_threads),
    IRIS_TEST("later.a_signal_waits_its_turn_and_may_be_put_off", test_a_down_waits_and_may_be_put_off),
    IRIS_TEST("later.an_exit_waits", test_exit_waits),
};
/* clang-format on */
IRIS_MAIN(tests)
