#include "clock.h"

#include <time.h>

int64_t iris__clock_now(const struct clock *c)
{
    if (c->is_virtual)
        return c->at;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * IRIS__SECOND + t.tv_nsec;
}

void iris__clock_advance(struct clock *c, int64_t to)
{
    if (to > c->at)
        c->at = to;
}

int64_t iris__file_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return (int64_t)t.tv_sec * IRIS__SECOND + t.tv_nsec;
}
