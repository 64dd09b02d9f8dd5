/* A message's bytes on their way into JSON and out of it: text where it is text, else base64. */
#ifndef IRIS_TOOL_PAYLOAD_H
#define IRIS_TOOL_PAYLOAD_H

#include <jansson.h>
#include <stdio.h>

struct payload {
    char *data;
    size_t len;
};

/* "-": stdin. 0, or -1 with errno. Of what has no end the first PAYLOAD_MOST bytes are read: they are
 * too many already. */
#define PAYLOAD_MOST (1 << 20)
int payload_read(struct payload *, const char *file);
void payload_finish(struct payload *);

/* Sets "data" or "data_base64". */
int payload_put(json_t *object, const struct payload *);

/* How many bytes of this kind a request takes whose body is `object`, p included; SIZE_MAX: these, at
 * any rate, it takes. */
size_t payload_limit(const json_t *object, const struct payload *p);

/* Writes what `key` or `key`_base64 holds; a '\n' behind it if it does not end in one. Whoever reads a
 * file or pipe gets the bytes themselves; a terminal is not driven by them. */
void payload_print(const json_t *object, const char *key, FILE *);

#endif
