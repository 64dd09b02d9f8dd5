/* A node: one life of a runtime after another on one host, its clock, and the seam. */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char cookie[] = "a cookie of thirty-two bytes or more";
static const char other_cookie[] = "another one, of thirty-two bytes as well";

/* ---- its clock ---- */

int64_t node_local(const struct node *n, int64_t at)
{
    int64_t t = at - n->clock_from;
    return n->clock_base + t + t / 1000000 * n->ppm + t % 1000000 * n->ppm / 1000000;
}

int64_t node_world(const struct node *n, int64_t local)
{
    int64_t t = local - n->clock_base;
    int64_t at = n->clock_from + t - t / 1000000 * n->ppm - t % 1000000 * n->ppm / 1000000;
    while (node_local(n, at) < local) /* no tick before it is due, or it would come for ever */
        at += 1 + (local - node_local(n, at)) / 2;
    return at;
}

/* ---- the seam ---- */

static struct node *of(void *ctx)
{
    struct node *n = ctx;
    if (!n->inside)
        sim_fail(n->sim, "seam", "n%d calls out while nobody has called it", n->number);
    return n;
}

static int64_t seam_now(void *ctx)
{
    struct node *n = of(ctx);
    return node_local(n, n->sim->now);
}

static uint64_t seam_random(void *ctx)
{
    return iris__random(&of(ctx)->sim->random);
}

static void seam_secret(void *ctx, void *bytes, size_t len)
{
    unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++)
        p[i] = (unsigned char)iris__random(&of(ctx)->sim->random);
}

static void tick(struct sim *s, int node, void *what, uint64_t a)
{
    struct node *n = &s->nodes[node];
    (void)what;
    if (a != n->alarm)
        return;
    IN(n, mesh_tick(n->mesh));
    core_identify(n);
}

static void seam_wake(void *ctx, int64_t at)
{
    struct node *n = of(ctx);
    struct sim *s = n->sim;
    sim_at(s, node_world(n, at) + sim_between(s, 0, 2 * MS), n->number, tick, NULL, ++n->alarm);
}

static void seam_dial(void *ctx, uint32_t conn, const char *address, int compat)
{
    (void)compat;
    net_dial(of(ctx)->sim, ctx, conn, address);
}

static size_t seam_write(void *ctx, uint32_t conn, const void *bytes, size_t n)
{
    return net_write(of(ctx)->sim, ctx, conn, bytes, n);
}

static void seam_close(void *ctx, uint32_t conn, int linger)
{
    net_close(of(ctx)->sim, ctx, conn, linger);
}

static int seam_up(void *ctx, const char *node, uint32_t *index, char *why, size_t room)
{
    return core_up(of(ctx), node, index, why, room);
}

static void seam_down(void *ctx, uint32_t index, const char *reason)
{
    core_down(of(ctx), index, reason);
}

static void seam_deliver(void *ctx, const iris_message *const *m, int n, int *taken)
{
    core_deliver(of(ctx), m, n, taken);
}

static void seam_letter(void *ctx, const iris_message *m, const char *reason)
{
    core_letter(of(ctx), m, reason);
}

static void seam_unanswered(void *ctx, uint64_t ref, const char *reason)
{
    core_unanswered(of(ctx), ref, reason);
}

static uint32_t seam_stuck(void *ctx, uint64_t pid, char executor[32])
{
    (void)pid;
    snprintf(executor, 32, "pool");
    return of(ctx)->stuck_ms;
}

static void seam_room(void *ctx, uint32_t index)
{
    core_room(of(ctx), index);
}

static uint64_t seam_whereis(void *ctx, const char *name)
{
    return core_whereis(of(ctx), name);
}

static int seam_alive(void *ctx, uint64_t pid)
{
    return core_alive(of(ctx), pid);
}

static int seam_ages(void *ctx, struct mesh_age *ages, int n)
{
    if (n < 1)
        return 0;
    ages[0] = (struct mesh_age){.executor = "pool", .ms = of(ctx)->stuck_ms};
    return 1;
}

static void seam_event(void *ctx, enum mesh_event what, const char *node, const char *text)
{
    struct node *n = of(ctx);
    sim_trace(n->sim, n->number, "event %llu", (uint64_t)what, 0, 0);
    if (n->sim->loud)
        printf("                  (event %s: %s)\n", node ? node : "-", text ? text : "-");
}

/* ---- lives ---- */

static struct mesh_seam seam_of(struct node *n)
{
    return (struct mesh_seam){.ctx = n,
                              .now = seam_now,
                              .random = seam_random,
                              .secret = seam_secret,
                              .wake = seam_wake,
                              .dial = seam_dial,
                              .write = seam_write,
                              .close = seam_close,
                              .up = seam_up,
                              .down = seam_down,
                              .deliver = seam_deliver,
                              .letter = seam_letter,
                              .unanswered = seam_unanswered,
                              .stuck = seam_stuck,
                              .room = seam_room,
                              .whereis = seam_whereis,
                              .alive = seam_alive,
                              .ages = seam_ages,
                              .event = seam_event};
}

