#include "callers.h"

#include "fail.h"
#include "gate.h"
#include "overflow.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists; the door's lock is held ---- */

static void move(struct caller **at, int result, struct caller **to)
{
    struct caller *c = *at;
    *at = c->next;
    c->result = result;
    c->next = *to;
    *to = c;
}

void iris__callers_take(struct caller **from, const struct message *m, int result,
                        struct caller **to)
{
    while (*from && (*from)->message != m)
        from = &(*from)->next;
    if (*from)
        move(from, result, to);
}

void iris__callers_take_room(struct caller **from, int result, struct caller **to)
{
    while (*from)
        if ((*from)->message)
            from = &(*from)->next;
        else
            move(from, result, to);
}

void iris__callers_tell(struct caller *list)
{
    for (struct caller *next; list; list = next) {
        next = list->next;
        list->tell(list);
    }
}

/* ---- a message that waits ---- */

struct sender {
    struct caller caller;
    struct world *w;
    uint64_t pid;
};

/* Found by itself: the block of its message may be another one's by now. */
static int forget(struct caller **from, struct caller *c)
{
    while (*from && *from != c)
        from = &(*from)->next;
    if (!*from)
        return 0;
    *from = c->next;
    c->result = IRIS_EMPTY;
    return 1;
}

/* Its message out of the queue again. 0: it is not there any more, and the caller is being told. */
static int take_back(struct sender *s)
{
    struct world *w = s->w;
    iris_actor *a = iris__table_at(&w->table, s->pid);
    struct door *d = iris__door_lock(w, a, s->pid, DOOR_FIND);
    if (!d)
        return 0;
    int mine = forget(&d->callers, &s->caller);
    if (mine)
        iris__door_remove(d, s->caller.message);
    iris__door_set_limit(d, a);
    iris__door_unlock(d);
    if (!mine)
        return 0;
    iris__message_drop(w->pool, s->caller.message);
    return 1;
}

static struct message *letter(struct world *w, iris_actor *self, uint64_t to, const void *data,
                              size_t len, uint64_t ref)
{
    struct message *m = iris__message_new(w->pool, len);
    if (!m)
        return NULL;
    m->pub.kind = IRIS_USER;
    m->pub.from = iris__actor_pid(self);
    m->pub.to = to;
    m->pub.ref = ref;
    if (len)
        memcpy(m->body, data, len);
    return m;
}

/* *waits: s will be told. Else it is decided. */
static int post(struct sender *s, struct message *m, int *waits)
{
    struct overflow o = {.w = s->w, .caller = &s->caller, .m = m, .wait = OVERFLOW_CALLER};
    int result = iris__post_if(s->w, m);
    *waits = 0;
    if (result == IRIS_FULL && !(m->pub.to >> PID_NODE_SHIFT)) {
        result = iris__overflow(&o, s->pid);
        *waits = result == IRIS_OK && s->caller.message;
    }
    if (result)
        iris__message_drop(s->w->pool, m);
    return result;
}

/* ---- a thread that waits ---- */

struct thread_caller {
    struct sender sender;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int told, timer_over;
};

static void wake(struct thread_caller *k, int *what)
{
    pthread_mutex_lock(&k->lock);
    *what = 1;
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->lock);
}

static void tell_thread(struct caller *c)
{
    struct thread_caller *k = (struct thread_caller *)c;
    wake(k, &k->told);
}

static void time_out(void *ctx)
{
    struct thread_caller *k = ctx;
    if (take_back(&k->sender))
        wake(k, &k->told);
    wake(k, &k->timer_over);
}

static void await(struct thread_caller *k, const int *what)
{
    while (k->sender.w->sched.seeded && !*what && iris__sched_step(&k->sender.w->sched))
        ;
    if (k->sender.w->sched.seeded && !*what) { /* nothing is left that could make room */
        k->told = take_back(&k->sender);
        return;
    }
    pthread_mutex_lock(&k->lock);
    while (!*what)
        pthread_cond_wait(&k->changed, &k->lock);
    pthread_mutex_unlock(&k->lock);
}

static int set_timer(struct thread_caller *k, int64_t timeout, uint64_t *timer)
{
    struct world *w = k->sender.w;
    *timer = 0;
    if (timeout < 0)
        return IRIS_OK;
    return iris__timer_call(w, iris__sched_after(&w->sched, timeout), time_out, k, timer);
}

/* The timer is set when it is known that the message waits; it may have come in already. */
static int wait_at(struct thread_caller *k, int64_t timeout)
{
    uint64_t timer;
    if (set_timer(k, timeout, &timer)) {
        if (take_back(&k->sender))
            return IRIS_FULL;
        await(k, &k->told);
        return k->sender.caller.result;
    }
    await(k, &k->told);
    if (timer && iris__timer_cancel(k->sender.w, timer) != IRIS_OK)
        await(k, &k->timer_over);
    return k->sender.caller.result;
}

int iris__send_wait(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
                    int64_t timeout)
{
    struct world *w = iris__world_of(self);
    if (iris__thread.turn)
        return iris__fail("send_wait: a handler must not wait, it would hold up its thread; use "
                          "send(), which lets its actor wait where the policy is IRIS_BLOCK");
    if (!iris__world_is_here(w))
        return IRIS_DEAD;
    if (len > w->message_max)
        return IRIS_LARGE;
    struct message *m = letter(w, self, to, data, len, ref);
    if (!m)
        return IRIS_FULL;
    struct thread_caller k = {.sender = {.caller.tell = tell_thread, .w = w, .pid = to}};
    int waits;
    pthread_mutex_init(&k.lock, NULL);
    pthread_cond_init(&k.changed, NULL);
    int result = post(&k.sender, m, &waits);
    if (waits)
        result = wait_at(&k, timeout);
    pthread_cond_destroy(&k.changed);
    pthread_mutex_destroy(&k.lock);
    return result;
}

