/* Whom a node trusts, and the files that say so: read exactly, read again, and never half. */
#include "main.h"

#include "mesh_ends.h"

/* ---- who is let in ---- */

static void allow_is_exact(void **state)
{
    (void)state;
    struct trust *b = trust_of("lab", "b");
    const char *const others[] = {"iris://lab/bb", "iris://lab/a", NULL};
    refuse(trust_of("lab", "b"), trust_allowing("lab", "a", others), "see \"allow\" there",
           "iris://lab/b is not in \"allow\"");
    const char *const nobody[] = {NULL};
    refuse(trust_of("lab", "b"), trust_allowing("lab", "a", nobody), "see \"allow\" there",
           "not in \"allow\"");
    const char *const it[] = {"iris://lab/zz", "iris://lab/b", NULL};
    struct trust *a = trust_allowing("lab", "a", it);
    struct pair p = connect_with(b, a, 0, 4096);
    assert_open(p);
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

static void allow_by_fingerprint(void **state)
{
    (void)state;
    struct trust *b = trust_of("lab", "b");
    char print[128] = "";
    for (int i = 0; i < 64; i++)
        snprintf(print + strlen(print), 4, i && i % 2 == 0 ? ":%c" : "%c",
                 trust_self(b)->fingerprint[i] >= 'a' ? trust_self(b)->fingerprint[i] - 32
                                                      : trust_self(b)->fingerprint[i]);
    const char *const it[] = {print, NULL};
    struct trust *a = trust_allowing("lab", "a", it);
    struct pair p = connect_with(a, b, 0, 4096);
    assert_open(p);
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

/* ---- files ---- */

static void refused_files(const char *ca, const char *node, const char *as, const char *says)
{
    char why[512] = "";
    struct trust *t = try_trust(ca, node, NULL, as, why, sizeof why);
    assert_null(t);
    if (!strstr(why, says))
        fail_msg("\"%s\" does not say \"%s\"", why, says);
}

static void bad_files(void **state)
{
    (void)state;
    refused_files("lab", "none", NULL, "none.crt: No such file");
    refused_files("lab", "a", "b", "it is of node \"a\"; expected this node, \"b\"");
    assert_int_equal(chmod(at("lab/a.key"), 0644), 0);
    refused_files("lab", "a", NULL, "a.key: mode 0644 lets others in; try: chmod 600");
    assert_int_equal(chmod(at("lab/a.key"), 0600), 0);
    assert_int_equal(rename(at("lab/b.key"), at("lab/a.key")), 0);
    refused_files("lab", "a", NULL, "a.key: this key does not fit the certificate");
    assert_int_equal(truncate(at("lab/a.key"), 100), 0);
    refused_files("lab", "a", NULL, "a.key: expected a private key in PEM");
    assert_int_equal(rename(at("foreign/x.crt"), at("lab/x.crt")), 0);
    assert_int_equal(rename(at("foreign/x.key"), at("lab/x.key")), 0);
    refused_files("lab", "x", NULL, "lab/ca.crt signed it");
    sign_with("DNS:b", "nobody");
    refused_files("lab", "nobody", NULL, "it names no node");
    assert_int_equal(truncate(at("lab/ca.crt"), 0), 0);
    refused_files("lab", "nobody", NULL, "ca.crt: expected certificates of CAs");
}

static void revoked_ones(void **state)
{
    (void)state;
    char why[512];
    make("lab", NULL, "c", 0, 365);
    struct trust *b = trust_of("lab", "b"), *again = trust_of("lab", "b"),
                 *c = trust_of("lab", "c");
    revoke_node("lab", "b", 30);
    struct trust *a = trust_of("lab", "a");
    struct pair p = connect_with(c, a, 0, 4096);
    assert_open(p);
    finish(p);
    refuse(b, trust_of("lab", "a"), "certificate is revoked", "its certificate is revoked, says");
    refuse(trust_of("lab", "a"), again, "its certificate is revoked, says",
           "certificate is revoked");
    assert_int_equal(trust_changed(a), 0);
    revoke_node("lab", "c", -1); /* a list that is out of date counts */
    assert_int_equal(trust_changed(a), 1);
    assert_int_equal(trust_reload(a, why, sizeof why), IRIS_OK);
    refuse(c, a, "certificate is revoked", "its certificate is revoked, says");
    refused_files("lab", "b", NULL, "it is revoked, says");
    revoke_node("foreign", "x", 30);
    assert_int_equal(rename(at("foreign/ca.crl"), at("lab/ca.crl")), 0);
    refused_files("lab", "a", NULL, "ca.crl: expected revocation lists in PEM, each signed by");
}

/* Not asked at the terminal: refused. */
static void locked_key(void **state)
{
    (void)state;
    FILE *f = fopen(at("lab/a.key"), "r");
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    f = fopen(at("lab/a.key"), "w");
    PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(), (unsigned char *)"password", 8, NULL, NULL);
    fclose(f);
    EVP_PKEY_free(key);
    refused_files("lab", "a", NULL, "not encrypted");
}

static void bad_allow(void **state)
{
    (void)state;
    static const char *const bad[] = {"lab/a", "iris://lab/*", "iris://lab",   "",
                                      "CN=a",  "ab:cd",        "iris://lab/a "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const allow[] = {"iris://lab/b", bad[i], NULL};
        char why[512] = "";
        assert_null(try_trust("lab", "a", allow, NULL, why, sizeof why));
        assert_non_null(strstr(why, "expected \"iris://CLUSTER/NODE\" or the SHA-256"));
    }
}

/* ---- read again ---- */

static void replace(const char *with)
{
    char from[32];
    snprintf(from, sizeof from, "lab/%s.crt", with);
    assert_int_equal(rename(at(from), at("lab/a.crt")), 0);
    snprintf(from, sizeof from, "lab/%s.key", with);
    assert_int_equal(rename(at(from), at("lab/a.key")), 0);
}

static void reload_is_for_new(void **state)
{
    (void)state;
    char why[512] = "", before[65];
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    struct pair running = connect_with(a, b, 0, 4096);
    struct tls *shaking = tls_create(a, 0, 0), *other = tls_create(b, 1, 0);
    snprintf(before, sizeof before, "%s", trust_self(a)->fingerprint);
    assert_int_equal(trust_changed(a), 0);
    sign_with("URI:iris://lab/a", "fresh");
    replace("fresh");
    assert_int_equal(trust_changed(a), 1);
    assert_int_equal(trust_reload(a, why, sizeof why), IRIS_OK);
    assert_int_equal(trust_changed(a), 0);
    assert_string_not_equal(trust_self(a)->fingerprint, before);
    write_through(running, 1000, 100);
    struct pair fresh = connect_with(a, b, 0, 4096);
    assert_open(fresh);
    assert_string_equal(tls_peer(fresh.accepted)->fingerprint, trust_self(a)->fingerprint);
    pump(shaking, other, 4096);
    assert_open((struct pair){shaking, other});
    assert_string_equal(tls_peer(other)->fingerprint, before);
    finish(running);
    finish(fresh);
    finish((struct pair){shaking, other});
    trust_destroy(a);
    trust_destroy(b);
}

static void bad_reload_changes_nothing(void **state)
{
    (void)state;
    char why[512] = "", before[65];
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    snprintf(before, sizeof before, "%s", trust_self(a)->fingerprint);
    sign_with("URI:iris://lab/a", "fresh");
    assert_int_equal(rename(at("lab/fresh.crt"), at("lab/a.crt")),
                     0); /* its key is still to come */
    assert_int_equal(trust_reload(a, why, sizeof why), IRIS_FAIL);
    assert_non_null(
        strstr(why, "a.key: this key does not fit the certificate; nothing was changed"));
    assert_int_equal(trust_changed(a), 0); /* said once */
    assert_string_equal(trust_self(a)->fingerprint, before);
    struct pair p = connect_with(a, b, 0, 4096);
    assert_open(p);
    assert_int_equal(rename(at("lab/fresh.key"), at("lab/a.key")), 0);
    assert_int_equal(trust_changed(a), 1);
    assert_int_equal(trust_reload(a, why, sizeof why), IRIS_OK);
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

static void reload_keeps_the_name(void **state)
{
    (void)state;
    char why[512] = "";
    struct trust *a = trust_of("lab", "a");
    replace("b");
    assert_int_equal(trust_reload(a, why, sizeof why), IRIS_FAIL);
    assert_non_null(strstr(why, "it is of iris://lab/b, and this node is iris://lab/a"));
    assert_string_equal(trust_self(a)->uri, "iris://lab/a");
    trust_destroy(a);
}

static void tells_the_end(void **state)
{
    (void)state;
    char text[512] = "", why[512] = "";
    struct trust *a = trust_of("lab", "a");
    time_t end = trust_end(a);
    assert_int_equal(trust_due(a, end - 31 * DAY, text, sizeof text), 0);
    assert_int_equal(trust_due(a, end - 30 * DAY, text, sizeof text), 1);
    assert_non_null(strstr(text, "the certificate of iris://lab/a ends in 30 days, on "));
    assert_int_equal(trust_due(a, end - 29 * DAY, text, sizeof text), 0);
    assert_int_equal(trust_due(a, end, text, sizeof text), 1);
    assert_non_null(strstr(text, "has ended, on "));
    assert_int_equal(trust_due(a, end + DAY, text, sizeof text), 0);
    assert_int_equal(trust_reload(a, why, sizeof why), IRIS_OK);
    assert_int_equal(trust_due(a, end + DAY, text, sizeof text), 1);
    trust_destroy(a);
}

/* ---- those that run ---- */

static void assert_out(struct tls *t, const char *part)
{
    char why[512] = "";
    assert_int_equal(tls_is_admitted(t, why, sizeof why), 0);
    if (!strstr(why, part))
        fail_msg("\"%s\" does not say \"%s\"", why, part);
    assert_int_equal(tls_state(t), TLS_OPEN); /* it is looked at, and not touched */
}

static void assert_in(struct tls *t)
{
    char why[512] = "";
    if (!tls_is_admitted(t, why, sizeof why))
        fail_msg("%s", why);
    assert_string_equal(why, "");
}

static void not_listed_any_more(void **state)
{
    (void)state;
    char why[512];
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b");
    struct pair p = connect_with(b, a, 0, 4096);
    assert_open(p);
    assert_in(p.accepted);
    assert_in(p.dialled);
    static const char *const others[] = {"iris://lab/c", NULL},
                             *const it[] = {"iris://lab/b", NULL},
                             *const bad[] = {"iris://lab/b", "b", NULL};
    assert_int_equal(trust_allow(a, others, why, sizeof why), IRIS_OK);
    assert_out(p.accepted, "iris://lab/b is not in \"allow\"");
    assert_in(p.dialled);
    assert_int_equal(trust_allow(a, it, why, sizeof why), IRIS_OK);
    assert_in(p.accepted);
    assert_int_equal(trust_allow(a, bad, why, sizeof why), IRIS_FAIL);
    assert_in(p.accepted);
    assert_int_equal(trust_allow(b, others, why, sizeof why), IRIS_OK);
    assert_out(p.dialled, "iris://lab/a is not in \"allow\"");
    write_through(p, 1000, 100);
    assert_string_equal(tls_peer(p.accepted)->uri, "iris://lab/b");
    finish(p);
    trust_destroy(a);
    trust_destroy(b);
}

static void revoked_meanwhile(void **state)
{
    (void)state;
    char why[512];
    make("lab", NULL, "c", 0, 365);
    make("lab", NULL, "d", 0, 365);
    revoke_node("lab", "d", 30);
    struct trust *a = trust_of("lab", "a"), *b = trust_of("lab", "b"), *c = trust_of("lab", "c");
    struct pair p = connect_with(b, a, 0, 4096), q = connect_with(a, c, 0, 4096);
    revoke_node("lab", "b", -1); /* out of date at once, and it counts */
    assert_in(p.accepted);       /* not read yet */
    assert_int_equal(trust_reload(a, why, sizeof why), IRIS_OK);
    assert_out(p.accepted, "its certificate is revoked, says");
    assert_in(q.dialled);
    finish(p);
    finish(q);
    trust_destroy(a);
    trust_destroy(b);
    trust_destroy(c);
}

static void copy_behind(const char *from, const char *to)
{
    char command[400];
    snprintf(command, sizeof command, "cat '%s' >>'%s'", at(from), at(to));
    assert_int_equal(system(command), 0);
}

/* Both CAs, then one: whose certificate is of the other has to show another one. */
static void of_a_ca_that_went(void **state)
{
    (void)state;
    char why[512];
    copy_behind("lab/ca.crt", "lab/one.crt");
    copy_behind("foreign/ca.crt", "lab/ca.crt");
    copy_behind("lab/ca.crt", "foreign/ca.crt");
    struct trust *a = trust_of("lab", "a"), *x = trust_of("foreign", "x");
    struct pair p = connect_with(x, a, 0, 4096);
    assert_open(p);
    assert_in(p.accepted);
    assert_int_equal(rename(at("lab/one.crt"), at("lab/ca.crt")), 0);
    assert_int_equal(trust_reload(a, why, sizeof why), IRIS_OK);
    assert_out(p.accepted, "no CA in");
    assert_in(p.dialled);
    finish(p);
    trust_destroy(a);
    trust_destroy(x);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST_WITH("p10.tls_allow_is_exact", allow_is_exact, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_allow_by_fingerprint", allow_by_fingerprint, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_revoked_ones_are_refused", revoked_ones, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_refuses_bad_files", bad_files, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_refuses_a_locked_key", locked_key, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_refuses_a_bad_allow", bad_allow, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_reload_is_for_new_ones", reload_is_for_new, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_bad_reload_changes_nothing", bad_reload_changes_nothing, set_up,
                   tear_down),
    IRIS_TEST_WITH("mesh.tls_reload_keeps_the_name", reload_keeps_the_name, set_up, tear_down),
    IRIS_TEST_WITH("mesh.tls_tells_the_end", tells_the_end, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_one_not_listed_any_more_is_found", not_listed_any_more, set_up,
                   tear_down),
    IRIS_TEST_WITH("p10.tls_one_revoked_meanwhile_is_found", revoked_meanwhile, set_up, tear_down),
    IRIS_TEST_WITH("p10.tls_one_of_a_ca_that_went_is_found", of_a_ca_that_went, set_up, tear_down),
};

IRIS_MAIN(tests)
