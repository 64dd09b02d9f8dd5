/* What waits to be written on one connection: a control lane, which goes first, and a mail lane in the order
 * of sending, cut into frames of 64 KiB at most, so that control never waits for more than one of them.
 * Both are bytes in one piece: what is ready is one write. */
#ifndef MESH_LANES_H
#define MESH_LANES_H

#include <stddef.h>
#include <stdint.h>

struct lane {
    uint8_t *base;
    size_t head, tail, room; /* what waits: base + head .. base + tail */
};

struct lanes {
    struct lane control, mail;
    size_t open;   /* bytes of mail, from its head, that may go (the window's say) */
    size_t begun;  /* of them: the rest of a frame whose beginning has gone */
    size_t joined; /* control that stands at the head of the mail lane, to be one write */
    int split;     /* control begins in the middle of a frame */
    int compat;    /* the frames are the seed's: no length in each */
};

/* Room for n more bytes at the end; NULL: no memory. Then lane_put() what was written there. */
uint8_t *lane_room(struct lane *, size_t n);
static inline void lane_put(struct lane *l, size_t n)
{
    l->tail += n;
}
static inline size_t lane_waits(const struct lane *l)
{
    return l->tail - l->head;
}

typedef size_t lanes_write(void *ctx, const void *bytes, size_t n);
/* Writes what may go, until all of it has gone (1), or less was taken than given (0). */
int lanes_flush(struct lanes *, lanes_write *, void *ctx);
/* Memory that a burst needed and nothing needs now. */
void lanes_shrink(struct lanes *);
void lanes_finish(struct lanes *);

#endif
