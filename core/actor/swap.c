#include "swap_wait.h"

#include "bytes.h"
#include "cold.h"
#include "fail.h"
#include "freeze.h"
#include "observe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- deciding ---- */

uint32_t iris__swap_rev(const iris_actor *a, uint32_t *of)
{
    struct cold *c = iris__cold_if(a);
    uint32_t rev = c && c->revisions ? c->history[c->revisions - 1].rev : 1;
    *of = c && c->revisions ? c->history[c->revisions - 1].of : 1;
    return rev;
}

static void refuse(iris_actor *a, struct swap *s, const char *why)
{
    uint32_t of, rev = iris__swap_rev(a, &of);
    struct swap_report report = {.result = IRIS_FAIL, .why = why, .from = rev, .to = rev, .of = of};
    iris__world_event(iris__world_of(a), EVENT_SWAP_REFUSED, a, IRIS_WARN, "still v%u: %s", rev,
                      strncmp(why, "swap: ", 6) ? why : why + 6);
    iris__swap_tell(s, &report);
    iris__swap_destroy(s);
}

static int was_migrated(const struct cold *c, uint32_t steps)
{
    int migrated = 0;
    for (uint32_t i = c->revisions - steps; i < c->revisions; i++)
        migrated |= c->history[i].migrated;
    return migrated;
}

static int choose_old(iris_actor *a, struct swap *s)
{
    struct cold *c = iris__cold_if(a);
    uint32_t steps = s->order.steps ? s->order.steps : 1;
    if (!c || c->revisions < 2)
        return iris__fail("rollback: there is no earlier version to go back to");
    if (steps >= c->revisions)
        return iris__fail("rollback: %u steps back is too far: %u earlier versions are kept", steps,
                          c->revisions - 1);
    struct revision *r = &c->history[c->revisions - 1 - steps];
    s->target = r->version;
    s->of = r->of;
    s->crosses = was_migrated(c, steps);
    if (!s->order.use_snapshot)
        return IRIS_OK;
    if (!r->snapshot.data)
        return iris__fail("rollback: no snapshot of v%u was kept: it had no state to save", r->rev);
    s->fresh = 0;
    s->bytes_version = r->snapshot_version;
    return iris__text_add(&s->bytes, r->snapshot.data, r->snapshot.len)
               ? iris__fail("rollback: no memory for the snapshot")
               : IRIS_OK;
}

static int choose(iris_actor *a, struct swap *s)
{
    const iris_version *old = a->version;
    if (iris__observed_swap(a))
        return IRIS_FAIL;
    if (!s->order.version)
        return choose_old(a, s);
    s->target = s->order.version;
    s->crosses = old->b.save && s->target->b.upgrade &&
                 iris__bytes_migration(s->target, old->b.state_version);
    return iris__swap_check(old, s->target);
}

/* ---- the state ---- */

static int save(iris_actor *a, struct swap *s, int *wrote)
{
    s->bytes_version = a->version->b.state_version;
    return iris__bytes_save(a, &s->bytes, wrote);
}

/* A rollback to a version that does not know the newer format: the newer one may know the older. 0: there are other
 * bytes now. */
static int downgrade(iris_actor *a, struct swap *s)
{
    if (s->order.version || s->order.use_snapshot || s->fresh || s->downgraded ||
        !a->version->b.downgrade)
        return -1;
    s->downgraded = 1;
    s->bytes.len = 0;
    s->bytes_version = s->target->b.state_version;
    return iris__bytes_downgrade(a, s->bytes_version, &s->bytes);
}

/* A migration goes one way, and the older version is not shown what it cannot know. */
static int bring_back(iris_actor *a, struct swap *s)
{
    const iris_behaviour *b = &a->version->b;
    if (!b->downgrade)
        iris__fail("%s has no downgrade()", iris__behaviour_label(b).text);
    else if (downgrade(a, s) == 0)
        return IRIS_OK;
    return iris__fail("rollback: its state was migrated since, and %s", iris__reason());
}

static int has_state(const iris_actor *a)
{
    return a->state || a->version->b.init || a->version->b.save;
}

