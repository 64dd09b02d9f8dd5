/* What a full mailbox does, policy by policy. */
#include "main.h"

#include "holder.h"

#include "runtime.h"

#include <pthread.h>
#include <stdlib.h>

static int try_send(struct scene *s, uint64_t to, uint64_t number)
{
    return s->api->send(s->self, to, &number, sizeof number, 0);
}

static void send_some(struct scene *s, uint64_t to, uint64_t from, uint64_t last)
{
    for (uint64_t i = from; i <= last; i++)
        assert_int_equal(try_send(s, to, i), IRIS_OK);
}

/* A holder with its first message in hand and so many more in its mailbox. */
static struct holder *filled(struct scene *s, iris_spawn how)
{
    struct holder *h = holder_spawn(s, how);
    send_some(s, h->pid, 1, 1);
    holder_await(s, h, 1);
    send_some(s, h->pid, 2, how.capacity);
    return h;
}

static void end(struct scene *s, uint64_t pid, int kills)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    assert_int_equal((kills ? watch->kill : watch->stop)(s->self, pid), IRIS_OK);
}

/* ---- dropnew ---- */

static void refuses_the_newest(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 3});
    for (uint64_t i = 4; i < 10; i++)
        assert_int_equal(try_send(s, h->pid, i), IRIS_FULL);
    holder_await_mailbox(s, h, 2);
    iris_mailbox_look l = look_at(s, h->pid);
    assert_int_equal(l.undone, 3);
    assert_int_equal(l.counts[IRIS_MAILBOX_REFUSED], 6);
    assert_int_equal(scene_count(s).refused, 6);
    assert_int_equal(cast_info(s, h->pid).refused, 6);
    holder_drain(s, h, 3);
    LOG(h, 1, 2, 3);
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* ---- dropold ---- */

struct asked {
    iris_answer answer;
    atomic_int come;
    char why[128];
};

static void take_answer(iris_job *job)
{
    struct asked *a = (struct asked *)job;
    const iris_message *m = a->answer.message;
    if (m) {
        memcpy(a->why, m->data, m->len < sizeof a->why ? m->len : sizeof a->why - 1);
        iris_calls()->drop(m);
    }
    atomic_store(&a->come, 1);
}

static int is_answered(struct scene *s)
{
    return atomic_load(&((struct asked *)s->prop)->come);
}

static void evicts_the_oldest(struct scene *s)
{
    const iris_ask *ask = cast_extension(s, IRIS_ASK);
    struct asked *a = scene_memory(s, sizeof *a);
    struct holder *h = holder_spawn(s, (iris_spawn){.capacity = 3, .policy = IRIS_DROP_OLD});
    uint64_t number = 2;
    send_some(s, h->pid, 1, 1);
    holder_await(s, h, 1);
    a->answer.job.run = take_answer;
    assert_int_equal(ask->ask(s->self, h->pid, &number, 8, 100 * IRIS_SECOND, &a->answer), IRIS_OK);
    send_some(s, h->pid, 3, 6);
    s->prop = a;
    scene_await(s, is_answered);
    assert_int_equal(a->answer.result, IRIS_DEAD);
    assert_non_null(strstr(a->why, "dropped: "));
    assert_int_equal(look_at(s, h->pid).undone, 3);
    assert_int_equal(look_at(s, h->pid).counts[IRIS_MAILBOX_DROPPED], 3);
    holder_drain(s, h, 3);
    LOG(h, 1, 5, 6); /* what is begun stays, and what is newest */
    scene_settle(s);
    assert_int_equal(scene_count(s).dropped, 3);
    assert_int_equal(scene_count(s).dead_letters, 3);
}

static void refuses_where_all_are_begun(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 1, .policy = IRIS_DROP_OLD});
    assert_int_equal(try_send(s, h->pid, 2), IRIS_FULL);
    holder_drain(s, h, 1);
    scene_settle(s);
    send_some(s, h->pid, 3, 3);
    holder_await(s, h, 2);
    holder_drain(s, h, 2);
    LOG(h, 1, 3);
}

