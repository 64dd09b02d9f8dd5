/* iris ls: the apps that run on this machine. */
#include "client.h"
#include "term.h"

#include <iris/app.h>
#include <string.h>

struct ls {
    struct common common;
    const char *dir;
    json_t *apps;
};

enum { LOOK_MS = 1000 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct ls *l = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &l->common;
        return 0;
    case ARGP_KEY_ARG:
        if (l->dir)
            argp_error(state, "%s: expected at most one DIR", arg);
        l->dir = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp ls_argp = {
    NULL,
    parse,
    "[DIR]",
    "List the apps that run on this machine, by their control sockets: in DIR, or where those of "
    "this user are by default. A socket that a killed app left behind is \"stale\": the next run "
    "of that name takes it over.",
    common_children,
    NULL,
    NULL,
};

/* What the app itself says, which may be busy or stopped: then its socket is all there is to tell. */
static void add_app(void *ctx, const iris_socket *s)
{
    struct ls *l = ctx;
    json_t *health = NULL;
    json_t *row = json_pack("{s:s, s:I, s:s, s:s}", "name", s->name, "pid", (json_int_t)s->pid,
                            "socket", s->path, "state", s->runs ? "no answer" : "stale");
    if (s->runs && !client_fetch(s->path, LOOK_MS, "GET", "/v1/health", NULL, &health))
        json_object_update(row, health);
    json_object_del(row, "iris");
    json_object_del(row, "error");
    json_decref(health);
    json_array_append_new(l->apps, row);
}

static void add_row(struct table *t, const json_t *app)
{
    char span[SPAN_ROOM];
    const json_t *up = json_object_get(app, "uptime_ms"), *nodes = json_object_get(app, "nodes");
    table_add(t, 0, "%s", text_of(app, "name"));
    table_add(t, 1, "%lld", (long long)number_of(app, "pid"));
    table_add(t, 2, "%s", text_of(app, "state"));
    table_add(t, 3, "%s", up ? span_text(span, json_integer_value(up) * 1000000) : "-");
    if (nodes)
        table_add(t, 4, "%lld", (long long)json_integer_value(nodes));
    else
        table_add(t, 4, "-");
    table_add(t, 5, "%s", *text_of(app, "dir") ? text_of(app, "dir") : text_of(app, "socket"));
}

static void print(const struct ls *l)
{
    struct table t = {0};
    static const char *const names[] = {"NAME", ">PID", "STATE", ">SINCE", ">NODES", "DIR"};
    size_t i;
    json_t *app;
    for (int c = 0; c < 6; c++)
        table_add(&t, c, "%s", names[c]);
    json_array_foreach(l->apps, i, app) add_row(&t, app);
    table_print(&t, stdout);
    table_finish(&t);
}

static int print_none(const struct ls *l)
{
    printf("no app runs%s%s; ", l->dir ? " in " : "", l->dir ? l->dir : "");
    say_advice(stdout, "start one with: iris run app.json\n");
    return IRIS_EXIT_OK;
}

int verb_ls(int argc, char **argv)
{
    struct ls l = {0};
    int status = IRIS_EXIT_OK;
    parse_arguments(&ls_argp, argc, argv, &l);
    l.apps = json_array();
    if (iris_sockets(l.dir, add_app, &l))
        status = client_failure(&l.common, "failed");
    else if (l.common.json)
        client_print(json_pack("{s:O}", "apps", l.apps));
    else if (json_array_size(l.apps))
        print(&l);
    else
        status = print_none(&l);
    json_decref(l.apps);
    return status;
}
