#include "notify.h"

#include "term.h"

#include <iris/app.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A path, or '@' and a name without a file. Returns how long the address is, or 0. */
static socklen_t address(const char *name, struct sockaddr_un *at)
{
    size_t len = strlen(name);
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((*name != '/' && *name != '@') || len < 2 || len >= sizeof at->sun_path)
        return 0;
    memcpy(at->sun_path, name, len);
    if (*name == '@')
        at->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* Of the interval half, as systemd advises; unless it is meant for another process. */
static int64_t beat_of(const char *usec, const char *pid)
{
    char *end;
    if (!usec || (pid && strtol(pid, &end, 10) != (long)getpid()))
        return 0;
    long long n = strtoll(usec, &end, 10);
    return end == usec || *end || n < 1 || n > INT64_MAX / 1000 ? 0 : n * 1000 / 2;
}

int notify_open(struct notify *n)
{
    struct sockaddr_un at;
    const char *name = getenv("NOTIFY_SOCKET");
    *n =
        (struct notify){.fd = -1, .beat = beat_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"))};
    if (name) {
        socklen_t len = address(name, &at);
        errno = EINVAL;
        n->fd = len ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
        if (n->fd < 0 || connect(n->fd, (struct sockaddr *)&at, len)) {
            say_errorf("expected the socket of a service manager, or no such variable",
                       "NOTIFY_SOCKET=%s: %s; nobody is told that the app is ready", name,
                       strerror(errno));
            notify_close(n);
        }
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return n->fd >= 0;
}

/* When it began, by the manager's clock: what it has started since then belongs to this reload. */
static int reloading(char *text, size_t room)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return snprintf(text, room,
                    "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the manifest again",
                    (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

/* A manager that does not listen is no reason to stop. */
void notify_tell(const struct notify *n, int what)
{
    char text[160];
    int len = 0;
    switch (what) {
    case IRIS_APP_READY:
        len = snprintf(text, sizeof text, "READY=1\nSTATUS=all actors run\nMAINPID=%ld",
                       (long)getpid());
        break;
    case IRIS_APP_RELOADING:
        len = reloading(text, sizeof text);
        break;
    case IRIS_APP_STOPPING:
        len = snprintf(text, sizeof text, "STOPPING=1\nSTATUS=stopping");
        break;
    case IRIS_APP_BEAT:
        len = snprintf(text, sizeof text, "WATCHDOG=1");
        break;
    }
    if (n->fd >= 0 && len > 0)
        (void)!send(n->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}
