/* What comes from other nodes: mail into mailboxes, signals to who watches, answers to who asked. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t large = 900000; /* what an actor with a limit of bytes refuses */

/* ---- mail ---- */

/* Where the link takes no more, send() says so to who answers: the question is still open, and it answers later. */
static void answer(struct sim *s, int node, void *what, uint64_t ref)
{
    struct node *n = &s->nodes[node];
    (void)what;
    if (core_mail(n, 0, ref, 8 + sim_below(s, 200), 0) != IRIS_FULL)
        return;
    sim_trace(s, node, "ask %llu: no room for its answer", ref & (IS_ASK - 1), 0, 0);
    sim_at(s, s->now + 20 * MS, node, answer, NULL, ref);
}

static void handled(struct sim *s, int node, void *what, uint64_t pid)
{
    struct node *n = &s->nodes[node];
    struct actor *a = core_living(n, pid);
    uint32_t index;
    (void)what;
    if (!a || !a->pending || n->leaving)
        return;
    a->pending--;
    uint64_t ref = a->nasks ? a->asks[0] : 0;
    if (a->nasks)
        memmove(a->asks, a->asks + 1, --a->nasks * sizeof *a->asks);
    if (!ref)
        return;
    int slot = (int)(pid & 0xffffff) - 1, third = (int)sim_below(s, (uint32_t)s->profile.nodes);
    struct ask *ask = &s->ledger.asks[ref & (IS_ASK - 1)];
    if (sim_chance(s, 10) && third != ask->node && core_index_of(n, third, &index)) {
        ask->forwarded = 1;
        core_mail(n, slot, AT(index, slot_pid(3, 1)), 16 + sim_below(s, 100), ref);
    } else
        answer(s, node, NULL, ref);
}

/* Mail and signals of one index of ours come from one index of theirs. */
static int bind_index(struct node *n, uint32_t index, int node, uint32_t theirs)
{
    struct index *x = &n->indexes[index];
    if (x->bound_node < 0) {
        x->bound_node = node;
        x->bound = theirs;
    }
    return x->bound_node == node && x->bound == theirs;
}

static void check_in_order(struct node *n, struct actor *a, const struct mail *e, uint64_t id)
{
    uint64_t *last = &a->last[(int)e->from][e->from_slot];
    if (id + 1 <= *last)
        sim_fail(n->sim, "I2", "n%d: mail %llu of n%d after %llu of the same pair", n->number,
                 (unsigned long long)id, e->from, (unsigned long long)*last - 1);
    *last = id + 1;
}

static int take_answer(struct node *n, const iris_message *m)
{
    struct sim *s = n->sim;
    size_t i = (size_t)(m->to & (IS_ASK - 1));
    struct ask *a = i < s->ledger.nasks ? &s->ledger.asks[i] : NULL;
    if (!a || a->node != n->number || a->life != n->life)
        return sim_fail(s, "I1", "n%d: an answer to ask %zu, which is none of this life", n->number,
                        i),
               IRIS_DEAD;
    if (m->kind == IRIS_DOWN) {
        sim_trace(s, n->number, "ask %llu: DOWN", i, 0, 0);
        return a->refused ? IRIS_DEAD : (a->refused = 1, IRIS_OK);
    }
    sim_trace(s, n->number, "ask %llu: answered", i, 0, 0);
    if (a->answered)
        sim_fail(s, "I5", "n%d: a second answer to ask %zu", n->number, i);
    int late = a->refused;
    a->answered = 1;
    return late ? IRIS_DEAD : IRIS_OK;
}

static void check_ref(struct node *n, const iris_message *m)
{
    struct sim *s = n->sim;
    size_t i = (size_t)(m->ref & (IS_ASK - 1));
    struct index *x = core_up_index(n, IRIS_NODE(m->ref));
    if (!m->ref)
        return;
    if (!(m->ref & IS_ASK) || i >= s->ledger.nasks)
        return sim_fail(s, "I5", "n%d: an ask of address %llx", n->number,
                        (unsigned long long)m->ref);
    const struct ask *a = &s->ledger.asks[i];
    if (IRIS_NODE(m->ref) ? !x || x->node != a->node || (x->life && x->life != a->life)
                          : a->node != n->number || a->life != n->life)
        sim_fail(s, "I1", "n%d: ask %zu is n%d's, life %u, and its address says index %u",
                 n->number, i, a->node, a->life, IRIS_NODE(m->ref));
}

