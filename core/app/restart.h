/* One actor that is to begin again in place: its supervisor is told, and what came of it is in its story. [any] */
#ifndef IRIS_APP_RESTART_H
#define IRIS_APP_RESTART_H

#include <iris/iris.h>

struct app;

struct restarting {
    struct app *app;
    uint64_t pid;
    uint64_t seen; /* events of its story before */
};

/* IRIS_OK: it was told. IRIS_DEAD; IRIS_FAIL with a reason. */
int iris__restart_begin(struct app *, uint64_t pid, const char *path, struct restarting *);
/* IRIS_OK: it has begun again; *i is how it stands. IRIS_AGAIN: not yet. IRIS_DEAD: it has ended. IRIS_FAIL with the
 * reason: it has not begun, and its supervisor decides what follows. */
int iris__restart_look(const struct restarting *, iris_info *i);

#endif
