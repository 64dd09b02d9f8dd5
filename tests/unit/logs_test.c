/* The log: who says how much of it, in which words, and that secrets stay out of it. */
#include "main.h"

#include "log_level.h"
#include "log_sink.h"
#include "pattern.h"
#include "redact.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SECOND IRIS_SECOND

/* ---- levels and rates ---- */

static struct manifest_level levels[] = {{"/svc", IRIS_WARN}, {"/svc/pay", IRIS_DEBUG_LEVEL}};

static void longest_path_says_the_level(void **state)
{
    (void)state;
    struct manifest_actor actors[] = {{.path = "/svc/mail", .log_level = IRIS_ERROR},
                                      {.path = "/svc/pay", .log_level = IRIS_ERROR},
                                      {.path = "/other", .log_level = -1}};
    const struct manifest m = {.actors = actors,
                               .nactors = 3,
                               .logs = {.level = IRIS_INFO, .levels = levels, .nlevels = 2}};
    struct log_levels l;
    assert_int_equal(iris__log_levels_init(&l, &m), 0);
    assert_true(iris__log_is_wanted(&l, "/svc/pay", IRIS_DEBUG_LEVEL)); /* "logs" over log_level */
    assert_true(iris__log_is_wanted(&l, "/svc/pay/deep/er", IRIS_DEBUG_LEVEL));
    assert_false(iris__log_is_wanted(&l, "/svc/payment", IRIS_INFO)); /* a name is a whole name */
    assert_true(iris__log_is_wanted(&l, "/svc/payment", IRIS_WARN));
    assert_false(iris__log_is_wanted(&l, "/svc/mail", IRIS_WARN));
    assert_true(iris__log_is_wanted(&l, "/other", IRIS_INFO));
    assert_false(iris__log_is_wanted(&l, "/other", IRIS_DEBUG_LEVEL));
    assert_true(iris__log_is_wanted(&l, "", IRIS_INFO));
    iris__log_levels_finish(&l);
}

static void what_is_too_much_is_counted(void **state)
{
    (void)state;
    const struct manifest m = {.logs = {.rate = 2}};
    struct log_levels l;
    uint64_t left;
    iris__log_levels_init(&l, &m);
    assert_int_equal(iris__log_is_within(&l, "/a", SECOND, &left), 1);
    assert_int_equal(iris__log_is_within(&l, "/a", SECOND, &left), 1);
    assert_false(iris__log_owes(&l));
    assert_int_equal(iris__log_is_within(&l, "/a", SECOND, &left), -1);
    assert_int_equal(iris__log_is_within(&l, "/a", SECOND, &left), 0);
    assert_int_equal(iris__log_is_within(&l, "/b", SECOND, &left), 1);
    assert_true(iris__log_owes(&l));
    assert_null(iris__log_owing(&l, SECOND + 1, &left));
    char *path = iris__log_owing(&l, 2 * SECOND, &left);
    assert_string_equal(path, "/a");
    assert_int_equal(left, 2);
    assert_false(iris__log_owes(&l));
    assert_int_equal(iris__log_is_within(&l, "/a", 2 * SECOND, &left), 1);
    assert_int_equal(left, 0);
    free(path);
    iris__log_levels_finish(&l);
}

/* However many paths there are. */
static void counts_are_bounded(void **state)
{
    (void)state;
    const struct manifest m = {.logs = {.rate = 1}};
    struct log_levels l;
    uint64_t left;
    char path[32];
    iris__log_levels_init(&l, &m);
    for (int i = 0; i < 3 * LOG_RATES; i++) {
        snprintf(path, sizeof path, "/tenants/%d", i);
        iris__log_is_within(&l, path, SECOND, &left);
    }
    assert_in_range(l.nrates, LOG_RATES, LOG_RATES + 1);
    iris__log_levels_finish(&l);
}

/* ---- words ---- */

static char path[] = "/svc/pay", words[] = "a\x1b[31m\nb\xff\n", none[] = "";

static struct event event_of(char *of, char *text)
{
    return (struct event){.time = 1700000000123 * IRIS_MILLISECOND,
                          .pid = 7,
                          .kind = IRIS_EVENT_LOG,
                          .level = IRIS_WARN,
                          .path = of,
                          .text = text};
}

static void lines_cannot_pass_for_others(void **state)
{
    (void)state;
    const struct event e = event_of(path, words);
    const struct log_style plain = {.app = "shop"}, bright = {.app = "shop", .colour = 1};
    struct text out = {0};
    assert_int_equal(iris__log_line(&plain, &e, &out), 0);
    assert_string_equal(out.data, "2023-11-14T22:13:20.123Z WARN  /svc/pay  a?[31m\n  | b?\n");
    iris__text_finish(&out);
    iris__log_line(&bright, &e, &out);
    assert_non_null(strstr(out.data, "\x1b[33mWARN \x1b[0m"));
    iris__text_finish(&out);
}

static void json_is_one_line(void **state)
{
    (void)state;
    const struct event e = event_of(path, words);
    const struct log_style style = {.app = "shop", .json = 1};
    struct text out = {0};
    assert_int_equal(iris__log_line(&style, &e, &out), 0);
    assert_ptr_equal(strchr(out.data, '\n'), out.data + out.len - 1);
    json_t *v = json_loads(out.data, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(v, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(v, "path")), "/svc/pay");
    json_decref(v);
    iris__text_finish(&out);
}

/* ---- journald ---- */

static unsigned said;

static void say(void *ctx, const char *sentence)
{
    (void)ctx;
    assert_non_null(strstr(sentence, "lines go to stderr"));
    said++;
}

