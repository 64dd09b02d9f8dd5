#include "tags.h"

#include "actor.h"
#include "api.h"
#include "behaviour.h"
#include "thread.h"
#include "turn.h"

#include <stdio.h>
#include <stdlib.h>

static void complain(const char *member, const char *tag)
{
    fprintf(stderr, "iris: api->%s was called off its thread: it is [%s]\n", member, tag);
    abort();
}

/* Hosts and threads from outside have an actor without a pid: it may call from anywhere. */
static int is_anywhere(const iris_actor *a)
{
    return iris__actor_pid(a) == 0;
}

/* A job has no turn: whether it was posted to this actor's executor, nobody can see on the pool. */
static int is_on_pool(const iris_actor *a, const struct sched *s)
{
    if (iris__thread.turn)
        return iris__thread.turn == a;
    return s->seeded ? iris__thread.lane != NULL : iris__thread.worker != NULL;
}

static int is_on_executor(const iris_actor *a)
{
    const iris_executor *x = a->executor;
    return x->kind == EXECUTOR_POOL ? is_on_pool(a, x->sched) : iris__thread.lane == &x->lane;
}

static void check_exec(const iris_actor *a, const char *member)
{
    if (!is_anywhere(a) && !is_on_executor(a))
        complain(member, "exec");
}

static void check_turn(const iris_actor *a, const char *member)
{
    if (iris__thread.turn != a)
        complain(member, "turn");
}

static int checked_send(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref)
{
    check_exec(self, "send");
    return iris__api_table.send(self, to, data, len, ref);
}

static int checked_give(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
                        void (*release)(void *), void *ctx)
{
    check_exec(self, "give");
    return iris__api_table.give(self, to, data, len, ref, release, ctx);
}

static void checked_keep(const iris_message *m)
{
    if (!iris__thread.turn)
        complain("keep", "turn");
    iris__api_table.keep(m);
}

static int checked_later(iris_actor *self, const iris_message *m)
{
    check_turn(self, "later");
    return iris__api_table.later(self, m);
}

static int checked_due(iris_actor *self)
{
    check_exec(self, "due");
    return iris__api_table.due(self);
}

static int checked_exit(iris_actor *self, const char *reason)
{
    check_exec(self, "exit");
    return iris__api_table.exit(self, reason);
}

static int checked_drain(iris_executor *x, int64_t slice)
{
    if (iris__thread.turn)
        complain("drain", "exec, outside a turn");
    return iris__api_table.drain(x, slice);
}

const iris_api iris__checked_api = {
    IRIS__API_COMMON,       .send = checked_send, .give = checked_give, .keep = checked_keep,
    .later = checked_later, .due = checked_due,   .exit = checked_exit, .drain = checked_drain,
};
