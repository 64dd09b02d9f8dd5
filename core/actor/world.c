#include "world.h"

#include "actor.h"
#include "ask.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

static void bury(struct world *w, struct message *m, enum dead_reason why, const char *words)
{
    if (m->pub.kind == IRIS_USER) {
        atomic_fetch_add_explicit(&w->dead[why], 1, memory_order_relaxed);
        if (m->pub.ref)
            iris__port_dead(w, m->pub.ref, words);
    }
    iris__message_drop(w->pool, m);
}

void iris__world_dead_letter(struct world *w, struct message *m, enum dead_reason why)
{
    bury(w, m, why, why == DEAD_NODE ? "node: it went away" : "ended: before it answered");
}

void iris__world_crash_letter(struct world *w, struct message *m, const char *why)
{
    char *words = NULL;
    if (m->pub.ref && asprintf(&words, "crash: %s", why) < 0)
        words = NULL;
    bury(w, m, DEAD_CRASHED, words ? words : "crash: no memory for the reason");
    free(words);
}

long long iris__world_dead_total(const struct world *w)
{
    long long sum = 0;
    for (int i = 0; i < DEAD_REASONS; i++)
        sum += atomic_load_explicit(&w->dead[i], memory_order_relaxed);
    return sum;
}

void iris__world_event(struct world *w, enum event_kind kind, iris_actor *a, int level,
                       const char *fmt, ...)
{
    if (!w->hooks.event)
        return;
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    w->hooks.event(w, kind, a, level, n < 0 ? "(no memory for the words)" : text);
    if (n >= 0)
        free(text);
}
