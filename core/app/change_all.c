#include "change.h"

#include "behaviour.h"
#include "fail.h"

#include <stdlib.h>
#include <string.h>

/* All parts are loaded before the first is queued; then one after the other. Each step is the end of the one
 * before, so that nothing here is under a lock. */

struct change_all {
    struct order order; /* the client's; one reference for the way, beside that of its time */
    struct change **parts;
    uint32_t n, loaded, at, undone;
    int rolls_back, stays;   /* stays: of a part that took it and would not go back */
    struct swap_report last; /* of one that took it; 0 for its revs: none has */
    char *why;               /* it was refused */
};

static void free_all(struct order *o)
{
    struct change_all *all = (struct change_all *)o;
    free(all->parts);
    free(all->why);
}

uint32_t iris__instances(const struct app *a, uint64_t pid, size_t *first)
{
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        uint32_t n = a->manifest->actors[i].behind;
        if (!n || atomic_load(&a->actors[i].pid) != pid)
            continue;
        *first = i - n;
        return n;
    }
    return 0;
}

/* ---- the end ---- */

static void version_text(char *room, uint32_t rev, uint32_t of)
{
    int n = snprintf(room, COUNT_ROOM, "v%u", rev);
    if (of && of != rev)
        snprintf(room + n, COUNT_ROOM - (size_t)n, " (=v%u)", of);
}

static void reply_done(struct change_all *all, struct control_reply *reply,
                       const struct swap_report *r)
{
    struct order *o = &all->order;
    char from[COUNT_ROOM], to[COUNT_ROOM];
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    size_t first;
    iris__instances(o->app, o->pid, &first);
    const char *path = o->app->manifest->actors[first + all->n].path;
    iris__info(&o->app->runtime->world, atomic_load(&o->app->actors[first + all->n - 1].pid), &i);
    version_text(from, r->from, r->from);
    version_text(to, r->to, r->of);
    iris__control_reply(
        reply, 200,
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:I, s:I, s:I, s:o}", "target",
                  o->target, "path", path, "from", from, "to", to, "from_rev", (int)r->from,
                  "to_rev", (int)r->to, "of_rev", (int)r->of, "version", i.version, "ns",
                  (json_int_t)(iris__order_now(o) - o->began), "mailbox", (json_int_t)i.mailbox,
                  "instances", (json_int_t)all->n, "undo", json_sprintf("iris rollback %s", path)));
}

static void reply_refused(struct change_all *all, struct control_reply *reply)
{
    const char *hint = all->stays    ? "some instances run another version than the others: iris ps"
                       : all->undone ? "those that had taken it were rolled back"
                                     : "nothing has changed: the version that ran goes on";
    iris__control_error(reply, all->rolls_back ? "rollback-refused" : "swap-refused", hint,
                        "%s: %s", all->order.target, all->why ? all->why : "no memory");
}

static void end(struct change_all *all, int is_refused)
{
    struct control_reply *reply = iris__order_over(&all->order);
    if (reply && is_refused)
        reply_refused(all, reply);
    else if (reply && all->last.to)
        reply_done(all, reply, &all->last);
    else if (reply)
        iris__verb_gone(all->order.app, reply, all->order.target);
    iris__order_drop(&all->order);
}

static void late(struct order *o)
{
    struct change_all *all = (struct change_all *)o;
    struct control_reply *reply = iris__order_take(o);
    if (reply)
        iris__control_error(reply, "timeout", "wait longer with --timeout; or iris swap --cancel",
                            "%s: its %u instances have not all taken it yet; it goes on", o->target,
                            all->n);
}

/* ---- refused ---- */

static void keep_why(struct change_all *all, uint32_t at, const char *why)
{
    const char *path = all->parts[at]->order.target;
    if (!all->why && asprintf(&all->why, "%s: %s", path, iris__change_why(why)) < 0)
        all->why = NULL;
}

static void drop_from(struct change_all *all, uint32_t at)
{
    for (; at < all->n; at++) {
        iris__version_release(all->parts[at]->how.version);
        iris__order_drop(&all->parts[at]->order);
    }
}

static void undo(struct change_all *all);

static void undone(void *ctx, const struct swap_report *r)
{
    struct change_all *all = ctx;
    all->stays |= r->result == IRIS_FAIL;
    undo(all);
}

