/* The stories of actors: by path, bounded, and honest about what is forgotten. */
#include "main.h"

#include "story.h"

#include <pthread.h>
#include <stdlib.h>

static struct stories stories;

static int setup(void **state)
{
    (void)state;
    iris__stories_init(&stories);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    iris__stories_finish(&stories);
    return 0;
}

static void add(const char *path, uint32_t kind, uint64_t number, const char *text)
{
    iris_event e = {.size = sizeof e,
                    .abi = IRIS_ABI,
                    .number = number,
                    .kind = kind,
                    .path = path,
                    .text = text,
                    .handler = "h.so",
                    .version = "1",
                    .excerpt = {"bytes", 5},
                    .messages = 1};
    iris__stories_add(&stories, &e);
}

static void keeps_texts(void **state)
{
    char path[] = "/a", text[] = "first";
    struct story s;
    (void)state;
    add(path, IRIS_EVENT_STARTED, 1, text);
    memset(text, 'x', sizeof text - 1);
    assert_true(iris__story_open(&stories, "/a", &s));
    assert_int_equal(s.n, 1);
    assert_int_equal(s.forgotten, 0);
    assert_string_equal(s.tales[0]->e.text, "first");
    assert_string_equal(s.tales[0]->e.handler, "h.so");
    assert_string_equal(s.tales[0]->e.supervisor, "");
    assert_memory_equal(s.tales[0]->e.excerpt.data, "bytes", 5);
    iris__story_close(&s);
    assert_false(iris__story_open(&stories, "/b", &s));
}

static void is_no_log(void **state)
{
    struct story s;
    (void)state;
    add("/a", IRIS_EVENT_LOG, 1, "noise");
    add("", IRIS_EVENT_CRASHED, 2, "of no path");
    assert_false(iris__story_open(&stories, "/a", &s));
    assert_false(iris__story_open(&stories, "", &s));
}

static void noise(void **state)
{
    struct story s;
    (void)state;
    add("/quiet", IRIS_EVENT_STARTED, 1, "started");
    for (uint64_t i = 0; i < 1000; i++)
        add("/loud", IRIS_EVENT_CRASHED, i + 2, "again");
    assert_true(iris__story_open(&stories, "/quiet", &s));
    assert_int_equal(s.n, 1);
    iris__story_close(&s);
    assert_true(iris__story_open(&stories, "/loud", &s));
    assert_int_equal(s.n, STORY_EVENTS);
    assert_int_equal(s.forgotten, 1000 - STORY_EVENTS);
    assert_int_equal(s.tales[0]->e.number, 1001 - STORY_EVENTS + 1);
    assert_int_equal(s.tales[STORY_EVENTS - 1]->e.number, 1001);
    iris__story_close(&s);
}

static void long_texts(void **state)
{
    struct story s;
    size_t all = 0;
    char *text = malloc(100000);
    (void)state;
    memset(text, 'x', 99999);
    text[99999] = '\0';
    for (uint64_t i = 0; i < 200; i++)
        add("/a", IRIS_EVENT_CRASHED, i, text);
    free(text);
    assert_true(iris__story_open(&stories, "/a", &s));
    for (uint32_t i = 0; i < s.n; i++) {
        assert_int_equal(strlen(s.tales[i]->e.text), STORY_TEXT);
        all += s.tales[i]->bytes;
    }
    assert_true(all <= STORY_BYTES && s.n > 10);
    assert_int_equal(s.n + s.forgotten, 200);
    iris__story_close(&s);
}

/* Those of the manifest stay; of the others, those of which nothing was heard for longest go. */
static void many_paths(void **state)
{
    struct story s;
    char path[32];
    (void)state;
    iris__stories_pin(&stories, "/pinned");
    add("/pinned", IRIS_EVENT_STARTED, 1, "started");
    add("/old", IRIS_EVENT_STARTED, 1, "started");
    add("/heard", IRIS_EVENT_STARTED, 1, "started");
    for (uint64_t i = 0; i < 3000; i++) {
        snprintf(path, sizeof path, "/p/%d", (int)i);
        add(path, IRIS_EVENT_STARTED, i, "started");
        if (i % 500 == 0)
            add("/heard", IRIS_EVENT_CRASHED, i, "crash");
    }
    assert_int_equal(stories.loose, STORY_PATHS);
    assert_false(iris__story_open(&stories, "/old", &s));
    assert_true(iris__story_open(&stories, "/pinned", &s));
    iris__story_close(&s);
    assert_true(iris__story_open(&stories, "/heard", &s));
    assert_int_equal(s.n, 7);
    iris__story_close(&s);
}

/* ---- told from many threads, read meanwhile ---- */

static void *tell(void *arg)
{
    for (uint64_t i = 0; i < 2000; i++)
        add(arg, IRIS_EVENT_CRASHED, i, "again and again");
    return NULL;
}

static void threads(void **state)
{
    pthread_t t[3];
    struct story s;
    static char paths[3][4] = {"/a", "/a", "/b"};
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&t[i], NULL, tell, paths[i]), 0);
    for (int i = 0; i < 500; i++)
        if (iris__story_open(&stories, "/a", &s)) {
            for (uint32_t k = 0; k < s.n; k++)
                assert_string_equal(s.tales[k]->e.text, "again and again");
            iris__story_close(&s);
        }
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    assert_true(iris__story_open(&stories, "/a", &s));
    assert_int_equal(s.n + s.forgotten, 4000);
    iris__story_close(&s);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST_WITH("story.keeps_copies_of_what_it_is_told", keeps_texts, setup, teardown),
    IRIS_TEST_WITH("story.has_no_log_and_no_actors_without_a_path", is_no_log, setup, teardown),
    IRIS_TEST_WITH("p8.a_noisy_neighbour_pushes_no_story_out", noise, setup, teardown),
    IRIS_TEST_WITH("p8.a_storys_bytes_are_bounded", long_texts, setup, teardown),
    IRIS_TEST_WITH("p8.paths_with_stories_are_bounded_those_of_the_manifest_stay", many_paths,
                   setup, teardown),
    IRIS_TEST_WITH("story.is_told_and_read_by_many_threads", threads, setup, teardown),
};
IRIS_MAIN(tests)
