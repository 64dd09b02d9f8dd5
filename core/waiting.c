#include "waiting.h"

#include "ask.h"
#include "fail.h"
#include "message.h"
#include "observe.h"
#include "thread.h"

#include <stdio.h>
#include <string.h>

#define PROBE (5 * IRIS__SECOND) /* so long another node may take to say that an actor is alive */

static void answered(iris_job *job)
{
    struct waiter *k = (struct waiter *)job;
    pthread_mutex_lock(&k->lock);
    k->is_done = 1;
    pthread_cond_signal(&k->done);
    pthread_mutex_unlock(&k->lock);
}

void iris__waiter_init(struct waiter *k)
{
    *k = (struct waiter){.answer.job.run = answered};
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->done, NULL);
}

void iris__waiter_finish(struct waiter *k)
{
    pthread_cond_destroy(&k->done);
    pthread_mutex_destroy(&k->lock);
}

/* In a seeded run nobody else makes it happen; one that waits for ever is not kept when nothing can. */
void iris__waiter_wait(iris_runtime *rt, struct waiter *k)
{
    while (rt->world.sched.seeded && !k->is_done && iris_step(rt))
        ;
    if (rt->world.sched.seeded && !k->is_done && k->port)
        iris__port_dead(&rt->world, k->port, "nothing is left to happen");
    pthread_mutex_lock(&k->lock);
    while (!k->is_done)
        pthread_cond_wait(&k->done, &k->lock);
    pthread_mutex_unlock(&k->lock);
}

static void take_reason(iris_runtime *rt, iris_answer *a)
{
    if (a->result == IRIS_OK || !a->message)
        return;
    iris__fail("%.*s", (int)a->message->len, (const char *)a->message->data);
    iris__message_drop(rt->world.pool, iris__message_of(a->message));
    a->message = NULL;
}

int iris_ask_wait(iris_runtime *rt, uint64_t pid, const void *data, size_t len, int64_t timeout,
                  const iris_message **answer)
{
    struct waiter k;
    const iris_actor *turn = iris__thread.turn;
    if (turn && iris__world_of(turn) == &rt->world &&
        (!(turn->flags & ACTOR_OWN_THREAD) || iris__actor_pid(turn) == pid))
        return iris__fail(
            "iris_ask_wait: from a handler it would hold up the thread that may have to "
            "answer; ask with \"iris.ask/1\", or from another thread");
    if (!iris__world_is_here(&rt->world))
        return IRIS_DEAD;
    if (atomic_load(&rt->world.closing)) {
        iris__fail("ask: the runtime is closed");
        return IRIS_DEAD;
    }
    iris__waiter_init(&k);
    int result = iris__ask(&rt->outside, pid, data, len, timeout, &k.answer);
    if (result == IRIS_OK) {
        iris__waiter_wait(rt, &k);
        take_reason(rt, &k.answer);
        result = k.answer.result;
        *answer = k.answer.message;
    }
    iris__waiter_finish(&k);
    return result;
}

/* Of another node. In a handler nobody may wait: there it is alive as long as its node is up. */
static int is_alive_far(iris_runtime *rt, uint64_t pid)
{
    struct waiter k;
    if (iris__thread.turn)
        return iris__route_is_up(&rt->world, pid);
    iris__waiter_init(&k);
    int result = iris__route_probe(&rt->world, pid, PROBE, &k.answer);
    if (result == IRIS_OK) {
        iris__waiter_wait(rt, &k);
        result = k.answer.result;
    }
    iris__waiter_finish(&k);
    return result == IRIS_OK;
}

int iris_is_alive(iris_runtime *rt, uint64_t pid)
{
    if (IRIS__NODE_OF(pid))
        return rt->world.birth->here && !atomic_load(&rt->world.closing) && is_alive_far(rt, pid);
    return rt->world.birth->here && iris__actor_alive(&rt->world, pid);
}

static void copy_text(char *to, size_t room, const iris_message *m)
{
    if (room)
        snprintf(to, room, "%.*s", (int)m->len, (const char *)m->data);
}

int iris_join(iris_runtime *rt, uint64_t pid, int64_t timeout, char *reason, size_t room)
{
    struct waiter k;
    if (iris__thread.turn)
        return iris__fail(
            "join: it waits, and from a handler it would hold up its worker; monitor() "
            "the actor, or give ended() a job");
    if (!iris__world_is_here(&rt->world))
        return IRIS_FAIL;
    if (atomic_load(&rt->world.closing))
        return iris__fail("join: the runtime is closed");
    iris__waiter_init(&k);
    int result = iris__port_ended(&rt->world, pid, timeout, &k.answer, &k.port);
    if (result == IRIS_OK) {
        iris__waiter_wait(rt, &k);
        take_reason(rt, &k.answer);
        result = k.answer.result == IRIS_DEAD ? IRIS_FAIL : k.answer.result;
    }
    if (result == IRIS_OK) {
        copy_text(reason, room, k.answer.message);
        iris__message_drop(rt->world.pool, iris__message_of(k.answer.message));
    }
    iris__waiter_finish(&k);
    return result;
}

/* Until number `from` has come to it. */
static int wait_arrived(iris_runtime *rt, uint64_t pid, uint64_t from, int64_t timeout)
{
    struct waiter k;
    iris__waiter_init(&k);
    int result = iris__observed_arrived(&rt->outside, pid, from, timeout, &k.answer);
    if (result == IRIS_OK) {
        iris__waiter_wait(rt, &k);
        result = k.answer.result;
        if (k.answer.message)
            iris__message_drop(rt->world.pool, iris__message_of(k.answer.message));
    }
    iris__waiter_finish(&k);
    return result;
}

int iris_receive(iris_runtime *rt, uint64_t pid, int (*match)(void *ctx, const iris_message *),
                 void *ctx, int64_t timeout, const iris_message **out)
{
    struct sched *s = &rt->world.sched;
    int64_t deadline = timeout < 0 ? INT64_MAX : iris__sched_after(s, timeout);
    uint64_t from = 0;
    if (iris__thread.turn)
        return iris__fail("receive: it waits, and from a handler it would hold up its worker; give "
                          "arrived() a job");
    if (!iris__world_is_here(&rt->world))
        return IRIS_FAIL;
    if (atomic_load(&rt->world.closing))
        return iris__fail("receive: the runtime is closed");
    for (;;) {
        int result = iris__observed_take(&rt->outside, pid, &from, match, ctx, out);
        int64_t left = timeout < 0 ? -1 : deadline - iris__sched_now(s);
        if (result != IRIS_EMPTY || (timeout >= 0 && left <= 0))
            return result;
        result = wait_arrived(rt, pid, from, left);
        if (result == IRIS_DEAD || result == IRIS_FAIL)
            return result;
    }
}
