/* What supervisors do, against a model written from OTP's rules that is short enough to be believed: a
 * random tree of them, actors that crash, exit, are stopped and killed, inits that fail, time that passes.
 * After each operation all has settled, and what can be seen is compared: who lives, in which order, how
 * often each has begun, who ended and began in which order, who was exhausted, and the time. Seeded. */
#include "main.h"

#include "cast.h"

#include "keep.h"
#include "random.h"
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    OPERATIONS = 250,
    SUPERVISORS = 4,
    ACTORS = 8,
    LISTED = 16,
    LINES = 8192,
    EVER = 512,
    HOLDS = 2000
};

struct lines {
    size_t len;
    char text[LINES];
};

struct thing { /* an actor, or a supervisor */
    struct model *m;
    struct thing *of;
    char path[64];
    uint32_t tries; /* failures in a row, and when it was to begin again after the last */
    int64_t due;
    /* an actor */
    iris_behaviour b;
    int name, lives;
    uint64_t pid;
    enum restart_when restart;
    unsigned begins;
    int fails, real_fails; /* so many inits fail from now on: the model's, the actor's */
    /* a supervisor */
    struct policy policy;
    struct thing *list[LISTED]; /* in start order */
    int n, has_place;
    int64_t *times; /* of the last restarts */
    uint32_t used, exhausted;
};

struct model {
    struct scene *s;
    struct random random;
    struct thing *supervisors[SUPERVISORS], *clock, *ever[EVER];
    int n, actors, is_over;
    int64_t now;
    struct lines expected, seen;
};

static uint32_t below(struct model *m, uint32_t n)
{
    return iris__random_below(&m->random, n);
}

static void note(struct lines *l, const char *what, const struct thing *x)
{
    l->len += (size_t)snprintf(l->text + l->len, LINES - l->len, "%s%d ", what, x->name);
    assert_true(l->len < LINES);
}

/* ---- the model ---- */

static int place_of(const struct thing *x)
{
    int i = 0;
    while (x->of->list[i] != x)
        i++;
    return i;
}

static void append(struct thing *v, struct thing *x)
{
    if (v->of && !v->has_place)
        append(v->of, v); /* a supervisor begins with its first member */
    v->has_place = 1;
    v->list[v->n++] = x;
    assert_true(v->n < LISTED);
}

static void take_out(struct thing *x)
{
    struct thing *v = x->of;
    int i = place_of(x);
    memmove(&v->list[i], &v->list[i + 1], (size_t)(--v->n - i) * sizeof x);
    x->lives = 0;
    x->m->actors--;
}

/* More than `intensity` restarts within the period are too many. */
static int may_restart(struct thing *v)
{
    uint32_t recent = 0;
    int64_t now = v->m->now;
    for (uint32_t i = 0; i < v->used; i++)
        if (now - v->times[i] <= v->policy.period)
            v->times[recent++] = v->times[i];
    v->used = recent;
    if (recent == v->policy.intensity)
        return 0;
    v->times[v->used++] = now;
    return 1;
}

static int64_t backoff(struct thing *v, struct thing *x)
{
    const struct backoff *b = &v->policy.backoff;
    int64_t delay = b->initial;
    if (x->tries && x->m->now - x->due >= b->reset_after)
        x->tries = 0;
    for (uint32_t i = 0; i < x->tries && delay < b->max; i++)
        delay *= 2;
    if (!b->initial)
        return 0;
    x->tries++;
    delay = delay < b->max ? delay : b->max;
    x->due = x->m->now + delay;
    return delay;
}

/* The members from there on, last first. */
static void end_from(struct thing *v, int first, int for_good)
{
    for (int i = v->n - 1; i >= first; i--) {
        struct thing *x = v->list[i];
        if (!x->pid) {
            end_from(x, 0, for_good);
            x->used = 0; /* it begins with nothing counted */
            continue;
        }
        if (x->lives)
            note(&x->m->expected, "-", x);
        x->lives = 0;
        if (for_good || x->restart == RESTART_NEVER)
            take_out(x);
    }
}

