#include "stage.h"

#include "bench.h"

#include <stdlib.h>
#include <time.h>

void stage_open(struct stage *s, int workers, uint64_t seed)
{
    iris_options options = {
        .size = sizeof options, .abi = IRIS_ABI, .workers = (uint32_t)workers, .seed = seed};
    stage_open_with(s, &options);
}

void stage_open_with(struct stage *s, const iris_options *options)
{
    if (iris_open(options, &s->rt))
        die(iris_reason());
    s->api = iris_calls();
    s->self = iris_self(s->rt);
}

void stage_close(struct stage *s)
{
    if (iris_close(s->rt, 30 * IRIS_SECOND))
        die("a thread did not come back");
}

iris_version *stage_define(const struct stage *s, const iris_behaviour *b)
{
    iris_version *v;
    if (s->api->define(s->self, b, &v))
        die(iris_reason());
    return v;
}

uint64_t stage_spawn(const struct stage *s, iris_version *v)
{
    iris_spawn spawn = {.size = sizeof spawn, .abi = IRIS_ABI, .version = v};
    uint64_t pid;
    if (s->api->spawn(s->self, &spawn, &pid))
        die(iris_reason());
    return pid;
}

void stage_spawn_many(const struct stage *s, const iris_behaviour *b, size_t n, uint64_t *pids)
{
    iris_version *v = stage_define(s, b);
    for (size_t i = 0; i < n; i++)
        pids[i] = stage_spawn(s, v);
    s->api->release(v);
}

void stage_settle(const struct stage *s)
{
    struct timespec moment = {.tv_nsec = 200000};
    while (!iris_is_idle(s->rt))
        nanosleep(&moment, NULL);
}

void stage_send(const struct stage *s, uint64_t to, uint64_t value, uint64_t ref)
{
    stage_send_bytes(s, to, &value, sizeof value, ref);
}

void stage_send_bytes(const struct stage *s, uint64_t to, const void *data, size_t len,
                      uint64_t ref)
{
    if (s->api->send(s->self, to, data, len, ref))
        die("a message was not accepted");
}
