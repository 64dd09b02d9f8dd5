#include "door.h"

#include "awaits.h"
#include "behaviour.h"
#include "callers.h"
#include "cold.h"
#include "fail.h"
#include "gate.h"
#include "mailbox.h"
#include "send.h"

#include <string.h>

enum { UNCOUNTED = INT32_MAX }; /* as a capacity: there is a limit of bytes, and no other */

/* ---- whose it is ---- */

static void claim(struct door *d, iris_actor *a, uint64_t pid)
{
    memset((char *)d + offsetof(struct door, owner), 0, sizeof *d - offsetof(struct door, owner));
    d->owner = pid;
    d->capacity = atomic_load(&a->limit); /* which is just that as long as there is no door */
}

/* An actor shuts its gate before its door closes: what is not claimed by then never is. */
static int may_claim(const iris_actor *a, uint64_t pid, enum door_whose whose)
{
    return whose == DOOR_OWN ? iris__gate_is(a, pid)
                             : whose == DOOR_MAKE && iris__gate_accepts(a, pid);
}

struct door *iris__door_lock(struct world *w, iris_actor *a, uint64_t pid, enum door_whose whose)
{
    struct door *d = iris__table_door(&w->table, a->slot, whose != DOOR_FIND);
    if (!d)
        return NULL;
    iris__spin_lock(&d->lock);
    if (d->owner == pid)
        return d;
    if (!d->owner && may_claim(a, pid, whose)) {
        claim(d, a, pid);
        return d;
    }
    iris__spin_unlock(&d->lock);
    return NULL;
}

void iris__door_unlock(struct door *d)
{
    iris__spin_unlock(&d->lock);
}

/* [turn] Of an actor that has one. */
static struct door *lock_own(iris_actor *a)
{
    return iris__door_lock(iris__world_of(a), a, iris__actor_pid(a), DOOR_FIND);
}

void iris__door_part(struct world *w, struct door *d, uint64_t pid, struct parting *p)
{
    iris__spin_unlock(&d->lock);
    for (struct message *m = p->dropped, *next; m; m = next) {
        next = m->next;
        iris__world_dead_letter(w, m, DEAD_DROPPED);
    }
    for (uint32_t i = 0; i < p->ntells; i++)
        iris__signal(w, KIND_ADMITTED, pid, p->tells[i].pid, p->tells[i].n, NULL);
    iris__callers_tell(p->callers);
    iris__parting_init(p);
}

/* ---- the queue; lock held ---- */

static void hold(struct door *d, struct message *m)
{
    if (!d->bytes || m->pub.kind != IRIS_USER)
        return;
    m->flags |= MESSAGE_HELD;
    d->held += m->pub.len;
}

static void let_go(struct door *d, struct message *m)
{
    if (!(m->flags & MESSAGE_HELD))
        return;
    m->flags &= (uint8_t)~MESSAGE_HELD;
    d->held -= m->pub.len;
}

static struct message *next_waiting(struct message *m)
{
    while (m && !(m->flags & MESSAGE_WAITING))
        m = m->next;
    return m;
}

void iris__door_append(struct door *d, struct message *m)
{
    m->next = NULL;
    if (d->last)
        d->last->next = m;
    else
        d->first = m;
    d->last = m;
    if (!(m->flags & MESSAGE_WAITING)) {
        d->queued++;
        hold(d, m);
        return;
    }
    d->waiting++;
    if (!d->waits)
        d->waits = m;
}

static struct message *unlink_after(struct door *d, struct message *before)
{
    struct message **at = before ? &before->next : &d->first, *m = *at;
    *at = m->next;
    if (d->waits == m)
        d->waits = next_waiting(m->next);
    if (d->last == m)
        d->last = before;
    if (m->flags & MESSAGE_WAITING)
        d->waiting--;
    else
        d->queued--;
    return m;
}

void iris__door_remove(struct door *d, struct message *m)
{
    struct message *before = NULL;
    for (struct message *e = d->first; e != m; e = e->next)
        before = e;
    unlink_after(d, before);
}

void iris__door_set_limit(struct door *d, iris_actor *a)
{
    uint32_t limit = d->warning && d->warning <= d->capacity ? d->warning - 1 : d->capacity;
    if (d->first || iris__door_takes_all(d))
        limit = 0;
    atomic_store(&a->limit, limit);
}

