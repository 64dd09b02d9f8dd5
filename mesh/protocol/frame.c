#include "frame.h"

#include <iris/ext/watch.h>

#include <stdlib.h>

static const uint32_t kinds[] = {IRIS_MONITOR, IRIS_DEMONITOR, IRIS_DOWN,  IRIS_LINK,
                                 IRIS_UNLINK,  IRIS_UNLINKED,  IRIS_EXIT,  IRIS_STOP,
                                 IRIS_STUCK,   IRIS_ORDER,     IRIS_REPORT};

uint32_t frame_kind(uint8_t type)
{
    return kinds[type - FRAME_MONITOR];
}

uint8_t frame_type(uint32_t kind)
{
    for (int i = 0; i < FRAME_SIGNALS_END - FRAME_MONITOR; i++)
        if (kinds[i] == kind)
            return (uint8_t)(FRAME_MONITOR + i);
    return 0;
}

/* ---- bytes to frames ---- */

static int grow(struct frame_in *in, size_t want)
{
    uint32_t room = in->room ? in->room : 256;
    while (room < want)
        room *= 2;
    uint8_t *bytes = room == in->room ? in->bytes : realloc(in->bytes, room);
    if (!bytes)
        return 0;
    in->bytes = bytes;
    in->room = room;
    return 1;
}

int frame_hold(struct frame_in *in, const uint8_t **at, size_t *n, size_t want)
{
    size_t take = want > in->have ? want - in->have : 0;
    if (take > *n)
        take = *n;
    if (!take)
        return 1;
    if (!grow(in, in->have + take))
        return 0;
    memcpy(in->bytes + in->have, *at, take);
    in->have += (uint32_t)take;
    *at += take;
    *n -= take;
    return 1;
}

static void name_frame(struct frame *f, const uint8_t *whole, int held)
{
    *f = (struct frame){
        .type = whole[0], .len = get32(whole) & 0xffffff, .body = whole + FRAME_HEAD, .held = held};
}

/* Its first bytes are held: it is put together there. */
static enum frame_result next_held(struct frame_in *in, const uint8_t **at, size_t *n,
                                   uint32_t most, struct frame *f)
{
    if (!frame_hold(in, at, n, FRAME_HEAD))
        return FRAME_MEMORY;
    if (in->have < FRAME_HEAD)
        return FRAME_NONE;
    uint32_t len = get32(in->bytes) & 0xffffff;
    if (len > most)
        return FRAME_OVERSIZE;
    if (!frame_hold(in, at, n, FRAME_HEAD + (size_t)len))
        return FRAME_MEMORY;
    if (in->have < FRAME_HEAD + len)
        return FRAME_NONE;
    in->have = 0;
    name_frame(f, in->bytes, 1);
    return FRAME_ONE;
}

enum frame_result frame_next(struct frame_in *in, const uint8_t **at, size_t *n, uint32_t most,
                             struct frame *f)
{
    if (in->have || (*n && *n < FRAME_HEAD))
        return next_held(in, at, n, most, f);
    if (!*n)
        return FRAME_NONE;
    name_frame(f, *at, 0);
    if (f->len > most)
        return FRAME_OVERSIZE;
    if (*n < FRAME_HEAD + (size_t)f->len)
        return next_held(in, at, n, most, f);
    *at += FRAME_HEAD + f->len;
    *n -= FRAME_HEAD + f->len;
    return FRAME_ONE;
}

char *frame_copy_text(const uint8_t *at, size_t n)
{
    char *text = malloc(n + 1);
    if (!text)
        return NULL;
    memcpy(text, at, n);
    text[n] = 0;
    return text;
}

/* The length of the UTF-8 character at p, of n bytes that are there; 0: none. NUL is none. */
static size_t character(const uint8_t *p, size_t n)
{
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0x80)
        return p[0] != 0;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    int too_long = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    int no_character = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return too_long || no_character ? 0 : len;
}

int frame_is_text(const uint8_t *p, size_t n)
{
    for (size_t k; n; p += k, n -= k)
        if (!(k = character(p, n)))
            return 0;
    return 1;
}

/* ---- HELLO ---- */

static const uint8_t magic[4] = {'I', 'R', 'I', 'S'};

static uint8_t *put_text(uint8_t *p, const char *text)
{
    size_t n = strnlen(text, 255);
    *p++ = (uint8_t)n;
    memcpy(p, text, n);
    return p + n;
}

size_t frame_put_hello(uint8_t out[HELLO_MAX], const struct hello *h)
{
    uint8_t *p = out + FRAME_HEAD;
    memcpy(p, magic, sizeof magic);
    p[4] = h->min;
    p[5] = h->max;
    p[6] = h->role;
    p[7] = 0;
    memcpy(p + 8, h->id.bytes, 16);
    put64(p + 24, h->creation);
    memcpy(p + 32, h->nonce, 32);
    put32(p + 64, h->payload);
    put32(p + 68, h->name);
    put32(p + 72, h->window);
    p = put_text(p + 76, h->node);
    p = put_text(p, h->address);
    put_head(out, FRAME_HELLO, (uint32_t)(p - out - FRAME_HEAD));
    return (size_t)(p - out);
}

