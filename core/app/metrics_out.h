/* Figures as Prometheus reads them: each family with its words first, then its samples. Memory that runs short shows
 * in the text, which is then not whole. All of it is [control]. */
#ifndef IRIS_APP_METRICS_OUT_H
#define IRIS_APP_METRICS_OUT_H

#include "text.h"

#include <iris/iris.h>

#include <stdint.h>

struct app;

void iris__metric_family(struct text *, const char *name, const char *type, const char *help);
/* `BEFORE NAME="VALUE"`: before is "{" or ",". */
void iris__metric_label(struct text *, const char *before, const char *name, const char *value);
/* One sample, with that label, or (label NULL) without. */
void iris__metric(struct text *, const char *name, const char *label, const char *value, uint64_t);
void iris__metric_seconds(struct text *, const char *name, const char *label, const char *value,
                          int64_t ns);
/* A family of one sample. */
void iris__metric_alone(struct text *, const char *name, const char *type, const char *help,
                        uint64_t);

/* The parts. */
void iris__metrics_process(struct app *, struct text *);
void iris__metrics_executors(struct app *, struct text *);
void iris__metrics_mesh(struct app *, struct text *); /* nothing, where there is none */
/* What is counted of all is left in the totals. 0, or -1: no memory. */
int iris__metrics_paths(struct app *, iris_totals *, struct text *);

#endif
