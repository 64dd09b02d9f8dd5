/* Calls of a runtime: other nodes, by "iris.mesh/1" of the plugin "mesh", which is started when it is first needed.
 * What these refuse and give is in iris/mesh.js. */
#include "host.h"

#include <iris/ext/route.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the mesh of this runtime ---- */

/* The loader may wait for our thread, as for a module that it loads, so this one must not wait for the loader
 * without end. A thread does. */
struct finding {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    iris_actor *self;
    int refs, is_over, failed;
    const void *table;
    void *net;
    char why[300];
};

static void leave(struct finding *f)
{
    pthread_mutex_lock(&f->lock);
    int left = --f->refs;
    pthread_mutex_unlock(&f->lock);
    if (left)
        return;
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f);
}

static void *find_away(void *arg)
{
    struct finding *f = arg;
    const void *table = NULL;
    void *net = NULL;
    int failed = iris__ext.plugins->use(f->self, "mesh", IRIS_MESH, &table, &net);
    pthread_mutex_lock(&f->lock);
    f->failed = failed;
    f->table = table;
    f->net = net;
    snprintf(f->why, sizeof f->why, "%s", failed ? iris__door_reason() : "");
    f->is_over = 1;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
    leave(f);
    return NULL;
}

enum { PATIENCE = 5 }; /* s */

static void wait_for(struct finding *f)
{
    struct timespec end;
    int error = 0;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE;
    pthread_mutex_lock(&f->lock);
    while (!f->is_over && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&f->changed, &f->lock, &end);
    if (!f->is_over) {
        f->failed = 1;
        snprintf(
            f->why, sizeof f->why,
            "the mesh cannot be started while the loader waits for this code; write \"mesh\": {} "
            "into the manifest, so that it is there before");
    }
    pthread_mutex_unlock(&f->lock);
}

static struct finding *create(struct host *h)
{
    pthread_t thread;
    struct finding *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->self = h->self;
    f->refs = 2;
    if (pthread_create(&thread, NULL, find_away, f)) {
        f->refs = 1;
        leave(f);
        return NULL;
    }
    pthread_detach(thread);
    return f;
}

/* 0, or -1 with an exception. */
static int find(struct host *h)
{
    if (h->mesh)
        return 0;
    struct finding *f = iris__ext.plugins ? create(h) : NULL;
    if (!f) {
        iris__throw(h->env, "IRIS_NO_MESH", "this Iris has no mesh");
        return -1;
    }
    wait_for(f);
    if (f->failed)
        iris__throw(h->env, "IRIS_NO_MESH", f->why);
    else {
        h->net = f->net;
        h->mesh = f->table;
    }
    leave(f);
    return h->mesh ? 0 : -1;
}

static struct host *begin(napi_env env, napi_callback_info info, size_t argc, napi_value *argv)
{
    struct host *h = iris__begin(env, info, argc, argv);
    return h && find(h) == 0 ? h : NULL;
}

static napi_value refuse(napi_env env)
{
    iris__throw(env, "IRIS_MESH", iris__door_reason());
    return NULL;
}

/* ---- settings and addresses ---- */

static napi_value configure(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    struct host *h = begin(env, info, 1, argv);
    char *options = h ? iris__text(env, argv[0], "settings") : NULL;
    if (!options)
        return NULL;
    int failed = h->mesh->configure(h->net, options);
    free(options);
    return failed ? refuse(env) : NULL;
}

/* meshListen(address, options or null): where that is. */
static napi_value listen_at(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    char bound[300] = "", *options, *address;
    struct host *h = begin(env, info, 2, argv);
    if (!h || !(address = iris__word(env, argv[0], "an address")))
        return NULL;
    if (iris__optional(env, argv[1], "options", &options)) {
        free(address);
        return NULL;
    }
    int failed = h->mesh->listen(h->net, address, options, bound, sizeof bound);
    free(address);
    free(options);
    return failed ? refuse(env) : iris__string(env, bound, strlen(bound));
}

/* meshConnect(address, options or null) */
static napi_value connect_to(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    char *options, *address;
    struct host *h = begin(env, info, 2, argv);
    if (!h || !(address = iris__word(env, argv[0], "an address")))
        return NULL;
    if (iris__optional(env, argv[1], "options", &options)) {
        free(address);
        return NULL;
    }
    int failed = h->mesh->connect(h->net, address, options);
    free(address);
    free(options);
    return failed ? refuse(env) : NULL;
}

enum at { UNLISTEN, DISCONNECT, IS_UP };