/* What stands at the door wakes a lazy actor as any mail does. */
static void wakes_the_lazy(struct scene *s)
{
    struct holder *h = holder_spawn(
        s, (iris_spawn){.capacity = 2, .policy = IRIS_DROP_OLD, .flags = IRIS_SPAWN_LAZY});
    scene_settle(s);
    send_some(s, h->pid, 1, 1);
    holder_await(s, h, 1);
    holder_drain(s, h, 1);
    LOG(h, 1);
}

/* ---- block ---- */

static void suspends_the_sender(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    struct asker *k = asker_spawn(s), *other = asker_spawn(s);
    for (uint64_t i = 3; i <= 6; i++)
        asker_order(s, k, h->pid, i);
    assert_int_equal(asker_await(s, k, 1), IRIS_OK);
    asker_order(s, other, h->pid, 100);
    assert_int_equal(asker_await(s, other, 1), IRIS_OK);
    assert_int_equal(look_at(s, h->pid).waiting, 2);
    assert_int_equal(look_at(s, h->pid).undone, 2); /* exact all the time */
    assert_int_equal(atomic_load(&k->sent), 1);     /* its other orders wait with it */
    holder_drain(s, h, 7);
    assert_int_equal(asker_await(s, k, 4), IRIS_OK);
    LOG(h, 1, 2, 3, 100, 4, 5, 6); /* in the order in which they came to the door */
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 0);
    assert_int_equal(look_at(s, h->pid).waiting, 0);
}

static void says_full_to_who_cannot_wait(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    assert_int_equal(try_send(s, h->pid, 3), IRIS_FULL);
    assert_int_equal(look_at(s, h->pid).counts[IRIS_MAILBOX_REFUSED], 1);
    holder_drain(s, h, 2);
}

static int is_dead(struct scene *s)
{
    return !cast_is_alive(s, *(uint64_t *)s->prop);
}

static void await_end(struct scene *s, uint64_t pid)
{
    s->prop = &pid;
    scene_await(s, is_dead);
}

static void goes_on_when_the_receiver_ends(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    struct asker *k = asker_spawn(s);
    asker_order(s, k, h->pid, 3);
    asker_order(s, k, h->pid, 4);
    assert_int_equal(asker_await(s, k, 1), IRIS_OK);
    end(s, h->pid, 1);
    assert_int_equal(asker_await(s, k, 2), IRIS_DEAD);
    await_end(s, h->pid);
    assert_int_equal(scene_count(s).ended, 3); /* accepted: 1 to 3 */
    assert_int_equal(s->api->done(h->in_hand, IRIS_OK), IRIS_DEAD);
}

static void a_suspended_sender_can_be_killed(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    struct asker *k = asker_spawn(s), *stopped = asker_spawn(s);
    asker_order(s, k, h->pid, 3);
    asker_order(s, k, h->pid, 4);
    asker_await(s, k, 1);
    asker_order(s, stopped, h->pid, 5);
    asker_await(s, stopped, 1);
    end(s, k->pid, 1);
    await_end(s, k->pid);
    end(s, stopped->pid, 0);
    holder_drain(s, h, 4);
    LOG(h, 1, 2, 3, 5); /* what was accepted arrives all the same */
    await_end(s, stopped->pid);
    assert_int_equal(atomic_load(&k->sent), 1);
    scene_settle(s);
    assert_int_equal(scene_count(s).dead_letters, 1); /* the order that k never began */
}

