#include "restarts.h"

#include "stage.h"

#include <iris/ext/name.h>
#include <iris/ext/supervise.h>

#include <stdlib.h>

enum { RESTARTS = 400000, RESTARTS_WARM_UP = 20000 };

struct patient {
    iris_behaviour behaviour;
    struct finish *finish;
    uint64_t pid;
    long left;
};

/* What is told of each restart: that it crashed and why, what was decided, that it began. */
static void hear(void *ctx, const iris_event *e)
{
    atomic_ulong *told = ctx;
    if (e->text && *e->text)
        atomic_fetch_add_explicit(told, 1, memory_order_relaxed);
}

static int begin(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct patient *p = b->data;
    (void)args, (void)state;
    if (p->left && --p->left == 0)
        finish_one(p->finish);
    else if (p->left)
        return iris_calls()->send(self, iris_calls()->pid(self), "crash", 5, 0);
    return IRIS_OK;
}

static int crash(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *messages, int n)
{
    (void)b, (void)self, (void)state, (void)messages, (void)n;
    return iris_calls()->fail("it was told to"), ~0;
}

static void supervise(const struct stage *s, struct patient *p, int i)
{
    const iris_supervise *supervise = s->api->extension(IRIS_SUPERVISE);
    iris_supervision how = {
        .size = sizeof how, .abi = IRIS_ABI, .intensity = 100000, .period = IRIS_MILLISECOND};
    char path[32];
    snprintf(path, sizeof path, "/patient/%d", i);
    p->behaviour = (iris_behaviour){.size = sizeof p->behaviour,
                                    .abi = IRIS_ABI,
                                    .name = "patient",
                                    .version = "1",
                                    .data = p,
                                    .init = begin,
                                    .handle = crash};
    p->pid = stage_spawn(s, stage_define(s, &p->behaviour));
    stage_settle(s);
    if (supervise->create(s->self, path, &how) || supervise->watch(s->self, path, p->pid))
        die(iris_reason());
}

static double restart_all(const struct stage *s, struct patient *patients, int n, long count)
{
    struct finish finish;
    finish_begin(&finish, n);
    for (int i = 0; i < n; i++) {
        patients[i].finish = &finish;
        patients[i].left = count / n;
    }
    double start = now_ns();
    for (int i = 0; i < n; i++)
        stage_send(s, patients[i].pid, 0, 0);
    finish_wait(&finish);
    return (double)(count / n * n) * 1e6 / (now_ns() - start);
}

void restarts_iris(const struct workload *w, double *values)
{
    struct stage s;
    atomic_ulong told = 0;
    struct patient *patients = calloc((size_t)w->size, sizeof *patients);
    iris_options options = {.size = sizeof options,
                            .abi = IRIS_ABI,
                            .workers = (uint32_t)w->workers,
                            .event = hear,
                            .ctx = &told};
    stage_open_with(&s, &options);
    for (int i = 0; i < w->size; i++)
        supervise(&s, &patients[i], i);
    restart_all(&s, patients, w->size, RESTARTS_WARM_UP);
    values[0] = restart_all(&s, patients, w->size, RESTARTS);
    stage_close(&s);
    if (atomic_load(&told) < 2 * RESTARTS)
        die("not all restarts were told of");
    free(patients);
}
