/* A thread that is no worker sends its clock to a light actor each millisecond, alone or while other
 * actors flood: each of those keeps 1,000 messages to itself on their way. */
#include "latency.h"

#include "floor.h"
#include "stage.h"

#include <iris/ext/ask.h>

#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1000, WARM_UP = 50, FLOOD = 1000, MILLISECOND = 1000000, PATIENCE = 10 };

struct samples {
    double took[WARM_UP + SAMPLES]; /* us */
    atomic_int count;
};

static struct samples samples;
static atomic_int flooding;

static void take_sample(double sent)
{
    int i = atomic_load_explicit(&samples.count, memory_order_relaxed);
    samples.took[i] = (now_ns() - sent) / 1e3;
    atomic_store_explicit(&samples.count, i + 1, memory_order_release);
}

static void report(double *values)
{
    values[0] = percentile(samples.took + WARM_UP, SAMPLES, 0.5);
    values[1] = percentile(samples.took + WARM_UP, SAMPLES, 0.99);
}

/* One message is on its way at a time, or the sender waits: a light actor that starved is an end. */
static void await_samples(int count, double since)
{
    while (atomic_load_explicit(&samples.count, memory_order_acquire) < count) {
        if (now_ns() - since > PATIENCE * 1e9)
            die("the light actor got no turn for 10 s");
        sleep_until_ns(now_ns() + 20000);
    }
}

static void send_each_millisecond(void (*send)(void *ctx, double now), void *ctx)
{
    double at = now_ns();
    for (int i = 0; i < WARM_UP + SAMPLES; i++) {
        at += MILLISECOND;
        sleep_until_ns(at);
        send(ctx, now_ns());
    }
    await_samples(WARM_UP + SAMPLES, now_ns());
}

/* ---- floor ---- */

static void floor_take(struct floor_actor *a, struct floor_message *m)
{
    double sent;
    (void)a;
    memcpy(&sent, &m->value, sizeof sent);
    floor_put(m);
    take_sample(sent);
}

static void floor_flood(struct floor_actor *a, struct floor_message *m)
{
    floor_put(m);
    if (atomic_load_explicit(&flooding, memory_order_relaxed))
        floor_send_new(a, a, 0);
}

static void floor_send_clock(void *light, double now)
{
    uint64_t bits;
    memcpy(&bits, &now, sizeof bits);
    floor_send_new(light, NULL, bits);
}

void light_floor(const struct workload *w, double *values)
{
    atomic_store(&flooding, 1);
    floor_start(w->workers);
    struct floor_actor *light = floor_actors(1, floor_take);
    struct floor_actor *floods = floor_actors((size_t)w->size + 1, floor_flood);
    for (int i = 0; i < w->size * FLOOD; i++)
        floor_send_new(&floods[i / FLOOD], NULL, 0);
    send_each_millisecond(floor_send_clock, light);
    atomic_store(&flooding, 0);
    report(values);
    floor_stop();
}

/* ---- Iris ---- */

struct target {
    struct stage stage;
    uint64_t pid;
};

static int take(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *messages, int n)
{
    (void)b, (void)self, (void)state;
    for (int i = 0; i < n; i++) {
        double sent;
        memcpy(&sent, messages[i]->data, sizeof sent);
        take_sample(sent);
    }
    return n;
}

static int answer(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    const struct target *t = b->data;
    (void)state;
    for (int i = 0; i < n; i++)
        t->stage.api->send(self, messages[i]->ref, messages[i]->data, messages[i]->len, 0);
    return n;
}

static int flood(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *messages, int n)
{
    const struct target *t = b->data;
    uint64_t pid = t->stage.api->pid(self);
    (void)state;
    for (int i = 0; i < n; i++)
        if (atomic_load_explicit(&flooding, memory_order_relaxed))
            t->stage.api->send(self, pid, messages[i]->data, messages[i]->len, 0);
    return n;
}

static void send_clock(void *ctx, double now)
{
    const struct target *t = ctx;
    if (t->stage.api->send(t->stage.self, t->pid, &now, sizeof now, 0))
        die("a message was not accepted");
}

