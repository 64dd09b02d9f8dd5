/* Full mailboxes under many senders at once: capacity is never exceeded, order is kept, and nothing is
 * lost that is not counted. */
#include "main.h"

#include "holder.h"

#include <pthread.h>
#include <sched.h>

enum { CAPACITY = 8, ACTORS = 4 };

struct hall {
    struct ledger *l;
    atomic_uint most; /* that counted against the capacity at once */
    uint64_t pid;
};

/* A counter that looks at its own mailbox each time. */
static int count_and_look(const iris_behaviour *b, iris_actor *self, void *state,
                          const iris_message *const *m, int n)
{
    struct hall *h = b->data;
    const iris_mailbox *ext = iris_calls()->extension(IRIS_MAILBOX);
    iris_mailbox_look l = {.size = sizeof l, .abi = IRIS_ABI};
    (void)state;
    ext->look(self, iris_calls()->pid(self), &l);
    if (l.undone > atomic_load(&h->most))
        atomic_store(&h->most, l.undone);
    for (int i = 0; i < n; i++) {
        uint64_t number, sender;
        memcpy(&number, m[i]->data, sizeof number);
        sender = number >> 56;
        if (number <= atomic_load(&h->l->last[sender]))
            atomic_fetch_add(&h->l->disorder, 1);
        atomic_store(&h->l->last[sender], number);
        atomic_fetch_add(&h->l->handled, 1);
    }
    return n;
}

static struct hall *open_hall(struct scene *s, iris_spawn how)
{
    struct hall *h = scene_memory(s, sizeof *h);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "hall",
                        .version = "1",
                        .data = h,
                        .handle = count_and_look};
    h->l = cast_ledger(s);
    h->pid = cast_spawn(s, &b, how);
    return h;
}

static void close_hall(struct scene *s, struct hall *h, uint64_t sent)
{
    scene_settle(s);
    iris_mailbox_look l = look_at(s, h->pid);
    assert_true(h->most <= CAPACITY);
    assert_int_equal(h->l->accepted, sent);
    assert_int_equal(l.undone + l.waiting + l.mailbox, 0);
    assert_int_equal(h->l->full, l.counts[IRIS_MAILBOX_REFUSED]);
    cast_balance(s, h->l);
}

static uint64_t each(struct scene *s)
{
    return s->seed ? 50 : 5000;
}

static void flood_by(struct scene *s, uint32_t policy)
{
    struct hall *h = open_hall(s, (iris_spawn){.capacity = CAPACITY, .policy = policy});
    cast_senders(s, h->l, h->pid, ACTORS, each(s));
    close_hall(s, h, ACTORS * each(s));
    iris_mailbox_look l = look_at(s, h->pid);
    if (policy == IRIS_DROP_OLD) { /* whatever was evicted, the newest of all arrive */
        for (int i = 0; i < ACTORS; i++)
            assert_int_equal(scene_count(s).dropped, l.counts[IRIS_MAILBOX_DROPPED]);
    } else
        assert_int_equal(scene_count(s).dead_letters, 0);
    if (policy == IRIS_BLOCK)
        assert_int_equal(h->l->full, 0);
}

static void flood_dropnew(struct scene *s)
{
    flood_by(s, IRIS_DROP_NEW);
}

static void flood_dropold(struct scene *s)
{
    flood_by(s, IRIS_DROP_OLD);
}

static void flood_block(struct scene *s)
{
    flood_by(s, IRIS_BLOCK);
}

/* Both hold what they hold, and all that either accepted is handled by one of them, once. (In which order
 * the two have it nobody promises.) */
static void flood_redirect(struct scene *s)
{
    struct hall *spare = open_hall(s, (iris_spawn){.capacity = CAPACITY, .policy = IRIS_BLOCK});
    iris_spawn how = {.capacity = CAPACITY, .policy = IRIS_REDIRECT, .fallback = spare->pid};
    struct hall *h = open_hall(s, how);
    cast_senders(s, h->l, h->pid, ACTORS, each(s));
    scene_settle(s);
    iris_mailbox_look l = look_at(s, h->pid);
    assert_int_equal(h->l->full, 0);
    assert_int_equal(h->l->accepted, ACTORS * each(s));
    assert_int_equal(h->l->handled + spare->l->handled, h->l->accepted);
    assert_int_equal(spare->l->handled, l.counts[IRIS_MAILBOX_REDIRECTED]);
    assert_int_equal(h->l->disorder + spare->l->disorder, 0);
    assert_true(h->most <= CAPACITY && spare->most <= CAPACITY);
}

