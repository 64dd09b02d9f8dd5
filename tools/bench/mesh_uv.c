/* A libuv loop at both ends: what comes in is written back at once, in the read's own callback. */
#include "meshes.h"

#include "far.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

int trips_take(struct trips *t, const struct far *far)
{
    t->took[t->count++] = (now_ns() - t->began) / 1e3;
    if (t->count == amount(TRIPS_WARM_UP)) {
        t->cpu_here = own_cpu_ns();
        t->cpu_there = far_cpu_ns(far);
    }
    return t->count == amount(TRIPS_WARM_UP) + amount(TRIPS);
}

void trips_report(struct trips *t, const struct far *far, double *values)
{
    long trips = amount(TRIPS);
    double *took = t->took + amount(TRIPS_WARM_UP);
    values[2] = (own_cpu_ns() - t->cpu_here) / 1e3 / (double)trips;
    values[3] = (far_cpu_ns(far) - t->cpu_there) / 1e3 / (double)trips;
    values[0] = percentile(took, (size_t)trips, 0.5);
    values[1] = percentile(took, (size_t)trips, 0.99);
}

static char room[65536];

static void make_room(uv_handle_t *h, size_t n, uv_buf_t *out)
{
    (void)h, (void)n;
    *out = uv_buf_init(room, sizeof room);
}

static void write_all(uv_stream_t *s, char *bytes, size_t n)
{
    uv_buf_t b = uv_buf_init(bytes, (unsigned)n);
    if (uv_try_write(s, &b, 1) != (int)n)
        die("a write of some bytes was cut short");
}

/* ---- there ---- */

static void echo(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    if (n < 0)
        uv_stop(s->loop);
    else if (n)
        write_all(s, b->base, (size_t)n);
}

static void accept_one(uv_stream_t *listener, int status)
{
    uv_tcp_t *s = calloc(1, sizeof *s);
    if (status || !s || uv_tcp_init(listener->loop, s) || uv_accept(listener, (uv_stream_t *)s) ||
        uv_tcp_nodelay(s, 1) || uv_read_start((uv_stream_t *)s, make_room, echo))
        die("a connection was not accepted");
}

void mesh_far_uv(void)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in a;
    int n = sizeof a;
    uv_tcp_t listener;
    uv_ip4_addr("127.0.0.1", 0, &a);
    if (uv_tcp_init(loop, &listener) || uv_tcp_bind(&listener, (struct sockaddr *)&a, 0) ||
        uv_listen((uv_stream_t *)&listener, 1, accept_one) ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&a, &n))
        die("it cannot listen");
    printf("127.0.0.1:%d\n", ntohs(a.sin_port));
    fflush(stdout);
    uv_run(loop, UV_RUN_DEFAULT);
}

/* ---- here ---- */

static struct trips trips;

struct caller {
    uv_tcp_t tcp; /* first */
    const struct far *far;
    char data[64];
    size_t have, size;
};

static void call(struct caller *c)
{
    c->have = 0;
    trips.began = now_ns();
    write_all((uv_stream_t *)&c->tcp, c->data, c->size);
}

static void take(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct caller *c = (struct caller *)s;
    (void)b;
    if (n < 0)
        die("the other end closed the connection");
    c->have += (size_t)n;
    if (c->have < c->size)
        return;
    if (trips_take(&trips, c->far))
        uv_stop(s->loop);
    else
        call(c);
}

static void connected(uv_connect_t *request, int status)
{
    struct caller *c = (struct caller *)request->handle;
    if (status || uv_tcp_nodelay(&c->tcp, 1) ||
        uv_read_start((uv_stream_t *)&c->tcp, make_room, take))
        die("it cannot connect");
    call(c);
}

void trip_uv(const struct workload *w, double *values)
{
    char *argv[] = {FAR_SELF, "--far", "uv", NULL};
    struct far far;
    struct caller c = {.far = &far, .size = bytes_of(w)};
    uv_connect_t request;
    struct sockaddr_in a;
    far_start(&far, argv);
    far_read_address(&far);
    uv_ip4_addr("127.0.0.1", atoi(strchr(far.address, ':') + 1), &a);
    if (uv_tcp_init(uv_default_loop(), &c.tcp) ||
        uv_tcp_connect(&request, &c.tcp, (struct sockaddr *)&a, connected))
        die("it cannot connect");
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    trips_report(&trips, &far, values);
    uv_close((uv_handle_t *)&c.tcp, NULL);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    far_end(&far);
}
