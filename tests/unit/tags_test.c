/* Debug builds check who calls what, and abort with the member's name: each in a process of its own. */
#include "main.h"

#include "cast.h"

#include "actor.h"
#include "debug.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    iris_actor *actor, *other;
    const iris_message *message;
    iris_executor *executor;
    void (*inside)(void);
} here;

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    (void)b, (void)state;
    here.actor = self;
    here.message = m[0];
    if (here.inside)
        here.inside();
    iris_calls()->keep(m[0]);
    return n;
}

static void later_off_turn(void)
{
    iris_calls()->later(here.actor, here.message);
}

static void send_off_thread(void)
{
    iris_calls()->send(here.actor, 1, "x", 1, 0);
}

static void give_off_thread(void)
{
    iris_calls()->give(here.actor, 1, "x", 1, 0, free, NULL);
}

static void due_off_thread(void)
{
    iris_calls()->due(here.actor);
}

static void exit_off_thread(void)
{
    iris_calls()->exit(here.actor, NULL);
}

static void keep_off_turn(void)
{
    iris_calls()->keep(here.message);
}

/* A worker it is, but in another actor's turn. */
static void send_as_another(void)
{
    iris_calls()->send(here.other, 1, "x", 1, 0);
}

static void drain_inside(void)
{
    iris_calls()->drain(here.executor, 1);
}

/* Play in the child, which must not come back; what it says. */
static void misuse(void (*outside)(void), void (*inside)(void))
{
    struct scene s = {0};
    scene_open(&s, 1, 0);
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "misused", .handle = handle};
    here.inside = inside;
    here.other = iris__table_at(&iris__world_of(s.self)->table, scene_spawn(&s, &b, 0));
    scene_send(&s, scene_spawn(&s, &b, 0), 1);
    scene_settle(&s);
    if (outside)
        outside();
    _exit(0);
}

static void expect_abort(void (*outside)(void), void (*inside)(void), const char *words)
{
    int fd[2], status;
    char said[500] = "";
    assert_int_equal(pipe(fd), 0);
    pid_t child = fork();
    if (!child) {
        dup2(fd[1], 2);
        alarm(60);
        misuse(outside, inside);
    }
    close(fd[1]);
    for (size_t n = 0; n < sizeof said - 1;) {
        ssize_t got = read(fd[0], said + n, sizeof said - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) ||
                WEXITSTATUS(status)); /* a sanitizer turns it into a status */
    if (!strstr(said, words))
        fail_msg("\"%s\" does not say \"%s\"", said, words);
}

static void tags(void **state)
{
    (void)state;
    if (!IRIS__DEBUG)
        skip();
    expect_abort(later_off_turn, NULL, "api->later was called off its thread: it is [turn]");
    expect_abort(keep_off_turn, NULL, "api->keep was called off its thread: it is [turn]");
    expect_abort(send_off_thread, NULL, "api->send was called off its thread: it is [exec]");
    expect_abort(give_off_thread, NULL, "api->give was called off its thread: it is [exec]");
    expect_abort(due_off_thread, NULL, "api->due was called off its thread: it is [exec]");
    expect_abort(exit_off_thread, NULL, "api->exit was called off its thread: it is [exec]");
    expect_abort(NULL, send_as_another, "api->send was called off its thread: it is [exec]");
    expect_abort(NULL, drain_inside, "api->drain was called off its thread");
}

/* The same calls from where they belong. */
static void inside_is_fine(void)
{
    iris_calls()->send(here.actor, 1, "x", 1, 0);
    iris_calls()->due(here.actor);
    iris_calls()->exit(here.actor, NULL);
}

static void belongs(struct scene *s)
{
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "used", .handle = handle};
    here.inside = inside_is_fine;
    uint64_t pid = scene_spawn(s, &b, 0);
    scene_send(s, pid, 1);
    cast_await_end(s, pid);
    s->api->drop(here.message);
}

static void tags_fine(void **state)
{
    (void)state;
    scene_play(belongs);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("tags.a_call_off_its_thread_aborts_with_its_name", tags),
    IRIS_TEST("tags.a_call_where_it_belongs_does_not", tags_fine),
};
/* clang-format on */
IRIS_MAIN(tests)
