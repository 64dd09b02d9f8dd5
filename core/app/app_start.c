#include "app.h"

#include "api.h"
#include "behaviour.h"
#include "fail.h"
#include "find.h"
#include "ready.h"
#include "router.h"
#include "singleton.h"
#include "start.h"

#include <iris/ext/mesh.h>

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t now(const struct app *a)
{
    return iris__sched_now(&a->runtime->world.sched);
}

void iris__start_problem(const struct manifest *m, struct problems *p, size_t index,
                         const char *key, const char *code, const char *why)
{
    static const char mark[] = "\nhint: ";
    char pointer[48];
    const char *hint = strstr(why, mark);
    size_t n = strcspn(why, "\n");
    snprintf(pointer, sizeof pointer, "/actors/%zu/%s", m->actors[index].index, key);
    struct problem *one = iris__problem_add(p, m->file, pointer, code, "%.*s", (int)n, why);
    if (hint)
        iris__problem_hint(one, "%s", hint + sizeof mark - 1);
    else if (why[n]) /* where in the handler, as its language tells it */
        iris__problem_more(one, why + n + 1);
}

static void add_problem(struct app *a, struct problems *p, size_t index, const char *key,
                        const char *code, const char *why)
{
    iris__start_problem(a->manifest, p, index, key, code, why);
}

static int say_problems(struct app *a, struct problems *p)
{
    size_t n = iris__problems_count(p);
    iris__manifest_locate(a->manifest, p);
    if (n)
        iris__app_say_problems(a, p);
    iris__problems_finish(p);
    return n != 0;
}

/* ---- supervisors ---- */

struct policy iris__start_policy(const struct manifest_supervisor *s)
{
    struct policy policy = {.strategy = (enum strategy)s->strategy,
                            .intensity = (uint32_t)s->intensity,
                            .period = s->period_ns,
                            .on_exhausted = (enum on_exhausted)s->on_exhausted};
    if (s->backs_off)
        policy.backoff = (struct backoff){s->initial, s->max, s->factor, s->jitter, s->reset_after};
    return policy;
}

static int add_supervisors(struct app *a)
{
    for (size_t i = 0; i < a->manifest->nsupervisors; i++) {
        const struct manifest_supervisor *s = &a->manifest->supervisors[i];
        struct policy policy = iris__start_policy(s);
        if (iris__supervisor_add(&a->runtime->supervisors, s->path, &policy))
            return IRIS_FAIL;
    }
    return IRIS_OK;
}

/* ---- loading: all handlers before the first actor, so that all that is wrong is told at once ---- */

/* What stands for an actor of another node is the mesh's. */
static int load_remote(struct app *a, struct app_actor *actor)
{
    const void *table;
    void *mesh;
    if (iris__runtime_use(a->runtime, "mesh", IRIS_MESH, &table, &mesh))
        return IRIS_FAIL;
    return ((const iris_mesh *)table)->proxies(mesh, &actor->version);
}

struct loaded {
    struct app *app;
    atomic_int is_over;
    char *why;
};

/* [loader] */
static void is_loaded(struct load_order *o)
{
    struct loaded *l = o->ctx;
    struct app *a = l->app;
    l->why = o->result ? strdup(o->why) : NULL;
    atomic_store(&l->is_over, 1);
    iris__app_ring(a);
}

/* Meanwhile the app hears that it is to stop. */
static int load_listening(struct app *a, struct load_order *o)
{
    struct loaded l = {.app = a};
    o->done = is_loaded;
    o->ctx = &l;
    iris__runtime_load(a->runtime, o);
    while (!atomic_load(&l.is_over)) {
        iris__app_wait(a, -1);
        if (atomic_load(&a->stop))
            iris__runtime_end_loads(a->runtime);
    }
    if (o->result)
        iris__fail("%s", l.why ? l.why : "no memory");
    free(l.why);
    return o->result;
}

int iris__start_load(struct app *a, const struct manifest *all, const struct manifest_actor *m,
                     struct app_actor *actor)
{
    int64_t began = now(a);
    if (m->remote_at)
        return load_remote(a, actor);
    struct origin migrate = {0};
    int has_state = atomic_load(&actor->pid) || iris__restore_has_state(a, m->path);
    char *file = iris__find_file(all, m);
    if (!file || (m->migrate && has_state && iris__find_named(all, m->migrate, NULL, &migrate))) {
        free(file);
        return IRIS_FAIL;
    }
    struct load_order o = {.file = file,
                           .symbol = m->symbol,
                           .handler = m->handler,
                           .host = m->host,
                           .place = m->place,
                           .migration = {migrate.file, migrate.symbol, migrate.handler}};
    int result = atomic_load(&a->phase) == APP_STARTING ? load_listening(a, &o)
                                                        : iris__runtime_load_wait(a->runtime, &o);
    free(file);
    iris__origin_finish(&migrate);
    actor->version = o.version;
    actor->took = now(a) - began;
    return result;
}

