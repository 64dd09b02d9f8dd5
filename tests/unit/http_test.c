/* Requests out of bytes, however they are cut; what is refused; how much is kept. */
#include "main.h"

#include "api.h"
#include "http.h"

#include <stdlib.h>

static const char good[] =
    "POST /v1/ask?x=1 HTTP/1.1\r\nHost: iris\r\nContent-Length: 5\r\n\r\nhello";

static int next_after(struct http *h, const char *bytes, struct http_request *r)
{
    iris__http_init(h);
    assert_int_equal(iris__http_feed(h, bytes, strlen(bytes)), 0);
    return iris__http_next(h, r);
}

static void assert_refused(const char *bytes, int status)
{
    struct http h;
    struct http_request r;
    assert_int_equal(next_after(&h, bytes, &r), HTTP_REFUSED);
    if (r.status != status)
        fail_msg("%s: %d %s; expected %d", bytes, r.status, r.why, status);
    assert_non_null(r.why);
    assert_int_equal(iris__http_next(&h, &r), HTTP_REFUSED); /* and nothing behind it is served */
    iris__http_finish(&h);
}

static void takes_a_request(void **state)
{
    (void)state;
    struct http h;
    struct http_request r;
    assert_int_equal(next_after(&h, good, &r), HTTP_READY);
    assert_string_equal(r.method, "POST");
    assert_string_equal(r.path, "/v1/ask");
    assert_int_equal(r.len, 5);
    assert_memory_equal(r.body, "hello", 5);
    assert_true(r.keep_alive);
    assert_int_equal(iris__http_next(&h, &r), HTTP_MORE);
    assert_false(iris__http_begun(&h));
    iris__http_finish(&h);
}

static void takes_it_byte_by_byte(void **state)
{
    (void)state;
    struct http h;
    struct http_request r;
    iris__http_init(&h);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof good - 1; i++) {
            iris__http_feed(&h, good + i, 1);
            assert_int_equal(iris__http_next(&h, &r),
                             i + 2 == sizeof good ? HTTP_READY : HTTP_MORE);
        }
    assert_string_equal(r.path, "/v1/ask");
    assert_memory_equal(r.body, "hello", 5);
    iris__http_finish(&h);
}

static void takes_pipelined_ones_in_order(void **state)
{
    (void)state;
    struct http h;
    struct http_request r;
    assert_int_equal(next_after(&h,
                                "GET /1 HTTP/1.1\r\n\r\n"
                                "\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"
                                "GET /3 HTTP/1.0\r\n\r\nGET /4",
                                &r),
                     HTTP_READY);
    assert_string_equal(r.path, "/1");
    assert_int_equal(iris__http_next(&h, &r), HTTP_READY);
    assert_string_equal(r.path, "/2");
    assert_memory_equal(r.body, "ab", 2);
    assert_int_equal(iris__http_next(&h, &r), HTTP_READY);
    assert_string_equal(r.path, "/3");
    assert_false(r.keep_alive); /* 1.0 says so unless it says otherwise */
    assert_int_equal(iris__http_next(&h, &r), HTTP_MORE);
    assert_true(iris__http_begun(&h));
    iris__http_finish(&h);
}

