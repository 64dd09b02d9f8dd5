/* Actors of another node are ordinary pids: two runtimes in one process, connected by a socket that a
 * mock route serves (tests/behaviours/route.c). The core knows no socket. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAR(pid) (UINT64_C(1) << 43 | (pid)) /* the first node that comes up gets index 1 */

static int is_linked(struct scene *s)
{
    return iris_find(s->rt, "/mesh/link") != 0 &&
           cast_info(s, iris_find(s->rt, "/mesh/link")).uptime > 0;
}

static void join(struct scene *s, int fd)
{
    char config[40];
    snprintf(config, sizeof config, "%d other", fd);
    if (iris__host_add(&s->rt->hosts, IRIS_BUILD_DIR "/tests/behaviours/route.so", config,
                       (struct host_limits){0}))
        fail_msg("%s", iris_reason());
    scene_await(s, is_linked);
    scene_settle(s);
}

static void connect_both(struct scene *a, struct scene *b)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
    scene_open(b, a->workers, 0);
    join(a, fd[0]);
    join(b, fd[1]);
}

static int handled_all(struct scene *s)
{
    return atomic_load(&((struct ledger *)s->prop)->handled) == 2000;
}

static void mail(struct scene *a)
{
    struct scene b = {0};
    connect_both(a, &b);
    struct ledger *l = b.prop = cast_ledger(&b), *sent = cast_ledger(a);
    iris_behaviour counter = cast_counter(l);
    uint64_t pid = scene_spawn(&b, &counter, 0);
    cast_senders(a, sent, FAR(pid), 4, 500);
    scene_await(&b, handled_all);
    assert_int_equal(l->disorder, 0);
    assert_int_equal(sent->accepted, 2000);
    assert_int_equal(scene_ask(a, FAR(pid), "count"), 2000); /* and the answer finds its way */
    assert_int_equal(a->api->send(a->self, FAR(7777777), "x", 1, 0),
                     IRIS_OK); /* the node is there */
    assert_int_equal(a->api->send(a->self, UINT64_C(2) << 43 | pid, "x", 1, 0), IRIS_DEAD);
    scene_close(&b);
}

static int one_down(struct scene *s)
{
    return atomic_load(&((struct ledger *)s->prop)->downs) >= 1;
}

static void expect_down(struct scene *s, struct ledger *w, uint64_t from, const char *reason)
{
    s->prop = w;
    scene_await(s, one_down);
    scene_settle(s);
    assert_int_equal(w->downs, 1);
    assert_int_equal(w->down_from, from);
    assert_string_equal(w->reason, reason);
    atomic_store(&w->downs, 0);
}

static int nothing_is_watched(struct scene *s)
{
    struct routes *r = &s->rt->world.routes;
    pthread_mutex_lock(&r->lock);
    int nothing = !r->watched[1].used;
    pthread_mutex_unlock(&r->lock);
    return nothing;
}

static void monitors(struct scene *a)
{
    struct scene b = {0};
    connect_both(a, &b);
    struct ledger *w = cast_ledger(a), *l = cast_ledger(&b);
    iris_behaviour watcher = cast_watcher(w), plain = cast_plain(l);
    const iris_watch *watch = cast_extension(a, IRIS_WATCH);
    uint64_t eye = scene_spawn(a, &watcher, 0);
    uint64_t pid = scene_spawn(&b, &plain, 0);
    scene_send(a, eye, FAR(pid));
    scene_settle(a);
    scene_ask(a, FAR(pid), "are you there"); /* behind the monitor: that has arrived too */
    assert_int_equal(w->downs, 0);
    watch->kill(b.self, pid);
    expect_down(a, w, FAR(pid), "killed (how=kill)");
    scene_send(a, eye, FAR(pid)); /* of the dead: noproc, from afar */
    expect_down(a, w, FAR(pid), "noproc");
    assert_true(nothing_is_watched(a)); /* and nothing stays behind */
    scene_close(&b);
}

static void asks_of_the_dead(struct scene *a)
{
    struct scene b = {0};
    const iris_message *m;
    connect_both(a, &b);
    for (int i = 0; i < 5; i++)
        assert_int_equal(iris_ask_wait(a->rt, FAR(987654321), "?", 1, 3600 * IRIS_SECOND, &m),
                         IRIS_DEAD);
    scene_close(&b);
}

static int has_no_room(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    const iris_ask *ask = iris_calls()->extension(IRIS_ASK);
    (void)b, (void)state;
    for (int i = 0; i < n; i++)
        ask->dropped(self, m[i]->ref);
    return n;
}

