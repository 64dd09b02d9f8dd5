/* iris_app_run() as a program that embeds it sees it: what it says, what it returns, what it leaves. */
#include "main.h"

#include <iris/app.h>

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAID 64

struct run { /* one app: a manifest, a thread, what was said */
    char dir[64], file[96], said[SAID][512];
    int kinds[SAID], n, stop[2], status;
    iris_app_options options;
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_t thread;
};

static void hear(void *ctx, int kind, const char *text)
{
    struct run *r = ctx;
    pthread_mutex_lock(&r->lock);
    if (r->n < SAID) {
        snprintf(r->said[r->n], sizeof r->said[0], "%s", text);
        r->kinds[r->n++] = kind;
    }
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
}

static void write_manifest(struct run *r, const char *name, const char *handler)
{
    FILE *f = fopen(r->file, "w");
    assert_non_null(f);
    fprintf(f, "{\"name\": \"%s\", \"actors\": [{\"path\": \"/a\", \"handler\": \"%s\"}]}\n", name,
            handler);
    fclose(f);
}

static struct run *create(const char *name)
{
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    snprintf(r->dir, sizeof r->dir, "/tmp/iris-test-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->file, sizeof r->file, "%s/app.json", r->dir);
    write_manifest(r, name, IRIS_BUILD_DIR "/tests/behaviours/last_word.so");
    assert_int_equal(pipe(r->stop), 0);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->more, NULL);
    r->options = (iris_app_options){.size = sizeof r->options,
                                    .abi = IRIS_ABI,
                                    .file = r->file,
                                    .workers = 2,
                                    .stop_fd = r->stop[0],
                                    .out = hear,
                                    .ctx = r};
    return r;
}

static void destroy(struct run *r)
{
    unlink(r->file);
    assert_int_equal(rmdir(r->dir), 0);
    close(r->stop[0]);
    close(r->stop[1]);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->more);
    free(r);
}

static void *go(void *arg)
{
    struct run *r = arg;
    r->status = iris_app_run(&r->options);
    return NULL;
}

static int find(struct run *r, int kind, const char *text)
{
    for (int i = 0; i < r->n; i++)
        if (r->kinds[i] == kind && strstr(r->said[i], text))
            return i;
    return -1;
}

