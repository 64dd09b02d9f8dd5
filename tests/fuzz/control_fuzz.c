/* What a control client may send: bytes into requests into JSON, without sockets. The first byte
 * says how the others are cut; however that is, the same requests must come out. */
#include "control.h"
#include "http.h"
#include "socket.h"
#include "verb_args.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static void read_data(const json_t *body)
{
    const char *text = json_string_value(json_object_get(body, "data_base64"));
    if (!text)
        return;
    size_t len = strlen(text);
    char *bytes = malloc(len + 1), *again = malloc(IRIS_BASE64_ROOM(len));
    long n = iris_base64_decode(bytes, text, len);
    if (n >= 0) { /* there is one text for the same bytes */
        iris_base64_encode(again, bytes, (size_t)n);
        assert(!strcmp(again, text));
    }
    free(bytes);
    free(again);
}

/* What no verb can be made to believe. */
static void read_args(const json_t *body)
{
    struct verb_args a;
    if (iris__verb_args(body, &a) == 0) {
        assert(a.timeout >= 0 && a.timeout <= INT64_C(86400) * 1000000000 && a.steps <= 1000);
        assert(!a.target || (*a.target && strlen(a.target) < 256));
        assert(a.data && a.len <= IRIS__HTTP_LIMIT);
    }
    iris__verb_args_finish(&a);
}

static uint64_t take(const struct http_request *r, uint64_t sum)
{
    assert(r->len <= IRIS__HTTP_LIMIT && strlen(r->path) <= IRIS__HTTP_LIMIT);
    assert(strlen(r->query) <= IRIS__HTTP_LIMIT && iris__verb_since(r->query) >= -1);
    json_t *body = iris__control_body(r);
    if (body) {
        read_data(body);
        read_args(body);
    }
    json_decref(body);
    sum = mix(sum, r->query, strlen(r->query) + 1);
    sum = mix(sum, r->method, strlen(r->method));
    sum = mix(sum, r->path, strlen(r->path) + 1);
    return mix(sum + (uint64_t)r->keep_alive, r->body, r->len);
}

static uint64_t serve(const uint8_t *data, size_t size, size_t cut)
{
    struct http h;
    struct http_request r = {0};
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    int got = HTTP_MORE;
    iris__http_init(&h);
    for (size_t at = 0; at < size && got != HTTP_REFUSED; at += cut) {
        size_t n = size - at < cut ? size - at : cut;
        if (iris__http_feed(&h, data + at, n))
            break;
        while ((got = iris__http_next(&h, &r)) == HTTP_READY)
            sum = take(&r, sum);
    }
    if (got == HTTP_REFUSED) {
        assert(r.status >= 400 && r.why);
        json_decref(iris__control_problem("bad-request", NULL, r.why));
        sum = mix(sum, &r.status, sizeof r.status);
    }
    iris__http_finish(&h);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint64_t whole = serve(data + 1, size - 1, size);
    uint64_t parts = serve(data + 1, size - 1, 1u + data[0] % 64u);
    assert(whole == parts);
    return 0;
}
