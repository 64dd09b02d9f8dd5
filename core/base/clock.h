/* Time in nanoseconds. In a seeded run it is virtual and moves only when nothing else can run. */
#ifndef IRIS_BASE_CLOCK_H
#define IRIS_BASE_CLOCK_H

#include <stdint.h>

#define IRIS__MS INT64_C(1000000)
#define IRIS__SECOND (1000 * IRIS__MS)

struct clock {
    int is_virtual;
    int64_t at; /* of a virtual clock; its one thread alone touches it */
};

int64_t iris__clock_now(const struct clock *);
int64_t iris__file_now(void); /* since 1970, as file systems note changes: some ms behind */
void iris__clock_advance(struct clock *, int64_t to); /* virtual clocks only; never back */

#endif
