#include "verbs.h"

#include "api.h"
#include "census.h"
#include "fail.h"
#include "json_out.h"
#include "singleton.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The actors: all of them, or the first by what is asked for. */

const char *iris__state_word(const iris_info *i)
{
    static const char *const words[] = {"running", "stuck",  "stopping",
                                        "backoff", "asleep", "starting"};
    return words[i->state];
}

static void put_code(struct json_out *out, const iris_info *i, const char *state)
{
    char of[24] = "";
    if (i->of != i->rev)
        snprintf(of, sizeof of, "=v%u", i->of);
    iris__json_member_string(out, "path", i->path);
    iris__json_member_int(out, "pid", (int64_t)i->pid);
    iris__json_member_string(out, "host", i->host);
    iris__json_member_string(out, "handler", i->handler);
    iris__json_member_string(out, "behaviour", i->behaviour);
    iris__json_member_string(out, "version", i->version);
    iris__json_member_string(out, "of", of);
    iris__json_member_int(out, "rev", i->rev);
    iris__json_member_string(out, "state", state);
}

static void put_life(struct json_out *out, const iris_info *i)
{
    iris__json_member_int(out, "mailbox", (int64_t)i->mailbox);
    iris__json_member_int(out, "capacity", i->capacity);
    iris__json_member_int(out, "handled", (int64_t)i->handled);
    iris__json_member_int(out, "restarts", i->restarts);
    iris__json_member_int(out, "uptime_ms", i->uptime < 0 ? -1 : i->uptime / IRIS_MILLISECOND);
    iris__json_member_int(out, "stuck_ms", i->stuck / IRIS_MILLISECOND);
    iris__json_member_int(out, "backoff_ms", i->backoff / IRIS_MILLISECOND);
}

static void put_mailbox(struct json_out *out, const iris_info *i)
{
    iris__json_member_string(out, "overflow", iris__policy_word(i->policy));
    iris__json_member_int(out, "waiting", i->waiting);
    iris__json_member_int(out, "refused", (int64_t)i->refused);
    iris__json_member_int(out, "dropped", (int64_t)i->dropped);
    iris__json_member_int(out, "redirected", (int64_t)i->redirected);
    iris__json_member_int(out, "spilled", (int64_t)i->spilled);
    iris__json_member_int(out, "mailbox_bytes", (int64_t)i->held);
    iris__json_member_int(out, "capacity_bytes", (int64_t)i->bytes);
}

static void put_rates(struct json_out *out, const struct census_rates *r)
{
    iris__json_member_rate(out, "messages", r->messages);
    iris__json_member_rate(out, "dead_letters", r->letters);
    iris__json_member_rate(out, "overflows", r->overflows);
    iris__json_member_int(out, "over_ms", (int64_t)(r->over * 1000));
    iris__json_trim(out);
}

const char *iris__policy_word(uint32_t policy)
{
    static const char *const words[] = {"dropnew", "dropold", "block", "redirect", "spill"};
    return words[policy];
}

static void put_tag(void *out, const char *name, const char *value)
{
    iris__json_string(out, name);
    iris__json_put((struct json_out *)out, ":");
    iris__json_string(out, value);
    iris__json_put((struct json_out *)out, ",");
}

static void put_tags(struct app *a, struct json_out *out, const char *path)
{
    iris__json_put(out, "\"tags\":{");
    iris__tags_of(&a->logs.tags, path, put_tag, out);
    iris__json_trim(out);
    iris__json_put(out, "},");
}

static void put_row(struct app *a, struct json_out *out, const iris_info *i, const char *state,
                    const struct census_rates *rates)
{
    iris__json_put(out, "{");
    put_code(out, i, state);
    put_life(out, i);
    put_mailbox(out, i);
    iris__json_member_int(out, "waited", (int64_t)i->waited);
    iris__json_member_int(out, "dead_letters", (int64_t)i->letters);
    put_tags(a, out, i->path);
    iris__json_put(out, "\"rates\":{");
    put_rates(out, rates);
    iris__json_put(out, "}}");
}

