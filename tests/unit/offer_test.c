/* P3 for actors whose code runs on between turns (IRIS_RUNS_ON): told of a swap, they go on until that code
 * returns, or the time is over. What runs between turns is played by the messages of its own mailbox. */
#include "main.h"

#include "cast.h"

#include <string.h>

enum { TAKE, RETURN, CRASH, EXIT };

struct code { /* of one version */
    const iris_reader *reader;
    const iris_api *api;
    atomic_int inits, finis, adopts, cancels, told, off, taken, handover, refuses;
};

static int take_one(struct code *c, iris_actor *self, const iris_message *m)
{
    uint64_t what;
    memcpy(&what, m->data, sizeof what);
    atomic_fetch_add(&c->taken, 1);
    if (what == RETURN)
        atomic_store(&c->handover, c->reader->handover(self));
    if (what == EXIT)
        c->api->exit(self, NULL);
    return what == CRASH ? (c->api->fail)("by hand") : 0;
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    struct code *c = b->data;
    (void)state;
    for (int i = 0; i < n; i++)
        if (m[i]->kind == IRIS_HOT_SWAP)
            atomic_fetch_add(m[i]->ref ? &c->off : &c->told, 1);
        else if (take_one(c, self, m[i]))
            return ~i;
    return n;
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)self, (void)args;
    *state = b->data;
    atomic_fetch_add(&((struct code *)b->data)->inits, 1);
    return IRIS_OK;
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)self, (void)state;
    atomic_fetch_add(&((struct code *)b->data)->finis, 1);
}

static int adopt(const iris_behaviour *b, iris_actor *self, const iris_behaviour *old, void **state)
{
    struct code *c = b->data;
    (void)self, (void)old, (void)state;
    if (atomic_load(&c->refuses))
        return (c->api->fail)("not with me");
    atomic_fetch_add(&c->adopts, 1);
    return IRIS_OK;
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    (void)b, (void)self, (void)state, (void)sink;
    return IRIS_OK;
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    const iris_behaviour *none = NULL;
    (void)from, (void)saved;
    return adopt(b, self, none, state);
}

static void cancel(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)self, (void)state;
    atomic_fetch_add(&((struct code *)b->data)->cancels, 1);
}

static iris_behaviour behaviour(struct code *c)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "runs-on",
                            .version = "1",
                            .flags = IRIS_RUNS_ON,
                            .data = c,
                            .handle = handle,
                            .init = init,
                            .fini = fini,
                            .save = save,
                            .upgrade = upgrade,
                            .cancel = cancel};
}

static struct code *make(struct scene *s, iris_behaviour *b)
{
    struct code *c = scene_memory(s, sizeof *c);
    c->reader = cast_extension(s, IRIS_READER);
    c->api = s->api;
    *b = behaviour(c);
    return c;
}

static int was_told(struct scene *s)
{
    return atomic_load(&((struct code *)s->prop)->told) == 1;
}

static int is_off(struct scene *s)
{
    return atomic_load(&((struct code *)s->prop)->off) == 1;
}

static void returns(struct scene *s)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1, v2;
    struct code *old = s->prop = make(s, &v1), *new = make(s, &v2);
    uint64_t pid = scene_spawn(s, &v1, 0);
    scene_send(s, pid, TAKE);
    cast_swap(s, pid, &v2, 0, told);
    scene_await(s, was_told);
    scene_send(s, pid, TAKE); /* it goes on, and takes what comes */
    scene_send(s, pid, RETURN);
    scene_send(s, pid, TAKE);
    cast_expect(s, told, IRIS_OK, NULL);
    scene_settle(s);
    assert_int_equal(new->adopts, 1);
    assert_int_equal(old->taken + new->taken, 4);
    assert_int_equal(old->finis, 1);
    assert_int_equal(old->off, 0);
    assert_int_equal(cast_info(s, pid).rev, 2);
}

/* The time is over: the old one goes on, also with what was sent after the swap, and may be swapped again. */
static void does_not_return(struct scene *s)
{
    struct verdict *told = scene_memory(s, 3 * sizeof *told);
    iris_behaviour v1, v2;
    struct code *old = s->prop = make(s, &v1), *new = make(s, &v2);
    uint64_t pid = scene_spawn(s, &v1, 0);
    cast_swap(s, pid, &v2, 0, &told[0]);
    scene_send(s, pid, TAKE);
    cast_expect(s, &told[0], IRIS_FAIL, "within 5.0 s; the old version goes on");
    scene_await(s, is_off);
    scene_send(s, pid, RETURN);
    scene_settle(s);
    assert_int_equal(old->handover, IRIS_EMPTY);
    assert_int_equal(old->taken, 2);
    assert_int_equal(cast_info(s, pid).rev, 1);
    old->told = 0;
    cast_swap(s, pid, &v2, 0, &told[1]);
    cast_swap(s, pid, &v1, 0, &told[2]); /* one after the other */
    scene_await(s, was_told);
    scene_send(s, pid, RETURN);
    cast_expect(s, &told[1], IRIS_FAIL, "within 5.0 s");
    cast_expect(s, &told[2], IRIS_OK, NULL); /* RETURN stands behind it */
    scene_settle(s);
    assert_int_equal(new->adopts, 0);
    assert_int_equal(old->adopts, 1);
}

