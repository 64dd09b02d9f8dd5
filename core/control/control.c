#include "control.h"

#include "control_client.h"
#include "fail.h"
#include "socket.h"
#include "thread.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_MS 1000

/* Where replies are handed over to the control thread. Replies may outlive the server: each of them
 * holds a reference. */
struct desk {
    pthread_mutex_t mutex;
    int refs;         /* protected by mutex, as all below */
    int open;         /* while 0, replies are for nobody */
    int closing;      /* iris__control_close() was called */
    uv_async_t *bell; /* valid while open */
    struct control_reply *first, **last;
    void (*call)(void *ctx); /* soon, on the control thread; or NULL */
    void *call_ctx;
};

struct control_reply {
    struct desk *desk;
    struct control_client *client; /* control thread only; NULL: it left */
    struct control_reply *next;
    json_t *body;
    int status;
    const char *type; /* of text, which takes the place of the body; NULL: JSON */
    struct text text;
};

struct control {
    uv_loop_t loop;
    union control_stream listener;
    uv_async_t bell;
    uv_timer_t deadline;
    struct control_clients clients;
    struct desk *desk;
    const struct control_verb *verbs;
    void *app;
    struct socket_claim claim;
    unsigned long thread;
    int closing; /* control thread only */
};

/* ---- the desk ---- */

static struct desk *desk_create(uv_async_t *bell)
{
    struct desk *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    pthread_mutex_init(&d->mutex, NULL);
    d->refs = d->open = 1;
    d->bell = bell;
    d->last = &d->first;
    return d;
}

static void desk_drop(struct desk *d)
{
    pthread_mutex_lock(&d->mutex);
    int left = --d->refs;
    pthread_mutex_unlock(&d->mutex);
    if (left)
        return;
    pthread_mutex_destroy(&d->mutex);
    free(d);
}

static struct control_reply *reply_create(struct desk *d, struct control_client *client)
{
    struct control_reply *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    pthread_mutex_lock(&d->mutex);
    d->refs++;
    pthread_mutex_unlock(&d->mutex);
    r->desk = d;
    r->client = client;
    return r;
}

static void reply_destroy(struct control_reply *r)
{
    json_decref(r->body);
    iris__text_finish(&r->text);
    desk_drop(r->desk);
    free(r);
}

static json_t *with_shape(json_t *body)
{
    json_t *all = json_pack("{s:i}", "iris", 1);
    if (!all || !body || json_object_update(all, body)) {
        json_decref(all);
        all = NULL;
    }
    json_decref(body);
    return all;
}

static void complete(struct control_reply *r)
{
    struct desk *d = r->desk;
    pthread_mutex_lock(&d->mutex);
    int open = d->open;
    if (open) {
        *d->last = r;
        d->last = &r->next;
        uv_async_send(d->bell);
    }
    pthread_mutex_unlock(&d->mutex);
    if (!open)
        reply_destroy(r);
}

void iris__control_reply(struct control_reply *r, int status, json_t *body)
{
    r->status = status;
    r->body = with_shape(body);
    complete(r);
}

void iris__control_text(struct control_reply *r, const char *type, struct text *text)
{
    r->status = 200;
    r->type = type;
    r->text = *text;
    *text = (struct text){0};
    complete(r);
}

void iris__control_call(struct control_reply *r, void (*run)(void *), void *ctx)
{
    struct desk *d = r->desk;
    pthread_mutex_lock(&d->mutex);
    if (d->open) {
        d->call = run;
        d->call_ctx = ctx;
        uv_async_send(d->bell);
    }
    pthread_mutex_unlock(&d->mutex);
}

int iris__control_is_gone(const struct control_reply *r)
{
    return !r->client;
}

/* ---- errors ---- */

/* Text that came from a plugin or a file name need not be UTF-8. */
static json_t *text(const char *s)
{
    json_t *good = json_string(s);
    char *ascii = good ? NULL : strdup(s);
    for (char *p = ascii; p && *p; p++)
        if (*p & 0x80)
            *p = '?';
    if (ascii)
        good = json_string(ascii);
    free(ascii);
    return good;
}

json_t *iris__control_problem(const char *code, const char *hint, const char *message)
{
    json_t *error = json_pack("{s:s, s:o}", "code", code, "message", text(message));
    if (error && hint)
        json_object_set_new(error, "hint", text(hint));
    return error ? json_pack("{s:o}", "error", error) : NULL;
}

