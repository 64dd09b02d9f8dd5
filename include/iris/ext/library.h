/* "iris.library/1": shared objects that hold behaviours; for a host whose handlers are such files. */
#ifndef IRIS_EXT_LIBRARY_H
#define IRIS_EXT_LIBRARY_H

#include <iris/plugin.h>

#define IRIS_LIBRARY "iris.library/1"

typedef struct iris_library {
    uint32_t size, abi;
    /* Inside load() only, with the source that it was given: maps the private copy, shakes hands, and
     * takes in the behaviour called source->symbol (NULL: the first). IRIS_FAIL with a sentence for
     * everything that a file can get wrong. [loader] */
    int (*open)(iris_actor *self, const iris_source *, iris_version **out);
} iris_library;

#endif
