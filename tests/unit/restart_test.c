/* P6: strategies, rounds, backoff: who ends and begins, in which order, and when. */
#include "main.h"

#include "cast.h"

#include "keep.h"
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- troupe: actors that write down when they begin and end ---- */

enum { PLAYERS = 26, LINES = 4096 };

struct troupe {
    struct scene *s;
    pthread_mutex_t lock;
    char trace[LINES];
    size_t len;
    struct player {
        struct troupe *all;
        char name;
        iris_behaviour b;
        uint64_t pid;
        atomic_int init_fails, inits, finis, handled;
        atomic_int holds, held; /* its handler waits while this is set (threads) */
        const iris_message *later;
        int is_silent; /* says nothing at its end, as a process that is killed */
        int64_t began[32];
    } player[PLAYERS];
};

static void note(struct player *p, const char *what)
{
    struct troupe *t = p->all;
    pthread_mutex_lock(&t->lock);
    t->len += (size_t)snprintf(t->trace + t->len, LINES - t->len, "%s%c ", what, p->name);
    pthread_mutex_unlock(&t->lock);
}

static int begins(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct player *p = b->data;
    (void)args, (void)state;
    int n = atomic_fetch_add(&p->inits, 1);
    p->began[n & 31] = iris_calls()->now(self);
    if (atomic_load(&p->init_fails) > 0 && atomic_fetch_sub(&p->init_fails, 1) > 0) {
        note(p, "!");
        return (iris_calls()->fail)("not today");
    }
    note(p, "+");
    return IRIS_OK;
}

static void ends(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct player *p = b->data;
    (void)self, (void)state;
    atomic_fetch_add(&p->finis, 1);
    if (!p->is_silent)
        note(p, "-");
}

/* "crash", "exit" end it; "later" is put off until the play says so. */
static int acts(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *m, int n)
{
    struct player *p = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        char first = m[i]->len ? *(const char *)m[i]->data : ' ';
        if (first == 'c')
            return (iris_calls()->fail)("told to"), ~i;
        if (first == 'e')
            iris_calls()->exit(self, NULL);
        if (first == 'l') {
            p->later = m[i];
            iris_calls()->later(self, m[i]);
            return i + 1;
        }
        atomic_fetch_add(&p->handled, 1);
    }
    return n;
}

static struct troupe *gather(struct scene *s)
{
    struct troupe *t = scene_memory(s, sizeof *t);
    t->s = s;
    pthread_mutex_init(&t->lock, NULL);
    s->prop = t;
    return t;
}

static void enter(struct troupe *t, char name, const char *path, enum restart_when when,
                  int64_t shutdown)
{
    struct player *p = &t->player[name - 'a'];
    p->all = t;
    p->name = name;
    p->b = (iris_behaviour){.size = sizeof p->b,
                            .abi = IRIS_ABI,
                            .name = "player",
                            .version = "1",
                            .data = p,
                            .init = begins,
                            .handle = acts,
                            .fini = ends};
    iris_version *v = scene_define(t->s, &p->b);
    struct app_spawn how = {
        .spawn = {.size = sizeof how.spawn, .abi = IRIS_ABI, .version = v, .path = path},
        .restart = when,
        .shutdown = shutdown};
    if (iris__runtime_spawn(t->s->rt, &how, &p->pid) != IRIS_OK)
        fail_msg("spawn: %s", iris_reason());
    t->s->api->release(v);
    scene_settle(t->s);
}

static void enter_all(struct troupe *t, int n, const char *prefix)
{
    for (int i = 0; i < n; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%c", prefix, 'a' + i);
        enter(t, (char)('a' + i), path, RESTART_ON_FAILURE, 0);
    }
}

static void tell(struct troupe *t, char name, const char *what)
{
    assert_int_equal(t->s->api->send(t->s->self, t->player[name - 'a'].pid, what, strlen(what), 0),
                     IRIS_OK);
}