/* [old executor] What the new version will be given. */
static int take_state(iris_actor *a, struct swap *s)
{
    const iris_behaviour *old = &a->version->b, *new = &s->target->b;
    struct cold *c = iris__cold_if(a);
    int may_restart = c && c->stateless_restart, wrote;
    if (a->flags & ACTOR_ASLEEP && s->order.use_snapshot)
        return iris__fail(
            "rollback: it is asleep and has no state; roll back without the snapshot");
    if (s->order.use_snapshot || a->flags & ACTOR_ASLEEP)
        return IRIS_OK;
    if (!has_state(a)) {
        s->fresh = 1;
        return IRIS_OK;
    }
    if ((!old->save || !new->upgrade) && may_restart) {
        s->fresh = 1;
        return IRIS_OK;
    }
    if (s->crosses && !s->order.version)
        return bring_back(a, s);
    if (!old->save)
        return iris__fail("swap: %s keeps state but has no save(), so it would be lost; add "
                          "save(), or say \"stateless\": \"restart\" in its \"swap\"",
                          iris__behaviour_label(old).text);
    if (!new->upgrade)
        return iris__fail("swap: %s has no upgrade(), but the version that runs keeps state; "
                          "add upgrade(), or say \"stateless\": \"restart\" in its \"swap\"",
                          iris__behaviour_label(new).text);
    if (save(a, s, &wrote))
        return IRIS_FAIL;
    s->migrates = s->crosses && wrote;
    return IRIS_OK;
}

static int run_upgrade(iris_actor *a, struct swap *s, void **state)
{
    const iris_behaviour *b = &s->target->b;
    int migrated = s->migrated.data != NULL;
    const struct text *bytes = migrated ? &s->migrated : &s->bytes;
    uint32_t from = migrated ? b->state_version : s->bytes_version;
    iris_bytes saved = {bytes->data, bytes->len};
    iris__forget();
    if (b->upgrade(b, a, from, saved, state) == IRIS_OK)
        return IRIS_OK;
    return iris__fail("swap: upgrade() of %s refused the %sstate of format %u: %s",
                      iris__behaviour_label(b).text, migrated ? "migrated " : "", from,
                      iris__reason());
}

/* [new executor] */
static int give_state(iris_actor *a, struct swap *s, void **state)
{
    const iris_behaviour *b = &s->target->b;
    struct cold *c = iris__cold_if(a);
    iris_bytes args = {c ? c->args : NULL, c ? c->args_len : 0};
    *state = NULL;
    if (a->flags & ACTOR_ASLEEP) /* it has none: init of the new version makes one, in time */
        return IRIS_OK;
    if (!s->fresh)
        return run_upgrade(a, s, state);
    iris__forget();
    if (!b->init || b->init(b, a, args, state) == IRIS_OK)
        return IRIS_OK;
    return iris__fail("swap: init() of %s failed: %s", iris__behaviour_label(b).text,
                      iris__reason());
}

static const char *rollback_hint(const struct swap *s)
{
    if (!s->order.version && !s->order.use_snapshot && s->target)
        iris__fail("%s; --state=snapshot goes back to the state as it was when v%u was replaced",
                   iris__reason(), s->of);
    return iris__reason();
}

/* ---- carrying out ---- */

struct old_state {
    iris_job job;
    iris_version *version;
    iris_actor *actor;
    void *state;
};

static void fini_old(iris_job *job)
{
    struct old_state *o = (struct old_state *)job;
    if (o->version->b.fini)
        o->version->b.fini(&o->version->b, o->actor, o->state);
    iris__version_release(o->version);
    free(o);
}

/* The old state's end, on the thread that it belongs to. */
static void retire(iris_actor *a, iris_executor *home, iris_version *old, void *state)
{
    struct old_state *o = home == a->executor ? NULL : malloc(sizeof *o);
    if (o) {
        *o = (struct old_state){{NULL, fini_old}, old, a, state};
        iris__executor_post(home, &o->job);
        return;
    }
    if (old->b.fini)
        old->b.fini(&old->b, a, state);
    iris__version_release(old);
}

/* free() of a version is the plugin's, and is called under no lock. */
static void drop_oldest(struct world *w, struct cold *c)
{
    struct revision oldest = c->history[0];
    iris__facts_hold(w);
    memmove(c->history, c->history + 1, (c->revisions - 1) * sizeof *c->history);
    c->revisions--;
    iris__facts_release(w);
    iris__version_release(oldest.version);
    iris__text_finish(&oldest.snapshot);
}

static void add_revision(struct cold *c, iris_version *v, uint32_t rev, uint32_t of)
{
    iris__version_retain(v);
    c->history[c->revisions++] = (struct revision){.version = v, .rev = rev, .of = of ? of : rev};
}

