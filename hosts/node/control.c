/* Calls of a runtime: looking at actors, ending them, names and paths, links. */
#include "host.h"

#include <iris/ext/route.h>

#include <stdlib.h>
#include <string.h>

/* 0, 1: no such actor, -1: an exception. */
static int info_of(napi_env env, napi_callback_info info, iris_info *i, struct host **h)
{
    napi_value argv[1];
    uint64_t pid;
    *i = (iris_info){.size = sizeof *i, .abi = IRIS_ABI};
    *h = iris__begin(env, info, 1, argv);
    if (!*h || iris__pid(env, argv[0], &pid))
        return -1;
    i->pid = pid;
    return iris__ext.control->info((*h)->self, pid, i) != IRIS_OK;
}

static napi_value is_alive(napi_env env, napi_callback_info info)
{
    iris_info i;
    struct host *h;
    int result = info_of(env, info, &i, &h);
    if (result == 1 && IRIS_NODE(i.pid)) /* who wants to know whether it has ended asks: probe() */
        return iris__boolean(env, iris__is_node_up(h, i.pid));
    return result < 0 ? NULL : iris__boolean(env, result == 0);
}

static napi_value mailbox_size(napi_env env, napi_callback_info info)
{
    iris_info i;
    struct host *h;
    int result = info_of(env, info, &i, &h);
    return result < 0 ? NULL : result ? iris__null(env) : iris__number(env, (double)i.mailbox);
}

static napi_value behavior_version(napi_env env, napi_callback_info info)
{
    iris_info i;
    struct host *h;
    int result = info_of(env, info, &i, &h);
    return result < 0 ? NULL : result ? iris__null(env) : iris__number(env, i.rev);
}

static void set_text(napi_env env, napi_value object, const char *key, const char *text)
{
    iris__set(env, object, key, iris__string(env, text, strlen(text)));
}

static napi_value info_call(napi_env env, napi_callback_info info)
{
    static const char *const states[] = {"running", "stuck",  "stopping",
                                         "backoff", "asleep", "starting"};
    iris_info i;
    struct host *h;
    napi_value object;
    int result = info_of(env, info, &i, &h);
    if (result)
        return result < 0 ? NULL : iris__null(env);
    if (napi_create_object(env, &object) != napi_ok)
        return NULL;
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"pid", (double)i.pid},
                   {"mailbox", (double)i.mailbox},
                   {"handled", (double)i.handled},
                   {"capacity", i.capacity},
                   {"restarts", i.restarts},
                   {"rev", i.rev},
                   {"of", i.of},
                   {"stateVersion", i.state_version}};
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
        iris__set(env, object, numbers[n].key, iris__number(env, numbers[n].value));
    set_text(env, object, "state",
             i.state < sizeof states / sizeof *states ? states[i.state] : "?");
    set_text(env, object, "path", i.path);
    set_text(env, object, "host", i.host);
    set_text(env, object, "handler", i.handler);
    set_text(env, object, "behaviour", i.behaviour);
    set_text(env, object, "version", i.version);
    return object;
}

static napi_value with_pid(napi_env env, napi_callback_info info,
                           int (*call)(iris_actor *, uint64_t))
{
    napi_value argv[1];
    uint64_t pid;
    struct host *h = iris__begin(env, info, 1, argv);
    if (h && iris__pid(env, argv[0], &pid) == 0)
        return iris__number(env, call(h->self, pid));
    return NULL;
}

static napi_value stop_call(napi_env env, napi_callback_info info)
{
    return with_pid(env, info, iris__ext.watch->stop);
}

static napi_value kill_call(napi_env env, napi_callback_info info)
{
    return with_pid(env, info, iris__ext.watch->kill);
}

static napi_value with_pair(napi_env env, napi_callback_info info,
                            int (*call)(iris_actor *, uint64_t, uint64_t))
{
    napi_value argv[2];
    uint64_t a, b;
    struct host *h = iris__begin(env, info, 2, argv);
    if (h && iris__pid(env, argv[0], &a) == 0 && iris__pid(env, argv[1], &b) == 0)
        call(h->self, a, b);
    return NULL;
}

static napi_value link_call(napi_env env, napi_callback_info info)
{
    return with_pair(env, info, iris__ext.watch->link_pair);
}

static napi_value unlink_call(napi_env env, napi_callback_info info)
{
    return with_pair(env, info, iris__ext.watch->unlink_pair);
}

static napi_value self_call(napi_env env, napi_callback_info info)
{
    struct host *h = iris__begin(env, info, 0, NULL);
    if (!h)
        return NULL;
    uint64_t pid = iris__api->pid(iris__caller(h));
    return pid ? iris__number(env, (double)pid) : iris__null(env);
}

struct variables {
    napi_env env;
    napi_value object;
};

static void add_variable(void *ctx, const char *name, const char *value)
{
    const struct variables *v = ctx;
    set_text(v->env, v->object, name, value);
}

/* env(): all of the actor's own; null: no handler runs. */
static napi_value env_call(napi_env env, napi_callback_info info)
{
    struct variables v = {.env = env};
    struct host *h = iris__begin(env, info, 0, NULL);
    if (!h || napi_create_object(env, &v.object) != napi_ok)
        return NULL;
    if (!iris__ext.env || !h->current)
        return iris__null(env);
    iris__ext.env->each(h->current, add_variable, &v);
    return v.object;
}

/* ready(pid): that actor has started. */
static napi_value ready_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    uint64_t pid;
    struct host *h = iris__begin(env, info, 1, argv);
    if (h && !iris__pid(env, argv[0], &pid) && iris__ext.ready)
        iris__ext.ready->ready(iris__caller(h), pid);
    return NULL;
}

