/* POST requests by libcurl in a loop of libuv that nobody waits in: what has come is done when the loop runs, and
 * touch() says that it is to run. One thread. All that the rest of the provider knows of the world goes through here,
 * its clock too: the simulator has another http.c. */
#ifndef ETCD_HTTP_H
#define ETCD_HTTP_H

#include <stddef.h>
#include <stdint.h>

enum { HTTP_ANSWER_MAX = 64 << 20, HTTP_LINE_MAX = 8 << 20 };

struct uv_loop_s;
struct http;
struct http_call;

struct http_files { /* of TLS; NULL or "": none */
    const char *ca, *cert, *key;
};

/* The whole answer (n bytes and a '\0' behind them), or NULL and why; status: of HTTP, 0: there is none. The call
 * is over. */
typedef void http_done(void *ctx, int status, const char *text, size_t n, const char *why);
/* A line of an answer that does not end. */
typedef void http_line(void *ctx, const char *text, size_t n);

struct http *http_create(struct uv_loop_s *, const struct http_files *, void (*touch)(void *),
                         void *ctx);
void http_destroy(
    struct http *); /* calls that are open end unheard; the loop runs once more afterwards */

/* line: NULL, or each line of the answer goes there, and done() says how it ended. timeout 0: none. authorization:
 * NULL or the header's value. NULL: no memory. */
struct http_call *http_post(struct http *, const char *url, const char *body,
                            const char *authorization, int64_t timeout_ms, http_line *line,
                            http_done *done, void *ctx);
void http_cancel(struct http_call *); /* unheard */

/* Here and now, at most timeout_ms: for who leaves. */
void http_post_now(struct http *, const char *url, const char *body, const char *authorization,
                   int64_t timeout_ms);

/* rang() at this time (ns of CLOCK_MONOTONIC); one alarm, the last call counts; 0: none. */
void http_on_alarm(struct http *, void (*rang)(void *), void *ctx);
void http_alarm(struct http *, int64_t at);
int64_t http_now(const struct http *);   /* ns of CLOCK_MONOTONIC */
int64_t http_slept(const struct http *); /* ns that this machine was suspended since it began */

#endif
