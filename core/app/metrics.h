/* What an app counts, as Prometheus reads it. Series are per path, never per pid, and bounded: what has no
 * path, and what is beyond the bound, is counted together as path="other". */
#ifndef IRIS_APP_METRICS_H
#define IRIS_APP_METRICS_H

#include "text.h"

#include <iris/iris.h>

#include <stdatomic.h>

#define METRICS_KINDS 16
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct app;

struct metrics {                            /* zeroed */
    _Atomic uint64_t events[METRICS_KINDS]; /* by kind */
};

void iris__metrics_note(struct metrics *, const iris_event *); /* [any] */

/* All of it. 0, or -1: no memory. [control] */
int iris__metrics_text(struct app *, struct text *out);

#endif
