#include "fault.h"

#include <iris/iris.h>

#include <backtrace.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEPTH = 64, LINES = 16, LINES_SECONDS = 5 };

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

enum { NSIGNALS = sizeof signals / sizeof signals[0] };

/* As they were: what is not ours to judge happens as it would without us. */
static struct sigaction before[NSIGNALS];
static atomic_flag told = ATOMIC_FLAG_INIT;

static int place_of(int signal)
{
    for (int i = 0; i < NSIGNALS; i++)
        if (signals[i] == signal)
            return i;
    return 0;
}

/* ---- lines of source: in a child, since nothing here can be relied on any more ---- */

/* As a kernel's call: fork() of the C library runs what others have asked for, and may wait for the lock of
 * the very allocator that was hit. */
static pid_t fork_bare(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int is_of_libc(const Dl_info *at)
{
    return strstr(at->dli_fname, "/libc.so") != NULL;
}

struct line {
    char text[512];
    size_t len;
};

static void add(struct line *l, const char *text)
{
    for (; *text && l->len < sizeof l->text - 1; text++)
        l->text[l->len++] = *text;
}

static void add_number(struct line *l, unsigned n)
{
    char digits[12], *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    add(l, at);
}

/* Of what was inlined there, too, innermost first. Without -g nothing is known: the stack has its name. */
static int tell_line(void *lines, uintptr_t address, const char *file, int number,
                     const char *function)
{
    struct line l = {.len = 0};
    (void)address;
    if (!file || number <= 0)
        return 0;
    add(&l, function ? function : "?");
    add(&l, " at ");
    add(&l, file);
    add(&l, ":");
    add_number(&l, (unsigned)number);
    l.text[l.len++] = '\n';
    (void)!write(STDERR_FILENO, l.text, l.len);
    return ++*(int *)lines >= LINES;
}

/* A file that cannot be read has no lines. */
static void no_lines(void *ctx, const char *why, int error)
{
    (void)ctx, (void)why, (void)error;
}

/* First stands this handler, then what the C library came to it by; of that library there is much, and nothing
 * to learn. */
static void tell_each(void *const *stack, int n)
{
    struct backtrace_state *state = backtrace_create_state(NULL, 0, no_lines, NULL);
    int lines = 0, hit = 0;
    for (int i = 0; state && i < n && lines < LINES; i++) {
        Dl_info at;
        int known = dladdr(stack[i], &at) && at.dli_fname;
        if (known && is_of_libc(&at))
            hit = hit ? hit : i + 1;
        else if (known && hit) /* a return address is that of the next instruction */
            backtrace_pcinfo(state, (uintptr_t)stack[i] - (i != hit), tell_line, no_lines, &lines);
    }
}

/* What takes too long (a library with much to read) is cut short: by then the core waits to be written. */
static void tell_lines(void *const *stack, int n)
{
    pid_t child = fork_bare();
    if (!child) {
        sigset_t none;
        sigemptyset(&none);
        signal(SIGALRM, SIG_DFL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        alarm(LINES_SECONDS);
        tell_each(stack, n);
        _exit(0);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
}

/* Names of functions and where in which file: what makes lines of that may not be there, or find none. */
static void report(int signal, siginfo_t *info)
{
    static const char stack_follows[] =
        "  stack, innermost first; later: addr2line -Cfe FILE OFFSET (what stands behind the +)\n";
    static const char lines_follow[] = "  in lines of source, without the C library's\n";
    void *stack[DEPTH];
    iris_fault_report(signal, info, STDERR_FILENO);
    int n = backtrace(stack, DEPTH);
    (void)!write(STDERR_FILENO, stack_follows, sizeof stack_follows - 1);
    backtrace_symbols_fd(stack, n, STDERR_FILENO);
    (void)!write(STDERR_FILENO, lines_follow, sizeof lines_follow - 1);
    tell_lines(stack, n);
}

/* Returning to where it happened makes it happen again, to whoever handled it before: by default the
 * kernel, which writes the core as it would have. Another thread's fault meanwhile tells nothing. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
    int place = place_of(signal);
    if ((signal == SIGSEGV || signal == SIGBUS) && iris_fault(signal, info, context))
        return;
    if (before[place].sa_handler == SIG_DFL && !atomic_flag_test_and_set(&told))
        report(signal, info);
    sigaction(signal, &before[place], NULL);
    if (signal == SIGABRT ||
        info->si_code <= 0) /* it was sent: it does not happen again by itself */
        raise(signal);
}

void watch_faults(void)
{
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    void *none[1];
    backtrace(none, 1); /* loads what it needs now, and not in a handler */
    sigemptyset(&a.sa_mask);
    for (int i = 0; i < NSIGNALS; i++)
        sigaction(signals[i], &a, &before[i]);
}
