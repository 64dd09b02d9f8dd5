/* A node goes, and all others want it back: the dialling and the pauses are those of mesh/protocol/peers.c. */
#include "mesh.h"
#include "scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dialler {
    struct storm *storm;
    struct mesh *mesh; /* NULL: it is linked */
    int64_t alarm;
    uint32_t conn; /* it dials; 0: it does not */
    int64_t dialled;
};

struct storm {
    int64_t now, back;
    int chance;
    struct random random;
    struct spread dials;
    struct dialler *all;
    int n;
};

static int64_t on_now(void *ctx)
{
    return ((struct dialler *)ctx)->storm->now;
}

static uint64_t on_random(void *ctx)
{
    struct storm *s = ((struct dialler *)ctx)->storm;
    return s->chance ? iris__random(&s->random) : 0;
}

static void on_secret(void *ctx, void *bytes, size_t n)
{
    (void)ctx;
    memset(bytes, 1, n);
}

static void on_wake(void *ctx, int64_t at)
{
    ((struct dialler *)ctx)->alarm = at;
}

static void on_dial(void *ctx, uint32_t conn, const char *address, int compat)
{
    struct dialler *d = ctx;
    (void)address, (void)compat;
    d->conn = conn;
    d->dialled = d->storm->now;
    spread_add(&d->storm->dials, d->dialled);
}

static void on_close(void *ctx, uint32_t conn, int linger)
{
    struct dialler *d = ctx;
    (void)linger;
    if (d->conn == conn)
        d->conn = 0; /* it has given up */
}

static void on_event(void *ctx, enum mesh_event what, const char *node, const char *text)
{
    (void)ctx, (void)what, (void)node, (void)text;
}

static void begin(struct storm *s, struct dialler *d)
{
    const struct mesh_seam seam = {.ctx = d,
                                   .now = on_now,
                                   .random = on_random,
                                   .secret = on_secret,
                                   .wake = on_wake,
                                   .dial = on_dial,
                                   .close = on_close,
                                   .event = on_event};
    struct mesh_config config = {.node = "n", .creation = 1};
    config.id.bytes[0] = 1;
    *d = (struct dialler){.storm = s, .alarm = INT64_MAX};
    d->mesh = mesh_new(&config, &seam);
    if (!d->mesh || mesh_want(d->mesh, "h:9000", MESH_OURS))
        abort();
}

static void step(struct storm *s, struct dialler *d)
{
    if (!d->mesh)
        return;
    if (d->conn && s->now < s->back && s->now > d->dialled) {
        uint32_t conn = d->conn;
        d->conn = 0;
        mesh_closed(d->mesh, conn, "refused");
    }
    if (d->alarm <= s->now) {
        d->alarm = INT64_MAX;
        mesh_tick(d->mesh);
    }
}

/* Who has waited longest is greeted first. */
static int greet(struct storm *s)
{
    struct dialler *first = NULL;
    for (int i = 0; i < s->n; i++) {
        struct dialler *d = &s->all[i];
        if (d->mesh && d->conn && d->dialled < s->now && (!first || d->dialled < first->dialled))
            first = d;
    }
    if (!first)
        return 0;
    mesh_free(first->mesh);
    first->mesh = NULL;
    return 1;
}

static void play(struct storm *s, int rate, int64_t at[3])
{
    int linked = 0, marks[] = {s->n / 2, s->n - s->n / 10, s->n};
    double due = 0;
    for (int next = 0; next < 3; s->now += STEP) {
        for (int i = 0; i < s->n; i++)
            step(s, &s->all[i]);
        if (s->now < s->back)
            continue;
        for (due += rate * (STEP / 1e9); due >= 1 && greet(s); due--)
            linked++;
        due = due < 1 ? due : 1; /* nobody waited */
        while (next < 3 && linked >= marks[next])
            at[next++] = s->now - s->back;
    }
}

void storm(int nodes, int away, int rate, int chance)
{
    struct storm s = {.now = SEC, .back = SEC + away * SEC, .chance = chance, .n = nodes};
    int64_t at[3];
    s.random.state = 1;
    s.all = calloc((size_t)nodes, sizeof *s.all);
    for (int i = 0; i < nodes; i++)
        begin(&s, &s.all[i]);
    play(&s, rate, at);
    printf("%-6d %2d s  %-6s %6.1f %5u %10u %5.1f s %5.1f s %5.1f s\n", nodes, away,
           chance ? "yes" : "no", (double)s.dials.all / nodes, spread_most(&s.dials, 2 * SEC),
           spread_most(&s.dials, s.back), (double)at[0] / 1e9, (double)at[1] / 1e9,
           (double)at[2] / 1e9);
    free(s.all);
    free(s.dials.counts);
}
