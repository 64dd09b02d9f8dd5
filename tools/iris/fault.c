#include "fault.h"

#include <iris/iris.h>

#include <signal.h>

/* As they were: what is not ours to judge happens as it would without us. */
static struct sigaction segv, bus;

/* Returning to where it happened makes it happen again, to whoever handled it before. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
    if (!iris_fault(signal, info, context))
        sigaction(signal, signal == SIGSEGV ? &segv : &bus, NULL);
}

void watch_faults(void)
{
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&a.sa_mask);
    sigaction(SIGSEGV, &a, &segv);
    sigaction(SIGBUS, &a, &bus);
}
