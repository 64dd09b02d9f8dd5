#include "singleton.h"

#include "behaviour.h"
#include "end.h"
#include "fail.h"
#include "send.h"
#include "start.h"

#include <iris/ext/mesh.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct singleton {
    struct singleton *next;
    struct app *app;
    char *path;
    iris_version *version;     /* of the instance */
    _Atomic uint64_t token;    /* 0: it is not this node's */
    _Atomic uint64_t instance; /* its pid, or 0 */
    _Atomic uint64_t stood;    /* the standby that was, or is, the last: its end is no news */
    _Atomic uint64_t standby;  /* likewise */
    _Atomic uint64_t runs;     /* the token that it was begun with; 0: it stands by */
    pthread_mutex_t lock;      /* also: the instance is spawned, or the token goes; not both */
    char node[256];            /* whose it is, or "" */
};

/* `iris apply` exchanges the manifest, but takes no singleton in or out. */
static size_t index_of(const struct singleton *s)
{
    return iris__manifest_index(s->app->manifest, s->path);
}

static void wake_standby(struct singleton *s)
{
    uint64_t pid = atomic_load(&s->standby);
    if (pid)
        iris__signal(&s->app->runtime->world, IRIS_PONG, 0, pid, 0, "changed");
}

static void end_instance(struct singleton *s)
{
    uint64_t pid = atomic_load(&s->instance);
    if (pid)
        iris__signal(&s->app->runtime->world, KIND_KILL, 0, pid, KILL_FOR_GOOD,
                     "killed (how=kill): this node has the singleton no more");
}

/* Under the mesh's lock. */
static void stood(void *ctx, uint64_t token, const char *node)
{
    struct singleton *s = ctx;
    pthread_mutex_lock(&s->lock);
    snprintf(s->node, sizeof s->node, "%s", node);
    atomic_store(&s->token, token);
    if (token != atomic_load(&s->runs))
        end_instance(s);
    pthread_mutex_unlock(&s->lock);
    wake_standby(s);
    iris__app_ring(s->app);
}

/* ---- standing by ---- */

static const iris_mesh *mesh_of(struct app *a, void **mesh)
{
    const void *table;
    return iris__runtime_use(a->runtime, "mesh", IRIS_MESH, &table, mesh) ? NULL : table;
}

static int spawn_standby(struct app *a, const struct manifest_actor *m, const char *args,
                         uint64_t *pid)
{
    void *mesh;
    const iris_mesh *calls = mesh_of(a, &mesh);
    struct app_actor actor = {0};
    struct manifest_actor stands = *m;
    stands.args = args;
    stands.name = NULL;
    stands.ntimers = 0;
    if (!calls || calls->proxies(mesh, &actor.version))
        return IRIS_FAIL;
    iris__app_await(a, m->path);
    int result = iris__start_spawn(a, &stands, &actor, RESTART_ALWAYS);
    *pid = atomic_load(&actor.pid);
    iris__version_release(actor.version);
    return result;
}

/* As iris__start_await(). */
static int stand_by(struct app *a, struct singleton *s)
{
    const struct manifest_actor *m = &a->manifest->actors[index_of(s)];
    json_t *args = json_pack("{s:s, s:s, s:s}", "at", "*", "name", m->path, "on_loss", "down");
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    uint64_t pid = 0;
    int result = text ? spawn_standby(a, m, text, &pid) : iris__fail("%s: no memory", m->path);
    free(text);
    json_decref(args);
    if (result)
        return 0;
    atomic_store(&a->actors[index_of(s)].pid, pid);
    atomic_store(&s->standby, pid);
    atomic_store(&s->stood, pid);
    return iris__start_await(a, m->start_timeout);
}

int iris__singleton_start(struct app *a, size_t index)
{
    struct singleton *s = calloc(1, sizeof *s);
    if (!s)
        return iris__fail("%s: no memory", a->manifest->actors[index].path), 0;
    *s = (struct singleton){.next = atomic_load(&a->singletons),
                            .app = a,
                            .path = strdup(a->manifest->actors[index].path)};
    pthread_mutex_init(&s->lock, NULL);
    s->version = a->actors[index].version;
    iris__version_retain(s->version);
    atomic_store(&a->singletons, s);
    if (!s->path)
        return iris__fail("no memory"), 0;
    return stand_by(a, s);
}

int iris__singletons_open(struct app *a)
{
    void *mesh;
    const iris_mesh *calls = a->singletons ? mesh_of(a, &mesh) : NULL;
    for (struct singleton *s = a->singletons; s; s = s->next)
        if (!calls || calls->stand(mesh, s->path, stood, s))
            return IRIS_FAIL;
    return IRIS_OK;
}

/* ---- changes ---- */

static void resign(struct singleton *s, uint64_t token, const char *why)
{
    void *mesh;
    const iris_mesh *calls = mesh_of(s->app, &mesh);
    iris__app_say(s->app, IRIS_APP_ERROR, "%s does not begin here, another node may have it: %s",
                  s->path, why);
    atomic_compare_exchange_strong(&s->token, &token, 0);
    if (calls)
        calls->resign(mesh, s->path);
}

