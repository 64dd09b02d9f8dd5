#include "bench.h"

#include <iris/iris.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#ifndef IRIS_BUILD_FLAGS
#define IRIS_BUILD_FLAGS "unknown flags"
#endif
#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

struct machine {
    int cores, is_virtual;
    char model[128];
    double load;
};

static void take_line(struct machine *m, char *line)
{
    char *value = strchr(line, ':');
    if (!value)
        return;
    value[strcspn(value, "\n")] = '\0';
    if (strncmp(line, "model name", 10) == 0 && value[1])
        snprintf(m->model, sizeof m->model, "%.127s", value + 2);
    if (strncmp(line, "flags", 5) == 0)
        m->is_virtual = strstr(value, " hypervisor") != NULL;
}

static struct machine look_at_machine(void)
{
    struct machine m = {.model = "unknown processor"};
    char line[8192];
    cpu_set_t set;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f))
        take_line(&m, line);
    if (f)
        fclose(f);
    m.cores = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    if (getloadavg(&m.load, 1) != 1)
        m.load = 0;
    return m;
}

/* ---- numbers ---- */

static const char *format_number(char *to, size_t room, double v)
{
    double size = v < 0 ? -v : v;
    snprintf(to, room, "%.*f", size >= 100 ? 0 : size >= 10 ? 1 : 2, v);
    return to;
}

/* "12.3 (11.9..12.8)", or nothing where there were no runs */
static const char *format_sample(char *to, size_t room, const struct sample *s)
{
    char median[32], low[32], high[32];
    struct summary sum = summarize(s);
    if (!s->runs)
        return "";
    snprintf(to, room, "%s (%s..%s)", format_number(median, sizeof median, sum.median),
             format_number(low, sizeof low, sum.low), format_number(high, sizeof high, sum.high));
    return to;
}

static const char *format_ratio(char *to, size_t room, double r)
{
    snprintf(to, room, "%.0f %%", r * 100);
    return r > 0 ? to : "";
}

static const char *format_workers(char *to, size_t room, int workers)
{
    snprintf(to, room, "%d", workers);
    return workers ? to : "";
}

/* ---- table, markdown ---- */

#define TABLE_ROW "%-40s %-7s %-9s %-11s %-24s %-24s %s\n"
#define MARKDOWN_ROW "| %s | %s | %s | %s | %s | %s | %s |\n"

static void print_row(enum style style, const struct workload *w, const struct metric *m,
                      const struct sample *floor, const struct sample *iris)
{
    char workers[16], left[128], right[128], part[16];
    printf(style == STYLE_TABLE ? TABLE_ROW : MARKDOWN_ROW, w->title,
           format_workers(workers, sizeof workers, w->workers), m->name, m->unit,
           format_sample(left, sizeof left, floor), format_sample(right, sizeof right, iris),
           format_ratio(part, sizeof part, ratio(m, floor, iris)));
}

static void print_text_machine(const char *mark, const struct machine *m)
{
    printf("%sIris %s; %s; %s\n", mark, iris_calls()->version, COMPILER, IRIS_BUILD_FLAGS);
    printf("%s%d cores, %s%s; load before the first run %.1f\n", mark, m->cores, m->model,
           m->is_virtual ? ", virtual" : "", m->load);
}

static void print_text_head(enum style style, const struct machine *m, int runs)
{
    const char *mark = style == STYLE_MARKDOWN ? "- " : "";
    print_text_machine(mark, m);
    printf(
        "%sMedian and range of %d runs; floor and Iris in turn, each run a process of its own that "
        "warms up first.\n",
        mark, runs);
    printf(
        "%sCounted is what was handled. Iris/floor: the median of the pairs, 100 %% = as good as "
        "the bare loop, more is better.\n\n",
        mark);
    printf(style == STYLE_TABLE ? TABLE_ROW : MARKDOWN_ROW, "workload", "workers", "measured",
           "unit", "floor", "Iris", "Iris/floor");
    if (style == STYLE_MARKDOWN)
        printf("|---|---|---|---|---|---|---|\n");
}

/* ---- JSON ---- */

static int rows_printed;

static void print_json_sample(const char *key, const struct sample *s, const struct cost *cost)
{
    struct summary sum = summarize(s);
    if (s->runs)
        printf(
            ", \"%s\": {\"median\": %.6g, \"low\": %.6g, \"high\": %.6g, \"cores\": %.3g, \"peak_mb\": "
            "%.4g}",
            key, sum.median, sum.low, sum.high, summarize(&cost->cores).median,
            summarize(&cost->peak).median);
}

static void print_json_row(const struct result *result, int i)
{
    const struct workload *w = result->workload;
    const struct metric *m = &w->metrics[i];
    double r = ratio(m, &result->floor[i], &result->iris[i]);
    printf(
        "%s\n    {\"workload\": \"%s\", \"title\": \"%s\", \"workers\": %d, \"measured\": \"%s\", "
        "\"unit\": \"%s\", \"less_is_better\": %s",
        rows_printed++ ? "," : "", w->name, w->title, w->workers, m->name, m->unit,
        m->less_is_better ? "true" : "false");
    print_json_sample("floor", &result->floor[i], &result->floor_cost);
    print_json_sample("iris", &result->iris[i], &result->iris_cost);
    if (r > 0)
        printf(", \"ratio\": %.4g", r);
    printf("}");
}

static void print_json_machine(const struct machine *m)
{
    printf(
        "  \"compiler\": \"%s\",\n  \"flags\": \"%s\",\n  \"cores\": %d,\n  \"processor\": \"%s\",\n"
        "  \"virtual\": %s,\n  \"load_before\": %.2f,\n",
        COMPILER, IRIS_BUILD_FLAGS, m->cores, m->model, m->is_virtual ? "true" : "false", m->load);
}

static void print_json_head(const struct machine *m, int runs)
{
    printf("{\n  \"schema\": \"iris-bench/1\",\n  \"iris\": \"%s\",\n", iris_calls()->version);
    print_json_machine(m);
    printf("  \"runs\": %d,\n  \"rows\": [", runs);
}

/* ---- what main() calls ---- */

void print_head(enum style style, int runs)
{
    struct machine m = look_at_machine();
    if (style == STYLE_JSON)
        print_json_head(&m, runs);
    else
        print_text_head(style, &m, runs);
}

void print_machine(enum style style)
{
    struct machine m = look_at_machine();
    if (style == STYLE_JSON)
        print_json_machine(&m);
    else
        print_text_machine("", &m);
}

void print_result(enum style style, const struct result *r)
{
    const struct workload *w = r->workload;
    for (int i = 0; i < METRICS_MAX && w->metrics[i].name; i++)
        if (style == STYLE_JSON)
            print_json_row(r, i);
        else
            print_row(style, w, &w->metrics[i], &r->floor[i], &r->iris[i]);
    fflush(stdout);
}

void print_foot(enum style style)
{
    double load = look_at_machine().load;
    if (style == STYLE_JSON)
        printf("\n  ],\n  \"load_after\": %.2f\n}\n", load);
    else
        printf("\n%sLoad after the last run %.1f (other programs on this machine make the ranges "
               "wide).\n",
               style == STYLE_MARKDOWN ? "- " : "", load);
}