/* Somebody waited with this one, and does not any more. */
static void note(struct door *d, struct message *m, int result, struct parting *p)
{
    if (m->flags & MESSAGE_SUSPENDS && p->ntells && p->tells[p->ntells - 1].pid == m->pub.from)
        p->tells[p->ntells - 1].n++;
    else if (m->flags & MESSAGE_SUSPENDS)
        p->tells[p->ntells++] = (struct door_tell){m->pub.from, 1};
    if (m->flags & MESSAGE_CALLER)
        iris__callers_take(&d->callers, m, result, &p->callers);
    m->flags &= (uint8_t) ~(MESSAGE_WAITING | MESSAGE_SUSPENDS | MESSAGE_CALLER);
}

/* Its place is taken then. */
static int may_come_in(const struct door *d, iris_actor *a, const struct message *m,
                       const struct parting *p)
{
    return p->ntells < PARTING_TELLS && iris__door_fits(d, m->pub.len) &&
           iris__gate_admit(a, d->capacity);
}

/* The first of the queue, if it may come in: it is in no list then. */
static struct message *take_first(struct door *d, iris_actor *a, struct parting *p)
{
    struct message *m = d->first;
    if (!m)
        return NULL;
    int waits = m->flags & MESSAGE_WAITING;
    if (waits && !may_come_in(d, a, m, p))
        return NULL;
    unlink_after(d, NULL);
    if (waits) {
        note(d, m, IRIS_OK, p);
        hold(d, m);
    }
    return m;
}

/* It keeps its place in the queue. */
static void come_in(struct door *d, struct message *m, struct parting *p)
{
    note(d, m, IRIS_OK, p);
    hold(d, m);
    d->waiting--;
    d->queued++;
    d->waits = next_waiting(m->next);
}

/* Where all stay in the queue until they are begun: those that wait, as far as there is room. */
static void admit(struct door *d, iris_actor *a, struct parting *p)
{
    while (d->waits && may_come_in(d, a, d->waits, p))
        come_in(d, d->waits, p);
}

static void add_local(struct door *d, iris_actor *a, struct message **end, struct message *m)
{
    m->next = NULL;
    *end = m;
    iris__mailbox_adjust(a, 1);
    d->markers += m->pub.kind == KIND_SWAP;
}

static struct message **end_of_local(iris_actor *a)
{
    struct message **end = &a->local;
    while (*end)
        end = &(*end)->next;
    return end;
}

/* [turn] All that may come in. */
static void let_in(struct door *d, iris_actor *a, struct parting *p)
{
    struct message **end = d->first ? end_of_local(a) : NULL;
    for (struct message *m; (m = take_first(d, a, p)); end = &m->next)
        add_local(d, a, end, m);
}

static void drop(struct parting *p, struct message *m)
{
    m->next = p->dropped;
    p->dropped = m;
}

/* ---- eviction; lock held ---- */

static int evict_queued(struct door *d, struct parting *p)
{
    struct message *before = NULL;
    for (struct message *m = d->first; m; before = m, m = m->next)
        if (m->pub.kind == IRIS_USER && !(m->flags & MESSAGE_WAITING)) {
            let_go(d, m);
            drop(p, unlink_after(d, before));
            return 1;
        }
    return 0;
}

int iris__door_evict(struct door *d, iris_actor *a, struct parting *p)
{
    int64_t older = (int64_t)(int32_t)iris__mailbox_size(a) - d->markers - d->owed;
    if (older > 0)
        d->owed++;
    else if (!evict_queued(d, p))
        return 0;
    return 1;
}

uint32_t iris__door_make_room(struct world *w, struct door *d, size_t len, struct parting *p)
{
    uint32_t n = 0;
    for (; !iris__door_fits(d, len) && evict_queued(d, p); n++)
        iris__door_count(w, d, IRIS_MAILBOX_DROPPED);
    return n;
}

/* At the cost of the oldest. */
static int take_place(struct world *w, struct door *d, iris_actor *a, size_t len, struct parting *p)
{
    atomic_fetch_sub(&a->gate, iris__door_make_room(w, d, len, p));
    if (iris__gate_admit(a, d->capacity))
        return 1;
    if (!iris__door_evict(d, a, p))
        return 0;
    iris__door_count(w, d, IRIS_MAILBOX_DROPPED);
    return 1;
}

/* The policy says now that they need not wait: each takes the oldest's place. Not all at once, since
 * there may be many to tell. */
