/* Whom a node lets in is said anew: who is linked, and would not be let in now, is cut off. */
#include "main.h"

#include "meshes.h"

#include <iris/ext/route.h>

static const char mark[] = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
static const char *const everybody[] = {mark, NULL};
static const char *const nobody[] = {NULL};

struct pair {
    struct meshes net;
    struct end *a, *b;
};

static void begin(struct pair *p, const struct mesh_config *config)
{
    meshes_begin(&p->net);
    if (config->allow_peers)
        snprintf(p->net.who.fingerprint, sizeof p->net.who.fingerprint, "%s", mark);
    p->a = meshes_add_with(&p->net, "a", 1, config);
    p->b = meshes_add_with(&p->net, "b", 2, config);
    assert_int_equal(mesh_want(p->a->mesh, "b:1", MESH_OURS), IRIS_OK);
    meshes_run(&p->net, 50 * MS);
    assert_int_equal(p->a->ups, 1);
    assert_int_equal(p->b->ups, 1);
}

static void admit(struct end *e, const struct mesh_config *config)
{
    assert_int_equal(mesh_admit(e->mesh, config), IRIS_OK);
}

/* Both ends had one DOWN and are told why; who cuts tells more. */
static void assert_cut(const struct pair *p, const char *why)
{
    assert_int_equal(p->a->downs, 1);
    assert_int_equal(p->b->downs, 1);
    assert_string_equal(p->a->last_down, why);
    assert_string_equal(p->b->last_down, "goodbye: b is let in no more");
}

static void one_that_is_not_listed_any_more(void **state)
{
    struct pair p;
    struct mesh_config config = {.allow_peers = everybody};
    (void)state;
    begin(&p, &config);
    end_send(p.a, 7, end_abroad(p.a, 9), "before", 0);
    meshes_run(&p.net, 10 * MS);
    uint64_t abroad = end_abroad(p.a, 9);
    config.allow_peers = nobody;
    admit(p.a, &config);
    assert_int_equal(p.a->downs, 1); /* at once */
    assert_int_equal(end_send(p.a, 7, abroad, "after", 0), IRIS_DEAD);
    end_send(p.b, 9, end_abroad(p.b, 7), "not heard", 0);
    meshes_run(&p.net, 60 * SECOND);
    assert_cut(&p, "it is let in no more: not-allowed");
    assert_int_equal(p.a->ngot, 0);
    assert_int_equal(p.b->ngot, 1);
    assert_string_equal(end_node(p.a, "b").why, "it is let in no more: not-allowed");
    assert_int_equal(p.a->ups, 1); /* it does not come back by being dialled */
    config.allow_peers = everybody;
    admit(p.a, &config);
    meshes_run(&p.net, 11 * SECOND);
    assert_int_equal(p.a->ups, 2);
    assert_int_equal(p.a->downs, 1);
    meshes_finish(&p.net);
}

static void who_may_stay_stays(void **state)
{
    struct pair p;
    struct mesh_config config = {.allow_peers = everybody};
    static const char *const more[] = {"iris://lab/c", mark, NULL};
    (void)state;
    begin(&p, &config);
    config.allow_peers = more;
    admit(p.a, &config);
    meshes_run(&p.net, SECOND);
    assert_int_equal(p.a->downs + p.b->downs, 0);
    config.allow_peers = NULL; /* all that somebody signed: this one names no node */
    admit(p.b, &config);
    meshes_run(&p.net, SECOND);
    assert_int_equal(p.a->downs, 1);
    assert_string_equal(p.b->last_down, "it is let in no more: no-identity");
    meshes_finish(&p.net);
}

/* Everything that was taken arrives, or is a letter. */
static void the_cookie_changes(void **state)
{
    struct pair p;
    struct mesh_config config = {.cookie = "0123456789abcdef0123456789abcdef", .cookie_len = 32};
    (void)state;
    begin(&p, &config);
    admit(p.a, &config); /* the same one */
    for (int i = 0; i < 5; i++)
        end_send(p.a, 7, end_abroad(p.a, 9), "x", 0);
    config.cookie = "fedcba9876543210fedcba9876543210";
    admit(p.a, &config);
    meshes_run(&p.net, 5 * SECOND);
    assert_cut(&p, "it is let in no more: the cookie has changed");
    assert_int_equal(p.a->ups, 1); /* the other one still has the old one */
    admit(p.b, &config);
    meshes_run(&p.net, 30 * SECOND);
    assert_int_equal(p.a->ups, 2);
    assert_int_equal(p.b->downs, 1);
    assert_int_equal(p.b->delivered + p.a->lettered, 5);
    meshes_finish(&p.net);
}

