#include "runtime.h"

#include "api.h"
#include "ask.h"
#include "callers.h"
#include "coroutine.h"
#include "fail.h"
#include "freeze.h"
#include "gate.h"
#include "send.h"
#include "turn.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX ((size_t)64 << 20)
#define YEAR (365 * 24 * 3600 * IRIS__SECOND)
#define GRACE (100 * IRIS__MS) /* for threads that are not stuck, where actors took all the time */

/* ---- hooks: what the actors' room asks of us ---- */

static iris_runtime *runtime_of(struct world *w)
{
    return (iris_runtime *)w;
}

/* What an event's actor is like. A line for the log may come from any thread while its actor leaves:
 * what is looked at then is a copy. */
static const iris_info *look_at(struct world *w, iris_actor *a, const struct event_detail *d,
                                iris_info *room)
{
    if (d->about)
        return d->about;
    iris__info_code(w, a ? iris__actor_pid(a) : 0, room);
    return room;
}

static void add_detail(iris_event *e, const struct event_detail *d)
{
    const struct excerpt *m = d->message;
    if (m) {
        e->message = m->number;
        e->from = m->from;
        e->excerpt = (iris_bytes){m->bytes, m->used};
        e->len = m->len;
        e->messages = m->messages;
    }
    e->lasted = d->lasted;
    e->supervisor = d->supervisor ? d->supervisor : "";
    e->strategy = d->strategy ? d->strategy : "";
    e->decision = d->decision;
    e->count = d->count;
    e->limit = d->limit;
    e->period = d->period;
    e->delay = d->delay;
}

static void on_event(struct world *w, enum event_kind kind, iris_actor *a, int level,
                     const struct event_detail *detail, const char *text)
{
    iris_runtime *rt = runtime_of(w);
    iris_info room;
    const iris_info *i = look_at(w, a, detail, &room);
    iris_event e = {.size = sizeof e,
                    .abi = IRIS_ABI,
                    .at = iris__sched_now(&w->sched),
                    .number = atomic_fetch_add(&rt->events, 1) + 1,
                    .kind = (uint32_t)kind,
                    .level = (uint32_t)level,
                    .pid = i->pid ? i->pid
                           : a    ? iris__actor_pid(a)
                                  : 0,
                    .path = i->path,
                    .text = text,
                    .handler = *i->handler ? i->handler : i->behaviour,
                    .version = i->version,
                    .rev = i->rev,
                    .state_version = i->state_version};
    add_detail(&e, detail);
    rt->options.event(rt->options.ctx, &e);
}

static enum afterwards on_restart(struct world *w, iris_actor *a, const struct ending *e)
{
    return iris__supervisor_ended(&runtime_of(w)->supervisors, a, e);
}

static void on_began(struct world *w, iris_actor *a)
{
    iris__supervisor_began(&runtime_of(w)->supervisors, a);
}

static void on_exhausted(void *runtime, const char *path)
{
    iris_runtime *rt = runtime;
    if (atomic_exchange(&rt->exhausting, 1))
        return;
    rt->exhausted_by = strdup(path);
    atomic_store(&rt->exhausted, 1);
    if (rt->on_exhausted)
        rt->on_exhausted(rt->on_exhausted_ctx);
}

static void on_unname(struct world *w, iris_actor *a, int again)
{
    struct cold *c = again ? iris__cold_if(a) : NULL;
    iris__registry_forget_but(w->registry, iris__actor_pid(a), c ? c->path : NULL,
                              c ? c->name : NULL);
}

static void on_gone(struct world *w, uint64_t pid)
{
    iris__supervisor_gone(&runtime_of(w)->supervisors, pid);
}

static void on_unload(struct world *w, void *library)
{
    (void)w;
    iris__library_release(library);
}

static uint32_t on_run(void *owner, void *task)
{
    return iris__turn_run(owner, task);
}

static uint32_t on_run_timed(void *owner, void *task)
{
    return iris__timing_run(owner, task);
}

static void on_node(struct world *w, uint32_t index, int up)
{
    struct supervisors *s = &runtime_of(w)->supervisors;
    if (up)
        iris__far_up(s, index);
    else {
        iris__far_down(s, index);
        iris__wards_down(s, index);
    }
}

static void on_supervise(struct world *w, const iris_message *m)
{
    struct supervisors *s = &runtime_of(w)->supervisors;
    if (m->kind == IRIS_ORDER)
        iris__ward_order(s, m);
    else
        iris__far_report(s, m);
}