static void an_answer_is_dropped(struct scene *a)
{
    struct scene b = {0};
    const iris_message *m;
    connect_both(a, &b);
    iris_behaviour mute = {
        .size = sizeof mute, .abi = IRIS_ABI, .name = "mute", .handle = has_no_room};
    uint64_t pid = scene_spawn(&b, &mute, 0);
    assert_int_equal(iris_ask_wait(a->rt, FAR(pid), "?", 1, 3600 * IRIS_SECOND, &m), IRIS_DEAD);
    assert_string_equal(iris_reason(), "dropped: there was no room for the answer");
    assert_int_equal(scene_count(&b).dropped, 1);
    scene_close(&b);
}

static int silent(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    (void)self, (void)state, (void)m;
    atomic_fetch_add((atomic_int *)b->data, n);
    return n;
}

struct pending {
    iris_answer answer; /* first */
    atomic_int come;
};

static void answered(iris_job *job)
{
    atomic_fetch_add(&((struct pending *)job)->come, 1);
}

static int has_come(struct scene *s)
{
    return atomic_load(&((struct pending *)s->prop)->come);
}

static int has_arrived(struct scene *s)
{
    return atomic_load((atomic_int *)s->prop);
}

static void the_node_goes(struct scene *a)
{
    struct scene b = {0};
    connect_both(a, &b);
    struct ledger *w = cast_ledger(a);
    struct pending *k = scene_memory(a, sizeof *k);
    const iris_ask *ask = cast_extension(a, IRIS_ASK);
    iris_behaviour watcher = cast_watcher(w);
    iris_behaviour mute = {.size = sizeof mute,
                           .abi = IRIS_ABI,
                           .name = "mute",
                           .data = scene_memory(&b, sizeof(atomic_int)),
                           .handle = silent};
    uint64_t eye = scene_spawn(a, &watcher, 0), pid = scene_spawn(&b, &mute, 0);
    scene_send(a, eye, FAR(pid));
    k->answer.job.run = answered;
    assert_int_equal(ask->ask(a->self, FAR(pid), "?", 1, 3600 * IRIS_SECOND, &k->answer), IRIS_OK);
    b.prop = mute.data;
    scene_await(&b, has_arrived);
    const iris_watch *watch = cast_extension(a, IRIS_WATCH);
    watch->kill(b.self, iris_find(b.rt, "/mesh/link")); /* its socket closes */
    a->prop = k;
    scene_await(a, has_come);
    assert_int_equal(k->answer.result, IRIS_DEAD);
    expect_down(a, w, FAR(pid), "noconnection");
    assert_int_equal(a->api->send(a->self, FAR(pid), "x", 1, 0), IRIS_DEAD);
    scene_send(a, eye, FAR(pid)); /* of a node that went */
    expect_down(a, w, FAR(pid), "noproc");
    scene_close(&b);
}

/* An actor that links with the pid that it is sent first, and leaves it with the second message. */
static int link_it(const iris_behaviour *b, iris_actor *self, void *state,
                   const iris_message *const *m, int n)
{
    const iris_watch *watch = iris_calls()->extension(IRIS_WATCH);
    struct ledger *l = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        uint64_t pid;
        if (m[i]->kind == IRIS_EXIT) {
            snprintf(l->reason, sizeof l->reason, "%.*s", (int)m[i]->len, (const char *)m[i]->data);
            l->down_from = m[i]->from;
            atomic_fetch_add(&l->downs, 1);
            continue;
        }
        memcpy(&pid, m[i]->data, sizeof pid);
        if (atomic_fetch_add(&l->handled, 1) % 2)
            watch->unlink(self, pid);
        else
            watch->link(self, pid);
    }
    return n;
}

struct pair { /* `near` is linked with one of b */
    struct scene b;
    struct ledger *l;
    uint64_t near, far; /* far: as b calls it */
};

static iris_behaviour linker(struct ledger *l)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "linker",
                            .flags = IRIS_SIGNALS,
                            .data = l,
                            .handle = link_it};
}

/* A question behind the link: when it is answered that has arrived too. */
static void open_pair(struct scene *a, struct pair *p, uint32_t flags)
{
    connect_both(a, &p->b);
    p->l = cast_ledger(a);
    iris_behaviour link = linker(p->l), plain = cast_counter(cast_ledger(&p->b));
    p->near = cast_spawn(a, &link, (iris_spawn){.flags = flags});
    p->far = scene_spawn(&p->b, &plain, 0);
    scene_send(a, p->near, FAR(p->far));
    scene_settle(a);
    scene_ask(a, FAR(p->far), "count");
}