static int take_mail(struct node *n, const iris_message *m, struct mail *e, uint64_t id)
{
    struct sim *s = n->sim;
    struct actor *a;
    if (m->to & IS_ASK)
        return take_answer(n, m);
    if ((a = core_living(n, m->to)))
        check_in_order(n, a, e, id);
    check_ref(n, m);
    if (!a)
        return IRIS_DEAD;
    if (m->len > large && (m->to & 0xffffff) == 3)
        return IRIS_LARGE;
    if (a->capacity && a->pending >= a->capacity)
        return IRIS_FULL;
    a->pending++;
    a->asks = sim_grow(a->asks, &a->asks_room, a->nasks, sizeof *a->asks);
    a->asks[a->nasks++] = m->ref;
    sim_at(s, s->now + a->service * a->pending, n->number, handled, NULL, m->to);
    return IRIS_OK;
}

static int mail_in(struct node *n, const iris_message *m)
{
    struct sim *s = n->sim;
    struct index *x = &n->indexes[IRIS_NODE(m->from)];
    struct mail *e = ledger_find(s, n, m, "delivered");
    uint64_t id = RAW(m->from) & ~IS_MAIL;
    if (!e)
        return IRIS_DEAD;
    if (e->from != x->node || (x->life && e->from_life != x->life))
        sim_fail(s, "I1", "n%d: mail %llu is of n%d, life %u; its index %u is n%d, life %u",
                 n->number, (unsigned long long)id, e->from, e->from_life, IRIS_NODE(m->from),
                 x->node, x->life);
    x->life = e->from_life;
    if (e->to != n->number || (e->to_life && e->to_life != n->life))
        sim_fail(s, "I1", "n%d, life %u: mail %llu was for n%d, life %u", n->number, n->life,
                 (unsigned long long)id, e->to, e->to_life);
    if (!bind_index(n, IRIS_NODE(m->from), e->from, e->index))
        sim_fail(s, "I1", "n%d: mail %llu of another link under index %u", n->number,
                 (unsigned long long)id, IRIS_NODE(m->from));
    if (e->delivered++)
        sim_fail(s, "I2", "n%d: mail %llu is delivered twice", n->number, (unsigned long long)id);
    int result = take_mail(n, m, e, id);
    e = &s->ledger.mail[id];
    e->result = (uint8_t)result;
    e->delivered_at = s->now;
    s->tally.delivered += !result;
    s->tally.refused += !!result;
    sim_trace(s, n->number, "delivered mail %llu from n%llu: %llu", id, (uint64_t)e->from,
              (uint64_t)result);
    return result;
}

/* ---- signals ---- */

/* Where it is among those that were sent and not seen here. */
static size_t holds(const struct index *y, const iris_message *m)
{
    size_t i = y->seen;
    while (i < y->nsignals &&
           (y->signals[i].kind != m->kind || y->signals[i].ref != m->ref ||
            y->signals[i].from != RAW(m->from) || y->signals[i].to != RAW(m->to)))
        i++;
    return i;
}

/* What was sent to an earlier life of this node may look just the same: refs begin anew. */
static int is_of_this_life(const struct node *n, const struct index *y)
{
    return y->node == n->number && (!y->life || y->life == n->life);
}

/* It was sent, after those that came before it: or the protocol made it itself. */
static int was_sent(struct node *n, const iris_message *m)
{
    struct sim *s = n->sim;
    struct index *x = &n->indexes[IRIS_NODE(m->from ? m->from : m->to)];
    struct node *o = &s->nodes[x->node];
    if ((x->life && o->life != x->life) || o->state != ALIVE)
        return 1; /* nobody knows any more */
    for (uint32_t i = o->next_index; i && x->bound_node < 0; i--)
        if (is_of_this_life(n, &o->indexes[i]) && holds(&o->indexes[i], m) < o->indexes[i].nsignals)
            bind_index(n, IRIS_NODE(m->from), x->node, i);
    if (x->bound_node < 0)
        return !x->life; /* perhaps of a life that is over */
    struct index *y = &o->indexes[x->bound];
    size_t i = holds(y, m);
    if (i == y->nsignals)
        return 0;
    for (size_t k = y->seen; k < i; k++)
        if (core_may_be_refused(o, y->signals[k].kind))
            continue;
        else if (m->kind == IRIS_DEMONITOR)
            return 0; /* the protocol's, see is_taken_back() */
        else
            sim_fail(s, "I2", "n%d: signal %u, ref %llu, overtakes %u, ref %llu", n->number,
                     m->kind, (unsigned long long)m->ref, y->signals[k].kind,
                     (unsigned long long)y->signals[k].ref);
    y->seen = i + 1;
    return 1;
}

