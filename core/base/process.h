/* What the kernel says of this process. [any] */
#ifndef IRIS_BASE_PROCESS_H
#define IRIS_BASE_PROCESS_H

#include <stdint.h>

struct process_memory { /* bytes */
    uint64_t addresses, resident;
};

/* 0, and nothing: /proc cannot be read. Allocates nothing. */
struct process_memory iris__process_memory(void);
/* Seconds of processors that it used, and since 1970 when it began. 0 or -1. */
int iris__process_times(double *used, double *began);
uint64_t iris__process_files(void); /* open descriptors */
uint64_t iris__process_threads(void);

#endif
