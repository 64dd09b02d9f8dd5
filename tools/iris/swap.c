/* iris swap, iris rollback: another version of an actor's code, while it runs. */
#include "client.h"
#include "term.h"

#include <iris/app.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct swap {
    struct common common;
    const char *target, *handler, *migrate, *state;
    int now, cancel;
    long steps;
    unsigned most; /* arguments that the verb takes */
};

enum { KEY_NOW = 2000, KEY_CANCEL, KEY_STATE, KEY_STEPS, KEY_MIGRATE };

static void parse_steps(struct swap *s, const char *arg, struct argp_state *state)
{
    char *end;
    s->steps = strtol(arg, &end, 10);
    if (end == arg || *end || s->steps < 1 || s->steps > 1000)
        argp_error(state, "--steps=%s: expected a number from 1", arg);
}

static error_t parse_option(struct swap *s, int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case KEY_NOW:
        s->now = 1;
        return 0;
    case KEY_CANCEL:
        s->cancel = 1;
        return 0;
    case KEY_MIGRATE:
        s->migrate = arg;
        return 0;
    case KEY_STEPS:
        parse_steps(s, arg, state);
        return 0;
    case KEY_STATE:
        s->state = arg;
        if (strcmp(arg, "snapshot") && strcmp(arg, "current"))
            argp_error(state, "--state=%s: expected current or snapshot", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct swap *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &s->common;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num >= s->most)
            argp_error(state, "%s: one argument too many", arg);
        *(state->arg_num ? &s->handler : &s->target) = arg;
        return 0;
    case ARGP_KEY_END:
        if (!s->target)
            argp_error(state, "PATH is missing: which actor (see iris ps)");
        else if (s->cancel && (s->handler || s->migrate))
            argp_error(state, "%s: --cancel takes back what waits, and needs no HANDLER",
                       s->handler ? s->handler : s->migrate);
        else if (s->cancel && s->now)
            argp_error(state, "--cancel and --now: expected one of them");
        return 0;
    }
    return parse_option(s, key, arg, state);
}

static const struct argp_option swap_options[] = {
    {"now", KEY_NOW, NULL, 0, "Before the messages that wait, not behind them", 1},
    {"cancel", KEY_CANCEL, NULL, 0, "Take back a swap that has not happened yet", 1},
    {"migrate", KEY_MIGRATE, "FILE:NAME", 0,
     "A function that turns the old code's state into the new one's, in place of the manifest's "
     "swap.migrate",
     1},
    {0},
};

static const struct argp_option rollback_options[] = {
    {"steps", KEY_STEPS, "N", 0, "How many versions to go back (default 1)", 1},
    {"state", KEY_STATE, "WHICH", 0,
     "current: hand the state of now to the old code (default); snapshot: the state of back then",
     1},
    {"now", KEY_NOW, NULL, 0, "Before the messages that wait, not behind them", 1},
    {0},
};

const struct argp swap_argp = {
    swap_options,
    parse,
    "PATH [HANDLER]",
    "Swap an actor's code. Mailbox, state, pid and path stay.\v"
    "Without HANDLER the same file is read again: move the new one over it first (mv). "
    "If the swap is refused, nothing has changed.",
    waiting_children,
    NULL,
    NULL,
};

const struct argp rollback_argp = {
    rollback_options, parse, "PATH", "Go back to the code that an actor ran before.",
    waiting_children, NULL,  NULL,
};

/* A name that says where the file is means one in the directory of the user, not of the app. A
 * bare name may also be a library that the app knows where to find: the app decides, and gets told
 * both. */
int put_handler(json_t *body, const char *key, const char *handler)
{
    char *cwd = getcwd(NULL, 0);
    json_t *value = NULL;
    if (!cwd)
        return -1;
    if (handler[0] != '/' && strchr(handler, '/'))
        value = json_sprintf("%s/%s", cwd, strncmp(handler, "./", 2) ? handler : handler + 2);
    else
        value = json_string(handler);
    int failed =
        json_object_set_new(body, key, value) || json_object_set_new(body, "cwd", json_string(cwd));
    free(cwd);
    return failed;
}

/* "/hello  v1 -> v2 2.0.0  swapped in 2.1 ms  mailbox 0  undo: iris rollback /hello" */
static void print(const json_t *answer, const char *target, const char *done)
{
    char span[SPAN_ROOM], count[SPAN_ROOM];
    const char *version = text_of(answer, "version"), *undo = text_of(answer, "undo");
    printf("%s%s%s  %s -> %s%s%s", term(stdout, TERM_BOLD), target, term(stdout, TERM_PLAIN),
           text_of(answer, "from"), term(stdout, TERM_GREEN), text_of(answer, "to"),
           term(stdout, TERM_PLAIN));
    printf("  %s in %s  mailbox %s", done, span_text(span, number_of(answer, "ns")),
           count_text(count, (uint64_t)number_of(answer, "mailbox")));
    if (*version) {
        fputs("  version ", stdout);
        say_shown(stdout, version, strlen(version), "  ");
    }
    if (*undo)
        printf("  undo: ");
    say_advice(stdout, undo);
    putchar('\n');
}

static int call(struct swap *s, const char *path, json_t *body, const char *done)
{
    json_t *answer;
    json_object_set_new(body, "timeout_ms", json_integer(s->common.timeout_ms));
    int status = client_call(&s->common, "POST", path, body, &answer);
    if (answer && s->cancel)
        printf("%s  swap cancelled, still %s\n", s->target, text_of(answer, "to"));
    else if (answer)
        print(answer, s->target, done);
    json_decref(answer);
    return status;
}

int verb_swap(int argc, char **argv)
{
    struct swap s = {.common.timeout_ms = 30000, .most = 2};
    parse_arguments(&swap_argp, argc, argv, &s);
    json_t *body = json_pack("{s:s}", "target", s.target);
    if (!body || (s.handler && put_handler(body, "handler", s.handler)) ||
        (s.migrate && put_handler(body, "migrate", s.migrate))) {
        json_decref(body);
        return client_error(&s.common, "bad-request", NULL, "the handler's name is not UTF-8");
    }
    if (s.now)
        json_object_set_new(body, "now", json_true());
    if (s.cancel)
        json_object_set_new(body, "cancel", json_true());
    return call(&s, "/v1/swap", body, "swapped");
}

int verb_rollback(int argc, char **argv)
{
    struct swap s = {.common.timeout_ms = 30000, .steps = 1, .most = 1};
    parse_arguments(&rollback_argp, argc, argv, &s);
    json_t *body = json_pack("{s:s, s:i}", "target", s.target, "steps", (int)s.steps);
    if (!body)
        return client_error(&s.common, "bad-request", NULL, "the path is not UTF-8");
    if (s.state)
        json_object_set_new(body, "state", json_string(s.state));
    if (s.now)
        json_object_set_new(body, "now", json_true());
    return call(&s, "/v1/rollback", body, "rolled back");
}
