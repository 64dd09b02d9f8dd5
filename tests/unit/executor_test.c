/* P3 across executors: save on the old thread, upgrade on the new one, fini on the old one; and what an
 * executor promises its driver. */
#include "main.h"

#include "cast.h"

#include <string.h>

/* Which driver's thread this is: set by enter, cleared by leave. */
static __thread const char *here;

static void enter(const iris_driver *d)
{
    here = d->data;
}

static void leave(const iris_driver *d)
{
    (void)d;
    here = NULL;
}

static iris_executor *open_executor(struct scene *s, const char *name)
{
    iris_driver d = {.size = sizeof d,
                     .abi = IRIS_ABI,
                     .name = name,
                     .data = (void *)name,
                     .enter = enter,
                     .leave = leave};
    iris_executor *x = NULL;
    assert_int_equal(s->api->open(s->self, &d, &x), IRIS_OK);
    return x;
}

/* A counter that writes down on whose thread each call came. */
struct trip {
    struct ledger ledger; /* first: the counter's own functions see it as that */
    _Atomic(const char *) init, handle, save, upgrade, fini, freed;
    iris_behaviour counter;
};

static int trip_init(const iris_behaviour *b, iris_actor *a, iris_bytes args, void **state)
{
    struct trip *t = b->data;
    t->init = here;
    return t->counter.init(b, a, args, state);
}

static int trip_handle(const iris_behaviour *b, iris_actor *a, void *state,
                       const iris_message *const *m, int n)
{
    struct trip *t = b->data;
    t->handle = here;
    return t->counter.handle(b, a, state, m, n);
}

static int trip_save(const iris_behaviour *b, iris_actor *a, const void *state, iris_sink *sink)
{
    struct trip *t = b->data;
    t->save = here;
    return t->counter.save(b, a, state, sink);
}

static int trip_upgrade(const iris_behaviour *b, iris_actor *a, uint32_t from, iris_bytes saved,
                        void **state)
{
    struct trip *t = b->data;
    t->upgrade = here;
    return t->counter.upgrade(b, a, from, saved, state);
}

static void trip_fini(const iris_behaviour *b, iris_actor *a, void *state)
{
    struct trip *t = b->data;
    t->fini = here;
    t->counter.fini(b, a, state);
}

static void trip_free(const iris_behaviour *b)
{
    struct trip *t = b->data;
    t->freed = here;
    t->counter.free(b);
}

static iris_behaviour traveller(struct scene *s, iris_executor *x, struct trip **out)
{
    struct trip *t = *out = scene_memory(s, sizeof *t);
    t->counter = cast_counter(&t->ledger);
    t->ledger.gaps = 1;
    iris_behaviour b = t->counter;
    b.executor = x;
    b.init = trip_init;
    b.handle = trip_handle;
    b.save = trip_save;
    b.upgrade = trip_upgrade;
    b.fini = trip_fini;
    b.free = trip_free;
    return b;
}

static void end(struct scene *s, uint64_t pid)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    assert_int_equal(watch->stop(s->self, pid), IRIS_OK);
    cast_await_end(s, pid);
    scene_settle(s); /* what is to be freed on its thread */
}

static void three_hops(struct scene *s)
{
    iris_executor *x = open_executor(s, "x"), *y = open_executor(s, "y");
    struct trip *t[3];
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour b[3] = {traveller(s, x, &t[0]), traveller(s, y, &t[1]),
                           traveller(s, NULL, &t[2])};
    uint64_t pid = scene_spawn(s, &b[0], 0);
    for (uint64_t i = 1; i <= 50; i++)
        scene_send(s, pid, cast_number(0, i));
    cast_swap(s, pid, &b[1], 0, told);
    for (uint64_t i = 51; i <= 90; i++)
        scene_send(s, pid, cast_number(0, i));
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 90);
    cast_swap(s, pid, &b[2], 1, told);
    cast_expect(s, told, IRIS_OK, NULL);
    assert_int_equal(scene_ask(s, pid, "count"), 90);
    end(s, pid);
    assert_string_equal(t[0]->init, "x");
    assert_string_equal(t[0]->handle, "x");
    assert_string_equal(t[0]->save, "x");
    assert_string_equal(t[0]->fini, "x");
    assert_string_equal(t[0]->freed, "x");
    assert_int_equal(t[0]->ledger.handled, 50);
    assert_string_equal(t[1]->upgrade, "y");
    assert_string_equal(t[1]->handle, "y");
    assert_string_equal(t[1]->save, "y");
    assert_string_equal(t[1]->fini, "y");
    assert_int_equal(t[1]->ledger.handled, 41);
    assert_null(t[2]->upgrade); /* the pool */
    assert_int_equal(t[2]->ledger.finis, 1);
    assert_int_equal(t[0]->ledger.disorder + t[1]->ledger.disorder, 0);
    s->api->close(x);
    s->api->close(y);
}

