#include "api.h"
#include "fail.h"
#include "json_out.h"
#include "singleton.h"
#include "verbs.h"

#include <unistd.h>

/* The tree: supervisors, and the actors that each looks after, in start order. */

#define TREE_MEMBERS 100 /* actors of one supervisor, unless asked otherwise */

static const char *const restarts[] = {"never", "on-failure", "always"};
static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one"};

static void put_supervisor(struct json_out *out, const struct tree_node *s)
{
    iris__json_member_string(out, "path", s->path);
    iris__json_member_string(out, "strategy", strategies[s->policy.strategy]);
    iris__json_member_int(out, "restarts", s->recent);
    iris__json_member_int(out, "intensity", s->policy.intensity);
    iris__json_member_int(out, "period_ms", s->policy.period / IRIS_MILLISECOND);
    iris__json_member_int(out, "exhausted", s->exhausted);
}

void iris__verb_put_supervisor(struct json_out *out, const struct tree_node *above,
                               const struct tree_node *actor)
{
    iris__json_put(out, "{");
    if (*actor->node) {
        iris__json_member_string(out, "path", above->path);
        iris__json_member_string(out, "node", actor->node);
    } else {
        put_supervisor(out, above);
    }
    iris__json_member_string(out, "restart", restarts[actor->restart]);
    iris__json_put(out, "\"factory\":");
    iris__json_raw(out, actor->has_factory ? "true" : "false", actor->has_factory ? 4 : 5);
    iris__json_put(out, "}");
}

/* What it does, its own node knows. */
static void put_far(struct json_out *out, const struct tree_node *node)
{
    iris__json_member_string(out, "node", node->node);
    iris__json_member_int(out, "pid", (int64_t)node->pid);
    iris__json_member_string(out, "state", node->is_lost ? "noconnection" : "remote");
    iris__json_member_string(out, "restart", restarts[node->restart]);
    iris__json_trim(out);
}

/* It may have ended since: then it is between two. */
static void put_actor(struct app *a, struct json_out *out, const struct tree_node *node)
{
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    char room[300];
    const char *stands = iris__singleton_word(a, node->pid, room, sizeof room);
    int lives = node->pid && iris__info(&a->runtime->world, node->pid, &i) == IRIS_OK;
    iris__json_member_string(out, "path", i.path);
    iris__json_member_int(out, "pid", (int64_t)node->pid);
    iris__json_member_string(out, "state", stands ? stands : lives ? iris__state_word(&i) : "gone");
    iris__json_member_string(out, "host", i.host);
    iris__json_member_string(out, "handler", i.handler);
    iris__json_member_string(out, "behaviour", i.behaviour);
    iris__json_member_string(out, "version", i.version);
    iris__json_member_int(out, "rev", i.rev);
    iris__json_member_int(out, "restarts", i.restarts);
    iris__json_member_int(out, "uptime_ms", i.uptime < 0 ? -1 : i.uptime / IRIS_MILLISECOND);
    iris__json_member_int(out, "stuck_ms", i.stuck / IRIS_MILLISECOND);
    iris__json_member_int(out, "backoff_ms", i.backoff / IRIS_MILLISECOND);
    iris__json_member_string(out, "restart", restarts[node->restart]);
    iris__json_put(out, "\"factory\":");
    iris__json_raw(out, node->has_factory ? "true" : "false", node->has_factory ? 4 : 5);
}

/* From *at on: one node, and what is below it. */
static void put_node(struct app *a, struct json_out *out, const struct tree *t, size_t *at)
{
    const struct tree_node *node = &t->nodes[(*at)++];
    iris__json_put(out, "{");
    if (!node->path) {
        if (*node->node)
            put_far(out, node);
        else
            put_actor(a, out, node);
    } else {
        put_supervisor(out, node);
        iris__json_member_int(out, "count", node->members);
        iris__json_member_int(out, "left_out", node->left_out);
        iris__json_put(out, "\"members\":[");
        while (*at < t->n && t->nodes[*at].depth > node->depth) {
            put_node(a, out, t, at);
            iris__json_put(out, ",");
        }
        iris__json_trim(out);
        iris__json_put(out, "]");
    }
    iris__json_put(out, "}");
}

/* Actors that nobody restarts are members of no supervisor. */
static int64_t unsupervised(struct app *a, const struct tree *t)
{
    iris_totals all = {.size = sizeof all, .abi = IRIS_ABI};
    int64_t kept = 0;
    iris_count(a->runtime, &all);
    for (size_t i = 0; i < t->n; i++)
        kept += t->nodes[i].path ? t->nodes[i].left_out : 1;
    return (int64_t)all.actors > kept ? (int64_t)all.actors - kept : 0;
}

void iris__verb_tree(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct app *a = app;
    struct json_out out = {0};
    struct tree t;
    int64_t limit = TREE_MEMBERS;
    size_t at = 0;
    if (iris__verb_number(r->body, "limit", 100000000, &limit)) {
        iris__control_error(reply, "bad-request", NULL, "%s", iris__reason());
        return;
    }
    iris__tree_survey(&a->runtime->supervisors, (uint32_t)limit, &t);
    iris__json_put(&out, "{\"iris\":1,");
    iris__app_look(a);
    iris__json_member_string(&out, "app", a->manifest->name);
    iris__app_looked(a);
    iris__json_member_int(&out, "pid", getpid());
    iris__json_member_int(&out, "unsupervised", unsupervised(a, &t));
    iris__json_put(&out, "\"tree\":");
    if (t.n)
        put_node(a, &out, &t, &at);
    iris__json_put(&out, "}\n");
    iris__verb_reply(reply, &out, t.failed);
    iris__tree_free(&t);
}
