/* Several nodes: dialling, two links at once, restarts, names that are claimed twice. */
#include "main.h"

#include "meshes.h"

/* ---- dialling ---- */

static void both_dial_and_one_link_stays(void **state)
{
    (void)state;
    for (int64_t step = MS; step <= 10 * MS; step += 3 * MS) {
        struct meshes net;
        meshes_begin(&net);
        net.step = step;
        struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
        mesh_want(a->mesh, "b:1", MESH_OURS);
        mesh_want(b->mesh, "a:1", MESH_OURS);
        meshes_run(&net, 30 * SECOND);
        assert_int_equal(a->ups, 1);
        assert_int_equal(b->ups, 1);
        assert_int_equal(a->downs + b->downs, 0);
        assert_int_equal(a->dialled, 1); /* and it is not dialled again */
        assert_int_equal(b->dialled, 1);
        assert_int_equal(a->refused + b->refused + a->failures + b->failures, 0);
        meshes_finish(&net);
    }
}

static void it_pauses_between_dials(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    net.refuse_dials = 1;
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, SECOND);
    assert_in_range(a->dialled, 4, 8); /* 100, 200, 400 ms, less the chance */
    meshes_run(&net, 100 * SECOND);
    assert_in_range(a->dialled, 14, 36);
    assert_int_equal(a->failures, 1); /* told once */
    assert_string_equal(end_node(a, "").why, "connection refused");
    net.refuse_dials = 0;
    meshes_run(&net, 11 * SECOND);
    assert_int_equal(a->ups, 1);
    (void)b;
    meshes_finish(&net);
}

static void it_never_gives_up(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    net.step = 50 * MS;
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, SECOND);
    end_crash(b, 1);
    meshes_run(&net, 3600 * SECOND);
    end_restart(b, 3);
    meshes_run(&net, 11 * SECOND);
    assert_int_equal(a->ups, 2);
    meshes_finish(&net);
}

static void it_knows_itself(void **state)
{
    struct meshes net;
    struct answered r = {0};
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1);
    a->names[0] = "x";
    a->whereis[0] = 42;
    mesh_want(a->mesh, "a:1", MESH_OURS);
    meshes_run(&net, 50 * SECOND);
    assert_int_equal(a->dialled, 1);
    assert_int_equal(a->ups + a->failures + a->refused, 0);
    mesh_resolve(a->mesh, "a:1", "x", 0, keep_answer, &r);
    assert_int_equal(r.pid, 42);
    meshes_finish(&net);
}

/* b has lost the link and a has not heard of it. */
static void a_lost_link_is_replaced(void **state)
{
    struct meshes net;
    (void)state;
    for (uint8_t id = 1; id <= 3; id += 2) { /* either end decides */
        meshes_begin(&net);
        struct end *a = meshes_add(&net, "a", id), *b = meshes_add(&net, "b", 2);
        mesh_want(b->mesh, "a:1", MESH_OURS);
        meshes_run(&net, SECOND);
        assert_int_equal(a->ups, 1);
        struct wire *w = &net.wires[0];
        struct side *s = &w->side[w->side[0].end == b ? 0 : 1];
        uint32_t conn = s->conn;
        s->end = NULL; /* a's bytes go nowhere, and nothing comes back */
        mesh_closed(b->mesh, conn, "reset");
        meshes_run(&net, 300 * MS);
        assert_int_equal(b->ups, 2);
        assert_int_equal(a->ups, 2);
        assert_int_equal(a->downs, 1);
        meshes_finish(&net);
    }
}

/* ---- names ---- */

static void the_newer_of_two_stays(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    struct mesh_config config = {
        .cookie = "0123456789abcdef0123456789abcdef", .cookie_len = 32, .creation = 9};
    struct end *a = meshes_add(&net, "a", 1), *old = meshes_add(&net, "x", 2);
    struct end *new = meshes_add_with(&net, "y", 3, &config);
    mesh_free(new->mesh);
    snprintf(new->name, sizeof new->name, "x");
    end_begin(new);
    mesh_want(old->mesh, "a:1", MESH_OURS);
    meshes_run(&net, SECOND);
    mesh_want(new->mesh, "a:1", MESH_OURS);
    meshes_run(&net, 30 * SECOND);
    assert_int_equal(a->ups, 2);
    assert_int_equal(a->downs, 1);
    assert_int_equal(end_node(a, "x").creation, 9);
    assert_in_range(a->conflicts, 2, 10); /* each try of the old one tells; it does not try often */
    assert_int_equal(old->ups, 1);
    assert_int_equal(new->downs, 0);
    assert_non_null(strstr(old->last_failed, "newer node has this name"));
    meshes_finish(&net);
}

static void ones_own_name_is_not_linked(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    mesh_free(b->mesh);
    b->config.node = "a";
    end_begin(b);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, 10 * SECOND);
    assert_int_equal(a->ups + b->ups, 0);
    assert_true(a->conflicts > 0);
    meshes_finish(&net);
}