static const struct {
    const char *code;
    int status;
} codes[] = {
    {"bad-request", 400},  {"forbidden", 403},     {"no-such-verb", 404}, {"no-such-target", 404},
    {"not-allowed", 405},  {"late", 408},          {"swap-refused", 409}, {"rollback-refused", 409},
    {"save-refused", 409}, {"apply-refused", 409}, {"too-large", 413},    {"mailbox-full", 429},
    {"failed", 500},       {"busy", 503},          {"stopping", 503},     {"timeout", 504},
};

static int status_of(const char *code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (!strcmp(codes[i].code, code))
            return codes[i].status;
    return 500;
}

/* The code of a request that was refused before any verb saw it. */
static const char *code_of(int status)
{
    switch (status) {
    case 403:
        return "forbidden";
    case 405:
        return "not-allowed";
    case 408:
        return "late";
    case 413:
    case 431:
        return "too-large";
    case 503:
        return "busy";
    }
    return "bad-request";
}

void iris__control_error(struct control_reply *r, const char *code, const char *hint,
                         const char *fmt, ...)
{
    char *message = NULL;
    va_list args;
    va_start(args, fmt);
    if (vasprintf(&message, fmt, args) < 0)
        message = NULL;
    va_end(args);
    iris__control_reply(r, status_of(code),
                        iris__control_problem(code, hint, message ? message : "out of memory"));
    free(message);
}

/* ---- requests ---- */

json_t *iris__control_body(const struct http_request *r)
{
    json_error_t error;
    if (!r->len)
        return json_object();
    json_t *body = json_loadb(r->body, r->len, JSON_REJECT_DUPLICATES, &error);
    if (!body)
        iris__fail("the body is not JSON: line %d, column %d: %s", error.line, error.column,
                   error.text);
    if (body && !json_is_object(body)) {
        iris__fail("the body is JSON, but not an object");
        json_decref(body);
        return NULL;
    }
    return body;
}

static const struct control_verb *find_verb(const struct control_verb *verbs,
                                            const struct http_request *r, int *path_known)
{
    *path_known = 0;
    for (const struct control_verb *v = verbs; v->path; v++) {
        if (strcmp(v->path, r->path))
            continue;
        *path_known = 1;
        if (!strcmp(v->method, r->method))
            return v;
    }
    return NULL;
}

static int count_working(const struct control *c)
{
    int n = 0;
    for (const struct control_client *one = c->clients.first; one; one = one->next)
        n += iris__control_client_works(one);
    return n;
}

static int is_crowded(struct control *c, const struct control_verb *verb,
                      struct control_reply *reply)
{
    int most = IRIS__CONTROL_CLIENTS - verb->spare;
    if (!verb->spare || count_working(c) <= most) /* with this one */
        return 0;
    iris__control_clients_sweep(&c->clients);
    if (count_working(c) <= most)
        return 0;
    iris__control_error(reply, "busy",
                        "try again when some are answered; a shorter --timeout ends them sooner",
                        "%d requests wait for their answers, and no more may", most);
    return 1;
}

static void run_verb(struct control *c, const struct http_request *r, struct control_reply *reply)
{
    int path_known;
    const struct control_verb *verb = find_verb(c->verbs, r, &path_known);
    if (!verb) {
        iris__control_error(reply, path_known ? "not-allowed" : "no-such-verb",
                            c->clients.by_tcp ? NULL : "try GET /v1/health", "%s %s: %s", r->method,
                            r->path, path_known ? "not with this method" : "no such verb");
        return;
    }
    if (is_crowded(c, verb, reply))
        return;
    json_t *body = iris__control_body(r);
    if (!body) {
        iris__control_error(reply, "bad-request", NULL, "%s", iris__reason());
        return;
    }
    struct control_request request = {
        .method = r->method, .path = r->path, .query = r->query, .body = body};
    verb->run(c->app, &request, reply);
    json_decref(body);
}

static void on_request(struct control_clients *all, struct control_client *client,
                       const struct http_request *r)
{
    struct control *c = all->loop->data;
    struct control_reply *reply = reply_create(c->desk, client);
    if (!reply) {
        iris__control_client_close(client);
        return;
    }
    client->work = reply;
    if (r->status)
        iris__control_reply(reply, r->status,
                            iris__control_problem(code_of(r->status), NULL, r->why));
    else
        run_verb(c, r, reply);
}

static void on_gone(struct control_clients *all, struct control_client *client)
{
    struct control *c = all->loop->data;
    struct control_reply *reply = client->work;
    if (reply && !c->closing) /* else somebody may be freeing it */
        reply->client = NULL;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct control *c = listener->loop->data;
    if (!status)
        iris__control_client_accept(&c->clients, listener);
}