static int watch_in(struct node *n, const iris_message *m)
{
    struct actor *a = core_living(n, m->to);
    if (!a && m->kind == IRIS_MONITOR)
        return IRIS_DEAD; /* its DOWN is the protocol's to send */
    if (!a)
        return core_signal(n, IRIS_EXIT, m->to, m->from, m->ref, "noproc"), IRIS_DEAD;
    a->watchers = sim_grow(a->watchers, &a->room, a->nwatchers, sizeof *a->watchers);
    a->watchers[a->nwatchers++] = (struct watcher){m->from, m->ref, m->kind == IRIS_LINK};
    return IRIS_OK;
}

static int unwatch_in(struct node *n, const iris_message *m)
{
    struct actor *a = core_living(n, m->to);
    for (size_t i = 0; a && i < a->nwatchers; i++)
        if (a->watchers[i].pid == m->from && a->watchers[i].ref == m->ref) {
            memmove(&a->watchers[i], &a->watchers[i + 1],
                    (--a->nwatchers - i) * sizeof *a->watchers);
            break;
        }
    if (m->kind == IRIS_UNLINK)
        core_signal(n, IRIS_UNLINKED, m->to, m->from, m->ref, NULL);
    return a ? IRIS_OK : IRIS_DEAD;
}

/* The protocol itself ends the monitors of a link that goes. */
static int is_taken_back(struct node *n, const iris_message *m)
{
    struct actor *a = core_living(n, m->to);
    for (size_t i = 0; a && i < a->nwatchers; i++)
        if (a->watchers[i].pid == m->from && a->watchers[i].ref == m->ref)
            return m->kind == IRIS_DEMONITOR;
    return m->kind == IRIS_DEMONITOR && !a;
}

static int down_in(struct node *n, const iris_message *m, int sent)
{
    struct sim *s = n->sim;
    if (m->to & IS_ASK)
        return take_answer(n, m);
    struct watch **at = core_watch_at(n, m->ref), *w = *at;
    if (!w)
        return IRIS_DEAD; /* it was taken back meanwhile */
    if (w->target != m->from || w->is_link != (m->kind == IRIS_EXIT))
        sim_fail(s, "I3", "n%d: DOWN of %llx for ref %llu, which watches %llx", n->number,
                 (unsigned long long)m->from, (unsigned long long)m->ref,
                 (unsigned long long)w->target);
    if (!w->gone && !w->actor_gone)
        sim_fail(s, "I3", "n%d: DOWN of %llx of n%d, which lives", n->number,
                 (unsigned long long)m->from, w->node);
    sim_trace(s, n->number, "DOWN ref %llu, sent by a core: %llu", m->ref, (uint64_t)sent, 0);
    s->tally.downs++;
    *at = w->next;
    free(w);
    return IRIS_OK;
}

static void stop_later(struct sim *s, int node, void *what, uint64_t slot)
{
    (void)what;
    core_kill(&s->nodes[node], (int)slot);
}

static int stop_in(struct node *n, const iris_message *m)
{
    struct index *x = &n->indexes[IRIS_NODE(m->from)];
    struct actor *a = core_living(n, m->to);
    if (x->node > 1)
        sim_fail(n->sim, "I8", "n%d: hears a STOP of n%d, which may not", n->number, x->node);
    if (a)
        sim_at(n->sim, n->sim->now, n->number, stop_later, NULL, (m->to & 0xffffff) - 1);
    return a ? IRIS_OK : IRIS_DEAD;
}

