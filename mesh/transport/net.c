#include "net.h"

#include "hostport.h"
#include "net_inside.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* ---- small things ---- */

int64_t net_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static struct net_pipe *find(struct net *net, uint32_t conn)
{
    struct net_pipe *p;
    HASH_FIND(hh, net->pipes, &conn, sizeof conn, p);
    return p;
}

void net__free_handle(uv_handle_t *h)
{
    free(h);
}

/* Before its descriptor is closed. */
static void end_poll(struct net_pipe *p)
{
    if (p->watched)
        p->net->hooks.unwatch(p->net->hooks.ctx, p->fd);
    p->watched = 0;
    if (p->poll)
        uv_close((uv_handle_t *)p->poll, net__free_handle);
    p->poll = NULL;
    p->events = 0;
    p->net->dirty = 1;
}

static void end_lingering(struct lingering **at)
{
    struct lingering *l = *at;
    *at = l->next;
    l->net->dirty = 1;
    uv_close((uv_handle_t *)&l->poll, net__free_handle);
    close(l->fd);
}

static void on_lingering(uv_poll_t *h, int status, int events)
{
    struct lingering *l = (struct lingering *)h, **at = &l->net->lingering;
    ssize_t n = recv(l->fd, l->net->room, READ_ROOM, 0);
    (void)status, (void)events;
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    while (*at != l)
        at = &(*at)->next;
    end_lingering(at);
}

static void end_lingerings(struct net *net, int64_t now)
{
    for (struct lingering **at = &net->lingering; *at;)
        if ((*at)->until <= now)
            end_lingering(at);
        else
            at = &(*at)->next;
}

/* 0: the descriptor is taken over. */
static int linger_on(struct net *net, int fd)
{
    struct lingering *l = net->closing ? NULL : calloc(1, sizeof *l);
    if (shutdown(fd, SHUT_WR) || !l || uv_poll_init(&net->loop, &l->poll, fd)) {
        free(l);
        return -1;
    }
    l->net = net;
    l->fd = fd;
    l->until = net_now() + LINGER;
    l->next = net->lingering;
    net->lingering = l;
    uv_poll_start(&l->poll, UV_READABLE, on_lingering);
    net_alarm(net, l->until);
    return 0;
}

static void end_socket(struct net_pipe *p, int linger)
{
    end_poll(p);
    if (p->fd >= 0 && (!linger || p->state != OPEN || linger_on(p->net, p->fd)))
        close(p->fd);
    p->fd = -1;
}

/* The protocol knows, or must not hear, that it ends. */
static void drop(struct net_pipe *p, int linger)
{
    struct net *net = p->net;
    HASH_DEL(net->pipes, p);
    if (p->session)
        p->filter->end(p->session, linger);
    p->session = NULL;
    if (p->search)
        net->hooks.forget(p->search);
    if (p->found)
        uv_freeaddrinfo(p->found);
    net->fresh -= p->state == FRESH;
    end_socket(p, linger);
    free(p);
}

static void fail(struct net_pipe *p, const char *why)
{
    struct net *net = p->net;
    uint32_t conn = p->conn;
    char words[200];
    int tells = p->told || p->dials;
    snprintf(words, sizeof words, "%s", why);
    drop(p, 0);
    if (tells && !net->closing)
        net->hooks.closed(net->hooks.ctx, conn, words);
}

