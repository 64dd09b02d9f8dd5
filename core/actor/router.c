#include "router.h"

#include "actor.h"
#include "awaits.h"
#include "callers.h"
#include "fail.h"
#include "gate.h"
#include "mailbox.h"
#include "overflow.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>

enum {
    COPIED = 256, /* bytes; more are not copied, but kept for who gets them */
    ASKED = 64    /* full instances that are to tell when they have room */
};

struct seat { /* one instance */
    uint64_t pid;
    iris_job room; /* while `asked`: it will tell */
    atomic_int asked;
    struct router *router;
};

/* Lives as long as its behaviour, and as an instance that is to tell it. */
struct router {
    struct world *w;
    enum router_way way;
    atomic_uint refs;
    _Atomic uint64_t self, edge; /* it waits: who does, and for whom as awaits.h knows it */
    uint32_t next, n;
    struct seat seats[];
};

static void let_go(struct router *r)
{
    if (atomic_fetch_sub(&r->refs, 1) == 1)
        free(r);
}

/* ---- a message once more ---- */

static void release(void *ctx)
{
    struct message *m = ctx;
    iris__message_drop(iris__pool_of(m, m->tier), m);
}

static struct message *again(struct world *w, const iris_message *pub)
{
    struct message *m = iris__message_of(pub);
    int copies = pub->len <= COPIED;
    struct message *out = iris__message_new(w->pool, copies ? pub->len : sizeof(struct given));
    if (!out)
        return NULL;
    if (copies) {
        memcpy(out->body, pub->data, pub->len);
    } else {
        struct given given = {release, m};
        atomic_fetch_add(&m->refs, 1);
        memcpy(out->body, &given, sizeof given);
        out->flags = MESSAGE_GIVEN;
        out->pub.data = pub->data;
        out->pub.len = pub->len;
    }
    out->pub.kind = pub->kind;
    out->pub.from = pub->from;
    out->pub.ref = pub->ref;
    return out;
}

/* ---- nobody has room ---- */

/* [any] A late one ends another wait than it was asked for: then the router looks once more than it must. */
static void has_room(iris_job *job)
{
    struct seat *s = (struct seat *)((char *)job - offsetof(struct seat, room));
    struct router *r = s->router;
    atomic_store(&s->asked, 0);
    iris__signal(r->w, KIND_ADMITTED, atomic_load(&r->edge), atomic_load(&r->self), 1, NULL);
    let_go(r);
}

static void ask_for_room(struct router *r, iris_actor *self, struct seat *s)
{
    if (atomic_exchange(&s->asked, 1))
        return;
    atomic_fetch_add(&r->refs, 1);
    s->room.run = has_room;
    if (iris__room(self, s->pid, &s->room, NULL) == IRIS_OK)
        return;
    atomic_store(&s->asked, 0);
    let_go(r);
}

/* It begins nothing else until one of these has room. IRIS_FULL: it would wait for itself. */
static int wait_for(struct router *r, iris_actor *self, uint32_t first, uint32_t n)
{
    if (iris__awaits_begin(self, r->seats[first].pid))
        return IRIS_FULL;
    atomic_store(&r->self, iris__actor_pid(self));
    atomic_store(&r->edge, r->seats[first].pid);
    iris__awaits_suspend(self);
    int asked = 0;
    for (uint32_t i = 0; i < n && i < ASKED; i++) {
        struct seat *s = &r->seats[(first + i) % r->n];
        ask_for_room(r, self, s);
        asked |= atomic_load(&s->asked);
    }
    if (!asked) /* they have ended, or told it already */
        iris__awaits_end(self, r->seats[first].pid, 1);
    return IRIS_OK;
}

/* ---- who gets it ---- */

static uint32_t load_of(struct world *w, uint64_t pid)
{
    const iris_actor *a = iris__table_at(&w->table, pid);
    if (!a || !iris__gate_accepts(a, pid))
        return UINT32_MAX;
    uint32_t bounded =
        atomic_load_explicit(&((iris_actor *)a)->marks, memory_order_relaxed) & MARK_BOUNDED;
    return bounded ? iris__gate_count(a) : iris__mailbox_size(a);
}

/* The first of the least loaded, from the one whose turn it is. */
static uint32_t least(const struct router *r)
{
    uint32_t best = r->next, fewest = UINT32_MAX;
    for (uint32_t i = 0; i < r->n && fewest; i++) {
        uint32_t at = (r->next + i) % r->n, load = load_of(r->w, r->seats[at].pid);
        if (load < fewest) {
            best = at;
            fewest = load;
        }
    }
    return best;
}

static uint32_t choose(struct router *r, const iris_message *m)
{
    uint32_t at = r->next;
    if (r->way == ROUTER_HASH)
        return (uint32_t)((m->from * UINT64_C(0x9e3779b97f4a7c15) >> 32) * r->n >> 32);
    if (r->way == ROUTER_LEAST_MAILBOX)
        at = least(r);
    r->next = at + 1 < r->n ? at + 1 : 0;
    return at;
}