int iris__start_check_kind(const struct manifest_actor *m, const struct app_actor *actor)
{
    const iris_behaviour *b = &actor->version->b;
    int pulls = iris__behaviour_pulls(b);
    if (m->kind == MANIFEST_KIND_ANY || pulls == (m->kind == MANIFEST_PULL))
        return IRIS_OK;
    return iris__fail("found \"%s\", but \"%s\" %s; say \"%s\", or leave it out",
                      pulls ? "push" : "pull", b->name,
                      pulls ? "calls recv() itself" : "is called for each message",
                      pulls ? "pull" : "push");
}

/* "host .. did not start: venv: .." -> where "venv" is, and the words behind it. Hosts name the key. */
static const char *key_of_reason(const char *reason, char *key, size_t room)
{
    static const char mark[] = " did not start: ";
    const char *why = strstr(reason, mark);
    why = why ? why + sizeof mark - 1 : reason;
    size_t n = strspn(why, "abcdefghijklmnopqrstuvwxyz0123456789_.");
    *key = '\0';
    if (!n || n >= room - 1 || strncmp(why + n, ": ", 2))
        return why;
    snprintf(key, room, "/%.*s", (int)n, why);
    for (char *at = key; (at = strchr(at, '.'));)
        *at = '/';
    return why + n + 2;
}

static int is_configured(const struct app *a, const char *host)
{
    for (size_t i = 0; i < a->manifest->nhosts; i++)
        if (!strcmp(a->manifest->hosts[i].name, host))
            return 1;
    return 0;
}

/* A host's settings are its own: when it does not start with them, it says why. One that no actor needs
 * yet is not started. */
static void start_host(struct app *a, const char *name, struct problems *p)
{
    char pointer[160], key[64];
    int used = 0;
    for (size_t i = 0; i < a->manifest->nactors; i++)
        used |= !strcmp(a->manifest->actors[i].host, name);
    if (!used || iris__find_host(name) || !iris__runtime_start_host(a->runtime, name))
        return;
    const char *why = key_of_reason(iris__reason(), key, sizeof key);
    snprintf(pointer, sizeof pointer, "/hosts/%.64s%s", name, key);
    iris__problem_add(p, a->manifest->file, pointer, "host", "%s", why);
}

/* Before any actor: with it the socket is open, and what its settings say is true. */
static void start_mesh(struct app *a, struct problems *problems)
{
    char pointer[80], key[64];
    const void *table;
    void *mesh;
    if (!a->manifest->mesh || !iris__runtime_use(a->runtime, "mesh", IRIS_MESH, &table, &mesh))
        return;
    const char *why = key_of_reason(iris__reason(), key, sizeof key);
    snprintf(pointer, sizeof pointer, "/mesh%s", key);
    iris__problem_add(problems, a->manifest->file, pointer, "mesh", "%s", why);
}

static void start_hosts(struct app *a, struct problems *problems)
{
    iris__ready_hosts(a->manifest, problems);
    start_mesh(a, problems);
    for (size_t i = 0; i < a->manifest->nhosts && !iris__problems_count(problems); i++)
        start_host(a, a->manifest->hosts[i].name, problems);
}

/* What a host that did not start would have loaded is not tried; nor the next instance of what was refused. */
static int may_load(const struct app *a, size_t i, size_t host_problems)
{
    const struct manifest_actor *m = &a->manifest->actors[i];
    if (m->behind || (m->number > 1 && !a->actors[i - 1].version))
        return 0;
    return !host_problems || !is_configured(a, m->host);
}

static int load_all(struct app *a)
{
    struct problems problems = {0};
    start_hosts(a, &problems);
    size_t before = iris__problems_count(&problems);
    iris__ready_supervisors(a->manifest, &problems);
    for (size_t i = 0; i < a->manifest->nactors && !atomic_load(&a->stop); i++) {
        if (!iris__ready_actor(a->manifest, i, &problems) && may_load(a, i, before) &&
            iris__start_load(a, a->manifest, &a->manifest->actors[i], &a->actors[i]) &&
            !atomic_load(&a->stop))
            add_problem(a, &problems, i, "handler", "handler", iris__reason());
        else if (a->actors[i].version && a->manifest->actors[i].number < 2 &&
                 iris__start_check_kind(&a->manifest->actors[i], &a->actors[i]))
            add_problem(a, &problems, i, "kind", "bad-value", iris__reason());
        iris__app_wait(a, 0);
    }
    if (!iris__problems_count(&problems))
        iris__restore_check(a, &problems);
    return say_problems(a, &problems) ? IRIS_EXIT_MANIFEST : IRIS_EXIT_OK;
}

