#include "turn.h"

#include "cold.h"
#include "fail.h"
#include "gate.h"
#include "mailbox.h"
#include "watch.h"

#include <stdlib.h>

static int remember(struct cold *c, struct message *m)
{
    if (c->open_used == c->open_room) {
        uint32_t room = c->open_room ? c->open_room * 2 : 8;
        struct message **open = realloc(c->open, room * sizeof(struct message *));
        if (!open)
            return -1;
        c->open = open;
        c->open_room = room;
    }
    c->open[c->open_used++] = m;
    return 0;
}

int iris__later(iris_actor *a, const iris_message *pub)
{
    struct message *m = iris__message_of(pub);
    struct cold *c = iris__cold(a);
    if (a->flags & ACTOR_PULLS)
        return iris__fail(
            "later: a pull actor takes its next message when it is ready; keep() this");
    if (!c || a->open == UINT16_MAX || remember(c, m))
        return iris__fail("later: no memory to remember the message; handle it now");
    m->next = (struct message *)a;
    atomic_store(&m->later, LATER_OPEN);
    a->open++;
    atomic_fetch_add(&iris__world_of(a)->laters, 1);
    return IRIS_OK;
}

/* The reason of a failure is this thread's and the turn another's: a signal carries it. */
static int tell_failure(iris_actor *a, struct message *m)
{
    struct world *w = iris__world_of(a);
    struct message *s = iris__message_signal(w->pool, KIND_LATER_FAILED, 0, iris__actor_pid(a),
                                             (uintptr_t)m, iris__reason());
    return s ? iris__signal_push(a, s) : IRIS_FAIL;
}

/* Either the actor is told, or it has ended and this reference was the last thing of it. The actor
 * cannot be gone: one with something on its way keeps its signals open. */
int iris__done(const iris_message *pub, int result)
{
    struct message *m = iris__message_of(pub);
    iris_actor *a = (iris_actor *)m->next;
    if (!(atomic_load(&m->later) & LATER_OPEN))
        return iris__fail(
            "done: this message was not put off; call later() first, and done() once");
    m->result = (uint8_t)result;
    if (atomic_fetch_or(&m->later, LATER_DONE) & LATER_ENDED) {
        iris__message_drop(iris__pool_of(m, m->tier), m);
        return IRIS_DEAD;
    }
    if (result == IRIS_OK || result == IRIS_AGAIN || tell_failure(a, m))
        iris__signal_push(a, m);
    return IRIS_OK;
}

static void forget(struct cold *c, struct message *m)
{
    for (uint32_t i = 0; i < c->open_used; i++)
        if (c->open[i] == m) {
            for (; i + 1 < c->open_used; i++)
                c->open[i] = c->open[i + 1];
            c->open_used--;
            return;
        }
}

static void close_one(iris_actor *a)
{
    a->open--;
    atomic_fetch_sub(&iris__world_of(a)->laters, 1);
}

/* Those that were given back stand, in order, before everything else. */
static void put_back(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    for (uint32_t i = c->open_used; i-- > 0;) {
        struct message *m = c->open[i];
        atomic_store(&m->later, 0);
        if (m->flags & MESSAGE_HEARD) {
            iris__watch_again(a, m);
            continue;
        }
        m->next = a->local;
        a->local = m;
        iris__mailbox_adjust(a, 1);
    }
    c->open_used = 0;
}

/* It was handled, or crashed its handler. */
static void finish(iris_actor *a, struct message *m, int handled)
{
    if (m->flags & MESSAGE_HEARD) {
        iris__watch_settle(a, &m->pub);
        return;
    }
    atomic_fetch_add_explicit(&a->handled, (unsigned)handled, memory_order_relaxed);
    iris__gate_release(a, 1);
}

int iris__later_settle(iris_actor *a, struct message *m)
{
    struct world *w = iris__world_of(a);
    close_one(a);
    if (atomic_load(&m->later) & LATER_ENDED) { /* counted as dead before; this was done()'s part */
        iris__message_drop(w->pool, m);
        if (!a->open && iris__cold_if(a))
            put_back(a);
        return IRIS_DEAD;
    }
    int result = m->result;
    if (result == IRIS_AGAIN)
        atomic_fetch_or(&m->later, LATER_SETTLED);
    else {
        forget(iris__cold_if(a), m);
        finish(a, m, result == IRIS_OK);
    }
    if (result == IRIS_OK)
        iris__message_drop(w->pool, m);
    if (!a->open) {
        iris__turn_catch_up(a);
        put_back(a);
    }
    return result == IRIS_OK || result == IRIS_AGAIN ? IRIS_OK : IRIS_FAIL;
}

/* A message is counted as dead at once; its memory is the handler's until done(). */
static void end_one(iris_actor *a, struct message *m)
{
    struct world *w = iris__world_of(a);
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed); /* for the dead letter */
    if (!(m->flags & MESSAGE_HEARD))
        iris__gate_release(a, 1);
    if (!(atomic_fetch_or(&m->later, LATER_ENDED) & LATER_DONE))
        close_one(a); /* done() will find it ended and see to itself */
    iris__world_dead_letter(w, m, DEAD_ENDED);
}

/* Those that were given back had not begun: they stay in the mailbox. */
void iris__later_end(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    uint32_t left = 0;
    for (uint32_t i = 0; c && i < c->open_used; i++)
        if (atomic_load(&c->open[i]->later) & LATER_SETTLED)
            c->open[left++] = c->open[i];
        else
            end_one(a, c->open[i]);
    if (!c)
        return;
    atomic_fetch_add_explicit(&c->unfinished, c->open_used - left, memory_order_relaxed);
    c->open_used = left;
    put_back(a);
}
