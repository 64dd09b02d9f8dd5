/* Where an idle worker waits: for a wake-up of its own, and for descriptors that plugins armed. */
#ifndef IRIS_BASE_POLLER_H
#define IRIS_BASE_POLLER_H

#include <stdint.h>

/* One sleeper's bell. */
int iris__bell_open(void);      /* a descriptor, or -1 */
void iris__bell_ring(int bell); /* any thread */
void iris__bell_close(int bell);

#define POLLER_ENDS \
    (UINT64_C(1) << 63) /* in a tag: the other end has closed, or there is an error */

/* Descriptors that any sleeper may serve. */
struct poller {
    int fd;
};

int iris__poller_init(struct poller *); /* 0 or an errno */
void iris__poller_finish(struct poller *);
int iris__poller_arm(struct poller *, int fd, uint64_t tag);   /* one shot; 0 or an errno */
int iris__poller_watch(struct poller *, int fd, uint64_t tag); /* each time that something comes */
void iris__poller_disarm(struct poller *, int fd);

/* Wait up to timeout ns (below 0: for ever) until the bell rings or, where with_poller is set, a
 * descriptor is readable. Fills tags of at most max readable ones and returns how many. */
int iris__poller_wait(struct poller *, int bell, int with_poller, int64_t timeout, uint64_t *tags,
                      int max);
/* The same without waiting and without a bell. */
int iris__poller_peek(struct poller *, uint64_t *tags, int max);

#endif
