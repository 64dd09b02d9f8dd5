/* iris apply: a running app becomes what a manifest says. */
#include "client.h"
#include "term.h"

#include <iris/app.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct apply {
    struct common common;
    const char *file;
    json_t *sets;
    int dry_run;
};

enum { KEY_SET = 1000, KEY_DRY };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct apply *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &a->common;
        return 0;
    case KEY_SET:
        json_array_append_new(a->sets, json_string(arg));
        return 0;
    case KEY_DRY:
        a->dry_run = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (a->file)
            argp_error(state, "%s: expected one FILE", arg);
        a->file = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"dry-run", KEY_DRY, NULL, 0, "Print the plan alone; status 7 if there is any difference", 1},
    {"set", KEY_SET, "KEY=VALUE", 0, "Replace a value, as in: --set env.LOG=/var/log/x", 1},
    {0},
};

const struct argp apply_argp = {
    options,
    parse,
    "[FILE]",
    "Make a running app what a manifest says, its own by default.\v"
    "Prints a plan, one line for each difference: add, remove, swap (new code, the state stays), restart (in place, "
    "the mail stays), set. What can be refused is refused before anything changes, and what fails on the way is undone. "
    "To a service, SIGHUP says the same.",
    waiting_children,
    NULL,
    NULL,
};

/* The app may stand in another directory. */
static json_t *absolute(const char *file)
{
    char *cwd = *file == '/' ? NULL : getcwd(NULL, 0);
    json_t *path = cwd ? json_sprintf("%s/%s", cwd, file) : json_string(file);
    free(cwd);
    return path;
}

static void say_step(const json_t *s)
{
    const char *what = text_of(s, "what"), *why = text_of(s, "why");
    int is_actor = !strcmp(text_of(s, "of"), "actor") || *text_of(s, "path") != '/';
    printf("%-8s %s", what, is_actor ? "" : "supervisor ");
    say_shown(stdout, text_of(s, "path"), strlen(text_of(s, "path")), "");
    if (*why)
        printf("  "), say_shown(stdout, why, strlen(why), "");
    putchar('\n');
}

static int report_plan(const struct apply *a, const json_t *answer)
{
    const json_t *steps = json_object_get(answer, "steps"), *s;
    long long keep = json_integer_value(json_object_get(answer, "keep"));
    size_t i, n = json_array_size(steps);
    json_array_foreach(steps, i, s) say_step(s);
    printf("keep     %lld\n", keep);
    if (!n)
        puts("no differences");
    else if (!a->dry_run)
        printf("applied in %.1f ms; ",
               (double)json_integer_value(json_object_get(answer, "ns")) / 1e6),
            say_advice(stdout, "what runs: iris ps"), putchar('\n');
    else
        say_advice(stdout, "nothing has changed; without --dry-run it is done"), putchar('\n');
    return n && a->dry_run ? IRIS_EXIT_DIFFERS : IRIS_EXIT_OK;
}

static int report(const struct apply *a, const json_t *answer)
{
    if (!json_array_size(json_object_get(answer, "errors")))
        return report_plan(a, answer);
    say_report(stderr, text_of(answer, "report"));
    fprintf(stderr, "nothing has changed\n");
    return IRIS_EXIT_MANIFEST;
}

/* As text or as it is, the status says the same. */
static int judge(struct apply *a, json_t *answer)
{
    if (!a->common.json)
        return report(a, answer);
    int refused = json_array_size(json_object_get(answer, "errors")) > 0;
    int differs = a->dry_run && json_array_size(json_object_get(answer, "steps")) > 0;
    client_print(json_incref(answer));
    return refused ? IRIS_EXIT_MANIFEST : differs ? IRIS_EXIT_DIFFERS : IRIS_EXIT_OK;
}

int verb_apply(int argc, char **argv)
{
    struct apply a = {.common = {.timeout_ms = 60000, .quiet = 1}, .sets = json_array()};
    json_t *answer = NULL;
    parse_arguments(&apply_argp, argc, argv, &a);
    json_t *body = json_pack("{s:b, s:O, s:I}", "dry_run", a.dry_run, "sets", a.sets, "timeout_ms",
                             (json_int_t)a.common.timeout_ms);
    if (a.file)
        json_object_set_new(body, "file", absolute(a.file));
    int status = client_call(&a.common, "POST", "/v1/apply", body, &answer);
    if (answer)
        status = judge(&a, answer);
    json_decref(answer);
    json_decref(a.sets);
    return status;
}