static void policy(struct troupe *t, const char *path, struct policy p)
{
    if (!p.period)
        p.period = 5 * IRIS_SECOND;
    assert_int_equal(iris__supervisor_add(&t->s->rt->supervisors, path, &p), IRIS_OK);
}

static void forget(struct troupe *t)
{
    t->len = 0;
    t->trace[0] = '\0';
}

/* The trace since it was last looked at. */
static void expect(struct troupe *t, const char *trace)
{
    scene_settle(t->s);
    if (t->len)
        t->trace[t->len - 1] = '\0';
    assert_string_equal(t->trace, trace);
    forget(t);
}

static int is_alive(struct troupe *t, char name)
{
    return cast_is_alive(t->s, t->player[name - 'a'].pid);
}

/* ---- strategies ---- */

static void one_for_all(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 3});
    enter_all(t, 4, "/g");
    expect(t, "+a +b +c +d");
    tell(t, 'b', "crash");
    expect(t, "-b -d -c -a +a +b +c +d");
    assert_int_equal(cast_info(s, t->player[0].pid).restarts, 1);
}

static void rest_for_one(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = REST_FOR_ONE, .intensity = 3});
    enter_all(t, 4, "/g");
    forget(t);
    tell(t, 'b', "crash");
    expect(t, "-b -d -c +b +c +d");
    tell(t, 'd', "crash");
    expect(t, "-d +d");
    tell(t, 'a', "crash");
    expect(t, "-a -d -c -b +a +b +c +d");
}

static void one_for_one(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.intensity = 3});
    enter_all(t, 3, "/g");
    forget(t);
    tell(t, 'b', "crash");
    expect(t, "-b +b");
}

static void mail_stays(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 3});
    enter_all(t, 3, "/g");
    uint64_t pid = t->player[2].pid;
    tell(t, 'a', "crash");
    for (int i = 0; i < 20; i++) {
        tell(t, 'a', "hello");
        tell(t, 'c', "hello");
    }
    scene_settle(s);
    assert_int_equal(t->player[0].handled, 20);
    assert_int_equal(t->player[2].handled, 20);
    assert_int_equal(iris_find(s->rt, "/g/c"), pid);
    assert_int_equal(scene_count(s).dead_letters, 1);
}

static void nested(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = REST_FOR_ONE, .intensity = 3});
    policy(t, "/g/m", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 1});
    enter(t, 'a', "/g/a", RESTART_ON_FAILURE, 0);
    enter(t, 'b', "/g/m/b", RESTART_ON_FAILURE, 0);
    enter(t, 'c', "/g/m/c", RESTART_ON_FAILURE, 0);
    enter(t, 'd', "/g/d", RESTART_ON_FAILURE, 0);
    forget(t);
    tell(t, 'b', "crash");
    expect(t, "-b -c +b +c");
    tell(t, 'c', "crash"); /* one too many for /g/m: it is a failed member of /g */
    expect(t, "-c -b -d +b +c +d");
    tell(t, 'a', "crash");
    expect(t, "-a -d -c -b +a +b +c +d");
}

static void never_and_ended(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 3});
    enter(t, 'a', "/g/a", RESTART_ALWAYS, 0);
    enter(t, 'b', "/g/b", RESTART_NEVER, 0);
    enter(t, 'c', "/g/c", RESTART_ON_FAILURE, 0);
    enter(t, 'd', "/g/d", RESTART_ON_FAILURE, 0);
    forget(t);
    tell(t, 'd', "exit");
    expect(t, "-d"); /* it ended by itself: that is no failure, and it stays so */
    tell(t, 'c', "crash");
    expect(t, "-c -b -a +a +c");
    assert_false(is_alive(t, 'b'));
    tell(t, 'a', "exit");
    expect(t, "-a -c +a +c");
}

static void init_fails_in_a_round(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 3});
    enter_all(t, 3, "/g");
    forget(t);
    atomic_store(&t->player[1].init_fails, 1);
    tell(t, 'c', "crash");
    expect(t, "-c -b -a +a !b -a +a +b +c");
}