static void kill_far(struct pair *p, uint64_t pid)
{
    const iris_watch *watch = cast_extension(&p->b, IRIS_WATCH);
    assert_int_equal(watch->kill(p->b.self, pid), IRIS_OK);
}

static void links(struct scene *a)
{
    struct pair p = {0};
    open_pair(a, &p, 0);
    const iris_watch *watch = cast_extension(a, IRIS_WATCH);
    struct ledger *w = cast_ledger(a);
    iris_behaviour watcher = cast_watcher(w);
    uint64_t eye = scene_spawn(a, &watcher, 0), second;
    char expected[80];
    scene_send(a, eye, p.near);
    scene_settle(a);
    kill_far(&p, p.far);
    snprintf(expected, sizeof expected, "killed (how=kill, from=%llu)",
             (unsigned long long)FAR(p.far));
    expect_down(a, w, p.near, expected);
    iris_behaviour link = linker(p.l), plain = cast_counter(cast_ledger(&p.b));
    atomic_store(&p.l->handled, 0);
    p.near = scene_spawn(a, &link, 0);
    second = scene_spawn(&p.b, &plain, 0);
    scene_send(a, p.near, FAR(second));
    scene_settle(a);
    scene_ask(a, FAR(second), "count");
    watch->kill(a->self, p.near); /* and the other way */
    cast_await_end(&p.b, second);
    scene_settle(a);
    assert_true(nothing_is_watched(a));
    assert_true(nothing_is_watched(&p.b));
    scene_close(&p.b);
}

static void link_to_the_dead(struct scene *a)
{
    struct pair p = {0};
    open_pair(a, &p, IRIS_SPAWN_TRAP);
    kill_far(&p, p.far);
    expect_down(a, p.l, FAR(p.far), "killed (how=kill)"); /* who traps hears of it, and lives */
    assert_true(cast_is_alive(a, p.near));
    atomic_store(&p.l->handled, 0);
    scene_send(a, p.near, FAR(p.far));
    expect_down(a, p.l, FAR(p.far), "noproc");
    assert_true(nothing_is_watched(a));
    scene_close(&p.b);
}

static void unlinks(struct scene *a)
{
    struct pair p = {0};
    open_pair(a, &p, IRIS_SPAWN_TRAP);
    scene_send(a, p.near, FAR(p.far));
    scene_settle(a);
    scene_ask(a, FAR(p.far), "count");
    kill_far(&p, p.far);
    cast_await_end(&p.b, p.far);
    scene_settle(&p.b);
    iris_behaviour other = cast_counter(cast_ledger(&p.b)); /* what it answers comes later */
    assert_int_equal(scene_ask(a, FAR(scene_spawn(&p.b, &other, 0)), "count"), 0);
    scene_settle(a);
    assert_int_equal(p.l->downs, 0);
    scene_close(&p.b);
}

static void the_node_of_a_link_goes(struct scene *a)
{
    struct pair p = {0};
    open_pair(a, &p, 0);
    struct ledger *w = cast_ledger(a), *t = cast_ledger(a);
    iris_behaviour watcher = cast_watcher(w), link = linker(t);
    uint64_t eye = scene_spawn(a, &watcher, 0);
    uint64_t trapper = cast_spawn(a, &link, (iris_spawn){.flags = IRIS_SPAWN_TRAP});
    char expected[80];
    scene_send(a, eye, p.near);
    scene_send(a, trapper, FAR(p.far));
    scene_settle(a);
    kill_far(&p, iris_find(p.b.rt, "/mesh/link")); /* its socket closes */
    snprintf(expected, sizeof expected, "noconnection (from=%llu)", (unsigned long long)FAR(p.far));
    expect_down(a, w, p.near, expected);
    expect_down(a, t, FAR(p.far), "noconnection");
    atomic_store(&t->handled, 0);
    scene_send(a, trapper, FAR(p.far)); /* of a node that went */
    expect_down(a, t, FAR(p.far), "noconnection");
    scene_close(&p.b);
}

