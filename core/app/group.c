#include "api.h"
#include "app.h"
#include "end.h"
#include "fail.h"
#include "own.h"
#include "pattern.h"
#include "restart.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

/* Stop and restart of all actors that a pattern matches: one after the other, on the main thread, while nobody else
 * changes actors. Those that are stopped go in the reverse of their start, those that begin again in its order. */

#define LOOK (2 * IRIS_MILLISECOND)
#define NAMED 100 /* of those that fail, so many are named */

struct one {
    uint64_t pid;
    char *path;
    size_t place;     /* in the order of the start; PLACE_OTHER: the manifest does not name it */
    int64_t age;      /* of others, ns: the older one comes first */
    int64_t shutdown; /* ns; of others the supervisor knows it: -1 */
};
#define PLACE_OTHER SIZE_MAX

struct group {
    struct app *app;
    const char *pattern;
    struct one *all; /* in the order of the start */
    size_t n, room;
    struct own own;
    int no_memory;
    int64_t began, deadline;
    /* how it went */
    size_t done, failed;
    json_t *failures;
};

static int64_t now(const struct group *g)
{
    return iris__sched_now(&g->app->runtime->world.sched);
}

/* ---- who it is about ---- */

static void add(struct group *g, struct one one, const char *path)
{
    if (g->n == g->room) {
        size_t room = g->room ? 2 * g->room : 64;
        struct one *all = realloc(g->all, room * sizeof *all);
        if (!all) {
            g->no_memory = 1;
            return;
        }
        g->all = all;
        g->room = room;
    }
    one.path = strdup(path);
    g->no_memory |= !one.path;
    g->all[g->n++] = one;
}

static int by_start(const void *a, const void *b)
{
    const struct one *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return x->age == y->age ? 0 : x->age > y->age ? -1 : 1;
}

/* What is done to a router is done to all behind it. */
static int is_meant(const struct group *g, size_t index)
{
    const struct manifest *m = g->app->manifest;
    size_t router = index;
    if (iris__path_matches(g->pattern, m->actors[index].path))
        return 1;
    while (m->actors[router].number)
        router++;
    return router > index && iris__path_matches(g->pattern, m->actors[router].path);
}

static void add_own(struct group *g)
{
    const struct app *a = g->app;
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        size_t index = a->manifest->start_order[i];
        const struct manifest_actor *m = &a->manifest->actors[index];
        struct one one = {
            .pid = atomic_load(&a->actors[index].pid), .place = i, .shutdown = m->shutdown};
        if (iris__actor_alive(&a->runtime->world, one.pid) && is_meant(g, index))
            add(g, one, m->path);
    }
}

/* What actors have begun with a path. */
static void add_other(void *ctx, uint64_t pid)
{
    struct group *g = ctx;
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    if (iris__own_has(&g->own, pid) || iris__info(&g->app->runtime->world, pid, &i) != IRIS_OK ||
        !*i.path || !iris__path_matches(g->pattern, i.path))
        return;
    add(g, (struct one){.pid = pid, .place = PLACE_OTHER, .age = i.uptime, .shutdown = -1}, i.path);
}

static int gather(struct group *g)
{
    if (iris__own_take(g->app, &g->own))
        return -1;
    add_own(g);
    iris__runtime_walk(g->app->runtime, add_other, g);
    if (g->n)
        qsort(g->all, g->n, sizeof *g->all, by_start);
    return g->no_memory ? -1 : 0;
}

/* ---- one of them ---- */

/* By its supervisor, when its time was over: the last words of its story. One whose "shutdown" is "kill" has none. */
static int was_killed(struct group *g, const struct one *one)
{
    struct story s;
    int killed = 0;
    if (one->shutdown > 0 && iris__story_open(&g->app->stories, one->path, &s)) {
        const iris_event *last = &s.tales[s.n - 1]->e;
        killed = last->kind == IRIS_EVENT_ENDED &&
                 (strstr(last->text, "how=shutdown") || strstr(last->text, "how=kill"));
        iris__story_close(&s);
    }
    if (killed)
        iris__fail("killed: it had not stopped within %.3g s (shutdown), and what waited is lost",
                   (double)one->shutdown / IRIS_SECOND);
    return killed;
}

static int late(struct group *g, const struct one *one)
{
    char count[COUNT_ROOM];
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    iris__info(&g->app->runtime->world, one->pid, &i);
    return iris__fail("stopping, %s left", iris__messages(count, i.mailbox));
}