/* Room for all that are kept and one more, so that the switch itself cannot fail. */
static int prepare_history(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold(a);
    if (c && c->history)
        return IRIS_OK;
    uint32_t keep = c && c->keep ? c->keep : 4;
    struct revision *history = c ? calloc(keep + 1, sizeof *history) : NULL;
    if (!history)
        return iris__fail("swap: no memory for the list of versions");
    iris__facts_hold(w);
    c->keep = keep;
    c->history = history;
    add_revision(c, (iris_version *)a->version, 1, 1);
    iris__facts_release(w);
    return IRIS_OK;
}

/* The bytes that the old version saved stay with it, for a rollback to just that. */
static void keep_snapshot(struct revision *r, struct swap *s)
{
    if (s->order.use_snapshot || s->downgraded)
        return;
    iris__text_finish(&r->snapshot);
    r->snapshot = s->bytes;
    r->snapshot_version = s->bytes_version;
    s->bytes = (struct text){0};
}

static void switch_to(iris_actor *a, struct swap *s, void *state)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    struct revision *current = &c->history[c->revisions - 1];
    uint32_t before = current->rev;
    iris__version_retain(s->target);
    iris__facts_hold(w);
    keep_snapshot(current, s);
    add_revision(c, s->target, before + 1, s->of);
    c->history[c->revisions - 1].migrated = s->crosses;
    a->version = s->target;
    a->state = state;
    iris__facts_release(w);
    while (c->revisions > c->keep)
        drop_oldest(w, c);
}

static void report_switch(iris_actor *a, struct swap *s)
{
    struct cold *c = iris__cold_if(a);
    const struct revision *r = &c->history[c->revisions - 1];
    struct swap_report report = {.from = r->rev - 1, .to = r->rev, .of = r->of};
    char again[24] = "";
    if (r->of != r->rev)
        snprintf(again, sizeof again, " (=v%u)", r->of);
    const iris_behaviour *b = &r->version->b;
    const char *state = s->migrated.data                                ? "  state migrated"
                        : s->order.or_snapshot && s->order.use_snapshot ? "  state as it was then"
                                                                        : "";
    iris__world_event(iris__world_of(a), EVENT_SWAPPED, a, IRIS_INFO, "v%u -> v%u%s  %s%s%s%s",
                      r->rev - 1, r->rev, again, b->name, *b->version ? " " : "", b->version,
                      state);
    iris__swap_tell(s, &report);
    iris__swap_destroy(s);
}

/* An actor with a thread of its own stays there. */
static iris_executor *executor_of(iris_actor *a, const iris_version *v)
{
    if (a->flags & ACTOR_OWN_THREAD ||
        atomic_load_explicit(&((iris_actor *)a)->marks, memory_order_relaxed) & MARK_STAYS)
        return a->executor;
    return v->b.executor ? v->b.executor : &iris__world_of(a)->sched.pool;
}

static int go(iris_actor *a, iris_executor *to)
{
    struct world *w = iris__world_of(a);
    iris__facts_hold(w);
    a->executor = to;
    iris__facts_release(w);
    iris__executor_push(to, a);
    return 1;
}

static int move(iris_actor *a, struct swap *s, iris_executor *to)
{
    iris__cold_if(a)->moving = s;
    a->flags |= ACTOR_MOVING;
    return go(a, to);
}

static int may_adopt(iris_actor *a, const iris_version *old, const iris_version *new)
{
    return new->b.adopt &&new->host &&new->host == old->host &&
           (new->b.flags &IRIS_ROAMS || executor_of(a, new) == a->executor);
}

/* Inside one host a state may be handed over as it is. IRIS_AGAIN: not offered. */
static int adopt(iris_actor *a, struct swap *s)
{
    iris_version *old = (iris_version *)a->version, *new = s->target;
    if (a->flags & ACTOR_ASLEEP || s->order.use_snapshot || s->crosses || !may_adopt(a, old, new))
        return IRIS_AGAIN;
    void *state = a->state;
    iris__forget();
    int result = new->b.adopt(&new->b, a, &old->b, &state);
    if (result == IRIS_FAIL)
        return iris__fail("swap: %s refused to take over: %s", iris__behaviour_label(&new->b).text,
                          iris__reason());
    if (result == IRIS_OK) {
        switch_to(a, s, state);
        iris__version_release(old); /* no fini: its state lives on */
    }
    return result;
}

static int finish(iris_actor *a, struct swap *s, void *state)
{
    iris_version *old = (iris_version *)a->version;
    void *old_state = a->state;
    int asleep = a->flags & ACTOR_ASLEEP;
    switch_to(a, s, asleep ? old_state : state);
    if (asleep)
        iris__version_release(old);
    else
        retire(a, s->home, old, old_state);
    report_switch(a, s);
    return 0;
}

