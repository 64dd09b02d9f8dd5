/* P10: one connection, and whoever is at its other end. The test itself speaks, byte for byte. */
#include "main.h"

#include "frame.h"
#include "meshes.h"

#include <iris/ext/route.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

static const char cookie[] = "0123456789abcdef0123456789abcdef";
enum { CONN = 999 };

struct raw {
    struct meshes net;
    struct end *a;
    struct hello hello; /* ours */
    uint8_t mine[HELLO_MAX], theirs[HELLO_MAX];
    size_t mine_len, theirs_len;
};

static void raw_begin_with(struct raw *r, const struct mesh_config *config)
{
    memset(r, 0, sizeof *r);
    meshes_begin(&r->net);
    r->a = meshes_add_with(&r->net, "a", 1, config);
    r->hello = (struct hello){.min = 1,
                              .max = 1,
                              .creation = 5,
                              .payload = 1 << 20,
                              .name = 1024,
                              .window = 1 << 20,
                              .node = "evil"};
    r->hello.id.bytes[0] = 9; /* above a's: a decides */
}

static void raw_begin(struct raw *r)
{
    struct mesh_config config = {.cookie = cookie, .cookie_len = 32};
    raw_begin_with(r, &config);
}

static int raw_connect(struct raw *r)
{
    return mesh_accepted(r->a->mesh, CONN, "10.0.0.9:777", MESH_OURS, &r->net.who);
}

static void raw_say(struct raw *r, const void *bytes, size_t n)
{
    mesh_bytes(r->a->mesh, CONN, bytes, n);
}

static void raw_frame(struct raw *r, uint8_t type, const void *body, uint32_t n)
{
    uint8_t *bytes = malloc(FRAME_HEAD + (size_t)n);
    put_head(bytes, type, n);
    if (n)
        memcpy(bytes + FRAME_HEAD, body, n);
    raw_say(r, bytes, FRAME_HEAD + (size_t)n);
    free(bytes);
}

static void raw_hello(struct raw *r)
{
    r->mine_len = frame_put_hello(r->mine, &r->hello);
    raw_say(r, r->mine, r->mine_len);
    r->theirs_len = r->a->nraw < HELLO_MAX ? r->a->nraw : 0;
    memcpy(r->theirs, r->a->raw, r->theirs_len);
}

static void raw_auth(struct raw *r)
{
    uint8_t text[1400] = "iris mesh 1", body[33] = {1};
    size_t n = 11 + 1 + 32; /* role 0, channel 0 */
    memcpy(text + n, r->mine, r->mine_len);
    n += r->mine_len;
    memcpy(text + n, r->theirs, r->theirs_len);
    n += r->theirs_len;
    HMAC(EVP_sha256(), cookie, 32, text, n, body + 1, NULL);
    raw_frame(r, FRAME_AUTH, body, sizeof body);
}

static void raw_up(struct raw *r)
{
    raw_begin(r);
    assert_int_equal(raw_connect(r), IRIS_OK);
    raw_hello(r);
    raw_auth(r);
    raw_frame(r, FRAME_WELCOME, "\0\0\0\0\0\0\0\0", 9);
    assert_int_equal(r->a->ups, 1);
    r->a->nraw = 0;
}

static void raw_refused(struct raw *r, const char *rule)
{
    assert_int_equal(r->a->closed, 1);
    assert_int_equal(end_refusals(r->a, rule), 1);
    assert_string_equal(r->a->last_refused, rule);
    assert_int_equal(r->a->ngot, 0);
    meshes_finish(&r->net);
}

/* ---- before it has authenticated ---- */

static void nothing_is_heard_before_auth(void **state)
{
    struct raw r;
    uint8_t mail[17] = {1, [8] = 9, [16] = 7};
    (void)state;
    for (int type = 0; type < 256; type++)
        for (int greeted = 0; greeted < 2; greeted++) {
            if (type == (greeted ? FRAME_AUTH : FRAME_HELLO))
                continue;
            raw_begin(&r);
            raw_connect(&r);
            if (greeted)
                raw_hello(&r);
            size_t before = r.a->nraw;
            raw_frame(&r, (uint8_t)type, mail, sizeof mail);
            assert_int_equal(r.a->nraw, before); /* and nothing is answered */
            raw_refused(&r, "early");
        }
}

