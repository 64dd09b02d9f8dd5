#include "hostport.h"
#include "net_inside.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Out of descriptors: those that wait go on to wait, until the next alarm. */
static void pause_listener(struct listener *l)
{
    l->paused = 1;
    uv_poll_stop(&l->poll);
    l->net->dirty = 1;
}

static void on_listener(uv_poll_t *h, int status, int events)
{
    struct listener *l = (struct listener *)h;
    (void)status, (void)events;
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof from;
        int fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            net__accept(l->net, fd, (struct sockaddr *)&from, l->compat);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_listener(l);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

void net__resume_listeners(struct net *net)
{
    for (struct listener *l = net->listeners; l; l = l->next)
        if (l->paused) {
            l->paused = 0;
            uv_poll_start(&l->poll, UV_READABLE, on_listener);
        }
}

static int bind_and_listen(const struct sockaddr_storage *a)
{
    const struct sockaddr *addr = (const struct sockaddr *)a;
    int on = 1, fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, addr, hostport_len(addr)) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* A name is looked up here and now: who listens wants to know whether it works. */
static int resolve_now(const struct hostport *a, struct sockaddr_storage *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    if (hostport_numeric(a, out) == 0)
        return 0;
    int error = getaddrinfo(a->host, a->port, &hints, &found);
    if (error || !found)
        return error ? error : EAI_NONAME;
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

static void add_listener(struct net *net, struct listener *l)
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    if (getsockname(l->fd, (struct sockaddr *)&bound, &n) == 0)
        hostport_print((struct sockaddr *)&bound, l->bound, sizeof l->bound);
    l->net = net;
    l->next = net->listeners;
    net->listeners = l;
    uv_poll_init(&net->loop, &l->poll, l->fd);
    uv_poll_start(&l->poll, UV_READABLE, on_listener);
    net->dirty = 1;
}

int net_listen(struct net *net, const char *address, int compat, char *bound, size_t room,
               char *why, size_t why_room)
{
    struct hostport a;
    struct sockaddr_storage where;
    if (hostport_split(address, &a))
        return snprintf(why, why_room, "found \"%s\"; expected HOST:PORT, as 127.0.0.1:9000",
                        address),
               -1;
    int error = resolve_now(&a, &where);
    if (error)
        return snprintf(why, why_room, "%s: %s", a.host, gai_strerror(error)), -1;
    struct listener *l = calloc(1, sizeof *l);
    int fd = l ? bind_and_listen(&where) : -1;
    if (fd < 0) {
        snprintf(why, why_room, "%s cannot be listened on: %s", address,
                 l ? strerror(errno) : "no memory");
        free(l);
        return -1;
    }
    l->fd = fd;
    l->compat = compat;
    snprintf(l->given, sizeof l->given, "%s", address);
    add_listener(net, l);
    if (bound && room)
        snprintf(bound, room, "%s", l->bound);
    return 0;
}

static void close_listener(struct listener **at)
{
    struct listener *l = *at;
    *at = l->next;
    l->net->dirty = 1;
    uv_close((uv_handle_t *)&l->poll, net__free_handle);
    close(l->fd);
}

int net_unlisten(struct net *net, const char *address)
{
    for (struct listener **at = &net->listeners; *at; at = &(*at)->next)
        if (!strcmp((*at)->given, address) || !strcmp((*at)->bound, address)) {
            close_listener(at);
            return 0;
        }
    return -1;
}

int net_is_address(const char *address)
{
    struct hostport a;
    return hostport_split(address, &a) == 0;
}

int net_is_loopback(const char *address)
{
    struct hostport a;
    struct sockaddr_storage numeric;
    if (hostport_split(address, &a))
        return 0;
    if (hostport_numeric(&a, &numeric))
        return !strcmp(a.host, "localhost");
    return hostport_is_loopback((struct sockaddr *)&numeric);
}

void net__close_listeners(struct net *net)
{
    while (net->listeners)
        close_listener(&net->listeners);
}