/* Greeting it proves itself by the old cookie: that is no way in. */
static void one_that_greets(void **state)
{
    struct pair p;
    struct mesh_config config = {.cookie = "0123456789abcdef0123456789abcdef", .cookie_len = 32};
    (void)state;
    meshes_begin(&p.net);
    p.net.chop = 16; /* so that it takes several rounds */
    p.a = meshes_add_with(&p.net, "a", 1, &config);
    p.b = meshes_add_with(&p.net, "b", 2, &config);
    mesh_want(p.a->mesh, "b:1", MESH_OURS);
    meshes_tick(&p.net);
    for (int i = 0; i < 12; i++)
        meshes_move(&p.net);
    config.cookie = "fedcba9876543210fedcba9876543210";
    admit(p.b, &config);
    meshes_run(&p.net, 5 * SECOND);
    assert_int_equal(p.a->ups + p.b->ups, 0);
    admit(p.a, &config);
    meshes_run(&p.net, 11 * SECOND);
    assert_int_equal(p.a->ups, 1);
    assert_int_equal(p.b->ups, 1);
    meshes_finish(&p.net);
}

static void one_connection_alone(void **state)
{
    struct pair p;
    struct mesh_config config = {.cookie = "0123456789abcdef0123456789abcdef", .cookie_len = 32};
    (void)state;
    begin(&p, &config);
    struct end *c = meshes_add_with(&p.net, "c", 3, &config);
    mesh_want(p.a->mesh, "c:1", MESH_OURS);
    meshes_run(&p.net, 50 * MS);
    assert_int_equal(p.a->ups, 2);
    mesh_shut_out(p.a->mesh, 2, "its certificate is revoked, says ca.crl");
    mesh_shut_out(p.a->mesh, 77, "there is none");
    meshes_run(&p.net, 50 * MS);
    assert_cut(&p, "it is let in no more: its certificate is revoked, says ca.crl");
    assert_int_equal(c->downs, 0);
    meshes_finish(&p.net);
}

static void what_it_may_is_told_anew(void **state)
{
    struct pair p;
    struct mesh_config config = {.cookie = "0123456789abcdef0123456789abcdef", .cookie_len = 32};
    static const char *const b[] = {"b", NULL};
    (void)state;
    begin(&p, &config);
    assert_int_equal(p.b->rights, 0);
    config.may_stop = b;
    config.may_supervise = b;
    admit(p.a, &config);
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.b->rights, IRIS_RIGHT_STOP | IRIS_RIGHT_SUPERVISE);
    end_signal(p.b, IRIS_STOP, 9, end_abroad(p.b, 7), 0, "now");
    config.may_stop = NULL;
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.a->ngot, 1);
    admit(p.a, &config);
    end_signal(p.b, IRIS_STOP, 9, end_abroad(p.b, 7), 0, "not any more");
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.b->rights, IRIS_RIGHT_SUPERVISE);
    assert_int_equal(p.a->ngot, 1);
    config.may_supervise = NULL;
    admit(p.a, &config);
    meshes_run(&p.net, 10 * MS);
    assert_int_equal(p.b->rights, 0);
    assert_int_equal(p.a->downs + p.b->downs, 0);
    meshes_finish(&p.net);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p10.mesh_one_that_is_not_listed_any_more_is_cut_off",
              one_that_is_not_listed_any_more),
    IRIS_TEST("p10.mesh_who_may_stay_stays", who_may_stay_stays),
    IRIS_TEST("p10.mesh_another_cookie_ends_links_of_the_old_one", the_cookie_changes),
    IRIS_TEST("p10.mesh_one_that_greets_is_looked_at_again", one_that_greets),
    IRIS_TEST("p10.mesh_one_connection_is_shut_out", one_connection_alone),
    IRIS_TEST("mesh.what_another_node_may_is_told_anew", what_it_may_is_told_anew),
};

IRIS_MAIN(tests)
