/* HTTP/1.1 requests out of bytes, and answers into bytes; no input or output happens here. One of
 * these serves one connection: put in what came, take out one request, answer it, take the next. */
#ifndef IRIS_CONTROL_HTTP_H
#define IRIS_CONTROL_HTTP_H

#include "text.h"

#include <llhttp.h>
#include <stddef.h>

#define IRIS__HTTP_LIMIT 65536 /* bytes of a request: its head and its body together */

struct http_request {
    const char *method; /* "GET" or "POST" */
    const char *path;   /* without the query */
    const char *query;  /* what stands behind the '?', or "" */
    const char *body;   /* len bytes, not terminated */
    size_t len;
    int keep_alive; /* after the answer, take the next one */
    int status;     /* of a refused request, and why */
    const char *why;
};

struct http {
    llhttp_t parser;
    struct text in;
    size_t used;    /* bytes of in that earlier requests had */
    size_t scanned; /* bytes of the head that were looked at */
    size_t head;    /* length of the head, once its end was seen */
    /* What the parser said about this head. */
    size_t url; /* 1 + where in the head it begins, or 0 */
    const char *field;
    size_t field_len;
    unsigned flags;
    unsigned long long length;
    int keep_alive, expects, refused;
};

enum { HTTP_MORE = 0, HTTP_READY = 1, HTTP_REFUSED = 2 };

void iris__http_init(struct http *);
void iris__http_finish(struct http *);

int iris__http_feed(struct http *, const void *data, size_t len); /* 0, or -1: no memory */

/* READY: a request, readable until the next call here. MORE: feed first. REFUSED: answer with
 * request->status, then close: where the next request would begin is not known any more. */
int iris__http_next(struct http *, struct http_request *);

/* Bytes of a request that is not complete yet have come. */
int iris__http_begun(const struct http *);

/* type: of the body; NULL: JSON. */
int iris__http_answer_as(struct text *out, int status, int keep_alive, const char *type,
                         const void *body, size_t len);
/* What stands before a body of len bytes. */
int iris__http_head(struct text *out, int status, int keep_alive, const char *type, size_t len);
int iris__http_answer(struct text *out, int status, int keep_alive, const void *body, size_t len);

#endif
