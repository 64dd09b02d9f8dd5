#include "pull.h"

#include "ask.h"
#include "door.h"
#include "fail.h"
#include "mailbox.h"
#include "send.h"
#include "turn.h"

#include <sched.h>
#include <stdlib.h>

__attribute__((noinline)) int iris__pull_may(const iris_actor *a, const char *what)
{
    if (a->flags & ACTOR_RUNS && iris__thread.turn == a)
        return IRIS_OK;
    return iris__fail("%s: it is for pull actors (IRIS_PULL), inside their handle()", what);
}

/* ---- waiting ---- */

static void wait_on_thread(iris_actor *a, enum wish wish, int64_t deadline)
{
    int rests = 1;
    if (wish == WISH_MAIL)
        rests = iris__door_rest(a);
    else
        iris__mailbox_block(a);
    if (!rests || iris__executor_await(a->executor, deadline) || iris__mailbox_wake(a))
        return;
    iris__executor_await(a->executor, INT64_MAX); /* it is being queued this moment */
}

int iris__pull_wait(iris_actor *a, enum wish wish, int64_t deadline)
{
    struct coroutine *k = iris__coroutine_of(a);
    if (!k) {
        wait_on_thread(a, wish, deadline);
        return IRIS_OK;
    }
    if (iris__coroutine_alarm(k, deadline))
        return IRIS_FAIL;
    iris__coroutine_wish(k, wish);
    return IRIS_OK;
}

/* A sleeper will go on: an app whose others are done is not idle for that. */
int iris__pull_sleep(iris_actor *a, int64_t time)
{
    struct world *w = iris__world_of(a);
    int64_t end = iris__sched_after(&w->sched, time < 0 ? 0 : time);
    int result = iris__pull_may(a, "sleep");
    if (result)
        return result;
    atomic_fetch_add(&w->busy, 1);
    while (!(result = iris__turn_hear_pull(a) ? IRIS_CLOSED : IRIS_OK) &&
           iris__sched_now(&w->sched) < end)
        if ((result = iris__pull_wait(a, WISH_SIGNAL, end)))
            break;
    atomic_fetch_sub(&w->busy, 1);
    return result;
}

int iris__pull_yield(iris_actor *a)
{
    struct coroutine *k = iris__coroutine_of(a);
    if (iris__pull_may(a, "yield"))
        return IRIS_FAIL;
    if (k)
        iris__coroutine_wish(k, WISH_YIELD);
    else
        sched_yield();
    return iris__turn_hear_pull(a) ? IRIS_CLOSED : IRIS_OK;
}

/* ---- asking ---- */

enum { ASKED, ANSWERED, GIVEN_UP };

/* Not on the actor's stack, which may be gone when the answer comes. Freed by who comes last: the answer,
 * or the asker. */
struct question {
    iris_answer answer; /* first */
    struct world *world;
    uint64_t pid;
    atomic_int state;
};

static void discard(struct question *q)
{
    if (q->answer.message)
        iris__message_drop(q->world->pool, iris__message_of(q->answer.message));
    free(q);
}

static void on_answer(iris_job *job)
{
    struct question *q = (struct question *)job;
    struct world *w = q->world;
    uint64_t pid = q->pid;
    if (atomic_exchange(&q->state, ANSWERED) == GIVEN_UP)
        discard(q);
    else
        iris__signal(w, KIND_WAKE, 0, pid, 0, NULL);
}

static struct question *pose(iris_actor *a)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q) {
        iris__fail("ask: no memory");
        return NULL;
    }
    q->answer.job.run = on_answer;
    q->world = iris__world_of(a);
    q->pid = iris__actor_pid(a);
    return q;
}

static __attribute__((noinline)) int conclude(struct question *q, const iris_message **answer)
{
    int result = q->answer.result;
    const iris_message *m = q->answer.message;
    if (result == IRIS_OK) {
        *answer = m;
        q->answer.message = NULL; /* the caller's */
    } else if (m)
        iris__fail("%.*s", (int)m->len, (const char *)m->data);
    discard(q);
    return result;
}

static __attribute__((noinline)) int give_up(struct question *q, int result)
{
    if (atomic_exchange(&q->state, GIVEN_UP) == ANSWERED)
        discard(q);
    return result;
}

int iris__pull_ask(iris_actor *a, uint64_t to, const void *data, size_t len, int64_t timeout,
                   const iris_message **answer)
{
    struct question *q = iris__pull_may(a, "ask") ? NULL : pose(a);
    if (!q)
        return IRIS_FAIL;
    int result = iris__ask(a, to, data, len, timeout, &q->answer);
    if (result) {
        free(q);
        return result;
    }
    while (atomic_load(&q->state) == ASKED) {
        if (iris__turn_hear_pull(a))
            return give_up(q, IRIS_CLOSED);
        if (atomic_load(&q->state) == ASKED && iris__pull_wait(a, WISH_SIGNAL, INT64_MAX))
            return give_up(q, IRIS_FAIL);
    }
    return conclude(q, answer);
}
