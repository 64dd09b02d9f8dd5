#include "cluster.h"

#include "provider_static.h"

#include <iris/ext/ask.h>
#include <iris/ext/name.h>
#include <iris/iris.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "iris.mesh/1": what a program calls. What takes a while is an op; the rest is done before the call returns. */

/* Not from what the protocol itself calls: it is in the middle of something. */
static int begin_call(struct hub *h, const char *what)
{
    if (hub_is_mine(h))
        return h->api->fail("mesh: %s() from a job of another answer; give that job an executor",
                            what);
    hub_enter(h);
    return IRIS_OK;
}

static int end_call(struct hub *h, int result, const char *why)
{
    hub_leave(h);
    return result ? h->api->fail("%s", why) : IRIS_OK;
}

/* ---- settings and addresses ---- */

static int configure(void *mesh, const char *options)
{
    struct hub *h = mesh;
    char why[300] = "mesh: it has begun; configure() comes before the first listen(), connect() or "
                    "resolve()";
    if (begin_call(h, "configure"))
        return IRIS_FAIL;
    int result = h->mesh ? IRIS_FAIL : options_read(&h->options, options, why, sizeof why);
    result = end_call(h, result, why);
    return result ? result : cluster_load(h);
}

/* What can be read by others, or pretended, is to be wanted. */
static int check_open(const struct hub *h, const char *address, enum mesh_compat compat, char *why,
                      size_t room)
{
    const struct options *o = &h->options;
    if (compat || net_is_loopback(address) || o->has_tls || (*o->cookie && o->insecure))
        return 0;
    snprintf(
        why, room,
        "%.200s is not a loopback address: found %s; expected \"tls\", or a \"cookie\" file and "
        "\"insecure\": true",
        address, *o->cookie ? "a cookie without \"insecure\": true" : "no \"tls\"");
    return -1;
}

static int begin_with(struct hub *h, char *why, size_t room)
{
    if (hub_begin(h) == IRIS_OK)
        return 0;
    snprintf(why, room, "%s", h->api->reason());
    return -1;
}

static int with_net(struct hub *h, char *why, size_t room)
{
    if (hub_net(h) == IRIS_OK)
        return 0;
    snprintf(why, room, "%s", h->api->reason());
    return -1;
}

/* Nobody is let in before the protocol has begun. */
static int open_listener(struct hub *h, const char *address, enum mesh_compat compat,
                         char where[280], char *why, size_t room)
{
    if (!net_is_address(address))
        return snprintf(why, room, "found \"%.200s\"; expected HOST:PORT, as 127.0.0.1:9000",
                        address),
               -1;
    if (check_open(h, address, compat, why, room) || with_net(h, why, room) ||
        net_listen(h->net, address, compat, where, 280, why, room))
        return -1;
    if (compat || *h->bound)
        return 0;
    snprintf(h->bound, sizeof h->bound, "%s", *h->options.advertise ? h->options.advertise : where);
    if (h->mesh) /* it has dialled before: whom it greets from now on is told */
        mesh_advertise(h->mesh, h->bound);
    cluster_announce(h);
    return 0;
}

static int listen_locked(struct hub *h, const char *address, const char *options, char *bound,
                         size_t room, char *why, size_t why_room)
{
    enum mesh_compat compat;
    char where[280];
    if (options_compat(options, &compat, why, why_room) ||
        open_listener(h, address, compat, where, why, why_room))
        return IRIS_FAIL;
    if (begin_with(h, why, why_room)) {
        net_unlisten(h->net, where);
        return IRIS_FAIL;
    }
    if (bound && room)
        snprintf(bound, room, "%s", where);
    return IRIS_OK;
}

static int mesh_listen(void *mesh, const char *address, const char *options, char *bound,
                       size_t room)
{
    struct hub *h = mesh;
    char why[400];
    if (begin_call(h, "listen"))
        return IRIS_FAIL;
    return end_call(h, listen_locked(h, address, options, bound, room, why, sizeof why), why);
}

