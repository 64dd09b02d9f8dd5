/* iris plugin: what a plugin's file is, without letting it into a process that matters. */
#include "client.h"
#include "term.h"

#include <iris/app.h>
#include <stdlib.h>
#include <string.h>

struct plugin {
    const char *file;
    int json;
    int64_t timeout_ms;
};

enum { KEY_JSON = 1000, KEY_TIMEOUT };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct plugin *p = state->input;
    switch (key) {
    case KEY_JSON:
        p->json = 1;
        return 0;
    case KEY_TIMEOUT:
        p->timeout_ms = parse_duration(arg);
        if (p->timeout_ms < 1 || p->timeout_ms > 600000)
            argp_error(state, "--timeout=%s: expected a time such as 500ms or 5s, up to 10m", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (p->file)
            argp_error(state, "%s: expected one FILE", arg);
        p->file = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "FILE is missing: a plugin, such as ./libpay.so");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"timeout", KEY_TIMEOUT, "TIME", 0, "How long its code may take to load (default 5s)", 1},
    {"json", KEY_JSON, NULL, 0, "Print it as JSON", 8},
    {0},
};

const struct argp plugin_argp = {
    options,
    parse,
    "FILE",
    "Tell what a plugin is: its name, version, ABI, behaviours, the files that it is a host of, what it needs."
    "\vThe file is checked before any of it runs, its note (IRIS_NOTE) too. Then its constructors run in a "
    "child process with no new privileges, with limits and a timeout. That keeps accidents away; it is no "
    "sandbox for code that means harm: it can read what you can read.",
    NULL,
    NULL,
    NULL,
};

static void say(const char *text)
{
    say_shown(stdout, text, strlen(text), "  ");
}

static void say_line(const char *heading, const char *text)
{
    if (!*text)
        return;
    printf("  %-11s", heading);
    say(text);
    putchar('\n');
}

static void say_list(const char *heading, json_t *list)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v)
    {
        printf(i ? ", " : "  %-11s", heading);
        say(json_string_value(v));
    }
    if (json_array_size(list))
        putchar('\n');
}

static void say_behaviour(const json_t *b)
{
    int saves = json_is_true(json_object_get(b, "saves"));
    int upgrades = json_is_true(json_object_get(b, "upgrades"));
    printf("  %-11s%s", "behaviour", term(stdout, TERM_BOLD));
    say(text_of(b, "name"));
    printf("%s ", term(stdout, TERM_PLAIN));
    say(text_of(b, "version"));
    printf("  (%s%s", text_of(b, "kind"),
           json_is_true(json_object_get(b, "own_thread")) ? ", a thread of its own" : "");
    if (saves || upgrades)
        printf("; state %lld: %s",
               (long long)json_integer_value(json_object_get(b, "state_version")),
               saves && upgrades ? "saves and upgrades"
               : saves           ? "saves"
                                 : "upgrades");
    puts(")");
}

static void say_plugin(json_t *v)
{
    size_t i;
    json_t *b, *host = json_object_get(v, "host"), *note = json_object_get(v, "note");
    say(text_of(v, "file"));
    printf("  %s", term(stdout, TERM_BOLD));
    say(text_of(v, "name"));
    printf("%s ", term(stdout, TERM_PLAIN));
    say(text_of(v, "version"));
    printf("  ABI %lld%s\n", (long long)json_integer_value(json_object_get(v, "abi")),
           json_is_object(note) ? ", as its note says" : "");
    json_array_foreach(json_object_get(v, "behaviours"), i, b) say_behaviour(b);
    say_line("host of", text_of(host, "runtime"));
    say_line("files", text_of(host, "suffixes"));
    say_list("needs", json_object_get(v, "needs"));
    say_list("libraries", json_object_get(v, "libraries"));
    say_line("stays", text_of(v, "stays"));
}

static void keep(void *ctx, const char *text)
{
    *(json_t **)ctx = json_loads(text, 0, NULL);
}

int verb_plugin(int argc, char **argv)
{
    struct plugin p = {.timeout_ms = 5000};
    json_t *v = NULL;
    parse_arguments(&plugin_argp, argc, argv, &p);
    const struct common c = {.json = p.json};
    int status = iris_app_describe(p.file, p.timeout_ms, keep, &v);
    if (status)
        return client_failure(&c, "plugin-refused");
    if (p.json)
        client_print(v);
    else
        say_plugin(v), json_decref(v);
    return status;
}
