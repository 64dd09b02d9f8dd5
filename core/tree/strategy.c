#include "keep.h"

#include "fail.h"
#include "message.h"

/* ---- counting ---- */

/* One more restart now: 0: that is too many. */
static int count(struct supervisor *v, int64_t now)
{
    uint32_t intensity = v->policy.intensity;
    if (!intensity || (v->used == intensity && now - v->times[v->at] <= v->policy.period))
        return 0;
    v->times[v->at] = now;
    v->at = v->at + 1 == intensity ? 0 : v->at + 1;
    v->used += v->used < intensity;
    return 1;
}

/* ---- one actor ---- */

void iris__member_begin(struct supervisors *s, struct member *m)
{
    if (atomic_load(s->closing))
        return;
    m->state = MEMBER_BEGINS;
    if (m->factory) {
        iris__factory_ask(s, m->factory);
        return;
    }
    m->order = ++s->orders;
    iris__keep_signal(s, KIND_BEGIN, m->pid, m->order << 1, NULL);
}

void iris__member_kill(struct supervisors *s, struct member *m, int for_good)
{
    m->is_killed = 1;
    if (for_good)
        iris__keep_signal(s, KIND_KILL, m->pid, KILL_FOR_GOOD,
                          "killed (how=shutdown): its time to end is over");
    else
        iris__keep_signal(s, KIND_RESTART, m->pid, m->order << 1 | RESTART_AT_ONCE, RESTARTS_WORDS);
}

/* Its time to end is over: it is killed; and then, where even that does nothing, left behind. */
static void hurry(struct supervisors *s, struct member *m, struct supervisor *v)
{
    if (!m->is_killed) {
        iris__member_kill(s, m, m->state == MEMBER_ENDS || m->factory || (v && v->round.is_final));
        m->alarm = iris__wakeup_set(s, m, NULL, KILL_TIME);
        return;
    }
    m->is_late = 1;
    iris__keep_errand(s, ERRAND_LATE, m->pid, NULL, 0, 0);
    if (v)
        iris__round_advance(s, v);
}

void iris__member_time(struct supervisors *s, struct member *m)
{
    const struct supervisor *v = iris__round_over(m);
    if (m->far && m->far->state != FAR_TAKEN)
        iris__far_time(s, m);
    else if (m->state == MEMBER_DOWN && (!v || v->round.phase == ROUND_STARTS))
        iris__member_begin(s, m);
    else if (m->state == MEMBER_HALTS || m->state == MEMBER_ENDS)
        hurry(s, m, iris__round_over(m));
}

void iris__member_lives(struct member *m)
{
    m->state = MEMBER_LIVES;
    m->is_late = m->is_killed = m->is_planned = 0;
    iris__wakeup_clear(&m->alarm);
}

static enum afterwards goes_down(struct member *m)
{
    m->state = MEMBER_DOWN;
    m->is_late = m->is_killed = 0;
    iris__wakeup_clear(&m->alarm);
    return AFTER_WAITS;
}

/* ---- a failure ---- */

/* It alone, in place. */
static enum afterwards restart_one(struct supervisors *s, struct member *m, int64_t delay)
{
    if (delay && (m->alarm = iris__wakeup_set(s, m, NULL, delay)))
        return AFTER_WAITS;
    iris__member_lives(m);
    return AFTER_AGAIN;
}

static enum afterwards restart_under(struct supervisors *s, struct supervisor *v, struct member *x,
                                     struct member *failed)
{
    int64_t delay = iris__backoff_next(s, v, x);
    int own = x == failed && failed->factory ? failed->factory->strategy : -1;
    enum strategy strategy = own < 0 ? v->policy.strategy : (enum strategy)own;
    iris__keep_errand(s, ERRAND_DECIDED, failed->pid, v, DECIDED_RESTART, delay);
    goes_down(failed);
    if (strategy == ONE_FOR_ONE && x == failed)
        return restart_one(s, failed, delay);
    if (strategy == ONE_FOR_ONE)
        iris__round_begin(s, x->sub, x->sub->head, v, failed->of, delay);
    else
        iris__round_begin(s, v, strategy == REST_FOR_ONE ? x : v->head, v, failed->of, delay);
    return AFTER_WAITS;
}

/* v could not hold it. 1: its actors, or the app, end; 0: its parent decides. */
static int give_up(struct supervisors *s, struct supervisor *v, struct member *failed)
{
    int ends = v->policy.on_exhausted == EXHAUSTED_STOP;
    int leaves = !v->parent || v->policy.on_exhausted == EXHAUSTED_EXIT;
    uint32_t decision = ends ? DECIDED_END : leaves ? DECIDED_EXIT : DECIDED_ESCALATE;
    iris__keep_errand(s, ERRAND_DECIDED, failed->pid, v, decision, 0);
    iris__keep_errand(s, ERRAND_EXHAUSTED, failed->pid, v, decision, 0);
    v->used = v->at = 0;
    v->exhausted++;
    if (ends)
        iris__round_final(s, v);
    else if (leaves)
        iris__keep_errand(s, ERRAND_END, failed->pid, v, decision, 0);
    return ends || leaves;
}

