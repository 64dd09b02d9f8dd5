/* `iris mesh`. What needs OpenSSL is a program beside this one, so that this one does not link it. */
#include "client.h"
#include "verb.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static int run_cert(int argc, char **argv)
{
    static const char helper[] = "iris-mesh-cert";
    char path[PATH_MAX];
    const struct common c = {.json = wants_json(argc, argv)};
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof helper);
    char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    if (slash)
        memcpy(slash + 1, helper, sizeof helper);
    fflush(NULL);
    if (slash)
        execv(path, argv);
    return client_error(&c, "failed", "it is installed beside this program",
                        "iris-mesh-cert cannot be run");
}

int verb_mesh(int argc, char **argv)
{
    int json = 0;
    if (argc > 1 && !strcmp(argv[1], "cert"))
        return run_cert(argc - 1, argv + 1);
    parse_arguments(&mesh_argp, argc, argv, &json);
    return 0;
}
