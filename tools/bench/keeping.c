#include "keeping.h"

#include "stage.h"

#include <iris/ext/name.h>
#include <iris/ext/timer.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- timers ---- */

struct late {
    double *us;
    size_t n, all;
    struct finish finish;
};

static int note_lateness(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *messages, int n)
{
    struct late *l = b->data;
    (void)self, (void)state;
    for (int i = 0; i < n; i++) {
        int64_t due;
        memcpy(&due, messages[i]->data, sizeof due);
        l->us[l->n++] = (now_ns() - (double)due) / 1e3;
    }
    if (l->n == l->all)
        finish_one(&l->finish);
    return n;
}

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void set_timers(const struct stage *s, uint64_t pid, size_t n)
{
    const iris_timer_api *timer = s->api->extension(IRIS_TIMER_EXT);
    for (size_t i = 0; i < n; i++) {
        int64_t delay = (500 + (int64_t)(i % 1000)) * IRIS_MILLISECOND;
        int64_t due = s->api->now(s->self) + delay;
        if (timer->after(s->self, pid, delay, &due, sizeof due, NULL))
            die(iris_reason());
    }
}

void timers_iris(const struct workload *w, double *values)
{
    struct stage s;
    struct late l = {.all = (size_t)w->size};
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "late", .data = &l, .handle = note_lateness};
    l.us = calloc(l.all, sizeof *l.us);
    for (size_t i = 0; i < l.all; i++)
        l.us[i] = 1; /* its pages are there before the memory is looked at */
    finish_begin(&l.finish, 1);
    stage_open(&s, w->workers, 0);
    uint64_t pid = stage_spawn(&s, stage_define(&s, &b)), before = anonymous_bytes();
    stage_settle(&s);
    double cpu = cpu_ns(), start = now_ns();
    set_timers(&s, pid, l.all);
    values[0] = (now_ns() - start) / (double)l.all;
    values[4] = (double)(anonymous_bytes() - before) / (double)l.all;
    finish_wait(&l.finish);
    values[1] = (cpu_ns() - cpu) / (double)l.all;
    values[2] = percentile(l.us, l.n, 0.5);
    values[3] = percentile(l.us, l.n, 0.99);
}

/* ---- names ---- */

enum { DIRECTORY = 1000 };

static void path_of(char *path, int i)
{
    snprintf(path, 64, "/shop/%d/worker-%d", i / DIRECTORY, i);
}

static int ignore(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)self, (void)state, (void)messages;
    return n;
}

static void count_one(void *ctx, const char *name, uint64_t pid)
{
    (void)name;
    *(uint64_t *)ctx += pid != 0;
}

static double register_all(const struct stage *s, const uint64_t *pids, int n)
{
    const iris_name *name = s->api->extension(IRIS_NAME);
    char path[64];
    double start = now_ns();
    for (int i = 0; i < n; i++) {
        path_of(path, i);
        if (name->set(s->self, path, pids[i]))
            die(iris_reason());
    }
    return (now_ns() - start) / n;
}

static double find_some(const struct stage *s, const uint64_t *pids, int n)
{
    const iris_name *name = s->api->extension(IRIS_NAME);
    char path[64];
    enum { FINDS = 100000 };
    double start = now_ns();
    for (int i = 0; i < FINDS; i++) {
        int which = (int)((uint64_t)i * 7919 % (uint64_t)n);
        path_of(path, which);
        if (name->find(s->self, path) != pids[which])
            die("a path was not found");
    }
    return (now_ns() - start) / FINDS;
}

static double list_one(const struct stage *s)
{
    const iris_name *name = s->api->extension(IRIS_NAME);
    double us[101];
    for (int i = 0; i < 101; i++) {
        uint64_t n = 0;
        char prefix[64];
        snprintf(prefix, sizeof prefix, "/shop/%d", i);
        double start = now_ns();
        name->children_direct(s->self, prefix, count_one, &n);
        us[i] = (now_ns() - start) / 1e3;
        if (n != DIRECTORY)
            die("a directory is not complete");
    }
    return percentile(us, 101, 0.5);
}

void names_iris(const struct workload *w, double *values)
{
    struct stage s;
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "named", .handle = ignore};
    uint64_t *pids = calloc((size_t)w->size, sizeof *pids);
    stage_open(&s, w->workers, 0);
    stage_spawn_many(&s, &b, (size_t)w->size, pids);
    stage_settle(&s);
    uint64_t before = anonymous_bytes();
    values[0] = register_all(&s, pids, w->size);
    values[3] = (double)(anonymous_bytes() - before) / w->size;
    values[1] = find_some(&s, pids, w->size);
    values[2] = list_one(&s);
}
