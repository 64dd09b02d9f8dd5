#include "keeper.h"

/* What follows closer is fired together: a wake-up costs more than a hundred timers do. Counted from when
 * the last firing was meant to be, so that who wakes late is not late for what follows too. */
#define GATHER (IRIS__MS * 6 / 25)

static int64_t next_firing(const struct sched *s)
{
    int64_t at = s->wake_at, earliest = s->fired_at + GATHER;
    if (s->is_firing) /* who fires tells us of what is left */
        return INT64_MAX;
    return at > earliest ? at : earliest;
}

int64_t iris__keeper_next(const struct sched *s, const struct worker *w)
{
    return s->keeper == w ? next_firing(s) : INT64_MAX;
}

/* Lock held: what is next has changed. One that is awake will look before it sleeps. */
static void call(struct sched *s)
{
    if (s->keeper) {
        if (atomic_load(&s->keeper->parked))
            iris__bell_ring(s->keeper->bell);
    } else if (next_firing(s) < s->looks_at) {
        atomic_store(&s->ticker_idle, 0);
        pthread_cond_broadcast(&s->changed);
    }
}

/* Looked at without the lock first: whoever fires puts it to never, and looks at the timers only then,
 * under the lock under which this one was just added. */
void iris__sched_expect(struct sched *s, int64_t deadline)
{
    if (deadline >= atomic_load(&s->wake_at))
        return;
    pthread_mutex_lock(&s->lock);
    if (deadline < s->wake_at) {
        s->wake_at = deadline;
        call(s);
    }
    pthread_mutex_unlock(&s->lock);
}

int64_t iris__keeper_begin(struct sched *s, struct worker *w)
{
    pthread_mutex_lock(&s->lock);
    if (!s->keeper && !atomic_load(&w->dead))
        s->keeper = w;
    int64_t next = iris__keeper_next(s, w);
    pthread_mutex_unlock(&s->lock);
    return next;
}

void iris__keeper_end(struct sched *s, struct worker *w)
{
    pthread_mutex_lock(&s->lock);
    if (s->keeper == w) {
        s->keeper = NULL;
        call(s);
    }
    pthread_mutex_unlock(&s->lock);
}

void iris__keeper_recall(struct sched *s)
{
    pthread_mutex_lock(&s->lock);
    struct worker *w = s->keeper;
    if (w && !atomic_load(&w->parked) && next_firing(s) <= iris__sched_now(s))
        s->keeper = NULL;
    pthread_mutex_unlock(&s->lock);
}

/* The time is put to never before firing: a timer added meanwhile may set it again. */
static int begin(struct sched *s, const struct worker *w, int64_t now)
{
    pthread_mutex_lock(&s->lock);
    int64_t next = iris__keeper_next(s, w);
    int due = next <= now;
    if (due) {
        s->wake_at = INT64_MAX;
        s->is_firing = 1;
        s->fired_at = next > now - GATHER ? next : now - GATHER;
    }
    pthread_mutex_unlock(&s->lock);
    return due;
}

static void end(struct sched *s, int64_t next)
{
    pthread_mutex_lock(&s->lock);
    s->is_firing = 0;
    if (next < s->wake_at)
        s->wake_at = next;
    call(s);
    pthread_mutex_unlock(&s->lock);
}

int iris__keeper_fire(struct sched *s, struct worker *w)
{
    int64_t now = iris__sched_now(s);
    if (!begin(s, w, now))
        return 0;
    end(s, s->hooks.fire(s->owner, now));
    return 1;
}