static void await(struct run *r, int kind, const char *text)
{
    pthread_mutex_lock(&r->lock);
    while (find(r, kind, text) < 0)
        pthread_cond_wait(&r->more, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

static int count(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static int setup(void **state)
{
    char *dir = strdup("/tmp/iris-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    setenv("XDG_RUNTIME_DIR", dir, 1);
    setenv("XDG_STATE_HOME", dir, 1);
    setenv("IRIS_LIB", IRIS_BUILD_DIR "/lib", 1); /* where the hosts are */
    *state = dir;
    return 0;
}

/* Nothing is left below, but the directory itself. */
static int teardown(void **state)
{
    char iris[96];
    snprintf(iris, sizeof iris, "%s/iris", (char *)*state);
    assert_int_equal(rmdir(iris), 0);
    assert_int_equal(rmdir(*state), 0);
    free(*state);
    return 0;
}

static void run_to_the_end(struct run *r)
{
    assert_int_equal(pthread_create(&r->thread, NULL, go, r), 0);
    await(r, IRIS_APP_NOTE, "talk to it");
    assert_int_equal(write(r->stop[1], "", 1), 1);
    pthread_join(r->thread, NULL);
}

static void says_what_it_does(void **state)
{
    (void)state;
    struct run *r = create("one");
    run_to_the_end(r);
    assert_int_equal(r->status, IRIS_EXIT_OK);
    assert_int_equal(find(r, IRIS_APP_HEADER, "one  pid "), 0);
    int began = find(r, IRIS_APP_LOG, "/a  begins"), actor = find(r, IRIS_APP_ACTOR, "/a  "),
        ended = find(r, IRIS_APP_LOG, "/a  ends"), stopped = find(r, IRIS_APP_EVENT, "/a  stopped");
    assert_true(0 < began && began < actor && actor < ended && ended < stopped);
    assert_int_equal(find(r, IRIS_APP_ERROR, ""), -1);
    destroy(r);
}

static void leaves_no_thread_and_no_descriptor(void **state)
{
    (void)state;
    struct run *r = create("one");
    run_to_the_end(r); /* what is made once (the C library's) is made now */
    int threads = count("/proc/self/task"), files = count("/proc/self/fd");
    for (int i = 0; i < 5; i++) {
        char byte;
        assert_int_equal(read(r->stop[0], &byte, 1), 1);
        r->n = 0;
        run_to_the_end(r);
        assert_int_equal(r->status, IRIS_EXIT_OK);
    }
    assert_int_equal(count("/proc/self/task"), threads);
    assert_int_equal(count("/proc/self/fd"), files);
    destroy(r);
}

static void two_run_in_one_process(void **state)
{
    (void)state;
    struct run *one = create("one"), *two = create("two"), *again = create("one");
    assert_int_equal(pthread_create(&one->thread, NULL, go, one), 0);
    await(one, IRIS_APP_NOTE, "talk to it");
    run_to_the_end(two);
    assert_int_equal(two->status, IRIS_EXIT_OK);
    go(again);
    assert_int_equal(again->status, IRIS_EXIT_FAILED);
    assert_true(find(again, IRIS_APP_ERROR, "an app of this name runs already") >= 0);
    assert_int_equal(write(one->stop[1], "", 1), 1);
    pthread_join(one->thread, NULL);
    assert_int_equal(one->status, IRIS_EXIT_OK);
    destroy(one);
    destroy(two);
    destroy(again);
}

static void stops_before_it_began(void **state)
{
    (void)state;
    struct run *r = create("one");
    assert_int_equal(write(r->stop[1], "", 1), 1);
    go(r);
    assert_int_equal(r->status, IRIS_EXIT_OK);
    assert_true(find(r, IRIS_APP_HEADER, "one") >= 0);
    destroy(r);
}

static void runs_in_silence(void **state)
{
    (void)state;
    struct run *r = create("one");
    r->options.out = NULL;
    r->options.until_idle = 1;
    go(r);
    assert_int_equal(r->status, IRIS_EXIT_OK);
    assert_int_equal(r->n, 0);
    write_manifest(r, "one", "./nothing.so");
    go(r);
    assert_int_equal(r->status, IRIS_EXIT_MANIFEST);
    destroy(r);
}

static void understands_older_and_newer_options(void **state)
{
    (void)state;
    struct run *r = create("one");
    r->options.size = offsetof(iris_app_options, program);
    r->options.program = (const char *)1; /* must not be looked at */
    run_to_the_end(r);
    assert_int_equal(r->status, IRIS_EXIT_OK);
    r->options.abi = IRIS_ABI + 1;
    go(r);
    assert_int_equal(r->status, IRIS_EXIT_USAGE);
    assert_non_null(strstr(iris_app_reason(), "ABI"));
    destroy(r);
}

/* What the program is, and where, is not an app's to say. */
static void leaves_its_program_as_it_is(void **state)
{
    (void)state;
    struct run *r = create("one");
    char before[4096], after[4096];
    FILE *f = fopen(r->file, "w");
    assert_non_null(f);
    fputs("{\"name\": \"one\", \"actors\": [], \"process\": {\"cwd\": \"/\"}}\n", f);
    fclose(f);
    assert_non_null(getcwd(before, sizeof before));
    r->options.until_idle = 1;
    go(r);
    assert_int_equal(r->status, IRIS_EXIT_MANIFEST);
    assert_non_null(
        strstr(r->said[0], "process.cwd: found \"/\", but the process is not this app's"));
    assert_non_null(getcwd(after, sizeof after));
    assert_string_equal(before, after);
    write_manifest(r, "one", IRIS_BUILD_DIR "/tests/behaviours/last_word.so");
    go(r);
    assert_int_equal(r->status, IRIS_EXIT_OK);
    destroy(r);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST_WITH("app.says_what_it_does", says_what_it_does, setup, teardown),
    IRIS_TEST_WITH("p9.app_leaves_no_thread_and_no_descriptor", leaves_no_thread_and_no_descriptor, setup, teardown),
    IRIS_TEST_WITH("app.two_run_in_one_process", two_run_in_one_process, setup, teardown),
    IRIS_TEST_WITH("app.stops_before_it_began", stops_before_it_began, setup, teardown),
    IRIS_TEST_WITH("app.runs_in_silence", runs_in_silence, setup, teardown),
    IRIS_TEST_WITH("app.understands_older_and_newer_options", understands_older_and_newer_options, setup, teardown),
    IRIS_TEST_WITH("app.leaves_its_program_as_it_is", leaves_its_program_as_it_is, setup, teardown),
};
/* clang-format on */
IRIS_MAIN(tests)
