#include "links.h"

#include "behaviour.h"
#include "cold.h"
#include "fail.h"
#include "gate.h"
#include "reason.h"
#include "send.h"

#include <stdlib.h>

struct link {
    struct in_set in_set;  /* key: the other's pid */
    uint64_t mine, theirs; /* refs; both 0: not linked */
    uint64_t leaving;      /* ref of an UNLINK that is not confirmed yet, or 0 */
    uint64_t far;          /* ref under which a far one's node is watched, or 0 */
    uint64_t stale;        /* EXITs up to this one are not wanted any more */
    uint32_t waiting;      /* EXITs that wait for the behaviour */
};

static int is_far(uint64_t pid)
{
    return pid >> PID_NODE_SHIFT != 0;
}

static int is_linked(const struct link *k)
{
    return k && (k->mine || k->theirs);
}

static struct link *find(const iris_actor *a, uint64_t pid)
{
    struct cold *c = iris__cold_if(a);
    return c ? (struct link *)iris__set_find(&c->links, pid) : NULL;
}

static struct link *obtain(iris_actor *a, uint64_t pid)
{
    struct cold *c = iris__cold(a);
    struct link *k = find(a, pid);
    if (k || !c || !(k = calloc(1, sizeof *k)))
        return k;
    iris__set_add(&c->links, &k->in_set, pid);
    return k;
}

static void forget_node(struct world *w, struct link *k)
{
    if (k->far)
        iris__route_forget(w, k->in_set.key, k->far);
    k->far = 0;
}

/* Perhaps nothing of it is needed any more. */
static void tidy(iris_actor *a, struct link *k)
{
    if (is_linked(k) || k->leaving)
        return;
    forget_node(iris__world_of(a), k);
    if (k->waiting)
        return;
    iris__set_take(&iris__cold_if(a)->links, &k->in_set);
    free(k);
}

static uint64_t next_ref(struct world *w)
{
    return atomic_fetch_add(&w->refs, 1);
}

static void tell(struct world *w, uint32_t kind, uint64_t from, uint64_t to, uint64_t ref)
{
    if (iris__signal(w, kind, from, to, ref, NULL)) {
        iris_message m = {.kind = kind, .from = from, .to = to, .ref = ref};
        iris__link_refused(w, &m);
    }
}

/* Of a far one the node is watched too. */
static int watch_node(struct world *w, struct link *k, uint64_t self)
{
    uint64_t pid = k->in_set.key;
    if (!is_far(pid) || k->far)
        return IRIS_OK;
    k->far = next_ref(w);
    int result = iris__route_watch(w, self, pid, k->far, 1);
    if (result) {
        k->far = 0;
        iris__signal(w, IRIS_EXIT, pid, self, 0, "noconnection");
    }
    return result;
}

static void request(struct world *w, struct link *k, uint64_t self)
{
    if (watch_node(w, k, self) == IRIS_OK)
        tell(w, IRIS_LINK, self, k->in_set.key, k->mine);
}

int iris__link(iris_actor *self, uint64_t pid)
{
    struct world *w = iris__world_of(self);
    uint64_t me = iris__actor_pid(self);
    if (!me)
        return iris__fail("link: outside there is no actor to link; link_pair() links two others");
    if (pid == me)
        return IRIS_OK;
    struct link *k = obtain(self, pid);
    if (!k)
        return iris__fail("link: no memory");
    if (is_linked(k))
        return IRIS_OK;
    k->mine = next_ref(w);
    request(w, k, me);
    return IRIS_OK;
}

int iris__unlink(iris_actor *self, uint64_t pid)
{
    struct world *w = iris__world_of(self);
    struct link *k = find(self, pid);
    if (!k)
        return IRIS_OK;
    k->stale = atomic_load(&w->refs);
    if (!is_linked(k))
        return IRIS_OK;
    k->mine = k->theirs = 0;
    k->leaving = next_ref(w);
    tell(w, IRIS_UNLINK, iris__actor_pid(self), pid, k->leaving);
    return IRIS_OK;
}

int iris__trap(iris_actor *self, int on)
{
    struct cold *c = iris__actor_pid(self) ? iris__cold(self) : NULL;
    if (!c)
        return iris__fail("trap: this is no actor, or memory is short");
    c->traps = on != 0;
    return IRIS_OK;
}

static int tell_pair(struct world *w, uint64_t a, uint64_t b, uint32_t kind)
{
    return is_far(a) ? IRIS_DEAD : iris__signal(w, kind, b, a, 0, NULL);
}

