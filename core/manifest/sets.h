/* "env.LOG=/var/log/x": what --set replaces in a manifest. */
#ifndef IRIS_MANIFEST_SETS_H
#define IRIS_MANIFEST_SETS_H

#include "manifest.h"

#include <stdint.h>

struct sets {
    struct manifest_set *items;
    size_t n;
    char *text; /* the keys */
};

int iris__sets_parse(struct sets *, const char *const *args, uint32_t n); /* or the reason */
void iris__sets_finish(struct sets *);

#endif
