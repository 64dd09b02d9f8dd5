#include "ask.h"
#include "fail.h"
#include "gate.h"
#include "keep.h"
#include "route.h"

#include <stdlib.h>

#define FIRST_AGAIN (100 * IRIS__MS)
#define LAST_AGAIN (30 * IRIS__SECOND)
#define IN_A_MOMENT (20 * IRIS__MS) /* one that is at work */

static int64_t time_until_again(uint32_t failures)
{
    int64_t delay = FIRST_AGAIN;
    for (uint32_t i = 1; i < failures && delay < LAST_AGAIN; i++)
        delay *= 2;
    return delay < LAST_AGAIN ? delay : LAST_AGAIN;
}

/* Lock held. It is tried again for as long as it takes. */
static void again(struct supervisors *s, struct factory *f, int64_t delay)
{
    struct member *m = f->member;
    m->state = MEMBER_DOWN;
    m->alarm = iris__wakeup_set(s, m, NULL, delay);
    if (!m->alarm)
        iris__member_begin(s, m);
}

/* Lock held. */
static void has_made(struct supervisors *s, struct factory *f, int result, uint64_t pid)
{
    struct supervisor *round = iris__round_over(f->member);
    if (result == IRIS_AGAIN) {
        again(s, f, IN_A_MOMENT);
    } else if (result || iris__member_set_pid(s, f->member, pid)) {
        f->failures++;
        again(s, f, time_until_again(f->failures));
    } else {
        f->failures = 0;
        iris__member_lives(f->member);
    }
    if (round)
        iris__round_advance(s, round);
}

static void tell_failure(struct supervisors *s, uint32_t failures, const char *why)
{
    iris__world_event(s->world, EVENT_LOG, NULL, IRIS_WARN,
                      "a factory of a supervisor failed: %s; it is asked again in %.1f s", why,
                      (double)time_until_again(failures) / 1e9);
}

/* ---- a member of another node ---- */

struct far { /* until it has ended, or its node is gone */
    iris_answer answer;
    struct supervisors *s;
    uint64_t pid;
};

static void far_ended(iris_job *job)
{
    struct far *k = (struct far *)((char *)job - offsetof(struct far, answer.job));
    int ended = k->answer.result == IRIS_OK; /* else the runtime does */
    if (k->answer.message)
        iris__message_drop(k->s->world->pool, iris__message_of(k->answer.message));
    if (ended)
        iris__supervisor_gone(k->s, k->pid);
    free(k);
}

/* Its end is told by its node, or by the end of the link to it. */
static void watch_far(struct supervisors *s, uint64_t pid)
{
    uint64_t port;
    struct far *k = calloc(1, sizeof *k);
    if (k) {
        *k = (struct far){.answer.job.run = far_ended, .s = s, .pid = pid};
        if (iris__port_ended(s->world, pid, -1, &k->answer, &port) == IRIS_OK)
            return;
    }
    free(k);
    iris__supervisor_gone(s, pid); /* no memory: it is made anew, which asks for some again */
}

/* It may have ended before it was known here. */
static void make_sure(struct supervisors *s, uint64_t pid)
{
    if (IRIS__NODE_OF(pid)) {
        watch_far(s, pid);
        return;
    }
    iris_actor *a = iris__table_at(&s->world->table, pid);
    if (a)
        atomic_fetch_or(&a->marks, MARK_KEPT);
    if (!a || !iris__gate_accepts_now(a, pid))
        iris__supervisor_gone(s, pid);
}

static void make(iris_job *job)
{
    struct factory *f = (struct factory *)job;
    struct supervisors *s = f->s;
    struct errands errands;
    uint64_t pid = 0;
    iris__forget();
    int result = atomic_load(s->closing) ? IRIS_FAIL : f->make(f->ctx, &pid);
    if (result == IRIS_OK && !pid)
        result = IRIS_FAIL;
    iris__keep_lock(s, &errands);
    f->is_posted = 0;
    int wanted = f->member != NULL, closes = atomic_load(s->closing);
    if (!wanted)
        iris__keep_factory(s, ERRAND_RELEASE, f);
    else if (!closes)
        has_made(s, f, result, pid);
    uint32_t failures = wanted && result != IRIS_AGAIN ? f->failures : 0;
    iris__keep_unlock(s);
    if (failures && !closes)
        tell_failure(s, failures,
                     result ? iris__reason() : "what it made is supervised by somebody already");
    else if (wanted && !closes && result == IRIS_OK)
        make_sure(s, pid);
}

void iris__factory_ask(struct supervisors *s, struct factory *f)
{
    if (f->is_posted)
        return;
    f->is_posted = 1;
    f->job = (iris_job){.run = make};
    iris__keep_factory(s, ERRAND_MAKE, f);
}

void iris__factory_post(struct supervisors *s, struct factory *f)
{
    iris__executor_post(f->executor ? f->executor : &s->world->sched.pool, &f->job);
}

void iris__factory_release(struct factory *f)
{
    if (f->release)
        f->release(f->ctx);
    free(f);
}

/* One that makes just now is released when it is done. */
void iris__factory_let_go(struct supervisors *s, struct factory *f)
{
    f->member = NULL;
    if (!f->is_posted)
        iris__keep_factory(s, ERRAND_RELEASE, f);
}

/* ---- from outside ---- */

static struct factory *create(struct supervisors *s, const iris_factory *given)
{
    struct factory *f = calloc(1, sizeof *f);
    if (f)
        *f = (struct factory){.s = s,
                              .executor = given->executor,
                              .make = given->make,
                              .release = given->release,
                              .ctx = given->ctx,
                              .strategy = (int)given->strategy - 1};
    return f;
}

/* Lock held. */
static int join(struct supervisors *s, const iris_factory *given, struct factory *f)
{
    const char *path = given->path && *given->path ? given->path : "/";
    struct supervisor *v = iris__supervisor_find(s, path);
    if (!v)
        return iris__fail("supervise: there is no supervisor %s; create it first", path);
    if (iris__member_of(s, given->pid))
        return iris__fail("supervise: %llu is supervised already; unwatch it first",
                          (unsigned long long)given->pid);
    struct member *m = iris__member_add(s, v);
    if (!m)
        return iris__fail("supervise: no memory");
    iris__member_set_pid(s, m, given->pid);
    m->is_watched = 1;
    m->shutdown = given->shutdown ? given->shutdown : SHUTDOWN_DEFAULT;
    m->factory = f;
    f->member = m;
    return IRIS_OK;
}

int iris__supervise_factory(struct supervisors *s, const iris_factory *given)
{
    struct errands errands;
    if (IRIS__NODE_OF(given->pid) ? !iris__route_is_up(s->world, given->pid)
                                  : !iris__actor_alive(s->world, given->pid))
        return IRIS_DEAD;
    struct factory *f = create(s, given);
    if (!f)
        return iris__fail("supervise: no memory");
    iris__keep_lock(s, &errands);
    int result = join(s, given, f);
    iris__keep_unlock(s);
    if (result)
        free(f);
    else
        make_sure(s, given->pid);
    return result;
}
