/* iris tree: supervisors, and the actors that each looks after. */
#include "actor.h"
#include "client.h"

#include <string.h>

struct tree {
    struct common common;
    int64_t limit;
};

static const struct argp_option options[] = {
    {"limit", 'n', "N", 0, "So many actors of each supervisor at most (default 100)", 1},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct tree *t = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &t->common;
        return 0;
    case 'n':
        t->limit = parse_count(arg);
        if (t->limit < 0)
            argp_error(state, "--limit=%s: expected a number", arg);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: expected no argument", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp tree_argp = {
    options,
    parse,
    "",
    "Show the supervisors of a running app as a tree, with the actors that each looks after in "
    "start order: state, version, restarts.",
    common_children,
    NULL,
    NULL,
};

static void add_supervisor(struct table *t, const char *lead, json_t *node)
{
    char span[SPAN_ROOM];
    table_add(t, 0, "%s%s", lead, text_of(node, "path"));
    table_add(t, 1, "%s", text_of(node, "strategy"));
    table_add(t, 2, "%lld of %lld restarts in %s", (long long)number_of(node, "restarts"),
              (long long)number_of(node, "intensity"),
              span_text(span, number_of(node, "period_ms") * 1000000));
    table_add(t, 3, number_of(node, "exhausted") ? "exhausted %lld times" : "%.0lld",
              (long long)number_of(node, "exhausted"));
}

static void add_actor(struct table *t, const char *lead, json_t *node)
{
    struct actor_row r;
    char text[STATE_ROOM], count[SPAN_ROOM];
    read_actor(node, &r);
    table_add(t, 0, *r.path ? "%s%s" : "%s%s%lld", lead, r.path, (long long)r.pid);
    table_add(t, 1, "%s", actor_state(text, &r));
    table_add(t, 2, "%s restart%s, %s", count_text(count, (uint64_t)r.restarts),
              r.restarts == 1 ? "" : "s", text_of(node, "restart"));
    table_add(t, 3, "%s", actor_version(text, &r));
}

/* Of another node: how it is, that one knows. */
static void add_far(struct table *t, const char *lead, json_t *node)
{
    table_add(t, 0, "%s%lld of node %s", lead,
              (long long)(number_of(node, "pid") & ((INT64_C(1) << 43) - 1)),
              text_of(node, "node"));
    table_add(t, 1, "%s", text_of(node, "state"));
    table_add(t, 2, "%s", text_of(node, "restart"));
    table_add(t, 3, "%s", "");
}

static void add_node(struct table *t, const char *lead, const char *below, json_t *node);

static void add_members(struct table *t, const char *below, json_t *node)
{
    char lead[1024], further[1024], count[SPAN_ROOM];
    json_t *members = json_object_get(node, "members"), *member;
    json_int_t left_out = number_of(node, "left_out");
    size_t i, n = json_array_size(members);
    json_array_foreach(members, i, member)
    {
        int is_last = i + 1 == n && !left_out;
        snprintf(lead, sizeof lead, "%.1000s%s", below, is_last ? "└─ " : "├─ ");
        snprintf(further, sizeof further, "%.1000s%s", below, is_last ? "   " : "│  ");
        add_node(t, lead, further, member);
    }
    if (left_out)
        table_add(t, 0, "%.1000s└─ %s more", below, count_text(count, (uint64_t)left_out));
}

/* Supervisors have members; their depth is that of their paths. */
static void add_node(struct table *t, const char *lead, const char *below, json_t *node)
{
    if (!json_object_get(node, "members")) {
        (*text_of(node, "node") ? add_far : add_actor)(t, lead, node);
        return;
    }
    add_supervisor(t, lead, node);
    add_members(t, below, node);
}

static void print(json_t *answer)
{
    struct table t = {0};
    char count[SPAN_ROOM];
    static const char *const names[] = {"PATH", "STATE", "RESTARTS", "VERSION"};
    for (int i = 0; i < 4; i++)
        table_add(&t, i, "%s", names[i]);
    add_node(&t, "", "", json_object_get(answer, "tree"));
    table_print(&t, stdout);
    table_finish(&t);
    json_int_t others = number_of(answer, "unsupervised");
    if (!others)
        return;
    printf("%s %s no supervisor; ", count_text(count, (uint64_t)others),
           others == 1 ? "actor has" : "actors have");
    say_advice(stdout, "see: iris ps\n");
}

int verb_tree(int argc, char **argv)
{
    struct tree t = {.common.timeout_ms = 5000, .limit = 100};
    json_t *answer;
    parse_arguments(&tree_argp, argc, argv, &t);
    int status = client_call(&t.common, "POST", "/v1/tree",
                             json_pack("{s:I}", "limit", (json_int_t)t.limit), &answer);
    if (answer)
        print(answer);
    json_decref(answer);
    return status;
}
