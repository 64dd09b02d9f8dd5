#include "verb.h"

#include <stdlib.h>
#include <string.h>

int64_t parse_duration(const char *text)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}};
    char *end;
    double n = strtod(text, &end);
    if (end == text || !(n >= 0) || n > 1e9)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (!strcmp(end, units[i].unit))
            return (int64_t)(n * units[i].ms + 0.5);
    return -1;
}

enum { KEY_JSON = 1000, KEY_TIMEOUT };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct common *c = state->input;
    switch (key) {
    case 'a':
        c->app = arg;
        return 0;
    case KEY_JSON:
        c->json = 1;
        return 0;
    case KEY_TIMEOUT:
        c->timeout_ms = parse_duration(arg);
        if (c->timeout_ms < 0)
            argp_error(state, "--timeout=%s: expected a time such as 500ms, 30s or 2m", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option common_options[] = {
    {"app", 'a', "NAME", 0, "The app to talk to (else IRIS_APP, else the only one that runs)", 8},
    {"json", KEY_JSON, NULL, 0, "Print the answer as JSON", 8},
    {0},
};

static const struct argp_option waiting_options[] = {
    {"timeout", KEY_TIMEOUT, "TIME", 0, "How long to wait: 500ms, 30s, 2m (default 30s)", 7},
    {0},
};

static const struct argp common = {common_options, parse, NULL, NULL, NULL, NULL, NULL};
static const struct argp waiting = {waiting_options, parse, NULL, NULL, NULL, NULL, NULL};

const struct argp_child common_children[] = {{&common, 0, NULL, 0}, {0}};
const struct argp_child waiting_children[] = {{&common, 0, NULL, 0}, {&waiting, 0, NULL, 0}, {0}};