static void never_begins(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = REST_FOR_ONE, .intensity = 2});
    enter_all(t, 3, "/g");
    forget(t);
    atomic_store(&t->player[1].init_fails, 1000);
    tell(t, 'b', "crash");
    scene_settle(s);
    assert_true(s->rt->exhausted); /* and by then "/" is exhausted as well */
}

/* ---- exhausted ---- */

static void stops(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.intensity = 1, .on_exhausted = EXHAUSTED_STOP});
    enter_all(t, 3, "/g");
    enter(t, 'd', "/other", RESTART_ON_FAILURE, 0);
    forget(t);
    tell(t, 'b', "crash");
    expect(t, "-b +b");
    tell(t, 'b', "crash");
    expect(t, "-b -c -a");
    assert_false(is_alive(t, 'a'));
    assert_true(is_alive(t, 'd'));
    assert_false(s->rt->exhausted);
}

static void exits(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.intensity = 0, .on_exhausted = EXHAUSTED_EXIT});
    enter_all(t, 2, "/g");
    tell(t, 'b', "crash");
    scene_settle(s);
    assert_true(s->rt->exhausted);
}

static void exactly_so_many(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.intensity = 3, .on_exhausted = EXHAUSTED_STOP});
    enter_all(t, 1, "/g");
    for (int i = 0; i < 3; i++) {
        tell(t, 'a', "crash");
        scene_settle(s);
        assert_true(is_alive(t, 'a'));
    }
    tell(t, 'a', "crash");
    scene_settle(s);
    assert_false(is_alive(t, 'a'));
}

/* ---- backoff; virtual time ---- */

#define BACKOFF(i, m, f)                                                             \
    {                                                                                \
        .initial = (i)*IRIS_MILLISECOND, .max = (m)*IRIS_MILLISECOND, .factor = (f), \
        .reset_after = 60 * IRIS_SECOND                                              \
    }

static int64_t waited(struct troupe *t, char name, int n)
{
    struct player *p = &t->player[name - 'a'];
    return (p->began[n] - p->began[n - 1]) / IRIS_MILLISECOND;
}

static void backs_off(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.intensity = 100, .backoff = BACKOFF(100, 1000, 2)});
    enter_all(t, 2, "/g");
    for (int i = 1; i <= 6; i++) {
        tell(t, 'a', "crash");
        scene_settle(s);
    }
    static const int64_t delays[] = {0, 100, 200, 400, 800, 1000, 1000};
    for (int i = 1; i <= 6; i++)
        assert_int_equal(waited(t, 'a', i), delays[i]);
    assert_int_equal(t->player[1].inits, 1);
}

static void resets(struct scene *s)
{
    struct troupe *t = gather(s);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    policy(t, "/g", (struct policy){.intensity = 100, .backoff = BACKOFF(100, 1000, 2)});
    enter_all(t, 1, "/g");
    for (int i = 0; i < 3; i++)
        tell(t, 'a', "crash");
    scene_settle(s);
    timer->after(s->self, t->player[0].pid, 60 * IRIS_SECOND, "crash", 5, NULL);
    scene_settle(s);
    assert_int_equal(waited(t, 'a', 3), 400);
    assert_int_equal(waited(t, 'a', 4), 60100);
}

static void jitter(struct scene *s)
{
    struct troupe *t = gather(s);
    struct policy p = {.intensity = 100, .backoff = BACKOFF(1000, 1000000, 1)};
    p.backoff.jitter = 0.2;
    policy(t, "/g", p);
    enter_all(t, 1, "/g");
    int64_t least = INT64_MAX, most = 0;
    for (int i = 1; i <= 20; i++) {
        tell(t, 'a', "crash");
        scene_settle(s);
        int64_t w = waited(t, 'a', i);
        least = w < least ? w : least;
        most = w > most ? w : most;
    }
    assert_in_range(least, 800, 1000);
    assert_in_range(most, 1000, 1200);
    assert_true(least < most);
}

/* Until it is down: in a seeded play a settle would let all the time pass. */
static int is_down(struct scene *s)
{
    struct troupe *t = s->prop;
    return cast_info(s, t->player[0].pid).state == IRIS_STATE_BACKOFF;
}