static int begin_one(struct thing *x)
{
    x->begins++;
    if (x->fails) {
        x->fails--;
        note(&x->m->expected, "!", x);
        return 0;
    }
    note(&x->m->expected, "+", x);
    x->lives = 1;

    return 1;
}

/* First first; who could not, or NULL. */
static struct thing *begin_from(struct thing *v, int first)
{
    struct thing *failed = NULL;
    for (int i = first; i < v->n && !failed; i++) {
        struct thing *x = v->list[i];
        if (!x->pid)
            failed = begin_from(x, 0);
        else if (!x->lives && !begin_one(x))
            failed = x;
    }
    return failed;
}

/* Who decides of what x did, once all that are exhausted have given up; NULL: nobody. */
static struct thing *decider(struct thing *v, struct thing *x)
{
    for (; !may_restart(v); v = v->of) {
        v->exhausted++;
        v->used = 0;
        if (v->policy.on_exhausted == EXHAUSTED_STOP) {
            end_from(v, 0, 1);
            return NULL;
        }
        if (!v->of) {
            x->m->is_over = 1;
            return NULL;
        }
    }
    return v;
}

static struct thing *under(const struct thing *v, struct thing *x)
{
    while (x->of != v)
        x = x->of;
    return x;
}

/* All below `top` from there on end, and begin once the time is over; whoever was exhausted ends his own
 * first. */
static struct thing *round_of(struct thing *top, int first, struct thing *failed, int64_t delay)
{
    for (struct thing *v = failed->of; v != top; v = v->of)
        end_from(v, 0, 0);
    end_from(top, first, 0);
    top->m->now += delay;
    return begin_from(top, first);
}

static void fail_one(struct thing *x)
{
    struct thing *v = x->of;
    x->lives = 0;
    while (x) {
        struct thing *failed = x, *child;
        if (!(v = decider(v, x))) {
            for (int i = 0; i < failed->of->n; i++)
                if (failed->of->list[i] == failed)
                    take_out(failed);
            return;
        }
        child = under(v, x);
        int64_t delay = backoff(v, child);
        if (v->policy.strategy != ONE_FOR_ONE) {
            int first = v->policy.strategy == ONE_FOR_ALL ? 0 : place_of(child);
            x = round_of(v, first, failed, delay);
        } else if (child != x) {
            x = round_of(child, 0, failed, delay);
        } else {
            x->m->now += delay;
            x = begin_one(x) ? NULL : x;
        }
    }
}

/* ---- the actors ---- */

static int begins(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct thing *x = b->data;
    (void)self, (void)args, (void)state;
    if (x->real_fails) {
        x->real_fails--;
        note(&x->m->seen, "!", x);
        return (iris_calls()->fail)("not today");
    }
    note(&x->m->seen, "+", x);
    return IRIS_OK;
}

static void ends(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct thing *x = b->data;
    (void)self, (void)state;
    note(&x->m->seen, "-", x);
}

static int acts(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *m, int n)
{
    (void)b, (void)state;
    if (*(const char *)m[0]->data == 'c')
        return (iris_calls()->fail)("told to"), ~0;
    if (*(const char *)m[0]->data == 'e')
        iris_calls()->exit(self, NULL);
    return n;
}

static void tell(struct model *m, const struct thing *x, const char *what)
{
    assert_int_equal(m->s->api->send(m->s->self, x->pid, what, 1, 0), IRIS_OK);
}

/* ---- what is done to both ---- */

static void spawn_real(struct model *m, struct thing *x)
{
    x->b = (iris_behaviour){.size = sizeof x->b,
                            .abi = IRIS_ABI,
                            .name = "member",
                            .version = "1",
                            .data = x,
                            .init = begins,
                            .handle = acts,
                            .fini = ends};
    iris_version *v = scene_define(m->s, &x->b);
    struct app_spawn how = {
        .spawn = {.size = sizeof how.spawn, .abi = IRIS_ABI, .version = v, .path = x->path},
        .restart = x->restart};
    assert_int_equal(iris__runtime_spawn(m->s->rt, &how, &x->pid), IRIS_OK);
    m->s->api->release(v);
}

