#include "apply.h"

#include "answer.h"
#include "behaviour.h"
#include "change.h"
#include "door.h"
#include "end.h"
#include "fail.h"
#include "renew.h"
#include "start.h"

#include <stdlib.h>
#include <string.h>

#define UNDO (10 * IRIS_SECOND) /* what undoing one step may take */

static int64_t now(const struct apply *x)
{
    return iris__sched_now(&x->app->runtime->world.sched);
}

static struct world *world(const struct apply *x)
{
    return &x->app->runtime->world;
}

static struct supervisors *supervisors(const struct apply *x)
{
    return &x->app->runtime->supervisors;
}

static int gone(int result)
{
    return result == IRIS_DEAD ? iris__fail("it has ended meanwhile") : result;
}

/* What came too late, or not at all. */
static int late(const struct apply *x, const char *what)
{
    return atomic_load(&x->app->stop) ? iris__fail("the app is stopping")
                                      : iris__fail("%s; nothing goes on after --timeout", what);
}

/* The step's part that was done is undone, and the reason for that stays. */
static int undo_part(struct apply *x, const struct plan_step *s)
{
    char *why = strdup(iris__reason());
    iris__apply_undo(x, s);
    iris__fail("%s", why ? why : "no memory");
    free(why);
    return IRIS_FAIL;
}

/* ---- names ---- */

/* Who has it so far loses it with this plan; or, when that is undone, has got it with it. */
static int take_name(struct apply *x, const char *name, uint64_t pid)
{
    struct registry *r = &x->app->runtime->registry;
    if (!name || iris__registry_find(r, name) == pid)
        return IRIS_OK;
    iris__registry_clear(r, name);
    return iris__registry_set(r, world(x), name, pid);
}

static void give_back(struct apply *x, const char *name, uint64_t pid)
{
    struct registry *r = &x->app->runtime->registry;
    if (name && iris__registry_find(r, name) == pid)
        iris__registry_clear(r, name);
}

/* What an undone step took from others, they have again. */
static void restore_names(struct apply *x)
{
    const struct app *a = x->app;
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        uint64_t pid = atomic_load(&a->actors[i].pid);
        const char *name = a->manifest->actors[i].name;
        if (name && iris__actor_alive(world(x), pid) &&
            !iris__registry_find(&a->runtime->registry, name))
            iris__registry_set(&a->runtime->registry, world(x), name, pid);
    }
}

/* ---- the beginning of one ---- */

/* Its init has the time that it has when the app starts, if --timeout leaves it that. */
static int await_start(struct apply *x, const struct manifest_actor *m)
{
    int64_t left = x->deadline - now(x), most = iris__start_time(m);
    int is_short = left < most, failed, ignored;
    int started = iris__start_await(x->app, is_short ? left : most);
    iris__app_awaited(x->app, &ignored, &failed);
    if (started > 0)
        return IRIS_OK;
    return started < 0 || (is_short && !failed) ? late(x, "it has not started in time") : IRIS_FAIL;
}

/* On trial until its init has run: nobody begins it again. */
static int begin(struct apply *x, const struct manifest_actor *m, struct app_actor *actor)
{
    struct membership how = {iris__start_restart(m), iris__start_shutdown(m)};
    int is_lazy = m->start == MANIFEST_LAZY;
    int64_t began = now(x);
    if (m->name)
        iris__registry_clear(&x->app->runtime->registry, m->name);
    iris__app_await(x->app, is_lazy ? NULL : m->path);
    if (iris__start_spawn(x->app, m, actor, is_lazy ? how.restart : RESTART_NEVER) ||
        (!is_lazy && await_start(x, m)))
        return IRIS_FAIL;
    actor->took += now(x) - began;
    return gone(iris__supervisor_retune(supervisors(x), atomic_load(&actor->pid), &how));
}

static int add(struct apply *x, const struct plan_step *s)
{
    size_t to = s->to;
    const struct manifest_actor *m = &x->to->actors[to];
    struct app_actor *actor = &x->actors[to];
    iris__stories_pin(&x->app->stories, m->path);
    actor->pid = 0;
    int result = begin(x, m, actor);
    iris__app_await(x->app, NULL);
    if (result)
        return undo_part(x, s);
    iris__start_say(x->app, m, actor);
    return IRIS_OK;
}

static int undo_add(struct apply *x, size_t to)
{
    int result = iris__end(x->app, atomic_load(&x->actors[to].pid), x->to->actors[to].shutdown);
    restore_names(x);
    return result;
}

/* ---- swaps ---- */

static void swap_told(void *ctx, const struct swap_report *r)
{
    iris__answer_give(ctx, r->result, r->why);
}

/* How it went in the end, also where it has to be taken back as the time is over. */
static int await_swap(struct apply *x, struct answer *answer, uint64_t pid, int64_t deadline)
{
    int result = iris__answer_await(answer, deadline);
    if (result == IRIS_AGAIN) {
        iris__swap_cancel(world(x), pid);
        result = iris__answer_await(answer, now(x) + UNDO);
        if (result)
            result = late(x, "it has not come to the swap in time: its mailbox is long, or its "
                             "handler does not return");
    } else if (result) {
        char *why = strdup(iris__reason());
        iris__fail("%s", iris__change_why(why));
        free(why);
    }
    return result;
}

