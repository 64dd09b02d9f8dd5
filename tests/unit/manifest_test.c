#include "main.h"

#include "manifest_dump.h"
#include "manifest_keys.h"
#include "manifest_reading.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CASES IRIS_SOURCE_DIR "/tests/manifest"
#define NOWHERE "NO_SUCH_VARIABLE_HERE"

/* ---- helpers ---- */

static char *read_file(const char *path)
{
    struct text out = {0};
    char buffer[4096];
    FILE *file = fopen(path, "rb");
    iris__text_add(&out, "", 0);
    for (size_t n; file && (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
        iris__text_add(&out, buffer, n);
    if (file)
        fclose(file);
    return out.data;
}

static void write_file(const char *path, const char *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    fclose(file);
}

static struct manifest *parse_with(const char *text, const struct manifest_set *sets, size_t nsets,
                                   struct text *said)
{
    struct manifest *m = NULL;
    struct problems problems = {0};
    int failed = iris__manifest_parse("app.json", text, strlen(text), sets, nsets, &m, &problems);
    assert_int_equal(failed, m ? 0 : -1);
    assert_int_equal(failed, iris__problems_count(&problems) ? -1 : 0);
    iris__text_add(said, "", 0);
    iris__problems_text(&problems, 0, said);
    iris__problems_finish(&problems);
    return m;
}

static struct manifest *good(const char *text)
{
    struct text said = {0};
    struct manifest *m = parse_with(text, NULL, 0, &said);
    assert_string_equal(said.data, "");
    iris__text_finish(&said);
    return m;
}

static void assert_said(const char *text, const char *expected)
{
    struct text said = {0};
    iris__manifest_free(parse_with(text, NULL, 0, &said));
    assert_string_equal(said.data, expected);
    iris__text_finish(&said);
}

/* What comes of one `--set key=value`: "" or the problems. */
static struct manifest *set_one(const char *text, const char *key, const char *value,
                                const char *expected)
{
    struct text said = {0};
    struct manifest_set set = {key, value};
    struct manifest *m = parse_with(text, &set, 1, &said);
    assert_string_equal(said.data, expected);
    iris__text_finish(&said);
    return m;
}

/* ---- manifests by directory ---- */

/* With UPDATE=1 in the environment `expected` is written instead: read the diff. */
static int is_expected(const char *name, const char *said)
{
    char *expected = read_file("expected");
    int same = !strcmp(expected, said);
    if (!same && getenv("UPDATE"))
        write_file("expected", said, strlen(said));
    else if (!same)
        print_error("--- %s: expected\n%s--- said\n%s", name, expected, said);
    free(expected);
    return same;
}

static int case_is_right(const char *name, int valid)
{
    struct text said = {0};
    struct manifest *m = NULL;
    struct problems problems = {0};
    char *text = read_file("app.json");
    struct stat st;
    assert_int_equal(stat("app.json", &st), 0);
    iris__text_add(&said, "", 0);
    int failed = iris__manifest_parse("app.json", text, (size_t)st.st_size, NULL, 0, &m, &problems);
    if (!failed)
        manifest_dump(m, &said);
    else
        iris__problems_text(&problems, 0, &said);
    int right = is_expected(name, said.data) && (failed == 0) == valid;
    iris__text_finish(&said);
    iris__problems_finish(&problems);
    iris__manifest_free(m);
    free(text);
    return right;
}

static void run_cases(const char *directory, int valid, int least)
{
    struct dirent **list;
    int n = scandir(directory, &list, NULL, alphasort), run = 0, wrong = 0;
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", directory, list[i]->d_name);
        if (list[i]->d_name[0] != '.') {
            assert_int_equal(chdir(path), 0);
            wrong += !case_is_right(list[i]->d_name, valid);
            run++;
        }
        free(list[i]);
    }
    free(list);
    assert_int_equal(wrong, 0);
    assert_true(run >= least);
}

static void bad_manifests(void **state)
{
    (void)state;
    unsetenv(NOWHERE);
    run_cases(CASES "/invalid", 0, 100);
}

static void good_manifests(void **state)
{
    (void)state;
    unsetenv(NOWHERE);
    run_cases(CASES "/valid", 1, 7);
}

/* ---- files ---- */

static char directory[64];

static int enter_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/iris-manifest-XXXXXX");
    return !mkdtemp(directory) || chdir(directory);
}

