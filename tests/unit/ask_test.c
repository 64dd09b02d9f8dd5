/* Asks: one question, one answer, and no ask waits for ever. */
#include "main.h"

#include "cast.h"

#include <string.h>

static int ask_wait(struct scene *s, uint64_t pid, const char *text, int64_t timeout)
{
    const iris_message *m = NULL;
    int result = iris_ask_wait(s->rt, pid, text, strlen(text), timeout, &m);
    if (result == IRIS_OK)
        s->api->drop(m);
    else
        assert_null(m);
    return result;
}

/* Answers as it is asked to. */
static int oracle_handle(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    const iris_api *api = iris_calls();
    uint64_t *kept = b->data;
    (void)state;
    for (int i = 0; i < n; i++)
        switch (*(const char *)m[i]->data) {
        case 'c':
            return (api->fail)("asked to"), ~i;
        case 'e':
            return api->exit(self, NULL), n;
        case 'k': /* keeps the address, and never answers in time */
            *kept = m[i]->ref;
            break;
        case 'd': /* had no room for its answer, as hosts say */
            ((const iris_ask *)api->extension(IRIS_ASK))->dropped(self, m[i]->ref);
            break;
        case 'f': /* lets another one answer */
            api->send(self, kept[1], "go", 2, m[i]->ref);
            break;
        default:
            api->send(self, m[i]->ref, m[i]->data, m[i]->len, 0);
        }
    return n;
}

static iris_behaviour oracle(struct scene *s, uint64_t **kept)
{
    *kept = scene_memory(s, 2 * sizeof **kept);
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "oracle",
                            .version = "1",
                            .data = *kept,
                            .handle = oracle_handle};
}

static void an_end_answers(struct scene *s)
{
    uint64_t *kept;
    iris_behaviour b = oracle(s, &kept);
    assert_int_equal(ask_wait(s, scene_spawn(s, &b, 0), "yes", 20 * IRIS_SECOND), IRIS_OK);
    assert_int_equal(ask_wait(s, scene_spawn(s, &b, 0), "yes", INT64_MAX), IRIS_OK);
    assert_int_equal(ask_wait(s, scene_spawn(s, &b, 0), "crash", 3600 * IRIS_SECOND), IRIS_DEAD);
    assert_string_equal(iris_reason(), "crash: asked to");
    uint64_t pid = scene_spawn(s, &b, 0);
    s->api->send(s->self, pid, "e", 1, 0);
    s->api->send(s->self, pid, "k", 1, 0); /* queued behind the end: a dead letter */
    int result = ask_wait(s, pid, "too late", 3600 * IRIS_SECOND);
    assert_int_equal(result, IRIS_DEAD);
    assert_int_equal(ask_wait(s, 12345, "nobody", 20 * IRIS_SECOND), IRIS_DEAD);
}

static void its_answer_is_dropped(struct scene *s)
{
    uint64_t *kept;
    iris_behaviour b = oracle(s, &kept);
    uint64_t pid = scene_spawn(s, &b, 0);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(ask_wait(s, pid, "dropped", 3600 * IRIS_SECOND), IRIS_DEAD);
        assert_string_equal(iris_reason(), "dropped: there was no room for the answer");
        assert_int_equal(scene_count(s).dropped, i);
    }
    assert_int_equal(scene_count(s).dead_letters, 2);
}

static void time_passes(struct scene *s)
{
    uint64_t *kept;
    iris_behaviour b = oracle(s, &kept);
    uint64_t pid = scene_spawn(s, &b, 0);
    assert_int_equal(ask_wait(s, pid, "keep", 5 * IRIS_MILLISECOND), IRIS_EMPTY);
    scene_settle(s);
    assert_int_not_equal(*kept, 0);
    assert_int_equal(s->api->send(s->self, *kept, "late", 4, 0), IRIS_DEAD);
    assert_int_equal(scene_count(s).actors, 1); /* its place is free */
}

static void another_answers(struct scene *s)
{
    uint64_t *kept[2];
    iris_behaviour b[2] = {oracle(s, &kept[0]), oracle(s, &kept[1])};
    kept[0][1] = scene_spawn(s, &b[1], 0);
    uint64_t pid = scene_spawn(s, &b[0], 0);
    assert_int_equal(ask_wait(s, pid, "forward", 20 * IRIS_SECOND), IRIS_OK);
}

