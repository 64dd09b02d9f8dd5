/* A fixed amount of work in a seeded runtime, which has no threads and takes the same steps each time:
 * instructions of it can be counted and compared. Only what measured() calls is to be counted; the name
 * is known to tools/bench/instructions. */
#include "bench.h"

#include "count_hosts.h"
#include "counter.h"
#include "mesh_count.h"
#include "stage.h"

#include <string.h>

enum { SEED = 1 };

struct job {
    const char *name;
    void (*prepare)(struct stage *, long operations);
    void (*work)(struct stage *, long operations);
};

static uint64_t target;
static iris_version *versions[2];

static void step_all(const struct stage *s)
{
    while (iris_step(s->rt))
        ;
}

/* ---- send: into the mailbox of an actor that is queued already ---- */

static void prepare_counter(struct stage *s, long operations)
{
    (void)operations;
    counter_define(s, versions);
    target = stage_spawn(s, versions[0]);
    step_all(s);
}

static void send_all(struct stage *s, long operations)
{
    for (long i = 0; i < operations; i++)
        stage_send(s, target, 1, 0);
}

/* ---- deliver: from the mailbox to handle(), until it is empty ---- */

static void deliver_all(struct stage *s, long operations)
{
    (void)operations;
    step_all(s);
}

/* The messages have been used before, as those of a program that runs for long. */
static void prepare_messages(struct stage *s, long operations)
{
    prepare_counter(s, operations);
    send_all(s, operations);
    deliver_all(s, operations);
}

static void prepare_mail(struct stage *s, long operations)
{
    prepare_messages(s, operations);
    send_all(s, operations);
}

/* ---- pingpong: one message between two actors, each hop a turn ---- */

static int volley(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    const struct stage *s = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        const iris_message *m = messages[i];
        uint64_t left;
        memcpy(&left, m->data, sizeof left);
        if (--left)
            s->api->send(self, m->ref ? m->ref : m->from, &left, sizeof left, 0);
    }
    return n;
}

static uint64_t partner;

static void prepare_pair(struct stage *s, long operations)
{
    iris_behaviour player = {.size = sizeof player,
                             .abi = IRIS_ABI,
                             .name = "player",
                             .version = "1",
                             .handle = volley,
                             .data = s};
    uint64_t pids[2];
    (void)operations;
    stage_spawn_many(s, &player, 2, pids);
    target = pids[0];
    partner = pids[1];
    step_all(s);
}

static void play_all(struct stage *s, long operations)
{
    stage_send(s, target, (uint64_t)operations, partner);
    step_all(s);
}

/* ---- swap: of a stateful counter, by bytes ---- */

static void swap_all(struct stage *s, long operations)
{
    for (long i = 0; i < operations; i++) {
        if (s->api->swap(s->self, target, versions[(i + 1) % 2], 0, NULL, NULL))
            die(iris_reason());
        step_all(s);
    }
}

/* ---- spawn: and the first turn ---- */

static void spawn_all(struct stage *s, long operations)
{
    for (long i = 0; i < operations; i++)
        stage_spawn(s, versions[0]);
    step_all(s);
}

static const struct job jobs[] = {
    {"send", prepare_messages, send_all},  {"deliver", prepare_mail, deliver_all},
    {"pingpong", prepare_pair, play_all},  {"swap", prepare_counter, swap_all},
    {"spawn", prepare_counter, spawn_all}, {"mesh", mesh_prepare, mesh_send_all},
};

const char *const count_names = "send, deliver, pingpong, swap, spawn, mesh, python, node";

__attribute__((noinline)) void measured(const struct job *job, struct stage *s, long operations);

void measured(const struct job *job, struct stage *s, long operations)
{
    job->work(s, operations);
}

static const struct job *find(const char *name)
{
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        if (strcmp(jobs[i].name, name) == 0)
            return &jobs[i];
    return NULL;
}

int count_operations(const char *what, long operations)
{
    const struct job *job = find(what);
    struct stage s;
    if (!job) {
        count_in_language(what, operations);
        fprintf(stderr, "iris-bench: --count knows %s, not \"%s\"\n", count_names, what);
        return 2;
    }
    stage_open(&s, 1, SEED);
    job->prepare(&s, operations);
    measured(job, &s, operations);
    printf("%s: %ld operations\n", what, operations);
    fflush(stdout);
    return 0; /* closing would end actors with mail; that is not what is counted */
}
