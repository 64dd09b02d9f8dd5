#include "cold.h"

#include "alarm.h"
#include "behaviour.h"
#include "coroutine.h"
#include "freeze.h"
#include "message.h"
#include "renew.h"

#include <stdlib.h>

struct cold *iris__cold(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    if (c)
        return c;
    c = calloc(1, sizeof *c);
    if (c)
        atomic_store_explicit(&a->cold, c, memory_order_release);
    return c;
}

void iris__cold_free(struct world *w, struct cold *c)
{
    if (!c)
        return;
    iris__coroutine_destroy(w, c->coroutine);
    for (uint32_t i = 0; i < c->revisions; i++) {
        iris__version_release(c->history[i].version);
        iris__text_finish(&c->history[i].snapshot);
    }
    iris__set_clear(&c->watchers);
    iris__set_clear(&c->watched);
    iris__set_clear(&c->links);
    iris__set_clear(&c->children);
    iris__alarms_destroy(c->alarms);
    iris__frozen_free(w, c->frozen);
    free(c->restored);
    iris__renew_refuse(c->renewal);
    free(c->history);
    free(c->timing);
    free(c->open);
    free(c->path);
    free(c->name);
    free(c->args);
    free(c->env);
    free(c->exit_reason);
    free(c);
}
