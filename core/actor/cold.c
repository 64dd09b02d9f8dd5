#include "cold.h"

#include "behaviour.h"
#include "message.h"

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

static void free_list(struct watching *e)
{
    for (struct watching *next; e; e = next) {
        next = e->next;
        free(e);
    }
}

void iris__cold_free(struct world *w, struct cold *c)
{
    (void)w;
    if (!c)
        return;
    for (uint32_t i = 0; i < c->revisions; i++) {
        iris__version_release(c->history[i].version);
        iris__text_finish(&c->history[i].snapshot);
    }
    free_list(c->watchers);
    free_list(c->watched);
    free_list(c->children);
    free(c->history);
    free(c->open);
    free(c->path);
    free(c->name);
    free(c->args);
    free(c->exit_reason);
    free(c);
}