static void flood_spill(struct scene *s)
{
    struct hall *spare = open_hall(s, (iris_spawn){0});
    iris_spawn how = {.capacity = CAPACITY, .policy = IRIS_SPILL, .fallback = spare->pid};
    struct hall *h = open_hall(s, how);
    cast_senders(s, h->l, h->pid, ACTORS, each(s));
    scene_settle(s);
    iris_mailbox_look l = look_at(s, h->pid);
    assert_int_equal(h->l->full + h->l->disorder, 0);
    assert_int_equal(h->l->handled, ACTORS * each(s));
    assert_int_equal(spare->l->handled, l.counts[IRIS_MAILBOX_SPILLED]);
    assert_int_equal(l.counts[IRIS_MAILBOX_SPILLED], l.counts[IRIS_MAILBOX_WAITED]);
    assert_true(h->most <= CAPACITY);
}

/* ---- threads that wait ---- */

struct crowd {
    struct scene *s;
    struct hall *h;
    uint64_t id;
    pthread_t thread;
};

static void *send_all(void *arg)
{
    struct crowd *c = arg;
    for (uint64_t i = 1; i <= 5000; i++) {
        uint64_t number = cast_number(c->id, i);
        int result = iris_send_wait(c->s->rt, c->h->pid, &number, sizeof number,
                                    i % 3 ? -1 : 10 * IRIS_SECOND);
        atomic_fetch_add(result ? &c->h->l->full : &c->h->l->accepted, 1);
    }
    return NULL;
}

static void threads_wait(struct scene *s)
{
    struct hall *h = open_hall(s, (iris_spawn){.capacity = CAPACITY, .policy = IRIS_BLOCK});
    struct crowd c[ACTORS];
    for (uint64_t i = 0; i < ACTORS; i++) {
        c[i] = (struct crowd){s, h, i, 0};
        assert_int_equal(pthread_create(&c[i].thread, NULL, send_all, &c[i]), 0);
    }
    for (int i = 0; i < ACTORS; i++)
        pthread_join(c[i].thread, NULL);
    close_hall(s, h, ACTORS * 5000);
    assert_int_equal(scene_count(s).dead_letters, 0);
}

/* A timeout that comes as the place does: sent or not, and the caller knows which. */
static void *send_hastily(void *arg)
{
    struct crowd *c = arg;
    for (uint64_t i = 1; i <= 3000; i++) {
        uint64_t number = cast_number(c->id, i);
        int result =
            iris_send_wait(c->s->rt, c->h->pid, &number, sizeof number, (int64_t)(i % 50) * 1000);
        if (result == IRIS_OK)
            atomic_fetch_add(&c->h->l->accepted, 1);
        else if (result != IRIS_EMPTY)
            atomic_fetch_add(&c->h->l->full, 1);
    }
    return NULL;
}

static void timeouts_race(struct scene *s)
{
    struct hall *h = open_hall(s, (iris_spawn){.capacity = 1});
    struct crowd c[ACTORS];
    for (uint64_t i = 0; i < ACTORS; i++) {
        c[i] = (struct crowd){s, h, i, 0};
        assert_int_equal(pthread_create(&c[i].thread, NULL, send_hastily, &c[i]), 0);
    }
    for (int i = 0; i < ACTORS; i++)
        pthread_join(c[i].thread, NULL);
    scene_settle(s);
    assert_int_equal(h->l->full, 0);
    assert_int_equal(look_at(s, h->pid).waiting, 0);
    cast_balance(s, h->l);
}

/* ---- everything at once ---- */

