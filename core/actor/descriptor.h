/* File descriptors whose readiness becomes a message; see ext/poll.h. */
#ifndef IRIS_ACTOR_DESCRIPTOR_H
#define IRIS_ACTOR_DESCRIPTOR_H

#include <iris/plugin.h>

#include <pthread.h>

struct world;
struct descriptor;

struct descriptors {
    pthread_mutex_t lock;
    struct descriptor *by_fd; /* uthash */
};

void iris__descriptors_init(struct descriptors *);
void iris__descriptors_finish(struct descriptors *);
int iris__descriptor_arm(iris_actor *, int fd, const void *data, size_t len);
int iris__descriptor_watch(iris_actor *, int fd, const void *data, size_t len);
int iris__descriptor_disarm(iris_actor *, int fd);
void iris__descriptor_ready(struct world *, uint64_t tag); /* the poller says so */

#endif
