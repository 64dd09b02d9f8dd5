#include "bench.h"

#include "far.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 120 }; /* seconds for one run */

int bench_share = 1;

double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void sleep_until_ns(double at)
{
    int64_t ns = (int64_t)at;
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Without the pages of programs and libraries, which come in by the dozen as code is first run; and not from
 * statm, whose count is some dozens of pages behind. */
uint64_t anonymous_bytes(void)
{
    unsigned long kilobytes = 0;
    char line[256];
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "Anonymous: %lu kB", &kilobytes) != 1)
        ;
    if (f)
        fclose(f);
    return kilobytes * (uint64_t)1024;
}

void die(const char *what)
{
    fprintf(stderr, "iris-bench: %s\n", what);
    _exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double percentile(double *values, size_t n, double p)
{
    qsort(values, n, sizeof *values, compare);
    return n ? values[(size_t)(p * (double)(n - 1) + 0.5)] : 0;
}

struct summary summarize(const struct sample *s)
{
    double sorted[RUNS_MAX];
    size_t n = (size_t)s->runs;
    if (!n)
        return (struct summary){0, 0, 0};
    memcpy(sorted, s->values, n * sizeof *sorted);
    double median = percentile(sorted, n, 0.5);
    return (struct summary){median, sorted[0], sorted[n - 1]};
}

/* Each pair of runs stands in the same second, so whatever else the machine does hits both. */
double ratio(const struct metric *m, const struct sample *floor, const struct sample *iris)
{
    struct sample ratios = {0};
    for (int i = 0; i < floor->runs && i < iris->runs; i++) {
        double f = floor->values[i], v = iris->values[i];
        ratios.values[ratios.runs++] = m->less_is_better ? f / v : v / f;
    }
    return summarize(&ratios).median;
}

typedef void run_function(const struct workload *, double *);

static void be_the_child(const struct workload *w, run_function *run, int out)
{
    double values[METRICS_MAX] = {0};
    alarm(PATIENCE);
    run(w, values);
    ssize_t n = write(out, values, sizeof values);
    _exit(n != sizeof values);
}

struct run { /* of one side, once */
    double values[METRICS_MAX];
    double cores, peak;
};

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int collect(pid_t child, int in, double began, struct run *r)
{
    ssize_t n = read(in, r->values, sizeof r->values);
    struct rusage used;
    int status;
    wait4(child, &status, 0, &used);
    r->cores = (seconds(used.ru_utime) + seconds(used.ru_stime)) / ((now_ns() - began) / 1e9);
    r->peak = (double)used.ru_maxrss / 1024;
    if (WIFEXITED(status) && WEXITSTATUS(status) == FAR_SKIPPED)
        return FAR_SKIPPED;
    return n == (ssize_t)sizeof r->values && status == 0 ? 0 : -1;
}

static int run_once(const struct workload *w, run_function *run, struct run *r)
{
    int ends[2];
    double began = now_ns();
    if (pipe(ends))
        return -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        be_the_child(w, run, ends[1]);
    close(ends[1]);
    int result = child < 0 ? -1 : collect(child, ends[0], began, r);
    close(ends[0]);
    return result;
}

static void add_value(struct sample *to, double value)
{
    to->values[to->runs++] = value;
}

static int add_run(const struct workload *w, run_function *run, const char *who, struct sample *to,
                   struct cost *cost)
{
    struct run r;
    int result = run && !to->skipped ? run_once(w, run, &r) : FAR_SKIPPED;
    to->skipped = result == FAR_SKIPPED;
    if (to->skipped)
        return 0;
    if (result) {
        fprintf(stderr, "iris-bench: %s, %d workers: the run of %s failed or took over %d s\n",
                w->name, w->workers, who, PATIENCE);
        return -1;
    }
    for (int i = 0; i < METRICS_MAX && w->metrics[i].name; i++)
        add_value(&to[i], r.values[i]);
    add_value(&cost->cores, r.cores);
    add_value(&cost->peak, r.peak);
    return 0;
}

int measure(const struct workload *w, int runs, struct result *r)
{
    int failed = 0;
    memset(r, 0, sizeof *r);
    r->workload = w;
    for (int i = 0; i < runs && !failed; i++)
        failed = add_run(w, w->floor, "the floor", r->floor, &r->floor_cost) ||
                 add_run(w, w->iris, "Iris", r->iris, &r->iris_cost);
    return failed ? -1 : 0;
}
