#include "fail.h"
#include "verbs.h"

#include <iris/ext/mesh.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Other nodes: a look at them, and requests about actors of theirs. The mesh is a plugin: what is not there is not
 * started for a look. */

static const iris_mesh *mesh_of(struct app *a, void **mesh)
{
    return iris__runtime_used(a->runtime, "mesh", IRIS_MESH, mesh);
}

static void say_no_mesh(struct control_reply *reply)
{
    iris__control_error(reply, "failed", "how to have one: iris explain mesh",
                        "this app is no node of a mesh: there is no \"mesh\" in its manifest");
}

/* ---- nodes ---- */

static int64_t ms(int64_t ns)
{
    return ns < 0 ? -1 : ns / IRIS_MILLISECOND;
}

static json_t *counts(const iris_mesh_node *n)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "queued", (json_int_t)n->queued, "sent",
                     (json_int_t)n->sent, "received", (json_int_t)n->received, "acknowledged",
                     (json_int_t)n->acknowledged, "refused", (json_int_t)n->refused, "lost",
                     (json_int_t)n->lost, "frames_refused", (json_int_t)n->frames_refused);
}

static void count_node(void *ctx, const iris_mesh_node *n)
{
    *(int *)ctx += n->state == IRIS_MESH_UP;
}

int iris__mesh_nodes_up(struct app *a)
{
    void *mesh;
    const iris_mesh *calls = mesh_of(a, &mesh);
    int n = 0;
    if (!calls)
        return -1;
    calls->nodes(mesh, count_node, &n);
    return n;
}

static void list_node(void *ctx, const iris_mesh_node *n)
{
    static const char *const states[] = {"dialling", "greeting", "up", "backoff", "gone"};
    json_t *row = json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:b, s:b, s:o, s:o}", "node",
                            iris__verb_text(n->node), "address", iris__verb_text(n->address),
                            "state", n->state < 5 ? states[n->state] : "", "creation",
                            (json_int_t)n->creation, "since_ms", (json_int_t)ms(n->since), "rtt_us",
                            (json_int_t)(n->rtt < 0 ? -1 : n->rtt / 1000), "silent_ms",
                            (json_int_t)ms(n->silent), "compat", n->compat, "dialled", n->dialled,
                            "why", iris__verb_text(n->why), "stuck", iris__verb_text(n->stuck));
    json_t *more = counts(n);
    json_object_update(row, more);
    json_object_set_new(row, "lease", json_boolean(n->lease));
    json_decref(more);
    json_array_append_new(ctx, row);
}

static json_t *engine_of(const iris_mesh *calls, void *mesh)
{
    static const char *const words[] = {"ok", "degraded", "lease-lost"};
    iris_mesh_engine e = {.kind = ""};
    if (calls->engine(mesh, &e))
        return json_null();
    return json_pack("{s:s, s:s, s:I, s:s, s:i}", "kind", e.kind, "health",
                     e.health < 3 ? words[e.health] : "", "since_ms", (json_int_t)ms(e.since),
                     "why", e.why, "members", (int)e.members);
}

void iris__verb_mesh(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct app *a = app;
    void *mesh;
    const iris_mesh *calls = mesh_of(a, &mesh);
    char node[256] = "", address[280] = "";
    (void)r;
    if (!calls) {
        say_no_mesh(reply);
        return;
    }
    json_t *nodes = json_array();
    calls->nodes(mesh, list_node, nodes);
    calls->self(mesh, node, sizeof node, address, sizeof address);
    iris__app_look(a);
    iris__control_reply(reply, 200,
                        json_pack("{s:s, s:s, s:s, s:o, s:o}", "app", a->manifest->name, "node",
                                  node, "address", address, "engine", engine_of(calls, mesh),
                                  "nodes", nodes));
    iris__app_looked(a);
}

/* ---- actors of others ---- */

int iris__far_owns(struct app *a, const char *target)
{
    void *mesh;
    iris_mesh_owner owner;
    const iris_mesh *calls = mesh_of(a, &mesh);
    return calls && calls->owner(mesh, target, &owner) != IRIS_EMPTY && !owner.here;
}

struct search {
    struct order order;
    iris_mesh_answer answer;
    json_t *body;
    void (*carry)(struct call *);
};

static void free_search(struct order *o)
{
    json_decref(((struct search *)o)->body);
}

static void late(struct order *o)
{
    struct control_reply *reply = iris__order_take(o);
    if (reply)
        iris__control_error(reply, "timeout", "which nodes are up: iris mesh",
                            "%s: the mesh did not say in time who that is", o->target);
}

