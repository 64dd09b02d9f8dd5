#include "lives.h"

#include "counter.h"
#include "floor.h"
#include "stage.h"

#include <stdlib.h>

/* ---- idle actors ---- */

static void floor_ignore(struct floor_actor *a, struct floor_message *m)
{
    (void)a;
    floor_put(m);
}

void spawn_floor(const struct workload *w, double *values)
{
    size_t n = (size_t)w->size;
    uint64_t before = anonymous_bytes();
    double start = now_ns();
    struct floor_actor *actors = floor_actors(n, floor_ignore);
    double took = now_ns() - start;
    values[0] = (double)(anonymous_bytes() - before) / (double)n;
    values[1] = (double)n * 1e6 / took;
    free(actors);
}

static int ignore(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)self, (void)state, (void)messages;
    return n;
}

static double spawn_all(const struct stage *s, iris_version *v, size_t n)
{
    double start = now_ns();
    for (size_t i = 0; i < n; i++)
        stage_spawn(s, v);
    stage_settle(s); /* each has had its first turn */
    return now_ns() - start;
}

/* The first thousand pay for what every runtime has once: queues, message memory, stacks. */
void spawn_iris(const struct workload *w, double *values)
{
    struct stage s;
    size_t n = (size_t)amount(w->size);
    iris_behaviour idler = {
        .size = sizeof idler, .abi = IRIS_ABI, .name = "idler", .version = "1", .handle = ignore};
    stage_open(&s, w->workers, 0);
    iris_version *v = stage_define(&s, &idler);
    spawn_all(&s, v, 1000);
    uint64_t before = anonymous_bytes();
    double took = spawn_all(&s, v, n);
    values[0] = (double)(anonymous_bytes() - before) / (double)n;
    values[1] = (double)n * 1e6 / took;
    /* The process ends here: closing would only take its time. */
}

/* ---- swaps ---- */

enum { SWAPS = 100000, SWAP_WARM_UP = 5000 };

struct swapping {
    struct stage stage;
    iris_version *versions[2];
    uint64_t pid;
    long left;
    struct finish finish;
};

static void swap_next(struct swapping *s);

/* The swap is in effect. */
static void on_swapped(void *ctx, int result, const char *why)
{
    struct swapping *s = ctx;
    if (result)
        die(why);
    if (s->left)
        swap_next(s);
    else
        finish_one(&s->finish);
}

static void swap_next(struct swapping *s)
{
    iris_version *next = s->versions[--s->left % 2];
    if (s->stage.api->swap(s->stage.self, s->pid, next, 0, on_swapped, s))
        die(iris_reason());
}

static double swap_many(struct swapping *s, long count)
{
    double start = now_ns();
    s->left = count;
    finish_begin(&s->finish, 1);
    swap_next(s);
    finish_wait(&s->finish);
    return (double)count * 1e6 / (now_ns() - start);
}

void swap_iris(const struct workload *w, double *values)
{
    struct swapping s;
    stage_open(&s.stage, w->workers, 0);
    counter_define(&s.stage, s.versions);
    s.pid = stage_spawn(&s.stage, s.versions[0]);
    swap_many(&s, amount(SWAP_WARM_UP));
    values[0] = swap_many(&s, amount(SWAPS));
    stage_close(&s.stage);
}
