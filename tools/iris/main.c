/* iris: runs an app, and talks to one that runs. What it can do is the table below. */
#include "client.h"
#include "term.h"
#include "verb.h"

#include <iris/app.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct verb verbs[] = {
    {"run", "[FILE]", "run an app from its manifest (./app.json)", verb_run},
    {"check", "[FILE]", "check a manifest without starting anything", verb_check},
    {"ps", "", "list the actors of a running app", verb_ps},
    {"explain", "PATH", "what happened to an actor, and why", verb_explain},
    {"ask", "PATH DATA", "send a message and print the reply", verb_ask},
    {"send", "PATH DATA", "send a message", verb_send},
    {"swap", "PATH [HANDLER]", "swap an actor's code while it runs", verb_swap},
    {"rollback", "PATH", "go back to the code before", verb_rollback},
    {"stop", "[PATH]", "stop the app, or one actor", verb_stop},
};

enum { NVERBS = sizeof verbs / sizeof verbs[0] };

static void help(FILE *to)
{
    const char *bold = term(to, TERM_BOLD), *plain = term(to, TERM_PLAIN);
    fprintf(to, "%susage:%s iris VERB [ARGUMENT...]\n\n", bold, plain);
    for (int i = 0; i < NVERBS; i++)
        fprintf(to, "  %s%-9s%s %-15s %s\n", bold, verbs[i].name, plain, verbs[i].args,
                verbs[i].summary);
    fprintf(to,
            "\n`iris VERB --help` tells more; every verb takes --json. With several apps running,\n"
            "-a NAME or IRIS_APP=NAME chooses one.\n\n"
            "exit status: 0 ok, 1 failed, 2 usage, 3 manifest, 4 not running, 5 no such actor,\n"
            "             6 swap refused, 124 timeout\n\n"
            "environment: IRIS_APP         the app to talk to, if not -a NAME\n"
            "             XDG_RUNTIME_DIR  where the sockets of apps are, in iris/\n"
            "             IRIS_STATE_DIR   where private copies of behaviour files are made\n"
            "             NO_COLOR         no colours\n"
            "             ${IRIS_APP_DIR} in a manifest is its own directory\n");
}

static const struct verb *find(const char *name)
{
    for (int i = 0; i < NVERBS; i++)
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

/* An error of usage, also where no verb was found. */
__attribute__((format(printf, 3, 4))) static int refuse(int json, const char *hint, const char *fmt,
                                                        ...)
{
    const struct common c = {.json = json};
    char *message;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&message, fmt, args);
    va_end(args);
    if (n < 0)
        return IRIS_EXIT_FAILED;
    int status = client_error(&c, "bad-request", hint, message);
    free(message);
    return status;
}

static int unknown(const char *name, int json)
{
    const char *names[NVERBS + 1] = {NULL};
    for (int i = 0; i < NVERBS; i++)
        names[i] = verbs[i].name;
    const char *meant = nearest(name, names);
    return refuse(json, "all verbs: iris --help", "no verb \"%s\"%s%s%s", name,
                  meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
}

static int dispatch(const struct verb *verb, int argc, char **argv)
{
    char name[64];
    snprintf(name, sizeof name, "iris %s", verb->name);
    argv[0] = name; /* argp names itself so in its messages */
    return verb->run(argc, argv);
}

/* `iris help swap` is `iris swap --help`. */
static int help_verb(char *name)
{
    char flag[] = "--help";
    char *argv[] = {name, flag, NULL};
    const struct verb *verb = find(name);
    return verb ? dispatch(verb, 2, argv) : unknown(name, 0);
}

static int run_verb(int argc, char **argv)
{
    int json = wants_json(argc, argv);
    if (argv[1][0] == '-')
        return refuse(json, "all verbs: iris --help",
                      "%s: options come after the verb, as in: iris ps %s", argv[1], argv[1]);
    const struct verb *verb = find(argv[1]);
    return verb ? dispatch(verb, argc - 1, argv + 1) : unknown(argv[1], json);
}

static int is(const char *word, const char *a, const char *b)
{
    return !strcmp(word, a) || !strcmp(word, b);
}

/* ---- what it prints has to arrive ---- */

/* Where one of the three is closed, the next file or socket that is opened would take its place, and
 * get what was meant for the terminal. The stand-in fails where the closed one would have failed. */
static void hold_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
            _exit(IRIS_EXIT_FAILED);
}

/* On every way out: a disk that was full, a terminal that is gone. */
static void check_stdout(void)
{
    int failed = fflush(stdout), reason = errno;
    if (!failed && !ferror(stdout))
        return;
    say_errorf(NULL, "stdout: %s; what was to be printed is lost",
               failed ? strerror(reason) : "it could not be written");
    _exit(IRIS_EXIT_FAILED);
}

int main(int argc, char **argv)
{
    hold_streams();
    atexit(check_stdout);
    setenv("ARGP_HELP_FMT", "no-dup-args-note", 0); /* that line is about another kind of program */
    argp_err_exit_status = IRIS_EXIT_USAGE;
    if (argc < 2) {
        help(stderr);
        return IRIS_EXIT_USAGE;
    }
    if (is(argv[1], "--version", "-V")) {
        printf("iris %s\n", iris_app_version());
        return IRIS_EXIT_OK;
    }
    if (is(argv[1], "help", "--help") && argc > 2)
        return help_verb(argv[2]);
    if (is(argv[1], "--help", "-h") || !strcmp(argv[1], "help")) {
        help(stdout);
        return IRIS_EXIT_OK;
    }
    return run_verb(argc, argv);
}
