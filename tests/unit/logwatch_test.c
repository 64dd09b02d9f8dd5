#include "main.h"

#include "scene.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARSER "/logwatch/parser"
#define COUNTER "/logwatch/counter"
#define STAMP "2025-06-24 14:36:25 "

/* ---- helpers ---- */

static iris_version *load(struct scene *s, const char *handler)
{
    iris_version *v = NULL;
    setenv("IRIS_LIB", IRIS_BUILD_DIR "/lib", 1);
    if (iris_load(s->rt, handler, IRIS_BUILD_DIR "/lib/iris/behaviours", &v) != IRIS_OK)
        fail_msg("%s: %s", handler, iris_reason());
    return v;
}

static uint64_t spawn(struct scene *s, iris_version *v, const char *path, const char *args)
{
    const iris_name *names = s->api->extension(IRIS_NAME);
    iris_spawn order = {.size = sizeof order,
                        .abi = IRIS_ABI,
                        .version = v,
                        .args = {args, strlen(args)},
                        .capacity = 64};
    uint64_t pid = 0;
    assert_int_equal(s->api->spawn(s->self, &order, &pid), IRIS_OK);
    assert_int_equal(names->set(s->self, path, pid), IRIS_OK);
    s->api->release(v);
    return pid;
}

static void tell(struct scene *s, uint64_t to, const char *text)
{
    int result;
    while ((result = s->api->send(s->self, to, text, strlen(text), 0)) == IRIS_FULL)
        if (s->seed)
            iris_step(s->rt);
        else
            usleep(100);
    assert_int_equal(result, IRIS_OK);
}

static void assert_answer(struct scene *s, uint64_t to, const char *question, const char *expected)
{
    const iris_message *m = NULL;
    char text[4096] = "";
    assert_int_equal(iris_ask_wait(s->rt, to, question, strlen(question), 20 * IRIS_SECOND, &m),
                     IRIS_OK);
    assert_true(m->len < sizeof text);
    memcpy(text, m->data, m->len);
    s->api->drop(m);
    assert_string_equal(text, expected);
}

struct pair {
    uint64_t parser, counter;
};

static struct pair pair(struct scene *s)
{
    struct pair p;
    p.counter = spawn(s, load(s, "./libcounter.so"), COUNTER, "");
    p.parser = spawn(s, load(s, "./libparser.so"), PARSER, "{\"to\": \"" COUNTER "\"}");
    return p;
}

/* ---- parser and counter ---- */

/* Through the parser, so that it comes behind the lines. */
static void assert_totals(struct scene *s, struct pair p, const char *expected)
{
    assert_answer(s, p.parser, "totals", expected);
}

static void play_lines(struct scene *s)
{
    struct pair p = pair(s);
    assert_totals(s, p, "lines 0  malformed 0");
    tell(s, p.parser,
         STAMP "install libgdbm6:amd64 <none> 1.23-3\n" STAMP
               "status unpacked libgdbm6:amd64 1.23-3\n");
    tell(s, p.parser,
         STAMP "startup archives unpack\n" STAMP "conffile /etc/x.conf keep\n" STAMP
               "remove libgdbm6:amd64 1.23-3 <none>\n" STAMP "configure old-style 2.3-1 <none>");
    assert_totals(s, p,
                  "lines 6  conffile 1  configure 1  install 1  remove 1  startup 1  "
                  "status unpacked 1  malformed 0");
    assert_answer(s, p.counter, "top 5", "libgdbm6 3  old-style 1");
    assert_answer(s, p.counter, "top 1", "libgdbm6 3");
    assert_answer(s, p.counter, "package libgdbm6", "libgdbm6 3  last: remove amd64 1.23-3");
    assert_answer(s, p.counter, "package old-style", "old-style 1  last: configure - 2.3-1");
    assert_answer(s, p.counter, "package libgdbm",
                  "no event of such a package; some that there are: top 5");
    assert_answer(s, p.counter, "how are you\x1b[0m?",
                  "\"how are you?[0m?\" is not a question here; ask: totals, top N, package NAME");
}

static void lines(void **state)
{
    (void)state;
    scene_play(play_lines);
}

