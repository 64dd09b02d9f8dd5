#include "api.h"

#include "actor.h"
#include "behaviour.h"
#include "cold.h"
#include "door.h"
#include "fail.h"
#include "gate.h"
#include "host.h"
#include "links.h"
#include "mailbox.h"
#include "reason.h"
#include "registry.h"
#include "send.h"
#include "supervisor.h"
#include "swap.h"
#include "tags.h"
#include "text.h"
#include "turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int iris__api_fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    iris__vfail(fmt, args);
    va_end(args);
    return IRIS_FAIL;
}

void iris__api_log(iris_actor *self, int level, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    if (!iris__world_is_here(iris__world_of(self)))
        return;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    iris__world_event(iris__world_of(self), EVENT_LOG, self, level, "%s", line);
}

int64_t iris__api_now(iris_actor *self)
{
    return iris__sched_now(&iris__world_of(self)->sched);
}

uint64_t iris__api_pid(const iris_actor *self)
{
    return iris__actor_pid(self);
}

/* ---- messages ---- */

static void keep(const iris_message *m)
{
    atomic_fetch_add_explicit(&iris__message_of(m)->refs, 1, memory_order_relaxed);
}

void iris__api_drop(const iris_message *pub)
{
    struct message *m = iris__message_of(pub);
    iris__message_drop(iris__pool_of(m, m->tier), m);
}

static int due(iris_actor *self)
{
    const struct lane *lane = iris__thread.lane;
    int over = lane && atomic_load_explicit(&lane->due, memory_order_relaxed);
    int waits = self->flags & ACTOR_WAITS; /* what it sent has found no room yet */
    return over || waits || iris__signal_waits(self) ? IRIS_AGAIN : IRIS_OK;
}

static int leave(iris_actor *self, const char *reason)
{
    int has_crashed = reason && iris__reason_is(reason, strlen(reason), "crash");
    return iris__turn_exit(self, reason, has_crashed ? EXIT_CRASHED : EXIT_BY_ITSELF);
}

/* ---- behaviours ---- */

/* Whose calls these are: a host's own, or an actor's of a host. NULL: of none. */
static struct host *host_of(const iris_actor *self)
{
    return self->version ? (struct host *)self->version->host : self->state;
}

/* What a host, or an actor of a host's, defines is that host's: its versions may adopt each other. */
int iris__api_define(iris_actor *self, const iris_behaviour *b, iris_version **out)
{
    const struct host *h = host_of(self);
    const char *name = h ? h->library->taken.plugin.name : NULL;
    return iris__version_define(iris__world_of(self), b, NULL, h, name, NULL, out);
}

/* What it is to have before its first turn. */
static int prepare(iris_actor *self, const char *path, uint32_t flags, struct cold **cold)
{
    if (flags & IRIS_SPAWN_LINK && !iris__actor_pid(self))
        return iris__fail("spawn: IRIS_SPAWN_LINK links with who spawns, and outside there is no "
                          "actor; spawn, then link_pair()");
    if (!(*cold = calloc(1, sizeof **cold)))
        return iris__fail("spawn: no memory");
    if (path && !((*cold)->path = strdup(path)))
        return iris__fail("spawn: no memory");
    return flags & IRIS_SPAWN_LINK
               ? iris__link_born(iris__world_of(self), *cold, iris__actor_pid(self))
               : IRIS_OK;
}

int iris__api_spawn(iris_actor *self, const iris_spawn *s, uint64_t *out)
{
    struct world *w = iris__world_of(self);
    struct cold *cold = NULL;
    if (!iris__world_is_here(w))
        return IRIS_FAIL;
    const char *path = IRIS_HAS(s, path) ? s->path : NULL;
    uint32_t flags = IRIS_HAS(s, flags) ? s->flags : 0;
    if (path && !iris__name_is_valid(path))
        return iris__fail("spawn: \"%s\" is not a path; write it like \"/svc/payment\"", path);
    if (path && iris__registry_find(w->registry, path))
        return iris__fail("spawn: %s is taken by a living actor; stop it first, or choose another",
                          path);
    if ((path || flags & IRIS_SPAWN_LINK) && prepare(self, path, flags, &cold)) {
        iris__cold_free(w, cold);
        return IRIS_FAIL;
    }
    int result = iris__actor_spawn(w, s, cold, out);
    if (result)
        return result;
    if (!path || iris__registry_set(w->registry, w, path, *out) != IRIS_FAIL)
        return IRIS_OK; /* or it has ended already, which is no failure of spawn */
    iris__actor_kill(w, *out, "killed (how=kill): its path is taken");
    return IRIS_FAIL;
}

