#include "ask.h"

#include "actor.h"
#include "fail.h"
#include "gate.h"
#include "mailbox.h"
#include "send.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>

/* Lives until it is completed (answer, death or timeout, whichever wins the gate) and, where a timer was
 * set, until that is cancelled or has fired: hence two references. */
struct ask {
    struct world *world;
    iris_actor *port;
    uint64_t pid, timer;
    iris_answer *answer;
    atomic_int refs;
    uint64_t watched, ref; /* it is no question, but waits for the end of this actor; 0: none */
    int is_question;       /* work, as far as --until-idle is concerned */
};

static void let_go(struct ask *k, int refs)
{
    if (atomic_fetch_sub(&k->refs, refs) == refs)
        free(k);
}

/* The timer's reference too, if it has not fired. */
static int take_timer(struct ask *k)
{
    return iris__timer_cancel(k->world, k->timer) == IRIS_OK;
}

static iris_actor *open_port(struct world *w, struct ask *k, unsigned marks)
{
    iris_actor *a = iris__table_take(&w->table);
    if (!a)
        return NULL;
    uint32_t generation = iris__gate_last_generation(a) + 1;
    a->state = k;
    a->executor = &w->sched.pool;
    atomic_store(&a->in, MAILBOX_CLOSED);
    atomic_store(&a->signals, SIGNALS_CLOSED);
    atomic_store(&a->handled, 0);
    atomic_store(&a->cold, NULL);
    atomic_store(&a->limit, 0);
    atomic_store(&a->marks, marks);
    k->pid = (uint64_t)generation << PID_SLOT_BITS | a->slot;
    k->port = a;
    iris__gate_open(a, generation);
    return a;
}

/* Whoever takes the generation out of the gate completes the ask; nobody else finds it again. */
static struct ask *win(iris_actor *port, uint64_t pid)
{
    uint32_t generation = iris__pid_generation(pid);
    uint64_t open = (uint64_t)(generation | GATE_OPEN) << 32;
    return atomic_compare_exchange_strong(&port->gate, &open, generation) ? port->state : NULL;
}

static void close_port(struct world *w, iris_actor *port)
{
    atomic_store(&port->marks, 0);
    iris__table_give(&w->table, port);
}

/* refs: how many of k's references the caller gives up. */
static void complete(struct ask *k, int refs, int result, struct message *m)
{
    struct world *w = k->world;
    iris_answer *answer = k->answer;
    iris_actor *port = k->port;
    int is_question = k->is_question;
    let_go(k, refs);
    answer->result = result;
    answer->message = m ? &m->pub : NULL;
    if (answer->on)
        iris__executor_post(answer->on, &answer->job);
    else
        answer->job.run(&answer->job);
    if (is_question)
        atomic_fetch_sub(&w->asks, 1);
    close_port(w, port); /* last: until then the runtime does not close */
}

int iris__port_answer(struct world *w, iris_actor *port, struct message *m)
{
    (void)w;
    struct ask *k = win(port, m->pub.to);
    if (!k)
        return IRIS_DEAD;
    complete(k, 1 + take_timer(k), IRIS_OK, m);
    return IRIS_OK;
}

/* NULL: it is no ask, or one that is over. */
static struct ask *win_id(struct world *w, uint64_t pid)
{
    iris_actor *a = pid >> PID_NODE_SHIFT ? NULL : iris__table_at(&w->table, pid);
    return a && atomic_load(&a->marks) & MARK_PORT ? win(a, pid) : NULL;
}

int iris__ask_cancel(struct world *w, uint64_t id)
{
    struct ask *k = win_id(w, id);
    if (!k)
        return IRIS_DEAD;
    complete(k, 1 + take_timer(k), IRIS_CLOSED, NULL);
    return IRIS_OK;
}

/* What waits for an end is answered by a DOWN, and not told of one without words. */
static int is_waiting(struct world *w, uint64_t pid)
{
    iris_actor *a = pid >> PID_NODE_SHIFT ? NULL : iris__table_at(&w->table, pid);
    return a && atomic_load(&a->marks) & MARK_WAITS;
}

void iris__port_dead(struct world *w, uint64_t pid, const char *why)
{
    struct ask *k = !why && is_waiting(w, pid) ? NULL : win_id(w, pid);
    struct message *m = k && why ? iris__message_signal(w->pool, IRIS_USER, 0, pid, 0, why) : NULL;
    if (k)
        complete(k, 1 + take_timer(k), IRIS_DEAD, m);
}

void iris__port_down(struct world *w, const iris_message *down)
{
    char words[256];
    if (is_waiting(w, down->to))
        return;
    snprintf(words, sizeof words, "%.*s", (int)down->len, (const char *)down->data);
    iris__port_dead(w, down->to, words);
}