static int journal_at(const char *file)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", file);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void journald_gets_fields(void **state)
{
    (void)state;
    static char two[] = "one\ntwo", one[] = "just one";
    char dir[] = "/tmp/iris-log-XXXXXX", file[64], got[1024];
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/socket", dir);
    int fd = journal_at(file);
    struct log_sink s = {
        .kind = SINK_JOURNAL, .style = {.app = "shop"}, .file = file, .end = -1, .say = say};
    const struct event e = event_of(path, two), plain = event_of(none, one);
    iris__sink_open(&s);
    iris__sink_write(&s, &e);
    ssize_t n = recv(fd, got, sizeof got, 0);
    static const char begin[] = "MESSAGE\n\x07\0\0\0\0\0\0\0one\ntwo\nPRIORITY=4\n"
                                "SYSLOG_IDENTIFIER=shop\nIRIS_APP=shop\nIRIS_KIND=log\n"
                                "IRIS_PATH=/svc/pay\nIRIS_PID=7\n";
    assert_int_equal(n, sizeof begin - 1);
    assert_memory_equal(got, begin, sizeof begin - 1);
    iris__sink_write(&s, &plain);
    n = recv(fd, got, sizeof got, 0);
    assert_memory_equal(got, "MESSAGE=just one\nPRIORITY=4\n", 28);
    assert_int_equal(said, 0);
    close(fd);
    unlink(file);
    iris__sink_write(&s, &plain); /* told once, and on stderr */
    iris__sink_write(&s, &plain);
    assert_int_equal(said, 1);
    fd = journal_at(file); /* it was started anew */
    iris__sink_write(&s, &e);
    assert_true(recv(fd, got, sizeof got, 0) > 0);
    iris__sink_close(&s);
    close(fd);
    unlink(file);
    rmdir(dir);
}

/* ---- secrets ---- */

static void secrets_are_blotted_out(void **state)
{
    (void)state;
    struct manifest_secret shorter = {NULL, "pass", 4}, longer = {&shorter, "password", 8};
    char bytes[] = "a password, a pass";
    char *text = iris__redacted(&longer, "password=password pass word");
    assert_string_equal(text, "***=*** *** word");
    free(text);
    assert_null(iris__redacted(&longer, "nothing"));
    assert_null(iris__redacted(NULL, "password"));
    assert_int_equal(iris__redact_bytes(&longer, bytes, sizeof bytes), 1);
    assert_string_equal(bytes, "a ********, a ****");
    struct manifest_secret stars = {NULL, "****", 4};
    assert_int_equal(iris__redact_bytes(&stars, bytes, sizeof bytes), 1); /* and it ends */
}

static void patterns_match_by_level(void **state)
{
    (void)state;
    assert_true(iris__path_matches("/a/b", "/a/b"));
    assert_false(iris__path_matches("/a/b", "/a/bc"));
    assert_false(iris__path_matches("/a", "/a/b"));
    assert_true(iris__path_matches("/a/*", "/a/b"));
    assert_false(iris__path_matches("/a/*", "/a"));
    assert_false(iris__path_matches("/a/*", "/a/b/c"));
    assert_true(iris__path_matches("/a/**", "/a"));
    assert_true(iris__path_matches("/a/**", "/a/b/c"));
    assert_true(iris__path_matches("/**/c", "/a/b/c"));
    assert_true(iris__path_matches("/**", "/a"));
    assert_true(iris__path_matches("/*/b/*", "/a/b/c"));
    assert_false(iris__path_matches("/**/x", "/a/b/c"));
    assert_false(iris__path_matches("/a/**", "/ab"));
    assert_true(iris__path_matches("/**/b/**/d", "/b/a/b/c/c/d"));
    assert_false(iris__path_matches("/**/b/**/d", "/b/d/c"));
    assert_true(iris__path_matches("/**/a/**/a/**/a/**/a/**/b",
                                   "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/b"));
    assert_false(iris__path_matches("/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b",
                                    "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"
                                    "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"));
}

static void what_is_no_pattern_is_told(void **state)
{
    (void)state;
    assert_int_equal(iris__pattern_check("/svc/**"), IRIS_OK);
    assert_int_equal(iris__pattern_check("/*/pay"), IRIS_OK);
    assert_int_equal(iris__pattern_check("/"), IRIS_OK);
    assert_int_equal(iris__pattern_check("svc/*"), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "expected a path, where a star"));
    assert_int_equal(iris__pattern_check("/svc/p*"), IRIS_FAIL);
    assert_non_null(strstr(iris_reason(), "found \"/p*\""));
    assert_int_equal(iris__pattern_check("/svc/***"), IRIS_FAIL);
    assert_int_equal(iris__pattern_check("/svc//*"), IRIS_FAIL);
    assert_int_equal(iris__pattern_check("/svc/"), IRIS_FAIL);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("logs.longest_path_says_the_level", longest_path_says_the_level),
    IRIS_TEST("p8.what_is_too_much_of_a_log_is_counted", what_is_too_much_is_counted),
    IRIS_TEST("p8.counts_of_log_rates_are_bounded", counts_are_bounded),
    IRIS_TEST("logs.lines_cannot_pass_for_others", lines_cannot_pass_for_others),
    IRIS_TEST("logs.json_is_one_line", json_is_one_line),
    IRIS_TEST("logs.journald_gets_fields", journald_gets_fields),
    IRIS_TEST("logs.patterns_match_by_level", patterns_match_by_level),
    IRIS_TEST("logs.what_is_no_pattern_is_told", what_is_no_pattern_is_told),
    IRIS_TEST("logs.secrets_are_blotted_out", secrets_are_blotted_out),
};
IRIS_MAIN(tests)
