/* The cookies of the mesh: made once whatever races, and never read from where others can write. */
#include "main.h"

#include "cookie.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 64 };

static char dir[64], path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/iris-cookie-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/mesh.cookie", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void put(const char *bytes, size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void own_says(const char *part)
{
    unsigned char cookie[COOKIE_BYTES];
    char why[512] = "";
    assert_int_equal(cookie_own(dir, cookie, why, sizeof why), -1);
    if (!strstr(why, part))
        fail_msg("\"%s\" does not say \"%s\"", why, part);
}

static void file_says(const char *part)
{
    unsigned char cookie[COOKIE_MAX];
    char why[512] = "";
    size_t n;
    assert_int_equal(cookie_file(path, cookie, &n, why, sizeof why), -1);
    if (!strstr(why, part))
        fail_msg("\"%s\" does not say \"%s\"", why, part);
}

static void is_made_once(void **state)
{
    (void)state;
    static const unsigned char none[COOKIE_BYTES];
    unsigned char one[COOKIE_BYTES], two[COOKIE_BYTES];
    char why[512];
    struct stat st;
    assert_int_equal(cookie_own(dir, one, why, sizeof why), 0);
    assert_int_equal(cookie_own(dir, two, why, sizeof why), 0);
    assert_memory_equal(one, two, COOKIE_BYTES);
    assert_memory_not_equal(one, none, COOKIE_BYTES);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(st.st_nlink, 1);
}

/* A umask that forbids everything to everybody, as one that forbids nothing. */
static void whatever_the_umask(void **state)
{
    (void)state;
    unsigned char cookie[COOKIE_BYTES];
    char why[512];
    struct stat st;
    for (mode_t mask = 0; mask <= 0777; mask += 0777) {
        mode_t before = umask(mask);
        int result = cookie_own(dir, cookie, why, sizeof why);
        umask(before);
        assert_int_equal(result, 0);
        assert_int_equal(lstat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        unlink(path);
    }
}

struct race {
    unsigned char got[PROCESSES][COOKIE_BYTES];
};

static void agree(struct race *race)
{
    int door[2], status, pids[PROCESSES];
    unlink(path);
    assert_int_equal(pipe(door), 0);
    for (int i = 0; i < PROCESSES; i++)
        if (!(pids[i] = fork())) {
            close(door[1]);
            char c, why[512];
            if (read(door[0], &c, 1) < 0)
                _exit(2);
            _exit(cookie_own(dir, race->got[i], why, sizeof why) ? 1 : 0);
        }
    close(door[0]);
    close(door[1]); /* all at once */
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
        assert_memory_equal(race->got[i], race->got[0], COOKIE_BYTES);
    }
}

static void many_make_one(void **state)
{
    (void)state;
    struct race *race =
        mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(race, MAP_FAILED);
    for (int times = 0; times < 20; times++)
        agree(race);
    munmap(race, sizeof *race);
    unlink(path);
    assert_int_equal(rmdir(dir), 0); /* no draft is left */
}

static void others_may_not_read(void **state)
{
    (void)state;
    char bytes[COOKIE_BYTES] = "x";
    put(bytes, sizeof bytes, 0640);
    own_says("mode 0640 lets others in; try: chmod 600");
    file_says("mode 0640 lets others in");
    put(bytes, sizeof bytes, 0602);
    own_says("mode 0602");
    file_says("mode 0602");
}

static void no_link_is_followed(void **state)
{
    (void)state;
    char real[96];
    snprintf(real, sizeof real, "%s/real", dir);
    assert_int_equal(symlink(real, path), 0);
    own_says("a symbolic link");
    int fd = open(real, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "01234567890123456789012345678901", 32), 32);
    close(fd);
    own_says("a symbolic link");
}

static void no_other_kind(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    own_says("not a file");
    file_says("not a file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    own_says("not a file");
}

static void directory_is_ours_alone(void **state)
{
    (void)state;
    assert_int_equal(chmod(dir, 0755), 0);
    own_says("expected a directory of this user's with mode 0700");
    assert_int_equal(chmod(dir, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(dir, 12345, 0), 0);
        own_says("expected a directory of this user's");
    }
}

static void not_another_users(void **state)
{
    (void)state;
    char bytes[COOKIE_BYTES] = "x";
    if (geteuid() != 0)
        skip();
    put(bytes, sizeof bytes, 0600);
    assert_int_equal(chown(path, 12345, 0), 0);
    own_says("belongs to user 12345; expected user 0");
    file_says("belongs to user 12345");
}

static void length_counts(void **state)
{
    (void)state;
    static char bytes[COOKIE_MAX + 1];
    unsigned char cookie[COOKIE_MAX];
    char why[512];
    size_t n;
    put(bytes, 31, 0600);
    own_says("31 bytes; expected 32");
    file_says("31 bytes; expected at least 32");
    put(bytes, 33, 0600);
    own_says("33 bytes");
    assert_int_equal(cookie_file(path, cookie, &n, why, sizeof why), 0);
    assert_int_equal(n, 33);
    put(bytes, COOKIE_MAX, 0400);
    assert_int_equal(cookie_file(path, cookie, &n, why, sizeof why), 0);
    assert_int_equal(n, COOKIE_MAX);
    put(bytes, 0, 0600);
    file_says("0 bytes");
    put(bytes, sizeof bytes, 0600);
    file_says("4097 bytes; expected at most 4096");
    unlink(path);
    file_says("No such file");
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST_WITH("mesh.cookie_is_made_once", is_made_once, set_up, tear_down),
    IRIS_TEST_WITH("mesh.cookie_whatever_the_umask", whatever_the_umask, set_up, tear_down),
    IRIS_TEST_WITH("mesh.cookie_many_make_one", many_make_one, set_up, tear_down),
    IRIS_TEST_WITH("p10.cookie_others_may_not_read", others_may_not_read, set_up, tear_down),
    IRIS_TEST_WITH("p10.cookie_no_link_is_followed", no_link_is_followed, set_up, tear_down),
    IRIS_TEST_WITH("p10.cookie_no_other_kind", no_other_kind, set_up, tear_down),
    IRIS_TEST_WITH("p10.cookie_directory_is_ours_alone", directory_is_ours_alone, set_up,
                   tear_down),
    IRIS_TEST_WITH("p10.cookie_not_another_users", not_another_users, set_up, tear_down),
    IRIS_TEST_WITH("mesh.cookie_length_counts", length_counts, set_up, tear_down),
};

IRIS_MAIN(tests)