static void a_false_proof_is_refused(void **state)
{
    struct raw r;
    uint8_t body[33] = {1};
    (void)state;
    raw_begin(&r);
    raw_connect(&r);
    raw_hello(&r);
    size_t before = r.a->nraw;
    raw_frame(&r, FRAME_AUTH, body, sizeof body);
    assert_int_equal(r.a->nraw, before);
    raw_refused(&r, "auth");
}

/* TLS is no method where there was none. */
static void a_claim_of_tls_is_refused(void **state)
{
    struct raw r;
    (void)state;
    raw_begin(&r);
    raw_connect(&r);
    raw_hello(&r);
    raw_frame(&r, FRAME_AUTH, "\2", 1);
    raw_refused(&r, "auth");
}

/* Who sends back what it was sent knows no cookie. */
static void a_reflection_is_refused(void **state)
{
    struct raw r;
    (void)state;
    raw_begin(&r);
    raw_connect(&r);
    r.hello.role = 1;
    raw_hello(&r);
    raw_refused(&r, "role");
}

static void a_proof_is_of_one_connection(void **state)
{
    struct raw r;
    uint8_t kept[HELLO_MAX];
    (void)state;
    raw_begin(&r);
    raw_connect(&r);
    raw_hello(&r);
    memcpy(kept, r.theirs, r.theirs_len);
    size_t n = r.theirs_len;
    mesh_closed(r.a->mesh, CONN, "closed");
    r.a->nraw = 0;
    raw_connect(&r);
    raw_hello(&r);
    memcpy(r.theirs, kept, n); /* the nonce of the first one */
    raw_auth(&r);
    raw_refused(&r, "auth");
}

static void versions_must_meet(void **state)
{
    struct raw r;
    (void)state;
    raw_begin(&r);
    raw_connect(&r);
    r.hello.min = 2;
    r.hello.max = 9;
    raw_hello(&r);
    raw_refused(&r, "version");
    raw_begin(&r);
    raw_connect(&r);
    r.hello.max = 9; /* a later one, that knows ours */
    raw_hello(&r);
    raw_auth(&r);
    raw_frame(&r, FRAME_WELCOME, "\0\0\0\0\0\0\0\0", 9);
    assert_int_equal(r.a->ups, 1);
    meshes_finish(&r.net);
}

static void hello_has_a_size(void **state)
{
    struct raw r;
    uint8_t junk[5000] = {FRAME_HELLO, 0, 0x0f, 0xf0};
    (void)state;
    raw_begin(&r);
    raw_connect(&r);
    for (int i = 0; i < 5000 && !r.a->closed; i++)
        raw_say(&r, junk + i, 1);
    raw_refused(&r, "malformed"); /* 4 KiB of HELLO are no HELLO */
    raw_begin(&r);
    raw_connect(&r);
    raw_say(&r, junk, sizeof junk);
    raw_refused(&r, "hello-size");
}

/* A byte now and then does not keep it open. */
static void hello_has_a_time(void **state)
{
    struct raw r;
    uint8_t hello[HELLO_MAX];
    (void)state;
    raw_begin(&r);
    raw_connect(&r);
    frame_put_hello(hello, &r.hello);
    for (int i = 0; i < 60; i++) {
        raw_say(&r, hello + i, 1);
        meshes_run(&r.net, 100 * MS);
        assert_int_equal(r.a->closed, i >= 49);
    }
    raw_refused(&r, "hello-timeout");
}

static void strangers_are_few(void **state)
{
    struct raw r;
    char from[32];
    int taken = 0;
    (void)state;
    raw_begin(&r);
    for (uint32_t i = 0; i < 20; i++)
        taken += !mesh_accepted(r.a->mesh, 1 + 2 * i, "10.0.0.1:1", MESH_OURS, &r.net.who);
    assert_int_equal(taken, 8);
    for (uint32_t i = 0; i < 10000; i++) {
        snprintf(from, sizeof from, "10.1.%u.%u:99", i / 200, i % 200);
        taken += !mesh_accepted(r.a->mesh, 101 + 2 * i, from, MESH_OURS, &r.net.who);
    }
    assert_int_equal(taken, 64);
    assert_int_equal(end_refusals(r.a, "strangers"), 12 + 10000 - 56);
    assert_in_range(r.a->refused, 1, 64); /* told of once a host, and of not so many */
    meshes_run(&r.net, 6 * SECOND);
    assert_int_equal(r.a->closed, 64);
    assert_int_equal(raw_connect(&r), IRIS_OK);
    meshes_finish(&r.net);
}

