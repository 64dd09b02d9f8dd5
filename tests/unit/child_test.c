/* P5: children end with their parent, from the leaves. */
#include "main.h"

#include "cast.h"

#include <stdlib.h>
#include <string.h>

enum { NODES = 64 };

/* A tree: each node spawns its children in init, as its number says: 2n+1 and 2n+2 below `last`. */
struct tree {
    iris_version *version;
    int last, with_later;
    atomic_int begun, ended, live, late_parents, second_begun, early_begins;
    _Atomic uint64_t pid[NODES];
    atomic_int up[NODES];
    const char *crash;
};

struct node {
    struct tree *t;
    int n;
};

static void spawn_node(iris_actor *self, struct tree *t, int n, uint64_t parent)
{
    iris_spawn s = {.size = sizeof s,
                    .abi = IRIS_ABI,
                    .version = t->version,
                    .args = {&n, sizeof n},
                    .parent = parent};
    uint64_t pid = 0;
    if (n < t->last && iris_calls()->spawn(self, &s, &pid) == IRIS_OK)
        atomic_store(&t->pid[n], pid);
}

static int node_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct node *node = malloc(sizeof *node);
    if (!node)
        return IRIS_FAIL;
    *node = (struct node){b->data, 0};
    if (args.len)
        memcpy(&node->n, args.data, sizeof node->n);
    struct tree *t = node->t;
    *state = node;
    if (atomic_exchange(&t->up[node->n], 1))
        atomic_fetch_add(&t->early_begins, 1); /* the one before it has not ended */
    atomic_fetch_add(&t->begun, 1);
    atomic_fetch_add(&t->live, 1);
    uint64_t me = iris_calls()->pid(self);
    if (node->n == 0)
        atomic_store(&t->pid[0], me);
    spawn_node(self, t, 2 * node->n + 1, me);
    spawn_node(self, t, 2 * node->n + 2, me);
    return IRIS_OK;
}

/* Nobody below is up any more. */
static void node_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct node *node = state;
    struct tree *t = node->t;
    (void)b, (void)self;
    for (int side = 1; side <= 2; side++)
        if (2 * node->n + side < t->last && atomic_load(&t->up[2 * node->n + side]))
            atomic_fetch_add(&t->late_parents, 1);
    atomic_store(&t->up[node->n], 0);
    atomic_fetch_add(&t->ended, 1);
    atomic_fetch_sub(&t->live, 1);
    free(node);
}

static int node_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    struct node *node = state;
    (void)b;
    for (int i = 0; i < n; i++) {
        if (m[i]->len == 5)
            return (iris_calls()->fail)("boom"), ~i;
        if (m[i]->len == 4)
            iris_calls()->exit(self, NULL);
        if (m[i]->len == 3)
            iris_calls()->later(self, m[i]);
        if (m[i]->len == 2)
            spawn_node(self, node->t, 2 * node->n + 1, iris_calls()->pid(self));
    }
    return n;
}

static struct tree *plant(struct scene *s, iris_behaviour *b, int last)
{
    struct tree *t = scene_memory(s, sizeof *t);
    *b = (iris_behaviour){.size = sizeof *b,
                          .abi = IRIS_ABI,
                          .name = "node",
                          .version = "1",
                          .data = t,
                          .init = node_init,
                          .fini = node_fini,
                          .handle = node_handle};
    t->last = last;
    t->version = scene_define(s, b);
    return t;
}

static const iris_watch *watch(void)
{
    return iris_calls()->extension(IRIS_WATCH);
}

/* ---- the order ---- */

/* 63 actors, six deep, whatever ends the first one. */
static void from_the_leaves(struct scene *s)
{
    for (int how = 0; how < 4; how++) {
        iris_behaviour b;
        struct tree *t = plant(s, &b, 63);
        uint64_t root = scene_spawn(s, &b, 0);
        if (how < 3)
            scene_settle(s);
        else
            cast_run(s, 20); /* while it grows */
        if (how == 0)
            watch()->stop(s->self, root);
        else if (how == 1 || how == 3)
            watch()->kill(s->self, root);
        else
            s->api->send(s->self, root, "boom!", 5, 0);
        cast_await_end(s, root);
        scene_settle(s);
        assert_int_equal(t->late_parents, 0);
        assert_int_equal(t->live, 0);
        assert_int_equal(t->begun, t->ended);
        if (how < 3)
            assert_int_equal(t->ended, 63);
        s->api->release(t->version);
    }
    assert_int_equal(scene_count(s).actors, 0);
}

