/* Messages of any size between two nodes, over a connection that takes and gives pieces of any size, signals
 * among them: each comes out once, whole and in order, or is told of; and nothing is left. The input is a list
 * of what to do: three bytes each. */
#include "mesh_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 300000 };

static uint8_t text[MOST + 256];

static uint8_t filler(uint32_t i)
{
    return (uint8_t)(i * 131 + (i >> 8) * 17 + (i >> 16));
}

struct oracle {
    uint32_t len[512], next, sent, signals, signals_next, bytes;
};

static struct oracle oracle; /* of this input */

static void came(struct side *s, const iris_message *m)
{
    (void)s;
    if (m->kind != IRIS_USER) {
        pair_must(m->ref == ++oracle.signals_next);
        return;
    }
    uint32_t i = (uint32_t)m->to - 1;
    pair_must(i >= oracle.next && i < oracle.sent); /* those that were refused are left out */
    oracle.next = i + 1;
    pair_must(m->len == oracle.len[i] && (!m->len || !memcmp(m->data, text + i % 251, m->len)));
}

static void mail(struct pair *p, uint32_t len)
{
    struct side *s = &p->a;
    uint64_t to = (uint64_t)s->index << 43 | (oracle.sent + 1);
    if (oracle.sent == 512 || oracle.bytes + len > MOST * 2 || !s->index)
        return;
    oracle.bytes += len;
    oracle.len[oracle.sent] = len;
    int64_t result = pair_message(s, IRIS_USER, to, 0, text + oracle.sent % 251, len);
    pair_must(result == IRIS_OK || result == IRIS_FULL || (result == IRIS_LARGE && len > 200000));
    oracle.sent += result == IRIS_OK;
}

static void signal(struct pair *p)
{
    struct side *s = &p->a;
    if (!s->index)
        return;
    pair_must(pair_message(s, IRIS_LINK, (uint64_t)s->index << 43 | 5, ++oracle.signals, NULL, 0) ==
              IRIS_OK);
}

static void step(struct pair *p, const uint8_t *d)
{
    uint32_t n = (uint32_t)d[1] << 8 | d[2];
    uint32_t conn = pair_conn_of_b(p);
    switch (d[0] % 8) {
    case 0:
        mail(p, n % 300);
        break;
    case 1:
        mail(p, n);
        break;
    case 2:
        mail(p, n * 4 % MOST);
        break;
    case 3:
        signal(p);
        break;
    case 4:
        mesh_flush(p->a.m, p->a.index);
        break;
    case 5:
        pair_pump(&p->a, 1, &p->b, conn, 1 + n);
        break;
    case 6:
        pair_pump(&p->b, conn, &p->a, 1, 1 + n);
        break;
    case 7:
        pair_pass(p, d[1] & 1 ? &p->a : &p->b, (int64_t)n % 400 * 1000000);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pair p;
    struct mesh_limits limits = {.payload = 200000, .queue = 400000, .window = 250000};
    if (size < 4)
        return 0;
    for (uint32_t i = 0; !text[1] && i < sizeof text; i++)
        text[i] = filler(i);
    memset(&oracle, 0, sizeof oracle);
    pair_begin(&p, 3, &limits);
    p.b.deliver = came;
    pair_connect(&p);
    pair_settle(&p);
    pair_must(p.a.index && p.b.index);
    p.b.refuse = data[0] % 8;
    pair_pipe(&p.a, 1)->most = (size_t)1 << (8 + data[1] % 11);
    for (size_t i = 2; i + 2 < size && i < 3000 && p.a.index && p.b.index; i += 3)
        step(&p, data + i);
    pair_pipe(&p.a, 1)->most = 0;
    for (int i = 0; i < 8 && p.a.index && p.b.index; i++) {
        mesh_writable(p.a.m, 1);
        mesh_flush(p.a.m, p.a.index);
        pair_settle(&p);
        p.now += 500000000;
        mesh_tick(p.a.m);
        mesh_tick(p.b.m);
    }
    if (p.a.index && p.b.index)
        pair_must(p.b.delivered + p.b.refused == p.a.taken && p.a.letters == p.b.refused &&
                  oracle.signals == oracle.signals_next);
    pair_end(&p);
    return 0;
}
