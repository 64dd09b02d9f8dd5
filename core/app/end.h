/* The end of one actor while the app goes on, for whoever changes many of them. Main thread only. */
#ifndef IRIS_APP_END_H
#define IRIS_APP_END_H

#include <stdint.h>

struct app;

/* Of its accepted mail it handles all that it can in its time; whoever does not come back from its handler then is
 * killed. IRIS_OK: it is gone, or was. IRIS_FAIL with a reason: it was told all of that, and is still there. */
int iris__end(struct app *, uint64_t pid, int64_t shutdown);

/* The same, without being killed beyond what its supervisor does. IRIS_AGAIN: not until the deadline, or all are to
 * stop at once. */
int iris__end_await(struct app *, uint64_t pid, int64_t deadline);

#endif
