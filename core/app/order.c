#include "order.h"

#include "app.h"
#include "fail.h"

#include <stdlib.h>
#include <string.h>

void iris__orders_init(struct orders *all)
{
    *all = (struct orders){0};
    pthread_mutex_init(&all->lock, NULL);
}

static void destroy(struct order *o)
{
    if (o->free)
        o->free(o);
    free(o->target);
    free(o);
}

void iris__orders_finish(struct orders *all)
{
    for (struct order *o = all->first, *next; o; o = next) {
        next = o->next;
        destroy(o);
    }
    pthread_mutex_destroy(&all->lock);
}

void *iris__order_open(struct app *app, size_t size, struct control_reply *reply,
                       const char *target, uint64_t pid)
{
    struct order *o = calloc(1, size);
    if (!o || !(o->target = strdup(target))) {
        free(o);
        if (reply)
            iris__control_error(reply, "failed", NULL, "no memory");
        return NULL;
    }
    o->app = app;
    o->reply = reply;
    o->pid = pid;
    o->refs = 1;
    o->began = iris__order_now(o);
    pthread_mutex_lock(&app->orders.lock);
    o->next = app->orders.first;
    o->self = &app->orders.first;
    if (o->next)
        o->next->self = &o->next;
    app->orders.first = o;
    pthread_mutex_unlock(&app->orders.lock);
    return o;
}

int64_t iris__order_now(const struct order *o)
{
    return iris__sched_now(&o->app->runtime->world.sched);
}

void iris__order_keep(struct order *o)
{
    pthread_mutex_lock(&o->app->orders.lock);
    o->refs++;
    pthread_mutex_unlock(&o->app->orders.lock);
}

void iris__order_drop(struct order *o)
{
    struct orders *all = &o->app->orders;
    pthread_mutex_lock(&all->lock);
    int last = --o->refs == 0;
    if (last) {
        *o->self = o->next;
        if (o->next)
            o->next->self = o->self;
    }
    pthread_mutex_unlock(&all->lock);
    if (last)
        destroy(o);
}

/* The timer's reference is given up here; late() may have got another one by then. */
static void fire(void *ctx)
{
    struct order *o = ctx;
    struct app *a = o->app;
    iris__app_look(a);
    o->late(o);
    iris__app_looked(a);
    iris__order_drop(o);
}

int iris__order_again(struct order *o, int64_t at)
{
    iris__order_keep(o);
    int result = iris__timer_call(&o->app->runtime->world, at, fire, o, NULL);
    if (result)
        iris__order_drop(o);
    return result;
}

int iris__order_limit(struct order *o, int64_t timeout, void (*late)(struct order *))
{
    o->late = late;
    o->timeout = timeout;
    iris__order_keep(o);
    if (iris__timer_call(&o->app->runtime->world, o->began + timeout, fire, o, &o->timer) ==
        IRIS_OK)
        return IRIS_OK;
    iris__control_error(iris__order_take(o), "failed", NULL, "no memory");
    iris__order_drop(o);
    return IRIS_FAIL;
}

static struct control_reply *take(struct order *o, int is_over)
{
    pthread_mutex_lock(&o->app->orders.lock);
    struct control_reply *reply = o->reply;
    uint64_t timer = o->timer;
    o->reply = NULL;
    o->changes &= !is_over;
    pthread_mutex_unlock(&o->app->orders.lock);
    if (reply && timer && iris__timer_cancel(&o->app->runtime->world, timer) == IRIS_OK)
        iris__order_drop(o); /* its reference; the caller has another */
    return reply;
}

struct control_reply *iris__order_take(struct order *o)
{
    return take(o, 0);
}

struct control_reply *iris__order_over(struct order *o)
{
    return take(o, 1);
}

/* ---- one thing at a time ---- */

int iris__order_changes(struct order *o)
{
    struct orders *all = &o->app->orders;
    pthread_mutex_lock(&all->lock);
    int held = all->are_held;
    o->changes = !held;
    pthread_mutex_unlock(&all->lock);
    if (!held)
        return IRIS_OK;
    iris__control_error(iris__order_take(o), "busy", "try again when that is over",
                        "%s: a manifest is being applied", o->target);
    return IRIS_FAIL;
}

int iris__orders_hold(struct app *a)
{
    char target[256] = "";
    pthread_mutex_lock(&a->orders.lock);
    for (struct order *o = a->orders.first; o && !*target; o = o->next)
        if (o->changes)
            snprintf(target, sizeof target, "%s", o->target);
    a->orders.are_held = !*target;
    pthread_mutex_unlock(&a->orders.lock);
    return *target ? iris__fail("%s is being swapped, restarted or stopped just now; try again "
                                "when that is over",
                                target)
                   : IRIS_OK;
}

void iris__orders_let(struct app *a)
{
    pthread_mutex_lock(&a->orders.lock);
    a->orders.are_held = 0;
    pthread_mutex_unlock(&a->orders.lock);
}

int iris__orders_are_held(struct app *a)
{
    pthread_mutex_lock(&a->orders.lock);
    int held = a->orders.are_held;
    pthread_mutex_unlock(&a->orders.lock);
    return held;
}
