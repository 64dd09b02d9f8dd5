/* What an actor promises, played with threads and under seeds. */
#include "main.h"
#include "scene.h"

#include "mailbox.h"

#include <stdlib.h>
#include <string.h>

/* ---- a counter: counts what it gets, checks that each sender's numbers come in order ---- */

struct counter {
    uint64_t count, last[16], disorder;
};

static const iris_api *api;

static int count_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, sizeof(struct counter));
    return *state ? IRIS_OK : IRIS_FAIL;
}

static void count_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int count_handle(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    struct counter *c = state;
    (void)b;
    for (int i = 0; i < n; i++) {
        if (m[i]->ref) {
            api->send(self, m[i]->ref, &c->count, sizeof c->count, 0);
            continue;
        }
        uint64_t number;
        memcpy(&number, m[i]->data, sizeof number);
        uint64_t *last = &c->last[number >> 56 & 15], value = number & 0xffffffffffffff;
        c->disorder += value != *last + 1;
        *last = value;
        c->count++;
        if (c->disorder)
            return (api->fail)("number %llu after %llu", (unsigned long long)value,
                               (unsigned long long)*last),
                   ~i;
    }
    return n;
}

static const iris_behaviour counter = {
    .size = sizeof counter,
    .abi = IRIS_ABI,
    .name = "counter",
    .version = "1",
    .init = count_init,
    .handle = count_handle,
    .fini = count_fini,
};

static void messages_of_one_sender(struct scene *s)
{
    api = s->api;
    uint64_t pid = scene_spawn(s, &counter, 0);
    for (uint64_t i = 1; i <= 300; i++)
        scene_send(s, pid, i);
    assert_int_equal(scene_ask(s, pid, "count"), 300);
    scene_settle(s);
    assert_int_equal(scene_count(s).handled, 301);
}

static void p1_order(void **state)
{
    (void)state;
    scene_play(messages_of_one_sender);
}

/* Who let go of its actor looks back for signals; by then the actor may have ended, and its place be closed,
 * which looks like idle and blocked at once. */
static void closed_stays_closed(void **state)
{
    iris_actor a = {0};
    (void)state;
    atomic_store(&a.in, MAILBOX_CLOSED);
    atomic_store(&a.signals, SIGNALS_CLOSED);
    assert_false(iris__mailbox_wake(&a));
    iris__mailbox_look_back(&a);
    iris__mailbox_block(&a);
    iris__mailbox_block_open(&a);
    assert_int_equal(atomic_load(&a.in), MAILBOX_CLOSED);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("mailbox.a_place_that_is_closed_is_never_taken_back", closed_stays_closed),
    IRIS_TEST("p1.messages_of_one_sender_are_handled_in_order", p1_order),
};
/* clang-format on */
IRIS_MAIN(tests)