static struct troupe *waits_an_hour(struct scene *s, uint32_t capacity)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.intensity = 5, .backoff = BACKOFF(3600000, 3600000, 1)});
    enter_all(t, 1, "/g");
    (void)capacity;
    tell(t, 'a', "crash");
    scene_await(s, is_down);
    return t;
}

static void shown(struct scene *s)
{
    struct troupe *t = waits_an_hour(s, 0);
    iris_info i = cast_info(s, t->player[0].pid);
    assert_int_equal(i.state, IRIS_STATE_BACKOFF);
    assert_in_range(i.backoff, 3590 * IRIS_SECOND, 3600 * IRIS_SECOND);
    assert_int_equal(i.uptime, -1);
    assert_false(iris_is_idle(s->rt));
    tell(t, 'a', "hello");
    assert_int_equal(cast_info(s, t->player[0].pid).mailbox, 1);
    assert_int_equal(t->player[0].inits, 1);
}

static void stopped(struct scene *s)
{
    struct troupe *t = waits_an_hour(s, 0);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    tell(t, 'a', "hello");
    int64_t before = s->api->now(s->self);
    assert_int_equal(watch->stop(s->self, t->player[0].pid), IRIS_OK);
    cast_await_end(s, t->player[0].pid);
    assert_true(s->api->now(s->self) - before < 3000 * IRIS_SECOND);
    assert_int_equal(t->player[0].inits, 1);
    assert_int_equal(t->player[0].finis, 1);
    assert_int_equal(scene_count(s).ended, 1);
    scene_settle(s);
    assert_true(iris_is_idle(s->rt));
}

static void killed(struct scene *s)
{
    struct troupe *t = waits_an_hour(s, 0);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    int64_t before = s->api->now(s->self);
    watch->kill(s->self, t->player[0].pid);
    cast_await_end(s, t->player[0].pid);
    assert_true(s->api->now(s->self) - before < 3000 * IRIS_SECOND);
    assert_int_equal(t->player[0].inits, 1);
}

static void closed(struct scene *s)
{
    waits_an_hour(s, 0); /* the scene closes: nothing may wait for the hour */
}

/* A supervisor that fails again right after it began anew is a member that fails in a row, however long it
 * lived before. */
static void backs_off_supervisors(struct scene *s)
{
    struct troupe *t = gather(s);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    policy(t, "/g",
           (struct policy){
               .strategy = ONE_FOR_ALL, .intensity = 100, .backoff = BACKOFF(100, 1000, 2)});
    policy(t, "/g/m", (struct policy){.intensity = 0});
    enter(t, 'a', "/g/m/a", RESTART_ON_FAILURE, 0);
    timer->after(s->self, t->player[0].pid, 600 * IRIS_SECOND, "x", 1, NULL);
    scene_settle(s);
    static const int64_t delays[] = {0, 600100, 200, 400, 800};
    for (int i = 1; i <= 4; i++) {
        tell(t, 'a', "crash");
        scene_settle(s);
        assert_int_equal(waited(t, 'a', i), delays[i]);
    }
}

/* An init that fails is one more failure in a row, however long it lived before. */
static void backs_off_inits(struct scene *s)
{
    struct troupe *t = gather(s);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    policy(t, "/g", (struct policy){.intensity = 100, .backoff = BACKOFF(100, 1000, 2)});
    enter_all(t, 1, "/g");
    tell(t, 'a', "crash");
    scene_settle(s);
    timer->after(s->self, t->player[0].pid, 600 * IRIS_SECOND, "crash", 5, NULL);
    atomic_store(&t->player[0].init_fails, 4);
    scene_settle(s);
    static const int64_t delays[] = {0, 100, 600100, 200, 400, 800, 1000};
    for (int i = 1; i <= 6; i++)
        assert_int_equal(waited(t, 'a', i), delays[i]);
}

