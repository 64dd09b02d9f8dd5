#include "behaviour.h"
#include "change.h"
#include "fail.h"
#include "find.h"
#include "own.h"
#include "singleton.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Swap and rollback: load on the loader thread, queue at the actor, be told, answer. A client that does
 * not want to wait longer is told so; the swap stays queued, and events tell how it went. */

static void free_change(struct order *o)
{
    struct change *c = (struct change *)o;
    iris__origin_finish(&c->from);
    iris__origin_finish(&c->migrate);
}

int iris__change_is_rollback(const struct change *c)
{
    return !c->from.file;
}

/* ---- the answer ---- */

static const char *version_text(char *room, uint32_t rev, uint32_t of)
{
    int n = snprintf(room, COUNT_ROOM, "v%u", rev);
    if (of && of != rev)
        snprintf(room + n, COUNT_ROOM - (size_t)n, " (=v%u)", of);
    return room;
}

static void reply_done(struct change *c, struct control_reply *reply, const struct swap_report *r)
{
    struct order *o = &c->order;
    char from[COUNT_ROOM], to[COUNT_ROOM];
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    iris__info(&o->app->runtime->world, o->pid, &i);
    iris__control_reply(
        reply, 200,
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:I, s:I, s:o}", "target", o->target,
                  "path", i.path, "from", version_text(from, r->from, r->from), "to",
                  version_text(to, r->to, r->of), "from_rev", (int)r->from, "to_rev", (int)r->to,
                  "of_rev", (int)r->of, "version", i.version, "ns",
                  (json_int_t)(iris__order_now(o) - o->began), "mailbox", (json_int_t)i.mailbox,
                  "undo", json_sprintf("iris rollback %s", *i.path ? i.path : o->target)));
}

/* The core's sentences begin with the word that the client has said itself. */
const char *iris__change_why(const char *why)
{
    static const char *const verbs[] = {"swap: ", "rollback: "};
    for (size_t i = 0; why && i < 2; i++)
        if (strncmp(why, verbs[i], strlen(verbs[i])) == 0)
            return why + strlen(verbs[i]);
    return why ? why : "no reason was given";
}

static void refuse(struct change *c, struct control_reply *reply, const char *why)
{
    iris__control_error(reply, iris__change_is_rollback(c) ? "rollback-refused" : "swap-refused",
                        "nothing has changed: the version that ran goes on", "%s: %s",
                        c->order.target, iris__change_why(why));
}

static void told(void *ctx, const struct swap_report *r)
{
    struct change *c = ctx;
    if (c->all) {
        iris__change_all_told(c->all, r);
        return;
    }
    if (r->result == IRIS_FAIL &&
        c->migrate.file) /* mended in a file beside it, it is tried again */
        iris__origin_refused(&c->order.app->runtime->world, c->order.pid);
    struct control_reply *reply = iris__order_over(&c->order);
    if (reply && r->result == IRIS_OK)
        reply_done(c, reply, r);
    else if (reply && r->result == IRIS_DEAD)
        iris__verb_gone(c->order.app, reply, c->order.target);
    else if (reply)
        refuse(c, reply, r->why);
    iris__order_drop(&c->order);
}

/* ---- time is over ---- */

static void late(struct order *o)
{
    struct change *c = (struct change *)o;
    struct control_reply *reply = iris__order_take(o);
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    char count[COUNT_ROOM];
    if (!reply)
        return;
    iris__info(&o->app->runtime->world, o->pid, &i);
    if (atomic_load(&c->stage) == LOADING)
        iris__control_error(reply, "timeout", "wait longer with --timeout",
                            "%s: still loading, still v%u", o->target, i.rev);
    else if (i.mailbox && !c->how.now)
        iris__control_error(reply, "timeout", "--now overtakes them",
                            "%s: queued behind %s, still v%u; --now, or "
                            "iris swap --cancel %s",
                            o->target, iris__messages(count, i.mailbox), i.rev, o->target);
    else
        iris__control_error(reply, "timeout", NULL,
                            "%s: its handler has not returned, still v%u; wait, or "
                            "iris swap --cancel %s",
                            o->target, i.rev, o->target);
}

/* ---- carrying out ---- */

/* The reference of the caller goes with it: told() comes once, or never. */
void iris__change_queue(struct change *c)
{
    struct order *o = &c->order;
    atomic_store(&c->stage, QUEUED);
    struct swap_order how = c->how; /* a cancel may be told, and c freed, before the call returns */
    how.tell = told;
    how.ctx = c;
    int result = iris__swap(&o->app->runtime->world, o->pid, &how);
    if (result == IRIS_OK)
        return;
    told(c, &(struct swap_report){.result = result, .why = iris__reason()});
}

