/* iris schema: the JSON Schema of manifests, for editors and for other programs. */
#include "verb.h"

#include <iris/app.h>
#include <stdio.h>

enum { KEY_JSON = 1000, KEY_MANUAL };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case KEY_JSON: /* it is JSON */
        return 0;
    case KEY_MANUAL:
        *(int *)state->input = 1;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: expected no argument", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "As it is anyway", 8},
    {"manual", KEY_MANUAL, NULL, OPTION_HIDDEN, "iris-app.json(5), for the build", 8},
    {0},
};

const struct argp schema_argp = {
    options,
    parse,
    "",
    "Print the JSON Schema (draft-07) of manifests.\v"
    "Editors complete and check a manifest that names a copy of it: "
    "\"$schema\": \"./app.schema.json\". It knows the keys; `iris check` also knows files, "
    "paths that must exist and paths that must not exist twice.",
    NULL,
    NULL,
    NULL,
};

static void print(void *ctx, const char *text)
{
    fputs(text, ctx);
}

int verb_schema(int argc, char **argv)
{
    int manual = 0;
    parse_arguments(&schema_argp, argc, argv, &manual);
    if (manual)
        iris_app_manual(print, stdout);
    else
        iris_app_schema(print, stdout);
    return IRIS_EXIT_OK;
}