void iris__verb_put_row(struct app *a, struct json_out *out, const iris_info *i)
{
    struct census_rates rates;
    char room[300];
    const char *stands = iris__singleton_word(a, i->pid, room, sizeof room);
    iris__census_rates(a, i, &rates);
    put_row(a, out, i, stands ? stands : iris__state_word(i), &rates);
}

json_t *iris__verb_row(struct app *a, const iris_info *i)
{
    struct json_out out = {0};
    iris__verb_put_row(a, &out, i);
    json_t *row = out.failed ? NULL : json_loadb(out.text.data, out.text.len, 0, NULL);
    iris__text_finish(&out.text);
    return row ? row : json_object();
}

/* ---- listing ---- */

struct listing {
    struct app *app;
    const struct census_want *want;
    struct json_out out;
    int has_remotes;
};

/* Of the manifest, and not begun yet: as it will be. */
static void list_early(struct listing *l, const struct manifest_actor *m)
{
    static const struct census_rates none;
    const char *part = l->want->filter, *tag = iris__census_tag(part);
    iris_info i = {.size = sizeof i,
                   .abi = IRIS_ABI,
                   .capacity = (uint32_t)m->capacity,
                   .policy = (uint32_t)m->overflow,
                   .bytes = (uint64_t)m->bytes};
    snprintf(i.path, sizeof i.path, "%s", m->path);
    snprintf(i.host, sizeof i.host, "%s", m->host);
    snprintf(i.handler, sizeof i.handler, "%s", m->handler);
    if (tag ? !iris__tags_match(&l->app->logs.tags, i.path, tag)
            : part && !strcasestr(i.path, part) && !strcasestr(i.handler, part) &&
                  !strcasestr(i.host, part))
        return;
    put_row(l->app, &l->out, &i, "starting", &none);
    iris__json_put(&l->out, ",");
}

static void list_all_early(struct listing *l)
{
    struct app *a = l->app;
    if (atomic_load(&a->phase) != APP_STARTING)
        return;
    for (size_t i = 0; i < a->manifest->nactors; i++)
        if (!atomic_load(&a->actors[i].pid))
            list_early(l, &a->manifest->actors[i]);
}

/* All that stand for actors of other nodes run one behaviour: whom each stands for is in the manifest. */
static void say_remote(const struct app *a, iris_info *i)
{
    for (size_t k = 0; k < a->manifest->nactors; k++)
        if (a->manifest->actors[k].remote_at && atomic_load(&a->actors[k].pid) == i->pid)
            snprintf(i->handler, sizeof i->handler, "%s", a->manifest->actors[k].handler);
}

static int has_remotes(const struct app *a)
{
    for (size_t k = 0; k < a->manifest->nactors; k++)
        if (a->manifest->actors[k].remote_at)
            return 1;
    return 0;
}

/* It may have ended since. */
static void list_one(struct listing *l, uint64_t pid)
{
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    if (iris__info(&l->app->runtime->world, pid, &i) != IRIS_OK)
        return;
    if (l->has_remotes)
        say_remote(l->app, &i);
    iris__verb_put_row(l->app, &l->out, &i);
    iris__json_put(&l->out, ",");
}

static void list_hosts(struct listing *l)
{
    const struct host *at = NULL;
    const char *name;
    iris_usage u;
    iris__json_put(&l->out, "\"hosts\":[");
    while ((at = iris__host_usage(&l->app->runtime->hosts, at, &name, &u))) {
        iris__json_put(&l->out, "{");
        iris__json_member_string(&l->out, "name", name);
        iris__json_member_int(&l->out, "instances", (int64_t)u.instances);
        iris__json_member_int(&l->out, "versions", (int64_t)u.versions);
        iris__json_member_int(&l->out, "heap_bytes", (int64_t)u.heap);
        iris__json_trim(&l->out);
        iris__json_put(&l->out, "},");
    }
    iris__json_trim(&l->out);
    iris__json_put(&l->out, "]");
}

