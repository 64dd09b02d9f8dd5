/* Frames: docs/protocol.md to the byte, and whatever bytes may come. */
#include "main.h"

#include "frame.h"
#include "lanes.h"
#include "lookup.h"

#include <stdlib.h>

/* ---- the document ---- */

static struct hello example(void)
{
    struct hello h = {.min = 1,
                      .max = 1,
                      .role = 0,
                      .creation = 7,
                      .payload = 1 << 20,
                      .name = 1024,
                      .window = 4 << 20,
                      .node = "a",
                      .address = "10.0.0.1:9000"};
    for (int i = 0; i < 16; i++)
        h.id.bytes[i] = (uint8_t)(0xa0 + i);
    for (int i = 0; i < 32; i++)
        h.nonce[i] = (uint8_t)i;
    return h;
}

/* The bytes that follow `title` in docs/protocol.md: hex in the next block that is set in. */
static size_t documented(const char *title, uint8_t *out, size_t room)
{
    FILE *f = fopen(IRIS_SOURCE_DIR "/docs/protocol.md", "r");
    char line[512];
    size_t n = 0;
    int found = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (!found)
            found = strstr(line, title) != NULL;
        else if (!strncmp(line, "    ", 4))
            for (char *p = line + 4, *end; n < room; p = end) {
                unsigned long byte = strtoul(p, &end, 16);
                if (end == p)
                    break;
                out[n++] = (uint8_t)byte;
            }
        else if (n)
            break;
    }
    fclose(f);
    return n;
}

static void the_hello_of_the_document(void **state)
{
    uint8_t ours[HELLO_MAX], theirs[HELLO_MAX];
    struct hello h = example();
    (void)state;
    size_t n = frame_put_hello(ours, &h);
    assert_int_equal(documented("HELLO of node a", theirs, sizeof theirs), n);
    assert_memory_equal(ours, theirs, n);
}

static void the_mail_of_the_document(void **state)
{
    uint8_t ours[128], theirs[128];
    struct address a = {.to = 5, .from = {.pid = 0x01000009, .whose = WHOSE_SENDER}}, back;
    (void)state;
    size_t k = frame_put_address(ours + 4, &a);
    memcpy(ours + 4 + k, "hi", 2);
    put_head(ours, FRAME_MAIL, (uint32_t)k + 2);
    assert_int_equal(documented("MAIL of two bytes", theirs, sizeof theirs), 4 + k + 2);
    assert_memory_equal(ours, theirs, 4 + k + 2);
    assert_int_equal(frame_get_address(theirs + 4, k + 2, &back), k);
    assert_int_equal(back.to, 5);
    assert_int_equal(back.from.pid, 0x01000009);
}

/* ---- HELLO ---- */

static int read_back(const uint8_t *bytes, size_t n, struct hello *out)
{
    struct frame f = {
        .type = bytes[0], .len = (uint32_t)n - FRAME_HEAD, .body = bytes + FRAME_HEAD};
    return frame_get_hello(&f, out);
}

static void hello_comes_back(void **state)
{
    uint8_t bytes[HELLO_MAX + 8];
    struct hello h = example(), back;
    (void)state;
    size_t n = frame_put_hello(bytes, &h);
    assert_int_equal(read_back(bytes, n, &back), 0);
    assert_memory_equal(&h, &back, sizeof h);
    memset(bytes + n, 1, 8); /* what a later version says more */
    assert_int_equal(read_back(bytes, n + 8, &back), 0);
    for (size_t less = FRAME_HEAD; less < n; less++)
        assert_int_equal(read_back(bytes, less, &back), -1);
}

static void hello_is_checked(void **state)
{
    uint8_t bytes[HELLO_MAX];
    struct hello h = example(), back;
    (void)state;
    size_t n = frame_put_hello(bytes, &h);
    bytes[4] ^= 1; /* the magic */
    assert_int_equal(read_back(bytes, n, &back), -1);
    strcpy(h.node, "a\nb");
    assert_int_equal(read_back(bytes, frame_put_hello(bytes, &h), &back), -1);
    strcpy(h.node, "");
    assert_int_equal(read_back(bytes, frame_put_hello(bytes, &h), &back), -1);
    strcpy(h.node, "a\xc3");
    assert_int_equal(read_back(bytes, frame_put_hello(bytes, &h), &back), -1);
    strcpy(h.node, "x@y");
    assert_int_equal(read_back(bytes, frame_put_hello(bytes, &h), &back), -1);
}

static void text_is_utf8(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        int good;
    } cases[] = {
        {"", 0, 1},
        {"payments", 8, 1},
        {"\xc3\xa9", 2, 1},
        {"\xe2\x82\xac", 3, 1},
        {"\xf0\x9f\x8e\x88", 4, 1},
        {"\xf4\x8f\xbf\xbf", 4, 1},
        {"a\0b", 3, 0},
        {"\x80", 1, 0},
        {"\xc0\xaf", 2, 0},         /* longer than need be */
        {"\xe0\x9f\xbf", 3, 0},     /* so, too */
        {"\xed\xa0\x80", 3, 0},     /* half of a pair */
        {"\xf4\x90\x80\x80", 4, 0}, /* behind the last one */
        {"\xe2\x82", 2, 0},         /* cut */
        {"\xe2\x82g", 3, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *exact = malloc(cases[i].n + 1); /* ASan sees what reads behind it */
        uint8_t *p = exact + 1;
        memcpy(p, cases[i].text, cases[i].n);
        assert_int_equal(frame_is_text(p, cases[i].n), cases[i].good);
        free(exact);
    }
}

