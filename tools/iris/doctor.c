/* iris doctor: what this machine lacks for running apps, and how that is mended. */
#include "client.h"
#include "term.h"

#include <iris/app.h>
#include <stdlib.h>
#include <string.h>

struct doctor {
    const char *file; /* or NULL */
    const char **sets;
    uint32_t nsets;
    int json;
};

enum { KEY_JSON = 1000, KEY_SET };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct doctor *d = state->input;
    switch (key) {
    case KEY_JSON:
        d->json = 1;
        return 0;
    case KEY_SET:
        d->sets[d->nsets++] = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (d->file)
            argp_error(state, "%s: expected at most one FILE", arg);
        d->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (d->nsets && !d->file)
            argp_error(state, "--set: expected a FILE: without one no manifest is read");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"set", KEY_SET, "KEY=VALUE", 0, "Replace a value, as in: --set env.LOG=/var/log/x", 1},
    {"json", KEY_JSON, NULL, 0, "Print what was found as JSON", 8},
    {0},
};

const struct argp doctor_argp = {
    options,
    parse,
    "[FILE]",
    "Tell whether this machine has what apps need: hosts of languages, limits, directories, permissions.\v"
    "With the manifest of an app, FILE, also all that iris check finds, whether its languages begin with their settings, and "
    "what its limits, log and mesh need: certificates and when they end, cookie, engine. Languages begin in a process of "
    "their own, and no handler of the app is run. What is missing is told with what mends it. The exit status is 1 when "
    "there is a problem; a warning is none.",
    NULL,
    NULL,
    NULL,
};

static void say_check(const json_t *v)
{
    const char *state = text_of(v, "state"), *fix = text_of(v, "fix"), *found = text_of(v, "found");
    int is_ok = !strcmp(state, "ok"), is_problem = !strcmp(state, "problem");
    enum term_style style = is_ok ? TERM_GREEN : is_problem ? TERM_RED : TERM_YELLOW;
    printf("%s%s%s %-16s ", term(stdout, style),
           is_ok        ? "✓"
           : is_problem ? "✗"
                        : "!",
           term(stdout, TERM_PLAIN), text_of(v, "check"));
    say_shown(stdout, found, strlen(found), "                   ");
    putchar('\n');
    if (*fix) {
        printf("                   %sfix:%s ", term(stdout, TERM_BOLD), term(stdout, TERM_PLAIN));
        say_shown(stdout, fix, strlen(fix), "                   ");
        putchar('\n');
    }
}

static void keep(void *ctx, const char *text)
{
    *(json_t **)ctx = json_loads(text, 0, NULL);
}

int verb_doctor(int argc, char **argv)
{
    struct doctor d = {.sets = calloc((size_t)argc, sizeof *d.sets)};
    json_t *v = NULL, *check;
    size_t i;
    parse_arguments(&doctor_argp, argc, argv, &d);
    int status =
        d.file ? iris_app_doctor_of(d.file, d.sets, d.nsets, keep, &v) : iris_app_doctor(keep, &v);
    free(d.sets);
    if (d.json) {
        client_print(v);
        return status;
    }
    json_array_foreach(json_object_get(v, "checks"), i, check) say_check(check);
    json_decref(v);
    return status;
}
