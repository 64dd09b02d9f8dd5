/* iris ps: the actors of a running app. */
#include "client.h"
#include "term.h"

#include <string.h>

static error_t parse(int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->input;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: expected no argument", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp ps_argp = {
    NULL, parse, "", "List the actors of a running app.", common_children, NULL, NULL,
};

struct row {
    const char *path, *host, *handler, *behaviour, *version, *of, *state;
    json_int_t rev, mailbox, capacity, handled, restarts, uptime_ms, stuck_ms, backoff_ms;
};

static void read_row(json_t *actor, struct row *r)
{
    *r = (struct row){.path = "",
                      .host = "",
                      .handler = "",
                      .behaviour = "",
                      .version = "",
                      .of = "",
                      .state = ""};
    json_unpack(
        actor, "{s?s, s?s, s?s, s?s, s?s, s?s, s?s, s?I, s?I, s?I, s?I, s?I, s?I, s?I, s?I}",
        "path", &r->path, "host", &r->host, "handler", &r->handler, "behaviour", &r->behaviour,
        "version", &r->version, "of", &r->of, "state", &r->state, "rev", &r->rev, "mailbox",
        &r->mailbox, "capacity", &r->capacity, "handled", &r->handled, "restarts", &r->restarts,
        "uptime_ms", &r->uptime_ms, "stuck_ms", &r->stuck_ms, "backoff_ms", &r->backoff_ms);
}

/* "v3 (=v1) 2.1.0": the third version that this actor runs, the same code as the first. */
static void add_version(struct table *t, const struct row *r)
{
    if (!r->rev) { /* not started yet */
        table_add(t, 3, "%s", "");
        return;
    }
    table_add(t, 3, "v%lld%s%s%s%s%s", (long long)r->rev, *r->of ? " (" : "", r->of,
              *r->of ? ")" : "", *r->version ? " " : "", r->version);
}

static void add_heading(struct table *t)
{
    static const char *const names[] = {"PATH",     "HOST",     "HANDLER",   "VERSION", "STATE",
                                        ">MAILBOX", ">HANDLED", ">RESTARTS", ">UPTIME"};
    for (int i = 0; i < 9; i++)
        table_add(t, i, "%s", names[i]);
}

/* "stuck 3.2 s": for so long in one message. "backoff 3.2 s": so long until it begins. */
static void add_state(struct table *t, const struct row *r)
{
    char span[SPAN_ROOM] = "";
    json_int_t ms = !strcmp(r->state, "stuck")     ? r->stuck_ms
                    : !strcmp(r->state, "backoff") ? r->backoff_ms
                                                   : 0;
    table_add(t, 4, "%s%s%s", r->state, ms > 0 ? " " : "",
              ms > 0 ? span_text(span, ms * 1000000) : "");
}

static void add_row(struct table *t, const struct row *r)
{
    char text[SPAN_ROOM];
    table_add(t, 0, "%s", r->path);
    table_add(t, 1, "%s", r->host);
    table_add(t, 2, "%s", *r->handler ? r->handler : r->behaviour); /* a plugin's own has no file */
    add_version(t, r);
    add_state(t, r);
    table_add(t, 5, "%s", count_text(text, (uint64_t)r->mailbox));
    table_add(t, 6, "%s", count_text(text, (uint64_t)r->handled));
    table_add(t, 7, "%s", count_text(text, (uint64_t)r->restarts));
    table_add(t, 8, "%s", r->uptime_ms < 0 ? "-" : span_text(text, r->uptime_ms * 1000000));
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

static void print(json_t *answer)
{
    struct table t = {0};
    struct row r;
    size_t i;
    json_t *actor, *actors = json_object_get(answer, "actors");
    add_heading(&t);
    json_array_foreach(actors, i, actor)
    {
        read_row(actor, &r);
        add_row(&t, &r);
    }
    table_print(&t, stdout);
    table_finish(&t);
    json_array_foreach(json_object_get(answer, "hosts"), i, actor) print_host(actor);
}

int verb_ps(int argc, char **argv)
{
    struct common c = {.timeout_ms = 5000};
    json_t *answer;
    parse_arguments(&ps_argp, argc, argv, &c);
    int status = client_call(&c, "GET", "/v1/ps", NULL, &answer);
    if (answer)
        print(answer);
    json_decref(answer);
    return status;
}
