#include "apply.h"

#include "behaviour.h"
#include "fail.h"
#include "find.h"
#include "ready.h"
#include "start.h"

#include <string.h>

/* ---- places ---- */

/* Who had it so far is in the old manifest, and gives it up with this plan; else it is taken. */
static int is_taken(const struct apply *x, const char *name)
{
    const struct app *a = x->app;
    uint64_t pid = iris_find(a->runtime, name);
    for (size_t i = 0; pid && i < a->manifest->nactors; i++)
        if (atomic_load(&a->actors[i].pid) == pid)
            return 0;
    return pid != 0;
}

static void check_places(struct apply *x, size_t to)
{
    const struct manifest_actor *m = &x->to->actors[to];
    char why[400];
    if (!x->actors[to].pid && is_taken(x, m->path)) {
        snprintf(why, sizeof why, "%s: an actor of that path runs, which the app has made itself",
                 m->path);
        iris__start_problem(x->to, &x->problems, to, "path", "taken", why);
    }
    if (m->name && is_taken(x, m->name)) {
        snprintf(why, sizeof why,
                 "\"%s\": an actor of that name runs, which the app has made itself", m->name);
        iris__start_problem(x->to, &x->problems, to, "name", "taken", why);
    }
}

/* ---- code ---- */

static int needs_code(const struct apply *x, const struct plan_step *s)
{
    return s->of == PLAN_ACTOR && (s->what == PLAN_ADD || s->what == PLAN_SWAP) &&
           !x->to->actors[s->to].behind;
}

static void load(struct apply *x, size_t to)
{
    const struct manifest_actor *m = &x->to->actors[to];
    if (iris__start_load(x->app, x->to, m, &x->actors[to]))
        iris__start_problem(x->to, &x->problems, to, m->remote_at ? "remote" : "handler", "handler",
                            iris__reason());
    else if (iris__start_check_kind(m, &x->actors[to]))
        iris__start_problem(x->to, &x->problems, to, "kind", "bad-value", iris__reason());
}

/* Of several instances that do not load, the first is told. */
static int is_refused(const struct apply *x, size_t to)
{
    const struct manifest_actor *m = &x->to->actors[to];
    return m->number > 1 && iris__problems_count(&x->problems) && !x->actors[to - 1].version;
}

void iris__apply_load(struct apply *x)
{
    int is_loaded = !x->ask->dry_run && !iris__problems_count(&x->problems);
    iris__ready_supervisors(x->to, &x->problems);
    for (size_t i = 0; i < x->plan.n; i++) {
        const struct plan_step *s = &x->plan.steps[i];
        if (s->of != PLAN_ACTOR || s->to == PLAN_NONE)
            continue;
        check_places(x, s->to);
        if (!needs_code(x, s))
            iris__ready_migration(x->to, s->to, &x->problems);
        else if (!iris__ready_actor(x->to, s->to, &x->problems) && is_loaded &&
                 !is_refused(x, s->to))
            load(x, s->to);
        iris__app_wait(x->app, 0);
    }
}

void iris__apply_release(struct apply *x)
{
    for (size_t i = 0; i < x->to->nactors; i++) {
        iris__version_release(x->actors[i].version);
        x->actors[i].version = NULL;
    }
}
