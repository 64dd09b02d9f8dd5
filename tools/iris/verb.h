/* What a verb of the program is. To add one: write its file, add its line to verbs[] in main.c. */
#ifndef IRIS_TOOL_VERB_H
#define IRIS_TOOL_VERB_H

#include <argp.h>
#include <stdint.h>

struct verb {
    const char *name, *args, *summary;
    int (*run)(int argc, char **argv); /* argv[0]: "iris NAME"; returns an exit status */
};

int verb_run(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_ps(int argc, char **argv);
int verb_explain(int argc, char **argv);
int verb_send(int argc, char **argv);
int verb_ask(int argc, char **argv);
int verb_swap(int argc, char **argv);
int verb_rollback(int argc, char **argv);
int verb_stop(int argc, char **argv);

/* Options of all verbs that talk to a running app: -a, --json and, where a verb waits, --timeout. A
 * verb's argp has `common_children` (or `waiting_children`), and hands a struct common down. */
struct common {
    const char *app;
    int json;
    int quiet; /* the answer is not printed, with --json either: the verb makes another of it */
    int64_t timeout_ms;
};

extern const struct argp_child common_children[], waiting_children[];

/* argp_parse() by the rules of the house: -h is --help, and with --json an error of usage is printed
 * as JSON too. */
void parse_arguments(const struct argp *, int argc, char **argv, void *input);
int wants_json(int argc, char **argv);

/* "30s", "500ms", "2m", "1h", "30" (seconds); or -1. */
int64_t parse_duration(const char *text);

#endif
