/* Where peers come from: the provider that is always there, its list and DNS. */
#include "main.h"

#include "hostport.h"
#include "net.h"
#include "provider_static.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct world { /* a net, its provider, and what they told */
    struct net *net;
    struct provider_static *peers;
    int puts, deletes, compat, located, accepted, connected, closed;
    char address[280], why[200];
};

static int on_node(void *ctx, enum provider_change change, const struct provider_node *n)
{
    struct world *w = ctx;
    w->puts += change == PROVIDER_PUT;
    w->deletes += change == PROVIDER_DELETE;
    w->compat = n->compat;
    snprintf(w->address, sizeof w->address, "%s", n->address);
    return 0;
}

static int on_accepted(void *ctx, uint32_t conn, const char *from, int compat,
                       const struct mesh_identity *who)
{
    (void)conn, (void)from, (void)compat, (void)who;
    ((struct world *)ctx)->accepted++;
    return IRIS_OK;
}

static void on_connected(void *ctx, uint32_t conn, const struct mesh_identity *who)
{
    (void)conn, (void)who;
    ((struct world *)ctx)->connected++;
}

static void on_closed(void *ctx, uint32_t conn, const char *why)
{
    struct world *w = ctx;
    (void)conn;
    w->closed++;
    snprintf(w->why, sizeof w->why, "%s", why);
}

static struct provider_search *on_locate(void *ctx, const struct hostport *a,
                                         void (*located)(void *, int, struct addrinfo *), void *arg,
                                         char *why, size_t room)
{
    struct world *w = ctx;
    w->located++;
    return provider_static_locate(w->peers, a, located, arg, why, room);
}

static void open_world(struct world *w)
{
    const struct net_hooks hooks = {.ctx = w,
                                    .accepted = on_accepted,
                                    .connected = on_connected,
                                    .closed = on_closed,
                                    .locate = on_locate,
                                    .forget = provider_static_forget};
    const struct provider_hooks told = {.ctx = w, .node = on_node};
    memset(w, 0, sizeof *w);
    w->net = net_create(&hooks, w->why, sizeof w->why);
    assert_non_null(w->net);
    w->peers = provider_static.start(net_loop(w->net), NULL, NULL, &told, w->why, sizeof w->why);
    assert_non_null(w->peers);
}

static void close_world(struct world *w)
{
    provider_static.stop(w->peers);
    net_destroy(w->net);
}

static void until(struct world *w, const int *count, int n)
{
    struct pollfd fd = {.fd = net_fd(w->net), .events = POLLIN};
    while (*count < n) {
        if (!net_is_dirty(w->net))
            assert_true(poll(&fd, 1, 30000) > 0);
        net_run(w->net);
    }
}

static void peers_are_told_when_they_come_and_go(void **state)
{
    struct world w;
    char long_one[400];
    (void)state;
    open_world(&w);
    assert_int_equal(provider_static_add(w.peers, "b:1", 0), 0);
    assert_int_equal(provider_static_add(w.peers, "c:1", 0), 0);
    assert_int_equal(provider_static_add(w.peers, "b:1", MESH_COMPAT_TABLE), 0); /* as it is now */
    assert_int_equal(w.puts, 3);
    assert_int_equal(w.compat, MESH_COMPAT_TABLE);
    assert_true(provider_static_has(w.peers, "b:1"));
    assert_int_equal(provider_static_remove(w.peers, "b:1"), 0);
    assert_string_equal(w.address, "b:1");
    assert_int_equal(w.deletes, 1);
    assert_false(provider_static_has(w.peers, "b:1"));
    assert_int_equal(provider_static_remove(w.peers, "b:1"), -1);
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    assert_int_equal(provider_static_add(w.peers, long_one, 0), -1);
    assert_int_equal(w.puts, 3);
    close_world(&w);
}

static void on_claimed(void *ctx, int result, const struct provider_name *owner, const char *why)
{
    assert_int_equal(result, IRIS_EMPTY);
    assert_null(owner);
    assert_non_null(strstr(why, "NAME@NODE"));
    ++*(int *)ctx;
}

static void no_name_is_unique_without_an_engine(void **state)
{
    struct world w;
    int answers = 0;
    (void)state;
    open_world(&w);
    assert_int_equal(provider_static.claim(w.peers, "pay", 1, 0, on_claimed, &answers), IRIS_OK);
    assert_int_equal(answers, 1);
    assert_int_equal(provider_static.holds(w.peers), 0);
    close_world(&w);
}

static void names_are_looked_up_at_each_attempt(void **state)
{
    struct world w;
    char where[80], named[80];
    (void)state;
    open_world(&w);
    assert_int_equal(net_listen(w.net, "127.0.0.1:0", 0, where, sizeof where, w.why, sizeof w.why),
                     0);
    snprintf(named, sizeof named, "localhost%s", strrchr(where, ':'));
    net_dial(w.net, 2, named, 0);
    until(&w, &w.connected, 1);
    net_close(w.net, 2, 0);
    net_dial(w.net, 4, named, 0);
    until(&w, &w.connected, 2);
    assert_int_equal(w.located, 2);
    net_dial(w.net, 6, where, 0); /* a number is nobody's question */
    until(&w, &w.connected, 3);
    assert_int_equal(w.located, 2);
    net_dial(w.net, 8, "no.such.host.invalid:1", 0);
    until(&w, &w.located, 3);
    close_world(&w);
}

/* What was asked and not answered yet is forgotten with the connection, and with the net. */
static void a_search_that_nobody_waits_for_ends(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    net_dial(w.net, 2, "localhost:1", 0);
    net_dial(w.net, 4, "localhost:2", 0);
    while (w.located < 2)
        net_run(w.net);
    net_close(w.net, 2, 0);
    close_world(&w);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("mesh_provider.peers_are_told_when_they_come_and_go",
              peers_are_told_when_they_come_and_go),
    IRIS_TEST("mesh_provider.no_name_is_unique_without_an_engine",
              no_name_is_unique_without_an_engine),
    IRIS_TEST("mesh_provider.names_are_looked_up_at_each_attempt",
              names_are_looked_up_at_each_attempt),
    IRIS_TEST("mesh_provider.a_search_that_nobody_waits_for_ends",
              a_search_that_nobody_waits_for_ends),
};

IRIS_MAIN(tests)