static void begin_flood(struct target *t, int count)
{
    iris_behaviour flooder = {.size = sizeof flooder,
                              .abi = IRIS_ABI,
                              .name = "flooder",
                              .version = "1",
                              .handle = flood,
                              .data = t};
    uint64_t *pids = calloc((size_t)count + 1, sizeof *pids);
    atomic_store(&flooding, 1);
    stage_spawn_many(&t->stage, &flooder, (size_t)count, pids);
    for (int i = 0; i < count * FLOOD; i++)
        stage_send(&t->stage, pids[i / FLOOD], 0, 0);
    free(pids);
}

static void open_target(struct target *t, const struct workload *w,
                        int (*handle)(const iris_behaviour *, iris_actor *, void *,
                                      const iris_message *const *, int))
{
    iris_behaviour light = {.size = sizeof light,
                            .abi = IRIS_ABI,
                            .name = "light",
                            .version = "1",
                            .handle = handle,
                            .data = t};
    iris_options options = {
        .size = sizeof options, .abi = IRIS_ABI, .workers = (uint32_t)w->workers, .spin = w->order};
    stage_open_with(&t->stage, &options);
    stage_spawn_many(&t->stage, &light, 1, &t->pid);
    begin_flood(t, w->size);
}

static void close_target(struct target *t)
{
    atomic_store(&flooding, 0);
    stage_close(&t->stage);
}

void light_iris(const struct workload *w, double *values)
{
    struct target t;
    open_target(&t, w, take);
    send_each_millisecond(send_clock, &t);
    report(values);
    close_target(&t);
}

static void ask_once(const struct target *t)
{
    const iris_message *reply;
    double now = now_ns();
    if (iris_ask_wait(t->stage.rt, t->pid, &now, sizeof now, PATIENCE * IRIS_SECOND, &reply))
        die("an ask got no answer");
    t->stage.api->drop(reply);
    take_sample(now);
}

void ask_iris(const struct workload *w, double *values)
{
    struct target t;
    open_target(&t, w, answer);
    for (int i = 0; i < WARM_UP + SAMPLES; i++)
        ask_once(&t);
    report(values);
    close_target(&t);
}

/* ---- an actor asks another one, again and again ---- */

struct asker {
    struct target target;
    const iris_ask *ask;
    iris_actor *self;
    iris_answer answer; /* of the ask that is open */
    double asked;
    struct finish finish;
};

static void ask_next(struct asker *a);

static void on_answer(iris_job *job)
{
    struct asker *a = (struct asker *)((char *)job - offsetof(struct asker, answer.job));
    if (a->answer.result)
        die("an ask got no answer");
    a->target.stage.api->drop(a->answer.message);
    take_sample(a->asked);
    if (atomic_load(&samples.count) < WARM_UP + SAMPLES)
        ask_next(a);
    else
        finish_one(&a->finish);
}

static void ask_next(struct asker *a)
{
    a->answer = (iris_answer){.job = {.run = on_answer}};
    a->asked = now_ns();
    if (a->ask->ask(a->self, a->target.pid, &a->asked, sizeof a->asked, PATIENCE * IRIS_SECOND,
                    &a->answer))
        die("an ask was not accepted");
}

static int begin_asking(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *messages, int n)
{
    struct asker *a = b->data;
    (void)state, (void)messages;
    a->self = self;
    ask_next(a);
    return n;
}

void inner_ask_iris(const struct workload *w, double *values)
{
    struct asker a = {.ask = NULL};
    iris_behaviour asker = {.size = sizeof asker,
                            .abi = IRIS_ABI,
                            .name = "asker",
                            .version = "1",
                            .handle = begin_asking,
                            .data = &a};
    uint64_t pid;
    open_target(&a.target, w, answer);
    a.ask = a.target.stage.api->extension(IRIS_ASK);
    finish_begin(&a.finish, 1);
    stage_spawn_many(&a.target.stage, &asker, 1, &pid);
    stage_send(&a.target.stage, pid, 0, 0);
    finish_wait(&a.finish);
    report(values);
    close_target(&a.target);
}