int iris__door_convert(struct world *w, struct door *d, iris_actor *a, struct parting *p)
{
    while (d->waits && p->ntells < PARTING_TELLS) {
        if (!take_place(w, d, a, d->waits->pub.len, p))
            return 0;
        come_in(d, d->waits, p);
    }
    return d->waiting && p->ntells == PARTING_TELLS;
}

static void pay_from_local(struct door *d, iris_actor *a, struct parting *p)
{
    for (struct message **at = &a->local; d->owed && *at;) {
        struct message *m = *at;
        if (m->pub.kind != IRIS_USER) {
            at = &m->next;
            continue;
        }
        *at = m->next;
        iris__mailbox_adjust(a, -1);
        drop(p, m);
        d->owed--;
    }
}

/* [turn] What is owed is what is oldest now. (In a policy's first moments an estimate may have been too
 * high by what the turn began just then: the place that was given twice is counted again.) */
static void pay(struct door *d, iris_actor *a, struct parting *p)
{
    iris__mailbox_fetch(a);
    pay_from_local(d, a, p);
    while (d->owed && evict_queued(d, p))
        d->owed--;
    atomic_fetch_add(&a->gate, d->owed);
    d->owed = 0;
}

/* ---- the turn ---- */

void iris__door_hear(iris_actor *a)
{
    struct parting p;
    iris__parting_init(&p);
    struct door *d = lock_own(a);
    if (!d)
        return;
    a->flags |= ACTOR_DOOR;
    d->told = 1;
    if (d->owed)
        pay(d, a, &p);
    iris__door_part(iris__world_of(a), d, iris__actor_pid(a), &p);
}

static int has_room(const struct door *d, const iris_actor *a)
{
    return !d->waiting && iris__gate_count(a) < d->capacity && iris__door_fits(d, 1);
}

/* Whether the turn need not look after it any more. */
static int leave(struct door *d, iris_actor *a, struct parting *p)
{
    if (d->callers && has_room(d, a))
        iris__callers_take_room(&d->callers, IRIS_OK, &p->callers);
    iris__door_set_limit(d, a);
    if (d->first || d->callers || iris__door_takes_all(d))
        return 0;
    d->told = 0;
    a->flags &= (uint16_t)~ACTOR_DOOR;
    return 1;
}

/* One at a time, so that what is begun is begun, and all else within reach of an eviction. */
static struct message *take_one(struct door *d, iris_actor *a, struct parting *p)
{
    struct message *m = a->local;
    if (!m && (m = take_first(d, a, p)) && m->pub.kind >= KIND_SWAP) {
        add_local(d, a, &a->local, m);
        return NULL;
    }
    if (!m || m->pub.kind >= KIND_SWAP)
        return NULL;
    if (m == a->local) {
        a->local = m->next;
        iris__mailbox_adjust(a, -1);
    }
    let_go(d, m);
    return m;
}

static enum door_next next(struct door *d, iris_actor *a, struct message **m, struct parting *p)
{
    pay(d, a, p);
    if (iris__door_takes_all(d))
        *m = take_one(d, a, p);
    else
        let_in(d, a, p);
    if (d->bytes)
        admit(d, a, p);
    int left = leave(d, a, p);
    if (*m)
        return DOOR_ONE;
    if (a->local)
        return DOOR_LOCAL;
    if (left)
        return DOOR_LEFT;
    return iris__mailbox_let_go(a, 0) ? DOOR_RESTS
                                      : DOOR_LEFT; /* LEFT: look again, at signals first */
}

enum door_next iris__door_next(iris_actor *a, struct message **m)
{
    struct world *w = iris__world_of(a);
    uint64_t pid = iris__actor_pid(a);
    struct parting p;
    iris__parting_init(&p);
    struct door *d = lock_own(a);
    *m = NULL;
    if (!d) {
        a->flags &= (uint16_t)~ACTOR_DOOR;
        return DOOR_LEFT;
    }
    enum door_next result = next(d, a, m, &p);
    iris__door_part(w, d, pid, &p);
    if (result == DOOR_RESTS)
        iris__mailbox_look_back(a);
    return result;
}

/* A marker is taken in, so that it is met; mail stays within reach until it is begun. */
static int see_next(struct door *d, iris_actor *a, struct parting *p)
{
    admit(d, a, p);
    if (a->local || !d->first || d->first->flags & MESSAGE_WAITING)
        return 0;
    if (d->first->pub.kind < KIND_SWAP)
        return 1;
    add_local(d, a, &a->local, take_first(d, a, p));
    return 0;
}

