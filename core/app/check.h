/* What `iris check` finds, for who asks more. */
#ifndef IRIS_APP_CHECK_H
#define IRIS_APP_CHECK_H

#include "manifest.h"

struct sets;

/* All that is wrong with a manifest and with what it names, with places, as problems. The caller frees it; NULL: it
 * cannot be read at all. */
struct manifest *iris__check_read(const char *file, const struct sets *, struct problems *);

#endif