/* ---- pids ---- */

static void addresses_come_back(void **state)
{
    uint8_t bytes[ADDRESS_MAX];
    (void)state;
    for (unsigned from = 0; from < 4; from++)
        for (unsigned ref = 0; ref < 4; ref++) {
            struct address back, a = {.to = 99,
                                      .from = {.pid = from ? 7 : 0, .whose = from, .creation = 3},
                                      .ref = {.pid = ref ? 8 : 0, .whose = ref, .creation = 4},
                                      .total = 100000,
                                      .flags = MAIL_MORE};
            size_t n = frame_put_address(bytes, &a);
            assert_true(n <= ADDRESS_MAX);
            assert_int_equal(frame_get_address(bytes, n, &back), n);
            assert_int_equal(back.from.pid, a.from.pid);
            assert_int_equal(back.from.whose, from);
            assert_int_equal(back.ref.pid, a.ref.pid);
            assert_true(ref != WHOSE_THIRD || back.ref.creation == 4);
            assert_int_equal(back.total, 100000);
            for (size_t less = 0; less < n; less++)
                assert_int_equal(frame_get_address(bytes, less, &back), 0);
        }
}

static void pids_of_indexes_do_not_cross(void **state)
{
    uint8_t bytes[ADDRESS_MAX];
    struct address back, a = {.to = PID_MASK + 1};
    uint64_t ref;
    (void)state;
    assert_int_equal(frame_get_address(bytes, frame_put_address(bytes, &a), &back), 0);
    a = (struct address){.to = 1, .from = {.pid = PID_MASK + 9, .whose = WHOSE_SENDER}};
    assert_int_equal(frame_get_address(bytes, frame_put_address(bytes, &a), &back), 0);
    a = (struct address){.to = 0};
    assert_int_equal(frame_get_address(bytes, frame_put_address(bytes, &a), &back), 0);
    assert_int_equal(frame_get_signal(bytes, frame_put_signal(bytes, &a, 1), &back, &ref), 0);
}

/* ---- the decoder ---- */

struct seen {
    uint64_t hash;
    int frames;
    enum frame_result end;
};

static struct seen decode(const uint8_t *bytes, size_t n, size_t chunk)
{
    struct frame_in in = {0};
    struct frame f;
    struct seen s = {.hash = 1, .end = FRAME_NONE};
    for (size_t at = 0; at < n && s.end == FRAME_NONE; at += chunk) {
        const uint8_t *p = bytes + at;
        size_t left = n - at < chunk ? n - at : chunk;
        while ((s.end = frame_next(&in, &p, &left, FRAME_MAX, &f)) == FRAME_ONE) {
            s.frames++;
            s.hash = s.hash * 31 + f.type;
            for (uint32_t i = 0; i < f.len; i++)
                s.hash = s.hash * 31 + f.body[i];
        }
        assert_true(in.have <= FRAME_MAX + FRAME_HEAD);
        assert_true(in.room < 2 * (at + chunk) + 512); /* what has arrived, not what is announced */
    }
    free(in.bytes);
    return s;
}

static void chunks_make_no_difference(void **state)
{
    enum { N = 20000 };
    uint8_t *bytes = malloc(N);
    uint64_t r = 88172645463325252;
    size_t n = 0;
    (void)state;
    while (n < N - 600) {
        r ^= r << 13, r ^= r >> 7, r ^= r << 17;
        uint32_t len = r % 3 ? r >> 8 & 15 : r >> 8 & 511;
        put_head(bytes + n, r >> 20 & 255, len);
        for (uint32_t i = 0; i < len; i++)
            bytes[n + FRAME_HEAD + i] = (uint8_t)(r >> i % 56);
        n += FRAME_HEAD + len;
    }
    struct seen whole = decode(bytes, n, n);
    assert_true(whole.frames > 50);
    for (size_t chunk = 1; chunk < 700; chunk++) {
        struct seen s = decode(bytes, n, chunk);
        assert_int_equal(s.frames, whole.frames);
        assert_int_equal(s.hash, whole.hash);
    }
    free(bytes);
}

static void a_length_is_believed_when_it_has_come(void **state)
{
    uint8_t head[FRAME_HEAD], huge[FRAME_HEAD] = {FRAME_MAIL, 0xff, 0xff, 0xff};
    (void)state;
    put_head(head, FRAME_MAIL, FRAME_MAX);
    assert_int_equal(decode(head, sizeof head, 4).end, FRAME_NONE);
    assert_int_equal(decode(huge, sizeof huge, 4).end, FRAME_OVERSIZE);
    assert_int_equal(decode(huge, sizeof huge, 1).end, FRAME_OVERSIZE);
}