static int mesh_unlisten(void *mesh, const char *address)
{
    struct hub *h = mesh;
    if (begin_call(h, "unlisten"))
        return IRIS_FAIL;
    int result = h->net && net_unlisten(h->net, address) == 0 ? IRIS_OK : IRIS_DEAD;
    hub_leave(h);
    return result;
}

static int connect_locked(struct hub *h, const char *address, const char *options, char *why,
                          size_t room)
{
    enum mesh_compat compat;
    if (!net_is_address(address))
        return snprintf(why, room, "found \"%s\"; expected HOST:PORT, as 127.0.0.1:9000", address),
               IRIS_FAIL;
    if (options_compat(options, &compat, why, room))
        return IRIS_FAIL;
    if (compat == MESH_OURS && h->peers) /* what was said of it before holds */
        compat = (enum mesh_compat)provider_static_compat(h->peers, address);
    if (check_open(h, address, compat, why, room) || begin_with(h, why, room))
        return IRIS_FAIL;
    if (providers_connect(h, address, compat) == IRIS_OK)
        return IRIS_OK;
    return snprintf(why, room, "%s: no memory", address), IRIS_FAIL;
}

static int mesh_connect(void *mesh, const char *address, const char *options)
{
    struct hub *h = mesh;
    char why[400];
    if (begin_call(h, "connect"))
        return IRIS_FAIL;
    return end_call(h, connect_locked(h, address, options, why, sizeof why), why);
}

static int mesh_disconnect(void *mesh, const char *address)
{
    struct hub *h = mesh;
    if (begin_call(h, "disconnect"))
        return IRIS_FAIL;
    int result = h->mesh && !h->closed ? providers_disconnect(h, address) : IRIS_DEAD;
    hub_leave(h);
    return result;
}

/* ---- what the settings say ---- */

static int at_key(struct hub *h, const char *key, size_t i, size_t n, const char *why)
{
    return n > 1 ? h->api->fail("%s.%zu: %s", key, i, why) : h->api->fail("%s: %s", key, why);
}

static int open_all(struct hub *h)
{
    const struct options *o = &h->options;
    char why[400], where[280];
    for (size_t i = 0; i < o->nlisten; i++)
        if (open_listener(h, o->listen[i].address, o->listen[i].compat, where, why, sizeof why))
            return at_key(h, "listen", i, o->nlisten, why);
    for (size_t i = 0; i < o->npeers; i++)
        if (check_open(h, o->peers[i].address, o->peers[i].compat, why, sizeof why))
            return at_key(h, "peers", i, o->npeers, why);
    return o->nlisten || o->npeers || o->engine ? hub_begin(h) : IRIS_OK;
}

int calls_open(struct hub *h)
{
    hub_enter(h);
    int result = open_all(h);
    for (size_t i = 0; i < h->options.npeers && !result; i++)
        providers_connect(h, h->options.peers[i].address, h->options.peers[i].compat);
    hub_leave(h);
    return result;
}

/* ---- questions ---- */

static void take(void *ctx, int result, uint64_t pid, const char *why)
{
    struct op *op = ctx;
    op->result = result;
    op->pid = pid;
    hub_cut(op->why, sizeof op->why, why ? why : "");
    hub_done(op);
}

static void refuse(struct op *op)
{
    take(op, IRIS_DEAD, 0, op->hub->api->reason());
}

struct kept {
    uint32_t index;
    int compat;
};

static void look_at_compat(void *ctx, const struct mesh_node *n)
{
    struct kept *k = ctx;
    if (n->index == k->index)
        k->compat = n->compat;
}

/* An address where somebody was found stays linked: its pid would be of no use else. */
static void keep(struct op *op)
{
    struct kept k = {.index = IRIS_NODE(op->pid)};
    mesh_nodes(op->hub->mesh, look_at_compat, &k);
    if (!k.compat && !op->hub->closed)
        providers_connect(op->hub, op->at, MESH_OURS);
    hub_done(op);
}