struct told { /* the plugin's callback behind the core's */
    void (*tell)(void *ctx, int result, const char *why);
    void *ctx;
};

static void tell_plugin(void *ctx, const struct swap_report *r)
{
    struct told *t = ctx;
    t->tell(t->ctx, r->result, r->why ? r->why : "");
    free(t);
}

static int order(iris_actor *self, uint64_t to, struct swap_order *o,
                 void (*tell)(void *, int, const char *), void *ctx)
{
    struct told *t = tell ? malloc(sizeof *t) : NULL;
    if (tell && !t) {
        iris__version_release(o->version);
        return iris__fail("swap: no memory");
    }
    if (t) {
        *t = (struct told){tell, ctx};
        o->tell = tell_plugin;
        o->ctx = t;
    }
    int result = iris__swap(iris__world_of(self), to, o);
    if (result)
        free(t);
    return result;
}

int iris__api_swap(iris_actor *self, uint64_t to, iris_version *v, int at_once,
                   void (*tell)(void *, int, const char *), void *ctx)
{
    if (!iris__world_is_here(iris__world_of(self)))
        return IRIS_FAIL;
    if (!v || iris__version_retain(v))
        return iris__fail("swap: no version; load() or define() one first");
    return order(self, to, &(struct swap_order){.version = v, .now = at_once}, tell, ctx);
}

/* ---- executors ---- */

int iris__api_open(iris_actor *self, const iris_driver *d, iris_executor **out)
{
    struct world *w = iris__world_of(self);
    struct host *h = host_of(self);
    iris_driver own = {.size = sizeof own};
    memcpy(&own, d, d->size < sizeof own ? d->size : sizeof own);
    own.size = sizeof own;
    if (h) {
        h->interrupts += own.interrupt != NULL;
        own.turn_limit = own.turn_limit ? own.turn_limit : h->limits.turn;
    }
    return iris__world_is_here(w) ? iris__executor_open(&w->sched, &own, 0, out) : IRIS_FAIL;
}

uint64_t iris__api_turn(const iris_executor *x)
{
    return atomic_load(&((iris_executor *)x)->lane.turns);
}

const iris_api iris__api_table = {
    IRIS__API_COMMON,     .send = iris__send, .give = iris__give, .keep = keep,
    .later = iris__later, .due = due,         .exit = leave,      .drain = iris__executor_drain,
};

const iris_api *iris__api(void)
{
    return IRIS__DEBUG ? &iris__checked_api : &iris__api_table;
}

/* ---- iris.control/1 ---- */

static void copy_text(char *to, size_t room, const char *from)
{
    size_t len = from ? strlen(from) : 0;
    len = len < room ? len : room - 1;
    memcpy(to, from ? from : "", len);
    to[len] = '\0';
}

/* For how long the turn that the actor has now has lasted; 0: it has none, or it has just begun. */
static int64_t turn_age(struct world *w, const iris_actor *a)
{
    uint32_t n = atomic_load(&w->sched.nworkers);
    struct lane *lane = &a->executor->lane;
    for (uint32_t i = 0; i < n && a->executor->kind == EXECUTOR_POOL; i++)
        if (atomic_load(&w->sched.workers[i]->lane.task) == a)
            lane = &w->sched.workers[i]->lane;
    int64_t since = atomic_load(&lane->task) == a ? atomic_load(&lane->since) : 0;
    return since ? iris__sched_now(&w->sched) - since : 0;
}