static void set_unsent(int fd, int bytes)
{
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

static void set_up(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    set_unsent(fd, UNSENT);
}

/* ---- waiting for a socket ---- */

static void on_socket(uv_poll_t *, int status, int events);

static void wait_for(struct net_pipe *p, int events)
{
    if (p->events == events)
        return;
    p->events = events;
    if (events)
        uv_poll_start(p->poll, events, on_socket);
    else
        uv_poll_stop(p->poll);
    p->net->dirty = 1;
}

/* Of one that is open. */
static void wait_on(struct net_pipe *p)
{
    wait_for(p, (p->watched ? 0 : UV_READABLE) | (p->is_blocked ? UV_WRITABLE : 0));
}

static void watch(struct net_pipe *p)
{
    const struct net_hooks *h = &p->net->hooks;
    p->watched = h->watch && h->watch(h->ctx, p->fd, p->conn) == 0;
    wait_on(p);
}

static int begin_poll(struct net_pipe *p)
{
    uv_poll_t *poll = calloc(1, sizeof *poll);
    if (!poll || uv_poll_init(&p->net->loop, poll, p->fd)) {
        free(poll);
        return -1;
    }
    poll->data = p;
    p->poll = poll;
    return 0;
}

/* ---- open ---- */

static void know_other_end(struct net_pipe *p)
{
    struct sockaddr_storage here, there;
    socklen_t n = sizeof here, m = sizeof there;
    if (getsockname(p->fd, (struct sockaddr *)&here, &n) ||
        getpeername(p->fd, (struct sockaddr *)&there, &m))
        return;
    p->identity.loopback =
        hostport_is_loopback((struct sockaddr *)&there) ||
        hostport_is_same_host((struct sockaddr *)&here, (struct sockaddr *)&there);
}

/* 0: the protocol does not want it, and it is closed. */
static int let_in(struct net_pipe *p, const struct mesh_identity *who)
{
    struct net *net = p->net;
    uint32_t conn = p->conn;
    p->told = 1;
    if (net->hooks.accepted(net->hooks.ctx, conn, p->address, p->compat, who) == IRIS_OK)
        return find(net, conn) == p;
    if (find(net, conn) == p)
        drop(p, 0);
    return 0;
}

static void tell_open(struct net_pipe *p, const struct mesh_identity *identity)
{
    int loopback = p->identity.loopback;
    p->identity = *identity;
    p->identity.loopback = loopback;
    if (!p->dials && !p->told) {
        let_in(p, &p->identity);
        return;
    }
    p->told = 1;
    p->net->hooks.connected(p->net->hooks.ctx, p->conn, &p->identity);
}

void net_pipe_open(struct net_pipe *p, const struct mesh_identity *identity)
{
    tell_open(p, identity);
}

/* Who is not known yet is a stranger of the protocol's already: it counts them, and has patience with them. */
static void begin_session(struct net_pipe *p, const struct net_filter *f)
{
    if (!p->dials && !let_in(p, NULL))
        return;
    p->filter = f;
    p->session = f->begin(f->ctx, p, p->dials, p->address, p->why, sizeof p->why);
    if (!p->session)
        fail(p, p->why);
}

static void opened(struct net_pipe *p)
{
    static const struct mesh_identity plain;
    const struct net_filter *f = p->compat ? NULL : p->net->filter;
    p->state = OPEN;
    know_other_end(p);
    watch(p);
    if (f)
        begin_session(p, f);
    else
        tell_open(p, &plain);
}

/* ---- in ---- */

void net_pipe_bytes(struct net_pipe *p, const void *bytes, size_t n)
{
    p->net->hooks.bytes(p->net->hooks.ctx, p->conn, bytes, n);
}

/* 0: it is closed. */
static int take_in(struct net_pipe *p, const void *bytes, size_t n)
{
    struct net *net = p->net;
    uint32_t conn = p->conn;
    if (!p->session) {
        net_pipe_bytes(p, bytes, n);
        return find(net, conn) == p;
    }
    char why[160] = "";
    int result = p->filter->feed(p->session, bytes, n, why, sizeof why);
    if (find(net, conn) != p)
        return 0;
    if (result)
        fail(p, why);
    return !result;
}

/* 1: nothing is left; 0: there may be more; -1: it is closed. */
static int read_some(struct net_pipe *p)
{
    struct net *net = p->net;
    ssize_t n = recv(p->fd, net->room, READ_ROOM, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return errno == EAGAIN;
    if (n <= 0) {
        fail(p, n ? strerror(errno) : "the other end closed the connection");
        return -1;
    }
    if (!take_in(p, net->room, (size_t)n))
        return -1;
    return n < READ_ROOM && !p->ends;
}

/* What is left is for the loop, after the others have had their turn. */
static void readable(struct net_pipe *p)
{
    int result = 0;
    for (int round = 0; round < READ_ROUNDS && !result; round++)
        result = read_some(p);
    if (!result)
        wait_for(p, p->events | UV_READABLE);
    else if (result > 0)
        wait_on(p);
}

void net_readable(struct net *net, uint32_t conn, int ends)
{
    struct net_pipe *p = find(net, conn);
    if (!p)
        return; /* it was closed this moment */
    p->ends |= ends;
    readable(p);
}

void net_watch_all(struct net *net)
{
    struct net_pipe *p, *next;
    HASH_ITER (hh, net->pipes, p, next)
        if (p->state == OPEN && !p->watched)
            watch(p);
}

/* ---- out ---- */

/* The kernel joins what is written to segments of 64 KiB, and passes two of them on to a line however slow it
 * is. Ends of records keep them short. */
static size_t put(struct net_pipe *p, const char *bytes, size_t n)
{
    size_t taken = 0, step = p->step ? p->step : n;
    int flags = MSG_NOSIGNAL | (p->step ? MSG_EOR : 0);
    while (taken < n) {
        size_t left = n - taken, most = left < step ? left : step;
        ssize_t done = send(p->fd, bytes + taken, most, flags);
        taken += done < 0 ? 0 : (size_t)done;
        if (done < 0 || (size_t)done < most)
            break;
    }
    return taken;
}

uint32_t net_pipe_conn(const struct net_pipe *p)
{
    return p->conn;
}

size_t net_pipe_step(const struct net_pipe *p)
{
    return p->step ? p->step : SIZE_MAX;
}

size_t net_pipe_write(struct net_pipe *p, const void *bytes, size_t n)
{
    if (p->is_blocked || p->state != OPEN)
        return 0;
    size_t taken = put(p, bytes, n);
    if (taken < n) { /* what is wrong with it, if so, its next read says */
        p->is_blocked = 1;
        wait_on(p);
    }
    return taken;
}

void net_pipe_writable(struct net_pipe *p)
{
    if (p->told)
        p->net->hooks.writable(p->net->hooks.ctx, p->conn);
}

static void writable(struct net_pipe *p)
{
    struct net *net = p->net;
    uint32_t conn = p->conn;
    char why[160] = "";
    p->is_blocked = 0;
    int result = p->session ? p->filter->writable(p->session, why, sizeof why) : 0;
    if (find(net, conn) != p)
        return;
    if (result) {
        fail(p, why);
        return;
    }
    if (!p->session)
        net_pipe_writable(p);
    if (find(net, conn) == p && !p->is_blocked)
        wait_on(p);
}

size_t net_write(struct net *net, uint32_t conn, const void *bytes, size_t n)
{
    struct net_pipe *p = find(net, conn);
    if (!p)
        return 0;
    return p->session ? p->filter->write(p->session, bytes, n) : net_pipe_write(p, bytes, n);
}

void net_pace(struct net *net, uint32_t conn, uint32_t bytes)
{
    struct net_pipe *p = find(net, conn);
    if (!p)
        return;
    p->step = bytes < UNSENT ? bytes : 0;
    set_unsent(p->fd, p->step ? (int)bytes * 2 : UNSENT);
}

void net_close(struct net *net, uint32_t conn, int linger)
{
    struct net_pipe *p = find(net, conn);
    if (p)
        drop(p, linger);
}

/* ---- dialling ---- */

static void try_next(struct net_pipe *);

static void cannot_connect(struct net_pipe *p, int error)
{
    snprintf(p->why, sizeof p->why, "%s", strerror(error));
    end_socket(p, 0);
    if (p->next)
        try_next(p);
    else
        fail(p, p->why);
}

static void try_address(struct net_pipe *p, const struct sockaddr *a)
{
    p->state = CONNECTING;
    p->fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->fd < 0) {
        cannot_connect(p, errno);
        return;
    }
    set_up(p->fd);
    if (connect(p->fd, a, hostport_len(a)) && errno != EINPROGRESS) {
        cannot_connect(p, errno);
        return;
    }
    if (begin_poll(p))
        fail(p, "no memory");
    else
        wait_for(p, UV_WRITABLE);
}

static void try_next(struct net_pipe *p)
{
    struct addrinfo *a = p->next;
    p->next = a->ai_next;
    try_address(p, a->ai_addr);
}

static void connecting(struct net_pipe *p)
{
    int error = 0;
    socklen_t n = sizeof error;
    if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &n))
        error = errno;
    if (error)
        cannot_connect(p, error);
    else
        opened(p);
}

