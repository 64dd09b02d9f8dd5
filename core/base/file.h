/* Files. */
#ifndef IRIS_BASE_FILE_H
#define IRIS_BASE_FILE_H

#include <stddef.h>

/* All of it, however many calls that takes. 0, or -1 with errno. [any] */
int iris__write_all(int fd, const void *data, size_t len);

#endif
