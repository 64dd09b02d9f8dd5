#include "api.h"
#include "cold.h"
#include "door.h"
#include "gate.h"
#include "json_out.h"
#include "swap.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

/* Inspect: all that is known of one actor, at this moment. */

struct view { /* what is copied while nobody changes it */
    struct json_out versions;
    const char *kind;
    char executor[32];
    uint32_t monitored_by, monitors, links, children;
    int own_thread;
};

/* ---- under facts_lock ---- */

static void put_version(struct json_out *out, const iris_version *v, uint32_t rev, uint32_t of,
                        int is_now, const struct revision *r)
{
    iris__json_put(out, "{");
    iris__json_member_int(out, "rev", rev);
    iris__json_member_int(out, "of", of);
    iris__json_member_string(out, "version", v->b.version ? v->b.version : "");
    iris__json_member_string(out, "handler", v->handler ? v->handler : "");
    iris__json_member_string(out, "file", v->file ? v->file : "");
    iris__json_member_int(out, "state_version", v->b.state_version);
    iris__json_member_int(out, "snapshot_bytes", r ? (int64_t)r->snapshot.len : 0);
    iris__json_put(out, "\"now\":");
    iris__json_raw(out, is_now ? "true" : "false", is_now ? 4 : 5);
    iris__json_put(out, "},");
}

static void look_at_versions(const iris_actor *a, const struct cold *c, struct json_out *out)
{
    uint32_t of;
    if (!c || !c->history) {
        uint32_t rev = iris__swap_rev(a, &of);
        put_version(out, a->version, rev, of, 1, NULL);
        return;
    }
    for (uint32_t i = 0; i < c->revisions; i++) {
        const struct revision *r = &c->history[i];
        put_version(out, r->version, r->rev, r->of, i + 1 == c->revisions, r);
    }
}

static uint32_t size_of(const struct set *s)
{
    return atomic_load_explicit(&((struct set *)s)->used, memory_order_relaxed);
}

static int look(struct world *w, uint64_t pid, struct view *v)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    int is_there = 0;
    iris__facts_hold(w);
    if (a && iris__gate_is(a, pid) && a->version) {
        const struct cold *c = iris__cold_if(a);
        uint32_t flags = a->version->b.flags;
        is_there = 1;
        v->kind = flags & IRIS_PULL ? "pull" : "push";
        v->own_thread = (flags & IRIS_OWN_THREAD) != 0;
        memcpy(v->executor, a->executor->name, sizeof v->executor);
        v->executor[sizeof v->executor - 1] = '\0';
        look_at_versions(a, c, &v->versions);
        if (c) {
            v->monitored_by = size_of(&c->watchers);
            v->monitors = size_of(&c->watched);
            v->links = size_of(&c->links);
            v->children = size_of(&c->children);
        }
    }
    iris__facts_release(w);
    return is_there;
}

/* ---- the rest ---- */

static void put_name(void *out, const char *name, uint64_t pid)
{
    (void)pid;
    iris__json_string(out, name);
    iris__json_put((struct json_out *)out, ",");
}

static void put_timers(struct world *w, uint64_t pid, struct json_out *out)
{
    int64_t next, left;
    uint32_t n = iris__timers_of(w, pid, &next);
    left = n ? next - iris__sched_now(&w->sched) : 0;
    iris__json_put(out, "\"timers\":{");
    iris__json_member_int(out, "count", n);
    iris__json_member_int(out, "next_ms", !n ? -1 : left > 0 ? left / IRIS_MILLISECOND : 0);
    iris__json_trim(out);
    iris__json_put(out, "},");
}

static void put_mailbox(struct world *w, uint64_t pid, struct json_out *out)
{
    iris_mailbox_look m = {.size = sizeof m, .abi = IRIS_ABI};
    if (iris__door_look(w, pid, &m) != IRIS_OK)
        return;
    iris__json_put(out, "\"mailbox\":{");
    iris__json_member_int(out, "waiting", m.mailbox);
    iris__json_member_int(out, "undone", m.undone);
    iris__json_member_int(out, "at_the_door", m.waiting);
    iris__json_member_int(out, "capacity", m.capacity);
    iris__json_member_string(out, "overflow", iris__policy_word(m.policy));
    iris__json_member_int(out, "fallback", (int64_t)m.fallback);
    iris__json_member_int(out, "warn_at", m.warn_at);
    iris__json_member_int(out, "warned", (int64_t)m.counts[IRIS_MAILBOX_WARNED]);
    iris__json_member_int(out, "bytes", (int64_t)m.held);
    iris__json_member_int(out, "capacity_bytes", (int64_t)m.bytes);
    iris__json_trim(out);
    iris__json_put(out, "},");
}

