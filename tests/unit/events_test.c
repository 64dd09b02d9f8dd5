/* The ring of events: in order, bounded, and honest about what it forgot. */
#include "main.h"

#include "events.h"

#include <pthread.h>
#include <stdlib.h>

static struct events *ring;

static int setup(void **state)
{
    (void)state;
    ring = malloc(sizeof *ring);
    iris__events_init(ring);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    iris__events_finish(ring);
    free(ring);
    return 0;
}

static void add(uint32_t kind, const char *path, const char *text)
{
    iris_event e = {.size = sizeof e,
                    .abi = IRIS_ABI,
                    .kind = kind,
                    .level = IRIS_INFO,
                    .pid = 7,
                    .path = path,
                    .text = text};
    iris__events_add(ring, &e, 0);
}

static void assert_next(uint64_t since, uint64_t number, uint64_t missed, const char *text)
{
    struct event e;
    uint64_t m = 99;
    assert_int_equal(iris__events_next(ring, since, &e, &m), 1);
    assert_int_equal(e.number, number);
    assert_int_equal(m, missed);
    assert_string_equal(e.text, text);
    iris__event_finish(&e);
}

static void assert_none(uint64_t since)
{
    struct event e;
    uint64_t missed;
    assert_int_equal(iris__events_next(ring, since, &e, &missed), 0);
}

static void keeps_order(void **state)
{
    (void)state;
    assert_none(0);
    add(IRIS_EVENT_LOG, "/a", "one");
    add(IRIS_EVENT_LOG, "/a", "two");
    assert_next(0, 1, 0, "one");
    assert_next(1, 2, 0, "two");
    assert_none(2);
    assert_none(UINT64_MAX); /* a client may say anything */
}

static void forgets_the_oldest(void **state)
{
    char text[32];
    (void)state;
    for (int i = 1; i <= EVENTS_ROOM + 10; i++) {
        snprintf(text, sizeof text, "%d", i);
        add(IRIS_EVENT_LOG, "/a", text);
    }
    assert_next(0, 11, 10, "11");
    assert_next(5, 11, 5, "11");
    assert_next(10, 11, 0, "11");
    assert_next(EVENTS_ROOM + 9, EVENTS_ROOM + 10, 0, text);
}

static void cuts_long_texts(void **state)
{
    char *text = malloc(EVENT_TEXT_MAX * 4);
    struct event e;
    uint64_t missed;
    (void)state;
    memset(text, 'x', EVENT_TEXT_MAX * 4 - 1);
    text[EVENT_TEXT_MAX * 4 - 1] = '\0';
    add(IRIS_EVENT_CRASHED, "/a", text);
    assert_int_equal(iris__events_next(ring, 0, &e, &missed), 1);
    assert_int_equal(strlen(e.text), EVENT_TEXT_MAX);
    iris__event_finish(&e);
    free(text);
}

static void *flood(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000; i++)
        add(IRIS_EVENT_LOG, "/a", "x");
    return NULL;
}

static void counts_what_a_slow_reader_missed(void **state)
{
    pthread_t threads[2];
    struct event e;
    uint64_t at = 0, seen = 0, missed = 0, some;
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, flood, NULL), 0);
    while (at < 40000)
        if (iris__events_next(ring, at, &e, &some)) {
            assert_int_equal(e.number, at + some + 1);
            at = e.number;
            missed += some;
            seen++;
            iris__event_finish(&e);
        }
    assert_int_equal(seen + missed, 40000);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static void assert_line(uint32_t kind, const char *path, const char *text, const char *line)
{
    struct event e = {.kind = kind, .level = IRIS_WARN, .path = (char *)path, .text = (char *)text};
    struct text out = {0};
    iris__event_line(&e, &out);
    assert_string_equal(out.data, line);
    iris__text_finish(&out);
}

static void says_lines(void **state)
{
    (void)state;
    assert_line(IRIS_EVENT_CRASHED, "/a", "crash: why", "/a  crash: why");
    assert_line(IRIS_EVENT_RESTARTED, "/a", "restart 1", "/a  restart 1");
    assert_line(IRIS_EVENT_ENDED, "/a", "normal", "/a  ended: normal");
    assert_line(IRIS_EVENT_ENDED, "/a", "killed (how=stop, drained=2)", "/a  stopped");
    assert_line(IRIS_EVENT_SWAPPED, "/a", "v1 -> v2  x 2", "/a  v1 -> v2  x 2");
    assert_line(IRIS_EVENT_SWAP_REFUSED, "/a", "still v1: no", "/a  swap refused, still v1: no");
    assert_line(IRIS_EVENT_EXHAUSTED, "/a", "supervisor /: more", "supervisor /: more");
    assert_line(IRIS_EVENT_LOG, "/a", "hot", "/a  warning: hot");
    assert_line(IRIS_EVENT_LOG, "", "hot", "warning: hot");
    assert_string_equal(iris__event_word(IRIS_EVENT_LOG), "log");
    assert_string_equal(iris__event_word(99), "other");
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST_WITH("events.keeps_order", keeps_order, setup, teardown),
    IRIS_TEST_WITH("p8.events_forget_the_oldest", forgets_the_oldest, setup, teardown),
    IRIS_TEST_WITH("p8.events_cut_long_texts", cuts_long_texts, setup, teardown),
    IRIS_TEST_WITH("events.count_what_a_slow_reader_missed", counts_what_a_slow_reader_missed,
                   setup, teardown),
    IRIS_TEST("events.says_lines", says_lines),
};
IRIS_MAIN(tests)