/* From any node: what is below ends, and nothing else. */
static void from_the_middle(struct scene *s)
{
    iris_behaviour b;
    struct tree *t = plant(s, &b, 31);
    uint64_t root = scene_spawn(s, &b, 0);
    scene_settle(s);
    watch()->kill(s->self, t->pid[2]);
    watch()->stop(s->self, t->pid[5]); /* at the same time as its parent */
    scene_settle(s);
    assert_int_equal(t->live, 31 - 15);
    assert_int_equal(t->late_parents, 0);
    for (int i = 0; i < 10; i++) {
        s->api->send(s->self, t->pid[0], "12", 2, 0); /* another first child */
        s->api->send(s->self, t->pid[1], "boom!", 5, 0);
        cast_run(s, i);
    }
    watch()->stop(s->self, root);
    scene_settle(s);
    assert_int_equal(t->live, 0);
    s->api->release(t->version);
}

/* ---- endings of children ---- */

/* In the original the last child's end locks its parent for ever. */
static void last_child_exits(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour counter = cast_counter(l), plain = cast_plain(l);
    uint64_t parent = scene_spawn(s, &counter, 0);
    for (int i = 0; i < 20; i++) {
        uint64_t child = cast_spawn(s, &plain, (iris_spawn){.parent = parent});
        if (i & 1)
            watch()->stop(s->self, child);
        else
            watch()->kill(s->self, child);
        cast_await_end(s, child);
        assert_int_equal(scene_ask(s, parent, "count"), 0);
    }
    watch()->stop(s->self, parent);
    cast_await_end(s, parent); /* nobody is left to wait for */
}

/* A parent that lives for long forgets the children that ended: its list does not grow. */
static void short_lived_children(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    uint64_t parent = scene_spawn(s, &plain, 0);
    for (int i = 0; i < 300; i++) {
        uint64_t child = cast_spawn(s, &plain, (iris_spawn){.parent = parent});
        watch()->kill(s->self, child);
        cast_await_end(s, child);
    }
    scene_settle(s);
    iris_actor *a = iris__table_at(&iris__world_of(s->self)->table, parent);
    assert_true(iris__cold_if(a)->children.used <= 64);
}

static void mail_is_counted(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *eye = cast_ledger(s);
    iris_behaviour counter = cast_counter(l), plain = cast_plain(l), watcher = cast_watcher(eye);
    uint64_t parent = scene_spawn(s, &plain, 0);
    uint64_t child = cast_spawn(s, &counter, (iris_spawn){.parent = parent});
    scene_send(s, scene_spawn(s, &watcher, 0), child);
    scene_settle(s);
    for (uint64_t i = 1; i <= 300; i++)
        scene_send(s, child, cast_number(1, i));
    watch()->kill(s->self, parent);
    cast_await_end(s, parent);
    scene_settle(s);
    char words[64];
    snprintf(words, sizeof words, "parent (parent=%llu)", (unsigned long long)parent);
    assert_string_equal(eye->reason, words);
    assert_int_equal(l->handled + scene_count(s).ended, 300);
}

/* What a child has put off ends with it. */
static void later_is_cancelled(struct scene *s)
{
    iris_behaviour b;
    struct tree *t = plant(s, &b, 3);
    uint64_t root = scene_spawn(s, &b, 0);
    scene_settle(s);
    s->api->send(s->self, t->pid[1], "put", 3, 0);
    s->api->send(s->self, root, "put", 3, 0);
    cast_run(s, 20);
    watch()->kill(s->self, root);
    cast_await_end(s, root);
    assert_int_equal(t->live, 0);
    assert_int_equal(t->late_parents, 0);
    assert_int_equal(scene_count(s).ended, 2);
    s->api->release(t->version);
}

/* ---- a child that does not end ---- */

struct deaf {
    iris_executor *x;
    atomic_int woken;
};

static void wake(const iris_driver *d)
{
    struct deaf *deaf = d->data;
    atomic_fetch_add(&deaf->woken, 1);
}

static iris_executor *open_deaf(struct scene *s)
{
    struct deaf *d = scene_memory(s, sizeof *d);
    iris_driver driver = {
        .size = sizeof driver, .abi = IRIS_ABI, .name = "deaf", .data = d, .wake = wake};
    assert_int_equal(s->api->open(s->self, &driver, &d->x), IRIS_OK);
    return d->x;
}

