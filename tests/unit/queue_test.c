/* P2: the queue through which executors are given work, while others look at it. */
#include "main.h"

#include "runq.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MOVES = 2000000 };

struct stage {
    struct runq queue;
    atomic_int moves;
};

/* One task at most is in it, and the queue moves on all the time. */
static void *push_and_take(void *arg)
{
    struct stage *s = arg;
    void *task;
    for (int i = 1; i <= MOVES; i++) {
        iris__runq_push(&s->queue, s);
        iris__runq_take(&s->queue, &task, 1);
        atomic_store_explicit(&s->moves, i, memory_order_relaxed);
    }
    return NULL;
}

/* Seen as a huge number of tasks it made a thief take more than it had room for. */
static void never_less_than_none(void **state)
{
    (void)state;
    static struct stage s;
    pthread_t thread;
    uint32_t most = 0;
    assert_int_equal(iris__runq_init(&s.queue), 0);
    assert_int_equal(pthread_create(&thread, NULL, push_and_take, &s), 0);
    while (atomic_load_explicit(&s.moves, memory_order_relaxed) < MOVES) {
        uint32_t n = iris__runq_count(&s.queue);
        most = n > most ? n : most;
    }
    pthread_join(thread, NULL);
    iris__runq_finish(&s.queue);
    assert_in_range(most, 0, INT32_MAX);
}

static void takes_no_more_than_asked(void **state)
{
    (void)state;
    struct runq q;
    void *tasks[4] = {NULL};
    assert_int_equal(iris__runq_init(&q), 0);
    for (int i = 0; i < 1000; i++)
        iris__runq_push(&q, &tasks[3]);
    assert_int_equal(iris__runq_take(&q, tasks, 3), 3);
    assert_ptr_equal(tasks[2], &tasks[3]);
    assert_null(tasks[3]);
    assert_int_equal(iris__runq_take(&q, tasks, 0), 0);
    assert_int_equal(iris__runq_count(&q), 997);
    iris__runq_finish(&q);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("p2.a_queue_holds_never_less_than_none", never_less_than_none),
    IRIS_TEST("p2.a_thief_takes_no_more_than_it_has_room_for", takes_no_more_than_asked),
};
/* clang-format on */
IRIS_MAIN(tests)
