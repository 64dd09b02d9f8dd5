/* HELLO and AUTH: nobody is let in who has not the cookie, whatever comes; and a greeting that somebody on the
 * way has changed leads to no link. The first byte chooses: strange bytes to who accepted or dialled, or two
 * nodes that greet each other, with changed bytes between them. */
#include "mesh_pair.h"

#include "frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_up(const struct side *s)
{
    return s->index != 0;
}

static void pieces(struct side *s, uint32_t conn, const uint8_t *data, size_t size, size_t cut)
{
    for (size_t at = 0; at < size; at += cut) {
        struct pipe *p = pair_pipe(s, conn);
        size_t n = size - at < cut ? size - at : cut;
        if (!p || p->closed)
            return;
        uint8_t *exact = malloc(n);
        pair_must(exact != NULL);
        memcpy(exact, data + at, n);
        mesh_bytes(s->m, conn, exact, n);
        free(exact);
        pair_must(!is_up(s) && !s->delivered);
    }
}

/* To one that accepted, or dialled; some time passes in the middle. */
static void strange(struct pair *p, const uint8_t *data, size_t size)
{
    int dialled = data[0] & 2;
    struct side *s = dialled ? &p->b : &p->a;
    uint32_t conn = dialled ? pair_conn_of_b(p) : 1;
    size_t half = size / 2;
    pieces(s, conn, data, half, 1 + data[0] / 4u);
    pair_pass(p, s, (int64_t)(data[0] % 7) * 1000000000);
    pieces(s, conn, data + half, size - half, size);
    pair_pass(p, s, 6000000000);
    struct pipe *q = pair_pipe(s, conn);
    pair_must(!is_up(s) && q && q->closed); /* five seconds are all that it gets */
}

/* The first bytes of the greeting of `from` that its proof covers. */
static size_t covered(const uint8_t *bytes, size_t n)
{
    size_t at = 0;
    for (int i = 0; i < 2 && at + FRAME_HEAD <= n; i++)
        at += FRAME_HEAD + (get32(bytes + at) & 0xffffff);
    return at <= n ? at : n;
}

struct edited {
    uint8_t sent[2048], came[2048];
    size_t nsent, ncame;
};

static void keep(uint8_t *to, size_t *at, const uint8_t *bytes, size_t n)
{
    if (*at + n <= 2048) {
        memcpy(to + *at, bytes, n);
        *at += n;
    }
}

/* Moves what was written, with the changes that the input has for this place. */
static size_t move(struct pair *p, int from_b, struct edited *e, const uint8_t *data, size_t size)
{
    struct side *from = from_b ? &p->b : &p->a, *to = from_b ? &p->a : &p->b;
    uint32_t out = from_b ? pair_conn_of_b(p) : 1, in = from_b ? 1 : pair_conn_of_b(p);
    struct pipe *q = pair_pipe(from, out);
    size_t n = q ? q->n : 0, base = e->nsent;
    if (!n)
        return 0;
    keep(e->sent, &e->nsent, q->bytes, n);
    for (size_t i = 0; i + 2 < size; i += 3) {
        size_t at = (size_t)data[i] << 8 | data[i + 1];
        if ((at & 1) == (size_t)from_b && at / 2 >= base && at / 2 < base + n)
            q->bytes[at / 2 - base] ^= data[i + 2];
    }
    keep(e->came, &e->ncame, q->bytes, n);
    return pair_pump(from, out, to, in, n);
}

static void between(struct pair *p, const uint8_t *data, size_t size)
{
    struct edited ab = {0}, ba = {0};
    while (move(p, 1, &ba, data, size) + move(p, 0, &ab, data, size))
        ;
    size_t n = covered(ba.sent, ba.nsent), k = covered(ab.sent, ab.nsent);
    if (is_up(&p->a))
        pair_must(ba.ncame >= n && !memcmp(ba.sent, ba.came, n));
    if (is_up(&p->b))
        pair_must(ab.ncame >= k && !memcmp(ab.sent, ab.came, k));
    if (size < 3)
        pair_must(is_up(&p->a) && is_up(&p->b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pair p;
    if (size < 1)
        return 0;
    pair_begin(&p, 5 + data[0], NULL);
    pair_connect(&p);
    if (data[0] & 1)
        between(&p, data + 1, size - 1);
    else
        strange(&p, data, size);
    pair_end(&p);
    return 0;
}