static int leave_directory(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return chdir("/") || system(command);
}

static void assert_unreadable(const char *file, const char *expected)
{
    struct manifest *m = NULL;
    struct problems problems = {0};
    struct text said = {0};
    assert_int_equal(iris__manifest_read(file, NULL, 0, &m, &problems), -1);
    assert_null(m);
    iris__problems_text(&problems, 0, &said);
    assert_string_equal(said.data, expected);
    iris__text_finish(&said);
    iris__problems_finish(&problems);
}

static void odd_files(void **state)
{
    static char large[MANIFEST_SIZE_MAX + 1];
    (void)state;
    assert_unreadable("none.json",
                      "none.json: error: cannot be opened: No such file or directory\n");
    mkdir("dir", 0755);
    assert_unreadable("dir", "dir: error: is a directory; expected a file\n");
    mkfifo("fifo", 0644);
    assert_unreadable("fifo",
                      "fifo: error: is a device, a pipe or a socket; expected a regular file\n");
    memset(large, ' ', sizeof large);
    write_file("large.json", large, sizeof large);
    assert_unreadable("large.json",
                      "large.json: error: found 1048577 bytes; expected at most 1048576\n");
    write_file("empty.json", "", 0);
    assert_unreadable("empty.json",
                      "empty.json: error: is empty; expected an object\nhint: {\"actors\": "
                      "[{\"path\": \"/hello\", \"handler\": \"./libhello.so\"}]}\n");
}

static void world_writable_file(void **state)
{
    (void)state;
    write_file("app.json", "{\"actors\": []}", 14);
    chmod("app.json", 0646);
    assert_unreadable("app.json", "app.json: error: everybody may write it, so it is not trusted\n"
                                  "hint: chmod o-w app.json\n");
}

static void relative_to_the_file(void **state)
{
    static const char text[] = "{\"actors\": [{\"path\": \"/a\", \"handler\": \"././lib/a.so\"}]}";
    struct manifest *m = NULL;
    struct problems problems = {0};
    char expected[256];
    (void)state;
    mkdir("9 My_App.", 0755);
    write_file("9 My_App./app.json", text, strlen(text));
    assert_int_equal(iris__manifest_read("9 My_App./app.json", NULL, 0, &m, &problems), 0);
    assert_string_equal(m->name, "my-app");
    assert_string_equal(m->file, "9 My_App./app.json");
    snprintf(expected, sizeof expected, "%s/9 My_App./lib/a.so", directory);
    assert_string_equal(m->actors[0].handler_file, expected);
    iris__manifest_free(m);
}

/* ---- --set ---- */

#define ONE "{\"actors\": [{\"path\": \"/a\", \"handler\": \"./a.so\", \"args\": \"${V:-none}\"}]}"

static void set_replaces(void **state)
{
    (void)state;
    struct manifest *m = set_one(ONE, "env.V", "${x} $$", "");
    assert_string_equal(m->actors[0].args, "\"${x} $$\"");
    assert_int_equal(m->nenv, 1);
    iris__manifest_free(m);
    m = set_one(ONE, "actors[0].budget", "7", "");
    assert_int_equal(m->actors[0].budget, 7);
    iris__manifest_free(m);
    m = set_one(ONE, "actors[0].swap.keep", "9", "");
    assert_int_equal(m->actors[0].keep, 9);
    iris__manifest_free(m);
    m = set_one(ONE, "actors[0].args", "$HOME", "");
    assert_string_equal(m->actors[0].args, "\"$HOME\"");
    iris__manifest_free(m);
    m = set_one(ONE, "control.socket", "/tmp/s", "");
    assert_string_equal(m->socket, "/tmp/s");
    iris__manifest_free(m);
    m = set_one(ONE, "name", "other", "");
    assert_string_equal(m->name, "other");
    iris__manifest_free(m);
}

