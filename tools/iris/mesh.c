/* `iris mesh` */
#include "client.h"
#include "verb.h"

#include <string.h>

enum { KEY_JSON = 1000 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    int *json = state->input;
    switch (key) {
    case KEY_JSON:
        *json = 1;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: expected cert", arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "what is to be done is missing: cert");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "Print JSON", 8},
    {0},
};

const struct argp mesh_argp = {
    options,
    parse,
    "cert [NODE]",
    "Certificates for links between nodes: iris mesh cert --ca DIR makes a trial CA, and\n"
    "iris mesh cert NODE --ca DIR a certificate of a node.\v`iris mesh cert --help` tells more.",
    NULL,
    NULL,
    NULL,
};

int verb_mesh(int argc, char **argv)
{
    int json = 0;
    if (argc > 1 && !strcmp(argv[1], "cert"))
        return mesh_cert(argc - 1, argv + 1);
    parse_arguments(&mesh_argp, argc, argv, &json);
    return 0;
}