/* ---- answers ---- */

static void answer(struct control_client *client, int status, const json_t *body)
{
    static const char failed[] = "{\"iris\":1,\"error\":{\"code\":\"failed\",\"message\":"
                                 "\"the answer could not be put into JSON\"}}\n";
    char *line = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct text all = {0};
    if (line && !iris__text_addf(&all, "%s\n", line))
        iris__control_client_answer(client, status, NULL, all.data, all.len);
    else
        iris__control_client_answer(client, 500, NULL, failed, sizeof failed - 1);
    iris__text_finish(&all);
    free(line);
}

static void send_all(struct control_reply *r)
{
    while (r) {
        struct control_reply *next = r->next;
        if (r->client && r->text.data)
            iris__control_client_give(r->client, r->status, r->type, &r->text);
        else if (r->client)
            answer(r->client, r->status, r->body);
        reply_destroy(r);
        r = next;
    }
}

/* ---- the end ---- */

static void on_deadline(uv_timer_t *timer)
{
    struct control *c = timer->loop->data;
    for (struct control_client *one = c->clients.first; one; one = one->next)
        iris__control_client_close(one);
}

static void end_client(struct control_client *client)
{
    client->keep_alive = 0;
    if (client->state == CLIENT_WORKING) {
        json_t *body = with_shape(iris__control_problem("stopping", NULL, "the app is stopping"));
        answer(client, 503, body);
        json_decref(body);
    } else if (client->state != CLIENT_WRITING) {
        iris__control_client_close(client);
    }
}

/* The desk is shut first: from then on a reply that gets completed is freed where that happens, and
 * nothing here may touch it. */
static void begin_end(struct control *c)
{
    pthread_mutex_lock(&c->desk->mutex);
    struct control_reply *rest = c->desk->first;
    c->desk->open = 0;
    pthread_mutex_unlock(&c->desk->mutex);
    c->closing = 1;
    send_all(rest);
    uv_close((uv_handle_t *)&c->listener, NULL);
    uv_close((uv_handle_t *)&c->bell, NULL);
    for (struct control_client *one = c->clients.first, *next; one; one = next) {
        next = one->next;
        end_client(one);
    }
    uv_timer_start(&c->deadline, on_deadline, CLOSE_MS, 0);
    uv_unref((uv_handle_t *)&c->deadline);
}

static void on_bell(uv_async_t *bell)
{
    struct control *c = bell->loop->data;
    struct desk *d = c->desk;
    pthread_mutex_lock(&d->mutex);
    struct control_reply *all = d->first;
    int closing = d->closing;
    void (*call)(void *) = d->call;
    void *ctx = d->call_ctx;
    d->call = NULL;
    d->first = NULL;
    d->last = &d->first;
    pthread_mutex_unlock(&d->mutex);
    send_all(all);
    if (call && !c->closing)
        call(ctx);
    if (closing && !c->closing)
        begin_end(c);
}

