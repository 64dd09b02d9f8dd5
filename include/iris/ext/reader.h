/* "iris.reader/1": pull actors, which take their mail themselves. */
#ifndef IRIS_EXT_READER_H
#define IRIS_EXT_READER_H

#include <iris/plugin.h>

#define IRIS_READER "iris.reader/1"

typedef int iris_match(void *ctx, const iris_message *); /* not 0: this one */

typedef struct iris_reader {
    uint32_t size, abi;
    /* The first message that matches (match NULL: the first); the others stay, in order. What was
     * taken before is done with. IRIS_OK, IRIS_EMPTY or IRIS_CLOSED. [turn] */
    int (*take)(iris_actor *, iris_match *, void *ctx, const iris_message **out);
    /* The same, waiting up to timeout ns (below 0: for ever). Only with IRIS_OWN_THREAD. [turn] */
    int (*recv)(iris_actor *, iris_match *, void *ctx, int64_t timeout, const iris_message **out);
} iris_reader;

#endif
