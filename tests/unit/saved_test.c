/* P10: a save is read back as it was written; one that is not whole, or not ours, is refused. */
#include "main.h"

#include "fail.h"
#include "saved.h"

#include <iris/plugin.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fill(struct saved *s)
{
    *s = (struct saved){.app = strdup("shop"), .n = 2, .actors = calloc(2, sizeof *s->actors)};
    for (int i = 0; i < 2; i++) {
        s->actors[i].path = strdup(i ? "/b" : "/a");
        s->actors[i].handler = strdup("x.py:f");
        s->actors[i].host = strdup("python");
        s->actors[i].pid = 16777216 + (uint64_t)i;
    }
    s->actors[0].has_state = 1;
    s->actors[0].state_version = 7;
    iris__text_add(&s->actors[0].state, "four\0\n", 6);
    iris__saved_add_message(&s->actors[0], 16777217, "one", 3);
    iris__saved_add_message(&s->actors[0], 0, "", 0);
    iris__saved_add_message(&s->actors[1], 1, "\n{}\n", 4);
}

static char *write_one(size_t *len)
{
    struct saved s;
    fill(&s);
    assert_int_equal(iris__saved_write(&s, "./saves/shop.save"), IRIS_OK);
    assert_int_equal(iris__saved_write(&s, "./saves/shop.save"), IRIS_OK); /* over itself */
    iris__saved_finish(&s);
    FILE *f = fopen("saves/shop.save", "r");
    char *data = malloc(4096);
    *len = fread(data, 1, 4096, f);
    fclose(f);
    return data;
}

static void begin(void)
{
    char dir[] = "/tmp/iris-saved.XXXXXX";
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
}

static void end(void)
{
    char dir[256];
    unlink("saves/shop.save");
    assert_int_equal(rmdir("saves"), 0); /* and nothing else was in it */
    assert_non_null(getcwd(dir, sizeof dir));
    rmdir(dir);
}

static void as_written(void **state)
{
    struct saved s;
    struct saved_message m;
    size_t len, at = 0;
    (void)state;
    begin();
    free(write_one(&len));
    assert_int_equal(iris__saved_read(&s, "saves/shop.save"), IRIS_OK);
    assert_string_equal(s.app, "shop");
    assert_int_equal(s.n, 2);
    assert_int_equal(s.actors[0].state_version, 7);
    assert_int_equal(s.actors[0].state.len, 6);
    assert_memory_equal(s.actors[0].state.data, "four\0\n", 6);
    assert_int_equal(s.actors[0].messages, 2);
    assert_true(iris__saved_next(&s.actors[0], &at, &m));
    assert_int_equal(m.from, 16777217);
    assert_memory_equal(m.data, "one", 3);
    assert_true(iris__saved_next(&s.actors[0], &at, &m));
    assert_int_equal(m.len, 0);
    assert_false(iris__saved_next(&s.actors[0], &at, &m));
    assert_false(s.actors[1].has_state);
    at = 0;
    assert_true(iris__saved_next(&s.actors[1], &at, &m));
    assert_memory_equal(m.data, "\n{}\n", 4);
    iris__saved_finish(&s);
    end();
}

/* A copy without a byte behind it, so that a sanitizer sees who reads on. */
static int parse(const char *data, size_t len)
{
    struct saved s;
    char *own = malloc(len + !len);
    memcpy(own, data, len);
    int result = iris__saved_parse(&s, "x.save", own, len);
    if (!result)
        iris__saved_finish(&s);
    free(own);
    return result;
}

static void not_whole(void **state)
{
    size_t len;
    (void)state;
    begin();
    char *data = write_one(&len);
    assert_int_equal(parse(data, len), IRIS_OK);
    for (size_t n = 0; n < len; n++)
        assert_int_equal(parse(data, n), IRIS_FAIL);
    size_t body = (size_t)((char *)memchr(data, '\n', len) - data) + 1;
    for (size_t i = body; i < len; i++) {
        data[i] ^= 1;
        assert_int_equal(parse(data, len), IRIS_FAIL);
        data[i] ^= 1;
    }
    for (size_t i = 0; i < body;
         i++) { /* the line may say something else, and must not be believed */
        data[i] ^= 4;
        parse(data, len);
        data[i] ^= 4;
    }
    free(data);
    end();
}

static void not_ours(void **state)
{
    static const char newer[] = "{\"iris-save\":2,\"iris\":\"9.9.9\"}\n", other[] = "{}\n";
    (void)state;
    assert_int_equal(parse(newer, sizeof newer - 1), IRIS_FAIL);
    assert_non_null(strstr(iris__reason(), "found a save of format 2, written by iris 9.9.9"));
    assert_non_null(strstr(iris__reason(), "hint: restore it with that version"));
    assert_int_equal(parse(other, sizeof other - 1), IRIS_FAIL);
    assert_non_null(strstr(iris__reason(), "it is no save of iris"));
    struct saved s;
    assert_int_equal(iris__saved_read(&s, "/nowhere/x.save"), IRIS_FAIL);
    assert_non_null(strstr(iris__reason(), "iris stop --save writes it"));
    assert_int_equal(iris__saved_read(&s, "/dev/null"), IRIS_FAIL);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("app.save_is_read_as_it_was_written", as_written),
    IRIS_TEST("p10.save_that_is_not_whole_is_refused", not_whole),
    IRIS_TEST("app.save_of_another_format_says_so", not_ours),
};

IRIS_MAIN(tests)
