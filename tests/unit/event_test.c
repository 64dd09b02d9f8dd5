/* What an event says beside its words: which message crashed which code, and what its supervisor made
 * of that. */
#include "main.h"

#include "cast.h"

#include <pthread.h>
#include <string.h>

enum { KEPT = 64 };

struct kept { /* texts of an event are borrowed: what is looked at is copied */
    iris_event e;
    char path[64], text[256], handler[64], supervisor[64];
    unsigned char bytes[64];
};

static struct {
    pthread_mutex_t lock;
    int n;
    struct kept list[KEPT];
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep(struct scene *s, const iris_event *e)
{
    (void)s;
    pthread_mutex_lock(&heard.lock);
    if (heard.n < KEPT) {
        struct kept *k = &heard.list[heard.n++];
        k->e = *e;
        snprintf(k->path, sizeof k->path, "%s", e->path);
        snprintf(k->text, sizeof k->text, "%s", e->text);
        snprintf(k->handler, sizeof k->handler, "%s", e->handler);
        snprintf(k->supervisor, sizeof k->supervisor, "%s", e->supervisor);
        memcpy(k->bytes, e->excerpt.data ? e->excerpt.data : "", e->excerpt.len);
    }
    pthread_mutex_unlock(&heard.lock);
}

static const struct kept *find(uint32_t kind, int which)
{
    for (int i = 0; i < heard.n; i++)
        if (heard.list[i].e.kind == kind && !which--)
            return &heard.list[i];
    fail_msg("no event of kind %u", kind);
    return NULL;
}

static void play_with(void (*play)(struct scene *))
{
    scene_listen(keep);
    scene_play(play);
    scene_listen(NULL);
}

/* ---- a crash ---- */

static int picky(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    (void)b, (void)self, (void)state;
    for (int i = 0; i < n; i++)
        if (m[i]->len > 8)
            return (iris_calls()->fail)("too long\n  line 2"), ~i;
    return n;
}

static void crashes(struct scene *s)
{
    char large[200];
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "picky", .handle = picky};
    b.version = "1.2";
    b.state_version = 7;
    heard.n = 0;
    memset(large, 'x', sizeof large);
    uint64_t pid = cast_supervise(s, &b, "/picky", RESTART_ON_FAILURE);
    for (int i = 0; i < 5; i++)
        scene_send(s, pid, 1);
    assert_int_equal(s->api->send(s->self, pid, large, sizeof large, 0), IRIS_OK);
    scene_send(s, pid, 1);
    assert_int_equal(s->api->send(s->self, pid, "nine bytes", 9, 0), IRIS_OK);
    scene_settle(s);

    const struct kept *k = find(IRIS_EVENT_CRASHED, 0);
    assert_string_equal(k->path, "/picky");
    assert_string_equal(k->text, "crash: too long\n  line 2");
    assert_string_equal(k->handler, "picky");
    assert_int_equal(k->e.pid, pid);
    assert_int_equal(k->e.rev, 1);
    assert_int_equal(k->e.state_version, 7);
    assert_int_equal(k->e.message, 6);
    assert_int_equal(k->e.messages, 1);
    assert_int_equal(k->e.from, 0);
    assert_int_equal(k->e.len, sizeof large);
    assert_int_equal(k->e.excerpt.len, 64);
    assert_memory_equal(k->bytes, large, 64);

    k = find(IRIS_EVENT_CRASHED, 1); /* those that crashed it count */
    assert_int_equal(k->e.message, 8);
    assert_int_equal(k->e.excerpt.len, 9);
    assert_memory_equal(k->bytes, "nine byte", 9);
}

static void p4_crash(void **state)
{
    (void)state;
    play_with(crashes);
}

/* ---- what follows ---- */

static void decides(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "picky", .handle = picky};
    heard.n = 0;
    uint64_t pid = cast_supervise(s, &b, "/picky", RESTART_ON_FAILURE);
    for (int i = 0; i < 4; i++)
        assert_int_equal(s->api->send(s->self, pid, "nine bytes", 9, 0), IRIS_OK);
    scene_settle(s);
    for (int i = 0; i < 3; i++) {
        const struct kept *k = find(IRIS_EVENT_DECIDED, i);
        assert_string_equal(k->path, "/picky");
        assert_string_equal(k->supervisor, "/");
        assert_string_equal(k->text, i == 0   ? "/: restart 1 of 3 within 5.0 s"
                                     : i == 1 ? "/: restart 2 of 3 within 5.0 s"
                                              : "/: restart 3 of 3 within 5.0 s");
        assert_int_equal(k->e.decision, IRIS_DECIDED_RESTART);
        assert_int_equal(k->e.count, i + 1);
        assert_int_equal(k->e.limit, 3);
        assert_int_equal(k->e.period, 5 * IRIS_SECOND);
        assert_true(k < find(IRIS_EVENT_RESTARTED, i) && k > find(IRIS_EVENT_CRASHED, i));
    }
    const struct kept *last = find(IRIS_EVENT_DECIDED, 3);
    assert_int_equal(last->e.decision, IRIS_DECIDED_EXIT);
    assert_string_equal(last->supervisor, "/");
}

static void p6_decided(void **state)
{
    (void)state;
    play_with(decides);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p4.a_crash_tells_which_message_and_which_code", p4_crash),
    IRIS_TEST("p6.what_a_supervisor_decides_is_told_with_its_numbers", p6_decided),
};
IRIS_MAIN(tests)