int iris__door_fetch(iris_actor *a)
{
    struct parting p;
    int stays = 0;
    iris__parting_init(&p);
    struct door *d = lock_own(a);
    if (!d)
        return 0;
    pay(d, a, &p);
    if (d->bytes && !d->pulls)
        stays = see_next(d, a, &p);
    else
        let_in(d, a, &p);
    leave(d, a, &p);
    iris__door_part(iris__world_of(a), d, iris__actor_pid(a), &p);
    return stays;
}

int iris__door_begin(iris_actor *a, struct message *wanted)
{
    struct parting p;
    iris__parting_init(&p);
    struct message **at = &a->local;
    struct door *d = lock_own(a);
    if (d)
        pay(d, a, &p);
    while (*at && *at != wanted)
        at = &(*at)->next;
    int found = *at != NULL;
    if (found) {
        *at = wanted->next;
        iris__mailbox_adjust(a, -1);
    }
    if (d && found)
        let_go(d, wanted);
    if (d)
        iris__door_part(iris__world_of(a), d, iris__actor_pid(a), &p);
    return found;
}

int iris__door_rest(iris_actor *a)
{
    struct door *d = a->flags & ACTOR_DOOR ? lock_own(a) : NULL;
    if (!d)
        return iris__mailbox_rest(a);
    int may =
        d->waits && iris__gate_count(a) < d->capacity && iris__door_fits(d, d->waits->pub.len);
    int waits = d->queued || may || d->owed;
    int rests = !waits && iris__mailbox_let_go(a, 0);
    iris__door_unlock(d);
    if (rests)
        iris__mailbox_look_back(a);
    return rests;
}

void iris__door_let_go(iris_actor *a, struct message *m)
{
    struct door *d = lock_own(a);
    if (!d)
        return;
    let_go(d, m);
    iris__door_unlock(d);
}

void iris__door_count_marker(iris_actor *a)
{
    struct door *d = lock_own(a);
    if (!d)
        return;
    d->markers -= d->markers > 0;
    iris__door_unlock(d);
}

/* ---- markers ---- */

/* Of those in the mailbox the door must know how many there are, since they can never be evicted; a stop
 * comes last, and after it nobody is. */
static int push_marker(iris_actor *a, uint64_t pid, struct message *m)
{
    return iris__gate_is(a, pid) ? iris__mailbox_push(a, m) : IRIS_DEAD;
}

static int put_marker(struct world *w, iris_actor *a, uint64_t pid, struct message *m)
{
    int is_swap = m->pub.kind == KIND_SWAP;
    if (!(atomic_load(&a->marks) & MARK_BOUNDED))
        return push_marker(a, pid, m);
    struct door *d = iris__door_lock(w, a, pid, is_swap ? DOOR_MAKE : DOOR_FIND);
    if (!d)
        return push_marker(a, pid, m);
    int queues = d->first || iris__door_takes_all(d);
    if (queues)
        iris__door_append(d, m);
    else
        d->markers += (uint32_t)is_swap;
    iris__door_unlock(d);
    if (!queues)
        return iris__mailbox_push(a, m);
    iris__mailbox_knock(a);
    return IRIS_OK;
}

int iris__door_marker(struct world *w, iris_actor *a, uint64_t pid, struct message *m)
{
    iris__markers_add(a);
    int result = put_marker(w, a, pid, m);
    if (result)
        iris__markers_remove(a);
    return result;
}

/* ---- birth and end ---- */

static int needs_fallback(uint32_t policy)
{
    return policy == IRIS_REDIRECT || policy == IRIS_SPILL;
}

static int check_policy(const char *who, uint32_t policy, uint64_t fallback)
{
    if (policy > IRIS_SPILL)
        return iris__fail("%s: there is no policy %u; IRIS_DROP_NEW (0) to IRIS_SPILL (4)", who,
                          policy);
    if (needs_fallback(policy) && !fallback)
        return iris__fail("%s: policy %u needs a fallback, the pid of who gets what is too much",
                          who, policy);
    if (!needs_fallback(policy) && fallback)
        return iris__fail("%s: a fallback is for IRIS_REDIRECT and IRIS_SPILL; policy is %u", who,
                          policy);
    return IRIS_OK;
}