/* Also further down than its supervisor's path. */
static void enter_one(struct model *m)
{
    static const enum restart_when restarts[] = {RESTART_ALWAYS, RESTART_ON_FAILURE,
                                                 RESTART_ON_FAILURE, RESTART_NEVER};
    struct thing *x = scene_memory(m->s, sizeof *x), *v = m->supervisors[below(m, (uint32_t)m->n)];
    int name = 0;
    while (m->ever[name])
        name++;
    assert_in_range(name, 0, EVER - 2);
    m->ever[name] = x;
    *x = (struct thing){.m = m, .of = v, .name = name, .restart = restarts[below(m, 4)]};
    snprintf(x->path, sizeof x->path, "%.40s%s/%d", v->of ? v->path : "",
             below(m, 4) ? "" : "/deep", name);
    x->fails = x->real_fails = below(m, 6) ? 0 : 1 + (int)below(m, 3);
    spawn_real(m, x);
    append(v, x);
    m->actors++;
    if (!begin_one(x) && x->restart == RESTART_NEVER)
        take_out(x);
    else if (!x->lives)
        fail_one(x);
}

static void crash(struct model *m, struct thing *x)
{
    tell(m, x, "c");
    note(&m->expected, "-", x);
    if (x->restart == RESTART_NEVER)
        take_out(x);
    else
        fail_one(x);
}

static void leave(struct model *m, struct thing *x)
{
    tell(m, x, "e");
    note(&m->expected, "-", x);
    if (x->restart == RESTART_ALWAYS)
        fail_one(x);
    else
        take_out(x);
}

/* Who is stopped is gone, who is killed begins again if it does so always. */
static void end_one(struct model *m, struct thing *x)
{
    const iris_watch *watch = cast_extension(m->s, IRIS_WATCH);
    int stops = below(m, 2) != 0;
    assert_int_equal((stops ? watch->stop : watch->kill)(m->s->self, x->pid), IRIS_OK);
    note(&m->expected, "-", x);
    if (!stops && x->restart == RESTART_ALWAYS)
        fail_one(x);
    else
        take_out(x);
}

/* Around the edges of some supervisor's period. */
static void pass_time(struct model *m)
{
    const iris_timer_api *timer = cast_extension(m->s, IRIS_TIMER_EXT);
    int64_t period = m->supervisors[below(m, (uint32_t)m->n)]->policy.period;
    int64_t times[] = {IRIS_MILLISECOND, period / 3,           period - 1,
                       period,           period + IRIS_SECOND, 10 * period};
    int64_t delay = times[below(m, 6)];
    assert_int_equal(timer->after(m->s->self, m->clock->pid, delay, "t", 1, NULL), IRIS_OK);
    m->now += delay;
}

static struct thing *anyone(struct model *m)
{
    uint32_t skip = below(m, (uint32_t)m->actors);
    for (int i = 0;; i++)
        if (m->ever[i]->lives && !skip--)
            return m->ever[i];
}

static void operate(struct model *m)
{
    uint32_t what = below(m, 100);
    if (m->actors < 2 || (what < 15 && m->actors < ACTORS)) {
        enter_one(m);
        return;
    }
    struct thing *x = anyone(m);
    if (what < 60)
        crash(m, x);
    else if (what < 70)
        leave(m, x);
    else if (what < 73)
        end_one(m, x);
    else if (what < 83)
        x->fails = x->real_fails = (int)below(m, 5);
    else
        pass_time(m);
}

/* ---- comparing ---- */

static void compare_actor(struct model *m, const struct thing *x)
{
    if (cast_is_alive(m->s, x->pid) != x->lives)
        fail_msg("%s %s, the model says otherwise", x->path, x->lives ? "is dead" : "lives");
    if (x->lives)
        assert_int_equal(cast_info(m->s, x->pid).restarts, x->begins - 1);
}

struct listed {
    const struct thing *v;
    int n;
};

