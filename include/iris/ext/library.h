/* "iris.library/1": shared objects that hold behaviours, for a host whose handlers are such files; and which
 * files a version was made of, for every host. */
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
    /* This version of a file was also made of that one: a module that the handler imports, and what that
     * imports. Saved, it is loaded anew under `iris run --watch`. A host that says this of a version says it
     * of all that there are (of the handler itself at least); more may be said as long as the caller has a
     * reference, twice is once. An absolute path, copied; IRIS_FAIL: no memory. [any] */
    int (*uses)(iris_version *, const char *file);
} iris_library;

#endif
