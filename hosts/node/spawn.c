/* Calls of a runtime: spawning, and swapping what was spawned. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* define(kind, flags, name, stateVersion, version): a number, with a reference that release() gives back;
 * -1: see reason(). */
static napi_value define_call(napi_env env, napi_callback_info info)
{
    napi_value argv[5];
    int64_t kind, flags, state;
    uint32_t number;
    struct host *h = iris__begin(env, info, 5, argv);
    if (!h || iris__int(env, argv[0], "kind", 0, KIND_MIGRATION, &kind) ||
        iris__int(env, argv[1], "flags", 0, 15, &flags) ||
        iris__int(env, argv[3], "the version of a state", 0, UINT32_MAX, &state))
        return NULL;
    char *name = iris__text(env, argv[2], "name"), *version = NULL;
    napi_value result = NULL;
    if (name && (version = iris__word(env, argv[4], "version")))
        result = iris__number(env, iris__script_define(h, (enum kind)kind, (unsigned)flags, name,
                                                       version, (uint32_t)state, &number) == IRIS_OK
                                       ? (double)number
                                       : -1);
    free(name);
    free(version);
    return result;
}

static napi_value release_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    uint32_t number = UINT32_MAX;
    struct host *h = iris__begin(env, info, 1, argv);
    if (h && napi_get_value_uint32(env, argv[0], &number) == napi_ok)
        iris__script_release_own(h, number);
    return NULL;
}

/* uses(number, file): it was made of that, too. */
static napi_value uses_call(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    uint32_t number = UINT32_MAX;
    struct host *h = iris__begin_closed(env, info, 2, argv);
    char *file = iris__word(env, argv[1], "a file");
    if (file && napi_get_value_uint32(env, argv[0], &number) == napi_ok)
        iris__script_uses(h, number, file);
    free(file);
    return NULL;
}

/* A reference to the version of this number, for the time of a call. -1: there is none any more. */
static int version_at(struct host *h, napi_value value, iris_version **out)
{
    uint32_t number = UINT32_MAX;
    napi_get_value_uint32(h->env, value, &number);
    return iris__script_retain(h, number, out) == IRIS_OK ? 0 : -1;
}

static napi_value spawn_version(struct host *h, iris_spawn *s)
{
    uint64_t pid = 0;
    int result = iris__api->spawn(iris__caller(h), s, &pid);
    iris__api->release(s->version);
    return iris__number(h->env, result == IRIS_OK ? (double)pid : REFUSED - result);
}

/* spawnPlain(number, budget): a pid; 0: that number is free again; below 0: REFUSED - result. */
static napi_value spawn_plain(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI};
    uint32_t budget = 0;
    struct host *h = iris__begin(env, info, 2, argv);
    if (!h || napi_get_value_uint32(env, argv[1], &budget) != napi_ok)
        return NULL;
    s.budget = budget > UINT16_MAX ? UINT16_MAX : budget;
    if (version_at(h, argv[0], &s.version))
        return iris__number(env, 0);
    return spawn_version(h, &s);
}

/* spawn(number, budget, capacity, parent, path, lazy, idleMs, args): the same. */
static napi_value spawn_call(napi_env env, napi_callback_info info)
{
    napi_value argv[8];
    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI};
    int64_t budget, capacity, idle;
    char *path, *args;
    bool lazy = false;
    struct host *h = iris__begin(env, info, 8, argv);
    if (!h || iris__int(env, argv[1], "budget", 1, UINT32_MAX, &budget) ||
        iris__int(env, argv[2], "capacity", 0, UINT32_MAX, &capacity) ||
        iris__pid(env, argv[3], &s.parent) || iris__milliseconds(env, argv[6], &idle))
        return NULL;
    napi_get_value_bool(env, argv[5], &lazy);
    if (iris__optional(env, argv[4], "path", &path) ||
        iris__optional(env, argv[7], "args", &args)) {
        free(path);
        return NULL;
    }
    s.path = path;
    s.args = (iris_bytes){args, args ? strlen(args) : 0};
    s.budget = budget > UINT16_MAX ? UINT16_MAX : (uint32_t)budget;
    s.capacity = (uint32_t)capacity;
    s.flags = lazy ? IRIS_SPAWN_LAZY : 0;
    s.idle_timeout = idle < 0 ? 0 : idle;
    napi_value result = iris__number(env, 0);
    if (version_at(h, argv[0], &s.version) == 0)
        result = spawn_version(h, &s);
    free(path);
    free(args);
    return result;
}

