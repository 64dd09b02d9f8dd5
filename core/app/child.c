#include "child.h"

#include "fail.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (1 << 20)
#define LOOK_MS 1000 /* at the clock, at the least */

/* ---- in the child ---- */

void iris__child_answer(int fd, json_t *v)
{
    char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
    for (size_t at = 0, n; text && at < strlen(text); at += n) {
        ssize_t done = write(fd, text + at, strlen(text + at));
        if (done <= 0)
            break;
        n = (size_t)done;
    }
    _exit(0);
}

int iris__child_hush(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        return -1;
    return setpgid(0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL) ? -1 : 0;
}

/* ---- in the parent ---- */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0: it said all; 1: the time was over. */
static int listen_to(int fd, int64_t until, struct text *out)
{
    char piece[4096];
    while (out->len < ANSWER_MAX) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = until - now_ms();
        if (left <= 0)
            return 1;
        if (poll(&p, 1, left < LOOK_MS ? (int)left : LOOK_MS) <= 0)
            continue;
        ssize_t n = read(fd, piece, sizeof piece);
        if (n <= 0)
            return 0;
        iris__text_add(out, piece, (size_t)n);
    }
    return 0;
}

static int fell(const char *what, const char *where, int status)
{
    if (WIFSIGNALED(status))
        return iris__fail("%s: its code ended the process that looked at it (%s, in %s); expected "
                          "that it loads and returns",
                          what, strsignal(WTERMSIG(status)), where);
    return iris__fail("%s: its code ended the process that looked at it (exit status %d, in %s); "
                      "expected that it loads and returns",
                      what, WEXITSTATUS(status), where);
}

static json_t *judge(const char *what, const char *where, int late, int64_t timeout_ms, int status,
                     const struct text *said)
{
    json_t *v = said->data ? json_loads(said->data, 0, NULL) : NULL;
    const char *reason = json_string_value(json_object_get(v, "reason"));
    if (v && !reason)
        return v;
    if (reason)
        iris__fail("%s", reason);
    else if (late)
        iris__fail("%s: its code did not return within %lld ms (%s); expected that loading waits "
                   "for nothing",
                   what, (long long)timeout_ms, where);
    else
        fell(what, where, status);
    json_decref(v);
    return NULL;
}

json_t *iris__child_ask(const char *what, const char *where, int64_t timeout_ms,
                        void (*run)(int fd, void *ctx), void *ctx)
{
    int ends[2], status = 0;
    struct text said = {0};
    if (pipe2(ends, O_CLOEXEC))
        return iris__fail("%s: %s", what, strerror(errno)), NULL;
    pid_t child = fork();
    if (child == 0) {
        run(ends[1], ctx);
        _exit(1);
    }
    close(ends[1]);
    int late = child < 0 ? 0 : listen_to(ends[0], now_ms() + timeout_ms, &said);
    close(ends[0]);
    if (child < 0)
        return iris__fail("%s: no process to look at it in: %s", what, strerror(errno)), NULL;
    if (late)
        kill(child, SIGKILL);
    kill(-child, SIGKILL); /* also what it has started */
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    json_t *v = judge(what, where, late, timeout_ms, status, &said);
    iris__text_finish(&said);
    return v;
}