/* Nobody waits any more for what this asks to be told. */
static void take_back(struct world *w, const iris_message *monitor)
{
    if (IRIS__NODE_OF(monitor->to))
        iris__route_unwatch(w, monitor->to, monitor->ref);
    else
        iris__signal(w, IRIS_DEMONITOR, monitor->from, monitor->to, monitor->ref, NULL);
}

static void time_out(void *ctx)
{
    struct ask *k = ctx;
    if (!win(k->port, k->pid)) {
        let_go(k, 1);
        return;
    }
    if (k->watched)
        take_back(k->world, &(iris_message){.from = k->pid, .to = k->watched, .ref = k->ref});
    complete(k, 2, IRIS_EMPTY, NULL);
}

static void give_up(struct ask *k)
{
    struct world *w = k->world;
    close_port(w, k->port);
    let_go(k, 1 + take_timer(k));
    atomic_fetch_sub(&w->asks, 1);
}

static struct ask *create(struct world *w, iris_answer *answer, int is_question)
{
    if (!iris__world_is_here(w))
        return NULL;
    struct ask *k = calloc(1, sizeof *k);
    if (!k) {
        iris__fail("ask: no memory");
        return NULL;
    }
    *k = (struct ask){.world = w, .answer = answer, .refs = 2, .is_question = is_question};
    if (open_port(w, k, is_question ? MARK_PORT : MARK_PORT | MARK_WAITS))
        return k;
    free(k);
    return NULL;
}

int iris__ask(iris_actor *self, uint64_t to, const void *data, size_t len, int64_t timeout,
              iris_answer *answer)
{
    uint64_t id;
    return iris__ask_id(self, to, data, len, timeout, answer, &id);
}

int iris__ask_id(iris_actor *self, uint64_t to, const void *data, size_t len, int64_t timeout,
                 iris_answer *answer, uint64_t *id)
{
    struct world *w = iris__world_of(self);
    struct ask *k = create(w, answer, 1);
    if (!k)
        return IRIS_FAIL;
    atomic_fetch_add(&w->asks, 1);
    uint64_t pid = k->pid;
    iris_actor *port = k->port;
    int64_t deadline = iris__sched_after(&w->sched, timeout < 0 ? 0 : timeout);
    int result = iris__timer_call(w, deadline, time_out, k, &k->timer);
    if (result)
        atomic_store(&k->refs, 1); /* there is no timer, and nobody else knows of it yet */
    else {
        *id = pid; /* from here on it may be cancelled */
        result = iris__send(self, to, data, len, pid);
    }
    if (result == IRIS_OK || !win(port, pid))
        return IRIS_OK; /* or the timeout was faster than the refusal: it has told */
    give_up(port->state);
    return result;
}

/* ---- waiting for what is no answer ---- */

/* 0: there is no timer, which is no failure only where the timeout is for ever. */
static int set_timeout(struct ask *k, int64_t timeout)
{
    struct world *w = k->world;
    if (timeout >= 0 && iris__timer_call(w, iris__sched_after(&w->sched, timeout), time_out, k,
                                         &k->timer) == IRIS_OK)
        return 1;
    atomic_store(&k->refs, 1);
    return 0;
}

int iris__port_wait(struct world *w, int64_t timeout, iris_answer *answer, uint64_t *port)
{
    struct ask *k = create(w, answer, 0);
    if (!k)
        return IRIS_FAIL;
    *port = k->pid;
    if (set_timeout(k, timeout) || timeout < 0)
        return IRIS_OK;
    close_port(w, win(k->port, k->pid)->port);
    free(k);
    return iris__fail("wait: no memory for a timer");
}

int iris__port_ended(struct world *w, uint64_t pid, int64_t timeout, iris_answer *answer,
                     uint64_t *port)
{
    uint64_t ref = atomic_fetch_add(&w->refs, 1);
    struct ask *k = create(w, answer, 0);
    if (!k)
        return IRIS_FAIL;
    *port = k->pid;
    k->watched = pid;
    k->ref = ref;
    iris_message monitor = {.kind = IRIS_MONITOR, .from = k->pid, .to = pid, .ref = ref};
    if (!set_timeout(k, timeout) && timeout >= 0) {
        close_port(w, win(k->port, k->pid)->port);
        free(k);
        return iris__fail("ended: no memory for a timer");
    }
    /* k may be gone from here on */
    int result = IRIS__NODE_OF(pid) ? iris__route_watch(w, monitor.from, pid, ref, 0)
                                    : iris__signal(w, IRIS_MONITOR, monitor.from, pid, ref, NULL);
    if (result)
        iris__watch_noproc(w, &monitor);
    else if (!iris__port_waits(w, monitor.from)) /* over before it was sent: nobody took it back */
        take_back(w, &monitor);
    return IRIS_OK;
}

void iris__port_tell(struct world *w, uint64_t pid, struct message *m)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    m->pub.to = pid;
    if (!a || iris__port_answer(w, a, m))
        iris__message_drop(w->pool, m);
}

int iris__port_waits(struct world *w, uint64_t pid)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    return a && iris__gate_is(a, pid);
}
