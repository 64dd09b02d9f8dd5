#include "lanes.h"

#include "frame.h"

#include <stdlib.h>

enum {
    FRONT = 512,        /* free at the front of a lane: control is put there, before the mail */
    SMALL = 64 * 1024,  /* what an idle lane may keep */
    CHUNK = 256 * 1024, /* bytes in one write: control that comes later waits for no more */
};

static int lane_grow(struct lane *l, size_t n)
{
    size_t room = l->room ? l->room : 4096;
    while (room < FRONT + lane_waits(l) + lane_waits(l) / 2 + n)
        room *= 2;
    uint8_t *base = malloc(room);
    if (!base)
        return 0;
    if (l->base)
        memcpy(base + FRONT, l->base + l->head, lane_waits(l));
    free(l->base);
    *l = (struct lane){.base = base, .head = FRONT, .tail = FRONT + lane_waits(l), .room = room};
    return 1;
}

uint8_t *lane_room(struct lane *l, size_t n)
{
    if (l->head == l->tail && l->base)
        l->head = l->tail = FRONT;
    if (l->room - l->tail >= n)
        return l->base + l->tail;
    if (l->base && l->head > l->room / 2 && FRONT + lane_waits(l) + n <= l->room) {
        memmove(l->base + FRONT, l->base + l->head, lane_waits(l));
        l->tail -= l->head - FRONT;
        l->head = FRONT;
        return l->base + l->tail;
    }
    return lane_grow(l, n) ? l->base + l->tail : NULL;
}

/* How long the frame of mail is that begins here. */
static size_t frame_size(const struct lanes *l, const uint8_t *p)
{
    return l->compat ? 13 + (size_t)get32(p + 9) : FRAME_HEAD + (size_t)(get32(p) & 0xffffff);
}

/* n bytes of mail have gone: is the last frame of them whole? */
static void gone(struct lanes *l, size_t n)
{
    size_t left = n;
    uint8_t *p = l->mail.base + l->mail.head;
    if (n == l->open)
        l->begun = 0;
    else if (left < l->begun)
        l->begun -= left;
    else {
        p += l->begun;
        left -= l->begun;
        for (l->begun = 0; left;) {
            size_t size = frame_size(l, p);
            if (size > left) {
                l->begun = size - left;
                break;
            }
            p += size;
            left -= size;
        }
    }
    l->mail.head += n;
    l->open -= n;
    l->joined -= n < l->joined ? n : l->joined;
}

/* Control that fits in front of the mail is written with it. */
static void join(struct lanes *l)
{
    size_t n = lane_waits(&l->control);
    if (!n || l->compat || l->begun || l->joined || l->split || !l->open || n > l->mail.head)
        return;
    memcpy(l->mail.base + l->mail.head - n, l->control.base + l->control.head, n);
    l->mail.head -= n;
    l->open += n;
    l->joined = n;
    l->control.head = l->control.tail;
}

static int flush_control(struct lanes *l, lanes_write *write, void *ctx)
{
    size_t n = lane_waits(&l->control);
    size_t wrote = n ? write(ctx, l->control.base + l->control.head, n) : 0;
    l->control.head += wrote;
    l->split = wrote < n && (wrote || l->split);
    return wrote == n;
}

int lanes_flush(struct lanes *l, lanes_write *write, void *ctx)
{
    for (;;) {
        join(l);
        if (!l->begun && !l->joined && !flush_control(l, write, ctx))
            return 0;
        size_t n = l->open;
        if (lane_waits(&l->control)) /* it waits for as little as can be */
            n = l->joined ? l->joined : l->begun;
        if (!n)
            return 1;
        n = n > CHUNK ? CHUNK : n;
        size_t wrote = write(ctx, l->mail.base + l->mail.head, n);
        gone(l, wrote);
        if (wrote < n)
            return 0;
    }
}

static void shrink(struct lane *l)
{
    if (lane_waits(l) || l->room <= SMALL)
        return;
    free(l->base);
    *l = (struct lane){0};
}

void lanes_shrink(struct lanes *l)
{
    shrink(&l->control);
    shrink(&l->mail);
}

void lanes_finish(struct lanes *l)
{
    free(l->control.base);
    free(l->mail.base);
    *l = (struct lanes){0};
}
