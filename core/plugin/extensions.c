#include "extensions.h"

#include "actor.h"
#include "api.h"
#include "ask.h"
#include "cold.h"
#include "descriptor.h"
#include "fail.h"
#include "links.h"
#include "mailbox_ext.h"
#include "pull.h"
#include "offer.h"
#include "reader.h"
#include "ready.h"
#include "registry.h"
#include "send.h"
#include "supervisor.h"
#include "watch.h"

#include <iris/ext/env.h>
#include <iris/ext/payload.h>
#include <iris/ext/plugin.h>
#include <iris/ext/pool.h>
#include <iris/ext/ready.h>

#include <string.h>

/* The runtime of the caller; NULL with a reason in the child of a fork. */
static struct world *here(const iris_actor *self)
{
    struct world *w = iris__world_of(self);
    return iris__world_is_here(w) ? w : NULL;
}

/* ---- iris.name/1 ---- */

static int name_set(iris_actor *self, const char *name, uint64_t pid)
{
    struct world *w = here(self);
    return w ? iris__registry_set(w->registry, w, name, pid) : IRIS_FAIL;
}

static int name_clear(iris_actor *self, const char *name)
{
    struct world *w = here(self);
    return w ? iris__registry_clear(w->registry, name) : IRIS_FAIL;
}

static uint64_t name_find(iris_actor *self, const char *name)
{
    struct world *w = here(self);
    return w ? iris__registry_find(w->registry, name) : 0;
}

static void name_busy(iris_actor *self, int busy)
{
    struct cold *c = iris__cold(self);
    if (!c || c->busy == (uint32_t) !!busy)
        return;
    c->busy = !!busy;
    atomic_fetch_add(&iris__world_of(self)->busy, busy ? 1 : -1);
}

static int name_children(iris_actor *self, const char *prefix, iris_name_each *each, void *ctx)
{
    struct world *w = here(self);
    return w ? iris__registry_children(w->registry, prefix, 0, each, ctx) : IRIS_FAIL;
}

static int name_children_direct(iris_actor *self, const char *prefix, iris_name_each *each,
                                void *ctx)
{
    struct world *w = here(self);
    return w ? iris__registry_children(w->registry, prefix, 1, each, ctx) : IRIS_FAIL;
}

static int name_names(iris_actor *self, uint64_t pid, iris_name_each *each, void *ctx)
{
    struct world *w = here(self);
    return w ? iris__registry_names(w->registry, pid, each, ctx) : IRIS_FAIL;
}

static int name_send(iris_actor *self, const char *name, const void *data, size_t len, uint64_t ref)
{
    uint64_t pid = name_find(self, name);
    return pid ? iris__api()->send(self, pid, data, len, ref) : IRIS_DEAD;
}

static int name_watch(iris_actor *self, const char *name, uint64_t actor)
{
    struct world *w = here(self);
    return w ? iris__registry_watch(w->registry, w, name, actor) : IRIS_FAIL;
}

/* ---- iris.env/1 ---- */

static const char *first_variable(const iris_actor *self)
{
    const struct cold *c = iris__cold_if(self);
    return c && c->env ? c->env : "";
}

static const char *env_get(iris_actor *self, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = first_variable(self); *at; at += strlen(at) + 1)
        if (!strncmp(at, name, n) && at[n] == '=')
            return at + n + 1;
    return NULL;
}

static int env_each(iris_actor *self, iris_env_each *each, void *ctx)
{
    char name[128]; /* the manifest's names are shorter */
    int n = 0;
    for (const char *at = first_variable(self); *at; at += strlen(at) + 1, n++) {
        size_t len = strcspn(at, "=");
        memcpy(name, at, len);
        name[len] = '\0';
        each(ctx, name, at + len + 1);
    }
    return n;
}

/* ---- iris.timer/1 ---- */

static int timer_after(iris_actor *self, uint64_t to, int64_t delay, const void *data, size_t len,
                       uint64_t *id)
{
    struct world *w = here(self);
    if (!w)
        return IRIS_FAIL;
    if (delay < 0)
        return iris__fail("timer: a delay of %lld ns lies in the past; 0 or more",
                          (long long)delay);
    return iris__timer_add(w, iris__actor_pid(self), to, iris__sched_after(&w->sched, delay), 0,
                           data, len, id);
}

static int timer_every_from(iris_actor *self, uint64_t to, int64_t first, int64_t period,
                            const void *data, size_t len, uint64_t *id)
{
    struct world *w = here(self);
    if (!w)
        return IRIS_FAIL;
    if (period <= 0)
        return iris__fail("timer: a period of %lld ns never ends; more than 0", (long long)period);
    if (first < 0)
        return iris__fail("timer: a first tick after %lld ns lies in the past; 0 or more",
                          (long long)first);
    return iris__timer_add(w, iris__actor_pid(self), to, iris__sched_after(&w->sched, first),
                           period, data, len, id);
}