static void a_full_link(struct scene *s)
{
    struct ledger *l = cast_ledger(s), *w = cast_ledger(s);
    const iris_route *route = cast_extension(s, IRIS_ROUTE);
    iris_behaviour plain = cast_plain(l), watcher = cast_watcher(w);
    uint64_t link = scene_spawn(s, &plain, 4), eye = scene_spawn(s, &watcher, 0);
    uint32_t index;
    assert_int_equal(route->up(s->self, "other", link, &index), IRIS_OK);
    assert_int_equal(index, 1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(s->api->send(s->self, FAR(99), "x", 1, 0), IRIS_OK);
    assert_int_equal(s->api->send(s->self, FAR(99), "x", 1, 0), IRIS_FULL);
    assert_int_equal(s->api->send(s->self, FAR(1), "x", 1, 0),
                     IRIS_FULL); /* one link, one capacity */
    scene_send(s, eye, FAR(99)); /* a monitor is no mail: it is never lost */
    scene_settle(s);
    assert_int_equal(l->handled, 5);
    assert_int_equal(route->down(s->self, index, "gone away"), IRIS_OK);
    scene_settle(s);
    assert_int_equal(w->downs, 1);
    assert_string_equal(w->reason, "gone away");
    assert_int_equal(route->down(s->self, index, "again"), IRIS_DEAD);
    assert_int_equal(route->down(s->self, 0, "self"), IRIS_DEAD);
    assert_int_equal(route->down(s->self, 70000, "none"), IRIS_DEAD);
    assert_int_equal(route->up(s->self, "other", link, &index), IRIS_OK);
    assert_int_not_equal(index, 1); /* pids of the former one are about */
}

/* A node's every index is used up at last, with a sentence. */
static void many_nodes(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    const iris_route *route = cast_extension(s, IRIS_ROUTE);
    iris_behaviour plain = cast_plain(l);
    uint64_t link = scene_spawn(s, &plain, 0);
    uint32_t index;
    for (int i = 1; i < 1024; i++)
        assert_int_equal(route->up(s->self, "n", link, &index), IRIS_OK);
    assert_int_equal(index, 1023);
    assert_int_equal(route->up(s->self, "n", link, &index), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "table of nodes is full"));
    assert_int_equal(s->api->send(s->self, UINT64_C(1023) << 43 | 5, "x", 1, 0), IRIS_OK);
    scene_settle(s);
    assert_int_equal(l->handled, 1);
}

static void a_link_that_ends(struct scene *s)
{
    struct ledger *w = cast_ledger(s);
    iris_behaviour link = cast_plain(cast_ledger(s)), watcher = cast_watcher(w);
    const iris_route *route = cast_extension(s, IRIS_ROUTE);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    uint64_t eye = scene_spawn(s, &watcher, 0), pid = scene_spawn(s, &link, 0);
    uint32_t index;
    assert_int_equal(route->up(s->self, "far", pid, &index), IRIS_OK);
    uint64_t far = (uint64_t)index << 43 | 12345;
    scene_send(s, eye, far);
    scene_settle(s);
    watch->kill(s->self, pid);
    expect_down(s, w, far, "noconnection: its link ended");
    assert_int_equal(s->api->send(s->self, far, "x", 1, 0), IRIS_DEAD);
    assert_int_equal(route->up(s->self, "again", pid, &index), IRIS_DEAD);
}

/* clang-format off */
#define THREADS(play) static void test_##play(void **state) { (void)state; scene_play_threads(play); }
#define SEEDS(play) static void test_##play(void **state) { (void)state; scene_play_seeds(play); }
THREADS(mail)
THREADS(monitors)
THREADS(asks_of_the_dead)
THREADS(an_answer_is_dropped)
THREADS(the_node_goes)
THREADS(links)
THREADS(link_to_the_dead)
THREADS(unlinks)
THREADS(the_node_of_a_link_goes)
SEEDS(a_full_link)
SEEDS(many_nodes)
SEEDS(a_link_that_ends)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("route.mail_and_answers_cross_in_order", test_mail),
    IRIS_TEST("route.a_monitor_of_another_node_is_told_once", test_monitors),
    IRIS_TEST("route.an_ask_of_a_dead_pid_of_another_node_is_told_at_once", test_asks_of_the_dead),
    IRIS_TEST("p2.an_asker_of_another_node_is_told_that_its_answer_was_dropped", test_an_answer_is_dropped),
    IRIS_TEST("route.when_a_node_goes_watchers_and_askers_are_told", test_the_node_goes),
    IRIS_TEST("p5.a_link_with_another_node_ends_either_with_the_other", test_links),
    IRIS_TEST("p5.who_traps_gets_the_exit_of_another_node", test_link_to_the_dead),
    IRIS_TEST("p5.unlink_of_another_node_leaves_no_exit", test_unlinks),
    IRIS_TEST("p5.when_a_node_goes_its_links_end_as_noconnection", test_the_node_of_a_link_goes),
    IRIS_TEST("route.when_a_link_ends_its_nodes_go_down_with_it", test_a_link_that_ends),
    IRIS_TEST("route.the_capacity_of_the_link_is_the_nodes", test_a_full_link),
    IRIS_TEST("route.the_table_of_nodes_is_full_with_a_sentence", test_many_nodes),
};
/* clang-format on */
IRIS_MAIN(tests)