static struct member *under(struct supervisor *v, struct member *m)
{
    while (m->of != v)
        m = m->of->self;
    return m;
}

static enum afterwards fail(struct supervisors *s, struct member *m, struct supervisor *round)
{
    struct supervisor *v = round ? round->round.by : m->of;
    int64_t now = iris__sched_now(&s->world->sched);
    while (!count(v, now)) {
        m->state = MEMBER_HALTS; /* nobody need tell it any more */
        if (give_up(s, v, m))
            return AFTER_GONE;
        v = v->parent;
    }
    return restart_under(s, v, under(v, m), m);
}

/* ---- an ending ---- */

int iris__restarts(enum restart_when when, int is_planned, const struct ending *e)
{
    if (e->stopped || e->kind == ENDING_PARENT)
        return 0;
    if (e->kind == ENDING_RESTART)
        return when != RESTART_NEVER || is_planned || e->reverts;
    return when == RESTART_ALWAYS || (when == RESTART_ON_FAILURE && iris__ending_is_failure(e));
}

/* As the round wants it; a round that has passed it by is not waited for. */
static enum afterwards halted(struct supervisors *s, struct member *m, struct supervisor *round)
{
    if (round && round->round.is_final)
        return AFTER_GONE;
    if (!round || round->round.phase == ROUND_STARTS) {
        iris__member_lives(m);
        return AFTER_AGAIN;
    }
    goes_down(m);
    iris__round_advance(s, round);
    return AFTER_WAITS;
}

enum afterwards iris__member_follow(struct supervisors *s, struct member *m, const struct ending *e)
{
    struct supervisor *round = iris__round_over(m);
    if (m->factory)
        return AFTER_GONE; /* and what follows then, iris__member_failed() sees */
    if (!iris__restarts(m->restart, m->is_planned, e) || m->state == MEMBER_ENDS)
        return AFTER_GONE;
    if (m->state == MEMBER_HALTS)
        return halted(s, m, round);
    if (e->kind == ENDING_RESTART && !e->reverts) /* a HALT that came when it was down already */
        return AFTER_WAITS;
    if (m->state == MEMBER_DOWN || (m->state == MEMBER_BEGINS && e->kind == ENDING_KILLED))
        return AFTER_GONE; /* who is killed between two incarnations has no next one */
    if (round && round->round.phase != ROUND_STARTS)
        return goes_down(m); /* it need not be told any more */
    if (e->reverts) {
        iris__member_lives(m);
        return AFTER_AGAIN;
    }
    return fail(s, m, round);
}

void iris__member_leaves(struct supervisors *s, struct member *m, struct supervisor *round)
{
    iris__member_remove(s, m);
    if (round)
        iris__round_advance(s, round);
}

void iris__member_failed(struct supervisors *s, struct member *m)
{
    struct supervisor *round = iris__round_over(m);
    int was_told = m->state == MEMBER_HALTS;
    iris__member_set_pid(s, m, 0);
    iris__wakeup_clear(&m->alarm);
    if (was_told || (round && round->round.phase != ROUND_STARTS)) {
        goes_down(m);
        if (round)
            iris__round_advance(s, round);
        else
            iris__member_begin(s, m);
        return;
    }
    enum afterwards then = fail(s, m, round);
    if (then == AFTER_AGAIN)
        iris__member_begin(s, m);
    else if (then == AFTER_GONE)
        iris__member_leaves(s, m, iris__round_over(m));
}

void iris__member_fell(struct supervisors *s, struct member *m)
{
    struct supervisor *round = iris__round_over(m);
    if (round && round->round.phase != ROUND_STARTS) {
        goes_down(m);
        return;
    }
    enum afterwards then = fail(s, m, round);
    if (then == AFTER_AGAIN)
        iris__member_begin(s, m);
    else if (then == AFTER_GONE)
        iris__keep_signal(s, KIND_KILL, m->pid, KILL_FOR_GOOD,
                          "killed (how=shutdown): its supervisor gave it up");
}

struct member *iris__member_kept(struct supervisors *s, iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    uint64_t pid = iris__actor_pid(a);
    struct member *m = iris__member_of(s, pid);
    if (m || !c || !c->is_kept)
        return m;
    struct membership how = {c->restart, c->shutdown};
    return iris__member_join(s, c->path, pid, &how); /* it ends before it was made known */
}

