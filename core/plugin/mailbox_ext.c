#include "mailbox_ext.h"

#include "actor.h"
#include "callers.h"

static int policy(iris_actor *self, uint64_t pid, uint32_t policy, uint64_t fallback,
                  uint32_t capacity)
{
    return iris__door_policy(iris__world_of(self), pid, policy, fallback, capacity);
}

static int look(iris_actor *self, uint64_t pid, iris_mailbox_look *out)
{
    return iris__door_look(iris__world_of(self), pid, out);
}

const iris_mailbox iris__mailbox_ext = {sizeof(iris_mailbox), IRIS_ABI, iris__send_wait,
                                        iris__room,           policy,   look};
