#include "http.h"

#include "api.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- what the parser tells ---- */

static int on_url(llhttp_t *p, const char *at, size_t len)
{
    struct http *h = p->data;
    (void)len;
    h->url = (size_t)(at - (h->in.data + h->used)) + 1;
    return 0;
}

static int on_field(llhttp_t *p, const char *at, size_t len)
{
    struct http *h = p->data;
    h->field = at;
    h->field_len = len;
    return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t len)
{
    struct http *h = p->data;
    (void)at;
    if (len && h->field_len == 6 && !strncasecmp(h->field, "expect", 6))
        h->expects = 1;
    return 0;
}

/* The flags are reset when the message is over, so they are noted here. 1: the body is not the
 * parser's business; its length is all that there is to know about it. */
static int on_head(llhttp_t *p)
{
    struct http *h = p->data;
    h->flags = p->flags;
    h->length = p->flags & F_CONTENT_LENGTH ? p->content_length : 0;
    h->keep_alive = llhttp_should_keep_alive(p);
    return 1;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
};

/* ---- the head ---- */

void iris__http_init(struct http *h)
{
    *h = (struct http){0};
}

void iris__http_finish(struct http *h)
{
    iris__text_finish(&h->in);
}

static void compact(struct http *h)
{
    if (!h->used)
        return;
    if (h->used == h->in.len)
        iris__text_finish(&h->in); /* an idle connection holds no memory */
    else
        memmove(h->in.data, h->in.data + h->used, h->in.len - h->used);
    h->in.len -= h->in.len ? h->used : 0;
    h->used = 0;
}

int iris__http_feed(struct http *h, const void *data, size_t len)
{
    compact(h);
    return iris__text_add(&h->in, data, len);
}

static int refuse(struct http_request *r, int status, const char *why)
{
    r->status = status;
    r->why = why;
    return HTTP_REFUSED;
}

/* Is there something in byte i of a head that two readers may understand in two ways? llhttp 8.1.0
 * takes a lone CR for a line end (CVE-2023-30589) and joins folded lines. */
static const char *smuggled(const char *head, size_t i)
{
    char c = head[i], before = i ? head[i - 1] : 0;
    if (before == '\r' && c != '\n')
        return "a carriage return without a line feed; expected lines that end in CR LF";
    if (c == '\n' && before != '\r')
        return "a line feed without a carriage return; expected lines that end in CR LF";
    if (before == '\n' && (c == ' ' || c == '\t'))
        return "a folded header line; expected each header on one line";
    return NULL;
}

/* Empty lines before a request are no part of it. 0: whether this is one the next byte tells. */
static int skip_empty_lines(struct http *h)
{
    while (!h->scanned && h->in.len - h->used >= 2 && !memcmp(h->in.data + h->used, "\r\n", 2))
        h->used += 2;
    return h->scanned || h->in.len - h->used != 1 || h->in.data[h->used] != '\r';
}

/* Look for the empty line that ends the head. */
static int scan(struct http *h, struct http_request *r)
{
    if (!skip_empty_lines(h))
        return HTTP_MORE;
    const char *head = h->in.data + h->used;
    size_t len = h->in.len - h->used;
    for (; h->scanned < len && !h->head; h->scanned++) {
        size_t i = h->scanned;
        const char *why = smuggled(head, i);
        if (why)
            return refuse(r, 400, why);
        if (i >= 3 && head[i] == '\n' && head[i - 2] == '\n')
            h->head = i + 1;
        if (i >= IRIS__HTTP_LIMIT)
            return refuse(r, 431, "a request head of more than 64 KiB");
    }
    return h->head ? HTTP_READY : HTTP_MORE;
}