static napi_value by_address(napi_env env, napi_callback_info info, enum at what)
{
    napi_value argv[1];
    struct host *h = begin(env, info, 1, argv);
    char *address = h ? iris__word(env, argv[0], "an address") : NULL;
    if (!address)
        return NULL;
    int is = what == UNLISTEN     ? h->mesh->unlisten(h->net, address) == IRIS_OK
             : what == DISCONNECT ? h->mesh->disconnect(h->net, address) == IRIS_OK
                                  : h->mesh->is_up(h->net, address);
    free(address);
    return iris__boolean(env, is);
}

static napi_value unlisten(napi_env env, napi_callback_info info)
{
    return by_address(env, info, UNLISTEN);
}

static napi_value disconnect(napi_env env, napi_callback_info info)
{
    return by_address(env, info, DISCONNECT);
}

static napi_value is_up(napi_env env, napi_callback_info info)
{
    return by_address(env, info, IS_UP);
}

/* ---- questions ---- */

enum question { RESOLVE, WHEREIS, PING, PROBE };

struct asked {
    iris_mesh_answer answer;
    struct errand errand;
    struct host *host;
    double token;
};

/* On the environment's thread: settle(token, result, { pid, why }). */
static void settle(struct host *h, struct errand *e)
{
    struct asked *k = (struct asked *)((char *)e - offsetof(struct asked, errand));
    napi_value what;
    if (h->bell)
        iris__keep_alive(h, 0);
    if (h->may_run && napi_create_object(h->env, &what) == napi_ok) {
        iris__set(h->env, what, "pid", iris__number(h->env, (double)k->answer.pid));
        iris__set(h->env, what, "why", iris__string(h->env, k->answer.why, strlen(k->answer.why)));
        napi_value argv[] = {iris__number(h->env, k->token), iris__number(h->env, k->answer.result),
                             what};
        iris__hook(h, HOOK_SETTLE, 3, argv);
        h->settles = 1;
    }
    free(k);
}

/* [any] */
static void on_answer(iris_job *job)
{
    struct asked *k = (struct asked *)job;
    struct host *h = k->host;
    k->errand.run = settle;
    iris__post(h, &k->errand);
    iris__host_release(h);
}

static int put(struct host *h, int64_t what, const char *at, const char *name, int64_t ns,
               iris_mesh_answer *answer)
{
    switch (what) {
    case RESOLVE:
        return h->mesh->resolve(h->net, at, name, ns, answer);
    case WHEREIS:
        return h->mesh->whereis(h->net, name, ns, answer);
    case PING:
        return h->mesh->ping(h->net, at, ns, answer);
    default:
        return h->mesh->probe(h->net, strtoull(name, NULL, 10), ns, answer);
    }
}

static int ask_of(struct host *h, int64_t what, const char *at, const char *name, int64_t ns,
                  napi_value token)
{
    struct asked *k = calloc(1, sizeof *k);
    if (!k)
        return iris__api->fail("mesh: no memory");
    k->answer.job.run = on_answer;
    k->host = h;
    napi_get_value_double(h->env, token, &k->token);
    iris__host_retain(h);
    iris__keep_alive(h, 1);
    if (put(h, what, at, name, ns < 0 ? 0 : ns ? ns : 1, &k->answer) == IRIS_OK)
        return IRIS_OK;
    iris__keep_alive(h, 0);
    iris__host_release(h);
    free(k);
    return IRIS_FAIL;
}

/* meshAsk(what, at, name, ms, token) */
static napi_value ask(napi_env env, napi_callback_info info)
{
    napi_value argv[5];
    int64_t what, ns;
    struct host *h = begin(env, info, 5, argv);
    if (!h || iris__int(env, argv[0], "a question", RESOLVE, PROBE, &what) ||
        iris__milliseconds(env, argv[3], &ns))
        return NULL;
    char *at = iris__word(env, argv[1], "an address");
    char *name = at ? iris__word(env, argv[2], "a name") : NULL;
    int failed = name ? ask_of(h, what, at, name, ns, argv[4]) : 0;
    free(at);
    free(name);
    return failed ? refuse(env) : NULL;
}

/* ---- mail ---- */

/* meshSend(at, pid, data): the result of send. */
static napi_value send_at(napi_env env, napi_callback_info info)
{
    napi_value argv[3];
    uint64_t pid;
    const void *data;
    size_t len;
    char *own;
    struct host *h = begin(env, info, 3, argv);
    char *at =
        h && iris__pid(env, argv[1], &pid) == 0 ? iris__word(env, argv[0], "an address") : NULL;
    if (!at)
        return NULL;
    if (iris__bytes_of(h, argv[2], &data, &len, &own)) {
        free(at);
        return NULL;
    }
    int result = h->mesh->send(h->net, at, pid, data, len);
    free(at);
    free(own);
    return iris__number(env, result);
}