static void set_is_checked(void **state)
{
    (void)state;
    set_one(ONE, "nmae", "x", "--set nmae: error: unknown key\nhint: did you mean \"name\"?\n");
    set_one(ONE, "colour", "x",
            "--set colour: error: unknown key\n"
            "hint: keys are written as in env.LOG=FILE or actors[0].budget=50\n");
    set_one(ONE, "tracing", "x", "--set tracing: error: is part of the plan but not built yet\n");
    set_one(ONE, "hosts.python", "x",
            "--set hosts.python: error: the manifest has no such place\n");
    set_one(ONE, "hosts.python.vnev", "x",
            "--set hosts.python.vnev: error: unknown key\nhint: did you mean \"venv\"?\n");
    set_one(ONE, "hosts.python.cwd", "",
            "--set hosts.python.cwd: error: found \"\"; expected a string that is not empty\n");
    set_one(ONE, "actors[1].budget", "1",
            "--set actors[1].budget: error: the manifest has no such place\n");
    set_one(ONE, "actors[0]x", "1", "--set actors[0]x: error: the manifest has no such place\n");
    set_one(ONE, "actors[0].budget", "0",
            "--set actors[0].budget: error: found 0; expected a whole number from 1 to 65535 or an "
            "object\n");
    set_one(ONE, "actors", "x",
            "--set actors: error: must be a list of objects, but is a string (\"x\")\n");
    set_one(ONE, "env.1", "x",
            "--set env.1: error: expected a variable's name: letters, digits and \"_\", the first "
            "not a digit\n");
    set_one(ONE, "env.A", "\xff", "--set env.A: error: the value is not UTF-8 text\n");
}

/* ---- variables ---- */

static void variables(void **state)
{
    static const struct {
        const char *args, *expected;
    } cases[] = {
        {"plain", "plain"},
        {"${IRIS_T_SET}", "there"},
        {"a${IRIS_T_SET}b${IRIS_T_SET}", "atherebthere"},
        {"${IRIS_T_EMPTY}", ""},
        {"${IRIS_T_EMPTY:-full}", "full"},
        {"${" NOWHERE ":-a b}c", "a bc"},
        {"${" NOWHERE ":-}", ""},
        {"${" NOWHERE ":-$5}", "$5"},
        {"${IRIS_T_SET:?no}", "there"},
        {"$$", "$"},
        {"$${IRIS_T_SET}", "${IRIS_T_SET}"},
        {"$$$${x}", "$${x}"},
        {"^a$", "^a$"},
        {"5 $ and $5", "5 $ and $5"},
        {"${IRIS_T_ODD}", "${no} } $$"}, /* never read again */
        {"${IRIS_T_FILE}", "of the file"},
        {"${IRIS_T_BOTH}", "of the file"},
    };
    (void)state;
    unsetenv(NOWHERE);
    setenv("IRIS_T_SET", "there", 1);
    setenv("IRIS_T_EMPTY", "", 1);
    setenv("IRIS_T_ODD", "${no} } $$", 1);
    setenv("IRIS_T_BOTH", "of the process", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], expected[128];
        snprintf(
            text, sizeof text,
            "{\"env\": {\"IRIS_T_FILE\": \"of the file\", \"IRIS_T_BOTH\": \"${IRIS_T_FILE:-of "
            "the file}\"}, \"actors\": [{\"path\": \"/a\", \"handler\": \"a.so\", \"args\": "
            "\"%s\"}]}",
            cases[i].args);
        snprintf(expected, sizeof expected, "\"%s\"", cases[i].expected);
        struct manifest *m = good(text);
        assert_string_equal(m->actors[0].args, expected);
        iris__manifest_free(m);
    }
}

