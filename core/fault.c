/* What a program's handler of fatal signals says of the actor it was in. Only reads, and only write(2): no
 * lock, no memory. The actor is in its turn on this very thread, so nobody takes its parts away. */
#include "runtime.h"

#include "behaviour.h"
#include "cold.h"
#include "thread.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

struct line {
    char text[1024];
    size_t len;
};

static void add(struct line *l, const char *s)
{
    size_t n = s ? strlen(s) : 0, room = sizeof l->text - l->len;
    n = n < room ? n : room;
    for (size_t i = 0; i < n; i++) /* nothing that drives a terminal */
        l->text[l->len++] = (unsigned char)s[i] < 0x20 && s[i] != '\n' ? '?' : s[i];
}

static void add_number(struct line *l, uint64_t n, unsigned base)
{
    char digits[24];
    int at = sizeof digits - 1;
    digits[at] = '\0';
    do
        digits[--at] = "0123456789abcdef"[n % base];
    while (n /= base);
    add(l, digits + at);
}

static const char *name_of(int signal)
{
    return signal == SIGSEGV   ? "SIGSEGV"
           : signal == SIGBUS  ? "SIGBUS"
           : signal == SIGFPE  ? "SIGFPE"
           : signal == SIGILL  ? "SIGILL"
           : signal == SIGABRT ? "SIGABRT"
                               : "signal";
}

static void add_actor(struct line *l, const iris_actor *a)
{
    const struct cold *c = iris__cold_if(a);
    const iris_version *v = a->version;
    add(l, "\n  actor    ");
    add(l, c && c->path ? c->path : "(without a path)");
    add(l, ", pid ");
    add_number(l, iris__actor_pid(a), 10);
    if (!v)
        return;
    add(l, "\n  handler  ");
    add(l, v->handler ? v->handler : v->b.name);
    add(l, ", v");
    add_number(l, c && c->history ? c->rev : 1, 10);
    add(l, v->b.version ? " " : "");
    add(l, v->b.version);
    add(l, "\n  message  number ");
    add_number(l, atomic_load_explicit(&((iris_actor *)a)->handled, memory_order_relaxed) + 1, 10);
    add(l, " of this actor, or one soon behind it");
}

void iris_fault_report(int signal, const void *siginfo, int fd)
{
    const siginfo_t *info = siginfo;
    const iris_actor *a = iris__thread.turn;
    struct line l = {.len = 0};
    add(&l, "\niris: fatal ");
    add(&l, name_of(signal));
    if (signal != SIGABRT && info) {
        add(&l, " at address 0x");
        add_number(&l, (uint64_t)(uintptr_t)info->si_addr, 16);
    }
    if (a)
        add_actor(&l, a);
    else
        add(&l, "\n  in no actor's turn");
    add(&l, "\n");
    for (size_t done = 0; done < l.len;) {
        ssize_t n = write(fd, l.text + done, l.len - done);
        if (n <= 0)
            return;
        done += (size_t)n;
    }
    const struct cold *c = a ? iris__cold_if(a) : NULL;
    iris_runtime *rt = a ? (iris_runtime *)iris__world_of(a) : NULL;
    if (c && c->path && rt->on_fault)
        rt->on_fault(rt->on_fault_ctx, c->path, fd);
}