/* Those that took it, last first. */
static void undo(struct change_all *all)
{
    while (all->at) {
        struct app *a = all->order.app;
        size_t first;
        iris__instances(a, all->order.pid, &first);
        uint64_t pid = atomic_load(&a->actors[first + --all->at].pid);
        struct swap_order how = {
            .steps = 1, .now = 1, .or_snapshot = 1, .tell = undone, .ctx = all};
        all->undone++;
        if (iris__swap(&a->runtime->world, pid, &how) == IRIS_OK)
            return;
    }
    end(all, 1);
}

/* ---- one after the other ---- */

void iris__change_all_told(struct change_all *all, const struct swap_report *r)
{
    uint32_t at = all->at;
    if (r->result == IRIS_FAIL) { /* one that has ended has nothing to take */
        keep_why(all, at, r->why);
        iris__order_drop(&all->parts[at]->order);
        drop_from(all, at + 1);
        undo(all);
        return;
    }
    if (r->result == IRIS_OK)
        all->last = *r;
    iris__order_drop(&all->parts[at]->order);
    if (++all->at < all->n)
        iris__change_queue(all->parts[all->at]);
    else
        end(all, 0);
}

void iris__change_all_loaded(struct change_all *all, const char *why)
{
    if (why)
        keep_why(all, all->loaded, why);
    if (++all->loaded < all->n)
        return;
    if (!all->why) {
        iris__change_queue(all->parts[0]);
        return;
    }
    drop_from(all, 0);
    end(all, 1);
}

/* ---- the beginning ---- */

/* Each is the call that it would be for itself. NULL: with a reason. */
static struct change *open_part(struct change_all *all, struct call *call, size_t index)
{
    struct call one = *call;
    one.args.target = call->app->manifest->actors[index].path;
    one.info = (iris_info){.size = sizeof one.info, .abi = IRIS_ABI};
    one.info.pid = atomic_load(&call->app->actors[index].pid);
    one.reply = NULL;
    struct change *c = iris__change_open(&one, NULL);
    if (!c)
        return iris__fail("no memory"), NULL;
    c->all = all;
    if (all->rolls_back || !iris__change_find(&one, c))
        return c;
    iris__order_drop(&c->order);
    return NULL;
}

static int open_parts(struct change_all *all, struct call *call, size_t first)
{
    for (uint32_t i = 0; i < all->n; i++) {
        all->parts[i] = open_part(all, call, first + i);
        if (all->parts[i])
            continue;
        while (i--)
            iris__order_drop(&all->parts[i]->order);
        return IRIS_FAIL;
    }
    return IRIS_OK;
}

static struct change_all *open_all(struct call *call)
{
    if (atomic_load(&call->app->phase) == APP_STOPPING) {
        iris__control_error(call->reply, "stopping", NULL, "the app is stopping");
        return NULL;
    }
    struct change_all *all =
        iris__order_open(call->app, sizeof *all, call->reply, call->args.target, call->info.pid);
    if (!all)
        return NULL;
    all->order.free = free_all;
    if (!iris__order_changes(&all->order))
        return all;
    iris__order_drop(&all->order);
    return NULL;
}

void iris__change_all(struct call *call, int is_rollback)
{
    size_t first = 0;
    struct change_all *all = open_all(call);
    if (!all)
        return;
    all->rolls_back = is_rollback;
    all->n = iris__instances(call->app, call->info.pid, &first);
    if (!all->n)
        iris__fail("%s: its instances have ended this moment; try again", call->args.target);
    else
        all->parts = calloc(all->n, sizeof(struct change *));
    if (!all->parts || open_parts(all, call, first)) {
        iris__change_refuse_unloaded(iris__order_take(&all->order), call->args.target);
        iris__order_drop(&all->order);
        return;
    }
    if (iris__order_limit(&all->order, call->args.timeout, late)) {
        drop_from(all, 0);
        iris__order_drop(&all->order);
        return;
    }
    if (is_rollback) {
        iris__change_queue(all->parts[0]);
        return;
    }
    for (uint32_t i = 0, n = all->n; i < n; i++) /* the last may end it all */
        iris__change_load(all->parts[i]);
}