static void take_actor(void *ctx, int result, uint64_t pid, const char *why)
{
    struct op *op = ctx;
    op->result = result;
    op->pid = pid;
    hub_cut(op->why, sizeof op->why, why ? why : "");
    op->run = keep;
    op->next = NULL;
    if (result || !pid || !net_is_address(op->at)) {
        hub_done(op);
        return;
    }
    *op->hub->deferred_end = op;
    op->hub->deferred_end = &op->next;
}

static void run_resolve(struct op *op)
{
    char why[400];
    if (net_is_address(op->at) && check_open(op->hub, op->at, MESH_OURS, why, sizeof why))
        take(op, IRIS_DEAD, 0, why);
    else if (hub_begin(op->hub))
        refuse(op);
    else
        mesh_resolve(op->hub->mesh, op->at, op->name, op->timeout, take_actor, op);
}

static void run_probe(struct op *op)
{
    if (hub_begin(op->hub))
        refuse(op);
    else
        mesh_probe(op->hub->mesh, op->pid, op->timeout, take, op);
}

static void run_ping(struct op *op)
{
    if (hub_begin(op->hub))
        refuse(op);
    else
        mesh_ping(op->hub->mesh, op->at, op->timeout, take, op);
}

static int resolve(void *mesh, const char *at, const char *name, int64_t timeout,
                   iris_mesh_answer *answer)
{
    struct hub *h = mesh;
    struct op *op = hub_op(h, run_resolve, at, name, timeout, answer);
    if (!op)
        return IRIS_FAIL;
    hub_do(h, op);
    return IRIS_OK;
}

static int probe(void *mesh, uint64_t pid, int64_t timeout, iris_mesh_answer *answer)
{
    struct hub *h = mesh;
    struct op *op = hub_op(h, run_probe, "", "", timeout, answer);
    if (!op)
        return IRIS_FAIL;
    op->pid = pid;
    hub_do(h, op);
    return IRIS_OK;
}

static int ping(void *mesh, const char *at, int64_t timeout, iris_mesh_answer *answer)
{
    struct hub *h = mesh;
    struct op *op = hub_op(h, run_ping, at, "", timeout, answer);
    if (!op)
        return IRIS_FAIL;
    hub_do(h, op);
    return IRIS_OK;
}

/* ---- whereis ---- */

static void run_search(struct op *op)
{
    if (hub_begin(op->hub))
        refuse(op);
    else
        mesh_search(op->hub->mesh, op->name, op->timeout, take, op);
}

static uint64_t here(const struct hub *h, const char *name)
{
    const iris_name *names = h->api->extension(IRIS_NAME);
    return names->find(h->self, name);
}

static void run_known(struct op *op)
{
    op->result = IRIS_OK;
    hub_done(op);
}

/* why: NULL, or where the sentence of IRIS_DEAD goes. */
static int owner_or(struct hub *h, const char *name, iris_mesh_owner *out, char why[160])
{
    int mine = hub_is_mine(h);
    if (!mine)
        hub_enter(h);
    int result = cluster_owner(h, name, out);
    if (result == IRIS_DEAD && why)
        cluster_nobody(h, why, 160);
    if (!mine)
        hub_leave(h);
    return result;
}

static int owner(void *mesh, const char *name, iris_mesh_owner *out)
{
    return owner_or(mesh, name, out, NULL);
}

static int answer_at_once(struct hub *h, uint64_t pid, const char *why, iris_mesh_answer *answer)
{
    struct op *op = hub_op(h, run_known, "", "", 0, answer);
    if (!op)
        return IRIS_FAIL;
    op->pid = pid;
    hub_cut(op->why, sizeof op->why, why);
    hub_do(h, op);
    return IRIS_OK;
}

