#include "http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

struct
    bell { /* a timer that wakes who waits for the loop's descriptor, as a uv_timer_t would not */
    uv_poll_t poll;
    struct http *http;
    int fd;
};

struct http_call {
    struct http_call *next, **at;
    struct http *http;
    CURL *easy;
    struct curl_slist *headers;
    http_line *line;
    http_done *done;
    void *ctx;
    char *text;
    size_t n, room;
    char error[CURL_ERROR_SIZE];
};

struct http {
    uv_loop_t *loop;
    CURLM *multi;
    void (*touch)(void *);
    void *ctx;
    struct bell *curls, *ours;
    void (*rang)(void *);
    void *rang_ctx;
    struct http_call *calls;
    char *ca, *cert, *key;
};

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t http_now(const struct http *h)
{
    (void)h;
    return read_clock(CLOCK_MONOTONIC);
}

/* Read one after the other they are some ns apart: whole milliseconds. */
int64_t http_slept(const struct http *h)
{
    (void)h;
    return (read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC)) / 1000000 * 1000000;
}

/* ---- bells ---- */

static void free_handle(uv_handle_t *h)
{
    free(h);
}

static struct bell *bell_create(struct http *h, uv_poll_cb rings)
{
    struct bell *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->http = h;
    b->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (b->fd < 0 || uv_poll_init(h->loop, &b->poll, b->fd)) {
        if (b->fd >= 0)
            close(b->fd);
        free(b);
        return NULL;
    }
    uv_poll_start(&b->poll, UV_READABLE, rings);
    return b;
}

static void bell_destroy(struct bell *b)
{
    if (!b)
        return;
    uv_close((uv_handle_t *)&b->poll, free_handle);
    close(b->fd);
}

static void bell_set(const struct bell *b, int64_t at) /* 0: not at all */
{
    struct itimerspec t = {.it_value = {at / 1000000000, at % 1000000000}};
    timerfd_settime(b->fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static int bell_rang(const struct bell *b)
{
    uint64_t times;
    return read(b->fd, &times, sizeof times) == sizeof times;
}

/* ---- calls ---- */

static size_t on_text(char *bytes, size_t one, size_t n, void *ctx);

static void unlink_call(struct http_call *c)
{
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
}

static void free_call(struct http_call *c)
{
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->headers);
    free(c->text);
    free(c);
}

static void finish(struct http_call *c, CURLcode result)
{
    long status = 0;
    const char *why = *c->error ? c->error : curl_easy_strerror(result);
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(c->http->multi, c->easy);
    unlink_call(c);
    if (result)
        c->done(c->ctx, (int)status, NULL, 0, why);
    else
        c->done(c->ctx, (int)status, c->text ? c->text : "", c->n, "");
    free_call(c);
}

/* One after the other: an answer may begin or end others. */
static void finish_all(struct http *h)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(h->multi, &left))) {
        struct http_call *c;
        CURLcode result = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
        finish(c, result);
    }
    h->touch(h->ctx);
}

static int keep(struct http_call *c, const char *bytes, size_t n)
{
    if (c->n + n + 1 > c->room) {
        size_t room = (c->n + n + 1) * 2;
        char *text = realloc(c->text, room);
        if (!text)
            return -1;
        c->text = text;
        c->room = room;
    }
    memcpy(c->text + c->n, bytes, n);
    c->n += n;
    c->text[c->n] = '\0';
    return 0;
}

/* line() must not end the call: who is called notes what it wants, and does it on the next alarm. */
static int take_lines(struct http_call *c)
{
    char *at = c->text, *end;
    while ((end = memchr(at, '\n', c->n - (size_t)(at - c->text)))) {
        *end = '\0';
        if (end > at)
            c->line(c->ctx, at, (size_t)(end - at));
        at = end + 1;
    }
    size_t left = c->n - (size_t)(at - c->text);
    memmove(c->text, at, left + 1);
    c->n = left;
    return left > HTTP_LINE_MAX ? -1 : 0;
}

static size_t on_text(char *bytes, size_t one, size_t n, void *ctx)
{
    struct http_call *c = ctx;
    size_t len = one * n;
    if (c->n + len > HTTP_ANSWER_MAX || keep(c, bytes, len))
        return CURL_WRITEFUNC_ERROR;
    return c->line && take_lines(c) ? CURL_WRITEFUNC_ERROR : len;
}

static void set_tls(const struct http *h, CURL *easy)
{
    if (h->ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, h->ca);
    if (h->cert)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, h->cert);
    if (h->key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, h->key);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

/* No proxy of the environment: an engine stands beside its nodes. */
static void set_up(struct http_call *c, const char *url, const char *body,
                   const char *authorization, int64_t timeout_ms)
{
    CURL *e = c->easy;
    char header[1200];
    c->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (authorization) {
        snprintf(header, sizeof header, "Authorization: %s", authorization);
        c->headers = curl_slist_append(c->headers, header);
    }
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, body);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_text);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_PRIVATE, c);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, 5L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, 2L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms ? (long)timeout_ms : 3000L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    set_tls(c->http, e);
}

