/* A tour of what Iris does, in about a minute: one row of each kind, Iris alone. Of each what was handled is
 * counted. A language that this build has no host for has a row that says so. */
#include "bench.h"

#include <iris/app.h>

#include <string.h>
#include <unistd.h>

static int runs(void)
{
    return bench_share > 1 ? 1 : 3;
}

static const struct stop { /* of the tour */
    const char *workload;
    int workers;
    int metrics;      /* so many of the workload's are shown */
    const char *host; /* what it is carried by, or NULL */
} stops[] = {
    {"spawn", 1, 2, NULL},       {"ping-pong", 1, 1, NULL},   {"fan-in-8", 2, 1, NULL},
    {"python", 1, 1, "python"},  {"node", 1, 1, "node"},      {"swap", 1, 1, NULL},
    {"mesh-pipe", 1, 1, "mesh"}, {"mesh-trip", 1, 2, "mesh"},
};

enum { NSTOPS = sizeof stops / sizeof *stops };

static const struct workload *workload_of(const struct stop *s)
{
    for (int i = 0; i < workload_count; i++)
        if (!strcmp(workloads[i].name, s->workload) && workloads[i].workers == s->workers)
            return &workloads[i];
    return NULL;
}

/* ---- what is said ---- */

static void say_progress(int i, const char *title)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (title)
        fprintf(stderr, "\r\033[K%d/%d  %s ...", i + 1, NSTOPS, title);
    else
        fputs("\r\033[K", stderr);
    fflush(stderr);
}

/* The first sentence of why there is nothing. */
static int sentence(const char *text)
{
    return (int)strcspn(text, "\n");
}

static void print_absent(int json, const struct stop *s, const char *title, const char *why)
{
    if (json)
        printf("    {\"row\": \"%s\", \"title\": \"%s\", \"absent\": true}", s->workload, title);
    else
        printf("%-48s -  %.*s\n", title, sentence(why), why);
}

static void print_metric(int json, const struct stop *s, const struct workload *w, int i,
                         const struct sample *sample)
{
    const struct metric *m = &w->metrics[i];
    struct summary sum = summarize(sample);
    int places = sum.median >= 100 ? 0 : sum.median >= 10 ? 1 : 2;
    if (json)
        printf("%s    {\"row\": \"%s\", \"title\": \"%s\", \"workers\": %d, \"measured\": \"%s\", "
               "\"unit\": \"%s\", \"median\": %.6g, \"low\": %.6g, \"high\": %.6g}",
               i ? ",\n" : "", s->workload, w->title, w->workers, m->name, m->unit, sum.median,
               sum.low, sum.high);
    else
        printf("%-48s %-8s %8.*f %s\n", i ? "" : w->title, m->name, places, sum.median, m->unit);
}

/* ---- the tour ---- */

/* The floor of some workloads is another program; here it is Iris alone. */
static int visit(int i, int json)
{
    const struct stop *s = &stops[i];
    struct result r;
    struct workload w = *workload_of(s);
    char title[80];
    w.floor = NULL;
    snprintf(title, sizeof title, "%.*s", (int)strcspn(w.title, ";"), w.title);
    w.title = title;
    if (json && i)
        printf(",\n");
    if (s->host && iris_app_has_host(s->host)) {
        print_absent(json, s, title, iris_app_reason());
        return 0;
    }
    say_progress(i, title);
    int failed = measure(&w, runs(), &r);
    say_progress(i, NULL);
    if (failed) /* that was told */
        print_absent(json, s, title, "it failed");
    for (int k = 0; k < s->metrics && !failed; k++)
        print_metric(json, s, &w, k, &r.iris[k]);
    fflush(stdout);
    return failed;
}

int tour(int json)
{
    int failed = 0;
    if (json)
        printf("{\n  \"iris\": 1,\n  \"schema\": \"iris-bench-tour/1\",\n  \"version\": \"%s\",\n"
               "  \"quick\": %s,\n  \"runs\": %d,\n",
               iris_app_version(), bench_share > 1 ? "true" : "false", runs());
    print_machine(json ? STYLE_JSON : STYLE_TABLE);
    printf(json ? "  \"rows\": [\n" : "\n");
    for (int i = 0; i < NSTOPS; i++)
        failed |= visit(i, json);
    printf(json ? "\n  ]\n}\n" : "\n");
    if (!json && bench_share > 1)
        printf("quick: a hundredth of the work; this shows that it works, not how fast\n");
    else if (!json)
        printf("Medians of %d runs; what was handled is counted, not what was sent.\n", runs());
    return failed ? 1 : 0;
}
