/* What the protocol takes for a runtime: indexes with an outbox each, actors with mailboxes that fill, monitors,
 * links and asks. As simple as the real one may be seen from the seam, and it checks what it is told. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct index *core_up_index(struct node *n, uint32_t i)
{
    return i && i < INDEXES && n->indexes[i].up ? &n->indexes[i] : NULL;
}

struct index *core_index_of(struct node *n, int node, uint32_t *index)
{
    for (uint32_t i = n->next_index; i; i--)
        if (n->indexes[i].up && n->indexes[i].node == node)
            return *index = i, &n->indexes[i];
    return NULL;
}

enum { OUTBOX = 3 << 20 };

static struct actor *actor_at(struct node *n, uint64_t pid)
{
    uint32_t slot = (uint32_t)(pid & 0xffffff) - 1;
    struct actor *a = slot < SLOTS ? &n->actors[slot] : NULL;
    return a && slot_pid((int)slot, a->generation) == pid ? a : NULL;
}

struct actor *core_living(struct node *n, uint64_t pid)
{
    struct actor *a = actor_at(n, pid);
    return a && a->alive ? a : NULL;
}

/* ---- lives ---- */

void core_spawn(struct node *n, int slot)
{
    struct sim *s = n->sim;
    struct actor *a = &n->actors[slot];
    a->generation++;
    a->alive = 1;
    a->pending = 0;
    a->capacity = slot == 1 ? 4 : 0; /* one has a small mailbox, */
    a->service = slot == 1 ? 5 * MS : slot == 2 ? MS : sim_between(s, 0, 100 * US);
    a->nwatchers = a->nasks = 0;
    memset(a->last, 0, sizeof a->last);
}

void core_begin(struct node *n)
{
    n->next_ref = n->nlater = 0;
    n->stuck_ms = 0;
    for (int i = 0; i < SLOTS; i++) {
        n->actors[i].generation = 0; /* the same pids in each life: what a creation is for */
        core_spawn(n, i);
    }
}

static void empty_outbox(struct index *x)
{
    for (struct queued *q; (q = x->first); free(q))
        x->first = q->next;
}

void core_end(struct node *n)
{
    for (struct watch *w; (w = n->watches); free(w))
        n->watches = w->next;
    for (uint32_t i = 0; i < INDEXES; i++) {
        empty_outbox(&n->indexes[i]);
        free(n->indexes[i].signals);
    }
    memset(n->indexes, 0, sizeof n->indexes);
    for (int i = 0; i < SLOTS; i++) {
        free(n->actors[i].watchers);
        free(n->actors[i].asks);
        n->actors[i] = (struct actor){0};
    }
}

/* ---- indexes ---- */

static int named(const struct sim *s, const char *name)
{
    for (int i = 0; i < s->profile.nodes; i++)
        if (!strcmp(s->nodes[i].name, name))
            return i;
    return -1;
}

int core_up(struct node *n, const char *name, uint32_t *index, char *why, size_t room)
{
    struct sim *s = n->sim;
    uint32_t other, i = ++n->next_index;
    int node = named(s, name);
    if (n->state != ALIVE)
        return snprintf(why, room, "it ends"), IRIS_FAIL;
    if (s->profile.full && !s->calm && sim_chance(s, 20)) {
        fault_excuse(s, n->number, named(s, name), s->now + 3 * SEC);
        return snprintf(why, room, "the table of nodes is full"), IRIS_FAIL;
    }
    if (node < 0 || i >= INDEXES || node == n->number)
        return sim_fail(s, "I8", "n%d: up(\"%s\") as index %u", n->number, name, i), IRIS_FAIL;
    if (n->stranger != s->nodes[node].stranger)
        sim_fail(s, "I8", "n%d: %s is up, and has another cookie", n->number, name);
    if (core_index_of(n, node, &other))
        sim_fail(s, "I3", "n%d: %s is up as %u and was not told to be down as %u", n->number, name,
                 i, other);
    n->indexes[i] =
        (struct index){.used = 1, .up = 1, .node = node, .up_at = s->now, .bound_node = -1};
    n->indexes[i].last = &n->indexes[i].first;
    s->tally.ups++;
    sim_trace(s, n->number, "UP n%llu as index %llu", (uint64_t)node, i, 0);
    *index = i;
    return IRIS_OK;
}