static void set_wins(void **state)
{
    (void)state;
    setenv("V", "process", 1);
    struct manifest *m =
        set_one("{\"env\": {\"V\": \"file\", \"W\": \"${V}\"}, \"actors\": "
                "[{\"path\": \"/a\", \"handler\": \"a.so\", \"args\": \"${V} ${W}\"}]}",
                "env.V", "set", "");
    assert_string_equal(m->actors[0].args, "\"set set\"");
    assert_int_equal(m->nenv, 2);
    iris__manifest_free(m);
    m = good("{\"env\": {\"V\": \"file\", \"W\": \"${V}\"}, \"actors\": "
             "[{\"path\": \"/a\", \"handler\": \"a.so\", \"args\": \"${V} ${W}\"}]}");
    assert_string_equal(m->actors[0].args, "\"file process\"");
    iris__manifest_free(m);
}

static void app_dir(void **state)
{
    char expected[PATH_MAX + 16], here[PATH_MAX];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    setenv("IRIS_APP_DIR", "of an app around this one", 1);
    struct manifest *m = good("{\"actors\": [{\"path\": \"/a\", \"handler\": \"a.so\", \"args\": "
                              "\"${IRIS_APP_DIR}/x\"}]}");
    snprintf(expected, sizeof expected, "\"%s/x\"", here);
    assert_string_equal(m->actors[0].args, expected);
    iris__manifest_free(m);
    unsetenv("IRIS_APP_DIR");
}

static void variable_not_utf8(void **state)
{
    (void)state;
    setenv("V", "a\xff", 1);
    assert_said("{\"name\": \"${V}\", \"actors\": []}",
                "app.json:1:10: error: name: a variable here is not UTF-8 text\n"
                "{\"name\": \"${V}\", \"actors\": []}\n"
                "         ^~~~~~\n");
}

/* ---- units ---- */

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"0s", 0},
        {"1us", 1000},
        {"250ms", 250000000},
        {"5s", 5000000000},
        {"1m", 60000000000},
        {"2h", 7200000000000},
        {"0.1s", 100000000},
        {"1.5ms", 1500000},
        {"1.0000019s", 1000001000},
        {"876000h", 876000 * INT64_C(3600000000000)},
        {"", -1},
        {"5", -1},
        {"s", -1},
        {"5 s", -1},
        {"5sec", -1},
        {"-5s", -1},
        {"+5s", -1},
        {".5s", -1},
        {"5.s", -1},
        {"1e3s", -1},
        {"5S", -1},
        {"876001h", -1},
        {"9999999999999999s", -1},
        {"infinity", -1},
        {"5s ", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -1;
        int failed = iris__duration(cases[i].text, &ns);
        assert_int_equal(failed, cases[i].ns < 0 ? -1 : 0);
        if (!failed)
            assert_int_equal(ns, cases[i].ns);
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } cases[] = {
        {"1B", 1},       {"64KiB", 65536}, {"2GiB", INT64_C(2147483648)},
        {"1.5kB", 1500}, {"1MB", 1000000}, {"0B", 0},
        {"1K", -1},      {"64", -1},       {"999999999999999GiB", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t bytes = -1;
        int failed = iris__size(cases[i].text, &bytes);
        assert_int_equal(failed, cases[i].bytes < 0 ? -1 : 0);
        if (!failed)
            assert_int_equal(bytes, cases[i].bytes);
    }
}

static void edits(void **state)
{
    (void)state;
    assert_int_equal(iris__edits("", 0, "abc", 3), 3);
    assert_int_equal(iris__edits("restart", 7, "restart", 7), 0);
    assert_int_equal(iris__edits("restrat", 7, "restart", 7), 1);
    assert_int_equal(iris__edits("allways", 7, "always", 6), 1);
    assert_int_equal(iris__edits("sockt", 5, "socket", 6), 1);
    assert_int_equal(iris__edits("kitten", 6, "sitting", 7), 3);
    char tall[200] = {0};
    assert_true(iris__edits(tall, sizeof tall, "a", 1) == SIZE_MAX);
}