static int64_t stuck_for(struct world *w, const iris_actor *a)
{
    int64_t age = turn_age(w, a);
    return age >= IRIS__SECOND ? age : 0;
}

static void describe_code(const iris_actor *a, iris_info *i)
{
    const iris_version *v = a->version;
    struct cold *c = iris__cold_if(a);
    i->rev = iris__swap_rev(a, &i->of);
    i->state_version = v->b.state_version;
    copy_text(i->path, sizeof i->path, c ? c->path : NULL);
    copy_text(i->handler, sizeof i->handler, v->handler);
    copy_text(i->behaviour, sizeof i->behaviour, v->b.name);
    copy_text(i->version, sizeof i->version, v->b.version);
}

void iris__info_code(struct world *w, uint64_t target, iris_info *i)
{
    iris_actor *a = iris__table_at(&w->table, target);
    i->pid = 0;
    i->rev = i->state_version = 0;
    *i->path = *i->handler = *i->behaviour = *i->version = '\0';
    iris__facts_hold(w);
    if (a && iris__gate_is(a, target) && a->version) {
        i->pid = target;
        describe_code(a, i);
    }
    iris__facts_release(w);
}

static void describe(const iris_actor *a, iris_info *i)
{
    struct cold *c = iris__cold_if(a);
    describe_code(a, i);
    i->handled = atomic_load_explicit(&((iris_actor *)a)->handled, memory_order_relaxed);
    i->uptime = -1;
    copy_text(i->host, sizeof i->host, a->version->host_name);
    if (!c)
        return;
    i->letters = atomic_load(&c->crashed) + atomic_load(&c->unfinished);
    i->restarts = atomic_load(&c->restarts);
    if (atomic_load(&c->started))
        i->uptime = iris__sched_now(&iris__world_of(a)->sched) - atomic_load(&c->started);
}

static void describe_mailbox(struct world *w, iris_info *i)
{
    iris_mailbox_look l = {.size = sizeof l, .abi = IRIS_ABI};
    if (iris__door_look(w, i->pid, &l) != IRIS_OK)
        return;
    i->mailbox = l.mailbox;
    i->capacity = l.capacity;
    i->policy = l.policy;
    i->waiting = l.waiting;
    i->bytes = l.bytes;
    i->held = l.held;
    i->refused = l.counts[IRIS_MAILBOX_REFUSED];
    i->dropped = l.counts[IRIS_MAILBOX_DROPPED];
    i->redirected = l.counts[IRIS_MAILBOX_REDIRECTED];
    i->spilled = l.counts[IRIS_MAILBOX_SPILLED];
    i->waited = l.counts[IRIS_MAILBOX_WAITED];
    i->letters += i->dropped;
}

int iris__info(struct world *w, uint64_t target, iris_info *out)
{
    if (!iris__world_is_here(w))
        return IRIS_DEAD;
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI, .pid = target};
    iris_actor *a = iris__table_at(&w->table, target);
    int result = IRIS_DEAD;
    unsigned down = 0;
    iris__facts_hold(w);
    if (a && iris__gate_is(a, target) && a->version) {
        describe(a, &i);
        describe_mailbox(w, &i);
        i.stuck = stuck_for(w, a);
        down = atomic_load(&a->marks) & MARK_DOWN;
        int asleep = atomic_load(&a->marks) & MARK_ASLEEP && iris__gate_accepts(a, target);
        i.state = down                                     ? IRIS_STATE_BACKOFF
                  : asleep                                 ? IRIS_STATE_ASLEEP
                  : i.stuck                                ? IRIS_STATE_STUCK
                  : !iris__gate_accepts(a, target)         ? IRIS_STATE_STOPPING
                  : atomic_load(&a->marks) & MARK_STARTING ? IRIS_STATE_STARTING
                                                           : IRIS_STATE_RUNNING;
        result = IRIS_OK;
    }
    iris__facts_release(w);
    if (down)
        i.backoff = iris__supervisor_left(w->supervisors, target);
    uint32_t room = out->size < sizeof i ? out->size : sizeof i;
    if (result == IRIS_OK) {
        i.size = out->size;
        memcpy(out, &i, room);
    }
    return result;
}

