/* The calendar of timers says what a list that is looked through says, however far away they are. */
#include "main.h"

#include "calendar.h"
#include "random.h"

#include <string.h>

enum { MOST = 400, STEPS = 20000, SEEDS = 20 };

struct entry {
    struct timer *timer;
    int64_t deadline;
    uint64_t number; /* the how many-th that was put in */
};

struct play {
    struct calendar calendar;
    struct random random;
    struct entry entries[MOST];
    uint32_t n;
    uint64_t numbers;
    int64_t now;
};

/* From now to in a few years, the most within a second; some at the same moment. */
static int64_t some_time(struct play *p)
{
    uint32_t bits = 1 + iris__random_below(&p->random, iris__random_below(&p->random, 4) ? 30 : 57);
    if (p->n && !iris__random_below(&p->random, 8))
        return p->entries[iris__random_below(&p->random, p->n)].deadline;
    return p->now + (int64_t)(iris__random(&p->random) >> (64 - bits));
}

static void put(struct play *p)
{
    struct timer *e = iris__calendar_take(&p->calendar);
    assert_non_null(e);
    e->deadline = some_time(p);
    p->entries[p->n++] = (struct entry){e, e->deadline, p->numbers++};
    iris__calendar_put(&p->calendar, e);
}

static void forget(struct play *p, uint32_t i)
{
    struct timer *e = p->entries[i].timer;
    iris__calendar_remove(&p->calendar, e);
    iris__calendar_give(&p->calendar, e);
    p->entries[i] = p->entries[--p->n];
}

/* The index of the first; n: there is none. */
static uint32_t first(const struct play *p)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < p->n; i++) {
        const struct entry *a = &p->entries[i], *b = &p->entries[best];
        if (a->deadline < b->deadline || (a->deadline == b->deadline && a->number < b->number))
            best = i;
    }
    return best;
}

static void let_time_pass(struct play *p)
{
    int64_t to = some_time(p);
    p->now = to > p->now ? to : p->now;
    for (struct timer *e; (e = iris__calendar_due(&p->calendar, p->now));) {
        uint32_t i = first(p);
        assert_ptr_equal(p->entries[i].timer, e);
        assert_true(e->deadline <= p->now);
        forget(p, i);
    }
    assert_true(!p->n || p->entries[first(p)].deadline > p->now);
}

static void step(struct play *p)
{
    uint32_t what = iris__random_below(&p->random, 10);
    if (what < 6 && p->n < MOST)
        put(p);
    else if (what < 9 && p->n)
        forget(p, iris__random_below(&p->random, p->n));
    else
        let_time_pass(p);
    int64_t next = p->n ? p->entries[first(p)].deadline : INT64_MAX;
    assert_int_equal(iris__calendar_next(&p->calendar), next);
}

static void as_a_list(void **state)
{
    static struct play p;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        p = (struct play){.random = {seed}, .now = (int64_t)seed << 40};
        iris__calendar_init(&p.calendar);
        for (int i = 0; i < STEPS / SEEDS; i++)
            step(&p);
        iris__calendar_finish(&p.calendar);
    }
}

/* One of never, and those of the first moment. */
static void ends_of_time(void **state)
{
    struct calendar c;
    int64_t deadlines[] = {INT64_MAX - 1, 0, 1, INT64_MAX - 1};
    (void)state;
    iris__calendar_init(&c);
    for (int i = 0; i < 4; i++) {
        struct timer *e = iris__calendar_take(&c);
        e->deadline = deadlines[i];
        iris__calendar_put(&c, e);
    }
    assert_int_equal(iris__calendar_next(&c), 0);
    for (uint32_t i = 2; i <= 3; i++) {
        struct timer *e = iris__calendar_due(&c, 1);
        assert_int_equal(e->index, i);
        iris__calendar_remove(&c, e);
    }
    assert_null(iris__calendar_due(&c, 1));
    assert_int_equal(iris__calendar_next(&c), INT64_MAX - 1);
    assert_int_equal(iris__calendar_due(&c, INT64_MAX - 1)->index, 1);
    iris__calendar_finish(&c);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("timers.are_due_as_a_list_of_them_says", as_a_list),
    IRIS_TEST("timers.reach_from_the_first_moment_to_the_last", ends_of_time),
};
/* clang-format on */
IRIS_MAIN(tests)