static int64_t on_fire(void *owner, int64_t now)
{
    return iris__timers_fire(owner, now);
}

/* The actor may end this moment: only its place is certain to stay, so it is looked up by pid. */
static void say_stuck(struct world *w, const iris_executor *x, struct lane *l, int64_t age)
{
    const iris_actor *a = atomic_load(&l->task);
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    struct excerpt e;
    struct event_detail d = {.about = &i, .lasted = age};
    if (!a || iris__info(w, iris__actor_pid(a), &i) != IRIS_OK)
        return;
    if (iris__turn_look(w, l, a, &e))
        d.message = &e;
    iris__world_tell(w, EVENT_STUCK, NULL, IRIS_WARN, &d,
                     "%s v%u has not returned for %.1f s, on executor %s",
                     *i.handler ? i.handler : i.behaviour, i.rev, (double)age / 1e9, x->name);
}

/* What its handler then fails with is a panic. */
static void interrupt(iris_executor *x, struct lane *l, uint64_t turn)
{
    uint64_t before = atomic_exchange(&l->interrupted, turn);
    if (x->driver.interrupt(&x->driver, turn) != IRIS_OK)
        atomic_store(&l->interrupted, before);
}

static void on_stuck(void *owner, iris_executor *x, struct lane *l, int64_t age)
{
    struct world *w = owner;
    uint64_t turn = l->seen;
    if (x->driver.interrupt && x->limit && age >= x->limit)
        interrupt(x, l, turn);
    if (age >= IRIS__SECOND)
        say_stuck(w, x, l, age);
}

static void on_ready(void *owner, uint64_t tag)
{
    iris__descriptor_ready(owner, tag);
}

static int on_use(struct world *w, const char *plugin, const char *id, const void **table,
                  void **host)
{
    return iris__runtime_use((iris_runtime *)w, plugin, id, table, host);
}

static const struct sched_hooks sched_hooks = {on_run, on_run_timed, on_fire, on_stuck, on_ready};
static const struct world_hooks world_hooks = {.restart = on_restart,
                                               .began = on_began,
                                               .unname = on_unname,
                                               .gone = on_gone,
                                               .event = on_event,
                                               .node = on_node,
                                               .supervise = on_supervise,
                                               .unload = on_unload,
                                               .use = on_use};

/* ---- opening and closing ---- */

static int open_world(iris_runtime *rt)
{
    struct world *w = &rt->world;
    const iris_options *o = &rt->options;
    w->sched.poller.fd = -1; /* none to close where we do not come that far */
    pthread_mutex_init(&w->swaps_lock, NULL);
    pthread_mutex_init(&w->facts_lock, NULL);
    iris__stacks_init(&w->stacks);
    iris__timers_init(&w->timers);
    iris__routes_init(&w->routes);
    iris__descriptors_init(&w->descriptors);
    iris__observed_init(&w->observed);
    w->registry = &rt->registry;
    w->supervisors = &rt->supervisors;
    w->hooks = world_hooks;
    if (!o->event)
        w->hooks.event = NULL; /* then no words are made either */
    w->message_max = o->message_max ? o->message_max : MESSAGE_MAX;
    if (w->message_max > UINT32_MAX) /* iris_message.len holds no more */
        w->message_max = UINT32_MAX;
    if (!(w->birth = iris__birth_create()))
        return iris__fail("runtime: no memory");
    w->birth->room = w->message_max + 1;
    atomic_init(&w->event_level, (int)o->event_level);
    w->actors_max = o->actors_max;
    w->swap_wait = o->swap_wait > 0 ? o->swap_wait : 5 * IRIS__SECOND;
    w->refs = 1;
    rt->outside.executor = &w->sched.pool;
    w->outside = &rt->outside;
    if (!(w->pool = iris__pool_create(o->memory_max)))
        return iris__fail("runtime: no memory");
    return iris__registry_init(&rt->registry) || iris__table_init(&w->table) ||
                   iris__sched_init(&w->sched, w, sched_hooks, o->workers, o->seed)
               ? IRIS_FAIL
               : IRIS_OK;
}

static void warn(void *ctx, const char *sentence)
{
    iris__world_event(ctx, EVENT_LOG, NULL, IRIS_WARN, "%s", sentence);
}

