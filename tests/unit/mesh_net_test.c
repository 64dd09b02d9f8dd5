/* The net of the mesh over real sockets of the loopback, whatever pieces bytes come and go in. */
#include "main.h"

#include "hostport.h"
#include "net.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DIALLED = 2, MOST = 1 << 20 };

struct end { /* one net, and what it was told */
    struct net *net;
    int poller; /* of sockets that it leaves to us */
    uint32_t conn;
    int accepted, connected, closed, writables, alarms;
    size_t got;
    unsigned char bytes[MOST];
    char why[200];
};

static int on_accepted(void *ctx, uint32_t conn, const char *from, int compat,
                       const struct mesh_identity *who)
{
    struct end *e = ctx;
    (void)compat;
    assert_int_equal(conn & 1, 1);
    assert_string_equal(from, "127.0.0.1");
    assert_int_equal(who->loopback, 1);
    e->conn = conn;
    e->accepted++;
    return IRIS_OK;
}

static void on_connected(void *ctx, uint32_t conn, const struct mesh_identity *who)
{
    struct end *e = ctx;
    assert_int_equal(who->loopback, 1);
    e->conn = conn;
    e->connected++;
}

static void on_bytes(void *ctx, uint32_t conn, const void *bytes, size_t n)
{
    struct end *e = ctx;
    assert_int_equal(conn, e->conn);
    assert_true(e->got + n <= MOST);
    memcpy(e->bytes + e->got, bytes, n);
    e->got += n;
}

static void on_writable(void *ctx, uint32_t conn)
{
    struct end *e = ctx;
    assert_int_equal(conn, e->conn);
    e->writables++;
}

static void on_closed(void *ctx, uint32_t conn, const char *why)
{
    struct end *e = ctx;
    (void)conn;
    e->closed++;
    snprintf(e->why, sizeof e->why, "%s", why);
}

static void on_alarm(void *ctx)
{
    ((struct end *)ctx)->alarms++;
}

/* As iris.poll/1 does: each time that something comes, and once only. */
static int on_watch(void *ctx, int fd, uint32_t conn)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u32 = conn};
    return epoll_ctl(((struct end *)ctx)->poller, EPOLL_CTL_ADD, fd, &e);
}

static void on_unwatch(void *ctx, int fd)
{
    assert_int_equal(epoll_ctl(((struct end *)ctx)->poller, EPOLL_CTL_DEL, fd, NULL), 0);
}

