#include "pull.h"

#include "stage.h"

#include <iris/ext/reader.h>

#include <string.h>

enum { MESSAGES = 3200000, WARM_UP = 320000, BURST = 16 };

static struct finish finish;
static const iris_reader *reader;
static const iris_api *api;
static uint64_t received, expected, receiver, other; /* pids: receiver, other */

static int take(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *none, int n)
{
    const iris_message *m;
    (void)b, (void)state, (void)none, (void)n;
    while (reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK)
        if (++received == expected)
            finish_one(&finish);
    return 0;
}

/* Sends some, then one to itself, so that the receiver gets its turn. */
static int shoot(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *messages, int n)
{
    static const unsigned char payload[64];
    (void)state;
    for (int i = 0; i < n; i++) {
        uint64_t left;
        memcpy(&left, messages[i]->data, sizeof left);
        for (int k = 0; k < BURST; k++)
            api->send(self, receiver, payload, (size_t)(uintptr_t)b->data, 0);
        left -= BURST;
        if (left)
            api->send(self, api->pid(self), &left, sizeof left, 0);
    }
    return n;
}

/* Sends each number back, less one, until it is none. */
static int bat(const iris_behaviour *b, iris_actor *self, void *state,
               const iris_message *const *none, int n)
{
    const iris_message *m;
    uint64_t left;
    (void)b, (void)state, (void)none, (void)n;
    while (reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK) {
        memcpy(&left, m->data, sizeof left);
        if (left-- == 0)
            finish_one(&finish);
        else
            api->send(self, m->from ? m->from : other, &left, sizeof left, 0);
    }
    return 0;
}

static iris_behaviour puller(int (*handle)(const iris_behaviour *, iris_actor *, void *,
                                           const iris_message *const *, int))
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "puller",
                            .version = "1",
                            .flags = IRIS_PULL | IRIS_OWN_STACK,
                            .handle = handle};
}

static void open_stage(struct stage *s, const struct workload *w)
{
    stage_open(s, w->workers, 0);
    api = s->api;
    reader = s->api->extension(IRIS_READER);
}

static double play(const struct stage *s, const struct workload *w, uint64_t sender, uint64_t n)
{
    static const unsigned char payload[64];
    received = 0;
    expected = n;
    finish_begin(&finish, 1);
    double start = now_ns();
    if (w->order == PULL_FROM_ACTOR)
        stage_send(s, sender, n, 0);
    else
        for (uint64_t i = 0; i < n; i++)
            stage_send_bytes(s, receiver, payload, bytes_of(w), 0);
    finish_wait(&finish);
    return (double)n * 1e3 / (now_ns() - start);
}

void pull_iris(const struct workload *w, double *values)
{
    struct stage s;
    iris_behaviour takes = puller(take);
    iris_behaviour shoots = {.size = sizeof shoots,
                             .abi = IRIS_ABI,
                             .name = "sender",
                             .version = "1",
                             .data = (void *)(uintptr_t)bytes_of(w),
                             .handle = shoot};
    uint64_t sender;
    open_stage(&s, w);
    stage_spawn_many(&s, &takes, 1, &receiver);
    stage_spawn_many(&s, &shoots, 1, &sender);
    stage_settle(&s);
    play(&s, w, sender, WARM_UP);
    values[0] = play(&s, w, sender, MESSAGES);
    stage_close(&s);
}

static double rally(const struct stage *s, uint64_t first, uint64_t trips)
{
    finish_begin(&finish, 1);
    double start = now_ns();
    stage_send(s, first, 2 * trips, 0);
    finish_wait(&finish);
    return (double)trips * 1e3 / (now_ns() - start);
}

void pull_pingpong_iris(const struct workload *w, double *values)
{
    struct stage s;
    iris_behaviour bats = puller(bat);
    uint64_t pair[2];
    open_stage(&s, w);
    stage_spawn_many(&s, &bats, 2, pair);
    other = pair[1];
    stage_settle(&s);
    rally(&s, pair[0], WARM_UP);
    values[0] = rally(&s, pair[0], MESSAGES);
    stage_close(&s);
}

/* The first thousand pay for what every runtime has once. */
void pull_spawn_iris(const struct workload *w, double *values)
{
    struct stage s;
    iris_behaviour takes = puller(take);
    size_t n = (size_t)w->size;
    open_stage(&s, w);
    iris_version *v = stage_define(&s, &takes);
    for (int i = 0; i < 1000; i++)
        stage_spawn(&s, v);
    stage_settle(&s);
    uint64_t before = anonymous_bytes();
    double start = now_ns();
    for (size_t i = 0; i < n; i++)
        stage_spawn(&s, v);
    stage_settle(&s);
    values[1] = (double)n * 1e6 / (now_ns() - start);
    values[0] = (double)(anonymous_bytes() - before) / (double)n;
    /* The process ends here: closing would only take its time. */
}