/* Whoever proves who he is may come as often as he likes. */
static void strangers_come_slowly(void **state)
{
    struct raw r;
    struct end *b;
    int taken = 0;
    (void)state;
    raw_begin(&r);
    b = meshes_add(&r.net, "b", 2);
    for (uint32_t i = 0; i < 120; i++) {
        taken += !mesh_accepted(r.a->mesh, 1001 + 2 * i, "10.0.0.1:1", MESH_OURS, &r.net.who);
        mesh_closed(r.a->mesh, 1001 + 2 * i, "");
    }
    assert_int_equal(taken, 50);
    assert_int_equal(end_refusals(r.a, "accepts"), 70);
    assert_int_equal(mesh_accepted(r.a->mesh, 3001, "10.0.0.2:1", MESH_OURS, &r.net.who), IRIS_OK);
    meshes_run(&r.net, SECOND);
    assert_int_equal(mesh_accepted(r.a->mesh, 3003, "10.0.0.1:1", MESH_OURS, &r.net.who), IRIS_OK);
    for (int i = 1; i <= 100; i++) {
        mesh_want(b->mesh, "a:1", MESH_OURS);
        meshes_run(&r.net, 5 * MS);
        assert_int_equal(r.a->ups, i);
        mesh_unwant(b->mesh, "a:1");
        meshes_run(&r.net, 5 * MS);
    }
    assert_int_equal(end_refusals(r.a, "accepts"), 70);
    meshes_finish(&r.net);
}

/* ---- TLS ---- */

static void tls_says_who_it_is(void **state)
{
    static const char *const allowed[] = {"iris://lab/evil", NULL};
    struct mesh_config config = {.allow_peers = allowed};
    struct raw r;
    (void)state;
    for (int name = 0; name < 2; name++) {
        raw_begin_with(&r, &config);
        strcpy(r.net.who.uri, "iris://lab/evil");
        strcpy(r.net.who.fingerprint, "00ff");
        if (name)
            strcpy(r.hello.node, "good");
        assert_int_equal(raw_connect(&r), IRIS_OK);
        raw_hello(&r);
        if (name) {
            raw_refused(&r, "identity");
            continue;
        }
        raw_frame(&r, FRAME_AUTH, "\2", 1);
        raw_frame(&r, FRAME_WELCOME, "\0\0\0\0\0\0\0\0", 9);
        assert_int_equal(r.a->ups, 1);
        meshes_finish(&r.net);
    }
    raw_begin_with(&r, &config);
    strcpy(r.net.who.uri, "iris://lab/other");
    strcpy(r.net.who.fingerprint, "00fe");
    assert_int_equal(raw_connect(&r), IRIS_FULL);
    assert_int_equal(end_refusals(r.a, "not-allowed"), 1);
    r.net.who = (struct mesh_identity){.loopback = 1};
    assert_int_equal(raw_connect(&r), IRIS_FULL); /* plain, and there is no cookie */
    assert_int_equal(end_refusals(r.a, "no-cookie"), 1);
    meshes_finish(&r.net);
}

/* ---- after it ---- */

static void raw_said_goodbye(struct raw *r, const char *rule)
{
    assert_int_equal(r->a->raw[0], FRAME_GOODBYE);
    assert_int_equal(r->a->downs, 1);
    raw_refused(r, rule);
}

