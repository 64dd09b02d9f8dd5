/* iris: runs an app, and talks to one that runs. What it can do is the table in verbs.c. */
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

enum { MOST_VERBS = 64 };

static int unknown(const char *name, int json)
{
    const char *names[MOST_VERBS + 1] = {NULL};
    for (int i = 0; verbs[i].name && i < MOST_VERBS; i++)
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
    const struct verb *verb = find_verb(name);
    return verb ? dispatch(verb, 2, argv) : unknown(name, 0);
}

static int run_verb(int argc, char **argv)
{
    int json = wants_json(argc, argv);
    if (argv[1][0] == '-')
        return refuse(json, "all verbs: iris --help",
                      "%s: options come after the verb, as in: iris ps %s", argv[1], argv[1]);
    const struct verb *verb = find_verb(argv[1]);
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
        print_help(stderr);
        return IRIS_EXIT_USAGE;
    }
    if (is(argv[1], "--version", "-V")) {
        printf("iris %s\n", iris_app_version());
        return IRIS_EXIT_OK;
    }
    if (argc == 3 && is(argv[1], "help", "help") && !strcmp(argv[2], "--manual")) {
        print_manual(stdout); /* iris(1), for the build: see cmake/manuals.cmake */
        return IRIS_EXIT_OK;
    }
    if (is(argv[1], "help", "--help") && argc > 2)
        return help_verb(argv[2]);
    if (is(argv[1], "--help", "-h") || !strcmp(argv[1], "help")) {
        print_help(stdout);
        return IRIS_EXIT_OK;
    }
    return run_verb(argc, argv);
}
