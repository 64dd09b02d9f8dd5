#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mix(struct sim *s, uint64_t v)
{
    s->hash = (s->hash ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    s->hash ^= s->hash >> 29;
}

static void print(const struct trace *t)
{
    if (t->node < 0)
        printf("%12.6f     ", (double)t->at / 1e9);
    else
        printf("%12.6f n%d  ", (double)t->at / 1e9, t->node);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    printf(t->text, (unsigned long long)t->a, (unsigned long long)t->b, (unsigned long long)t->c);
#pragma GCC diagnostic pop
    putchar('\n');
}

void sim_trace(struct sim *s, int node, const char *text, uint64_t a, uint64_t b, uint64_t c)
{
    struct trace *t = &s->trace[s->traced++ % TRACE];
    *t = (struct trace){s->now, node, text, a, b, c};
    mix(s, (uint64_t)s->now ^ (uint64_t)text[0] << 56 ^ (uint64_t)(node + 1) << 48);
    mix(s, a);
    mix(s, b ^ c << 32 ^ c >> 32);
    if (s->loud)
        print(t);
}

void sim_fail(struct sim *s, const char *what, const char *text, ...)
{
    va_list args;
    if (s->failed || (s->starved && strcmp(what, "I7")))
        return;
    s->failed = 1;
    int n = snprintf(s->failure, sizeof s->failure, "at %.6f s: %s: ", (double)s->now / 1e9, what);
    va_start(args, text);
    vsnprintf(s->failure + n, sizeof s->failure - (size_t)n, text, args);
    va_end(args);
}

void sim_show(const struct sim *s, uint64_t lines)
{
    uint64_t from = s->traced > TRACE ? s->traced - TRACE : 0;
    if (s->traced - from > lines)
        from = s->traced - lines;
    for (uint64_t i = from; i < s->traced; i++)
        print(&s->trace[i % TRACE]);
}
