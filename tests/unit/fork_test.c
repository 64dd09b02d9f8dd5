/* P9 and P10: a process forks while its runtime works. In the child that runtime is dead and says so, whatever
 * is asked of it; nothing hangs on a lock that a thread held which is not there. The parent's goes on. */
#include "main.h"

#include "cast.h"

#include <iris/ext/mailbox.h>
#include <iris/ext/observe.h>
#include <iris/ext/supervise.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 20 };

struct flood {
    struct scene *s;
    uint64_t pid;
    atomic_int ends;
    uint64_t sent;
};

/* Holds what locks there are as often as it can. */
static void *flood(void *arg)
{
    struct flood *f = arg;
    const iris_name *name = cast_extension(f->s, IRIS_NAME);
    const iris_timer_api *timer = cast_extension(f->s, IRIS_TIMER_EXT);
    for (uint64_t id = 0; !atomic_load(&f->ends); f->sent++) {
        if (f->s->api->send(f->s->self, f->pid, "x", 1, 0) != IRIS_OK)
            abort();
        name->set(f->s->self, "busy", f->pid);
        name->clear(f->s->self, "busy");
        timer->after(f->s->self, f->pid, 3600 * IRIS_SECOND, "x", 1, &id);
        timer->cancel(f->s->self, id);
    }
    return NULL;
}

static void release(void *ctx)
{
    ++*(int *)ctx;
}

/* In the child, where no assertion of the test's may return: the number of the first one that is wrong. */
#define WRONG_UNLESS(what)   \
    do {                     \
        if (!(what))         \
            return __LINE__; \
    } while (0)

static int ask_extensions(struct scene *s, uint64_t pid)
{
    const iris_name *name = cast_extension(s, IRIS_NAME);
    const iris_timer_api *timer = cast_extension(s, IRIS_TIMER_EXT);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    const iris_mailbox *mailbox = cast_extension(s, IRIS_MAILBOX);
    const iris_observe *observe = cast_extension(s, IRIS_OBSERVE);
    const iris_supervise *supervise = cast_extension(s, IRIS_SUPERVISE);
    iris_info info = {.size = sizeof info, .abi = IRIS_ABI};
    uint64_t id;
    WRONG_UNLESS(name->set(s->self, "n", pid) == IRIS_FAIL);
    WRONG_UNLESS(name->clear(s->self, "n") == IRIS_FAIL);
    WRONG_UNLESS(name->find(s->self, "n") == 0);
    WRONG_UNLESS(timer->after(s->self, pid, 0, "x", 1, &id) == IRIS_FAIL);
    WRONG_UNLESS(timer->cancel(s->self, 1) == IRIS_FAIL);
    WRONG_UNLESS(watch->stop(s->self, pid) == IRIS_FAIL);
    WRONG_UNLESS(watch->kill(s->self, pid) == IRIS_FAIL);
    WRONG_UNLESS(watch->link_pair(s->self, pid, pid) == IRIS_FAIL);
    WRONG_UNLESS(control->info(s->self, pid, &info) == IRIS_DEAD);
    WRONG_UNLESS(control->cancel(s->self, pid) == 0);
    WRONG_UNLESS(mailbox->send_wait(s->self, pid, "x", 1, 0, IRIS_SECOND) == IRIS_DEAD);
    WRONG_UNLESS((s->api->fail)("another") && mailbox->bytes(s->self, pid, 1) == IRIS_FAIL);
    WRONG_UNLESS(strstr(iris_reason(), "fork"));
    WRONG_UNLESS((s->api->fail)("another") && observe->spawn(s->self, 0, NULL, &id) == IRIS_FAIL);
    WRONG_UNLESS(strstr(iris_reason(), "fork"));
    WRONG_UNLESS(supervise->create(s->self, "/x", NULL) == IRIS_FAIL);
    WRONG_UNLESS(supervise->watch(s->self, "/", pid) == IRIS_FAIL);
    return 0;
}