/* ---- nodes that come and go ---- */

struct watch { /* the mesh's, until unwatch; then the environment's, behind all that was told */
    struct errand errand;
    struct host *host;
    double token;
    uint64_t id;
    struct watch *next;
};

struct change {
    struct errand errand;
    double token;
    int up;
    char *node, *address, *why;
};

static void tell_change(struct host *h, struct errand *e)
{
    struct change *c = (struct change *)e;
    napi_value what;
    if (h->may_run && napi_create_object(h->env, &what) == napi_ok) {
        iris__set(h->env, what, "node", iris__string(h->env, c->node, strlen(c->node)));
        iris__set(h->env, what, "address", iris__string(h->env, c->address, strlen(c->address)));
        iris__set(h->env, what, "why", iris__string(h->env, c->why, strlen(c->why)));
        napi_value argv[] = {iris__number(h->env, c->token), iris__number(h->env, c->up), what};
        iris__hook(h, HOOK_SETTLE, 3, argv);
        h->settles = 1;
    }
    free(c->node);
    free(c->address);
    free(c->why);
    free(c);
}

/* [any] */
static void on_change(void *ctx, const char *node, const char *address, int up, const char *why)
{
    struct watch *w = ctx;
    struct change *c = calloc(1, sizeof *c);
    if (!c)
        return;
    *c = (struct change){.errand.run = tell_change,
                         .token = w->token,
                         .up = up,
                         .node = strdup(node ? node : ""),
                         .address = strdup(address ? address : ""),
                         .why = strdup(why ? why : "")};
    if (c->node && c->address && c->why)
        iris__post(w->host, &c->errand);
}

/* meshWatch(at, token): its number. */
static napi_value watch_call(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    struct host *h = begin(env, info, 2, argv);
    char *at = h ? iris__word(env, argv[0], "an address") : NULL;
    struct watch *w = at ? calloc(1, sizeof *w) : NULL;
    if (!w) {
        free(at);
        return NULL;
    }
    w->host = h;
    napi_get_value_double(env, argv[1], &w->token);
    iris__host_retain(h);
    int failed = h->mesh->watch_node(h->net, at, on_change, w, &w->id);
    free(at);
    if (!failed) {
        w->next = h->watches;
        h->watches = w;
        return iris__number(env, (double)w->id);
    }
    iris__host_release(h);
    free(w);
    return refuse(env);
}

static struct watch *take(struct host *h, uint64_t id)
{
    struct watch **at = &h->watches, *w;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    if ((w = *at) != NULL)
        *at = w->next;
    return w;
}

/* meshUnwatch(number) */
static napi_value unwatch(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    uint64_t id;
    struct host *h = begin(env, info, 1, argv);
    struct watch *w = h && iris__pid(env, argv[0], &id) == 0 ? take(h, id) : NULL;
    if (!w)
        return iris__boolean(env, 0);
    h->mesh->unwatch_node(h->net, id);
    iris__host_release(h);
    free(w);
    return iris__boolean(env, 1);
}

/* [any] The mesh has gone, or calls no more. */
void iris__forget_watches(struct host *h)
{
    for (struct watch *w = h->watches, *next; w; w = next) {
        next = w->next;
        free(w);
        iris__host_release(h);
    }
    h->watches = NULL;
}

/* meshMonitor(pid, at): in the name of this actor. */
static napi_value monitor(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    uint64_t pid;
    struct host *h = begin(env, info, 2, argv);
    char *at =
        h && iris__pid(env, argv[0], &pid) == 0 ? iris__word(env, argv[1], "an address") : NULL;
    if (!at)
        return NULL;
    int failed = h->mesh->monitor_node(h->net, pid, at);
    free(at);
    return failed ? refuse(env) : NULL;
}

/* ---- who is there ---- */

struct list {
    struct host *host;
    napi_value array;
    uint32_t n;
};

static napi_value seconds(napi_env env, int64_t ns)
{
    return ns < 0 ? iris__null(env) : iris__number(env, (double)ns / 1e9);
}

static void set_text(napi_env env, napi_value object, const char *key, const char *text)
{
    iris__set(env, object, key, iris__string(env, text, strlen(text)));
}

