#include "api.h"
#include "fail.h"
#include "json_out.h"
#include "verbs.h"

#include <string.h>

/* Explain: the story of an actor, also of one that has ended. */

/* The first bytes of a message may end within a character. */
static size_t whole_characters(const unsigned char *s, size_t n, int is_cut)
{
    size_t back = 0;
    while (is_cut && back < 3 && back < n && (s[n - 1 - back] & 0xc0) == 0x80)
        back++;
    return is_cut && back < n && (s[n - 1 - back] & 0xc0) == 0xc0 ? n - 1 - back : n;
}

static json_t *describe_message(const iris_event *e)
{
    if (!e->messages)
        return NULL;
    json_t *m =
        json_pack("{s:I, s:I, s:I, s:I}", "number", (json_int_t)e->message, "of",
                  (json_int_t)e->messages, "from", (json_int_t)e->from, "len", (json_int_t)e->len);
    size_t n = whole_characters(e->excerpt.data, e->excerpt.len, e->excerpt.len < e->len);
    iris__verb_put_data(m, "excerpt", "excerpt_base64", e->excerpt.data, n);
    return m;
}

static json_t *describe_decision(const iris_event *e)
{
    static const char *const words[] = {"", "restart", "escalate", "end", "exit"};
    if (!e->decision)
        return NULL;
    return json_pack("{s:s, s:o, s:s, s:I, s:I, s:I, s:I}", "what",
                     e->decision < 5 ? words[e->decision] : "other", "by",
                     iris__verb_text(e->supervisor), "strategy", e->strategy, "count",
                     (json_int_t)e->count, "limit", (json_int_t)e->limit, "period_ms",
                     (json_int_t)(e->period / IRIS_MILLISECOND), "delay_ms",
                     (json_int_t)(e->delay / IRIS_MILLISECOND));
}

static json_t *describe_tale(const struct tale *t)
{
    const iris_event *e = &t->e;
    json_t *row = json_pack(
        "{s:I, s:I, s:s, s:I, s:o, s:o, s:o, s:I, s:I, s:o*, s:o*}", "number",
        (json_int_t)e->number, "time_ms", (json_int_t)(t->time / IRIS_MILLISECOND), "kind",
        iris__event_word(e->kind), "pid", (json_int_t)e->pid, "text", iris__verb_text(e->text),
        "handler", iris__verb_text(e->handler), "version", iris__verb_text(e->version), "rev",
        (json_int_t)e->rev, "state_version", (json_int_t)e->state_version, "message",
        describe_message(e), "decision", describe_decision(e));
    if (e->lasted)
        json_object_set_new(row, "lasted_ms", json_integer(e->lasted / IRIS_MILLISECOND));
    return row;
}

/* Its own restarts within its supervisor's period, as the last decision named it; NULL: none yet. */
static json_t *count_restarts(const struct story *s, int64_t now)
{
    const iris_event *last = NULL;
    json_int_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->tales[i]->e.decision)
            last = &s->tales[i]->e;
    for (uint32_t i = 0; last && i < s->n; i++)
        n += s->tales[i]->e.kind == IRIS_EVENT_RESTARTED && s->tales[i]->e.at >= now - last->period;
    if (!last)
        return NULL;
    return json_pack("{s:I, s:I, s:I, s:o}", "count", n, "limit", (json_int_t)last->limit,
                     "period_ms", (json_int_t)(last->period / IRIS_MILLISECOND), "by",
                     iris__verb_text(last->supervisor));
}

/* As `inspect` has it; NULL: none. */
static json_t *supervisor_of(struct app *a, uint64_t pid)
{
    struct json_out out = {0};
    struct tree_node above, actor;
    json_t *s = NULL;
    if (pid && iris__tree_above(&a->runtime->supervisors, pid, &above, &actor)) {
        iris__verb_put_supervisor(&out, &above, &actor);
        s = out.failed ? NULL : json_loadb(out.text.data, out.text.len, 0, NULL);
        free(above.path);
    }
    iris__text_finish(&out.text);
    return s;
}

/* The one of the manifest, or NULL. */
static const struct manifest_actor *actor_of(const struct app *a, const char *path)
{
    size_t i = iris__manifest_index(a->manifest, path);
    return i < a->manifest->nactors ? &a->manifest->actors[i] : NULL;
}

static void reply_story(struct app *a, const char *target, const struct story *s,
                        const iris_info *info, struct control_reply *reply)
{
    json_t *events = json_array();
    for (uint32_t i = 0; i < s->n; i++)
        json_array_append_new(events, describe_tale(s->tales[i]));
    int64_t now = iris__sched_now(&a->runtime->world.sched);
    const struct manifest_actor *m = actor_of(a, s->path);
    iris__control_reply(reply, 200,
                        json_pack("{s:s, s:s, s:o?, s:o*, s:o*, s:o*, s:o, s:I}", "target", target,
                                  "path", s->path, "now", info ? iris__verb_row(a, info) : NULL,
                                  "restarts", count_restarts(s, now), "supervisor",
                                  supervisor_of(a, info ? info->pid : 0), "singleton",
                                  m && m->singleton ? iris__far_singleton(a, s->path) : NULL,
                                  "events", events, "forgotten", (json_int_t)s->forgotten));
}

static void explain(struct app *a, const char *target, struct control_reply *reply)
{
    iris_info info = {.size = sizeof info, .abi = IRIS_ABI};
    uint64_t pid = iris_find(a->runtime, target);
    int lives = pid && iris__info(&a->runtime->world, pid, &info) == IRIS_OK;
    const char *path = lives && *info.path ? info.path : target;
    struct story s;
    iris__app_look(a);
    /* One of the manifest that has not begun: nothing is to be told of it yet. */
    if (iris__story_open(&a->stories, path, &s) || lives || actor_of(a, path))
        reply_story(a, target, &s, lives ? &info : NULL, reply);
    else
        iris__verb_gone(a, reply, target);
    iris__app_looked(a);
    iris__story_close(&s);
}

void iris__verb_explain(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct verb_args args;
    if (iris__verb_args(r->body, &args))
        iris__control_error(reply, "bad-request", NULL, "%s", iris__reason());
    else if (!args.target)
        iris__control_error(reply, "bad-request", NULL,
                            "\"target\" is missing: an actor's path, name or pid");
    else
        explain(app, args.target, reply);
    iris__verb_args_finish(&args);
}
