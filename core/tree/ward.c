#include "keep.h"

#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Actors of this node that a supervisor of another one has (far.c there). As long as the link lasts it decides, and
 * the supervisor here passes them over; an actor that has failed waits for its word. When the link ends, or they are
 * let go, they are at home again: what the supervisor here would have done is done now, and one that has none ends
 * if it had failed, and lives on if it had not. Reports, by their first letter:
 *
 *   T it is taken   R it is not: why   L not now, ask again   E it ended: kind, reason   B it began   G it is gone */

struct ward {
    UT_hash_handle hh;
    uint64_t pid;
    uint64_t keeper; /* the address of reports; 0: it was let go while it was told to end */
    uint64_t order;  /* of the last that was heard */
    enum restart_when restart;
    enum { WARD_LIVES, WARD_HALTS, WARD_FAILED, WARD_HALTED, WARD_BEGINS } state;
    int is_planned, was_member, was_watched;
    uint64_t place;
    struct membership how; /* at home */
    char *home;            /* path of the supervisor here */
    char by[256];          /* path of the one there */
};

struct ward *iris__ward_of(struct supervisors *s, uint64_t pid)
{
    struct ward *w;
    HASH_FIND(hh, s->wards, &pid, sizeof pid, w);
    return w;
}

static void drop(struct supervisors *s, struct ward *w)
{
    HASH_DEL(s->wards, w);
    free(w->home);
    free(w);
}

void iris__wards_finish(struct supervisors *s)
{
    struct ward *w, *next;
    HASH_ITER (hh, s->wards, w, next)
        drop(s, w);
}

static void report(struct supervisors *s, const struct ward *w, const char *words)
{
    iris__keep_far(s, IRIS_REPORT, w->pid, w->keeper, 0, "%s", words);
}

/* ---- home again ---- */

/* It may end meanwhile, and its path with it. */
static struct supervisor *home_of(struct supervisors *s, const struct ward *w)
{
    const iris_actor *a = iris__table_at(&s->world->table, w->pid);
    if (w->was_watched)
        return iris__supervisor_find(s, w->home);
    iris__facts_hold(s->world);
    const struct cold *c = iris__gate_is(a, w->pid) ? iris__cold_if(a) : NULL;
    struct supervisor *home = iris__supervisor_longest(s, c && c->path ? c->path : w->home, NULL);
    iris__facts_release(s->world);
    return home;
}

static struct member *first_behind(struct supervisor *v, uint64_t place)
{
    struct member *m = v->head;
    while (m && m->place <= place)
        m = m->next;
    return m;
}

/* To the place that it had. NULL: it has no supervisor here. */
static struct member *bring_home(struct supervisors *s, struct ward *w)
{
    struct supervisor *v = w->was_member ? home_of(s, w) : NULL;
    struct member *m = v ? iris__member_add(s, v) : NULL;
    if (m) {
        iris__member_unlink(m);
        m->place = w->place;
        iris__member_link(v, m, first_behind(v, w->place));
        m->restart = w->how.restart;
        m->shutdown = w->how.shutdown;
        m->is_watched = w->was_watched;
        m->is_planned = w->is_planned;
        iris__member_set_pid(s, m, w->pid);
    }
    drop(s, w);
    return m;
}

static void begin(struct supervisors *s, uint64_t pid)
{
    iris__keep_signal(s, KIND_BEGIN, pid, ++s->orders << 1, NULL);
}

static void let_go(struct supervisors *s, struct ward *w)
{
    uint64_t pid = w->pid;
    int state = w->state;
    w->keeper = 0;
    if (state == WARD_HALTS)
        return; /* when it has ended */
    struct member *m = bring_home(s, w);
    if (m && state == WARD_FAILED) {
        m->state = MEMBER_DOWN;
        iris__member_fell(s, m);
    } else if (m && state == WARD_HALTED)
        iris__member_begin(s, m);
    else if (m && state == WARD_BEGINS)
        m->state = MEMBER_BEGINS;
    else if (state == WARD_FAILED)
        iris__keep_signal(s, KIND_KILL, pid, KILL_FOR_GOOD,
                          "killed (how=shutdown): who supervised it is out of reach");
    else if (state == WARD_HALTED)
        begin(s, pid);
}