static void set_count(napi_env env, napi_value object, const char *key, uint64_t n)
{
    iris__set(env, object, key, iris__number(env, (double)n));
}

static void add_node(void *ctx, const iris_mesh_node *n)
{
    static const char *const states[] = {"dialling", "greeting", "up", "backoff", "gone"};
    struct list *l = ctx;
    napi_env env = l->host->env;
    napi_value o;
    if (napi_create_object(env, &o) != napi_ok)
        return;
    set_text(env, o, "node", n->node);
    set_text(env, o, "address", n->address);
    set_text(env, o, "state", n->state < sizeof states / sizeof *states ? states[n->state] : "?");
    set_count(env, o, "index", n->index);
    set_count(env, o, "creation", n->creation);
    iris__set(env, o, "since", seconds(env, n->since));
    iris__set(env, o, "rtt", seconds(env, n->rtt));
    iris__set(env, o, "silent", seconds(env, n->silent));
    set_count(env, o, "queued", n->queued);
    set_count(env, o, "sent", n->sent);
    set_count(env, o, "received", n->received);
    set_count(env, o, "acknowledged", n->acknowledged);
    set_count(env, o, "refused", n->refused);
    set_count(env, o, "lost", n->lost);
    set_count(env, o, "framesRefused", n->frames_refused);
    iris__set(env, o, "compat", iris__boolean(env, n->compat));
    iris__set(env, o, "dialled", iris__boolean(env, n->dialled));
    set_text(env, o, "why", n->why);
    set_text(env, o, "stuck", n->stuck);
    napi_set_element(env, l->array, l->n++, o);
}

static napi_value nodes(napi_env env, napi_callback_info info)
{
    struct list l = {.host = begin(env, info, 0, NULL)};
    if (!l.host || napi_create_array(env, &l.array) != napi_ok)
        return NULL;
    l.host->mesh->nodes(l.host->net, add_node, &l);
    return l.array;
}

struct look {
    uint64_t pid;
    int is_up;
};

static void look_at(void *ctx, const iris_mesh_node *n)
{
    struct look *l = ctx;
    l->is_up |= n->index && n->index == IRIS_NODE(l->pid) && n->state == IRIS_MESH_UP;
}

int iris__is_node_up(struct host *h, uint64_t pid)
{
    struct look l = {pid, 0};
    if (h->mesh)
        h->mesh->nodes(h->net, look_at, &l);
    return l.is_up;
}

/* meshSelf(): [this node's name, its address or ""] */
static napi_value own(napi_env env, napi_callback_info info)
{
    char node[300] = "", address[300] = "";
    napi_value pair;
    struct host *h = begin(env, info, 0, NULL);
    if (!h)
        return NULL;
    if (h->mesh->self(h->net, node, sizeof node, address, sizeof address))
        return refuse(env);
    if (napi_create_array(env, &pair) != napi_ok)
        return NULL;
    napi_set_element(env, pair, 0, iris__string(env, node, strlen(node)));
    napi_set_element(env, pair, 1, iris__string(env, address, strlen(address)));
    return pair;
}

/* meshProxy(path or null, at, name, stay): its pid. */
static napi_value proxy(napi_env env, napi_callback_info info)
{
    napi_value argv[4];
    char *path = NULL, *at, *name = NULL;
    bool stay = false;
    uint64_t pid = 0;
    struct host *h = begin(env, info, 4, argv);
    if (!h || iris__optional(env, argv[0], "a path", &path) ||
        napi_get_value_bool(env, argv[3], &stay) != napi_ok)
        return NULL;
    at = iris__word(env, argv[1], "an address");
    name = at ? iris__word(env, argv[2], "a name") : NULL;
    int failed = name ? h->mesh->proxy(h->net, path, at, name, stay, &pid) : 0;
    free(path);
    free(at);
    if (!name)
        return NULL;
    free(name);
    return failed ? refuse(env) : iris__number(env, (double)pid);
}

const struct call iris__mesh_calls[] = {{"meshConfigure", configure},
                                        {"meshListen", listen_at},
                                        {"meshUnlisten", unlisten},
                                        {"meshConnect", connect_to},
                                        {"meshDisconnect", disconnect},
                                        {"meshIsUp", is_up},
                                        {"meshAsk", ask},
                                        {"meshSend", send_at},
                                        {"meshWatch", watch_call},
                                        {"meshUnwatch", unwatch},
                                        {"meshMonitor", monitor},
                                        {"meshNodes", nodes},
                                        {"meshSelf", own},
                                        {"meshProxy", proxy},
                                        {NULL, NULL}};