static int timer_every(iris_actor *self, uint64_t to, int64_t period, const void *data, size_t len,
                       uint64_t *id)
{
    return timer_every_from(self, to, period > 0 ? period : 0, period, data, len, id);
}

static int timer_cancel(iris_actor *self, uint64_t id)
{
    struct world *w = here(self);
    return w ? iris__timer_cancel(w, id) : IRIS_FAIL;
}

/* ---- iris.ask/1 ---- */

static int ask_name(iris_actor *self, const char *name, const void *data, size_t len,
                    int64_t timeout, iris_answer *answer, uint64_t *id)
{
    uint64_t pid = name_find(self, name);
    return pid ? iris__ask_id(self, pid, data, len, timeout, answer, id) : IRIS_DEAD;
}

static int ask_cancel(iris_actor *self, uint64_t id)
{
    struct world *w = here(self);
    return w ? iris__ask_cancel(w, id) : IRIS_FAIL;
}

static void ask_dropped(iris_actor *self, uint64_t ref)
{
    struct world *w = here(self);
    if (w)
        iris__world_drop_answer(w, self, ref);
}

/* ---- iris.watch/1 ---- */

static int watch_stop(iris_actor *self, uint64_t pid)
{
    struct world *w = here(self);
    return w ? iris__actor_stop(w, pid) : IRIS_FAIL;
}

static int watch_kill(iris_actor *self, uint64_t pid)
{
    struct world *w = here(self);
    if (w && IRIS_NODE(pid))
        return iris__route_is_up(w, pid)
                   ? iris__fail(
                         "kill: actor %llu is of another node; expected one of this node, or "
                         "stop()",
                         (unsigned long long)pid)
                   : IRIS_DEAD;
    return w ? iris__signal(w, KIND_KILL, 0, pid, 0, "killed (how=kill)") : IRIS_FAIL;
}

static int watch_link_pair(iris_actor *self, uint64_t a, uint64_t b)
{
    struct world *w = here(self);
    return w ? iris__link_pair(w, a, b, 1) : IRIS_FAIL;
}

static int watch_ended(iris_actor *self, uint64_t pid, int64_t timeout, iris_answer *answer)
{
    uint64_t port;
    return iris__port_ended(iris__world_of(self), pid, timeout, answer, &port);
}

static int watch_unlink_pair(iris_actor *self, uint64_t a, uint64_t b)
{
    struct world *w = here(self);
    return w ? iris__link_pair(w, a, b, 0) : IRIS_FAIL;
}

/* ---- iris.pool/1 ---- */

static int pool_spawn(iris_actor *self, const iris_spawn *each, uint32_t n, uint64_t *pids)
{
    if (IRIS_HAS(each, path))
        return iris__fail("pool: the path %s is for one actor; name none, and set names afterwards",
                          each->path);
    for (uint32_t i = 0; i < n; i++) {
        int result = iris__api_spawn(self, each, &pids[i]);
        if (result == IRIS_OK)
            continue;
        while (i-- > 0)
            iris__actor_kill(iris__world_of(self), pids[i],
                             "killed (how=kill): the rest of its pool could not be made");
        return result;
    }
    return IRIS_OK;
}

/* ---- iris.observe/1 ---- */

static int observe_spawn(iris_actor *self, uint32_t budget, const char *path, uint64_t *pid)
{
    return iris__observed_spawn(iris__world_of(self), budget, path, self, iris__api_spawn, pid);
}

/* ---- iris.payload/1 ---- */

static int payload_take(const iris_message *m)
{
    return iris__message_take(iris__message_of(m)) ? IRIS_OK : IRIS_AGAIN;
}

/* ---- iris.route/1 ---- */

static int route_up(iris_actor *self, const char *node, uint64_t link, uint32_t *index)
{
    struct world *w = here(self);
    return w ? iris__route_up(w, node, link, index) : IRIS_FAIL;
}

static int route_down(iris_actor *self, uint32_t index, const char *reason)
{
    struct world *w = here(self);
    return w ? iris__route_down(w, index, reason) : IRIS_FAIL;
}