static void round_waits(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g",
           (struct policy){
               .strategy = ONE_FOR_ALL, .intensity = 100, .backoff = BACKOFF(500, 5000, 2)});
    enter_all(t, 3, "/g");
    forget(t);
    tell(t, 'b', "crash");
    expect(t, "-b -c -a +a +b +c");
    assert_int_equal(waited(t, 'a', 1), 500);
    assert_int_equal(waited(t, 'c', 1), 500);
}

/* ---- shutdown ---- */

static int is_held(struct scene *s)
{
    struct troupe *t = s->prop;
    return t->player[2].later != NULL;
}

/* What it has put off may be done first: at most for its shutdown time. */
static void patient(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 3});
    enter_all(t, 3, "/g");
    forget(t);
    tell(t, 'c', "later");
    scene_await(s, is_held);
    tell(t, 'a', "crash");
    while (t->player[0].finis == 0)
        cast_run(s, 1);
    cast_run(s, 1); /* not more: with nothing to do, the virtual clock jumps */
    assert_int_equal(t->player[2].finis, 0);
    assert_int_equal(s->api->done(t->player[2].later, IRIS_OK), IRIS_OK);
    expect(t, "-a -c -b +a +b +c");
}

static void impatient(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 3});
    enter_all(t, 2, "/g");
    enter(t, 'c', "/g/c", RESTART_ON_FAILURE, 2 * IRIS_SECOND);
    forget(t);
    tell(t, 'c', "later");
    scene_await(s, is_held);
    tell(t, 'a', "crash");
    expect(t, "-a -c -b +a +b +c");
    assert_int_equal(waited(t, 'a', 1), 2000);
    assert_int_equal(s->api->done(t->player[2].later, IRIS_OK), IRIS_DEAD);
}

static void at_once(struct scene *s)
{
    struct troupe *t = gather(s);
    policy(t, "/g", (struct policy){.strategy = ONE_FOR_ALL, .intensity = 3});
    enter_all(t, 2, "/g");
    enter(t, 'c', "/g/c", RESTART_ON_FAILURE, SHUTDOWN_KILL);
    forget(t);
    tell(t, 'c', "later");
    scene_await(s, is_held);
    tell(t, 'a', "crash");
    expect(t, "-a -c -b +a +b +c");
    assert_int_equal(waited(t, 'a', 1), 0);
    assert_int_equal(s->api->done(t->player[2].later, IRIS_OK), IRIS_DEAD);
}

/* ---- the table of OTP ---- */

enum cast { PLAIN, KINDS, NESTED, DEAF, BRUTAL };

struct row {
    enum strategy strategy;
    uint32_t intensity;
    enum cast cast;
    const char *script, *trace;
};

static const struct row *row; /* that is played */

static void enter_one(struct troupe *t, const char *names, const char *prefix)
{
    for (; *names; names++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%c", prefix, *names);
        enter(t, *names, path, RESTART_ON_FAILURE, 0);
    }
}

static void enter_deaf(struct troupe *t)
{
    enter_one(t, "a", "/g");
    enter(t, 'b', "/g/b", RESTART_ON_FAILURE,
          row->cast == BRUTAL ? SHUTDOWN_KILL : 200 * IRIS_MILLISECOND);
    enter_one(t, "c", "/g");
    t->player[1].is_silent = 1;
    tell(t, 'b', "later");
    scene_settle(t->s);
}

static void enter_cast(struct troupe *t)
{
    policy(t, "/g",
           (struct policy){.strategy = row->strategy,
                           .intensity = row->cast == NESTED ? 3 : row->intensity,
                           .on_exhausted = EXHAUSTED_STOP});
    if (row->cast == PLAIN)
        enter_one(t, "abcd", "/g");
    else if (row->cast == KINDS) {
        enter(t, 'a', "/g/a", RESTART_ALWAYS, 0);
        enter(t, 'b', "/g/b", RESTART_NEVER, 0);
        enter(t, 'c', "/g/c", RESTART_ON_FAILURE, 0);
    } else if (row->cast == NESTED) {
        policy(t, "/g/m", (struct policy){.intensity = 1});
        enter_one(t, "a", "/g");
        enter_one(t, "xyz", "/g/m");
        enter_one(t, "b", "/g");
    } else
        enter_deaf(t);
    forget(t);
}

