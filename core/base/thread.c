#include "thread.h"

#include "pool.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__thread struct thread iris__thread __attribute__((tls_model("initial-exec")));

/* glibc's per-thread atexit, what C++ thread_local destructors use: it needs no pthread key (of which a
 * process has few) and keeps libiris loaded until the last such thread has ended. */
extern int __cxa_thread_atexit_impl(void (*fn)(void *), void *arg, void *dso);
extern void *__dso_handle;

static void tidy(void *arg)
{
    struct thread *t = arg;
    iris__pool_leave(t);
    free(t->reason);
    t->reason = NULL;
    t->tidy = 0;
}

void iris__thread_watch(void)
{
    if (iris__thread.tidy)
        return;
    iris__thread.tidy = 1;
    __cxa_thread_atexit_impl(tidy, &iris__thread, &__dso_handle);
}

/* What a thread does to itself: blocked, the kernel ends the process without asking its handler. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};

int iris__thread_start(unsigned long *id, const char *name, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return error;
    pthread_setname_np(thread, name);
    *id = thread;
    return 0;
}

void iris__thread_be_punctual(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

int iris__thread_number(void)
{
    return gettid();
}

static int read_about(int number, const char *what, char *text, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", number, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, room - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? 0 : -1;
}

/* stat: "number (name) state ..."; schedstat: "ns on a core, ns ready and waiting, how often". */
int iris__thread_use(int number, struct thread_use *u)
{
    char text[256];
    long long ran, starved;
    if (read_about(number, "schedstat", text, sizeof text) ||
        sscanf(text, "%lld %lld", &ran, &starved) != 2 ||
        read_about(number, "stat", text, sizeof text))
        return -1;
    const char *end = strrchr(text, ')');
    *u = (struct thread_use){ran, starved, end && end[1] && end[2] == 'R'};
    return 0;
}
