/* iris explain: what happened to an actor, and why it is as it is. */
#include "client.h"
#include "term.h"

#include <iris/app.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct explain {
    struct common common;
    const char *target;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct explain *x = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &x->common;
        return 0;
    case ARGP_KEY_ARG:
        if (x->target)
            argp_error(state, "%s: expected only one PATH or KEY", arg);
        x->target = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "PATH or KEY is missing");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp explain_argp = {
    NULL,
    parse,
    "PATH|KEY",
    "Tell what happened to an actor: which message crashed which version, what its supervisor "
    "decided, swaps, and how it is now. Or what a key of the manifest means, as in: "
    "iris explain actors.restart\v"
    "An actor that has ended is told of too. Each has its last 64 events, without what it logged "
    "itself.",
    common_children,
    NULL,
    NULL,
};

/* ---- words ---- */

struct now {
    const char *host, *handler, *version, *of, *state;
    json_int_t pid, rev, mailbox, capacity, handled, restarts, uptime_ms, stuck_ms, backoff_ms;
};

static void read_now(json_t *from, struct now *n)
{
    *n = (struct now){.host = "", .handler = "", .version = "", .of = "", .state = ""};
    json_unpack(from, "{s?s, s?s, s?s, s?s, s?s, s?I, s?I, s?I, s?I, s?I, s?I, s?I, s?I, s?I}",
                "host", &n->host, "handler", &n->handler, "version", &n->version, "of", &n->of,
                "state", &n->state, "pid", &n->pid, "rev", &n->rev, "mailbox", &n->mailbox,
                "capacity", &n->capacity, "handled", &n->handled, "restarts", &n->restarts,
                "uptime_ms", &n->uptime_ms, "stuck_ms", &n->stuck_ms, "backoff_ms", &n->backoff_ms);
}

static void say(const char *text)
{
    say_shown(stdout, text, strlen(text), "    ");
}

static void say_version(json_int_t rev, const char *of, const char *version)
{
    printf("v%lld", (long long)rev);
    if (*of)
        printf(" (%s)", of);
    if (*version) {
        putchar(' ');
        say(version);
    }
}

static void say_state(const struct now *n)
{
    char span[SPAN_ROOM];
    int is_stuck = !strcmp(n->state, "stuck"), waits = !strcmp(n->state, "backoff");
    printf("%s%s%s", term(stdout, is_stuck || waits ? TERM_YELLOW : TERM_GREEN), n->state,
           term(stdout, TERM_PLAIN));
    if (waits && n->backoff_ms) /* 0: when those before it have begun */
        printf(", begins again in %s", span_text(span, n->backoff_ms * 1000000));
    else if (is_stuck)
        printf(" for %s", span_text(span, n->stuck_ms * 1000000));
    else if (!waits && n->uptime_ms >= 0)
        printf(" for %s", span_text(span, n->uptime_ms * 1000000));
}

static void say_mailbox(const struct now *n)
{
    char count[SPAN_ROOM];
    printf("mailbox %s", count_text(count, (uint64_t)n->mailbox));
    if (n->capacity)
        printf(" of %s", count_text(count, (uint64_t)n->capacity));
    printf(", %s handled", count_text(count, (uint64_t)n->handled));
    printf(", %lld %s", (long long)n->restarts, n->restarts == 1 ? "restart" : "restarts");
}

/* ", 1 of 3 within 5 s (/svc)" */
static void say_restarts(json_t *r)
{
    json_int_t count, limit, period_ms;
    const char *by;
    char span[SPAN_ROOM];
    if (json_unpack(r, "{s:I, s:I, s:I, s:s}", "count", &count, "limit", &limit, "period_ms",
                    &period_ms, "by", &by))
        return;
    printf(", %lld within %s; %s allows %lld", (long long)count,
           span_text(span, period_ms * 1000000), by, (long long)limit);
}