static struct http_call *make(struct http *h)
{
    struct http_call *c = calloc(1, sizeof *c);
    if (!c || !(c->easy = curl_easy_init())) {
        free(c);
        return NULL;
    }
    c->http = h;
    return c;
}

struct http_call *http_post(struct http *h, const char *url, const char *body,
                            const char *authorization, int64_t timeout_ms, http_line *line,
                            http_done *done, void *ctx)
{
    struct http_call *c = make(h);
    if (!c)
        return NULL;
    c->line = line;
    c->done = done;
    c->ctx = ctx;
    set_up(c, url, body, authorization, timeout_ms);
    c->next = h->calls;
    c->at = &h->calls;
    if (c->next)
        c->next->at = &c->next;
    h->calls = c;
    curl_multi_add_handle(h->multi, c->easy);
    h->touch(h->ctx);
    return c;
}

void http_cancel(struct http_call *c)
{
    struct http *h = c->http;
    curl_multi_remove_handle(h->multi, c->easy);
    unlink_call(c);
    free_call(c);
    h->touch(h->ctx);
}

void http_post_now(struct http *h, const char *url, const char *body, const char *authorization,
                   int64_t timeout_ms)
{
    struct http_call *c = make(h);
    if (!c)
        return;
    set_up(c, url, body, authorization, timeout_ms);
    curl_easy_perform(c->easy);
    free_call(c);
}

/* ---- curl's view of the loop ---- */

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct http *h = poll->data;
    uv_os_fd_t fd;
    int left, what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                     (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) |
                     (status < 0 ? CURL_CSELECT_ERR : 0);
    if (uv_fileno((uv_handle_t *)poll, &fd))
        return;
    curl_multi_socket_action(h->multi, fd, what, &left);
    finish_all(h);
}

static uv_poll_t *poll_of(struct http *h, curl_socket_t fd)
{
    uv_poll_t *poll = calloc(1, sizeof *poll);
    if (!poll || uv_poll_init(h->loop, poll, fd)) {
        free(poll);
        return NULL;
    }
    poll->data = h;
    curl_multi_assign(h->multi, fd, poll);
    return poll;
}

static int wants(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct http *h = ctx;
    uv_poll_t *poll = known;
    (void)easy;
    h->touch(h->ctx);
    if (what == CURL_POLL_REMOVE) {
        if (poll)
            uv_close((uv_handle_t *)poll, free_handle);
        curl_multi_assign(h->multi, fd, NULL);
        return 0;
    }
    if (!poll && !(poll = poll_of(h, fd)))
        return -1;
    uv_poll_start(
        poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
        on_socket);
    return 0;
}

static int wants_time(CURLM *multi, long ms, void *ctx)
{
    struct http *h = ctx;
    (void)multi;
    bell_set(h->curls, ms < 0 ? 0 : http_now(h) + ms * 1000000 + 1);
    return 0;
}

static void curls_time(uv_poll_t *poll, int status, int events)
{
    struct bell *b = (struct bell *)poll;
    struct http *h = b->http;
    int left;
    (void)status, (void)events;
    if (!bell_rang(b))
        return;
    curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &left);
    finish_all(h);
}

/* ---- all of it ---- */

static void our_time(uv_poll_t *poll, int status, int events)
{
    const struct bell *b = (struct bell *)poll;
    (void)status, (void)events;
    if (bell_rang(b) && b->http->rang)
        b->http->rang(b->http->rang_ctx);
}

void http_on_alarm(struct http *h, void (*rang)(void *), void *ctx)
{
    h->rang = rang;
    h->rang_ctx = ctx;
}

void http_alarm(struct http *h, int64_t at)
{
    bell_set(h->ours, at);
}

static char *copy(const char *text)
{
    return text && *text ? strdup(text) : NULL;
}

struct http *http_create(uv_loop_t *loop, const struct http_files *files, void (*touch)(void *),
                         void *ctx)
{
    struct http *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    curl_global_init(CURL_GLOBAL_DEFAULT); /* counted, and safe from any thread since 7.84 */
    h->loop = loop;
    h->touch = touch;
    h->ctx = ctx;
    h->ca = copy(files->ca);
    h->cert = copy(files->cert);
    h->key = copy(files->key);
    h->multi = curl_multi_init();
    h->curls = bell_create(h, curls_time);
    h->ours = bell_create(h, our_time);
    if (!h->multi || !h->curls || !h->ours) {
        http_destroy(h);
        return NULL;
    }
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, wants);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, wants_time);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    touch(ctx);
    return h;
}

void http_destroy(struct http *h)
{
    while (h->calls)
        http_cancel(h->calls);
    if (h->multi)
        curl_multi_cleanup(h->multi);
    bell_destroy(h->curls);
    bell_destroy(h->ours);
    free(h->ca);
    free(h->cert);
    free(h->key);
    free(h);
    curl_global_cleanup();
}