static void not_found(struct search *s, struct control_reply *reply)
{
    const char *target = s->order.target;
    if (s->answer.result == IRIS_OK && !*s->answer.why)
        iris__control_error(reply, "no-such-target", "which nodes are up: iris mesh",
                            "no actor %s, here or on a node that is up", target);
    else if (s->answer.result == IRIS_EMPTY)
        iris__control_error(reply, "timeout", "which nodes are up: iris mesh",
                            "%s: its node did not answer in time", target);
    else
        iris__control_error(reply, "no-such-target", "which nodes are up: iris mesh", "%s: %s",
                            target, *s->answer.why ? s->answer.why : "its node is not up");
}

static void found(iris_job *job)
{
    struct search *s = (struct search *)((char *)job - offsetof(struct search, answer));
    struct control_reply *reply = iris__order_take(&s->order);
    struct call c = {.app = s->order.app, .reply = reply};
    c.info = (iris_info){.size = sizeof c.info, .abi = IRIS_ABI, .pid = s->answer.pid};
    if (reply && (s->answer.result || !s->answer.pid))
        not_found(s, reply);
    else if (reply && iris__verb_args(s->body, &c.args) == IRIS_OK) {
        s->carry(&c);
        iris__verb_args_finish(&c.args);
    }
    iris__order_drop(&s->order);
}

int iris__far_wait(struct app *a, const json_t *body, struct control_reply *reply,
                   const struct verb_args *args, void (*carry)(struct call *))
{
    void *mesh;
    const iris_mesh *calls = mesh_of(a, &mesh);
    if (!calls)
        return 0;
    struct search *s = iris__order_open(a, sizeof *s, reply, args->target, 0);
    if (!s)
        return 1;
    s->order.free = free_search;
    s->answer.job.run = found;
    s->carry = carry;
    s->body = json_deep_copy(body);
    if (iris__order_limit(&s->order, args->timeout, late)) {
        iris__order_drop(&s->order);
        return 1;
    }
    if (calls->whereis(mesh, args->target, args->timeout, &s->answer)) {
        reply = iris__order_take(&s->order);
        if (reply)
            iris__control_error(reply, "failed", NULL, "%s: %s", args->target, iris__reason());
        iris__order_drop(&s->order);
    }
    return 1;
}

/* ---- whereis ---- */

static void look_for_node(void *ctx, const iris_mesh_node *n)
{
    struct {
        uint32_t index;
        char node[256];
    } *of = ctx;
    if (n->index == of->index)
        snprintf(of->node, sizeof of->node, "%s", n->node);
}

/* Of a name that is unique over the cluster. */
static void put_owner(json_t *body, const iris_mesh_owner *owner)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t since = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000 - owner->since;
    json_object_set_new(body, "token", json_integer((json_int_t)owner->token));
    json_object_set_new(body, "since_ms", json_integer(since < 0 ? 0 : (json_int_t)since));
}

json_t *iris__far_singleton(struct app *a, const char *path)
{
    void *mesh;
    iris_mesh_owner owner;
    const iris_mesh *calls = mesh_of(a, &mesh);
    int result = calls ? calls->owner(mesh, path, &owner) : IRIS_DEAD;
    json_t *body =
        json_pack("{s:o, s:b}", "node", result ? json_null() : iris__verb_text(owner.node), "here",
                  result == IRIS_OK && owner.here);
    if (body && result == IRIS_OK)
        put_owner(body, &owner);
    return body;
}

static void carry_whereis(struct call *c)
{
    struct {
        uint32_t index;
        char node[256];
    } of = {.index = (uint32_t)(c->info.pid >> 43)};
    void *mesh;
    char address[280];
    iris_mesh_owner owner;
    const iris_mesh *calls = mesh_of(c->app, &mesh);
    if (calls && of.index)
        calls->nodes(mesh, look_for_node, &of);
    else if (calls)
        calls->self(mesh, of.node, sizeof of.node, address, sizeof address);
    json_t *body = json_pack("{s:s, s:I, s:s, s:b}", "target", c->args.target, "pid",
                             (json_int_t)c->info.pid, "node", of.node, "here", !of.index);
    if (calls && calls->owner(mesh, c->args.target, &owner) == IRIS_OK)
        put_owner(body, &owner);
    iris__control_reply(c->reply, 200, body);
}

void iris__verb_whereis(void *app, const struct control_request *r, struct control_reply *reply)
{
    iris__verb_reach(app, r, reply, carry_whereis);
}
