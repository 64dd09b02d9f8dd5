/* iris restart: one actor begins again, in place. */
#include "client.h"
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
            argp_error(state, "%s: expected one PATH", arg);
        r->target = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "expected PATH: which actor?");
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp restart_argp = {
    NULL,
    parse,
    "PATH",
    "Have an actor's supervisor begin it again, with fresh state.\v"
    "What it handles now it finishes first. Its pid, path and the mail that waits stay. It is no failure: nothing is "
    "counted, and no backoff is waited for.",
    waiting_children,
    NULL,
    NULL,
};

int verb_restart(int argc, char **argv)
{
    struct restart r = {.common.timeout_ms = 30000};
    json_t *answer;
    parse_arguments(&restart_argp, argc, argv, &r);
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
