/* P8: what a restart takes is given back: after a million no more memory is in use than before. */
#include "main.h"

#include "cast.h"

#include "runtime.h"

#include <malloc.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { MILLION = 20000 }; /* they look for leaks in their own way */
#else
enum { MILLION = 1000000 };
#endif

enum { WARM_UP = 2000, MEMBERS = 3 };

struct patient {
    iris_behaviour b;
    uint64_t pid;
    long left, begun;
};

/* It crashes again as soon as it has begun, as often as it is to. */
static int begins(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct patient *p = b->data;
    (void)args;
    p->begun++;
    if (p->left && p->left--)
        iris_calls()->send(self, iris_calls()->pid(self), "crash", 5, 0);
    *state = malloc(100);
    return *state ? IRIS_OK : IRIS_FAIL;
}

static void ends(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int crashes(const iris_behaviour *b, iris_actor *self, void *state,
                   const iris_message *const *m, int n)
{
    (void)b, (void)self, (void)state, (void)m, (void)n;
    return (iris_calls()->fail)("as it was told to, with a reason of some length"), ~0;
}

static struct patient *enter(struct scene *s, const char *path)
{
    struct patient *p = scene_memory(s, sizeof *p);
    p->b = (iris_behaviour){.size = sizeof p->b,
                            .abi = IRIS_ABI,
                            .name = "patient",
                            .version = "1",
                            .data = p,
                            .init = begins,
                            .handle = crashes,
                            .fini = ends};
    p->pid = cast_supervise(s, &p->b, path, RESTART_ON_FAILURE);
    scene_settle(s);
    return p;
}

static void supervise(struct scene *s, const char *path, struct policy p)
{
    p.intensity = 2 * MILLION;
    p.period = 5 * IRIS_SECOND;
    assert_int_equal(iris__supervisor_add(&s->rt->supervisors, path, &p), IRIS_OK);
}

static void crash(struct scene *s, struct patient *p, long times)
{
    long before = p->begun;
    p->left = times - 1;
    assert_int_equal(s->api->send(s->self, p->pid, "crash", 5, 0), IRIS_OK);
    scene_settle(s);
    assert_int_equal(p->begun - before, times);
}

/* Alone, all of a supervisor, and after a backoff. */
static void crash_all(struct scene *s, struct patient *const *p, long times)
{
    crash(s, p[0], times * 6 / 10);
    crash(s, p[1], times * 3 / 10 / MEMBERS);
    crash(s, p[2], times / 10);
}

static size_t in_use(void)
{
    struct mallinfo2 m = mallinfo2(); /* a seeded runtime is of one thread, and so of one arena */
    return m.uordblks + m.hblkhd;
}

static void hear(struct scene *s, const iris_event *e)
{
    (void)s, (void)e; /* so that events are made */
}

static void leave_nothing(struct scene *s)
{
    supervise(s, "/one", (struct policy){.strategy = ONE_FOR_ONE});
    supervise(s, "/all", (struct policy){.strategy = ONE_FOR_ALL});
    supervise(s, "/late",
              (struct policy){.backoff = {.initial = IRIS_MILLISECOND,
                                          .max = 10 * IRIS_MILLISECOND,
                                          .factor = 2,
                                          .reset_after = IRIS_SECOND}});
    struct patient *others[MEMBERS - 1] = {enter(s, "/all/a"), enter(s, "/all/b")};
    struct patient *p[] = {enter(s, "/one/a"), enter(s, "/all/c"), enter(s, "/late/a")};
    crash_all(s, p, WARM_UP);
    size_t before = in_use();
    crash_all(s, p, MILLION);
    size_t after = in_use();
    assert_int_equal(others[0]->begun, p[1]->begun);
    assert_int_equal(cast_info(s, p[0]->pid).restarts, p[0]->begun - 1);
    assert_int_equal(scene_count(s).actors, 5);
    if (after > before + 1024)
        fail_msg("%zu bytes in use before, %zu after", before, after);
}

static void test_leave_nothing(void **state)
{
    struct scene s = {0};
    (void)state;
    scene_listen(hear);
    scene_open(&s, 0, 1);
    leave_nothing(&s);
    scene_close(&s);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p8.a_million_restarts_leave_nothing", test_leave_nothing),
};

IRIS_MAIN(tests)