static int whereis(void *mesh, const char *name, int64_t timeout, iris_mesh_answer *answer)
{
    struct hub *h = mesh;
    char plain[1100], why[160] = "";
    const char *at = strrchr(name, '@');
    iris_mesh_owner o;
    int unique = owner_or(h, name, &o, why);
    if (unique == IRIS_OK && !o.here)
        return resolve(mesh, o.node, name, timeout, answer);
    if (unique != IRIS_EMPTY)
        return answer_at_once(h, unique == IRIS_OK ? o.pid : 0, why, answer);
    uint64_t pid = here(h, name);
    if (at && !pid && at[1]) {
        snprintf(plain, sizeof plain, "%.*s", (int)(at - name), name);
        if (strcmp(at + 1, h->node) != 0)
            return resolve(mesh, at + 1, plain, timeout, answer);
        pid = owner(mesh, plain, &o) != IRIS_EMPTY && !o.here ? 0 : here(h, plain);
    }
    if (pid || at)
        return answer_at_once(h, pid, why, answer);
    struct op *op = hub_op(h, run_search, "", name, timeout, answer);
    if (!op)
        return IRIS_FAIL;
    hub_do(h, op);
    return IRIS_OK;
}

/* ---- what the core asks ---- */

static void tell_core(struct op *op)
{
    iris_answer *a = op->ctx;
    a->result = op->result == IRIS_OK && !op->pid ? IRIS_DEAD : op->result;
    a->message = NULL;
    free(op);
    a->job.run(&a->job);
}

void calls_probe(void *mesh, uint64_t pid, int64_t timeout, iris_answer *answer)
{
    struct hub *h = mesh;
    struct op *op = hub_op(h, run_probe, "", "", timeout, NULL);
    if (!op) {
        answer->result = IRIS_EMPTY;
        answer->job.run(&answer->job);
        return;
    }
    op->pid = pid;
    op->done = tell_core;
    op->ctx = answer;
    hub_do(h, op);
}

/* ---- at once ---- */

static uint64_t pid_at(void *mesh, const char *at, uint64_t pid)
{
    struct hub *h = mesh;
    int mine = hub_is_mine(h);
    if (!mine)
        hub_enter(h);
    uint64_t found = h->mesh && !h->closed ? mesh_pid_at(h->mesh, at, pid) : 0;
    if (!mine)
        hub_leave(h);
    return found;
}

static int is_up(void *mesh, const char *at)
{
    return pid_at(mesh, at, 1) != 0;
}

static int send_at(void *mesh, const char *at, uint64_t pid, const void *data, size_t len)
{
    struct hub *h = mesh;
    uint64_t to = IRIS_NODE(pid) ? pid : pid_at(mesh, at, pid);
    return to ? h->api->send(h->self, to, data, len, 0) : IRIS_DEAD;
}

/* Of an address at which nobody is there is nothing to tell as long as nobody dials it. */
static int reach(void *mesh, const char *at)
{
    return net_is_address(at) && !is_up(mesh, at) ? mesh_connect(mesh, at, NULL) : IRIS_OK;
}

static int watch_node(void *mesh, const char *at, iris_mesh_changed *changed, void *ctx,
                      uint64_t *id)
{
    if (reach(mesh, at))
        return IRIS_FAIL;
    return watchers_add(mesh, at, changed, ctx, 0, id);
}

static int unwatch_node(void *mesh, uint64_t id)
{
    return watchers_remove(mesh, id);
}

static int monitor_node(void *mesh, uint64_t actor, const char *at)
{
    uint64_t id;
    if (reach(mesh, at))
        return IRIS_FAIL;
    return watchers_add(mesh, at, NULL, NULL, actor, &id);
}

/* ---- looking ---- */

struct listing {
    const struct hub *hub;
    iris_mesh_each *each;
    void *ctx;
};

static void say_ages(const struct hub *h, const struct mesh_node *n, char *out, size_t room)
{
    int64_t worth = h->options.limits.stuck ? h->options.limits.stuck : 3 * IRIS_SECOND;
    size_t used = 0;
    *out = '\0';
    for (int i = 0; i < n->nages && used < room; i++)
        if (n->ages[i].ms * IRIS_MILLISECOND >= worth)
            used += (size_t)snprintf(out + used, room - used, "%s%s %.1f s", used ? ", " : "",
                                     n->ages[i].executor, n->ages[i].ms / 1e3);
}