static void a_failure_goes_back(struct scene *s)
{
    iris_executor *x = open_executor(s, "x"), *y = open_executor(s, "y");
    struct trip *t[2];
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour b[2] = {traveller(s, x, &t[0]), traveller(s, y, &t[1])};
    t[1]->ledger.upgrade_fails = "not here";
    uint64_t pid = scene_spawn(s, &b[0], 0);
    for (uint64_t i = 1; i <= 30; i++) {
        scene_send(s, pid, cast_number(0, i));
        if (i == 15)
            cast_swap(s, pid, &b[1], 0, told);
    }
    cast_expect(s, told, IRIS_FAIL, "not here");
    assert_int_equal(scene_ask(s, pid, "count"), 30);
    assert_string_equal(t[0]->handle, "x");
    assert_string_equal(t[1]->upgrade, "y");
    assert_int_equal(t[0]->ledger.finis, 0);
    end(s, pid);
    assert_string_equal(t[0]->fini, "x");
    s->api->close(x);
    s->api->close(y);
}

/* Killed in the middle of the way: it ends where it arrives, and the swap was told once. */
static void an_end_on_the_way(struct scene *s)
{
    iris_executor *x = open_executor(s, "x"), *y = open_executor(s, "y");
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    struct trip *t[2];
    struct verdict *told = scene_memory(s, 12 * sizeof *told);
    iris_behaviour b[2] = {traveller(s, x, &t[0]), traveller(s, y, &t[1])};
    for (int i = 0; i < 12; i++) {
        uint64_t pid = scene_spawn(s, &b[0], 0);
        int asked = cast_swap(s, pid, &b[1], i % 2, &told[i]);
        cast_run(s, i);
        watch->kill(s->self, pid);
        cast_await_end(s, pid);
        scene_settle(s);
        assert_int_equal(told[i].told, asked == IRIS_OK);
    }
    assert_int_equal(t[0]->ledger.inits + t[1]->ledger.upgrades,
                     t[0]->ledger.finis + t[1]->ledger.finis);
    s->api->close(x);
    s->api->close(y);
}

/* Twenty actors that swap between three executors while two others send to all of them. */
static void many_travellers(struct scene *s)
{
    iris_executor *x = open_executor(s, "x"), *y = open_executor(s, "y");
    struct trip *t[3];
    iris_behaviour b[3] = {traveller(s, x, &t[0]), traveller(s, y, &t[1]),
                           traveller(s, NULL, &t[2])};
    struct ledger *sent = cast_ledger(s);
    uint64_t pid[10];
    for (int i = 0; i < 3; i++)
        t[i]->ledger.gaps = 1, b[i].data = t[0]; /* one ledger */
    for (int i = 0; i < 10; i++)
        pid[i] = scene_spawn(s, &b[i % 3], 0);
    for (int i = 0; i < 10; i++)
        cast_senders(s, sent, pid[i], 2, 40);
    for (int round = 0; round < 60; round++) {
        cast_run(s, 10);
        cast_swap(s, pid[round % 10], &b[(round + round / 10) % 3], round % 4 == 0, NULL);
    }
    scene_settle(s);
    assert_int_equal(t[0]->ledger.handled, 800);
    for (int i = 0; i < 10; i++)
        assert_int_equal(scene_ask(s, pid[i], "count"), 80);
    for (int i = 0; i < 10; i++)
        end(s, pid[i]);
    s->api->close(x);
    s->api->close(y);
}

/* ---- adopt: inside one host a state is handed over as it is ---- */

static struct {
    iris_actor *self;
    int answer, calls;
} adopter;

static int host_start(iris_actor *self, const char *config, void *arg, void **host)
{
    (void)config, (void)arg;
    adopter.self = self;
    *host = &adopter;
    return IRIS_OK;
}

static int host_load(void *host, const iris_source *source, iris_version **out)
{
    (void)host, (void)source, (void)out;
    return (iris_calls()->fail)("it loads nothing");
}

