/* iris mesh, iris whereis: the other nodes. */
#include "client.h"
#include "term.h"

#include <iris/app.h>

#include <string.h>

static error_t parse(int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->input;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: expected cert, or no argument", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp mesh_argp = {
    NULL,
    parse,
    "[cert [NODE]]",
    "List the nodes that the app is linked with, or wants to be.\v"
    "RTT is of the last heartbeat; QUEUED are bytes that wait here for the node. What a manifest says of\n"
    "other nodes: iris explain mesh. iris mesh cert makes a trial CA and certificates of nodes:\n"
    "`iris mesh cert --help` tells more.",
    common_children,
    NULL,
    NULL,
};

struct row {
    const char *node, *address, *state, *why, *stuck;
    int lease;
    json_int_t rtt_us, queued, sent, received, since_ms;
};

static void read_row(json_t *node, struct row *r)
{
    *r = (struct row){.node = "", .address = "", .state = "", .why = "", .stuck = ""};
    json_unpack(node, "{s?b, s?s, s?s, s?s, s?s, s?s, s?I, s?I, s?I, s?I, s?I}", "lease", &r->lease,
                "node", &r->node, "address", &r->address, "state", &r->state, "why", &r->why,
                "stuck", &r->stuck, "rtt_us", &r->rtt_us, "queued", &r->queued, "sent", &r->sent,
                "received", &r->received, "since_ms", &r->since_ms);
}

static void add_heading(struct table *t, int leases)
{
    static const char *const names[] = {"NODE",    "ADDRESS", "STATE",     "LEASE",  ">RTT",
                                        ">QUEUED", ">SENT",   ">RECEIVED", ">SINCE", "WHY"};
    for (int i = 0, column = 0; i < 10; i++)
        if (i != 3 || leases)
            table_add(t, column++, "%s", names[i]);
}

static void add_row(struct table *t, const struct row *r, int leases)
{
    char text[SPAN_ROOM];
    int i = 0;
    table_add(t, i++, "%s", *r->node ? r->node : "-");
    table_add(t, i++, "%s", r->address);
    table_add(t, i++, "%s", r->state);
    if (leases)
        table_add(t, i++, "%s", r->lease ? "yes" : "-");
    table_add(t, i++, "%s", r->rtt_us < 0 ? "-" : span_text(text, r->rtt_us * 1000));
    table_add(t, i++, "%s", count_text(text, (uint64_t)r->queued));
    table_add(t, i++, "%s", count_text(text, (uint64_t)r->sent));
    table_add(t, i++, "%s", count_text(text, (uint64_t)r->received));
    table_add(t, i++, "%s", span_text(text, r->since_ms * 1000000));
    table_add(t, i, "%s%s", *r->stuck ? "stuck: " : "", *r->stuck ? r->stuck : r->why);
}

/* "OK", "DEGRADED since 12.0 s: why" */
static void print_engine(const json_t *engine)
{
    char text[SPAN_ROOM];
    const char *kind = "", *health = "", *why = "";
    json_int_t since = 0;
    if (json_unpack((json_t *)engine, "{s:s, s:s, s:I, s:s}", "kind", &kind, "health", &health,
                    "since_ms", &since, "why", &why))
        return;
    int is_ok = !strcmp(health, "ok"), is_lost = !strcmp(health, "lease-lost");
    fprintf(stderr, "%sengine %s: %s", term(stderr, is_ok ? TERM_DIM : TERM_RED), kind,
            is_ok     ? "OK"
            : is_lost ? "LEASE LOST"
                      : "DEGRADED");
    if (!is_ok)
        fprintf(stderr, " since %s%s%s", span_text(text, since * 1000000), *why ? ": " : "", why);
    fprintf(stderr, "%s\n", term(stderr, TERM_PLAIN));
}

static void print(json_t *answer)
{
    struct table t = {0};
    struct row r;
    size_t i;
    const char *name = "", *address = "";
    json_t *node, *nodes = json_object_get(answer, "nodes"),
                  *engine = json_object_get(answer, "engine");
    const char *kind = json_string_value(json_object_get(engine, "kind"));
    int leases = kind && strcmp(kind, "static") != 0; /* a list of peers gives none */
    json_unpack(answer, "{s?s, s?s}", "node", &name, "address", &address);
    fprintf(stderr, "%sthis is node %s%s%s%s\n", term(stderr, TERM_DIM), name,
            *address ? ", at " : ", which does not listen", address, term(stderr, TERM_PLAIN));
    print_engine(engine);
    add_heading(&t, leases);
    json_array_foreach(nodes, i, node)
    {
        read_row(node, &r);
        add_row(&t, &r, leases);
    }
    table_print(&t, stdout);
    table_finish(&t);
}

int verb_mesh(int argc, char **argv)
{
    struct common c = {.timeout_ms = 5000};
    json_t *answer;
    if (argc > 1 && !strcmp(argv[1], "cert"))
        return mesh_cert(argc - 1, argv + 1);
    parse_arguments(&mesh_argp, argc, argv, &c);
    int status = client_call(&c, "GET", "/v1/mesh", NULL, &answer);
    if (answer)
        print(answer);
    json_decref(answer);
    return status;
}

/* ---- whereis ---- */

struct question {
    struct common common; /* first: the children's input */
    const char *name;
};

static error_t parse_whereis(int key, char *arg, struct argp_state *state)
{
    struct question *q = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &q->common;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num)
            argp_error(state, "%s: expected one name", arg);
        q->name = arg;
        return 0;
    case ARGP_KEY_END:
        if (!q->name)
            argp_error(state, "expected a name or path, such as payments or payments@b");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp whereis_argp = {
    NULL,
    parse_whereis,
    "NAME",
    "Print which actor has a name or path, and on which node.\v"
    "NAME@NODE asks that node. NAME alone is looked for here, and else at every node that is up; two that\n"
    "have it are both told of in the app's output, and the one that began last is printed. Of a name that is\n"
    "unique over the cluster (mesh.engine) its owner is printed, for how long it is that, and its token.",
    waiting_children,
    NULL,
    NULL,
};

int verb_whereis(int argc, char **argv)
{
    struct question q = {.common.timeout_ms = 5000};
    json_t *answer = NULL;
    const char *node = "";
    char text[SPAN_ROOM];
    json_int_t pid = 0, token = 0, since = 0;
    parse_arguments(&whereis_argp, argc, argv, &q);
    json_t *body =
        json_pack("{s:s, s:I}", "target", q.name, "timeout_ms", (json_int_t)q.common.timeout_ms);
    if (!body)
        return client_error(&q.common, "bad-request", NULL, "the name is not UTF-8");
    int status = client_call(&q.common, "POST", "/v1/whereis", body, &answer);
    if (answer && !json_unpack(answer, "{s:s, s:I, s?I, s?I}", "node", &node, "pid", &pid, "token",
                               &token, "since_ms", &since)) {
        printf("%lld%s%s", (long long)pid, *node ? "  " : "", node);
        if (token)
            printf("  for %s, token %lld", span_text(text, since * 1000000), (long long)token);
        printf("\n");
    }
    json_decref(answer);
    return status;
}