void iris__wards_down(struct supervisors *s, uint32_t index)
{
    struct errands errands;
    struct ward *w, *next;
    iris__keep_lock(s, &errands);
    HASH_ITER (hh, s->wards, w, next)
        if (w->keeper && IRIS__NODE_OF(w->keeper) == index)
            let_go(s, w);
    iris__keep_unlock(s);
}

/* ---- what it does ---- */

static enum afterwards at_home(struct supervisors *s, struct ward *w, const struct ending *e)
{
    struct member *m = bring_home(s, w);
    if (e->kind == ENDING_RESTART)
        return AFTER_AGAIN;
    return m ? iris__member_follow(s, m, e) : AFTER_GONE;
}

static enum afterwards ask(struct supervisors *s, struct ward *w, const struct ending *e)
{
    w->state = w->state == WARD_HALTS ? WARD_HALTED : WARD_FAILED;
    iris__keep_far(s, IRIS_REPORT, w->pid, w->keeper, 0, "E%c%.4000s", '0' + (int)e->kind,
                   e->reason);
    return AFTER_WAITS;
}

enum afterwards iris__ward_ended(struct supervisors *s, struct ward *w, const struct ending *e)
{
    int is_down = w->state != WARD_LIVES && w->state != WARD_HALTS;
    if (!w->keeper)
        return at_home(s, w, e);
    if (!iris__restarts(w->restart, w->is_planned || w->state == WARD_HALTS, e))
        return AFTER_GONE;
    if (e->kind != ENDING_RESTART)
        return is_down && e->kind == ENDING_KILLED ? AFTER_GONE : ask(s, w, e);
    if (is_down)
        return AFTER_WAITS; /* it was told when it was down already */
    if (w->state == WARD_HALTS)
        return ask(s, w, e);
    w->is_planned = 0;
    return AFTER_AGAIN;
}

void iris__ward_began(struct supervisors *s, struct ward *w)
{
    if (w->state != WARD_BEGINS)
        return;
    w->state = WARD_LIVES;
    report(s, w, "B");
}

void iris__ward_gone(struct supervisors *s, struct ward *w)
{
    if (w->keeper)
        report(s, w, "G");
    drop(s, w);
}

/* ---- by hand, here ---- */

void iris__ward_stop(struct supervisors *s, struct ward *w)
{
    if (w->keeper)
        report(s, w, "Rit is stopped by hand at its node");
    bring_home(s, w);
}

void iris__ward_restart(struct supervisors *s, struct ward *w)
{
    if (w->state != WARD_LIVES)
        return;
    w->is_planned = 1;
    iris__keep_signal(s, KIND_RESTART, w->pid, ++s->orders << 1, RESTARTS_WORDS);
}

void iris__ward_retune(struct ward *w, const struct membership *how)
{
    w->how.restart = how->restart;
    w->how.shutdown = how->shutdown ? how->shutdown : SHUTDOWN_DEFAULT;
}

void iris__ward_keeper(struct supervisors *s, uint64_t pid, struct tree_node *actor, char **path)
{
    struct route_about about = {.node = ""};
    pthread_mutex_lock(&s->lock);
    const struct ward *w = iris__ward_of(s, pid);
    uint64_t keeper = w ? w->keeper : 0;
    if (keeper) {
        *path = strdup(w->by);
        actor->restart = w->restart;
    }
    pthread_mutex_unlock(&s->lock);
    if (keeper && iris__route_about(s->world, IRIS__NODE_OF(keeper), &about) == IRIS_OK)
        snprintf(actor->node, sizeof actor->node, "%.*s", (int)sizeof actor->node - 1, about.node);
}

/* ---- orders ---- */

static void halt(struct supervisors *s, struct ward *w, int at_once)
{
    if (w->state == WARD_FAILED || w->state == WARD_HALTED)
        return; /* that is on its way to the supervisor */
    w->state = WARD_HALTS;
    iris__keep_signal(s, KIND_RESTART, w->pid, ++s->orders << 1 | (at_once ? RESTART_AT_ONCE : 0),
                      RESTARTS_WORDS);
}

static void end(struct supervisors *s, struct ward *w, const char *reason)
{
    iris__keep_signal(s, KIND_KILL, w->pid, KILL_FOR_GOOD, reason);
}

