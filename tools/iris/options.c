#include "client.h"
#include "verb.h"

#include <iris/app.h>
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

int64_t parse_count(const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && n <= 1000000000 ? n : -1;
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

/* ---- errors of usage ---- */

int wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--json"))
            return 1;
    return 0;
}

/* What argp and getopt say goes to stderr, which they then leave by exit(): so it is caught there. */
static struct {
    FILE *stderr_before;
    const char *verb; /* "iris ps"; NULL: nothing is caught */
    char *text;
    size_t len;
} caught;

static void release(void)
{
    fclose(stderr);
    stderr = caught.stderr_before;
    caught.verb = NULL;
}

/* "iris ps: x: expected no argument\nTry `iris ps --help' ...": of this the sentence. */
static void print_caught(int status, void *unused)
{
    const struct common c = {.json = 1};
    const char *verb = caught.verb;
    char hint[80];
    (void)unused;
    if (!verb)
        return;
    release();
    if (status != IRIS_EXIT_USAGE || !caught.text)
        return;
    snprintf(hint, sizeof hint, "see: %s --help", verb);
    char *message = caught.text;
    message[strcspn(message, "\n")] = '\0';
    size_t n = strlen(verb);
    if (!strncmp(message, verb, n) && !strncmp(message + n, ": ", 2))
        message += n + 2;
    client_error(&c, "bad-request", hint, message);
}

static void catch (const char *verb)
{
    FILE *memory = open_memstream(&caught.text, &caught.len);
    if (!memory || on_exit(print_caught, NULL))
        return;
    caught.stderr_before = stderr;
    caught.verb = verb;
    stderr = memory;
}

void parse_arguments(const struct argp *argp, int argc, char **argv, void *input)
{
    static char help[] = "--help";
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "-h"))
            argv[i] = help;
    if (wants_json(argc, argv))
        catch (argv[0]);
    argp_parse(argp, argc, argv, 0, NULL, input);
    if (caught.verb)
        release();
    free(caught.text);
    caught.text = NULL;
}

const struct argp_child common_children[] = {{&common, 0, NULL, 0}, {0}};
const struct argp_child waiting_children[] = {{&common, 0, NULL, 0}, {&waiting, 0, NULL, 0}, {0}};