static void a_stop_handles_what_waits(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    struct asker *k = asker_spawn(s);
    asker_order(s, k, h->pid, 3);
    asker_await(s, k, 1);
    end(s, h->pid, 0);
    assert_int_equal(try_send(s, h->pid, 4), IRIS_DEAD);
    holder_drain(s, h, 3);
    await_end(s, h->pid);
    LOG(h, 1, 2, 3);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

static void a_swap_keeps_its_place(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    struct holder *next = scene_memory(s, sizeof *next);
    struct asker *k = asker_spawn(s), *later = asker_spawn(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour b = holder_behaviour(next);
    asker_order(s, k, h->pid, 3);
    asker_await(s, k, 1);
    assert_int_equal(cast_swap(s, h->pid, &b, 0, told), IRIS_OK);
    asker_order(s, later, h->pid, 4);
    asker_await(s, later, 1);
    holder_drain(s, h, 3);
    LOG(h, 1, 2, 3); /* also 3 was accepted before the swap; 4 was not */
    cast_expect(s, told, IRIS_OK, NULL);
    holder_await(s, next, 1);
    LOG(next, 4);
    holder_drain(s, next, 1);
}

struct waiter { /* sends to itself, or in a ring */
    uint64_t to;
    atomic_int results[4];
};

static int send_when_told(const iris_behaviour *b, iris_actor *self, void *state,
                          const iris_message *const *m, int n)
{
    struct waiter *k = b->data;
    (void)state;
    for (int i = 0; i < n; i++)
        if (m[i]->len)
            for (int j = 0; j < 4; j++)
                atomic_store(&k->results[j], iris_calls()->send(self, k->to, NULL, 0, 0));
    return n;
}

static struct waiter *ring_member(struct scene *s, uint64_t *pid)
{
    struct waiter *k = scene_memory(s, sizeof *k);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "ring",
                        .version = "1",
                        .data = k,
                        .handle = send_when_told};
    *pid = cast_spawn(s, &b, (iris_spawn){.capacity = 3, .policy = IRIS_BLOCK});
    return k;
}

static void to_itself_it_says_full(struct scene *s)
{
    uint64_t pid;
    struct waiter *k = ring_member(s, &pid);
    k->to = pid;
    assert_int_equal(s->api->send(s->self, pid, "go", 2, 0), IRIS_OK);
    scene_settle(s);
    assert_int_equal(k->results[0], IRIS_OK);
    assert_int_equal(k->results[1], IRIS_OK);
    assert_int_equal(k->results[2], IRIS_FULL);
    assert_int_equal(k->results[3], IRIS_FULL);
}

/* Three that send to each other more than there is room for: none of them may wait for ever. */
static void a_ring_never_waits_for_itself(struct scene *s)
{
    struct waiter *k[3];
    uint64_t pid[3];
    for (int i = 0; i < 3; i++)
        k[i] = ring_member(s, &pid[i]);
    for (int i = 0; i < 3; i++)
        k[i]->to = pid[(i + 1) % 3];
    for (int round = 0; round < (s->seed ? 3 : 500); round++) {
        for (int i = 0; i < 3; i++)
            s->api->send(s->self, pid[i], "go", 2, 0);
        scene_settle(s); /* it would not */
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(look_at(s, pid[i]).waiting, 0);
}

/* ---- threads and hosts that wait ---- */

struct patient { /* sends numbers, and waits for room */
    struct scene *s;
    uint64_t to, from, last;
    int64_t timeout;
    int result;
    pthread_t id;
};

static void *send_waiting(void *arg)
{
    struct patient *t = arg;
    for (uint64_t i = t->from; i <= t->last && !t->result; i++)
        t->result = iris_send_wait(t->s->rt, t->to, &i, sizeof i, t->timeout);
    return NULL;
}

static int is_waiting(struct scene *s)
{
    return look_at(s, *(uint64_t *)s->prop).waiting > 0;
}

static void await_waiting(struct scene *s, uint64_t pid)
{
    s->prop = &pid;
    scene_await(s, is_waiting);
}

static void a_thread_waits_for_room(struct scene *s)
{
    for (uint32_t policy = IRIS_DROP_NEW; policy <= IRIS_BLOCK; policy += IRIS_BLOCK) {
        struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = policy});
        struct patient t = {s, h->pid, 3, 5, -1, 0, 0};
        assert_int_equal(pthread_create(&t.id, NULL, send_waiting, &t), 0);
        await_waiting(s, h->pid);
        holder_drain(s, h, 5);
        pthread_join(t.id, NULL);
        assert_int_equal(t.result, IRIS_OK);
        LOG(h, 1, 2, 3, 4, 5);
    }
}

