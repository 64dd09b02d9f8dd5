/* iris run --watch, and actors[].swap.watch: a handler's file that changes is swapped in. Main thread only. */
#ifndef IRIS_APP_WATCH_H
#define IRIS_APP_WATCH_H

#include <stdint.h>

struct app;
struct watch;

int iris__watch_is_wanted(const struct app *); /* for all, or for an actor of the manifest */

/* Notes what the manifest's files hold, before they are loaded. NULL with the reason. */
struct watch *iris__watch_open(struct app *);
void iris__watch_close(struct watch *); /* NULL is fine */

/* A descriptor to wait for, and for how many ms at most (-1: as long as one likes); then run. */
int iris__watch_fd(const struct watch *);
int iris__watch_timeout(const struct watch *);
void iris__watch_run(struct watch *);

/* An actor may run another file now, or another one asks. */
void iris__watch_refresh(struct watch *);

#endif