static void list_one(void *ctx, const struct mesh_node *n)
{
    const struct listing *l = ctx;
    int64_t now = net_now();
    char ages[400];
    say_ages(l->hub, n, ages, sizeof ages);
    iris_mesh_node out = {.node = *n->node ? n->node : cluster_node_at(l->hub, n->address),
                          .address = n->address,
                          .state = n->state,
                          .index = n->index,
                          .creation = n->creation,
                          .since = now - n->since,
                          .rtt = n->rtt,
                          .silent = now - n->heard,
                          .queued = n->queued,
                          .sent = n->sent,
                          .received = n->received,
                          .acknowledged = n->acknowledged,
                          .refused = n->refused,
                          .lost = n->lost,
                          .frames_refused = n->frames_refused,
                          .compat = n->compat,
                          .dialled = n->dialled,
                          .why = n->why,
                          .stuck = ages,
                          .links = n->links};
    out.lease = cluster_has(l->hub, out.node);
    l->each(l->ctx, &out);
}

static int nodes(void *mesh, iris_mesh_each *each, void *ctx)
{
    struct hub *h = mesh;
    struct listing l = {h, each, ctx};
    if (begin_call(h, "nodes"))
        return 0;
    int n = h->mesh && !h->closed ? mesh_nodes(h->mesh, list_one, &l) : 0;
    hub_leave(h);
    return n;
}

static int self(void *mesh, char *node, size_t room, char *address, size_t address_room)
{
    struct hub *h = mesh;
    if (begin_call(h, "self"))
        return IRIS_FAIL;
    snprintf(node, room, "%s", *h->node ? h->node : h->options.node);
    snprintf(address, address_room, "%s", h->bound);
    hub_leave(h);
    return IRIS_OK;
}

static int engine(void *mesh, iris_mesh_engine *out)
{
    struct hub *h = mesh;
    if (begin_call(h, "engine"))
        return IRIS_FAIL;
    providers_health(h, out);
    hub_leave(h);
    return IRIS_OK;
}

static int proxy(void *mesh, const char *path, const char *at, const char *name, int stay,
                 uint64_t *pid)
{
    return proxy_spawn(mesh, path, at, name, stay, pid);
}

static int stand(void *mesh, const char *name, iris_mesh_stood *stood, void *ctx)
{
    struct hub *h = mesh;
    if (begin_call(h, "stand"))
        return IRIS_FAIL;
    int result = cluster_stand(h, name, stood, ctx);
    return end_call(h, result, "stand: it is none of engine.singletons");
}

static int resign(void *mesh, const char *name)
{
    struct hub *h = mesh;
    if (begin_call(h, "resign"))
        return IRIS_FAIL;
    int result = cluster_resign(h, name);
    hub_leave(h);
    return result;
}

static int renew(void *mesh, const char *options)
{
    struct hub *h = mesh;
    char why[640];
    if (begin_call(h, "renew"))
        return IRIS_FAIL;
    return end_call(h, hub_renew(h, options, why, sizeof why), why);
}

static int proxies(void *mesh, iris_version **out)
{
    struct hub *h = mesh;
    *out = h->proxy_version;
    return h->api->retain(*out);
}

const iris_mesh mesh_calls = {.size = sizeof mesh_calls,
                              .abi = IRIS_ABI,
                              .configure = configure,
                              .listen = mesh_listen,
                              .unlisten = mesh_unlisten,
                              .connect = mesh_connect,
                              .disconnect = mesh_disconnect,
                              .resolve = resolve,
                              .whereis = whereis,
                              .probe = probe,
                              .ping = ping,
                              .is_up = is_up,
                              .send = send_at,
                              .pid_at = pid_at,
                              .watch_node = watch_node,
                              .unwatch_node = unwatch_node,
                              .monitor_node = monitor_node,
                              .nodes = nodes,
                              .self = self,
                              .proxy = proxy,
                              .proxies = proxies,
                              .engine = engine,
                              .owner = owner,
                              .check = mesh_check,
                              .stand = stand,
                              .resign = resign,
                              .renew = renew};