/* ---- order ---- */

static void assert_order(const char *text, const char *expected)
{
    struct manifest *m = good(text);
    char order[64] = "";
    for (size_t i = 0; i < m->nactors; i++)
        strcat(order, m->actors[m->start_order[i]].path);
    assert_string_equal(order, expected);
    iris__manifest_free(m);
}

#define A(path, ...) \
    "{\"path\": \"" path "\", \"handler\": \"a.so\", \"depends_on\": [" __VA_ARGS__ "]}"

static void start_order(void **state)
{
    (void)state;
    assert_order("{\"actors\": [" A("/a") "," A("/b") "," A("/c") "]}", "/a/b/c");
    assert_order("{\"actors\": [" A("/a", "\"/c\"") "," A("/b") "," A("/c") "]}", "/c/a/b");
    assert_order("{\"actors\": [" A("/a") "," A("/b", "\"/c\", \"/a\"") "," A("/c", "\"/a\"") "]}",
                 "/a/c/b");
    assert_order("{\"actors\": [" A("/d", "\"/b\", \"/c\"") "," A("/b", "\"/a\"") "," A(
                     "/c", "\"/a\"") "," A("/a") "]}",
                 "/a/b/c/d");
}

/* One actor behind the other, as long as a manifest can be: nothing may recurse along it. */
static struct manifest *chain(size_t n, int closed, struct problems *problems)
{
    struct text text = {0};
    struct manifest *m = NULL;
    iris__text_addf(&text, "{\"actors\": [");
    for (size_t i = 0; i < n; i++)
        iris__text_addf(&text,
                        "%s{\"path\":\"/%zu\",\"handler\":\"a.so\",\"depends_on\":[\"/%zu\"]}",
                        i ? "," : "", i, closed && i + 1 == n ? 0 : i + 1);
    if (!closed)
        iris__text_addf(&text, ",{\"path\":\"/%zu\",\"handler\":\"a.so\"}", n);
    iris__text_addf(&text, "]}");
    iris__manifest_parse("app.json", text.data, text.len, NULL, 0, &m, problems);
    iris__text_finish(&text);
    return m;
}

static void long_chains(void **state)
{
    struct problems problems = {0};
    (void)state;
    struct manifest *m = chain(15000, 0, &problems);
    assert_non_null(m);
    for (size_t i = 0; i <= 15000; i++)
        assert_int_equal(m->start_order[i], 15000 - i);
    iris__manifest_free(m);
    assert_null(chain(15000, 1, &problems));
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.items[0].code, "cycle");
    assert_string_equal(problems.items[0].pointer, "/actors/0/depends_on");
    iris__problems_finish(&problems);
}

/* ---- bounds ---- */

/* `n` mistakes between `before` and `after`: each is `each` with a number for its %zu. */
static void assert_bounded(const char *before, const char *each, size_t n, const char *after)
{
    struct text text = {0};
    struct manifest *m = NULL;
    struct problems problems = {0};
    const char *number = strstr(each, "%zu");
    iris__text_addf(&text, "%s", before);
    for (size_t i = 0; i < n; i++)
        iris__text_addf(&text, "%s%.*s%zu%s", i ? "," : "", (int)(number - each), each, i,
                        number + 3);
    iris__text_addf(&text, "%s", after);
    iris__manifest_parse("app.json", text.data, text.len, NULL, 0, &m, &problems);
    assert_null(m);
    assert_int_equal(problems.n, PROBLEMS_MAX);
    assert_int_equal(iris__problems_count(&problems), n);
    for (size_t i = 0; i < problems.n; i++)
        assert_true(problems.items[i].line == 1 && strlen(problems.items[i].source) < 300);
    iris__problems_finish(&problems);
    iris__text_finish(&text);
}