static void a_thread_is_told_of_the_end(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    struct patient t = {s, h->pid, 3, 5, 1000 * IRIS_SECOND, 0, 0};
    assert_int_equal(pthread_create(&t.id, NULL, send_waiting, &t), 0);
    await_waiting(s, h->pid);
    end(s, h->pid, 1);
    pthread_join(t.id, NULL);
    assert_int_equal(t.result, IRIS_DEAD);
    await_end(s, h->pid);
    assert_int_equal(scene_count(s).ended, 2); /* its own was never accepted */
    assert_int_equal(s->api->done(h->in_hand, IRIS_OK), IRIS_DEAD);
}

static void a_wait_ends_in_time(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    uint64_t number = 3;
    int64_t begun = s->api->now(s->self);
    assert_int_equal(iris_send_wait(s->rt, h->pid, &number, 8, 20 * IRIS_MILLISECOND), IRIS_EMPTY);
    assert_true(s->api->now(s->self) - begun >= 20 * IRIS_MILLISECOND);
    assert_int_equal(look_at(s, h->pid).waiting, 0);
    holder_drain(s, h, 2);
    number = 4;
    assert_int_equal(iris_send_wait(s->rt, h->pid, &number, 8, 20 * IRIS_SECOND), IRIS_OK);
    holder_await(s, h, 3);
    holder_drain(s, h, 3);
    LOG(h, 1, 2, 4);
}

static int wait_in_turn(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    const iris_mailbox *ext = iris_calls()->extension(IRIS_MAILBOX);
    (void)state, (void)m;
    atomic_store((atomic_int *)b->data,
                 ext->send_wait(self, iris_calls()->pid(self), NULL, 0, 0, -1));
    return n;
}

static void a_handler_must_not_wait(struct scene *s)
{
    atomic_int *result = scene_memory(s, sizeof *result);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "waits",
                        .version = "1",
                        .data = result,
                        .handle = wait_in_turn};
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.capacity = 2});
    send_some(s, pid, 1, 1);
    scene_settle(s);
    assert_int_equal(*result, IRIS_FAIL);
}

struct told {
    iris_job job;
    atomic_uint times;
};

static void hear(iris_job *job)
{
    atomic_fetch_add(&((struct told *)job)->times, 1);
}

static int is_told(struct scene *s)
{
    return atomic_load(&((struct told *)s->prop)->times) > 0;
}

static struct told *want_room(struct scene *s, uint64_t pid)
{
    const iris_mailbox *ext = cast_extension(s, IRIS_MAILBOX);
    struct told *t = scene_memory(s, sizeof *t);
    t->job.run = hear;
    assert_int_equal(ext->room(s->self, pid, &t->job, NULL), IRIS_OK);
    return t;
}

static void a_host_hears_of_room(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 2});
    struct told *one = want_room(s, h->pid), *two = want_room(s, h->pid);
    cast_run(s, 50);
    assert_int_equal(one->times + two->times, 0);
    holder_let_go(s, h, IRIS_OK);
    s->prop = one;
    scene_await(s, is_told);
    s->prop = two;
    scene_await(s, is_told);
    struct told *three = want_room(s, h->pid); /* there is some */
    s->prop = three;
    scene_await(s, is_told);
    send_some(s, h->pid, 3, 3);
    struct told *four = want_room(s, h->pid);
    end(s, h->pid, 1);
    s->prop = four;
    scene_await(s, is_told);
    await_end(s, h->pid);
    assert_int_equal(one->times + two->times + three->times + four->times, 4);
}