static void obey(struct supervisors *s, struct ward *w, char what)
{
    switch (what) {
    case 'B':
        if (w->state != WARD_FAILED && w->state != WARD_HALTED)
            break;
        w->state = WARD_BEGINS;
        begin(s, w->pid);
        break;
    case 'H':
    case 'N':
        halt(s, w, what == 'N');
        break;
    case 'S':
        iris__keep_errand(s, ERRAND_STOP, w->pid, NULL, 0, 0);
        break;
    case 'K':
        end(s, w, "killed (how=shutdown): its time to end is over");
        break;
    case 'G':
        if (w->state == WARD_FAILED || w->state == WARD_HALTED)
            end(s, w, "killed (how=shutdown): its supervisor gave it up");
        break;
    case 'R':
        let_go(s, w);
    }
}

static void answer(struct supervisors *s, const iris_message *m, const char *words)
{
    iris__keep_far(s, IRIS_REPORT, m->to, m->from, 0, "%s", words);
}

static struct ward *leave_home(struct supervisors *s, uint64_t pid, struct member *m)
{
    struct ward *w = calloc(1, sizeof *w);
    if (!w || (m && !(w->home = strdup(m->of->path)))) {
        free(w);
        return NULL;
    }
    w->pid = pid;
    if (m) {
        w->was_member = 1;
        w->was_watched = m->is_watched;
        w->place = m->place;
        w->how = (struct membership){m->restart, m->shutdown};
        iris__member_remove(s, m);
    }
    HASH_ADD(hh, s->wards, pid, sizeof w->pid, w);
    return w;
}

/* Why this one cannot be had, or NULL. */
static const char *objection(struct supervisors *s, const struct ward *w, const struct member *m,
                             uint64_t keeper)
{
    if (w && w->keeper && IRIS__NODE_OF(w->keeper) != IRIS__NODE_OF(keeper))
        return "Ranother node supervises it";
    if (m && m->factory)
        return "Ra factory there makes it anew";
    if ((m && (m->state != MEMBER_LIVES || iris__round_over(m))) || (w && w->state != WARD_LIVES))
        return "L";
    (void)s;
    return NULL;
}

static void take(struct supervisors *s, const iris_message *in, const char *words)
{
    struct ward *w = iris__ward_of(s, in->to);
    struct member *m = iris__member_of(s, in->to);
    if (!iris__route_is_up(s->world, in->from))
        return; /* its node went while this came in, and who was let go then is not taken after it */
    const char *why = objection(s, w, m, in->from);
    if (!why && !w && !(w = leave_home(s, in->to, m)))
        why = "L";
    if (why) {
        answer(s, in, why);
        return;
    }
    w->keeper = in->from;
    w->order = in->ref;
    w->restart = *words == '2'   ? RESTART_ALWAYS
                 : *words == '0' ? RESTART_NEVER
                                 : RESTART_ON_FAILURE;
    snprintf(w->by, sizeof w->by, "%s", *words ? words + 1 : "");
    report(s, w, "T");
}

static int is_actor(const iris_actor *a, uint64_t pid)
{
    return a && iris__gate_accepts_now((iris_actor *)a, pid) &&
           !(atomic_load(&((iris_actor *)a)->marks) & MARK_PORT);
}

static void hear(struct supervisors *s, const iris_message *in, const char *words)
{
    struct ward *w = iris__ward_of(s, in->to);
    if (*words == 'T')
        take(s, in, words + 1);
    else if (w && w->keeper == in->from && in->ref > w->order) {
        w->order = in->ref;
        obey(s, w, *words);
    }
}

void iris__ward_order(struct supervisors *s, const iris_message *in)
{
    iris_actor *a = iris__table_at(&s->world->table, in->to);
    char *words = strndup(in->data, in->len);
    struct errands errands;
    int lives = is_actor(a, in->to), takes = words && *words == 'T';
    if (lives && takes)
        atomic_fetch_or(&a->marks, MARK_KEPT);
    iris__keep_lock(s, &errands);
    if (words && (lives || !takes))
        hear(s, in, words);
    else if (words)
        answer(s, in, "Rthere is no such actor any more");
    iris__keep_unlock(s);
    free(words);
    if (lives && takes && !iris__gate_accepts_now(a, in->to))
        iris__supervisor_gone(s, in->to); /* it ended meanwhile */
}