/* A refusal that the core has not seen is an event too. */
static void record(struct change *c, const char *why)
{
    struct app *a = c->order.app;
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    char *text;
    iris__origin_refused(&a->runtime->world, c->order.pid);
    if (iris__info(&a->runtime->world, c->order.pid, &i) != IRIS_OK ||
        asprintf(&text, "still v%u: %s", i.rev, iris__change_why(why)) < 0)
        return;
    iris__app_event(a, &(iris_event){.size = sizeof(iris_event),
                                     .abi = IRIS_ABI,
                                     .kind = IRIS_EVENT_SWAP_REFUSED,
                                     .level = IRIS_WARN,
                                     .pid = i.pid,
                                     .path = i.path,
                                     .text = text});
    free(text);
}

/* [loader] */
static void loaded(struct load_order *load)
{
    struct change *c = (struct change *)((char *)load - offsetof(struct change, load));
    const char *why = atomic_load(&c->cancelled) ? "cancelled" : load->why;
    if (load->result == IRIS_OK && !atomic_load(&c->cancelled)) {
        c->how.version = load->version;
        if (c->all)
            iris__change_all_loaded(c->all, NULL);
        else
            iris__change_queue(c);
        return;
    }
    if (load->result == IRIS_OK)
        iris__version_release(load->version);
    else
        record(c, why);
    if (c->all)
        iris__change_all_loaded(c->all, why);
    else
        told(c, &(struct swap_report){.result = IRIS_FAIL, .why = why});
}

void iris__change_load(struct change *c)
{
    c->load.file = c->from.file;
    c->load.symbol = c->from.symbol;
    c->load.handler = c->from.handler;
    c->load.place = c->from.place;
    c->load.migration.file = c->migrate.file;
    c->load.migration.symbol = c->migrate.symbol;
    c->load.migration.handler = c->migrate.handler;
    c->load.done = loaded;
    iris__runtime_load(c->order.app->runtime, &c->load);
}

/* named: by who asks for the swap; or else the manifest does. */
static int find_migration(struct change *c, const char *named, const char *cwd)
{
    const struct app *a = c->order.app;
    const struct manifest_actor *m = iris__own_actor(a, c->order.pid);
    const char *migrate = named ? named : m ? m->migrate : NULL;
    return migrate ? iris__find_named(a->manifest, migrate, cwd, &c->migrate) : IRIS_OK;
}

void iris__swap_again(struct app *a, uint64_t pid)
{
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    struct change *c = NULL;
    if (iris__info(&a->runtime->world, pid, &i) == IRIS_OK)
        c = iris__order_open(a, sizeof *c, NULL, i.path, pid);
    if (!c)
        return;
    c->order.free = free_change;
    c->order.changes = 1; /* [main], as those that apply a manifest are */
    int found = iris__origin(&a->runtime->world, pid, &c->from) == IRIS_OK && c->from.file;
    if (found && find_migration(c, NULL, NULL) == IRIS_OK) {
        iris__change_load(c);
        return;
    }
    if (found)
        record(c, iris__reason());
    iris__order_drop(&c->order);
}

void iris__change_back(struct app *a, uint64_t pid, const char *path)
{
    struct change *c = iris__order_open(a, sizeof *c, NULL, path, pid);
    if (!c)
        return;
    c->order.free = free_change;
    c->order.changes = 1;
    c->how.now = 1;
    c->how.steps = 1;
    c->how.or_snapshot = 1;
    iris__change_queue(c);
}

struct change *iris__change_open(struct call *call, struct control_reply *reply)
{
    const struct verb_args *a = &call->args;
    if (reply && atomic_load(&call->app->phase) == APP_STOPPING) {
        iris__control_error(reply, "stopping", NULL, "the app is stopping");
        return NULL;
    }
    char room[300];
    const char *stands = iris__singleton_word(call->app, call->info.pid, room, sizeof room);
    if (reply && stands) {
        iris__control_error(reply, "failed", NULL,
                            "%s: it is %s, and has no code here; swap it where it runs", a->target,
                            stands);
        return NULL;
    }
    struct change *c = iris__order_open(call->app, sizeof *c, reply, a->target, call->info.pid);
    if (!c)
        return NULL;
    c->order.free = free_change;
    if (reply && iris__order_changes(&c->order)) {
        iris__order_drop(&c->order);
        return NULL;
    }
    c->how.now = a->now;
    c->how.steps = a->steps;
    c->how.use_snapshot = a->snapshot;
    return c;
}