static void do_line(struct troupe *t, char what, char name)
{
    struct player *p = &t->player[name - 'a'];
    if (what == 'f')
        atomic_store(&p->init_fails, 1);
    else if (cast_is_alive(t->s, p->pid))
        tell(t, name, what == 'e' ? "exit" : "crash");
    scene_settle(t->s);
}

static void play_row(struct scene *s)
{
    struct troupe *t = gather(s);
    enter_cast(t);
    for (const char *at = row->script; *at; at += at[2] ? 3 : 2)
        do_line(t, at[0], at[1]);
    if (iris__supervisor_find(&s->rt->supervisors, "/g")->exhausted)
        note(&(struct player){.all = t, .name = 'e'}, "gon");
    expect(t, row->trace);
}

static void play_table(const struct row *one)
{
    row = one;
    if (one->cast >= DEAF) /* they need a clock that jumps */
        scene_play_seeds(play_row);
    else
        scene_play(play_row);
}

/* clang-format off */
#define ROW(name, strategy, intensity, cast, script, trace) \
    static void otp_##name(void **state) { (void)state; play_table(&(struct row){strategy, intensity, cast, script, trace}); }
#define DIFFERS(name, strategy, intensity, cast, script, otp, trace, why) ROW(name, strategy, intensity, cast, script, trace)
#include "otp/table.h"
#undef ROW
#undef DIFFERS
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
#define PLAY_SEEDS(play) static void test_##play(void **state) { (void)state; scene_play_seeds(play); }
PLAY(one_for_one)
PLAY(one_for_all)
PLAY(rest_for_one)
PLAY(mail_stays)
PLAY(nested)
PLAY(never_and_ended)
PLAY(init_fails_in_a_round)
PLAY(never_begins)
PLAY(stops)
PLAY(exits)
PLAY(exactly_so_many)
PLAY_SEEDS(backs_off)
PLAY_SEEDS(resets)
PLAY_SEEDS(backs_off_supervisors)
PLAY_SEEDS(backs_off_inits)
PLAY_SEEDS(jitter)
PLAY(shown)
PLAY(stopped)
PLAY(killed)
PLAY(closed)
PLAY_SEEDS(round_waits)
PLAY_SEEDS(patient)
PLAY_SEEDS(impatient)
PLAY_SEEDS(at_once)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p6.one_for_one_restarts_it_alone", test_one_for_one),
    IRIS_TEST("p6.one_for_all_ends_the_others_in_reverse_and_begins_all_in_order", test_one_for_all),
    IRIS_TEST("p6.rest_for_one_restarts_those_that_began_later", test_rest_for_one),
    IRIS_TEST("p4.a_round_of_restarts_keeps_mail_pid_and_path", test_mail_stays),
    IRIS_TEST("p6.an_exhausted_supervisor_is_a_failed_member_of_its_parent", test_nested),
    IRIS_TEST("p6.in_a_round_never_ends_and_what_ended_by_itself_stays_ended", test_never_and_ended),
    IRIS_TEST("p6.an_init_that_fails_in_a_round_counts_and_the_round_begins_anew", test_init_fails_in_a_round),
    IRIS_TEST("p6.a_round_that_never_succeeds_exhausts_supervisor_and_root", test_never_begins),
    IRIS_TEST("p6.on_exhausted_stop_ends_its_actors_in_reverse_and_no_others", test_stops),
    IRIS_TEST("p6.on_exhausted_exit_ends_the_app", test_exits),
    IRIS_TEST("p6.exactly_intensity_restarts_are_allowed", test_exactly_so_many),
    IRIS_TEST("p6.backoff_grows_by_its_factor_up_to_its_maximum", test_backs_off),
    IRIS_TEST("p6.backoff_begins_anew_after_reset_after", test_resets),
    IRIS_TEST("p6.backoff_grows_for_a_supervisor_that_fails_again", test_backs_off_supervisors),
    IRIS_TEST("p6.backoff_grows_for_an_init_that_fails_again", test_backs_off_inits),
    IRIS_TEST("p6.jitter_swings_around_the_delay", test_jitter),
    IRIS_TEST("p6.who_waits_for_its_restart_is_shown_takes_mail_and_is_not_idle", test_shown),
    IRIS_TEST("p6.a_stop_while_it_waits_for_its_restart_works_at_once", test_stopped),
    IRIS_TEST("p6.a_kill_while_it_waits_for_its_restart_works_at_once", test_killed),
    IRIS_TEST("p9.a_runtime_closes_while_an_actor_waits_for_its_restart", test_closed),
    IRIS_TEST("p6.a_round_waits_for_the_backoff_between_ends_and_beginnings", test_round_waits),
    IRIS_TEST("p6.what_a_sibling_has_put_off_is_done_before_it_restarts", test_patient),
    IRIS_TEST("p6.a_sibling_whose_shutdown_time_is_over_is_killed", test_impatient),
    IRIS_TEST("p6.a_sibling_with_shutdown_kill_gets_no_time", test_at_once),
    IRIS_TEST("otp.one_for_one_first", otp_one_for_one_first),
    IRIS_TEST("otp.one_for_one_middle", otp_one_for_one_middle),
    IRIS_TEST("otp.one_for_one_last", otp_one_for_one_last),
    IRIS_TEST("otp.one_for_all_first", otp_one_for_all_first),
    IRIS_TEST("otp.one_for_all_middle", otp_one_for_all_middle),
    IRIS_TEST("otp.one_for_all_last", otp_one_for_all_last),
    IRIS_TEST("otp.rest_for_one_first", otp_rest_for_one_first),
    IRIS_TEST("otp.rest_for_one_middle", otp_rest_for_one_middle),
    IRIS_TEST("otp.rest_for_one_last", otp_rest_for_one_last),
    IRIS_TEST("otp.permanent_normal", otp_permanent_normal),
    IRIS_TEST("otp.temporary_normal", otp_temporary_normal),
    IRIS_TEST("otp.temporary_crash", otp_temporary_crash),
    IRIS_TEST("otp.transient_normal", otp_transient_normal),
    IRIS_TEST("otp.transient_crash", otp_transient_crash),
    IRIS_TEST("otp.all_permanent_normal", otp_all_permanent_normal),
    IRIS_TEST("otp.all_temporary_crash", otp_all_temporary_crash),
    IRIS_TEST("otp.all_drops_temporary", otp_all_drops_temporary),
    IRIS_TEST("otp.rest_drops_temporary", otp_rest_drops_temporary),
    IRIS_TEST("otp.all_after_transient_normal", otp_all_after_transient_normal),
    IRIS_TEST("otp.exactly_intensity", otp_exactly_intensity),
    IRIS_TEST("otp.one_more_than_intensity", otp_one_more_than_intensity),
    IRIS_TEST("otp.one_more_than_intensity_all", otp_one_more_than_intensity_all),
    IRIS_TEST("otp.intensity_of_all_members", otp_intensity_of_all_members),
    IRIS_TEST("otp.intensity_0", otp_intensity_0),
    IRIS_TEST("otp.escalates_one_for_one", otp_escalates_one_for_one),
    IRIS_TEST("otp.escalates_one_for_all", otp_escalates_one_for_all),
    IRIS_TEST("otp.escalates_rest_for_one", otp_escalates_rest_for_one),
    IRIS_TEST("otp.counts_anew", otp_counts_anew),
    IRIS_TEST("otp.start_fails_once_all", otp_start_fails_once_all),
    IRIS_TEST("otp.start_fails_once_rest", otp_start_fails_once_rest),
    IRIS_TEST("otp.start_fails_once_one", otp_start_fails_once_one),
    IRIS_TEST("otp.shutdown_timeout", otp_shutdown_timeout),
    IRIS_TEST("otp.brutal_kill", otp_brutal_kill),
};
/* clang-format on */
IRIS_MAIN(tests)