/* ---- starting ---- */

enum restart_when iris__start_restart(const struct manifest_actor *m)
{
    switch (m->restart) {
    case MANIFEST_ALWAYS:
        return RESTART_ALWAYS;
    case MANIFEST_NEVER:
        return RESTART_NEVER;
    }
    return RESTART_ON_FAILURE;
}

struct alarm *iris__start_alarms(const struct manifest_actor *m)
{
    struct alarm *alarms = m->ntimers ? calloc(m->ntimers, sizeof *alarms) : NULL;
    for (size_t i = 0; alarms && i < m->ntimers; i++) {
        const struct manifest_timer *t = &m->timers[i];
        alarms[i] = (struct alarm){.first = t->every_ns ? t->every_ns : t->after_ns,
                                   .period = t->every_ns,
                                   .data = t->send,
                                   .len = t->len};
    }
    return alarms;
}

char *iris__start_env(const struct manifest_actor *m)
{
    struct text out = {0};
    json_t *env = m->env ? json_loads(m->env, 0, NULL) : NULL;
    if (env)
        iris__text_add(&out, "", 0);
    for (void *i = json_object_iter(env); i; i = json_object_iter_next(env, i)) {
        iris__text_addf(&out, "%s=%s", json_object_iter_key(i),
                        json_string_value(json_object_iter_value(i)));
        iris__text_add(&out, "", 1);
    }
    json_decref(env);
    return out.data; /* a text has a NUL behind it */
}

int64_t iris__start_shutdown(const struct manifest_actor *m)
{
    return m->shutdown ? m->shutdown : SHUTDOWN_KILL;
}

/* An unbounded mailbox, perhaps beside "defaults" of others, is never full. The fallback has started. */
static void add_mailbox(struct app *a, const struct manifest_actor *m, iris_spawn *s)
{
    s->capacity = (uint32_t)m->capacity;
    s->bytes = (uint64_t)m->bytes;
    if (!m->capacity && !m->bytes)
        return;
    s->policy = (uint32_t)m->overflow;
    s->warn_at = (uint32_t)(m->warn_at * 100 + 0.5);
    s->fallback = m->fallback ? iris_find(a->runtime, m->fallback) : 0;
}

/* Its instances have begun, and keep their pids. */
int iris__start_router(struct app *a, const struct manifest_actor *m, struct app_actor *actor)
{
    uint64_t *pids = calloc(m->behind, sizeof *pids);
    for (uint32_t i = 0; pids && i < m->behind; i++)
        pids[i] = atomic_load(&actor[(ptrdiff_t)i - m->behind].pid);
    int result = pids ? iris__router_define(&a->runtime->world, (enum router_way)m->route, pids,
                                            m->behind, &actor->version)
                      : iris__fail("%s: no memory", m->path);
    free(pids);
    return result;
}

int iris__start_spawn(struct app *a, const struct manifest_actor *m, struct app_actor *actor,
                      enum restart_when restart)
{
    if (m->behind && iris__start_router(a, m, actor))
        return IRIS_FAIL;
    int restores = a->restore && !m->singleton &&
                   atomic_load(&a->phase) == APP_STARTING; /* not who comes later */
    struct alarm *alarms = iris__start_alarms(m);
    struct app_spawn s = {
        .spawn = {.size = sizeof s.spawn,
                  .abi = IRIS_ABI,
                  .version = actor->version,
                  .args = {m->args, m->args ? strlen(m->args) : 0},
                  .path = m->path,
                  .budget = (uint32_t)m->budget,
                  .flags = m->start == MANIFEST_LAZY ? IRIS_SPAWN_LAZY : 0,
                  .idle_timeout = m->idle_ns,
                  .slice = m->slice,
                  .ready_within = iris__start_ready(m)},
        .name = m->name,
        .env = iris__start_env(m),
        .restart = restart,
        .shutdown = iris__start_shutdown(m),
        .keep = (uint32_t)m->keep,
        .stateless_restart = m->stateless == MANIFEST_RESTART || m->behind,
        .frozen = restores,
        .alarms = alarms,
        .nalarms = m->ntimers,
    };
    uint64_t pid;
    add_mailbox(a, m, &s.spawn);
    int is_short = (m->ntimers && !alarms) || (m->env && !s.env);
    int result = is_short   ? iris__fail("%s: no memory", m->path)
                 : restores ? iris__restore_state(a, m, &s.restored)
                            : IRIS_OK;
    if (result)
        free(s.env);
    else
        result = iris__runtime_spawn(a->runtime, &s, &pid);
    free(alarms);
    if (result)
        return IRIS_FAIL;
    atomic_store(&actor->pid, pid);
    actor->rests = s.frozen;
    if (restores && iris__restore_mail(a, m, pid))
        return IRIS_FAIL;
    iris__early_admit(a, 0);
    return IRIS_OK;
}