/* What a pull actor has taken in only its own turn may touch. */
static int check_pull(const char *who, uint32_t policy, uint64_t bytes, int pulls)
{
    if (policy == IRIS_DROP_OLD && bytes && pulls)
        return iris__fail("%s: a limit of bytes and IRIS_DROP_OLD do not go together for a pull "
                          "actor, which may begin any of its messages; take another policy, or a "
                          "capacity alone",
                          who);
    return IRIS_OK;
}

static int is_pull(const iris_spawn *s)
{
    return (s->version->b.flags & IRIS_PULL) != 0;
}

int iris__door_check(const iris_spawn *s)
{
    if (s->policy && !s->capacity && !s->bytes)
        return iris__fail("spawn: policy %u is for a full mailbox, and an unbounded one never is; "
                          "give it a capacity, or a limit of bytes",
                          s->policy);
    if (check_pull("spawn", s->policy, s->bytes, is_pull(s)))
        return IRIS_FAIL;
    if (s->warn_at > 100)
        return iris__fail("spawn: warn_at is %u; percent, up to 100", s->warn_at);
    return check_policy("spawn", s->policy, s->fallback);
}

static uint32_t warning_of(uint32_t capacity, uint32_t percent)
{
    return (uint32_t)(((uint64_t)capacity * percent + 99) / 100);
}

static void set_capacity(struct door *d, uint32_t capacity)
{
    d->capacity = capacity;
    d->warning = warning_of(capacity, d->warn_at);
}

static int needs_door(const iris_spawn *s)
{
    return s->bytes || (s->capacity && (s->policy || s->warn_at));
}

int iris__door_prepare(struct world *w, iris_actor *a, const iris_spawn *s)
{
    return needs_door(s) && !iris__table_door(&w->table, a->slot, 1)
               ? iris__fail("spawn: no memory for the door of its mailbox")
               : IRIS_OK;
}

/* Its gate is shut yet: nobody else can claim the door. */
void iris__door_open(struct world *w, iris_actor *a, uint64_t pid, const iris_spawn *s)
{
    struct door *d = needs_door(s) ? iris__table_door(&w->table, a->slot, 0) : NULL;
    if (!d)
        return;
    iris__spin_lock(&d->lock);
    claim(d, a, pid);
    d->policy = (uint8_t)s->policy;
    d->fallback = s->fallback;
    d->warn_at = (uint8_t)s->warn_at;
    d->bytes = s->bytes;
    d->pulls = (uint8_t)is_pull(s);
    set_capacity(d, s->capacity ? s->capacity : UNCOUNTED);
    iris__door_set_limit(d, a);
    if (iris__door_takes_all(d)) {
        d->told = 1;
        a->flags |= ACTOR_DOOR;
    }
    iris__spin_unlock(&d->lock);
}

/* Who waits for its message is told that it was not sent; all other mail is the actor's to bury. */
static int close_some(struct door *d, iris_actor *a, struct message **refused, struct parting *p)
{
    struct message **end = end_of_local(a);
    for (struct message *m; (m = d->first) && p->ntells < PARTING_TELLS;) {
        int is_callers = m->flags & MESSAGE_CALLER;
        unlink_after(d, NULL);
        note(d, m, IRIS_DEAD, p);
        m->next = is_callers ? *refused : NULL;
        *(is_callers ? refused : end) = m;
        end = is_callers ? end : &m->next;
    }
    return d->first != NULL;
}

void iris__door_close_own(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    uint64_t pid = iris__actor_pid(a);
    struct message *refused = NULL;
    struct edge *edges = NULL;
    for (int more = 1; more;) {
        struct parting p;
        iris__parting_init(&p);
        struct door *d = lock_own(a);
        if (!d)
            break;
        if (d->owed)
            pay(d, a, &p);
        more = close_some(d, a, &refused, &p);
        if (!more) {
            iris__callers_take_room(&d->callers, IRIS_DEAD, &p.callers);
            edges = d->edges;
            d->edges = NULL;
            d->owner = 0;
        }
        iris__door_part(w, d, pid, &p);
    }
    a->flags &= (uint16_t) ~(ACTOR_DOOR | ACTOR_WAITS);
    iris__awaits_free(edges);
    for (struct message *m = refused, *next; m; m = next) {
        next = m->next;
        iris__message_drop(w->pool, m);
    }
}

/* ---- from outside ---- */

