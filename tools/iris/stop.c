/* iris stop: ends a running app, or some of its actors. */
#include "client.h"
#include "group.h"
#include "term.h"

#include <iris/app.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stop {
    struct common common;
    const char *target;
    const char *save; /* or NULL */
};

enum { KEY_SAVE = 1100 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct stop *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &s->common;
        return 0;
    case KEY_SAVE:
        s->save = arg;
        return 0;
    case ARGP_KEY_END:
        if (s->target && s->save)
            argp_error(state, "--save=%s: expected no PATH: it is the whole app that is saved",
                       s->save);
        return 0;
    case ARGP_KEY_ARG:
        if (s->target)
            argp_error(state, "%s: expected at most one PATH; a PATTERN is to be quoted", arg);
        s->target = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"save", KEY_SAVE, "DIR", 0,
     "Write what all actors have in mind to DIR/NAME.save first, for iris run --restore", 1},
    {0},
};

const struct argp stop_argp = {
    options,
    parse,
    "[PATH|PATTERN]",
    "Stop a running app, in order; with PATH, one of its actors; with PATTERN, those of such a path.\v"
    "Messages that were accepted are handled first; with --save they are kept instead. Returns when it is over. In a "
    "PATTERN, * stands for one level and ** for all below: '/svc/**'. Its actors are stopped one after the other, in the "
    "reverse of their start; the status is 1 where one had to be killed or has not ended.",
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
static void say_stopped(const char *manifest, const char *save)
{
    char *cwd = getcwd(NULL, 0);
    const char *file = manifest ? seen_from(cwd ? cwd : "/", manifest) : "app.json";
    say_advice(stdout, "stopped; start it again with: iris run");
    if (save) {
        fputs(" --restore ", stdout);
        say_word(stdout, save);
    }
    if (strcmp(file, "app.json")) { /* which is what it takes without a name */
        putchar(' ');
        say_word(stdout, file);
    }
    putchar('\n');
    free(cwd);
}

/* What is not in it is said, too. */
static void say_saved(const json_t *answer)
{
    json_int_t actors = number_of(answer, "actors"), messages = number_of(answer, "messages"),
               others = number_of(answer, "others"), questions = number_of(answer, "questions"),
               singletons = number_of(answer, "singletons");
    printf("saved %lld actor%s with %lld message%s in %s\n", (long long)actors,
           actors == 1 ? "" : "s", (long long)messages, messages == 1 ? "" : "s",
           text_of(answer, "saved"));
    if (others)
        printf("%lld actors that the manifest does not name are not in it\n", (long long)others);
    if (singletons)
        printf("not in it: %lld singleton%s, begun anew by whoever is next\n",
               (long long)singletons, singletons == 1 ? "" : "s");
    if (questions)
        printf("%lld questions that nobody had begun are not in it\n", (long long)questions);
}

static int report_stopped(const struct stop *s, const json_t *answer)
{
    const char *manifest = json_string_value(json_object_get(answer, "manifest"));
    if (s->common.json) {
        json_t *all = json_pack("{s:b, s:s*}", "stopped", 1, "manifest", manifest);
        json_object_update_missing(all, (json_t *)answer);
        json_object_del(all, "iris");
        json_object_del(all, "stopping");
        client_print(all);
        return IRIS_EXIT_OK;
    }
    if (s->save)
        say_saved(answer);
    say_stopped(manifest, s->save);
    return IRIS_EXIT_OK;
}

static int report_end(const struct stop *s, int watch, const json_t *answer)
{
    const struct common *c = &s->common;
    switch (client_await_end(c, watch)) {
    case IRIS_OK:
        return report_stopped(s, answer);
    case IRIS_AGAIN:
        return client_error(c, "timeout", "wait longer with --timeout 2m, or look: iris ps",
                            "the app is still stopping");
    }
    return client_error(c, "failed", "the app's output says more", iris_app_reason());
}

/* The app may stand elsewhere than who stops it. */
static json_t *how(const struct stop *s)
{
    json_t *body = json_object();
    char *cwd = s->save && *s->save != '/' ? getcwd(NULL, 0) : NULL;
    if (s->save)
        json_object_set_new(body, "save",
                            json_sprintf("%s%s%s", cwd ? cwd : "", cwd ? "/" : "", s->save));
    free(cwd);
    return body;
}

static int stop_app(const struct stop *s)
{
    char path[IRIS_SOCKET_ROOM];
    json_t *answer;
    struct common c = s->common;
    int status = client_find(&c, path, sizeof path);
    if (status)
        return status;
    c.app = path;
    c.quiet = 1;                      /* that it stops; that it has stopped is more */
    int watch = iris_app_watch(path); /* this one, and not the next of its name */
    status = client_call(&c, "POST", "/v1/stop", how(s), &answer);
    if (!status)
        status = report_end(s, watch, answer);
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
    if (s.target && is_pattern(s.target))
        return call_group(&s.common, "/v1/stop", s.target, "stopped");
    return s.target ? stop_actor(&s) : stop_app(&s);
}
