#include "sim.h"

#include <stdlib.h>
#include <string.h>

enum { PATTERN = (2 << 20) + 4096 };
enum { NONE, NOPROC, FULL, LARGE, NOCONNECTION, OTHER };

static unsigned char pattern[PATTERN]; /* the same in all runs: written once, at its first use */

static const unsigned char *filler(uint64_t id)
{
    if (!pattern[1]) {
        struct random r = {7};
        for (size_t i = 0; i < PATTERN; i += 8) {
            uint64_t v = iris__random(&r) | 0x0101010101010101u;
            memcpy(pattern + i, &v, 8);
        }
    }
    return pattern + id % 4093;
}

uint64_t ledger_mail(struct sim *s, const struct mail *e)
{
    struct ledger *l = &s->ledger;
    l->mail = sim_grow(l->mail, &l->room, l->n, sizeof *l->mail);
    l->mail[l->n] = *e;
    return l->n++;
}

uint64_t ledger_ask(struct sim *s, const struct ask *a)
{
    struct ledger *l = &s->ledger;
    l->asks = sim_grow(l->asks, &l->asks_room, l->nasks, sizeof *l->asks);
    l->asks[l->nasks] = *a;
    s->tally.asks++;
    return l->nasks++;
}

void ledger_body(struct sim *s, uint64_t id, uint32_t len, unsigned char *body)
{
    (void)s;
    memcpy(body, filler(id), len);
}

int ledger_body_is(struct sim *s, uint64_t id, uint32_t len, const unsigned char *body)
{
    (void)s;
    return memcmp(body, filler(id), len) == 0;
}

/* The entry of a message that came out, if it is the one that went in. */
struct mail *ledger_find(struct sim *s, struct node *n, const iris_message *m, const char *where)
{
    uint64_t id = RAW(m->from) & ~IS_MAIL;
    struct mail *e = id < s->ledger.n ? &s->ledger.mail[id] : NULL;
    if (!(RAW(m->from) & IS_MAIL) || !e || !e->taken)
        return sim_fail(s, "I2", "n%d: mail from %llx is %s, and was never sent", n->number,
                        (unsigned long long)m->from, where),
               NULL;
    /* to nobody: its ref is of a third node, with which the receiver has no link; it refuses it */
    if (e->len != m->len || (e->to_pid != RAW(m->to) && (m->to || !e->has_ref)))
        return sim_fail(s, "I2", "n%d: mail %llu of %u bytes to %llx is %s as %u bytes to %llx",
                        n->number, (unsigned long long)id, e->len, (unsigned long long)e->to_pid,
                        where, m->len, (unsigned long long)RAW(m->to)),
               NULL;
    if (m->data && m->len && !ledger_body_is(s, id, m->len, m->data))
        sim_fail(s, "I2", "n%d: mail %llu is %s with other bytes", n->number,
                 (unsigned long long)id, where);
    return e;
}

static int reason_of(const char *reason)
{
    static const char *const words[] = {
        [NOPROC] = "noproc", [FULL] = "full", [LARGE] = "large", [NOCONNECTION] = "noconnection"};
    for (int i = NOPROC; i <= NOCONNECTION; i++)
        if (!strncmp(reason, words[i], strlen(words[i])))
            return i;
    return OTHER;
}

void ledger_letter(struct node *n, const iris_message *m, const char *reason)
{
    struct sim *s = n->sim;
    struct mail *e = ledger_find(s, n, m, "told of");
    uint64_t id = RAW(m->from) & ~IS_MAIL;
    if (!e)
        return;
    sim_trace(s, n->number, "letter of mail %llu: %llu", id, (uint64_t)reason_of(reason), 0);
    if (e->from != n->number || e->from_life != n->life)
        return sim_fail(s, "I2", "n%d: a letter of mail %llu, which n%d sent", n->number,
                        (unsigned long long)id, e->from);
    if (IRIS_NODE(m->to) != e->index)
        sim_fail(s, "I1", "n%d: a letter of mail %llu for index %u, it was sent to %u", n->number,
                 (unsigned long long)id, IRIS_NODE(m->to), e->index);
    if (e->letter)
        sim_fail(s, "I2", "n%d: a second letter of mail %llu", n->number, (unsigned long long)id);
    if (reason_of(reason) == OTHER)
        sim_fail(s, "I2", "n%d: mail %llu is told of with \"%s\"", n->number,
                 (unsigned long long)id, reason);
    e->letter = (uint8_t)reason_of(reason);
    e->letter_at = s->now;
}

/* ---- what became of each ---- */