/* Who decides about it, where that is not told with its restarts: another node; and whose a singleton is. */
static void say_elsewhere(json_t *answer)
{
    const char *by = "", *node = "", *restart = "";
    json_int_t token = 0, since_ms = 0;
    int here = 0;
    char span[SPAN_ROOM];
    json_unpack(json_object_get(answer, "supervisor"), "{s?s, s?s, s?s}", "path", &by, "node",
                &node, "restart", &restart);
    if (*node) {
        printf("supervised by ");
        say(by);
        printf(" of node ");
        say(node);
        printf(": %s\n", restart);
    }
    json_t *singleton = json_object_get(answer, "singleton");
    if (!json_is_object(singleton))
        return;
    if (json_unpack(singleton, "{s:s, s:b, s:I, s:I}", "node", &node, "here", &here, "token",
                    &token, "since_ms", &since_ms)) {
        puts("singleton: nobody has it now");
        return;
    }
    printf("singleton: %s", here ? "here, on node " : "on node ");
    say(node);
    printf(" for %s (token %lld)\n", span_text(span, since_ms * 1000000), (long long)token);
}

static void say_now(json_t *answer, const char *path, int is_known)
{
    struct now n;
    json_t *now = json_object_get(answer, "now");
    printf("%s%s%s  ", term(stdout, TERM_BOLD), path, term(stdout, TERM_PLAIN));
    if (!json_is_object(now)) {
        puts(is_known ? "has ended" : "has not begun");
        return;
    }
    read_now(now, &n);
    say_state(&n);
    printf(", ");
    say_version(n.rev, n.of, n.version);
    printf("  ");
    say(n.handler);
    printf(" (%s)  pid %lld\n", n.host, (long long)n.pid);
    say_mailbox(&n);
    say_restarts(json_object_get(answer, "restarts"));
    putchar('\n');
}

/* ---- events ---- */

static void say_time(json_int_t ms)
{
    char text[32];
    time_t t = (time_t)(ms / 1000), now = time(NULL);
    struct tm tm;
    localtime_r(&t, &tm);
    strftime(text, sizeof text, now - t < 86400 ? "%H:%M:%S" : "%b %d %H:%M:%S", &tm);
    printf("%s%s.%03d%s  ", term(stdout, TERM_DIM), text, (int)(ms % 1000),
           term(stdout, TERM_PLAIN));
}

/* A string as C would write it: what drives a terminal, and the quote itself, are escaped. */
static void say_quoted(const unsigned char *s, size_t n, int is_text)
{
    putchar('"');
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"' || s[i] == '\\')
            printf("\\%c", s[i]);
        else if (s[i] == '\n')
            printf("\\n");
        else if (s[i] == '\t')
            printf("\\t");
        else if (s[i] < 0x20 || s[i] == 0x7f || (s[i] >= 0x80 && !is_text))
            printf("\\x%02x", s[i]);
        else
            putchar(s[i]);
    }
    putchar('"');
}

/* The control characters above 0x7f are two bytes in UTF-8: then all of it is shown as bytes. */
static int is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0)
            return 0;
    return 1;
}

static size_t say_excerpt(json_t *m)
{
    json_t *text = json_object_get(m, "excerpt");
    if (text) {
        const char *s = json_string_value(text);
        say_quoted((const unsigned char *)s, json_string_length(text), is_plain(s));
        return json_string_length(text);
    }
    const char *encoded = json_string_value(json_object_get(m, "excerpt_base64"));
    size_t len = encoded ? strlen(encoded) : 0;
    unsigned char *data = malloc(len + 1);
    long n = data && encoded ? iris_base64_decode(data, encoded, len) : -1;
    if (n >= 0)
        say_quoted(data, (size_t)n, 0);
    free(data);
    return n > 0 ? (size_t)n : 0;
}

/* "message 412 from 16777217, 5 bytes: "top x"" */
static void say_message(json_t *m)
{
    json_int_t number = 0, of = 1, from = 0, len = 0;
    char count[SPAN_ROOM], last[SPAN_ROOM];
    json_unpack(m, "{s?I, s?I, s?I, s?I}", "number", &number, "of", &of, "from", &from, "len",
                &len);
    if (of > 1)
        printf("one of messages %s to %s, the first ", count_text(count, (uint64_t)number),
               count_text(last, (uint64_t)(number + of - 1)));
    else
        printf("message %s ", count_text(count, (uint64_t)number));
    if (from)
        printf("from %lld", (long long)from);
    else
        printf("from outside");
    printf(", %s %s: ", count_text(count, (uint64_t)len), len == 1 ? "byte" : "bytes");
    if (say_excerpt(m) < (size_t)len)
        printf("...");
}

