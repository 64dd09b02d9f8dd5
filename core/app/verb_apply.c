#include "apply.h"
#include "fail.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

/* Who asks for another manifest, by the control socket or by SIGHUP: the main thread carries it out, one after the
 * other, while it runs the app. */

#define PATIENCE (60 * IRIS_SECOND) /* of SIGHUP */

/* ---- the answer ---- */

static json_t *errors_of(const struct problems *p)
{
    struct text list = {0};
    json_t *errors = iris__problems_json(p, &list) ? NULL : json_loads(list.data, 0, NULL);
    iris__text_finish(&list);
    return errors;
}

static void reply_problems(const struct apply *x, struct control_reply *reply)
{
    struct text report = {0};
    iris__problems_text(&x->problems, 0, &report);
    iris__control_reply(reply, 200,
                        json_pack("{s:s, s:b, s:o*, s:s*}", "file", x->ask->file, "applied", 0,
                                  "errors", errors_of(&x->problems), "report", report.data));
    iris__text_finish(&report);
}

static void reply_plan(const struct apply *x, struct control_reply *reply)
{
    int64_t took = iris__sched_now(&x->app->runtime->world.sched) - x->began;
    json_t *body = json_pack("{s:s, s:b, s:I}", "file", x->ask->file, "applied", !x->ask->dry_run,
                             "ns", (json_int_t)took);
    if (!iris__plan_json(&x->plan, body)) {
        iris__control_reply(reply, 200, body);
        return;
    }
    json_decref(body);
    iris__control_error(reply, "failed", "it was applied; what runs: iris ps",
                        "no memory for the answer");
}

static const char *what_is_left(const struct apply *x)
{
    return x->left.data ? "not all of it could be undone; what runs: iris ps"
           : x->plan.n  ? "what had been changed was undone"
                        : "nothing has changed";
}

static void reply(const struct apply *x, struct control_reply *to)
{
    if (x->why)
        iris__control_error(to, "apply-refused", what_is_left(x), "%s%s%s", x->why,
                            x->left.data ? "; still changed: " : "",
                            x->left.data ? x->left.data : "");
    else if (iris__problems_count(&x->problems))
        reply_problems(x, to);
    else
        reply_plan(x, to);
}

/* ---- what the console says ---- */

static void say(struct app *a, const struct apply *x)
{
    if (iris__problems_count(&x->problems)) {
        iris__app_say_problems(a, &x->problems);
        iris__app_say(a, IRIS_APP_WARNING, "%s: nothing has changed", x->ask->file);
        return;
    }
    if (x->why)
        iris__app_say(a, IRIS_APP_WARNING, "%s: %s; %s%s%s", x->ask->file, x->why, what_is_left(x),
                      x->left.data ? "; still changed: " : "", x->left.data ? x->left.data : "");
    else
        iris__app_say(a, IRIS_APP_EVENT, "applied %s: %zu %s, %zu actors kept", x->ask->file,
                      x->plan.n, x->plan.n == 1 ? "change" : "changes", x->plan.kept);
}

/* ---- the main thread ---- */

static void run(struct app *a, const struct apply_ask *ask, struct control_reply *to)
{
    struct apply x = {0};
    iris__apply(a, ask, &x);
    if (!ask->dry_run)
        say(a, &x);
    if (to)
        reply(&x, to);
    iris__apply_finish(&x);
}

static void reload(struct app *a)
{
    const struct apply_ask ask = {.file = a->file, .timeout = PATIENCE};
    a->reload = 0;
    if (a->file)
        run(a, &ask, NULL);
    iris__app_tell(a, IRIS_APP_READY);
}

void iris__apply_reload(struct app *a)
{
    if (a->reload && !atomic_load(&a->stop))
        reload(a);
}

static void carry_out(struct chore *c, struct control_reply *to)
{
    const json_t *sets = json_object_get(c->body, "sets");
    const char **list = calloc(json_array_size(sets) + 1, sizeof *list);
    struct apply_ask ask = {.file = c->order.target,
                            .sets = list,
                            .nsets = (uint32_t)json_array_size(sets),
                            .dry_run = json_is_true(json_object_get(c->body, "dry_run")),
                            .timeout = c->order.timeout};
    for (size_t i = 0; list && i < json_array_size(sets); i++)
        list[i] = json_string_value(json_array_get(sets, i));
    if (list)
        run(c->order.app, &ask, to);
    else
        iris__control_error(to, "failed", NULL, "no memory");
    free(list);
}

/* ---- the control thread ---- */

static int check(const json_t *body, const char **file)
{
    int dry_run;
    const json_t *sets = json_object_get(body, "sets");
    const json_t *named = json_object_get(body, "file");
    int good = !sets || json_is_array(sets);
    for (size_t i = 0; good && i < json_array_size(sets); i++)
        good = json_is_string(json_array_get(sets, i));
    if (!good)
        return iris__fail("\"sets\": expected a list of strings like \"env.LOG=/tmp/x\"");
    if (iris__verb_flag(body, "dry_run", &dry_run))
        return IRIS_FAIL;
    *file = json_string_value(named);
    if (named && (!*file || **file != '/'))
        return iris__fail("\"file\": expected the absolute path of a manifest");
    return IRIS_OK;
}

void iris__verb_apply(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct app *a = app;
    struct verb_args args;
    const char *file = NULL;
    if (iris__verb_args(r->body, &args) || check(r->body, &file)) {
        iris__control_error(reply, "bad-request", NULL, "%s", iris__reason());
        iris__verb_args_finish(&args);
        return;
    }
    iris__chore_ask(a, r->body, reply,
                    file      ? file
                    : a->file ? a->file
                              : "",
                    args.timeout, carry_out);
    iris__verb_args_finish(&args);
}
