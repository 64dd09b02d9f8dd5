/* iris restart: one actor begins again, in place; or all of a pattern. */
#include "client.h"
#include "group.h"
#include "term.h"

struct restart {
    struct common common;
    const char *target;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct restart *r = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &r->common;
        return 0;
    case ARGP_KEY_ARG:
        if (r->target)
            argp_error(state, "%s: expected one PATH; a PATTERN is to be quoted", arg);
        r->target = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "expected PATH or PATTERN: which actors?");
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp restart_argp = {
    NULL,
    parse,
    "PATH|PATTERN",
    "Have an actor's supervisor begin it again, with fresh state; or all those of a pattern.\v"
    "What it handles now it finishes first. Its pid, path and the mail that waits stay. It is no failure: nothing is "
    "counted, and no backoff is waited for. In a PATTERN, * stands for one level and ** for all below: '/svc/**'. Its "
    "actors begin again one after the other, in the order of their start; the status is 1 where one has not.",
    waiting_children,
    NULL,
    NULL,
};

int verb_restart(int argc, char **argv)
{
    struct restart r = {.common.timeout_ms = 30000};
    json_t *answer;
    parse_arguments(&restart_argp, argc, argv, &r);
    if (is_pattern(r.target))
        return call_group(&r.common, "/v1/restart", r.target, "restarted");
    json_t *body =
        json_pack("{s:s, s:I}", "target", r.target, "timeout_ms", (json_int_t)r.common.timeout_ms);
    int status = client_call(&r.common, "POST", "/v1/restart", body, &answer);
    if (answer) {
        printf("%s  begun again in %.1f ms, restart %lld; ", text_of(answer, "path"),
               (double)json_integer_value(json_object_get(answer, "ns")) / 1e6,
               (long long)json_integer_value(json_object_get(answer, "restarts")));
        say_advice(stdout, "its story: iris explain ");
        say_word(stdout, r.target);
        putchar('\n');
    }
    json_decref(answer);
    return status;
}
