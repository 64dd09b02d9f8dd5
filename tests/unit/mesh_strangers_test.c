/* Ends that have not shown who they are: few, for a short time, and nothing that they say is handled. Here they are
 * made of bytes, as no Iris would make them. */
#include "main.h"

#include "frame.h"
#include "meshes.h"

struct stranger { /* who talks with one end by hand */
    struct end *end;
    struct wire *wire;
    uint32_t conn;
};

static int stranger_from(struct stranger *s, struct end *e, const char *from, int identified)
{
    struct meshes *net = e->net;
    struct wire *w = net->wires;
    while (w->used && (w->side[0].end || w->side[1].end))
        w++;
    assert_true(w < net->wires + WIRES);
    free(w->side[0].bytes);
    free(w->side[1].bytes);
    *w = (struct wire){.used = 1};
    *s = (struct stranger){e, w, net->conns};
    net->conns += 2;
    w->side[0] = (struct side){.open = 1};
    w->side[1] = (struct side){.end = e, .conn = s->conn, .open = 1};
    int result = mesh_accepted(e->mesh, s->conn, from, MESH_OURS, identified ? &net->who : NULL);
    if (result)
        w->used = 0;
    return result;
}

static struct stranger stranger_at(struct end *e)
{
    struct stranger s;
    assert_int_equal(stranger_from(&s, e, "10.0.0.1:5", 1), IRIS_OK);
    return s;
}

static int is_open(const struct stranger *s)
{
    return s->wire->side[1].end == s->end;
}

static void says(struct stranger *s, const void *bytes, size_t n)
{
    mesh_bytes(s->end->mesh, s->conn, bytes, n);
}