/* Nobody drains its executor: as good as a handler that does not return, and on the virtual clock. */
static void stuck_child(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *eye = cast_ledger(s);
    iris_behaviour plain = cast_plain(l), watcher = cast_watcher(eye);
    iris_executor *x = open_deaf(s);
    uint64_t parent = scene_spawn(s, &plain, 0);
    uint64_t child = cast_spawn(s, &plain, (iris_spawn){.parent = parent, .executor = x});
    scene_send(s, scene_spawn(s, &watcher, 0), parent);
    scene_settle(s);
    int64_t before = s->api->now(s->self);
    watch()->kill(s->self, parent);
    cast_run(s, 2);
    assert_int_equal(eye->downs, 0); /* it waits */
    assert_int_equal(cast_info(s, parent).state, IRIS_STATE_STOPPING);
    assert_int_equal(s->api->send(s->self, parent, "x", 1, 0), IRIS_DEAD);
    cast_await_end(s, parent);
    assert_int_equal(s->api->now(s->self) - before, 5 * IRIS_SECOND);
    scene_settle(s);
    assert_int_equal(eye->downs, 1);
    assert_true(cast_is_alive(s, child));
    while (s->api->drain(x, IRIS_SECOND) == IRIS_AGAIN)
        ;
    assert_false(cast_is_alive(s, child));
    scene_settle(s);
    s->api->close(x);
}

/* ---- restart ---- */

static void restart_waits(struct scene *s)
{
    iris_behaviour b;
    struct tree *t = plant(s, &b, 31);
    uint64_t root = cast_supervise(s, &b, "/top", RESTART_ALWAYS);
    for (int i = 1; i <= 3; i++) {
        scene_settle(s);
        uint64_t first = t->pid[1];
        s->api->send(s->self, root, "boom!", 5, 0);
        if (i == 2)
            watch()->kill(s->self, first);
        scene_settle(s);
        assert_int_equal(t->early_begins, 0); /* each began after its forerunner had ended */
        assert_int_equal(t->late_parents, 0);
        assert_int_equal(t->live, 31);
        assert_true(cast_is_alive(s, root));
    }
    watch()->stop(s->self, root);
    scene_settle(s);
    assert_int_equal(t->live, 0);
    s->api->release(t->version);
}

/* Ended for good while it waits for its children: it does not come back. */
static void kill_outdoes_restart(struct scene *s)
{
    for (int i = 0; i < 12; i++) {
        iris_behaviour b;
        char path[16];
        struct tree *t = plant(s, &b, 7);
        snprintf(path, sizeof path, "/top%d", i);
        uint64_t root = cast_supervise(s, &b, path, RESTART_ALWAYS);
        scene_settle(s);
        s->api->send(s->self, root, "boom!", 5, 0);
        cast_run(s, i);
        watch()->stop(s->self, root);
        cast_await_end(s, root);
        scene_settle(s);
        assert_int_equal(t->live, 0);
        assert_int_equal(t->late_parents, 0);
        s->api->release(t->version);
    }
}

/* ---- spawning ---- */

static void dead_parent(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    uint64_t parent = scene_spawn(s, &plain, 0), pid = 0;
    watch()->kill(s->self, parent);
    cast_await_end(s, parent);
    iris_spawn how = {
        .size = sizeof how, .abi = IRIS_ABI, .version = scene_define(s, &plain), .parent = parent};
    uint64_t before = scene_count(s).actors;
    assert_int_equal(s->api->spawn(s->self, &how, &pid), IRIS_DEAD);
    how.path = "/a";
    assert_int_equal(s->api->spawn(s->self, &how, &pid), IRIS_DEAD);
    assert_int_equal(pid, 0);
    assert_int_equal(scene_count(s).actors, before);
    assert_int_equal(iris_find(s->rt, "/a"), 0);
    how.parent = UINT64_C(3) << 43 | 5;
    assert_int_equal(s->api->spawn(s->self, &how, &pid), IRIS_FAIL);
    s->api->release(how.version);
}