static void hostile_sizes(void **state)
{
    (void)state;
    assert_bounded("{\"actors\": [],", "\"k%zu\":1", 50000, "}");
    assert_bounded("{\"actors\": [{\"path\": \"/a\", \"handler\": \"a.so\", \"depends_on\": [",
                   "\"/b%zu\"", 50000, "]}]}");
    assert_bounded("{\"actors\": [], \"supervisors\": [", "{\"path\": \"x%zu\"}", 40000, "]}");
}

/* ---- what problems look like ---- */

static void problems_json(void **state)
{
    static const char text[] = "{\n \"name\": \"\xc3\xbc\",\n \"restrat\": 1, \"actors\": []\n}";
    struct manifest *m = NULL;
    struct problems problems = {0};
    struct text out = {0};
    (void)state;
    iris__manifest_parse("a\xff.json", text, strlen(text), NULL, 0, &m, &problems);
    iris__problem_add(&problems, "app.json", "/actors/0/handler", "not-found", "a \"%s\"\n", "b");
    iris__problems_json(&problems, &out);
    assert_string_equal(
        out.data,
        "[{\"file\":\"a?.json\",\"line\":2,\"column\":10,\"pointer\":\"/name\",\"code\":\"bad-value\","
        "\"message\":\"found \\\"\xc3\xbc\\\"; expected a lower-case letter, then up to 62 of a-z, 0-9 "
        "and \\\"-\\\"\",\"hint\":null},"
        "{\"file\":\"a?.json\",\"line\":3,\"column\":2,\"pointer\":\"/restrat\",\"code\":"
        "\"unknown-key\",\"message\":\"unknown key\",\"hint\":\"the keys here are $schema, manifest, "
        "name, env, hosts, actors, supervisors, mesh, control, metrics, logs, limits, process; a key of your own "
        "begins with x-\"},"
        "{\"file\":\"app.json\",\"line\":null,\"column\":null,\"pointer\":\"/actors/0/handler\","
        "\"code\":\"not-found\",\"message\":\"a \\\"b\\\"?\",\"hint\":null}]");
    iris__text_finish(&out);
    iris__problems_finish(&problems);
}

/* A problem that is found when the manifest has long been read gets its place all the same. */
static void located_later(void **state)
{
    struct problems problems = {0};
    struct text out = {0};
    (void)state;
    struct manifest *m = good("{\"actors\": [\n  {\"path\": \"/a\", \"handler\": \"./a.so\"}\n]}");
    iris__problem_add(&problems, m->file, "/actors/0/handler", "not-found", "no such file");
    iris__manifest_locate(m, &problems);
    iris__problems_text(&problems, 1, &out);
    assert_string_equal(out.data, "\033[1mapp.json:2:29:\033[0m \033[1;31merror:\033[0m "
                                  "actors[0].handler: no such file\n"
                                  "  {\"path\": \"/a\", \"handler\": \"./a.so\"}\n"
                                  "                            \033[1;32m^~~~~~~~\033[0m\n");
    iris__text_finish(&out);
    iris__problems_finish(&problems);
    iris__manifest_free(m);
}

/* libfyaml takes CR LF for two lines; editors and people do not. */
static void crlf_is_one_line(void **state)
{
    (void)state;
    struct manifest *m =
        good("{\r\n\t\"actors\":\r\n[{\"handler\": \"a.so\",\r\n\"path\": \"/a\"}]}\r\n");
    assert_int_equal(m->actors[0].line, 4);
    assert_int_equal(m->actors[0].column, 9);
    iris__manifest_free(m);
}

/* ---- the table ---- */

static int has_section(const char *where)
{
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (!strcmp(k->where, where))
            return 1;
    return 0;
}