static void list_rows(struct listing *l, const struct census_result *r)
{
    iris__json_put(&l->out, "\"actors\":[");
    for (size_t i = 0; i < r->n; i++)
        list_one(l, r->rows[i].pid);
    if (l->want->sort == CENSUS_AS_WRITTEN && !l->want->skip)
        list_all_early(l);
    iris__json_trim(&l->out);
    iris__json_put(&l->out, "],");
}

static void list_sums(struct listing *l, const struct census_result *r)
{
    iris__json_member_int(&l->out, "without_path", (int64_t)r->without_path);
    iris__json_member_int(&l->out, "total", (int64_t)r->actors);
    iris__json_member_int(&l->out, "matched", (int64_t)r->matched);
    iris__json_member_int(&l->out, "queued", (int64_t)r->queued);
    iris__json_put(&l->out, "\"rates\":{");
    put_rates(&l->out, &r->rates);
    iris__json_put(&l->out, "},");
}

static void reply_list(struct app *a, const struct census_want *want, struct control_reply *reply)
{
    struct listing l = {.app = a, .want = want};
    struct census_result r;
    iris__app_look(a);
    l.has_remotes = has_remotes(a);
    int failed = iris__census_take(a, want, &r);
    iris__json_put(&l.out, "{\"iris\":1,");
    iris__json_member_string(&l.out, "app", a->manifest->name);
    iris__json_member_int(&l.out, "pid", getpid());
    list_rows(&l, &r);
    list_sums(&l, &r);
    iris__app_looked(a);
    list_hosts(&l);
    iris__json_put(&l.out, "}\n");
    iris__census_free(&r);
    iris__verb_reply(reply, &l.out, failed);
}

void iris__verb_reply(struct control_reply *reply, struct json_out *out, int failed)
{
    if (failed || out->failed)
        iris__control_error(reply, "failed", NULL, "no memory");
    else
        iris__control_text(reply, NULL, &out->text);
    iris__text_finish(&out->text);
}

/* ---- the requests ---- */

void iris__verb_ps(void *app, const struct control_request *r, struct control_reply *reply)
{
    const struct census_want all = {.most = CENSUS_ALL};
    (void)r;
    reply_list(app, &all, reply);
}

static int read_sort(const json_t *body, enum census_sort *sort)
{
    const json_t *v = json_object_get(body, "sort");
    const char *word = json_string_value(v);
    for (int i = 0; word && iris__census_words[i]; i++)
        if (!strcmp(iris__census_words[i], word)) {
            *sort = (enum census_sort)i;
            return IRIS_OK;
        }
    return v ? iris__fail("\"sort\": expected written, queue, rate, dead-letters, overflows, "
                          "restarts, age or path")
             : IRIS_OK;
}

static int read_want(const json_t *body, struct census_want *want)
{
    int64_t limit = -1, offset = 0;
    if (read_sort(body, &want->sort) || iris__verb_number(body, "limit", 1000000000, &limit) ||
        iris__verb_number(body, "offset", 1000000000, &offset) ||
        iris__verb_word(body, "filter", 255, &want->filter) ||
        iris__verb_flag(body, "nameless", &want->nameless) ||
        iris__verb_flag(body, "reversed", &want->reversed))
        return IRIS_FAIL;
    want->most = limit < 0 ? CENSUS_ALL : (size_t)limit;
    want->skip = (size_t)offset;
    return IRIS_OK;
}

void iris__verb_ps_some(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct census_want want = {0};
    if (read_want(r->body, &want))
        iris__control_error(reply, "bad-request", NULL, "%s", iris__reason());
    else
        reply_list(app, &want, reply);
}
