/* Tells the service manager how the app is: systemd's protocol of datagrams (sd_notify(3)), spoken without
 * its library. Whoever sets NOTIFY_SOCKET is told; without it nothing happens. */
#ifndef IRIS_TOOL_NOTIFY_H
#define IRIS_TOOL_NOTIFY_H

#include <stdint.h>

struct notify {
    int fd; /* -1: nobody wants to know */
    /* ns; how often it wants to hear that we live (half of WATCHDOG_USEC); 0: never */
    int64_t beat;
};

/* 1, or 0: nobody is there to be told (which is said where NOTIFY_SOCKET is set in vain). Takes the
 * variables out of the environment: what handlers start is not the service. One thread only. */
int notify_open(struct notify *);
void notify_tell(const struct notify *, int what); /* IRIS_APP_READY .. */
void notify_close(struct notify *);

#endif
