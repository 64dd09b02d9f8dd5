/* iris logs: what a running app logs, and what it logs next. */
#include "client.h"
#include "term.h"

#include <iris/app.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define END_MS 2000 /* from its last answer to its end */
#define FOR_EVER (INT64_C(365) * 24 * 3600 * 1000)

struct logs {
    struct common common;
    const char *pattern, *level;
    json_int_t since; /* number of an event */
    int64_t from_ms;  /* since 1970 */
    int follow, json;
    int over; /* the app has ended */
};

enum { KEY_LEVEL = 1000, KEY_SINCE };

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* "120" is the number of an event, "10m" a time. */
static void parse_since(struct logs *l, const char *arg, struct argp_state *state)
{
    char *end;
    long long n = strtoll(arg, &end, 10);
    int64_t ms = *end ? parse_duration(arg) : 0;
    if (end == arg || n < 0 || ms < 0)
        argp_error(state, "--since=%s: expected a time such as 10m, or the number of an event",
                   arg);
    if (*end)
        l->from_ms = now_ms() - ms;
    else
        l->since = n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct logs *l = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &l->common;
        return 0;
    case 'f':
        l->follow = 1;
        return 0;
    case KEY_LEVEL:
        l->level = arg;
        return 0;
    case KEY_SINCE:
        parse_since(l, arg, state);
        return 0;
    case ARGP_KEY_ARG:
        if (l->pattern)
            argp_error(state, "%s: expected one PATTERN", arg);
        l->pattern = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"follow", 'f', NULL, 0, "Go on with what comes", 1},
    {"level", KEY_LEVEL, "LEVEL", 0, "Nothing less than debug, info, warn or error", 1},
    {"since", KEY_SINCE, "TIME|N", 0, "From so long ago, such as 10m; or behind event N", 1},
    {0},
};

const struct argp logs_argp = {
    options,
    parse,
    "[PATTERN]",
    "What a running app has logged last.\v"
    "PATTERN is a path, in which * stands for one level and ** for all below it: '/svc/**'. What is kept of the log is "
    "the newest 1024 lines; \"logs\" of the manifest says where all of it goes.",
    common_children,
    NULL,
    NULL,
};

/* ---- lines ---- */

static enum term_style style_of(const char *level)
{
    return !strcmp(level, "error")     ? TERM_RED
           : !strcmp(level, "warning") ? TERM_YELLOW
           : !strcmp(level, "debug")   ? TERM_DIM
                                       : TERM_GREEN;
}

static void print_line(const char *level, const char *path, const char *kind, const char *text,
                       int64_t ms)
{
    char at[32];
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    localtime_r(&s, &tm);
    strftime(at, sizeof at, "%H:%M:%S", &tm);
    printf("%s%s.%03d%s %s%-7s%s ", term(stdout, TERM_DIM), at, (int)(ms % 1000),
           term(stdout, TERM_PLAIN), term(stdout, style_of(level)), level,
           term(stdout, TERM_PLAIN));
    printf(*path ? "%s  " : "%s", path);
    if (strcmp(kind, "log") != 0 && strncmp(text, kind, strlen(kind)) != 0)
        printf("%s: ", kind);
    say_shown(stdout, text, strlen(text) - (*text && text[strlen(text) - 1] == '\n'), "  | ");
    putchar('\n');
}

static void print_one(const struct logs *l, json_t *e)
{
    const char *level = "", *path = "", *kind = "", *text = "";
    json_int_t ms = 0;
    json_unpack(e, "{s?s, s?s, s?s, s?s, s?I}", "level", &level, "path", &path, "kind", &kind,
                "text", &text, "time_ms", &ms);
    if (ms < l->from_ms)
        return;
    if (!l->json) {
        print_line(level, path, kind, text, ms);
    } else {
        json_dumpf(e, stdout, JSON_COMPACT);
        putchar('\n');
    }
}

static void print(struct logs *l, json_t *answer)
{
    json_t *e, *events = json_object_get(answer, "events");
    json_int_t missed = json_integer_value(json_object_get(answer, "missed"));
    size_t i;
    if (missed)
        say_errorf(NULL, "%lld lines were left out: they came faster than they were read",
                   (long long)missed);
    json_array_foreach(events, i, e) print_one(l, e);
    fflush(stdout);
    l->since = json_integer_value(json_object_get(answer, "next"));
}

/* 0 and no answer while it follows: the app has ended. */
static int ask(struct logs *l, int waits)
{
    json_t *answer = NULL;
    json_t *body = json_pack("{s:s, s:s*, s:I, s:b}", "level", l->level, "pattern", l->pattern,
                             "since", l->since, "follow", waits);
    int status = client_call(&l->common, "POST", "/v1/logs", body, &answer);
    if (answer)
        print(l, answer);
    else if (!status)
        l->over = 1;
    json_decref(answer);
    return status;
}

/* One that was killed has not ended well, and so has not who followed it. */
static int tell_end(struct logs *l, int watch)
{
    l->common.timeout_ms = END_MS;
    if (watch >= 0 && client_await_end(&l->common, watch) == IRIS_FAIL) {
        fprintf(stderr, "%s\n", iris_app_reason());
        return IRIS_EXIT_FAILED;
    }
    fputs("the app has ended\n", stderr);
    return IRIS_EXIT_OK;
}

static int follow(struct logs *l, char *path, int status)
{
    int watch = iris_app_watch(path);
    l->common.app = path; /* this one, whatever else runs meanwhile */
    l->common.timeout_ms = FOR_EVER;
    l->common.follows = 1;
    while (!l->over && !status && !ferror(stdout))
        status = ask(l, 1);
    if (l->over)
        status = tell_end(l, watch);
    if (watch >= 0)
        close(watch);
    return status;
}

int verb_logs(int argc, char **argv)
{
    char path[IRIS_SOCKET_ROOM];
    struct logs l = {.common = {.timeout_ms = 5000}, .level = "trace"};
    parse_arguments(&logs_argp, argc, argv, &l);
    l.json = l.common.json;
    int status = client_find(&l.common, path, sizeof path);
    l.common.quiet = 1; /* each line is an object of its own */
    if (!status)
        status = ask(&l, 0);
    return l.follow && !status ? follow(&l, path, status) : status;
}
