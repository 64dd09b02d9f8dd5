/* Bytes to frames. However they are cut, the same frames and the same verdict come out; nothing is read or
 * held that has not come; and what is in a frame is read within it. */
#include "frame.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static void read_hello(const struct frame *f)
{
    struct hello h, again;
    uint8_t out[HELLO_MAX];
    if (f->len + FRAME_HEAD > HELLO_MAX || frame_get_hello(f, &h))
        return;
    assert(h.node[0] && strlen(h.node) < 256 && strlen(h.address) < 256 && h.min <= h.max);
    size_t n = frame_put_hello(out, &h);
    struct frame g = {
        .type = FRAME_HELLO, .len = (uint32_t)n - FRAME_HEAD, .body = out + FRAME_HEAD};
    assert(!frame_get_hello(&g, &again) && !memcmp(&h, &again, sizeof h));
}

static void read_address(const struct frame *f)
{
    struct address a = {0}, again = {0};
    uint8_t out[ADDRESS_MAX];
    uint64_t ref, ref_again;
    size_t n = frame_get_address(f->body, f->len, &a);
    assert(n <= f->len);
    if (n && !(a.flags & MAIL_TRACE)) {
        assert(frame_put_address(out, &a) == n && !memcmp(out, f->body, n));
        assert(frame_get_address(out, n, &again) == n && again.to == a.to);
    }
    memset(&a, 0, sizeof a);
    n = frame_get_signal(f->body, f->len, &a, &ref);
    assert(n <= f->len);
    if (n) {
        assert(frame_put_signal(out, &a, ref) == n && !memcmp(out, f->body, n));
        assert(frame_get_signal(out, n, &again, &ref_again) == n && ref == ref_again);
    }
}

static uint64_t serve(const uint8_t *data, size_t size, size_t cut, uint32_t most)
{
    struct frame_in in = {0};
    struct frame f;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    enum frame_result got = FRAME_NONE;
    for (size_t at = 0; at < size && got != FRAME_OVERSIZE; at += cut) {
        size_t n = size - at < cut ? size - at : cut;
        uint8_t *piece = malloc(n), *end = piece + n; /* of the exact size */
        memcpy(piece, data + at, n);
        const uint8_t *p = piece;
        while ((got = frame_next(&in, &p, &n, most, &f)) == FRAME_ONE) {
            assert(f.len <= most && p + n == end);
            sum = mix(mix(sum, &f.type, 1), f.body, f.len);
            read_hello(&f);
            read_address(&f);
        }
        assert(got != FRAME_NONE || n == 0);
        assert(in.room <= 2 * (at + cut + 256) &&
               in.have <= at + cut); /* not by a length announced */
        free(piece);
    }
    free(in.bytes);
    return mix(sum, &got, sizeof got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint32_t most = data[1] & 1 ? FRAME_MAX : 4096;
    uint64_t whole = serve(data + 2, size - 2, size, most);
    assert(whole == serve(data + 2, size - 2, 1u + data[0] % 64u, most));
    assert(whole == serve(data + 2, size - 2, 1, most));
    return 0;
}
