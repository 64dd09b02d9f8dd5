#include "change.h"

#include <stdlib.h>
#include <string.h>

/* Stop: the app, or one actor. */

#define LOOK (2 * IRIS_MILLISECOND)

/* Absolute: who stops the app may stand elsewhere. */
json_t *iris__verb_manifest(struct app *a)
{
    iris__app_look(a);
    char *path = iris__manifest_path(a->manifest);
    iris__app_looked(a);
    json_t *text = path ? json_string(path) : NULL;
    free(path);
    return text;
}

static void stop_app(struct app *a, struct control_reply *reply)
{
    if (atomic_exchange(&a->stop, 1))
        atomic_store(&a->hurry, 1);
    iris__runtime_end_loads(a->runtime); /* the main thread may wait for one */
    iris__control_reply(
        reply, 200, json_pack("{s:b, s:o*}", "stopping", 1, "manifest", iris__verb_manifest(a)));
    iris__app_ring(a);
}

static void again(struct order *o, int64_t at)
{
    if (iris__order_again(o, at))
        iris__control_error(iris__order_take(o), "failed", NULL, "%s: no memory", o->target);
}

/* Of a router: its mail goes to the instances, then they are stopped. */
struct stop {
    struct order order;
    uint32_t waits; /* instances that have not ended; 0: it is about one actor, or the router */
    int is_router;
};

static void stop_instances(struct stop *s)
{
    struct app *a = s->order.app;
    size_t first = 0;
    s->waits = iris__instances(a, s->order.pid, &first);
    s->is_router = 0;
    for (uint32_t i = 0; i < s->waits; i++)
        iris__supervisor_stop(&a->runtime->supervisors, atomic_load(&a->actors[first + i].pid));
}

/* The pid of whom it waits for now; 0: they have all ended. */
static uint64_t awaited(struct stop *s)
{
    struct app *a = s->order.app;
    size_t first = 0;
    if (!iris__actor_is_told(&a->runtime->world, s->order.pid))
        return s->order.pid;
    if (s->is_router)
        stop_instances(s);
    if (s->waits)
        iris__instances(a, s->order.pid, &first);
    for (; s->waits; s->waits--) {
        uint64_t pid = atomic_load(&a->actors[first + s->waits - 1].pid);
        if (!iris__actor_is_told(&a->runtime->world, pid))
            return pid;
    }
    return 0;
}

/* Its end is the moment at which nobody finds it any more, but in its story: that is looked for, not told. */
static void look(struct order *o)
{
    struct world *w = &o->app->runtime->world;
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    char count[COUNT_ROOM];
    int64_t end = o->began + o->timeout, next = iris__order_now(o) + LOOK;
    uint64_t pid = awaited((struct stop *)o);
    if (!pid || iris__info(w, pid, &i) != IRIS_OK)
        iris__control_reply(iris__order_over(o), 200, json_pack("{s:s}", "target", o->target));
    else if (iris__order_now(o) < end)
        again(o, next < end ? next : end);
    else
        iris__control_error(iris__order_take(o), "timeout",
                            "it takes no more mail and ends when that is done; see: iris ps",
                            "%s: stopping, %s left", o->target, iris__messages(count, i.mailbox));
}

static void carry_stop(struct call *c)
{
    size_t first;
    struct stop *s = iris__order_open(c->app, sizeof *s, c->reply, c->args.target, c->info.pid);
    struct order *o = &s->order;
    if (!s)
        return;
    if (iris__order_changes(o)) {
        iris__order_drop(o);
        return;
    }
    s->is_router = iris__instances(c->app, c->info.pid, &first) != 0;
    iris__supervisor_stop(&c->app->runtime->supervisors,
                          o->pid); /* if it has ended already: as well */
    o->late = look;
    o->timeout = c->args.timeout;
    again(o, o->began);
    iris__order_drop(o);
}

void iris__verb_stop(void *app, const struct control_request *r, struct control_reply *reply)
{
    const json_t *save = json_object_get(r->body, "save");
    const char *dir = json_string_value(save);
    int is_some = json_object_get(r->body, "target") || json_object_get(r->body, "pattern");
    if (save && (!dir || *dir != '/' || is_some))
        iris__control_error(reply, "bad-request", NULL,
                            "\"save\": expected an absolute directory, and no \"target\" or "
                            "\"pattern\": it is the whole app that is saved");
    else if (save)
        iris__save_ask(app, dir, reply);
    else if (json_object_get(r->body, "pattern"))
        iris__group_stop(app, r, reply);
    else if (is_some)
        iris__verb_call(app, r, reply, carry_stop);
    else
        stop_app(app, reply);
}