static void host_stop(void *host)
{
    (void)host;
}

static const iris_host host = {.size = sizeof host,
                               .abi = IRIS_ABI,
                               .runtime = "adopter 1",
                               .suffixes = ".adopt",
                               .start = host_start,
                               .load = host_load,
                               .stop = host_stop};

static const iris_plugin plugin = {
    .size = sizeof plugin, .abi = IRIS_ABI, .name = "adopter", .version = "1", .host = &host};

static const iris_plugin *entry(const iris_api *api)
{
    (void)api;
    return &plugin;
}

static int adopt(const iris_behaviour *b, iris_actor *a, const iris_behaviour *old, void **state)
{
    (void)b, (void)a, (void)old;
    adopter.calls++;
    if (adopter.answer == IRIS_FAIL)
        return (iris_calls()->fail)("of another house");
    assert_non_null(*state);
    return adopter.answer;
}

static void adopted(struct scene *s, int answer, int result, const char *words, int saves)
{
    struct ledger *l = cast_ledger(s);
    struct verdict *told = scene_memory(s, sizeof *told);
    iris_behaviour b = cast_counter(l);
    b.adopt = adopt;
    adopter.answer = answer;
    adopter.calls = 0;
    iris_actor *outside = s->self;
    s->self = adopter.self; /* the host defines */
    uint64_t pid = scene_spawn(s, &b, 0);
    scene_send(s, pid, cast_number(0, 1));
    assert_int_equal(cast_swap(s, pid, &b, 0, told), IRIS_OK);
    s->self = outside;
    cast_expect(s, told, result, words);
    assert_int_equal(scene_ask(s, pid, "count"), 1);
    assert_int_equal(adopter.calls, 1);
    assert_int_equal(l->saves, saves);
    assert_int_equal(l->finis, saves);
    assert_string_equal(cast_info(s, pid).host, "adopter");
}

static void adoptions(struct scene *s)
{
    assert_int_equal(iris_attach(s->rt, entry, NULL, NULL), IRIS_OK);
    adopted(s, IRIS_OK, IRIS_OK, NULL, 0);
    adopted(s, IRIS_AGAIN, IRIS_OK, NULL, 1);
    adopted(s, IRIS_FAIL, IRIS_FAIL, "of another house", 0);
}

/* ---- jobs ---- */

struct errand {
    iris_job job;
    const char *where;
    atomic_int done;
};

static void run_errand(iris_job *job)
{
    struct errand *e = (struct errand *)job;
    e->where = here;
    atomic_store(&e->done, 1);
}

static int is_run(struct scene *s)
{
    return atomic_load(&((struct errand *)s->prop)->done);
}

static void jobs_run_on_their_thread(struct scene *s)
{
    iris_executor *x = open_executor(s, "x");
    for (int i = 0; i < 20; i++) {
        struct errand *e = s->prop = scene_memory(s, sizeof *e);
        e->job.run = run_errand;
        s->api->post(x, &e->job);
        scene_await(s, is_run);
        assert_string_equal(e->where, "x");
    }
    s->api->close(x);
}

static void p3_hops(void **state)
{
    (void)state;
    scene_play(three_hops);
}

static void p3_back(void **state)
{
    (void)state;
    scene_play(a_failure_goes_back);
}

static void p3_end(void **state)
{
    (void)state;
    scene_play(an_end_on_the_way);
}

static void p3_many(void **state)
{
    (void)state;
    scene_play(many_travellers);
}

static void p3_adopt(void **state)
{
    (void)state;
    scene_play(adoptions);
}

static void executor_jobs(void **state)
{
    (void)state;
    scene_play(jobs_run_on_their_thread);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p3.a_swap_across_executors_saves_upgrades_and_ends_each_on_its_own_thread", p3_hops),
    IRIS_TEST("p3.a_swap_across_executors_that_fails_goes_back", p3_back),
    IRIS_TEST("p3.an_actor_killed_between_executors_tells_once_and_ends_its_state", p3_end),
    IRIS_TEST("p3.ten_actors_travel_between_three_executors_under_fire", p3_many),
    IRIS_TEST("p3.inside_one_host_a_state_is_adopted_or_saved_or_refused", p3_adopt),
    IRIS_TEST("executor.jobs_run_on_its_thread", executor_jobs),
};
/* clang-format on */
IRIS_MAIN(tests)