/* Mail becomes mail, everything else a signal. */
static int deliver_one(struct world *w, const iris_message *in)
{
    struct message *m = in->len > w->message_max ? NULL : iris__message_new(w->pool, in->len);
    if (!m)
        return in->len > w->message_max ? IRIS_LARGE : IRIS_FULL;
    const void *body = m->pub.data;
    m->pub = *in;
    m->pub.data = body;
    if (in->len)
        memcpy(m->body, in->data, in->len);
    if (in->kind == IRIS_DOWN)
        iris__port_down(w, in); /* of an ask: it will not be answered */
    if (in->kind == IRIS_STOP) {
        iris__message_drop(w->pool, m);
        return iris__actor_stop(w, in->to);
    }
    if (in->kind == IRIS_ORDER || in->kind == IRIS_REPORT) {
        if (w->hooks.supervise)
            w->hooks.supervise(w, &m->pub);
        iris__message_drop(w->pool, m);
        return IRIS_OK;
    }
    if (in->kind != IRIS_USER) {
        int result = iris__signal_post(w, m);
        if (result == IRIS_DEAD)
            iris__link_refused(w, in);
        return result;
    }
    int result = iris__post(w, NULL, m, OVERFLOW_NOBODY);
    if (result)
        iris__message_drop(w->pool, m);
    return result;
}

static int route_deliver(iris_actor *self, const iris_message *const *in, int n, int *taken)
{
    struct world *w = here(self);
    int accepted = 0;
    if (!w)
        return 0;
    for (int i = 0; i < n; i++) {
        int near = !IRIS_NODE(in[i]->to) && in[i]->kind < KIND_SWAP;
        taken[i] = near ? deliver_one(w, in[i]) : IRIS_DEAD;
        accepted += taken[i] == IRIS_OK;
    }
    return accepted;
}

static void route_letter(iris_actor *self, const iris_message *head, const char *reason)
{
    struct world *w = here(self);
    if (w)
        iris__route_letter(w, head, reason);
}

static int route_limit(iris_actor *self, uint32_t index, uint64_t bytes)
{
    struct world *w = here(self);
    return w ? iris__route_limit(w, index, bytes) : IRIS_FAIL;
}

static void route_took(iris_actor *self, uint32_t index, uint64_t bytes)
{
    iris__route_took(iris__world_of(self), index, bytes);
}

static int route_rights(iris_actor *self, uint32_t index, uint64_t run, uint32_t rights,
                        const char *us)
{
    struct world *w = here(self);
    return w ? iris__route_rights(w, index, run, rights, us) : IRIS_FAIL;
}

static int route_prober(iris_actor *self, iris_route_probe *probe, void *ctx)
{
    iris__route_prober(iris__world_of(self), probe, ctx);
    return IRIS_OK;
}

/* ---- iris.plugin/1 ---- */

static int plugin_use(iris_actor *self, const char *plugin, const char *id, const void **table,
                      void **host)
{
    struct world *w = here(self);
    return w ? w->hooks.use(w, plugin, id, table, host) : IRIS_FAIL;
}

/* ---- iris.supervise/1 ---- */

/* NULL: see here(). */
static struct supervisors *supervisors_of(iris_actor *self)
{
    struct world *w = here(self);
    return w ? w->supervisors : NULL;
}

static int supervise_create(iris_actor *self, const char *path, const iris_supervision *how)
{
    struct supervisors *s = supervisors_of(self);
    return s ? iris__supervise_create(s, path, how) : IRIS_FAIL;
}

static int supervise_remove(iris_actor *self, const char *path)
{
    struct supervisors *s = supervisors_of(self);
    return s ? iris__supervise_remove(s, path) : IRIS_FAIL;
}

static int supervise_watch(iris_actor *self, const char *path, uint64_t pid)
{
    struct supervisors *s = supervisors_of(self);
    return s ? iris__supervise_watch(s, path, pid) : IRIS_FAIL;
}

static int supervise_watch_path(iris_actor *self, const char *prefix)
{
    struct supervisors *s = supervisors_of(self);
    return s ? iris__supervise_watch_path(s, prefix) : IRIS_FAIL;
}

static int supervise_factory(iris_actor *self, const iris_factory *given)
{
    iris_factory f = {0};
    memcpy(&f, given, given->size < sizeof f ? given->size : sizeof f);
    if (!f.make)
        return iris__fail("supervise: a factory without make(); expected one");
    if (f.strategy > IRIS_REST_FOR_ONE)
        return iris__fail("supervise: no strategy %u; expected IRIS_ONE_FOR_ONE ..", f.strategy);
    struct supervisors *s = supervisors_of(self);
    return s ? iris__supervise_factory(s, &f) : IRIS_FAIL;
}

static int supervise_unwatch(iris_actor *self, uint64_t pid)
{
    struct supervisors *s = supervisors_of(self);
    return s ? iris__supervise_unwatch(s, pid) : IRIS_FAIL;
}

static int supervise_children(iris_actor *self, const char *path, iris_supervise_each *each,
                              void *ctx)
{
    struct supervisors *s = supervisors_of(self);
    return s ? iris__supervise_children(s, path, each, ctx) : IRIS_FAIL;
}