static void identify(void *ctx, const struct mesh_node *m)
{
    struct node *n = ctx;
    struct index *x = core_up_index(n, m->index);
    struct sim *s = n->sim;
    if (!m->index)
        return;
    if (!x)
        return sim_fail(s, "nodes", "n%d: mesh_nodes() shows index %u, which is down", n->number,
                        m->index);
    int node = m->id.bytes[14];
    uint32_t life = m->id.bytes[15];
    if (node != x->node || strcmp(m->node, s->nodes[node].name) || (uint8_t)m->creation != life)
        return sim_fail(s, "I1", "n%d: index %u is %s, creation %llu, and its id is n%d's, life %u",
                        n->number, m->index, m->node, (unsigned long long)m->creation, node, life);
    if (x->life && x->life != life)
        sim_fail(s, "I1", "n%d: index %u was life %u of n%d, and is life %u", n->number, m->index,
                 x->life, node, life);
    x->life = life;
    check_rtt(n, node, m->rtt);
    if (m->queued > n->limits.queue + (1 << 20) + 65536) /* one message goes always */
        sim_fail(s, "I7", "n%d: %u bytes wait for n%d, the limit is %u", n->number, m->queued, node,
                 n->limits.queue);
}

void core_identify(struct node *n)
{
    if (n->state != ALIVE || n->leaving || !n->next_index || n->indexes[n->next_index].life)
        return;
    IN(n, mesh_nodes(n->mesh, identify, n));
}

void core_nodes(struct node *n)
{
    IN(n, mesh_nodes(n->mesh, identify, n));
}

static void end_watches(struct node *n, uint32_t index)
{
    for (struct watch **at = &n->watches, *w; (w = *at);) {
        if (w->index != index) {
            at = &w->next;
            continue;
        }
        sim_trace(n->sim, n->number, "DOWN noconnection, ref %llu", w->ref, 0, 0);
        n->sim->tally.downs++;
        *at = w->next;
        free(w);
    }
}

static void forget_watchers(struct node *n, uint32_t index)
{
    for (int i = 0; i < SLOTS; i++) {
        struct actor *a = &n->actors[i];
        size_t k = 0;
        for (size_t j = 0; j < a->nwatchers; j++)
            if (IRIS_NODE(a->watchers[j].pid) != index)
                a->watchers[k++] = a->watchers[j];
        a->nwatchers = k;
    }
}

static void asks_of(struct node *n, uint32_t index)
{
    struct ledger *l = &n->sim->ledger;
    for (size_t i = l->nasks; i-- > 0;)
        if (l->asks[i].node == n->number && l->asks[i].life == n->life && l->asks[i].index == index)
            l->asks[i].index_down_at = n->sim->now;
}

void core_down(struct node *n, uint32_t index, const char *reason)
{
    struct index *x = core_up_index(n, index);
    struct sim *s = n->sim;
    if (n->state != ALIVE)
        return;
    if (!x)
        return sim_fail(s, "I3", "n%d: down(%u), which is not up", n->number, index);
    sim_trace(s, n->number, "DOWN n%llu, index %llu", (uint64_t)x->node, index, 0);
    if (s->loud)
        printf("                  (%s)\n", reason);
    check_down(n, x, index);
    x->up = 0;
    x->down_at = s->now;
    for (const struct queued *q = x->first; q; q = q->next)
        core_tell_asker(n, q->ref);
    empty_outbox(x);
    end_watches(n, index);
    forget_watchers(n, index);
    asks_of(n, index);
}

/* ---- out ---- */

static void kept(struct index *x, const iris_message *m)
{
    x->signals = sim_grow(x->signals, &x->room, x->nsignals, sizeof *x->signals);
    x->signals[x->nsignals++] = (struct signalled){m->kind, RAW(m->from), RAW(m->to), m->ref};
}

static void flush(struct node *n, uint32_t index)
{
    if (n->state == ALIVE && !n->leaving && core_up_index(n, index))
        IN(n, mesh_flush(n->mesh, index));
}