/* Heard once at most, as was_sent() sees, and answered once. */
static int order_in(struct node *n, const iris_message *m)
{
    const struct index *x = &n->indexes[IRIS_NODE(m->from)];
    if (x->node > 1)
        sim_fail(n->sim, "I8", "n%d: hears an ORDER of n%d, which may not", n->number, x->node);
    core_signal(n, IRIS_REPORT, m->to, m->from, m->ref, core_living(n, m->to) ? "B" : "R");
    return IRIS_OK;
}

static int report_in(struct node *n, const iris_message *m)
{
    if (n->number > 1 || m->ref > n->next_ref)
        sim_fail(n->sim, "I8", "n%d: hears a REPORT %llu of what it has not ordered", n->number,
                 (unsigned long long)m->ref);
    return IRIS_OK;
}

/* This node has lost a name to another: to one that began later, or at once and is greater. So no two nodes are told
 * that the other one keeps it. Its actor is told, and lives. */
static int conflict_in(struct node *n, const iris_message *m)
{
    struct sim *s = n->sim;
    char text[128], keeper[NAMES];
    snprintf(text, sizeof text, "%.*s", (int)m->len, (const char *)m->data);
    if (sscanf(text, "name_conflict (node=%31[^)])", keeper) != 1)
        return sim_fail(s, "I6", "n%d: a PING of nobody: %s", n->number, text), IRIS_DEAD;
    sim_trace(s, n->number, "has lost a name", 0, 0, 0);
    s->tally.conflicts++;
    for (int i = 0; i < s->profile.nodes; i++) {
        const struct node *k = &s->nodes[i];
        if (strcmp(k->name, keeper) != 0)
            continue;
        if (k->life < n->life || (k->life == n->life && strcmp(k->name, n->name) <= 0))
            sim_fail(s, "I6", "n%d, life %u, has lost a name to n%d, life %u", n->number, n->life,
                     i, k->life);
        return core_living(n, m->to) ? IRIS_OK : IRIS_DEAD;
    }
    return sim_fail(s, "I6", "n%d: \"%s\" keeps its name", n->number, keeper), IRIS_DEAD;
}

static int signal_in(struct node *n, const iris_message *m)
{
    int sent = was_sent(n, m);
    sim_trace(n->sim, n->number, "signal %llu, ref %llu, sent %llu", m->kind, m->ref,
              (uint64_t)sent);
    if (!sent && m->kind != IRIS_DOWN && m->kind != IRIS_STUCK && !is_taken_back(n, m))
        return sim_fail(n->sim, "I3", "n%d: signal %u, ref %llu, which nobody sent, or twice",
                        n->number, m->kind, (unsigned long long)m->ref),
               IRIS_DEAD;
    switch (m->kind) {
    case IRIS_MONITOR:
    case IRIS_LINK:
        return watch_in(n, m);
    case IRIS_DEMONITOR:
    case IRIS_UNLINK:
        return unwatch_in(n, m);
    case IRIS_DOWN:
    case IRIS_EXIT:
        return down_in(n, m, sent);
    case IRIS_STOP:
        return stop_in(n, m);
    case IRIS_ORDER:
        return order_in(n, m);
    case IRIS_REPORT:
        return report_in(n, m);
    default:
        return IRIS_OK;
    }
}

/* ---- the seam ---- */

void core_deliver(struct node *n, const iris_message *const *m, int count, int *taken)
{
    for (int i = 0; i < count; i++) {
        uint32_t index = IRIS_NODE(m[i]->from ? m[i]->from : m[i]->ref);
        taken[i] = IRIS_DEAD;
        if (n->state != ALIVE)
            continue;
        if (IRIS_NODE(m[i]->to))
            sim_fail(n->sim, "I1", "n%d: mail for index %u is delivered here", n->number,
                     IRIS_NODE(m[i]->to));
        else if (m[i]->kind == IRIS_PING && !m[i]->from)
            taken[i] = conflict_in(n, m[i]);
        else if (!core_up_index(n, index) && !(m[i]->kind == IRIS_DOWN && m[i]->to & IS_ASK))
            sim_fail(n->sim, "I8", "n%d: kind %u from index %u, which is not up", n->number,
                     m[i]->kind, index);
        else
            taken[i] = m[i]->kind == IRIS_USER ? mail_in(n, m[i]) : signal_in(n, m[i]);
    }
}
