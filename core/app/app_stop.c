#include "app.h"

#include "api.h"

#define STOP_ONE (5 * IRIS_SECOND)  /* what an actor has that asks for nothing else */
#define STOP_ALL (10 * IRIS_SECOND) /* what all have together, and what is asked for beyond */
#define KILL_ONE (100 * IRIS_MILLISECOND)
#define LOOK (5 * IRIS_MILLISECOND) /* an end that no event tells of is seen by looking */

static int64_t now(const struct app *a)
{
    return iris__sched_now(&a->runtime->world.sched);
}

/* 1: it has ended. */
static int await_end(struct app *a, uint64_t pid, int64_t deadline)
{
    int started, failed;
    while (!iris__app_awaited(a, &started, &failed) && iris__actor_alive(&a->runtime->world, pid)) {
        if (atomic_load(&a->hurry) || now(a) >= deadline)
            return 0;
        iris__app_wait(a, LOOK);
    }
    return 1;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static const char *why_killed(struct app *a, int64_t shutdown, int rests)
{
    return atomic_load(&a->hurry) ? "killed (how=kill): all are told to stop at once"
           : rests                ? "killed (how=kill): it rests"
           : shutdown             ? "killed (how=kill): it did not stop in time"
                                  : "killed (how=kill): its shutdown is kill";
}

static void stop_one(struct app *a, size_t index, int64_t deadline)
{
    struct world *w = &a->runtime->world;
    uint64_t pid = a->actors[index].pid;
    int64_t shutdown = a->manifest->actors[index].shutdown;
    int rests = a->actors[index].rests;
    if (!pid)
        return;
    iris__app_await(a, a->manifest->actors[index].path);
    if (shutdown && !rests &&
        !atomic_load(&a->hurry) && /* else what waits in its mailbox is not handled */
        (iris__actor_stop(w, pid) != IRIS_OK ||
         await_end(a, pid, earlier(now(a) + shutdown, deadline))))
        return;
    iris__actor_kill(w, pid, why_killed(a, shutdown, rests));
    await_end(a, pid, earlier(now(a) + KILL_ONE, deadline));
}

static int64_t time_for_all(const struct app *a)
{
    int64_t time = STOP_ALL;
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        int64_t beyond = a->manifest->actors[i].shutdown - STOP_ONE;
        time += beyond > 0 ? beyond : 0;
    }
    return time;
}

int64_t iris__app_stop(struct app *a)
{
    int64_t deadline = iris__sched_after(&a->runtime->world.sched, time_for_all(a));
    atomic_store(&a->phase, APP_STOPPING);
    atomic_store(&a->runtime->closing, 1); /* what ends now is not restarted */
    iris__runtime_end_loads(a->runtime);   /* whose language could not end its actors meanwhile */
    for (size_t i = a->manifest->nactors; i-- > 0;)
        stop_one(a, a->manifest->start_order[i], deadline);
    iris__app_await(a, NULL);
    iris__app_say_events(a);
    int64_t left = atomic_load(&a->hurry) ? 0 : deadline - now(a);
    return left > IRIS_SECOND ? left : IRIS_SECOND;
}

void iris__app_say_stuck(struct app *a)
{
    int told = 0;
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        const struct manifest_actor *m = &a->manifest->actors[i];
        if (!iris__actor_alive(&a->runtime->world, a->actors[i].pid))
            continue;
        iris__app_say(a, IRIS_APP_ERROR,
                      "%s  %s: its handler did not return; the process is to be ended", m->path,
                      m->handler);
        told++;
    }
    if (!told)
        iris__app_say(a, IRIS_APP_ERROR,
                      "a thread did not return, of code that was being loaded perhaps; the process "
                      "is to be ended");
}
