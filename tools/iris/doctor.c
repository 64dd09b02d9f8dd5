/* iris doctor: what this machine lacks for running apps, and how that is mended. */
#include "client.h"
#include "term.h"

#include <iris/app.h>
#include <string.h>

enum { KEY_JSON = 1000 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case KEY_JSON:
        *(int *)state->input = 1;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: expected no argument", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "Print what was found as JSON", 8},
    {0},
};

const struct argp doctor_argp = {
    options,
    parse,
    "",
    "Tell whether this machine has what apps need: hosts of languages, limits, directories, permissions.\v"
    "What is missing is told with what mends it. The exit status is 1 when there is a problem; a warning "
    "is none.",
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
    int json = 0;
    json_t *v = NULL, *check;
    size_t i;
    parse_arguments(&doctor_argp, argc, argv, &json);
    int status = iris_app_doctor(keep, &v);
    if (json) {
        client_print(v);
        return status;
    }
    json_array_foreach(json_object_get(v, "checks"), i, check) say_check(check);
    json_decref(v);
    return status;
}