/* ---- lanes ---- */

struct sink {
    uint8_t bytes[1 << 18];
    size_t n, take; /* take: of each write at most */
    int writes;
};

static size_t take_some(void *ctx, const void *bytes, size_t n)
{
    struct sink *s = ctx;
    size_t take = n < s->take ? n : s->take;
    memcpy(s->bytes + s->n, bytes, take);
    s->n += take;
    s->writes++;
    return take;
}

static void put_frame(struct lane *l, uint8_t type, uint32_t len, uint8_t fill)
{
    uint8_t *p = lane_room(l, FRAME_HEAD + len);
    put_head(p, type, len);
    memset(p + FRAME_HEAD, fill, len);
    lane_put(l, FRAME_HEAD + len);
}

/* Whatever a write takes, frames stay whole, mail stays in order, and control is never behind two frames. */
static void frames_stay_whole(void **state)
{
    (void)state;
    for (size_t take = 1; take < 400; take += 7) {
        struct lanes l = {0};
        struct sink *s = calloc(1, sizeof *s);
        uint8_t control = 0, mail = 0, expect_control = 0, expect_mail = 0;
        s->take = take;
        for (int i = 0; i < 120; i++) {
            if (i % 3 == 0)
                put_frame(&l.control, FRAME_PING, (uint32_t)(i % 29), control++);
            put_frame(&l.mail, FRAME_MAIL, 1 + (uint32_t)(i * 7 % 300), mail++);
            l.open = lane_waits(&l.mail);
            lanes_flush(&l, take_some, s);
        }
        while (!lanes_flush(&l, take_some, s))
            ;
        for (size_t at = 0; at < s->n;) {
            uint32_t len = get32(s->bytes + at) & 0xffffff;
            if (s->bytes[at] == FRAME_MAIL)
                assert_int_equal(s->bytes[at + 4], expect_mail++);
            else {
                assert_int_equal(s->bytes[at], FRAME_PING);
                if (len)
                    assert_int_equal(s->bytes[at + 4], expect_control);
                expect_control++;
            }
            at += FRAME_HEAD + len;
        }
        assert_int_equal(expect_mail, mail);
        assert_int_equal(expect_control, control);
        lanes_finish(&l);
        free(s);
    }
}

static void control_and_mail_are_one_write(void **state)
{
    struct lanes l = {0};
    struct sink *s = calloc(1, sizeof *s);
    (void)state;
    s->take = sizeof s->bytes;
    for (int i = 0; i < 100; i++)
        put_frame(&l.mail, FRAME_MAIL, 64, 1);
    put_frame(&l.control, FRAME_CREDIT, 8, 2);
    l.open = lane_waits(&l.mail);
    assert_int_equal(lanes_flush(&l, take_some, s), 1);
    assert_int_equal(s->writes, 1);
    assert_int_equal(s->bytes[0], FRAME_CREDIT);
    lanes_finish(&l);
    free(s);
}

/* ---- the table ---- */

static int is_odd(void *ctx, struct entry *e)
{
    (void)ctx;
    return e->key & 1;
}

static void the_table_finds(void **state)
{
    enum { N = 5000 };
    struct entry *e = calloc(N, sizeof *e);
    struct table t = {0};
    size_t popped = 0;
    (void)state;
    assert_null(table_find(&t, 1));
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(table_add(&t, &e[i], i), 0);
    for (uint64_t i = 0; i < N; i++)
        assert_ptr_equal(table_find(&t, i), &e[i]);
    table_remove(&t, &e[4]);
    assert_null(table_find(&t, 4));
    table_sweep(&t, is_odd, NULL);
    assert_int_equal(t.count, N / 2 - 1);
    while (table_pop(&t))
        popped++;
    assert_int_equal(popped, N / 2 - 1);
    table_finish(&t);
    free(e);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("mesh.the_hello_of_the_document", the_hello_of_the_document),
    IRIS_TEST("mesh.the_mail_of_the_document", the_mail_of_the_document),
    IRIS_TEST("mesh.hello_comes_back", hello_comes_back),
    IRIS_TEST("p10.mesh_hello_is_checked", hello_is_checked),
    IRIS_TEST("p10.mesh_text_is_utf8", text_is_utf8),
    IRIS_TEST("mesh.addresses_come_back", addresses_come_back),
    IRIS_TEST("p10.mesh_pids_of_indexes_do_not_cross", pids_of_indexes_do_not_cross),
    IRIS_TEST("mesh.chunks_make_no_difference", chunks_make_no_difference),
    IRIS_TEST("p10.mesh_a_length_is_believed_when_it_has_come",
              a_length_is_believed_when_it_has_come),
    IRIS_TEST("mesh.frames_stay_whole", frames_stay_whole),
    IRIS_TEST("mesh.control_and_mail_are_one_write", control_and_mail_are_one_write),
    IRIS_TEST("mesh.the_table_finds", the_table_finds),
};
IRIS_MAIN(tests)
