/* The seed's wire: what the original sends and expects, byte for byte, in both its variants. */
#include "main.h"

#include "meshes.h"

enum { CONN = 999 };

/* What an original writes: its version, a question for a name, mail, and whether the node is there. */
static const uint8_t version[] = {0x01};
static const uint8_t resolve[] = {0x01, 0,   0,   0,   13,  'a', 'u', 't', 'h',
                                  '-',  'p', 'r', 'o', 'v', 'i', 'd', 'e', 'r'};
static const uint8_t user[] = {0x00, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 5, 'l', 'o', 'g', 'i', 'n'};
static const uint8_t ping[] = {0x02};

static const char *const exported[] = {"auth-provider", NULL};

/* ---- as a server ---- */

struct server {
    struct meshes net;
    struct end *a;
};

static void server_begin(struct server *s, enum mesh_compat compat)
{
    struct mesh_config config = {.exported = exported};
    meshes_begin(&s->net);
    s->a = meshes_add_with(&s->net, "a", 1, &config);
    s->a->names[0] = "auth-provider";
    s->a->whereis[0] = 42;
    s->a->names[1] = "secret";
    s->a->whereis[1] = 43;
    assert_int_equal(mesh_accepted(s->a->mesh, CONN, "10.0.0.9:5", compat, &s->net.who), IRIS_OK);
}

static void say(struct server *s, const void *bytes, size_t n)
{
    mesh_bytes(s->a->mesh, CONN, bytes, n);
}

static void an_original_is_served(void **state)
{
    static const uint8_t pid[] = {0, 0, 0, 0, 0, 0, 0, 42, 0x03};
    (void)state;
    for (int compat = MESH_COMPAT_BYTE; compat <= MESH_COMPAT_TABLE; compat++)
        for (size_t chop = 1; chop < 40; chop += 3) {
            uint8_t all[64];
            struct server s;
            size_t n = 0;
            server_begin(&s, compat);
            if (compat == MESH_COMPAT_BYTE)
                all[n++] = version[0];
            memcpy(all + n, resolve, sizeof resolve);
            n += sizeof resolve;
            memcpy(all + n, user, sizeof user);
            n += sizeof user;
            all[n++] = ping[0];
            for (size_t at = 0; at < n; at += chop)
                say(&s, all + at, n - at < chop ? n - at : chop);
            assert_int_equal(s.a->nraw, sizeof pid);
            assert_memory_equal(s.a->raw, pid, sizeof pid);
            assert_int_equal(s.a->ngot, 1);
            assert_int_equal(s.a->got[0].to, 42);
            assert_int_equal(s.a->got[0].from, 0);
            assert_string_equal(s.a->got[0].text, "login");
            meshes_run(&s.net, 60 * SECOND); /* it does not close after 5 s of silence */
            say(&s, user, sizeof user);
            assert_int_equal(s.a->ngot, 2);
            meshes_finish(&s.net);
        }
}

static void it_sees_what_is_exported(void **state)
{
    static const uint8_t secret[] = {0x01, 0, 0, 0, 6, 's', 'e', 'c', 'r', 'e', 't'};
    static const uint8_t zero[8] = {0};
    struct server s;
    uint8_t other[sizeof user];
    (void)state;
    server_begin(&s, MESH_COMPAT_TABLE);
    say(&s, secret, sizeof secret);
    assert_memory_equal(s.a->raw, zero, 8);
    memcpy(other, user, sizeof user);
    other[8] = 43;
    say(&s, other, sizeof other);
    assert_int_equal(s.a->ngot, 0);
    assert_int_equal(end_refusals(s.a, "not-exported"), 1);
    say(&s, user, sizeof user); /* a raw pid that it knows from another connection */
    assert_int_equal(s.a->ngot, 1);
    s.a->taken[42] = IRIS_FULL;
    say(&s, user, sizeof user);
    assert_int_equal(end_refusals(s.a, "full"), 1);
    meshes_finish(&s.net);
}