/* ---- rollback ---- */

static void carry_rollback(struct call *call)
{
    size_t first;
    if (iris__instances(call->app, call->info.pid, &first)) {
        iris__change_all(call, 1);
        return;
    }
    struct change *c = iris__change_open(call, call->reply);
    if (c && iris__order_limit(&c->order, call->args.timeout, late) == IRIS_OK)
        iris__change_queue(c);
    else if (c)
        iris__order_drop(&c->order);
}

void iris__verb_rollback(void *app, const struct control_request *r, struct control_reply *reply)
{
    iris__verb_call(app, r, reply, carry_rollback);
}

/* ---- swap ---- */

static int find_named(struct call *call, struct origin *from)
{
    struct origin before;
    if (iris__origin(&call->app->runtime->world, call->info.pid, &before) == IRIS_OK)
        from->place = before.place;
    iris__origin_finish(&before);
    return iris__find_named(call->app->manifest, call->args.handler, call->args.cwd, from);
}

/* Without a handler, the file that it runs is read again. */
static int find_again(struct call *call, struct origin *from)
{
    if (iris__origin(&call->app->runtime->world, call->info.pid, from) == IRIS_OK && from->file)
        return IRIS_OK;
    return iris__fail("it was not loaded from a file; name one: iris swap %s HANDLER",
                      call->args.target);
}

/* The reason's second line may be a hint. */
void iris__change_refuse_unloaded(struct control_reply *reply, const char *target)
{
    static const char mark[] = "\nhint: ";
    const char *reason = iris__reason(), *hint = strstr(reason, mark);
    iris__control_error(
        reply, "swap-refused",
        hint ? hint + sizeof mark - 1 : "nothing has changed: the version that ran goes on",
        "%s: %.*s", target, (int)(hint ? (size_t)(hint - reason) : strlen(reason)), reason);
}

int iris__change_find(struct call *call, struct change *c)
{
    int failed = call->args.handler ? find_named(call, &c->from) : find_again(call, &c->from);
    return failed ? IRIS_FAIL : find_migration(c, call->args.migrate, call->args.cwd);
}

static void carry_new(struct call *call)
{
    struct change *c = iris__change_open(call, call->reply);
    if (!c)
        return;
    if (iris__change_find(call, c)) {
        iris__change_refuse_unloaded(iris__order_take(&c->order), c->order.target);
        iris__order_drop(&c->order);
    } else if (iris__order_limit(&c->order, call->args.timeout, late) == IRIS_OK) {
        iris__change_load(c);
    } else {
        iris__order_drop(&c->order);
    }
}

/* Those that still load, before they come to be queued. */
static int cancel_loading(struct app *a, uint64_t pid)
{
    int n = 0;
    pthread_mutex_lock(&a->orders.lock);
    for (struct order *o = a->orders.first; o; o = o->next) {
        struct change *c = o->free == free_change && o->pid == pid ? (struct change *)o : NULL;
        if (c && atomic_load(&c->stage) == LOADING)
            n += !atomic_exchange(&c->cancelled, 1);
    }
    pthread_mutex_unlock(&a->orders.lock);
    return n;
}

static int cancel(struct app *a, uint64_t pid)
{
    return cancel_loading(a, pid) + iris__swap_cancel(&a->runtime->world, pid);
}

static void carry_cancel(struct call *call)
{
    struct app *a = call->app;
    char to[COUNT_ROOM];
    size_t first = 0;
    uint32_t many = iris__instances(a, call->info.pid, &first);
    int n = cancel(a, call->info.pid);
    for (uint32_t i = 0; i < many; i++)
        n += cancel(a, atomic_load(&a->actors[first + i].pid));
    if (n)
        iris__control_reply(call->reply, 200,
                            json_pack("{s:s, s:i, s:s}", "target", call->args.target, "cancelled",
                                      n, "to", version_text(to, call->info.rev, call->info.of)));
    else
        iris__control_error(call->reply, "swap-refused", "what it runs: iris ps",
                            "%s: no swap waits that could be cancelled", call->args.target);
}

static void carry_swap(struct call *call)
{
    size_t first;
    if (call->args.cancel)
        carry_cancel(call);
    else if (iris__instances(call->app, call->info.pid, &first))
        iris__change_all(call, 0);
    else
        carry_new(call);
}

void iris__verb_swap(void *app, const struct control_request *r, struct control_reply *reply)
{
    iris__verb_call(app, r, reply, carry_swap);
}