int iris__link_pair(struct world *w, uint64_t a, uint64_t b, int on)
{
    uint32_t kind = on ? KIND_JOIN : KIND_PART;
    if (is_far(a) && is_far(b))
        return iris__fail("link_pair: both are of other nodes; one of them must be of this one");
    int first = tell_pair(w, a, b, kind), second = a == b ? first : tell_pair(w, b, a, kind);
    return first && second ? first == IRIS_FAIL ? IRIS_FAIL : second : IRIS_OK;
}

/* ---- born linked ---- */

int iris__link_born(struct world *w, struct cold *c, uint64_t with)
{
    struct link *k = calloc(1, sizeof *k);
    if (!k)
        return iris__fail("spawn: no memory for a link");
    k->mine = next_ref(w);
    iris__set_add(&c->links, &k->in_set, with);
    return IRIS_OK;
}

/* In the spawner's own turn it is known at once: it may crash in this very turn. */
void iris__link_announce(iris_actor *born)
{
    struct world *w = iris__world_of(born);
    struct link *k = (struct link *)iris__cold_if(born)->links.first;
    iris_actor *self = iris__thread.turn;
    iris_message m = {
        .kind = IRIS_LINK, .from = iris__actor_pid(born), .to = k->in_set.key, .ref = k->mine};
    if (self && iris__world_of(self) == w && iris__actor_pid(self) == m.to)
        iris__link_heard(self, &m);
    else
        request(w, k, m.from);
}

/* ---- signals ---- */

void iris__link_heard(iris_actor *a, const iris_message *m)
{
    struct world *w = iris__world_of(a);
    struct link *k = obtain(a, m->from);
    if (!k) {
        iris__signal(w, IRIS_EXIT, m->to, m->from, m->ref | LINK_YOURS, "nomemory");
        return;
    }
    if (k->leaving)
        return;
    k->theirs = m->ref;
    watch_node(w, k, m->to);
}

void iris__link_undone(iris_actor *a, const iris_message *m)
{
    struct link *k = find(a, m->from);
    if (k) {
        k->mine = k->theirs = 0;
        tidy(a, k);
    }
    iris__signal(iris__world_of(a), IRIS_UNLINKED, m->to, m->from, m->ref, NULL);
}

/* One that nobody waits for is of an earlier incarnation, as is a LINK that came before it. */
void iris__link_confirmed(iris_actor *a, const iris_message *m)
{
    struct link *k = find(a, m->from);
    if (!k)
        return;
    if (k->leaving == m->ref)
        k->leaving = 0;
    else if (!k->leaving)
        k->theirs = 0;
    tidy(a, k);
}

static int names(const struct link *k, uint64_t ref)
{
    uint64_t half = ref & ~LINK_YOURS;
    return is_linked(k) && (!half || (ref & LINK_YOURS ? k->mine : k->theirs) == half);
}

enum link_exit iris__link_exited(iris_actor *a, iris_message *m)
{
    struct cold *c = iris__cold_if(a);
    struct link *k = find(a, m->from);
    int fits = names(k, m->ref), traps = (c && c->traps) || a->version->b.flags & IRIS_TRAPS;
    if (!k)
        return LINK_NOTHING;
    if (is_far(m->from)) /* perhaps its node went: then nobody confirms */
        k->leaving = 0;
    if (fits)
        k->mine = k->theirs = 0;
    if (fits && traps) {
        m->ref = next_ref(iris__world_of(a));
        k->waiting++;
    }
    tidy(a, k);
    if (!fits)
        return LINK_NOTHING;
    return traps                                        ? LINK_TELLS
           : iris__reason_is(m->data, m->len, "normal") ? LINK_NOTHING
                                                        : LINK_ENDS;
}

void iris__link_refused(struct world *w, const iris_message *m)
{
    if (m->kind == IRIS_LINK)
        iris__signal(w, IRIS_EXIT, m->to, m->from, m->ref | LINK_YOURS, "noproc");
    else if (m->kind == IRIS_UNLINK)
        iris__signal(w, IRIS_UNLINKED, m->to, m->from, m->ref, NULL);
}

/* ---- what waits for the behaviour ---- */

int iris__link_wants(iris_actor *a, const iris_message *m)
{
    struct link *k = find(a, m->from);
    return k && m->ref >= k->stale;
}

void iris__link_done(iris_actor *a, const iris_message *m)
{
    struct link *k = find(a, m->from);
    if (!k || !k->waiting)
        return;
    k->waiting--;
    tidy(a, k);
}

void iris__link_end(iris_actor *a, const char *reason)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    uint64_t me = iris__actor_pid(a);
    for (struct link *k; (k = (struct link *)iris__set_pop(&c->links)); free(k)) {
        forget_node(w, k);
        if (is_linked(k))
            iris__signal(w, IRIS_EXIT, me, k->in_set.key,
                         k->mine ? k->mine : k->theirs | LINK_YOURS, reason);
    }
    c->traps = c->born_trapping;
}
