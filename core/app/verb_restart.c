#include "api.h"
#include "fail.h"
#include "verbs.h"

/* Restart: the supervisor ends this incarnation and begins another in place. What came of it is in its story. */

#define LOOK (2 * IRIS_MILLISECOND)

struct restart {
    struct order order;
    uint64_t seen; /* events of its story before */
};

/* All that ever were in its story; *last: the newest one's kind, and why. */
static uint64_t events_of(struct app *a, const char *path, int *kind, char *why, size_t room)
{
    struct story s;
    uint64_t n = 0;
    if (iris__story_open(&a->stories, path, &s)) {
        n = s.n + s.forgotten;
        *kind = s.n ? (int)s.tales[s.n - 1]->e.kind : -1;
        snprintf(why, room, "%s", s.n ? s.tales[s.n - 1]->e.text : "");
    }
    iris__story_close(&s);
    return n;
}

static void reply_done(struct restart *x)
{
    struct order *o = &x->order;
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    iris__info(&o->app->runtime->world, o->pid, &i);
    iris__control_reply(iris__order_take(o), 200,
                        json_pack("{s:s, s:s, s:I, s:I}", "target", o->target, "path", i.path,
                                  "restarts", (json_int_t)i.restarts, "ns",
                                  (json_int_t)(iris__order_now(o) - o->began)));
}

static void again(struct order *o)
{
    int64_t end = o->began + o->timeout, next = iris__order_now(o) + LOOK;
    if (iris__order_again(o, next < end ? next : end))
        iris__control_error(iris__order_take(o), "failed", NULL, "%s: no memory", o->target);
}

static void look(struct order *o)
{
    struct restart *x = (struct restart *)o;
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    char why[400] = "";
    int kind = -1, is_there = iris__info(&o->app->runtime->world, o->pid, &i) == IRIS_OK;
    int is_told = events_of(o->app, i.path, &kind, why, sizeof why) > x->seen;
    if (!is_there)
        iris__control_error(iris__order_take(o), "failed", "what happened: iris explain PATH",
                            "%s: it has ended", o->target);
    else if (is_told && kind == IRIS_EVENT_RESTARTED)
        reply_done(x);
    else if (is_told && kind != IRIS_EVENT_STUCK)
        iris__control_error(iris__order_take(o), "failed",
                            "its supervisor decides what follows: iris explain PATH", "%s: %s",
                            o->target, why);
    else if (iris__order_now(o) < o->began + o->timeout)
        again(o);
    else
        iris__control_error(
            iris__order_take(o), "timeout",
            "it ends when its handler returns, or is killed after its shutdown time",
            "%s: it has not begun again yet", o->target);
}

static void carry_restart(struct call *c)
{
    int kind;
    char why[8];
    struct restart *x = iris__order_open(c->app, sizeof *x, c->reply, c->args.target, c->info.pid);
    struct order *o = &x->order;
    if (!x)
        return;
    o->late = look;
    o->timeout = c->args.timeout;
    x->seen = events_of(c->app, c->info.path, &kind, why, sizeof why);
    if (!iris__order_changes(o)) {
        if (iris__supervisor_restart(&c->app->runtime->supervisors, o->pid) == IRIS_FAIL)
            iris__control_error(iris__order_take(o), "failed", "swap or stop it instead", "%s: %s",
                                o->target, iris__reason());
        else
            again(o);
    }
    iris__order_drop(o);
}

void iris__verb_restart(void *app, const struct control_request *r, struct control_reply *reply)
{
    iris__verb_call(app, r, reply, carry_restart);
}