static int swap_with(struct apply *x, uint64_t pid, struct swap_order *how, int64_t deadline)
{
    struct answer *answer = iris__answer_open(x->app, sizeof *answer);
    if (!answer) {
        iris__version_release(how->version);
        return IRIS_FAIL;
    }
    how->tell = swap_told;
    how->ctx = answer;
    int result = iris__swap(world(x), pid, how);
    if (result)
        iris__answer_drop(answer);
    else
        result = await_swap(x, answer, pid, deadline);
    iris__answer_drop(answer);
    return gone(result);
}

static int swap(struct apply *x, size_t to)
{
    struct app_actor *actor = &x->actors[to];
    const struct manifest_actor *m = &x->to->actors[to];
    if (m->behind && iris__start_router(x->app, m, actor))
        return IRIS_FAIL;
    struct swap_order how = {.version = actor->version};
    actor->version = NULL;
    return swap_with(x, atomic_load(&actor->pid), &how, x->deadline);
}

static int undo_swap(struct apply *x, size_t to)
{
    struct swap_order how = {.steps = 1, .now = 1, .or_snapshot = 1};
    return swap_with(x, atomic_load(&x->actors[to].pid), &how, now(x) + UNDO);
}

/* ---- what an actor is begun with ---- */

static void renew_told(void *ctx, int result, const char *why)
{
    iris__answer_give(ctx, result, why);
}

static struct alarms *alarms_of(const struct manifest_actor *m)
{
    struct alarm *list = iris__start_alarms(m);
    struct alarms *all = list ? iris__alarms_create(list, m->ntimers) : NULL;
    free(list);
    return all;
}

static struct renewal *renewal_of(const struct manifest_actor *m, int waits)
{
    struct renewal *r = iris__renewal_create();
    if (!r)
        return NULL;
    r->waits = waits;
    r->name = m->name ? strdup(m->name) : NULL;
    r->args = waits && m->args ? strdup(m->args) : NULL;
    r->args_len = r->args ? strlen(r->args) : 0;
    r->env = waits ? iris__start_env(m) : NULL;
    r->alarms = waits ? alarms_of(m) : NULL;
    r->budget = (uint32_t)m->budget;
    r->slice = m->slice;
    r->keep = (uint32_t)m->keep;
    r->stateless_restart = m->stateless == MANIFEST_RESTART || m->behind;
    r->ready_within = iris__start_ready(m);
    if ((!m->name || r->name) &&
        (!waits || ((!m->args || r->args) && (!m->env || r->env) && (!m->ntimers || r->alarms))))
        return r;
    iris__renewal_free(r);
    return NULL;
}

static int renew(struct apply *x, const struct manifest_actor *m, uint64_t pid, int waits,
                 int64_t deadline)
{
    struct answer *answer = iris__answer_open(x->app, sizeof *answer);
    struct renewal *r = answer ? renewal_of(m, waits) : NULL;
    int result = IRIS_FAIL;
    if (r) {
        r->tell = renew_told;
        r->ctx = answer;
        result = iris__renew(world(x), pid, r);
    } else {
        iris__fail("no memory");
    }
    if (answer && result)
        iris__answer_drop(answer);
    else if (answer)
        result = waits ? iris__supervisor_restart(supervisors(x), pid) : IRIS_OK;
    if (answer && result == IRIS_OK)
        result = iris__answer_await(answer, deadline);
    if (answer)
        iris__answer_drop(answer);
    return gone(result);
}

/* ---- what is set at once ---- */

static int set_mailbox(struct apply *x, const struct manifest_actor *m, uint64_t pid)
{
    uint64_t fallback = m->fallback ? iris_find(x->app->runtime, m->fallback) : 0;
    int result = IRIS_OK;
    if (m->capacity || m->bytes)
        result = iris__door_policy(world(x), pid, (uint32_t)m->overflow, fallback,
                                   (uint32_t)m->capacity);
    if (result == IRIS_OK && m->bytes)
        result = iris__door_bytes(world(x), pid, (uint64_t)m->bytes);
    return result;
}

static int same_mailbox(const struct manifest_actor *a, const struct manifest_actor *b)
{
    return a->capacity == b->capacity && a->bytes == b->bytes && a->overflow == b->overflow &&
           !strcmp(a->fallback ? a->fallback : "", b->fallback ? b->fallback : "");
}

