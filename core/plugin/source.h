/* A file as it was read: once, so that what is checked is what is run. */
#ifndef IRIS_PLUGIN_SOURCE_H
#define IRIS_PLUGIN_SOURCE_H

#include <iris/plugin.h>

#define IRIS__SOURCE_MAX (256u << 20)

struct copy;

struct source {
    char *file;        /* as the caller named it */
    iris_bytes code;   /* all of it, never empty */
    uint64_t hash;     /* of the bytes */
    struct copy *copy; /* a private file that holds just these bytes (store.h), or NULL */
};

/* 0, or -1: it is missing, no regular file, empty, too large, open to everybody's writing, or being
 * written right now. The copy is not made yet. */
int iris__source_read(struct source *, const char *file);
/* The same of what can be seen without reading it. */
int iris__source_look(const char *file);
void iris__source_free(
    struct source *); /* not the copy; that is the store's. Empty ones are fine */

#endif