static int open_rest(iris_runtime *rt)
{
    static const iris_driver loader = {
        .size = sizeof loader, .abi = IRIS_ABI, .name = "iris-loader"};
    iris__loader_init(&rt->loader);
    rt->loader.warn = warn;
    rt->loader.ctx = &rt->world;
    rt->hosts = (struct hosts){.world = &rt->world, .loader = &rt->loader};
    rt->world.sched.limit = rt->options.turn_limit;
    rt->world.sched.spin = rt->options.spin;
    if (iris__supervisors_init(&rt->supervisors, &rt->world, &rt->closing))
        return IRIS_FAIL;
    rt->supervisors.ended = on_exhausted;
    rt->supervisors.ctx = rt;
    iris__sched_start(&rt->world.sched);
    return iris__executor_open(&rt->world.sched, &loader, 0, &rt->loading);
}

int iris_open(const iris_options *options, iris_runtime **out)
{
    iris_runtime *rt = aligned_alloc(64, (sizeof *rt + 63) & ~(size_t)63);
    if (!rt)
        return iris__fail("runtime: no memory");
    memset(rt, 0, sizeof *rt);
    if (options && options->abi != IRIS_ABI) {
        free(rt);
        return iris__fail("iris_open: options of ABI %u, this library speaks ABI %u; rebuild the "
                          "program",
                          options->abi, IRIS_ABI);
    }
    if (options)
        memcpy(&rt->options, options,
               options->size < sizeof rt->options ? options->size : sizeof rt->options);
    if (open_world(rt) || open_rest(rt)) {
        iris_close(rt, 0);
        return IRIS_FAIL;
    }
    *out = rt;
    return IRIS_OK;
}

static void end_one(void *ctx, uint64_t pid)
{
    struct world *w = ctx;
    iris__port_dead(w, pid, "ended: the runtime ends");
    iris__actor_kill(w, pid, "killed (how=kill): the runtime ends");
}

static void each_place(iris_runtime *rt, void (*each)(void *ctx, uint64_t pid), void *ctx)
{
    struct table *t = &rt->world.table;
    for (uint32_t i = iris__table_bound(t); i-- > 0;) {
        iris_actor *a = iris__table_at(t, i);
        uint32_t generation = a ? iris__gate_upper(a) & ~GATE_OPEN : 0;
        if (generation)
            each(ctx, (uint64_t)generation << PID_SLOT_BITS | i);
    }
}

enum { ROUND = 64 };

/* In a seeded run an actor that nobody drains (its host's thread is ours) would keep us for ever. */
static int rest_between(struct world *w, int64_t deadline, int *stalled)
{
    if (!w->sched.seeded)
        usleep(200);
    else
        *stalled = iris__sched_step(&w->sched) ? 0 : *stalled + 1;
    return *stalled <= ROUND && iris__sched_now(&w->sched) <= deadline;
}

/* Newest first, and again those that others spawned meanwhile. Whether all have ended. */
static int end_actors(iris_runtime *rt, int64_t deadline)
{
    struct world *w = &rt->world;
    int round = 0, stalled = 0, goes_on = 1;
    for (; goes_on && atomic_load(&w->table.used); round++) {
        if (round % ROUND == 0)
            each_place(rt, end_one, w);
        goes_on = rest_between(w, deadline, &stalled);
    }
    return !atomic_load(&w->table.used);
}

static void finish(iris_runtime *rt)
{
    struct world *w = &rt->world;
    iris__sched_finish(&w->sched);
    iris__timers_finish(w);
    iris__observed_finish(&w->observed);
    iris__routes_finish(&w->routes);
    iris__descriptors_finish(&w->descriptors);
    iris__registry_finish(&rt->registry);
    iris__supervisors_finish(&rt->supervisors);
    free(rt->exhausted_by);
    iris__table_finish(&w->table);
    iris__stacks_finish(&w->stacks);
    iris__pool_destroy(w->pool);
    iris__runtime_forget_uses(rt);
    pthread_mutex_destroy(&w->swaps_lock);
    pthread_mutex_destroy(&w->facts_lock);
    iris__birth_destroy(w->birth);
    free(rt);
}

/* It may sit in a constructor of what it loads, that never returns. */
static int close_loading(iris_runtime *rt, int64_t deadline)
{
    int64_t left = deadline - iris__sched_now(&rt->world.sched);
    if (iris__executor_close_within(rt->loading, left > GRACE ? left : GRACE))
        return 0;
    rt->loading = NULL;
    return 1;
}

static void shut_one(void *ctx, uint64_t pid)
{
    struct world *w = ctx;
    iris__gate_shut_for(iris__table_at(&w->table, pid), pid);
}

