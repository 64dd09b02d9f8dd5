#include "control_client.h"

#include "fail.h"
#include "socket.h"

#include <poll.h>
#include <stdlib.h>

#define REQUEST_MS \
    5000 /* from the first byte to the last; a new client also has this long to begin */
#define IDLE_MS 30000  /* between two requests */
#define WRITE_MS 30000 /* for the client to take the answer */
#define LINGER_MS 1000 /* for it to see the answer and hang up */

static void pump(struct control_client *);

/* ---- the end of one ---- */

static void on_closed(uv_handle_t *handle)
{
    struct control_client *c = handle->data;
    if (--c->handles)
        return;
    *c->self = c->next;
    if (c->next)
        c->next->self = c->self;
    struct control_clients *all = c->all;
    uv_stream_t *waiting = all->waiting;
    all->n--;
    all->waiting = NULL;
    iris__http_finish(&c->http);
    iris__text_finish(&c->out);
    iris__text_finish(&c->body);
    free(c);
    if (waiting && !uv_is_closing((uv_handle_t *)waiting))
        iris__control_client_accept(all, waiting);
}

void iris__control_client_close(struct control_client *c)
{
    if (uv_is_closing((uv_handle_t *)&c->pipe))
        return;
    c->all->gone(c->all, c);
    c->work = NULL;
    uv_close((uv_handle_t *)&c->pipe, on_closed);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

/* Of one that waits for its answer nothing is read, so its end is looked for. Half an end is none: it may still read. */
static int has_hung_up(const struct control_client *c)
{
    struct pollfd p = {.fd = -1};
    uv_fileno(&c->pipe.handle, &p.fd);
    return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR);
}

void iris__control_clients_sweep(struct control_clients *all)
{
    for (struct control_client *c = all->first; c; c = c->next)
        if (iris__control_client_works(c) && has_hung_up(c))
            iris__control_client_close(c);
}

int iris__control_client_works(const struct control_client *c)
{
    return c->state == CLIENT_WORKING && !uv_is_closing(&c->pipe.handle);
}

/* ---- time ---- */

static void on_time(uv_timer_t *timer)
{
    struct control_client *c = timer->data;
    struct http_request late = {.status = 408,
                                .why = "a request that took longer than 5 s to arrive"};
    if (c->state != CLIENT_READING || !c->timed) {
        iris__control_client_close(c);
        return;
    }
    c->state = CLIENT_WORKING;
    c->keep_alive = 0;
    uv_read_stop((uv_stream_t *)&c->pipe);
    c->all->request(c->all, c, &late);
}

static void give(struct control_client *c, uint64_t ms)
{
    uv_timer_start(&c->timer, on_time, ms, 0);
}

/* ---- reading ---- */

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct control_client *c = handle->data;
    (void)size;
    *buf = uv_buf_init(c->all->chunk, sizeof c->all->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct control_client *c = stream->data;
    if (n == 0 || (n > 0 && c->state == CLIENT_ENDING))
        return;
    if (n < 0 || iris__http_feed(&c->http, buf->base, (size_t)n))
        iris__control_client_close(c);
    else
        pump(c);
}

static void await_more(struct control_client *c)
{
    if (!c->timed && iris__http_begun(&c->http)) {
        c->timed = 1;
        give(c, REQUEST_MS);
    }
    if (uv_read_start((uv_stream_t *)&c->pipe, on_room, on_read) == UV_EINVAL)
        iris__control_client_close(c);
}

static void pump(struct control_client *c)
{
    struct http_request r;
    if (iris__http_next(&c->http, &r) == HTTP_MORE) {
        await_more(c);
        return;
    }
    c->state = CLIENT_WORKING; /* what it sends now waits in the kernel */
    c->keep_alive = r.keep_alive;
    c->timed = 0;
    uv_read_stop((uv_stream_t *)&c->pipe);
    uv_timer_stop(&c->timer);
    c->all->request(c->all, c, &r);
}

/* ---- writing ---- */

static void on_shut(uv_shutdown_t *end, int status)
{
    if (status < 0 && status != UV_ECANCELED)
        iris__control_client_close(end->data);
}

