/* Several runtimes in one process, and what is left of those that are over. */
#include "main.h"

#include "cast.h"

#include "actor.h"

#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- they share nothing ---- */

enum { EACH = 20000 };

struct sender {
    struct scene *s;
    uint64_t pid;
};

static void *flood(void *arg)
{
    struct sender *f = arg;
    for (uint64_t i = 1; i <= EACH; i++)
        assert_int_equal(f->s->api->send(f->s->self, f->pid, &(uint64_t){cast_number(1, i)}, 8, 0),
                         IRIS_OK);
    return NULL;
}

/* The first actor of each has the same pid, and the same path. */
static void two_runtimes(void **state)
{
    struct scene one = {0}, two = {0}, seeded = {0};
    struct scene *all[] = {&one, &two, &seeded};
    struct sender f[3];
    pthread_t t[3];
    (void)state;
    scene_open(&one, 1, 0);
    scene_open(&two, 2, 0);
    scene_open(&seeded, 0, 42);
    for (int i = 0; i < 3; i++) {
        iris_behaviour b = cast_counter(cast_ledger(all[i]));
        f[i] = (struct sender){all[i], cast_supervise(all[i], &b, "/same", RESTART_NEVER)};
        assert_int_equal(f[i].pid, f[0].pid);
        assert_int_equal(iris_find(all[i]->rt, "/same"), f[0].pid);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&t[i], NULL, flood, &f[i]), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 3; i++) {
        scene_settle(all[i]);
        assert_int_equal(scene_ask(all[i], f[i].pid, "count"), EACH);
        scene_settle(all[i]); /* the place of the ask is given back */
        assert_int_equal(scene_count(all[i]).actors, 1);
    }
    scene_close(&one); /* the others do not see that */
    for (int i = 1; i < 3; i++) {
        scene_send(all[i], f[i].pid, 1);
        assert_int_equal(scene_ask(all[i], f[i].pid, "count"), EACH + 1);
    }
    scene_close(&seeded);
    scene_send(&two, f[1].pid, 1);
    assert_int_equal(scene_ask(&two, f[1].pid, "count"), EACH + 2);
    scene_close(&two);
}

/* ---- a thousand of them ---- */

static int entries(const char *dir)
{
    int n = 0;
    DIR *d = opendir(dir);
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

static long resident(void)
{
    long all = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (fscanf(f, "%ld %ld", &all, &pages) != 2)
        pages = 0;
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

static void live_once(uint64_t seed)
{
    struct scene s = {0};
    scene_open(&s, 2, seed);
    iris_behaviour b = cast_counter(cast_ledger(&s));
    uint64_t pid = cast_supervise(&s, &b, "/a/b", RESTART_NEVER);
    for (uint64_t i = 1; i <= 10; i++)
        scene_send(&s, pid, cast_number(1, i));
    assert_int_equal(scene_ask(&s, pid, "count"), 10);
    scene_send(&s, pid, 1); /* is still there when it is closed */
    scene_close(&s);
}

static void thousand(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        live_once(i % 2 ? 7 : 0);
    int fds = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    long before = resident();
    for (int i = 0; i < 1000; i++)
        live_once(i % 2 ? 7 : 0);
    long grown = resident() - before;
    printf("  1,000 runtimes: %ld KiB more resident, %d descriptors, %d threads\n", grown,
           entries("/proc/self/fd") - fds, entries("/proc/self/task") - threads);
    assert_int_equal(entries("/proc/self/fd"), fds);
    assert_int_equal(entries("/proc/self/task"), threads);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
    assert_true(grown < 2048); /* KiB: what malloc keeps */
#endif
}

/* ---- a close that gave up ---- */

static sem_t begun;

static int never_returns(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    (void)b, (void)self, (void)state, (void)m;
    sem_post(&begun);
    while (pause())
        ;
    return n;
}

static int says(const char *words)
{
    return strstr(iris_reason(), words) != NULL;
}

static int refuse_all(void)
{
    struct scene s = {0};
    iris_version *v = NULL;
    const iris_message *m = NULL;
    iris_totals t = {.size = sizeof t, .abi = IRIS_ABI};
    sem_init(&begun, 0, 0);
    scene_open(&s, 1, 0);
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "b", .handle = never_returns};
    v = scene_define(&s, &b);
    uint64_t pid = scene_spawn(&s, &b, 0), other = 0;
    scene_send(&s, pid, 1);
    sem_wait(&begun);
    iris_spawn spawn = {.size = sizeof spawn, .abi = IRIS_ABI, .version = v};
    if (iris_close(s.rt, 100 * IRIS_MILLISECOND) != 1)
        return 1;
    if (iris_close(s.rt, 100 * IRIS_MILLISECOND) != 1)
        return 2;
    if (s.api->send(s.self, pid, "x", 1, 0) != IRIS_DEAD)
        return 3;
    if (s.api->spawn(s.self, &spawn, &other) != IRIS_FAIL || !says("the runtime ends"))
        return 4;
    if (iris_ask_wait(s.rt, pid, "x", 1, IRIS_SECOND, &m) != IRIS_DEAD || !says("is closed"))
        return 5;
    if (iris_load(s.rt, "./lib.so", NULL, &v) != IRIS_FAIL || !says("is closed"))
        return 6;
    iris_count(s.rt, &t);
    return t.actors == 1 ? 0 : 7;
}

static void gave_up(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (!child) {
        alarm(60);
        _exit(refuse_all());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p9.runtimes_in_one_process_share_nothing", two_runtimes),
    IRIS_TEST("p9.a_thousand_runtimes_leave_nothing", thousand),
    IRIS_TEST("p9.after_a_close_that_gave_up_calls_are_refused", gave_up),
};
IRIS_MAIN(tests)