static int begin_with(iris_actor *a, struct swap *s);
static int start(iris_actor *a, struct swap *s);

/* Where the old state lives. */
static int fail(iris_actor *a, struct swap *s, const char *why)
{
    iris__fail("%s", why);
    if (s->order.or_snapshot && !s->order.use_snapshot) {
        s->order.use_snapshot = 1;
        s->bytes.len = 0;
        free(s->failed);
        s->failed = NULL;
        return begin_with(a, s);
    }
    refuse(a, s, rollback_hint(s));
    return 0;
}

/* The reason says why the new version does not come. */
static int turn_back(iris_actor *a, struct swap *s)
{
    if (a->executor != s->home) { /* back to where the old state lives */
        s->sent_back = 1;
        s->failed = strdup(iris__reason());
        return move(a, s, s->home);
    }
    char *why = strdup(iris__reason());
    int result = downgrade(a, s) ? fail(a, s, why ? why : "swap: refused") : start(a, s);
    free(why);
    return result;
}

/* Where the actor is now: the new version's executor. */
static int install(iris_actor *a, struct swap *s)
{
    void *state;
    return give_state(a, s, &state) ? turn_back(a, s) : finish(a, s, state);
}

/* .. or that of the migration, which may be a third one's. */
static int go_on(iris_actor *a, struct swap *s)
{
    iris_bytes saved = {s->bytes.data, s->bytes.len};
    if (!s->migrates)
        return install(a, s);
    s->migrates = 0;
    return iris__bytes_migrate(s->target, a, s->bytes_version, saved, &s->migrated)
               ? turn_back(a, s)
               : start(a, s);
}

static int start(iris_actor *a, struct swap *s)
{
    const iris_version *next =
        s->migrates ? iris__bytes_migration(s->target, s->bytes_version) : s->target;
    iris_executor *to = executor_of(a, next);
    return to == a->executor ? go_on(a, s) : move(a, s, to);
}

int iris__swap_arrive(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    struct swap *s = c->moving;
    c->moving = NULL;
    a->flags &= (uint16_t)~ACTOR_MOVING;
    if (!s->sent_back)
        return go_on(a, s);
    s->sent_back = 0;
    if (downgrade(a, s) == 0) {
        free(s->failed);
        s->failed = NULL;
        return start(a, s);
    }
    return fail(a, s, s->failed ? s->failed : "swap: refused, and no memory to say why");
}

/* One that is asleep, or between two incarnations, has no state; and what may begin afresh need not have
 * one that can be saved. */
static int take_frozen(iris_actor *a, struct swap *s)
{
    const iris_behaviour *b = &a->version->b;
    struct cold *c = iris__cold_if(a);
    int may_restart = c && c->stateless_restart, wrote;
    if (a->flags & ACTOR_FRESH || !has_state(a) || (!b->save && may_restart))
        return IRIS_OK;
    if (!b->save)
        return iris__fail("%s keeps state but has no save(), so it would be lost; add save(), or "
                          "say \"stateless\": \"restart\" in its \"swap\"",
                          iris__behaviour_label(b).text);
    if (save(a, s, &wrote) == IRIS_OK)
        return IRIS_OK;
    iris__text_finish(&s->bytes);
    return may_restart ? IRIS_OK : IRIS_FAIL;
}

static int freeze(iris_actor *a, struct swap *s)
{
    struct swap_report report = {.result = IRIS_FAIL};
    if (take_frozen(a, s) || iris__freeze(a)) {
        report.why = iris__reason();
    } else {
        report.result = IRIS_OK;
        report.state = s->bytes.data ? &s->bytes : NULL;
        report.state_version = s->bytes_version;
    }
    iris__swap_tell(s, &report);
    iris__swap_destroy(s);
    return 0;
}

int iris__swap_is_freeze(const struct swap *s)
{
    return s && s->order.freeze;
}

static int begin_with(iris_actor *a, struct swap *s)
{
    int result = choose(a, s) || prepare_history(a) ? IRIS_FAIL : adopt(a, s);
    if (result == IRIS_OK) {
        iris_executor *to = executor_of(a, s->target);
        report_switch(a, s);
        return to == a->executor ? 0 : go(a, to);
    }
    if (result == IRIS_FAIL || take_state(a, s))
        return fail(a, s, iris__reason());
    return start(a, s);
}

int iris__swap_perform(iris_actor *a, struct swap *s)
{
    if (!iris__swap_begin(iris__world_of(a), s))
        return 0;
    if (s->order.freeze)
        return freeze(a, s);
    s->home = a->executor;
    return begin_with(a, s);
}