static void the_table(void **state)
{
    (void)state;
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++) {
        struct text kinds = {0}, values = {0};
        assert_true(k->meaning && *k->meaning && k->types);
        assert_ptr_equal(iris__manifest_key(k->where, k->name), k); /* no name twice */
        assert_true(!(k->types & MANIFEST_WORD) == !k->words);
        assert_true(!k->words || k->words[strlen(k->words) - 1] == ' ');
        assert_true(!k->planned_words || k->planned_words[strlen(k->planned_words) - 1] == ' ');
        assert_true(!k->planned || (!k->at && !k->required));
        if (k->child)
            assert_true(has_section(k->child));
        if (k->def && k->types == MANIFEST_WORD)
            assert_true(iris__manifest_word(k->words, k->def) >= 0);
        assert_int_equal(iris__manifest_kinds(k, &kinds), 0);
        assert_int_equal(iris__manifest_values(k, &values), 0);
        iris__text_finish(&kinds);
        iris__text_finish(&values);
    }
    assert_null(iris__manifest_key("", "path"));
    assert_int_equal(iris__manifest_word("a b ", "a b"), -1);
    assert_int_equal(iris__manifest_word("a b ", ""), -1);
    assert_int_equal(iris__manifest_word("aa b ", "b"), 1);
}

static void defaults(void **state)
{
    (void)state;
    struct manifest *m = good("{\"actors\": [{\"path\": \"/a\", \"handler\": \"a.so\"}],"
                              "\"supervisors\": [{\"path\": \"/\"}]}");
    assert_int_equal(m->actors[0].budget, 100);
    assert_int_equal(m->actors[0].capacity, 65536);
    assert_int_equal(m->actors[0].keep, 4);
    assert_int_equal(m->actors[0].restart, MANIFEST_ON_FAILURE);
    assert_int_equal(m->actors[0].stateless, MANIFEST_REFUSE);
    assert_int_equal(m->supervisors[0].strategy, MANIFEST_ONE_FOR_ONE);
    assert_int_equal(m->supervisors[0].intensity, 3);
    assert_int_equal(m->supervisors[0].period_ns, 5000000000);
    assert_null(m->socket);
    iris__manifest_free(m);
    iris__manifest_free(NULL);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("manifest.every_bad_manifest_is_refused_with_its_message", bad_manifests),
    IRIS_TEST("manifest.every_good_manifest_is_read_as_expected", good_manifests),
    IRIS_TEST_WITH("manifest.odd_files_are_refused", odd_files, enter_directory, leave_directory),
    IRIS_TEST_WITH("manifest.world_writable_file_is_refused", world_writable_file, enter_directory,
                   leave_directory),
    IRIS_TEST_WITH("manifest.names_are_relative_to_the_file", relative_to_the_file, enter_directory,
                   leave_directory),
    IRIS_TEST("manifest.set_replaces_values", set_replaces),
    IRIS_TEST("manifest.set_is_checked_like_the_file", set_is_checked),
    IRIS_TEST("manifest.variables_are_replaced_once", variables),
    IRIS_TEST("manifest.set_wins_over_file_over_process", set_wins),
    IRIS_TEST("manifest.app_dir_is_the_manifests_directory", app_dir),
    IRIS_TEST("manifest.variable_that_is_not_utf8_is_refused", variable_not_utf8),
    IRIS_TEST("manifest.durations", durations),
    IRIS_TEST("manifest.sizes", sizes),
    IRIS_TEST("manifest.nearest_word_by_edits", edits),
    IRIS_TEST("manifest.start_order_is_stable_and_dependencies_are_first", start_order),
    IRIS_TEST("p10.manifest_with_a_long_chain_needs_no_stack", long_chains),
    IRIS_TEST("p10.manifest_of_any_size_makes_few_problems", hostile_sizes),
    IRIS_TEST("manifest.problems_as_json_are_stable", problems_json),
    IRIS_TEST("manifest.later_problems_get_their_place", located_later),
    IRIS_TEST("manifest.crlf_is_one_line", crlf_is_one_line),
    IRIS_TEST("manifest.the_table_is_consistent", the_table),
    IRIS_TEST("manifest.defaults_are_the_tables", defaults),
};

IRIS_MAIN(tests)
