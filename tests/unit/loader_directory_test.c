/* The loader's private directory: where it is, whose it is, and that it goes with its process. */
#include "loader_fixture.h"

#include "fail.h"
#include "main.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void directory_is_private(void **state)
{
    struct loader_fixture *f = *state;
    struct stat st;
    iris__store_open(&f->loader.store);
    assert_int_equal(stat(f->loader.store.dir.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(loader_path(f, "state"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(fcntl(f->loader.store.dir.lock, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(f->loader.store.dir.own, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(f->loader.store.dir.base, F_GETFD), FD_CLOEXEC);
}

static void loader_that_loads_nothing_leaves_no_trace(void **state)
{
    struct loader_fixture *f = *state;
    assert_false(loader_exists(loader_path(f, "state")));
    iris__library_release(loader_load(f, loader_sample("counter1")));
    assert_true(loader_exists(loader_path(f, "state")));
}

static void two_loaders_have_two_directories(void **state)
{
    struct loader_fixture *f = *state;
    struct loader other;
    iris__loader_init(&other);
    struct library *one = loader_load(f, loader_sample("counter1")), *two = NULL;
    assert_int_equal(iris__loader_open(&other, loader_sample("counter1"), &f->api, &two), 0);
    assert_string_not_equal(other.store.dir.path, f->loader.store.dir.path);
    assert_int_equal(loader_call(one, 2), 1);
    assert_int_equal(loader_call(two, 2), 1); /* each runtime has its own statics */
    iris__library_release(two);
    iris__loader_finish(&other);
    assert_int_equal(loader_call(one, 2), 2);
    iris__library_release(one);
}

static void finish_removes_the_directory(void **state)
{
    struct loader_fixture *f = *state;
    iris__library_release(loader_load(f, loader_sample("threadlocal")));
    char *path = strdup(f->loader.store.dir.path), command[1024];
    snprintf(command, sizeof command, "mkdir -p %s/__pycache__/deep && : > %s/__pycache__/x.pyc",
             path, path);
    assert_int_equal(system(command), 0);
    iris__loader_finish(&f->loader);
    assert_false(loader_exists(path));
    free(path);
    iris__loader_init(&f->loader);
}

/* A process with a loader of its own; returns its directory, which the caller frees. */
static char *start_other(struct loader_fixture *f, pid_t *pid)
{
    int pipes[2];
    char path[1024] = "";
    assert_int_equal(pipe(pipes), 0);
    *pid = fork();
    if (*pid == 0) {
        struct loader other;
        struct library *lib;
        iris__loader_init(&other);
        iris__loader_open(&other, loader_sample("counter1"), &f->api, &lib);
        dprintf(pipes[1], "%s", other.store.dir.path);
        close(pipes[1]);
        for (;;)
            pause();
    }
    close(pipes[1]);
    for (ssize_t n, at = 0; (n = read(pipes[0], path + at, sizeof path - 1 - at)) > 0;)
        at += n;
    close(pipes[0]);
    return strdup(path);
}

static void kill_other(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void directory_of_a_killed_process_is_removed(void **state)
{
    struct loader_fixture *f = *state;
    pid_t killed, alive;
    char *of_killed = start_other(f, &killed), *of_alive = start_other(f, &alive);
    kill_other(killed);
    assert_true(loader_exists(of_killed));
    struct loader next;
    iris__loader_init(&next);
    iris__store_open(&f->loader.store);
    iris__store_open(&next.store);
    assert_false(loader_exists(of_killed));
    assert_true(loader_exists(of_alive));
    assert_true(loader_exists(f->loader.store.dir.path));
    iris__loader_finish(&next);
    kill_other(alive);
    free(of_killed);
    free(of_alive);
}

static void forked_child_does_not_remove_it(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("counter1"));
    pid_t child = fork();
    if (child == 0) {
        iris__library_release(lib);
        iris__loader_finish(&f->loader);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    assert_true(loader_exists(lib->copy->path));
    assert_int_equal(loader_call(lib, 1), 1);
    iris__library_release(lib);
}

static int is_below(const struct loader *l, const char *base)
{
    return l->store.dir.path && !strncmp(l->store.dir.path, base, strlen(base)) &&
           l->store.dir.path[strlen(base)] == '/';
}

/* Where the loader goes with this environment. */
static int goes_below(const char *variable, const char *value, const char *base)
{
    struct loader l;
    setenv(variable, value, 1);
    iris__loader_init(&l);
    iris__store_open(&l.store);
    int result = is_below(&l, base);
    iris__loader_finish(&l);
    return result;
}

static void state_directory_is_found_in_order(void **state)
{
    struct loader_fixture *f = *state;
    const char *dir = f->dir;
    unsetenv("IRIS_STATE_DIR");
    unsetenv("XDG_STATE_HOME");
    assert_true(goes_below("HOME", dir, loader_path(f, ".local/state/iris")));
    assert_true(goes_below("XDG_STATE_HOME", dir, loader_path(f, "iris")));
    assert_true(goes_below("IRIS_STATE_DIR", loader_path(f, "a/b/c"), loader_path(f, "a/b/c")));
    assert_true(goes_below("IRIS_STATE_DIR", "", loader_path(f, "iris")));
    assert_true(goes_below("XDG_STATE_HOME", "relative", loader_path(f, ".local/state/iris")));
    assert_true(goes_below("IRIS_STATE_DIR", loader_put_bytes(f, "file", "x", 1),
                           loader_path(f, ".local/state/iris")));
    assert_true(chdir(dir) == 0 && goes_below("IRIS_STATE_DIR", "here", loader_path(f, "here")));
}

static void directory_that_others_may_write_is_passed_over(void **state)
{
    struct loader_fixture *f = *state;
    setenv("XDG_STATE_HOME", f->dir, 1);
    assert_int_equal(mkdir(loader_path(f, "open"), 0700), 0);
    assert_int_equal(chmod(loader_path(f, "open"), 0777), 0);
    assert_true(goes_below("IRIS_STATE_DIR", loader_path(f, "open"), loader_path(f, "iris")));
}

/* sudo without -H leaves $HOME: a directory of root's in there would be in that user's way. */
static void home_of_another_user_is_passed_over(void **state)
{
    struct loader_fixture *f = *state;
    unsetenv("IRIS_STATE_DIR");
    setenv("HOME", f->dir, 1);
    assert_int_equal(mkdir(loader_path(f, "theirs"), 0700), 0);
    if (chown(loader_path(f, "theirs"), 12345, 12345) < 0)
        skip();
    assert_true(goes_below("XDG_STATE_HOME", loader_path(f, "theirs"),
                           loader_path(f, ".local/state/iris")));
    assert_false(loader_exists(loader_path(f, "theirs/iris")));
}

/* In a mount namespace of its own. 77: this user may not have one. */
static int try_noexec(struct loader_fixture *f)
{
    const char *noexec = loader_path(f, "noexec");
    mkdir(noexec, 0700);
    if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return 77;
    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    if (mount("none", noexec, "tmpfs", MS_NOEXEC, "mode=0700") < 0)
        return 77;
    setenv("XDG_STATE_HOME", f->dir, 1);
    return goes_below("IRIS_STATE_DIR", noexec, loader_path(f, "iris")) ? 0 : 1;
}

static void directory_mounted_noexec_is_passed_over(void **state)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(try_noexec(*state));
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST_LOADER("loader.directory_is_private", directory_is_private),
    IRIS_TEST_LOADER("loader.without_a_load_leaves_no_trace", loader_that_loads_nothing_leaves_no_trace),
    IRIS_TEST_LOADER("loader.two_loaders_have_two_directories", two_loaders_have_two_directories),
    IRIS_TEST_LOADER("loader.finish_removes_the_directory", finish_removes_the_directory),
    IRIS_TEST_LOADER("loader.directory_of_a_killed_process_is_removed", directory_of_a_killed_process_is_removed),
    IRIS_TEST_LOADER("loader.forked_child_does_not_remove_it", forked_child_does_not_remove_it),
    IRIS_TEST_LOADER("loader.state_directory_is_found_in_order", state_directory_is_found_in_order),
    IRIS_TEST_LOADER("loader.directory_that_others_may_write_is_passed_over", directory_that_others_may_write_is_passed_over),
    IRIS_TEST_LOADER("loader.home_of_another_user_is_passed_over", home_of_another_user_is_passed_over),
    IRIS_TEST_LOADER("loader.directory_mounted_noexec_is_passed_over", directory_mounted_noexec_is_passed_over),
};
/* clang-format on */
IRIS_MAIN(tests)