static int parse(struct http *h, struct http_request *r)
{
    llhttp_init(&h->parser, HTTP_REQUEST, &settings);
    h->parser.data = h;
    h->flags = 0;
    h->url = 0;
    h->expects = 0;
    int error = llhttp_execute(&h->parser, h->in.data + h->used, h->head);
    if (h->flags & F_TRANSFER_ENCODING || (h->flags & F_CHUNKED))
        return h->flags & F_CONTENT_LENGTH
                   ? refuse(r, 400, "both Transfer-Encoding and Content-Length")
                   : refuse(r, 411, "Transfer-Encoding; expected Content-Length");
    if ((error && error != HPE_PAUSED_UPGRADE) || !h->url)
        return refuse(r, 400, error ? llhttp_get_error_reason(&h->parser) : "not a request");
    if (h->parser.http_major != 1)
        return refuse(r, 505, "an HTTP version other than 1.0 and 1.1");
    return HTTP_READY;
}

static int check(struct http *h, struct http_request *r)
{
    if (h->parser.method != HTTP_GET && h->parser.method != HTTP_POST)
        return refuse(r, 405, "a method other than GET and POST");
    if (h->length > IRIS__HTTP_LIMIT || h->head + h->length > IRIS__HTTP_LIMIT)
        return refuse(r, 413, "a request of more than 64 KiB");
    if (h->expects)
        return refuse(r, 417, "an Expect header; send the body at once");
    return HTTP_READY;
}

/* The byte behind the path is a blank, a '?' or a '#' of a head that was parsed: it may become
 * '\0'. */
static void cut_url(struct http *h, struct http_request *r)
{
    char *path = h->in.data + h->used + h->url - 1, *end = path + strcspn(path, " ?#");
    char *query = *end == '?' ? end + 1 : NULL;
    if (query)
        query[strcspn(query, " #")] = '\0';
    *end = '\0';
    r->path = path;
    r->query = query ? query : "";
}

static void take(struct http *h, struct http_request *r)
{
    r->method = h->parser.method == HTTP_GET ? "GET" : "POST";
    cut_url(h, r);
    r->body = h->in.data + h->used + h->head;
    r->len = (size_t)h->length;
    r->keep_alive = h->keep_alive;
    h->used += h->head + (size_t)h->length;
    h->scanned = h->head = 0;
}

static int head(struct http *h, struct http_request *r)
{
    int got = scan(h, r);
    if (got == HTTP_READY)
        got = parse(h, r);
    if (got == HTTP_READY)
        got = check(h, r);
    h->refused = got == HTTP_REFUSED;
    return got;
}

int iris__http_next(struct http *h, struct http_request *r)
{
    *r = (struct http_request){0};
    if (h->refused)
        return refuse(r, 400, "a request after one that was refused");
    if (!h->in.data)
        return HTTP_MORE;
    int got = h->head ? HTTP_READY : head(h, r);
    if (got != HTTP_READY)
        return got;
    if (h->in.len - h->used < h->head + h->length)
        return HTTP_MORE;
    take(h, r);
    return HTTP_READY;
}

int iris__http_begun(const struct http *h)
{
    return h->in.len > h->used;
}

/* ---- the answer ---- */

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {417, "Expectation Failed"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

static const char *phrase(int status)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}

int iris__http_answer(struct text *out, int status, int keep_alive, const void *body, size_t len)
{
    return iris__http_answer_as(out, status, keep_alive, NULL, body, len);
}

int iris__http_head(struct text *out, int status, int keep_alive, const char *type, size_t len)
{
    return iris__text_addf(out,
                           "HTTP/1.1 %d %s\r\n"
                           "Server: iris/" IRIS__VERSION "\r\n"
                           "Content-Type: %s\r\n"
                           "Content-Length: %zu\r\n"
                           "%s"
                           "Connection: %s\r\n\r\n",
                           status, phrase(status), type ? type : "application/json", len,
                           status == 405 ? "Allow: GET, POST\r\n" : "",
                           keep_alive ? "keep-alive" : "close");
}

int iris__http_answer_as(struct text *out, int status, int keep_alive, const char *type,
                         const void *body, size_t len)
{
    if (iris__http_head(out, status, keep_alive, type, len))
        return -1;
    return iris__text_add(out, body, len);
}