/* It had a time of its own; beyond all time it ends by itself. */
static int stop_one(struct group *g, const struct one *one)
{
    int64_t left = g->deadline - now(g);
    int result = one->shutdown >= 0 && one->shutdown + 2 * IRIS_SECOND < left
                     ? iris__end(g->app, one->pid, one->shutdown)
                     : iris__end_await(g->app, one->pid, g->deadline);
    if (result == IRIS_AGAIN)
        return late(g, one);
    return result || was_killed(g, one) ? IRIS_FAIL : IRIS_OK;
}

/* One that has ended meanwhile needs no restart. */
static int restart_one(struct group *g, const struct one *one)
{
    struct restarting way;
    iris_info i;
    int result = iris__restart_begin(g->app, one->pid, one->path, &way);
    if (result)
        return result == IRIS_DEAD ? iris__fail("it has ended") : result;
    while ((result = iris__restart_look(&way, &i)) == IRIS_AGAIN) {
        if (now(g) >= g->deadline || atomic_load(&g->app->stop))
            return iris__fail("it has not begun again yet");
        iris__app_wait(g->app, LOOK);
    }
    return result == IRIS_DEAD ? iris__fail("it has ended") : result;
}

/* ---- all of them ---- */

static int is_over(const struct group *g)
{
    return now(g) >= g->deadline || atomic_load(&g->app->stop);
}

static void do_one(struct group *g, const struct one *one,
                   int (*act)(struct group *, const struct one *))
{
    if (!act(g, one)) {
        g->done++;
        return;
    }
    if (g->failed++ < NAMED)
        json_array_append_new(g->failures, json_pack("{s:s, s:o}", "path", one->path, "why",
                                                     iris__verb_text(iris__reason())));
}

static void reply(struct group *g, struct control_reply *to, const char *done)
{
    iris__control_reply(to, 200,
                        json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:I}", "pattern", g->pattern,
                                  "matched", (json_int_t)g->n, done, (json_int_t)g->done, "failed",
                                  (json_int_t)g->failed, "left",
                                  (json_int_t)(g->n - g->done - g->failed), "failures", g->failures,
                                  "ns", (json_int_t)(now(g) - g->began)));
    g->failures = NULL; /* the control thread's */
}

static void carry_out(struct group *g, int stops)
{
    g->no_memory = gather(g) || !g->failures;
    for (size_t i = 0; !g->no_memory && i < g->n && !is_over(g); i++)
        do_one(g, &g->all[stops ? g->n - 1 - i : i], stops ? stop_one : restart_one);
}

static void answer(struct group *g, struct control_reply *to, int stops)
{
    if (g->no_memory)
        iris__control_error(to, "failed", "nothing has changed", "%s: no memory", g->pattern);
    else if (!g->n)
        iris__control_error(to, "no-such-target", "those that there are: iris ps",
                            "no actor has a path like %s", g->pattern);
    else
        reply(g, to, stops ? "stopped" : "restarted");
}

static void finish(struct group *g)
{
    for (size_t i = 0; i < g->n; i++)
        free(g->all[i].path);
    free(g->all);
    iris__own_finish(&g->own);
    json_decref(g->failures);
}

static void run(struct chore *c, struct control_reply *to, int stops)
{
    struct app *a = c->order.app;
    struct group g = {.app = a, .pattern = c->order.target, .failures = json_array()};
    g.began = now(&g);
    g.deadline = c->order.began + c->order.timeout; /* it may have waited for another one */
    if (iris__orders_hold(a)) {
        iris__control_error(to, "busy", "nothing has changed", "%s", iris__reason());
    } else {
        carry_out(&g, stops);
        iris__orders_let(a); /* first: whoever is told may go on with the next thing */
        answer(&g, to, stops);
    }
    finish(&g);
}

static void run_stop(struct chore *c, struct control_reply *to)
{
    run(c, to, 1);
}

static void run_restart(struct chore *c, struct control_reply *to)
{
    run(c, to, 0);
}

/* ---- being asked ---- */

static void ask(void *app, const struct control_request *r, struct control_reply *reply,
                void (*how)(struct chore *, struct control_reply *))
{
    struct verb_args args;
    const char *pattern = NULL;
    int failed = iris__verb_args(r->body, &args) ||
                 iris__verb_word(r->body, "pattern", PATTERN_MAX, &pattern) ||
                 iris__pattern_check(pattern);
    if (!failed && args.target)
        failed = iris__fail("\"target\" and \"pattern\": expected one of them");
    if (failed)
        iris__control_error(reply, "bad-request", NULL, "%s", iris__reason());
    else
        iris__chore_ask(app, r->body, reply, pattern, args.timeout, how);
    iris__verb_args_finish(&args);
}

void iris__group_stop(void *app, const struct control_request *r, struct control_reply *reply)
{
    ask(app, r, reply, run_stop);
}

void iris__group_restart(void *app, const struct control_request *r, struct control_reply *reply)
{
    ask(app, r, reply, run_restart);
}