static void says_frame(struct stranger *s, uint8_t type, const void *body, size_t n)
{
    uint8_t bytes[8192] = {type, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    memcpy(bytes + 4, body, n);
    says(s, bytes, n + 4);
}

/* HELLO as a good end says it that has dialled. */
static size_t hello(uint8_t bytes[HELLO_MAX], const char *node, uint8_t role)
{
    struct hello h = {.min = PROTOCOL_MIN,
                      .max = PROTOCOL_MAX,
                      .role = role,
                      .id.bytes = {9},
                      .creation = 1,
                      .payload = 1 << 20,
                      .name = 1024,
                      .window = 1 << 22};
    snprintf(h.node, sizeof h.node, "%s", node);
    return frame_put_hello(bytes, &h);
}

static void says_hello(struct stranger *s, const char *node)
{
    uint8_t bytes[HELLO_MAX];
    size_t n = hello(bytes, node, 0);
    says(s, bytes, n);
}

struct scene {
    struct meshes net;
    struct end *b;
};

static void scene_begin(struct scene *s)
{
    static const struct mesh_config any_rate = {
        .cookie = "0123456789abcdef0123456789abcdef", .cookie_len = 32, .limits.accepts = 10000};
    meshes_begin(&s->net);
    s->b = meshes_add_with(&s->net, "b", 2, &any_rate);
}

static void assert_untouched(const struct scene *s)
{
    assert_int_equal(s->b->ngot, 0);
    assert_int_equal(s->b->ups, 0);
    assert_int_equal(s->b->delivered, 0);
}

/* ---- how many, and for how long ---- */

static void eight_of_an_address(void **state)
{
    (void)state;
    for (int identified = 0; identified < 2; identified++) {
        struct scene s;
        struct stranger x;
        scene_begin(&s);
        for (int i = 0; i < 8; i++)
            assert_int_equal(stranger_from(&x, s.b, "10.0.0.1:5", identified), IRIS_OK);
        assert_int_equal(stranger_from(&x, s.b, "10.0.0.1:6", identified), IRIS_FULL);
        assert_int_equal(stranger_from(&x, s.b, "10.0.0.2:6", identified), IRIS_OK);
        assert_int_equal(stranger_from(&x, s.b, "[::1]", identified), IRIS_OK);
        assert_int_equal(end_refusals(s.b, "strangers"), 1);
        meshes_finish(&s.net);
    }
}

static void sixty_four_in_all(void **state)
{
    (void)state;
    struct scene s;
    struct stranger x;
    char from[32];
    int let_in = 0;
    scene_begin(&s);
    for (int i = 0; i < 60; i++) { /* a wire of theirs is needed by the peer below */
        snprintf(from, sizeof from, "10.0.0.%d:5", i / 2);
        let_in += !stranger_from(&x, s.b, from, i % 2);
    }
    assert_int_equal(let_in, 60);
    struct end *a = meshes_add(&s.net, "a", 1); /* a peer is served meanwhile */
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_run(&s.net, 100 * MS);
    assert_int_equal(s.b->ups, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(stranger_from(&x, s.b, "10.1.0.1:5", 1), IRIS_OK);
    mesh_accepted(s.b->mesh, 90001, "10.1.0.2:5", MESH_OURS, NULL);
    assert_int_equal(mesh_accepted(s.b->mesh, 90003, "10.1.0.2:5", MESH_OURS, NULL), IRIS_FULL);
    assert_int_equal(end_send(a, 5, end_abroad(a, 7), "served", 0), IRIS_OK);
    meshes_run(&s.net, 100 * MS);
    assert_int_equal(s.b->ngot, 1);
    meshes_finish(&s.net);
}

/* Silent, or a byte at a time, or proving who it is for ever: five seconds in all. */
static void five_seconds(void **state)
{
    (void)state;
    struct scene s;
    struct stranger silent, slow, proving, late;
    uint8_t bytes[HELLO_MAX];
    scene_begin(&s);
    hello(bytes, "x", 0);
    silent = stranger_at(s.b);
    slow = stranger_at(s.b);
    assert_int_equal(stranger_from(&proving, s.b, "10.0.0.2:5", 0), IRIS_OK);
    assert_int_equal(stranger_from(&late, s.b, "10.0.0.2:5", 0), IRIS_OK);
    for (int i = 0; i < 49; i++) {
        says(&slow, bytes + i, 1);
        meshes_run(&s.net, 100 * MS);
        if (i == 40)
            mesh_connected(s.b->mesh, late.conn, &s.net.who);
    }
    assert_true(is_open(&silent) && is_open(&slow) && is_open(&proving) && is_open(&late));
    meshes_run(&s.net, 200 * MS);
    assert_false(is_open(&silent) || is_open(&slow) || is_open(&proving) || is_open(&late));
    assert_int_equal(end_refusals(s.b, "hello-timeout"), 4);
    assert_untouched(&s);
    meshes_finish(&s.net);
}

/* ---- what they say ---- */

static void nothing_is_handled(void **state)
{
    (void)state;
    struct scene s;
    uint8_t body[64] = {0};
    scene_begin(&s);
    for (int after_hello = 0; after_hello < 2; after_hello++)
        for (int type = 0; type < 256; type++) {
            struct stranger x = stranger_at(s.b);
            if (after_hello)
                says_hello(&x, "x");
            says_frame(&x, (uint8_t)type, body, sizeof body);
            if (is_open(&x))
                fail_msg("a frame of type 0x%02x was taken", (unsigned)type);
        }
    assert_untouched(&s);
    meshes_finish(&s.net);
}

static void nothing_before_it_is_identified(void **state)
{
    (void)state;
    struct scene s;
    struct stranger x;
    scene_begin(&s);
    assert_int_equal(stranger_from(&x, s.b, "10.0.0.1:5", 0), IRIS_OK);
    says_hello(&x, "x");
    assert_false(is_open(&x));
    assert_int_equal(end_refusals(s.b, "early"), 1);
    meshes_finish(&s.net);
}

static void an_oversized_hello(void **state)
{
    (void)state;
    struct scene s;
    static uint8_t body[8000];
    scene_begin(&s);
    struct stranger x = stranger_at(s.b), y = stranger_at(s.b);
    says_frame(&x, FRAME_HELLO, body, 4200);
    assert_false(is_open(&x));
    says(&y, "\x10\xff\xff\xff", 4); /* announced is enough */
    assert_false(is_open(&y));
    meshes_finish(&s.net);
}

static void other_protocols(void **state)
{
    (void)state;
    static const char *const said[] = {"GET / HTTP/1.1\r\nHost: b\r\n\r\n", "SSH-2.0-OpenSSH_9\r\n",
                                       "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                                       "\x01\x00\x2a", "*1\r\n$4\r\nPING\r\n"};
    struct scene s;
    scene_begin(&s);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct stranger x = stranger_at(s.b);
        says(&x, said[i], strlen(said[i]) + 4);
        meshes_run(&s.net, 5 * SECOND);
        assert_false(is_open(&x));
    }
    assert_untouched(&s);
    meshes_finish(&s.net);
}

/* ---- proofs that are not theirs ---- */

static void no_cookie_or_another_method(void **state)
{
    (void)state;
    struct scene s;
    uint8_t none[33] = {1}, tls[33] = {2};
    scene_begin(&s);
    struct stranger x = stranger_at(s.b), y = stranger_at(s.b), z = stranger_at(s.b);
    says_hello(&x, "x");
    says_frame(&x, FRAME_AUTH, none, sizeof none);
    says_hello(&y, "x");
    says_frame(&y, FRAME_AUTH, tls, sizeof tls); /* "let the certificate do", and there is none */
    says_hello(&z, "x");
    says_frame(&z, FRAME_AUTH, none, 0);
    assert_false(is_open(&x) || is_open(&y) || is_open(&z));
    assert_int_equal(end_refusals(s.b, "auth"), 3);
    assert_untouched(&s);
    meshes_finish(&s.net);
}

/* What a good end said when it joined, all of it, said again. */
static void a_replay(void **state)
{
    (void)state;
    struct scene s;
    uint8_t record[4096];
    size_t n = 0;
    scene_begin(&s);
    struct end *a = meshes_add(&s.net, "a", 1);
    mesh_want(a->mesh, "b:1", MESH_OURS);
    meshes_tick(&s.net);
    for (int i = 0; i < 100 && !s.b->ups; i++) {
        struct side *said = &s.net.wires[0].side[0];
        size_t more = said->open == 1 ? said->have : 0;
        assert_true(n + more <= sizeof record);
        if (more)
            memcpy(record + n, said->bytes, more);
        n += more;
        meshes_move(&s.net);
        meshes_tick(&s.net);
    }
    assert_int_equal(s.b->ups, 1);
    struct stranger x = stranger_at(s.b);
    says(&x, record, n);
    assert_false(is_open(&x));
    assert_int_equal(end_refusals(s.b, "auth"), 1);
    assert_int_equal(s.b->ups, 1);
    meshes_finish(&s.net);
}

/* Its own words, sent back to it: as the end that dialled, and as the one that accepted. */
static void a_mirror(void **state)
{
    (void)state;
    struct scene s;
    uint8_t bytes[2 * HELLO_MAX];
    scene_begin(&s);
    struct stranger x = stranger_at(s.b), y = stranger_at(s.b);
    says_hello(&x, "x");
    struct side *b = &x.wire->side[1];
    size_t n = b->have;
    assert_true(n && n <= sizeof bytes);
    memcpy(bytes, b->bytes, n);
    says(&y, bytes, n); /* it says that it has accepted */
    assert_false(is_open(&y));
    assert_int_equal(end_refusals(s.b, "role"), 1);
    struct hello h;
    struct frame f = {
        .type = FRAME_HELLO, .len = (uint32_t)n - FRAME_HEAD, .body = bytes + FRAME_HEAD};
    assert_int_equal(frame_get_hello(&f, &h), 0);
    h.role = 0;
    n = frame_put_hello(bytes, &h);
    y = stranger_at(s.b);
    says(&y, bytes, n); /* ..or that it is b: that is this node */
    assert_false(is_open(&y));
    assert_untouched(&s);
    meshes_finish(&s.net);
}

static void cookie_of(struct mesh_config *c)
{
    c->cookie = "0123456789abcdef0123456789abcdef";
    c->cookie_len = 32;
}

/* Two connections of TLS, an end in the middle that hands over what it reads: the cookie's proof does not go
 * through, as it covers its connection. */
static void a_man_in_the_middle(void **state)
{
    (void)state;
    struct scene s;
    uint8_t bytes[4096];
    struct mesh_config c = {0};
    cookie_of(&c);
    meshes_begin(&s.net);
    snprintf(s.net.who.uri, sizeof s.net.who.uri, "iris://lab/a");
    memset(s.net.who.fingerprint, 'f', 64);
    struct end *b = s.b = meshes_add_with(&s.net, "b", 2, &c);
    struct end *a = meshes_add_with(&s.net, "a", 1, &c);
    for (int same = 1; same >= 0; same--) {
        struct stranger to_b, to_a;
        int before = b->ups;
        memset(s.net.who.channel, 1, 32);
        to_b = stranger_at(b);
        mesh_want(a->mesh, "m:1", MESH_OURS);
        meshes_tick(&s.net);
        struct wire *w = s.net.wires;
        while (w->side[0].end != a)
            w++;
        w->side[0].open = w->side[1].open = 1;
        to_a = (struct stranger){a, w, w->side[0].conn};
        memset(s.net.who.channel, same ? 1 : 2, 32);
        struct mesh_identity who = s.net.who;
        snprintf(who.uri, sizeof who.uri, "iris://lab/b");
        mesh_connected(a->mesh, to_a.conn, &who);
        for (int i = 0; i < 10; i++) {
            struct side *from_a = &w->side[0], *from_b = &to_b.wire->side[1];
            size_t n = from_a->have;
            memcpy(bytes, from_a->bytes ? from_a->bytes : bytes, n);
            from_a->have = 0;
            if (n)
                says(&to_b, bytes, n);
            n = from_b->have;
            memcpy(bytes, from_b->bytes ? from_b->bytes : bytes, n);
            from_b->have = 0;
            if (n)
                says(&to_a, bytes, n);
        }
        assert_int_equal(b->ups - before, same);
        assert_int_equal(is_open(&to_b), same);
        if (same) { /* the wire is good: so what is refused next is the other channel */
            end_crash(a, 0);
            end_restart(a, 3);
            mesh_closed(b->mesh, to_b.conn, "cut");
            to_b.wire->used = w->used = 0;
        }
    }
    assert_int_equal(end_refusals(b, "auth"), 1);
    meshes_finish(&s.net);
}

/* A certificate is of one node, and of no other. */
static void another_nodes_name(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    snprintf(s.net.who.uri, sizeof s.net.who.uri, "iris://lab/a");
    memset(s.net.who.fingerprint, 'f', 64);
    struct stranger x = stranger_at(s.b), y = stranger_at(s.b);
    says_hello(&x, "victim");
    assert_false(is_open(&x));
    assert_int_equal(end_refusals(s.b, "identity"), 1);
    says_hello(&y, "a");
    assert_true(is_open(&y));
    meshes_finish(&s.net);
}

/* Its reason is heard here too, and not only where it came from. */
static void why_it_is_nobody(void **state)
{
    (void)state;
    struct scene s;
    struct stranger x;
    scene_begin(&s);
    assert_int_equal(stranger_from(&x, s.b, "10.0.0.1:5", 0), IRIS_OK);
    mesh_closed(s.b->mesh, x.conn, "it showed no certificate");
    assert_string_equal(s.b->last_refused, "it showed no certificate");
    assert_int_equal(end_refusals(s.b, "not-identified"), 1);
    meshes_finish(&s.net);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p10.mesh_eight_strangers_of_an_address", eight_of_an_address),
    IRIS_TEST("p10.mesh_sixty_four_strangers", sixty_four_in_all),
    IRIS_TEST("p10.mesh_strangers_have_five_seconds", five_seconds),
    IRIS_TEST("p10.mesh_nothing_of_a_stranger_is_handled", nothing_is_handled),
    IRIS_TEST("p10.mesh_nothing_before_it_is_identified", nothing_before_it_is_identified),
    IRIS_TEST("p10.mesh_an_oversized_hello", an_oversized_hello),
    IRIS_TEST("p10.mesh_other_protocols", other_protocols),
    IRIS_TEST("p10.mesh_no_cookie_or_another_method", no_cookie_or_another_method),
    IRIS_TEST("p10.mesh_a_replay", a_replay),
    IRIS_TEST("p10.mesh_a_mirror", a_mirror),
    IRIS_TEST("p10.mesh_a_man_in_the_middle", a_man_in_the_middle),
    IRIS_TEST("p10.mesh_another_nodes_name", another_nodes_name),
    IRIS_TEST("p10.mesh_why_it_is_nobody", why_it_is_nobody),
};

IRIS_MAIN(tests)
