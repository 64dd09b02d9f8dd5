#include "apply.h"

#include "fail.h"
#include "redact.h"
#include "sets.h"

#include <iris/ext/mesh.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int64_t now(const struct app *a)
{
    return iris__sched_now(&a->runtime->world.sched);
}

static void fail(struct apply *x)
{
    free(x->why);
    x->why = strdup(iris__reason());
}

/* ---- the manifest ---- */

/* What `iris run` was told to set holds on; what is asked for now comes behind it. */
static const char **all_sets(const struct apply *x, uint32_t *n)
{
    const iris_app_options *o = &x->app->options;
    const char **all = calloc(o->nsets + x->ask->nsets + 1, sizeof *all);
    *n = 0;
    for (uint32_t i = 0; all && i < o->nsets; i++)
        all[(*n)++] = o->sets[i];
    for (uint32_t i = 0; all && i < x->ask->nsets; i++)
        all[(*n)++] = x->ask->sets[i];
    return all;
}

static int read_manifest(struct apply *x)
{
    struct sets sets;
    uint32_t n;
    const char **all = all_sets(x, &n);
    int failed = all ? iris__sets_parse(&sets, all, n) : iris__fail("no memory");
    if (failed) {
        free(all);
        return IRIS_FAIL;
    }
    iris__manifest_read(x->ask->file, sets.items, sets.n, &x->to, &x->problems);
    iris__sets_finish(&sets);
    free(all);
    return IRIS_OK;
}

/* ---- the plan ---- */

static int make_plan(struct apply *x)
{
    struct apply_facts facts = {0};
    int failed = iris__apply_facts(x, &facts);
    if (!failed)
        iris__plan(x->app->manifest, x->to, &facts.plan, &x->plan, &x->problems);
    iris__apply_facts_finish(x, &facts);
    return failed || x->plan.no_memory ? iris__fail("no memory for the plan") : IRIS_OK;
}

static int prepare(struct apply *x)
{
    x->actors = calloc(x->to->nactors + 1, sizeof *x->actors);
    if (!x->actors)
        return iris__fail("no memory");
    if (make_plan(x))
        return IRIS_FAIL;
    iris__apply_load(x);
    iris__manifest_locate(x->to, &x->problems);
    iris__problems_redact(&x->problems, x->to->secrets);
    return IRIS_OK;
}

/* ---- the mesh ---- */

/* Whom it lets in, by the manifest and by files: those are read again also where the manifest is as it was. */
static int renew_mesh(const struct apply *x, const struct manifest *m)
{
    void *mesh = NULL;
    const iris_mesh *calls =
        m->mesh ? iris__runtime_used(x->app->runtime, "mesh", IRIS_MESH, &mesh) : NULL;
    if (!calls || calls->size < offsetof(iris_mesh, renew) + sizeof calls->renew ||
        calls->renew(mesh, m->mesh) == IRIS_OK)
        return IRIS_OK;
    return iris__fail("mesh.%s", iris__reason());
}

/* ---- the steps ---- */

static void note_left(struct apply *x, const struct plan_step *s)
{
    iris__text_addf(&x->left, "%s%s: %s", x->left.len ? "; " : "", s->path, iris__reason());
}

static void undo(struct apply *x)
{
    for (; x->done; x->done--)
        if (iris__apply_undo(x, &x->plan.steps[x->done - 1]))
            note_left(x, &x->plan.steps[x->done - 1]);
    renew_mesh(x, x->app->manifest);
}

static void make_steps(struct apply *x)
{
    for (; x->done < x->plan.n; x->done++) {
        const struct plan_step *s = &x->plan.steps[x->done];
        if (!iris__apply_step(x, s))
            continue;
        iris__fail("%s: %s", s->path, iris__reason());
        fail(x);
        undo(x);
        return;
    }
}

/* Who looks at the manifest from another thread does so under the lock. What the runtime, the logs and the mesh
 * were opened with is the first one's. */
static void commit(struct apply *x)
{
    struct app *a = x->app;
    struct manifest *before = a->manifest;
    struct app_actor *actors = a->actors;
    iris__apply_release(x); /* the actors have references of their own */
    pthread_rwlock_wrlock(&a->tree);
    pthread_rwlock_wrlock(&a->news);
    a->manifest = x->to;
    a->actors = x->actors;
    iris__logs_retune(&a->logs, a->manifest);
    pthread_rwlock_unlock(&a->news);
    pthread_rwlock_unlock(&a->tree);
    iris__app_await(a, NULL);
    if (before != a->first)
        iris__manifest_free(before);
    free(actors);
    x->to = NULL;
    x->actors = NULL;
}

static void say_plan(struct apply *x)
{
    for (size_t i = 0; i < x->plan.n; i++) {
        struct text line = {0};
        if (!iris__plan_line(&x->plan.steps[i], &line))
            iris__app_say(x->app, IRIS_APP_EVENT, "%s", line.data);
        iris__text_finish(&line);
    }
}

/* Once it is open it stays: what nobody asks for swaps nobody. */
static void watch(struct app *a)
{
    if (!a->watch && iris__watch_is_wanted(a) && !(a->watch = iris__watch_open(a)))
        iris__app_say(a, IRIS_APP_WARNING, "%s; no file is watched", iris__reason());
    if (a->watch)
        iris__watch_refresh(a->watch);
}

static void carry_out(struct apply *x)
{
    say_plan(x);
    if (renew_mesh(x, x->to))
        fail(x);
    else
        make_steps(x);
    iris__app_say_events(x->app);
    iris__app_await(x->app, NULL);
    if (!x->why)
        commit(x);
    watch(x->app);
}

/* ---- all of it ---- */

static void apply(struct apply *x)
{
    if (prepare(x))
        fail(x);
    else if (!iris__problems_count(&x->problems) && !x->ask->dry_run)
        carry_out(x);
}

void iris__apply(struct app *a, const struct apply_ask *ask, struct apply *x)
{
    x->app = a;
    x->ask = ask;
    x->began = now(a);
    x->deadline = iris__sched_after(&a->runtime->world.sched, ask->timeout);
    if (read_manifest(x))
        fail(x);
    if (!x->to)
        return;
    if (iris__orders_hold(a)) {
        fail(x);
        return;
    }
    apply(x);
    iris__orders_let(a);
}

void iris__apply_finish(struct apply *x)
{
    if (x->actors)
        iris__apply_release(x);
    iris__plan_finish(&x->plan);
    iris__problems_finish(&x->problems);
    iris__manifest_free(x->to);
    iris__text_finish(&x->left);
    free(x->actors);
    free(x->why);
}