/* Policies and capacities change, actors are restarted, while all send; in the end the books balance. */
static void policies_change_under_load(struct scene *s)
{
    static const uint32_t policies[] = {IRIS_DROP_OLD, IRIS_BLOCK, IRIS_DROP_NEW};
    struct hall *h = open_hall(s, (iris_spawn){.capacity = CAPACITY, .path = "/hall"});
    cast_senders(s, h->l, h->pid, ACTORS, each(s));
    for (int i = 0; i < (s->seed ? 40 : 2000); i++) {
        assert_int_equal(
            set_policy(s, h->pid, policies[i % 3], 0, 1 + (uint32_t)(i * 7 % CAPACITY)), IRIS_OK);
        cast_run(s, 7);
        if (!s->seed)
            sched_yield();
    }
    assert_int_equal(set_policy(s, h->pid, IRIS_BLOCK, 0, 0), IRIS_OK);
    close_hall(s, h, ACTORS * each(s));
}

/* A receiver that is killed again and again, with senders at its door: all of them go on. */
static void receivers_die_under_load(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t accepted = 0, handled = 0;
    for (int i = 0; i < (s->seed ? 3 : 60); i++) {
        uint32_t policy = i % 2 ? IRIS_BLOCK : IRIS_DROP_OLD;
        struct hall *h = open_hall(s, (iris_spawn){.capacity = CAPACITY, .policy = policy});
        cast_senders(s, h->l, h->pid, ACTORS, UINT32_MAX);
        cast_run(s, 40);
        for (int k = 0; !s->seed && k < 50; k++)
            sched_yield();
        assert_int_equal(watch->kill(s->self, h->pid), IRIS_OK);
        scene_settle(s);
        assert_int_equal(h->l->dead, ACTORS); /* each was told, none waits */
        assert_int_equal(h->l->disorder, 0);
        accepted += h->l->accepted;
        handled += h->l->handled;
    }
    assert_int_equal(accepted, handled + scene_count(s).dead_letters);
}

/* ---- pull actors ---- */

struct pump { /* sends as fast as it can, inside one long handle() */
    uint64_t to, total;
    atomic_ullong sent;
};

static int pump(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *m, int n)
{
    struct pump *p = b->data;
    (void)state, (void)m, (void)n;
    for (uint64_t i = 1; i <= p->total; i++) {
        uint64_t number = cast_number(0, i);
        if (iris_calls()->send(self, p->to, &number, sizeof number, 0) != IRIS_OK)
            return IRIS_OK;
        atomic_fetch_add(&p->sent, 1);
    }
    return IRIS_OK;
}

static int has_pumped(struct scene *s)
{
    return atomic_load(&((struct pump *)s->prop)->sent) >= 3;
}

static struct pump *start_pump(struct scene *s, uint64_t to, uint64_t total, uint64_t *pid)
{
    struct pump *p = scene_memory(s, sizeof *p);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "pump",
                        .version = "1",
                        .flags = IRIS_PULL | IRIS_OWN_THREAD,
                        .data = p,
                        .handle = pump};
    *p = (struct pump){.to = to, .total = total};
    *pid = cast_spawn(s, &b, (iris_spawn){0});
    return p;
}

static void a_pull_actor_waits_inside_send(struct scene *s)
{
    uint64_t pid;
    struct hall *h = open_hall(s, (iris_spawn){.capacity = CAPACITY, .policy = IRIS_BLOCK});
    struct pump *p = start_pump(s, h->pid, 20000, &pid);
    cast_await_end(s, pid);
    scene_settle(s);
    assert_int_equal(p->sent, 20000);
    assert_int_equal(h->l->handled, 20000);
    assert_int_equal(h->l->disorder, 0);
    assert_true(h->most <= CAPACITY);
    struct holder *stuck = holder_spawn(s, (iris_spawn){.capacity = 2, .policy = IRIS_BLOCK});
    p = start_pump(s, stuck->pid, 1000, &pid);
    holder_await(s, stuck, 1);
    s->prop = p;
    while (look_at(s, stuck->pid).waiting == 0)
        sched_yield();
    assert_int_equal(p->sent, 2); /* the third send has not returned */
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    assert_int_equal(watch->kill(s->self, stuck->pid), IRIS_OK);
    cast_await_end(s, pid);
    assert_true(has_pumped(s));
    assert_int_equal(s->api->done(stuck->in_hand, IRIS_OK), IRIS_DEAD);
}

/* Selective receive beside eviction: what is taken is never what was dropped. */
struct sieve {
    atomic_ullong taken, disorder;
    uint64_t last;
};

