/* iris send, iris ask: a message to an actor of a running app. */
#include "client.h"
#include "payload.h"
#include "term.h"

#include <errno.h>
#include <iris/app.h>
#include <string.h>

struct message {
    struct common common;
    const char *target, *data, *file;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct message *m = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &m->common;
        return 0;
    case 'f':
        m->file = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_error(state, "%s: expected one PATH and one DATA; quote data with blanks", arg);
        *(state->arg_num ? &m->data : &m->target) = arg;
        return 0;
    case ARGP_KEY_END:
        if (!m->target)
            argp_error(state, "PATH is missing: whom to send it to (see iris ps)");
        else if (!m->data == !m->file)
            argp_error(state, "expected either DATA or --file; '-' reads stdin, '' is empty");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"file", 'f', "FILE", 0, "Send the bytes of FILE", 1},
    {0},
};

#define DATA_HELP "DATA is sent as it stands; '-' reads it from stdin."

static const struct argp send_argp = {
    options,         parse, "PATH [DATA]", "Send a message to an actor.\v" DATA_HELP,
    common_children, NULL,  NULL,
};

static const struct argp ask_argp = {
    options,
    parse,
    "PATH [DATA]",
    "Send a message to an actor and print its reply.\v" DATA_HELP
    " The reply goes to stdout, the time that it took to stderr.",
    waiting_children,
    NULL,
    NULL,
};

/* The bytes to send, in a new object beside the target; or NULL, explained. */
static json_t *compose(const struct message *m)
{
    struct payload p = {0};
    const char *file = m->file ? m->file : !strcmp(m->data, "-") ? "-" : NULL;
    json_t *body = json_pack("{s:s}", "target", m->target);
    int failed = 0;
    if (file)
        failed = payload_read(&p, file);
    else
        p = (struct payload){strdup(m->data), strlen(m->data)};
    if (failed)
        say_errorf(NULL, "%s: %s", strcmp(file, "-") ? file : "stdin", strerror(errno));
    if (!body || failed || payload_put(body, &p)) {
        json_decref(body);
        body = NULL;
    }
    payload_finish(&p);
    return body;
}

int verb_send(int argc, char **argv)
{
    struct message m = {.common.timeout_ms = 5000};
    json_t *answer = NULL;
    argp_parse(&send_argp, argc, argv, 0, NULL, &m);
    json_t *body = compose(&m);
    if (!body)
        return IRIS_EXIT_FAILED;
    int status = client_call(&m.common, "POST", "/v1/send", body, &answer);
    if (answer) {
        fprintf(stderr, "%ssent to %s; ", term(stderr, TERM_DIM), m.target);
        say_advice(stderr, "see what it does with: iris ps");
        fprintf(stderr, "%s\n", term(stderr, TERM_PLAIN));
    }
    json_decref(answer);
    return status;
}

int verb_ask(int argc, char **argv)
{
    struct message m = {.common.timeout_ms = 30000};
    char span[SPAN_ROOM];
    json_t *answer = NULL;
    argp_parse(&ask_argp, argc, argv, 0, NULL, &m);
    json_t *body = compose(&m);
    if (!body)
        return IRIS_EXIT_FAILED;
    json_object_set_new(body, "timeout_ms", json_integer(m.common.timeout_ms));
    int status = client_call(&m.common, "POST", "/v1/ask", body, &answer);
    if (answer) {
        payload_print(answer, "reply", stdout);
        span_text(span, json_integer_value(json_object_get(answer, "ns")));
        fprintf(stderr, "%s%s%s\n", term(stderr, TERM_DIM), span, term(stderr, TERM_PLAIN));
    }
    json_decref(answer);
    return status;
}
