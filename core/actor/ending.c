#include "ending.h"

#include "cold.h"
#include "gate.h"
#include "reason.h"
#include "thread.h"
#include "turn.h"

#include <stdio.h>
#include <stdlib.h>

static int end(iris_actor *a, enum ending_kind kind, const char *reason, int stopped,
               const struct excerpt *message)
{
    struct ending e = {.kind = kind, .reason = reason, .stopped = stopped, .message = message};
    return iris__actor_end(a, &e);
}

static int end_with(iris_actor *a, enum ending_kind kind, const char *word, const char *metadata,
                    const char *why, const struct excerpt *message)
{
    char *reason = iris__reason_write(word, metadata, why);
    int result = end(a, kind, reason ? reason : word, 0, message);
    free(reason);
    return result;
}

/* The ticker says of which turn of this lane it asked the host to interrupt it. */
static int was_interrupted(void)
{
    struct lane *l = iris__thread.lane;
    return l && atomic_load(&l->interrupted) == atomic_load(&l->turns);
}

int iris__ending_crash(iris_actor *a, const char *why, const struct excerpt *message)
{
    if (was_interrupted())
        return iris__ending_panic(a, "interrupted", why, message);
    return end_with(a, ENDING_CRASH, "crash", NULL, why, message);
}

int iris__ending_panic(iris_actor *a, const char *how, const char *why,
                       const struct excerpt *message)
{
    char metadata[64];
    snprintf(metadata, sizeof metadata, "how=%s", how);
    return end_with(a, ENDING_PANIC, "panic", metadata, why, message);
}

static const char *say_stopped(iris_actor *a, uint64_t before, char *room, size_t len)
{
    uint64_t handled = atomic_load_explicit(&a->handled, memory_order_relaxed);
    snprintf(room, len, "killed (how=stop, drained=%llu)", (unsigned long long)(handled - before));
    return room;
}

int iris__ending_stop(iris_actor *a, uint64_t before)
{
    char reason[64];
    iris__gate_shut(a); /* what came before the stop was handled; what was pushed meanwhile too */
    return end(a, ENDING_KILLED, say_stopped(a, before, reason, sizeof reason), 1, NULL);
}

void iris__ending_stop_pull(iris_actor *a, uint64_t before)
{
    char reason[64];
    iris__turn_exit(a, say_stopped(a, before, reason, sizeof reason), EXIT_STOPPED);
}

int iris__ending_asked(iris_actor *a)
{
    static const enum ending_kind kinds[] = {
        [EXIT_BY_ITSELF] = ENDING_NORMAL, [EXIT_KILLED] = ENDING_KILLED,
        [EXIT_STOPPED] = ENDING_KILLED,   [EXIT_RESTARTED] = ENDING_RESTART,
        [EXIT_LINKED] = ENDING_LINK,      [EXIT_PARENT] = ENDING_PARENT,
        [EXIT_CRASHED] = ENDING_CRASH};
    struct cold *c = iris__cold_if(a);
    char *reason = c ? c->exit_reason : NULL;
    enum exit_how how = c ? c->exit_how : EXIT_BY_ITSELF;
    if (c) {
        c->exit_reason = NULL;
        c->exit_how = EXIT_BY_ITSELF; /* of this incarnation */
    }
    int stopped = how == EXIT_STOPPED || how == EXIT_PARENT;
    int result = end(a, kinds[how], reason ? reason : "normal", stopped, NULL);
    free(reason);
    return result;
}

void iris__ending_excerpt(iris_actor *a, const iris_message *m, struct excerpt *e)
{
    struct cold *c = iris__cold_if(a);
    uint64_t before = c ? atomic_fetch_add_explicit(&c->crashed, 1, memory_order_relaxed) : 0;
    iris__excerpt(e, m, atomic_load_explicit(&a->handled, memory_order_relaxed) + before + 1, 1);
}