static void make_id(struct node *n)
{
    struct sim *s = n->sim;
    for (int i = 0; i < 16; i++)
        n->id.bytes[i] = (uint8_t)iris__random(&s->random);
    n->id.bytes[14] = (uint8_t)n->number; /* so that we know whom somebody else means */
    n->id.bytes[15] = (uint8_t)n->life;
}

static void want(struct node *n)
{
    struct sim *s = n->sim;
    for (int i = 0; i < s->profile.nodes; i++)
        if ((n->wants[i].is_wanted = n->wants[i].listed))
            IN(n, mesh_want(n->mesh, s->nodes[i].address, MESH_OURS));
}

void node_start(struct node *n)
{
    struct sim *s = n->sim;
    static const char *const may_stop[] = {"n0", "n1", NULL};
    int was_off = n->state == HOST_OFF;
    n->life++;
    n->state = ALIVE;
    n->frozen = n->leaving = 0;
    n->started = n->thawed = s->now;
    n->clock_from = s->now;
    n->clock_base = sim_between(s, 1, 3600 * SEC);
    make_id(n);
    n->next_conn = 1;
    n->next_index = 0;
    n->nconns = 0;
    memset(n->indexes, 0, sizeof n->indexes);
    n->memory = n->memory_most = 0;
    struct mesh_config config = {.node = n->name,
                                 .id = n->id,
                                 .creation = n->life,
                                 .advertise = n->address,
                                 .cookie = n->stranger ? other_cookie : cookie,
                                 .cookie_len = sizeof cookie - 1,
                                 .may_stop = may_stop,
                                 .may_supervise = may_stop,
                                 .limits = n->limits};
    struct mesh_seam seam = seam_of(n);
    sim_trace(s, n->number, "starts life %llu", n->life, 0, 0);
    core_begin(n);
    IN(n, n->mesh = mesh_new(&config, &seam));
    if (!n->mesh)
        return sim_fail(s, "node", "mesh_new() of n%d fails", n->number);
    if (was_off)
        net_host_up(s, n->number);
    want(n);
    if (s->engine)
        cluster_start(n);
    load_begin(n);
}

static void end_life(struct node *n)
{
    n->leaving = 1;
    cluster_crash(n);
    IN(n, mesh_free(n->mesh));
    n->mesh = NULL;
    if (n->memory)
        sim_fail(n->sim, "I7", "n%d: %lld bytes are left after mesh_free()", n->number,
                 (long long)n->memory);
    core_end(n);
    n->nheld = 0;
}

/* quietly: power is gone, nobody is told; else the kernel closes its connections. */
void node_crash(struct node *n, int quietly)
{
    struct sim *s = n->sim;
    sim_trace(s, n->number, quietly ? "loses power" : "is killed", 0, 0, 0);
    n->frozen = 0;
    n->state = quietly ? HOST_OFF : PROCESS_GONE;
    net_died(s, n, quietly);
    end_life(n);
}

static void gone(struct sim *s, int node, void *what, uint64_t a)
{
    struct node *n = &s->nodes[node];
    (void)what, (void)a;
    n->state = PROCESS_GONE;
    net_died(s, n, 0);
    end_life(n);
}

void node_leave(struct node *n)
{
    struct sim *s = n->sim;
    sim_trace(s, n->number, "says goodbye", 0, 0, 0);
    n->leaving = 1;
    cluster_leave(n);
    IN(n, mesh_goodbye(n->mesh, "shutdown"));
    for (uint32_t i = 1; i <= n->next_index; i++)
        if (n->indexes[i].up)
            sim_fail(s, "I3", "n%d: index %u is up after mesh_goodbye()", n->number, i);
    sim_at(s, s->now + sim_between(s, 0, 200 * MS), n->number, gone, NULL, 0);
}

void node_freeze(struct node *n)
{
    sim_trace(n->sim, n->number, "freezes", 0, 0, 0);
    n->frozen = 1;
}

void node_thaw(struct node *n)
{
    struct sim *s = n->sim;
    sim_trace(s, n->number, "thaws, %llu events wait", n->nheld, 0, 0);
    n->frozen = 0;
    n->thawed = s->now;
    for (size_t i = 0; i < n->nheld; i++)
        sim_at(s, s->now, n->number, n->held[i].run, n->held[i].what, n->held[i].a);
    n->nheld = 0;
}

void node_send(struct node *n, const iris_message *m, int *result)
{
    IN(n, *result = mesh_send(n->mesh, m));
}