/* ---- goodbye, and being away ---- */

static void goodbye_is_heard_at_once(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, SECOND);
    end_send(b, 7, end_abroad(b, 9), "last words", 0);
    mesh_goodbye(b->mesh, "it stops");
    assert_int_equal(b->downs, 1);
    meshes_run(&net, 10 * MS);
    assert_int_equal(a->downs, 1);
    assert_string_equal(a->last_down, "goodbye: it stops");
    assert_string_equal(a->got[0].text, "last words");
    assert_string_equal(end_node(a, "b").why, "goodbye: it stops");
    meshes_finish(&net);
}

static void who_was_away_accuses_nobody(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, 5 * SECOND);
    net.now += 20 * SECOND; /* the whole machine slept */
    meshes_run(&net, 5 * SECOND);
    assert_int_equal(a->downs + b->downs, 0);
    meshes_finish(&net);
}

static void a_frozen_node_is_found(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, 5 * SECOND);
    b->dead = 1; /* it neither reads nor ticks */
    end_cut(b, 1, 1);
    meshes_run(&net, 5 * SECOND);
    assert_int_equal(a->downs, 1);
    b->dead = 0;
    end_cut(b, 0, 0);
    meshes_run(&net, 12 * SECOND);
    assert_int_equal(a->ups, 2);
    assert_int_equal(b->ups, 2);
    meshes_finish(&net);
}

/* ---- three ---- */

static void questions_are_handed_on(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    struct end *c = meshes_add(&net, "c", 3);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, 100 * MS);
    uint64_t b_at_a = end_abroad(a, 9), a_at_b = end_abroad(b, 0);
    mesh_want(b->mesh, "c:1", MESH_OURS);
    meshes_run(&net, 100 * MS);
    uint64_t c_at_b = end_abroad(b, 9);
    end_send(a, 7, b_at_a, "who?", 33);
    meshes_run(&net, 10 * MS);
    assert_int_equal(b->got[0].ref, a_at_b | 33);
    /* c has no link to a: nobody could answer */
    end_send(b, 7, c_at_b, "who?", b->got[0].ref);
    meshes_run(&net, 10 * MS);
    assert_int_equal(c->ngot, 0);
    assert_string_equal(b->reasons[0], "noproc");
    assert_int_equal(a->got[0].kind, IRIS_DOWN); /* who asked is told, over b */
    assert_int_equal(a->got[0].to, 33);
    mesh_want(c->mesh, "a:1", MESH_OURS);
    meshes_run(&net, 100 * MS);
    uint64_t a_at_c = end_abroad(c, 0);
    end_send(a, 7, b_at_a, "who?", 34);
    meshes_run(&net, 10 * MS);
    end_send(b, b->got[1].from, c_at_b, "who?", b->got[1].ref);
    meshes_run(&net, 10 * MS);
    assert_int_equal(c->ngot, 1);
    assert_int_equal(c->got[0].ref, a_at_c | 34);
    assert_int_equal(c->got[0].from, a_at_c | 7);
    end_send(c, 9, c->got[0].ref, "c", 0);
    meshes_run(&net, 10 * MS);
    assert_int_equal(a->got[1].to, 34);
    meshes_finish(&net);
}

static void a_full_mesh_comes_together(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct meshes net;
    char address[32];
    (void)state;
    meshes_begin(&net);
    for (uint8_t i = 0; i < 5; i++)
        meshes_add(&net, names[i], 1 + i);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            snprintf(address, sizeof address, "%s:1", names[j]);
            mesh_want(net.ends[i]->mesh, address, MESH_OURS); /* its own too */
        }
    meshes_run(&net, 30 * SECOND);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(net.ends[i]->ups, 4);
        assert_int_equal(net.ends[i]->downs, 0);
    }
    meshes_finish(&net);
}

/* ---- questions, and what freezes ---- */

static void probes_look_at_actors(void **state)
{
    struct meshes net;
    struct answered live = {0}, dead = {0}, gone = {0}, up = {0}, nowhere = {0};
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, SECOND);
    b->taken[10] = IRIS_DEAD;
    mesh_probe(a->mesh, end_abroad(a, 9), 0, keep_answer, &live);
    mesh_probe(a->mesh, end_abroad(a, 10), 0, keep_answer, &dead);
    mesh_ping(a->mesh, "b:1", 0, keep_answer, &up);
    mesh_ping(a->mesh, "elsewhere:1", 0, keep_answer, &nowhere);
    meshes_run(&net, 20 * MS);
    assert_int_equal(live.pid, end_abroad(a, 9));
    assert_int_equal(dead.times, 1);
    assert_int_equal(dead.pid, 0);
    assert_int_equal(up.pid, 1);
    assert_int_equal(nowhere.result, IRIS_DEAD);
    end_crash(b, 1);
    meshes_run(&net, 20 * MS);
    mesh_probe(a->mesh, end_abroad(a, 9), 0, keep_answer, &gone);
    assert_int_equal(gone.result, IRIS_DEAD);
    meshes_finish(&net);
}

