/* "iris.pool/1": many actors of one kind at once, for one parent or for none. */
#ifndef IRIS_EXT_POOL_H
#define IRIS_EXT_POOL_H

#include <iris/plugin.h>

#define IRIS_POOL "iris.pool/1"

typedef struct iris_pool {
    uint32_t size, abi;
    /* n actors, each made as iris_spawn says (which names no path: that is for one actor), into
     * pids[0..n-1]. All or none: if one cannot be made, those before it are ended, and the result is
     * why: IRIS_DEAD: the parent is not there any more; else IRIS_FAIL. [any] */
    int (*spawn)(iris_actor *self, const iris_spawn *each, uint32_t n, uint64_t *pids);
} iris_pool;

#endif
