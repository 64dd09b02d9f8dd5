#include "counter.h"

#include <stdlib.h>
#include <string.h>

static int begin(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, sizeof(uint64_t));
    return *state ? IRIS_OK : IRIS_FAIL;
}

static void end(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int count(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *messages, int n)
{
    uint64_t *sum = state;
    (void)b, (void)self, (void)messages;
    *sum += (uint64_t)n;
    return n;
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    (void)b, (void)self;
    return sink->write(sink, state, sizeof(uint64_t));
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    (void)from;
    if (saved.len != sizeof(uint64_t) || begin(b, self, saved, state))
        return IRIS_FAIL;
    memcpy(*state, saved.data, sizeof(uint64_t));
    return IRIS_OK;
}

void counter_define(const struct stage *s, iris_version *versions[2])
{
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "counter",
                        .version = "1",
                        .state_version = 1,
                        .handle = count,
                        .init = begin,
                        .fini = end,
                        .save = save,
                        .upgrade = upgrade};
    versions[0] = stage_define(s, &b);
    b.version = "2";
    versions[1] = stage_define(s, &b);
}