static void stop(struct singleton *s, uint64_t pid, int64_t shutdown)
{
    if (iris__end(s->app, pid, shutdown))
        iris__app_say(s->app, IRIS_APP_WARNING, "%s: %s", s->path, iris__reason());
}

static void say_node(struct singleton *s)
{
    char node[256];
    pthread_mutex_lock(&s->lock);
    snprintf(node, sizeof node, "%s", s->node);
    pthread_mutex_unlock(&s->lock);
    iris__app_say(s->app, IRIS_APP_WARNING, "%s has ended here: it is %s%s", s->path,
                  *node ? "node " : "", *node ? node : "not this node's any more");
}

static void leave(struct app *a, struct singleton *s)
{
    stop(s, atomic_load(&s->instance), a->manifest->actors[index_of(s)].shutdown);
    atomic_store(&s->instance, 0);
    atomic_store(&s->runs, 0);
    if (stand_by(a, s) < 1)
        iris__app_say(a, IRIS_APP_ERROR, "%s does not stand by: %s", s->path, iris__reason());
    iris__app_await(a, NULL);
}

/* From now on its supervisor looks after it. */
static int look_after(struct app *a, const struct manifest_actor *m, uint64_t pid)
{
    struct membership how = {iris__start_restart(m), iris__start_shutdown(m)};
    if (iris__supervisor_retune(&a->runtime->supervisors, pid, &how) == IRIS_OK)
        return 1;
    return iris__fail("it ended as soon as it had begun"), 0;
}

/* While it waited for its standby's end this node may have lost it: then no code of it runs here. One that does not
 * begin is not begun again, nor counted by its supervisor: it may begin on another node. */
static int spawn_instance(struct app *a, struct singleton *s, uint64_t token)
{
    const struct manifest_actor *m = &a->manifest->actors[index_of(s)];
    struct app_actor one = {.version = s->version};
    pthread_mutex_lock(&s->lock);
    int result = atomic_load(&s->token) == token
                     ? iris__start_spawn(a, m, &one, RESTART_NEVER)
                     : iris__fail("%s is not this node's any more", m->path);
    atomic_store(&s->instance, result ? 0 : atomic_load(&one.pid));
    pthread_mutex_unlock(&s->lock);
    return result;
}

/* As iris__start_await(). */
static int run_instance(struct app *a, struct singleton *s, uint64_t token)
{
    const struct manifest_actor *m = &a->manifest->actors[index_of(s)];
    atomic_store(&s->runs, token);
    iris__app_await(a, m->path);
    if (spawn_instance(a, s, token))
        return 0;
    uint64_t pid = atomic_load(&s->instance);
    atomic_store(&a->actors[index_of(s)].pid, pid);
    int result = iris__start_await(a, iris__start_time(m));
    return result > 0 ? look_after(a, m, pid) : result;
}

static void begin(struct app *a, struct singleton *s, uint64_t token)
{
    uint64_t standby = atomic_exchange(&s->standby, 0);
    stop(s, standby, IRIS_SECOND);
    int result = run_instance(a, s, token);
    iris__app_await(a, NULL);
    if (result > 0)
        iris__app_say(a, IRIS_APP_EVENT, "%s begins here (token %llu)", s->path,
                      (unsigned long long)token);
    else if (result == 0 && atomic_load(&s->token) == token)
        resign(s, token, iris__reason());
    if (result == 0)
        leave(a, s);
}

static void look(struct app *a, struct singleton *s)
{
    uint64_t token = atomic_load(&s->token), runs = atomic_load(&s->runs);
    if (token == runs)
        return;
    if (runs) {
        leave(a, s);
        say_node(s);
    }
    if (token && !atomic_load(&a->stop))
        begin(a, s, token);
}

void iris__singletons_look(struct app *a)
{
    for (struct singleton *s = a->singletons; s && !atomic_load(&a->stop); s = s->next)
        look(a, s);
}

void iris__singletons_end(struct app *a)
{
    for (struct singleton *s = a->singletons; s; s = s->next) {
        iris__version_release(s->version);
        s->version = NULL;
    }
}

void iris__singletons_finish(struct app *a)
{
    for (struct singleton *s = a->singletons, *next; s; s = next) {
        next = s->next;
        pthread_mutex_destroy(&s->lock);
        free(s->path);
        free(s);
    }
}

/* ---- looking ---- */

int iris__singleton_stood(struct app *a, uint64_t pid)
{
    struct singleton *s = atomic_load(&a->singletons);
    while (s && atomic_load(&s->stood) != pid)
        s = s->next;
    return s != NULL;
}

const char *iris__singleton_word(struct app *a, uint64_t pid, char *room, size_t len)
{
    for (struct singleton *s = a->singletons; s; s = s->next) {
        if (!pid || atomic_load(&s->standby) != pid)
            continue;
        pthread_mutex_lock(&s->lock);
        snprintf(room, len, *s->node ? "standby on node %s" : "standby%s", s->node);
        pthread_mutex_unlock(&s->lock);
        return room;
    }
    return NULL;
}