static int ask_all(struct scene *s, uint64_t pid, iris_version *v)
{
    iris_spawn how = {.size = sizeof how, .abi = IRIS_ABI, .version = v};
    iris_totals totals = {.size = sizeof totals, .abi = IRIS_ABI, .actors = 77};
    const iris_message *answer;
    uint64_t other;
    int released = 0, line = ask_extensions(s, pid);
    WRONG_UNLESS(!line);
    WRONG_UNLESS(s->api->send(s->self, pid, "x", 1, 0) == IRIS_DEAD);
    WRONG_UNLESS(s->api->send(s->self, pid, "", 0, 0) == IRIS_DEAD);
    WRONG_UNLESS(strstr(iris_reason(), "fork"));
    WRONG_UNLESS(s->api->give(s->self, pid, "x", 1, 0, release, &released) == IRIS_DEAD);
    WRONG_UNLESS(released == 1);
    WRONG_UNLESS(s->api->spawn(s->self, &how, &other) == IRIS_FAIL);
    WRONG_UNLESS(s->api->swap(s->self, pid, v, 0, NULL, NULL) == IRIS_FAIL);
    WRONG_UNLESS(iris_ask_wait(s->rt, pid, "x", 1, IRIS_SECOND, &answer) == IRIS_DEAD ||
                 strstr(iris_reason(), "fork"));
    WRONG_UNLESS(iris_join(s->rt, pid, IRIS_SECOND, NULL, 0) == IRIS_FAIL);
    WRONG_UNLESS(!iris_is_alive(s->rt, pid) && !iris_find(s->rt, "busy") && iris_is_idle(s->rt));
    iris_count(s->rt, &totals);
    WRONG_UNLESS(totals.actors == 0);
    WRONG_UNLESS(iris_load(s->rt, "./x.so", NULL, &v) == IRIS_FAIL);
    WRONG_UNLESS(iris_close(s->rt, IRIS_SECOND) == 0);
    return 0;
}

/* (Seeded, since sanitizers do not like threads in such a child.) */
static int open_another(void)
{
    iris_options o = {.size = sizeof o, .abi = IRIS_ABI, .seed = 5};
    iris_runtime *rt;
    WRONG_UNLESS(iris_open(&o, &rt) == IRIS_OK);
    WRONG_UNLESS(iris_calls()->send(iris_self(rt), 1, "x", 1, 0) == IRIS_DEAD);
    WRONG_UNLESS(iris_close(rt, IRIS_SECOND) == 0);
    return 0;
}

static void fork_once(struct scene *s, uint64_t pid, iris_version *v)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        alarm(20); /* a child that hangs is ended, and seen */
        int line = ask_all(s, pid, v);
        line = line ? line : open_another();
        if (line)
            fprintf(stderr, "fork_test.c:%d: not so in the child: %s\n", line, iris_reason());
        _exit(line != 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void forks(struct scene *s)
{
    struct ledger *l = cast_ledger(s);
    iris_behaviour plain = cast_plain(l);
    struct flood *f = scene_memory(s, sizeof *f);
    iris_version *v = scene_define(s, &plain);
    pthread_t thread;
    f->s = s;
    f->pid = scene_spawn(s, &plain, 0);
    assert_int_equal(pthread_create(&thread, NULL, flood, f), 0);
    for (int i = 0; i < FORKS; i++)
        fork_once(s, f->pid, v);
    atomic_store(&f->ends, 1);
    pthread_join(thread, NULL);
    s->api->release(v);
    scene_settle(s); /* the parent's has missed nothing */
    assert_int_equal(scene_count(s).handled, f->sent);
}

static void child_of_a_fork(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its allocator's locks stay locked in such a child */
#endif
    scene_play_threads(forks);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p9.in_the_child_of_a_fork_the_runtime_is_dead_and_says_so", child_of_a_fork),
};
IRIS_MAIN(tests)