/* Threads are left, so the memory stays; whoever does not know that yet is told so by every call. */
static int give_up(iris_runtime *rt, int left)
{
    each_place(rt, shut_one, &rt->world);
    atomic_store(&rt->left, left);
    return left;
}

int iris_close(iris_runtime *rt, int64_t timeout)
{
    if (!rt || (rt->world.birth && !rt->world.birth->here))
        return 0; /* in the child of a fork nothing of it runs, and its locks may be held for ever */
    if (atomic_load(&rt->left))
        return atomic_load(&rt->left);
    struct sched *s = &rt->world.sched;
    timeout = timeout < YEAR ? timeout : YEAR;
    int64_t deadline = iris__sched_after(s, timeout);
    atomic_store(&rt->closing, 1);
    atomic_store(&rt->world.closing, 1);
    iris__runtime_end_loads(rt);
    int opened = rt->loading != NULL, ended = !opened || end_actors(rt, deadline);
    int loaded = !opened || close_loading(rt, deadline);
    if (opened && ended &&
        loaded) { /* else a handler still runs: its language and its code must stay */
        iris__supervisors_leave(&rt->supervisors);
        iris__hosts_stop(&rt->hosts);
        iris__loader_finish(&rt->loader);
    }
    int64_t left = deadline - iris__sched_now(s);
    int stuck = iris__sched_stop(s, left > GRACE ? left : GRACE);
    if (stuck || !ended)
        return give_up(rt, stuck ? stuck : 1);
    finish(rt);
    return 0;
}

/* ---- calls ---- */

const iris_api *iris_calls(void)
{
    return iris__api();
}

iris_actor *iris_self(iris_runtime *rt)
{
    return &rt->outside;
}

const char *iris_reason(void)
{
    return iris__reason();
}

int iris_fault(int signal, const void *siginfo, void *ucontext)
{
    return iris__coroutine_fault(signal, siginfo, ucontext);
}

void iris_set_event_level(iris_runtime *rt, uint32_t level)
{
    atomic_store(&rt->world.event_level, (int)level);
}

int iris_step(iris_runtime *rt)
{
    return rt->world.birth->here && iris__sched_step(&rt->world.sched);
}

static int awaits_nothing(struct world *w)
{
    return !atomic_load(&w->laters) && !atomic_load(&w->asks) && !atomic_load(&w->busy) &&
           !atomic_load(&w->starting) && !atomic_load(&w->down) && !iris__timers_oneshots(w);
}

/* What is awaited becomes mail before it is counted as come, and mail becomes a turn: between two looks
 * at what runs, each with nothing begun since, it cannot slip through. */
int iris_is_idle(iris_runtime *rt)
{
    struct world *w = &rt->world;
    if (!w->birth->here)
        return 1;
    uint64_t begun = iris__sched_begun(&w->sched);
    return iris__sched_is_idle(&w->sched) && awaits_nothing(w) && iris__sched_is_idle(&w->sched) &&
           iris__sched_begun(&w->sched) == begun;
}

struct walk {
    iris_runtime *rt;
    void (*each)(void *ctx, uint64_t pid);
    void *ctx;
    uint64_t handled, actors;
};

static int is_port(iris_runtime *rt, uint64_t pid)
{
    return (atomic_load(&iris__table_at(&rt->world.table, pid)->marks) & MARK_PORT) != 0;
}

static void skip_ports(void *ctx, uint64_t pid)
{
    struct walk *walk = ctx;
    if (!is_port(walk->rt, pid))
        walk->each(walk->ctx, pid);
}

void iris__runtime_walk(iris_runtime *rt, void (*each)(void *ctx, uint64_t pid), void *ctx)
{
    struct walk walk = {.rt = rt, .each = each, .ctx = ctx};
    each_place(rt, skip_ports, &walk);
}

static void add_one(void *ctx, uint64_t pid)
{
    struct walk *walk = ctx;
    walk->actors += !is_port(walk->rt, pid);
    walk->handled += atomic_load(&iris__table_at(&walk->rt->world.table, pid)->handled);
}

