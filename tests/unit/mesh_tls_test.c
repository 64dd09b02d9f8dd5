/* TLS of the mesh: nothing passes before both ends have shown who they are. Those that no Iris would be (no
 * certificate, an older TLS) are OpenSSL's own. */
#include "main.h"

#include "mesh_ends.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* ---- a good end ---- */

static void shows_both(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    struct pair p = connect_with(a, b, 0, 4096);
    assert_open(p);
    assert_string_equal(tls_peer(p.dialled)->uri, "iris://lab/b");
    assert_string_equal(tls_peer(p.accepted)->uri, "iris://lab/a");
    assert_string_equal(tls_peer(p.accepted)->fingerprint, trust_self(a)->fingerprint);
    assert_int_equal(strlen(trust_self(a)->fingerprint), 64);
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

/* What AUTH covers: the same at both ends, another on every connection. */
static void binds_channel(void **state)
{
    (void)state;
    static const uint8_t none[32];
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    struct pair p = connect_with(a, b, 0, 4096), q = connect_with(a, b, 0, 4096);
    const uint8_t *one = tls_peer(p.dialled)->channel, *two = tls_peer(q.dialled)->channel;
    assert_memory_equal(one, tls_peer(p.accepted)->channel, 32);
    assert_memory_not_equal(one, two, 32);
    assert_memory_not_equal(one, none, 32);
    finish(p);
    finish(q);
    trust_destroy(a);
    trust_destroy(b);
}

static void by_one_byte(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    struct pair p = connect_with(a, b, 0, 1);
    assert_open(p);
    write_through(p, 2000, 1);
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

static void in_tiny_room(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    for (size_t room = 128; room < 200; room += 23) {
        struct pair p = connect_with(a, b, room, 4096);
        assert_open(p);
        write_through(p, 5000, 7);
        finish(p);
    }
    trust_destroy(a);
    trust_destroy(b);
}

static void a_mebibyte(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    struct pair p = connect_with(a, b, 0, 65536);
    write_through(p, MIB, 65536);
    write_through((struct pair){p.accepted, p.dialled}, MIB, 1400);
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

/* What was taken is gone for good: the next bytes may be others than the rest of these. */
static void refused_rest_is_free(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    struct pair p = connect_with(a, b, 256, 4096);
    char sent[1000], got[1000] = "";
    struct sink sink = {got, 0, sizeof got};
    memset(sent, 'x', sizeof sent);
    size_t taken = tls_write(p.dialled, sent, sizeof sent);
    assert_true(taken > 0 && taken < sizeof sent);
    while (carry(p.dialled, p.accepted, 4096, &sink))
        continue;
    assert_int_equal(tls_write(p.dialled, "y", 1), 1);
    while (carry(p.dialled, p.accepted, 4096, &sink))
        continue;
    assert_int_equal(sink.n, taken + 1);
    assert_int_equal(got[taken - 1], 'x');
    assert_int_equal(got[taken], 'y');
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

static void ends_in_order(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    struct pair p = connect_with(a, b, 0, 4096);
    char got[8] = "";
    struct sink sink = {got, 0, sizeof got};
    tls_write(p.dialled, "last", 4);
    tls_end(p.dialled);
    while (carry(p.dialled, p.accepted, 1, &sink))
        continue;
    assert_int_equal(tls_state(p.accepted), TLS_ENDED);
    assert_string_equal(got, "last");
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

static void closed_in_handshake(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    for (int steps = 0; steps < 2500; steps += 97) {
        struct pair p = {tls_create(a, 0, 0), tls_create(b, 1, 0)};
        for (int i = 0; i < steps; i++) {
            carry(p.dialled, p.accepted, 1, NULL);
            carry(p.accepted, p.dialled, 1, NULL);
        }
        tls_end(p.dialled);
        finish(p);
    }
    trust_destroy(a);
    trust_destroy(b);
}

static void silent_before_open(void **state)
{
    (void)state;
    char buf[16];
    struct trust *a = trust_of("lab", "a");
    struct tls *t = tls_create(a, 1, 0);
    assert_int_equal(tls_write(t, "secret", 6), 0);
    assert_int_equal(tls_read(t, buf, sizeof buf), 0);
    assert_string_equal(tls_peer(t)->uri, "");
    tls_destroy(t);
    trust_destroy(a);
}

/* ---- ends that are not let in ---- */

/* Both ends would refuse; the one that dialled sees the other first. */
static void foreign_ca(void **state)
{
    (void)state;
    refuse(trust_of("lab", "a"), trust_of("foreign", "x"), "lab/ca.crt signed its certificate",
           "it does not know the CA that signed this node's certificate");
}

/* One that would take the other, but is not taken. */
static void foreign_ca_one_way(void **state)
{
    (void)state;
    char why[512], both[256], command[600];
    snprintf(both, sizeof both, "%s/both.crt", dir);
    snprintf(command, sizeof command, "cat '%s/lab/ca.crt' '%s/foreign/ca.crt' > '%s'", dir, dir,
             both);
    assert_int_equal(system(command), 0);
    const struct trust_config config = {
        .cert = at("foreign/x.crt"), .key = at("foreign/x.key"), .ca = both};
    struct trust *x = trust_create(&config, why, sizeof why);
    assert_non_null(x);
    refuse(x, trust_of("lab", "a"), "it does not know the CA", "lab/ca.crt signed its certificate");
}

static void ended(void **state)
{
    (void)state;
    refuse(trust_of("lab", "old"), trust_of("lab", "a"), "this node's certificate has ended",
           "its certificate has ended, on 20");
    refuse(trust_of("lab", "a"), trust_of("lab", "old"), "its certificate has ended, on 20",
           "this node's certificate has ended");
}

static void not_begun(void **state)
{
    (void)state;
    refuse(trust_of("lab", "a"), trust_of("lab", "young"), "is a clock wrong?",
           "has ended, or not begun");
}

static void other_cluster(void **state)
{
    (void)state;
    refuse(trust_of("lab", "elsewhere"), trust_of("lab", "a"), "iris://lab/a is of another cluster",
           "it does not take this node's certificate");
}

/* An end that OpenSSL makes, with whatever certificate and version. */
struct raw {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *net;
};

static struct raw raw_end(int accepted, const char *name, int version)
{
    struct raw r = {.ctx = SSL_CTX_new(TLS_method())};
    BIO *inner;
    char path[160];
    SSL_CTX_set_max_proto_version(r.ctx, version);
    if (name) {
        snprintf(path, sizeof path, "%s/lab/%s.crt", dir, name);
        assert_int_equal(SSL_CTX_use_certificate_file(r.ctx, path, SSL_FILETYPE_PEM), 1);
        snprintf(path, sizeof path, "%s/lab/%s.key", dir, name);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(r.ctx, path, SSL_FILETYPE_PEM), 1);
    }
    r.ssl = SSL_new(r.ctx);
    BIO_new_bio_pair(&inner, 65536, &r.net, 65536);
    SSL_set_bio(r.ssl, inner, inner);
    if (accepted)
        SSL_set_accept_state(r.ssl);
    else
        SSL_set_connect_state(r.ssl);
    return r;
}

static void raw_finish(struct raw r)
{
    SSL_free(r.ssl);
    BIO_free(r.net);
    SSL_CTX_free(r.ctx);
    ERR_clear_error();
}

/* Says `hello` as soon as it may. Returns how many plain bytes came out at our end. */
static size_t meet_raw(struct raw r, struct tls *t, const char *hello)
{
    char buf[4096], got[4096];
    struct sink sink = {got, 0, sizeof got};
    for (int i = 0; i < 20; i++) {
        const void *out;
        SSL_do_handshake(r.ssl);
        if (SSL_is_init_finished(r.ssl) && hello && SSL_write(r.ssl, hello, (int)strlen(hello)) > 0)
            hello = NULL;
        int n = BIO_read(r.net, buf, sizeof buf);
        for (int fed = 0; fed < n;)
            fed += (int)tls_feed(t, buf + fed, (size_t)(n - fed));
        drain(t, &sink);
        size_t m = tls_output(t, &out);
        if (m)
            BIO_write(r.net, out, (int)m);
        tls_sent(t, m);
    }
    return sink.n;
}

static void meet(int accepted, const char *name, int version, const char *says)
{
    struct trust *a = trust_of("lab", "a");
    struct tls *t = tls_create(a, accepted, 0);
    struct raw r = raw_end(!accepted, name, version);
    assert_int_equal(meet_raw(r, t, "run this"), 0);
    assert_says(t, says);
    raw_finish(r);
    tls_destroy(t);
    trust_destroy(a);
}

static void no_certificate(void **state)
{
    (void)state;
    meet(1, NULL, TLS1_3_VERSION, "it showed no certificate");
}

/* TLS 1.3 knows no listeners without one. */
static void no_certificate_at_listener(void **state)
{
    (void)state;
    meet(0, NULL, TLS1_3_VERSION, "has no certificate");
}

static void older_tls(void **state)
{
    (void)state;
    meet(1, "b", TLS1_2_VERSION, "it does not offer TLS 1.3");
    meet(0, "b", TLS1_2_VERSION, "it does not offer TLS 1.3");
}

static void wrong_san(void **state)
{
    (void)state;
    static const char *const sans[] = {"DNS:b",
                                       "URI:iris://lab/b,URI:iris://lab/a",
                                       "URI:iris://lab/",
                                       "URI:iris://lab/b/c",
                                       "URI:iris:///b",
                                       "URI:http://lab/b",
                                       "URI:iris://lab/b?c"};
    for (size_t i = 0; i < sizeof sans / sizeof *sans; i++) {
        sign_with(sans[i], "careless");
        meet(1, "careless", TLS1_3_VERSION, "names no node");
        meet(0, "careless", TLS1_3_VERSION, "names no node");
    }
    sign_with("DNS:b,URI:iris://LAB/b", "careless");
    meet(1, "careless", TLS1_3_VERSION, "another cluster");
}

/* The same end as above, with nothing against it: so these tests refuse for the reason that they name. */
static void good_raw_end(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a");
    struct tls *t = tls_create(a, 1, 0);
    sign_with("DNS:b,URI:iris://lab/b", "careful");
    struct raw r = raw_end(0, "careful", TLS1_3_VERSION);
    assert_int_equal(meet_raw(r, t, "run this"), 8);
    assert_string_equal(tls_peer(t)->uri, "iris://lab/b");
    raw_finish(r);
    tls_destroy(t);
    trust_destroy(a);
}

static void garbage(void **state)
{
    (void)state;
    static const char *const said[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "SSH-2.0-x\r\n",
                                       "\x10\x00\x00\x00\x40\x00\x01\x00\x01",
                                       "\x16\x03\x01\xff\xff\x01",
                                       "\x80\x80\x80\x80\x80\x80\x80\x80"};
    struct trust *a = trust_of("lab", "a");
    for (size_t i = 0; i < 2 * sizeof said / sizeof *said; i++) {
        struct tls *t = tls_create(a, i % 2, 0);
        char bytes[64] = "";
        snprintf(bytes, sizeof bytes, "%s", said[i / 2]);
        tls_feed(t, bytes, sizeof bytes);
        assert_int_equal(tls_state(t), TLS_FAILED);
        assert_true(*tls_why(t));
        assert_int_equal(tls_feed(t, bytes, sizeof bytes), sizeof bytes);
        tls_destroy(t);
    }
    trust_destroy(a);
}

static void one_http_request(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a");
    struct tls *t = tls_create(a, 1, 0);
    tls_feed(t, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_says(t, "it speaks HTTP");
    tls_destroy(t);
    trust_destroy(a);
}

/* Records that never complete a handshake, each good by itself. */
static void endless_handshake(void **state)
{
    (void)state;
    struct trust *a = trust_of("lab", "a");
    struct tls *t = tls_create(a, 1, 0);
    char record[5 + 1024] = "\x16\x03\x01\x04";
    memcpy(record + 5, "\x01\x00\xff\xff", 4); /* a ClientHello of 65,535 bytes */
    size_t fed = 0;
    while (tls_state(t) == TLS_SHAKING && fed < MIB)
        fed += tls_feed(t, record, sizeof record);
    assert_int_equal(tls_state(t), TLS_FAILED);
    assert_true(fed <= 48 * 1024);
    tls_destroy(t);
    trust_destroy(a);
}

/* What a handshake takes, both sides. */
static void cost(void **state)
{
    set_up(state);
    enum { TIMES = 300 };
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    clock_t begun = clock();
    for (int i = 0; i < TIMES; i++) {
        struct pair p = connect_with(a, b, 0, 65536);
        assert_open(p);
        finish(p);
    }
    double each = (double)(clock() - begun) / CLOCKS_PER_SEC / TIMES;
    print_message("a handshake, both sides: %.2f ms of one core, %.0f/s\n", each * 1e3, 1 / each);
    trust_destroy(a);
    trust_destroy(b);
    tear_down(state);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST_WITH("mesh.tls_shows_both_ends", shows_both, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_binds_its_channel", binds_channel, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_by_one_byte", by_one_byte, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_in_tiny_room", in_tiny_room, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_a_mebibyte", a_mebibyte, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_refused_rest_is_free", refused_rest_is_free, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_ends_in_order", ends_in_order, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_closed_in_handshake", closed_in_handshake, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_is_silent_before_it_is_open", silent_before_open, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_a_foreign_ca", foreign_ca, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_a_foreign_ca_one_way", foreign_ca_one_way, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_what_has_ended", ended, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_what_has_not_begun", not_begun, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_another_cluster", other_cluster, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_no_certificate", no_certificate, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_no_certificate_at_listener", no_certificate_at_listener, set_up,
                   tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_older_tls", older_tls, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_a_wrong_name", wrong_san, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_takes_others_who_are_good", good_raw_end, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_refuses_garbage", garbage, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_tells_http", one_http_request, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_bounds_a_handshake", endless_handshake, set_up, tear_down),
    IRIS_SOAK("tls_cost", cost),
};

IRIS_MAIN(tests)