static void compare_listed(void *ctx, uint64_t pid)
{
    struct listed *l = ctx;
    while (l->n < l->v->n && !l->v->list[l->n]->pid)
        l->n++;
    assert_true(l->n < l->v->n);
    assert_int_equal(l->v->list[l->n++]->pid, pid);
}

static void compare_supervisor(struct model *m, const struct thing *v)
{
    struct supervisors *s = &m->s->rt->supervisors;
    struct listed l = {v, 0};
    assert_int_equal(iris__supervisor_find(s, v->path)->exhausted, v->exhausted);
    iris__supervise_children(s, v->path, compare_listed, &l);
    while (l.n < v->n && !v->list[l.n]->pid)
        l.n++;
    assert_int_equal(l.n, v->n);
}

/* Once the app is to end, what is under way may go on. */
static void compare(struct model *m)
{
    assert_int_equal(m->s->rt->exhausted, m->is_over);
    m->expected.text[m->expected.len] = m->seen.text[m->seen.len] = '\0';
    if (m->is_over) {
        assert_memory_equal(m->seen.text, m->expected.text, m->expected.len);
        return;
    }
    assert_string_equal(m->seen.text, m->expected.text);
    m->expected.len = m->seen.len = 0;
    for (int i = 0; m->ever[i]; i++)
        compare_actor(m, m->ever[i]);
    for (int i = 0; i < m->n; i++)
        compare_supervisor(m, m->supervisors[i]);
    assert_int_equal(m->s->api->now(m->s->self), m->now);
}

/* ---- the play ---- */

static struct policy some_policy(struct model *m)
{
    struct policy p = {.strategy = (enum strategy)below(m, 3),
                       .intensity = below(m, 5),
                       .period = (1 + below(m, 5)) * IRIS_SECOND,
                       .on_exhausted = below(m, 3) ? EXHAUSTED_ESCALATE : EXHAUSTED_STOP};
    if (below(m, 3) == 0)
        p.backoff = (struct backoff){.initial = (1 + below(m, 300)) * IRIS_MILLISECOND,
                                     .max = IRIS_SECOND,
                                     .factor = 2,
                                     .reset_after = (1 + below(m, 5)) * IRIS_SECOND};
    return p;
}

/* The first is "/", which mostly holds all; each other one lies below one that is there. */
static void add_supervisor(struct model *m)
{
    struct thing *v = scene_memory(m->s, sizeof *v);
    struct thing *of = m->n ? m->supervisors[below(m, (uint32_t)m->n)] : NULL;
    *v = (struct thing){.m = m, .of = of, .policy = some_policy(m)};
    if (!of && below(m, 4))
        v->policy.intensity = HOLDS;
    v->times = scene_memory(m->s, (v->policy.intensity + 1) * sizeof *v->times);
    snprintf(v->path, sizeof v->path, "%.40s/%.1s", of && of->of ? of->path : "",
             of ? &"abcd"[m->n] : "");
    m->supervisors[m->n++] = v;
    assert_int_equal(iris__supervisor_add(&m->s->rt->supervisors, v->path, &v->policy), IRIS_OK);
}

static void play_model(struct scene *s)
{
    struct model *m = scene_memory(s, sizeof *m);
    m->s = s;
    m->random.state = s->seed;
    m->clock = scene_memory(s, sizeof *m->clock);
    iris_behaviour clock = {
        .size = sizeof clock, .abi = IRIS_ABI, .name = "clock", .version = "1", .handle = acts};
    m->clock->pid = scene_spawn(s, &clock, 0);
    scene_settle(s);
    m->now = s->api->now(s->self);
    for (uint32_t i = 0, n = 1 + below(m, SUPERVISORS); i < n; i++)
        add_supervisor(m);
    for (int i = 0; i < OPERATIONS && !m->is_over; i++) {
        operate(m);
        scene_settle(s);
        compare(m);
    }
}

static void test_model(void **state)
{
    (void)state;
    scene_play_seeds(play_model);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p6.supervisors_do_as_their_model_does", test_model),
};

IRIS_MAIN(tests)
