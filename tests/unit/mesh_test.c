/* Meshes that talk to each other in memory: what docs/protocol.md promises of them. */
#include "main.h"

#include "meshes.h"

struct pair {
    struct meshes net;
    struct end *a, *b;
};

static void pair_begin(struct pair *p)
{
    meshes_begin(&p->net);
    p->a = meshes_add(&p->net, "a", 1);
    p->b = meshes_add(&p->net, "b", 2);
}

static void pair_up(struct pair *p)
{
    pair_begin(p);
    assert_int_equal(mesh_want(p->a->mesh, "b:1", MESH_OURS), IRIS_OK);
    meshes_run(&p->net, 50 * MS);
    assert_int_equal(p->a->ups, 1);
    assert_int_equal(p->b->ups, 1);
}

static void two_link(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    assert_string_equal(p.a->last_up, "b");
    assert_string_equal(p.b->last_up, "a");
    meshes_run(&p.net, 20 * SECOND);
    assert_int_equal(p.a->ups, 1);
    assert_int_equal(p.a->downs, 0);
    assert_int_equal(p.a->dialled, 1);
    struct mesh_node n = end_node(p.a, "b");
    assert_int_equal(n.state, MESH_UP);
    assert_true(n.rtt >= 0);
    meshes_finish(&p.net);
}

static void mail_crosses(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    assert_int_equal(end_send(p.a, 7, end_abroad(p.a, 9), "hello", 0), IRIS_OK);
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.b->ngot, 1);
    assert_int_equal(p.b->got[0].to, 9);
    assert_int_equal(p.b->got[0].from, end_abroad(p.b, 7));
    assert_string_equal(p.b->got[0].text, "hello");
    meshes_run(&p.net, 2 * SECOND);
    struct mesh_node n = end_node(p.a, "b");
    assert_int_equal(n.sent, 1);
    assert_int_equal(n.acknowledged, 1);
    meshes_finish(&p.net);
}

static void asks_are_answered(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    end_send(p.a, 7, end_abroad(p.a, 9), "2+2", 33);
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.b->got[0].ref, end_abroad(p.b, 33));
    end_send(p.b, 9, p.b->got[0].ref, "4", 0);
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.a->got[0].to, 33);
    end_crash(p.b, 1);
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.a->unanswered, 0);
    meshes_finish(&p.net);
}

static void open_asks_are_told(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    end_send(p.a, 7, end_abroad(p.a, 9), "2+2", 33);
    meshes_run(&p.net, 3 * SECOND);
    end_crash(p.b, 1);
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.a->unanswered, 1);
    meshes_finish(&p.net);
}

static void names_resolve(void **state)
{
    struct pair p;
    struct answered r = {0}, none = {0};
    (void)state;
    pair_up(&p);
    p.b->names[0] = "auth-provider";
    p.b->whereis[0] = 42;
    mesh_resolve(p.a->mesh, "b", "auth-provider", 0, keep_answer, &r);
    mesh_resolve(p.a->mesh, "b:1", "nobody", 0, keep_answer, &none);
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(r.result, IRIS_OK);
    assert_int_equal(r.pid, end_abroad(p.a, 42));
    assert_int_equal(none.times, 1);
    assert_int_equal(none.pid, 0);
    meshes_finish(&p.net);
}

static void addresses_are_dialled(void **state)
{
    struct pair p;
    struct answered r = {0}, gone = {0};
    (void)state;
    pair_begin(&p);
    p.b->names[0] = "auth-provider";
    p.b->whereis[0] = 42;
    mesh_resolve(p.a->mesh, "b:1", "auth-provider", 0, keep_answer, &r);
    mesh_resolve(p.a->mesh, "nowhere:1", "auth-provider", 0, keep_answer, &gone);
    meshes_run(&p.net, 100 * MS);
    assert_int_equal(r.pid, end_abroad(p.a, 42));
    assert_int_equal(gone.result, IRIS_DEAD);
    assert_string_equal(gone.why, "connection refused");
    meshes_finish(&p.net);
}

static void silence_is_answered_in_time(void **state)
{
    struct pair p;
    struct answered r = {0};
    (void)state;
    pair_up(&p);
    end_cut(p.a, 1, 1);
    mesh_resolve(p.a->mesh, "b", "x", 500 * MS, keep_answer, &r);
    meshes_run(&p.net, 490 * MS);
    assert_int_equal(r.times, 0);
    meshes_run(&p.net, 20 * MS);
    assert_int_equal(r.times, 1);
    assert_int_equal(r.result, IRIS_EMPTY);
    meshes_finish(&p.net);
}

static void monitors_cross(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    end_signal(p.a, IRIS_MONITOR, 7, end_abroad(p.a, 9), 1234, "");
    p.b->taken[10] = IRIS_DEAD;
    end_signal(p.a, IRIS_MONITOR, 7, end_abroad(p.a, 10), 1235, "");
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.b->got[0].kind, IRIS_MONITOR);
    assert_int_equal(p.b->got[0].ref, 1234);
    assert_int_equal(p.a->got[0].kind, IRIS_DOWN); /* there was no pid 10 */
    assert_int_equal(p.a->got[0].ref, 1235);
    assert_int_equal(p.a->got[0].from, end_abroad(p.a, 10));
    assert_string_equal(p.a->got[0].text, "noproc");
    end_signal(p.b, IRIS_DOWN, 9, end_abroad(p.b, 7), 1234, "crash: x");
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.a->got[1].ref, 1234);
    assert_string_equal(p.a->got[1].text, "crash: x");
    meshes_finish(&p.net);
}

