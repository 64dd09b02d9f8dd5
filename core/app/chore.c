#include "chore.h"

#include "app.h"

void iris__chores_init(struct chores *all)
{
    *all = (struct chores){0};
    pthread_mutex_init(&all->lock, NULL);
}

void iris__chores_finish(struct chores *all)
{
    pthread_mutex_destroy(&all->lock);
}

static void free_body(struct order *o)
{
    json_decref(((struct chore *)o)->body);
}

/* ---- the control thread ---- */

/* Behind those that wait. 0: the app stops. */
static int put(struct chores *all, struct chore *c)
{
    pthread_mutex_lock(&all->lock);
    int may = !all->is_shut;
    struct chore **at = &all->first;
    while (*at)
        at = &(*at)->next;
    if (may)
        *at = c;
    pthread_mutex_unlock(&all->lock);
    return may;
}

static void refuse(struct chore *c, const char *code, const char *why)
{
    struct control_reply *to = iris__order_take(&c->order);
    if (to)
        iris__control_error(to, code, NULL, "%s", why);
    iris__order_drop(&c->order);
}

void iris__chore_ask(struct app *a, const json_t *body, struct control_reply *reply,
                     const char *target, int64_t timeout,
                     void (*run)(struct chore *, struct control_reply *))
{
    struct chore *c = iris__order_open(a, sizeof *c, reply, target, 0);
    if (!c)
        return;
    c->order.free = free_body;
    c->order.timeout = timeout;
    c->body = json_deep_copy(body);
    c->run = run;
    if (body && !c->body)
        refuse(c, "failed", "no memory to keep what is asked for");
    else if (put(&a->chores, c))
        iris__app_ring(a);
    else
        refuse(c, "stopping", "the app is stopping");
}

/* ---- the main thread ---- */

static struct chore *take(struct chores *all)
{
    pthread_mutex_lock(&all->lock);
    struct chore *c = all->first;
    if (c)
        all->first = c->next;
    pthread_mutex_unlock(&all->lock);
    return c;
}

void iris__chores_run(struct app *a)
{
    for (struct chore *c; !atomic_load(&a->stop) && (c = take(&a->chores));) {
        struct control_reply *to = iris__order_take(&c->order);
        if (to)
            c->run(c, to);
        iris__order_drop(&c->order);
    }
}

void iris__chores_refuse(struct app *a)
{
    pthread_mutex_lock(&a->chores.lock);
    a->chores.is_shut = 1;
    pthread_mutex_unlock(&a->chores.lock);
    for (struct chore *c; (c = take(&a->chores));)
        refuse(c, "stopping", "the app is stopping");
}
