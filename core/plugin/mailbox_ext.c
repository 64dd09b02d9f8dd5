#include "mailbox_ext.h"

#include "actor.h"
#include "callers.h"

static int policy(iris_actor *self, uint64_t pid, uint32_t policy, uint64_t fallback,
                  uint32_t capacity)
{
    struct world *w = iris__world_of(self);
    return iris__world_is_here(w) ? iris__door_policy(w, pid, policy, fallback, capacity)
                                  : IRIS_FAIL;
}

static int bytes(iris_actor *self, uint64_t pid, uint64_t limit)
{
    struct world *w = iris__world_of(self);
    return iris__world_is_here(w) ? iris__door_bytes(w, pid, limit) : IRIS_FAIL;
}

static int look(iris_actor *self, uint64_t pid, iris_mailbox_look *out)
{
    struct world *w = iris__world_of(self);
    return iris__world_is_here(w) ? iris__door_look(w, pid, out) : IRIS_FAIL;
}

const iris_mailbox iris__mailbox_ext = {
    sizeof(iris_mailbox), IRIS_ABI,         iris__send_wait, iris__room, policy, look, bytes,
    iris__send_told,      iris__send_cancel};
