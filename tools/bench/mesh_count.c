/* Two meshes in memory, for counting: what one writes, the other is given. */
#include "mesh_count.h"

#include "bench.h"

#include "mesh.h" /* the protocol's */

#include <string.h>

enum { BATCH = 64, ROOM = 1 << 20 };

struct end {
    struct mesh *mesh;
    struct end *other;
    uint32_t conn, index;
    unsigned char *out;
    size_t have;
    int is_dialling;
    uint64_t delivered;
    unsigned char draws;
};

static struct end ends[2];
static unsigned char rooms[2][ROOM];

static int64_t on_now(void *ctx)
{
    (void)ctx;
    return 1000000000;
}

static uint64_t on_random(void *ctx)
{
    return ++((struct end *)ctx)->draws;
}

static void on_secret(void *ctx, void *bytes, size_t n)
{
    memset(bytes, ++((struct end *)ctx)->draws, n);
}

static void on_wake(void *ctx, int64_t at)
{
    (void)ctx, (void)at;
}

static void on_dial(void *ctx, uint32_t conn, const char *address, int compat)
{
    struct end *e = ctx;
    (void)address, (void)compat;
    e->conn = conn;
    e->is_dialling = 1;
}

static size_t on_write(void *ctx, uint32_t conn, const void *bytes, size_t n)
{
    struct end *e = ctx;
    (void)conn;
    if (e->have + n > ROOM)
        die("two meshes in memory: no room");
    memcpy(e->out + e->have, bytes, n);
    e->have += n;
    return n;
}

static void on_close(void *ctx, uint32_t conn, int linger)
{
    (void)ctx, (void)conn, (void)linger;
    die("two meshes in memory: the link ended");
}

static int on_up(void *ctx, const char *node, uint32_t *index, char *why, size_t room)
{
    (void)node, (void)why, (void)room;
    *index = ((struct end *)ctx)->index = 1;
    return IRIS_OK;
}

static void on_down(void *ctx, uint32_t index, const char *reason)
{
    (void)ctx, (void)index, (void)reason;
}

static void on_deliver(void *ctx, const iris_message *const *m, int n, int *taken)
{
    (void)m;
    for (int i = 0; i < n; i++)
        taken[i] = IRIS_OK;
    ((struct end *)ctx)->delivered += (uint64_t)n;
}

static void on_letter(void *ctx, const iris_message *m, const char *reason)
{
    (void)ctx, (void)m, (void)reason;
}

static void on_unanswered(void *ctx, uint64_t ref, const char *reason)
{
    (void)ctx, (void)ref, (void)reason;
}

static void on_room(void *ctx, uint32_t index)
{
    (void)ctx, (void)index;
}

static uint64_t on_whereis(void *ctx, const char *name)
{
    (void)ctx, (void)name;
    return 0;
}

static int on_alive(void *ctx, uint64_t pid)
{
    (void)ctx, (void)pid;
    return 1;
}

static int on_ages(void *ctx, struct mesh_age *ages, int n)
{
    (void)ctx, (void)ages, (void)n;
    return 0;
}

static uint32_t on_stuck(void *ctx, uint64_t pid, char executor[32])
{
    (void)ctx, (void)pid, (void)executor;
    return 0;
}

static void on_event(void *ctx, enum mesh_event what, const char *node, const char *text)
{
    (void)ctx, (void)what, (void)node, (void)text;
}

static void begin(struct end *e, int i)
{
    struct mesh_config c = {.node = i ? "b" : "a",
                            .creation = 1,
                            .cookie = "0123456789abcdef0123456789abcdef",
                            .cookie_len = 32};
    const struct mesh_seam seam = {.ctx = e,
                                   .now = on_now,
                                   .random = on_random,
                                   .secret = on_secret,
                                   .wake = on_wake,
                                   .dial = on_dial,
                                   .write = on_write,
                                   .close = on_close,
                                   .up = on_up,
                                   .down = on_down,
                                   .deliver = on_deliver,
                                   .letter = on_letter,
                                   .unanswered = on_unanswered,
                                   .room = on_room,
                                   .whereis = on_whereis,
                                   .alive = on_alive,
                                   .ages = on_ages,
                                   .stuck = on_stuck,
                                   .event = on_event};
    c.id.bytes[0] = (uint8_t)(i + 1);
    *e = (struct end){.other = &ends[!i], .out = rooms[i], .conn = 1, .draws = (uint8_t)(100 * i)};
    if (!(e->mesh = mesh_new(&c, &seam)))
        die("two meshes in memory: no memory");
}

/* What `from` has written until now. */
static int carry(struct end *from)
{
    static unsigned char bytes[ROOM];
    size_t n = from->have;
    memcpy(bytes, from->out, n);
    from->have = 0;
    if (n)
        mesh_bytes(from->other->mesh, from->other->conn, bytes, n);
    return n != 0;
}

static void carry_all(void)
{
    while (carry(&ends[0]) | carry(&ends[1]))
        ;
}

void mesh_prepare(struct stage *s, long operations)
{
    static const struct mesh_identity who = {.loopback = 1};
    (void)s, (void)operations;
    begin(&ends[0], 0);
    begin(&ends[1], 1);
    mesh_want(ends[0].mesh, "b:1", MESH_OURS);
    if (!ends[0].is_dialling)
        mesh_tick(ends[0].mesh);
    mesh_accepted(ends[1].mesh, ends[1].conn, "127.0.0.1:1", MESH_OURS, &who);
    mesh_connected(ends[0].mesh, ends[0].conn, &who);
    carry_all();
    if (!ends[0].index || !ends[1].index)
        die("two meshes in memory: they do not link");
    mesh_send_all(s, 4 * BATCH); /* its buffers are there */
}

void mesh_send_all(struct stage *s, long operations)
{
    static const char payload[64];
    uint64_t want = ends[1].delivered + (uint64_t)operations;
    iris_message m = {.kind = IRIS_USER,
                      .len = sizeof payload,
                      .from = 7,
                      .to = (uint64_t)ends[0].index << 43 | 9,
                      .data = payload};
    (void)s;
    for (long i = 1; i <= operations; i++) {
        if (mesh_send(ends[0].mesh, &m))
            die("two meshes in memory: a message was not accepted");
        if (i % BATCH == 0 || i == operations) {
            mesh_flush(ends[0].mesh, ends[0].index);
            carry_all();
        }
    }
    if (ends[1].delivered != want)
        die("two meshes in memory: messages are missing");
}
