/* A node and somebody who has the cookie, and says anything: frames well formed or not, in any order, at any time,
 * while this node sends, asks, watches and leaves. It must stay itself: an answer for each question, a letter at
 * most once, nothing from who is down, and no memory left. The input is a list of operations. */
#include "mesh_pair.h"

#include "frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *p, *end;
};

static uint8_t one(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

static const uint8_t *some(struct input *in, size_t want, size_t *n)
{
    const uint8_t *p = in->p;
    *n = (size_t)(in->end - p) < want ? (size_t)(in->end - p) : want;
    in->p += *n;
    return p;
}

static void give(struct pair *p, const uint8_t *bytes, size_t n)
{
    struct pipe *q = pair_pipe(&p->a, 1);
    if (!q || q->closed || !n)
        return;
    uint8_t *exact = malloc(n);
    pair_must(exact != NULL);
    memcpy(exact, bytes, n);
    mesh_bytes(p->a.m, 1, exact, n);
    free(exact);
}

/* A frame of a type that there is, its length as it should be; body: of the input, the rest zeros. */
static void frame(struct pair *p, struct input *in)
{
    static const uint8_t types[] = {
        FRAME_HELLO,    FRAME_AUTH,   FRAME_WELCOME,  FRAME_SETTLE,  FRAME_GOODBYE,   FRAME_PING,
        FRAME_PONG,     FRAME_CREDIT, FRAME_NACK,     FRAME_MAIL,    FRAME_FRAG,      FRAME_RESOLVE,
        FRAME_RESOLVED, FRAME_PROBE,  FRAME_PROBED,   FRAME_MONITOR, FRAME_DEMONITOR, FRAME_DOWN,
        FRAME_LINK,     FRAME_UNLINK, FRAME_UNLINKED, FRAME_EXIT,    FRAME_STOP,      FRAME_STUCK,
        FRAME_OPTIONAL, FRAME_ORDER,  FRAME_REPORT,   FRAME_GRANTS};
    uint8_t type = types[one(in) % sizeof types], len = one(in);
    uint8_t *bytes = calloc(1, FRAME_HEAD + 16u * len + 256);
    size_t n, total = len < 200 ? len : 16u * len;
    pair_must(bytes != NULL);
    const uint8_t *body = some(in, len < 64 ? len : 64, &n);
    put_head(bytes, (enum frame_type)type, (uint32_t)total);
    memcpy(bytes + FRAME_HEAD, body, n);
    give(p, bytes, FRAME_HEAD + total);
    free(bytes);
}

/* What a peer in its right mind would say next: numbers that fit. */
static void sane(struct pair *p, struct input *in)
{
    uint8_t b[64] = {0}, what = one(in);
    switch (what % 4) {
    case 0: /* mail to actor n */
        put_head(b, FRAME_MAIL, 20);
        b[4] = WHOSE_SENDER;
        put64(b + 5, 1u + one(in));
        put64(b + 13, 9);
        return give(p, b, 24);
    case 1:
        put_head(b, FRAME_CREDIT, 8);
        put64(b + 4, one(in));
        return give(p, b, 12);
    case 2:
        put_head(b, FRAME_NACK, 13);
        put64(b + 4, one(in));
        put32(b + 12, 1u + one(in) % 4);
        b[16] = one(in) % 6;
        return give(p, b, 17);
    default:
        put_head(b, FRAME_MONITOR, 25);
        b[4] = WHOSE_SENDER;
        put64(b + 5, 1u + one(in));
        put64(b + 13, one(in));
        put64(b + 21, 9);
        return give(p, b, 29);
    }
}

static void send_some(struct pair *p, struct input *in)
{
    static const uint32_t kinds[] = {IRIS_USER,      IRIS_USER, IRIS_USER, IRIS_MONITOR,
                                     IRIS_DEMONITOR, IRIS_DOWN, IRIS_LINK, IRIS_UNLINK,
                                     IRIS_UNLINKED,  IRIS_EXIT, IRIS_STOP, IRIS_HOT_SWAP};
    static const uint8_t zeros[200000];
    uint32_t kind = kinds[one(in) % 12];
    uint32_t len = one(in);
    uint64_t to = (uint64_t)(p->a.index ? p->a.index : 1) << 43 | (1u + len % 8);
    len = len == 255 ? 95000 : len;
    pair_message(&p->a, kind, to, one(in) & 1 ? UINT64_C(0x4000) + len : 0, zeros, len);
    mesh_flush(p->a.m, p->a.index);
}

static void question(struct pair *p, struct input *in)
{
    uint8_t what = one(in);
    const char *at = what & 4 ? "b" : "a:1";
    p->questions++;
    if (what % 3 == 0)
        mesh_resolve(p->a.m, at, what & 8 ? "name" : "other", what * INT64_C(10000000), pair_answer,
                     p);
    else if (what % 3 == 1)
        mesh_probe(p->a.m, (uint64_t)(p->a.index ? p->a.index : 1) << 43 | what,
                   what * INT64_C(10000000), pair_answer, p);
    else
        mesh_ping(p->a.m, at, what * INT64_C(10000000), pair_answer, p);
}

/* What it answered: read by nobody, or half of it. */
static void drain(struct pair *p, uint8_t how)
{
    struct pipe *q = pair_pipe(&p->a, 1);
    if (!q || q->closed)
        return;
    q->n = how & 1 ? 0 : q->n / 2;
    q->most = how & 2 ? 300 : 0;
    mesh_writable(p->a.m, 1);
}

static void operate(struct pair *p, struct input *in)
{
    size_t n;
    const uint8_t *bytes;
    switch (one(in) % 10) {
    case 0:
        bytes = some(in, 1u + one(in) % 32, &n);
        return give(p, bytes, n);
    case 1:
    case 2:
        return frame(p, in);
    case 3:
        return sane(p, in);
    case 4:
    case 5:
        return send_some(p, in);
    case 6:
        return pair_pass(p, &p->a, one(in) * INT64_C(20000000));
    case 7:
        return question(p, in);
    case 8:
        return drain(p, one(in));
    default:
        if (one(in) < 20 && pair_pipe(&p->a, 1) && !pair_pipe(&p->a, 1)->closed) {
            pair_forget(&p->a, 1);
            mesh_closed(p->a.m, 1, "reset");
        }
    }
}

static void look(void *ctx, const struct mesh_node *n)
{
    struct pair *p = ctx;
    pair_must(!n->index || p->a.up[n->index] == 1);
    pair_must(n->acknowledged + n->refused + n->lost <= n->sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pair p;
    struct input in = {data, data + size};
    struct mesh_limits limits = {.payload = 100000, .queue = 200000, .window = 150000};
    pair_begin(&p, 11, &limits);
    pair_connect(&p);
    pair_settle(&p);
    pair_must(p.a.index && p.b.index);
    p.a.refuse = 7;
    for (int i = 0; i < 400 && in.p < in.end; i++) {
        operate(&p, &in);
        if (p.a.dialled) { /* nobody is there */
            uint32_t conn = p.a.dialled;
            p.a.dialled = 0;
            mesh_closed(p.a.m, conn, "connection refused");
        }
        if (i % 8 == 0)
            mesh_nodes(p.a.m, look, &p);
    }
    pair_end(&p);
    return 0;
}