static void out(struct node *n, const iris_message *m)
{
    struct index *x = core_up_index(n, IRIS_NODE(m->to));
    int result = IRIS_DEAD;
    if (!x || n->leaving)
        return;
    n->sim->tally.signals++;
    if (!(m->to & IS_ASK)) /* that of an ask names nobody: it cannot be found again */
        kept(x, m);        /* before: it may be down when the call is over */
    node_send(n, m, &result);
    if (result && core_up_index(n, IRIS_NODE(m->to)))
        sim_fail(n->sim, "I3", "n%d: a signal of kind %u to index %u, which is up, is refused: %d",
                 n->number, m->kind, IRIS_NODE(m->to), result);
    flush(n, IRIS_NODE(m->to));
}

static void out_later(struct sim *s, int node, void *what, uint64_t a)
{
    struct node *n = &s->nodes[node];
    (void)what, (void)a;
    for (size_t i = 0; i < n->nlater; i++) /* none is added meanwhile: nobody is inside */
        out(n, &n->later[i]);
    n->nlater = 0;
}

/* The seam may not call back: from within, it is done as soon as it has returned. */
void core_signal(struct node *n, uint32_t kind, uint64_t from, uint64_t to, uint64_t ref,
                 const char *reason)
{
    iris_message m = {.kind = kind,
                      .len = reason ? (uint32_t)strlen(reason) : 0,
                      .from = from,
                      .to = to,
                      .ref = ref,
                      .data = reason};
    if (!n->inside && !n->nlater)
        return out(n, &m);
    if (!n->nlater)
        sim_at(n->sim, n->sim->now, n->number, out_later, NULL, 0);
    n->later = sim_grow(n->later, &n->later_room, n->nlater, sizeof *n->later);
    n->later[n->nlater++] = m;
}

static int offer(struct node *n, uint64_t id, uint64_t to, uint64_t ref)
{
    static unsigned char body[2 << 20];
    struct sim *s = n->sim;
    struct mail *e = &s->ledger.mail[id];
    int result = IRIS_DEAD;
    ledger_body(s, id, e->len, body);
    iris_message m = {
        .kind = IRIS_USER, .len = e->len, .from = IS_MAIL | id, .to = to, .ref = ref, .data = body};
    e->taken = 1; /* a letter may come before the call returns */
    e->taken_at = s->now;
    node_send(n, &m, &result);
    e = &s->ledger.mail[id];
    sim_trace(s, n->number, "mail %llu to index %llu: %llu", id, IRIS_NODE(to), (uint64_t)result);
    if (result == IRIS_OK)
        return s->tally.mail++, result;
    e->taken = 0;
    if (e->letter || e->delivered)
        sim_fail(s, "I2", "n%d: mail %llu was refused (%d), and told of or delivered", n->number,
                 (unsigned long long)id, result);
    return result;
}

/* Who asked with it learns that it did not get there; of another node, by a DOWN. */
void core_tell_asker(struct node *n, uint64_t ref)
{
    if (!ref)
        return;
    if (IRIS_NODE(ref))
        return core_signal(n, IRIS_DOWN, 0, ref, 0, "noproc");
    struct ask *a = &n->sim->ledger.asks[ref & (IS_ASK - 1)];
    a->refused = 1;
    sim_trace(n->sim, n->number, "ask %llu: refused", ref & (IS_ASK - 1), 0, 0);
}

static void queue(struct index *x, uint64_t id, uint64_t to, uint64_t ref)
{
    struct queued *q = malloc(sizeof *q);
    if (!q)
        abort();
    *q = (struct queued){.id = id, .to = to, .ref = ref};
    *x->last = q;
    x->last = &q->next;
}

static void refused(struct node *n, struct index *x, uint64_t id, uint64_t ref, int result)
{
    struct sim *s = n->sim;
    if (result == IRIS_DEAD && x->up)
        sim_fail(s, "I2", "n%d: mail to n%d, which is up, is refused as dead", n->number, x->node);
    if (result == IRIS_LARGE && s->ledger.mail[id].len <= s->nodes[x->node].limits.payload &&
        s->ledger.mail[id].len <= n->limits.payload)
        sim_fail(s, "I2", "n%d: mail of %u bytes is too large for n%d", n->number,
                 s->ledger.mail[id].len, x->node);
    core_tell_asker(n, ref);
}

