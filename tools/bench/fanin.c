/* Many senders, one receiver. A sender sends 16 messages, then one to itself so that others get their
 * turn. Only what the receiver handled is counted. */
#include "exchange.h"

#include "floor.h"
#include "stage.h"

#include <stdlib.h>
#include <string.h>

enum { BURST = 16, MESSAGES = 3200000, WARM_UP = 320000, SENDERS_MAX = 100 };

static struct finish finish;
static uint64_t received, expected; /* the receiver's */

static void count_received(uint64_t n)
{
    received += n;
    if (received == expected)
        finish_one(&finish);
}

static void expect(uint64_t n)
{
    received = 0;
    expected = n;
    finish_begin(&finish, 1);
}

/* The receiver works for free and the senders pay for both, so that it keeps up with them. */
static void floor_receive(struct floor_actor *a, struct floor_message *m)
{
    (void)a;
    floor_put(m);
    floor_thread.cost = 0;
    count_received(1);
}

static void floor_shoot(struct floor_actor *a, struct floor_message *m)
{
    uint64_t left = m->value - BURST;
    floor_put(m);
    for (int i = 0; i < BURST; i++)
        floor_send_new(a->peer, a, 1);
    if (left)
        floor_send_new(a, a, left);
    floor_thread.cost = 1 + BURST;
}

static double floor_play(struct floor_actor *senders, int count, uint64_t messages)
{
    expect(messages);
    double start = now_ns();
    for (int i = 0; i < count; i++)
        floor_send_new(&senders[i], NULL, messages / (uint64_t)count);
    finish_wait(&finish);
    return (double)messages * 1e3 / (now_ns() - start);
}

void fanin_floor(const struct workload *w, double *values)
{
    floor_start(w->workers);
    struct floor_actor *receiver = floor_actors(1, floor_receive);
    struct floor_actor *senders = floor_actors((size_t)w->size, floor_shoot);
    for (int i = 0; i < w->size; i++)
        senders[i].peer = receiver;
    floor_play(senders, w->size, WARM_UP);
    values[0] = floor_play(senders, w->size, MESSAGES);
    floor_stop();
}

static uint64_t receiver_pid;
static size_t payload_len;

struct shot {              /* what a message begins with */
    uint32_t sender, left; /* left: how many of that sender's come with it and behind it */
};
static uint32_t lefts[SENDERS_MAX]; /* of the next of each sender */

static void check_order(const iris_message *m)
{
    struct shot shot;
    memcpy(&shot, m->data, sizeof shot);
    if (shot.left != lefts[shot.sender]--)
        die("a message came out of order");
}

static int receive(const iris_behaviour *b, iris_actor *self, void *state,
                   const iris_message *const *messages, int n)
{
    (void)b, (void)self, (void)state;
    for (int i = 0; i < n; i++)
        check_order(messages[i]);
    count_received((uint64_t)n);
    return n;
}

static int shoot(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *messages, int n)
{
    const struct stage *s = b->data;
    struct shot payload[8] = {0};
    (void)state;
    for (int i = 0; i < n; i++) {
        memcpy(payload, messages[i]->data, sizeof *payload);
        for (int k = 0; k < BURST; k++, payload->left--)
            s->api->send(self, receiver_pid, payload, payload_len, 0);
        if (payload->left)
            s->api->send(self, s->api->pid(self), payload, sizeof *payload, 0);
    }
    return n;
}

static double play(const struct stage *s, const uint64_t *senders, int count, uint64_t messages)
{
    struct shot shot = {.left = (uint32_t)(messages / (uint64_t)count)};
    expect(messages);
    for (int i = 0; i < count; i++)
        lefts[i] = shot.left;
    double start = now_ns();
    for (; shot.sender < (uint32_t)count; shot.sender++)
        stage_send_bytes(s, senders[shot.sender], &shot, sizeof shot, 0);
    finish_wait(&finish);
    double took = now_ns() - start;
    stage_settle(s);
    if (received != messages)
        die("more messages came than were sent");
    return (double)messages * 1e3 / took;
}

/* With the largest budget the receiver keeps up with those who send, as that of the floor does for free;
 * with the default one it gets 100 messages a turn while they send thousands, and a backlog grows. */
static uint64_t spawn_receiver(const struct stage *s, const iris_behaviour *b, int budget)
{
    iris_spawn spawn = {.size = sizeof spawn,
                        .abi = IRIS_ABI,
                        .version = stage_define(s, b),
                        .budget = budget == LARGE_BUDGET ? UINT16_MAX : 0};
    uint64_t pid;
    if (s->api->spawn(s->self, &spawn, &pid))
        die(iris_reason());
    s->api->release(spawn.version);
    return pid;
}

void fanin_iris(const struct workload *w, double *values)
{
    struct stage s;
    uint64_t *senders = calloc((size_t)w->size, sizeof *senders);
    iris_behaviour receiver = {.size = sizeof receiver,
                               .abi = IRIS_ABI,
                               .name = "receiver",
                               .version = "1",
                               .handle = receive};
    iris_behaviour sender = {.size = sizeof sender,
                             .abi = IRIS_ABI,
                             .name = "sender",
                             .version = "1",
                             .handle = shoot,
                             .data = &s};
    payload_len = bytes_of(w);
    stage_open(&s, w->workers, 0);
    receiver_pid = spawn_receiver(&s, &receiver, w->order);
    stage_spawn_many(&s, &sender, (size_t)w->size, senders);
    play(&s, senders, w->size, (uint64_t)amount(WARM_UP));
    values[0] = play(&s, senders, w->size, (uint64_t)amount(MESSAGES));
    stage_close(&s);
    free(senders);
}
