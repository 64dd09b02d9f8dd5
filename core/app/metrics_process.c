#include "metrics_out.h"

#include "app.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

/* The process, its languages, and the threads that actors run on. */

static void add_times(struct text *out)
{
    double used, began;
    if (iris__process_times(&used, &began))
        return;
    iris__metric_family(out, "process_cpu_seconds_total", "counter", "Processor time used.");
    iris__text_addf(out, "process_cpu_seconds_total %.2f\n", used);
    iris__metric_family(out, "process_start_time_seconds", "gauge", "When it began, since 1970.");
    iris__text_addf(out, "process_start_time_seconds %.2f\n", began);
}

void iris__metrics_process(struct app *a, struct text *out)
{
    struct sched *s = &a->runtime->world.sched;
    add_times(out);
    iris__metric_alone(out, "process_resident_memory_bytes", "gauge", "Memory in use.",
                       iris__process_memory().resident);
    iris__metric_alone(out, "process_open_fds", "gauge", "Open descriptors.",
                       iris__process_files());
    iris__metric_alone(out, "process_threads", "gauge", "Threads.", iris__process_threads());
    iris__metric_alone(out, "iris_workers", "gauge", "Threads of native actors.",
                       iris__sched_workers(s));
}

/* ---- executors ---- */

#define NAMES_MAX \
    64 /* an actor's own thread is named as its behaviour; beyond these they are "other" */

struct list {
    struct executor_look of[NAMES_MAX + 1];
    int n;
};

/* Those of one name together: of their ages the greatest. */
static void gather(void *ctx, const struct executor_look *x)
{
    struct list *l = ctx;
    int i = 0;
    while (i < l->n && strcmp(l->of[i].name, x->name) != 0)
        i++;
    if (i == l->n) {
        i = l->n < NAMES_MAX ? l->n : NAMES_MAX;
        l->n = i + 1;
        snprintf(l->of[i].name, sizeof l->of[i].name, "%s", i < NAMES_MAX ? x->name : "other");
    }
    l->of[i].turns += x->turns;
    l->of[i].queued += x->queued;
    l->of[i].age = x->age > l->of[i].age ? x->age : l->of[i].age;
}

static void add_threads(const struct list *l, struct text *out)
{
    static const char turns[] = "iris_executor_turns_total", queue[] = "iris_executor_queue",
                      age[] = "iris_executor_age_seconds";
    iris__metric_family(out, turns, "counter", "Turns of actors, begun.");
    for (int i = 0; i < l->n; i++)
        iris__metric(out, turns, "executor", l->of[i].name, l->of[i].turns);
    iris__metric_family(out, queue, "gauge", "Actors that wait for their turn.");
    for (int i = 0; i < l->n; i++)
        iris__metric(out, queue, "executor", l->of[i].name, l->of[i].queued);
    iris__metric_family(out, age, "gauge", "Since it last began a turn, while work waits.");
    for (int i = 0; i < l->n; i++)
        iris__metric_seconds(out, age, "executor", l->of[i].name, l->of[i].age);
}

/* ---- languages ---- */

static void add_hosts(struct app *a, struct text *out)
{
    static const struct {
        const char *name, *help;
    } families[] = {
        {"iris_host_instances", "Environments of a language that run."},
        {"iris_host_versions", "Versions of handlers that a language keeps."},
        {"iris_host_heap_bytes", "Memory of a language's objects; 0: not known."},
    };
    for (size_t f = 0; f < 3; f++) {
        const struct host *at = NULL;
        const char *name;
        iris_usage u;
        int n = 0;
        while ((at = iris__host_usage(&a->runtime->hosts, at, &name, &u))) {
            if (!n++)
                iris__metric_family(out, families[f].name, "gauge", families[f].help);
            const uint64_t values[] = {u.instances, u.versions, u.heap};
            iris__metric(out, families[f].name, "host", name, values[f]);
        }
    }
}

void iris__metrics_executors(struct app *a, struct text *out)
{
    struct list *l = calloc(1, sizeof *l);
    if (l) {
        iris__sched_executors(&a->runtime->world.sched, gather, l);
        add_threads(l, out);
    }
    free(l);
    add_hosts(a, out);
}