static char *copy_or_null(const char *text)
{
    return text ? strdup(text) : NULL;
}

static void copy_uses(const iris_version *v, struct origin *out)
{
    out->uses = v->nuses ? calloc(v->nuses, sizeof *out->uses) : NULL;
    for (uint32_t i = 0; out->uses && i < v->nuses; i++)
        if ((out->uses[out->nuses] = strdup(v->uses[i])))
            out->nuses++;
}

int iris__origin(struct world *w, uint64_t target, struct origin *out)
{
    iris_actor *a = iris__table_at(&w->table, target);
    int result = IRIS_DEAD;
    *out = (struct origin){0};
    iris__facts_hold(w);
    if (a && iris__gate_is(a, target) && a->version) {
        const iris_version *v = a->version;
        *out = (struct origin){.file = copy_or_null(v->file),
                               .symbol = copy_or_null(v->symbol),
                               .handler = copy_or_null(v->handler),
                               .imports = iris__host_imports(v->host),
                               .is_dated = v->is_dated,
                               .place = v->place,
                               .hash = v->hash,
                               .loaded = v->loaded};
        copy_uses(v, out);
        result = IRIS_OK;
    }
    iris__facts_release(w);
    return result;
}

void iris__origin_finish(struct origin *o)
{
    free(o->file);
    free(o->symbol);
    free(o->handler);
    for (uint32_t i = 0; i < o->nuses; i++)
        free(o->uses[i]);
    free(o->uses);
    *o = (struct origin){0};
}

void iris__origin_refused(struct world *w, uint64_t target)
{
    iris_actor *a = iris__table_at(&w->table, target);
    iris__facts_hold(w);
    if (a && iris__gate_is(a, target) && a->version)
        ((iris_version *)a->version)->is_dated = 1;
    iris__facts_release(w);
}

static int info(iris_actor *self, uint64_t target, iris_info *out)
{
    return iris__info(iris__world_of(self), target, out);
}

static int rollback(iris_actor *self, uint64_t target, uint32_t steps, int use_snapshot,
                    int at_once, void (*tell)(void *, int, const char *), void *ctx)
{
    if (!iris__world_is_here(iris__world_of(self)))
        return IRIS_FAIL;
    struct swap_order o = {.steps = steps, .use_snapshot = use_snapshot, .now = at_once};
    return order(self, target, &o, tell, ctx);
}

static int cancel(iris_actor *self, uint64_t target)
{
    struct world *w = iris__world_of(self);
    return iris__world_is_here(w) ? iris__swap_cancel(w, target) : 0;
}

struct teller {
    iris_executor_each *each;
    void *ctx;
};

static void tell_age(void *ctx, const struct executor_look *look)
{
    const struct teller *t = ctx;
    t->each(t->ctx, look->name, look->age);
}

static int executors(iris_actor *self, iris_executor_each *each, void *ctx)
{
    struct world *w = iris__world_of(self);
    struct teller t = {each, ctx};
    return iris__world_is_here(w) ? iris__sched_executors(&w->sched, tell_age, &t) : 0;
}

static int drained(iris_actor *self, uint64_t target, iris_executor_each *each, void *ctx)
{
    struct world *w = iris__world_of(self);
    if (!iris__world_is_here(w))
        return IRIS_DEAD;
    iris_actor *a = iris__table_at(&w->table, target);
    char name[32];
    int64_t age = -1;
    iris__facts_hold(w);
    if (a && iris__gate_is(a, target) && a->version) {
        iris_executor *x = a->executor;
        age = x->kind == EXECUTOR_POOL ? turn_age(w, a) : iris__executor_age(x);
        copy_text(name, sizeof name, x->name);
    }
    iris__facts_release(w);
    if (age < 0)
        return IRIS_DEAD;
    each(ctx, name, age);
    return IRIS_OK;
}

const iris_control iris__control_ext = {
    sizeof(iris_control), IRIS_ABI, info, rollback, cancel, executors, drained};
