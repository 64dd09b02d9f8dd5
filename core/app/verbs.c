#include "verbs.h"

#include "api.h"
#include "fail.h"
#include "nearest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- shared ---- */

const char *iris__count(char *room, uint64_t n)
{
    char digits[24], *out = room;
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return room;
}

const char *iris__messages(char *room, uint64_t n)
{
    char count[COUNT_ROOM / 2 + 4];
    snprintf(room, COUNT_ROOM, "%s %s", iris__count(count, n), n == 1 ? "message" : "messages");
    return room;
}

static int has_begun(const struct app *a, const char *path)
{
    size_t i = iris__manifest_index(a->manifest, path);
    return i < a->manifest->nactors && atomic_load(&a->actors[i].pid) != 0;
}

/* No such actor; the path that was probably meant is one of the manifest's. */
void iris__verb_gone(struct app *a, struct control_reply *reply, const char *target)
{
    struct nearest near = {.word = target};
    for (size_t i = 0; i < a->manifest->nactors; i++)
        iris__nearest_try(&near, a->manifest->actors[i].path, strlen(a->manifest->actors[i].path));
    if (near.best && !near.edits && !has_begun(a, target))
        iris__control_error(reply, "stopping", "the app's output says why",
                            "%s: it was not started; the app is stopping", target);
    else if (near.best && near.edits)
        iris__control_error(reply, "no-such-target", "all of them: iris ps",
                            "no actor %s; did you mean %.*s?", target, (int)near.len, near.best);
    else
        iris__control_error(reply, "no-such-target", "those that there are: iris ps",
                            "no actor %s%s", target, near.best ? " any more" : "");
}

static int find(struct app *a, const char *target, iris_info *info)
{
    uint64_t pid = iris_find(a->runtime, target);
    *info = (iris_info){.size = sizeof *info, .abi = IRIS_ABI};
    return pid ? iris__info(&a->runtime->world, pid, info) : IRIS_DEAD;
}

static void call(struct app *a, const struct control_request *r, struct control_reply *reply,
                 void (*carry)(struct call *), int reaches)
{
    struct call c = {.app = a, .reply = reply};
    iris__app_look(a);
    if (iris__verb_args(r->body, &c.args))
        iris__control_error(reply, "bad-request", NULL, "%s", iris__reason());
    else if (!c.args.target)
        iris__control_error(reply, "bad-request", NULL,
                            "\"target\" is missing: an actor's path, name or pid");
    else if ((!reaches || !iris__far_owns(a, c.args.target)) &&
             find(a, c.args.target, &c.info) == IRIS_OK)
        carry(&c);
    else if (!iris__early_wait(a, r->body, reply, &c.args, carry) &&
             (!reaches || !iris__far_wait(a, r->body, reply, &c.args, carry)))
        iris__verb_gone(a, reply, c.args.target);
    iris__app_looked(a);
    iris__verb_args_finish(&c.args);
}

void iris__verb_call(struct app *a, const struct control_request *r, struct control_reply *reply,
                     void (*carry)(struct call *))
{
    call(a, r, reply, carry, 0);
}

void iris__verb_reach(struct app *a, const struct control_request *r, struct control_reply *reply,
                      void (*carry)(struct call *))
{
    call(a, r, reply, carry, 1);
}

/* Texts of plugins need not be UTF-8. */
json_t *iris__verb_text(const char *s)
{
    json_t *good = json_string(s);
    struct text clean = {0};
    if (!good && !iris__text_clean(&clean, s, strlen(s)))
        good = json_string(clean.data ? clean.data : "");
    iris__text_finish(&clean);
    return good ? good : json_string("");
}

/* ---- health ---- */

static const char *phase(struct app *a)
{
    static const char *const words[] = {"starting", "running", "stopping"};
    return words[atomic_load(&a->phase)];
}

static json_t *dead_letters(const iris_totals *t)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "crashed", (json_int_t)t->crashed, "ended",
                     (json_int_t)t->ended, "stray", (json_int_t)t->stray, "node",
                     (json_int_t)t->node, "unwanted", (json_int_t)t->unwanted, "dropped",
                     (json_int_t)t->dropped);
}

