/* iris-bench: measures Iris beside a bare loop that does the same. bench.h says how. */
#include "bench.h"

#include "far.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { OPERATIONS = 10000, MISUSED = 2, QUICK_SHARE = 100 };

struct wish { /* what the command line asks for */
    enum style style;
    int runs, workers; /* workers: 0: any */
    const char *side;  /* "floor", "iris" or NULL: both */
    const char *count;
    long operations;
    int tour;
};

static void print_names(FILE *to)
{
    const char *last = "";
    for (int i = 0; i < workload_count; i++) {
        if (strcmp(workloads[i].name, last))
            fprintf(to, "  %-12s %s\n", workloads[i].name, workloads[i].title);
        last = workloads[i].name;
    }
}

static int help(FILE *to, int status)
{
    fprintf(
        to,
        "usage: iris-bench [--runs N] [--json | --markdown] [--workers N] [--side floor|iris] "
        "[WORKLOAD..]\n"
        "       iris-bench --count WHAT [--operations N]\n"
        "       iris-bench --tour [--quick] [--json]\n"
        "Measures Iris beside a bare loop that does the same, on this machine, now.\n"
        "  --runs N      measure each side N times (5)\n"
        "  --workers N   only what runs with N workers\n"
        "  --side SIDE   only one side, for a profiler\n"
        "  --count WHAT  do a fixed amount of work under a seed, for tools/bench/instructions:\n"
        "                %s\n"
        "  --tour        one row of each kind, Iris alone: what `iris bench` shows\n"
        "  --quick       a hundredth of the work, to see that it works\n"
        "Workloads:\n",
        count_names);
    print_names(to);
    return status;
}

static int misuse(const char *what, const char *word)
{
    fprintf(stderr, "iris-bench: %s \"%s\"; see iris-bench --help\n", what, word);
    exit(MISUSED);
}

static long number(const char *option, const char *text, long most)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || *end || end == text || n < 1 || n > most) {
        fprintf(stderr, "iris-bench: %s wants a number from 1 to %ld, not \"%s\"\n", option, most,
                text);
        exit(MISUSED);
    }
    return n;
}

static const char *one_side(const char *text)
{
    if (strcmp(text, "floor") && strcmp(text, "iris"))
        misuse("--side is floor or iris, not", text);
    return text;
}

static const struct option options[] = {
    {"runs", required_argument, NULL, 'r'},
    {"json", no_argument, NULL, 'j'},
    {"markdown", no_argument, NULL, 'm'},
    {"workers", required_argument, NULL, 'w'},
    {"side", required_argument, NULL, 's'},
    {"count", required_argument, NULL, 'c'},
    {"operations", required_argument, NULL, 'o'},
    {"tour", no_argument, NULL, 't'},
    {"quick", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static void take_option(struct wish *wish, int option)
{
    if (option == 'r')
        wish->runs = (int)number("--runs", optarg, RUNS_MAX);
    else if (option == 'w')
        wish->workers = (int)number("--workers", optarg, 256);
    else if (option == 'o')
        wish->operations = number("--operations", optarg, 10000000);
    else if (option == 'j')
        wish->style = STYLE_JSON;
    else if (option == 'm')
        wish->style = STYLE_MARKDOWN;
    else if (option == 's')
        wish->side = one_side(optarg);
    else if (option == 'c')
        wish->count = optarg;
    else if (option == 't')
        wish->tour = 1;
    else if (option == 'q')
        bench_share = QUICK_SHARE;
    else
        exit(option == 'h' ? help(stdout, 0) : MISUSED);
}

static int is_named(const char *name, char **names)
{
    for (char **at = names; *at; at++)
        if (strcmp(*at, name) == 0)
            return 1;
    return !*names;
}

static void refuse_unknown(char **names)
{
    for (; *names; names++) {
        int known = 0;
        for (int i = 0; i < workload_count; i++)
            known |= strcmp(*names, workloads[i].name) == 0;
        if (!known)
            misuse("there is no workload", *names);
    }
}

static int is_wished(const struct wish *wish, const struct workload *w, char **names)
{
    return is_named(w->name, names) && (*names || w->size != ONLY_WHEN_NAMED) &&
           (!wish->workers || w->workers == wish->workers);
}

static int run(const struct wish *wish, const struct workload *workload)
{
    struct workload w = *workload;
    struct result r;
    if (wish->side && strcmp(wish->side, "iris") == 0)
        w.floor = NULL;
    if (wish->side && strcmp(wish->side, "floor") == 0)
        w.iris = NULL;
    if (!w.floor && !w.iris)
        return 0;
    int runs = wish->runs * (w.times ? w.times : 1);
    if (measure(&w, runs < RUNS_MAX ? runs : RUNS_MAX, &r))
        return 1;
    print_result(wish->style, &r);
    return 0;
}

int main(int argc, char **argv)
{
    struct wish wish = {.runs = 5, .operations = OPERATIONS};
    int option, failed = 0;
    if (argc > 1 && strcmp(argv[1], "--far") == 0)
        far_main(argv + 2);
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        take_option(&wish, option);
    if (wish.count)
        return count_operations(wish.count, wish.operations);
    if (wish.tour)
        return tour(wish.style == STYLE_JSON);
    refuse_unknown(argv + optind);
    print_head(wish.style, wish.runs);
    for (int i = 0; i < workload_count; i++)
        if (is_wished(&wish, &workloads[i], argv + optind))
            failed |= run(&wish, &workloads[i]);
    print_foot(wish.style);
    return failed;
}