static void a_frozen_language_is_told(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&net, SECOND);
    end_signal(a, IRIS_MONITOR, 7, end_abroad(a, 9), 1234, "");
    b->ages[0] = (struct mesh_age){.executor = "python", .ms = 1000};
    b->nages = 1;
    b->stuck = 1000;
    meshes_run(&net, 3 * SECOND);
    assert_int_equal(a->ngot, 0);
    struct mesh_node n = end_node(a, "b");
    assert_int_equal(n.nages, 1);
    assert_string_equal(n.ages[0].executor, "python");
    assert_int_equal(n.ages[0].ms, 1000);
    b->ages[0].ms = b->stuck = 4100;
    meshes_run(&net, 5 * SECOND);
    assert_int_equal(a->ngot, 1);
    assert_int_equal(a->got[0].kind, IRIS_STUCK);
    assert_int_equal(a->got[0].from, end_abroad(a, 9));
    assert_int_equal(a->got[0].ref, 1234);
    assert_string_equal(a->got[0].text, "python: 4100 ms");
    b->ages[0].ms = b->stuck = 0;
    meshes_run(&net, 2 * SECOND);
    b->ages[0].ms = b->stuck = 3500;
    meshes_run(&net, 2 * SECOND);
    assert_int_equal(a->ngot, 2); /* once each time */
    meshes_finish(&net);
}

static void an_address_that_is_known_later_is_told(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    mesh_want(b->mesh, "a:1", MESH_OURS);
    meshes_run(&net, SECOND);
    assert_string_not_equal(end_node(a, "b").address, "10.0.0.2:9000");
    assert_int_equal(mesh_advertise(b->mesh, "10.0.0.2:9000"), IRIS_OK);
    mesh_unwant(b->mesh, "a:1");
    meshes_run(&net, 2 * SECOND);
    mesh_want(b->mesh, "a:1", MESH_OURS);
    meshes_run(&net, 2 * SECOND);
    assert_string_equal(end_node(a, "b").address, "10.0.0.2:9000");
    meshes_finish(&net);
}

static void who_loses_a_name_is_told(void **state)
{
    struct meshes net;
    (void)state;
    meshes_begin(&net);
    struct end *a = meshes_add(&net, "a", 1), *b = meshes_add(&net, "b", 2);
    a->names[0] = "pay";
    a->whereis[0] = 7;
    mesh_want(b->mesh, "a:1", MESH_OURS);
    meshes_run(&net, SECOND);
    mesh_conflict(b->mesh, "nobody", "pay", "c");
    mesh_conflict(b->mesh, "a", "other", "c");
    meshes_run(&net, SECOND);
    assert_int_equal(a->ngot + a->conflicts, 0);
    mesh_conflict(b->mesh, "a", "pay", "c");
    meshes_run(&net, SECOND);
    assert_int_equal(a->ngot, 1);
    assert_int_equal(a->got[0].kind, IRIS_PING);
    assert_int_equal(a->got[0].to, 7);
    assert_memory_equal(a->got[0].text, "name_conflict (node=c): node c has the name pay", 47);
    assert_int_equal(a->conflicts, 1);
    assert_string_equal(a->last_conflict,
                        "name pay is claimed by node c, too, which keeps it; here it is a's");
    assert_int_equal(a->downs + b->downs, 0);
    meshes_finish(&net);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("mesh.an_address_that_is_known_later_is_told",
              an_address_that_is_known_later_is_told),
    IRIS_TEST("mesh.who_loses_a_name_is_told", who_loses_a_name_is_told),
    IRIS_TEST("mesh.both_dial_and_one_link_stays", both_dial_and_one_link_stays),
    IRIS_TEST("mesh.it_pauses_between_dials", it_pauses_between_dials),
    IRIS_TEST("mesh.it_never_gives_up", it_never_gives_up),
    IRIS_TEST("mesh.it_knows_itself", it_knows_itself),
    IRIS_TEST("mesh.a_lost_link_is_replaced", a_lost_link_is_replaced),
    IRIS_TEST("mesh.the_newer_of_two_stays", the_newer_of_two_stays),
    IRIS_TEST("mesh.ones_own_name_is_not_linked", ones_own_name_is_not_linked),
    IRIS_TEST("mesh.goodbye_is_heard_at_once", goodbye_is_heard_at_once),
    IRIS_TEST("p5.mesh_who_was_away_accuses_nobody", who_was_away_accuses_nobody),
    IRIS_TEST("p5.mesh_a_frozen_node_is_found", a_frozen_node_is_found),
    IRIS_TEST("mesh.questions_are_handed_on", questions_are_handed_on),
    IRIS_TEST("mesh.a_full_mesh_comes_together", a_full_mesh_comes_together),
    IRIS_TEST("mesh.probes_look_at_actors", probes_look_at_actors),
    IRIS_TEST("p5.mesh_a_frozen_language_is_told", a_frozen_language_is_told),
};
IRIS_MAIN(tests)