/* ---- redirect and spill ---- */

static void redirects_to_the_fallback(struct scene *s)
{
    struct holder *last = filled(s, (iris_spawn){.capacity = 3});
    holder_let_go(s, last, IRIS_OK);
    holder_await(s, last, 2);
    iris_spawn how = {.capacity = 2, .policy = IRIS_REDIRECT, .fallback = last->pid};
    struct holder *h = filled(s, how);
    send_some(s, h->pid, 3, 3);
    assert_int_equal(try_send(s, h->pid, 4),
                     IRIS_FULL); /* the policy of the fallback holds there */
    assert_int_equal(look_at(s, h->pid).counts[IRIS_MAILBOX_REDIRECTED], 1);
    assert_int_equal(look_at(s, h->pid).counts[IRIS_MAILBOX_REFUSED], 1);
    assert_int_equal(look_at(s, last->pid).counts[IRIS_MAILBOX_REFUSED], 1);
    assert_int_equal(last->in_hand->to, last->pid);
    holder_drain(s, last, 4);
    LOG(last, 1, 2, 3, 3);
    end(s, last->pid, 0);
    await_end(s, last->pid);
    assert_int_equal(try_send(s, h->pid, 5), IRIS_FULL); /* it lives, whatever its fallback does */
    holder_drain(s, h, 2);
    LOG(h, 1, 2);
}

static int is_empty(struct scene *s)
{
    return look_at(s, *(uint64_t *)s->prop).undone == 0;
}

static void a_ring_of_fallbacks_is_full(struct scene *s)
{
    struct holder *h[3];
    for (int i = 0; i < 3; i++)
        h[i] = filled(s, (iris_spawn){.capacity = 1});
    for (int i = 0; i < 3; i++)
        assert_int_equal(set_policy(s, h[i]->pid, IRIS_REDIRECT, h[(i + 1) % 3]->pid, 0), IRIS_OK);
    assert_int_equal(try_send(s, h[0]->pid, 2), IRIS_FULL);
    holder_let_go(s, h[2], IRIS_OK);
    s->prop = &h[2]->pid;
    scene_await(s, is_empty);
    assert_int_equal(iris_send_wait(s->rt, h[0]->pid, "12345678", 8, -1), IRIS_OK);
    holder_await(s, h[2], 2);
    for (int i = 0; i < 3; i++)
        holder_drain(s, h[i], i == 2 ? 2 : 1);
}

static void spills_a_copy_and_waits(struct scene *s)
{
    struct holder *spare = holder_spawn(s, (iris_spawn){0});
    iris_spawn how = {.capacity = 2, .policy = IRIS_SPILL, .fallback = spare->pid};
    struct holder *h = filled(s, how);
    struct asker *k = asker_spawn(s);
    asker_order(s, k, h->pid, 3);
    asker_order(s, k, h->pid, 4);
    assert_int_equal(asker_await(s, k, 1), IRIS_OK);
    holder_await(s, spare, 1);
    assert_int_equal(look_at(s, h->pid).undone, 2);
    assert_int_equal(look_at(s, h->pid).waiting, 1);
    assert_int_equal(try_send(s, h->pid, 9), IRIS_FULL); /* who cannot wait spills nothing */
    holder_drain(s, h, 4);
    LOG(h, 1, 2, 3, 4);
    holder_drain(s, spare, (unsigned)look_at(s, h->pid).counts[IRIS_MAILBOX_SPILLED]);
    assert_int_equal(spare->log[0], 3);
    assert_int_equal(scene_count(s).spilled, look_at(s, h->pid).counts[IRIS_MAILBOX_SPILLED]);
}

/* ---- others that send ---- */