/* Hanging up while the client still sends would cost it the answer: let it hang up first. */
static void linger(struct control_client *c)
{
    c->state = CLIENT_ENDING;
    c->end.data = c;
    give(c, LINGER_MS);
    if (uv_shutdown(&c->end, (uv_stream_t *)&c->pipe, on_shut) ||
        uv_read_start((uv_stream_t *)&c->pipe, on_room, on_read))
        iris__control_client_close(c);
}

static void on_written(uv_write_t *write, int status)
{
    struct control_client *c = write->data;
    iris__text_finish(&c->out);
    iris__text_finish(&c->body);
    if (uv_is_closing((uv_handle_t *)&c->pipe))
        return;
    if (status < 0) {
        iris__control_client_close(c);
    } else if (!c->keep_alive) {
        linger(c);
    } else {
        c->state = CLIENT_READING;
        give(c, IDLE_MS);
        pump(c);
    }
}

static void write_out(struct control_client *c, int failed)
{
    uv_buf_t bufs[] = {uv_buf_init(c->out.data, (unsigned)c->out.len),
                       uv_buf_init(c->body.data, (unsigned)c->body.len)};
    c->work = NULL;
    c->state = CLIENT_WRITING;
    c->write.data = c;
    give(c, WRITE_MS);
    if (failed ||
        uv_write(&c->write, (uv_stream_t *)&c->pipe, bufs, c->body.len ? 2 : 1, on_written))
        iris__control_client_close(c);
}

void iris__control_client_answer(struct control_client *c, int status, const char *type,
                                 const char *body, size_t len)
{
    if (!uv_is_closing((uv_handle_t *)&c->pipe))
        write_out(c, iris__http_answer_as(&c->out, status, c->keep_alive, type, body, len));
}

void iris__control_client_give(struct control_client *c, int status, const char *type,
                               struct text *body)
{
    if (uv_is_closing((uv_handle_t *)&c->pipe))
        return;
    c->body = *body;
    *body = (struct text){0};
    write_out(c, iris__http_head(&c->out, status, c->keep_alive, type, c->body.len));
}

/* ---- the beginning ---- */

void iris__control_stream_init(uv_loop_t *loop, union control_stream *s, int by_tcp)
{
    if (by_tcp)
        uv_tcp_init(loop, &s->tcp);
    else
        uv_pipe_init(loop, &s->local, 0);
}

static struct control_client *create(struct control_clients *all)
{
    struct control_client *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->all = all;
    c->handles = 2;
    iris__http_init(&c->http);
    iris__control_stream_init(all->loop, &c->pipe, all->by_tcp);
    uv_timer_init(all->loop, &c->timer);
    c->pipe.handle.data = c->timer.data = c;
    c->next = all->first;
    c->self = &all->first;
    if (c->next)
        c->next->self = &c->next;
    all->first = c;
    all->n++;
    return c;
}

/* Why a new client is turned away, or NULL. */
static const char *objection(struct control_client *c, int *status)
{
    uv_os_fd_t fd = -1;
    if (c->all->by_tcp)
        return NULL;
    uv_fileno((uv_handle_t *)&c->pipe, &fd);
    if (iris__socket_peer(fd, c->all->group)) {
        *status = 403;
        return iris__reason();
    }
    return NULL;
}

/* libuv looks for no more of them while one is not taken: those behind it wait in the kernel. */
void iris__control_client_accept(struct control_clients *all, uv_stream_t *listener)
{
    struct control_client *c = all->n < IRIS__CONTROL_CLIENTS ? create(all) : NULL;
    if (!c) {
        all->waiting = listener;
        iris__control_clients_sweep(all);
        return;
    }
    struct http_request no = {0};
    if (uv_accept(listener, (uv_stream_t *)&c->pipe)) {
        iris__control_client_close(c);
    } else if ((no.why = objection(c, &no.status))) {
        c->state = CLIENT_WORKING;
        all->request(all, c, &no);
    } else {
        give(c, REQUEST_MS);
        await_more(c);
    }
}
