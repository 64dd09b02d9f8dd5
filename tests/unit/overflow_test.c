/* A coroutine that overflows its stack: the actor ends, with the reason; everybody else goes on. */
#include "main.h"

#include "puller.h"

#include "fiber.h"
#include "stack.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static volatile int depth;

/* Uses its stack up; the compiler must not see that it never ends. */
static __attribute__((noinline)) int dig(int n)
{
    volatile char frame[1000];
    frame[n % 1000] = (char)n;
    if (n < depth)
        return dig(n + 1) + frame[(n + 1) % 1000];
    return frame[0];
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    if (iris_fault(signal, info, context))
        return;
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(signal, &plain, NULL);
}

/* Digs when it is told to. */
static int digs(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK) {
        uint64_t number;
        memcpy(&number, m->data, sizeof number);
        puller_note(p, m);
        state->count++;
        if (number == 3)
            dig(0);
    }
    p->got[200] = state->count;
    return 0;
}

static struct sigaction before[2];

static void watch_faults(struct signal_stack *mine)
{
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    iris__signal_stack_set(mine); /* a seeded runtime runs on this thread */
    sigaction(SIGSEGV, &a, &before[0]);
    sigaction(SIGBUS, &a, &before[1]);
    depth = 1 << 30;
}

static void unwatch_faults(struct signal_stack *mine)
{
    sigaction(SIGSEGV, &before[0], NULL);
    sigaction(SIGBUS, &before[1], NULL);
    iris__signal_stack_unset(mine);
}

static void overflow_is_a_panic(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *counts = cast_ledger(s);
    iris_behaviour watcher = cast_watcher(l), other = cast_counter(counts);
    uint64_t pid, watching = scene_spawn(s, &watcher, 0), light = scene_spawn(s, &other, 0);
    struct puller *p = puller_start(s, digs, &pid);
    scene_send(s, watching, pid);
    scene_settle(s);
    uint64_t ended = 0;
    for (uint64_t i = 1; i <= 5; i++) /* it may be gone before the last ones */
        ended += s->api->send(s->self, pid, &i, sizeof i, 0) == IRIS_OK && i > 3;
    cast_await_end(s, pid);
    scene_settle(s);
    puller_expect(p, 1, 3);
    assert_int_equal(l->downs, 1);
    assert_non_null(
        strstr(l->reason, "panic (how=stack): stack overflow in handle() of \"puller\" 1"));
    assert_int_equal(scene_count(s).crashed, 1); /* the message that did it */
    assert_int_equal(scene_count(s).ended, ended);
    scene_send(s, light, cast_number(1, 1));
    scene_settle(s);
    assert_int_equal(counts->handled, 1);
}

static void its_supervisor_decides(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct puller *p = s->prop = puller_make(s, digs);
    iris_behaviour b = puller_behaviour(p, "1");
    uint64_t pid = cast_supervise(s, &b, "/digs", RESTART_ON_FAILURE);
    for (uint64_t i = 1; i <= 5; i++)
        scene_send(s, pid, i);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    puller_expect(p, 1, 5);
    assert_int_equal(p->begun, 2);
    assert_int_equal(p->got[200], 2); /* fresh state, the rest of the mail, the same stack */
}

/* Again and again, on every worker: nothing of it is left behind. */
static void a_hundred(struct scene *s)
{
    enum { MANY = 100 };
    struct puller *p = s->prop = puller_make(s, digs);
    iris_behaviour b = puller_behaviour(p, "1");
    for (int i = 0; i < MANY; i++)
        scene_send(s, scene_spawn(s, &b, 0), 3);
    scene_settle(s);
    assert_int_equal(scene_count(s).actors, 0);
    assert_int_equal(scene_count(s).crashed, MANY);
}

static int digs_a_little(struct puller *p, iris_actor *self, struct numbers *state)
{
    const iris_message *m;
    (void)state;
    while (p->reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK) {
        dig((1 << 30) - 900); /* 900 KB and more */
        puller_note(p, m);
    }
    return 0;
}

/* Who asks for more gets it. */
static void a_larger_stack(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct puller *p = s->prop = puller_make(s, digs_a_little);
    iris_behaviour b = puller_behaviour(p, "1");
    uint64_t pid = cast_spawn(s, &b, (iris_spawn){.stack = 4 << 20});
    scene_send(s, pid, 1);
    watch->stop(s->self, pid);
    cast_await_end(s, pid);
    assert_int_equal(p->n, 1);
    assert_int_equal(scene_count(s).crashed, 0);
}

/* A sanitizer keeps frames or calls of its own beside each stack, which are in order only where functions
 * return: it cannot follow when code is given up in the middle. */
static void play(void (*what)(struct scene *))
{
    struct signal_stack mine;
#if defined(IRIS__ASAN) || defined(IRIS__TSAN)
    if (what != a_larger_stack)
        skip();
#endif
    watch_faults(&mine);
    puller_kind = IRIS_OWN_STACK;
    scene_play(what);
    unwatch_faults(&mine);
}

/* clang-format off */
static void test_panic(void **state)      { (void)state; play(overflow_is_a_panic); }
static void test_supervisor(void **state) { (void)state; play(its_supervisor_decides); }
static void test_hundred(void **state)    { (void)state; play(a_hundred); }
static void test_larger(void **state)     { (void)state; play(a_larger_stack); }

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p4.an_overflow_ends_its_actor_with_a_panic", test_panic),
    IRIS_TEST("p4.after_an_overflow_the_supervisor_decides", test_supervisor),
    IRIS_TEST("p8.a_hundred_overflows_leave_nothing", test_hundred),
    IRIS_TEST("pull.a_larger_stack_holds_more", test_larger),
};
/* clang-format on */
IRIS_MAIN(tests)