static void what_it_must_not_say_closes_it(void **state)
{
    static const struct {
        enum mesh_compat compat;
        const char *bytes;
        size_t n;
        const char *rule;
    } cases[] = {
        {MESH_COMPAT_BYTE, "\2", 1, "version"},
        {MESH_COMPAT_BYTE, "\1\3", 2, "unknown"},
        {MESH_COMPAT_TABLE, "\20", 1, "unknown"}, /* HELLO is not for here */
        {MESH_COMPAT_TABLE, "\0\0\0\0\0\0\0\0\52\0\20\0\1", 13, "payload"},
        {MESH_COMPAT_TABLE, "\0\0\0\0\0\0\0\0\52\377\377\377\377", 13, "payload"},
        {MESH_COMPAT_TABLE, "\1\0\0\4\1", 5, "name"},
        {MESH_COMPAT_TABLE, "\1\0\0\0\2a\377", 7, "name"}, /* it is no UTF-8 */
        {MESH_COMPAT_TABLE, "\1\0\0\0\2a\0", 7, "name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t chop = 1; chop < 14; chop += 12) {
            struct server s;
            server_begin(&s, cases[i].compat);
            for (size_t at = 0; at < cases[i].n && !s.a->closed; at += chop)
                say(&s, cases[i].bytes + at, cases[i].n - at < chop ? cases[i].n - at : chop);
            assert_int_equal(s.a->closed, 1);
            assert_int_equal(s.a->nraw, 0);
            assert_int_equal(end_refusals(s.a, cases[i].rule), 1);
            meshes_finish(&s.net);
        }
}

static void one_mebibyte_is_taken(void **state)
{
    struct server s;
    uint8_t *big = calloc(1, 13 + (1 << 20));
    (void)state;
    server_begin(&s, MESH_COMPAT_TABLE);
    memcpy(big, user, 13);
    big[9] = 0, big[10] = 0x10, big[12] = 0;
    for (size_t at = 0; at < 13 + (1 << 20); at += 10000)
        say(&s, big + at, 13 + (1 << 20) - at < 10000 ? 13 + (1 << 20) - at : 10000);
    assert_int_equal(s.a->ngot, 1);
    assert_int_equal(s.a->got[0].len, 1 << 20);
    meshes_finish(&s.net);
    free(big);
}

static void silent_ones_are_closed(void **state)
{
    struct server s;
    (void)state;
    server_begin(&s, MESH_COMPAT_BYTE);
    say(&s, version, 1);
    meshes_run(&s.net, 6 * SECOND);
    assert_int_equal(s.a->closed, 1);
    meshes_finish(&s.net);
}

/* ---- as a client ---- */

struct client {
    struct meshes net;
    struct end *a;
    struct side *far;
    struct wire *wire;
};

/* The far end is the test: what a writes stays in the wire. */
static void client_up(struct client *c, enum mesh_compat compat)
{
    struct mesh_config config = {0};
    meshes_begin(&c->net);
    c->a = meshes_add_with(&c->net, "a", 1, &config);
    mesh_want(c->a->mesh, "old:1", compat);
    c->a->alarm = INT64_MAX;
    mesh_tick(c->a->mesh);
    c->wire = &c->net.wires[0];
    assert_true(c->wire->used);
    c->wire->side[0].open = c->wire->side[1].open = 1;
    mesh_connected(c->a->mesh, c->wire->side[0].conn, &c->net.who);
    assert_int_equal(c->a->ups, 1);
    assert_string_equal(c->a->last_up, "old:1");
}

static void expect(struct client *c, const void *bytes, size_t n)
{
    struct side *s = &c->wire->side[0];
    assert_int_equal(s->have, n);
    assert_memory_equal(s->bytes, bytes, n);
    s->have = 0;
}

static void reply(struct client *c, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mesh_bytes(c->a->mesh, c->wire->side[0].conn, (const uint8_t *)bytes + i, 1);
}

static void an_original_is_called(void **state)
{
    static const uint8_t pid[8] = {0, 0, 0, 1, 0, 0, 0, 0}; /* the first of each of its runs */
    static const uint8_t mail[] = {0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 'l', 'o', 'g', 'i', 'n'};
    struct answered r = {0}, up = {0};
    struct client c;
    (void)state;
    client_up(&c, MESH_COMPAT_BYTE);
    expect(&c, version, 1);
    mesh_resolve(c.a->mesh, "old:1", "auth-provider", 0, keep_answer, &r);
    expect(&c, resolve, sizeof resolve);
    mesh_ping(c.a->mesh, "old:1", 0, keep_answer, &up);
    expect(&c, ping, 1);
    reply(&c, pid, 8);
    assert_int_equal(r.pid, end_abroad(c.a, UINT64_C(1) << 32));
    reply(&c, "\3", 1);
    assert_int_equal(up.pid, 1);
    assert_int_equal(end_send(c.a, 7, r.pid, "login", 0), IRIS_OK);
    expect(&c, mail, sizeof mail);
    assert_int_equal(mesh_pid_at(c.a->mesh, "old:1", UINT64_C(1) << 32), r.pid);
    assert_int_equal(end_node(c.a, "old:1").acknowledged, 1);
    assert_int_equal(end_send(c.a, 7, r.pid, "2+2", 33), IRIS_DEAD); /* it could not answer */
    meshes_finish(&c.net);
}

static void the_table_has_no_version(void **state)
{
    struct client c;
    struct answered r = {0};
    (void)state;
    client_up(&c, MESH_COMPAT_TABLE);
    mesh_resolve(c.a->mesh, "old:1", "auth-provider", 0, keep_answer, &r);
    expect(&c, resolve, sizeof resolve);
    meshes_finish(&c.net);
}

/* A late answer is never taken for that of another question. */
static void names_are_asked_one_by_one(void **state)
{
    static const uint8_t one[8] = {[7] = 11}, two[8] = {[7] = 22};
    struct answered first = {0}, second = {0};
    struct client c;
    (void)state;
    client_up(&c, MESH_COMPAT_TABLE);
    mesh_resolve(c.a->mesh, "old:1", "auth-provider", 100 * MS, keep_answer, &first);
    mesh_resolve(c.a->mesh, "old:1", "x", 0, keep_answer, &second);
    expect(&c, resolve, sizeof resolve);
    c.net.now += 200 * MS;
    mesh_tick(c.a->mesh);
    assert_int_equal(first.result, IRIS_EMPTY);
    reply(&c, one, 8);
    assert_int_equal(first.times, 1);
    assert_int_equal(second.times, 0);
    expect(&c, "\1\0\0\0\1x", 6);
    reply(&c, two, 8);
    assert_int_equal(second.pid, end_abroad(c.a, 22));
    meshes_finish(&c.net);
}

static void wide_pids_get_an_alias(void **state)
{
    static const uint8_t mail[] = {0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9, 0, 0, 0, 1, 'x'};
    uint64_t raw = UINT64_C(0xffffffff00000009);
    struct client c;
    (void)state;
    client_up(&c, MESH_COMPAT_TABLE);
    uint64_t pid = mesh_pid_at(c.a->mesh, "old:1", raw);
    assert_true(pid >> 43 == c.a->index && pid >> 53 == 0);
    assert_int_equal(mesh_pid_at(c.a->mesh, "old:1", raw), pid);
    assert_int_not_equal(mesh_pid_at(c.a->mesh, "old:1", raw + 1), pid);
    assert_int_equal(end_send(c.a, 7, pid, "x", 0), IRIS_OK);
    expect(&c, mail, sizeof mail);
    meshes_finish(&c.net);
}

static void what_is_unasked_ends_it(void **state)
{
    struct client c;
    (void)state;
    client_up(&c, MESH_COMPAT_TABLE);
    reply(&c, "\3", 1);
    assert_int_equal(c.a->downs, 1);
    assert_int_equal(end_refusals(c.a, "unasked"), 1);
    meshes_finish(&c.net);
}

/* Two of ours that speak it to each other: pings keep it open, silence ends it, mail that is left is told. */
static void both_sides_fit(void **state)
{
    struct mesh_config config = {.exported = exported};
    struct meshes net;
    struct answered r = {0};
    (void)state;
    meshes_begin(&net);
    net.compat = MESH_COMPAT_BYTE;
    struct end *a = meshes_add_with(&net, "a", 1, &config);
    struct end *b = meshes_add_with(&net, "b", 2, &config);
    b->names[0] = "auth-provider";
    b->whereis[0] = 42;
    mesh_want(a->mesh, "b:1", MESH_COMPAT_BYTE);
    mesh_resolve(a->mesh, "b:1", "auth-provider", 0, keep_answer, &r);
    meshes_run(&net, 20 * SECOND);
    assert_int_equal(a->ups, 1);
    assert_int_equal(a->downs, 0);
    assert_int_equal(r.pid, end_abroad(a, 42));
    end_send(a, 7, r.pid, "hello", 0);
    meshes_run(&net, 10 * MS);
    assert_string_equal(b->got[0].text, "hello");
    net.pipe = 10;
    for (int i = 0; i < WIRES; i++)
        net.wires[i].pipe = 10;
    end_cut(a, 1, 1);
    for (int i = 0; i < 5; i++)
        end_send(a, 7, r.pid, "hello", 0);
    meshes_run(&net, 5 * SECOND);
    assert_int_equal(a->downs, 1);
    assert_int_equal(a->nletters, 5);
    meshes_finish(&net);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("mesh.an_original_is_served", an_original_is_served),
    IRIS_TEST("p10.mesh_an_original_sees_what_is_exported", it_sees_what_is_exported),
    IRIS_TEST("p10.mesh_what_an_original_must_not_say", what_it_must_not_say_closes_it),
    IRIS_TEST("mesh.one_mebibyte_is_taken", one_mebibyte_is_taken),
    IRIS_TEST("p10.mesh_silent_ones_are_closed", silent_ones_are_closed),
    IRIS_TEST("mesh.an_original_is_called", an_original_is_called),
    IRIS_TEST("mesh.the_table_has_no_version", the_table_has_no_version),
    IRIS_TEST("mesh.names_are_asked_one_by_one", names_are_asked_one_by_one),
    IRIS_TEST("mesh.wide_pids_get_an_alias", wide_pids_get_an_alias),
    IRIS_TEST("p10.mesh_what_is_unasked_ends_it", what_is_unasked_ends_it),
    IRIS_TEST("p2.mesh_both_sides_of_compat_fit", both_sides_fit),
};
IRIS_MAIN(tests)