static int supervise_adopt(iris_actor *self, uint64_t pid, uint32_t restart)
{
    struct supervisors *s = supervisors_of(self);
    if (restart > IRIS_RESTART_ALWAYS || !IRIS_NODE(pid))
        return iris__fail("adopt: an actor of another node and IRIS_RESTART_.. were expected");
    return s ? iris__far_watch(s, NULL, pid, self, (enum restart_when)restart) : IRIS_FAIL;
}

static const iris_supervise supervise_ext = {.size = sizeof(iris_supervise),
                                             .abi = IRIS_ABI,
                                             .create = supervise_create,
                                             .remove = supervise_remove,
                                             .watch = supervise_watch,
                                             .watch_path = supervise_watch_path,
                                             .supervise = supervise_factory,
                                             .unwatch = supervise_unwatch,
                                             .children = supervise_children,
                                             .adopt = supervise_adopt};
static const iris_name name_ext = {
    sizeof(iris_name),    IRIS_ABI,   name_set,  name_clear, name_find, name_busy, name_children,
    name_children_direct, name_names, name_send, name_watch};
static const iris_env env_ext = {sizeof(iris_env), IRIS_ABI, env_get, env_each};
static const iris_timer_api timer_ext = {
    sizeof(iris_timer_api), IRIS_ABI, timer_after, timer_every, timer_cancel, timer_every_from};
static const iris_watch watch_ext = {.size = sizeof(iris_watch),
                                     .abi = IRIS_ABI,
                                     .monitor = iris__watch_monitor,
                                     .demonitor = iris__watch_demonitor,
                                     .stop = watch_stop,
                                     .kill = watch_kill,
                                     .link = iris__link,
                                     .unlink = iris__unlink,
                                     .trap = iris__trap,
                                     .link_pair = watch_link_pair,
                                     .unlink_pair = watch_unlink_pair,
                                     .ended = watch_ended,
                                     .lapse = iris__watch_lapse};
static const iris_ask ask_ext = {sizeof(iris_ask), IRIS_ABI,   iris__ask,  iris__ask_id,
                                 ask_name,         ask_cancel, ask_dropped};
static const iris_reader reader_ext = {
    sizeof(iris_reader), IRIS_ABI,         iris__reader_take, iris__reader_recv,
    iris__pull_ask,      iris__pull_sleep, iris__pull_yield,  iris__offer_handover};
static const iris_route route_ext = {.size = sizeof(iris_route),
                                     .abi = IRIS_ABI,
                                     .up = route_up,
                                     .down = route_down,
                                     .deliver = route_deliver,
                                     .letter = route_letter,
                                     .limit = route_limit,
                                     .took = route_took,
                                     .prober = route_prober,
                                     .rights = route_rights};
static const iris_plugins plugins_ext = {sizeof(iris_plugins), IRIS_ABI, plugin_use};
static const iris_poll poll_ext = {sizeof(iris_poll), IRIS_ABI, iris__descriptor_arm,
                                   iris__descriptor_disarm, iris__descriptor_watch};

static const iris_observe observe_ext = {.size = sizeof(iris_observe),
                                         .abi = IRIS_ABI,
                                         .spawn = observe_spawn,
                                         .each = iris__observed_each,
                                         .take = iris__observed_take,
                                         .arrived = iris__observed_arrived};
static const iris_payload payload_ext = {sizeof(iris_payload), IRIS_ABI, payload_take};
static const iris_pool pool_ext = {sizeof(iris_pool), IRIS_ABI, pool_spawn};
static const iris_ready ready_ext = {sizeof(iris_ready), IRIS_ABI, iris__ready_say,
                                     iris__ready_is_awaited};

static const struct {
    const char *id;
    const void *table;
} extensions[] = {
    {IRIS_NAME, &name_ext},
    {IRIS_ENV, &env_ext},
    {IRIS_TIMER_EXT, &timer_ext},
    {IRIS_WATCH, &watch_ext},
    {IRIS_ASK, &ask_ext},
    {IRIS_READER, &reader_ext},
    {IRIS_ROUTE, &route_ext},
    {IRIS_POLL, &poll_ext},
    {IRIS_POOL, &pool_ext},
    {IRIS_PAYLOAD, &payload_ext},
    {IRIS_OBSERVE, &observe_ext},
    {IRIS_CONTROL, &iris__control_ext},
    {IRIS_LIBRARY, &iris__library_ext},
    {IRIS_MAILBOX, &iris__mailbox_ext},
    {IRIS_SUPERVISE, &supervise_ext},
    {IRIS_PLUGIN, &plugins_ext},
    {IRIS_READY, &ready_ext},
};

const void *iris__extension(const char *id)
{
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (strcmp(extensions[i].id, id) == 0)
            return extensions[i].table;
    return NULL;
}
