/* iris check: a manifest's errors, all of them, without starting anything. */
#include "term.h"
#include "verb.h"

#include <iris/app.h>
#include <stdlib.h>

struct check {
    const char *file;
    const char **sets;
    uint32_t nsets;
    int json;
};

enum { KEY_JSON = 1000, KEY_SET };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct check *c = state->input;
    switch (key) {
    case KEY_JSON:
        c->json = 1;
        return 0;
    case KEY_SET:
        c->sets[c->nsets++] = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (c->file)
            argp_error(state, "%s: expected one FILE", arg);
        c->file = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"set", KEY_SET, "KEY=VALUE", 0, "Replace a value, as in: --set env.LOG=/var/log/x", 1},
    {"json", KEY_JSON, NULL, 0, "Print the errors as JSON", 8},
    {0},
};

const struct argp check_argp = {
    options, parse, "[FILE]", "Check a manifest (./app.json) without starting anything.",
    NULL,    NULL,  NULL,
};

static void print(void *ctx, const char *text)
{
    say_report(ctx, text);
}

static void say_no_errors(const char *file, const char *named)
{
    printf("%s: no errors; ", file);
    say_advice(stdout, "start it with: iris run");
    if (named) {
        putchar(' ');
        say_word(stdout, named);
    }
    putchar('\n');
}

int verb_check(int argc, char **argv)
{
    struct check c = {.sets = calloc((size_t)argc, sizeof *c.sets)};
    parse_arguments(&check_argp, argc, argv, &c);
    const char *file = c.file ? c.file : "app.json";
    int status = iris_app_check(file, c.sets, c.nsets, c.json, print, c.json ? stdout : stderr);
    if (!status && !c.json)
        say_no_errors(file, c.file);
    free(c.sets);
    return status;
}