static void play_malformed(struct scene *s)
{
    static const char *const bad[] = {
        "",
        " ",
        "x",
        "2025-06-24 14:36:25",
        "2025-06-24 14:36:25 install",
        "2025-06-24 14:36 install libc6:amd64 <none> 1",
        "2025-6-24 14:36:25 install libc6:amd64 <none> 1",
        STAMP "instal libc6:amd64 <none> 1",
        STAMP "install libc6:amd64 <none> 1 2",
        STAMP "install LIBC6:amd64 <none> 1",
        STAMP "install libc6: <none> 1",
        STAMP "install :amd64 <none> 1",
        STAMP "status gone libc6:amd64 1",
        STAMP "status installed libc6:amd64",
        STAMP "startup archives",
        STAMP "malformed libc6:amd64 <none> 1",
        STAMP "install \xff\xfe <none> 1",
        "events",
        "take 1 1000",
    };
    enum { N = sizeof bad / sizeof bad[0] };
    struct pair p = pair(s);
    char expected[64];
    for (int i = 0; i < N; i++) {
        char line[256];
        snprintf(line, sizeof line, "%s\n", bad[i]);
        tell(s, p.parser, line);
    }
    snprintf(expected, sizeof expected, "lines %d  malformed %d", N, N);
    assert_totals(s, p, expected);
    assert_answer(s, p.counter, "top 5", "no package yet");
}

static void malformed(void **state)
{
    (void)state;
    scene_play(play_malformed);
}

/* What no parser sent is counted as malformed or said to be no question; nobody falls over. */
static void play_garbage(struct scene *s)
{
    struct pair p = pair(s);
    char blob[3000];
    for (size_t i = 0; i < sizeof blob; i++)
        blob[i] = (char)(i * 131 ^ i >> 3);
    s->api->send(s->self, p.counter, blob, sizeof blob, 0);
    s->api->send(s->self, p.counter, "", 0, 0);
    tell(s, p.counter, "events");
    tell(s, p.counter, "events\n\n\t\t\t\t\nd\tinstall\ta b\tx\t1\nd\tinstall\t\x01\tx\t1\nd");
    tell(s, p.counter, "events\nd\tinstall\ta\tx\t1\textra");
    tell(s, p.counter, "credit");
    tell(s, p.counter, "top 99999999999999999999");
    assert_answer(s, p.counter, "credit 12345678901234567890123456789",
                  "take 123456789012345678901234 1000");
    assert_answer(s, p.counter, "top -1", "a 1");
    assert_answer(s, p.counter, "package ",
                  "\"package \" is not a question here; ask: totals, top N, package NAME");
    assert_answer(s, p.counter, "totals", "lines 6  install 1  malformed 5");
    assert_int_equal(scene_count(s).crashed, 0);
}

static void garbage(void **state)
{
    (void)state;
    scene_play(play_garbage);
}

/* ---- swap ---- */

struct told {
    _Atomic int done;
    int result;
    char why[256];
};

static void swapped(void *ctx, int result, const char *why)
{
    struct told *t = ctx;
    t->result = result;
    snprintf(t->why, sizeof t->why, "%s", why ? why : "");
    t->done = 1;
}

static void await_told(struct scene *s, struct told *t)
{
    while (!t->done)
        if (s->seed)
            iris_step(s->rt);
        else
            usleep(100);
    if (t->result)
        fail_msg("refused: %s", t->why);
    *t = (struct told){.done = 0};
}

static void play_swap(struct scene *s)
{
    const iris_control *control = s->api->extension(IRIS_CONTROL);
    struct pair p = pair(s);
    struct told told = {.done = 0};
    iris_version *v2 = load(s, "./libcounter2.so");
    tell(s, p.parser, STAMP "install libc6:amd64 <none> 2.36\nbad\n");
    assert_totals(s, p, "lines 2  install 1  malformed 1");
    assert_int_equal(s->api->swap(s->self, p.counter, v2, 0, swapped, &told), IRIS_OK);
    s->api->release(v2);
    await_told(s, &told);
    assert_totals(s, p, "lines 2  install 1  malformed 1");
    assert_answer(s, p.counter, "package libc6", "libc6 1  last: install amd64 2.36");
    tell(s, p.parser, "2025-06-25 00:00:00 upgrade libc6:amd64 2.36 2.37\nworse\n");
    assert_totals(s, p, "lines 4  install 1  upgrade 1  malformed 2");
    assert_answer(s, p.counter, "days", "before 2  - 1  2025-06-25 1");
    assert_int_equal(control->rollback(s->self, p.counter, 1, 0, 0, swapped, &told), IRIS_OK);
    await_told(s, &told);
    assert_totals(s, p, "lines 4  install 1  upgrade 1  malformed 2");
    assert_answer(s, p.counter, "top 1", "libc6 2");
    assert_answer(s, p.counter, "days",
                  "\"days\" is not a question here; ask: totals, top N, package NAME");
}

static void swap(void **state)
{
    (void)state;
    scene_play(play_swap);
}

/* ---- reader ---- */

/* A consumer in the place of the parser: it grants little credit, and sees that it is enough. */
static struct {
    const iris_api *api;
    uint64_t lines, questions, left;
    int overrun, deaf; /* deaf: to that many questions */
} consumer;