static void serve(struct end *e)
{
    struct epoll_event events[8];
    int n = epoll_wait(e->poller, events, 8, 0);
    for (int i = 0; i < n; i++)
        net_readable(e->net, events[i].data.u32,
                     (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

static int watches; /* the tests that follow: sockets are not left to the loop */

static struct end *end_create(void)
{
    struct end *e = calloc(1, sizeof *e);
    const struct net_hooks hooks = {.ctx = e,
                                    .accepted = on_accepted,
                                    .connected = on_connected,
                                    .bytes = on_bytes,
                                    .writable = on_writable,
                                    .closed = on_closed,
                                    .alarm = on_alarm,
                                    .watch = watches ? on_watch : NULL,
                                    .unwatch = watches ? on_unwatch : NULL};
    char why[100];
    assert_non_null(e);
    e->poller = epoll_create1(EPOLL_CLOEXEC);
    e->net = net_create(&hooks, why, sizeof why);
    assert_non_null(e->net);
    return e;
}

static void end_destroy(struct end *e)
{
    net_destroy(e->net);
    close(e->poller);
    free(e);
}

/* Lets both do what there is to do; waits where there is nothing yet. */
static void turn(struct end *a, struct end *b)
{
    struct pollfd fds[4] = {{.fd = net_fd(a->net), .events = POLLIN},
                            {.fd = b ? net_fd(b->net) : -1, .events = POLLIN},
                            {.fd = a->poller, .events = POLLIN},
                            {.fd = b ? b->poller : -1, .events = POLLIN}};
    if (!net_is_dirty(a->net) && !(b && net_is_dirty(b->net)))
        assert_true(poll(fds, 4, 30000) > 0);
    net_run(a->net);
    serve(a);
    if (b) {
        net_run(b->net);
        serve(b);
    }
}

static void meet(struct end *a, struct end *b)
{
    char where[80], why[200];
    assert_int_equal(net_listen(a->net, "127.0.0.1:0", 0, where, sizeof where, why, sizeof why), 0);
    net_dial(b->net, DIALLED, where, 0);
    while (!a->accepted || !b->connected)
        turn(a, b);
}

static void bytes_come_as_they_went(void **state)
{
    struct end *a = end_create(), *b = end_create();
    (void)state;
    meet(a, b);
    for (int i = 0; i < 300; i++) { /* one byte each */
        unsigned char byte = (unsigned char)i;
        assert_int_equal(net_write(b->net, b->conn, &byte, 1), 1);
        if (i % 7 == 0)
            turn(a, b);
    }
    while (a->got < 300)
        turn(a, b);
    for (int i = 0; i < 300; i++)
        assert_int_equal(a->bytes[i], i & 0xff);
    end_destroy(a);
    end_destroy(b);
}

static void what_is_not_taken_may_be_written_later(void **state)
{
    struct end *a = end_create(), *b = end_create();
    unsigned char *all = malloc(MOST);
    size_t sent = 0;
    (void)state;
    meet(a, b);
    for (size_t i = 0; i < MOST; i++)
        all[i] = (unsigned char)(i * 31 >> 3);
    while (sent < MOST) {
        size_t some = net_write(b->net, b->conn, all + sent, MOST - sent);
        sent += some;
        if (sent < MOST) { /* and not one byte more, before it is told */
            int before = b->writables;
            assert_int_equal(net_write(b->net, b->conn, all + sent, MOST - sent), 0);
            while (b->writables == before)
                turn(a, b);
        }
    }
    while (a->got < MOST)
        turn(a, b);
    assert_memory_equal(a->bytes, all, MOST);
    assert_true(b->writables > 0);
    free(all);
    end_destroy(a);
    end_destroy(b);
}

/* Though the closer has not read what came. */
static void what_was_written_last_arrives(void **state)
{
    struct end *a = end_create(), *b = end_create();
    (void)state;
    meet(a, b);
    assert_int_equal(net_write(a->net, a->conn, "unread", 6), 6);
    assert_int_equal(net_write(b->net, b->conn, "goodbye", 7), 7);
    net_close(b->net, b->conn, 1);
    while (!a->closed)
        turn(a, b);
    assert_int_equal(a->got, 7);
    assert_memory_equal(a->bytes, "goodbye", 7);
    assert_string_equal(a->why, "the other end closed the connection");
    assert_int_equal(b->closed, 0);
    end_destroy(a);
    end_destroy(b);
}

static void what_cannot_be_reached_is_told(void **state)
{
    static const char *const nowhere[] = {"127.0.0.1:1", "no address", "host.invalid:1"};
    struct end *a = end_create();
    (void)state;
    for (int i = 0; i < 3; i++) {
        net_dial(a->net, DIALLED, nowhere[i], 0);
        assert_int_equal(a->closed, i); /* not from within the call */
        while (a->closed == i)
            turn(a, NULL);
        assert_string_not_equal(a->why, "");
    }
    end_destroy(a);
}

static void *never_begin(void *ctx, struct net_pipe *p, int dials, const char *address, char *why,
                         size_t room)
{
    (void)ctx, (void)p, (void)dials, (void)address;
    snprintf(why, room, "TLS");
    return NULL;
}

/* The seed's wire knows no TLS: a peer that speaks it is dialled plainly, whatever the others are. */
static void a_compat_peer_is_dialled_without_the_filter(void **state)
{
    const struct net_filter filter = {.begin = never_begin};
    struct end *a = end_create(), *b = end_create();
    char where[80], why[200];
    (void)state;
    assert_int_equal(net_listen(a->net, "127.0.0.1:0", 0, where, sizeof where, why, sizeof why), 0);
    net_set_filter(b->net, &filter);
    net_dial(b->net, DIALLED, where, 1);
    while (!a->accepted || !b->connected)
        turn(a, b);
    net_dial(b->net, DIALLED + 2, where, 0);
    while (!b->closed)
        turn(a, b);
    assert_string_equal(b->why, "TLS");
    end_destroy(a);
    end_destroy(b);
}

static void a_port_that_is_taken_is_refused_at_once(void **state)
{
    struct end *a = end_create(), *b = end_create();
    char where[80], why[200];
    (void)state;
    assert_int_equal(net_listen(a->net, "127.0.0.1:0", 0, where, sizeof where, why, sizeof why), 0);
    assert_int_equal(net_listen(b->net, where, 0, NULL, 0, why, sizeof why), -1);
    assert_non_null(strstr(why, "Address already in use"));
    assert_int_equal(net_unlisten(a->net, where), 0);
    assert_int_equal(net_unlisten(a->net, where), -1);
    net_run(a->net);
    assert_int_equal(net_listen(b->net, where, 0, NULL, 0, why, sizeof why), 0);
    assert_int_equal(net_listen(b->net, "nonsense", 0, NULL, 0, why, sizeof why), -1);
    end_destroy(a);
    end_destroy(b);
}

static void the_earliest_alarm_rings(void **state)
{
    struct end *a = end_create();
    int64_t now = net_now();
    (void)state;
    net_alarm(a->net, now + INT64_C(3600000000000));
    net_alarm(a->net, now + 1000000);
    net_alarm(a->net, now + INT64_C(7200000000000));
    while (!a->alarms)
        turn(a, NULL);
    assert_true(net_now() >= now + 1000000);
    end_destroy(a);
}

static void addresses_are_taken_apart(void **state)
{
    struct hostport h;
    (void)state;
    assert_int_equal(hostport_split("[::1]:9000", &h), 0);
    assert_string_equal(h.host, "::1");
    assert_int_equal(hostport_split("b.example:1", &h), 0);
    assert_string_equal(h.port, "1");
    assert_int_equal(hostport_split("::1:9000", &h), -1);
    assert_int_equal(hostport_split("a:70000", &h), -1);
    assert_int_equal(hostport_split("a b:1", &h), -1); /* HELLO takes none of these */
    assert_int_equal(hostport_split("a@b:1", &h), -1);
    assert_int_equal(hostport_split(":1", &h), -1);
    assert_true(net_is_loopback("127.9.9.9:1") && net_is_loopback("[::1]:1") &&
                net_is_loopback("localhost:1"));
    assert_false(net_is_loopback("10.0.0.1:1") || net_is_loopback("0.0.0.0:1"));
}

static int leave_to_us(void **state)
{
    (void)state;
    watches = 1;
    return 0;
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p1.mesh_net_bytes_come_as_they_went", bytes_come_as_they_went),
    IRIS_TEST("p2.mesh_net_what_is_not_taken_is_written_later",
              what_is_not_taken_may_be_written_later),
    IRIS_TEST("p2.mesh_net_what_was_written_last_arrives", what_was_written_last_arrives),
    IRIS_TEST("p10.mesh_net_tells_what_cannot_be_reached", what_cannot_be_reached_is_told),
    IRIS_TEST("p10.mesh_net_refuses_a_taken_port", a_port_that_is_taken_is_refused_at_once),
    IRIS_TEST("mesh_net.the_earliest_alarm_rings", the_earliest_alarm_rings),
    IRIS_TEST("mesh_net.a_compat_peer_is_dialled_without_the_filter",
              a_compat_peer_is_dialled_without_the_filter),
    IRIS_TEST("mesh_net.addresses_are_taken_apart", addresses_are_taken_apart),
    IRIS_TEST_WITH("p1.mesh_net_watched_bytes_come_as_they_went", bytes_come_as_they_went,
                   leave_to_us, NULL),
    IRIS_TEST_WITH("p2.mesh_net_watched_what_is_not_taken_is_written_later",
                   what_is_not_taken_may_be_written_later, leave_to_us, NULL),
    IRIS_TEST_WITH("p2.mesh_net_watched_what_was_written_last_arrives",
                   what_was_written_last_arrives, leave_to_us, NULL)};

IRIS_MAIN(tests)