static int wants(void *ctx, const iris_message *m)
{
    uint64_t number;
    (void)ctx;
    memcpy(&number, m->data, sizeof number);
    return number % 2 == 0;
}

static int sift(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *batch, int n)
{
    struct sieve *k = b->data;
    const iris_reader *reader = iris_calls()->extension(IRIS_READER);
    const iris_message *m;
    (void)state, (void)batch, (void)n;
    for (unsigned i = 0;; i++) {
        uint64_t number;
        int result = reader->recv(self, i % 3 ? NULL : wants, NULL, i % 3 ? -1 : 0, &m);
        if (result == IRIS_CLOSED)
            return IRIS_OK;
        if (result != IRIS_OK)
            continue;
        memcpy(&number, m->data, sizeof number);
        atomic_fetch_add(&k->taken, 1);
        if (number == UINT64_MAX)
            return IRIS_OK;
    }
}

static void *flood_sieve(void *arg)
{
    struct crowd *c = arg;
    uint64_t n = 0;
    for (uint64_t i = 1; i <= 20000; i++)
        n += c->s->api->send(c->s->self, c->id, &i, sizeof i, 0) == IRIS_OK;
    atomic_fetch_add(&c->h->l->accepted, n);
    return NULL;
}

static void a_pull_actor_and_dropold(struct scene *s)
{
    struct sieve *k = scene_memory(s, sizeof *k);
    struct hall books = {.l = cast_ledger(s)};
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "sieve",
                        .version = "1",
                        .flags = IRIS_PULL | IRIS_OWN_THREAD,
                        .data = k,
                        .handle = sift};
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.capacity = 4, .policy = IRIS_DROP_OLD});
    struct crowd c[2];
    for (int i = 0; i < 2; i++) {
        c[i] = (struct crowd){s, &books, pid, 0};
        assert_int_equal(pthread_create(&c[i].thread, NULL, flood_sieve, &c[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(c[i].thread, NULL);
    uint64_t last = UINT64_MAX; /* the newest of all: it is never refused for ever, nor evicted */
    while (s->api->send(s->self, pid, &last, sizeof last, 0) == IRIS_FULL)
        sched_yield();
    cast_await_end(s, pid);
    assert_int_equal(books.l->accepted + 1, k->taken + scene_count(s).dead_letters);
}

/* ---- */

#define PLAY(name, way, play)      \
    static void name(void **state) \
    {                              \
        (void)state;               \
        way(play);                 \
    }

PLAY(test_dropnew, scene_play, flood_dropnew)
PLAY(test_dropold, scene_play, flood_dropold)
PLAY(test_block, scene_play, flood_block)
PLAY(test_redirect, scene_play, flood_redirect)
PLAY(test_spill, scene_play, flood_spill)
PLAY(test_threads, scene_play_threads, threads_wait)
PLAY(test_timeouts, scene_play_threads, timeouts_race)
PLAY(test_change, scene_play, policies_change_under_load)
PLAY(test_deaths, scene_play, receivers_die_under_load)
PLAY(test_pump, scene_play_threads, a_pull_actor_waits_inside_send)
PLAY(test_sieve, scene_play_threads, a_pull_actor_and_dropold)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p7.dropnew_holds_under_a_flood", test_dropnew),
    IRIS_TEST("p7.dropold_holds_under_a_flood", test_dropold),
    IRIS_TEST("p7.block_holds_under_a_flood", test_block),
    IRIS_TEST("p7.redirect_holds_under_a_flood", test_redirect),
    IRIS_TEST("p7.spill_holds_under_a_flood", test_spill),
    IRIS_TEST("p7.threads_wait_under_a_flood", test_threads),
    IRIS_TEST("p7.a_timeout_and_a_place_at_the_same_time", test_timeouts),
    IRIS_TEST("p7.policies_change_under_a_flood", test_change),
    IRIS_TEST("p7.receivers_die_under_a_flood", test_deaths),
    IRIS_TEST("p7.a_pull_actor_waits_inside_send", test_pump),
    IRIS_TEST("p7.a_pull_actor_takes_nothing_that_was_dropped", test_sieve),
};

IRIS_MAIN(tests)