static void health(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct app *a = app;
    iris_totals t = {.size = sizeof t, .abi = IRIS_ABI};
    (void)r;
    iris_count(a->runtime, &t);
    int64_t up = iris__sched_now(&a->runtime->world.sched) - a->opened;
    int nodes = iris__mesh_nodes_up(a);
    iris__app_look(a);
    iris__control_reply(reply, 200,
                        json_pack("{s:b, s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o*}",
                                  "ok", 1, "app", a->manifest->name, "pid", (json_int_t)getpid(),
                                  "state", phase(a), "version", IRIS__VERSION, "uptime_ms",
                                  (json_int_t)(up / IRIS_MILLISECOND), "actors",
                                  (json_int_t)t.actors, "handled", (json_int_t)t.handled,
                                  "versions", (json_int_t)t.versions, "dead_letters",
                                  dead_letters(&t), "dir", iris__verb_text(a->manifest->dir),
                                  "nodes", nodes < 0 ? NULL : json_integer(nodes)));
    iris__app_looked(a);
}

/* ---- events ---- */

json_t *iris__verb_event(const struct event *e)
{
    static const char *const levels[] = {"", "debug", "info", "warning", "error"};
    return json_pack("{s:I, s:I, s:s, s:s, s:I, s:o, s:o}", "number", (json_int_t)e->number,
                     "time_ms", (json_int_t)(e->time / IRIS_MILLISECOND), "kind",
                     iris__event_word(e->kind), "level", e->level < 5 ? levels[e->level] : "",
                     "pid", (json_int_t)e->pid, "path", iris__verb_text(e->path), "text",
                     iris__verb_text(e->text));
}

static void events(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct app *a = app;
    int64_t since = iris__verb_since(r->query);
    uint64_t missed = 0, some, at = (uint64_t)since;
    struct event e;
    if (since < 0) {
        iris__control_error(reply, "bad-request", NULL, "since=: expected a number");
        return;
    }
    json_t *list = json_array();
    for (int n = 0; n < EVENTS_ROOM && iris__events_next(&a->events, at, &e, &some); n++) {
        at = e.number;
        missed += some;
        json_array_append_new(list, iris__verb_event(&e));
        iris__event_finish(&e);
    }
    iris__control_reply(reply, 200,
                        json_pack("{s:o, s:I, s:I}", "events", list, "next", (json_int_t)at,
                                  "missed", (json_int_t)missed));
}

void iris__verb_metrics(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct text out = {0};
    (void)r;
    iris__app_look(app);
    int failed = iris__metrics_text(app, &out);
    iris__app_looked(app);
    if (failed) {
        iris__text_finish(&out);
        iris__control_error(reply, "failed", NULL, "no memory");
        return;
    }
    iris__control_text(reply, METRICS_TYPE, &out);
}

/* However many ask, one can still swap what does not answer, and look, and stop. */
#define ASK_SPARE 8
#define SWAP_SPARE 4

const struct control_verb iris__verbs[] = {
    {"GET", "/v1/health", health, 0},
    {"GET", "/v1/ps", iris__verb_ps, 0},
    {"POST", "/v1/ps", iris__verb_ps_some, 0},
    {"POST", "/v1/inspect", iris__verb_inspect, 0},
    {"POST", "/v1/tree", iris__verb_tree, 0},
    {"GET", "/v1/events", events, 0},
    {"GET", "/v1/mesh", iris__verb_mesh, 0},
    {"POST", "/v1/whereis", iris__verb_whereis, ASK_SPARE},
    {"GET", "/metrics", iris__verb_metrics, 0},
    {"POST", "/v1/logs", iris__verb_logs, ASK_SPARE},
    {"POST", "/v1/explain", iris__verb_explain, 0},
    {"POST", "/v1/ask", iris__verb_ask, ASK_SPARE},
    {"POST", "/v1/send", iris__verb_send, 0},
    {"POST", "/v1/swap", iris__verb_swap, SWAP_SPARE},
    {"POST", "/v1/rollback", iris__verb_rollback, SWAP_SPARE},
    {"POST", "/v1/stop", iris__verb_stop, 0},
    {"POST", "/v1/restart", iris__verb_restart, SWAP_SPARE},
    {"POST", "/v1/apply", iris__verb_apply, SWAP_SPARE},
    {NULL, NULL, NULL, 0},
};