/* The address of an ask is a pid; whoever has it can do no harm with it. */
static void an_address_is_no_actor(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    uint64_t *kept;
    iris_behaviour b = oracle(s, &kept);
    struct ledger *l = cast_ledger(s);
    iris_behaviour other = cast_plain(l);
    uint64_t pid = scene_spawn(s, &b, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask_wait(s, pid, "keep", IRIS_MILLISECOND), IRIS_EMPTY);
        scene_settle(s);
        assert_int_equal(watch->stop(s->self, *kept), IRIS_DEAD);
        assert_int_equal(watch->kill(s->self, *kept), IRIS_DEAD);
        assert_int_equal(name->set(s->self, "port", *kept), IRIS_DEAD);
        assert_int_equal(cast_swap(s, *kept, &other, 1, NULL), IRIS_DEAD);
    }
}

/* Stops, kills and names whatever address it is asked from, then answers. */
static int vandal_handle(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    const iris_api *api = iris_calls();
    const iris_watch *watch = api->extension(IRIS_WATCH);
    const iris_name *name = api->extension(IRIS_NAME);
    atomic_int *harm = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        *harm += watch->stop(self, m[i]->ref) == IRIS_OK;
        *harm += watch->kill(self, m[i]->ref) == IRIS_OK;
        *harm += name->set(self, "mine", m[i]->ref) == IRIS_OK;
        api->send(self, m[i]->ref, "still", 5, 0);
    }
    return n;
}

static void vandals(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "vandal",
                        .data = scene_memory(s, sizeof(atomic_int)),
                        .handle = vandal_handle};
    uint64_t pid = scene_spawn(s, &b, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask_wait(s, pid, "x", 20 * IRIS_SECOND), IRIS_OK);
    assert_int_equal(*(atomic_int *)b.data, 0);
}

/* ---- answers that come as jobs ---- */

struct query {
    iris_answer answer; /* first */
    atomic_int *come;
};

static void on_answer(iris_job *job)
{
    struct query *q = (struct query *)job;
    if (q->answer.message)
        iris_calls()->drop(q->answer.message);
    atomic_fetch_add(q->come, 1);
}

static int all_came(struct scene *s)
{
    return *(atomic_int *)s->prop == 200;
}

/* Of two hundred asks a third is answered, a third crashes or ends, a third is left to time. */
static void every_ask_ends_once(struct scene *s)
{
    static const char *const texts[] = {"yes", "crash", "keep", "exit", "keep", "no"};
    const iris_ask *ext = cast_extension(s, IRIS_ASK);
    atomic_int *come = s->prop = scene_memory(s, sizeof *come);
    uint64_t *kept;
    iris_behaviour b = oracle(s, &kept);
    uint64_t pid = 0;
    for (int i = 0; i < 200; i++) {
        struct query *q = scene_memory(s, sizeof *q);
        q->come = come;
        q->answer.job.run = on_answer;
        if (i % 4 == 0)
            pid = scene_spawn(s, &b, 0);
        int result =
            ext->ask(s->self, pid, texts[i % 6], 2, (i % 3) * IRIS_MILLISECOND, &q->answer);
        if (result != IRIS_OK)
            atomic_fetch_add(come, 1);
        cast_run(s, i % 3);
    }
    scene_await(s, all_came);
    scene_settle(s);
    assert_int_equal(*come, 200);
}

/* ---- who asks may change its mind ---- */

struct mind {
    iris_answer answer;
    iris_actor *self;
    uint64_t id;
    atomic_int told;
};

static void note_end(iris_job *job)
{
    struct mind *k = (struct mind *)job;
    if (k->answer.message)
        iris_calls()->drop(k->answer.message);
    atomic_fetch_add(&k->told, 1);
}

static void ask_one(struct scene *s, struct mind *k, uint64_t pid, const char *text)
{
    const iris_ask *ask = cast_extension(s, IRIS_ASK);
    k->answer.job.run = note_end;
    assert_int_equal(
        ask->ask_id(s->self, pid, text, strlen(text), 3600 * IRIS_SECOND, &k->answer, &k->id),
        IRIS_OK);
}

static void is_cancelled(struct scene *s)
{
    const iris_ask *ask = cast_extension(s, IRIS_ASK);
    uint64_t *kept;
    iris_behaviour b = oracle(s, &kept);
    struct mind *k = scene_memory(s, sizeof *k);
    uint64_t pid = scene_spawn(s, &b, 0);
    ask_one(s, k, pid, "keep");
    assert_int_equal(ask->cancel(s->self, k->id), IRIS_OK);
    assert_int_equal(k->told, 1);
    assert_int_equal(k->answer.result, IRIS_CLOSED);
    assert_null(k->answer.message);
    assert_int_equal(ask->cancel(s->self, k->id), IRIS_DEAD);
    assert_int_equal(ask->cancel(s->self, pid), IRIS_DEAD);
    assert_int_equal(ask->cancel(s->self, 0), IRIS_DEAD);
    scene_settle(s); /* nothing is awaited any more */
    assert_int_equal(*kept, k->id);
    assert_int_equal(s->api->send(s->self, *kept, "late", 4, 0), IRIS_DEAD);
    assert_int_equal(k->told, 1);
}

