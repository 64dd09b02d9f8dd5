/* iris send, iris ask: a message to an actor of a running app. */
#include "client.h"
#include "payload.h"
#include "term.h"

#include <errno.h>
#include <iris/app.h>
#include <stdlib.h>
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

const struct argp send_argp = {
    options,         parse, "PATH [DATA]", "Send a message to an actor.\v" DATA_HELP,
    common_children, NULL,  NULL,
};

const struct argp ask_argp = {
    options,
    parse,
    "PATH [DATA]",
    "Send a message to an actor and print its reply.\v" DATA_HELP
    " The reply goes to stdout, the time that it took to stderr.",
    waiting_children,
    NULL,
    NULL,
};

static const char *name_of(const struct message *m)
{
    const char *file = m->file ? m->file : m->data;
    return !strcmp(file, "-") ? "stdin" : m->file ? m->file : "DATA";
}

/* Said here, where it can be said of the file; the app can only say it of the request. */
static int check_size(const struct message *m, const json_t *body, const struct payload *p)
{
    char has[SPAN_ROOM], most[SPAN_ROOM], *message;
    size_t limit = payload_limit(body, p);
    if (p->len <= limit)
        return IRIS_EXIT_OK;
    if (asprintf(&message, "%s has %s%s bytes; at most %s fit in one request%s", name_of(m),
                 p->len >= PAYLOAD_MOST ? "more than " : "", count_text(has, p->len),
                 count_text(most, limit),
                 json_object_get(body, "data") ? "" : " (binary travels as base64)") < 0)
        return IRIS_EXIT_FAILED;
    int status =
        client_error(&m->common, "too-large", "send it in pieces, or send its name", message);
    free(message);
    return status;
}

static int fail_to_read(const struct message *m, const char *why)
{
    char *message;
    if (asprintf(&message, "%s: %s", name_of(m), why) < 0)
        return IRIS_EXIT_FAILED;
    int status = client_error(&m->common, "failed", NULL, message);
    free(message);
    return status;
}

static int read_payload(const struct message *m, struct payload *p)
{
    const char *file = m->file ? m->file : !strcmp(m->data, "-") ? "-" : NULL;
    if (file)
        return payload_read(p, file);
    *p = (struct payload){strdup(m->data), strlen(m->data)};
    return 0;
}

/* The bytes to send, in a new object beside the target; or an exit status, explained. */
static int compose(const struct message *m, json_t **body)
{
    struct payload p = {0};
    int status;
    *body = json_pack("{s:s}", "target", m->target);
    if (!*body)
        status = client_error(&m->common, "bad-request", NULL, "the path is not UTF-8");
    else if (read_payload(m, &p))
        status = fail_to_read(m, strerror(errno));
    else if (payload_put(*body, &p))
        status = fail_to_read(m, "out of memory");
    else
        status = check_size(m, *body, &p);
    if (status)
        json_decref(*body);
    payload_finish(&p);
    return status;
}

int verb_send(int argc, char **argv)
{
    struct message m = {.common.timeout_ms = 5000};
    json_t *body, *answer = NULL;
    parse_arguments(&send_argp, argc, argv, &m);
    int status = compose(&m, &body);
    if (status)
        return status;
    status = client_call(&m.common, "POST", "/v1/send", body, &answer);
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
    json_t *body, *answer = NULL;
    parse_arguments(&ask_argp, argc, argv, &m);
    int status = compose(&m, &body);
    if (status)
        return status;
    json_object_set_new(body, "timeout_ms", json_integer(m.common.timeout_ms));
    status = client_call(&m.common, "POST", "/v1/ask", body, &answer);
    if (answer) {
        payload_print(answer, "reply", stdout);
        span_text(span, json_integer_value(json_object_get(answer, "ns")));
        fprintf(stderr, "%s%s%s\n", term(stderr, TERM_DIM), span, term(stderr, TERM_PLAIN));
    }
    json_decref(answer);
    return status;
}