static void refuses_what_two_may_read_differently(void **state)
{
    (void)state;
    assert_refused("GET / HTTP/1.1\r\nA: b\rContent-Length: 3\r\n\r\n", 400);
    assert_refused("GET / HTTP/1.1\nA: b\n\n", 400);
    assert_refused("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400);
    assert_refused("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", 400);
    assert_refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
                   400);
    assert_refused("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                   400);
    assert_refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                   411);
    assert_refused("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400);
    assert_refused("POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc", 400);
    assert_refused("POST / HTTP/1.1\r\nContent-Length : 3\r\n\r\nabc", 400);
    assert_refused("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400);
}

static void refuses_what_it_does_not_serve(void **state)
{
    (void)state;
    assert_refused("DELETE / HTTP/1.1\r\n\r\n", 405);
    assert_refused("HEAD / HTTP/1.1\r\n\r\n", 405);
    assert_refused("CONNECT a:1 HTTP/1.1\r\n\r\n", 405);
    assert_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    assert_refused("GET / HTTP/2.0\r\n\r\n", 505);
    assert_refused("GET / HTTP/0.9\r\n\r\n", 505);
    assert_refused("hello\r\n\r\n", 400);
    assert_refused("GET\r\n\r\n", 400);
    assert_refused("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 417);
    assert_refused("POST / HTTP/1.1\r\nContent-Length: 65536\r\n\r\n", 413);
    assert_refused("POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", 413);
}

static void ignores_an_offered_upgrade(void **state)
{
    (void)state;
    struct http h;
    struct http_request r;
    assert_int_equal(next_after(&h,
                                "GET /v1/ps HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                                "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
                                &r),
                     HTTP_READY);
    assert_string_equal(r.path, "/v1/ps");
    iris__http_finish(&h);
}

static void refuses_an_endless_head(void **state)
{
    (void)state;
    struct http h;
    struct http_request r;
    int got = next_after(&h, "GET / HTTP/1.1\r\nA: ", &r);
    size_t fed = 0;
    for (; got == HTTP_MORE; fed++) {
        iris__http_feed(&h, "0123456789abcdef", 16);
        got = iris__http_next(&h, &r);
    }
    assert_int_equal(got, HTTP_REFUSED);
    assert_int_equal(r.status, 431);
    assert_in_range(fed * 16, 65000, 65600);
    iris__http_finish(&h);
}

static void takes_exactly_the_limit(void **state)
{
    (void)state;
    char head[100];
    int n = snprintf(head, sizeof head, "POST / HTTP/1.1\r\nContent-Length: %05d\r\n\r\n", 0);
    size_t body = IRIS__HTTP_LIMIT - (size_t)n;
    char *all = malloc(IRIS__HTTP_LIMIT + 1);
    snprintf(all, IRIS__HTTP_LIMIT, "POST / HTTP/1.1\r\nContent-Length: %05zu\r\n\r\n", body);
    memset(all + n, 'x', body);
    all[IRIS__HTTP_LIMIT] = '\0';
    struct http h;
    struct http_request r;
    assert_int_equal(next_after(&h, all, &r), HTTP_READY);
    assert_int_equal(r.len, body);
    iris__http_finish(&h);
    free(all);
}

static void writes_an_answer(void **state)
{
    (void)state;
    struct text out = {0};
    assert_int_equal(iris__http_answer(&out, 404, 0, "{}", 2), 0);
    assert_string_equal(out.data, "HTTP/1.1 404 Not Found\r\nServer: iris/" IRIS__VERSION "\r\n"
                                  "Content-Type: application/json\r\n"
                                  "Content-Length: 2\r\nConnection: close\r\n\r\n{}");
    iris__text_finish(&out);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p10.http_takes_a_request", takes_a_request),
    IRIS_TEST("p10.http_takes_it_byte_by_byte", takes_it_byte_by_byte),
    IRIS_TEST("p10.http_takes_pipelined_ones_in_order", takes_pipelined_ones_in_order),
    IRIS_TEST("p10.http_refuses_what_two_may_read_differently",
              refuses_what_two_may_read_differently),
    IRIS_TEST("p10.http_refuses_what_it_does_not_serve", refuses_what_it_does_not_serve),
    IRIS_TEST("p10.http_ignores_an_offered_upgrade", ignores_an_offered_upgrade),
    IRIS_TEST("p10.http_refuses_an_endless_head", refuses_an_endless_head),
    IRIS_TEST("p10.http_takes_exactly_the_limit", takes_exactly_the_limit),
    IRIS_TEST("p10.http_writes_an_answer", writes_an_answer),
};
IRIS_MAIN(tests)
