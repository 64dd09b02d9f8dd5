/* iris ps: the actors of a running app. */
#include "actor.h"
#include "client.h"
#include "term.h"

#include <stdlib.h>
#include <string.h>

enum { LINES = 1000 };

struct ps {
    struct common common;
    const char *sort, *filter;
    int64_t limit; /* -1: not said */
};

static const struct argp_option options[] = {
    {"sort", 's', "WORD", 0,
     "By queue, rate, dead-letters, overflows, restarts, age or path (default: as written)", 1},
    {"limit", 'n', "N", 0, "So many at most; 0: all (default 1000, with --json all)", 1},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct ps *p = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &p->common;
        return 0;
    case 's':
        p->sort = arg;
        return 0;
    case 'n':
        p->limit = parse_count(arg);
        if (p->limit < 0)
            argp_error(state, "--limit=%s: expected a number", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (p->filter)
            argp_error(state, "%s: expected at most one TEXT", arg);
        p->filter = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp ps_argp = {
    options,
    parse,
    "[TEXT]",
    "List the actors of a running app; with TEXT, those whose path, handler or host has it in it; with tag:NAME=VALUE or tag:NAME, those that "
    "have that tag.\v"
    "Dead letters and overflows have columns where there are any: how many, and how many a second "
    "since the last look at the app that is a second old, else since the actor began.",
    common_children,
    NULL,
    NULL,
};

enum { ROW_COLUMNS = 9, ALL_COLUMNS = 11 };

static void add_heading(struct table *t, int n)
{
    static const char *const names[] = {
        "PATH",     "HOST",      "HANDLER", "VERSION", "STATE",      ">MAILBOX",
        ">HANDLED", ">RESTARTS", ">UPTIME", ">DEAD",   ">OVERFLOWS",
    };
    for (int i = 0; i < n; i++)
        table_add(t, i, "%s", names[i]);
}

/* "1,204 3.2/s" */
static void add_rate(struct table *t, int column, json_int_t count, double rate)
{
    char text[SPAN_ROOM];
    table_add(t, column, "%s %.1f/s", count_text(text, (uint64_t)count), rate);
}

static void add_row(struct table *t, const struct actor_row *r, int n)
{
    char text[STATE_ROOM];
    table_add(t, 0, "%s", r->path);
    table_add(t, 1, "%s", r->host);
    table_add(t, 2, "%s", *r->handler ? r->handler : r->behaviour); /* a plugin's own has no file */
    table_add(t, 3, "%s", actor_version(text, r));
    table_add(t, 4, "%s", actor_state(text, r));
    table_add(t, 5, "%s", count_text(text, (uint64_t)r->mailbox));
    table_add(t, 6, "%s", count_text(text, (uint64_t)r->handled));
    table_add(t, 7, "%s", count_text(text, (uint64_t)r->restarts));
    table_add(t, 8, "%s", r->uptime_ms < 0 ? "-" : span_text(text, r->uptime_ms * 1000000));
    if (n == ROW_COLUMNS)
        return;
    add_rate(t, 9, r->dead_letters, r->dead_letter_rate);
    add_rate(t, 10, r->overflows, r->overflow_rate);
}

/* "node: 2 environments, 7 versions, heap 12.3 MB" */
static void print_host(json_t *host)
{
    const char *name = "";
    json_int_t instances = 0, versions = 0, heap = 0;
    char count[SPAN_ROOM];
    json_unpack(host, "{s?s, s?I, s?I, s?I}", "name", &name, "instances", &instances, "versions",
                &versions, "heap_bytes", &heap);
    printf("%s: %lld environment%s, %s version%s", name, (long long)instances,
           instances == 1 ? "" : "s", count_text(count, (uint64_t)versions),
           versions == 1 ? "" : "s");
    if (heap)
        printf(", heap %.1f MB", (double)heap / 1e6);
    printf("\n");
}

static int columns_of(json_t *actors)
{
    struct actor_row r;
    size_t i;
    json_t *actor;
    json_array_foreach(actors, i, actor)
    {
        read_actor(actor, &r);
        if (r.dead_letters || r.overflows)
            return ALL_COLUMNS;
    }
    return ROW_COLUMNS;
}

/* "99,000 more: iris ps -n 0" */
static void print_rest(json_t *answer, size_t shown)
{
    char count[SPAN_ROOM];
    json_int_t matched = json_integer_value(json_object_get(answer, "matched"));
    if (matched <= (json_int_t)shown)
        return;
    printf("%s more; ", count_text(count, (uint64_t)matched - shown));
    say_advice(stdout, "all of them: iris ps -n 0\n");
}

static void print_none(const char *filter)
{
    static const char tag[] = "tag:";
    if (!strncmp(filter, tag, sizeof tag - 1))
        printf("no actor has the tag \"%s\"; ", filter + sizeof tag - 1);
    else
        printf("no actor has \"%s\" in its path, handler, host or behaviour; ", filter);
    say_advice(stdout, "all of them: iris ps\n");
}

static void print(json_t *answer, const char *filter)
{
    struct table t = {0};
    struct actor_row r;
    size_t i;
    json_t *actor, *actors = json_object_get(answer, "actors");
    int n = columns_of(actors);
    if (filter && !json_array_size(actors)) {
        print_none(filter);
        return;
    }
    add_heading(&t, n);
    json_array_foreach(actors, i, actor)
    {
        read_actor(actor, &r);
        add_row(&t, &r, n);
    }
    table_print(&t, stdout);
    table_finish(&t);
    print_rest(answer, json_array_size(actors));
    json_array_foreach(json_object_get(answer, "hosts"), i, actor) print_host(actor);
}

int verb_ps(int argc, char **argv)
{
    struct ps p = {.common.timeout_ms = 5000, .limit = -1};
    json_t *answer;
    parse_arguments(&ps_argp, argc, argv, &p);
    json_int_t limit = p.limit < 0 && !p.common.json ? LINES : p.limit;
    json_t *body = json_pack("{s:s*, s:s*}", "sort", p.sort, "filter", p.filter);
    if (limit > 0)
        json_object_set_new(body, "limit", json_integer(limit));
    int status = client_call(&p.common, "POST", "/v1/ps", body, &answer);
    if (answer)
        print(answer, p.filter);
    json_decref(answer);
    return status;
}
