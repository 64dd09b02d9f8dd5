#include "keep.h"

#include "fail.h"
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Members of other nodes: a supervisor decides about them as about its own, but orders and reports are signals
 * (docs/protocol.md): the other end is ward.c there. What an order says is its first letter:
 *
 *   T take: it is supervised from here    B begin   H end, it begins again   N the same, at once
 *   S end for good   K the same, at once  G it is not begun again            R it is supervised no more
 *
 * Of a node that went nothing is known: its members are passed over, and taken up again when the same run of it is
 * back; those of another run are gone. */

#define LATER IRIS__SECOND /* until one that was busy is asked again */

static void order(struct supervisors *s, const struct member *m, char what)
{
    iris__keep_far(s, IRIS_ORDER, m->far->number, m->pid, ++s->orders, "%c", what);
}

static void take(struct supervisors *s, struct member *m)
{
    m->far->state = FAR_ASKED;
    iris__keep_far(s, IRIS_ORDER, m->far->number, m->pid, ++s->orders, "T%d%s", (int)m->restart,
                   m->of->path);
}

void iris__far_signal(struct supervisors *s, const struct member *m, uint32_t kind, uint64_t ref)
{
    order(s, m,
          kind == KIND_BEGIN                ? 'B'
          : kind == KIND_KILL               ? 'K'
          : ref & (uint64_t)RESTART_AT_ONCE ? 'N'
                                            : 'H');
}

void iris__far_stop(struct supervisors *s, const struct member *m)
{
    order(s, m, 'S');
}

/* ---- a new one ---- */

static int allowed(const struct route_about *about, uint64_t pid)
{
    if (about->rights & IRIS_RIGHT_SUPERVISE)
        return IRIS_OK;
    return iris__fail("watch: node %s does not let node %s supervise actor %llu; its manifest must "
                      "say \"mesh\": {\"allow\": {\"supervise\": [\"%s\"]}}",
                      about->node, *about->us ? about->us : "(this one)",
                      (unsigned long long)(pid & ((UINT64_C(1) << PID_NODE_SHIFT) - 1)),
                      *about->us ? about->us : "NAME");
}

static struct far_member *make(struct supervisors *s, const struct route_about *about, uint64_t pid)
{
    struct far_member *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    *f = (struct far_member){.next = s->far,
                             .raw = pid & ((UINT64_C(1) << PID_NODE_SHIFT) - 1),
                             .run = about->run,
                             .number = ++s->places,
                             .index = IRIS__NODE_OF(pid)};
    snprintf(f->node, sizeof f->node, "%s", about->node);
    return s->far = f;
}

/* Behind the actor that stands for it: it is at the same place. */
static void stand_beside(struct supervisors *s, struct member *m, uint64_t pid)
{
    struct member *other = iris__member_of(s, pid);
    if (!other || other->of != m->of)
        return;
    iris__member_unlink(m);
    m->place = other->place;
    iris__member_link(other->of, m, other->next);
}

static int add(struct supervisors *s, struct supervisor *v, uint64_t pid,
               const struct route_about *about, uint64_t beside, enum restart_when when)
{
    struct member *m = iris__member_add(s, v);
    if (!m || !(m->far = make(s, about, pid))) {
        if (m)
            iris__member_remove(s, m);
        return iris__fail("watch: no memory");
    }
    m->far->member = m;
    m->far->beside = beside;
    m->restart = when;
    m->is_watched = 1;
    iris__member_set_pid(s, m, pid);
    stand_beside(s, m, beside);
    take(s, m);
    return IRIS_OK;
}

static int watch(struct supervisors *s, const char *path, uint64_t pid,
                 const struct route_about *about, iris_actor *beside, enum restart_when when)
{
    struct member *m = iris__member_of(s, pid);
    struct member *other = beside ? iris__member_kept(s, beside) : NULL;
    struct supervisor *v = other ? other->of : path ? iris__supervisor_find(s, path) : NULL;
    if (!v && path)
        return iris__fail("watch: there is no supervisor %s; create it first", path);
    if (!v)
        return iris__fail("adopt: nobody supervises the actor that stands for it");
    if (m && m->state != MEMBER_LIVES)
        return iris__fail("watch: %llu restarts just now; try again when it lives",
                          (unsigned long long)pid);
    if (m && m->of == v && m->restart == when)
        return IRIS_OK;
    if (m)
        iris__member_remove(s, m);
    return add(s, v, pid, about, other ? other->pid : 0, when);
}

int iris__far_watch(struct supervisors *s, const char *path, uint64_t pid, iris_actor *beside,
                    enum restart_when when)
{
    struct route_about about;
    struct errands errands;
    if (iris__route_about(s->world, IRIS__NODE_OF(pid), &about))
        return IRIS_DEAD;
    if (allowed(&about, pid))
        return IRIS_FAIL;
    iris__keep_lock(s, &errands);
    int result = watch(s, path, pid, &about, beside, when);
    iris__keep_unlock(s);
    if (result == IRIS_OK && !iris__route_is_up(s->world, pid))
        iris__far_down(s, IRIS__NODE_OF(pid)); /* it went meanwhile */
    return result;
}

/* ---- and its end ---- */