static void change(struct world *w, iris_actor *a, uint64_t pid, struct door *d)
{
    for (int more = d->policy == IRIS_DROP_OLD; more;) {
        struct parting p;
        iris__parting_init(&p);
        more = iris__door_convert(w, d, a, &p);
        iris__door_part(w, d, pid, &p);
        if (!(d = iris__door_lock(w, a, pid, DOOR_FIND)))
            return;
    }
    iris__door_set_limit(d, a);
    d->told = 1;
    iris__door_unlock(d);
}

int iris__door_policy(struct world *w, uint64_t pid, uint32_t policy, uint64_t fallback,
                      uint32_t capacity)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    if (!a || !iris__gate_accepts(a, pid))
        return IRIS_DEAD;
    if (check_policy("policy", policy, fallback))
        return IRIS_FAIL;
    if (fallback == pid)
        return iris__fail("policy: an actor cannot be its own fallback");
    if (!(atomic_load(&a->marks) & MARK_BOUNDED))
        return iris__fail("policy: an unbounded mailbox is never full; spawn it with a capacity, "
                          "or a limit of bytes");
    struct message *bell = iris__message_signal(w->pool, KIND_DOOR, 0, pid, 0, NULL);
    struct door *d = bell ? iris__door_lock(w, a, pid, DOOR_MAKE) : NULL;
    if (!d) {
        if (bell)
            iris__message_drop(w->pool, bell);
        return iris__gate_accepts(a, pid) ? iris__fail("policy: no memory") : IRIS_DEAD;
    }
    if (check_pull("policy", policy, d->bytes, d->pulls)) {
        iris__door_unlock(d);
        iris__message_drop(w->pool, bell);
        return IRIS_FAIL;
    }
    d->policy = (uint8_t)policy;
    d->fallback = fallback;
    if (capacity)
        set_capacity(d, capacity);
    change(w, a, pid, d);
    iris__signal_post(w, bell); /* more may come in now */
    return IRIS_OK;
}

/* IRIS_OK, or IRIS_FAIL with a reason. */
static int set_bytes(struct door *d, uint64_t bytes)
{
    if (!d || !d->bytes)
        return iris__fail("bytes: this mailbox does not count them; spawn it with a limit");
    if (!bytes)
        return iris__fail("bytes: the limit can be another, and not be taken away");
    d->bytes = bytes;
    return IRIS_OK;
}

int iris__door_bytes(struct world *w, uint64_t pid, uint64_t bytes)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    if (!a || !iris__gate_accepts(a, pid))
        return IRIS_DEAD;
    struct message *bell = iris__message_signal(w->pool, KIND_DOOR, 0, pid, 0, NULL);
    if (!bell)
        return iris__fail("bytes: no memory");
    struct door *d = iris__door_lock(w, a, pid, DOOR_FIND);
    int result = set_bytes(d, bytes);
    if (d)
        iris__door_unlock(d);
    if (result == IRIS_OK)
        iris__signal_post(w, bell); /* more may come in now */
    else
        iris__message_drop(w->pool, bell);
    return result && !iris__gate_accepts(a, pid) ? IRIS_DEAD : result;
}

static void describe(const struct door *d, iris_mailbox_look *l)
{
    l->policy = d->policy;
    l->fallback = d->fallback;
    l->capacity = d->capacity == UNCOUNTED ? 0 : d->capacity;
    l->bytes = d->bytes;
    l->held = d->held;
    l->warn_at = d->warn_at;
    l->waiting = d->waiting;
    l->mailbox += d->queued - d->owed;
    memcpy(l->counts, d->counts, sizeof d->counts);
}

int iris__door_look(struct world *w, uint64_t pid, iris_mailbox_look *out)
{
    iris_mailbox_look l = {.size = out->size, .abi = IRIS_ABI};
    iris_actor *a = iris__table_at(&w->table, pid);
    if (!a || !iris__gate_is(a, pid) || atomic_load(&a->marks) & MARK_PORT)
        return IRIS_DEAD;
    struct door *d = iris__door_lock(w, a, pid, DOOR_FIND);
    l.mailbox = iris__mailbox_size(a);
    l.undone = iris__gate_count(a);
    l.capacity = atomic_load(&a->limit);
    if (d) {
        describe(d, &l);
        iris__door_unlock(d);
    }
    l.mailbox = iris__markers_exclude(a, (uint32_t)l.mailbox);
    memcpy(out, &l, out->size < sizeof l ? out->size : sizeof l);
    return IRIS_OK;
}
