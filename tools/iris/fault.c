#include "fault.h"

#include <iris/iris.h>

#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH = 64 };

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

/* Names of functions and where in which file: addr2line makes lines of that, also afterwards. */
static void report(int signal, siginfo_t *info)
{
    static const char hint[] =
        "  stack, innermost first; for lines: addr2line -Cfe FILE OFFSET (what stands behind the +)\n";
    void *stack[DEPTH];
    iris_fault_report(signal, info, STDERR_FILENO);
    int n = backtrace(stack, DEPTH);
    (void)!write(STDERR_FILENO, hint, sizeof hint - 1);
    backtrace_symbols_fd(stack, n, STDERR_FILENO);
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
