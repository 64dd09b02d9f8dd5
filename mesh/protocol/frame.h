/* Bytes to frames and back (docs/protocol.md has them to the byte). Pure: no state but what is handed in,
 * and no memory by a length that was only announced: what is held has arrived.
 *
 *   u8 type, u24 length, then so many bytes.  All numbers are big-endian. */
#ifndef MESH_FRAME_H
#define MESH_FRAME_H

#include "seam.h"

#include <string.h>

enum frame_type {
    FRAME_HELLO = 0x10,
    FRAME_AUTH = 0x11,
    FRAME_WELCOME = 0x12,
    FRAME_SETTLE = 0x13,
    FRAME_GOODBYE = 0x14,
    FRAME_PING = 0x15,
    FRAME_PONG = 0x16,
    FRAME_CREDIT = 0x17,
    FRAME_NACK = 0x18,
    FRAME_MAIL = 0x20,
    FRAME_FRAG = 0x21,
    FRAME_RESOLVE = 0x28,
    FRAME_RESOLVED = 0x29,
    FRAME_PROBE = 0x2a,
    FRAME_PROBED = 0x2b,
    FRAME_MONITOR = 0x30, /* signals: all of one form */
    FRAME_DEMONITOR,
    FRAME_DOWN,
    FRAME_LINK,
    FRAME_UNLINK,
    FRAME_UNLINKED,
    FRAME_EXIT,
    FRAME_STOP,
    FRAME_STUCK,
    FRAME_ORDER, /* of a supervisor, only to who has said that it may: GRANTS */
    FRAME_REPORT,
    FRAME_SIGNALS_END,
    FRAME_OPTIONAL = 0x80, /* and above: who does not know one skips it */
    FRAME_CONFLICT = 0x81,
    FRAME_GRANTS = 0x82
};

enum {
    FRAME_HEAD = 4,
    FRAME_DATA = 65536,           /* of a message, in one frame */
    FRAME_MAX = FRAME_DATA + 256, /* length of any frame */
    HELLO_MAX = FRAME_HEAD + 78 + 2 * 256,
    PROTOCOL_MIN = 1, /* versions that this end speaks */
    PROTOCOL_MAX = 1,
    PROOF = 32
};

#define PID_MASK ((UINT64_C(1) << 43) - 1) /* without the index of its node */

/* ---- numbers ---- */

static inline void put16(uint8_t *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, sizeof v);
}
static inline void put32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}
static inline void put64(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof v);
}
static inline uint16_t get16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap16(v);
}
static inline uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}
static inline uint64_t get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}
static inline void put_head(uint8_t *p, enum frame_type type, uint32_t len)
{
    put32(p, (uint32_t)type << 24 | len);
}

/* ---- bytes to frames ---- */

struct frame {
    uint8_t type;
    int held; /* body is in frame_in: it is gone at the next call */
    uint32_t len;
    const uint8_t *body;
};

struct frame_in {   /* zeroed; free() what is in bytes at the end */
    uint8_t *bytes; /* a frame of which only this has come */
    uint32_t have, room;
};

enum frame_result { FRAME_NONE, FRAME_ONE, FRAME_OVERSIZE, FRAME_MEMORY };

/* Takes from *at, *n. FRAME_ONE: a whole frame, in place where that was possible. FRAME_NONE: all is taken;
 * the rest of a frame has not come. FRAME_OVERSIZE: one longer than most. */
enum frame_result frame_next(struct frame_in *, const uint8_t **at, size_t *n, uint32_t most,
                             struct frame *);
/* Takes up to n bytes into what is held, so that there are `want`. 0: no memory. */
int frame_hold(struct frame_in *, const uint8_t **at, size_t *n, size_t want);

/* ---- HELLO ---- */

struct hello {
    uint8_t min, max, role; /* role 0: dialled, 1: accepted */
    struct node_id id;
    uint64_t creation;
    uint8_t nonce[32];
    uint32_t payload, name, window; /* the most that this end takes */
    char node[256], address[256];   /* address: how others reach it, or "" */
};

size_t frame_put_hello(uint8_t out[HELLO_MAX], const struct hello *);
/* 0, or -1: it is no HELLO. Bytes that follow are a later version's. */
int frame_get_hello(const struct frame *, struct hello *);

/* ---- pids ---- */

enum whose { WHOSE_NOBODY, WHOSE_SENDER, WHOSE_RECEIVER, WHOSE_THIRD };

struct far {
    uint64_t pid; /* without an index */
    enum whose whose;
    struct node_id id; /* WHOSE_THIRD: its node, of this creation */
    uint64_t creation;
};

/* ---- mail and signals ---- */

enum {
    MAIL_REF = 2,
    MAIL_TRACE = 16,
    MAIL_MORE = 32
}; /* flags; from in bits 0-1, ref in bits 2-3 */
enum { ADDRESS_MAX = 1 + 8 + 4 + 2 * 32 + 24 };

struct address {
    uint64_t to;
    struct far from, ref;
    uint32_t total; /* MAIL_MORE: bytes of the whole message; else 0 */
    uint8_t flags;
};

/* A string of what has no end of its own: free(). NULL: no memory. (strndup() may look for the end.) */
char *frame_copy_text(const uint8_t *at, size_t n);
int frame_is_text(const uint8_t *at, size_t n); /* UTF-8, and no NUL: all names are */

/* Returns the bytes written, at most ADDRESS_MAX. */
size_t frame_put_address(uint8_t *out, const struct address *);
/* Returns the bytes read; 0: not well formed. */
size_t frame_get_address(const uint8_t *at, size_t n, struct address *);

/* Of a signal the ref is a number and no pid. */
size_t frame_put_signal(uint8_t *out, const struct address *, uint64_t ref);
size_t frame_get_signal(const uint8_t *at, size_t n, struct address *, uint64_t *ref);

uint32_t frame_kind(uint8_t type); /* the core's kind of a signal frame */
uint8_t frame_type(uint32_t kind); /* 0: that signal does not cross */

#endif
