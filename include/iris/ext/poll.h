/* "iris.poll/1": file descriptors that wake a worker themselves, without a thread between. */
#ifndef IRIS_EXT_POLL_H
#define IRIS_EXT_POLL_H

#include <iris/plugin.h>

#define IRIS_POLL "iris.poll/1"

typedef struct iris_poll {
    uint32_t size, abi;
    /* [any] When fd becomes readable, the actor gets one IRIS_USER message with `ref` 0 and the bytes
     * given here; then no more until it is armed again. */
    int (*arm)(iris_actor *self, int fd, const void *data, size_t len);
    int (*disarm)(iris_actor *self, int fd); /* [any] IRIS_DEAD: was not armed */
    /* [any] As arm, until disarm(): a message each time that something has come, not while something is still
     * there: read until a read finds less than it had room for. `ref` is 1 where the other end has closed or
     * there is an error: then read to the end. Fewer system calls, for what is read often. len is at most 16. */
    int (*watch)(iris_actor *self, int fd, const void *data, size_t len);
} iris_poll;

#endif
