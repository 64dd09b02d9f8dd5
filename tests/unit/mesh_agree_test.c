/* A node's side of a cluster's engine, with an engine that says what a test wants. */
#include "main.h"

#include "agree.h"

#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

static struct world { /* one node, its engine and its one actor */
    int64_t now, alarm, holds;
    struct provider_hooks hooks;
    uint64_t pid;
    int claims, owned, lost;
} * world;

/* ---- the engine ---- */

static void *start(struct uv_loop_s *loop, const char *settings, const struct provider_node *self,
                   const struct provider_hooks *hooks, char *why, size_t room)
{
    (void)loop, (void)settings, (void)self, (void)why, (void)room;
    world->hooks = *hooks;
    return world;
}

static void stop(void *provider)
{
    (void)provider;
}

/* The name is under our lease already, or free: either way it is ours, since revision 7. */
static int claim(void *provider, const char *name, uint64_t pid, int64_t since,
                 provider_claimed *claimed, void *ctx)
{
    const struct provider_name owner = {
        .name = name, .node = "a", .id = "1", .pid = pid, .token = 7, .since = since};
    (void)provider;
    world->claims++;
    world->hooks.name(world->hooks.ctx, PROVIDER_PUT, &owner);
    claimed(ctx, IRIS_OK, &owner, "");
    return IRIS_OK;
}

static void release(void *provider, const char *name, uint64_t token)
{
    (void)provider, (void)name, (void)token;
}

static void announce(void *provider, const char *address)
{
    (void)provider, (void)address;
}

static int64_t holds(void *provider)
{
    return ((struct world *)provider)->holds;
}

static const struct provider engine = {.size = sizeof engine,
                                       .abi = IRIS_ABI,
                                       .kind = "test",
                                       .start = start,
                                       .stop = stop,
                                       .claim = claim,
                                       .release = release,
                                       .announce = announce,
                                       .holds = holds};

/* ---- the node ---- */

static int64_t on_now(void *ctx)
{
    return ((struct world *)ctx)->now;
}

static int64_t on_date(void *ctx)
{
    (void)ctx;
    return 1;
}

static void on_wake(void *ctx, int64_t at)
{
    struct world *w = ctx;
    w->alarm = at < w->alarm ? at : w->alarm;
}

static uint64_t on_find(void *ctx, const char *name)
{
    (void)name;
    return ((struct world *)ctx)->pid;
}

static void on_tell(void *ctx, uint64_t pid, const char *words)
{
    struct world *w = ctx;
    assert_int_equal(pid, w->pid);
    w->owned += !strncmp(words, "name_owned", strlen("name_owned"));
    w->lost += !strncmp(words, "name_lost", strlen("name_lost"));
}

static void on_note(void *ctx, int bad, const char *text)
{
    (void)ctx, (void)bad, (void)text;
}

static const struct agree_seam seam = {.now = on_now,
                                       .date = on_date,
                                       .wake = on_wake,
                                       .find = on_find,
                                       .tell = on_tell,
                                       .note = on_note};

/* Until then, and only when the alarm rings. */
static void run(struct agree *c, int64_t until)
{
    while (world->alarm <= until) {
        world->now = world->alarm > world->now ? world->alarm : world->now;
        world->alarm = INT64_MAX;
        agree_look(c);
    }
    world->now = until;
}

static struct agree *begin(struct world *w)
{
    static const char *const names[] = {"pay"};
    const struct agree_config config = {.calls = &engine,
                                        .settings = "{}",
                                        .self = {.id = "1", .node = "a", .address = ""},
                                        .names = names,
                                        .nnames = 1,
                                        .demote = 1};
    struct agree_seam mine = seam;
    char why[160];
    *w = (struct world){.now = SECOND, .alarm = INT64_MAX, .holds = 5 * SECOND, .pid = 9};
    world = w;
    mine.ctx = w;
    struct agree *c = agree_begin(&config, &mine, NULL, why, sizeof why);
    assert_non_null(c);
    w->hooks.health(w->hooks.ctx, PROVIDER_OK, "");
    run(c, 2 * SECOND);
    assert_int_equal(w->owned, 1);
    return c;
}

/* The fence comes while the answer to a renewal is on its way. That the lease is well then is no news of the engine's. */
static void lost_only_for_a_moment(void **state)
{
    struct world w;
    (void)state;
    struct agree *c = begin(&w);
    run(c, 5 * SECOND);
    assert_int_equal(w.lost, 1);
    w.holds = 9 * SECOND;
    run(c, 8 * SECOND);
    assert_int_equal(w.owned, 2);
    assert_int_equal(w.claims, 2);
    agree_end(c);
}

static void lost_for_good(void **state)
{
    struct world w;
    (void)state;
    struct agree *c = begin(&w);
    run(c, 5 * SECOND);
    w.hooks.health(w.hooks.ctx, PROVIDER_LEASE_LOST, "it does not answer");
    run(c, 60 * SECOND);
    assert_int_equal(w.lost, 1);
    assert_int_equal(w.claims, 1);
    assert_true(w.alarm == INT64_MAX); /* who waits for the engine does not look again and again */
    w.holds = 90 * SECOND;
    w.hooks.health(w.hooks.ctx, PROVIDER_OK, "");
    run(c, 62 * SECOND);
    assert_int_equal(w.owned, 2);
    agree_end(c);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p5.cluster_a_name_lost_for_a_moment_is_claimed_again", lost_only_for_a_moment),
    IRIS_TEST("p5.cluster_a_name_of_a_lost_lease_waits_for_the_engine", lost_for_good),
};

IRIS_MAIN(tests)