static void malformed_frames_end_one_link(void **state)
{
    static const struct {
        uint8_t type;
        const char *body;
        uint32_t n;
        const char *rule;
    } cases[] = {
        {FRAME_HELLO, "", 0, "unknown"},
        {0x1f, "", 0, "unknown"},
        {FRAME_SIGNALS_END, "", 0, "unknown"},
        {FRAME_MAIL, "", 0, "malformed"},
        {FRAME_MAIL, "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 16, "malformed"},
        {FRAME_MAIL, "\0\1\0\0\0\0\0\0\1", 9, "malformed"}, /* to another node */
        {FRAME_MAIL, "\0\0\0\0\0\0\0\0\0", 9, "malformed"}, /* to nobody */
        {FRAME_MAIL, "\40\0\0\0\0\0\0\0\1\0\0\0\1x", 14,
         "malformed"}, /* pieces, and no more comes */
        {FRAME_MAIL, "\40\0\0\0\0\0\0\0\1\377\0\0\1x", 14, "payload"},
        {FRAME_FRAG, "x", 1, "malformed"},
        {FRAME_CREDIT, "\0\0\0\0\0\0\0\1", 8, "number"}, /* nothing was sent */
        {FRAME_CREDIT, "\377\377\377\377\377\377\377\377", 8, "number"},
        {FRAME_CREDIT, "\0", 1, "malformed"},
        {FRAME_NACK, "\0\0\0\0\0\0\0\1\0\0\0\1\1", 13, "number"},
        {FRAME_NACK, "\0\0\0\0\0\0\0\1\377\377\377\377\1", 13, "number"},
        {FRAME_PING, "", 0, "malformed"},
        {FRAME_PONG, "\0\0\0\0\0\0\0\0\5", 9, "malformed"},
        {FRAME_SETTLE, "\0", 1, "malformed"},
        {FRAME_RESOLVE, "\0\0\0\1", 4, "name"},
        {FRAME_RESOLVE, "\0\0\0\1a\0b", 7, "name"},
        {FRAME_PROBE, "\0\0\0\1\377\0\0\0\0\0\0\0", 12, "malformed"},
        {FRAME_MONITOR, "\1", 1, "malformed"},
        {FRAME_EXIT, "\377\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 17, "malformed"},
    };
    struct raw r;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        raw_up(&r);
        raw_frame(&r, cases[i].type, cases[i].body, cases[i].n);
        raw_said_goodbye(&r, cases[i].rule);
    }
}

static void large_frames_end_it(void **state)
{
    struct raw r;
    uint8_t head[4] = {FRAME_MAIL, 0xff, 0xff, 0xff};
    (void)state;
    raw_up(&r);
    raw_say(&r, head, 4);
    raw_said_goodbye(&r, "oversize");
}

static void later_frames_are_skipped(void **state)
{
    struct raw r;
    (void)state;
    raw_up(&r);
    raw_frame(&r, 0x80, "hello", 5);
    raw_frame(&r, 0xff, NULL, 0);
    assert_int_equal(r.a->closed, 0);
    assert_int_equal(end_refusals(r.a, "skipped"), 2);
    assert_int_equal(r.a->refused, 1); /* told of once in 10 s */
    meshes_run(&r.net, 3 * SECOND);
    assert_int_equal(r.a->closed, 0);
    meshes_finish(&r.net);
}

/* What only nodes may do that the manifest names: of others it is counted and not heard. */
static void wants_leave(enum frame_type type, uint32_t kind, const char *rule,
                        const struct mesh_config *config)
{
    static const uint8_t signal[25] = {1, [8] = 9, [24] = 7};
    struct raw r;
    raw_up(&r);
    raw_frame(&r, type, signal, sizeof signal);
    assert_int_equal(r.a->ngot, 0);
    assert_int_equal(r.a->closed, 0);
    assert_int_equal(end_refusals(r.a, rule), 1);
    meshes_finish(&r.net);
    raw_begin_with(&r, config);
    raw_connect(&r);
    raw_hello(&r);
    raw_auth(&r);
    raw_frame(&r, FRAME_WELCOME, "\0\0\0\0\0\0\0\0", 9);
    raw_frame(&r, type, signal, sizeof signal);
    assert_int_equal(r.a->ngot, 1);
    assert_int_equal(r.a->got[0].kind, kind);
    meshes_finish(&r.net);
}

static const char *const evil[] = {"b", "evil", NULL};

static void stop_wants_leave(void **state)
{
    struct mesh_config config = {.cookie = cookie, .cookie_len = 32, .may_stop = evil};
    (void)state;
    wants_leave(FRAME_STOP, IRIS_STOP, "stop", &config);
}

static void supervising_wants_leave(void **state)
{
    struct mesh_config config = {.cookie = cookie, .cookie_len = 32, .may_supervise = evil};
    (void)state;
    wants_leave(FRAME_ORDER, IRIS_ORDER, "supervise", &config);
}

/* Nobody orders or reports in the name of a third node. */
static void orders_are_the_senders_own(void **state)
{
    static const uint8_t nobody[17] = {0, [8] = 9};
    static const uint8_t third[17 + 32] = {3, [8] = 9, [24] = 7};
    struct raw r;
    (void)state;
    raw_up(&r);
    raw_frame(&r, FRAME_REPORT, nobody, sizeof nobody);
    raw_refused(&r, "malformed");
    raw_up(&r);
    raw_frame(&r, FRAME_ORDER, third, sizeof third);
    raw_refused(&r, "malformed");
}

static void rights_are_told(void **state)
{
    struct raw r;
    (void)state;
    raw_up(&r);
    assert_int_equal(r.a->rights, 0);
    assert_int_equal(r.a->run >> 56, 9); /* the first byte of its id */
    raw_frame(&r, FRAME_GRANTS, "\2 and more", 10);
    assert_int_equal(r.a->rights, IRIS_RIGHT_SUPERVISE);
    raw_frame(&r, FRAME_GRANTS, NULL, 0);
    raw_refused(&r, "malformed");
}

static void resolves_are_counted(void **state)
{
    struct raw r;
    int refused = 0;
    (void)state;
    raw_up(&r);
    for (int i = 0; i < 1500; i++)
        raw_frame(&r, FRAME_RESOLVE, "\0\0\0\1x", 5);
    for (size_t at = 0; at < r.a->nraw; at += FRAME_HEAD + 13)
        refused += r.a->raw[at + 8];
    assert_int_equal(refused, 500);
    assert_int_equal(end_refusals(r.a, "resolves"), 500);
    meshes_finish(&r.net);
}

static void a_frame_must_end(void **state)
{
    struct raw r;
    uint8_t head[5] = {FRAME_MAIL, 0, 0, 200, 1};
    (void)state;
    raw_up(&r);
    raw_say(&r, head, 5);
    for (int i = 0; i < 29; i++) {
        raw_say(&r, head, 1);
        meshes_run(&r.net, SECOND);
        assert_int_equal(r.a->closed, 0);
    }
    meshes_run(&r.net, 2 * SECOND);
    assert_int_equal(end_refusals(r.a, "slow-frame"), 1);
    meshes_finish(&r.net);
}

/* ---- noise ---- */

static void noise_harms_nobody(void **state)
{
    uint64_t x = 88172645463325252;
    uint8_t bytes[300];
    struct raw r;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        if (round % 3)
            raw_up(&r);
        else {
            raw_begin(&r);
            raw_connect(&r);
        }
        for (int i = 0; i < 4 && !r.a->closed; i++) {
            for (size_t j = 0; j < sizeof bytes; j++) {
                x ^= x << 13, x ^= x >> 7, x ^= x << 17;
                bytes[j] = x & 1 ? (uint8_t)(x >> 8) : 0;
            }
            bytes[0] = 0x10 + (x >> 16) % 0x30;
            bytes[1] = bytes[2] = 0;
            raw_say(&r, bytes, 1 + (x >> 24) % sizeof bytes);
        }
        meshes_run(&r.net, 20 * MS);
        meshes_finish(&r.net);
    }
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p10.mesh_nothing_is_heard_before_auth", nothing_is_heard_before_auth),
    IRIS_TEST("p10.mesh_a_false_proof_is_refused", a_false_proof_is_refused),
    IRIS_TEST("p10.mesh_a_claim_of_tls_is_refused", a_claim_of_tls_is_refused),
    IRIS_TEST("p10.mesh_a_reflection_is_refused", a_reflection_is_refused),
    IRIS_TEST("p10.mesh_a_proof_is_of_one_connection", a_proof_is_of_one_connection),
    IRIS_TEST("mesh.versions_must_meet", versions_must_meet),
    IRIS_TEST("p10.mesh_hello_has_a_size", hello_has_a_size),
    IRIS_TEST("p10.mesh_hello_has_a_time", hello_has_a_time),
    IRIS_TEST("p10.mesh_strangers_are_few", strangers_are_few),
    IRIS_TEST("p10.mesh_strangers_come_slowly", strangers_come_slowly),
    IRIS_TEST("p10.mesh_tls_says_who_it_is", tls_says_who_it_is),
    IRIS_TEST("p10.mesh_malformed_frames_end_one_link", malformed_frames_end_one_link),
    IRIS_TEST("p10.mesh_large_frames_end_it", large_frames_end_it),
    IRIS_TEST("mesh.later_frames_are_skipped", later_frames_are_skipped),
    IRIS_TEST("p10.mesh_stop_wants_leave", stop_wants_leave),
    IRIS_TEST("p10.mesh_supervising_wants_leave", supervising_wants_leave),
    IRIS_TEST("p10.mesh_orders_are_the_senders_own", orders_are_the_senders_own),
    IRIS_TEST("p10.mesh_rights_are_told", rights_are_told),
    IRIS_TEST("p10.mesh_resolves_are_counted", resolves_are_counted),
    IRIS_TEST("p10.mesh_a_frame_must_end", a_frame_must_end),
    IRIS_TEST("p10.mesh_noise_harms_nobody", noise_harms_nobody),
};
IRIS_MAIN(tests)
