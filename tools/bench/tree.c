/* A tree of actors: each makes ten, down to the leaves, which send their number up and end; the others
 * send up the sum of what they got, and end. (Elsewhere called skynet.) */
#include "exchange.h"

#include "floor.h"
#include "stage.h"

#include <stdlib.h>
#include <string.h>

enum { BRANCHES = 10 };

static struct finish finish;
static uint64_t total;

static void check(uint64_t leaves)
{
    if (total != leaves * (leaves - 1) / 2)
        die("the tree has a wrong sum");
}

/* ---- floor: ten actors are one piece of memory, which nobody gives back ---- */

struct floor_node {
    struct floor_actor *parent;
    uint64_t sum;
};

static void floor_answer(struct floor_actor *a, struct floor_actor *to, uint64_t value)
{
    if (to) {
        floor_send_new(to, a, value);
        return;
    }
    total = value;
    finish_one(&finish);
}

static void floor_add(struct floor_actor *a, struct floor_message *m)
{
    struct floor_node *node = a->unused;
    node->sum += m->value;
    floor_put(m);
    if (!--a->count)
        floor_answer(a, node->parent, node->sum);
}

/* The first message says from which number on, and how many leaves. */
static void floor_begin(struct floor_actor *a, struct floor_message *m)
{
    uint64_t first = m->value >> 32, size = m->value & UINT32_MAX;
    struct floor_actor *parent = m->from;
    floor_put(m);
    if (size == 1) {
        floor_answer(a, parent, first);
        return;
    }
    struct floor_node *node = calloc(1, sizeof *node);
    struct floor_actor *children = floor_actors(BRANCHES, floor_begin);
    node->parent = parent;
    a->unused = node;
    a->count = BRANCHES;
    a->handle = floor_add;
    for (uint64_t i = 0; i < BRANCHES; i++)
        floor_send_new(&children[i], a, (first + i * (size / BRANCHES)) << 32 | size / BRANCHES);
}

static double floor_play(uint64_t leaves)
{
    struct floor_actor *root = floor_actors(1, floor_begin);
    double start = now_ns();
    finish_begin(&finish, 1);
    floor_send_new(root, NULL, leaves);
    finish_wait(&finish);
    double took = now_ns() - start;
    check(leaves);
    return took / 1e6;
}

void tree_floor(const struct workload *w, double *values)
{
    floor_start(w->workers);
    floor_play((uint64_t)w->size / BRANCHES);
    values[0] = floor_play((uint64_t)w->size);
    floor_stop();
}

/* ---- Iris ---- */

static struct forest { /* actors end after the sum is there, and use it until then */
    struct stage stage;
    iris_version *leaf, *inner;
} forest;

struct part { /* what a message says: to a new actor, and from it */
    uint32_t first, size;
};

struct node { /* an inner actor's state */
    uint64_t parent, sum;
    int left;
};

static int answer_leaf(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *messages, int n)
{
    const iris_api *api = ((const struct forest *)b->data)->stage.api;
    struct part part;
    (void)state, (void)n;
    memcpy(&part, messages[0]->data, sizeof part);
    uint64_t number = part.first;
    api->send(self, messages[0]->from, &number, sizeof number, 0);
    api->exit(self, NULL);
    return 1;
}

static int begin_inner(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, sizeof(struct node));
    return *state ? IRIS_OK : IRIS_FAIL;
}

static void end_inner(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static void branch(const struct forest *f, iris_actor *self, struct node *node,
                   const iris_message *m)
{
    struct part part;
    memcpy(&part, m->data, sizeof part);
    node->parent = m->from;
    node->left = BRANCHES;
    part.size /= BRANCHES;
    iris_spawn spawn = {
        .size = sizeof spawn, .abi = IRIS_ABI, .version = part.size == 1 ? f->leaf : f->inner};
    for (int i = 0; i < BRANCHES; i++, part.first += part.size) {
        uint64_t pid;
        if (f->stage.api->spawn(self, &spawn, &pid) ||
            f->stage.api->send(self, pid, &part, sizeof part, 0))
            die("a branch of the tree did not begin");
    }
}

static void finish_inner(const struct forest *f, iris_actor *self, const struct node *node)
{
    if (node->parent)
        f->stage.api->send(self, node->parent, &node->sum, sizeof node->sum, 0);
    else {
        total = node->sum;
        finish_one(&finish);
    }
    f->stage.api->exit(self, NULL);
}

static int add(const iris_behaviour *b, iris_actor *self, void *state,
               const iris_message *const *messages, int n)
{
    const struct forest *f = b->data;
    struct node *node = state;
    for (int i = 0; i < n; i++) {
        uint64_t number;
        if (!node->left) {
            branch(f, self, node, messages[i]);
            continue;
        }
        memcpy(&number, messages[i]->data, sizeof number);
        node->sum += number;
        if (!--node->left)
            finish_inner(f, self, node);
    }
    return n;
}

static double play(const struct forest *f, uint32_t leaves)
{
    struct part all = {0, leaves};
    double start = now_ns();
    finish_begin(&finish, 1);
    stage_send_bytes(&f->stage, stage_spawn(&f->stage, f->inner), &all, sizeof all, 0);
    finish_wait(&finish);
    double took = now_ns() - start;
    check(leaves);
    return took / 1e6;
}

void tree_iris(const struct workload *w, double *values)
{
    iris_behaviour leaf = {.size = sizeof leaf,
                           .abi = IRIS_ABI,
                           .name = "leaf",
                           .version = "1",
                           .handle = answer_leaf,
                           .data = &forest};
    iris_behaviour inner = leaf;
    inner.name = "inner";
    inner.handle = add;
    inner.init = begin_inner;
    inner.fini = end_inner;
    stage_open(&forest.stage, w->workers, 0);
    forest.leaf = stage_define(&forest.stage, &leaf);
    forest.inner = stage_define(&forest.stage, &inner);
    play(&forest, (uint32_t)w->size / BRANCHES);
    values[0] = play(&forest, (uint32_t)w->size);
    /* The process ends here. */
}