static void pools(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    const iris_pool *pool = cast_extension(s, IRIS_POOL);
    iris_behaviour counter = cast_counter(l), plain = cast_plain(l);
    uint64_t parent = scene_spawn(s, &plain, 0), pids[100];
    iris_spawn each = {.size = sizeof each,
                       .abi = IRIS_ABI,
                       .version = scene_define(s, &counter),
                       .budget = 10,
                       .parent = parent};
    assert_int_equal(pool->spawn(s->self, &each, 100, pids), IRIS_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(scene_ask(s, pids[i], "count"), 0);
    watch()->stop(s->self, parent);
    cast_await_end(s, parent);
    assert_int_equal(l->finis, 100);
    assert_int_equal(pool->spawn(s->self, &each, 100, pids), IRIS_DEAD);
    each.parent = 0;
    each.path = "/one";
    assert_int_equal(pool->spawn(s->self, &each, 2, pids), IRIS_FAIL);
    each.path = NULL;
    each.budget = 1 << 20;
    assert_int_equal(pool->spawn(s->self, &each, 2, pids), IRIS_FAIL);
    scene_settle(s);
    assert_int_equal(scene_count(s).actors, 0);
    s->api->release(each.version);
}

/* ---- at random ---- */

/* Trees that grow, crash and are killed at all places at once: all of it ends, from the leaves. */
static void forest(struct scene *s)
{
    unsigned random = (unsigned)s->seed * 2654435761u + 99;
    iris_behaviour b;
    struct tree *t = plant(s, &b, 31);
    uint64_t root = cast_supervise(s, &b, "/top", RESTART_ALWAYS);
    for (int i = 0; i < 60; i++) {
        random = random * 1103515245u + 12345;
        uint64_t pid = atomic_load(&t->pid[1 + (random >> 16) % 30]);
        unsigned what = random >> 24 & 3;
        if (what == 0)
            s->api->send(s->self, pid, "boom!", 5, 0);
        else if (what == 1)
            watch()->kill(s->self, pid);
        else if (what == 2)
            s->api->send(s->self, pid, "exit", 4, 0);
        cast_run(s, (int)(random >> 20 & 7));
        if (i % 20 == 19)
            watch()->kill(s->self, root); /* it comes back */
    }
    watch()->stop(s->self, root);
    watch()->kill(s->self, root);
    cast_await_end(s, root);
    scene_settle(s);
    assert_int_equal(t->live, 0);
    assert_int_equal(t->late_parents, 0);
    assert_int_equal(scene_count(s).actors, 0);
    s->api->release(t->version);
}

/* clang-format off */
#define PLAY(play)  static void test_##play(void **state) { (void)state; scene_play(play); }
#define SEEDS(play) static void test_##play(void **state) { (void)state; scene_play_seeds(play); }
PLAY(from_the_leaves)
PLAY(from_the_middle)
PLAY(last_child_exits)
PLAY(short_lived_children)
PLAY(mail_is_counted)
PLAY(later_is_cancelled)
SEEDS(stuck_child)
PLAY(restart_waits)
PLAY(kill_outdoes_restart)
PLAY(dead_parent)
PLAY(pools)
PLAY(forest)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p5.children_end_with_their_parent_from_the_leaves", test_from_the_leaves),
    IRIS_TEST("p5.what_is_below_a_child_ends_and_nothing_else", test_from_the_middle),
    IRIS_TEST("p5.the_end_of_the_last_child_leaves_its_parent_alone", test_last_child_exits),
    IRIS_TEST("p8.a_parent_forgets_children_that_ended", test_short_lived_children),
    IRIS_TEST("p2.mail_of_a_child_at_its_parents_end_is_counted", test_mail_is_counted),
    IRIS_TEST("p5.what_a_child_put_off_ends_with_its_parent", test_later_is_cancelled),
    IRIS_TEST("p5.a_child_that_does_not_end_holds_its_parent_for_five_seconds", test_stuck_child),
    IRIS_TEST("p4.a_restart_begins_when_the_children_have_ended", test_restart_waits),
    IRIS_TEST("p5.a_stop_while_it_waits_for_children_is_a_stop", test_kill_outdoes_restart),
    IRIS_TEST("p5.no_child_is_made_for_a_parent_that_has_ended", test_dead_parent),
    IRIS_TEST("p5.a_pool_is_made_whole_or_not_at_all", test_pools),
    IRIS_TEST("p5.trees_that_end_at_many_places_at_once_end_from_the_leaves", test_forest),
};
/* clang-format on */
IRIS_MAIN(tests)