int64_t iris__start_ready(const struct manifest_actor *m)
{
    return m->ready == MANIFEST_NOTIFY ? m->start_timeout : 0;
}

/* One that is to say that it is ready, and has not, crashes first: else it is stuck. */
int64_t iris__start_time(const struct manifest_actor *m)
{
    return m->start_timeout + (iris__start_ready(m) ? IRIS_SECOND : 0);
}

int iris__start_await(struct app *a, int64_t timeout)
{
    int64_t deadline = iris__sched_after(&a->runtime->world.sched, timeout);
    int started = 0, failed = 0;
    for (;;) {
        iris__app_awaited(a, &started, &failed);
        if (failed)
            iris__fail("%s", a->awaited.why ? a->awaited.why : "no reason was given");
        if (started || failed)
            return started;
        if (atomic_load(&a->stop))
            return -1;
        int64_t left = deadline - now(a);
        if (left <= 0)
            return iris__fail("its init() has not returned within %.1f s (start_timeout)",
                              (double)timeout / 1e9),
                   0;
        iris__app_wait(a, left);
    }
}

void iris__start_say(struct app *a, const struct manifest_actor *m, const struct app_actor *actor)
{
    iris__app_say_events(a); /* what init said */
    if (m->singleton)
        iris__app_say(a, IRIS_APP_ACTOR, "%s  %s  v1  (%s, begins where the engine says)", m->path,
                      m->handler, m->host);
    else if (m->start == MANIFEST_LAZY)
        iris__app_say(a, IRIS_APP_ACTOR, "%s  %s  v1  (%s, begins with its first message)", m->path,
                      m->handler, m->host);
    else
        iris__app_say(a, IRIS_APP_ACTOR, "%s  %s  v1  (%s, %.1f ms)", m->path, m->handler, m->host,
                      (double)actor->took / 1e6);
}

static int start_one(struct app *a, size_t index)
{
    const struct manifest_actor *m = &a->manifest->actors[index];
    struct app_actor *actor = &a->actors[index];
    int64_t began = now(a);
    int is_lazy = m->start == MANIFEST_LAZY && !iris__restore_has_state(a, m->path);
    iris__app_await(a, is_lazy ? NULL : m->path);
    int result = 0;
    if (m->singleton)
        result = iris__singleton_start(a, index);
    else if (!iris__start_spawn(a, m, actor, iris__start_restart(m)))
        result = is_lazy ? 1 : iris__start_await(a, iris__start_time(m));
    actor->took += now(a) - began;
    if (result > 0)
        iris__start_say(a, m, actor);
    return result;
}

static int start_all(struct app *a)
{
    struct problems problems = {0};
    int result = 1;
    for (size_t i = 0; i < a->manifest->nactors && result > 0 && !atomic_load(&a->stop); i++) {
        size_t index = a->manifest->start_order[i];
        result = start_one(a, index);
        if (!result) /* of its init, and so mostly of what that was given */
            add_problem(a, &problems, index, a->manifest->actors[index].args ? "args" : "handler",
                        "start", iris__reason());
    }
    iris__app_await(a, NULL);
    return say_problems(a, &problems) ? IRIS_EXIT_FAILED : IRIS_EXIT_OK;
}

static void release_all(struct app *a)
{
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        iris__version_release(a->actors[i].version);
        a->actors[i].version = NULL;
    }
}

int iris__app_start(struct app *a)
{
    if (add_supervisors(a)) {
        iris__app_say(a, IRIS_APP_ERROR, "%s", iris__reason());
        return IRIS_EXIT_FAILED;
    }
    int status = load_all(a);
    if (!status)
        status = start_all(a);
    if (!status)
        iris__restore_done(a);
    if (!status && iris__singletons_open(a)) {
        iris__app_say(a, IRIS_APP_ERROR, "%s", iris__reason());
        status = IRIS_EXIT_FAILED;
    }
    release_all(a); /* the actors have references of their own */
    return status;
}
