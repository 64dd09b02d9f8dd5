/* iris-bench: the same work done by Iris and by a bare loop, side by side on one machine.
 *
 * A workload is measured some times in turn: floor, Iris, floor, Iris, ... Each measurement is a
 * process of its own, which warms up first, so that none lives off what another one left behind. What
 * is counted is always what was handled, not what was sent. */
#ifndef IRIS_BENCH_H
#define IRIS_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { METRICS_MAX = 5, RUNS_MAX = 99, ONLY_WHEN_NAMED = -1 /* a size */ };

struct metric {
    const char *name, *unit;
    int less_is_better;
};

struct workload {
    const char *name;                   /* as on the command line */
    const char *title;                  /* as in the table */
    int workers;                        /* 0: has none */
    int size, order;                    /* whatever the functions make of it */
    struct metric metrics[METRICS_MAX]; /* up to the first without a name */
    /* Write one value per metric. Called in a process that may be spoilt. Either may be NULL. */
    void (*floor)(const struct workload *, double *values);
    void (*iris)(const struct workload *, double *values);
    int bytes; /* of each message's data; 0: 8 */
    int times; /* so often the runs asked for: where it is the ratio that counts. 0: once */
};

struct sample { /* the runs of one metric of one side */
    int runs;
    int skipped;             /* it is not on this machine */
    double values[RUNS_MAX]; /* in the order of the runs */
};

/* What a run took of the machine, from its process's beginning to its end, warm-up and children included. */
struct cost {
    struct sample cores; /* CPU time by time */
    struct sample peak;  /* MB */
};

struct result {
    const struct workload *workload;
    struct sample floor[METRICS_MAX], iris[METRICS_MAX];
    struct cost floor_cost, iris_cost;
};

struct summary {
    double median, low, high;
};

static inline size_t bytes_of(const struct workload *w)
{
    return w->bytes ? (size_t)w->bytes : 8;
}

extern int bench_share; /* 1, or how small a part of the work is done: --quick */

static inline long amount(long all)
{
    return all / bench_share ? all / bench_share : 1;
}

extern const struct workload workloads[];
extern const int workload_count;

/* measure.c */
double now_ns(void);
uint64_t anonymous_bytes(void);
void sleep_until_ns(double at);
void die(const char *what); /* prints it and ends the process */
/* Sorts; p is 0..1. */
double percentile(double *values, size_t n, double p);
struct summary summarize(const struct sample *);
/* Iris / floor so that more is better; the median over the pairs of runs. 0: there is no pair. */
double ratio(const struct metric *, const struct sample *floor, const struct sample *iris);
/* All runs of one workload; 0, or -1 when a process failed (which was told). */
int measure(const struct workload *, int runs, struct result *);

/* print.c */
enum style { STYLE_TABLE, STYLE_MARKDOWN, STYLE_JSON };
void print_head(enum style, int runs);
void print_result(enum style, const struct result *);
void print_foot(enum style);
void print_machine(
    enum style); /* a line or two, or members of an object with a comma behind each */

/* tour.c: one run through what Iris does, for `iris bench`; an exit status */
int tour(int json);

/* count.c: --count */
int count_operations(const char *what, long operations);
extern const char *const count_names;

#endif
