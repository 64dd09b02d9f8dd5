/* What a verb of the program is. To add one: write its file, add its line to verbs[] in verbs.c and its
 * two names below. `--help`, what a shell completes and the manual come from that table. */
#ifndef IRIS_TOOL_VERB_H
#define IRIS_TOOL_VERB_H

#include <argp.h>
#include <stdint.h>
#include <stdio.h>

struct verb {
    const char *name;
    const char *args; /* of words that completion knows: PATH, KEY, FILE, HANDLER, SHELL, VERB */
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0]: "iris NAME"; returns an exit status */
    const struct argp *argp;
};

extern const struct verb verbs[]; /* ends with a NULL name */
const struct verb *find_verb(const char *name);
void print_help(FILE *to);

/* What an option that takes a value is called: "--timeout=TIME", or "-a" too. Calls with each option of a
 * verb, those of its children behind its own; --help and --json are among them. */
void each_option(const struct verb *, void (*)(void *ctx, const struct argp_option *), void *ctx);

int print_completion(const char *shell, FILE *to); /* -1: no such shell */
void print_manual(FILE *to);                       /* iris(1), as scdoc reads it */

#define VERB(name)                        \
    extern const struct argp name##_argp; \
    int verb_##name(int argc, char **argv);
VERB(apply)
VERB(ask)
VERB(bench)
VERB(check)
VERB(completion)
VERB(doctor)
VERB(explain)
VERB(inspect)
VERB(ls)
VERB(mesh)
VERB(new)
VERB(plugin)
VERB(logs)
VERB(ps)
VERB(restart)
VERB(rollback)
VERB(run)
VERB(schema)
VERB(send)
VERB(stop)
VERB(swap)
VERB(top)
VERB(tree)
VERB(whereis)
#undef VERB

int mesh_cert(int argc, char **argv); /* of `iris mesh`; argv[0]: "cert" */

/* Options of all verbs that talk to a running app: -a, --json and, where a verb waits, --timeout. A
 * verb's argp has `common_children` (or `waiting_children`), and hands a struct common down. */
struct common {
    const char *app;
    int json;
    int quiet;   /* the answer is not printed, with --json either: the verb makes another of it */
    int follows; /* until the app ends: that is no error, and there is no answer */
    int64_t timeout_ms;
};

extern const struct argp_child common_children[], waiting_children[];

/* argp_parse() by the rules of the house: -h is --help, and with --json an error of usage is printed
 * as JSON too. */
void parse_arguments(const struct argp *, int argc, char **argv, void *input);
int wants_json(int argc, char **argv);

/* "30s", "500ms", "2m", "1h", "30" (seconds); or -1. */
int64_t parse_duration(const char *text);
int64_t parse_count(const char *text); /* "1000"; -1: it is no such number */

#endif