/* ---- swaps ---- */

struct decision {
    struct errand errand;
    double token;
    int result;
    char *why;
};

static void tell_decision(struct host *h, struct errand *e)
{
    struct decision *d = (struct decision *)e;
    if (h->bell && pthread_equal(h->thread, pthread_self()))
        iris__keep_alive(h, 0);
    if (h->may_run && h->bell) {
        const char *why = d->why ? d->why : "refused";
        napi_value argv[] = {iris__number(h->env, d->token), iris__number(h->env, d->result),
                             iris__string(h->env, why, strlen(why))};
        iris__hook(h, HOOK_SETTLE, 3, argv);
        h->settles = 1;
    }
    free(d->why);
    free(d);
}

struct decider {
    struct host *host;
    struct decision *decision;
};

/* [any] */
static void decided(void *ctx, int result, const char *why)
{
    struct decider *k = ctx;
    struct host *h = k->host;
    k->decision->result = result;
    k->decision->why = why && *why ? strdup(why) : NULL;
    iris__post(h, &k->decision->errand);
    free(k);
    iris__host_release(h);
}

static struct decider *decider_of(struct host *h, napi_value token)
{
    struct decider *k = calloc(1, sizeof *k);
    struct decision *d = calloc(1, sizeof *d);
    if (!k || !d) {
        free(k);
        free(d);
        napi_throw_error(h->env, NULL, "no memory for a swap");
        return NULL;
    }
    d->errand.run = tell_decision;
    napi_get_value_double(h->env, token, &d->token);
    *k = (struct decider){h, d};
    iris__host_retain(h);
    iris__keep_alive(h, 1);
    return k;
}

static napi_value ordered(struct host *h, struct decider *k, int result)
{
    if (result) { /* tell() does not come */
        iris__keep_alive(h, 0);
        free(k->decision);
        free(k);
        iris__host_release(h);
    }
    return iris__number(h->env, result);
}

/* swap(pid, number, now, token): settle(token, result, why) when it is decided; token null: nobody waits.
 * 0, or that number is free again: 1, or below 0: nothing was ordered. */
static napi_value swap_call(napi_env env, napi_callback_info info)
{
    napi_value argv[4];
    napi_valuetype type;
    iris_version *v;
    uint64_t pid;
    bool now = false;
    struct host *h = iris__begin(env, info, 4, argv);
    if (!h || iris__pid(env, argv[0], &pid))
        return NULL;
    napi_get_value_bool(env, argv[2], &now);
    napi_typeof(env, argv[3], &type);
    if (version_at(h, argv[1], &v))
        return iris__number(env, 1);
    struct decider *k = type == napi_number ? decider_of(h, argv[3]) : NULL;
    if (type == napi_number && !k) {
        iris__api->release(v);
        return NULL;
    }
    int result = iris__api->swap(iris__caller(h), pid, v, now, k ? decided : NULL, k);
    iris__api->release(v);
    return k ? ordered(h, k, result) : iris__number(env, 0);
}

/* rollback(pid, steps, token) */
static napi_value rollback_call(napi_env env, napi_callback_info info)
{
    napi_value argv[3];
    uint64_t pid;
    int64_t steps;
    struct host *h = iris__begin(env, info, 3, argv);
    if (!h || iris__pid(env, argv[0], &pid) ||
        iris__int(env, argv[1], "steps", 1, UINT32_MAX, &steps))
        return NULL;
    struct decider *k = decider_of(h, argv[2]);
    if (!k)
        return NULL;
    return ordered(
        h, k, iris__ext.control->rollback(iris__caller(h), pid, (uint32_t)steps, 0, 0, decided, k));
}

const struct call iris__spawn_calls[] = {{"define", define_call},     {"release", release_call},
                                         {"uses", uses_call},         {"spawnPlain", spawn_plain},
                                         {"spawn", spawn_call},       {"swap", swap_call},
                                         {"rollback", rollback_call}, {NULL, NULL}};
