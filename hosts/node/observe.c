/* Calls of a runtime: actors that keep what they are sent. */
#include "host.h"

#include <stdlib.h>

/* observed(budget, path): a pid, or REFUSED - result. */
static napi_value spawn_observed(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    char *path;
    int64_t budget;
    uint64_t pid = 0;
    struct host *h = iris__begin(env, info, 2, argv);
    if (!h || iris__int(env, argv[0], "budget", 1, UINT32_MAX, &budget) ||
        iris__optional(env, argv[1], "path", &path))
        return NULL;
    int result = iris__ext.observe->spawn(
        h->self, budget > UINT16_MAX ? UINT16_MAX : (uint32_t)budget, path, &pid);
    free(path);
    return iris__number(env, result == IRIS_OK ? (double)pid : REFUSED - result);
}

struct list {
    struct host *host;
    napi_value array, wrap;
    uint32_t n;
};

static int add_message(void *ctx, const iris_message *m)
{
    struct list *l = ctx;
    napi_value object = iris__message_object(l->host, m);
    if (object)
        napi_set_element(l->host->env, l->array, l->n++, object);
    return object == NULL;
}

/* messages(pid): Buffers and signals, oldest first. */
static napi_value messages(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    uint64_t pid;
    struct list l = {.host = iris__begin(env, info, 1, argv)};
    if (!l.host || iris__pid(env, argv[0], &pid) || napi_create_array(env, &l.array) != napi_ok)
        return NULL;
    iris__ext.observe->each(l.host->self, pid, add_message, &l, NULL);
    return l.array;
}

struct match {
    struct host *host;
    napi_value matcher;
};

/* As the original has it: an exception is no. */
static int matches(void *ctx, const iris_message *m)
{
    struct match *k = ctx;
    napi_env env = k->host->env;
    napi_value object, answer, error, undefined = iris__undefined(env);
    napi_handle_scope scope;
    bool is = false;
    napi_open_handle_scope(env, &scope);
    object = iris__message_object(k->host, m);
    if (object && napi_call_function(env, undefined, k->matcher, 1, &object, &answer) == napi_ok)
        napi_get_value_bool(env, answer, &is);
    else
        napi_get_and_clear_last_exception(env, &error);
    napi_close_handle_scope(env, scope);
    return is;
}

/* takeObserved(pid, from, matcher): the message, or the number to look from next; null: none of this kind. */
static napi_value take(napi_env env, napi_callback_info info)
{
    napi_value argv[3];
    uint64_t pid, from;
    const iris_message *m;
    struct host *h = iris__begin(env, info, 3, argv);
    if (!h || iris__pid(env, argv[0], &pid) || iris__pid(env, argv[1], &from))
        return NULL;
    struct match k = {h, argv[2]};
    int result = iris__ext.observe->take(h->self, pid, &from, matches, &k, &m);
    if (result == IRIS_EMPTY)
        return iris__number(env, (double)from);
    if (result != IRIS_OK)
        return iris__null(env);
    napi_value object = iris__message_object(h, m);
    iris__api->drop(m);
    return object;
}

const struct call iris__observe_calls[] = {
    {"observed", spawn_observed}, {"messages", messages}, {"takeObserved", take}, {NULL, NULL}};