static int post(struct router *r, uint32_t at, struct message *m)
{
    m->pub.to = r->seats[at].pid;
    return iris__post_if(r->w, m);
}

/* Beyond what its mailbox holds: it waits there by itself. */
static int post_anyway(struct router *r, uint32_t at, struct message *m)
{
    m->pub.to = r->seats[at].pid;
    return iris__post(r->w, NULL, m, OVERFLOW_ALONE);
}

/* Where bytes are limited the door has to be asked. */
static int post_if_room(struct router *r, uint32_t at, struct message *m)
{
    int result = post(r, at, m);
    if (result != IRIS_FULL || iris__overflow_is_full(r->w, m->pub.to, m->pub.len))
        return result;
    return post_anyway(r, at, m);
}

static void lose(struct router *r, struct message *m, int result)
{
    iris__world_dead_letter(r->w, m, result == IRIS_DEAD ? DEAD_ENDED : DEAD_DROPPED);
}

/* ---- one message; 1: it is handled, 0: it stays until there is room ---- */

static int to_one(struct router *r, iris_actor *self, struct message *m)
{
    uint32_t before = r->next, first = choose(r, &m->pub), full = r->n;
    uint32_t others = r->way == ROUTER_HASH ? 0 : r->n - 1;
    int result = IRIS_DEAD;
    for (uint32_t i = 0; i < r->n && (i <= others || full == r->n); i++) {
        uint32_t at = (first + i) % r->n;
        result = post_if_room(r, at, m);
        if (result == IRIS_OK)
            return 1;
        if (result == IRIS_FULL && full == r->n)
            full = at;
    }
    if (full < r->n && !wait_for(r, self, full, others + 1)) {
        r->next = before;
        iris__message_drop(r->w->pool, m);
        return 0;
    }
    if (full < r->n)
        result = post_anyway(r, full, m);
    if (result)
        lose(r, m, result);
    return 1;
}

/* Each gets one of its own; once begun all get it. IRIS_OK, or how it went at the last that did not. */
static int to_seat(struct router *r, uint32_t at, const struct message *m, uint64_t ref,
                   uint32_t *full)
{
    struct message *out = again(r->w, &m->pub);
    if (!out)
        return IRIS_FULL;
    out->pub.ref = ref;
    int result = post(r, at, out);
    if (result == IRIS_FULL) {
        *full = at;
        result = post_anyway(r, at, out);
    }
    if (result)
        iris__message_drop(r->w->pool, out);
    return result;
}

static int to_all(struct router *r, iris_actor *self, struct message *m)
{
    uint32_t full = r->n, got = 0;
    int result = IRIS_DEAD;
    for (uint32_t at = 0; at < r->n; at++) {
        int one = to_seat(r, at, m, got ? 0 : m->pub.ref, &full);
        got += one == IRIS_OK;
        result = one == IRIS_DEAD ? result : one;
    }
    if (!got)
        lose(r, m, result);
    else
        iris__message_drop(r->w->pool, m);
    if (full < r->n)
        wait_for(r, self, full, 1);
    return 1;
}

static int forward(struct router *r, iris_actor *self, const iris_message *pub)
{
    struct message *m = again(r->w, pub);
    if (!m)
        return 0;
    return r->way == ROUTER_BROADCAST ? to_all(r, self, m) : to_one(r, self, m);
}

/* ---- the behaviour ---- */

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    struct router *r = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        if (!forward(r, self, messages[i]))
            return i;
        if (self->flags & ACTOR_WAITS)
            return i + 1;
    }
    return n;
}

static void finish(const iris_behaviour *b)
{
    let_go(b->data);
}

static struct router *make(struct world *w, enum router_way way, const uint64_t *pids, uint32_t n)
{
    struct router *r = calloc(1, sizeof *r + n * sizeof *r->seats);
    if (!r)
        return NULL;
    r->w = w;
    r->way = way;
    r->n = n;
    atomic_init(&r->refs, 1);
    for (uint32_t i = 0; i < n; i++) {
        r->seats[i].pid = pids[i];
        r->seats[i].router = r;
    }
    return r;
}

int iris__router_define(struct world *w, enum router_way way, const uint64_t *instances, uint32_t n,
                        iris_version **out)
{
    static const char *const words[] = {"round_robin", "least_mailbox", "hash", "broadcast"};
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = words[way],
                        .version = "",
                        .data = make(w, way, instances, n),
                        .handle = handle,
                        .free = finish};
    if (!b.data)
        return iris__fail("router: no memory");
    int result = iris__version_define(w, &b, NULL, NULL, "core", words[way], out);
    if (result)
        let_go(b.data);
    return result;
}