static void drain(struct sim *s, int node, void *what, uint64_t a)
{
    struct node *n = &s->nodes[node];
    uint32_t index = (uint32_t)a;
    struct index *x = core_up_index(n, index);
    (void)what;
    while (x && x->up && !n->leaving && x->first && !x->full) {
        struct queued *q = x->first;
        int result = offer(n, q->id, q->to, q->ref);
        if (result == IRIS_FULL) {
            x->full = 1;
            x->full_at = s->now;
            break;
        }
        if (!x->up)
            break; /* this call ended it: the outbox is empty */
        x->first = q->next;
        x->waits -= n->sim->ledger.mail[q->id].len + 64;
        if (!x->first)
            x->last = &x->first;
        if (result)
            refused(n, x, q->id, q->ref, result);
        free(q);
    }
    if (x)
        flush(n, index);
}

void core_room(struct node *n, uint32_t index)
{
    struct index *x = core_up_index(n, index);
    if (n->state != ALIVE)
        return;
    if (!x)
        return sim_fail(n->sim, "I2", "n%d: room(%u), which is not up", n->number, index);
    x->full = 0;
    sim_trace(n->sim, n->number, "room for index %llu", index, 0, 0);
    sim_at(n->sim, n->sim->now, n->number, drain, NULL, index);
}

int core_mail(struct node *n, int slot, uint64_t to, uint32_t len, uint64_t ref)
{
    struct index *x = core_up_index(n, IRIS_NODE(to));
    struct mail e = {.from = (int8_t)n->number,
                     .from_slot = (uint8_t)slot,
                     .from_life = n->life,
                     .index = IRIS_NODE(to),
                     .to_pid = RAW(to),
                     .of_ask = RAW(to) & IS_ASK ? 1 : 0,
                     .has_ref = ref != 0,
                     .len = len};
    if (n->leaving)
        return IRIS_DEAD;
    if (!x)
        return core_tell_asker(n, ref), IRIS_DEAD;
    if (x->waits + len > OUTBOX || sim_chance(n->sim, 1)) /* no memory counts as full */
        return core_tell_asker(n, ref), IRIS_FULL;
    x->waits += len + 64;
    e.to = (int8_t)x->node;
    e.to_life = x->life;
    queue(x, ledger_mail(n->sim, &e), to, ref);
    sim_at(n->sim, n->sim->now, n->number, drain, NULL, IRIS_NODE(to));
    return IRIS_OK;
}

void core_ask(struct node *n, int slot, uint64_t to, uint32_t len)
{
    struct index *x = core_up_index(n, IRIS_NODE(to));
    struct ask a = {.node = (int8_t)n->number,
                    .life = n->life,
                    .index = IRIS_NODE(to),
                    .at = n->sim->now,
                    .to_pid = RAW(to)};
    if (!x || n->leaving)
        return;
    a.to = (int8_t)x->node;
    core_mail(n, slot, to, len, IS_ASK | ledger_ask(n->sim, &a));
}

void core_watch(struct node *n, int slot, uint64_t target, int is_link)
{
    struct index *x = core_up_index(n, IRIS_NODE(target));
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    if (!x || n->leaving || !n->actors[slot].alive)
        return free(w);
    *w = (struct watch){.ref = ++n->next_ref,
                        .target = target,
                        .index = IRIS_NODE(target),
                        .slot = slot,
                        .is_link = is_link,
                        .node = x->node,
                        .life = x->life,
                        .made = n->sim->now,
                        .next = n->watches};
    struct node *t = &n->sim->nodes[x->node];
    struct actor *a = t->life == x->life && t->state == ALIVE ? actor_at(t, RAW(target)) : NULL;
    if (t->life == x->life && t->state == ALIVE && (!a || !a->alive))
        w->actor_gone = n->sim->now;
    if (t->life != x->life || t->state != ALIVE)
        w->gone = n->sim->now;
    n->watches = w;
    sim_trace(n->sim, n->number, "watches %llu of index %llu, ref %llu", RAW(target), w->index,
              w->ref);
    core_signal(n, is_link ? IRIS_LINK : IRIS_MONITOR, slot_pid(slot, n->actors[slot].generation),
                target, w->ref, NULL);
}