void iris_count(iris_runtime *rt, iris_totals *out)
{
    struct world *w = &rt->world;
    struct walk walk = {.rt = rt};
    if (!w->birth->here) {
        memset((char *)out + 8, 0, out->size > 8 ? out->size - 8 : 0); /* behind size and abi */
        return;
    }
    each_place(rt, add_one, &walk);
    iris_totals t = {.size = out->size,
                     .abi = IRIS_ABI,
                     .actors = walk.actors,
                     .handled = atomic_load(&w->table.handled) + walk.handled,
                     .versions = (uint64_t)atomic_load(&w->versions),
                     .dead_letters = (uint64_t)iris__world_dead_total(w),
                     .crashed = (uint64_t)atomic_load(&w->dead[DEAD_CRASHED]),
                     .ended = (uint64_t)atomic_load(&w->dead[DEAD_ENDED]),
                     .stray = (uint64_t)atomic_load(&w->dead[DEAD_STRAY]),
                     .node = (uint64_t)atomic_load(&w->dead[DEAD_NODE]),
                     .unwanted = (uint64_t)atomic_load(&w->dead[DEAD_UNWANTED]),
                     .dropped = (uint64_t)atomic_load(&w->dead[DEAD_DROPPED]),
                     .refused = (uint64_t)atomic_load(&w->doors[IRIS_MAILBOX_REFUSED]),
                     .redirected = (uint64_t)atomic_load(&w->doors[IRIS_MAILBOX_REDIRECTED]),
                     .spilled = (uint64_t)atomic_load(&w->doors[IRIS_MAILBOX_SPILLED]),
                     .waited = (uint64_t)atomic_load(&w->doors[IRIS_MAILBOX_WAITED]),
                     .bytes = iris__pool_bytes(w->pool),
                     .decisions = w->sched.decisions};
    memcpy(out, &t, out->size < sizeof t ? out->size : sizeof t);
}

uint64_t iris_find(iris_runtime *rt, const char *target)
{
    char *end;
    if (!iris__world_is_here(&rt->world))
        return 0;
    uint64_t pid = iris__registry_find(&rt->registry, target);
    if (pid || target[0] < '0' || target[0] > '9')
        return pid;
    pid = strtoull(target, &end, 10);
    return *end == '\0' && iris__actor_alive(&rt->world, pid) ? pid : 0;
}

int iris_send_to(iris_runtime *rt, const char *target, const void *data, size_t len)
{
    uint64_t pid = iris_find(rt, target);
    return pid ? iris__send(&rt->outside, pid, data, len, 0) : IRIS_DEAD;
}

int iris_send_wait(iris_runtime *rt, uint64_t pid, const void *data, size_t len, int64_t timeout)
{
    return iris__send_wait(&rt->outside, pid, data, len, 0, timeout);
}

/* ---- spawning for an app ---- */

static int fill(struct cold *c, const struct app_spawn *s)
{
    c->path = strdup(s->spawn.path);
    c->name = s->name ? strdup(s->name) : NULL;
    c->env = s->env;
    c->is_kept = 1;
    c->restart = s->restart;
    c->shutdown = s->shutdown;
    c->keep = s->keep;
    c->stateless_restart = s->stateless_restart;
    c->alarms = s->nalarms ? iris__alarms_create(s->alarms, s->nalarms) : NULL;
    c->restored = s->restored;
    c->frozen = s->frozen ? iris__frozen_create(1) : NULL;
    int complete =
        c->path && (!s->name || c->name) && (!s->nalarms || c->alarms) && (!s->frozen || c->frozen);
    return complete ? 0 : -1;
}

static int give_names(iris_runtime *rt, const struct app_spawn *s, uint64_t pid)
{
    struct world *w = &rt->world;
    struct membership how = {s->restart, s->shutdown};
    if (iris__registry_set(&rt->registry, w, s->spawn.path, pid) == IRIS_FAIL)
        return IRIS_FAIL;
    if (s->name && iris__registry_set(&rt->registry, w, s->name, pid) == IRIS_FAIL)
        return IRIS_FAIL;
    return iris__supervisor_join(&rt->supervisors, s->spawn.path, pid, &how);
}

int iris__runtime_spawn(iris_runtime *rt, const struct app_spawn *s, uint64_t *pid)
{
    struct cold *c = calloc(1, sizeof *c);
    if (!c) {
        free(s->restored);
        free(s->env);
    }
    if (!c || fill(c, s)) {
        iris__cold_free(&rt->world, c);
        return iris__fail("%s: no memory", s->spawn.path);
    }
    if (iris__actor_spawn(&rt->world, &s->spawn, c, pid))
        return IRIS_FAIL;
    if (give_names(rt, s, *pid) == IRIS_OK)
        return IRIS_OK;
    iris__actor_kill(&rt->world, *pid, "killed (how=kill): its name is taken");
    return IRIS_FAIL;
}