/* Against answers that are on their way: each is told once, and as cancel() has said. */
static void cancels_race(struct scene *s)
{
    enum { ASKS = 200 };
    const iris_ask *ask = cast_extension(s, IRIS_ASK);
    uint64_t *kept;
    iris_behaviour b = oracle(s, &kept);
    struct mind *k = scene_memory(s, ASKS * sizeof *k);
    uint64_t pid = scene_spawn(s, &b, 0);
    int results[ASKS];
    for (int i = 0; i < ASKS; i++) {
        ask_one(s, &k[i], pid, "yes");
        cast_run(s, i % 3);
        results[i] = ask->cancel(s->self, k[i].id);
    }
    scene_settle(s);
    for (int i = 0; i < ASKS; i++) {
        assert_int_equal(k[i].told, 1);
        assert_int_equal(k[i].answer.result, results[i] == IRIS_OK ? IRIS_CLOSED : IRIS_OK);
    }
}

static void by_name(struct scene *s)
{
    const iris_ask *ask = cast_extension(s, IRIS_ASK);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    uint64_t *kept;
    iris_behaviour b = oracle(s, &kept);
    struct mind *k = scene_memory(s, sizeof *k);
    k->answer.job.run = note_end;
    assert_int_equal(name->set(s->self, "/oracle", scene_spawn(s, &b, 0)), IRIS_OK);
    assert_int_equal(
        ask->ask_name(s->self, "/oracle", "yes", 3, 20 * IRIS_SECOND, &k->answer, &k->id), IRIS_OK);
    scene_settle(s);
    assert_int_equal(k->told, 1);
    assert_int_equal(k->answer.result, IRIS_OK);
    assert_int_equal(
        ask->ask_name(s->self, "/nobody", "yes", 3, 20 * IRIS_SECOND, &k->answer, &k->id),
        IRIS_DEAD);
}

/* It would wait for itself, or for who comes after it on its worker. */
static int waits_inside(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    struct scene *s = b->data;
    const iris_message *answer = NULL;
    (void)state;
    for (int i = 0; i < n; i++) {
        int result = iris_ask_wait(s->rt, iris_calls()->pid(self), "?", 1, INT64_MAX, &answer);
        int refused = result == IRIS_FAIL && strstr(iris_reason(), "from a handler");
        iris_calls()->send(self, m[i]->ref, refused ? "refused" : "waited", 7, 0);
    }
    return n;
}

static void no_wait_inside(struct scene *s)
{
    const iris_message *m = NULL;
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "inside", .data = s, .handle = waits_inside};
    uint64_t pid = scene_spawn(s, &b, 0);
    assert_int_equal(iris_ask_wait(s->rt, pid, "?", 1, 20 * IRIS_SECOND, &m), IRIS_OK);
    assert_memory_equal(m->data, "refused", 7);
    s->api->drop(m);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
PLAY(an_end_answers)
PLAY(its_answer_is_dropped)
PLAY(time_passes)
PLAY(another_answers)
PLAY(an_address_is_no_actor)
PLAY(vandals)
PLAY(every_ask_ends_once)
PLAY(is_cancelled)
PLAY(cancels_race)
PLAY(by_name)
PLAY(no_wait_inside)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p2.an_ask_of_an_actor_that_ends_or_crashes_is_told_at_once", test_an_end_answers),
    IRIS_TEST("p2.a_returned_answer_without_room_is_counted_and_its_asker_told", test_its_answer_is_dropped),
    IRIS_TEST("p2.an_answer_that_comes_too_late_is_refused", test_time_passes),
    IRIS_TEST("ask.another_actor_may_answer", test_another_answers),
    IRIS_TEST("p10.an_address_of_an_ask_that_is_over_is_nobody", test_an_address_is_no_actor),
    IRIS_TEST("p10.an_address_of_an_ask_cannot_be_stopped_killed_or_named", test_vandals),
    IRIS_TEST("ask.one_that_is_cancelled_is_told_closed", test_is_cancelled),
    IRIS_TEST("p2.a_cancelled_ask_ends_exactly_once_as_cancel_said", test_cancels_race),
    IRIS_TEST("ask.goes_by_name_and_path", test_by_name),
    IRIS_TEST("p10.waiting_for_an_answer_inside_a_handler_is_refused", test_no_wait_inside),
    IRIS_TEST("p2.every_ask_ends_exactly_once", test_every_ask_ends_once),
};
/* clang-format on */
IRIS_MAIN(tests)