static void put_supervisor(struct app *a, uint64_t pid, struct json_out *out)
{
    struct tree_node above, actor;
    iris__json_put(out, "\"supervisor\":");
    if (iris__tree_above(&a->runtime->supervisors, pid, &above, &actor))
        iris__verb_put_supervisor(out, &above, &actor);
    else
        iris__json_put(out, "null");
    iris__json_put(out, ",");
    free(above.path);
}

static int is_error(const iris_event *e)
{
    return e->kind == IRIS_EVENT_CRASHED || e->kind == IRIS_EVENT_SWAP_REFUSED ||
           e->kind == IRIS_EVENT_STUCK || e->kind == IRIS_EVENT_EXHAUSTED;
}

/* Of its story the last that went wrong. */
static void put_error(struct app *a, const char *path, struct json_out *out)
{
    struct story s;
    const struct tale *last = NULL;
    iris__story_open(&a->stories, path, &s);
    for (uint32_t i = 0; i < s.n; i++)
        if (is_error(&s.tales[i]->e))
            last = s.tales[i];
    iris__json_put(out, "\"last_error\":");
    if (last) {
        iris__json_put(out, "{");
        iris__json_member_string(out, "kind", iris__event_word(last->e.kind));
        iris__json_member_int(out, "time_ms", last->time / IRIS_MILLISECOND);
        iris__json_member_int(out, "rev", last->e.rev);
        iris__json_member_string(out, "text", last->e.text);
        iris__json_trim(out);
        iris__json_put(out, "}");
    } else {
        iris__json_put(out, "null");
    }
    iris__story_close(&s);
}

static void put_view(struct json_out *out, struct view *v)
{
    iris__json_member_string(out, "kind", v->kind);
    iris__json_member_string(out, "executor", v->executor);
    iris__json_put(out, "\"own_thread\":");
    iris__json_raw(out, v->own_thread ? "true," : "false,", v->own_thread ? 5 : 6);
    iris__json_member_int(out, "monitored_by", v->monitored_by);
    iris__json_member_int(out, "monitors", v->monitors);
    iris__json_member_int(out, "links", v->links);
    iris__json_member_int(out, "children", v->children);
    iris__json_trim(&v->versions);
    iris__json_put(out, "\"versions\":[");
    if (v->versions.text.len)
        iris__json_raw(out, v->versions.text.data, v->versions.text.len);
    iris__json_put(out, "],");
}

static void reply_view(struct call *c, struct view *v)
{
    struct world *w = &c->app->runtime->world;
    struct json_out out = {0};
    uint64_t pid = c->info.pid;
    iris__json_put(&out, "{\"iris\":1,");
    iris__json_member_string(&out, "target", c->args.target);
    iris__json_put(&out, "\"actor\":");
    iris__verb_put_row(c->app, &out, &c->info);
    iris__json_put(&out, ",");
    put_view(&out, v);
    iris__json_put(&out, "\"names\":[");
    iris__registry_names(w->registry, pid, put_name, &out);
    iris__json_trim(&out);
    iris__json_put(&out, "],");
    put_mailbox(w, pid, &out);
    put_timers(w, pid, &out);
    put_supervisor(c->app, pid, &out);
    put_error(c->app, c->info.path, &out);
    iris__json_put(&out, "}\n");
    iris__verb_reply(c->reply, &out, v->versions.failed);
}

static void carry_inspect(struct call *c)
{
    struct view v = {.kind = ""};
    if (look(&c->app->runtime->world, c->info.pid, &v))
        reply_view(c, &v);
    else
        iris__verb_gone(c->app, c->reply, c->args.target);
    iris__text_finish(&v.versions.text);
}

void iris__verb_inspect(void *app, const struct control_request *r, struct control_reply *reply)
{
    iris__verb_call(app, r, reply, carry_inspect);
}
