/* What iris stop and iris restart do to all actors that a pattern matches. */
#ifndef IRIS_TOOL_GROUP_H
#define IRIS_TOOL_GROUP_H

#include "verb.h"

int is_pattern(const char *target); /* no path has a star */

/* request: "/v1/stop"; done: the answer's word for it, "stopped". Returns an exit status; all was printed. */
int call_group(const struct common *, const char *request, const char *pattern, const char *done);

#endif