static int same_words(const struct manifest_actor *a, const struct manifest_actor *b)
{
    return a->budget == b->budget && a->slice == b->slice && a->keep == b->keep &&
           a->stateless == b->stateless && iris__start_ready(a) == iris__start_ready(b) &&
           !strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

/* From what it is now to what it is to be; and the other way round when that is undone. */
static int set_actor(struct apply *x, const struct manifest_actor *from,
                     const struct manifest_actor *to, uint64_t pid, int64_t deadline)
{
    struct membership how = {iris__start_restart(to), iris__start_shutdown(to)};
    iris__supervisor_retune(supervisors(x), pid, &how);
    if (!iris__actor_alive(world(x), pid)) /* it has finished: there is nothing to be set */
        return IRIS_OK;
    if (from->name && (!to->name || strcmp(from->name, to->name)))
        give_back(x, from->name, pid);
    if (take_name(x, to->name, pid) == IRIS_FAIL ||
        (!same_words(from, to) && renew(x, to, pid, 0, deadline)))
        return IRIS_FAIL;
    return same_mailbox(from, to) ? IRIS_OK : gone(set_mailbox(x, to, pid));
}

/* ---- supervisors ---- */

static int set_supervisor(struct apply *x, const struct manifest_supervisor *s)
{
    struct policy policy = iris__start_policy(s);
    return iris__supervisor_put(supervisors(x), s->path, &policy);
}

/* "/" is always there: what is said of it no more, is as if it never was. */
static int remove_supervisor(struct apply *x, const char *path)
{
    struct policy policy = POLICY_DEFAULT;
    if (!path[1])
        return iris__supervisor_put(supervisors(x), path, &policy);
    iris__supervise_remove(supervisors(x), path);
    return IRIS_OK;
}

static int supervisor_step(struct apply *x, const struct plan_step *s, int undoes)
{
    const struct manifest *m = undoes ? x->app->manifest : x->to;
    size_t at = undoes ? s->from : s->to;
    return at == PLAN_NONE ? remove_supervisor(x, s->path) : set_supervisor(x, &m->supervisors[at]);
}

/* ---- one step ---- */

static int set(struct apply *x, const struct plan_step *s)
{
    const struct manifest_actor *from = &x->app->manifest->actors[s->from];
    const struct manifest_actor *to = &x->to->actors[s->to];
    int result = set_actor(x, from, to, atomic_load(&x->actors[s->to].pid), x->deadline);
    if (result == IRIS_AGAIN)
        late(x, "its handler has not returned in time");
    return result ? undo_part(x, s) : IRIS_OK;
}

static int undo_set(struct apply *x, const struct plan_step *s)
{
    const struct manifest_actor *from = &x->app->manifest->actors[s->from];
    const struct manifest_actor *to = &x->to->actors[s->to];
    int result = set_actor(x, to, from, atomic_load(&x->actors[s->to].pid), now(x) + UNDO);
    restore_names(x);
    return result ? IRIS_FAIL : IRIS_OK;
}

/* What init has refused is put back already. */
static int restart(struct apply *x, const struct plan_step *s)
{
    uint64_t pid = atomic_load(&x->actors[s->to].pid);
    int result = renew(x, &x->to->actors[s->to], pid, 1, x->deadline);
    if (result != IRIS_AGAIN)
        return result;
    late(x, "it has not begun again in time");
    return undo_part(x, s);
}

static int undo_restart(struct apply *x, const struct plan_step *s)
{
    const struct manifest_actor *from = &x->app->manifest->actors[s->from];
    uint64_t pid = atomic_load(&x->actors[s->to].pid);
    int result = renew(x, from, pid, 1, now(x) + UNDO);
    return result == IRIS_AGAIN ? iris__fail("it has not begun again, and will with what it had")
                                : result;
}

/* Nothing can fail any more: one that does not stop in time is left to its supervisor. */
static void remove_actor(struct apply *x, size_t from)
{
    const struct manifest_actor *m = &x->app->manifest->actors[from];
    if (iris__end(x->app, atomic_load(&x->app->actors[from].pid), m->shutdown))
        iris__app_say(x->app, IRIS_APP_WARNING, "%s: %s", m->path, iris__reason());
    iris__stories_unpin(&x->app->stories, m->path);
}

static int actor_step(struct apply *x, const struct plan_step *s)
{
    switch (s->what) {
    case PLAN_ADD:
        return add(x, s);
    case PLAN_SWAP:
        return swap(x, s->to);
    case PLAN_SET:
        return set(x, s);
    case PLAN_RESTART:
        return restart(x, s);
    case PLAN_REMOVE:
        remove_actor(x, s->from);
    }
    return IRIS_OK;
}

int iris__apply_step(struct apply *x, const struct plan_step *s)
{
    if (s->of == PLAN_ACTOR)
        return actor_step(x, s);
    return s->of == PLAN_SUPERVISOR ? supervisor_step(x, s, 0) : IRIS_OK;
}

int iris__apply_undo(struct apply *x, const struct plan_step *s)
{
    if (s->of != PLAN_ACTOR)
        return s->of == PLAN_SUPERVISOR ? supervisor_step(x, s, 1) : IRIS_OK;
    switch (s->what) {
    case PLAN_ADD:
        return undo_add(x, s->to);
    case PLAN_SWAP:
        return undo_swap(x, s->to);
    case PLAN_SET:
        return undo_set(x, s);
    case PLAN_RESTART:
        return undo_restart(x, s);
    case PLAN_REMOVE:
        break;
    }
    return IRIS_OK;
}
