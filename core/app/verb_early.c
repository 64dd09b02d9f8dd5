#include "fail.h"
#include "verbs.h"

#include <string.h>

/* Requests that come while the app starts, about an actor that has not begun yet: they wait for it. The
 * thread that starts the actors carries them out. */

struct early {
    struct order order;
    struct early *next;
    json_t *body;
    void (*carry)(struct call *);
};

static void free_early(struct order *o)
{
    json_decref(((struct early *)o)->body);
}

static void late(struct order *o)
{
    struct control_reply *reply = iris__order_take(o);
    if (reply)
        iris__control_error(reply, "timeout", "wait longer with --timeout, or look: iris ps",
                            "%s: not started yet; the app is still starting", o->target);
}

/* Its reference is given up. */
static void carry_out(struct early *e)
{
    struct app *a = e->order.app;
    struct control_reply *reply = iris__order_take(&e->order);
    struct control_request r = {.method = "", .path = "", .query = "", .body = e->body};
    if (reply && atomic_load(&a->stop))
        iris__control_error(reply, "stopping", NULL, "the app is stopping");
    else if (reply)
        iris__verb_call(a, &r, reply, e->carry);
    iris__order_drop(&e->order);
}

/* ---- waiting ---- */

/* Of the manifest, by path or name. */
static const struct app_actor *meant(const struct app *a, const char *target)
{
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        const struct manifest_actor *m = &a->manifest->actors[i];
        if (!strcmp(m->path, target) || (m->name && !strcmp(m->name, target)))
            return &a->actors[i];
    }
    return NULL;
}

static int is_shut(struct early_list *all)
{
    pthread_mutex_lock(&all->lock);
    int shut = all->is_shut;
    pthread_mutex_unlock(&all->lock);
    return shut;
}

static int is_there(const struct app *a, const char *target)
{
    const struct app_actor *actor = meant(a, target);
    return !actor || atomic_load(&actor->pid);
}

/* Returns whether it is in the list: not, if its actor began meanwhile. */
static int park(struct app *a, struct early *e)
{
    struct early_list *all = &a->early;
    pthread_mutex_lock(&all->lock);
    int waits = !all->is_shut && !is_there(a, e->order.target);
    if (waits) {
        e->next = all->first;
        all->first = e;
    }
    pthread_mutex_unlock(&all->lock);
    return waits;
}

int iris__early_wait(struct app *a, const json_t *body, struct control_reply *reply,
                     const struct verb_args *args, void (*carry)(struct call *))
{
    if (is_shut(&a->early) || is_there(a, args->target))
        return 0;
    struct early *e = iris__order_open(a, sizeof *e, reply, args->target, 0);
    if (!e)
        return 1;
    e->order.free = free_early;
    e->carry = carry;
    e->body = json_deep_copy(body);
    if (iris__order_limit(&e->order, args->timeout, late))
        iris__order_drop(&e->order);
    else if (!park(a, e))
        carry_out(e);
    return 1;
}

/* ---- carrying out ---- */

static struct early *take(struct app *a, int all_of_them)
{
    struct early_list *all = &a->early;
    struct early *ready = NULL;
    pthread_mutex_lock(&all->lock);
    all->is_shut |= all_of_them;
    for (struct early **at = &all->first, *e; (e = *at);) {
        if (!all_of_them && !is_there(a, e->order.target)) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        e->next = ready;
        ready = e;
    }
    pthread_mutex_unlock(&all->lock);
    return ready;
}

void iris__early_admit(struct app *a, int all_of_them)
{
    struct early *e = take(a, all_of_them);
    for (struct early *next; e; e = next) {
        next = e->next;
        carry_out(e);
    }
}
