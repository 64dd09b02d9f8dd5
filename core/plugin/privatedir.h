/* A directory of this process alone (0700), in which code may be run; gone when the process is. */
#ifndef IRIS_PLUGIN_PRIVATEDIR_H
#define IRIS_PLUGIN_PRIVATEDIR_H

#include <sys/types.h>

#define PRIVATEDIR_PREFIX "code-" /* code-PID-N */

struct privatedir {
    char *path;    /* absolute; NULL: there is none */
    int base, own; /* descriptors of the directory around it and of itself */
    int lock;      /* flock()ed while we live: that is how others know */
    pid_t pid;     /* who made it: a forked child must not remove it */
};

/* Takes the first place that is ours and may hold code: $IRIS_STATE_DIR, $XDG_STATE_HOME/iris,
 * $HOME/.local/state/iris, /var/lib/iris (root), $XDG_RUNTIME_DIR/iris, /run/iris (root),
 * /tmp/iris-UID. 0, or -1: none will do. */
int iris__privatedir_find(struct privatedir *);

/* Makes it below base, and removes what processes that were killed left there. 0 or -1. */
int iris__privatedir_make(struct privatedir *, const char *base);

void iris__privatedir_remove(
    struct privatedir *); /* with all that is in it; an empty one is fine */

#endif
