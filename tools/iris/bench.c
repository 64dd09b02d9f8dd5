/* iris bench: a tour of what Iris does, and how fast that is here. Another program measures, which is installed with
 * this one: what it runs must not be slowed by what this one is. */
#include "client.h"
#include "term.h"

#include <iris/app.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

struct bench {
    int json, quick;
};

enum { KEY_JSON = 1000, KEY_QUICK };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct bench *b = state->input;
    switch (key) {
    case KEY_JSON:
        b->json = 1;
        return 0;
    case KEY_QUICK:
        b->quick = 1;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: expected no argument", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"quick", KEY_QUICK, NULL, 0, "A hundredth of the work, to see that it works", 1},
    {"json", KEY_JSON, NULL, 0, "Print JSON", 8},
    {0},
};

const struct argp bench_argp = {
    options,
    parse,
    "",
    "Measure Iris on this machine, in about a minute: actors begun, messages between them, handlers in Python and "
    "JavaScript, swaps, another process.\v"
    "What was handled is counted, not what was sent. No app needs to run, and none that runs is asked. Other programs make "
    "the figures worse.",
    NULL,
    NULL,
    NULL,
};

/* Beside this program where it was built, in libexec/iris/ where it was installed. */
static int find_program(char *path, size_t room)
{
    static const char *const places[] = {"iris-bench", "../" IRIS_LIBEXEC "/iris/iris-bench"};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n < 0 ? 0 : n] = '\0';
    char *slash = strrchr(self, '/');
    for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
        int len = snprintf(path, room, "%.*s/%s", (int)(slash - self), self, places[i]);
        if (len > 0 && (size_t)len < room && !access(path, X_OK))
            return 0;
    }
    return -1;
}

int verb_bench(int argc, char **argv)
{
    struct bench b = {0};
    struct common c = {0};
    char path[2 * PATH_MAX], *words[5] = {path, "--tour"};
    parse_arguments(&bench_argp, argc, argv, &b);
    c.json = b.json;
    if (find_program(path, sizeof path))
        return client_error(&c, "failed", "install Iris whole, or build it: make build",
                            "bench: iris-bench is neither beside this program nor in "
                            "../" IRIS_LIBEXEC "/iris");
    int n = 2;
    if (b.quick)
        words[n++] = "--quick";
    if (b.json)
        words[n++] = "--json";
    execv(path, words);
    return client_error(&c, "failed", NULL, strerror(errno));
}