static void taken_back(struct scene *s)
{
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    struct verdict *told = scene_memory(s, 3 * sizeof *told);
    iris_behaviour v1, v2;
    struct code *old = s->prop = make(s, &v1), *new = make(s, &v2);
    uint64_t pid = scene_spawn(s, &v1, 0);
    cast_swap(s, pid, &v2, 0, &told[2]);
    scene_await(s, was_told);
    assert_int_equal(control->cancel(s->self, pid), 1);
    scene_await(s, is_off);
    old->told = old->off = 0;
    cast_swap(s, pid, &v2, 0, &told[0]);
    scene_await(s, was_told);
    old->told = 0;
    cast_swap(s, pid, &v2, 1, &told[1]); /* now: instead of that */
    cast_expect(s, &told[0], IRIS_FAIL, "cancelled");
    scene_await(s, was_told);
    scene_send(s, pid, RETURN);
    cast_expect(s, &told[1], IRIS_OK, NULL);
    scene_settle(s);
    assert_int_equal(new->adopts, 1);
}

/* It has returned, and the new one does not want: it is told, and begins again. */
static void refused(struct scene *s)
{
    struct verdict *told = scene_memory(s, 2 * sizeof *told);
    iris_behaviour v1, v2;
    struct code *old = s->prop = make(s, &v1), *new = make(s, &v2);
    new->refuses = 1;
    uint64_t pid = scene_spawn(s, &v1, 0);
    cast_swap(s, pid, &v2, 0, told);
    scene_await(s, was_told);
    scene_send(s, pid, RETURN);
    cast_expect(s, told, IRIS_FAIL, "not with me");
    scene_await(s, is_off);
    assert_int_equal(old->handover, IRIS_OK);
    scene_send(s, pid, TAKE);
    scene_settle(s);
    assert_int_equal(old->taken, 2);
    iris_behaviour other = cast_plain(cast_ledger(s));
    cast_swap(s, pid, &other, 0, &told[1]);
    cast_expect(s, &told[1], IRIS_FAIL, "are of two kinds");
    assert_int_equal(old->told, 1); /* at once, and nobody was bothered */
}

/* Who begins anew is told anew. */
static void restarted(struct scene *s)
{
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour v1, v2;
    struct code *old = s->prop = make(s, &v1), *new = make(s, &v2);
    uint64_t pid = cast_supervise(s, &v1, "/a", RESTART_ON_FAILURE);
    cast_swap(s, pid, &v2, 0, told);
    scene_await(s, was_told);
    old->told = 0;
    scene_send(s, pid, CRASH);
    scene_await(s, was_told);
    assert_int_equal(old->inits, 2);
    scene_send(s, pid, RETURN);
    cast_expect(s, told, IRIS_OK, NULL);
    scene_settle(s);
    assert_int_equal(new->adopts, 1);
}

static void ended(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct verdict *told = scene_memory(s, 3 * sizeof *told);
    for (int how = 0; how < 3; how++) {
        iris_behaviour v1, v2;
        struct code *old = s->prop = make(s, &v1);
        make(s, &v2);
        uint64_t pid = scene_spawn(s, &v1, 0);
        cast_swap(s, pid, &v2, 0, &told[how]);
        scene_await(s, was_told);
        if (how == 0)
            watch->kill(s->self, pid);
        else if (how == 1)
            watch->stop(s->self, pid);
        else
            scene_send(s, pid, EXIT);
        cast_expect(s, &told[how], IRIS_DEAD, "ended first");
        cast_await_end(s, pid);
        scene_settle(s);
        assert_int_equal(old->cancels, how == 0); /* with nothing open */
        assert_int_equal(old->finis, 1);
    }
    assert_int_equal(scene_count(s).versions, 0);
}

#define PLAY(play)                        \
    static void play##_test(void **state) \
    {                                     \
        (void)state;                      \
        scene_play(play);                 \
    }
PLAY(returns)
PLAY(taken_back)
PLAY(refused)
PLAY(restarted)
PLAY(ended)

static void does_not_return_test(void **state)
{
    (void)state;
    scene_play_seeds(does_not_return);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p3.runs_on.it_is_told_and_swapped_when_it_returns", returns_test),
    IRIS_TEST("p3.runs_on.who_does_not_return_in_time_goes_on", does_not_return_test),
    IRIS_TEST("p3.runs_on.it_is_told_what_was_taken_back", taken_back_test),
    IRIS_TEST("p3.runs_on.a_refusal_lets_the_old_one_begin_again", refused_test),
    IRIS_TEST("p3.runs_on.a_restart_is_told_anew", restarted_test),
    IRIS_TEST("p3.runs_on.an_end_refuses_what_was_offered_and_a_kill_cancels", ended_test),
};
IRIS_MAIN(tests)
