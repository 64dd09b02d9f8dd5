/* Calls of a runtime: supervisors, by the original's words. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* A member that JavaScript makes anew: make(token) of engine.js. */
struct maker {
    struct errand errand;
    struct host *host;
    double token;
};

/* On our executor. */
static int make(void *ctx, uint64_t *pid)
{
    struct maker *m = ctx;
    struct host *h = m->host;
    napi_handle_scope scope;
    double number = 0;
    int result = IRIS_FAIL;
    if (!h->may_run || napi_open_handle_scope(h->env, &scope) != napi_ok)
        return iris__api->fail("the environment of Node ends");
    napi_value token = iris__number(h->env, m->token);
    napi_value made = iris__hook(h, HOOK_MAKE, 1, &token);
    int is_number = made && napi_get_value_double(h->env, made, &number) == napi_ok;
    if (is_number && number >= 0)
        result = number > 0 ? IRIS_OK : IRIS_AGAIN; /* its promise is not kept yet */
    else if (made)
        iris__api->fail("the factory gave no pid");
    *pid = (uint64_t)number;
    napi_close_handle_scope(h->env, scope);
    return result;
}

static void give_back(struct host *h, struct errand *e)
{
    struct maker *m = (struct maker *)e;
    if (h->may_run && h->bell) {
        napi_value argv[] = {iris__number(h->env, m->token), iris__boolean(h->env, 1)};
        iris__hook(h, HOOK_MAKE, 2, argv);
    }
    free(m);
}

/* [any] */
static void release(void *ctx)
{
    struct maker *m = ctx;
    struct host *h = m->host;
    iris__post(h, &m->errand);
    iris__host_release(h);
}

/* supervise(path, pid, strategy, token): 0, 2: no such actor, -1. A supervisor that is missing is made. */
static napi_value supervise_call(napi_env env, napi_callback_info info)
{
    napi_value argv[4];
    int64_t strategy;
    iris_factory f = {.size = sizeof f, .abi = IRIS_ABI, .make = make, .release = release};
    struct host *h = iris__begin(env, info, 4, argv);
    if (!h || iris__pid(env, argv[1], &f.pid) ||
        iris__int(env, argv[2], "strategy", 1, IRIS_REST_FOR_ONE, &strategy))
        return NULL;
    struct maker *m = calloc(1, sizeof *m);
    char *path = m ? iris__word(env, argv[0], "a path") : NULL;
    if (!path) {
        free(m);
        return NULL;
    }
    m->errand.run = give_back;
    m->host = h;
    napi_get_value_double(env, argv[3], &m->token);
    f.path = path;
    f.strategy = (uint32_t)strategy;
    f.executor = h->executor;
    f.ctx = m;
    iris__host_retain(h);
    int result = iris__ext.supervise->supervise(h->self, &f);
    if (result == IRIS_FAIL && iris__ext.supervise->create(h->self, path, NULL) == IRIS_OK)
        result = iris__ext.supervise->supervise(h->self, &f);
    free(path);
    if (result) {
        free(m);
        iris__host_release(h);
    }
    return iris__number(env, result);
}

/* watch(path, pid): where there is no supervisor of that path, the one of all. */
static napi_value watch_call(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    uint64_t pid;
    struct host *h = iris__begin(env, info, 2, argv);
    char *path =
        h && iris__pid(env, argv[1], &pid) == 0 ? iris__word(env, argv[0], "a path") : NULL;
    if (!path)
        return NULL;
    int result = iris__ext.supervise->watch(h->self, path, pid);
    if (result == IRIS_FAIL)
        result = iris__ext.supervise->watch(h->self, "/", pid);
    free(path);
    return iris__number(env, result);
}

static napi_value watch_path(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    struct host *h = iris__begin(env, info, 1, argv);
    char *prefix = h ? iris__word(env, argv[0], "a prefix") : NULL;
    if (!prefix)
        return NULL;
    int watched = iris__ext.supervise->watch_path(h->self, prefix);
    free(prefix);
    return iris__number(env, watched < 0 ? watched : 0);
}

/* createSupervisor(path, strategy, intensity, periodMs) */
static napi_value create_call(napi_env env, napi_callback_info info)
{
    napi_value argv[4];
    int64_t strategy, intensity;
    iris_supervision how = {.size = sizeof how, .abi = IRIS_ABI};
    struct host *h = iris__begin(env, info, 4, argv);
    if (!h || iris__int(env, argv[1], "strategy", 1, IRIS_REST_FOR_ONE, &strategy) ||
        iris__int(env, argv[2], "intensity", 0, UINT32_MAX, &intensity) ||
        iris__milliseconds(env, argv[3], &how.period))
        return NULL;
    how.strategy = (uint32_t)strategy;
    how.intensity = (uint32_t)intensity;
    char *path = iris__word(env, argv[0], "a path");
    if (!path)
        return NULL;
    int result = iris__ext.supervise->create(h->self, path, &how);
    free(path);
    return iris__number(env, result);
}

static napi_value remove_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    struct host *h = iris__begin(env, info, 1, argv);
    char *path = h ? iris__word(env, argv[0], "a path") : NULL;
    if (!path)
        return NULL;
    int result = iris__ext.supervise->remove(h->self, path);
    free(path);
    return iris__number(env, result == IRIS_DEAD ? 0 : result);
}

struct list {
    napi_env env;
    napi_value array;
    uint32_t n;
};

static void add_pid(void *ctx, uint64_t pid)
{
    struct list *l = ctx;
    if (pid)
        napi_set_element(l->env, l->array, l->n++, iris__number(l->env, (double)pid));
}

/* supervised(path): pids; null: see reason(). */
static napi_value supervised(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    struct list l = {.env = env};
    struct host *h = iris__begin(env, info, 1, argv);
    char *path = h ? iris__word(env, argv[0], "a path") : NULL;
    if (!path || napi_create_array(env, &l.array) != napi_ok) {
        free(path);
        return NULL;
    }
    int n = iris__ext.supervise->children(h->self, path, add_pid, &l);
    free(path);
    return n < 0 ? iris__null(env) : l.array;
}

const struct call iris__supervise_calls[] = {{"supervise", supervise_call},
                                             {"watch", watch_call},
                                             {"watchPath", watch_path},
                                             {"createSupervisor", create_call},
                                             {"removeSupervisor", remove_call},
                                             {"supervised", supervised},
                                             {NULL, NULL}};