static int expected_letter(const struct sim *s, const struct mail *e)
{
    (void)s;
    if (!e->delivered)
        return NONE;
    return e->result == IRIS_DEAD    ? NOPROC
           : e->result == IRIS_FULL  ? FULL
           : e->result == IRIS_LARGE ? LARGE
                                     : NONE;
}

static int same_life(const struct node *n, uint32_t life)
{
    return n->life == life && n->state == ALIVE && !n->leaving;
}

/* The sender cannot know what a node took in whose life then ended, or which it did not see again. */
static int may_be_unknown(const struct sim *s, const struct mail *e)
{
    const struct index *x = &s->nodes[(int)e->from].indexes[e->index];
    return !same_life(&s->nodes[(int)e->to], e->to_life) || e->letter_at - x->down_at > 59 * SEC;
}

/* Slow paths take their time; and what became of mail of a link that went is not known before the two are linked
 * again, or a minute is over. */
int ledger_is_open(const struct sim *s)
{
    for (size_t i = 0; i < s->ledger.n; i++) {
        const struct mail *e = &s->ledger.mail[i];
        if (e->taken && !e->letter && (!e->delivered || e->result) &&
            same_life(&s->nodes[(int)e->from], e->from_life))
            return 1;
    }
    for (int i = 0; i < s->profile.nodes; i++)
        for (uint32_t k = 1; k <= s->nodes[i].next_index; k++)
            if (s->nodes[i].indexes[k].up && s->nodes[i].indexes[k].first)
                return 1;
    return 0;
}

static void balance(struct sim *s, const struct mail *e, uint64_t id)
{
    const struct node *from = &s->nodes[(int)e->from];
    const struct index *x = &from->indexes[e->index];
    unsigned long long n = id;
    int expected = expected_letter(s, e);
    if (!e->taken || !same_life(from, e->from_life))
        return;
    if (!e->delivered && !e->letter)
        sim_fail(s, "I2",
                 "mail %llu of n%d to n%d, taken at %.6f, is neither delivered nor told of", n,
                 e->from, e->to, (double)e->taken_at / 1e9);
    else if (!e->delivered && e->letter != NOCONNECTION)
        sim_fail(s, "I2", "mail %llu never came to n%d, and is told of with %d", n, e->to,
                 e->letter);
    else if (e->letter == NOCONNECTION && x->up)
        sim_fail(s, "I2", "mail %llu of n%d to n%d is told of as lost, and its link is up", n,
                 e->from, e->to);
    else if (e->delivered && e->letter != expected &&
             !(e->letter == NOCONNECTION && may_be_unknown(s, e)))
        sim_fail(s, "I2",
                 "mail %llu of n%d to n%d: the mailbox said %d, the letter %d, expected %d", n,
                 e->from, e->to, e->result, e->letter, expected);
}

static void balance_ask(struct sim *s, const struct ask *a, size_t i)
{
    const struct node *n = &s->nodes[a->node];
    if (!same_life(n, a->life) || a->forwarded)
        return;
    if (!a->answered && !a->refused)
        sim_fail(s, "I5", "ask %zu of n%d to n%d, asked at %.6f, has no answer", i, a->node, a->to,
                 (double)a->at / 1e9);
}

static void balance_signals(struct sim *s, struct node *n)
{
    for (uint32_t i = 1; i <= n->next_index; i++) {
        struct index *x = &n->indexes[i];
        const struct node *o = &s->nodes[x->node];
        for (size_t k = x->seen;
             x->up && o->state == ALIVE && o->life == x->life && k < x->nsignals; k++)
            if (!core_may_be_refused(n, x->signals[k].kind))
                sim_fail(s, "I3", "n%d: signal %u, ref %llu, to n%d was lost on a link that is up",
                         n->number, x->signals[k].kind, (unsigned long long)x->signals[k].ref,
                         x->node);
        if (x->up && x->first)
            sim_fail(s, "I2", "n%d: mail waits for n%d, full since %.6f, and room() does not come",
                     n->number, x->node, (double)x->full_at / 1e9);
    }
}

void ledger_balance(struct sim *s)
{
    for (size_t i = 0; i < s->ledger.n && !s->failed; i++)
        balance(s, &s->ledger.mail[i], i);
    for (size_t i = 0; i < s->ledger.nasks && !s->failed; i++)
        balance_ask(s, &s->ledger.asks[i], i);
    for (int i = 0; i < s->profile.nodes; i++)
        if (s->nodes[i].state == ALIVE && !s->nodes[i].leaving)
            balance_signals(s, &s->nodes[i]);
}