void iris__far_let_go(struct supervisors *s, struct member *m)
{
    struct far_member *f = m->far, **at = &s->far;
    if (m->pid && f->state != FAR_LOST)
        order(s, m, 'R');
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    m->far = NULL;
    free(f);
}

/* Its node needs not be told. */
static void forget(struct supervisors *s, struct member *m)
{
    m->far->state = FAR_LOST;
    iris__member_leaves(s, m, iris__round_over(m));
}

void iris__far_forsaken(struct supervisors *s, uint64_t pid)
{
    for (struct far_member *f = s->far, *next; f; f = next) {
        next = f->next;
        if (f->beside == pid)
            iris__member_leaves(s, f->member, iris__round_over(f->member));
    }
}

/* ---- reports ---- */

static void ended(struct supervisors *s, struct member *m, const char *words)
{
    struct ending e = {.kind = (enum ending_kind)(*words - '0'), .reason = words + 1};
    if (*words < '0' || *words > '0' + ENDING_LINK)
        return;
    if (e.kind != ENDING_RESTART)
        iris__keep_tell(s, IRIS_WARN, "%s: actor %llu of node %s: %s", m->of->path,
                        (unsigned long long)m->far->raw, m->far->node, e.reason);
    m->far->state = FAR_TAKEN;
    enum afterwards then = iris__member_follow(s, m, &e);
    if (then == AFTER_AGAIN)
        iris__member_begin(s, m);
    else if (then == AFTER_GONE) {
        order(s, m, 'G');
        forget(s, m);
    }
}

static void taken(struct supervisors *s, struct member *m)
{
    if (m->far->state != FAR_ASKED)
        return;
    m->far->state = FAR_TAKEN;
    iris__member_lives(m);
    (void)s;
}

static void refused(struct supervisors *s, struct member *m, const char *why)
{
    iris__keep_tell(s, IRIS_WARN, "%s: actor %llu of node %s is not supervised from here: %s",
                    m->of->path, (unsigned long long)m->far->raw, m->far->node, why);
    forget(s, m);
}

static void ask_later(struct supervisors *s, struct member *m)
{
    if (m->far->state != FAR_ASKED)
        return;
    m->far->state = FAR_LATER;
    iris__wakeup_clear(&m->alarm);
    m->alarm = iris__wakeup_set(s, m, NULL, LATER);
}

void iris__far_time(struct supervisors *s, struct member *m)
{
    if (m->far->state == FAR_LATER)
        take(s, m);
}

static void report(struct supervisors *s, struct member *m, const char *words)
{
    switch (*words) {
    case 'T':
        taken(s, m);
        break;
    case 'R':
        refused(s, m, words + 1);
        break;
    case 'L':
        ask_later(s, m);
        break;
    case 'E':
        ended(s, m, words + 1);
        break;
    case 'B':
        iris__member_began(s, m);
        break;
    case 'G':
        forget(s, m);
    }
}

void iris__far_report(struct supervisors *s, const iris_message *in)
{
    char *words = strndup(in->data, in->len);
    struct errands errands;
    iris__keep_lock(s, &errands);
    struct far_member *f = s->far;
    while (f && (f->number != in->to || f->member->pid != in->from))
        f = f->next;
    if (f && words && !atomic_load(s->closing))
        report(s, f->member, words);
    iris__keep_unlock(s);
    free(words);
}

/* ---- its node ---- */

/* What it does now, its own node decides: rounds go on without it. */
static void lose(struct supervisors *s, struct member *m)
{
    struct supervisor *round = iris__round_over(m);
    iris__keep_tell(s, IRIS_WARN, "%s: node %s has gone, and actor %llu of it decides for itself",
                    m->of->path, m->far->node, (unsigned long long)m->far->raw);
    iris__wakeup_clear(&m->alarm);
    m->far->state = FAR_LOST;
    m->state = MEMBER_DOWN;
    m->is_late = 1;
    iris__member_set_pid(s, m, 0);
    if (round)
        iris__round_advance(s, round);
}

void iris__far_down(struct supervisors *s, uint32_t index)
{
    struct errands errands;
    iris__keep_lock(s, &errands);
    for (struct far_member *f = s->far, *next; f; f = next) {
        next = f->next;
        if (f->index == index && f->state != FAR_LOST)
            lose(s, f->member);
    }
    iris__keep_unlock(s);
}

static void take_again(struct supervisors *s, struct member *m, uint32_t index)
{
    m->far->index = index;
    if (iris__member_set_pid(s, m, (uint64_t)index << PID_NODE_SHIFT | m->far->raw))
        iris__member_leaves(s, m, iris__round_over(m)); /* it was found by another way */
    else
        take(s, m);
}

void iris__far_up(struct supervisors *s, uint32_t index)
{
    struct route_about about;
    struct errands errands;
    if (iris__route_about(s->world, index, &about) || !about.run)
        return;
    iris__keep_lock(s, &errands);
    for (struct far_member *f = s->far, *next; f; f = next) {
        next = f->next;
        if (f->state != FAR_LOST || strcmp(f->node, about.node) != 0)
            continue;
        if (f->run != about.run)
            refused(s, f->member, "its node has begun anew");
        else if (about.rights & IRIS_RIGHT_SUPERVISE)
            take_again(s, f->member, index);
    }
    iris__keep_unlock(s);
}