static enum term_style style_of(const char *kind)
{
    static const struct {
        const char *kind;
        enum term_style style;
    } styles[] = {{"crashed", TERM_RED},         {"exhausted", TERM_RED},   {"stuck", TERM_YELLOW},
                  {"swap-refused", TERM_YELLOW}, {"rollback", TERM_YELLOW}, {"decided", TERM_PLAIN},
                  {"started", TERM_GREEN},       {"restarted", TERM_GREEN}};
    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++)
        if (!strcmp(styles[i].kind, kind))
            return styles[i].style;
    return TERM_PLAIN;
}

static const char next_line[] = "                             "; /* below the words of the first */

static void begin_line(void)
{
    printf("\n%s", next_line);
}

static int is(const char *kind, const char *a, const char *b)
{
    return !strcmp(kind, a) || (b && !strcmp(kind, b));
}

static void say_what(json_t *e, const char *kind)
{
    const char *text = "", *version = "";
    json_int_t rev = 0;
    json_t *message = json_object_get(e, "message");
    json_unpack(e, "{s?s, s?s, s?I}", "text", &text, "version", &version, "rev", &rev);
    if (is(kind, "started", "restarted") || is(kind, "crashed", "stuck")) {
        say_version(rev, "", version);
        if (message) {
            printf(is(kind, "crashed", NULL) ? " on " : " in ");
            say_message(message);
        }
        if (is(kind, "started", NULL))
            return;
        if (is(kind, "restarted", NULL))
            printf(", ");
        else
            begin_line();
    }
    if (!strncmp(text, "crash: ", 7) && is(kind, "crashed", NULL))
        text += 7;
    say_shown(stdout, text, strlen(text), next_line);
}

static void say_event(json_t *e)
{
    const char *kind = "";
    json_int_t time_ms = 0;
    json_unpack(e, "{s?s, s?I}", "kind", &kind, "time_ms", &time_ms);
    printf("  ");
    say_time(time_ms);
    printf("%s%-13s%s", term(stdout, style_of(kind)), kind, term(stdout, TERM_PLAIN));
    say_what(e, kind);
    putchar('\n');
}

static void say_forgotten(json_t *answer)
{
    char count[SPAN_ROOM];
    json_int_t n = json_integer_value(json_object_get(answer, "forgotten"));
    if (n)
        printf("  %s earlier %s forgotten\n", count_text(count, (uint64_t)n),
               n == 1 ? "event is" : "events are");
}

/* What one does now: a crash of the code that runs calls for other code. */
static void say_next(json_t *events, const char *path, int lives)
{
    size_t i;
    json_t *e;
    int crashed = 0, swapped = 0;
    json_array_foreach(events, i, e)
    {
        const char *kind = json_string_value(json_object_get(e, "kind"));
        swapped |= kind && !strcmp(kind, "swapped");
        crashed |= kind && is(kind, "crashed", "stuck");
        if (kind && !strcmp(kind, "swapped"))
            crashed = 0;
    }
    if (!lives || !crashed)
        return;
    printf("mend its code, then: ");
    say_advice(stdout, "iris swap ");
    printf("%s", path);
    if (swapped) {
        printf("   or go back: ");
        say_advice(stdout, "iris rollback ");
        printf("%s", path);
    }
    putchar('\n');
}

static void print(json_t *answer)
{
    size_t i;
    const char *path = "";
    json_t *e, *events = json_object_get(answer, "events");
    json_unpack(answer, "{s?s}", "path", &path);
    say_now(answer, path, json_array_size(events) > 0);
    say_elsewhere(answer);
    if (json_array_size(events))
        putchar('\n');
    say_forgotten(answer);
    json_array_foreach(events, i, e) say_event(e);
    say_next(events, path, json_is_object(json_object_get(answer, "now")));
}

/* ---- a key of the manifest ---- */

static void print_text(void *ctx, const char *text)
{
    fputs(text, ctx);
}

/* Nothing has to run for that. */
static int explain_key(const struct explain *x)
{
    int status = iris_app_explain_key(x->target, x->common.json, print_text, stdout);
    return status ? client_failure(&x->common, "no-such-target") : status;
}

int verb_explain(int argc, char **argv)
{
    struct explain x = {.common.timeout_ms = 5000};
    json_t *answer;
    parse_arguments(&explain_argp, argc, argv, &x);
    if (*x.target != '/')
        return explain_key(&x);
    int status = client_call(&x.common, "POST", "/v1/explain",
                             json_pack("{s:s}", "target", x.target), &answer);
    if (answer)
        print(answer);
    json_decref(answer);
    return status;
}
