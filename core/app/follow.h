/* GET of the log over the control socket, also by those who wait for what comes next. What is asked for is
 * kept here, not what is to be told: a follower that is slow misses lines, and hears how many. */
#ifndef IRIS_APP_FOLLOW_H
#define IRIS_APP_FOLLOW_H

#include <pthread.h>
#include <stdatomic.h>

struct app;
struct control_reply;
struct control_request;

struct followers {
    pthread_mutex_t lock;
    struct follower *first; /* taken off by the control thread only */
    atomic_int n;
};

void iris__followers_init(struct followers *);
void iris__followers_finish(struct followers *); /* the control server is closed */
void iris__followers_ring(struct app *);         /* an event was added. [any] */

/* POST /v1/logs. [control] */
void iris__verb_logs(void *app, const struct control_request *, struct control_reply *);

#endif