/* ---- a host whose message waits, and that hears of it ---- */

struct told_caller {
    struct sender sender;
    iris_answer *answer;
    atomic_int refs; /* who posts it, who tells it, and its timer */
    atomic_uint_fast64_t timer;
};

#define TOLD UINT64_MAX /* no timer has this number */

static void let_go(struct told_caller *k, int refs)
{
    if (atomic_fetch_sub(&k->refs, refs) == refs)
        free(k);
}

static void tell(iris_answer *answer, int result)
{
    answer->result = result;
    answer->message = NULL;
    if (answer->on)
        iris__executor_post(answer->on, &answer->job);
    else
        answer->job.run(&answer->job);
}

static void tell_host(struct caller *c)
{
    struct told_caller *k = (struct told_caller *)c;
    uint64_t timer = atomic_exchange(&k->timer, TOLD);
    int stopped = timer && iris__timer_cancel(k->sender.w, timer) == IRIS_OK;
    tell(k->answer, c->result);
    let_go(k, 1 + stopped);
}

static void is_late(void *ctx)
{
    struct told_caller *k = ctx;
    int mine = take_back(&k->sender);
    if (mine)
        tell(k->answer, IRIS_EMPTY);
    let_go(k, 1 + mine);
}

/* It waits, and may have come in already. */
static int limit(struct told_caller *k, int64_t timeout)
{
    struct world *w = k->sender.w;
    uint64_t timer;
    atomic_fetch_add(&k->refs, 1);
    if (iris__timer_call(w, iris__sched_after(&w->sched, timeout), is_late, k, &timer)) {
        int mine = take_back(&k->sender);
        let_go(k, 1 + mine);
        return mine ? IRIS_FULL : IRIS_OK;
    }
    if (atomic_exchange(&k->timer, timer) == TOLD && iris__timer_cancel(w, timer) == IRIS_OK)
        let_go(k, 1);
    return IRIS_OK;
}

static int post_told(struct told_caller *k, struct message *m, int64_t timeout)
{
    int waits, result = post(&k->sender, m, &waits);
    if (waits)
        return timeout < 0 ? IRIS_OK : limit(k, timeout);
    if (result == IRIS_OK)
        tell(k->answer, IRIS_OK);
    let_go(k, 1); /* nobody tells */
    return result;
}

int iris__send_told(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
                    int64_t timeout, iris_answer *answer)
{
    struct world *w = iris__world_of(self);
    if (!iris__world_is_here(w))
        return IRIS_DEAD;
    if (len > w->message_max)
        return IRIS_LARGE;
    struct told_caller *k = calloc(1, sizeof *k);
    struct message *m = k ? letter(w, self, to, data, len, ref) : NULL;
    if (!m) {
        free(k);
        return IRIS_FULL;
    }
    k->sender = (struct sender){.caller.tell = tell_host, .w = w, .pid = to};
    k->answer = answer;
    atomic_init(&k->refs, 2);
    int result = post_told(k, m, timeout);
    let_go(k, 1);
    return result;
}

static struct told_caller *find_told(struct door *d, const iris_answer *answer)
{
    for (struct caller *c = d->callers; c; c = c->next)
        if (c->tell == tell_host && ((struct told_caller *)c)->answer == answer)
            return (struct told_caller *)c;
    return NULL;
}

int iris__send_cancel(iris_actor *self, uint64_t to, const iris_answer *answer)
{
    struct world *w = iris__world_of(self);
    iris_actor *a = to >> PID_NODE_SHIFT ? NULL : iris__table_at(&w->table, to);
    struct door *d = a ? iris__door_lock(w, a, to, DOOR_FIND) : NULL;
    struct told_caller *k = d ? find_told(d, answer) : NULL;
    if (k)
        atomic_fetch_add(&k->refs, 1);
    if (d)
        iris__door_unlock(d);
    if (!k)
        return IRIS_DEAD;
    int mine = take_back(&k->sender);
    if (mine) {
        k->sender.caller.result = IRIS_CLOSED;
        tell_host(&k->sender.caller);
    }
    let_go(k, 1);
    return mine ? IRIS_OK : IRIS_DEAD;
}

/* ---- a host that wants to hear ---- */

struct room_caller {
    struct caller caller;
    iris_job *job;
    iris_executor *on;
};

static void tell_room(struct caller *c)
{
    struct room_caller r = *(struct room_caller *)c;
    free(c);
    if (r.on)
        iris__executor_post(r.on, r.job);
    else
        r.job->run(r.job);
}

/* Through the turn also where there is room now: so it is told in one way only. */
int iris__room(iris_actor *self, uint64_t to, iris_job *job, iris_executor *on)
{
    struct world *w = iris__world_of(self);
    iris_actor *a = iris__table_at(&w->table, to);
    if (!iris__world_is_here(w) || !a || !iris__gate_accepts(a, to))
        return IRIS_DEAD;
    struct room_caller *r = calloc(1, sizeof *r);
    struct message *bell = iris__message_signal(w->pool, KIND_DOOR, 0, to, 0, NULL);
    struct door *d = r && bell ? iris__door_lock(w, a, to, DOOR_MAKE) : NULL;
    if (!d) {
        free(r);
        if (bell)
            iris__message_drop(w->pool, bell);
        return iris__gate_accepts(a, to) ? iris__fail("room: no memory") : IRIS_DEAD;
    }
    *r = (struct room_caller){{d->callers, NULL, IRIS_OK, tell_room}, job, on};
    d->callers = &r->caller;
    d->told = 1;
    iris__door_unlock(d);
    iris__signal_post(w, bell);
    return IRIS_OK;
}
