/* A message's bytes on their way into JSON and out of it: text where it is text, else base64. */
#ifndef IRIS_TOOL_PAYLOAD_H
#define IRIS_TOOL_PAYLOAD_H

#include <jansson.h>
#include <stdio.h>

struct payload {
    char *data;
    size_t len;
};

int payload_read(struct payload *, const char *file); /* "-": stdin; 0, or -1 with errno */
void payload_finish(struct payload *);

/* Sets "data" or "data_base64". */
int payload_put(json_t *object, const struct payload *);

/* Writes what `key` or `key`_base64 holds; a '\n' behind it if it does not end in one. */
void payload_print(const json_t *object, const char *key, FILE *);

#endif