/* ---- the runtime ---- */

static napi_value reason_call(napi_env env, napi_callback_info info)
{
    const char *why = iris__door_reason();
    (void)info;
    return iris__string(env, why, strlen(why));
}

static napi_value is_idle(napi_env env, napi_callback_info info)
{
    struct host *h = iris__begin_closed(env, info, 0, NULL);
    return iris__boolean(env, h->is_closing || iris__door_is_idle(h));
}

static napi_value is_closed(napi_env env, napi_callback_info info)
{
    struct host *h = iris__begin_closed(env, info, 0, NULL);
    return iris__boolean(env, h->is_closing);
}

/* keep(on): the loop stays while it is on. */
static napi_value keep_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    bool on = false;
    struct host *h = iris__begin(env, info, 1, argv);
    if (h && napi_get_value_bool(env, argv[0], &on) == napi_ok)
        iris__keep_alive(h, on);
    return NULL;
}

/* log(level, text): as the actor whose handler this is. */
static napi_value log_call(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    int64_t level;
    struct host *h = iris__begin(env, info, 2, argv);
    if (!h || iris__int(env, argv[0], "level", IRIS_DEBUG_LEVEL, IRIS_ERROR, &level))
        return NULL;
    char *text = iris__text(env, argv[1], "a line of the log");
    if (text)
        iris__api->log(iris__caller(h), (int)level, "%s", text);
    free(text);
    return NULL;
}

const struct call iris__control_calls[] = {
    {"isAlive", is_alive}, {"mailboxSize", mailbox_size}, {"behaviorVersion", behavior_version},
    {"info", info_call},   {"stop", stop_call},           {"kill", kill_call},
    {"link", link_call},   {"unlink", unlink_call},       {"self", self_call},
    {"env", env_call},     {"ready", ready_call},         {NULL, NULL}};

const struct call iris__host_calls[] = {{"reason", reason_call}, {"isIdle", is_idle},
                                        {"isClosed", is_closed}, {"keep", keep_call},
                                        {"log", log_call},       {NULL, NULL}};

/* ---- names ---- */

/* register(name, pid): 0, 2: no such actor, -1: see reason(). The newer one gets a name that is taken. */
static napi_value set_name(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    uint64_t pid;
    struct host *h = iris__begin(env, info, 2, argv);
    char *name =
        h && iris__pid(env, argv[1], &pid) == 0 ? iris__word(env, argv[0], "a name") : NULL;
    if (!name)
        return NULL;
    int result = iris__ext.name->set(h->self, name, pid);
    if (result == IRIS_FAIL && iris__ext.name->find(h->self, name)) {
        iris__ext.name->clear(h->self, name);
        result = iris__ext.name->set(h->self, name, pid);
    }
    free(name);
    return iris__number(env, result);
}

static napi_value clear_name(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    struct host *h = iris__begin(env, info, 1, argv);
    char *name = h ? iris__word(env, argv[0], "a name") : NULL;
    if (name)
        iris__ext.name->clear(h->self, name);
    free(name);
    return NULL;
}

static napi_value find_name(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    struct host *h = iris__begin(env, info, 1, argv);
    char *name = h ? iris__word(env, argv[0], "a name") : NULL;
    if (!name)
        return NULL;
    uint64_t pid = iris__ext.name->find(h->self, name);
    free(name);
    return pid ? iris__number(env, (double)pid) : iris__null(env);
}

struct list {
    napi_env env;
    napi_value array;
    uint32_t n;
};

static void add_entry(void *ctx, const char *name, uint64_t pid)
{
    struct list *l = ctx;
    napi_value pair;
    if (napi_create_array_with_length(l->env, 2, &pair) != napi_ok)
        return;
    napi_set_element(l->env, pair, 0, iris__string(l->env, name, strlen(name)));
    napi_set_element(l->env, pair, 1, iris__number(l->env, (double)pid));
    napi_set_element(l->env, l->array, l->n++, pair);
}

/* [[path, pid], ..]; null: see reason(). */
static napi_value list_names(napi_env env, napi_callback_info info, int direct)
{
    napi_value argv[1];
    struct list l = {.env = env};
    struct host *h = iris__begin(env, info, 1, argv);
    char *prefix = h ? iris__word(env, argv[0], "a prefix") : NULL;
    if (!prefix || napi_create_array(env, &l.array) != napi_ok) {
        free(prefix);
        return NULL;
    }
    int n = direct ? iris__ext.name->children_direct(h->self, prefix, add_entry, &l)
                   : iris__ext.name->children(h->self, prefix, add_entry, &l);
    free(prefix);
    return n < 0 ? iris__null(env) : l.array;
}

static napi_value list_children(napi_env env, napi_callback_info info)
{
    return list_names(env, info, 0);
}

static napi_value list_children_direct(napi_env env, napi_callback_info info)
{
    return list_names(env, info, 1);
}

static napi_value names_of(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    uint64_t pid;
    struct list l = {.env = env};
    struct host *h = iris__begin(env, info, 1, argv);
    if (!h || iris__pid(env, argv[0], &pid) || napi_create_array(env, &l.array) != napi_ok)
        return NULL;
    iris__ext.name->names(h->self, pid, add_entry, &l);
    return l.array;
}

const struct call iris__name_calls[] = {{"register", set_name},
                                        {"unregister", clear_name},
                                        {"whereis", find_name},
                                        {"listChildren", list_children},
                                        {"listChildrenDirect", list_children_direct},
                                        {"names", names_of},
                                        {NULL, NULL}};