static void on_socket(uv_poll_t *h, int status, int events)
{
    struct net_pipe *p = h->data;
    struct net *net = p->net;
    uint32_t conn = p->conn;
    if (p->state == CONNECTING) {
        connecting(p);
        return;
    }
    if (status < 0)
        events = UV_READABLE; /* the read says what it is */
    if (events & UV_WRITABLE)
        writable(p);
    if (events & UV_READABLE && find(net, conn) == p)
        readable(p);
}

static void located(void *arg, int status, struct addrinfo *found)
{
    struct net_pipe *p = arg;
    p->search = NULL;
    p->found = p->next = found;
    if (status || !found)
        fail(p, status ? uv_strerror(status) : "it has no address");
    else
        try_next(p);
}

/* Where it is, is not for the net to know. */
static void locate(struct net_pipe *p, const struct hostport *a)
{
    const struct net_hooks *h = &p->net->hooks;
    char why[160] = "names are not looked up here";
    p->search = h->locate ? h->locate(h->ctx, a, located, p, why, sizeof why) : NULL;
    if (!p->search)
        fail(p, why);
}

static struct net_pipe *create(struct net *net, uint32_t conn, const char *address)
{
    struct net_pipe *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->net = net;
    p->conn = conn;
    p->fd = -1;
    snprintf(p->address, sizeof p->address, "%s", address);
    HASH_ADD(hh, net->pipes, conn, sizeof p->conn, p);
    return p;
}

