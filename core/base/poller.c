#include "poller.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int iris__bell_open(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void iris__bell_ring(int bell)
{
    uint64_t one = 1;
    ssize_t n = write(bell, &one, sizeof one); /* fails only when it already rings 2^64 times */
    (void)n;
}

void iris__bell_close(int bell)
{
    if (bell >= 0)
        close(bell);
}

int iris__poller_init(struct poller *p)
{
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    return p->fd < 0 ? errno : 0;
}

void iris__poller_finish(struct poller *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

static int add(struct poller *p, int fd, uint64_t tag, uint32_t how)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | how, .data.u64 = tag};
    if (epoll_ctl(p->fd, EPOLL_CTL_MOD, fd, &e) == 0)
        return 0;
    if (errno != ENOENT)
        return errno;
    return epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &e) ? errno : 0;
}

int iris__poller_arm(struct poller *p, int fd, uint64_t tag)
{
    return add(p, fd, tag, EPOLLONESHOT);
}

int iris__poller_watch(struct poller *p, int fd, uint64_t tag)
{
    return add(p, fd, tag, EPOLLET);
}

void iris__poller_disarm(struct poller *p, int fd)
{
    epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, NULL);
}

int iris__poller_peek(struct poller *p, uint64_t *tags, int max)
{
    struct epoll_event events[16];
    int n = epoll_wait(p->fd, events, max < 16 ? max : 16, 0);
    for (int i = 0; i < n; i++)
        tags[i] = events[i].data.u64 |
                  (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? POLLER_ENDS : 0);
    return n < 0 ? 0 : n;
}

int iris__poller_wait(struct poller *p, int bell, int with_poller, int64_t timeout, uint64_t *tags,
                      int max)
{
    struct pollfd fds[2] = {{.fd = bell, .events = POLLIN}, {.fd = p->fd, .events = POLLIN}};
    struct timespec t = {.tv_sec = timeout / 1000000000, .tv_nsec = timeout % 1000000000};
    if (ppoll(fds, with_poller ? 2 : 1, timeout < 0 ? NULL : &t, NULL) <= 0)
        return 0;
    if (fds[0].revents) {
        uint64_t rings;
        ssize_t n = read(bell, &rings, sizeof rings);
        (void)n;
    }
    return with_poller && fds[1].revents ? iris__poller_peek(p, tags, max) : 0;
}