static void a_timer_waits_at_the_door(struct scene *s)
{
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    for (uint64_t i = 3; i <= 4; i++)
        assert_int_equal(timer->after(s->self, h->pid, 0, &i, 8, NULL), IRIS_OK);
    await_waiting(s, h->pid);
    holder_drain(s, h, 4);
    LOG(h, 1, 2, 3, 4);
}

static void release(void *ctx)
{
    atomic_fetch_add((atomic_uint *)ctx, 1);
}

static void what_was_given_is_released_once(struct scene *s)
{
    atomic_uint *released = scene_memory(s, sizeof *released);
    uint64_t number = 7;
    struct holder *h = filled(s, (iris_spawn){.capacity = 2, .policy = IRIS_DROP_OLD});
    for (int i = 0; i < 5; i++)
        assert_int_equal(s->api->give(s->self, h->pid, &number, 8, 0, release, released), IRIS_OK);
    assert_int_equal(*released, 4);
    assert_int_equal(set_policy(s, h->pid, IRIS_DROP_NEW, 0, 0), IRIS_OK);
    assert_int_equal(s->api->give(s->self, h->pid, &number, 8, 0, release, released), IRIS_FULL);
    assert_int_equal(*released, 5);
    end(s, h->pid, 1);
    await_end(s, h->pid);
    assert_int_equal(*released, 6);
    assert_int_equal(s->api->done(h->in_hand, IRIS_OK), IRIS_DEAD);
}

/* ---- changed while it is used ---- */

static void a_policy_changes_at_once(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 3});
    assert_int_equal(try_send(s, h->pid, 4), IRIS_FULL);
    assert_int_equal(set_policy(s, h->pid, IRIS_DROP_OLD, 0, 0), IRIS_OK);
    send_some(s, h->pid, 5, 5); /* 2, which stands in the mailbox itself, makes room */
    holder_await_mailbox(s, h, 2);
    assert_int_equal(set_policy(s, h->pid, IRIS_DROP_NEW, 0, 4), IRIS_OK);
    send_some(s, h->pid, 6, 6);
    assert_int_equal(try_send(s, h->pid, 7), IRIS_FULL);
    assert_int_equal(set_policy(s, h->pid, IRIS_DROP_NEW, 0, 1), IRIS_OK);
    holder_drain(s, h, 4);
    LOG(h, 1, 3, 5, 6);
    assert_int_equal(look_at(s, h->pid).capacity, 1);
}

static void who_waits_comes_in_when_waiting_ends(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 3, .policy = IRIS_BLOCK});
    struct asker *k = asker_spawn(s);
    asker_order(s, k, h->pid, 4);
    asker_order(s, k, h->pid, 5);
    asker_await(s, k, 1);
    assert_int_equal(set_policy(s, h->pid, IRIS_DROP_OLD, 0, 0), IRIS_OK);
    assert_int_equal(asker_await(s, k, 2), IRIS_OK);
    holder_drain(s, h, 3);
    LOG(h, 1, 4, 5);
    scene_settle(s);
    assert_int_equal(scene_count(s).dropped, 2);
}

static void refusal(struct scene *s, int result, const char *words)
{
    (void)s;
    assert_int_equal(result, IRIS_FAIL);
    if (!strstr(iris_reason(), words))
        fail_msg("\"%s\" does not say \"%s\"", iris_reason(), words);
}

static int spawn_result(struct scene *s, iris_spawn how)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour b = cast_plain(l);
    uint64_t pid;
    how.size = sizeof how;
    how.abi = IRIS_ABI;
    how.version = scene_define(s, &b);
    int result = s->api->spawn(s->self, &how, &pid);
    s->api->release(how.version);
    return result;
}