static void *serve(void *arg)
{
    struct control *c = arg;
    uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&c->deadline, NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* ---- open and close ---- */

static int uv_failed(const char *what, int error)
{
    return error ? iris__fail("control: %s: %s", what, uv_strerror(error)) : IRIS_OK;
}

/* The loop is closed without ever having run for a client. */
static void discard_loop(struct control *c)
{
    uv_close((uv_handle_t *)&c->listener, NULL);
    uv_close((uv_handle_t *)&c->bell, NULL);
    uv_close((uv_handle_t *)&c->deadline, NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_loop_close(&c->loop);
}

static int open_loop(struct control *c)
{
    int error = uv_loop_init(&c->loop);
    if (error)
        return uv_failed("uv_loop_init", error);
    c->loop.data = c;
    iris__control_stream_init(&c->loop, &c->listener, c->clients.by_tcp);
    uv_timer_init(&c->loop, &c->deadline);
    error = uv_async_init(&c->loop, &c->bell, on_bell);
    if (!error)
        return IRIS_OK;
    uv_close((uv_handle_t *)&c->listener, NULL);
    uv_close((uv_handle_t *)&c->deadline, NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_loop_close(&c->loop);
    return uv_failed("uv_async_init", error);
}

static int listen_there(struct control *c)
{
    int fd = iris__socket_listen(&c->claim);
    if (fd < 0)
        return IRIS_FAIL;
    int error = uv_pipe_open(&c->listener.local, fd);
    if (!error)
        error = uv_listen((uv_stream_t *)&c->listener, 64, on_connection);
    return uv_failed(c->claim.path, error);
}

static int start(struct control *c, const char *path, gid_t group)
{
    if (iris__socket_claim(&c->claim, path, group))
        return IRIS_FAIL;
    if (open_loop(c))
        goto fail_loop;
    if (listen_there(c))
        goto fail_listen;
    int error = iris__thread_start(&c->thread, "iris-control", serve, c);
    if (!error)
        return IRIS_OK;
    iris__fail("control: no thread: %s", strerror(error));
fail_listen:
    discard_loop(c);
fail_loop:
    iris__socket_release(&c->claim);
    return IRIS_FAIL;
}

static struct control *create(const struct control_verb *verbs, void *app)
{
    struct control *c = calloc(1, sizeof *c);
    struct desk *d = c ? desk_create(&c->bell) : NULL;
    if (!d) {
        free(c);
        iris__fail("control: out of memory");
        return NULL;
    }
    c->desk = d;
    c->verbs = verbs;
    c->app = app;
    c->clients.loop = &c->loop;
    c->clients.request = on_request;
    c->clients.gone = on_gone;
    return c;
}

int iris__control_open_for(const char *path, gid_t group, const struct control_verb *verbs,
                           void *app, struct control **out)
{
    struct control *c = create(verbs, app);
    if (!c)
        return IRIS_FAIL;
    c->clients.group = group;
    if (!start(c, path, group)) {
        *out = c;
        return IRIS_OK;
    }
    desk_drop(c->desk);
    free(c);
    return IRIS_FAIL;
}

/* ---- by TCP ---- */

/* HOST:PORT, [HOST]:PORT; numbers, or "localhost". */
static int resolve(const char *address, struct sockaddr_storage *to)
{
    static const char scheme[] = "tcp://";
    char host[256];
    if (!strncmp(address, scheme, sizeof scheme - 1))
        address += sizeof scheme - 1;
    const char *colon = strrchr(address, ':');
    int six = *address == '[', port = colon ? atoi(colon + 1) : 0;
    if (!colon)
        return UV_EINVAL;
    snprintf(host, sizeof host, "%.*s", (int)(colon - address) - 2 * six, address + six);
    if (!strcmp(host, "localhost"))
        snprintf(host, sizeof host, "127.0.0.1");
    return six ? uv_ip6_addr(host, port, (struct sockaddr_in6 *)to)
               : uv_ip4_addr(host, port, (struct sockaddr_in *)to);
}

static int bound_port(struct control *c)
{
    struct sockaddr_storage at = {0};
    int len = sizeof at;
    uv_tcp_getsockname(&c->listener.tcp, (struct sockaddr *)&at, &len);
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}

static int start_tcp(struct control *c, const char *address)
{
    struct sockaddr_storage at = {0};
    if (resolve(address, &at))
        return iris__fail("%s: expected numbers, as in 127.0.0.1:9464, or localhost", address);
    if (open_loop(c))
        return IRIS_FAIL;
    int error = uv_tcp_bind(&c->listener.tcp, (struct sockaddr *)&at, 0);
    if (!error)
        error = uv_listen((uv_stream_t *)&c->listener, 64, on_connection);
    if (!error && !(error = iris__thread_start(&c->thread, "iris-metrics", serve, c)))
        return IRIS_OK;
    discard_loop(c);
    return iris__fail("%s: cannot listen there: %s", address,
                      error < 0 ? uv_strerror(error) : strerror(error));
}

int iris__control_open_tcp(const char *address, const struct control_verb *verbs, void *app,
                           int *port, struct control **out)
{
    struct control *c = create(verbs, app);
    if (!c)
        return IRIS_FAIL;
    c->clients.by_tcp = 1;
    c->claim.lock = -1;
    if (!start_tcp(c, address)) {
        *port = bound_port(c);
        *out = c;
        return IRIS_OK;
    }
    desk_drop(c->desk);
    free(c);
    return IRIS_FAIL;
}

int iris__control_open(const char *path, const struct control_verb *verbs, void *app,
                       struct control **out)
{
    return iris__control_open_for(path, SOCKET_NO_GROUP, verbs, app, out);
}

void iris__control_take_claim(struct control *c, struct socket_claim *out)
{
    *out = c->claim;
    c->claim.lock = -1;
}

void iris__control_close(struct control *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->desk->mutex);
    c->desk->closing = 1;
    uv_async_send(&c->bell);
    pthread_mutex_unlock(&c->desk->mutex);
    pthread_join(c->thread, NULL);
    uv_loop_close(&c->loop);
    iris__socket_release(&c->claim);
    desk_drop(c->desk);
    free(c);
}