struct watch **core_watch_at(struct node *n, uint64_t ref)
{
    struct watch **at = &n->watches;
    while (*at && (*at)->ref != ref)
        at = &(*at)->next;
    return at;
}

void core_unwatch(struct node *n, struct watch *w)
{
    struct watch **at = core_watch_at(n, w->ref);
    *at = w->next;
    core_signal(n, w->is_link ? IRIS_UNLINK : IRIS_DEMONITOR,
                slot_pid(w->slot, n->actors[w->slot].generation), w->target, w->ref, NULL);
    free(w);
}

/* Only n0 and n1 may stop others, and supervise them. */
int core_may_be_refused(const struct node *from, uint32_t kind)
{
    return from->number > 1 && (kind == IRIS_STOP || kind == IRIS_ORDER);
}

/* A supervisor's order comes behind it, and is answered by who may be ordered about, whether it lives or not. */
void core_stop(struct node *n, uint64_t target)
{
    uint64_t own = slot_pid(0, n->actors[0].generation);
    core_signal(n, IRIS_STOP, own, target, ++n->next_ref, NULL);
    core_signal(n, IRIS_ORDER, own, target, ++n->next_ref, "H");
}

/* Everybody's watches of this actor: when it went. */
static void note_death(struct node *n, uint64_t pid)
{
    struct sim *s = n->sim;
    for (int i = 0; i < s->profile.nodes; i++)
        for (struct watch *w = s->nodes[i].watches; w; w = w->next)
            if (w->node == n->number && w->life == n->life && RAW(w->target) == pid &&
                !w->actor_gone)
                w->actor_gone = s->now;
}

void core_kill(struct node *n, int slot)
{
    struct actor *a = &n->actors[slot];
    uint64_t pid = slot_pid(slot, a->generation);
    if (!a->alive)
        return;
    a->alive = 0;
    a->died = n->sim->now;
    sim_trace(n->sim, n->number, "actor %llu dies", pid, 0, 0);
    note_death(n, pid);
    for (size_t i = 0; i < a->nasks; i++)
        core_tell_asker(n, a->asks[i]);
    for (size_t i = 0; i < a->nwatchers; i++)
        core_signal(n, a->watchers[i].is_link ? IRIS_EXIT : IRIS_DOWN, pid, a->watchers[i].pid,
                    a->watchers[i].ref, "killed (how=kill)");
    a->nasks = a->nwatchers = 0;
}

/* ---- the seam ---- */

void core_letter(struct node *n, const iris_message *m, const char *reason)
{
    if (n->state != ALIVE)
        return;
    n->sim->tally.letters++;
    if (m->kind != IRIS_USER)
        return sim_trace(n->sim, n->number, "letter of kind %llu", m->kind, 0, 0);
    ledger_letter(n, m, reason);
    core_tell_asker(n, m->ref);
}

uint64_t core_whereis(struct node *n, const char *name)
{
    int slot = -1;
    char rest;
    if (sscanf(name, "svc-%d%c", &slot, &rest) != 1 || slot < 0 || slot >= SLOTS ||
        !n->actors[slot].alive)
        return 0;
    return slot_pid(slot, n->actors[slot].generation);
}

void core_unanswered(struct node *n, uint64_t ref, const char *reason)
{
    struct ledger *l = &n->sim->ledger;
    uint64_t i = ref & (IS_ASK - 1);
    (void)reason;
    if (n->state != ALIVE)
        return;
    if (IRIS_NODE(ref) || !(ref & IS_ASK) || i >= l->nasks || l->asks[i].node != n->number ||
        l->asks[i].life != n->life)
        return sim_fail(n->sim, "I5", "n%d: unanswered(%llx), which is no ask of this life",
                        n->number, (unsigned long long)ref);
    core_tell_asker(n, ref);
}

int core_alive(struct node *n, uint64_t pid)
{
    struct ledger *l = &n->sim->ledger;
    uint64_t i = pid & (IS_ASK - 1);
    if (pid & IS_ASK)
        return i < l->nasks && !l->asks[i].answered && !l->asks[i].refused;
    return core_living(n, pid) != NULL;
}