static int consume(const iris_behaviour *b, iris_actor *self, void *state,
                   const iris_message *const *messages, int n)
{
    (void)b, (void)state;
    for (int i = 0; i < n; i++) {
        const char *at = messages[i]->data, *end = at + messages[i]->len;
        unsigned long serial;
        char text[64];
        if (messages[i]->ref) {
            snprintf(text, sizeof text, "%.*s", (int)messages[i]->len, at);
            assert_int_equal(sscanf(text, "credit %lu", &serial), 1);
            consumer.questions++;
            if (consumer.deaf && consumer.deaf--)
                continue;
            consumer.left = 7;
            int len = snprintf(text, sizeof text, "take %lu 7", serial);
            consumer.api->send(self, messages[i]->ref, text, (size_t)len, 0);
            continue;
        }
        for (; at < end; at++)
            if (*at == '\n') {
                consumer.lines++;
                consumer.overrun |= !consumer.left;
                consumer.left -= consumer.left > 0;
            }
    }
    return n;
}

static const iris_behaviour consumer_behaviour = {
    .size = sizeof consumer_behaviour, .abi = IRIS_ABI, .name = "consumer", .handle = consume};

static void write_log(const char *file, const char *mode, int lines, size_t width)
{
    FILE *f = fopen(file, mode);
    assert_non_null(f);
    for (int i = 0; i < lines; i++)
        fprintf(f, "%*d\n", (int)width, i);
    fclose(f);
}

static void start_reader(struct scene *s, const char *file)
{
    const iris_name *names = s->api->extension(IRIS_NAME);
    char args[256];
    memset(&consumer, 0, sizeof consumer);
    consumer.api = s->api;
    assert_int_equal(names->set(s->self, PARSER, scene_spawn(s, &consumer_behaviour, 8)), IRIS_OK);
    snprintf(
        args, sizeof args,
        "{\"file\": \"\", \"x\": [{\"to\": 1}], \"files\": [\"/nowhere\\u002f\", \"%s\"], \"to\": \"" PARSER
        "\"}",
        file);
    spawn(s, load(s, "./libreader.so"), "/logwatch/reader", args);
}

static char log_file[64];

/* Under a seed time is virtual: the reader looks twice a second without anybody waiting for it. */
static void await_lines(struct scene *s, uint64_t lines)
{
    for (int i = 0; i < 100000 && consumer.lines < lines; i++)
        iris_step(s->rt);
    for (int i = 0; i < 100; i++)
        iris_step(s->rt);
    assert_int_equal(consumer.lines, lines);
    assert_false(consumer.overrun);
}

static void play_reader(struct scene *s)
{
    char moved[80];
    snprintf(log_file, sizeof log_file, "log.XXXXXX");
    close(mkstemp(log_file));
    write_log(log_file, "w", 5000, 30);
    start_reader(s, log_file);
    await_lines(s, 5000);
    assert_true(consumer.questions >= 5000 / 7);
    write_log(log_file, "a", 10, 100000); /* each is longer than the buffer: cut, and still one */
    await_lines(s, 5010);
    snprintf(moved, sizeof moved, "%s.1", log_file); /* as logrotate does it */
    rename(log_file, moved);
    write_log(moved, "a", 3, 5);
    write_log(log_file, "w", 20, 5);
    await_lines(s, 5033);
    write_log(log_file, "w", 2, 5); /* copytruncate */
    await_lines(s, 5035);
    unlink(moved);
    unlink(log_file);
}

static void play_deaf(struct scene *s)
{
    snprintf(log_file, sizeof log_file, "log.XXXXXX");
    close(mkstemp(log_file));
    write_log(log_file, "w", 20, 30);
    start_reader(s, log_file);
    consumer.deaf = 2; /* as if the parser had crashed on two questions */
    await_lines(s, 20);
    unlink(log_file);
}

static void under_seeds(void (*play)(struct scene *))
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct scene s = {0};
        scene_open(&s, 0, seed);
        play(&s);
        scene_close(&s);
    }
}

static void reader(void **state)
{
    (void)state;
    under_seeds(play_reader);
}

static void deaf(void **state)
{
    (void)state;
    under_seeds(play_deaf);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("example.logwatch_parses_what_dpkg_writes", lines),
    IRIS_TEST("example.logwatch_counts_malformed_lines", malformed),
    IRIS_TEST("p10.logwatch_survives_garbage", garbage),
    IRIS_TEST("p3.logwatch_swap_and_rollback_keep_totals", swap),
    IRIS_TEST("example.logwatch_reader_sends_no_more_than_its_credit", reader),
    IRIS_TEST("example.logwatch_reader_repeats_a_question_that_was_lost", deaf),
};

IRIS_MAIN(tests)