static void monitors_of_a_lost_node_are_taken_back(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    end_signal(p.a, IRIS_MONITOR, 7, end_abroad(p.a, 9), 1234, "");
    meshes_run(&p.net, 10 * MS);
    uint64_t watcher = end_abroad(p.b, 7);
    end_crash(p.a, 0);
    meshes_run(&p.net, 5 * SECOND);
    assert_int_equal(p.b->downs, 1);
    assert_int_equal(p.b->got[1].kind, IRIS_DEMONITOR);
    assert_int_equal(p.b->got[1].from, watcher);
    meshes_finish(&p.net);
}

static void refused_mail_comes_back(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    p.b->taken[9] = IRIS_FULL;
    p.b->taken[10] = IRIS_DEAD;
    for (int i = 0; i < 3; i++)
        end_send(p.a, 7, end_abroad(p.a, 9), "x", 0);
    end_send(p.a, 7, end_abroad(p.a, 10), "y", 0);
    end_send(p.a, 7, end_abroad(p.a, 11), "z", 0);
    meshes_run(&p.net, 2 * SECOND);
    assert_int_equal(p.a->nletters, 4);
    assert_string_equal(p.a->reasons[0], "full");
    assert_string_equal(p.a->reasons[3], "noproc");
    assert_int_equal(p.a->letters[3].to, end_abroad(p.a, 10));
    struct mesh_node n = end_node(p.a, "b");
    assert_int_equal(n.sent, 5);
    assert_int_equal(n.acknowledged, 1);
    assert_int_equal(n.refused, 4);
    meshes_finish(&p.net);
}

static void a_wrong_cookie_is_refused(void **state)
{
    struct meshes net;
    struct mesh_config other = {.cookie = "0123456789abcdef0123456789abcdeX", .cookie_len = 32};
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add_with(&net, "b", 2, &other);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, 100 * MS);
    assert_int_equal(a->ups + b->ups, 0);
    assert_string_equal(b->last_refused, "auth");
    assert_non_null(strstr(a->last_failed, "same cookie"));
    meshes_finish(&net);
}

static void the_cookie_of_loopback_stays_there(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    p.net.who.loopback = 0;
    mesh_free(p.b->mesh);
    p.b->config.loopback_cookie = 1;
    end_begin(p.b);
    mesh_want(p.a->mesh, "b:1", MESH_OURS);
    meshes_run(&p.net, 100 * MS);
    assert_int_equal(p.a->ups + p.b->ups, 0);
    assert_string_equal(p.b->last_refused, "not-loopback");
    meshes_finish(&p.net);
}

static void silence_is_death(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    end_cut(p.a, 1, 1);
    meshes_run(&p.net, 3 * SECOND);
    assert_int_equal(p.a->downs + p.b->downs, 0);
    meshes_run(&p.net, 2 * SECOND);
    assert_int_equal(p.a->downs, 1);
    assert_int_equal(p.b->downs, 1);
    meshes_run(&p.net, SECOND);
    assert_int_equal(p.a->ups, 2); /* it was dialled again */
    meshes_finish(&p.net);
}

static void a_restart_joins_at_once(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    uint64_t old = end_abroad(p.a, 9);
    end_crash(p.b, 0); /* nobody hears of it */
    end_restart(p.b, 3);
    mesh_want(p.b->mesh, "a:1", MESH_OURS);
    meshes_run(&p.net, 100 * MS);
    assert_int_equal(p.a->downs, 1);
    assert_int_equal(p.a->ups, 2);
    assert_non_null(strstr(p.a->last_down, "newer"));
    assert_int_equal(end_send(p.a, 7, old, "x", 0), IRIS_DEAD);
    assert_int_equal(p.b->ngot, 0);
    meshes_finish(&p.net);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("mesh.two_link", two_link),
    IRIS_TEST("mesh.mail_crosses", mail_crosses),
    IRIS_TEST("mesh.asks_are_answered", asks_are_answered),
    IRIS_TEST("mesh.open_asks_are_told", open_asks_are_told),
    IRIS_TEST("mesh.names_resolve", names_resolve),
    IRIS_TEST("mesh.addresses_are_dialled", addresses_are_dialled),
    IRIS_TEST("mesh.silence_is_answered_in_time", silence_is_answered_in_time),
    IRIS_TEST("p5.mesh_monitors_cross", monitors_cross),
    IRIS_TEST("p5.mesh_monitors_of_a_lost_node_are_taken_back",
              monitors_of_a_lost_node_are_taken_back),
    IRIS_TEST("p2.mesh_refused_mail_comes_back", refused_mail_comes_back),
    IRIS_TEST("p10.mesh_a_wrong_cookie_is_refused", a_wrong_cookie_is_refused),
    IRIS_TEST("p10.mesh_the_cookie_of_loopback_stays_there", the_cookie_of_loopback_stays_there),
    IRIS_TEST("p5.mesh_silence_is_death", silence_is_death),
    IRIS_TEST("mesh.a_restart_joins_at_once", a_restart_joins_at_once),
};
IRIS_MAIN(tests)
