/* Secrets of the manifest do not leave it: where a text is shown, they are blotted out. */
#ifndef IRIS_MANIFEST_REDACT_H
#define IRIS_MANIFEST_REDACT_H

#include "manifest.h"

#define IRIS__SECRET_SHORTEST 4 /* bytes; shorter ones stand in texts by chance */

/* A copy with "***" for each secret, the caller's to free. NULL: there is none in it (or no memory). */
char *iris__redacted(const struct manifest_secret *, const char *text);
/* Stars in their place, as long as they are; 1: there was one. */
int iris__redact_bytes(const struct manifest_secret *, void *data, size_t len);
void iris__problems_redact(struct problems *, const struct manifest_secret *);

#endif