/* Names and addresses go into logs and events: printable, and no space. */
static const uint8_t *get_text(const uint8_t *p, const uint8_t *end, char out[256])
{
    if (p >= end || end - p - 1 < *p)
        return NULL;
    size_t n = *p++;
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] == 0x7f || p[i] == '@')
            return NULL;
    if (!frame_is_text(p, n))
        return NULL;
    memcpy(out, p, n);
    out[n] = 0;
    return p + n;
}

int frame_get_hello(const struct frame *f, struct hello *h)
{
    const uint8_t *p = f->body, *end = p + f->len;
    if (f->len < 78 || memcmp(p, magic, sizeof magic) || p[4] > p[5] || p[6] > 1)
        return -1;
    memset(h, 0, sizeof *h);
    h->min = p[4];
    h->max = p[5];
    h->role = p[6];
    memcpy(h->id.bytes, p + 8, 16);
    h->creation = get64(p + 24);
    memcpy(h->nonce, p + 32, 32);
    h->payload = get32(p + 64);
    h->name = get32(p + 68);
    h->window = get32(p + 72);
    p = get_text(p + 76, end, h->node);
    p = p ? get_text(p, end, h->address) : NULL;
    return p && h->node[0] ? 0 : -1;
}

/* ---- pids ---- */

static uint8_t *put_far(uint8_t *p, const struct far *x)
{
    if (x->whose == WHOSE_NOBODY)
        return p;
    put64(p, x->pid);
    if (x->whose != WHOSE_THIRD)
        return p + 8;
    memcpy(p + 8, x->id.bytes, 16);
    put64(p + 24, x->creation);
    return p + 32;
}

static const uint8_t *get_far(const uint8_t *p, const uint8_t *end, unsigned whose, struct far *x)
{
    size_t need = whose == WHOSE_NOBODY ? 0 : whose == WHOSE_THIRD ? 32 : 8;
    if (!p || (size_t)(end - p) < need)
        return NULL;
    x->whose = (enum whose)whose;
    x->pid = need ? get64(p) : 0;
    if (need && (!x->pid || x->pid > PID_MASK))
        return NULL;
    if (need == 32) {
        memcpy(x->id.bytes, p + 8, 16);
        x->creation = get64(p + 24);
    }
    return p + need;
}

/* ---- mail and signals ---- */

size_t frame_put_address(uint8_t *out, const struct address *a)
{
    uint8_t *p = out + 9;
    out[0] = (uint8_t)(a->from.whose | (unsigned)a->ref.whose << MAIL_REF |
                       (a->flags & (MAIL_TRACE | MAIL_MORE)));
    put64(out + 1, a->to);
    if (a->flags & MAIL_MORE) {
        put32(p, a->total);
        p += 4;
    }
    p = put_far(p, &a->from);
    return (size_t)(put_far(p, &a->ref) - out);
}

size_t frame_get_address(const uint8_t *at, size_t n, struct address *a)
{
    const uint8_t *end = at + n, *p = at + 9;
    if (n < 9 || at[0] & 0xc0)
        return 0;
    a->flags = at[0];
    a->to = get64(at + 1);
    a->total = 0;
    if (!a->to || a->to > PID_MASK)
        return 0;
    if (a->flags & MAIL_MORE) {
        if (end - p < 4)
            return 0;
        a->total = get32(p);
        p += 4;
    }
    p = get_far(p, end, a->flags & 3, &a->from);
    p = get_far(p, end, a->flags >> MAIL_REF & 3, &a->ref);
    if (p && a->flags & MAIL_TRACE)
        p = end - p < 24 ? NULL : p + 24;
    return p ? (size_t)(p - at) : 0;
}

size_t frame_put_signal(uint8_t *out, const struct address *a, uint64_t ref)
{
    out[0] = (uint8_t)a->from.whose;
    put64(out + 1, a->to);
    put64(out + 9, ref);
    return (size_t)(put_far(out + 17, &a->from) - out);
}

size_t frame_get_signal(const uint8_t *at, size_t n, struct address *a, uint64_t *ref)
{
    const uint8_t *end = at + n;
    if (n < 17 || at[0] & 0xfc)
        return 0;
    a->flags = 0;
    a->total = 0;
    a->to = get64(at + 1);
    *ref = get64(at + 9);
    if (!a->to || a->to > PID_MASK)
        return 0;
    const uint8_t *p = get_far(at + 17, end, at[0], &a->from);
    return p ? (size_t)(p - at) : 0;
}
