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
} iris_poll;

#endif
