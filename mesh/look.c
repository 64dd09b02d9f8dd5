/* check() of "iris.mesh/1": whether what settings name is there. Nothing is begun with it. */
#include "cookie.h"
#include "hostport.h"
#include "hub.h"
#include "secure.h"

#include <errno.h>
#include <jansson.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REACH_MS 2000

struct look {
    iris_mesh_found *found;
    void *ctx;
};

static void tell(const struct look *l, int state, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void tell(const struct look *l, int state, const char *key, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    l->found(l->ctx, state, key, text);
}

/* ---- who we are ---- */

static void look_at_tls(const struct look *l, const struct options *o)
{
    struct trust_config config;
    char why[1024], end[64];
    struct tm tm;
    hub_tls_config(o, &config);
    struct trust *t = trust_create(&config, why, sizeof why);
    if (!t) {
        tell(l, IRIS_MESH_PROBLEM, "tls", "%s", why);
        return;
    }
    time_t now = time(NULL), last = trust_end(t);
    if (trust_due(t, now, why, sizeof why)) {
        tell(l, now >= last ? IRIS_MESH_PROBLEM : IRIS_MESH_WARNING, "tls", "%s", why);
    } else {
        gmtime_r(&last, &tm);
        strftime(end, sizeof end, "%Y-%m-%d", &tm);
        tell(l, IRIS_MESH_OK, "tls", "%s, until %s", trust_self(t)->uri, end);
    }
    trust_destroy(t);
}

static void look_at_cookie(const struct look *l, const struct options *o)
{
    unsigned char cookie[COOKIE_MAX];
    char why[512];
    size_t n;
    if (cookie_file(o->cookie, cookie, &n, why, sizeof why))
        tell(l, IRIS_MESH_PROBLEM, "cookie", "%s", why);
    else
        tell(l, IRIS_MESH_OK, "cookie", "%s, %zu bytes", o->cookie, n);
    memset(cookie, 0, sizeof cookie);
}

/* ---- the engine ---- */

/* "http://HOST:PORT/..": 0, or -1. */
static int split(const char *url, struct hostport *at)
{
    char text[300];
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(host, "/"), host);
    return hostport_split(text, at);
}

/* 0: somebody listens there; else an errno. */
static int knock_at(const struct addrinfo *a)
{
    int error = 0;
    socklen_t size = sizeof error;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (fd < 0)
        return errno;
    if (connect(fd, a->ai_addr, a->ai_addrlen))
        error = errno;
    if (error == EINPROGRESS)
        error = poll(&p, 1, REACH_MS) <= 0                            ? ETIMEDOUT
                : getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? errno
                                                                      : error;
    close(fd);
    return error;
}

/* 1: it can be reached. Else why. */
static int knock(const char *url, char *why, size_t room)
{
    struct addrinfo *all = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct hostport at;
    if (split(url, &at)) {
        snprintf(why, room, "%s: expected http://HOST:PORT", url);
        return 0;
    }
    int failed = getaddrinfo(at.host, at.port, &hints, &all), error = ENOENT;
    for (const struct addrinfo *a = all; a && error; a = a->ai_next)
        error = knock_at(a);
    if (error)
        snprintf(why, room, "%s: %s", url, failed ? gai_strerror(failed) : strerror(error));
    if (all)
        freeaddrinfo(all);
    return !error;
}

static void look_at_engine(const struct look *l, const char *engine)
{
    json_t *all = json_loads(engine, 0, NULL), *urls = json_object_get(all, "etcd"), *one;
    char why[512] = "";
    size_t i, there = 0, n = json_array_size(urls);
    json_array_foreach(urls, i, one)
    {
        int reached = json_is_string(one) && knock(json_string_value(one), why, sizeof why);
        there += reached;
        if (!reached)
            tell(l, n > 1 ? IRIS_MESH_WARNING : IRIS_MESH_PROBLEM, "engine", "%s", why);
    }
    if (there)
        tell(l, IRIS_MESH_OK, "engine", "%zu of %zu can be reached", there, n);
    else if (n > 1)
        tell(l, IRIS_MESH_PROBLEM, "engine", "none of its %zu can be reached", n);
    json_decref(all);
}

int mesh_check(void *mesh, const char *options, iris_mesh_found *found, void *ctx)
{
    struct hub *h = mesh;
    const struct look l = {found, ctx};
    struct options o = {0};
    char why[400];
    int failed = options_read(&o, options, why, sizeof why);
    if (failed)
        h->api->fail("%s", why);
    else if (o.has_tls)
        look_at_tls(&l, &o);
    if (!failed && *o.cookie)
        look_at_cookie(&l, &o);
    if (!failed && o.engine)
        look_at_engine(&l, o.engine);
    options_finish(&o);
    return failed ? IRIS_FAIL : IRIS_OK;
}