enum afterwards iris__supervisor_ended(struct supervisors *s, iris_actor *a, const struct ending *e)
{
    struct errands errands;
    if (atomic_load(s->closing))
        return AFTER_GONE;
    iris__keep_lock(s, &errands);
    struct ward *ward = iris__ward_of(s, iris__actor_pid(a));
    struct member *m = ward ? NULL : iris__member_kept(s, a);
    enum afterwards then = ward ? iris__ward_ended(s, ward, e)
                           : m  ? iris__member_follow(s, m, e)
                                : AFTER_GONE;
    iris__keep_unlock(s);
    return then;
}

static void stop(struct supervisors *s, struct member *m)
{
    int at_once = m->shutdown == SHUTDOWN_KILL;
    iris__wakeup_clear(&m->alarm);
    m->state = MEMBER_ENDS;
    m->is_killed = at_once;
    if (at_once)
        iris__member_kill(s, m, 1);
    else
        iris__keep_errand(s, ERRAND_STOP, m->pid, NULL, 0, 0);
    m->alarm = iris__wakeup_set(s, m, NULL, at_once ? KILL_TIME : m->shutdown);
}

int iris__supervisor_stop(struct supervisors *s, uint64_t pid)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct ward *ward = iris__ward_of(s, pid);
    if (ward)
        iris__ward_stop(s, ward);
    struct member *m = iris__member_of(s, pid);
    if (m && m->state != MEMBER_ENDS)
        stop(s, m);
    iris__keep_unlock(s);
    if (m)
        return iris__actor_alive(s->world, pid) ? IRIS_OK : IRIS_DEAD;
    return iris__actor_stop(s->world, pid);
}

/* Of one that is between two incarnations, or about to be, the next one is under way. */
static int restart(struct supervisors *s, struct member *m)
{
    if (m->state == MEMBER_ENDS)
        return iris__fail("it is being stopped");
    if (m->state == MEMBER_LIVES) {
        m->is_planned = 1;
        iris__member_halt(s, m, 0);
    } else if (m->state == MEMBER_DOWN && m->alarm && !iris__round_over(m)) {
        iris__wakeup_clear(&m->alarm);
        iris__member_begin(s, m);
    }
    return IRIS_OK;
}

int iris__supervisor_restart(struct supervisors *s, uint64_t pid)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct ward *ward = iris__ward_of(s, pid);
    struct member *m = iris__member_of(s, pid);
    int result = ward ? IRIS_OK : m ? restart(s, m) : IRIS_DEAD, is_kept = ward || m;
    int is_anew = m && (m->factory || m->far); /* under a pid that is not here */
    if (ward)
        iris__ward_restart(s, ward);
    iris__keep_unlock(s);
    /* One that has just ended may still be a member. */
    if (!is_anew && !iris__actor_alive(s->world, pid))
        return IRIS_DEAD;
    return is_kept ? result : iris__fail("nobody supervises it, so nobody can begin it again");
}

int iris__supervisor_retune(struct supervisors *s, uint64_t pid, const struct membership *how)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct member *m = iris__member_of(s, pid);
    if (m) {
        m->restart = how->restart;
        m->shutdown = how->shutdown ? how->shutdown : SHUTDOWN_DEFAULT;
    }
    struct ward *ward = iris__ward_of(s, pid);
    if (ward)
        iris__ward_retune(ward, how);
    iris__keep_unlock(s);
    return m || ward ? IRIS_OK : IRIS_DEAD;
}

/* Of members here and elsewhere. */
void iris__member_began(struct supervisors *s, struct member *m)
{
    if (m->state != MEMBER_BEGINS)
        return;
    iris__member_lives(m);
    struct supervisor *round = iris__round_over(m);
    if (round)
        iris__round_advance(s, round);
}

void iris__supervisor_began(struct supervisors *s, iris_actor *a)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct ward *ward = iris__ward_of(s, iris__actor_pid(a));
    struct member *m = iris__member_of(s, iris__actor_pid(a));
    if (ward)
        iris__ward_began(s, ward);
    if (m)
        iris__member_began(s, m);
    iris__keep_unlock(s);
}

void iris__supervisor_gone(struct supervisors *s, uint64_t pid)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct ward *ward = iris__ward_of(s, pid);
    if (ward)
        iris__ward_gone(s, ward);
    iris__far_forsaken(s, pid);
    struct member *m = iris__member_of(s, pid);
    if (m) {
        struct supervisor *round = iris__round_over(m);
        int is_final = round && round->round.is_final;
        if (m->factory && !is_final && !atomic_load(s->closing))
            iris__member_failed(s, m);
        else
            iris__member_leaves(s, m, round);
    }
    iris__keep_unlock(s);
}