static void nonsense_is_refused(struct scene *s)
{
    struct holder *h = filled(s, (iris_spawn){.capacity = 1}),
                  *free_one = holder_spawn(s, (iris_spawn){0});
    refusal(s, spawn_result(s, (iris_spawn){.policy = IRIS_BLOCK}), "give it a capacity");
    refusal(s, spawn_result(s, (iris_spawn){.capacity = 1, .policy = 5}), "no policy 5");
    refusal(s, spawn_result(s, (iris_spawn){.capacity = 1, .policy = IRIS_SPILL}),
            "needs a fallback");
    refusal(s, spawn_result(s, (iris_spawn){.capacity = 1, .fallback = 7}), "a fallback is for");
    refusal(s, spawn_result(s, (iris_spawn){.capacity = 1, .warn_at = 101}), "up to 100");
    refusal(s, set_policy(s, h->pid, 5, 0, 0), "no policy 5");
    refusal(s, set_policy(s, h->pid, IRIS_REDIRECT, h->pid, 0), "its own fallback");
    refusal(s, set_policy(s, free_one->pid, IRIS_BLOCK, 0, 5), "unbounded");
    assert_int_equal(set_policy(s, 12345, IRIS_BLOCK, 0, 5), IRIS_DEAD);
    assert_int_equal(look_at(s, h->pid).policy, IRIS_DROP_NEW);
    holder_drain(s, h, 1);
}

/* ---- warnings ---- */

struct warnings {
    atomic_uint n;
    char text[128];
};

static void note_warning(void *ctx, const iris_event *e)
{
    struct warnings *w = ctx;
    if (e->kind != IRIS_EVENT_HIGH_WATER)
        return;
    snprintf(w->text, sizeof w->text, "%s", e->text);
    atomic_fetch_add(&w->n, 1);
}

static void test_high_water(void **state)
{
    struct warnings w = {0};
    struct scene s = {.seed = 7};
    iris_options o = {
        .size = sizeof o, .abi = IRIS_ABI, .seed = 7, .event = note_warning, .ctx = &w};
    (void)state;
    assert_int_equal(iris_open(&o, &s.rt), IRIS_OK);
    s.api = iris_calls();
    s.self = iris_self(s.rt);
    struct holder *h = holder_spawn(&s, (iris_spawn){.capacity = 2000, .warn_at = 80});
    send_some(&s, h->pid, 1, 1599);
    assert_int_equal(w.n, 0);
    send_some(&s, h->pid, 1600, 1600);
    assert_int_equal(w.n, 1);
    assert_string_equal(w.text, "mailbox at 80 %: 1,600 of 2,000 messages");
    send_some(&s, h->pid, 1601, 2000);
    holder_await(&s, h, 1);
    holder_drain(&s, h, 1000);
    scene_settle(&s);
    send_some(&s, h->pid, 1, 900); /* again, but too soon to be told */
    assert_int_equal(w.n, 1);
    assert_int_equal(iris_send_wait(s.rt, 0, NULL, 0, 0), IRIS_DEAD);
    holder_await(&s, h, 1001);
    holder_drain(&s, h, 1500);
    const iris_timer_api *timer = cast_extension(&s, IRIS_TIMER_EXT);
    assert_int_equal(timer->after(s.self, h->pid, 11 * IRIS_SECOND, NULL, 0, NULL), IRIS_OK);
    scene_settle(&s);
    send_some(&s, h->pid, 1, 500);
    assert_int_equal(w.n, 2);
    assert_int_equal(look_at(&s, h->pid).counts[IRIS_MAILBOX_WARNED], 2);
    const iris_watch *watch = cast_extension(&s, IRIS_WATCH);
    watch->kill(s.self, h->pid);
    scene_settle(&s);
    assert_int_equal(s.api->done(h->in_hand, IRIS_OK), IRIS_DEAD);
    scene_close(&s);
}

/* ---- */

#define PLAY(name, play)           \
    static void name(void **state) \
    {                              \
        (void)state;               \
        scene_play(play);          \
    }
#define PLAY_THREADS(name, play)   \
    static void name(void **state) \
    {                              \
        (void)state;               \
        scene_play_threads(play);  \
    }

