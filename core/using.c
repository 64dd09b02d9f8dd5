#include "runtime.h"

#include "fail.h"
#include "waiting.h"

#include <stdlib.h>
#include <string.h>

/* Areas that plugins offer. What was found once is in a list that only grows, so that looking it up again needs
 * neither the loader thread nor a lock. */
struct used {
    struct used *next;
    const void *table;
    void *host;
    char *plugin, *id;
};

struct use_order {
    struct waiter waiter; /* first: its job is the loader's */
    iris_job job;
    iris_runtime *runtime;
    const char *plugin, *id;
    const struct used *used;
    char *why;
};

static void destroy(struct used *u)
{
    if (u) {
        free(u->plugin);
        free(u->id);
    }
    free(u);
}

void iris__runtime_forget_uses(iris_runtime *rt)
{
    for (struct used *u = atomic_load(&rt->used), *next; u; u = next) {
        next = u->next;
        destroy(u);
    }
}

static const struct used *look(iris_runtime *rt, const char *plugin, const char *id)
{
    const struct used *u = atomic_load(&rt->used); /* acquire: what it points to is whole */
    while (u && (strcmp(u->plugin, plugin) != 0 || strcmp(u->id, id) != 0))
        u = u->next;
    return u;
}

/* [loader] */
static const struct used *start(iris_runtime *rt, const char *plugin, const char *id)
{
    const struct used *known = look(rt, plugin, id);
    struct host *h = known ? NULL : iris__runtime_host(rt, plugin, NULL);
    if (known || !h)
        return known;
    const void *table = iris__host_offers(h, id);
    if (!table)
        return iris__fail("plugin \"%s\": it offers no \"%s\"", plugin, id), NULL;
    struct used *u = calloc(1, sizeof *u);
    if (!u || !(u->plugin = strdup(plugin)) || !(u->id = strdup(id))) {
        destroy(u);
        return iris__fail("plugin \"%s\": no memory", plugin), NULL;
    }
    u->table = table;
    u->host = h->data;
    u->next = atomic_load(&rt->used);
    atomic_store(&rt->used, u);
    return u;
}

static void carry_out(iris_job *job)
{
    struct use_order *o = (struct use_order *)((char *)job - offsetof(struct use_order, job));
    o->used = start(o->runtime, o->plugin, o->id);
    o->why = o->used ? NULL : strdup(iris__reason());
    o->waiter.answer.job.run(&o->waiter.answer.job);
}

static const struct used *start_and_wait(iris_runtime *rt, const char *plugin, const char *id)
{
    struct use_order o = {.job.run = carry_out, .runtime = rt, .plugin = plugin, .id = id};
    iris__waiter_init(&o.waiter);
    iris__executor_post(rt->loading, &o.job);
    iris__waiter_wait(rt, &o.waiter);
    iris__waiter_finish(&o.waiter);
    if (!o.used)
        iris__fail("%s", o.why ? o.why : "no reason was given");
    free(o.why);
    return o.used;
}

const void *iris__runtime_used(iris_runtime *rt, const char *plugin, const char *id, void **host)
{
    const struct used *u = look(rt, plugin, id);
    if (u)
        *host = u->host;
    return u ? u->table : NULL;
}

int iris__runtime_use(iris_runtime *rt, const char *plugin, const char *id, const void **table,
                      void **host)
{
    const struct used *u = look(rt, plugin, id);
    int on_loader = rt->loading && iris__thread.lane == &rt->loading->lane;
    if (!u && atomic_load(&rt->world.closing))
        return iris__fail("plugin \"%s\": the runtime is closed", plugin);
    if (!u)
        u = on_loader ? start(rt, plugin, id) : start_and_wait(rt, plugin, id);
    if (!u)
        return IRIS_FAIL;
    *table = u->table;
    *host = u->host;
    return IRIS_OK;
}
