/* iris stop: ends a running app, or one of its actors. */
#include "client.h"
#include "term.h"

#include <iris/app.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stop {
    struct common common;
    const char *target;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct stop *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &s->common;
        return 0;
    case ARGP_KEY_ARG:
        if (s->target)
            argp_error(state, "%s: expected at most one PATH", arg);
        s->target = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp stop_argp = {
    NULL,
    parse,
    "[PATH]",
    "Stop a running app, in order; with PATH, one of its actors.\v"
    "Messages that were accepted are handled first. Returns when it is over.",
    waiting_children,
    NULL,
    NULL,
};

/* As the user would name it from here. */
static const char *seen_from(const char *cwd, const char *file)
{
    size_t n = strlen(cwd);
    return n > 1 && !strncmp(file, cwd, n) && file[n] == '/' ? file + n + 1 : file;
}

/* "stopped; start it again with: iris run examples/logwatch/app.json" */
static void say_stopped(const char *manifest)
{
    char *cwd = getcwd(NULL, 0);
    const char *file = manifest ? seen_from(cwd ? cwd : "/", manifest) : "app.json";
    say_advice(stdout, "stopped; start it again with: iris run");
    if (strcmp(file, "app.json")) { /* which is what it takes without a name */
        putchar(' ');
        say_word(stdout, file);
    }
    putchar('\n');
    free(cwd);
}

static int report_stopped(const struct common *c, const json_t *answer)
{
    const char *manifest = json_string_value(json_object_get(answer, "manifest"));
    if (c->json)
        client_print(json_pack("{s:b, s:s*}", "stopped", 1, "manifest", manifest));
    else
        say_stopped(manifest);
    return IRIS_EXIT_OK;
}

static int report_end(const struct common *c, int watch, const json_t *answer)
{
    switch (client_await_end(c, watch)) {
    case IRIS_OK:
        return report_stopped(c, answer);
    case IRIS_AGAIN:
        return client_error(c, "timeout", "wait longer with --timeout 2m, or look: iris ps",
                            "the app is still stopping");
    }
    return client_error(c, "failed", "the app's output says more", iris_app_reason());
}

static int stop_app(struct common c)
{
    char path[IRIS_SOCKET_ROOM];
    json_t *answer;
    int status = client_find(&c, path, sizeof path);
    if (status)
        return status;
    c.app = path;
    c.quiet = 1;                      /* that it stops; that it has stopped is more */
    int watch = iris_app_watch(path); /* this one, and not the next of its name */
    status = client_call(&c, "POST", "/v1/stop", json_object(), &answer);
    if (!status)
        status = report_end(&c, watch, answer);
    json_decref(answer);
    if (watch >= 0)
        close(watch);
    return status;
}

static int stop_actor(struct stop *s)
{
    json_t *answer, *body = json_pack("{s:s, s:I}", "target", s->target, "timeout_ms",
                                      (json_int_t)s->common.timeout_ms);
    int status = client_call(&s->common, "POST", "/v1/stop", body, &answer);
    if (answer) {
        printf("%s  stopped; ", s->target);
        say_advice(stdout, "the others: iris ps\n");
    }
    json_decref(answer);
    return status;
}

int verb_stop(int argc, char **argv)
{
    struct stop s = {.common.timeout_ms = 30000};
    parse_arguments(&stop_argp, argc, argv, &s);
    return s.target ? stop_actor(&s) : stop_app(s.common);
}