PLAY(test_dropnew, refuses_the_newest)
PLAY(test_dropold, evicts_the_oldest)
PLAY(test_dropold_begun, refuses_where_all_are_begun)
PLAY(test_lazy, wakes_the_lazy)
PLAY(test_block, suspends_the_sender)
PLAY(test_block_outside, says_full_to_who_cannot_wait)
PLAY(test_receiver_ends, goes_on_when_the_receiver_ends)
PLAY(test_killed_sender, a_suspended_sender_can_be_killed)
PLAY(test_stop, a_stop_handles_what_waits)
PLAY(test_swap, a_swap_keeps_its_place)
PLAY(test_itself, to_itself_it_says_full)
PLAY(test_ring, a_ring_never_waits_for_itself)
PLAY_THREADS(test_thread, a_thread_waits_for_room)
PLAY_THREADS(test_thread_end, a_thread_is_told_of_the_end)
PLAY(test_timeout, a_wait_ends_in_time)
PLAY(test_handler, a_handler_must_not_wait)
PLAY(test_room, a_host_hears_of_room)
PLAY(test_redirect, redirects_to_the_fallback)
PLAY(test_redirect_ring, a_ring_of_fallbacks_is_full)
PLAY(test_spill, spills_a_copy_and_waits)
PLAY(test_timer, a_timer_waits_at_the_door)
PLAY(test_given, what_was_given_is_released_once)
PLAY(test_change, a_policy_changes_at_once)
PLAY(test_change_waiting, who_waits_comes_in_when_waiting_ends)
PLAY(test_nonsense, nonsense_is_refused)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p7.dropnew_refuses_and_counts", test_dropnew),
    IRIS_TEST("p7.dropold_evicts_the_oldest_that_is_not_begun", test_dropold),
    IRIS_TEST("p7.dropold_refuses_where_all_are_begun", test_dropold_begun),
    IRIS_TEST("p7.dropold_wakes_a_lazy_actor", test_lazy),
    IRIS_TEST("p7.block_suspends_the_sender_until_it_is_in", test_block),
    IRIS_TEST("p7.block_says_full_to_who_cannot_wait", test_block_outside),
    IRIS_TEST("p7.block_ends_with_the_receiver", test_receiver_ends),
    IRIS_TEST("p7.a_suspended_sender_can_be_stopped_and_killed", test_killed_sender),
    IRIS_TEST("p7.a_stop_handles_what_waits_at_the_door", test_stop),
    IRIS_TEST("p3.a_swap_keeps_its_place_among_those_that_wait", test_swap),
    IRIS_TEST("p7.block_to_itself_says_full", test_itself),
    IRIS_TEST("p7.a_ring_never_waits_for_itself", test_ring),
    IRIS_TEST("p7.a_thread_waits_for_room", test_thread),
    IRIS_TEST("p7.a_waiting_thread_is_told_of_the_end", test_thread_end),
    IRIS_TEST("p7.a_wait_ends_in_time", test_timeout),
    IRIS_TEST("p7.a_handler_must_not_wait", test_handler),
    IRIS_TEST("p7.a_host_hears_of_room_once", test_room),
    IRIS_TEST("p7.redirect_gives_to_the_fallback", test_redirect),
    IRIS_TEST("p7.redirect_in_a_ring_is_full", test_redirect_ring),
    IRIS_TEST("p7.spill_copies_and_waits", test_spill),
    IRIS_TEST("p7.a_timer_waits_at_the_door", test_timer),
    IRIS_TEST("p7.what_was_given_is_released_once", test_given),
    IRIS_TEST("p7.a_policy_changes_at_once", test_change),
    IRIS_TEST("p7.who_waits_comes_in_when_the_policy_changes", test_change_waiting),
    IRIS_TEST("p7.nonsense_is_refused_with_a_sentence", test_nonsense),
    IRIS_TEST("p7.high_water_is_told_once", test_high_water),
};

IRIS_MAIN(tests)