static void begin_dial(struct net_pipe *p)
{
    struct hostport a;
    struct sockaddr_storage numeric;
    p->state = LOCATING;
    p->net->fresh--;
    if (hostport_split(p->address, &a))
        fail(p, "it is no HOST:PORT");
    else if (hostport_numeric(&a, &numeric) == 0)
        try_address(p, (struct sockaddr *)&numeric);
    else
        locate(p, &a);
}

static void begin_dials(struct net *net)
{
    struct net_pipe *p, *next;
    while (net->fresh)
        HASH_ITER (hh, net->pipes, p, next) {
            if (p->state != FRESH)
                continue;
            begin_dial(p);
            break; /* others may be gone by now */
        }
}

/* What fails at once is told by the next net_run(): the protocol is not called from its own call. */
void net_dial(struct net *net, uint32_t conn, const char *address, int compat)
{
    struct net_pipe *p = create(net, conn, address);
    if (!p)
        return; /* no memory: the protocol's own timeout ends it */
    p->dials = 1;
    p->compat = compat;
    net->fresh++;
    net->dirty = 1;
}

void net__accept(struct net *net, int fd, const struct sockaddr *from, int compat)
{
    char text[80];
    hostport_print(from, text, sizeof text);
    *strrchr(text, ':') = '\0'; /* those of one host count together */
    net->accepted += 2;
    struct net_pipe *p = create(net, net->accepted - 1, text);
    if (!p) {
        close(fd);
        return;
    }
    p->fd = fd;
    p->compat = compat;
    set_up(fd);
    if (begin_poll(p))
        drop(p, 0);
    else
        opened(p);
}

/* ---- the alarm ---- */

static void set_timer(struct net *net, int64_t at)
{
    struct itimerspec t = {.it_value = {at / 1000000000, at % 1000000000}};
    net->alarm = at;
    timerfd_settime(net->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void on_timer(uv_poll_t *h, int status, int events)
{
    struct net *net = (struct net *)((char *)h - offsetof(struct net, timer));
    uint64_t times;
    (void)status, (void)events;
    if (read(net->timer_fd, &times, sizeof times) < 0)
        return;
    net->alarm = 0;
    net__resume_listeners(net);
    end_lingerings(net, net_now());
    net->hooks.alarm(net->hooks.ctx);
}

void net_alarm(struct net *net, int64_t at)
{
    if (at < 1)
        at = 1;
    if (!net->alarm || at < net->alarm)
        set_timer(net, at);
}

/* ---- all of it ---- */

static struct net *without(struct net *net, char *why, size_t room, int error)
{
    snprintf(why, room, "%s", strerror(error));
    if (net) {
        free(net->room);
        free(net);
    }
    return NULL;
}

struct net *net_create(const struct net_hooks *hooks, char *why, size_t room)
{
    struct net *net = calloc(1, sizeof *net);
    if (!net || !(net->room = malloc(READ_ROOM)))
        return without(net, why, room, ENOMEM);
    net->hooks = *hooks;
    net->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (net->timer_fd < 0)
        return without(net, why, room, errno);
    int error = uv_loop_init(&net->loop);
    if (error) {
        close(net->timer_fd);
        return without(net, why, room, -error);
    }
    uv_poll_init(&net->loop, &net->timer, net->timer_fd);
    uv_poll_start(&net->timer, UV_READABLE, on_timer);
    net->dirty = 1;
    return net;
}

void net_destroy(struct net *net)
{
    if (!net)
        return;
    struct net_pipe *p, *next;
    net->closing = 1;
    HASH_ITER (hh, net->pipes, p, next)
        drop(p, 1);
    net__close_listeners(net);
    end_lingerings(net, INT64_MAX);
    uv_close((uv_handle_t *)&net->timer, NULL);
    uv_run(&net->loop, UV_RUN_DEFAULT);
    close(net->timer_fd);
    uv_loop_close(&net->loop);
    free(net->room);
    free(net);
}

void net_set_filter(struct net *net, const struct net_filter *filter)
{
    net->filter = filter;
}

int net_fd(const struct net *net)
{
    return uv_backend_fd(&net->loop);
}

void net_run(struct net *net)
{
    begin_dials(net);
    net->dirty = 0;
    uv_run(&net->loop, UV_RUN_NOWAIT);
}

int net_is_dirty(const struct net *net)
{
    return net->dirty;
}

void net_touch(struct net *net)
{
    net->dirty = 1;
}

struct uv_loop_s *net_loop(struct net *net)
{
    return &net->loop;
}
