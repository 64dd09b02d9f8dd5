#include "api.h"
#include "fail.h"
#include "restart.h"
#include "verbs.h"

/* Restart: the supervisor ends this incarnation and begins another in place. */

#define LOOK (2 * IRIS_MILLISECOND)

struct restart {
    struct order order;
    struct restarting way;
};

static void reply_done(struct order *o, const iris_info *i)
{
    iris__control_reply(iris__order_over(o), 200,
                        json_pack("{s:s, s:s, s:I, s:I}", "target", o->target, "path", i->path,
                                  "restarts", (json_int_t)i->restarts, "ns",
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
    iris_info i;
    int result = iris__restart_look(&((struct restart *)o)->way, &i);
    if (result == IRIS_DEAD)
        iris__control_error(iris__order_over(o), "failed", "what happened: iris explain PATH",
                            "%s: it has ended", o->target);
    else if (result == IRIS_OK)
        reply_done(o, &i);
    else if (result == IRIS_FAIL)
        iris__control_error(iris__order_over(o), "failed",
                            "its supervisor decides what follows: iris explain PATH", "%s: %s",
                            o->target, iris__reason());
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
    struct restart *x = iris__order_open(c->app, sizeof *x, c->reply, c->args.target, c->info.pid);
    struct order *o = &x->order;
    if (!x)
        return;
    o->late = look;
    o->timeout = c->args.timeout;
    if (!iris__order_changes(o)) {
        if (iris__restart_begin(c->app, o->pid, c->info.path, &x->way) == IRIS_FAIL)
            iris__control_error(iris__order_take(o), "failed", "swap or stop it instead", "%s: %s",
                                o->target, iris__reason());
        else
            again(o);
    }
    iris__order_drop(o);
}

void iris__verb_restart(void *app, const struct control_request *r, struct control_reply *reply)
{
    if (json_object_get(r->body, "pattern"))
        iris__group_restart(app, r, reply);
    else
        iris__verb_call(app, r, reply, carry_restart);
}
