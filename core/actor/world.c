#include "world.h"

#include "actor.h"
#include "ask.h"
#include "fail.h"
#include "gate.h"
#include "route.h"
#include "send.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARN_EVERY (10 * IRIS__SECOND)

int iris__world_stayed(void)
{
    iris__fail(
        "this process is the child of a fork, and the runtime stayed with its parent; open one of "
        "your own here");
    return 0;
}

static void tell_asker(struct world *w, uint64_t asked, uint64_t ref, const char *words)
{
    if (IRIS__NODE_OF(ref)) /* who asked is on another node */
        iris__signal(w, IRIS_DOWN, asked, ref, ref, words);
    else if (ref)
        iris__port_dead(w, ref, words);
}

static void count_dead(struct world *w, enum dead_reason why)
{
    atomic_fetch_add_explicit(&w->dead[why], 1, memory_order_relaxed);
}

static void bury(struct world *w, struct message *m, enum dead_reason why, const char *words)
{
    if (m->pub.kind == IRIS_USER) {
        count_dead(w, why);
        tell_asker(w, m->pub.to, m->pub.ref, words);
    }
    iris__message_drop(w->pool, m);
}

void iris__world_dead_letter(struct world *w, struct message *m, enum dead_reason why)
{
    bury(w, m, why,
         why == DEAD_NODE      ? "node: it went away"
         : why == DEAD_DROPPED ? "dropped: a newer message took its place in a full mailbox"
                               : "ended: before it answered");
}

void iris__world_crash_letter(struct world *w, struct message *m, const char *why)
{
    char *words = NULL;
    if (m->pub.ref && asprintf(&words, "crash: %s", why) < 0)
        words = NULL;
    bury(w, m, DEAD_CRASHED, words ? words : "crash: no memory for the reason");
    free(words);
}

void iris__world_node_letter(struct world *w, struct message *m, const char *why)
{
    char words[256];
    snprintf(words, sizeof words, "node: %s", why);
    bury(w, m, DEAD_NODE, words);
}

/* Not so often that nobody reads it any more. */
static int is_worth_a_word(struct world *w)
{
    int64_t now = iris__sched_now(&w->sched) + 1, before = atomic_load(&w->warned);
    return (!before || now - before >= WARN_EVERY) &&
           atomic_compare_exchange_strong(&w->warned, &before, now);
}

/* As a send sees it. */
static int is_there(struct world *w, uint64_t pid)
{
    if (IRIS__NODE_OF(pid))
        return iris__route_is_up(w, pid);
    const iris_actor *a = iris__table_at(&w->table, pid);
    return a && iris__gate_accepts(a, pid);
}

void iris__world_drop_answer(struct world *w, iris_actor *self, uint64_t ref)
{
    if (!is_there(w, ref)) {
        count_dead(w, IRIS__NODE_OF(ref) ? DEAD_NODE : DEAD_UNWANTED);
        return;
    }
    count_dead(w, DEAD_DROPPED);
    tell_asker(w, iris__actor_pid(self), ref, "dropped: there was no room for the answer");
    if (is_worth_a_word(w))
        iris__world_event(
            w, EVENT_LOG, self, IRIS_WARN,
            "an answer to %llu was dropped: there is no room where it was to go (said "
            "every 10 s at most; counted each time)",
            (unsigned long long)ref);
}

long long iris__world_dead_total(const struct world *w)
{
    long long sum = 0;
    for (int i = 0; i < DEAD_REASONS; i++)
        sum += atomic_load_explicit(&w->dead[i], memory_order_relaxed);
    return sum;
}

void iris__excerpt(struct excerpt *e, const iris_message *m, uint64_t number, uint32_t messages)
{
    *e = (struct excerpt){.number = number,
                          .from = m->from,
                          .len = m->len,
                          .used = m->len < EXCERPT_ROOM ? m->len : EXCERPT_ROOM,
                          .messages = messages};
    if (e->used)
        memcpy(e->bytes, m->data, e->used);
}

/* No words are made of what nobody listens to. */
static int is_heard(const struct world *w, enum event_kind kind, int level)
{
    return w->hooks.event &&
           (level >= atomic_load_explicit(&w->event_level, memory_order_relaxed) ||
            kind == EVENT_LOG);
}

static void tell(struct world *w, enum event_kind kind, iris_actor *a, int level,
                 const struct event_detail *detail, const char *fmt, va_list args)
{
    char room[256], *more = NULL;
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(room, sizeof room, fmt, args);
    if (n >= (int)sizeof room && vasprintf(&more, fmt, again) < 0)
        more = NULL; /* then what had room will have to do */
    va_end(again);
    w->hooks.event(w, kind, a, level, detail, more ? more : room);
    free(more);
}

void iris__world_event(struct world *w, enum event_kind kind, iris_actor *a, int level,
                       const char *fmt, ...)
{
    static const struct event_detail none;
    va_list args;
    if (!is_heard(w, kind, level))
        return;
    va_start(args, fmt);
    tell(w, kind, a, level, &none, fmt, args);
    va_end(args);
}

void iris__world_tell(struct world *w, enum event_kind kind, iris_actor *a, int level,
                      const struct event_detail *detail, const char *fmt, ...)
{
    static const struct event_detail none;
    va_list args;
    if (!is_heard(w, kind, level))
        return;
    va_start(args, fmt);
    tell(w, kind, a, level, detail ? detail : &none, fmt, args);
    va_end(args);
}
